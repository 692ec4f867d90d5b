"""Classifiers of two classes beside each other.

Each is known by how likely it finds class 1: float64 of shape (N,), by split.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_repro.evaluation import scores, uncertainty
from keras_repro.evaluation.uncertainty import EVEN

Positive = Mapping[str, Mapping[str, np.ndarray]]


def metrics(
    positive: Positive, labels: Mapping[str, np.ndarray], baselines: Sequence[str], seed: int
) -> dict[str, Any]:
    """Return the name of the best baseline and the metrics of each classifier.

    Args:
        positive: by classifier.
        labels: by split; `validation` chooses baseline and thresholds, `test` measures.
        baselines: of whom the best is what all are tested against.
        seed: of the bootstrap.

    """
    chosen = {
        name: uncertainty.f1(labels["validation"], found["validation"] > EVEN)
        for name, found in positive.items()
    }
    baseline = max(baselines, key=chosen.__getitem__)
    test = labels["test"]
    said = {name: found["test"] > EVEN for name, found in positive.items()}
    thresholds = {
        name: uncertainty.best_threshold(labels["validation"], found["validation"])
        for name, found in positive.items()
    }
    decided = {name: found["test"] >= thresholds[name] for name, found in positive.items()}
    return {"baseline": baseline} | {
        name: {"val_f1": chosen[name]}
        | _alone(test, found["test"], thresholds[name], seed)
        | {"p_against_baseline": uncertainty.mcnemar(said[name] == test, said[baseline] == test)}
        | uncertainty.gain(test, said[name], said[baseline], seed)
        | _at_threshold(uncertainty.gain(test, decided[name], decided[baseline], seed))
        for name, found in positive.items()
    }


def _at_threshold(gain: dict[str, float]) -> dict[str, float]:
    return {key.replace("f1", "f1_at_threshold"): value for key, value in gain.items()}


def _alone(test: np.ndarray, positive: np.ndarray, threshold: float, seed: int) -> dict[str, float]:
    return {
        **scores.summary(test, as_classes(positive)),
        **uncertainty.intervals(test, positive > EVEN, seed),
        "brier": uncertainty.brier(test, positive),
        "threshold": threshold,
        "f1_at_threshold": uncertainty.f1(test, positive >= threshold),
    }


def by_part(
    positive: Positive, labels: np.ndarray, parts: Mapping[str, tuple[np.ndarray, Sequence[str]]]
) -> list[tuple[str, str, str, float, float, float]]:
    """Return accuracy, F1 and number of the test items of each part, for each classifier.

    Args:
        positive: by classifier.
        labels: of the test split, of shape (N,).
        parts: by what the items are parted, the place of each item's part and the parts' names.

    """
    return [
        (model, kind, part, of["accuracy"], of["f1"], of["n_test"])
        for model, found in positive.items()
        for kind, (places, names) in parts.items()
        for part, of in scores.by_source(labels, as_classes(found["test"]), places, names).items()
    ]


def reliability(positive: Positive, labels: np.ndarray) -> list[tuple[str, float, float, int]]:
    """Return how far the probabilities of each classifier hold, by tenths."""
    return [
        (name, *point)
        for name, found in positive.items()
        for point in uncertainty.reliability(labels, found["test"])
    ]


def as_classes(positive: np.ndarray) -> np.ndarray:
    """Return the probabilities of both classes, of shape (N, 2)."""
    return np.stack([1 - positive, positive], axis=1)
