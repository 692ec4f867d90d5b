"""The results of all models, and what tells the sentiment best."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
from markupsafe import Markup, escape

from keras_repro.core import paths
from keras_repro.core.metrics import SCORES
from keras_repro.core.params import Params
from keras_repro.reporting import charts, drawings, readings
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
from keras_repro.reporting.readings import Metrics
from keras_repro.reporting.results import BASELINES, LEAST_SHOWN, TUTORIAL

TITLES = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "loss": "loss",
    "n_test": "test items",
}


def results(settings: Params) -> Section:
    """Return the metrics of all models, with intervals and the tutorial's where there are any.

    Raises:
        ReproError: a file in metrics/ is at fault.

    """
    groups = {
        "Models of dvc.yaml": list(settings.models),
        "What else tells sentiment": settings.baseline_names,
        "Further models of the tutorial": further(settings),
    }
    measured = {name: readings.metrics(name) for names in groups.values() for name in names}
    blocks: list[Block] = []
    if any(map(_classifies, measured.values())):
        intervals = readings.comparison().metrics
        blocks += [_explanation(), _classifiers(groups, measured, intervals)]
    if others := _others(measured):
        blocks.append(others)
    if missing := [name for name, found in measured.items() if not found]:
        told = Markup("Not measured yet: {}. {} does it.")
        blocks.append(Text(told.format(codes(missing), code("make repro-all"))))
    return Section("results", "Results", tuple(blocks))


def further(settings: Params) -> list[str]:
    """Return the variants, and what else is measured beside the models and the baselines."""
    variants = list(settings.variants)
    known = {*settings.models, *settings.baseline_names, *variants}
    others = {path.stem for path in paths.METRICS.glob("*.json")} - known
    return variants + [name for name in sorted(others) if readings.is_of_a_model(name)]


def sentiment() -> Section:
    """Return what tells sentiment, with intervals and tests.

    Raises:
        ReproError: metrics/sentiment.json is at fault.

    """
    found = readings.comparison()
    if not found.metrics:
        told = _not_made("sentiment", "compare")
        return Section("sentiment", "What tells sentiment", (told,))
    intro = Markup(
        "F1 is {}. Below it, and in small type, stands the middle 95 % of "
        "bootstrap resamples. The baseline, {}, is the one that is best on validation; for what F1 "
        "is above its, both are resampled together, and p is the exact test of McNemar against it. "
        "{}."
    ).format(
        "that of positive reviews" if found.of_two else "the mean over the classes",
        code(found.baseline),
        "The threshold is the best on validation; all other metrics take one half"
        if found.of_two
        else "The likeliest class is said",
    )
    order = sorted(found.metrics, key=lambda name: -found.metrics[name]["f1"])
    columns = (
        Column("model", number=False),
        *map(Column, ("F1", "F1 above the baseline’s", "p", "Brier score")),
        *map(Column, ("threshold", "F1 with it", "above the baseline’s")[: 3 * found.of_two]),
    )
    rows = tuple(tuple(_compared(name, found)) for name in order)
    table = Table("What tells sentiment, the best F1 first", columns, (Group(rows),))
    forest = Charts((_intervals(found.metrics, order),))
    return Section("sentiment", "What tells sentiment", (Text(intro), table, forest))


def behaviour() -> Section:
    """Return what all that tell sentiment have right of short texts, by capability.

    Raises:
        ReproError: metrics/behaviour.json lacks a capability.

    """
    shares, counts, why_not = readings.behaviour()
    if not shares:
        told = (
            Text(f"Nothing is asked: {why_not}.")
            if why_not
            else _not_made("behaviour", "behaviour")
        )
        return Section("behaviour", "Behaviour by capability", (told,))
    intro = Markup(
        "The share of short texts whose verdict is a reader’s, and of changes after which it stays "
        "or moves as it must. The texts are in {}, what went wrong in {}."
    ).format(code("data/behaviour/"), code(str(paths.plots("behaviour") / "failures.csv")))
    columns = (Column("capability", number=False), Column("texts"), *map(Column, shares))
    rows = tuple(
        (name.replace("_", " "), number(count), *(f"{of[name]:.2f}" for of in shares.values()))
        for name, count in counts.items()
    )
    table = Table("Shares that are right", columns, (Group(rows),))
    return Section("behaviour", "Behaviour by capability", (Text(intro), table))


def _not_made(name: str, stage: str) -> Text:
    """Say that metrics/NAME.json is missing, and which stage makes it."""
    command = f"dvc repro stages/sentiment/dvc.yaml:{stage}"
    told = Markup("{} is not there; {} makes it.")
    return Text(told.format(code(str(paths.metrics(name))), code(command)))


def number(value: float) -> str:
    """Return a metric as it is shown: whole, or with four places."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _explanation() -> Text:
    return Text(
        "Every metric is of a test split that training has not seen. Precision, recall and F1 are "
        "the mean over the classes for images, and those of the positive class for "
        "reviews, unless these have more classes. Below a metric stand its 95 % interval, where it "
        "is known, and what the tutorial states – for sentiment on another corpus."
    )


