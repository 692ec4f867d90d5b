"""The tables that `dvc plots` draws."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_repro.core import files
from keras_repro.core.metrics import ALL
from keras_repro.evaluation import scores


def write(
    directory: Path, labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> None:
    """Write the confusion matrix' items, the metrics of each class and the two curves.

    Args:
        directory: gets confusion.csv, per_class.csv, precision_recall.csv and roc.csv.
        labels: of shape (N,).
        probabilities: of shape (N, classes).
        classes: their names.

    """
    predicted = probabilities.argmax(axis=1)
    items = zip(labels.tolist(), predicted.tolist(), strict=True)
    files.write_csv(
        directory / "confusion.csv",
        ("actual", "predicted"),
        ((classes[label], classes[guess]) for label, guess in items),
    )
    files.write_csv(
        directory / "per_class.csv",
        ("class", "precision", "recall", "f1", "n_test"),
        scores.per_class(labels, probabilities, classes),
    )
    files.write_csv(
        directory / "precision_recall.csv",
        ("recall", "precision"),
        scores.precision_recall(labels, probabilities),
    )
    files.write_csv(
        directory / "roc.csv",
        ("false_positive_rate", "true_positive_rate"),
        scores.roc(labels, probabilities),
    )


def write_by_source(directory: Path, metrics: Mapping[str, Mapping[str, float]]) -> None:
    """Write per_source.csv: the metrics of `scores.by_source`, a line per source."""
    files.write_csv(
        directory / "per_source.csv",
        ("source", *ALL),
        ((source, *(found[metric] for metric in ALL)) for source, found in metrics.items()),
    )
