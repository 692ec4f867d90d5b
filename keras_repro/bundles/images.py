"""What a picture shows, for the models of digits and of things."""

from pathlib import Path
from typing import IO

import numpy as np

from keras_repro.bundles.bundle import NETWORK, Bundle
from keras_repro.bundles.network import Network, as_probabilities
from keras_repro.core.errors import ReproError
from keras_repro.inputs.images import ImageReading


class ImageClassifier:
    """A model of images that is ready to answer.

    Args:
        directory: of its bundle.
        threads: for one batch; None: as many as there are cores.

    Raises:
        ReproError: the bundle is damaged, or none of images.

    """

    def __init__(self, directory: Path, threads: int | None = None) -> None:
        source = Bundle(directory)
        reads = source.manifest.reads
        if not isinstance(reads, ImageReading):
            raise ReproError(f"{directory}: a model of texts; expected one of images")
        self.name = source.manifest.model
        self.labels = source.manifest.labels
        self._read = reads.read
        self._network = Network(source.path(NETWORK), threads)

    def probabilities(self, picture: Path | IO[bytes], name: str) -> np.ndarray:
        """Return how likely each class is, float64 of shape (classes,).

        Args:
            picture: PNG, JPEG or whatever Pillow reads, of any size.
            name: what messages call it.

        Raises:
            ReproError: it is no picture, too large, or has nothing on it.

        """
        found: np.ndarray = as_probabilities(self._network.logits(self._read(picture, name)))[0]
        return found
