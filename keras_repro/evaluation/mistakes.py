"""The test items that a model was surest about and wrong."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_repro.core import files
from keras_repro.inputs import Details


def worst(labels: np.ndarray, probabilities: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of the `count` wrong predictions with the greatest probability.

    Of equally wrong ones the earlier row comes first.
    """
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    sureness = probabilities[wrong, predicted[wrong]]
    return wrong[np.argsort(-sureness, kind="stable")][:count]


def write(
    directory: Path,
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    details: Details,
) -> None:
    """Write mistakes.csv: a line per row of the test split that `details` tells of."""
    predicted = probabilities.argmax(axis=1)
    files.write_csv(
        directory / "mistakes.csv",
        ("row", "actual", "predicted", "probability", *details.header),
        (
            (
                row,
                classes[labels[row]],
                classes[predicted[row]],
                float(probabilities[row, predicted[row]]),
                *more,
            )
            for row, more in details.rows.items()
        ),
    )
