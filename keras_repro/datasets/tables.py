"""Rows of a table of reviews, whatever file it stands in, and what is wrong with them."""

import csv
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.datasets import encodings
from keras_repro.datasets.containers import Opened
from keras_repro.datasets.ratings import Grade
from keras_repro.text.schemas import (
    BROKEN_QUOTE,
    NO_NUMBER,
    NO_OBJECT,
    OTHER_WIDTH,
    TOO_LONG,
    UNKNOWN_LABEL,
)

# What separates the columns; of a `.csv` the first under which the wanted columns are there.
DELIMITERS = {".csv": ",;\t|", ".tsv": "\t"}
# Characters of a header that a message shows.
SHOWN = 200


class Columns(NamedTuple):
    """Where a table has its texts and what it says of them: names, or numbers counted from 1.

    Attributes:
        text: the column of the texts.
        grade: the column of the ratings or labels.
        read: turns a cell of the latter into a rating or a fault. Where columns have numbers, the
            first row of a table is its header if this finds no rating there.

    """

    text: str | int
    grade: str | int
    read: Callable[[Any], Grade]


class Record(NamedTuple):
    """A row of a table.

    Attributes:
        line: where it starts, counted from 1.
        text: the cell with the text; None if there is a fault.
        grade: the cell with the rating or label; None if there is a fault.
        raw: the whole row as it stands in the file.
        fault: why it is no row of this table, or None.

    """

    line: int
    text: Any
    grade: Any
    raw: str
    fault: str | None


def read(opened: Opened, columns: Columns, encoding: str) -> Iterator[Record]:
    """Yield the rows of a .csv, .tsv, .jsonl, .parquet or .xlsx file; blank lines are none.

    Raises:
        ReproError: the file is of another format, or has no such columns.

    """
    match opened.suffix:
        case ".csv" | ".tsv":
            return _csv(opened, columns, encodings.lines(opened.stream, encoding))
        case ".jsonl":
            if isinstance(columns.text, int) or isinstance(columns.grade, int):
                raise ReproError(
                    f"{opened.name}: found numbers for columns; expected the names of keys"
                )
            return _jsonl(columns, encodings.lines(opened.stream, encoding))
        case ".parquet":
            return _parquet(opened, columns)
        case ".xlsx":
            return _xlsx(opened, columns)
        case suffix:
            raise ReproError(
                f"{opened.name}: ends in {suffix or 'no suffix'}; expected .csv, .tsv, .jsonl, "
                ".parquet or .xlsx, plain or with .gz or .zip behind it"
            )


def is_text(opened: Opened) -> bool:
    """Say whether a file has an encoding."""
    return opened.suffix not in (".parquet", ".xlsx")


class _Lines:
    """Lines of which some may be taken back, and which tells those that a row took."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line

    def take_back(self, start: int) -> None:
        """Give the lines that were taken from `start` on once more."""
        self._again.extendleft(reversed(self.taken[start:]))
        del self.taken[start:]


class Row(NamedTuple):
    """A row of a delimited text or of JSON lines.

    Attributes:
        line: where it starts, counted from 1.
        cells: of a delimited text, all of them; of JSON, the object; None if they cannot be told.
        raw: the whole row as it stands in the file.
        fault: why it is no row of this table, or None.

    """

    line: int
    cells: Any
    raw: str
    fault: str | None


class Delimited(NamedTuple):
    """A delimited text with quotes as RFC 4180 has them.

    Attributes:
        delimiter: that separates its cells.
        head: the cells of its first row.
        rows: all of them, the first included.

    """

    delimiter: str
    head: list[str]
    rows: Iterator[Row]


def delimited(
    suffix: str,
    lines: Iterable[str],
    wanted: Sequence[str | int],
    is_data: Callable[[list[str]], bool],
) -> Delimited | None:
    """Return a delimited text, None if it has no row.

    Args:
        suffix: of its name, which tells what may separate the cells.
        lines: with their ends.
        wanted: columns; the separator under which the first row has them is taken.
        is_data: says of the first row's cells that they are surely data and no header, which
            decides where several separators serve.

    """
    source = _Lines(lines)
    first = next((line for line in source if line.strip()), None)
    if first is None:
        return None
    number = len(source.taken) - 1
    source.take_back(number)
    heads = {d: _first(source, d) for d in DELIMITERS[suffix]}
    fitting = {d: head for d, head in heads.items() if all(_has(head, name) for name in wanted)}
    sure = ((d, head) for d, head in fitting.items() if is_data(head))
    delimiter, head = next(sure, next(iter((fitting or heads).items())))
    return Delimited(delimiter, head, _rows_of(source, delimiter, len(head), number))


def _rows_of(source: _Lines, delimiter: str, width: int, number: int) -> Iterator[Row]:
    """Yield the rows of a delimited text.

    A quote that never closes swallows the rows behind it. So where rows of several lines end in an
    error or have another number of columns than the first, only the first line is rejected, and
    reading goes on with the second.
    """
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        source.taken.clear()
        cells: list[str] | None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        fault = None
        if cells is None or (cells and len(cells) != width):
            broken = cells is None or len(source.taken) > 1
            fault = BROKEN_QUOTE if broken else OTHER_WIDTH
            source.take_back(1)
            if cells is None and len(source.taken[0]) > csv.field_size_limit():
                fault = TOO_LONG
            if broken:
                cells = None
        line, raw = number + 1, "".join(source.taken)
        number += len(source.taken)
        if cells or fault:
            yield Row(line, cells, raw, fault)


def objects(lines: Iterable[str]) -> Iterator[Row]:
    """Yield the objects of JSON lines; blank lines are none."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            yield Row(number, row, line, None)
        else:
            fault = TOO_LONG if len(line) >= encodings.LINE_LIMIT else NO_OBJECT
            yield Row(number, None, line, fault)


