"""Reviews in the rows of a table, whatever file it stands in, and what is wrong with them."""

import difflib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.datasets import containers, delimited, encodings, objects, workbooks
from keras_repro.datasets.containers import Opened
from keras_repro.datasets.delimited import Row, has, names
from keras_repro.datasets.ratings import Grade
from keras_repro.text.terms import NO_NUMBER, UNKNOWN_LABEL

if TYPE_CHECKING:
    import pyarrow as pa

# Characters of a header that a message shows.
SHOWN = 200
# Objects that show which keys there are.
FIRST_OBJECTS = 1000
# The columns of a text with a review a line.
LINES = ("text",)
# Formats whose bytes are no text.
BINARY = (".parquet", ".xlsx", ".xls")
# How people call a column of texts; a first row with one of these is a header.
TEXTS = frozenset(
    "text review reviews comment comments content sentence body review_body reviewtext "  # noqa: SIM905
    "评论 评论内容 评论文本 内容 文本 正文 评价 评价内容 点评 留言 句子 短评 評論 內容 評價".split()
)


class Columns(NamedTuple):
    """Where a table has its texts and what it says of them: names, or numbers counted from 1.

    Attributes:
        text: the column of the texts; None: the only one, or one that is called so.
        grade: the column of the ratings or labels; None: the name of the file says it.
        read: turns a cell of the latter, or None, into a rating or a fault. Where columns have
            numbers, the first row of a table is its header if this finds no rating there.
        sheet: of a workbook: its name or number.

    """

    text: str | int | None
    grade: str | int | None
    read: Callable[[Any], Grade]
    sheet: str | int = 1


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


class Content(NamedTuple):
    """All that a table has.

    Attributes:
        head: the cells of its first row, or the names of its columns; None: its rows are objects.
        rows: all of them.
        has_head: whether `head` is the first of `rows`, too.
        delimiter: of a delimited text.

    """

    head: Sequence[Any] | None
    rows: Iterator[Row]
    has_head: bool = True
    delimiter: str = ","


def content(  # noqa: PLR0911 - one per format
    opened: Opened,
    encoding: str,
    sheet: str | int = 1,
    wanted: Sequence[str | int] = (),
    score: Callable[[Sequence[Any]], int] = lambda _: 0,
) -> Content | None:
    """Return the table of a file, None if it has no row.

    Args:
        opened: .csv, .tsv, .txt, .json, .jsonl, .parquet, .xls or .xlsx.
        encoding: of a text.
        sheet: of a workbook: its name or number.
        wanted: columns that decide what separates the cells of a text.
        score: of a first row, which decides likewise.

    Raises:
        ReproError: the file is of another format, or damaged.

    """
    match opened.format:
        case ".csv" | ".tsv" as suffix:
            lines = encodings.lines(opened.stream, encoding)
            found = delimited.delimited(suffix, lines, wanted, score)
            if found and len(found.head) > delimited.MOST_COLUMNS:
                raise ReproError(
                    f"{opened.name}: {len(found.head):,} columns; expected at most "
                    f"{delimited.MOST_COLUMNS:,}"
                )
            return found and Content(found.head, found.rows, delimiter=found.delimiter)
        case ".txt":
            return Content(LINES, _lines(opened, encoding), has_head=False)
        case ".jsonl":
            return Content(None, objects.objects(encodings.lines(opened.stream, encoding)))
        case ".json":
            lines = encodings.lines(opened.stream, encoding)
            return Content(None, objects.array(opened.name, lines))
        case ".parquet":
            return _parquet(opened, wanted)
        case ".xlsx":
            return _with_head(workbooks.xlsx(opened, sheet))
        case ".xls":
            return _with_head(workbooks.xls(opened, sheet))
        case suffix:
            raise ReproError(
                f"{opened.name}: ends in {suffix or 'no suffix'}; expected .csv, .tsv, .txt, "
                ".json, .jsonl, .parquet, .xls or .xlsx, plain or with .gz or .zip behind it"
            )


