"""Tables as Parquet files, on this disk or in an object store, and other files of the latter.

Apart from `core.files`, since who only answers texts does without Arrow, which takes 170 MB.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from keras_repro.core import files
from keras_repro.core.errors import ReproError

# Rows that a file groups. Its footer has an entry per group and column, so it would be unwieldy if
# groups were as small as batches.
ROWS_PER_GROUP = 65_536


def open_input(place: files.Location) -> pa.NativeFile:
    """Open a file on this disk or in an object store for reading at any position."""
    system, name = _system(place)
    return system.open_input_file(name)


def _system(place: files.Location) -> tuple[fs.FileSystem, str]:
    if files.is_address(place):
        system, name = fs.FileSystem.from_uri(place)
        return system, name
    return fs.LocalFileSystem(), str(place)


@contextmanager
def _stored(place: files.Location) -> Iterator[Path]:
    """Yield a path to write to; what stands there in the end becomes `place`, whole or not at all.

    Raises:
        ReproError: the object store does not take it.

    """
    if isinstance(place, Path) or not files.is_address(place):
        with files.replacing(Path(place)) as temporary:
            yield temporary
        return
    with files.scratch() as directory:
        yield directory / "content"
        try:
            system, name = _system(place)
            files.before_output()
            fs.copy_files(str(directory / "content"), name, fs.LocalFileSystem(), system)
        except (OSError, pa.ArrowException) as error:
            raise ReproError(f"{place}: cannot be written ({error})") from None


def write(place: files.Location, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
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


def read(
    place: files.Location,
    schema: pa.Schema,
    columns: Sequence[str] | None = None,
    rows_per_batch: int = files.ROWS_PER_BATCH,
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
        _readable(place),
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


def count_rows(place: files.Location) -> int:
    """Return the number of rows of a Parquet file without reading them."""
    with _readable(place), open_input(place) as opened:
        rows: int = pq.read_metadata(opened).num_rows
        return rows


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)


@contextmanager
def _readable(place: files.Location) -> Iterator[None]:
    """Turn what Arrow raises for a bad file into one message that names the file."""
    if isinstance(place, Path) or not files.is_address(place):
        with files.readable(Path(place), "Parquet", pa.ArrowException):
            yield
        return
    try:
        yield
    except FileNotFoundError:
        raise files.missing(place, "Parquet") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ReproError(f"{place}: cannot be read as a Parquet file ({error})") from error
