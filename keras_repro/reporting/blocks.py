"""What the sections of the report are made of; templates/blocks.html says how each looks.

A `str` is plain text, which the template escapes; `Markup` is HTML that is safe already.
"""

from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup, escape

from keras_repro.core import paths
from keras_repro.reporting.language import tell

Cell = str | Markup
CERTAIN = 0.999


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


@dataclass(frozen=True)
class Card:
    """What a reader wants to know first: a figure, if there is one, and what it means."""

    title: str
    figure: str
    lines: tuple[Cell, ...]


@dataclass(frozen=True)
class Cards:
    """Cards beside each other."""

    kind: ClassVar[str] = "cards"
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Mark:
    """A value on a scale from 0, its left end, to 1, with an interval where there is one.

    Marks of one `series` look alike.
    """

    series: int
    at: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Line:
    """A line of a chart: what it is of, its marks, and what they say in numbers."""

    title: Cell
    marks: tuple[Mark, ...]
    shown: Cell


@dataclass(frozen=True)
class Scale:
    """A chart of lines with marks on one scale, which a style sheet draws at any width.

    Attributes:
        caption: names it.
        heads: what stands above the titles, the marks and the numbers of the lines.
        legend: the name of each series.
        ticks: labels of the scale and where they stand, from 0 to 1.

    """

    kind: ClassVar[str] = "scale"
    caption: str
    heads: tuple[str, str, str]
    legend: tuple[str, ...]
    lines: tuple[Line, ...]
    ticks: tuple[tuple[str, float], ...]


Block = Text | Heading | Table | Charts | Gallery | Reviews | Diagram | Cards | Scale


@dataclass(frozen=True)
class Section:
    """A part of the page; `key` is its address within it."""

    key: str
    title: str
    blocks: tuple[Block, ...]


def not_made(name: str, stage: str) -> Text:
    """Say that metrics/NAME.json is missing, and which stage makes it."""
    command = code(f"dvc repro stages/sentiment/dvc.yaml:{stage}")
    return Text(tell("{} is not there; {} makes it.", code(str(paths.metrics(name))), command))


def probable(value: float) -> str:
    """Return a probability as it is shown; no model is certain.

    >>> probable(0.91349), probable(0.99999)
    ('0.913', '> 0.999')
    """
    return "> 0.999" if value > CERTAIN else f"{value:.3f}"


def code(text: str) -> Markup:
    """Return a name, a path or a command as it is set in a text; it may break behind a slash."""
    return Markup("<code>{}</code>").format(breaking(text, "/"))


def breaking(text: str, sign: str) -> Markup:
    """Return a text that may break behind a sign."""
    return Markup("{}<wbr>").format(sign).join(map(escape, text.split(sign)))


def codes(texts: list[str]) -> Markup:
    """Return several of them, with commas between."""
    return Markup(", ").join(map(code, texts))
