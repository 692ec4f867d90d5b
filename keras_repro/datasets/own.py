"""Reviews from a file of the user's own, or from any table that looks like one."""

import logging
import math
import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tqdm import tqdm

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Reviews, classes
from keras_repro.datasets import containers, encodings, ratings, sources, tables
from keras_repro.datasets.containers import Opened
from keras_repro.datasets.encodings import FORBIDDEN
from keras_repro.datasets.ratings import Grade
from keras_repro.datasets.sources import File
from keras_repro.datasets.tables import Columns, Record
from keras_repro.text import terms
from keras_repro.text.normalisation import normalise
from keras_repro.text.terms import NO_TEXT, NUL, UNDECODABLE

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

# Parts of a file's name that tell a label; others, such as `good`, may be of a title.
WORD = re.compile(r"[^\W\d_]+")
IN_NAMES = {"pos", "positive", "neg", "negative", "neu", "neutral", "好评", "差评", "中评"}
IN_NAMES |= {"正面", "负面", "积极", "消极", "正向", "负向"}
# Texts of folders that are read to find their encoding, and bytes of each.
MOST_SAMPLED, SAMPLED_BYTES = 500, 4096


class Labels(NamedTuple):
    """What labels mean.

    Attributes:
        read: turns one into a rating.
        in_names: those that may be a part of a file's name.
        examples: of what is understood, for messages.

    """

    read: Callable[[Any], Grade]
    in_names: AbstractSet[str]
    examples: str


# A rating, a text, a line and a fault.
Raw = tuple[int | None, str, int, str | None]


def parse(source: str, settings: Reviews) -> Iterator["pa.RecordBatch"]:
    """Yield the rows of the files that the section `reviews` of params.yaml describes.

    Args:
        source: `file` or `segmented`.
        settings: that section.

    Raises:
        ReproError: a file is missing, of an unknown format, damaged, or has no such columns; or
            nothing tells the label of its reviews.

    """
    if source == terms.SEGMENTED_SOURCE:
        labelled = isinstance(settings.classes, tuple)
        read = _labels(settings).read if labelled else ratings.by_rating(settings.rating_scale)
        yield from _segmented(str(settings.path), read, settings.encoding)
        return
    found, labels = sources.listed(settings), _labels(settings)
    whole = [file for file in found if _is_whole(file, labels)]
    for file in found:
        if not _is_whole(file, labels):
            columns = _columns(file, settings)
            told = file.path if len(found) > 1 else source
            yield from table(file.path, source, columns, settings.encoding, told)
    if whole:
        yield from _whole(whole, source, settings)


def _labels(settings: Reviews) -> Labels:
    if isinstance(settings.classes, tuple):
        names = settings.classes
        read = ratings.by_class(names, settings.labels)
        return Labels(read, set(map(classes.key, names)), ", ".join(names))
    read = ratings.with_words(ratings.by_label(), settings.labels)
    return Labels(read, IN_NAMES, "positive, negative, pos, neg, 1 or 0")


def _columns(file: File, settings: Reviews) -> Columns:
    """Say what a file has where: its own label goes before that of a column."""
    words, scale = settings.labels, settings.rating_scale
    labels = _labels(settings)
    if file.label is None and file.suffix != ".txt":
        if settings.rating is not None:
            by_rating = ratings.with_words(ratings.by_rating(scale), words, scale)
            return Columns(settings.text, settings.rating, by_rating, settings.sheet)
        if settings.label is not None:
            return Columns(settings.text, settings.label, labels.read, settings.sheet)
    grade = _grade(file, labels)
    return Columns(settings.text, None, lambda _: grade, settings.sheet)


def _grade(file: File, labels: Labels) -> int:
    """Return the rating that stands for the label of a file."""
    if file.label is not None:
        grade = labels.read(file.label)
        if isinstance(grade, int):
            return grade
        raise ReproError(
            f"{paths.PARAMS}: reviews.path has the label {file.label!r}; expected one such as "
            f"{labels.examples}, or its meaning in reviews.labels"
        )
    found = _told_by_name(file, labels)
    if found is None:
        raise ReproError(
            f"{file.path}: nothing tells the label of its reviews; expected a column as "
            f"reviews.rating or reviews.label, a name such as {labels.examples} of the file or its "
            "folder, or reviews.path as {LABEL: FILE, LABEL: FILE}"
        )
    return found


def _told_by_name(file: File, labels: Labels) -> int | None:
    """Return the rating for the label that the innermost name of a file and its folders tells."""
    for name in file.names:
        words = [name, *(word for word in WORD.findall(name.lower()) if word in labels.in_names)]
        grades = {grade for word in words if isinstance(grade := labels.read(word), int)}
        if len(grades) == 1:
            return grades.pop()
    return None


