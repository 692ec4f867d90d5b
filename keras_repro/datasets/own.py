"""Reviews from a file of the user's own, or from any table that looks like one."""

import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from tqdm import tqdm

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Reviews
from keras_repro.datasets import containers, encodings, ratings, tables
from keras_repro.datasets.containers import Opened
from keras_repro.datasets.encodings import FORBIDDEN
from keras_repro.datasets.ratings import Grade
from keras_repro.datasets.tables import Columns, Record
from keras_repro.text import schemas
from keras_repro.text.normalisation import normalise
from keras_repro.text.schemas import NO_TEXT, NUL, RAW, UNDECODABLE


def parse(source: str, settings: Reviews) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the file that the section `reviews` of params.yaml describes.

    Args:
        source: `file` or `segmented`.
        settings: that section.

    Raises:
        ReproError: the file is missing, of an unknown format, damaged, or has no such columns.

    """
    if settings.path is None:
        raise ReproError(f"{paths.PARAMS}: reviews.path is null; expected a file")
    by_rating = ratings.by_rating(settings.rating_scale)
    if source == schemas.SEGMENTED_SOURCE:
        return _segmented(str(settings.path), by_rating, settings.encoding)
    text, rating, label = settings.text, settings.rating, settings.label
    if text is not None and rating is not None:
        columns = Columns(text, rating, by_rating)
    elif text is not None and label is not None:
        columns = Columns(text, label, ratings.by_label())
    else:
        raise ReproError(f"{paths.PARAMS}: reviews.text or its rating is null; expected columns")
    return table(str(settings.path), source, columns, settings.encoding)


def labelled(path: Path, source: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a corpus that is published with the columns `label` and `review`."""
    return table(str(path), source, Columns("review", "label", ratings.by_label()))


def table(
    path: str, source: str, columns: Columns, encoding: str = "auto"
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a table as rows of `schemas.RAW`.

    Args:
        path: of the file, or its address in an object store.
        source: the name that its reviews bear.
        columns: of the texts and the ratings.
        encoding: of the file, or `auto`.

    """
    with containers.opened(path) as opened:
        if encoding == "auto" and tables.is_text(opened):
            encoding = encodings.of_stream(opened.stream)
    with containers.opened(path) as opened:
        records = tables.read(opened, columns, encoding)
        yield from _batches(opened, records, source, columns.read)


def _segmented(path: str, grade: Callable[[Any], Grade], encoding: str) -> Iterator[pa.RecordBatch]:
    """Yield the lines of a file in the tutorial's own format: a rating, then words, and blanks."""
    if encoding == "auto":
        with containers.opened(path) as opened:
            encoding = encodings.of_stream(opened.stream)
    with containers.opened(path) as opened:
        lines = encodings.lines(opened.stream, encoding)
        yield from _batches(opened, _split(lines), schemas.SEGMENTED_SOURCE, grade)


def _split(lines: Iterator[str]) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        if fields := line.split():
            yield Record(number, " ".join(fields[1:]), fields[0], line, None)


def _batches(
    opened: Opened, records: Iterator[Record], source: str, grade: Callable[[Any], Grade]
) -> Iterator[pa.RecordBatch]:
    with tqdm(desc=opened.name, total=opened.size, unit="B", unit_scale=True) as bar:
        while rows := [_row(record, grade) for record in islice(records, files.ROWS_PER_BATCH)]:
            found, texts, lines, faults = zip(*rows, strict=True)
            content = {
                "rating": found,
                "text": texts,
                "source": [source] * len(rows),
                "line": lines,
                "fault": faults,
            }
            yield pa.RecordBatch.from_pydict(content, schema=RAW)
            bar.update(opened.position() - bar.n)


def _row(record: Record, read: Callable[[Any], Grade]) -> tuple[int | None, str, int, str | None]:
    """Return the rating, the text, the line and the fault of a row."""
    text = _text(record.text)
    fault = record.fault
    rating = None
    if forbidden := FORBIDDEN.search(record.raw) or FORBIDDEN.search(text):
        fault = NUL if forbidden[0] == "\0" else UNDECODABLE
    elif fault is None and not normalise(text, None):
        fault = NO_TEXT
    elif fault is None:
        grade = read(record.grade)
        if isinstance(grade, int):
            rating = grade
        else:
            fault = grade
    if fault is not None:
        return None, encodings.readable(record.raw).rstrip("\r\n"), record.line, fault
    return rating, text, record.line, None


def _text(cell: Any) -> str:
    """Return a cell as text; empty and nested ones hold none."""
    if isinstance(cell, str):
        return cell
    if (
        cell is None
        or isinstance(cell, list | dict)
        or (isinstance(cell, float) and math.isnan(cell))
    ):
        return ""
    return str(cell)
