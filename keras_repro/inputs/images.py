"""Images of a registered dataset, as data/raw/NAME.npz holds them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import ImageTraining, Params, Section
from keras_repro.datasets import images, registry
from keras_repro.inputs import Details, ImageInputs, Split, TrainingData

if TYPE_CHECKING:
    import keras

    from keras_repro.inputs.batches import Batches


class ImageReading(Section):
    """How a model of images reads a picture.

    Attributes:
        kind: tells the kinds of readings apart.
        shape: of an image: height, width and, where there are colours, 3.

    """

    kind: Literal["images"]
    shape: Annotated[tuple[int, ...], Field(strict=False)]

    @property
    def packages(self) -> tuple[str, ...]:
        """None: whatever Pillow reads is scaled to a few pixels."""
        return ()

    def read(self, picture: Path | IO[bytes], name: str) -> np.ndarray:
        """Return a picture as training had the images, uint8 of shape (1, *shape).

        Args:
            picture: PNG, JPEG or whatever Pillow reads, of any size.
            name: what messages call it.

        Raises:
            ReproError: it is no picture, too large, or has nothing on it.

        """
        from keras_repro.inputs import pictures  # imports Pillow, which texts do without

        return pictures.read(picture, name, self.shape)[None]


class Images:
    """The images that the models of one dataset read.

    Args:
        dataset: mnist or cifar10.

    """

    folder = "images"

    def __init__(self, dataset: str) -> None:
        self._dataset = dataset
        self.path = paths.raw_images(dataset)

    def classes(self) -> Sequence[str]:
        """Return the names of the classes, by label."""
        return registry.load().images(self._dataset).classes

    def training(self, settings: ImageTraining, seed: int) -> TrainingData:
        """Return what trains and what validates, both drawn from the training images."""
        from keras_repro.inputs import batches

        x, y = self._arrays("train")
        train, validation = self._parted(len(y), settings, seed)
        size = settings.batch_size
        return TrainingData(
            train=batches.Batches(
                lambda chosen: (x[train[chosen]], y[train[chosen]]),
                lambda random: batches.shuffled(len(train), size, random),
                seed,
            ),
            validation=_in_order(x, y, validation, size),
            inputs=ImageInputs(x.shape[1:], int(y.max()) + 1),
            rows="images",
        )

    def split(self, name: str, settings: ImageTraining, seed: int, batch_size: int) -> Split:
        """Return the validation or the test split."""
        x, y = self._arrays("test" if name == "test" else "train")
        rows = np.arange(len(y)) if name == "test" else self._parted(len(y), settings, seed)[1]
        sources = np.zeros(len(rows), np.uint16)
        return Split(_in_order(x, y, rows, batch_size), y[rows], sources, [self._dataset])

    def details(self, rows: np.ndarray, params: Params) -> Details:
        """Return no details: the row alone leads to the image."""
        del params
        return Details((), dict.fromkeys(rows.tolist(), ()))

    def pack(self, model: "keras.Model", params: Params, directory: Path) -> ImageReading:
        """Return how the model reads; it needs no file for it."""
        del params, directory
        return ImageReading(kind="images", shape=tuple(model.input_shape[1:]))

    def _arrays(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        content = images.read_npz(self.path)
        checked = images.checked(content, str(self.path))
        return getattr(checked, f"x_{split}"), getattr(checked, f"y_{split}")

    def _parted(
        self, count: int, settings: ImageTraining, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the training images that train, and those that validate.

        The latter are drawn, not cut off the end, where the images may be of one kind.
        """
        rows = np.random.default_rng(seed).permutation(count)
        validating = round(count * settings.validation_fraction)
        if not 0 < validating < count:
            raise ReproError(
                f"{self.path}: {count} training images, of which validation_fraction "
                f"{settings.validation_fraction:g} takes {validating}; "
                "expected at least one to train and one to validate"
            )
        return np.sort(rows[validating:]), np.sort(rows[:validating])


def _in_order(x: np.ndarray, y: np.ndarray, rows: np.ndarray, batch_size: int) -> "Batches":
    from keras_repro.inputs import batches

    arrange = partial(batches.in_order, len(rows), batch_size)
    return batches.Batches(
        lambda chosen: (x[rows[chosen]], y[rows[chosen]]), lambda _: arrange(), 0
    )
