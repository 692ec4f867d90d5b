"""The results of all models, and what tells the sentiment best."""

from collections.abc import Iterator, Mapping, Sequence

from markupsafe import Markup, escape

from keras_repro.core import paths
from keras_repro.core.metrics import SCORES
from keras_repro.core.params import Params
from keras_repro.reporting import intervals, readings
from keras_repro.reporting.blocks import (
    Block,
    Cell,
    Column,
    Group,
    Section,
    Table,
    Text,
    code,
    codes,
    not_made,
)
from keras_repro.reporting.language import say, tell
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
        say("Models of dvc.yaml"): list(settings.models),
        say("What else tells sentiment"): settings.baseline_names,
        say("Further models of the tutorial"): further(settings),
    }
    measured = {name: readings.metrics(name) for names in groups.values() for name in names}
    blocks: list[Block] = []
    if any(map(_classifies, measured.values())):
        intervals = readings.comparison().metrics
        blocks += [_explanation(), _classifiers(groups, measured, intervals)]
    if others := _others(measured):
        blocks.append(others)
    if missing := [name for name, found in measured.items() if not found]:
        told = "Not measured yet: {}. {} does it."
        blocks.append(Text(tell(told, codes(missing), code("make repro-all"))))
    return Section("results", say("Results"), tuple(blocks))


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
    title = say("What tells sentiment")
    if not found.metrics:
        return Section("sentiment", title, (not_made("sentiment", "compare"),))
    order = sorted(found.metrics, key=lambda name: -found.metrics[name]["f1"])
    forest = intervals.forest(
        say("F1 with its 95 % interval"),
        {name: (of["f1"], of["f1_low"], of["f1_high"]) for name, of in found.metrics.items()},
        {name: readable(name) for name in order},
        [name for name in order if name.startswith("baseline_")],
    )
    intro = tell(
        "F1 is {}. Below it, and in small type, stands the middle 95 % of bootstrap resamples. The "
        "baseline, {}, is the one that is best on validation; for what F1 is above its, both are "
        "resampled together, and p is the exact test of McNemar against it. {}",
        say("that of positive reviews" if found.of_two else "the mean over the classes"),
        code(found.baseline),
        say(
            "The threshold is the best on validation; all other metrics take one half."
            if found.of_two
            else "The likeliest class is said."
        ),
    )
    titles = ("F1", "F1 above the baseline’s", "p", "Brier score")
    at_threshold = ("threshold", "F1 with it", "above the baseline’s") if found.of_two else ()
    columns = (
        Column(say("model"), number=False),
        *(Column(say(title)) for title in (*titles, *at_threshold)),
    )
    rows = tuple(tuple(_compared(name, found)) for name in order)
    table = Table(say("What tells sentiment, the best F1 first"), columns, (Group(rows),))
    return Section("sentiment", title, (forest, Text(intro), table))


def number(value: float) -> str:
    """Return a metric as it is shown: whole, or with four places."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _explanation() -> Text:
    told = say(
        "Every metric is of a test split that training has not seen. Precision, recall and F1 are "
        "the mean over the classes for images, and those of the positive class for reviews, unless "
        "these have more classes. Below a metric stand its 95 % interval, where it is known, and "
        "what the tutorial states – for sentiment on another corpus."
    )
    return Text(told)


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
    columns = (
        Column(say("model"), number=False),
        *(Column(say(title)) for title in TITLES.values()),
    )
    return Table(say("Test metrics of the models"), columns, tuple(shown))


def _title(name: str) -> Cell:
    common = readable(name)
    return Markup("{} <small>{}</small>").format(code(name), common) if common else code(name)


def readable(name: str) -> str:
    """Return what a baseline is called by people, nothing of another model."""
    common = BASELINES.get(name.removeprefix("baseline_"))
    return say(common) if common else ""


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
            told = say("tutorial {}").format(f"{stated[metric]:.4f}")
            cell += Markup(" <small>{}</small>").format(told)
        yield cell


def _ranged(shown: str, low: float, high: float, sign: str) -> Markup:
    """Return a metric with its interval in small type."""
    told = say("{} to {}").format(f"{low:{sign}.3f}", f"{high:{sign}.3f}")
    return Markup("{} <small>{}</small>").format(shown, told)


def _others(measured: Mapping[str, Metrics]) -> Table | None:
    """Return a table of what else was measured, None if nothing was."""
    groups = []
    for name, found in measured.items():
        shown = TITLES if _classifies(found) else {}
        rows = tuple((metric, number(found[metric])) for metric in found if metric not in shown)
        groups += [Group(rows, name)] if rows else []
    columns = (Column(say("metric"), number=False), Column(say("value")))
    return Table(say("Further metrics"), columns, tuple(groups), folded=True) if groups else None


def _compared(name: str, found: readings.Comparison) -> Iterator[Cell]:
    """Yield the cells of a row of what tells sentiment."""
    of = found.metrics[name]
    yield code(name)
    yield _ranged(number(of["f1"]), of["f1_low"], of["f1_high"], "")
    if name == found.baseline:
        yield say("the baseline")
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
    yield say("the baseline") if name == found.baseline else _gained(of, "f1_at_threshold")


def _gained(of: Metrics, metric: str) -> Markup:
    """Return what a metric is above the baseline's, with its interval."""
    low, high = (of[f"{metric}_gain_{end}"] for end in ("low", "high"))
    return _ranged(f"{of[f'{metric}_gain']:+.4f}", low, high, "+")