def _csv(opened: Opened, columns: Columns, lines: Iterable[str]) -> Iterator[Record]:
    found = delimited(
        opened.suffix,
        lines,
        (columns.text, columns.grade),
        lambda head: _is_data(head, columns, certainly=True),
    )
    if found is None:
        return
    text, grade = _positions(found.head, columns, opened)
    rows = found.rows
    if not _is_data(found.head, columns):
        next(rows, None)
    for line, cells, raw, fault in rows:
        if fault:
            yield Record(line, None, None, raw, fault)
        else:
            yield Record(line, cells[text], cells[grade], raw, None)


def _first(source: _Lines, delimiter: str) -> list[str]:
    """Return the cells of the next row without taking it."""
    start = len(source.taken)
    line = next(source)
    source.take_back(start)
    try:
        return next(csv.reader(source, delimiter=delimiter, strict=True))
    except csv.Error:
        return line.split(delimiter)
    finally:
        source.take_back(start)


def _has(head: Sequence[Any], column: str | int) -> bool:
    if isinstance(column, int):
        return column <= len(head)
    return _names(head).count(column) == 1


def _names(head: Sequence[Any]) -> list[str]:
    return ["" if cell is None else str(cell).strip("\ufeff \t\r\n") for cell in head]


def _positions(head: Sequence[Any], columns: Columns, opened: Opened) -> tuple[int, int]:
    """Return the positions of text and grade, counted from 0."""
    names = _names(head)
    for column in (columns.text, columns.grade):
        if not _has(head, column):
            found = f"{len(names)}: {_shown(names)}"
            if isinstance(column, int):
                raise ReproError(f"{opened.name}: expected a column {column}, found {found}")
            times = names.count(column)
            raise ReproError(
                f"{opened.name}: expected one column {column!r}, found {times or 'none'} "
                f"among {found}"
            )
    text, grade = (
        column - 1 if isinstance(column, int) else names.index(column)
        for column in (columns.text, columns.grade)
    )
    return text, grade


def _shown(names: Sequence[str]) -> str:
    """Return names for a message; what is no table may have long and strange ones."""
    text = ", ".join(names)
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:SHOWN])
    return shown + " …" * (len(text) > SHOWN)


def _is_data(head: Sequence[Any], columns: Columns, *, certainly: bool = False) -> bool:
    """Say whether the first row is no header: names need one, numbers do not.

    A header has a word where its column has ratings; a cell that is empty or out of range is data.
    """
    if isinstance(columns.text, str) or isinstance(columns.grade, str):
        return False
    grade = columns.read(head[columns.grade - 1])
    return isinstance(grade, int) or not (certainly or grade in (NO_NUMBER, UNKNOWN_LABEL))


def _jsonl(columns: Columns, lines: Iterable[str]) -> Iterator[Record]:
    for line, cells, raw, fault in objects(lines):
        row = cells or {}
        yield Record(line, row.get(columns.text), row.get(columns.grade), raw, fault)


def _parquet(opened: Opened, columns: Columns) -> Iterator[Record]:
    try:
        with pq.ParquetFile(opened.stream, pre_buffer=False) as file:
            names = file.schema_arrow.names
            text, grade = _positions(names, columns, opened)
            # Of columns that share a name, Arrow reads none by it.
            unique = names.count(names[text]) == names.count(names[grade]) == 1
            wanted = [names[text], names[grade]] if unique else None
            batches = file.iter_batches(files.ROWS_PER_BATCH, columns=wanted)
            number = 0
            for batch in batches:
                places = (names[text], names[grade]) if unique else (text, grade)
                texts, grades = (_cells(batch.column(place)) for place in places)
                pairs = zip(texts, grades, strict=True)
                for pair in pairs:
                    number += 1
                    yield Record(number, *pair, _as_line(pair), None)
    except pa.ArrowException as error:
        raise ReproError(f"{opened.name}: no whole Parquet file ({error})") from None


def _cells(column: pa.Array) -> list[Any]:
    """Return the values of a column, of which bytes are meant to be UTF-8."""
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.large_binary())  # not every writer saw to it that they are
    return [
        value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
        for value in column.to_pylist()
    ]


def _xlsx(opened: Opened, columns: Columns) -> Iterator[Record]:
    """Yield the rows of the first sheet."""
    try:
        book = openpyxl.load_workbook(opened.stream, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # what some programs state of them is too little
    except Exception as error:  # noqa: BLE001 - openpyxl lets errors of zipfile and XML through
        raise ReproError(f"{opened.name}: no whole .xlsx file ({error})") from None
    rows = _rows(sheet, opened)
    head: Sequence[Any] | None = None
    for number, row in enumerate(rows, start=1):
        if all(cell is None for cell in row):
            continue
        if head is None:
            head = row
            text, grade = _positions(head, columns, opened)
            if not _is_data(head, columns):
                continue
        # A sheet ends a row where its last filled cell is.
        cells = [*row, *[None] * (len(head) - len(row))]
        yield Record(number, cells[text], cells[grade], _as_line(cells), None)


def _rows(sheet: Any, opened: Opened) -> Iterator[tuple[Any, ...]]:
    try:
        yield from sheet.iter_rows(values_only=True)
    except Exception as error:  # noqa: BLE001 - as above, found while reading
        raise ReproError(f"{opened.name}: no whole .xlsx file ({error})") from None


def _as_line(cells: Sequence[Any]) -> str:
    return "\t".join("" if cell is None else str(cell) for cell in cells)
