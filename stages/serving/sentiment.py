"""How likely texts are positive, and which of their words say so."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages import ReproError
from stages.serving import reading
from stages.serving.bundle import NETWORK, Bundle, Images
from stages.serving.network import Network, as_probabilities

# Numbers that one batch hands to the network at most, padding included.
CELLS_PER_BATCH = 1 << 14
# Characters whose words are weighed; a model reads about as many of a review.
EXPLAINED = 300


class Effect(NamedTuple):
    """A word of a text and what it does.

    Attributes:
        word: as it stands in the text.
        effect: how far it moves the logit of positive: above 0 where the text without it would be
            less positive.

    """

    word: str
    effect: float


class Sentiment:
    """A sentiment model that is ready to answer.

    Args:
        directory: of its bundle.
        threads: for one batch; None: as many as there are cores.

    Raises:
        ReproError: the bundle is damaged, or one of images.

    """

    def __init__(self, directory: Path, threads: int | None = None) -> None:
        self.bundle = source = Bundle(directory)
        self._read = reading.reader(source)
        reads = source.manifest.reads
        if isinstance(reads, Images) or source.manifest.threshold is None:
            raise ReproError(f"{directory}: no model of two classes of texts; expected one")
        self.spelling = reads.spelling
        self.name = source.manifest.model
        self.threshold: float = source.manifest.threshold
        self.labels = source.manifest.labels
        self._network = Network(source.path(NETWORK), threads)

    def cleared(self, text: str) -> str:
        """Return a text in the model's spelling.

        Raises:
            ReproError: it is empty or too long.

        """
        return reading.cleared(text, self.spelling)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Return how likely each text is positive, float64 of shape (N,).

        Args:
            texts: in the spelling of the model.

        """
        return as_probabilities(self._logits(texts))[:, 1]

    def odds(self, texts: Sequence[str]) -> np.ndarray:
        """Return the logit of positive over that of negative of each text, float64 of shape (N,).

        Args:
            texts: in the spelling of the model.

        """
        logits = self._logits(texts)
        odds: np.ndarray = logits[:, 1] - logits[:, 0]
        return odds

    def label(self, probability: float) -> str:
        """Return what a text of this probability is called."""
        return self.labels[int(probability >= self.threshold)]

    def _logits(self, texts: Sequence[str]) -> np.ndarray:
        items = [self._read(text) for text in texts]
        lengths = np.array([len(item) for item in items])
        logits = np.empty((len(items), len(self.labels)))
        # Texts of similar length together, so that little padding is computed.
        order = np.argsort(lengths, kind="stable")
        ascending = lengths[order]
        start = 0
        while start < len(order):
            end = _end(ascending, start)
            rows = order[start:end]
            logits[rows] = self._network.logits(_padded([items[row] for row in rows]))
            start = end
        return logits


class Explainer:
    """Weighs the words of a text by leaving out one after the other.

    Args:
        model: whose answers are explained.

    """

    def __init__(self, model: Sentiment) -> None:
        self._model = model
        self._cut = reading.word_cutter(model.bundle)

    def __call__(self, text: str) -> list[Effect]:
        """Return the words of the first 300 characters in their order.

        Args:
            text: in the spelling of the model.

        """
        text = text[:EXPLAINED]
        words = self._cut(text)
        ends = np.cumsum([len(word) for word in words])
        without = [
            text[: end - len(word)] + text[end:] for word, end in zip(words, ends, strict=True)
        ]
        # What is left of a text of one word is empty: then the word says all there is to say.
        whole, *rests = self._model.odds([text, *(rest or " " for rest in without)])
        return [Effect(word, float(whole - rest)) for word, rest in zip(words, rests, strict=True)]


def _end(lengths: np.ndarray, start: int) -> int:
    """Return where the batch ends that begins at `start`; lengths ascend."""
    end = start + 1
    while end < len(lengths) and (end + 1 - start) * lengths[end] <= CELLS_PER_BATCH:
        end += 1
    return end


def _padded(items: Sequence[np.ndarray]) -> np.ndarray:
    """Return arrays of shape (length, ...) as one of shape (N, greatest length, ...), with 0."""
    longest = max(len(item) for item in items)
    batch = np.zeros((len(items), longest, *items[0].shape[1:]), np.int32)
    for row, item in zip(batch, items, strict=True):
        row[: len(item)] = item
    return batch
