"""The language of the report: English as it stands in the code, or Chinese in its place."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from markupsafe import Markup

from keras_repro.reporting.chinese import CHINESE, NAMES

ENGLISH, TAG_OF_CHINESE = "en", "zh-CN"
LANGUAGES = (ENGLISH, TAG_OF_CHINESE)
_spoken = ContextVar("language", default=ENGLISH)


@contextmanager
def speaking(tag: str) -> Iterator[None]:
    """Let `say`, `tell` and `name` speak a language within the block."""
    token = _spoken.set(tag)
    try:
        yield
    finally:
        _spoken.reset(token)


def spoken() -> str:
    """Return the tag of the language, as HTML has it."""
    return _spoken.get()


def say(text: str) -> str:
    """Return a text of the code in the language that is spoken.

    >>> say("accuracy")
    'accuracy'
    >>> with speaking("zh-CN"):
    ...     say("accuracy")
    '准确率'
    """
    return text if spoken() == ENGLISH else CHINESE[text]


def tell(text: str, *values: object) -> Markup:
    """Return a text with values in its places, as HTML; what is no Markup is escaped."""
    return Markup(say(text)).format(*values)  # noqa: S704 - a text of the code


def name(text: str) -> str:
    """Return a class or a capability in the language that is spoken, as it is if it is unknown.

    >>> name("double_negation"), name("cat")
    ('double negation', 'cat')
    """
    if spoken() == ENGLISH:
        return text.replace("_", " ")
    return NAMES.get(text, text.replace("_", " "))


def joined(texts: list[str]) -> str:
    """Return several texts as a list within a sentence."""
    return say(", ").join(texts)
