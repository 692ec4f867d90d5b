"""Members of tar archives, read into memory: nothing is ever unpacked to disk."""

import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from keras_repro.core.errors import ReproError


def read_members(archive: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Return the content of the named members of a (compressed) tar archive.

    The whole archive is refused if any member is a link, a device, or has an absolute path or `..`
    in it, whether it is asked for or not: an archive with such a member is not what it claims.

    Raises:
        ReproError: the archive is unsafe, truncated, or lacks one of the members.

    """
    wanted = set(names)
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                _refuse_unsafe(archive, member)
                if member.name in wanted:
                    found[member.name] = tar.extractfile(member).read()  # type: ignore[union-attr]
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ReproError(f"{archive.name}: no whole tar archive ({error})") from error
    if missing := sorted(wanted - found.keys()):
        raise ReproError(f"{archive.name}: expected the member {missing[0]}, found none")
    return found


def _refuse_unsafe(archive: Path, member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise ReproError(
            f"{archive.name}: refused, member {member.name!r} leads out of the archive"
        )
    if not (member.isfile() or member.isdir()):
        raise ReproError(f"{archive.name}: refused, member {member.name!r} is a link or a device")
