"""The sentiment of a whole file of texts, row by row, in constant memory."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO, cast

from tqdm import tqdm

from stages import ReproError, files
from stages.datasets import containers, encodings
from stages.serving.sentiment import Sentiment

DELIMITERS = {".csv": ",;\t|", ".tsv": "\t"}
# Rows that are answered at once: enough for batches of similar length.
ROWS_AT_ONCE = 4096
ANSWERS = ("label", "probability")
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


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        cells: all of them, or the object of a line of JSON.
        text: what is judged.

    """

    cells: list[str] | dict[str, object]
    text: str


class Table(NamedTuple):
    """A table that is read row by row.

    Attributes:
        rows: of the table.
        write: returns what writes a row with its answers to a file.

    """

    rows: Iterator[Row]
    write: Callable[[TextIO], Callable[[Row, str, str], None]]


def predict(
    model: Sentiment, source: Path, column: str, target: Path | None, encoding: str = "auto"
) -> Summary:
    """Write the rows of a file with a label and a probability behind each.

    The columns stay as they are; both answers are empty where the text is empty or too long.

    Args:
        model: that answers.
        source: .csv, .tsv or .jsonl, plain or with .gz or .zip behind it.
        column: the name of the column with the texts.
        target: what to write, in the format of the source; None: standard output.
        encoding: of the source; auto tells utf-8, utf-16 and gb18030 apart.

    Raises:
        ReproError: the file cannot be read, has no such column, or has one of an answer already.

    """
    csv.field_size_limit(LONGEST_CELL)
    if encoding == "auto":
        with containers.opened(str(source)) as opened:
            encoding = encodings.detect(opened.stream.read(encodings.SAMPLE_BYTES))
    with (
        containers.opened(str(source)) as opened,
        tqdm(desc=opened.name, total=opened.size, unit="B", unit_scale=True, disable=None) as bar,
        _output(target) as file,
    ):
        table = _table(opened, column, encodings.lines(opened.stream, encoding), source)
        write = table.write(file)
        rows = unanswered = 0
        while chunk := list(islice(table.rows, ROWS_AT_ONCE)):
            for row, answer in zip(chunk, _answers(model, chunk), strict=True):
                write(row, *answer)
                unanswered += not answer[0]
            rows += len(chunk)
            bar.update(opened.position() - bar.n)
    return Summary(rows, unanswered)


def _answers(model: Sentiment, rows: list[Row]) -> Iterator[tuple[str, str]]:
    texts = [_cleared(model, row.text) for row in rows]
    found = iter(model.probabilities([text for text in texts if text]) if any(texts) else ())
    for text in texts:
        if text:
            probability = float(next(found))
            yield model.label(probability), f"{probability:.6f}"
        else:
            yield "", ""


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
    if opened.suffix in DELIMITERS:
        return _delimited(opened.suffix, column, readable, source)
    if opened.suffix == ".jsonl":
        return Table(_objects(column, readable, source), _writes_objects)
    raise ReproError(
        f"{source}: ends in {opened.suffix or 'no suffix'}; expected .csv, .tsv or .jsonl, plain "
        "or with .gz or .zip behind it"
    )


def _delimited(suffix: str, column: str, lines: Iterator[str], source: Path) -> Table:
    first = next(lines, "")
    heads = {d: next(csv.reader([first], delimiter=d), []) for d in DELIMITERS[suffix]}
    delimiter, head = next(
        ((d, head) for d, head in heads.items() if column in head), next(iter(heads.items()))
    )
    if head.count(column) != 1:
        raise ReproError(
            f"{source}: the columns are {', '.join(head) or '(none)'}; expected one of them to be "
            f"{column!r} (--text-column)"
        )
    _check_free(head, source)
    place = head.index(column)

    def rows() -> Iterator[Row]:
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            for cells in filter(None, reader):
                # A row that ends early has an empty text; one that goes on keeps all it has.
                whole = cells + [""] * (len(head) - len(cells))
                yield Row(whole, whole[place])
        except csv.Error as error:
            raise ReproError(f"{source}: line {reader.line_num + 1}: {error}") from None

    def write(file: TextIO) -> Callable[[Row, str, str], None]:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow([*head, *ANSWERS])
        return lambda row, *answers: writer.writerow([*row.cells, *answers])

    return Table(rows(), write)


def _objects(column: str, lines: Iterable[str], source: Path) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            raise ReproError(f"{source}: line {number}: no JSON ({error})") from None
        if not isinstance(found, dict) or column not in found:
            raise ReproError(
                f"{source}: line {number}: expected an object with the key {column!r} "
                "(--text-column)"
            )
        _check_free(found, source)
        text = found[column]
        yield Row(found, text if isinstance(text, str) else "")


def _writes_objects(file: TextIO) -> Callable[[Row, str, str], None]:
    def write(row: Row, label: str, probability: str) -> None:
        answers = (label or None, float(probability) if probability else None)
        content = {**cast(dict[str, object], row.cells), **dict(zip(ANSWERS, answers, strict=True))}
        file.write(json.dumps(content, ensure_ascii=False) + "\n")

    return write


def _check_free(columns: Iterable[str], source: Path) -> None:
    """Refuse a table of which an answer would take the place of a column."""
    if taken := [name for name in ANSWERS if name in columns]:
        raise ReproError(
            f"{source}: has a column {taken[0]!r} already; expected none, since the answers get it"
        )
