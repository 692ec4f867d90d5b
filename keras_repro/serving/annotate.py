"""A file of texts with a verdict behind each row, in constant memory."""

import csv
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from keras_repro.bundles import explanation
from keras_repro.bundles.sentiment import Sentiment
from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.datasets import encodings
from keras_repro.serving import formats, rows
from keras_repro.serving.formats import Write
from keras_repro.serving.rows import ROWS_AT_ONCE, Item, Reading, Table
from keras_repro.text.terms import NO_TEXT, TOO_LONG

# Cells longer than Python's csv takes by itself; a review may have 10,000 characters, a row more.
LONGEST_CELL = 1 << 24
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


DEFAULT = Reading()


def predict(
    model: Sentiment, source: Path, target: Path | None, reading: Reading = DEFAULT
) -> Summary:
    """Write the rows of a file with a label, a probability and perhaps a reason behind each.

    Of more than two classes the probability of each follows. The columns of the file stay as they
    are. Where there is no text, or none that can be judged, the reason says why and the others are
    empty.

    Args:
        model: that answers.
        source: a file of any format that `reviews.path` may have, or a folder of texts.
        target: what to write: its suffix tells the format, else that of the source does; None:
            standard output.
        reading: how.

    Raises:
        ReproError: the file cannot be read, has no such column, or has one of an answer already.

    """
    further = explanation.columns(model.labels)
    with _long_cells(), rows.opened(source, reading._replace(answers=further)) as table:
        written = table.encoding if reading.written == SAME else reading.written
        try:
            "".encode(written)
        except LookupError as error:
            raise ReproError(f"--output-encoding: {error}; expected such as utf-8-sig") from None
        count = unanswered = 0
        with (
            tqdm(
                desc=source.name, total=table.size, unit="B", unit_scale=True, disable=None
            ) as bar,
            _output(target, table, further, written) as write,
        ):
            while chunk := list(islice(table.items, ROWS_AT_ONCE)):
                for item, answer in zip(chunk, _answers(model, chunk, further), strict=True):
                    write(_readable(item.cells), answer)
                    unanswered += answer[0] is None
                count += len(chunk)
                bar.update(table.position() - bar.n)
    return Summary(count, unanswered)


@contextmanager
def _long_cells() -> Iterator[None]:
    before = csv.field_size_limit(LONGEST_CELL)  # of the whole process
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _answers(
    model: Sentiment, items: list[Item], columns: Sequence[str]
) -> Iterator[tuple[str | float | None, ...]]:
    texts = [None if item.fault else _cleared(model, item.text) for item in items]
    found = iter(model.answers([text for text in texts if text]) if any(texts) else ())
    for item, text in zip(items, texts, strict=True):
        if text:
            cells = explanation.values(next(found))
            yield tuple(round(c, files.DECIMALS) if isinstance(c, float) else c for c in cells)
        else:
            fault = item.fault or (TOO_LONG if item.text.strip() else NO_TEXT)
            yield tuple(fault if name == "reason" else None for name in columns)


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
def _output(
    target: Path | None, table: Table, further: Sequence[str], encoding: str
) -> Iterator[Write]:
    if target is None:
        with formats.TEXTS[table.form](sys.stdout, table.head, further, table.delimiter) as write:
            yield write
        return
    suffix = target.suffix.lower()
    form = suffix if suffix in formats.TEXTS | formats.BINARIES else table.form
    delimiter = table.delimiter if form == table.form else "\t" if form == ".tsv" else ","
    try:
        with files.replacing(target) as temporary:
            if form in formats.BINARIES:
                with formats.BINARIES[form](temporary, table.head, further) as write:
                    yield write
                return
            with (
                temporary.open(
                    "w", encoding=encoding, errors="backslashreplace", newline=""
                ) as file,
                formats.TEXTS[form](file, table.head, further, delimiter) as write,
            ):
                yield write
    except (PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise ReproError(f"{target}: cannot be written ({error.strerror})") from None
