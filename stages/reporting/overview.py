"""The results of all models, and what tells the sentiment best."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
from markupsafe import Markup, escape

from stages import paths
from stages.params import Params
from stages.reporting import charts, drawings, readings
from stages.reporting.blocks import (
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
from stages.reporting.readings import Figures
from stages.reporting.results import FIGURES, LEAST_SHOWN, RIVALS, TUTORIAL

TITLES = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "loss": "loss",
    "n_test": "test items",
}


def results(settings: Params) -> Section:
    """Return the figures of all models, with intervals and the tutorial's where there are any.

    Raises:
        ReproError: a file in metrics/ is at fault.

    """
    groups = {
        "Models of dvc.yaml": list(type(settings.models).model_fields),
        "What else tells sentiment": settings.baseline_names,
        "Further models of the tutorial": further(settings),
    }
    measured = {name: readings.figures(name) for names in groups.values() for name in names}
    blocks: list[Block] = []
    if any(map(_classifies, measured.values())):
        intervals = readings.comparison().figures
        blocks += [_explanation(), _classifiers(groups, measured, intervals)]
    if others := _others(measured):
        blocks.append(others)
    if missing := [name for name, found in measured.items() if not found]:
        told = Markup("Not measured yet: {}. {} does it.")
        blocks.append(Text(told.format(codes(missing), code("make repro-all"))))
    return Section("results", "Results", tuple(blocks))


def further(settings: Params) -> list[str]:
    """Return the variants, and what else is measured beside the models and the baselines."""
    variants = list(type(settings.variants).model_fields)
    known = {*type(settings.models).model_fields, *settings.baseline_names, *variants}
    others = {path.stem for path in paths.METRICS.glob("*.json")} - known
    return variants + [name for name in sorted(others) if readings.is_of_a_model(name)]


def sentiment() -> Section:
    """Return what tells sentiment, with intervals and tests.

    Raises:
        ReproError: metrics/sentiment.json is at fault.

    """
    found = readings.comparison()
    if not found.figures:
        told = Markup("{} is not there; {} makes it.").format(
            code(str(paths.metrics("sentiment"))), code("dvc repro sentiment/dvc.yaml:compare")
        )
        return Section("sentiment", "What tells sentiment", (Text(told),))
    intro = Markup(
        "F1 is that of positive reviews. Below it, and in small type, stands the middle 95 % of "
        "bootstrap resamples. The rival, {}, is the baseline that is best on validation; for what "
        "F1 is above its, both are resampled together, and p is the exact test of McNemar against "
        "it. The threshold is the best on validation; all other figures take one half."
    ).format(code(found.rival))
    order = sorted(found.figures, key=lambda name: -found.figures[name]["f1"])
    columns = (
        Column("model", number=False),
        *map(Column, ("F1", "F1 above the rival’s", "p", "Brier score")),
        *map(Column, ("threshold", "F1 with it", "above the rival’s")),
    )
    rows = tuple(tuple(_compared(name, found)) for name in order)
    table = Table("What tells sentiment, the best F1 first", columns, (Group(rows),))
    forest = Charts((_intervals(found.figures, order),))
    return Section("sentiment", "What tells sentiment", (Text(intro), table, forest))


def number(value: float) -> str:
    """Return a figure as it is shown: whole, or with four places."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def _explanation() -> Text:
    return Text(
        "Every figure is of a test split that training has not seen. Precision, recall and F1 are "
        "the mean over the classes for images, and those of the positive class for "
        "reviews. Below a figure stand its 95 % interval, where it is known, and what the tutorial "
        "states – for sentiment on another corpus."
    )


def _classifies(found: Figures) -> bool:
    return set(FIGURES) <= set(found)


def _classifiers(
    groups: Mapping[str, Sequence[str]],
    measured: Mapping[str, Figures],
    intervals: Mapping[str, Figures],
) -> Table:
    """Return the table of the models that have the figures of a classifier."""
    shown = []
    for title, names in groups.items():
        rows = tuple(
            (_title(name), *_cells(name, measured[name], intervals.get(name, {})))
            for name in names
            if _classifies(measured[name])
        )
        shown += [Group(rows, title)] if rows else []
    columns = (Column("model", number=False), *map(Column, TITLES.values()))
    return Table("Test figures of the models", columns, tuple(shown))


def _title(name: str) -> Cell:
    common = RIVALS.get(name.removeprefix("baseline_"))
    return Markup("{} <small>{}</small>").format(code(name), common) if common else code(name)


def _cells(name: str, found: Figures, intervals: Figures) -> Iterator[Cell]:
    """Yield a cell per figure, with its interval and the tutorial's figure in small type."""
    stated = TUTORIAL.get(name, {})
    for figure in TITLES:
        if figure not in found:
            yield "–"
            continue
        cell = escape(number(found[figure]))
        # Of another run, an interval would not be one of this figure.
        if f"{figure}_low" in intervals and intervals[figure] == found[figure]:
            cell = _ranged(cell, intervals[f"{figure}_low"], intervals[f"{figure}_high"], "")
        if figure in stated:
            cell += Markup(" <small>tutorial {:.4f}</small>").format(stated[figure])
        yield cell


def _ranged(shown: str, low: float, high: float, sign: str) -> Markup:
    """Return a figure with its interval in small type."""
    return Markup("{} <small>{} to {}</small>").format(
        shown, f"{low:{sign}.3f}", f"{high:{sign}.3f}"
    )


def _others(measured: Mapping[str, Figures]) -> Table | None:
    """Return a table of what else was measured, None if nothing was."""
    groups = []
    for name, found in measured.items():
        shown = TITLES if _classifies(found) else {}
        rows = tuple((figure, number(found[figure])) for figure in found if figure not in shown)
        groups += [Group(rows, name)] if rows else []
    columns = (Column("figure", number=False), Column("value"))
    return Table("Further figures", columns, tuple(groups), folded=True) if groups else None


def _compared(name: str, found: readings.Comparison) -> Iterator[Cell]:
    """Yield the cells of a row of what tells sentiment."""
    of = found.figures[name]
    yield code(name)
    yield _ranged(number(of["f1"]), of["f1_low"], of["f1_high"], "")
    if name == found.rival:
        yield "the rival"
        yield ""
    else:
        yield _gained(of, "f1")
        p = of["p_against_rival"]
        yield f"< {LEAST_SHOWN}" if p < LEAST_SHOWN else f"{p:.4f}"
    yield f"{of['brier']:.3f}"
    yield f"{of['threshold']:.2f}"
    yield number(of["f1_at_threshold"])
    yield "the rival" if name == found.rival else _gained(of, "f1_at_threshold")


def _gained(of: Figures, figure: str) -> Markup:
    """Return what a figure is above the rival's, with its interval."""
    low, high = (of[f"{figure}_gain_{end}"] for end in ("low", "high"))
    return _ranged(f"{of[f'{figure}_gain']:+.4f}", low, high, "+")


def _intervals(figures: Mapping[str, Figures], order: Sequence[str]) -> Chart:
    table = pd.DataFrame(
        [
            {
                "model": name,
                "f1": figures[name]["f1"],
                "low": figures[name]["f1_low"],
                "high": figures[name]["f1_high"],
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
    return Chart(svg, "F1 of positive reviews with its 95 % interval")
