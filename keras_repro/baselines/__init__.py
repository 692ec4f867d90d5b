"""What one would use for Chinese sentiment without this project, on the same splits.

Each yields every setting that is tried, with a function that scores reviews: of two classes by a
number, the greater, the likelier the second, of shape (N,); else by one for each class, of shape
(N, classes).
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from keras_repro.core import files, parquet
from keras_repro.core.params import Segment, Spelling
from keras_repro.text import normalisation, segmentation
from keras_repro.text.schemas import SEGMENTED
from keras_repro.text.terms import SPLITS


class Reviews(NamedTuple):
    """One split of the reviews.

    Attributes:
        ids: of each.
        texts: as they were prepared.
        tokens: their words, as the stage `segment` left them.
        labels: int8 of shape (N,).

    """

    ids: list[str]
    texts: list[str]
    tokens: list[list[str]]
    labels: np.ndarray


class Candidate(NamedTuple):
    """A setting that is tried: its parameters by name, and what scores reviews with it."""

    parameters: Mapping[str, float]
    score: Callable[[Reviews], np.ndarray]


Candidates = Iterator[Candidate]
# Where each stands; a module is imported when it is wanted, as fastText and SnowNLP take seconds.
FUNCTIONS = {
    "snownlp": ("snownlp", "candidates"),
    "fasttext": ("fasttext", "candidates"),
    "tfidf_word": ("tfidf", "of_words"),
    "tfidf_char": ("tfidf", "of_characters"),
}


def candidates(name: str, train: Reviews, settings: Any, seed: int) -> Candidates:
    """Yield every setting of a baseline that is tried, trained.

    Args:
        name: of the baseline, as `baselines` in params.yaml has it.
        train: the reviews to learn from.
        settings: its section there.
        seed: of its random numbers.

    Raises:
        ReproError: the settings leave nothing to learn from.

    """
    module, function = FUNCTIONS[name]
    found: Candidates = getattr(importlib.import_module(f"{__name__}.{module}"), function)(
        train, settings, seed
    )
    return found


def read(place: files.Location) -> dict[str, Reviews]:
    """Return all splits of the segmented reviews."""
    columns = ["id", "text", "tokens", "label", "split"]
    rows: dict[str, list[tuple[str, str, list[str], int]]] = {split: [] for split in SPLITS}
    for batch in parquet.read(place, SEGMENTED, columns):
        for *review, split in zip(*(batch[name].to_pylist() for name in columns), strict=True):
            rows[split].append(tuple(review))
    return {split: _columns(found) for split, found in rows.items()}


def spelt(text: str, settings: Spelling) -> str | None:
    """Return a text as `prepare` would leave it, None where it would reject it."""
    text = normalisation.spelt(text, settings)
    return None if normalisation.fault(text, settings) else text


def unlabelled(texts: list[str], settings: Segment) -> Reviews:
    """Return prepared texts as reviews, cut into words as `segment` would."""
    segmenter = segmentation.Segmenter(segmentation.load(settings))
    return Reviews([], texts, [segmenter(text) for text in texts], np.zeros(0, np.int8))


def _columns(rows: list[tuple[str, str, list[str], int]]) -> Reviews:
    ids, texts, tokens, labels = map(list, zip(*rows, strict=True))
    return Reviews(ids, texts, tokens, np.array(labels, np.int8))
