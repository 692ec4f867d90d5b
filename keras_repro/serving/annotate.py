"""A file of texts with a verdict behind each row, in constant memory."""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from keras_repro.bundles.sentiment import Sentiment
from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.datasets import containers, delimited, encodings, tables
from keras_repro.datasets.delimited import Row
from keras_repro.datasets.tables import Content
from keras_repro.serving import formats
from keras_repro.serving.formats import ANSWERS, Cells, Write
from keras_repro.text.schemas import NO_TEXT, NUL, OTHER_WIDTH, TOO_LONG, UNDECODABLE

# Rows that are answered at once: enough for batches of similar length.
ROWS_AT_ONCE = 4096
# Cells longer than Python's csv takes by itself; a review may have 10,000 characters, a row more.
LONGEST_CELL = 1 << 24
# The column with the texts, unless told.
TEXT = "text"
# For the encoding of the answers: that of the file.
SAME = "same"


class Summary(NamedTuple):
    """What became of a file.

    Attributes:
        rows: how many it has.
        unanswered: those among them with no text that can be judged.

    """

    rows: int
    unanswered: int


class Reading(NamedTuple):
    """How a file is read and its answers are written.

    Attributes:
        column: with the texts, its name or number; None: `text`, one called so, or the only one.
        encoding: of the file; `auto` finds it.
        sheet: of a workbook: its name or number.
        written: the encoding of the answers; `same` is that of the file.

    """

    column: str | int | None = None
    encoding: str = "auto"
    sheet: str | int = 1
    written: str = "utf-8"


DEFAULT = Reading()


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

    """

    head: list[str]
    items: Iterator[Item]
    delimiter: str
    form: str


def predict(
    model: Sentiment, source: Path, target: Path | None, reading: Reading = DEFAULT
) -> Summary:
    """Write the rows of a file with a label, a probability and perhaps a reason behind each.

    The columns stay as they are. Where there is no text, or none that can be judged, the reason
    says why and the others are empty.

    Args:
        model: that answers.
        source: a file of any format that `reviews.path` may have.
        target: what to write: its suffix tells the format, else that of the source does; None:
            standard output.
        reading: how.

    Raises:
        ReproError: the file cannot be read, has no such column, or has one of an answer already.

    """
    encoding = reading.encoding
    with containers.opened(str(source)) as opened:
        if not tables.is_text(opened):
            encoding = "utf-8"
        elif encoding == "auto":
            encoding = encodings.of_stream(opened.stream, source.name)
    written = encoding.partition(encodings.MIXED)[0] if reading.written == SAME else reading.written
    try:
        "".encode(written)
    except LookupError as error:
        raise ReproError(f"--output-encoding: {error}; expected such as utf-8-sig") from None
    with (
        _long_cells(),
        containers.opened(str(source)) as opened,
        tqdm(desc=opened.name, total=opened.size, unit="B", unit_scale=True, disable=None) as bar,
    ):
        table = _table(opened, reading, encoding, source)
        with _output(target, table, written) as write:
            rows = unanswered = 0
            while chunk := list(islice(table.items, ROWS_AT_ONCE)):
                for item, answer in zip(chunk, _answers(model, chunk), strict=True):
                    write(_readable(item.cells), answer)
                    unanswered += answer[0] is None
                rows += len(chunk)
                bar.update(opened.position() - bar.n)
    return Summary(rows, unanswered)


@contextmanager
def _long_cells() -> Iterator[None]:
    before = csv.field_size_limit(LONGEST_CELL)  # of the whole process
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _answers(
    model: Sentiment, items: list[Item]
) -> Iterator[tuple[str | None, float | None, str | None]]:
    texts = [None if item.fault else _cleared(model, item.text) for item in items]
    found = iter(model.answers([text for text in texts if text]) if any(texts) else ())
    for item, text in zip(items, texts, strict=True):
        if text:
            label, probability, reason = next(found)
            yield label, round(probability, files.DECIMALS), reason
        else:
            yield None, None, item.fault or (TOO_LONG if item.text.strip() else NO_TEXT)


def _cleared(model: Sentiment, text: str) -> str | None:
    try:
        return model.cleared(text)
    except ReproError:
        return None


def _readable(cell: Any) -> Any:
    """Return a cell of which every character can be written."""
    if isinstance(cell, str):
        return encodings.readable(cell)
    if isinstance(cell, list):
        return [_readable(each) for each in cell]
    if isinstance(cell, dict):
        return {_readable(key): _readable(each) for key, each in cell.items()}
    return cell


@contextmanager
def _output(target: Path | None, table: Table, encoding: str) -> Iterator[Write]:
    if target is None:
        with formats.TEXTS[table.form](sys.stdout, table.head, table.delimiter) as write:
            yield write
        return
    suffix = target.suffix.lower()
    form = suffix if suffix in formats.TEXTS | formats.BINARIES else table.form
    delimiter = table.delimiter if form == table.form else "\t" if form == ".tsv" else ","
    try:
        with files.replacing(target) as temporary:
            if form in formats.BINARIES:
                with formats.BINARIES[form](temporary, table.head) as write:
                    yield write
                return
            with (
                temporary.open(
                    "w", encoding=encoding, errors="backslashreplace", newline=""
                ) as file,
                formats.TEXTS[form](file, table.head, delimiter) as write,
            ):
                yield write
    except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise ReproError(f"{target}: cannot be written ({error.strerror})") from None


def _table(opened: containers.Opened, reading: Reading, encoding: str, source: Path) -> Table:
    column = reading.column
    wanted = [] if column is None else [column]
    suffix = opened.format
    found = tables.content(
        opened, encoding, reading.sheet, () if suffix == ".parquet" else wanted,
        lambda head: _place(head, column) is not None,
    )  # fmt: skip
    if found is not None and found.head is None:
        return _objects(found.rows, column, source)
    head = list(found.head or []) if found else []
    place = _place(head, column)
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
    _check_free(names, source)
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
    return isinstance(column, int) and not tables.is_name_of_text(head[place])


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


def _objects(rows: Iterator[Row], column: str | int | None, source: Path) -> Table:
    """Return objects as a table whose columns are the keys of the first of them."""
    first = list(islice(rows, ROWS_AT_ONCE))
    head = list(dict.fromkeys(str(key) for row in first for key in row.cells or {}))
    place = None if isinstance(column, int) else _place(head, column)
    if place is None:
        raise ReproError(
            f"{source}: line {first[0].line if first else 1}: expected an object with the key "
            f"{column or TEXT!r} (--text-column)"
        )
    _check_free(head, source)
    key = head[place]

    def items() -> Iterator[Item]:
        for row in chain(first, rows):
            if row.cells is None:
                yield Item({formats.UNREAD: row.raw.rstrip("\r\n")}, "", row.fault)
            else:
                cells = {str(name): value for name, value in row.cells.items()}
                yield _item(cells, cells.get(key), None)

    return Table(head, items(), ",", ".jsonl")


def _check_free(columns: Sequence[str], source: Path) -> None:
    """Refuse a table of which an answer would take the place of a column."""
    if taken := [name for name in ANSWERS if name in columns]:
        raise ReproError(
            f"{source}: has a column {taken[0]!r} already; expected none, since the answers get it"
        )
