"""Files as streams of bytes: on this disk or in an object store, plain or compressed."""

import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from keras_repro.core import files
from keras_repro.core.errors import ReproError

# Bytes below which a ZIP archive is read into memory: see `_content`.
SHORTEST_ARCHIVE = 64
# What a file may unpack to: text shrinks to a tenth or, repeated, to a fiftieth.
SMALLEST_LIMIT = 1 << 28
MOST_GROWTH = 100
BUFFER = 1 << 20
# Archives that have many files, or that Python does not read.
OTHER_ARCHIVES = (".7z", ".rar", ".tar", ".tgz", ".bz2", ".xz", ".zst")
# How a file begins that is a workbook whatever it is called.
OLE = b"\xd0\xcf\x11\xe0"
SIGNATURES = {b"PK\x03\x04": ".xlsx", OLE: ".xls"}


class Opened(NamedTuple):
    """An open file.

    Attributes:
        name: of the content, such as `reviews.csv` for `reviews.csv.gz`.
        stream: the content.
        position: tells how many bytes of the file have been read.
        size: of the file in bytes.

    """

    name: str
    stream: IO[bytes]
    position: Callable[[], int]
    size: int

    @property
    def suffix(self) -> str:
        """What the content's name says of its format, such as `.csv`."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def format(self) -> str:
        """The format as a suffix: of a workbook that of its first bytes, else that of its name.

        Many a site calls a tab-separated text .xls, so that Excel opens it.
        """
        start = self.stream.read(4)
        self.stream.seek(0)
        if self.suffix == ".xls" and start.lstrip().startswith(b"<"):
            raise ReproError(f"{self.name}: a page of HTML; expected a workbook: save it as .xlsx")
        if self.suffix in (".csv", ".tsv", ".txt", ".xls", ".xlsx"):
            told = SIGNATURES.get(start)
            return told or (".csv" if self.suffix == ".xls" else self.suffix)
        return self.suffix


@contextmanager
def opened(path: str) -> Iterator[Opened]:
    """Open a file by its path or its address, such as s3://bucket/reviews.csv.gz.

    Raises:
        ReproError: it is missing, cannot be read, or is no whole archive of one file.

    """
    if PurePosixPath(path).suffix.lower() in OTHER_ARCHIVES:
        raise ReproError(
            f"{path}: an archive that is not read; expected its files: unpack it, such as by "
            "`7z x` or `tar xf`, and name the file or folder"
        )
    if not files.is_address(path) and Path(path).exists() and not Path(path).is_file():
        raise ReproError(f"{path}: a folder, pipe or device; expected a file, which is read twice")
    try:
        with _file(path) as (raw, size), _content(path, raw, size) as (name, stream):
            yield Opened(name, stream, raw.tell, size)
    except FileNotFoundError:
        raise ReproError(f"{path}: not found; expected a file with reviews") from None
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ReproError(f"{path}: no whole archive ({error})") from None
    # OverflowError: a date of a Parquet file that is beyond Python's years.
    except (OSError, NotImplementedError, UnicodeError, OverflowError) as error:
        raise ReproError(f"{path}: cannot be read ({error})") from None


@contextmanager
def _file(path: str) -> Iterator[tuple[IO[bytes], int]]:
    """Yield a file's bytes and how many there are."""
    if not files.is_address(path):
        with Path(path).open("rb") as file:
            yield file, os.fstat(file.fileno()).st_size
        return
    from keras_repro.core import parquet

    with parquet.open_input(path) as raw:
        yield raw, raw.size()


@contextmanager
def _content(path: str, raw: IO[bytes], size: int) -> Iterator[tuple[str, IO[bytes]]]:
    name = PurePosixPath(path)
    match name.suffix.lower():
        case ".gz":
            with gzip.open(raw) as stream:
                yield name.stem, _bounded(path, stream, size)
        case ".zip":
            # Arrow takes a seek before the start for an error that zipfile does not expect.
            short = size < SHORTEST_ARCHIVE
            with zipfile.ZipFile(io.BytesIO(raw.read()) if short else raw) as archive:
                member = _only_member(path, archive)
                if member.flag_bits & 1:
                    raise ReproError(f"{path}: the member {member.filename} is encrypted")
                refuse_bomb(path, member.file_size, size)
                with archive.open(member) as stream:
                    yield member.filename, _bounded(path, stream, size)
        case _:
            yield name.name, raw


def _only_member(path: str, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the one file of a ZIP archive, apart from what macOS adds."""
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        names = ", ".join(member.filename for member in members) or "none"
        raise ReproError(f"{path}: expected an archive of one file, found {names}")
    return members[0]


def refuse_bomb(path: str, unpacked: int, size: int) -> None:
    """Refuse what unpacks to more than a corpus of reviews would.

    Args:
        path: of the file, for the message.
        unpacked: bytes.
        size: of the file in bytes.

    Raises:
        ReproError: it is more.

    """
    limit = max(SMALLEST_LIMIT, MOST_GROWTH * size)
    if unpacked > limit:
        raise ReproError(
            f"{path}: {size:,} bytes that unpack to over {limit:,}; expected at most "
            f"{MOST_GROWTH} times as many, or {SMALLEST_LIMIT:,} (if it is right, unpack it)"
        )


class _Bounded(io.RawIOBase):
    """A compressed file that ends in an error where it unpacks to too much."""

    def __init__(self, path: str, stream: Any, size: int) -> None:
        self._path, self._stream, self._size = path, stream, size

    def readinto(self, buffer: Any) -> int:
        found = self._stream.read(len(buffer))
        refuse_bomb(self._path, self._stream.tell(), self._size)
        buffer[: len(found)] = found
        return len(found)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        place: int = self._stream.seek(offset, whence)
        return place

    def tell(self) -> int:
        place: int = self._stream.tell()
        return place

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def _bounded(path: str, stream: Any, size: int) -> IO[bytes]:
    return io.BufferedReader(_Bounded(path, stream, size), BUFFER)
