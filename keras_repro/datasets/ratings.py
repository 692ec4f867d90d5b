"""What people write where a rating or a label is asked for."""

import math
import unicodedata
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from keras_repro.text.schemas import NO_LABEL, NO_NUMBER, NO_RATING, OUT_OF_RANGE, UNKNOWN_LABEL

BEST = 5
# A corpus of two classes knows good from bad, not stars: the outermost ratings stand for them.
NEGATIVE, POSITIVE = 1, BEST

ABSENT = ("", "nan", "null", "none", "n/a", "na", "-")
LABELS = {
    word: rating
    for rating, words in {
        NEGATIVE: "0 neg negative false 负 负面 消极 差评",
        POSITIVE: "1 pos positive true 正 正面 积极 好评",
    }.items()
    for word in words.split()
}

# A rating from 1 to 5, or 0 for none given, or else a fault of `reviews.FAULTS`.
Grade = int | str


def by_rating(scale: int) -> Callable[[Any], Grade]:
    """Return a function that turns a rating from 0 to `scale` into one from 0 to 5.

    Halves are rounded up.

    >>> grade = by_rating(10)
    >>> [grade(value) for value in ("9", 5.0, " ７ ", "", "五", 11)]
    [5, 3, 4, 'no rating', 'rating is no number', 'rating out of range']
    """

    @lru_cache(maxsize=10_000, typed=True)  # True equals 1.0
    def grade(value: Any) -> Grade:
        word = _word(value)
        if word in ABSENT:
            return NO_RATING
        try:
            rating = Decimal(word)
        except InvalidOperation:
            return NO_NUMBER
        if not rating.is_finite() or not 0 <= rating <= scale:
            return OUT_OF_RANGE
        stars = int((rating * BEST / scale).quantize(Decimal(1), ROUND_HALF_UP))
        return max(stars, 1) if rating else 0  # 0 is none given, and a bad one is given

    return _of_scalars(grade, NO_NUMBER)


def by_label() -> Callable[[Any], Grade]:
    """Return a function that turns a label into the rating that stands for it.

    >>> grade = by_label()
    >>> [grade(value) for value in (1, "0.0", "正", "Neg", True, None, "meh")]
    [5, 1, 5, 1, 5, 'no label', 'unknown label']
    """

    @lru_cache(maxsize=10_000, typed=True)  # True equals 1.0
    def grade(value: Any) -> Grade:
        word = _word(value)
        if word in ABSENT:
            return NO_LABEL
        if word not in LABELS:
            word = word.removesuffix(".0")
        return LABELS.get(word, UNKNOWN_LABEL)

    return _of_scalars(grade, UNKNOWN_LABEL)


def _of_scalars(grade: Callable[[Any], Grade], fault: str) -> Callable[[Any], Grade]:
    """Keep from `grade` what is no scalar: it cannot be a key of its cache."""

    def checked(value: Any) -> Grade:
        return fault if isinstance(value, list | dict) else grade(value)

    return checked


def _word(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return unicodedata.normalize("NFKC", str(value)).strip("\ufeff \t\r\n").lower()
