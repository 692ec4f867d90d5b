"""What the sections of the report are made of; templates/blocks.html says how each looks.

A `str` is plain text, which the template escapes; `Markup` is HTML that is safe already.
"""

from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup, escape

Cell = str | Markup


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: Cell


@dataclass(frozen=True)
class Heading:
    """A heading below the section's."""

    kind: ClassVar[str] = "heading"
    text: Cell


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers stand at its right."""

    title: str
    number: bool = True


@dataclass(frozen=True)
class Group:
    """Rows of a table under a title of their own; the first cell of each row is its header."""

    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """A table; `caption` names it, and no two of a page have the same.

    `folded` shows it only when asked for.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    folded: bool = False


@dataclass(frozen=True)
class Chart:
    """An SVG element and the line below it; a wide one keeps its size and is scrolled."""

    svg: Markup
    caption: Cell
    wide: bool = False


@dataclass(frozen=True)
class Charts:
    """Charts beside each other, as many as there is room for."""

    kind: ClassVar[str] = "charts"
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Image:
    """A misread image as a data URI."""

    uri: str
    actual: str
    predicted: str
    probability: float


@dataclass(frozen=True)
class Gallery:
    """Misread images, the worst first."""

    kind: ClassVar[str] = "gallery"
    images: tuple[Image, ...]
    label: str


@dataclass(frozen=True)
class Review:
    """A misread review; `words` is what the model saw, if it sees words."""

    text: str
    words: str
    actual: str
    predicted: str
    probability: float


@dataclass(frozen=True)
class Reviews:
    """Misread reviews, the worst first."""

    kind: ClassVar[str] = "reviews"
    reviews: tuple[Review, ...]


@dataclass(frozen=True)
class Diagram:
    """A graph as an SVG element, or none, and what it says as plain text, or nothing."""

    kind: ClassVar[str] = "diagram"
    name: str
    svg: Markup | None
    listing: str = ""


Block = Text | Heading | Table | Charts | Gallery | Reviews | Diagram


@dataclass(frozen=True)
class Section:
    """A part of the page; `key` is its address within it."""

    key: str
    title: str
    blocks: tuple[Block, ...]


def code(text: str) -> Markup:
    """Return a name, a path or a command as it is set in a text; it may break behind a slash."""
    parts = map(escape, text.split("/"))
    return Markup("<code>{}</code>").format(Markup("/<wbr>").join(parts))


def codes(texts: list[str]) -> Markup:
    """Return several of them, with commas between."""
    return Markup(", ").join(map(code, texts))
