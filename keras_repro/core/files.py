"""Atomic writes in canonical formats: the same content always gives the same bytes.

A reader never sees a half-written file: each is written beside its target and then renamed over it.
"""

import csv
import errno
import glob
import hashlib
import json
import os
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from keras_repro.core import paths
from keras_repro.core.errors import ReproError

# A file, or its address in an object store, such as s3://bucket/reviews.parquet. An address is no
# Path, which would make one slash of two.
Location = Path | str

DECIMALS = 6
ROWS_PER_BATCH = 8192  # of a table, that are worked on at once
# What Python and NumPy raise for a bad file.
UNREADABLE: tuple[type[Exception], ...] = (OSError, ValueError, EOFError, zipfile.BadZipFile)

# The earliest time that a ZIP archive can state; any fixed one would do.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
ZIP64_VERSION = 45  # of the ZIP format: the first with sizes above 4 GiB
PIECE = 1 << 20  # bytes that are read at once


# What is beside its target until it is whole; no user's file ends so.
TEMPORARY = "keras-repro.tmp"

# Runs before an output takes its place; while a stage runs, `core.dependencies` checks them here.
before_output: Callable[[], None] = lambda: None  # noqa: E731 - an annotation needs a name


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it over `path` if the block succeeds.

    If the block raises, the temporary file is removed and `path` stays as it was. If the process is
    killed, the next one that replaces `path` removes it. A link stays, and the file that it names
    is replaced; what is no file, such as a pipe or /dev/stdout, is written to.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        with _filling(path) as temporary:
            yield temporary
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    for orphan in path.parent.glob(f".{glob.escape(path.name)}.*.{TEMPORARY}"):
        if not _is_alive(orphan.name.removesuffix(f".{TEMPORARY}").rpartition(".")[2]):
            orphan.unlink(missing_ok=True)
    temporary = temporary_path(path)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        if not path.is_relative_to(paths.CACHE.absolute()):
            before_output()
        temporary.replace(path)
        sync_directory(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_path(path: Path) -> Path:
    """Return where this process keeps what becomes `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}.{TEMPORARY}")


def sync_directory(path: Path) -> None:
    """See to it that what was renamed in a directory is so after a loss of power, too."""
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _filling(path: Path) -> Iterator[Path]:
    """Yield a temporary file whose content goes into what is no file if the block succeeds."""
    with tempfile.TemporaryDirectory(prefix="keras-repro-") as directory:
        temporary = Path(directory, path.name)
        yield temporary
        try:
            # Else the opening of a pipe waits for somebody who reads it.
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            raise ReproError(f"{path}: a pipe that nobody reads; expected a file") from None
        os.set_blocking(descriptor, True)
        with temporary.open("rb") as written, os.fdopen(descriptor, "wb") as target:
            shutil.copyfileobj(written, target)


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield an empty directory below `.cache/`, on the same disk as the outputs, for this process.

    It is removed in the end; what killed processes left is removed by the next one.
    """
    paths.SCRATCH.mkdir(parents=True, exist_ok=True)
    for orphan in paths.SCRATCH.iterdir():
        if not _is_alive(orphan.name.partition("-")[0]):
            shutil.rmtree(orphan, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=f"{os.getpid()}-", dir=paths.SCRATCH, ignore_cleanup_errors=True
    ) as directory:
        yield Path(directory)


def _is_alive(pid: str) -> bool:
    """Say whether a process of this number runs; a name that holds no number belongs to nobody."""
    if not pid.isdecimal():
        return False
    try:
        state = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # a killed process whose parent, killed too, never asked for its status


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def md5(path: Path) -> str:
    """Return the hash that DVC records of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sized(path: Path) -> str:
    """Return the size of a file as a person reads it."""
    return f"{path.stat().st_size:,} bytes"


def rounded(value: Any) -> Any:
    """Round every float within nested lists and mappings to `DECIMALS` places.

    >>> rounded({"loss": 0.12345678, "n": 3})
    {'loss': 0.123457, 'n': 3}
    """
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, float | np.floating):
        return round(float(value), DECIMALS)
    return value.item() if isinstance(value, np.generic) else value


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file of any content."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, content: Any, *, sort_keys: bool = True) -> None:
    """Write `content` as indented UTF-8 JSON with sorted keys and rounded floats."""
    text = json.dumps(rounded(content), ensure_ascii=False, indent=2, sort_keys=sort_keys)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    with readable(path, "JSON"):
        return json.loads(path.read_text(encoding="utf-8"))


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as UTF-8 CSV with line feeds as line ends and rounded floats.

    A row with a carriage return has all its cells in quotes: Python's writer leaves one bare that
    stands alone, and readers then take it for the end of the row.
    """
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        quoting = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(header)
        for row in rows:
            bare = any(isinstance(cell, str) and "\r" in cell for cell in row)
            (quoting if bare else writer).writerow(rounded(list(row)))


class _Member(zipfile.ZipInfo):
    """A member of an archive whose header is the same in every Python.

    With `force_zip64`, Python before 3.11.4 states the sizes of a small member in the fields of 32
    bits, too, and a lower version; later ones write there that the 64-bit fields count.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, ZIP_EPOCH)
        self.create_version = self.extract_version = ZIP64_VERSION

    def FileHeader(self, zip64: bool | None = None) -> bytes:  # noqa: FBT001, N802 - zipfile's names
        header = super().FileHeader(zip64)
        # Both sizes stand behind 18 bytes.
        return header[:18] + b"\xff" * 8 + header[26:]


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as an uncompressed NPZ archive, sorted by name and without times.

    Nothing is compressed because the bytes of a DEFLATE stream depend on the zlib at hand.
    """
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(arrays):
            with archive.open(_Member(f"{name}.npy"), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(arrays[name]), allow_pickle=False)


def read_npz(
    path: Path, names: Iterable[str], optional: Iterable[str] = ()
) -> dict[str, np.ndarray]:
    """Return the named arrays of an NPZ archive; pickled objects are refused.

    Args:
        path: of the archive.
        names: of the arrays.
        optional: names of further ones, as far as it has them.

    Raises:
        ReproError: the file is missing, truncated, or lacks one of the arrays.

    """
    with readable(path, "NPZ"), np.load(path, allow_pickle=False) as archive:
        _expect(path, names, archive.files)
        further = [name for name in optional if name in archive.files]
        return {name: archive[name] for name in (*names, *further)}


def map_npz(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Return the named arrays of an archive of `write_npz` as read-only maps of the file.

    So an array may be larger than the memory. Each is read once in pieces, to compare its CRC.

    Raises:
        ReproError: the file is missing, truncated or damaged, or lacks one of the arrays.

    """
    with readable(path, "NPZ"), zipfile.ZipFile(path) as archive, path.open("rb") as file:
        _expect(path, names, [name.removesuffix(".npy") for name in archive.namelist()])
        return {name: _mapped(archive, file, f"{name}.npy") for name in names}


def _mapped(archive: zipfile.ZipFile, file: IO[bytes], member: str) -> np.ndarray:
    with archive.open(member) as content:
        while content.read(PIECE):
            pass
    information = archive.getinfo(member)
    # Before the content stand 30 bytes, the last four of them two lengths, and what has these.
    file.seek(information.header_offset + 26)
    file.seek(sum(struct.unpack("<HH", file.read(4))), os.SEEK_CUR)
    np.lib.format.read_magic(file)
    shape, _, kind = np.lib.format.read_array_header_1_0(file)
    if information.compress_type != zipfile.ZIP_STORED or kind.hasobject:
        raise ValueError(f"{member} is compressed, or pickled")
    if 0 in shape:  # which cannot be mapped
        return np.zeros(shape, kind)
    return np.asarray(np.memmap(file, kind, "r", file.tell(), shape))


def _expect(path: Path, names: Iterable[str], found: list[str]) -> None:
    """Refuse an archive that lacks an array."""
    if missing := sorted(set(names) - set(found)):
        raise ReproError(
            f"{path}: has the arrays {', '.join(sorted(found)) or '(none)'}; "
            f"expected {', '.join(missing)} too"
        )


def is_address(place: Location) -> bool:
    """Say whether a place lies in an object store."""
    return isinstance(place, str) and "://" in place


@contextmanager
def readable(path: Path, kind: str, *faults: type[Exception]) -> Iterator[None]:
    """Turn what a reader raises for a bad file into one message that names the file.

    Args:
        path: of the file.
        kind: that it should be of, for the message.
        faults: that the reader raises beside `UNREADABLE`.

    """
    try:
        yield
    except FileNotFoundError:
        raise missing(path, kind) from None
    except UNREADABLE + faults as error:
        size = path.stat().st_size if path.is_file() else 0
        raise ReproError(
            f"{path}: {size:,} bytes that are no whole {kind} file ({error}); "
            f"delete it and run `dvc repro`, which makes it again"
        ) from error


def missing(place: Path | str, kind: str) -> ReproError:
    """Return what is raised where a file of the pipeline is not there."""
    return ReproError(f"{place}: not found; expected a {kind} file (`dvc repro` makes it)")
