"""One spelling for texts that look the same."""

import unicodedata
from functools import cache
from typing import Any, Literal

from keras_repro.core.params import Spelling
from keras_repro.text.terms import NO_TEXT, TOO_LONG


class _Visible(dict[int, int | None]):
    """A table for `str.translate` that drops invisible characters, filled as they are met.

    Control and format characters (zero-width spaces, byte-order marks, direction marks) would make
    texts differ that look the same. Those that separate words are white space and stay.
    """

    def __missing__(self, codepoint: int) -> int | None:
        character = chr(codepoint)
        invisible = unicodedata.category(character) in ("Cc", "Cf") and not character.isspace()
        self[codepoint] = None if invisible else codepoint
        return self[codepoint]


_VISIBLE = _Visible()


def normalise(text: str, form: Literal["NFC", "NFKC"] | None) -> str:
    r"""Return `text` in a Unicode form, without invisible characters, blanks folded to one.

    >>> normalise("  ５星\u3000很\u200b好！\n", "NFKC")
    '5星 很好!'
    """
    if form is not None:
        text = unicodedata.normalize(form, text)
    return " ".join(text.translate(_VISIBLE).split())


def spelt(text: str, spelling: Spelling) -> str:
    """Return `text` as training and answers read it."""
    text = normalise(text, spelling.unicode_form)
    return simplified(text) if spelling.simplify else text


def fault(text: str, spelling: Spelling) -> str | None:
    """Say why a text in its spelling is no review; None if it is one."""
    if not text:
        return NO_TEXT
    return TOO_LONG if len(text) > spelling.max_characters else None


def simplified(text: str) -> str:
    """Return `text` with traditional characters as simplified ones, as OpenCC's `t2s` has them."""
    converted: str = _converter().convert(text)
    return converted


@cache
def _converter() -> Any:
    import opencc

    return opencc.OpenCC("t2s")
