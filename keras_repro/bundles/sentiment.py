"""How likely texts are positive, or of each of several classes, and what in them says so."""

import os
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self, overload

import numpy as np

from keras_repro.bundles.bundle import NETWORK, Bundle, located
from keras_repro.bundles.explanation import (
    Answer,
    ClassAnswer,
    Clause,
    Effect,
    Explanation,
    clauses,
    columns,
    values,
)
from keras_repro.bundles.network import Network, as_probabilities
from keras_repro.core.errors import ReproError
from keras_repro.inputs.texts import TextReading
from keras_repro.text import grounds
from keras_repro.text.segmentation import Segmenter

if TYPE_CHECKING:
    import pandas as pd

# Tokens or characters of one batch at most, padding included.
CELLS_PER_BATCH = 1 << 14
# Characters whose words are weighed; a model reads about as many of a review.
EXPLAINED = 300
MODEL = "sentiment_hybrid"

AnyAnswer = Answer | ClassAnswer


class Sentiment:
    """A sentiment model that is ready to answer.

    Args:
        directory: of its bundle.
        threads: for one batch; None: as many as there are cores.

    Attributes:
        name: of the model.
        labels: of its classes: negative and positive, unless `reviews.classes` named others.
        threshold: the probability of positive from which on it says so; None of other classes, of
            which it says the likeliest.
        measured: what it learned from, and its F1 on the test split.

    Raises:
        ReproError: the bundle is damaged, or one of images.

    """

    def __init__(self, directory: Path, threads: int | None = None) -> None:
        source = Bundle(directory)
        reads = source.manifest.reads
        if not isinstance(reads, TextReading):
            raise ReproError(f"{directory}: a model of images; expected one of texts")
        self.threshold, self.labels = source.manifest.threshold, source.manifest.labels
        self._two = len(self.labels) == 2  # noqa: PLR2004
        if self._two and self.threshold is None:
            raise ReproError(f"{directory}: has no threshold; expected one, of two classes")
        self._directory, self._reading = directory, reads
        self._reader = reads.reader(directory)
        self.name, self.measured = source.manifest.model, source.manifest.measured
        self._network = Network(source.path(NETWORK), threads)

    @classmethod
    def load(cls, place: str | os.PathLike[str] | None = None) -> Self:
        """Return the model of a bundle.

        Args:
            place: the directory of the bundle; or the address of a release with its SHA-256,
                https://…/bundles.tar.gz#sha256=…, which is fetched once; None: the bundle of
                `sentiment_hybrid` below this directory or in the clone that the package is
                installed from.

        Raises:
            ReproError: there is no bundle, or it is damaged.

        """
        if place is None:
            return cls(located(MODEL))
        if not os.fspath(place).startswith(("http://", "https://")):
            return cls(Path(place))
        from keras_repro.bundles import release  # which few need, and takes a while to import

        if MODEL not in (found := release.pulled(os.fspath(place))):
            known = ", ".join(found) or "nothing"
            raise ReproError(f"{place}: has no bundle of {MODEL}, but {known}; expected one")
        return cls(found[MODEL])

    @overload
    def predict(self, texts: str) -> AnyAnswer: ...  # type: ignore[overload-overlap]
    @overload
    def predict(self, texts: "pd.Series[str]") -> "pd.DataFrame": ...  # type: ignore[overload-overlap]
    @overload
    def predict(self, texts: Iterable[str]) -> list[AnyAnswer]: ...
    def predict(
        self, texts: "str | pd.Series[str] | Iterable[str]"
    ) -> "AnyAnswer | pd.DataFrame | list[AnyAnswer]":
        """Return the answer to a text, or to each of several.

        Of a Series of pandas, the answers are the columns of a DataFrame with its index.

        Raises:
            ReproError: a text is empty or too long, or is none.

        """
        if isinstance(texts, str):
            return self.answers([self.cleared(texts)])[0]
        found = self.answers(self._all_cleared(texts))
        if hasattr(texts, "index") and hasattr(texts, "to_frame"):
            import pandas as pd

            return pd.DataFrame(map(values, found), texts.index, columns(self.labels))
        return found

    def likely(self, texts: Iterable[str]) -> np.ndarray:
        """Return how likely each text is positive, whatever ground it gives, float64 of shape (N,).

        Of more than two classes all probabilities are returned, of shape (N, classes).

        Raises:
            ReproError: a text is empty or too long, or is none.

        """
        return self.probabilities(self._all_cleared(texts))

    def decided(self, likely: np.ndarray) -> np.ndarray:
        """Return the places in `labels` that probabilities as of `likely` mean, of shape (N,)."""
        found: np.ndarray = (
            (likely >= self.threshold).astype(int) if likely.ndim == 1 else likely.argmax(axis=1)
        )
        return found

    def _all_cleared(self, texts: Iterable[str]) -> list[str]:
        found = []
        for number, text in enumerate(texts):
            if not isinstance(text, str):
                raise ReproError(f"text {number} is {text!r}; expected a string")
            try:
                found.append(self.cleared(text))
            except ReproError as error:
                raise ReproError(f"text {number} is {error}") from None
        return found

    def explain(self, text: str) -> Explanation:
        """Return the answer to a text, to each of its clauses, and what each word does.

        Each of the words of the first 300 characters is left out in turn. Its effect is that on
        positive, or on the likeliest of more than two classes.

        Raises:
            ReproError: the text is empty or too long.

        """
        text = self.cleared(text)
        (answer,) = self.answers([text])  # alone: in a batch, the last bits may be others
        parts = clauses(text)
        judged = tuple(map(Clause, parts, self.answers(parts)))
        place = 1
        if isinstance(answer, ClassAnswer):
            place = int(np.argmax(list(answer.probabilities.values())))
        return Explanation(text, answer, judged, tuple(self._effects(text[:EXPLAINED], place)))

    def _effects(self, text: str, place: int) -> list[Effect]:
        words = self.words(text)
        ends = np.cumsum([len(word) for word in words])
        without = [
            text[: end - len(word)] + text[end:] for word, end in zip(words, ends, strict=True)
        ]
        # What is left of a text of one word is empty: then the word says all there is to say.
        whole, *rests = self.odds([text, *(rest or " " for rest in without)], place)
        return [Effect(word, float(whole - rest)) for word, rest in zip(words, rests, strict=True)]

    def cleared(self, text: str) -> str:
        """Return a text in the model's spelling.

        Raises:
            ReproError: it is empty or too long.

        """
        return self._reading.spelt(text)

    def words(self, text: str) -> list[str]:
        """Return the words of a text, of which none is left out; 0.7 s to load at first."""
        return self._segmenter.words(text)

    @cached_property
    def _segmenter(self) -> Segmenter:
        return self._reading.segmenter(self._directory)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Return how likely each text is positive, float64 of shape (N,).

        Of more than two classes all probabilities are returned, of shape (N, classes).

        Args:
            texts: in the spelling of the model.

        """
        found = as_probabilities(self._read(texts)[0])
        return found[:, 1] if self._two else found

    def answers(self, texts: Sequence[str]) -> list[AnyAnswer]:
        """Return what each text is.

        Args:
            texts: in the spelling of the model.

        """
        if not texts:
            return []
        logits, known = self._read(texts)
        found = as_probabilities(logits).tolist()
        answer = self._answer if self._two else self._class_answer
        return [answer(*each) for each in zip(texts, found, known.tolist(), strict=True)]

    def _answer(self, text: str, found: list[float], known: bool) -> Answer:  # noqa: FBT001
        _, probability = found
        threshold = grounds.EVEN if self.threshold is None else self.threshold
        if reason := self._reason(text, known):
            return Answer(grounds.NONE, grounds.EVEN, reason)
        if reason := grounds.of_probability(probability, threshold):
            return Answer(grounds.NONE, probability, reason)
        return Answer(self.labels[int(probability >= threshold)], probability, None)

    def _class_answer(self, text: str, found: list[float], known: bool) -> ClassAnswer:  # noqa: FBT001
        reason = self._reason(text, known)
        if reason:
            found = [1 / len(self.labels)] * len(self.labels)
        elif grounds.tied(found):
            reason = "balanced"
        label = grounds.NONE if reason else self.labels[found.index(max(found))]
        likely = dict(zip(self.labels, found, strict=True))
        return ClassAnswer(label, max(found), reason, likely)

    def _reason(self, text: str, known: bool) -> grounds.Reason | None:  # noqa: FBT001
        return grounds.of_writing(text, self._reading.signs) or (None if known else "unknown")

    def odds(self, texts: Sequence[str], place: int = 1) -> np.ndarray:
        """Return the log-odds of a class against all others of each text, float64 of shape (N,).

        Args:
            texts: in the spelling of the model.
            place: of the class among the labels; of two the second is positive.

        """
        logits, _ = self._read(texts)
        others = np.delete(logits, place, axis=1)
        most = others.max(axis=1)
        rest = most + np.log(np.exp(others - most[:, None]).sum(axis=1))
        odds: np.ndarray = logits[:, place] - rest
        return odds

    def _read(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the logits of texts, of shape (N, classes), and whether any of each is known."""
        encoded = self._reader.encoded(texts)
        lengths = encoded.lengths
        logits, known = np.empty((len(texts), len(self.labels))), np.empty(len(texts), bool)
        # Texts of similar length together, so that little padding is computed.
        order = np.argsort(lengths, kind="stable")
        ascending = lengths[order]
        start = 0
        while start < len(order):
            end = _end(ascending, start)
            rows = order[start:end]
            inputs = self._reader.inputs(encoded.padded(rows))
            logits[rows] = self._network.logits(inputs)
            known[rows] = self._reader.known(inputs, lengths[rows])
            start = end
        return logits, known


def _end(lengths: np.ndarray, start: int) -> int:
    """Return where the batch ends that begins at `start`; lengths ascend."""
    end = start + 1
    while end < len(lengths) and (end + 1 - start) * lengths[end] <= CELLS_PER_BATCH:
        end += 1
    return end
