"""Whether a text gives any ground for a verdict, and if not, why."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

Reason = Literal["punctuation", "not_chinese", "unknown", "neutral", "balanced"]

NONE = "none"  # the label of a text that gives no ground
EVEN = 0.5
# `sentiment_hybrid` finds as much for as against where nothing is judged, but for rounding.
NEUTRAL = 1e-4
# A probability this near to the threshold speaks as much for as against.
BALANCED = 0.02
# Words in other letters count as a whole: `nb` says nothing in `USB nbsp`.
_WORD = re.compile(r"[a-z0-9]+", re.IGNORECASE)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def of_writing(text: str, signs: Sequence[str]) -> Reason | None:
    """Return why nobody could judge a text by its writing, None if one could.

    Args:
        text: in the spelling of the model.
        signs: what says something without a Chinese character: emoji, yyds.

    >>> of_writing("!!!", []), of_writing("great", ["yyds"]), of_writing("yyds", ["yyds"])
    ('punctuation', 'not_chinese', None)

    """
    if _HAN.search(text):
        return None
    words = {word.lower() for word in _WORD.findall(text)}
    for sign in signs:
        if sign.lower() in words or (not _WORD.fullmatch(sign) and sign in text):
            return None
    written = any(unicodedata.category(character)[0] in "LN" for character in text)
    return "not_chinese" if written else "punctuation"


def signs(words: Sequence[str]) -> list[str]:
    """Return the words that have no Chinese character, each once, in order."""
    return [word for word in dict.fromkeys(words) if not _HAN.search(word)]


def of_probability(probability: float, threshold: float) -> Reason | None:
    """Return why a probability of positive is no verdict, None if it is one.

    >>> of_probability(0.43, 0.44), of_probability(0.5, 0.44), of_probability(0.6, 0.44)
    ('balanced', 'neutral', None)

    """
    if abs(probability - EVEN) < NEUTRAL:
        return "neutral"
    return "balanced" if abs(probability - threshold) < BALANCED else None


def tied(probabilities: Sequence[float]) -> bool:
    """Return whether the two likeliest of several classes are about as likely.

    >>> tied([0.4, 0.2, 0.4]), tied([0.4, 0.25, 0.35])
    (True, False)
    """
    second, first = sorted(probabilities)[-2:]
    return first - second < 2 * BALANCED
