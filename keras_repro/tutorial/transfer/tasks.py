"""Images of some of CIFAR-10's classes, many or few of each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Task
from keras_repro.datasets import images, registry
from keras_repro.inputs import batches
from keras_repro.inputs.batches import Batches

DATASET = "cifar10"
IMAGE_SHAPE = (32, 32, 3)


class Examples(NamedTuple):
    """Inputs of shape (N, ...) and labels of shape (N,), each the place of its class in the task.

    The inputs are uint8 images or a backbone's float32 features.
    """

    x: np.ndarray
    y: np.ndarray

    def shuffled(self, batch_size: int, seed: int) -> Batches:
        """Return batches in an order that depends on the seed and the epoch."""
        return Batches(
            self._gather,
            lambda random: batches.shuffled(len(self.y), batch_size, random),
            seed,
        )

    def in_order(self, batch_size: int) -> Batches:
        """Return batches for prediction."""
        return Batches(self._gather, lambda _: batches.in_order(len(self.y), batch_size), seed=0)

    def _gather(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.x[rows], self.y[rows]


def for_training(task: Task, seed: int) -> tuple[Examples, Examples]:
    """Return what a task trains on and what validates it, from the dataset's training images.

    Raises:
        ReproError: a class is unknown or has too few images.

    """
    data = _read()
    labels = _labels(task.classes)
    train, validation = _draw(data.y_train, labels, task, np.random.default_rng(seed))
    return (
        _relabelled(data.x_train, data.y_train, train, labels),
        _relabelled(data.x_train, data.y_train, validation, labels),
    )


def for_test(task: Task) -> Examples:
    """Return all test images of a task's classes."""
    data = _read()
    labels = _labels(task.classes)
    rows = np.flatnonzero(np.isin(data.y_test, labels))
    return _relabelled(data.x_test, data.y_test, rows, labels)


def read_features() -> tuple[Examples, Examples]:
    """Return the features that train and those that validate, as the stage `features` left them."""
    names = [f"{kind}_{split}" for split in ("train", "validation") for kind in "xy"]
    arrays = files.read_npz(paths.FEATURES, names)
    x_train, y_train, x_validation, y_validation = (arrays[name] for name in names)
    return Examples(x_train, y_train), Examples(x_validation, y_validation)


def _read() -> images.Images:
    path = paths.raw_images(DATASET)
    return images.checked(images.read_npz(path), str(path))


def _labels(classes: Sequence[str]) -> list[int]:
    """Return the dataset's labels of the classes."""
    known = registry.load().images(DATASET).classes
    for name in classes:
        if name not in known:
            raise ReproError(
                f"{paths.PARAMS}: transfer has the class {name!r}; expected some of "
                f"{', '.join(known)}"
            )
    return [known.index(name) for name in classes]


def _draw(
    y: np.ndarray, labels: Sequence[int], task: Task, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw from each class the rows that train and, first, those that validate.

    Drawn in this order, a task with more images to train on keeps those that validate.
    """
    train, validation = [], []
    for name, label in zip(task.classes, labels, strict=True):
        rows = random.permutation(np.flatnonzero(y == label))
        least = task.validation_per_class + (task.images_per_class or 1)
        if len(rows) < least:
            raise ReproError(
                f"{paths.raw_images(DATASET)}: {len(rows)} training images of {name!r}; expected "
                f"at least {least} for images_per_class and validation_per_class"
            )
        validation.append(rows[: task.validation_per_class])
        train.append(rows[task.validation_per_class :][: task.images_per_class])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(validation))


def _relabelled(x: np.ndarray, y: np.ndarray, rows: np.ndarray, labels: Sequence[int]) -> Examples:
    places = np.zeros(max(labels) + 1, np.uint8)
    places[list(labels)] = range(len(labels))
    return Examples(x[rows], places[y[rows]])
