"""Classifiers beside each other.

Each is known by its probabilities by split: float64, of shape (N,) of class 1 of two, else of shape
(N, classes).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_repro.evaluation import scores, uncertainty
from keras_repro.evaluation.scores import as_classes

Predicted = Mapping[str, Mapping[str, np.ndarray]]


def metrics(
    predicted: Predicted, labels: Mapping[str, np.ndarray], baselines: Sequence[str], seed: int
) -> dict[str, Any]:
    """Return the name of the best baseline and the metrics of each classifier.

    Args:
        predicted: by classifier.
        labels: by split; `validation` chooses baseline and thresholds, `test` measures.
        baselines: of whom the best is what all are tested against.
        seed: of the bootstrap.

    """
    said = {
        name: {split: as_classes(each).argmax(axis=1) for split, each in found.items()}
        for name, found in predicted.items()
    }
    first = next(iter(predicted.values()))
    classes = as_classes(first["test"]).shape[1]
    chosen = {
        name: uncertainty.f1(labels["validation"], found["validation"], classes)
        for name, found in said.items()
    }
    baseline = max(baselines, key=chosen.__getitem__)
    test, rival = labels["test"], said[baseline]["test"]
    at_threshold = _at_threshold(predicted, labels, baseline, seed)
    return {"baseline": baseline} | {
        name: {"val_f1": chosen[name]}
        | scores.summary(test, as_classes(found["test"]))
        | uncertainty.intervals(test, said[name]["test"], seed, classes)
        | {"brier": uncertainty.brier(test, as_classes(found["test"]))}
        | {"p_against_baseline": uncertainty.mcnemar(said[name]["test"] == test, rival == test)}
        | uncertainty.gain(test, said[name]["test"], rival, seed, classes)
        | at_threshold.get(name, {})
        for name, found in predicted.items()
    }


def _at_threshold(
    predicted: Predicted, labels: Mapping[str, np.ndarray], baseline: str, seed: int
) -> dict[str, dict[str, float]]:
    """Return the thresholds of classifiers of two classes, and F1 with them; none of more."""
    positive = {name: of for name, of in predicted.items() if of["test"].ndim == 1}
    thresholds = {
        name: uncertainty.best_threshold(labels["validation"], found["validation"])
        for name, found in positive.items()
    }
    decided = {name: found["test"] >= thresholds[name] for name, found in positive.items()}
    found = {}
    for name, said in decided.items():
        gain = uncertainty.gain(labels["test"], said, decided[baseline], seed)
        found[name] = {
            "threshold": thresholds[name],
            "f1_at_threshold": uncertainty.f1(labels["test"], said),
        } | {key.replace("f1", "f1_at_threshold"): value for key, value in gain.items()}
    return found


def by_part(
    predicted: Predicted,
    labels: np.ndarray,
    parts: Mapping[str, tuple[np.ndarray, Sequence[str]]],
) -> list[tuple[str, str, str, float, float, float]]:
    """Return accuracy, F1 and number of the test items of each part, for each classifier.

    Args:
        predicted: by classifier.
        labels: of the test split, of shape (N,).
        parts: by what the items are parted, the place of each item's part and the parts' names.

    """
    return [
        (model, kind, part, of["accuracy"], of["f1"], of["n_test"])
        for model, found in predicted.items()
        for kind, (places, names) in parts.items()
        for part, of in scores.by_source(labels, as_classes(found["test"]), places, names).items()
    ]


def reliability(predicted: Predicted, labels: np.ndarray) -> list[tuple[str, float, float, int]]:
    """Return how far the probabilities of each classifier hold, by tenths.

    Of more than two classes the probability of each class counts, against all others.
    """
    return [
        (name, *point)
        for name, found in predicted.items()
        for point in uncertainty.reliability(*scores.as_binary(labels, as_classes(found["test"])))
    ]