def _is_whole(file: File, labels: Labels) -> bool:
    """Say whether a text is one review: it is if its folder tells the label."""
    if file.suffix != ".txt" or not file.in_folder:
        return False
    if file.label is not None:
        return True
    return _told_by_name(file._replace(names=file.names[1:]), labels) is not None


def _whole(found: list[File], source: str, settings: Reviews) -> Iterator["pa.RecordBatch"]:
    """Yield a row for each text of folders, whose encoding is that of most."""
    labels = _labels(settings)
    grades = {}
    encoding = encoding_of(found, settings.encoding)
    rows = []
    for file in tqdm(found, desc=source, unit=" files"):
        names = file.label or file.names[1:]
        if names not in grades:
            named = file if file.label else file._replace(names=file.names[1:])
            grades[names] = _grade(named, labels)
        text = whole_text(file, encoding)
        record = Record(1, text, grades[names], text, None)
        rows.append((_row(record, lambda grade: grade), file.path))
        if len(rows) == files.ROWS_PER_BATCH:
            yield _batch([row for row, _ in rows], _sources(rows, source))
            rows.clear()
    if rows:
        yield _batch([row for row, _ in rows], _sources(rows, source))


def encoding_of(found: list[File], encoding: str) -> str:
    """Return the encoding of texts of folders, which is that of most where it is `auto`."""
    if encoding == "auto":
        some = found[:: -(-len(found) // MOST_SAMPLED)]
        joined = b"\n".join(Path(file.path).read_bytes()[:SAMPLED_BYTES] for file in some)
        encoding = encodings.detect(joined, found[0].path)
    log.info("%s and %s more: each is one text, %s", found[0].path, len(found) - 1, encoding)
    return encoding


def whole_text(file: File, encoding: str) -> str:
    """Return the text of a file without its last line end."""
    with containers.opened(file.path) as opened:
        return "".join(encodings.lines(opened.stream, encoding)).rstrip("\r\n")


def _sources(rows: list[tuple[Raw, str]], source: str) -> list[str]:
    """Name the file of a row that is no review, as its line does not."""
    return [path if row[3] else source for row, path in rows]


def labelled(path: Path, source: str) -> Iterator["pa.RecordBatch"]:
    """Yield the rows of a corpus that is published with the columns `label` and `review`."""
    return table(str(path), source, Columns("review", "label", ratings.by_label()))


def table(
    path: str, source: str, columns: Columns, encoding: str = "auto", told: str | None = None
) -> Iterator["pa.RecordBatch"]:
    """Yield the rows of a table as rows of `schemas.RAW`.

    Args:
        path: of the file, or its address in an object store.
        source: the name that its reviews bear.
        columns: of the texts and the ratings.
        encoding: of the file, or `auto`.
        told: the name that its bad rows bear, if another.

    """
    encoding = tables.encoding_of(path, encoding)
    with containers.opened(path) as opened:
        records = tables.read(opened, columns, encoding)
        yield from _batches(opened, records, source, columns.read, told)


def _segmented(
    path: str, grade: Callable[[Any], Grade], encoding: str
) -> Iterator["pa.RecordBatch"]:
    """Yield the lines of a file in the tutorial's own format: a rating, then words, and blanks."""
    encoding = tables.encoding_of(path, encoding)
    with containers.opened(path) as opened:
        lines = encodings.lines(opened.stream, encoding)
        yield from _batches(opened, _split(lines), terms.SEGMENTED_SOURCE, grade)


def _split(lines: Iterator[str]) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        if fields := line.split():
            yield Record(number, " ".join(fields[1:]), fields[0], line, None)


def _batches(
    opened: Opened,
    records: Iterator[Record],
    source: str,
    grade: Callable[[Any], Grade],
    told: str | None = None,
) -> Iterator["pa.RecordBatch"]:
    with tqdm(desc=opened.name, total=opened.size, unit="B", unit_scale=True) as bar:
        while rows := [_row(record, grade) for record in islice(records, files.ROWS_PER_BATCH)]:
            names = [source] * len(rows)
            if told and told != source:
                names = [told if row[3] else source for row in rows]
            yield _batch(rows, names)
            bar.update(opened.position() - bar.n)


def _batch(rows: list[Raw], names: list[str]) -> "pa.RecordBatch":
    import pyarrow as pa

    from keras_repro.text.schemas import RAW

    found, texts, lines, faults = zip(*rows, strict=True)
    content = {"rating": found, "text": texts, "source": names, "line": lines, "fault": faults}
    return pa.RecordBatch.from_pydict(content, schema=RAW)


def _row(record: Record, read: Callable[[Any], Grade]) -> Raw:
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
