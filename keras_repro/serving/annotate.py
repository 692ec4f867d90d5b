"""A file of texts with a verdict behind each row, in constant memory."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO, cast

from tqdm import tqdm

from keras_repro.bundles.sentiment import Sentiment
from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.datasets import containers, encodings, tables
from keras_repro.text.schemas import NO_TEXT, TOO_LONG

# Rows that are answered at once: enough for batches of similar length.
ROWS_AT_ONCE = 4096
ANSWERS = ("label", "probability", "reason")
# Cells longer than Python's csv takes by itself; a review may have 10,000 characters, a row more.
LONGEST_CELL = 1 << 24


class Summary(NamedTuple):
    """What became of a file.

    Attributes:
        rows: how many it has.
        unanswered: those among them with a text that is empty or too long.

    """

    rows: int
    unanswered: int


class Item(NamedTuple):
    """A row that is answered.

    Attributes:
        cells: all of them, or the object of a line of JSON.
        text: what is judged; empty if there is none.

    """

    cells: list[str] | dict[str, object]
    text: str


class Table(NamedTuple):
    """A table that is read row by row.

    Attributes:
        items: of the table.
        write: returns what writes a row with its answers to a file.

    """

    items: Iterator[Item]
    write: Callable[[TextIO], Callable[[Item, str, str, str], None]]


def predict(
    model: Sentiment, source: Path, column: str, target: Path | None, encoding: str = "auto"
) -> Summary:
    """Write the rows of a file with a label, a probability and perhaps a reason behind each.

    The columns stay as they are. Where the text is empty or too long, the reason says so and the
    others are empty.

    Args:
        model: that answers.
        source: .csv, .tsv or .jsonl, plain or with .gz or .zip behind it.
        column: the name of the column with the texts.
        target: what to write, in the format of the source; None: standard output.
        encoding: of the source; auto tells utf-8, utf-16 and gb18030 apart.

    Raises:
        ReproError: the file cannot be read, has no such column, or has one of an answer already.

    """
    if encoding == "auto":
        with containers.opened(str(source)) as opened:
            encoding = encodings.of_stream(opened.stream)
    with (
        _long_cells(),
        containers.opened(str(source)) as opened,
        tqdm(desc=opened.name, total=opened.size, unit="B", unit_scale=True, disable=None) as bar,
        _output(target) as file,
    ):
        table = _table(opened, column, encodings.lines(opened.stream, encoding), source)
        write = table.write(file)
        rows = unanswered = 0
        while chunk := list(islice(table.items, ROWS_AT_ONCE)):
            for item, answer in zip(chunk, _answers(model, chunk), strict=True):
                write(item, *answer)
                unanswered += not answer[0]
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


def _answers(model: Sentiment, items: list[Item]) -> Iterator[tuple[str, str, str]]:
    texts = [_cleared(model, item.text) for item in items]
    found = iter(model.answers([text for text in texts if text]) if any(texts) else ())
    for item, text in zip(items, texts, strict=True):
        if text:
            label, probability, reason = next(found)
            yield label, f"{probability:.6f}", reason or ""
        else:
            yield "", "", TOO_LONG if item.text.strip() else NO_TEXT


def _cleared(model: Sentiment, text: str) -> str | None:
    try:
        return model.cleared(text)
    except ReproError:
        return None


@contextmanager
def _output(target: Path | None) -> Iterator[TextIO]:
    if target is None:
        yield sys.stdout
        return
    try:
        with (
            files.replacing(target) as temporary,
            temporary.open("w", encoding="utf-8", newline="") as file,
        ):
            yield file
            file.flush()
    except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise ReproError(f"{target}: cannot be written ({error.strerror})") from None


def _table(opened: containers.Opened, column: str, lines: Iterator[str], source: Path) -> Table:
    readable = map(encodings.readable, lines)
    if opened.suffix in tables.DELIMITERS:
        return _delimited(opened.suffix, column, readable, source)
    if opened.suffix == ".jsonl":
        return Table(_objects(column, readable, source), _writes_objects)
    raise ReproError(
        f"{source}: ends in {opened.suffix or 'no suffix'}; expected .csv, .tsv or .jsonl, plain "
        "or with .gz or .zip behind it"
    )


def _delimited(suffix: str, column: str, lines: Iterator[str], source: Path) -> Table:
    found = tables.delimited(suffix, lines, [column], lambda _: False)
    head = found.head if found else []
    if found is None or head.count(column) != 1:
        raise ReproError(
            f"{source}: the columns are {', '.join(head) or '(none)'}; expected one of them to be "
            f"{column!r} (--text-column)"
        )
    _check_free(head, source)
    place, rows = head.index(column), found.rows
    next(rows, None)  # the head

    def items() -> Iterator[Item]:
        for _, cells, raw, _ in rows:
            # A row that ends early has an empty text; one that goes on keeps all it has. Of a line
            # with a broken quote nobody knows the cells.
            broken = cells is None
            whole = [raw.rstrip("\r\n")] if broken else cells
            whole = whole + [""] * (len(head) - len(whole))
            yield Item(whole, "" if broken else whole[place])

    def write(file: TextIO) -> Callable[[Item, str, str, str], None]:
        writer = csv.writer(file, delimiter=found.delimiter, lineterminator="\n")
        writer.writerow([*head, *ANSWERS])
        return lambda item, *answers: writer.writerow([*item.cells, *answers])

    return Table(items(), write)


def _objects(column: str, lines: Iterable[str], source: Path) -> Iterator[Item]:
    for number, found, _, fault in tables.objects(lines):
        if fault or column not in found:
            raise ReproError(
                f"{source}: line {number}: expected an object with the key {column!r} "
                "(--text-column)"
            )
        _check_free(found, source)
        text = found[column]
        yield Item(found, text if isinstance(text, str) else "")


def _writes_objects(file: TextIO) -> Callable[[Item, str, str, str], None]:
    def write(item: Item, label: str, probability: str, reason: str) -> None:
        answers = (label or None, float(probability) if probability else None, reason or None)
        content = {
            **cast(dict[str, object], item.cells),
            **dict(zip(ANSWERS, answers, strict=True)),
        }
        file.write(json.dumps(content, ensure_ascii=False) + "\n")

    return write


def _check_free(columns: Iterable[str], source: Path) -> None:
    """Refuse a table of which an answer would take the place of a column."""
    if taken := [name for name in ANSWERS if name in columns]:
        raise ReproError(
            f"{source}: has a column {taken[0]!r} already; expected none, since the answers get it"
        )
