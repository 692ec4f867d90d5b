"""Texts as words, each word its id in the vocabulary."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from keras_repro.core import paths
from keras_repro.core.params import Params, Training
from keras_repro.inputs import Details, Split, TrainingData, WordInputs, texts
from keras_repro.inputs.texts import Encoded, TextReading
from keras_repro.text import ragged, segmentation, terms, vocabulary

if TYPE_CHECKING:
    import keras

# Files of a bundle.
VOCABULARY = "vocabulary.json"
STOP_WORDS = "stop_words.txt"


class WordReading(TextReading):
    """How a model of words reads a text.

    Attributes:
        kind: "words".
        hmm: whether it guesses words that its dictionary lacks.
        max_length: words kept of a text.

    """

    kind: Literal["words"]
    hmm: bool
    max_length: int

    def reader(self, directory: Path) -> texts.Reader:
        """Return what reads texts, by the files of a bundle."""
        cutting = segmentation.Cutting(
            self.engine,
            self.hmm,
            segmentation.load_stop_words(directory / STOP_WORDS),
            self.user_words(directory),
        )
        ids = json.loads((directory / VOCABULARY).read_text(encoding="utf-8"))
        with texts.jieba_cache() as cache:
            cut = segmentation.Segmenter(cutting, cache)
        return WordReader(cut, ids, self.max_length)


class WordReader:
    """Reads texts as the pipeline reads reviews.

    Args:
        cut: into words.
        ids: of the words in the vocabulary.
        max_length: words kept of a text.

    """

    def __init__(self, cut: segmentation.Segmenter, ids: dict[str, int], max_length: int) -> None:
        self._cut, self._ids, self._max_length = cut, ids, max_length

    def encoded(self, given: Sequence[str]) -> Encoded:
        """Return the ids of the words of each text; one of which no word is kept is unknown."""
        words = [self._cut(text) for text in given]
        known = self._ids
        numbers = [known.get(word, terms.UNKNOWN) for text in words for word in text]
        places, lengths = vocabulary.shortened(
            np.array(numbers, np.int32), np.array([len(text) for text in words]), self._max_length
        )
        return Encoded(np.where(places < 0, terms.UNKNOWN, places), lengths)

    @staticmethod
    def inputs(padded: np.ndarray) -> np.ndarray:
        """Return what the network takes: the ids themselves."""
        return padded

    @staticmethod
    def known(inputs: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return whether a word of a text is in the vocabulary, bool of shape (N,)."""
        del lengths
        known: np.ndarray = np.any(inputs > terms.UNKNOWN, axis=1)
        return known


class Words:
    """The reviews as the stage `tokenize` left them."""

    folder = "reviews"
    path = paths.ENCODED_REVIEWS

    def classes(self) -> Sequence[str]:
        """Return the names of the classes, by label."""
        return ragged.read_classes(self.path)

    def training(self, settings: Training, seed: int) -> TrainingData:
        """Return what trains and what validates."""
        inputs = WordInputs(ragged.read_vocabulary_size(), len(self.classes()))
        train, validation = (ragged.read(name, self.path) for name in ("train", "validation"))
        batches = texts.training(train, validation, WordReader.inputs, settings, seed)
        return TrainingData(*batches, inputs, rows="reviews")

    def split(self, name: str, settings: Training, seed: int, batch_size: int) -> Split:
        """Return the validation or the test split."""
        del settings, seed
        return texts.split(self.path, WordReader.inputs, name, batch_size)

    def details(self, rows: np.ndarray, params: Params) -> Details:
        """Return the id of each review, the words that the model saw, and the whole text.

        Raises:
            ReproError: the table of the reviews is of another run than the splits.

        """
        from keras_repro.text import schemas

        encoded, segmented = ragged.read("test", self.path), params.storage.segmented_reviews
        columns = ["id", "text", "tokens"]
        found = texts.rows_of(rows, encoded.ids, segmented, schemas.SEGMENTED, columns)
        details: dict[int, tuple[str, ...]] = {}
        for row, of in found.items():
            ids = encoded.tokens[encoded.offsets[row] : encoded.offsets[row + 1]].tolist()
            details[row] = (of["id"], _seen(of["tokens"], ids), of["text"])
        return Details(("id", "words", "text"), details)

    def pack(self, model: "keras.Model", params: Params, directory: Path) -> WordReading:
        """Write the vocabulary and the dictionaries."""
        del model
        segment = params.segment
        shutil.copyfile(paths.VOCABULARY, directory / VOCABULARY)
        texts.concatenate(segment.stop_words, directory / STOP_WORDS)
        return WordReading(
            kind="words",
            **texts.packed(params, directory),
            hmm=segment.hmm,
            max_length=params.tokenize.max_length,
        )


def _seen(tokens: list[str], ids: list[int]) -> str:
    """Return the words behind the ids; the ids end where the model's view of the review does."""
    return " ".join(
        terms.UNKNOWN_TOKEN if number == terms.UNKNOWN else token
        for token, number in zip(tokens, ids, strict=False)
    )
