"""NPZ archives with the arrays x_train, y_train, x_test and y_test, as Keras hosts them."""

from pathlib import Path

from stages import files
from stages.datasets.images import ARRAYS, Images


def parse(path: Path) -> Images:
    """Read the four arrays; pickled objects are refused."""
    return Images(**files.read_npz(path, ARRAYS))