def is_text(opened: Opened) -> bool:
    """Say whether a file has an encoding."""
    return opened.format not in BINARY


def encoding_of(path: str, encoding: str) -> str:
    """Return the encoding of a file, `auto` as the one that is found; utf-8 of what is no text.

    Raises:
        ReproError: it may be one or another, or the file cannot be read.

    """
    with containers.opened(path) as opened:
        if not is_text(opened):
            return "utf-8"
        if encoding == "auto":
            return encodings.of_stream(opened.stream, opened.name)
    return encoding


def read(opened: Opened, columns: Columns, encoding: str) -> Iterator[Record]:
    """Yield the rows of a table; blank lines are none.

    Raises:
        ReproError: the file is of another format, or has no such columns.

    """
    wanted = [column for column in (columns.text, columns.grade) if column is not None]
    found = content(opened, encoding, columns.sheet, wanted, lambda head: _score(head, columns))
    if found is None:
        return
    if found.head is None:
        yield from _of_objects(opened, columns, found.rows)
        return
    if not found.has_head and opened.suffix == ".txt":
        columns = columns._replace(text=1, grade=None)
    text, grade = _positions(found.head, columns, opened)
    rows, width = found.rows, len(found.head)
    if found.has_head and not _is_data(found.head, columns):
        next(rows, None)
    for line, cells, raw, fault in rows:
        if fault:
            yield Record(line, None, None, raw, fault)
            continue
        if len(cells) < width:  # a sheet ends a row where its last filled cell is
            cells = [*cells, *[None] * (width - len(cells))]  # noqa: PLW2901
        yield Record(line, cells[text], None if grade is None else cells[grade], raw, None)


def _lines(opened: Opened, encoding: str) -> Iterator[Row]:
    for number, line in enumerate(encodings.lines(opened.stream, encoding), start=1):
        if line.strip():
            yield Row(number, [line.rstrip("\r\n")], line, None)


def _with_head(rows: Iterator[Row]) -> Content | None:
    first = next(rows, None)
    if first is None:
        return None

    def whole() -> Iterator[Row]:
        yield first
        yield from rows

    return Content(first.cells, whole())


def _of_objects(opened: Opened, columns: Columns, rows: Iterator[Row]) -> Iterator[Record]:
    text, grade = columns.text, columns.grade
    if isinstance(text, int) or isinstance(grade, int):
        raise ReproError(f"{opened.name}: found numbers for columns; expected the names of keys")
    first = list(islice(rows, FIRST_OBJECTS))
    keys = list(dict.fromkeys(str(key) for row in first for key in row.cells or {}))
    if text is None:
        text = next(filter(is_name_of_text, keys), "text")
    for key in (text, grade):
        if key is not None and keys and key not in keys:
            raise ReproError(
                f"{opened.name}: expected objects with the key {key!r}, found the keys "
                f"{_shown(keys)}{nearest(key, keys)}"
            )
    for line, cells, raw, fault in chain(first, rows):
        row = cells or {}
        yield Record(line, row.get(text), None if grade is None else row.get(grade), raw, fault)


def is_name_of_text(name: Any) -> bool:
    """Say whether people call a column of texts so."""
    return str(name).strip().lower() in TEXTS


def _positions(head: Sequence[Any], columns: Columns, opened: Opened) -> tuple[int, int | None]:
    """Return the positions of text and grade, counted from 0."""
    if columns.grade is None and len(head) == 1:
        return 0, None  # of one column the name does not matter
    text = _position_of_text(head, columns, opened)
    return text, None if columns.grade is None else _position(head, columns.grade, opened)


def _position_of_text(head: Sequence[Any], columns: Columns, opened: Opened) -> int:
    if columns.text is not None:
        return _position(head, columns.text, opened)
    called = [place for place, name in enumerate(names(head)) if is_name_of_text(name)]
    if len(called) != 1:
        raise ReproError(
            f"{opened.name}: expected the column of the text as reviews.text, found {len(head)}: "
            f"{_shown(names(head))}"
        )
    return called[0]