def _classifies(found: Metrics) -> bool:
    return set(SCORES) <= set(found)


def _classifiers(
    groups: Mapping[str, Sequence[str]],
    measured: Mapping[str, Metrics],
    intervals: Mapping[str, Metrics],
) -> Table:
    """Return the table of the models that have the metrics of a classifier."""
    shown = []
    for title, names in groups.items():
        rows = tuple(
            (_title(name), *_cells(name, measured[name], intervals.get(name, {})))
            for name in names
            if _classifies(measured[name])
        )
        shown += [Group(rows, title)] if rows else []
    columns = (Column("model", number=False), *map(Column, TITLES.values()))
    return Table("Test metrics of the models", columns, tuple(shown))


def _title(name: str) -> Cell:
    common = BASELINES.get(name.removeprefix("baseline_"))
    return Markup("{} <small>{}</small>").format(code(name), common) if common else code(name)


def _cells(name: str, found: Metrics, intervals: Metrics) -> Iterator[Cell]:
    """Yield a cell per metric, with its interval and the tutorial's metric in small type."""
    stated = TUTORIAL.get(name, {})
    for metric in TITLES:
        if metric not in found:
            yield "–"
            continue
        cell = escape(number(found[metric]))
        # Of another run, an interval would not be one of this metric.
        if f"{metric}_low" in intervals and intervals[metric] == found[metric]:
            cell = _ranged(cell, intervals[f"{metric}_low"], intervals[f"{metric}_high"], "")
        if metric in stated:
            cell += Markup(" <small>tutorial {:.4f}</small>").format(stated[metric])
        yield cell


def _ranged(shown: str, low: float, high: float, sign: str) -> Markup:
    """Return a metric with its interval in small type."""
    return Markup("{} <small>{} to {}</small>").format(
        shown, f"{low:{sign}.3f}", f"{high:{sign}.3f}"
    )


def _others(measured: Mapping[str, Metrics]) -> Table | None:
    """Return a table of what else was measured, None if nothing was."""
    groups = []
    for name, found in measured.items():
        shown = TITLES if _classifies(found) else {}
        rows = tuple((metric, number(found[metric])) for metric in found if metric not in shown)
        groups += [Group(rows, name)] if rows else []
    columns = (Column("metric", number=False), Column("value"))
    return Table("Further metrics", columns, tuple(groups), folded=True) if groups else None


def _compared(name: str, found: readings.Comparison) -> Iterator[Cell]:
    """Yield the cells of a row of what tells sentiment."""
    of = found.metrics[name]
    yield code(name)
    yield _ranged(number(of["f1"]), of["f1_low"], of["f1_high"], "")
    if name == found.baseline:
        yield "the baseline"
        yield ""
    else:
        yield _gained(of, "f1")
        p = of["p_against_baseline"]
        yield f"< {LEAST_SHOWN}" if p < LEAST_SHOWN else f"{p:.4f}"
    yield f"{of['brier']:.3f}"
    if not found.of_two:
        return
    yield f"{of['threshold']:.2f}"
    yield number(of["f1_at_threshold"])
    yield "the baseline" if name == found.baseline else _gained(of, "f1_at_threshold")


def _gained(of: Metrics, metric: str) -> Markup:
    """Return what a metric is above the baseline's, with its interval."""
    low, high = (of[f"{metric}_gain_{end}"] for end in ("low", "high"))
    return _ranged(f"{of[f'{metric}_gain']:+.4f}", low, high, "+")


def _intervals(metrics: Mapping[str, Metrics], order: Sequence[str]) -> Chart:
    table = pd.DataFrame(
        [
            {
                "model": name,
                "f1": metrics[name]["f1"],
                "low": metrics[name]["f1_low"],
                "high": metrics[name]["f1_high"],
            }
            for name in order
        ]
    )
    told = "; ".join(
        f"{row.model} {row.f1:.3f}, {row.low:.3f} to {row.high:.3f}" for row in table.itertuples()
    )
    svg = drawings.of_chart(
        charts.intervals(table, order), "intervals", f"F1 with intervals: {told}"
    )
    return Chart(svg, "F1 with its 95 % interval")
