"""Texts as what a sentiment model takes of them, read as its training reviews were."""

import json
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from stages import ReproError, files
from stages.serving import bundle
from stages.serving.bundle import Bundle, Images, Ngrams, Spelling, Words
from stages.text import characters, ngrams, segmentation
from stages.text.normalisation import normalise, simplified
from stages.text.reviews import UNKNOWN

# Makes of a text in the spelling of the model an array whose first axis is the text's length.
Reads = Callable[[str], np.ndarray]


def cleared(text: str, spelling: Spelling) -> str:
    """Return a text in the spelling that a model has learned.

    Raises:
        ReproError: nothing is left of it, or it is longer than any review of the training.

    """
    # What came from bytes that were no text has surrogates, which no encoding can write again.
    text = text.encode("utf-8", "replace").decode("utf-8")
    text = normalise(text, spelling.unicode_form)
    if spelling.simplify:
        text = simplified(text)
    if not 0 < len(text) <= spelling.max_characters:
        raise ReproError(
            f"a text of {len(text):,} characters; expected 1 to {spelling.max_characters:,}"
        )
    return text


def reader(source: Bundle) -> Reads:
    """Return what reads a text for the network of a bundle.

    Raises:
        ReproError: the bundle is one of images.

    """
    reads = _of_texts(source)
    return _words(source, reads) if isinstance(reads, Words) else _ngrams(source, reads)


def _of_texts(source: Bundle) -> Words | Ngrams:
    reads = source.manifest.reads
    if isinstance(reads, Images):
        raise ReproError(f"{source.directory}: a model of images; expected one of texts")
    return reads


def _words(source: Bundle, reads: Words) -> Reads:
    vocabulary: dict[str, int] = json.loads(
        source.path(bundle.VOCABULARY).read_text(encoding="utf-8")
    )
    cutting = segmentation.Cutting(
        reads.engine,
        reads.hmm,
        segmentation.load_stop_words(source.path(bundle.STOP_WORDS)),
        _user_words(source),
    )
    segmenter = segmentation.Segmenter(cutting, jieba_cache())

    def read(text: str) -> np.ndarray:
        words = segmenter(text)[: reads.max_length]
        # As in training, a review of which no word is kept is one unknown word.
        return np.array([vocabulary.get(word, UNKNOWN) for word in words] or [UNKNOWN], np.int32)

    return read


def _ngrams(source: Bundle, reads: Ngrams) -> Reads:
    path = source.path(bundle.NGRAMS)
    keys = ngrams.read_keys(path)
    points = files.read_npz(path, ["characters"])["characters"]
    numbers = ngrams.numbers(ngrams.alphabet_of(points))
    segmenter = _segmenter(reads.engine, _user_words(source))

    def read(text: str) -> np.ndarray:
        words = segmenter.words(text[: reads.max_length])
        found: np.ndarray = keys.ids(numbers[characters.numbered(words)][None])[0]
        return found

    return read


def word_cutter(source: Bundle) -> Callable[[str], list[str]]:
    """Return what cuts a text into words of which nothing is left out; 0.7 s to load at first.

    Raises:
        ReproError: the bundle is one of images.

    """
    return _segmenter(_of_texts(source).engine, _user_words(source)).words


def _user_words(source: Bundle) -> tuple[segmentation.Word, ...]:
    return segmentation.load_user_words(source.path(bundle.USER_WORDS))


@cache  # jieba's dictionary takes 100 MB, and a model may read words as its explainer does
def _segmenter(
    engine: Literal["jieba", "rjieba"], user_words: tuple[segmentation.Word, ...]
) -> segmentation.Segmenter:
    return segmentation.Segmenter(characters.cutting(engine, user_words), jieba_cache())


def jieba_cache() -> Path:
    """Return where jieba keeps its parsed dictionary for this user, wherever the project lies."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = home / "keras-repro/jieba"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:  # a user without a home
        return Path(tempfile.mkdtemp(prefix="keras-repro-jieba-"))
    return directory
