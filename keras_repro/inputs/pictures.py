"""Pictures of any size, made what the models of digits and of things have seen in training."""

from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from keras_repro.core.errors import ReproError

# Of a picture; more is refused before it is decoded.
MAX_PIXELS = 4096 * 4096
# MNIST has each digit in a box of 20 pixels, the centre of its mass at pixel 14 of 28, from 0.
DIGIT_BOX = 20
# Of 255: darker than that is paper.
INK = 32
COLOURS = 3


def read(picture: Path | IO[bytes], name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a picture as training had the images, uint8 of that shape.

    Args:
        picture: PNG, JPEG or whatever Pillow reads, of any size.
        name: what messages call it.
        shape: height, width and, where there are colours, 3.

    Raises:
        ReproError: it is no picture, too large, or has nothing on it.

    """
    as_trained = as_photograph if len(shape) == COLOURS else as_digit
    return as_trained(_opened(picture, name), name, shape[:2])


def _opened(picture: Path | IO[bytes], name: str) -> Image.Image:
    try:
        with Image.open(picture) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ReproError(
                    f"{name}: {image.width} × {image.height} pixels; "
                    f"expected at most {MAX_PIXELS:,} in all"
                )
            whole = ImageOps.exif_transpose(image).convert("RGBA")
    except FileNotFoundError:
        raise ReproError(f"{name}: not found; expected a picture") from None
    except IsADirectoryError:
        raise ReproError(f"{name}: a directory; expected a picture") from None
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise ReproError(f"{name}: no picture that can be read; expected PNG or JPEG") from None
    # Whatever a damaged file leads to.
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ReproError(f"{name}: damaged ({error}); expected a whole picture") from None
    # What is transparent lies on white paper.
    return Image.alpha_composite(Image.new("RGBA", whole.size, "white"), whole).convert("RGB")


def as_photograph(image: Image.Image, name: str, size: tuple[int, ...]) -> np.ndarray:
    """Return the middle of a picture in the size of the training's, uint8."""
    del name
    height, width = size
    return np.asarray(ImageOps.fit(image, (width, height), Image.Resampling.BOX))


def as_digit(image: Image.Image, name: str, size: tuple[int, ...]) -> np.ndarray:
    """Return a digit white on black, as large and where MNIST has it, uint8.

    Raises:
        ReproError: the picture is empty.

    """
    grey = np.asarray(image.convert("L"))
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if np.median(border) > 255 / 2:  # dark ink on light paper
        grey = 255 - grey
    if grey.shape == size and grey.max() > INK:
        return grey  # as MNIST has it already
    rows, columns = (np.flatnonzero((grey > INK).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise ReproError(f"{name}: nothing is drawn on it; expected a digit")
    ink = Image.fromarray(grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = DIGIT_BOX / max(ink.size)
    ink = ink.resize([max(1, round(side * scale)) for side in ink.size], Image.Resampling.BOX)
    return _centred(np.asarray(ink), size)


def _centred(ink: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Return the ink on black with the centre of its mass in the middle."""
    weights = ink.astype(np.float64)
    places = []
    for axis, (length, whole) in enumerate(zip(ink.shape, size, strict=True)):
        centre = (weights.sum(axis=1 - axis) * np.arange(length)).sum() / weights.sum()
        places.append(int(np.clip(round(whole / 2 - centre), 0, whole - length)))
    paper = np.zeros(size, np.uint8)
    top, left = places
    paper[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return paper
