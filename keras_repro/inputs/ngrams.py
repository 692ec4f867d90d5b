"""Texts as n-grams of characters, and the words that end at each character."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from keras_repro.core import files, paths
from keras_repro.core.params import Gate, Params, Reader, Training, Wide
from keras_repro.inputs import Details, NgramInputs, Split, TrainingData, texts
from keras_repro.inputs.texts import Encoded, TextReading
from keras_repro.text import characters, ngrams, ragged, segmentation
from keras_repro.text.lexicon import NEUTRAL

if TYPE_CHECKING:
    import keras

NGRAMS = "ngrams.npz"  # a file of a bundle
# Of the characters of a text, how many must end a known n-gram of several. Of 1,732 validation
# reviews all have 0.33 and more; of random common characters, 99.7 % have less.
LEAST_KNOWN = 0.15
SHORTEST = 2


class NgramReading(TextReading):
    """How a model of n-grams reads a text.

    Attributes:
        kind: "ngrams".
        max_length: characters kept of a text.

    """

    kind: Literal["ngrams"]
    max_length: int

    def reader(self, directory: Path) -> texts.Reader:
        """Return what reads texts, by the files of a bundle."""
        path = directory / NGRAMS
        points = files.read_npz(path, ["characters"])["characters"]
        numbers = ngrams.numbers(ngrams.alphabet_of(points))
        cut = self.segmenter(directory)
        return NgramReader(cut, ngrams.read_keys(path), numbers, self.max_length)


class NgramReader:
    """Reads texts as the pipeline reads reviews.

    Args:
        cut: into words.
        keys: of the n-grams and words that have ids.
        numbers: of each character, as `ngrams.numbers` returns them.
        max_length: characters kept of a text.

    """

    def __init__(
        self,
        cut: segmentation.Segmenter,
        keys: ngrams.Keys,
        numbers: np.ndarray,
        max_length: int,
    ) -> None:
        self._cut, self._numbers, self._max_length = cut, numbers, max_length
        self.inputs, self._longest = keys.ids, keys.longest

    def encoded(self, given: Sequence[str]) -> Encoded:
        """Return the numbers of the characters of each text."""
        found = [characters.of_text(self._cut, text, self._max_length) for text in given]
        return Encoded(self._numbers[np.concatenate(found)], np.array([len(one) for one in found]))

    def known(self, inputs: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return whether enough of a text is known, bool of shape (N,).

        Common characters in any order are known one by one, so several of them count where they
        stood together in training. Of one or two, any counts.
        """
        single, several = inputs[..., 0] > 0, (inputs[..., 1 : self._longest] > 0).any(axis=-1)
        enough = several.sum(axis=1) >= LEAST_KNOWN * lengths
        known: np.ndarray = single.any(axis=1) & (enough | (lengths <= SHORTEST))
        return known


def has_composed() -> bool:
    """Say whether there are composed sentences to learn from beside the reviews."""
    return len(ragged.read(ragged.COMPOSED, paths.NGRAMS).ids) > 0


class Ngrams:
    """The reviews as the stage `ngrams` left them."""

    folder = "reviews"
    path = paths.NGRAMS

    def classes(self) -> Sequence[str]:
        """Return the names of the classes, by label."""
        return ragged.read_classes(self.path)

    def training(self, settings: Wide | Gate | Reader, seed: int) -> TrainingData:
        """Return what trains and what validates.

        A gate learns where a text is from: its labels are those of `sentiment_hybrid.ORIGINS`.
        Nothing else learns from composed sentences that say nothing that is judged.
        """
        census = ngrams.read_census()
        keys = census.keys()
        inputs = NgramInputs(census.rarity(), keys.columns, len(self.classes()))
        train, validation = (ragged.read(name, self.path) for name in ("train", "validation"))
        if settings.learns == "reviews":
            batches = texts.training(train, validation, keys.ids, settings, seed)
            return TrainingData(*batches, inputs, rows="reviews")
        composed = ragged.read(ragged.COMPOSED, self.path)
        neutral = composed.labels == NEUTRAL
        if settings.learns == "origin":
            train, validation = (
                each._replace(labels=np.ones_like(each.labels)) for each in (train, validation)
            )
            composed = composed._replace(labels=np.where(neutral, 2, 0).astype(np.uint8))
        else:
            composed = ragged.chosen(composed, ~neutral)
        if isinstance(settings, Reader) and len(composed.ids):
            train = ragged.beginnings(train, settings.beginning)
        both = ragged.joined(train, composed)
        batches = texts.training(both, validation, keys.ids, settings, seed)
        return TrainingData(*batches, inputs, rows="texts")

    def split(self, name: str, settings: Training, seed: int, batch_size: int) -> Split:
        """Return the validation or the test split."""
        del settings, seed
        return texts.split(self.path, ngrams.read_census().keys().ids, name, batch_size)

    def details(self, rows: np.ndarray, params: Params) -> Details:
        """Return the id and the whole text of each review.

        Raises:
            ReproError: the table of the reviews is of another run than the splits.

        """
        from keras_repro.text import schemas

        ids = ragged.read("test", self.path).ids
        prepared = params.storage.prepared_reviews
        found = texts.rows_of(rows, ids, prepared, schemas.PREPARED, ["id", "text"])
        return Details(("id", "text"), {row: (of["id"], of["text"]) for row, of in found.items()})

    def pack(self, model: "keras.Model", params: Params, directory: Path) -> NgramReading:
        """Write the n-grams with ids and the user's dictionary."""
        del model
        names = ["characters", *ngrams.Keys._fields]
        files.write_npz(directory / NGRAMS, files.read_npz(paths.NGRAM_VOCABULARY, names))
        return NgramReading(
            kind="ngrams",
            **texts.packed(params, directory),
            max_length=params.ngrams.max_length,
        )
