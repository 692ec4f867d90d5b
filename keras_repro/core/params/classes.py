"""The names of more than two classes of reviews, and the ratings that mean each."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator

FEWEST, MOST = 3, 20
LONGEST = 40  # characters of a name
STARS = range(6)
# What the name of a file cannot hold, or a cell of a table only in quotes.
FORBIDDEN = re.compile(r'[/\\:*?"<>|,;]')
# What a spreadsheet would compute; numbers may be names.
FORMULA = re.compile(r"[=@+-](?!\d+(\.\d+)?$)")
NO_VERDICT = "none"
EXAMPLE = "{bad: [1, 2], neutral: [3], good: [4, 5]}"


def key(name: Any) -> str:
    """Return a name as it is compared: 1.0 is 1, Ｇood is good.

    >>> key(-1.0), key(" Ｇood "), key("很好")
    ('-1', 'good', '很好')
    """
    word = unicodedata.normalize("NFKC", str(name)).strip("\ufeff \t\r\n").lower()
    return word.removesuffix(".0")


def _classes(value: Any) -> Any:
    """Return a list of names as a tuple, a mapping from names to ratings with sets of these."""
    if value is None:
        return None
    if not isinstance(value, list | tuple | dict) or not FEWEST <= len(value) <= MOST:
        raise ValueError(
            f"expected {FEWEST} to {MOST} classes: names such as [good, neutral, bad], or the "
            f"ratings of each such as {EXAMPLE}; null for negative and positive; found {value!r}"
        )
    names = tuple(map(_name, value))
    _check_distinct(names)
    if not isinstance(value, dict):
        return names
    found = {name: _ratings(name, each) for name, each in zip(names, value.values(), strict=True)}
    given = [rating for each in found.values() for rating in sorted(each)]
    if twice := sorted({rating for rating in given if given.count(rating) > 1}):
        raise ValueError(f"expected each rating once, found {twice} in two classes")
    return found


def _name(name: Any) -> str:
    word = str(name)
    if (
        not isinstance(name, str | int | float)
        or not word.isprintable()
        or word != word.strip()
        or not 0 < len(word) <= LONGEST
        or FORBIDDEN.search(word)
        or FORMULA.match(word)
        or key(word) in ("", ".", "..", NO_VERDICT)
    ):
        raise ValueError(
            f'expected a name of 1 to {LONGEST} printable characters, none of / \\ : * ? " < > | '
            f", ; in it, no = @ + or - before a word, and not {NO_VERDICT!r}; found {name!r}"
        )
    return word


def _check_distinct(names: Iterable[str]) -> None:
    known: dict[str, str] = {}
    for name in names:
        if (other := known.setdefault(key(name), name)) is not name:
            raise ValueError(f"expected each class once, found {other!r} and {name!r}")


def _ratings(name: str, value: Any) -> frozenset[int]:
    ratings = value if isinstance(value, list | tuple | frozenset) else [value]
    if not ratings or any(type(each) is not int or each not in STARS for each in ratings):
        raise ValueError(
            f"expected the ratings that mean {name!r}, of 0 to 5, such as [4, 5]; found {value!r}"
        )
    return frozenset(ratings)


Classes = Annotated[tuple[str, ...] | dict[str, frozenset[int]] | None, BeforeValidator(_classes)]
