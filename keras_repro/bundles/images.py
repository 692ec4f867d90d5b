"""What a picture shows, for the models of digits and of things."""

from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError

from keras_repro.bundles.bundle import NETWORK, Bundle
from keras_repro.bundles.network import Network, as_probabilities
from keras_repro.core.errors import ReproError
from keras_repro.inputs.images import ImageReading

# Pillow knows fifty formats: it would give an EPS to Ghostscript, and an ICO has two sizes.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
# Of a picture: 0.6 s.
MAX_PIXELS = 4096 * 4096


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

    def probabilities(
        self, picture: Path | IO[bytes], name: str, max_pixels: int = MAX_PIXELS
    ) -> np.ndarray:
        """Return how likely each class is, float64 of shape (classes,).

        Args:
            picture: PNG, JPEG, GIF, BMP or WebP, of any size.
            name: what messages call it.
            max_pixels: of it; more is refused before it is decoded.

        Raises:
            ReproError: it is no picture, too large, or has nothing on it that can be seen.

        """
        try:
            _check(picture, name, max_pixels)
            with np.errstate(invalid="raise"):
                image = self._read(picture, name)
        except ReproError:
            raise
        except FloatingPointError:  # the centre of nothing
            raise ReproError(
                f"{name}: what is drawn on it is too small beside the whole; expected a digit"
            ) from None
        except Exception as error:  # noqa: BLE001 - Pillow lets through what damage leads to
            raise ReproError(f"{name}: damaged ({error}); expected a whole picture") from None
        found: np.ndarray = as_probabilities(self._network.logits(image))[0]
        return found


def _check(picture: Path | IO[bytes], name: str, max_pixels: int) -> None:
    """Refuse a picture by its first bytes; one that cannot be opened is left to whoever reads it.

    Raises:
        ReproError: it has another format, or too many pixels.

    """
    try:
        with Image.open(picture, formats=FORMATS) as image:
            width, height = image.size
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise ReproError(
            f"{name}: no picture that can be read; expected {', '.join(FORMATS)}"
        ) from None
    except OSError:
        return
    if width * height > max_pixels:
        raise ReproError(
            f"{name}: {width} × {height} pixels; expected at most {max_pixels:,} in all"
        )
