"""What people write where a rating or a label is asked for."""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import classes
from keras_repro.text.terms import NO_LABEL, NO_NUMBER, NO_RATING, OUT_OF_RANGE, UNKNOWN_LABEL

BEST = 5
# A corpus of two classes knows good from bad, not stars: the outermost ratings stand for them.
NEGATIVE, NEUTRAL, POSITIVE = 1, 3, BEST

ABSENT = {"", "nan", "null", "none", "n/a", "na", "-", "--", "—", "无", "暂无", "未评", "未评分"}
ABSENT |= {"无评分", "暂无评分", "没有评分", "not rated", "unrated"}


def _spelt(spellings: dict[int, str]) -> dict[str, int]:
    return {word: rating for rating, words in spellings.items() for word in words.split("|")}


LABELS = _spelt({
    NEGATIVE: "0|-1|neg|negative|false|负|负面|负向|负类|消极|差评|坏|差|坏评|不好|不推荐|"
    "不喜欢|讨厌|不满意|踩|贬|贬义|反对|bad|dislike|not recommended|thumbs down|👎",
    NEUTRAL: "neutral|neu|中|中性|中立|中评|一般",
    POSITIVE: "1|+1|pos|positive|true|正|正面|正向|正类|积极|好评|好|推荐|喜欢|满意|赞|褒|"
    "褒义|支持|good|like|recommended|thumbs up|👍",
})  # fmt: skip
# Of Douban, JD, Dianping, Tripadvisor and forms. With a scale of their own, in stars.
WORDS = _spelt({
    1: "很差|非常差|差评|非常不满意|很不满意|极差|terrible|very poor|awful",
    2: "较差|不满意|比较差|不太满意|poor|bad",
    3: "还行|一般|中评|普通|还可以|中等|average|ok|fair|neutral",
    4: "推荐|满意|较好|不错|比较满意|good|very good",
    5: "力荐|很好|非常好|好评|非常满意|很满意|极好|超赞|满分|excellent|great",
})  # fmt: skip
NUMERALS = {word: Decimal(number) for number, word in enumerate("零一二三四五六七八九十")}
NUMERALS["两"] = Decimal(2)

_NUMBER = r"[+-]?\d+(?:[.,]\d+)?"
_UNIT = r"(?:颗星|顆星|星级|星|分|点|stars?|points?|pts)"
# A rating from 1 to 5 or the number of a class, 0 for none given; else a fault of `terms.FAULTS`.
Grade = int | str


def by_rating(scale: int) -> Callable[[Any], Grade]:
    """Return a function that turns a rating from 0 to `scale` into one from 0 to 5.

    Halves are rounded up. What has a scale of its own keeps it: 8/10, 80 %, ★★★★☆, allstar40, 推荐.

    >>> grade = by_rating(10)
    >>> [grade(value) for value in ("9", 5.0, " ７ ", "", "七分", "8/10", "★★☆☆☆", "meh", 11)]
    [5, 3, 4, 'no rating', 4, 4, 2, 'rating is no number', 'rating out of range']
    """

    @lru_cache(maxsize=10_000, typed=True)  # True equals 1.0
    def grade(value: Any) -> Grade:
        word = _word(value)
        if word in ABSENT or word == "-1":  # what sites write for none given
            return NO_RATING
        found = _read(word, scale)
        if found is None:
            return NO_NUMBER
        rating, most = found
        if not rating.is_finite() or not 0 <= rating <= most or not most:
            return OUT_OF_RANGE
        stars = int((rating * BEST / most).quantize(Decimal(1), ROUND_HALF_UP))
        return max(stars, 1) if rating else 0  # 0 is none given, and a bad one is given

    return _of_scalars(grade, NO_NUMBER)


