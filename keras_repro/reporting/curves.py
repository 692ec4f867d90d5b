"""Training curves, confusion matrices, precision, recall and ROC, and how far to trust them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup

from keras_repro.core import paths
from keras_repro.core.params import Params
from keras_repro.datasets import registry
from keras_repro.reporting import charts, drawings, language, readings
from keras_repro.reporting.blocks import (
    Block,
    Cell,
    Chart,
    Charts,
    Column,
    Group,
    Section,
    Table,
    Text,
    code,
    codes,
)
from keras_repro.reporting.language import joined, say, tell

METRICS = ("loss", "accuracy")
HISTORY = {"epoch": int} | {f"{split}{name}": float for name in METRICS for split in ("", "val_")}


def training(names: Sequence[str]) -> Section:
    """Return loss and accuracy by epoch of the models that are trained by epochs.

    Raises:
        ReproError: a table in metrics/history/ is at fault.

    """
    found = _tables({name: paths.history(name) for name in names}, HISTORY)
    intro = say(
        "By epoch, on the training split and on the validation split. Where a curve jumps, the "
        "training of the next part of a model begins."
    )
    drawn = [_epochs(name, history) for name, history in found.items()]
    return Section("training", say("Training"), _blocks(intro, drawn, _without(found, names)))


def confusion(names: Sequence[str]) -> Section:
    """Return for what each model took the test items of each class.

    Raises:
        ReproError: a table in metrics/plots/ is at fault.

    """
    places = {name: paths.plots(name) / "confusion.csv" for name in names}
    found = _tables(places, readings.GUESSES)
    intro = say(
        "Test items by their class and by what they were taken for. The darker a cell, the greater "
        "its share of the class; an empty cell is none."
    )
    # Those of as many classes beside each other, the most first.
    order = sorted(found, key=lambda name: -found[name]["actual"].nunique())
    drawn = [_confusion(name, found[name]) for name in order]
    return Section(
        "confusion", say("Confusion matrices"), _blocks(intro, drawn, _without(found, names))
    )


def trade_offs(settings: Params) -> Section:
    """Return precision against recall, and ROC, of all that tell sentiment.

    Raises:
        ReproError: a table in metrics/plots/ is at fault.

    """
    names = registry.of_reviews(settings.models) + settings.baseline_names
    intro = say(
        "All that tell sentiment, on the test split; positive reviews are looked for, or, of more "
        "than two classes, each against all others."
    )
    found = {
        (x, y): _tables({name: paths.plots(name) / file for name in names}, {x: float, y: float})
        for file, x, y in (
            ("precision_recall.csv", "recall", "precision"),
            ("roc.csv", "false_positive_rate", "true_positive_rate"),
        )
    }
    drawn = [_curves(tables, x, y, names) for (x, y), tables in found.items() if tables]
    missing = [name for name in names if any(name not in tables for tables in found.values())]
    blocks = list(_blocks(intro, drawn, missing))
    if drawn:
        blocks.insert(2, _areas(names, list(found.values()), list(found)))
    return Section("curves", say("Precision, recall and ROC"), tuple(blocks))


def trust(settings: Params) -> Section:
    """Return how far probabilities hold, and F1 by kind of review, of all that tell sentiment.

    Raises:
        ReproError: a table in metrics/plots/sentiment/ is at fault.

    """
    names = registry.of_reviews(settings.models) + settings.baseline_names
    directory = paths.plots("sentiment")
    drawn = []
    told = readings.table(
        directory / "reliability.csv", {"model": str, "probability": float, "share": float}
    )
    if told is not None:
        drawn.append(_reliability(told, names))
    parts = readings.table(
        directory / "parts.csv", {"model": str, "by": str, "part": str, "f1": float, "n_test": int}
    )
    if parts is not None:
        # Of one part alone there is nothing to compare.
        drawn += [
            _parts(of, str(by), names)
            for by, of in parts.groupby("by", sort=False)
            if len(set(of["part"])) > 1
        ]
    intro: Cell = say(
        "Reviews are put into ten groups by the probability that a model gave them; were "
        "probabilities true, that share of each group would be positive. Of more than two classes "
        "each is looked at. Then F1 by the number of words of a review, and by source."
    )
    if not drawn:
        command = code("dvc repro stages/sentiment/dvc.yaml:compare")
        intro = tell("Not there: {} makes {}.", command, code(f"{directory}/"))
    return Section("trust", say("Probabilities and length of review"), _blocks(intro, drawn, []))


def _tables(places: Mapping[str, Path], columns: Mapping[str, type]) -> dict[str, pd.DataFrame]:
    """Return the tables that are there and not empty."""
    read = {name: readings.table(path, columns) for name, path in places.items()}
    return {name: table for name, table in read.items() if table is not None and len(table)}


def _without(found: Mapping[str, pd.DataFrame], names: Sequence[str]) -> list[str]:
    return [name for name in names if name not in found]


def _blocks(intro: Cell, drawn: Sequence[Chart], missing: list[str]) -> tuple[Block, ...]:
    """Return a text, the charts, and the names of those that lack one."""
    blocks: list[Block] = [Text(intro)]
    if drawn:
        blocks.append(Charts(tuple(drawn)))
    if missing:
        told = "Not there yet: {}. {} makes what is missing."
        blocks.append(Text(tell(told, codes(missing), code("make repro-all"))))
    return tuple(blocks)


def _epochs(name: str, history: pd.DataFrame) -> Chart:
    drawn = Markup()
    for metric in METRICS:
        first, last = history.iloc[0], history.iloc[-1]
        told = joined(
            [
                say("{} {} to {}").format(say(split), f"{first[column]:.3f}", f"{last[column]:.3f}")
                for split, column in (("training", metric), ("validation", f"val_{metric}"))
            ]
        )
        label = say("{}, {} in {} epochs: {}").format(name, say(metric), len(history), told)
        chart = charts.epochs(history, metric)
        drawn += drawings.of_chart(chart, f"training-{name}-{metric}", label)
    return Chart(drawn, code(name))


def _confusion(name: str, table: pd.DataFrame) -> Chart:
    classes = sorted(set(table["actual"]) | set(table["predicted"]))
    counts = table.groupby(["actual", "predicted"]).size().reset_index(name="count")
    totals = counts.groupby("actual")["count"].transform("sum")
    counts["share"] = counts["count"] / totals
    wrong = counts[counts["actual"] != counts["predicted"]]
    right = len(table) - int(wrong["count"].sum())
    label = say("{}: {} of {} right").format(name, f"{right:,}", f"{len(table):,}")
    if len(wrong):
        most = wrong.sort_values("count").iloc[-1]
        label += say("; most often, {} times, {} was taken for {}").format(
            f"{most['count']:,}", language.name(most["actual"]), language.name(most["predicted"])
        )
    named = counts.assign(
        actual=counts["actual"].map(language.name), predicted=counts["predicted"].map(language.name)
    )
    shown = [language.name(each) for each in classes]
    svg = drawings.of_chart(charts.confusion(named, shown), f"confusion-{name}", label)
    return Chart(svg, tell("{}: {} of {} right", code(name), f"{right:,}", f"{len(table):,}"))


def _curves(found: Mapping[str, pd.DataFrame], x: str, y: str, names: Sequence[str]) -> Chart:
    points = pd.concat(
        [table.assign(model=name, place=np.arange(len(table))) for name, table in found.items()]
    )
    title = say("{} against {}").format(*(say(axis.replace("_", " ")) for axis in (y, x)))
    told = joined([f"{name} {_area(table, x, y):.3f}" for name, table in found.items()])
    label = say("{}; areas below: {}").format(title, told)
    svg = drawings.of_chart(charts.curves(points, x, y, names), f"curves-{y}", label)
    return Chart(svg, title[0].upper() + title[1:])


def _areas(
    names: Sequence[str], tables: list[dict[str, pd.DataFrame]], axes: list[tuple[str, str]]
) -> Table:
    """Return the area below each curve of each model."""
    rows = []
    for name in names:
        cells = [
            f"{_area(found[name], x, y):.4f}" if name in found else "–"
            for found, (x, y) in zip(tables, axes, strict=True)
        ]
        rows.append((code(name), *cells))
    columns = (
        Column(say("model"), number=False),
        Column(say("precision and recall")),
        Column("ROC"),
    )
    return Table(say("Areas below the curves that are drawn"), columns, (Group(tuple(rows)),))


def _area(table: pd.DataFrame, x: str, y: str) -> float:
    return float(np.trapezoid(table[y], table[x]))


def _reliability(table: pd.DataFrame, names: Sequence[str]) -> Chart:
    told = []
    for name, of in table.groupby("model", sort=False):
        gap = (of["share"] - of["probability"]).abs().max()
        told.append(say("{} at most {}").format(name, f"{gap:.2f}"))
    svg = drawings.of_chart(
        charts.reliability(table, names),
        "reliability",
        say("How far the share of positive reviews is from the probability: {}").format(
            joined(told)
        ),
    )
    return Chart(svg, say("Share of positive reviews by probability; dotted, where both are equal"))


def _parts(table: pd.DataFrame, by: str, names: Sequence[str]) -> Chart:
    if by != "source":  # whose parts have the names of files
        table = table.assign(part=table["part"].map(language.name))
    sizes = table.drop_duplicates("part").set_index("part")["n_test"]
    told = "; ".join(
        f"{name}: " + ", ".join(f"{row.part} {row.f1:.3f}" for row in of.itertuples())
        for name, of in table.groupby("model", sort=False)
    )
    title = say("F1 by {}").format(language.name(by))
    drawn = charts.parts(table, list(sizes.index), language.name(by), names)
    svg = drawings.of_chart(drawn, f"parts-{by}", f"{title}: {told}")
    counted = joined([f"{part}: {size:,}" for part, size in sizes.items()])
    return Chart(svg, say("{} (reviews: {})").format(title, counted))
