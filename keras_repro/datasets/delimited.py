"""Rows of a delimited text, such as a .csv, with what is wrong with them."""

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from keras_repro.text.terms import BROKEN_QUOTE, OTHER_WIDTH, TOO_LONG

# What separates the columns; of a `.csv` the first under which the wanted columns are there.
DELIMITERS = {".csv": ",;\t|", ".tsv": "\t"}
# Characters of a row of several lines; more means a quote that never closes.
LONGEST_ROW = 1 << 15
# Characters that are read twice because of such quotes, after which no row may have several lines:
# a file with one in each line would be read as often as it has lines.
MOST_REPEATED = 1 << 26
MOST_COLUMNS = 1 << 14  # as Excel


class _Lines:
    """Lines of which some may be taken back, and which tells those that a row took."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self._repeated = 0
        self._length = 0
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        if not self.taken:
            self._length = 0
        self._length += len(line)
        if self.taken and (self._length > LONGEST_ROW or self._repeated > MOST_REPEATED):
            self._again.appendleft(line)
            raise csv.Error("a row of too many lines")
        self.taken.append(line)
        return line

    def take_back(self, start: int) -> None:
        """Give the lines that were taken from `start` on once more."""
        self._repeated += sum(map(len, self.taken[start:]))
        self._again.extendleft(reversed(self.taken[start:]))
        del self.taken[start:]


class Row(NamedTuple):
    """A row of any table.

    Attributes:
        line: where it starts, counted from 1.
        cells: all of them; of JSON, the object; None if they cannot be told.
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
    score: Callable[[list[str]], int],
) -> Delimited | None:
    """Return a delimited text, None if it has no row.

    Args:
        suffix: of its name, which tells what may separate the cells.
        lines: with their ends.
        wanted: columns; the separator under which the first row has them is taken.
        score: of the first row's cells; the best decides where several separators serve.

    """
    source = _Lines(lines)
    number = 0
    for line in source:
        if line.strip():
            break
        number += 1
        source.taken.clear()
    else:
        return None
    source.take_back(0)
    heads = {d: _first(source, d) for d in DELIMITERS[suffix]}
    fitting = {d: head for d, head in heads.items() if all(has(head, name) for name in wanted)}
    delimiter, head = max((fitting or heads).items(), key=lambda item: score(item[1]))
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


def has(head: Sequence[Any], column: str | int) -> bool:
    """Say whether a first row has a column, by its name or its number counted from 1."""
    if isinstance(column, int):
        return column <= len(head)
    return names(head).count(column) == 1


def names(head: Sequence[Any]) -> list[str]:
    """Return the cells of a first row as names of columns."""
    return ["" if cell is None else str(cell).strip("\ufeff \t\r\n") for cell in head]
