"""The metrics and tables in metrics/, as far as they are there."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.metrics import SCORES
from keras_repro.evaluation import behaviour as cases

Metrics = Mapping[str, float]

# The columns of a table that says what each item is and what it was taken for.
GUESSES = {"actual": str, "predicted": str}

# What metrics/sentiment.json has of each that tells sentiment, as far as it is shown.
COMPARED = (
    *(f"{score}{end}" for score in SCORES for end in ("", "_low", "_high")),
    *("f1_gain", "f1_gain_low", "f1_gain_high", "p_against_baseline"),
    "brier",
)
# Of more than two classes none has these.
AT_THRESHOLD = (
    *("threshold", "f1_at_threshold"),
    *("f1_at_threshold_gain", "f1_at_threshold_gain_low", "f1_at_threshold_gain_high"),
)


class Comparison(NamedTuple):
    """What metrics/sentiment.json says.

    Attributes:
        baseline: the baseline that all are tested against.
        metrics: of each that tells sentiment.

    """

    baseline: str
    metrics: Mapping[str, Metrics]

    @property
    def of_two(self) -> bool:
        """Whether two classes are told apart, by a threshold."""
        return any("threshold" in of for of in self.metrics.values())


def metrics(name: str) -> Metrics:
    """Return the test metrics in metrics/NAME.json, none if the file is missing.

    Raises:
        ReproError: the file is no mapping of names to numbers.

    """
    path = paths.metrics(name)
    return _numbers(files.read_json(path), path) if path.is_file() else {}


def is_of_a_model(name: str) -> bool:
    """Say whether metrics/NAME.json has test metrics, not counts of reviews or of layers."""
    content = files.read_json(paths.metrics(name))
    return _are_numbers(content) and paths.metrics(name) != paths.REVIEW_COUNTS


def comparison() -> Comparison:
    """Return what metrics/sentiment.json says, no metrics if the file is missing.

    Raises:
        ReproError: it says something else, or lacks a metric.

    """
    path = paths.metrics("sentiment")
    if not path.is_file():
        return Comparison("", {})
    content = files.read_json(path)
    if not isinstance(content, dict) or content.get("baseline") not in content:
        raise ReproError(
            f"{path}: names no baseline among those it has; expected one "
            "(`dvc repro stages/sentiment/dvc.yaml:compare` makes the file)"
        )
    baseline = content.pop("baseline")
    found = Comparison(baseline, {name: _numbers(of, path) for name, of in content.items()})
    wanted = COMPARED + (AT_THRESHOLD if found.of_two else ())
    for name, of in found.metrics.items():
        if missing := [metric for metric in wanted if metric not in of]:
            raise ReproError(
                f"{path}: {name} lacks {missing[0]}; expected it "
                "(`dvc repro stages/sentiment/dvc.yaml:compare` makes the file)"
            )
    return found


class Behaviour(NamedTuple):
    """What metrics/behaviour.json says, and of how many texts.

    Attributes:
        shares: that are as they should be, of each that tells sentiment, the best first; those of
            capabilities by the capability's name.
        counts: of the cases and pairs of each capability.
        why_not: why nothing was asked, where the classes are others than those of the cases.

    """

    shares: Mapping[str, Metrics]
    counts: Mapping[str, int]
    why_not: str = ""


def behaviour() -> Behaviour:
    """Return what metrics/behaviour.json says, no shares if the file is missing.

    Raises:
        ReproError: it says something else, or lacks a capability.

    """
    path = paths.metrics("behaviour")
    items: list[cases.Case | cases.Pair] = [*cases.read_cases(), *cases.read_pairs()]
    counts = Counter(item.capability for item in items)
    content = files.read_json(path) if path.is_file() else {}
    if content.get("asked") == 0:
        return Behaviour({}, counts, str(content.get("why")))
    found = {name: _numbers(of, path) for name, of in content.items()}
    for name, of in found.items():
        if missing := [key for key in ("cases", *counts) if key not in of]:
            raise ReproError(
                f"{path}: {name} lacks {missing[0]}; expected it "
                "(`dvc repro stages/sentiment/dvc.yaml:behaviour` makes the file)"
            )
    return Behaviour(dict(sorted(found.items(), key=lambda item: -item[1]["cases"])), counts)


def table(
    path: Path, columns: Mapping[str, type], further: Mapping[str, type] | None = None
) -> pd.DataFrame | None:
    """Return the named columns of a CSV file, None if the file is missing.

    Args:
        path: of the file.
        columns: to read, with the type of their values.
        further: to read likewise, if the file has them.

    Raises:
        ReproError: the file is empty, lacks a column, or a value is of another type.

    """
    if not path.is_file():
        return None
    wanted = dict(columns) | dict(further or {})
    texts = {name: kind for name, kind in wanted.items() if kind is str}
    try:
        # No word is a missing value: reviews may be "NA" or "null".
        found = pd.read_csv(path, dtype=texts, keep_default_na=False)
        optional = set(further or {}) - set(found.columns)
        types = {name: kind for name, kind in wanted.items() if name not in optional}
        return found[list(types)].astype(types)
    except (OSError, ValueError, KeyError) as error:
        raise ReproError(
            f"{path}: cannot be read ({error}); expected the columns {', '.join(columns)} "
            "(`dvc repro` makes it)"
        ) from error


def _numbers(content: Any, path: Path) -> Metrics:
    if not _are_numbers(content):
        raise ReproError(
            f"{path}: holds something else than numbers; expected a number for each metric "
            "(`dvc repro` makes it)"
        )
    found: Metrics = content
    return found


def _are_numbers(content: Any) -> bool:
    return isinstance(content, dict) and all(map(_is_number, content.values()))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
