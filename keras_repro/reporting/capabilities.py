"""What all that tell sentiment have right of short texts, by capability."""

from collections.abc import Mapping

from keras_repro.core import paths
from keras_repro.reporting import language, readings
from keras_repro.reporting.blocks import (
    Column,
    Group,
    Line,
    Mark,
    Scale,
    Section,
    Table,
    Text,
    breaking,
    code,
    not_made,
)
from keras_repro.reporting.language import say, tell
from keras_repro.reporting.overview import readable
from keras_repro.reporting.readings import Metrics

DRAWN = 3  # models, of which the last is a baseline if there is one


def section() -> Section:
    """Return the shares that are right as a chart, and all of them as a table.

    Raises:
        ReproError: metrics/behaviour.json lacks a capability.

    """
    shares, counts, why_not = readings.behaviour()
    title = say("Behaviour by capability")
    if not shares:
        asked_nothing = Text(tell("Nothing is asked: {}.", why_not))
        told = asked_nothing if why_not else not_made("behaviour", "behaviour")
        return Section("behaviour", title, (told,))
    intro = tell(
        "The share of short texts whose verdict is a reader’s, and of changes after which it stays "
        "or moves as it must. The texts are in {}, what went wrong in {}.",
        code("data/behaviour/"),
        code(str(paths.plots("behaviour") / "failures.csv")),
    )
    return Section(
        "behaviour", title, (Text(intro), _chart(shares, counts), _table(shares, counts))
    )


def _chart(shares: Mapping[str, Metrics], counts: Mapping[str, int]) -> Scale:
    drawn = _drawn(list(shares))
    lines = tuple(
        Line(
            language.name(capability),
            # The best on top.
            tuple(
                Mark(series, shares[name][capability])
                for series, name in reversed(list(enumerate(drawn)))
            ),
            f"{shares[drawn[0]][capability] * count:.0f}/{count}",
        )
        for capability, count in counts.items()
    )
    ticks = tuple((f"{share:.0%}", share) for share in (0.0, 0.25, 0.5, 0.75, 1.0))
    heads = (say("capability"), say("share that is right"), breaking(drawn[0], "_"))
    return Scale(
        say("Share that is right, by capability"),
        heads,
        tuple(readable(name) or name for name in drawn),
        lines,
        ticks,
    )


def _drawn(names: list[str]) -> list[str]:
    """Return the best models, and behind them the best baseline; names are the best first."""
    models = [name for name in names if not name.startswith("baseline_")]
    baselines = [name for name in names if name not in models]
    return models[: DRAWN - 1] + baselines[:1]


def _table(shares: Mapping[str, Metrics], counts: Mapping[str, int]) -> Table:
    columns = (
        Column(say("capability"), number=False),
        Column(say("texts")),
        *(Column(breaking(name, "_")) for name in shares),
    )
    rows = tuple(
        (language.name(name), f"{count:,}", *(f"{of[name]:.2f}" for of in shares.values()))
        for name, count in counts.items()
    )
    return Table(say("Shares that are right"), columns, (Group(rows),), folded=True)