def _position(head: Sequence[Any], column: str | int, opened: Opened) -> int:
    called = names(head)
    if has(head, column):
        return column - 1 if isinstance(column, int) else called.index(column)
    found = f"{len(called)}: {_shown(called)}"
    if isinstance(column, int):
        raise ReproError(f"{opened.name}: expected a column {column}, found {found}")
    raise ReproError(
        f"{opened.name}: expected one column {column!r}, found {called.count(column) or 'none'} "
        f"among {found}{nearest(column, called)}"
    )


def nearest(name: str, known: Sequence[str]) -> str:
    """Return the end of a message that suggests what was meant, empty if nothing is near.

    >>> nearest("评分:", ["text", "评分："])
    "; did you mean '评分：'?"
    """
    folded = {unicodedata.normalize("NFKC", each).casefold().strip(): each for each in known}
    word = unicodedata.normalize("NFKC", name).casefold().strip()
    near = difflib.get_close_matches(word, folded, 1)
    return f"; did you mean {folded[near[0]]!r}?" if near and folded[near[0]] != name else ""


def _shown(columns: Sequence[str]) -> str:
    """Return names for a message; what is no table may have long and strange ones."""
    text = ", ".join(columns)
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:SHOWN])
    return shown + " …" * (len(text) > SHOWN)


def _is_data(head: Sequence[Any], columns: Columns, *, certainly: bool = False) -> bool:
    """Say whether the first row is no header: names need one, numbers do not.

    A header has a word where its column has ratings; a cell that is empty or out of range is data.
    Where the file's name says what its texts are worth, a header calls them a text.
    """
    if columns.grade is None:
        if isinstance(columns.text, str) and has(head, columns.text):
            return False
        place = columns.text - 1 if isinstance(columns.text, int) else 0
        named = len(head) > 1 and columns.text is None
        return not named and not is_name_of_text(head[place])
    if not isinstance(columns.text, int) or isinstance(columns.grade, str):
        return False
    grade = columns.read(head[columns.grade - 1])
    return isinstance(grade, int) or not (certainly or grade in (NO_NUMBER, UNKNOWN_LABEL))


def _score(head: Sequence[Any], columns: Columns) -> int:
    """Say how surely a first row was cut at the right separator."""
    if not all(has(head, column) for column in (columns.text, columns.grade) if column):
        return 0
    if columns.grade is None and len(head) > 1 and any(map(is_name_of_text, names(head))):
        return 2
    return _is_data(head, columns, certainly=True)


def _parquet(opened: Opened, wanted: Sequence[str | int]) -> Content:
    """Return the columns that are wanted, or all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(opened.stream, pre_buffer=False)
    except pa.ArrowException as error:
        raise ReproError(f"{opened.name}: no whole Parquet file ({error})") from None
    head = file.schema_arrow.names
    places = [_position(head, column, opened) for column in wanted] or list(range(len(head)))
    # Of columns that share a name, Arrow reads none by it.
    unique = all(head.count(head[place]) == 1 for place in places)
    chosen = [head[place] for place in places] if unique and wanted else None

    def rows() -> Iterator[Row]:
        number = 0
        try:
            for batch in file.iter_batches(files.ROWS_PER_BATCH, columns=chosen):
                columns: list[Iterable[Any]] = [repeat(None)] * len(head)
                for place in places:
                    columns[place] = _cells(batch.column(head[place] if unique else place))
                for cells in zip(*columns, strict=False):
                    number += 1
                    told = workbooks.as_line([cells[place] for place in places])
                    yield Row(number, cells, told, None)
        except pa.ArrowException as error:
            raise ReproError(f"{opened.name}: no whole Parquet file ({error})") from None

    return Content(head, rows(), has_head=False)


def _cells(column: "pa.Array") -> list[Any]:
    """Return the values of a column, of which bytes are meant to be UTF-8."""
    import pyarrow as pa

    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = column.cast(pa.large_binary())  # not every writer saw to it that they are
    return [
        value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
        for value in column.to_pylist()
    ]
