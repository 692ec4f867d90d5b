"""The splits of a model's dataset as batches."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import keras
import numpy as np
from sklearn.utils.extmath import softmax

from stages import ReproError, files, params, paths
from stages.datasets import images
from stages.models import Inputs, NgramInputs, SequenceInputs
from stages.text import ngrams, ragged, reviews
from stages.training import batches
from stages.training.batches import Batches

Gather = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
Reading = Callable[[np.ndarray], np.ndarray]


class TrainingData(NamedTuple):
    """What training may see: the test split is not among it.

    Attributes:
        train: shuffled by seed and epoch.
        validation: in an order that suits prediction.
        inputs: what the model must accept.
        items: what a row is, in the plural.
        loss: for batches with weights, in place of that of params.yaml.

    """

    train: Batches
    validation: Batches
    inputs: Inputs | NgramInputs | SequenceInputs
    items: str
    loss: keras.losses.Loss | None = None


class TestData(NamedTuple):
    """A split that is measured: the test split, or that of validation.

    Attributes:
        batches: in an order that suits prediction; `batches.rows` tells which rows each holds.
        labels: uint8 of shape (N,), in the dataset's order.
        sources: of shape (N,), the place in `source_names` of each item's.
        source_names: the corpora of reviews, or the one dataset of images.
        ids: bytes of shape (N,), the review ids; empty for images.
        lengths: of shape (N,), the number of tokens of each review; empty for images.

    """

    batches: Batches
    labels: np.ndarray
    sources: np.ndarray
    source_names: list[str]
    ids: np.ndarray = np.zeros(0, "S16")
    lengths: np.ndarray = np.zeros(0, np.int64)


# What reviews are read as, and where: words or n-grams of characters.
REVIEWS = {"reviews": paths.ENCODED_REVIEWS, "ngrams": paths.NGRAMS}


def source(dataset: str) -> Path:
    """Return the file that holds the splits of mnist, cifar10, reviews or ngrams."""
    return REVIEWS[dataset] if dataset in REVIEWS else paths.raw_images(dataset)


def load_training(dataset: str, settings: params.Training, seed: int) -> TrainingData:
    """Return the training and validation splits of mnist, cifar10, reviews or ngrams."""
    if isinstance(settings, params.ImageTraining):
        return _training_images(dataset, settings, seed)
    return _training_reviews(dataset, settings, seed)


def one_hot(data: TrainingData) -> TrainingData:
    """Return the same splits with labels of shape (N, classes), 1 for an item's class, else 0."""
    inputs = cast(Inputs | NgramInputs, data.inputs)  # the loss of a SequenceTraining takes numbers
    encode = partial(keras.utils.to_categorical, num_classes=inputs.classes)
    return data._replace(
        train=data.train.with_labels(encode), validation=data.validation.with_labels(encode)
    )


def load_test(dataset: str, batch_size: int) -> TestData:
    """Return the test split of mnist, cifar10, reviews or ngrams."""
    if dataset in REVIEWS:
        return load_split(dataset, "test", batch_size)
    data = _read_images(dataset)
    gather = partial(_gather_images, data.x_test, data.y_test)
    count = len(data.y_test)
    sources = np.zeros(count, np.uint16)
    return TestData(_in_order(gather, count, batch_size), data.y_test, sources, [dataset])


def load_split(dataset: str, split: str, batch_size: int) -> TestData:
    """Return a split of reviews or ngrams as the test split is measured."""
    encoded = ragged.read(split, REVIEWS[dataset])
    ordered = _reviews_in_order(encoded, _reading(dataset), batch_size)
    sources = ragged.read_sources(REVIEWS[dataset])
    return TestData(ordered, encoded.labels, encoded.sources, sources, encoded.ids, encoded.lengths)


