"""Rows with equal ids, found in constant memory however many rows there are."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self

import numpy as np

KEPT, DUPLICATE, CONTRADICTORY = 1, 2, 3

# Ids are uniform, so parts by their leading bits are of equal size: 16 million rows of a thousand
# million, 270 MB on disk and some 600 MB while they are sorted.
PART_BITS = 6
ROW = np.dtype([("id", "<u8"), ("row", "<i8"), ("label", "i1")])


class Repetitions:
    """Finds what repeats an earlier row and what contradicts another.

    Args:
        directory: an empty one, which gets 17 bytes per row.

    """

    def __init__(self, directory: Path) -> None:
        self._paths = [directory / f"{part}.bin" for part in range(1 << PART_BITS)]
        self._open = ExitStack()
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        self._files = [self._open.enter_context(path.open("wb")) for path in self._paths]
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, ids: np.ndarray, rows: np.ndarray, labels: np.ndarray) -> None:
        """Add rows: ids as uint64, growing row numbers, labels, each of shape (N,)."""
        table = np.empty(len(ids), ROW)
        table["id"], table["row"], table["label"] = ids, rows, labels
        part = ids >> np.uint64(64 - PART_BITS)
        order = np.argsort(part, kind="stable")
        ends = np.searchsorted(part[order], np.arange(len(self._files)), side="right")
        for file, piece in zip(self._files, np.split(table[order], ends[:-1]), strict=True):
            file.write(piece.tobytes())

    def outcomes(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield, part by part, row numbers and what becomes of them.

        The first row of an id is KEPT, later ones are DUPLICATE; all are CONTRADICTORY if the id
        has several labels.
        """
        self._open.close()
        for path in self._paths:
            table = np.fromfile(path, ROW)
            if len(table):
                yield _outcomes(table)


def _outcomes(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    table = table[np.argsort(table["id"], kind="stable")]
    first = np.concatenate([[True], table["id"][1:] != table["id"][:-1]])
    starts = np.flatnonzero(first)
    mixed = np.maximum.reduceat(table["label"], starts) != np.minimum.reduceat(
        table["label"], starts
    )
    outcome = np.where(first, KEPT, DUPLICATE).astype(np.int8)
    outcome[np.repeat(mixed, np.diff(np.append(starts, len(table))))] = CONTRADICTORY
    return table["row"], outcome
