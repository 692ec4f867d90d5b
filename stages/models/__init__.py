"""One module per model: `DATASET` says what it learns from, `build` returns it untrained.

Layers have names of their own, because the names that Keras gives count what the process built
before and would end up in the saved bytes. The last two layers are `logits` and `probabilities`.
"""

import importlib
from types import ModuleType
from typing import NamedTuple

import numpy as np


class Inputs(NamedTuple):
    """What a network must know of its data.

    Attributes:
        shape: of one image, without the batch; None for reviews.
        classes: the number of classes.
        vocabulary_size: the number of token ids; None for images.

    """

    shape: tuple[int, ...] | None
    classes: int
    vocabulary_size: int | None


class NgramInputs(NamedTuple):
    """What a network must know of reviews that are read as n-grams of characters and words.

    Attributes:
        classes: the number of classes.
        rarity: of each id, float32 of shape (ids,); 0 for the id 0, which pads.
        columns: how many ids a character has.

    """

    classes: int
    rarity: np.ndarray
    columns: int


class SequenceInputs(NamedTuple):
    """What a sequence model must know of its data.

    Attributes:
        vocabularies: the number of ids of each kind of token.

    """

    vocabularies: dict[str, int]


def module(name: str) -> ModuleType:
    """Return the module of a model that stages.params knows."""
    return importlib.import_module(f"{__name__}.{name}")
