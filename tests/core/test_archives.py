import io
import tarfile
from pathlib import Path

import pytest

from keras_repro.core.errors import ReproError
from keras_repro.datasets import archives


def make_tar(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        good = tarfile.TarInfo("package/good")
        good.size = 4
        tar.addfile(good, io.BytesIO(b"good"))
        for member in members:
            tar.addfile(member)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_members_are_read_and_nothing_is_unpacked(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tgz", member("package", tarfile.DIRTYPE))
    assert archives.read_members(path, ["package/good"]) == {"package/good": b"good"}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "bad",
    [
        member("/etc/passwd"),
        member("package/../../x"),
        member("package/link", tarfile.SYMTYPE, "/etc/passwd"),
        member("package/link", tarfile.LNKTYPE, "package/good"),
        member("package/device", tarfile.CHRTYPE),
        member("package/pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda info: f"{info.name}-{info.type.decode()}",
)
def test_unsafe_archive_is_refused_even_if_the_member_is_not_asked_for(
    tmp_path: Path, bad: tarfile.TarInfo
) -> None:
    path = make_tar(tmp_path / "a.tgz", bad)
    with pytest.raises(ReproError, match=r"a\.tgz: refused, member"):
        archives.read_members(path, ["package/good"])


def test_truncated_archive_and_missing_member(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tgz")
    with pytest.raises(ReproError, match="expected the member package/bad, found none"):
        archives.read_members(path, ["package/bad"])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ReproError, match="no whole tar archive"):
        archives.read_members(path, ["package/good"])
