"""What one would use for Chinese sentiment without this project, on the same splits.

One module per baseline. Its function `candidates` yields every setting that is tried, with a
function that scores reviews: the greater, the likelier positive.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import NamedTuple

import numpy as np

from stages import files
from stages.text.reviews import SEGMENTED, SPLITS


class Reviews(NamedTuple):
    """One split of the reviews.

    Attributes:
        ids: of each.
        texts: as they were prepared.
        tokens: their words, as the stage `segment` left them.
        labels: int8 of shape (N,).

    """

    ids: list[str]
    texts: list[str]
    tokens: list[list[str]]
    labels: np.ndarray


class Candidate(NamedTuple):
    """A setting that is tried: its parameters by name, and what scores reviews with it."""

    parameters: Mapping[str, float]
    score: Callable[[Reviews], np.ndarray]


Candidates = Iterator[Candidate]


def module(name: str) -> ModuleType:
    """Return the module of a baseline that stages.params knows."""
    return importlib.import_module(f"{__name__}.{name}")


def read(place: files.Location) -> dict[str, Reviews]:
    """Return all splits of the segmented reviews."""
    columns = ["id", "text", "tokens", "label", "split"]
    rows: dict[str, list[tuple[str, str, list[str], int]]] = {split: [] for split in SPLITS}
    for batch in files.read_parquet(place, SEGMENTED, columns):
        for *review, split in zip(*(batch[name].to_pylist() for name in columns), strict=True):
            rows[split].append(tuple(review))
    return {split: _columns(found) for split, found in rows.items()}


def _columns(rows: list[tuple[str, str, list[str], int]]) -> Reviews:
    ids, texts, tokens, labels = map(list, zip(*rows, strict=True))
    return Reviews(ids, texts, tokens, np.array(labels, np.int8))
