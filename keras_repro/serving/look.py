"""`keras-repro look`: what a file of reviews is, and the section of params.yaml that reads it."""

import contextlib
import io
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml import YAML

from keras_repro.core.errors import ReproError
from keras_repro.core.params import Reviews
from keras_repro.core.params.classes import EXAMPLE
from keras_repro.datasets import containers, encodings, own, plausibility, ratings, sources, tables
from keras_repro.datasets.delimited import names
from keras_repro.serving import classes
from keras_repro.text import terms
from keras_repro.text.normalisation import normalise

if TYPE_CHECKING:
    import pyarrow as pa

# What is read: so many rows, for so long.
MOST_ROWS, MOST_SECONDS = 20_000, 1.2
GUESSED_ROWS = 500
# How people call a column of ratings or of labels.
RATINGS = frozenset("star stars rating ratings score rate overall 评分 星级 打分 评级 分数".split())  # noqa: SIM905
LABELS = frozenset("label labels sentiment polarity target class y 标签 情感 类别 情感倾向".split())  # noqa: SIM905
GRADES = RATINGS | LABELS
# Of the cells of such a column, how many are understood; and how many values it has at most.
LEAST_UNDERSTOOD, MOST_VALUES = 0.8, 101
SCALES = (5, 10, 100)
EXAMPLES, SHOWN = 3, 40
CLASSES = {1: "negative", 2: "negative", 3: "neutral", 0: "neutral", 4: "positive", 5: "positive"}


class Guess(NamedTuple):
    """What a file has where.

    Attributes:
        lines: that tell of its columns.
        settings: of the section `reviews` beside its path.

    """

    lines: list[str]
    settings: dict[str, Any]


def told(path: str, encoding: str = "auto", sheet: str | int = 1) -> Iterator[str]:
    """Yield lines that tell what a file is.

    The section ends them, and what it would reject stands before.

    Args:
        path: of a file or folder, or a pattern.
        encoding: of the file; `auto` finds it.
        sheet: of a workbook: its name or number.

    Raises:
        ReproError: it cannot be read.

    """
    settings: dict[str, Any] = {"source": "file", "path": path}
    files = sources.listed(Reviews.model_validate(settings | {"text": 1, "rating": 1}))
    first = files[0]
    yield f"{path}: {len(files):,} files, such as {first.path}" if len(files) > 1 else path
    with containers.opened(first.path) as opened:
        evidence, found = _encoding(opened, encoding)
    yield f"encoding: {evidence}"
    guess = _guessed(first, found, sheet)
    yield from guess.lines
    settings |= {"text": None, "rating": None, "label": None} | guess.settings
    if encoding != "auto":
        settings["encoding"] = encoding
    if sheet != 1:
        settings["sheet"] = sheet
    unlabelled = not settings["rating"] and not settings["label"]
    if unlabelled and (by_name := classes.of_files([file.names for file in files])):
        settings["classes"] = by_name
    if len(files) == 1 and unlabelled:
        yield "cannot be used alone; expected a file of bad reviews and one of good ones"
        settings["path"] = {"positive": path, "negative": "ANOTHER FILE"}
    else:
        known = {} if encodings.MIXED in found else {"encoding": found}
        yield from _rows(settings | known)
    yield "\nparams.yaml:\n"
    yield "reviews:"
    for key, value in settings.items():
        yield f"  {key}: {_yaml(value)}"


def _encoding(opened: containers.Opened, encoding: str) -> tuple[str, str]:
    """Return what tells the encoding, and the encoding."""
    if not tables.is_text(opened):
        return f"none, as {opened.format} is no text", "utf-8"
    if encoding != "auto":
        return f"{encoding}, as you say", encoding
    sample = opened.stream.read(encodings.SAMPLE_BYTES)
    found = encodings.detect(sample, opened.name)
    if sample.isascii():
        return "utf-8 (nothing beyond ASCII in it)", found
    if found == "utf-8":
        return "utf-8 (its bytes are valid as such)", found
    if found.startswith("utf"):
        told = found.replace(encodings.MIXED, " and, line by line, ")
        return f"{told} (by a byte-order mark, zero bytes, or the lines that are valid)", found
    share = plausibility.guess(sample[: encodings.GUESSED_BYTES]).common
    return f"{found} ({share:.0%} of the characters are among its languages' commonest)", found


