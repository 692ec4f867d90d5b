"""The charts of the report; each takes a table and returns what Altair draws."""

from collections.abc import Sequence
from typing import Literal

import altair as alt
import pandas as pd

from keras_repro.reporting.drawings import DASHES, LINE, SERIES
from keras_repro.reporting.language import say

# In pixels, with all that stands around a plot: what fits a narrow screen, and the half of what two
# beside each other take.
WIDTH, NARROW = 325, 216
HEIGHT = 270
FEW_CLASSES = 4
CELL, LARGE_CELL = 25, 76
# From this share on, white on a cell has more contrast than black; both have 4.5 to 1 there.
DARK_SHARE = 0.7

# As Altair states it, though only a faceted layer becomes the latter.
Layers = alt.LayerChart | alt.FacetChart


def epochs(history: pd.DataFrame, metric: str) -> Layers:
    """Draw a metric of a training by epoch, of the training split and the validation split.

    Args:
        history: has the columns epoch, METRIC and val_METRIC.
        metric: its name.

    """
    names = {metric: say("training"), f"val_{metric}": say("validation")}
    table = history.rename(columns=names).melt(
        "epoch", list(names.values()), var_name="split", value_name=metric
    )
    base = alt.Chart(table, width=NARROW, height=130).encode(
        *_series(table, "split", list(names.values()), "top"),
        x=alt.X("epoch:Q", title=say("epoch"), axis=_whole(history["epoch"])),
        y=alt.Y(f"{metric}:Q", title=say(metric), scale=alt.Scale(zero=False), axis=_few_ticks()),
    )
    return alt.layer(base.mark_line(), base.mark_point(filled=True, size=18, opacity=1))


def confusion(counts: pd.DataFrame, classes: Sequence[str]) -> Layers:
    """Draw how many items of each class were taken for each.

    Args:
        counts: has the columns actual, predicted, count and share (of the items of the class); what
            did not occur is absent.
        classes: in their order.

    """
    few = len(classes) < FEW_CLASSES
    step = alt.Step(LARGE_CELL if few else CELL)
    angle = 0 if few or max(map(len, classes)) == 1 else -45
    everyone = list(classes)
    base = alt.Chart(counts, width=step, height=step).encode(
        x=alt.X("predicted:N", sort=everyone, axis=_class_axis(say("taken for"), angle)),
        y=alt.Y("actual:N", sort=everyone, axis=_class_axis(say("true class"), 0)),
    )
    # The root lets a few mistakes among a thousand items be seen.
    shade = alt.FillOpacity(
        "share:Q", scale=alt.Scale(type="sqrt", domain=[0, 1], range=[0, 1]), legend=None
    )
    dark = alt.when(alt.datum.share > DARK_SHARE)
    ink = dark.then(alt.value("var(--on-heat)")).otherwise(alt.value("var(--in-cell)"))
    cells = base.mark_rect(fill="var(--heat)").encode(fillOpacity=shade)
    text = base.mark_text(fontSize=13 if few else 9.5)
    return alt.layer(cells, text.encode(text=alt.Text("count:Q", format="d"), color=ink))


def curves(table: pd.DataFrame, x: str, y: str, order: Sequence[str]) -> alt.Chart:
    """Draw a curve of each model.

    Args:
        table: has the columns model, X, Y and place, along the curve.
        x: the name of a column.
        y: the name of a column.
        order: of the models, which gives each its colour.

    """
    drawn: alt.Chart = (
        alt.Chart(table, width=WIDTH, height=HEIGHT)
        .mark_line(clip=True, strokeWidth=1.5)
        .encode(
            *_series(table, "model", order, "bottom"),
            x=alt.X(
                f"{x}:Q", title=say(_spaced(x)), scale=alt.Scale(domain=[0, 1]), axis=_few_ticks()
            ),
            y=alt.Y(
                f"{y}:Q", title=say(_spaced(y)), scale=alt.Scale(zero=False), axis=_few_ticks()
            ),
            order=alt.Order("place:Q"),
        )
    )
    return drawn


def reliability(table: pd.DataFrame, order: Sequence[str]) -> Layers:
    """Draw the share of positive reviews against the probability that each model gave them.

    Args:
        table: has the columns model, probability and share.
        order: of the models, which gives each its colour.

    """
    scale = alt.Scale(domain=[0, 1])
    base = alt.Chart(table, width=WIDTH, height=HEIGHT).encode(
        *_series(table, "model", order, "bottom"),
        x=alt.X("probability:Q", title=say("probability given"), scale=scale, axis=_few_ticks()),
        y=alt.Y("share:Q", title=say("share that is positive"), scale=scale, axis=_few_ticks()),
    )
    ideal = pd.DataFrame({"probability": [0, 1], "share": [0, 1]})
    diagonal = (
        alt.Chart(ideal)
        .mark_line(color=LINE, strokeWidth=1, strokeDash=[1, 3])
        .encode(x="probability:Q", y="share:Q")
    )
    points = base.mark_point(filled=True, size=22, opacity=1)
    return alt.layer(diagonal, base.mark_line(), points)


def parts(table: pd.DataFrame, names: Sequence[str], by: str, order: Sequence[str]) -> alt.Chart:
    """Draw the F1 of each model on each part of the test split.

    Args:
        table: has the columns model, part and f1.
        names: of the parts, in their order.
        by: what they are parts by.
        order: of the models, which gives each its colour.

    """
    drawn: alt.Chart = (
        alt.Chart(table, width=WIDTH, height=HEIGHT)
        .mark_line(point=alt.OverlayMarkDef(filled=True, size=30))
        .encode(
            *_series(table, "model", order, "bottom"),
            x=alt.X(
                "part:N",
                sort=list(names),
                title=by,
                axis=alt.Axis(labelAngle=0),
                scale=alt.Scale(padding=0.3),
            ),
            y=alt.Y("f1:Q", title="F1", scale=alt.Scale(zero=False), axis=_few_ticks()),
        )
    )
    return drawn


def _series(
    table: pd.DataFrame, field: str, order: Sequence[str], orient: Literal["bottom", "top"]
) -> tuple[alt.Color, alt.StrokeDash]:
    """Tell series by colour and by dashes, for readers who see no colours and for grey prints.

    A series keeps both where others of `order` are absent.
    """
    there = set(table[field])
    places = {name: place for place, name in enumerate([*order, *sorted(there - set(order))])}
    domain = [name for name in places if name in there]
    colours = [SERIES[places[name] % len(SERIES)] for name in domain]
    dashes = [DASHES[places[name] % len(DASHES)] for name in domain]
    legend = alt.Legend(title=None, orient=orient, columns=2, columnPadding=14, symbolType="stroke")
    shorthand = f"{field}:N"
    return (
        alt.Color(shorthand, scale=alt.Scale(domain=domain, range=colours), legend=legend),
        alt.StrokeDash(shorthand, scale=alt.Scale(domain=domain, range=dashes), legend=legend),
    )


def _whole(epochs: "pd.Series[int]") -> alt.Axis:
    """Return an axis with ticks at whole numbers alone, few of them."""
    first, last = int(epochs.min()), int(epochs.max())
    values = list(range(first, last + 1, (last - first) // 5 + 1))
    return alt.Axis(values=values, format="d", grid=False)


def _few_ticks() -> alt.Axis:
    return alt.Axis(tickCount=5)


def _class_axis(title: str, angle: int) -> alt.Axis:
    return alt.Axis(
        title=title, labelAngle=angle, ticks=False, domain=False, labelPadding=4, labelLimit=90
    )


def _spaced(name: str) -> str:
    return name.replace("_", " ")