def predict(model: keras.Model, data: Batches) -> np.ndarray:
    """Return probabilities of shape (N, classes) in the dataset's order, whatever the batches'.

    They are float64 and the softmax is NumPy's: TensorFlow's approximates a reciprocal, whose last
    bits differ from one vendor's processors to the other's.
    """
    return as_probabilities(logits(model, data))


def logits(model: keras.Model, data: Batches) -> np.ndarray:
    """Return the logits that `predict` makes probabilities of, float64 of shape (N, classes)."""
    scorer = keras.Model(model.inputs, model.get_layer("logits").output)
    found = scorer.predict(data, verbose=1 if sys.stderr.isatty() else 2)
    ordered = np.empty(found.shape, np.float64)
    ordered[np.concatenate(data.rows)] = found
    return ordered


def as_probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of float64 logits of shape (N, classes)."""
    probabilities: np.ndarray = softmax(logits)
    return probabilities


def _training_images(dataset: str, settings: params.ImageTraining, seed: int) -> TrainingData:
    data = _read_images(dataset)
    # The rows that validate are drawn, not cut off the end, where the images may be of one kind.
    rows = np.random.default_rng(seed).permutation(len(data.y_train))
    count = round(len(rows) * settings.validation_fraction)
    if not 0 < count < len(rows):
        raise ReproError(
            f"{paths.raw_images(dataset)}: {len(rows)} training images, of which "
            f"validation_fraction {settings.validation_fraction:g} takes {count}; "
            "expected at least one to train and one to validate"
        )
    validation, train = np.sort(rows[:count]), np.sort(rows[count:])
    size = settings.batch_size
    return TrainingData(
        train=Batches(
            lambda chosen: _gather_images(data.x_train, data.y_train, train[chosen]),
            lambda random: batches.shuffled(len(train), size, random),
            seed,
        ),
        validation=_in_order(
            lambda chosen: _gather_images(data.x_train, data.y_train, validation[chosen]),
            len(validation),
            size,
        ),
        inputs=Inputs(data.x_train.shape[1:], int(data.y_train.max()) + 1, None),
        items="images",
    )


def _training_reviews(dataset: str, settings: params.Training, seed: int) -> TrainingData:
    train, validation = (ragged.read(split, REVIEWS[dataset]) for split in ("train", "validation"))
    reading = _reading(dataset)
    return TrainingData(
        train=Batches(
            partial(_gather_reviews, train, reading),
            lambda random: batches.by_length(train.lengths, settings.batch_size, random),
            seed,
        ),
        validation=_reviews_in_order(validation, reading, settings.batch_size),
        inputs=_review_inputs(dataset),
        items="reviews",
    )


def _review_inputs(dataset: str) -> Inputs | NgramInputs:
    if dataset == "reviews":
        return Inputs(None, len(reviews.CLASSES), ragged.read_vocabulary_size())
    census = ngrams.read_census()
    return NgramInputs(len(reviews.CLASSES), census.rarity(), census.keys().columns)


def _reading(dataset: str) -> Reading:
    """Return what makes of padded ids of shape (N, length) that which a model reads."""
    return ngrams.read_census().keys().ids if dataset == "ngrams" else np.asarray


def _read_images(dataset: str) -> images.Images:
    path = paths.raw_images(dataset)
    return images.checked(images.Images(**files.read_npz(path, images.ARRAYS)), str(path))


def _gather_images(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x[rows], y[rows]


def _gather_reviews(
    encoded: ragged.Encoded, reading: Reading, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return reading(encoded.padded(rows)), encoded.labels[rows]


def _in_order(gather: Gather, count: int, batch_size: int) -> Batches:
    return Batches(gather, lambda _: batches.in_order(count, batch_size), seed=0)


def _reviews_in_order(encoded: ragged.Encoded, reading: Reading, batch_size: int) -> Batches:
    return Batches(
        partial(_gather_reviews, encoded, reading),
        lambda _: batches.by_length(encoded.lengths, batch_size, None),
        seed=0,
    )