def by_label() -> Callable[[Any], Grade]:
    """Return a function that turns a label into the rating that stands for it.

    >>> grade = by_label()
    >>> [grade(value) for value in (1, "0.0", "正", "Neg", True, "中性", None, "meh")]
    [5, 1, 5, 1, 5, 3, 'no label', 'unknown label']
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


def by_class(names: Sequence[str], words: Mapping[str, Any]) -> Callable[[Any], Grade]:
    """Return a function that turns a label into the number of its class, counted from 1.

    Args:
        names: of the classes.
        words: that mean a class; or `neutral`, where that is none, for 0; or None for none given.

    Raises:
        ReproError: a word means no class.

    >>> grade = by_class(["-1", "好评", "bad"], {"差评": "bad", "?": None, "中评": "neutral"})
    >>> [grade(value) for value in (-1.0, "好评", "差评", "中评", "?", "", "pos")]
    [1, 2, 3, 0, 'no label', 'no label', 'unknown label']

    """
    numbers = {classes.key(name): number for number, name in enumerate(names, 1)}
    meanings = {"neutral": 0} | numbers
    meant: dict[str, Grade] = {}
    for word, name in words.items():
        if name is not None and classes.key(name) not in meanings:
            raise ReproError(
                f"{paths.PARAMS}: reviews.labels.{word} is {name!r}; expected one of "
                f"{', '.join(names)} (reviews.classes), neutral to leave it out, or null for none "
                "given"
            )
        meant[classes.key(word)] = NO_LABEL if name is None else meanings[classes.key(name)]
    known = meant | numbers

    def grade(value: Any) -> Grade:
        word = _word(value).removesuffix(".0")
        return known.get(word, NO_LABEL if word in ABSENT else UNKNOWN_LABEL)

    return _of_scalars(grade, UNKNOWN_LABEL)


def with_words(
    read: Callable[[Any], Grade], words: Mapping[str, Any], scale: int = BEST
) -> Callable[[Any], Grade]:
    """Return `read` that knows further words.

    Args:
        read: of `by_rating` or `by_label`.
        words: to a label or a rating, or to None for none given.
        scale: the best rating.

    Raises:
        ReproError: a word means nothing that is known.

    >>> grade = with_words(by_label(), {"赞爆": "positive", "3": "neutral", "?": None})
    >>> [grade(value) for value in ("赞爆", 3, "?", "neg")]
    [5, 3, 'no label', 1]

    """
    if not words:
        return read
    known = {}
    for word, meant in words.items():
        ways = (read, by_label(), by_rating(scale))
        grades = [way(meant) for way in ways]
        found = next((grade for grade in grades if isinstance(grade, int)), grades[0])
        if not isinstance(found, int) and meant is not None:
            raise ReproError(
                f"{paths.PARAMS}: reviews.labels.{word} is {meant!r}; expected positive, negative, "
                f"neutral, a rating up to {scale}, or null for none given"
            )
        known[_word(word)] = found

    def grade(value: Any) -> Grade:
        if isinstance(value, list | dict):
            return read(value)
        found = known.get(_word(value))
        return read(value) if found is None else found

    return grade


def _read(word: str, scale: int) -> tuple[Decimal, Decimal] | None:
    """Return a rating and the best that could be given, None where there is no number."""
    if word in WORDS:
        return Decimal(WORDS[word]), Decimal(BEST)
    with suppress(InvalidOperation):
        return Decimal(word), Decimal(scale)
    for pattern, read in FORMS:
        if match := pattern.fullmatch(word):
            rating, most = read(match)
            return rating, Decimal(scale) if most is None else most
    return None


def _decimal(number: str) -> Decimal:
    return Decimal(number.replace(",", "."))


def _drawn(match: re.Match[str]) -> tuple[Decimal, Decimal]:
    full = sum(match[0].count(star) for star in "★⭐🌟")
    return full + (HALF if "½" in match[0] else Decimal(0)), Decimal(BEST)


HALF = Decimal("0.5")
# How a rating may be written, and what it says: the rating, and the best if that is said as well.
FORMS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[Decimal, Decimal | None]]]] = [
    # 4,5 4.5分 5 星 3 stars
    (
        re.compile(rf"({_NUMBER})\s*{_UNIT}?"),
        lambda match: (_decimal(match[1]), None),
    ),
    # 8/10, 4.5 out of 5 stars, 4.0 颗星, 最多 5 颗星
    (
        re.compile(
            rf"({_NUMBER})\s*{_UNIT}?\s*(?:/|out of|of|,?\s*最多|,?\s*满分)"
            rf"\s*({_NUMBER})\s*{_UNIT}?"
        ),
        lambda match: (_decimal(match[1]), _decimal(match[2])),
    ),
    (re.compile(rf"({_NUMBER})\s*%"), lambda match: (_decimal(match[1]), Decimal(100))),
    # 五星, 四星半, 三颗半星
    (
        re.compile(rf"([{''.join(NUMERALS)}])(?:{_UNIT}|颗|个)?(半)?{_UNIT}?"),
        lambda match: (NUMERALS[match[1]] + (HALF if match[2] else Decimal(0)), None),
    ),
    # ★★★★☆, ⭐⭐⭐, ★★★½
    (re.compile(r"([★⭐🌟])\uFE0F?(?:\1\uFE0F?)*[½☆✩]*"), _drawn),
    # The classes of Douban's and Dianping's pages: allstar50, irr-star45, sml-str40, rating4-t
    (
        re.compile(r"(?:.*[\s_-])?(?:all|irr-?|mid-?)?(?:star|str)(\d)(\d)"),
        lambda match: (Decimal(f"{match[1]}.{match[2]}"), Decimal(BEST)),
    ),
    (re.compile(r"rating(\d)-t"), lambda match: (Decimal(match[1]), Decimal(BEST))),
]


def _of_scalars(grade: Callable[[Any], Grade], fault: str) -> Callable[[Any], Grade]:
    """Keep from `grade` what is no scalar: it cannot be a key of its cache."""

    def checked(value: Any) -> Grade:
        return fault if isinstance(value, list | dict) else grade(value)

    return checked


def _word(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    word = unicodedata.normalize("NFKC", str(value)).strip("\ufeff \t\r\n").lower()
    return word.replace("1⁄2", "½")  # which NFKC takes apart
