"""What all parsers of image datasets return, and its check."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_repro.core import files
from keras_repro.core.errors import ReproError

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


class Images(NamedTuple):
    """Images of shape (N, height, width[, channels]) and labels of shape (N,), all uint8."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def read_npz(path: Path) -> Images:
    """Read an NPZ archive with these four arrays, as Keras hosts them; pickles are refused."""
    return Images(**files.read_npz(path, ARRAYS))


def checked(images: Images, origin: str) -> Images:
    """Return the images if they are uint8 and there is one label for each.

    Raises:
        ReproError: they are not.

    """
    for name, array in images._asdict().items():
        if array.dtype != np.uint8:
            raise ReproError(f"{origin}: {name} is {array.dtype}; expected uint8")
    for split in ("train", "test"):
        pixels, labels = getattr(images, f"x_{split}"), getattr(images, f"y_{split}")
        if len(pixels) != len(labels) or labels.ndim != 1:
            raise ReproError(
                f"{origin}: x_{split} has shape {pixels.shape} and y_{split} {labels.shape}; "
                "expected one label per image"
            )
    return images
