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
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from keras_repro.core import paths
from keras_repro.core.errors import ReproError

# A file, or its address in an object store, such as s3://bucket/reviews.parquet. An address is no
# Path, which would make one slash of two.
Location = Path | str

DECIMALS = 6
# Rows that are worked on at once, and those that a Parquet file groups: the latter's footer has an
# entry per group and column, which would make it unwieldy if groups were as small as batches.
ROWS_PER_BATCH = 8192
ROWS_PER_GROUP = 65_536

# The earliest time that a ZIP archive can state; any fixed one would do.
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
ZIP64_VERSION = 45  # of the ZIP format: the first with sizes above 4 GiB


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
    with _readable(path, "JSON"):
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


def read_npz(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Return the named arrays of an NPZ archive; pickled objects are refused.

    Raises:
        ReproError: the file is missing, truncated, or lacks one of the arrays.

    """
    with _readable(path, "NPZ"), np.load(path, allow_pickle=False) as archive:
        missing = sorted(set(names) - set(archive.files))
        if missing:
            raise ReproError(
                f"{path}: has the arrays {', '.join(sorted(archive.files)) or '(none)'}; "
                f"expected {', '.join(missing)} too"
            )
        return {name: archive[name] for name in names}


def is_address(place: Location) -> bool:
    """Say whether a place lies in an object store."""
    return isinstance(place, str) and "://" in place


def open_input(place: Location) -> pa.NativeFile:
    """Open a file on this disk or in an object store for reading at any position."""
    system, name = _system(place)
    return system.open_input_file(name)


def _system(place: Location) -> tuple[fs.FileSystem, str]:
    if is_address(place):
        system, name = fs.FileSystem.from_uri(place)
        return system, name
    return fs.LocalFileSystem(), str(place)


@contextmanager
def _stored(place: Location) -> Iterator[Path]:
    """Yield a path to write to; what stands there in the end becomes `place`, whole or not at all.

    Raises:
        ReproError: the object store does not take it.

    """
    if isinstance(place, Path) or not is_address(place):
        with replacing(Path(place)) as temporary:
            yield temporary
        return
    with scratch() as directory:
        yield directory / "content"
        try:
            system, name = _system(place)
            before_output()
            fs.copy_files(str(directory / "content"), name, fs.LocalFileSystem(), system)
        except (OSError, pa.ArrowException) as error:
            raise ReproError(f"{place}: cannot be written ({error})") from None


def write_parquet(place: Location, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write batches as one Parquet file and return the number of rows.

    The file holds the schema's columns and nothing of pandas or of the clock. Its bytes depend on
    the rows alone, not on how they are batched.
    """
    rows = 0
    with _stored(place) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for group in _grouped(batches, schema):
            writer.write_table(group, row_group_size=ROWS_PER_GROUP)
            rows += group.num_rows
    return rows


def _grouped(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows of the batches as tables of `ROWS_PER_GROUP` rows, the last one perhaps less.

    Each table is copied into one piece: Parquet's pages would end where the batches do.
    """
    waiting = schema.empty_table()
    for batch in batches:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch], schema)])
        while waiting.num_rows >= ROWS_PER_GROUP:
            yield waiting.slice(0, ROWS_PER_GROUP).combine_chunks()
            waiting = waiting.slice(ROWS_PER_GROUP)
    if waiting.num_rows:
        yield waiting.combine_chunks()


def read_parquet(
    place: Location,
    schema: pa.Schema,
    columns: Sequence[str] | None = None,
    rows_per_batch: int = ROWS_PER_BATCH,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet file in batches.

    Args:
        place: of the file.
        schema: that the file must have.
        columns: to read; by default all.
        rows_per_batch: how many rows a batch has at most.

    Raises:
        ReproError: the file is missing, truncated, or its columns differ from `schema`.

    """
    with (
        _readable(place, "Parquet"),
        open_input(place) as opened,
        # Its buffers keep all that was read until the end: 150 MB for a million reviews.
        pq.ParquetFile(opened, pre_buffer=False) as file,
    ):
        if not file.schema_arrow.equals(schema):
            raise ReproError(
                f"{place}: has the columns {_columns(file.schema_arrow)}; "
                f"expected {_columns(schema)}"
            )
        yield from file.iter_batches(batch_size=rows_per_batch, columns=columns)


def count_rows(place: Location) -> int:
    """Return the number of rows of a Parquet file without reading them."""
    with _readable(place, "Parquet"), open_input(place) as opened:
        rows: int = pq.read_metadata(opened).num_rows
        return rows


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)


@contextmanager
def _readable(place: Location, kind: str) -> Iterator[None]:
    """Turn what a reader raises for a bad file into one message that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise ReproError(
            f"{place}: not found; expected a {kind} file (`dvc repro` makes it)"
        ) from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, pa.ArrowException) as error:
        if is_address(place):
            raise ReproError(f"{place}: cannot be read as a {kind} file ({error})") from error
        size = Path(place).stat().st_size if Path(place).is_file() else 0
        raise ReproError(
            f"{place}: {size:,} bytes that are no whole {kind} file ({error}); "
            f"delete it and run `dvc repro`, which makes it again"
        ) from error
