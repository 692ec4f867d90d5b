"""What a model reads: images, words or n-grams. A module for each kind, one protocol.

Whatever depends on the kind stands there: where the splits lie, what a network must know of them,
their batches, the details of a mistake, what a bundle needs, and how one new text or picture is
read. Nothing else asks for it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from keras_repro.core.params import Params

if TYPE_CHECKING:  # Keras takes seconds to import, and answering does without it
    import keras

    from keras_repro.inputs.batches import Batches


class ImageInputs(NamedTuple):
    """What a network must know of images.

    Attributes:
        shape: of one image, without the batch.
        classes: the number of classes.

    """

    shape: tuple[int, ...]
    classes: int


class WordInputs(NamedTuple):
    """What a network must know of texts as words.

    Attributes:
        vocabulary_size: the number of token ids.
        classes: the number of classes.

    """

    vocabulary_size: int
    classes: int


class NgramInputs(NamedTuple):
    """What a network must know of texts as n-grams of characters and words.

    Attributes:
        rarity: of each id, float32 of shape (ids,); 0 for the id 0, which pads.
        columns: how many ids a character has.
        classes: the number of classes.

    """

    rarity: np.ndarray
    columns: int
    classes: int


class SequenceInputs(NamedTuple):
    """What a sequence model must know of its data.

    Attributes:
        vocabularies: the number of ids of each kind of token.

    """

    vocabularies: dict[str, int]


class TrainingData(NamedTuple):
    """What training may see: the test split is not among it.

    Attributes:
        train: shuffled by seed and epoch.
        validation: in an order that suits prediction.
        inputs: what the model must accept.
        rows: what a row is, in the plural.
        loss: for batches with weights, in place of that of params.yaml.

    """

    train: "Batches"
    validation: "Batches"
    inputs: ImageInputs | WordInputs | NgramInputs | SequenceInputs
    rows: str
    loss: "keras.losses.Loss | None" = None


class Split(NamedTuple):
    """A split that is measured.

    Attributes:
        batches: in an order that suits prediction; `batches.rows` tells which rows each holds.
        labels: uint8 of shape (N,), in the dataset's order.
        sources: of shape (N,), the place in `source_names` of each row's.
        source_names: the corpora of reviews, or the one dataset of images.
        ids: bytes of shape (N,), the review ids; empty for images.

    """

    batches: "Batches"
    labels: np.ndarray
    sources: np.ndarray
    source_names: list[str]
    ids: np.ndarray = np.zeros(0, "S16")


class Details(NamedTuple):
    """What is told of each mistake beside the classes.

    Attributes:
        header: the names of the further columns.
        rows: their values by the row in the split, the worst mistake first.

    """

    header: tuple[str, ...]
    rows: dict[int, tuple[str, ...]]


class Kind(Protocol):
    """One kind of input, for the models of one dataset.

    Attributes:
        folder: of the predictions on it, below data/predictions.
        path: the file that holds the splits.

    """

    folder: str
    path: Path

    def classes(self) -> Sequence[str]:
        """Return the names of the classes, by label."""

    def training(self, settings: Any, seed: int) -> TrainingData:
        """Return what trains and what validates a model with this section of params.yaml."""

    def split(self, name: str, settings: Any, seed: int, batch_size: int) -> Split:
        """Return the validation or the test split of that model."""

    def details(self, rows: np.ndarray, params: Params) -> Details:
        """Return what is told of rows of the test split."""

    def pack(self, model: "keras.Model", params: Params, directory: Path) -> Any:
        """Write the files that reading needs into a bundle; return its section of bundle.json."""


def of(dataset: str) -> Kind:
    """Return the kind of input of the models whose `DATASET` this is."""
    if dataset == "reviews":
        from keras_repro.inputs.words import Words

        return Words()
    if dataset == "ngrams":
        from keras_repro.inputs.ngrams import Ngrams

        return Ngrams()
    from keras_repro.inputs.images import Images

    return Images(dataset)
