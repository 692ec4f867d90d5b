"""CIFAR-10 as its authors publish it for C: records of one label and 3 × 32 × 32 bytes.

A record's pixels are all red values, row by row, then all green, then all blue.
"""

from pathlib import Path

import numpy as np

from keras_repro.core.errors import ReproError
from keras_repro.datasets import archives
from keras_repro.datasets.images import Images

FOLDER = "cifar-10-batches-bin"
TRAIN = tuple(f"{FOLDER}/data_batch_{number}.bin" for number in range(1, 6))
TEST = (f"{FOLDER}/test_batch.bin",)
CHANNELS, SIDE = 3, 32
RECORD = 1 + CHANNELS * SIDE * SIDE


def parse(path: Path) -> Images:
    """Read the six batches of cifar-10-binary.tar.gz."""
    members = archives.read_members(path, TRAIN + TEST)
    x_train, y_train = _records(TRAIN, members)
    x_test, y_test = _records(TEST, members)
    return Images(x_train, y_train, x_test, y_test)


def _records(names: tuple[str, ...], members: dict[str, bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Return images of shape (N, 32, 32, 3) and labels of shape (N,)."""
    for name in names:
        if not members[name] or len(members[name]) % RECORD:
            raise ReproError(f"{name}: {len(members[name])} bytes; expected a multiple of {RECORD}")
    records = np.frombuffer(b"".join(members[name] for name in names), np.uint8)
    records = records.reshape(-1, RECORD)
    pixels = records[:, 1:].reshape(-1, CHANNELS, SIDE, SIDE).transpose(0, 2, 3, 1)
    return pixels, records[:, 0]
