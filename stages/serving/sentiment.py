"""The sentiment of a text, told by a trained model without the corpus that it learned from."""

from pathlib import Path

import keras
import numpy as np

from stages import ReproError, files, paths
from stages.params import Params, Prepare
from stages.text import segmentation
from stages.text.normalisation import normalise, simplified
from stages.text.reviews import UNKNOWN


class Judge:
    """Says how likely a text is positive.

    Args:
        model: from token ids of shape (N, length) to probabilities of shape (N, 2).
        vocabulary: the id of each token.
        settings: with which the model was trained.

    """

    def __init__(self, model: keras.Model, vocabulary: dict[str, int], settings: Params) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._prepare = settings.prepare
        self._max_length = settings.tokenize.max_length
        self._segmenter = segmentation.Segmenter(segmentation.load(settings.segment))

    def __call__(self, text: str) -> float:
        """Return the probability that a text is positive, between 0 and 1.

        Raises:
            ReproError: the text is empty or longer than `prepare.max_characters`.

        """
        words = self._segmenter(_cleared(text, self._prepare))
        ids = [self._vocabulary.get(word, UNKNOWN) for word in words[: self._max_length]]
        # As in training, a review of which no word is kept is one unknown word.
        tokens = np.array([ids or [UNKNOWN]], np.int32)
        return float(self._model.predict_on_batch(tokens)[0, 1])


def _cleared(text: str, settings: Prepare) -> str:
    """Return a text in the spelling that the model has learned."""
    cleared = normalise(text, settings.unicode_form)
    if settings.simplify:
        cleared = simplified(cleared)
    if not 0 < len(cleared) <= settings.max_characters:
        raise ReproError(
            f"a text of {len(cleared):,} characters; expected 1 to {settings.max_characters:,}"
        )
    return cleared


def read_vocabulary(path: Path = paths.VOCABULARY) -> dict[str, int]:
    """Return the id of each token that the model knows.

    Raises:
        ReproError: the file is missing or no JSON.

    """
    vocabulary: dict[str, int] = files.read_json(path)
    return vocabulary
