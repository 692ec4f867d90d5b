"""The test metrics of all models, where the service is run beside them."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_repro.bundles.bundle import Measured
from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.metrics import SCORES
from keras_repro.datasets import registry
from keras_repro.reporting.results import BASELINES, TUTORIAL

_CORPUS, _COUNT = "kept_from_", "test_"  # what keys of metrics/reviews.json begin with


def rows(answering: Mapping[str, Measured], root: Path = paths.ROOT) -> list[dict[str, Any]]:
    """Return the metrics of each model and of each baseline that was measured, best F1 marked.

    Of reviews, those alone that were measured on the test split of the corpus that is here: after
    `reviews.path` was changed, the metrics of what has not run since are of another. A bundle that
    was copied elsewhere has no metrics beside it; then there are no rows.

    Args:
        answering: how the models that answer were measured; other metrics of a model of that name
            are of another one.
        root: where metrics/ lies.

    """
    baselines = {f"baseline_{name}": title for name, title in BASELINES.items()}
    try:
        models = params.load(root / paths.PARAMS).models
    except ReproError:
        return []
    titles: dict[str, str | None] = dict.fromkeys(models) | baselines
    counts = _json(root / paths.REVIEW_COUNTS)
    shares = _json(root / paths.metrics("behaviour"))
    compared = _json(root / paths.metrics("sentiment"))
    found = []
    for name, title in titles.items():
        measured = _json(root / paths.metrics(name))
        dataset = registry.dataset_of(name)
        of_reviews = dataset == registry.REVIEWS
        if not {*SCORES, "n_test"} <= set(measured):
            continue
        if name in answering and _is_of_another(answering[name], measured):
            continue
        if of_reviews and not _is_of_this_corpus(root / paths.plots(name), counts):
            continue
        # What `behaviour` says is of the run that `compare` saw.
        is_current = _of(compared, name).get("f1") == measured["f1"]
        found.append(
            {key: measured[key] for key in (*SCORES, "n_test")}
            | {
                "name": name,
                "title": title,
                "dataset": dataset,
                "corpora": _corpora(counts) if of_reviews else [],
                "cases": _of(shares, name).get("cases") if is_current else None,
                # Of reviews it states metrics on others.
                "tutorial": None if of_reviews else TUTORIAL.get(name),
            }
        )
    return [each | {"best": _is_best(each, found)} for each in found]


def _is_best(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a row has the highest F1 of several of one dataset."""
    others = [each["f1"] for each in rows if each["dataset"] == row["dataset"] and each is not row]
    return bool(others) and row["f1"] > max(others)


def _json(path: Path) -> dict[str, Any]:
    """Return the object of a file, an empty one if there is none."""
    try:
        content = files.read_json(path)
    except ReproError:
        return {}
    return content if isinstance(content, dict) else {}


def _of(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    of = content.get(name)
    return of if isinstance(of, dict) else {}


def _is_of_another(answering: Measured, measured: Mapping[str, Any]) -> bool:
    return (answering.n_test, answering.f1) != (measured["n_test"], measured["f1"])


def _corpora(counts: Mapping[str, Any]) -> list[str]:
    named = (key.removeprefix(_CORPUS) for key in counts if key.startswith(_CORPUS))
    return [name for name in named if counts[f"{_CORPUS}{name}"]]


def _is_of_this_corpus(plots: Path, counts: Mapping[str, Any]) -> bool:
    """Say whether the test items of a model are as many of each class as the corpus has."""
    expected = {
        key.removeprefix(_COUNT): value
        for key, value in counts.items()
        if key.startswith(_COUNT) and value
    }
    try:
        with (plots / "confusion.csv").open(encoding="utf-8", newline="") as file:
            return Counter(row["actual"] for row in csv.DictReader(file)) == expected
    except (OSError, KeyError, csv.Error, UnicodeDecodeError):
        return False