def _guessed(file: sources.File, encoding: str, sheet: str | int) -> Guess:
    """Guess the columns of a file from its first rows."""
    with _read(file, encoding, sheet) as (suffix, content, cells):
        rows = list(islice(cells, GUESSED_ROWS + 1))
    if content.head is None:
        head = list(dict.fromkeys(str(key) for row in rows for key in row))
        rows = [[row.get(name) for name in head] for row in rows]
    else:
        head = names(content.head)
    if suffix == ".txt" and not content.has_head:
        return Guess(["text: a review a line, or a file each where the folder tells the label"], {})
    has_head = content.has_head and content.head is not None
    body = rows[1:] if has_head else rows
    padded = [_padded(row, len(head)) for row in body]
    columns = [[row[place] for row in padded] for place in range(len(head))]
    grades = {place: told for place, cells in enumerate(columns) if (told := _grade(cells))}
    text = max(range(len(head)), key=lambda place: _is_text(head[place], columns[place]))
    grades.pop(text, None)
    # Of columns without a name that tells, an identifier has more values than a rating.
    grade = max(
        grades,
        key=lambda place: (head[place].lower() in GRADES, -len(set(map(str, columns[place])))),
        default=None,
    )
    strange = [place for place, name in enumerate(head) if name.lower() in GRADES and place != text]
    named = content.head is None or not content.has_head or _is_header(head, text, grade, grades)
    called: list[Any] = list(head) if named else list(range(1, len(head) + 1))
    settings = {"text": called[text]}
    lines = [f"columns: {', '.join(map(str, called))}" + ("" if named else " (it has no header)")]
    lines.append(f"text: {called[text]}, such as {_examples(columns[text])}")
    if grade is None:
        others = (p for p in range(len(head)) if p != text and classes.is_of_labels(columns[p]))
        strange += others
    label = grade if grade is not None else next(iter(strange), None)
    if label is not None and (grade is None or grades[grade][0] == "label"):
        with _read(file, encoding, sheet) as (*_, cells):  # more rows than the guess
            every = islice(cells, int(has_head and named), None)
            known = classes.labels(every, label, head[label])
        if found := classes.suggested(known):
            settings |= {"label": called[label], "classes": found}
            lines.append(f"label: {called[label]}, such as {_examples(columns[label])}")
            lines.append("classes: as below; null: negative and positive alone")
            return Guess(lines, settings)
    if grade is None and strange:
        kind = "rating" if head[strange[0]].lower() in RATINGS else "label"
        settings[kind] = called[strange[0]]
        shown = _examples(columns[strange[0]])
        lines.append(f"{kind}: {settings[kind]}, such as {shown}; reviews.labels may say more")
        return Guess(lines, settings)
    if grade is None:
        lines.append("rating or label: no column; the names of files or reviews.path must tell")
        return Guess(lines, settings)
    kind, scale = grades[grade]
    settings[kind] = called[grade]
    if kind == "rating" and scale != SCALES[0]:
        settings["rating_scale"] = scale
    of = f" of {scale}" if kind == "rating" else ""
    lines.append(f"{kind}: {called[grade]}{of}, such as {_examples(columns[grade])}")
    return Guess(lines, settings)


@contextmanager
def _read(
    file: sources.File, encoding: str, sheet: str | int
) -> Iterator[tuple[str, tables.Content, Iterator[Any]]]:
    """Yield the suffix of a file, its table, and the cells of the rows that can be read."""
    with containers.opened(file.path) as opened:
        content = tables.content(opened, encoding, sheet, (), _promise)
        if content is None:
            raise ReproError(f"{file.path}: no rows; expected reviews")
        cells = (row.cells for row in content.rows if row.fault is None)
        yield opened.suffix, content, cells


def _promise(head: Sequence[Any]) -> int:
    """Say how surely a first row was cut at the right separator."""
    known = sum(map(_is_known, names(head)))
    return 100 * known + min(len(head), 99)


def _is_known(name: str) -> bool:
    return tables.is_name_of_text(name) or name.strip().lower() in GRADES


