"""Rows of a file, or texts of a folder, that get an answer each."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from keras_repro.bundles.explanation import Answer
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Reviews
from keras_repro.datasets import containers, delimited, encodings, own, sources, tables
from keras_repro.datasets.delimited import Row
from keras_repro.datasets.tables import Content
from keras_repro.serving import formats
from keras_repro.serving.formats import Cells
from keras_repro.text.terms import NUL, OTHER_WIDTH, UNDECODABLE

# Rows that are answered at once: enough for batches of similar length.
ROWS_AT_ONCE = 4096
# The column with the texts, unless told, and that with their files.
TEXT, FILE = "text", "file"


class Reading(NamedTuple):
    """How a file is read and its answers are written.

    Attributes:
        column: with the texts, its name or number; None: `text`, one called so, or the only one.
        encoding: of the file; `auto` finds it.
        sheet: of a workbook: its name or number.
        written: the encoding of the answers; `same` is that of the file.
        answers: the columns that they get.

    """

    column: str | int | None = None
    encoding: str = "auto"
    sheet: str | int = 1
    written: str = "utf-8"
    answers: Sequence[str] = Answer._fields


class Item(NamedTuple):
    """A row that is answered.

    Attributes:
        cells: as many as the table has columns, or an object.
        text: what is judged.
        fault: why there is no text, or None.

    """

    cells: Cells
    text: str
    fault: str | None


class Table(NamedTuple):
    """A table that is read row by row.

    Attributes:
        head: the names of its columns.
        items: of the table.
        delimiter: of a delimited text.
        form: a suffix such as `.csv`: what its answers are written as unless told.
        encoding: of its texts.
        size: of its files in bytes.
        position: tells how many of these have been read.

    """

    head: list[str]
    items: Iterator[Item]
    delimiter: str
    form: str
    encoding: str = "utf-8"
    size: int = 0
    position: Callable[[], int] = lambda: 0


@contextmanager
def opened(source: Path, reading: Reading) -> Iterator[Table]:
    """Open a file, or a folder with a text in each file, as a table.

    Raises:
        ReproError: it cannot be read, has no such column, or has one of an answer already.

    """
    if source.is_dir():
        yield _folder(source, reading.encoding)
        return
    encoding = tables.encoding_of(str(source), reading.encoding)
    with containers.opened(str(source)) as file:
        table = _table(file, reading, encoding, source)
        main = encoding.partition(encodings.MIXED)[0]
        yield table._replace(encoding=main, size=file.size, position=file.position)


def _folder(source: Path, encoding: str) -> Table:
    settings = {"source": "file", "path": str(source), "encoding": encoding}
    found = sources.listed(Reviews.model_validate(settings))
    if others := [file.path for file in found if file.suffix != ".txt"]:
        raise ReproError(f"{others[0]}: no .txt; expected a folder of these, or one file")
    encoding = own.encoding_of(found, encoding)

    def items() -> Iterator[Item]:
        for file in found:
            text = own.whole_text(file, encoding)
            name = str(Path(file.path).relative_to(source))
            yield _item([name, text], text, None)

    return Table([FILE, TEXT], items(), ",", ".csv", encoding)


def _table(opened: containers.Opened, reading: Reading, encoding: str, source: Path) -> Table:
    column = reading.column
    wanted = [] if column is None else [column]
    suffix = opened.format
    found = tables.content(
        opened, encoding, reading.sheet, () if suffix == ".parquet" else wanted,
        lambda head: _place(head, column) is not None,
    )  # fmt: skip
    if found is not None and found.head is None:
        return _objects(found.rows, reading, source)
    head = list(found.head or []) if found else []
    place = 0 if len(head) == 1 and column is None else _place(head, column)
    if found is None or place is None:
        shown = ", ".join(delimited.names(head)) or "(none)"
        raise ReproError(
            f"{source}: the columns are {shown}; expected one of them to be "
            f"{column or TEXT!r} (--text-column)"
            f"{tables.nearest(str(column or TEXT), delimited.names(head))}"
        )
    rows, names = found.rows, delimited.names(head)
    if found.has_head and _is_data(head, place, column):
        names = [TEXT if each == place else str(each + 1) for each in range(len(head))]
    elif found.has_head:
        next(rows, None)
    _check_free(names, reading.answers, source)
    form = suffix if suffix in (".csv", ".tsv") else ".csv"
    return Table(names, _items(rows, found, len(head), place), found.delimiter, form)


def _place(head: Sequence[Any], column: str | int | None) -> int | None:
    """Return the position of the column with the texts, counted from 0; None if there is none."""
    names = delimited.names(head)
    if isinstance(column, int):
        return column - 1 if column <= len(names) else None
    if column is not None or names.count(TEXT) == 1:
        name = column or TEXT
        return names.index(name) if names.count(name) == 1 else None
    called = [place for place, name in enumerate(names) if tables.is_name_of_text(name)]
    return called[0] if len(called) == 1 else None


def _is_data(head: Sequence[Any], place: int, column: str | int | None) -> bool:
    """Say whether a first row is no header, which calls its texts so, or as one was told."""
    return not isinstance(column, str) and not tables.is_name_of_text(head[place])


def _items(rows: Iterator[Row], found: Content, width: int, place: int) -> Iterator[Item]:
    for row in rows:
        if row.cells is None:  # of a broken quote nobody knows the cells
            yield Item([row.raw.rstrip("\r\n"), *[""] * (width - 1)], "", row.fault)
            continue
        cells = [*row.cells, *[""] * (width - len(row.cells))]
        if len(cells) > width:  # an unquoted delimiter: nothing gets lost, and the answers fit
            rest = found.delimiter.join(map(str, cells[width - 1 :]))
            cells = [*cells[: width - 1], rest]
        fault = None if row.fault == OTHER_WIDTH else row.fault
        yield _item(cells, cells[place], fault)


def _item(cells: Cells, text: Any, fault: str | None) -> Item:
    told = text if isinstance(text, str) else "" if text is None else str(text)
    if isinstance(text, list | dict):
        told = ""
    if fault is None and (forbidden := encodings.FORBIDDEN.search(told)):
        fault = NUL if forbidden[0] == "\0" else UNDECODABLE
    return Item(cells, told, fault)


def _objects(rows: Iterator[Row], reading: Reading, source: Path) -> Table:
    """Return objects as a table whose columns are the keys of the first of them."""
    column = reading.column
    first = list(islice(rows, ROWS_AT_ONCE))
    head = list(dict.fromkeys(str(key) for row in first for key in row.cells or {}))
    place = None if isinstance(column, int) else _place(head, column)
    if place is None:
        raise ReproError(
            f"{source}: line {first[0].line if first else 1}: expected an object with the key "
            f"{column or TEXT!r} (--text-column)"
        )
    _check_free(head, reading.answers, source)
    key = head[place]

    def items() -> Iterator[Item]:
        for row in chain(first, rows):
            if row.cells is None:
                yield Item({formats.UNREAD: row.raw.rstrip("\r\n")}, "", row.fault)
            else:
                cells = {str(name): value for name, value in row.cells.items()}
                yield _item(cells, cells.get(key), None)

    return Table(head, items(), ",", ".jsonl")


def _check_free(columns: Sequence[str], answers: Sequence[str], source: Path) -> None:
    """Refuse a table of which an answer would take the place of a column."""
    if taken := [name for name in answers if name in columns]:
        raise ReproError(
            f"{source}: has a column {taken[0]!r} already; expected none, since the answers get it"
        )
