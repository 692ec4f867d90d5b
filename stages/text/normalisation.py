"""One spelling for texts that look the same."""

import unicodedata
from typing import Literal


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
