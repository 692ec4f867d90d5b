"""Which classes the labels of a column suggest."""

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from pydantic import ValidationError

from keras_repro.core.params import Reviews
from keras_repro.core.params.classes import FEWEST, MOST, key
from keras_repro.datasets import ratings

# What is read of a column: so many rows, for so long.
MOST_ROWS, MOST_SECONDS = 20_000, 0.4
# Rows for each value of a column of labels whose name does not tell, and characters of a value.
LEAST_ROWS, LONGEST = 5, 20
# With all three 0 is neutral; alone it is the opposite of 1.
THREE_WAY = {"-1", "0", "1"}
OF_RATINGS = {"negative": [1], "neutral": [3], "positive": [5]}


def labels(rows: Iterable[Any], place: int, name: str) -> list[str]:
    """Return the labels of a column, each once: numbers in their order, words as they come.

    Args:
        rows: lists of cells, or objects.
        place: of the column among the cells.
        name: of the column in an object.

    """
    start, found = time.monotonic(), dict[str, str]()
    for row in islice(rows, MOST_ROWS):
        if isinstance(row, Mapping):
            cell = row.get(name)
        else:
            cell = row[place] if place < len(row) else None
        if isinstance(cell, list | dict) or (word := key(cell)) in ratings.ABSENT:
            continue
        found.setdefault(word, str(cell).strip().removesuffix(".0"))
        if len(found) > MOST or time.monotonic() - start > MOST_SECONDS:
            break
    try:
        return sorted(found.values(), key=float)
    except ValueError:
        return [*found.values()]


def of_files(names: Sequence[Sequence[str]]) -> list[str] | None:
    """Return the classes that names of folders or files suggest, None if these are of two.

    Args:
        names: of each file and its folders, the innermost first.

    >>> of_files([("1", "joy", "all"), ("2", "fear", "all"), ("3", "anger", "all")])
    ['anger', 'fear', 'joy']
    >>> of_files([("1", "pos"), ("2", "neg"), ("3", "neg")])

    """
    grade = ratings.by_label()
    words = {word for each in names for name in each for word in name.lower().split("_")}
    if any(isinstance(grade(word), int) and not word.isdigit() for word in words):
        return None
    for depth in (1, 0):
        found = sorted({each[depth] for each in names if len(each) > depth})
        if isinstance(classes := suggested(found), list):
            return classes
    return None


def suggested(names: Sequence[str]) -> dict[str, list[int]] | list[str] | None:
    """Return what `reviews.classes` may be for labels; None where two classes do.

    >>> suggested(["好评", "差评", "中评"])
    {'negative': [1], 'neutral': [3], 'positive': [5]}
    >>> suggested(["anger", "joy", "fear"]), suggested(["-1", "0", "1"]), suggested(["pos", "neg"])
    (['anger', 'joy', 'fear'], ['-1', '0', '1'], None)

    """
    if not FEWEST <= len(names) <= MOST:
        return None
    grade = ratings.by_label()
    meant = {grade(name) for name in names}
    if all(isinstance(each, int) for each in meant) and not set(names) >= THREE_WAY:
        return OF_RATINGS if len(meant) == len(OF_RATINGS) else None
    try:
        Reviews.model_validate({"source": "file", "path": "a.txt", "classes": [*names]})
    except ValidationError:
        return None
    return [*names]


def is_of_labels(cells: Sequence[Any]) -> bool:
    """Say whether the cells of a column without a telling name are labels: few, short, repeated."""
    given = [str(cell) for cell in cells if cell not in (None, "")]
    distinct = set(given)
    return (
        FEWEST <= len(distinct) <= MOST
        and len(given) >= LEAST_ROWS * len(distinct)
        and max(map(len, distinct)) <= LONGEST
    )
