"""What a reader wants first: what is best, whether it beats the baselines, what was checked."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Params
from keras_repro.datasets import registry
from keras_repro.reporting import intervals, readings
from keras_repro.reporting.blocks import Card, Cards, Cell, Section, code
from keras_repro.reporting.language import say, tell
from keras_repro.reporting.overview import readable
from keras_repro.reproducibility import gates, lock

TASKS = {registry.REVIEWS: "Reviews", "mnist": "Digits", "cifar10": "Photographs"}


class Best(NamedTuple):
    """The best model of a task.

    Attributes:
        name: of the model.
        metric: that tells which is the best.
        value: of it.
        interval: the ends of its 95 % interval, where it is known.

    """

    name: str
    metric: str
    value: float
    interval: tuple[float, float] | None


def section(settings: Params) -> Section:
    """Return three cards; one without anything to say is left out.

    Raises:
        ReproError: a file in metrics/ is at fault.

    """
    found = (_best(settings), _against_baselines(settings), _checked(settings))
    cards = tuple(card for card in found if card)
    return Section("headline", say("At a glance"), (Cards(cards),) if cards else ())


def _best(settings: Params) -> Card | None:
    lines = []
    for dataset, title in TASKS.items():
        names = [name for name in settings.models if registry.dataset_of(name) == dataset]
        if best := _best_of(names, dataset):
            lines.append(_task(say(title), best))
    return Card(say("Best on each task"), "", tuple(lines)) if lines else None


def _task(title: str, best: Best) -> Markup:
    low_to_high = ""
    if best.interval:
        low, high = best.interval
        low_to_high = say("95 %: {} to {}").format(f"{low:.3f}", f"{high:.3f}")
    told = Markup('<span class="task">{}</span> <b>{}</b> {} <small>{} <span>{}</span></small>')
    return told.format(title, f"{best.value:.3f}", say(best.metric), code(best.name), low_to_high)


def _best_of(names: list[str], dataset: str) -> Best | None:
    """Return the model with the best F1 for reviews, the best accuracy for images."""
    metric = "f1" if dataset == registry.REVIEWS else "accuracy"
    measured = {name: of for name in names if metric in (of := readings.metrics(name))}
    if not measured:
        return None
    name = max(measured, key=lambda name: measured[name][metric])
    value = measured[name][metric]
    title = "F1" if metric == "f1" else metric
    if dataset != registry.REVIEWS:
        return Best(name, title, value, _of_shares(name, value))
    compared = readings.comparison().metrics.get(name, {})
    # Of another run, an interval would not be one of this metric.
    is_same = compared.get("f1") == value
    interval = (compared["f1_low"], compared["f1_high"]) if is_same else None
    return Best(name, title, value, interval)


def _of_shares(name: str, accuracy: float) -> tuple[float, float] | None:
    """Return the interval of Wilson (1927) of the share of test items that is right."""
    table = readings.table(paths.plots(name) / "confusion.csv", readings.GUESSES)
    if table is None or not len(table):
        return None
    right = int((table["actual"] == table["predicted"]).sum())
    if round(right / len(table), 6) != accuracy:
        return None
    return intervals.of_share(accuracy, len(table))


def _against_baselines(settings: Params) -> Card | None:
    found = readings.comparison()
    models = [name for name in registry.of_reviews(settings.models) if name in found.metrics]
    baselines = [name for name in settings.baseline_names if name in found.metrics]
    if not (models and baselines):
        return None
    best = max(models, key=lambda name: found.metrics[name]["f1"])
    of = found.metrics[best]
    below = [name for name in baselines if found.metrics[name]["f1"] < of["f1"]]
    gain = say("{} ({} to {})").format(
        *(f"{of[key]:+.3f}" for key in ("f1_gain", "f1_gain_low", "f1_gain_high"))
    )
    lines: list[Cell] = [
        tell("baselines have a lower F1 than {}", code(best)),
        tell(
            "Above {}, the best of them on validation: {}",
            readable(found.baseline) or found.baseline,
            gain,
        ),
        say(
            "The interval leaves 0 out: chance alone hardly explains it."
            if of["f1_gain_low"] > 0
            else "The interval has 0 in it: chance alone may explain it."
        ),
    ]
    figure = say("{} of {}").format(len(below), len(baselines))
    return Card(say("Against the baselines"), figure, tuple(lines))


def _checked(settings: Params) -> Card | None:
    lines = list(_of_locks())
    met, all_of = _gates(settings)
    if all_of:
        told = tell("minimum metrics of {} are met", code(str(paths.GATES)))
        figure = say("{} of {}").format(met, all_of)
        lines.insert(0, told)
    else:
        figure = ""
    if not lines:
        return None
    lines.append(tell("{} trains all anew and compares every output.", code("make verify")))
    return Card(say("What was checked"), figure, tuple(lines))


def _gates(settings: Params) -> tuple[int, int]:
    """Return how many of the minimum metrics are met, and of how many."""
    if not paths.GATES.is_file():
        return 0, 0
    count: Counter[bool] = Counter()
    for name, gate in gates.load(list(settings.models)).items():
        try:
            below = len(gates.shortfalls({name: gate}))
        except ReproError:  # not measured, of which the results say more
            continue
        asked = len(gate.model_dump(exclude_none=True))
        count += Counter({True: asked - below, False: below})
    return count[True], count.total()


def _of_locks() -> Iterator[Cell]:
    """Say how many metrics files are those that DVC recorded."""
    recorded = _recorded()
    if not recorded:
        return
    same = sum(path.is_file() and files.md5(path) == md5 for path, md5 in recorded.items())
    yield tell(
        "{} of {} files in {} are those that {} records.",
        same,
        len(recorded),
        code("metrics/"),
        code(str(paths.LOCK)),
    )


def _recorded() -> Mapping[Path, str]:
    if not paths.LOCK.is_file():
        return {}
    outputs = lock.outputs(paths.LOCK.parent)
    return {path: of.md5 for path, of in outputs.items() if path.parts[0] == str(paths.METRICS)}
