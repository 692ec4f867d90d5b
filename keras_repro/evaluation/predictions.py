"""What a classifier says of the validation and the test split: made once, read by all.

A classifier of reviews has the texts of data/behaviour/ as a third split.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Baselines, Params

SPLITS = ("validation", "test")


class Predictions(NamedTuple):
    """The predictions on one split, in the dataset's order.

    Attributes:
        probabilities: float64; of the second class where there are two, of shape (N,), else of all,
            of shape (N, classes).
        ids: bytes of shape (N,), the review ids; empty for images.

    """

    probabilities: np.ndarray
    ids: np.ndarray


def of(probabilities: np.ndarray, ids: np.ndarray) -> Predictions:
    """Return probabilities of shape (N, classes) as predictions."""
    two = probabilities.shape[1] == 2  # noqa: PLR2004
    return Predictions(probabilities[:, 1] if two else probabilities, ids)


def write(path: Path, predictions: Mapping[str, Predictions]) -> None:
    """Write the predictions on each split."""
    probabilities = {split: found.probabilities for split, found in predictions.items()}
    ids = {f"{split}_ids": found.ids for split, found in predictions.items()}
    files.write_npz(path, probabilities | ids)


def read(path: Path, ids: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the probabilities on each split.

    Args:
        path: of the predictions.
        ids: of the rows that each split has.

    Raises:
        ReproError: the file is missing, truncated, or of other rows.

    """
    arrays = files.read_npz(path, [*ids, *(f"{split}_ids" for split in ids)])
    for split, expected in ids.items():
        if not np.array_equal(arrays[f"{split}_ids"], expected):
            raise ReproError(
                f"{path}: other rows in {split} than the data has now; "
                "expected the same (run `dvc repro`)"
            )
    return {split: arrays[split] for split in ids}


def of_reviews(settings: Params) -> dict[str, Path]:
    """Return where the predictions of each classifier of reviews lie, by its name.

    Raises:
        ReproError: no model has made any.

    """
    found = {name: paths.predictions("reviews", name) for name in settings.models}
    found = {name: path for name, path in found.items() if path.is_file()}
    if not found:
        raise ReproError(
            f"{paths.predictions('reviews', 'NAME').parent}: no predictions of a model; expected "
            "those of the stage `evaluate` (run `dvc repro`)"
        )
    baselines = Baselines.model_fields
    return {f"baseline_{name}": paths.predictions("baselines", name) for name in baselines} | found
