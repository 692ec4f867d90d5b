"""Bundles as one archive that anyone can fetch, whose hash says which they are."""

import gzip
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urldefrag

from keras_repro.bundles.bundle import Bundle
from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Download
from keras_repro.datasets import fetching
from keras_repro.datasets.registry import UrlSource

PATIENCE = Download(attempts=3, answer_timeout=10, time_limit=600)
# What an archive unpacks to at most; the bundles of all five models have 160 MB.
MOST_BYTES = 1 << 30


def write(bundles: Mapping[str, Path], licence: Path, target: Path) -> str:
    """Write bundles into a .tar.gz, the same bytes each time; return its SHA-256.

    Args:
        bundles: the directory of each, by the name of its model.
        licence: a file that goes along.
        target: of the archive.

    Raises:
        ReproError: a bundle is damaged.

    """
    with (
        files.replacing(target) as temporary,
        temporary.open("wb") as stream,
        gzip.GzipFile("", "wb", fileobj=stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        archive.add(licence, licence.name, filter=_anonymous)
        for name, directory in sorted(bundles.items()):
            Bundle(directory)
            for path in sorted(directory.iterdir()):
                archive.add(path, f"{name}/{path.name}", filter=_anonymous)
    return files.sha256(target)


def pulled(address: str) -> dict[str, Path]:
    """Return the bundles of an archive by model, from the user's cache or from its address.

    Args:
        address: of the archive, with its SHA-256 behind a #.

    Raises:
        ReproError: the address has no hash or does not answer, or what it gives is another file.

    """
    url, expected = urldefrag(address)
    try:
        source = UrlSource(type="url", url=url, sha256=expected.removeprefix("sha256="), format="")
    except ValueError:
        raise ReproError(
            f"{address}: no SHA-256 behind a #; expected {url}#sha256=… as the release says it"
        ) from None
    kept = _cache() / str(source.sha256)
    if not kept.is_dir():
        _fetch(source, kept)
    return {path.name: path for path in sorted(kept.iterdir()) if path.is_dir()}


def _fetch(source: UrlSource, kept: Path) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as name:
            archive = fetching.from_url(source, Path(name), PATIENCE)
            unpacked = Path(name) / "unpacked"
            _unpack(archive, source.url, unpacked)
            try:
                unpacked.rename(kept)
            except OSError:  # another process was first
                if not kept.is_dir():
                    raise
    except fetching.SourceError as error:
        raise ReproError(f"{source.url}: {error}") from None
    except OSError as error:
        raise ReproError(
            f"{kept.parent}: {error.strerror or error}; expected room for it"
        ) from None


def _unpack(archive: Path, url: str, target: Path) -> None:
    try:
        with tarfile.open(archive, "r:gz") as packed:
            members = packed.getmembers()
            if (size := sum(member.size for member in members)) > MOST_BYTES:
                raise ReproError(
                    f"{url}: has {size:,} bytes unpacked; expected up to {MOST_BYTES:,}"
                )
            packed.extractall(target, members, filter="data")
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
        raise ReproError(f"{url}: no archive of bundles ({error}); expected a .tar.gz") from None


def _cache() -> Path:
    try:
        return paths.user_cache() / "bundles"
    except RuntimeError:
        raise ReproError("no home to keep bundles in; expected XDG_CACHE_HOME") from None


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who packed it, and when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member
