"""The results as one picture for a page, with 95 % intervals.

It is written here, not by Vega, whose layout depends on the fonts that a machine has: the same
metrics leave the same bytes. Lengths are pixels.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from math import ceil, floor
from typing import NamedTuple
from xml.sax.saxutils import escape

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.evaluation import behaviour
from keras_repro.reporting import intervals, readings
from keras_repro.reporting.results import CHINESE, TUTORIAL, Labels

# Of names, of a plot, of the space beside it that takes the last value, of a row.
NAMES, PLOT, BESIDE, ROW = 226, 232, 64, 24
WIDTH = NAMES + 2 * (PLOT + BESIDE) + 10
TITLE, AXIS = 44, 34
OURS, THEIRS, STATED, INK, GRID = "#0b62a8", "#4a5a68", "#b5430b", "#1c2430", "#d9dee5"


class Point(NamedTuple):
    """A share with the ends of its interval, and what the tutorial states, if it does."""

    share: float
    low: float
    high: float
    stated: float | None = None


class Words(NamedTuple):
    """What the picture says, in one language."""

    images: str
    reviews: str
    texts: str
    here: str
    baseline: str
    tutorial: str


ENGLISH_WORDS = Words(
    "Test images: accuracy",
    "Test reviews: F1",
    "{} short texts: share read right",
    "here, with the 95 % interval",
    "baseline, on the same reviews",
    "stated by the tutorial",
)
CHINESE_WORDS = Words(
    "测试图片：准确率",
    "测试评论：F1",
    "{} 条短句：判对的比例",
    "本项目及 95% 置信区间",
    "基线模型（同一批评论）",
    "教程公布的值",
)


def drawn(labels: Labels) -> str:
    """Return the picture as SVG.

    Args:
        labels: of the language.

    Raises:
        ReproError: metrics are missing.

    """
    words = CHINESE_WORDS if labels is CHINESE else ENGLISH_WORDS
    images = {name: _image(name) for name in TUTORIAL if not name.startswith("sentiment")}
    compared = readings.comparison().metrics
    if not compared:
        raise ReproError(
            f"{paths.metrics('sentiment')}: not found; expected the metrics of the comparison "
            "(`dvc repro stages/sentiment/dvc.yaml:compare`)"
        )
    order = sorted(compared, key=lambda name: -compared[name]["f1"])
    reviews = {
        name: Point(*(compared[name][f"f1{end}"] for end in ("", "_low", "_high")))
        for name in order
    }
    shares, count = readings.behaviour().shares, len(behaviour.read_cases())
    # Of other classes than those of the cases nothing is asked.
    texts = {name: _share(shares[name]["cases"], count) for name in order if name in shares}
    called = {f"baseline_{name}": title for name, title in labels.baselines.items()}

    second = TITLE + len(images) * ROW + AXIS
    height = second + TITLE + len(order) * ROW + AXIS
    left, right = NAMES, NAMES + PLOT + BESIDE
    body = chain(
        _names(images, called, TITLE),
        _panel(words.images, images, (left, 0)),
        _legend(words, right, TITLE + ROW // 2),
        _names(reviews, called, second + TITLE),
        _panel(words.reviews, reviews, (left, second)),
        _panel(words.texts.format(count), texts, (right, second)) if texts else (),
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="sans-serif" fill="{INK}">'
    )
    paper = f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>'
    return "\n".join([head, paper, *body, "</svg>\n"])


def _image(name: str) -> Point:
    found = files.read_json(paths.metrics(name))
    stated = TUTORIAL[name]["accuracy"]
    return _share(found["accuracy"], found["n_test"])._replace(stated=stated)


def _share(share: float, count: int) -> Point:
    """Return a share of a number of items with its interval."""
    return Point(share, *intervals.of_share(share, count))


def _names(rows: Mapping[str, Point], called: Mapping[str, str], top: int) -> Iterator[str]:
    for number, name in enumerate(rows):
        yield _text(called.get(name, name), NAMES - 12, top + number * ROW + ROW // 2 + 4, "end")


def _panel(title: str, rows: Mapping[str, Point], corner: tuple[int, int]) -> Iterator[str]:
    left, top = corner[0], corner[1] + TITLE
    values = [value for point in rows.values() for value in point if value is not None]
    low, high = floor(min(values) * 10) / 10, ceil(max(values) * 10) / 10

    def x(value: float) -> str:
        return f"{left + PLOT * (value - low) / (high - low):.1f}"

    yield f'<g font-weight="bold">{_text(title, left, top - 16, "start")}</g>'
    bottom = top + len(rows) * ROW
    for tenth in range(round(low * 10), round(high * 10) + 1):
        at = x(tenth / 10)
        yield f'<path d="M{at} {top}V{bottom}" stroke="{GRID}"/>'
        yield _text(f"{tenth / 10:.1f}", at, bottom + 17, "middle", size=11)
    for number, (name, point) in enumerate(rows.items()):
        y = top + number * ROW + ROW // 2
        colour = THEIRS if name.startswith("baseline_") else OURS
        yield from _mark(point, x, y, colour)


def _mark(point: Point, x: Callable[[float], str], y: int, colour: str) -> Iterator[str]:
    yield f'<path d="M{x(point.low)} {y}H{x(point.high)}" stroke="{colour}" stroke-width="3"/>'
    yield f'<circle cx="{x(point.share)}" cy="{y}" r="5" fill="{colour}"/>'
    if point.stated is not None:
        yield _diamond(x(point.stated), y)
    end = float(x(max(point.high, point.stated or 0)))
    yield _text(f"{point.share:.3f}", f"{end + 9:.1f}", y + 4, "start", size=12)


def _legend(words: Words, left: int, y: int) -> Iterator[str]:
    kinds: Sequence[tuple[str, str]] = ((words.here, OURS), (words.baseline, THEIRS))
    for number, (told, colour) in enumerate(kinds):
        at = y + number * ROW
        yield f'<path d="M{left} {at}h30" stroke="{colour}" stroke-width="3"/>'
        yield f'<circle cx="{left + 15}" cy="{at}" r="5" fill="{colour}"/>'
        yield _text(told, left + 40, at + 4, "start")
    at = y + len(kinds) * ROW
    yield _diamond(f"{left + 15}", at)
    yield _text(words.tutorial, left + 40, at + 4, "start")


def _diamond(x: str, y: int) -> str:
    shape = f"M{x} {y - 6}l6 6l-6 6l-6 -6z"
    return f'<path d="{shape}" fill="#ffffff" stroke="{STATED}" stroke-width="2"/>'


def _text(told: str, x: float | str, y: int, anchor: str, size: int = 13) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}">{escape(told)}</text>'