def _padded(row: Sequence[Any], width: int) -> list[Any]:
    return [*row[:width], *[None] * (width - len(row))]


def _is_text(name: str, cells: Sequence[Any]) -> tuple[bool, float]:
    lengths = [len(cell) for cell in cells if isinstance(cell, str)]
    return tables.is_name_of_text(name), statistics.fmean(lengths) if lengths else 0


def _grade(cells: Sequence[Any]) -> tuple[str, int] | None:
    """Say whether cells are labels or ratings, and up to which; None if they are neither."""
    given = [cell for cell in cells if cell not in (None, "") and not isinstance(cell, list | dict)]
    if not given or len(set(map(str, given))) > MOST_VALUES:
        return None
    label = ratings.by_label()
    if _share(given, label) >= LEAST_UNDERSTOOD:
        return "label", 0
    for scale in SCALES:
        if _share(given, ratings.by_rating(scale)) >= LEAST_UNDERSTOOD:
            return "rating", scale
    return None


def _share(cells: Sequence[Any], read: Any) -> float:
    return sum(isinstance(read(cell), int) for cell in cells) / len(cells)


def _is_header(
    head: list[str], text: int, grade: int | None, grades: dict[int, tuple[str, int]]
) -> bool:
    if any(map(_is_known, head)):
        return True
    if grade is None:
        return len(head[text]) < SHOWN and len(head) > 1
    kind, scale = grades[grade]
    read = ratings.by_label() if kind == "label" else ratings.by_rating(scale)
    return not isinstance(read(head[grade]), int)


def _examples(cells: Sequence[Any]) -> str:
    distinct = list(dict.fromkeys(str(cell) for cell in cells if cell not in (None, "")))
    return ", ".join(repr(cell[:SHOWN] + "…" * (len(cell) > SHOWN)) for cell in distinct[:EXAMPLES])


def _rows(settings: dict[str, Any]) -> Iterator[str]:
    """Yield what reading the rows with these settings tells."""
    start = time.monotonic()
    read = Reviews.model_validate(settings)
    of_classes = read.class_ratings or {}
    meant = {rating: name for name, each in of_classes.items() for rating in each} or CLASSES
    counts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    examples: dict[str, str] = {}
    texts: Counter[str] = Counter()
    rows, whole = 0, True
    for batch in _silent(own.parse("file", read)):
        for row in batch.to_pylist():
            rating, text, _, line, fault = row.values()
            rows += 1
            if fault:
                faults[fault] += 1
                examples.setdefault(fault, f"line {line}: {text[:SHOWN]!r}")
            else:
                counts[meant.get(rating, "left out")] += 1
                texts[normalise(text, "NFKC")] += 1
        if rows >= MOST_ROWS or time.monotonic() - start > MOST_SECONDS:
            whole = False
            break
    if not rows:
        raise ReproError("no rows; expected reviews")
    yield f"rows: {rows:,}" + ("" if whole else " at its beginning, which is all that was read")
    yield "labels: " + ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))
    if counts["neutral"] and not of_classes:
        yield f"  neutral ones are left out; classes: {EXAMPLE} keeps them"
    yield f"duplicates: {sum(texts.values()) - len(texts):,}"
    if texts:
        lengths = sorted(map(len, texts.elements()))
        yield (
            f"characters: {lengths[0]} to {lengths[-1]:,}, half of them at most "
            f"{lengths[len(lengths) // 2]}"
        )
    yield f"rejected: {faults.total():,} ({faults.total() / rows:.1%})"
    for fault, count in faults.most_common():
        yield f"  {count:,} × {fault}, such as {examples[fault]}"
        if hint := terms.EXPECTED.get(fault):
            yield f"    expected {hint}"


def _silent(batches: Iterator["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
    """Yield batches without a progress bar."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield from batches


def _yaml(value: Any) -> str:
    """Return a value as YAML has it in one line."""
    stream = io.StringIO()
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = True
    yaml.sort_base_mapping_type_on_output = False
    yaml.width = 1000
    yaml.dump([value], stream)
    return stream.getvalue().strip().removeprefix("[").removesuffix("]")
