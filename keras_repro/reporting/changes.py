"""What changed since another revision, as DVC tells it."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from keras_repro.core.errors import ReproError
from keras_repro.reporting import drawings, programs
from keras_repro.reporting.blocks import (
    Block,
    Cell,
    Chart,
    Charts,
    Column,
    Group,
    Heading,
    Section,
    Table,
    Text,
    code,
)
from keras_repro.reporting.language import say, tell

WORKSPACE = "workspace"

Values = Mapping[str, Mapping[str, Any]]


class Titles(NamedTuple):
    """What the tables of a kind of values are called."""

    none: str
    changed: str
    within: str
    single: str


METRICS = Titles(
    "None of the metrics that both have differ.",
    "Changed metrics",
    "Changed metrics within others",
    "Metrics that only one of the two has",
)
PARAMETERS = Titles(
    "None of the parameters that both have differ.",
    "Changed parameters",
    "Changed parameters within others",
    "Parameters that only one of the two has",
)


class Changes(NamedTuple):
    """What DVC says of a revision and the workspace.

    Attributes:
        revision: that everything is compared with.
        metrics: that differ, by file and name.
        params: likewise.
        plots: of both, by name.

    """

    revision: str
    metrics: Mapping[str, Values]
    params: Mapping[str, Values]
    plots: Mapping[str, list[dict[str, Any]]]


def read(revision: str) -> Changes:
    """Return what differs from a revision among metrics, parameters and plots.

    Raises:
        ReproError: DVC knows no such revision, or cannot compare with it.

    """
    metrics, parameters, plots = (_diff(kind, revision) for kind in ("metrics", "params", "plots"))
    return Changes(revision, metrics, parameters, plots["data"])


def section(found: Changes) -> Section:
    """Return tables and plots of what differs."""
    intro = tell("What is at hand beside {}, as far as it differs.", code(found.revision))
    blocks: list[Block] = [
        Text(intro),
        Heading(say("Metrics")),
        *_values(METRICS, found.metrics),
        Heading(say("Parameters")),
        *_values(PARAMETERS, found.params),
        Heading(say("Plots")),
        *_plots(found.plots, found.revision),
    ]
    return Section("changes", say("Changes since {}").format(found.revision), tuple(blocks))


def _diff(kind: str, revision: str) -> dict[str, Any]:
    """Return what `dvc KIND diff` says of a revision and the workspace."""
    try:
        # The dashes let a revision that begins with one be taken for what it is.
        found: dict[str, Any] = json.loads(programs.dvc(kind, "diff", "--json", "--", revision))
    except ReproError as error:
        raise ReproError(
            f"REV {revision}: {error}; expected a commit, a branch, a tag or an experiment"
        ) from None
    return found


def _values(titles: Titles, found: Mapping[str, Values]) -> Iterator[Block]:
    """Yield tables of the values that differ; what few look for is shown when unfolded."""
    both = {file: _chosen(values, _is_in_both) for file, values in found.items()}
    # metrics/sentiment.json has 20 metrics of each model, which would drown the others.
    nested = {
        file: _chosen(values, lambda key, _: titles is METRICS and "." in key)
        for file, values in both.items()
    }
    plain = {
        file: {key: of for key, of in values.items() if key not in nested[file]}
        for file, values in both.items()
    }
    single = {
        file: _chosen(values, lambda key, of: not _is_in_both(key, of))
        for file, values in found.items()
    }
    if not any(plain.values()):
        yield Text(say(titles.none))
    yield from _table(say(titles.changed), plain, folded=False)
    yield from _table(say(titles.within), nested, folded=True)
    yield from _table(say(titles.single), single, folded=True)


def _chosen(values: Values, condition: Callable[[str, Mapping[str, Any]], bool]) -> Values:
    return {key: of for key, of in values.items() if condition(key, of)}


def _is_in_both(_: str, of: Mapping[str, Any]) -> bool:
    return of.get("old") is not None and of.get("new") is not None


def _table(caption: str, found: Mapping[str, Values], *, folded: bool) -> Iterator[Table]:
    """Yield a table of values by file, nothing if there are none."""
    groups = tuple(
        Group(tuple((code(key), *_change(of)) for key, of in sorted(values.items())), file)
        for file, values in sorted(found.items())
        if values
    )
    columns = (
        Column(say("name"), number=False),
        *(Column(say(title)) for title in ("before", "now", "change")),
    )
    if groups:
        yield Table(caption, columns, groups, folded)


def _change(of: Mapping[str, Any]) -> tuple[Cell, Cell, Cell]:
    """Return a value before and now, and the difference of numbers."""
    difference = of.get("diff")
    shown = _shown(difference)
    sign = "+" if isinstance(difference, int | float) and difference > 0 else ""
    return _shown(of.get("old")), _shown(of.get("new")), f"{sign}{shown}" if difference else ""


def _shown(value: Any) -> str:
    """Return a value as it is shown; what is not there as a dash."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plots(found: Mapping[str, list[dict[str, Any]]], revision: str) -> Iterator[Block]:
    """Yield the plots whose data differ, as DVC draws them, and the names of those without pair."""
    drawn = []
    alone: dict[str, list[str]] = {}
    for name, versions in sorted(found.items()):
        for version in versions:
            if version["type"] != "vega":
                continue
            rows = _by_revision(version["content"])
            if len(rows) == 1:
                alone.setdefault(next(iter(rows)), []).append(name)
            elif len({json.dumps(of) for of in rows.values()}) > 1:
                drawn.append(_plot(name, version["content"], revision))
    if not drawn:
        yield Text(say("None of the plots that both have differ."))
    else:
        # Those that fill a line come last.
        yield Charts(tuple(sorted(drawn, key=lambda chart: chart.wide)))
    if alone:
        listed = tuple(
            (code(name), say("now" if there == WORKSPACE else "before"))
            for there, names in alone.items()
            for name in names
        )
        columns = (Column(say("plot"), number=False), Column(say("there"), number=False))
        yield Table(
            say("Plots that only one of the two has"), columns, (Group(listed),), folded=True
        )


def _by_revision(specification: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the data of a plot by revision."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in specification["data"]["values"]:
        rows.setdefault(row["rev"], []).append(
            {key: value for key, value in row.items() if key != "rev"}
        )
    return rows


def _plot(name: str, specification: Mapping[str, Any], revision: str) -> Chart:
    """Return a plot of DVC's in the colours of the page, with what DVC shows on a click."""
    styled = _recoloured(specification) | {
        "params": [
            of | {"value": True} if of["name"] == "showValues" else of
            for of in specification.get("params", [])
        ]
    }
    styled.pop("title", None)  # it is the name, which stands below
    # Two revisions beside each other are wider than the column of a page.
    wide = "facet" in specification
    svg = drawings.of_vega(
        styled, f"change-{name}", say("{}, now and in {}").format(name, revision)
    )
    return Chart(svg, code(name), wide)


def _recoloured(value: Any) -> Any:
    """Return a specification whose lists of colours are those of the page."""
    if isinstance(value, dict):
        return {key: _recoloured(of) for key, of in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(of, str) and of.startswith("#") for of in value):
            return list(drawings.SERIES[: len(value)])
        return [_recoloured(of) for of in value]
    return value
