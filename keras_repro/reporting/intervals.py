"""Intervals of 95 %, and F1 with them as a chart that a style sheet draws."""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup
from scipy.stats import binomtest

from keras_repro.reporting.blocks import Cell, Line, Mark, Scale, code
from keras_repro.reporting.language import say

STEPS = (0.05, 0.1, 0.2)  # between two ticks; the last for a test split of a few reviews
MOST_STEPS = 6
MODELS, OTHERS = 0, 1  # the series


def of_share(share: float, count: int) -> tuple[float, float]:
    """Return the ends of the interval of a share of so many items (Wilson, 1927).

    >>> [round(end, 3) for end in of_share(0.9, 100)]
    [0.826, 0.945]
    """
    ends = binomtest(round(share * count), count).proportion_ci(method="wilson")
    return float(ends.low), float(ends.high)


def forest(
    caption: str,
    values: Mapping[str, tuple[float, float, float]],
    names: Mapping[str, str],
    baselines: Sequence[str],
) -> Scale:
    """Return a line for each model with its metric and the ends of its interval.

    Args:
        caption: of the chart.
        values: the metric, its lower and its upper end of each model.
        names: what each is called by people, or nothing; in the order of the chart.
        baselines: which of them are such.

    """
    lowest = min(low for _, low, _ in values.values())
    highest = max(high for _, _, high in values.values())
    step = next((each for each in STEPS if highest - lowest <= each * MOST_STEPS), STEPS[-1])
    first = math.floor(lowest / step)
    last = max(math.ceil(highest / step), first + 1)

    def at(value: float) -> float:
        return (value / step - first) / (last - first)

    lines = []
    for name, common in names.items():
        value, low, high = values[name]
        series = OTHERS if name in baselines else MODELS
        shown = Markup("<b>{}</b> <small>{}</small>").format(
            f"{value:.3f}", say("{} to {}").format(f"{low:.3f}", f"{high:.3f}")
        )
        mark = Mark(series, at(value), at(low), at(high))
        lines.append(Line(_title(name, common), (mark,), shown))
    ticks = tuple((f"{tick * step:.2f}", at(tick * step)) for tick in range(first, last + 1))
    heads = (say("model"), say("95 % interval"), "F1")
    return Scale(caption, heads, (say("models"), say("baselines")), tuple(lines), ticks)


def _title(name: str, common: str) -> Cell:
    return common or code(name)
