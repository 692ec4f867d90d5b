"""Files as streams of bytes: on this disk or in an object store, plain or compressed."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, NamedTuple

import pyarrow as pa

from keras_repro.core import files
from keras_repro.core.errors import ReproError

# Bytes below which a ZIP archive is read into memory: see `_content`.
SHORTEST_ARCHIVE = 64


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


@contextmanager
def opened(path: str) -> Iterator[Opened]:
    """Open a file by its path or its address, such as s3://bucket/reviews.csv.gz.

    Raises:
        ReproError: it is missing, cannot be read, or is no whole archive of one file.

    """
    try:
        with files.open_input(path) as raw, _content(path, raw) as (name, stream):
            yield Opened(name, stream, raw.tell, raw.size())
    except FileNotFoundError:
        raise ReproError(f"{path}: not found; expected a file with reviews") from None
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ReproError(f"{path}: no whole archive ({error})") from None
    # OverflowError: a date of a Parquet file that is beyond Python's years.
    except (OSError, pa.ArrowException, NotImplementedError, UnicodeError, OverflowError) as error:
        raise ReproError(f"{path}: cannot be read ({error})") from None


@contextmanager
def _content(path: str, raw: pa.NativeFile) -> Iterator[tuple[str, IO[bytes]]]:
    name = PurePosixPath(path)
    match name.suffix.lower():
        case ".gz":
            with gzip.open(raw) as stream:
                yield name.stem, stream  # type: ignore[misc] # a GzipFile is read as an IO is
        case ".zip":
            # Arrow takes a seek before the start for an error that zipfile does not expect.
            short = raw.size() < SHORTEST_ARCHIVE
            with zipfile.ZipFile(io.BytesIO(raw.read()) if short else raw) as archive:
                member = _only_member(path, archive)
                if member.flag_bits & 1:
                    raise ReproError(f"{path}: the member {member.filename} is encrypted")
                with archive.open(member) as stream:
                    yield member.filename, stream
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
