"""Files that answers are written to, a row at a time: .csv, .tsv, .jsonl, .xlsx or .parquet."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import openpyxl
from openpyxl.cell import WriteOnlyCell

from keras_repro.core.errors import ReproError

PROBABILITY = "probability"  # what the columns of numbers begin with
# What XML cannot hold, and what Excel can: rows, and characters of a cell.
NOT_IN_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
MOST_ROWS, LONGEST_CELL = 1_048_576, 32_767

# The key of a row that is no object.
UNREAD = "row"
# Takes the cells of a row or an object, and its label, probability, reason and what else there is
# of an answer, None for none.
Cells = Sequence[Any] | Mapping[str, Any]
Write = Callable[[Cells, Sequence[Any]], None]


@contextmanager
def csv_writer(
    file: TextIO, head: Sequence[str], further: Sequence[str], delimiter: str
) -> Iterator[Write]:
    """Yield what writes rows of a delimited text behind its header."""
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow([*head, *further])

    def write(cells: Cells, answers: Sequence[Any]) -> None:
        shown = (f"{each:.6f}" if isinstance(each, float) else each or "" for each in answers)
        writer.writerow([*map(_text, _ordered(cells, head)), *shown])

    yield write


@contextmanager
def jsonl_writer(
    file: TextIO, head: Sequence[str], further: Sequence[str], _: str
) -> Iterator[Write]:
    """Yield what writes an object a line."""

    def write(cells: Cells, answers: Sequence[Any]) -> None:
        row = dict(cells if isinstance(cells, Mapping) else zip(head, cells, strict=True))
        pairs = row | dict(zip(further, answers, strict=True))
        file.write(json.dumps(pairs, ensure_ascii=False, default=str) + "\n")

    yield write


@contextmanager
def xlsx_writer(path: Path, head: Sequence[str], further: Sequence[str]) -> Iterator[Write]:
    """Yield what writes rows of a workbook, of which none is a formula."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("answers")
    sheet.append([*head, *further])
    rows = 1

    def cell(value: Any) -> Any:
        if isinstance(value, str | list | dict):
            found = WriteOnlyCell(sheet, NOT_IN_XML.sub("", _text(value))[:LONGEST_CELL])
            found.data_type = "s"
            return found
        return value

    def write(cells: Cells, answers: Sequence[Any]) -> None:
        nonlocal rows
        rows += 1
        if rows > MOST_ROWS:
            raise ReproError(f"{path.name}: over {MOST_ROWS:,} rows; expected .csv or .parquet")
        sheet.append([*map(cell, _ordered(cells, head)), *answers])

    yield write
    with path.open("wb") as file:  # whose name says nothing of its format yet
        book.save(file)


@contextmanager
def parquet_writer(path: Path, head: Sequence[str], further: Sequence[str]) -> Iterator[Write]:
    """Yield what writes rows whose cells are text, with the probabilities as numbers."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from keras_repro.core.parquet import ROWS_PER_GROUP

    names = [*head, *further]
    kinds = [pa.string()] * len(head)
    kinds += [pa.float64() if name.startswith(PROBABILITY) else pa.string() for name in further]
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    waiting: list[Sequence[Any]] = []
    with pq.ParquetWriter(path, schema) as writer:

        def flush() -> None:
            columns = zip(*waiting, strict=True)
            arrays = [pa.array(each, kind) for each, kind in zip(columns, kinds, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            waiting.clear()

        def write(cells: Cells, answers: Sequence[Any]) -> None:
            waiting.append(
                [
                    *(None if cell is None else _text(cell) for cell in _ordered(cells, head)),
                    *answers,
                ]
            )
            if len(waiting) == ROWS_PER_GROUP:
                flush()

        yield write
        if waiting:
            flush()


def _ordered(cells: Cells, head: Sequence[str]) -> Sequence[Any]:
    """Return an object's values in the order of the columns, what is no object in the first."""
    if not isinstance(cells, Mapping):
        return cells
    if new := [name for name in cells if name not in head]:
        if new == list(cells) == [UNREAD]:
            return [cells[UNREAD], *[None] * (len(head) - 1)]
        raise ReproError(
            f"found the key {new[0]!r}, which none of the first rows has; expected their keys, or "
            ".jsonl as the output"
        )
    return [cells.get(name) for name in head]


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    return json.dumps(cell, ensure_ascii=False) if isinstance(cell, list | dict) else str(cell)


TEXTS = {".csv": csv_writer, ".tsv": csv_writer, ".jsonl": jsonl_writer}
BINARIES = {".xlsx": xlsx_writer, ".parquet": parquet_writer}
