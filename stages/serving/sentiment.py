"""The sentiment of a text, told by a trained model without the corpus that it learned from."""

from collections.abc import Callable

import keras
import numpy as np

from stages import ReproError, files, paths
from stages.params import Params, Prepare
from stages.text import ngrams, segmentation
from stages.text.normalisation import normalise, simplified
from stages.text.reviews import UNKNOWN
from stages.training import data

Reads = Callable[[str], np.ndarray]


class Judge:
    """Says how likely a text is positive.

    Args:
        model: with a layer `logits` of shape (N, 2).
        reads: makes of a text what the model takes of it, without the batch.
        settings: with which the texts were prepared that the model has learned from.

    """

    def __init__(self, model: keras.Model, reads: Reads, settings: Prepare) -> None:
        self._scorer = keras.Model(model.inputs, model.get_layer("logits").output)
        self._reads = reads
        self._settings = settings

    def __call__(self, text: str) -> float:
        """Return the probability that a text is positive, between 0 and 1.

        Raises:
            ReproError: the text is empty or longer than `prepare.max_characters`.

        """
        seen = self._reads(_cleared(text, self._settings))
        logits = self._scorer.predict_on_batch(seen[None]).astype(np.float64)
        return float(data.as_probabilities(logits)[0, 1])


def reader(dataset: str, settings: Params) -> Reads:
    """Return what reads a text as the reviews of a dataset were read.

    Args:
        dataset: reviews, which are read as words, or ngrams.
        settings: with which the dataset was made.

    Raises:
        ReproError: the vocabulary is missing or damaged.

    """
    return _words(settings) if dataset == "reviews" else _ngrams(settings)


def _words(settings: Params) -> Reads:
    vocabulary: dict[str, int] = files.read_json(paths.VOCABULARY)
    segmenter = segmentation.Segmenter(segmentation.load(settings.segment))

    def read(text: str) -> np.ndarray:
        words = segmenter(text)[: settings.tokenize.max_length]
        # As in training, a review of which no word is kept is one unknown word.
        return np.array([vocabulary.get(word, UNKNOWN) for word in words] or [UNKNOWN], np.int32)

    return read


def _ngrams(settings: Params) -> Reads:
    census, numbers = ngrams.read_census(paths.NGRAM_VOCABULARY), ngrams.read_numbers()

    def read(text: str) -> np.ndarray:
        points = [ord(character) for character in text[: settings.ngrams.max_length]]
        found: np.ndarray = census.ids(numbers[points][None])[0]
        return found

    return read


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
