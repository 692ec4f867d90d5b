"""Reviews as characters, each with the length of the word that ends there.

A character is one number for both, so that what is kept of a review stays one flat array: the code
point, later the id, and above it the length of the word.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from keras_repro.text import segmentation
from keras_repro.text.ngrams import CODE_POINTS, LONGEST_WORD
from keras_repro.text.terms import SEGMENTED_SOURCE

if TYPE_CHECKING:
    import pyarrow as pa


def cutting(
    engine: Literal["jieba", "rjieba"], user_words: tuple[segmentation.UserWord, ...]
) -> segmentation.Cutting:
    """Return how texts are cut for n-grams: all words count, and none is guessed.

    jieba guesses about one word in twenty-five, mostly names that no two reviews share, and needs
    almost twice the time for it.
    """
    return segmentation.Cutting(engine, hmm=False, stop_words=frozenset(), user_words=user_words)


def of_batch(
    cutting: segmentation.Cutting, max_length: int, batch: "pa.RecordBatch"
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first characters of each review.

    Words that someone else has cut are joined again, so that all sources read alike.

    Args:
        cutting: what tells the words.
        max_length: how many characters are kept.
        batch: rows with a `text` and a `source`.

    Returns:
        The number of characters of each review, int32 of shape (N,), and those of all in turn,
        int32, as `numbered` has them.

    """
    segmenter = segmentation.of_this_process(cutting)
    columns = (batch[name].to_pylist() for name in ("text", "source"))
    found = []
    for text, source in zip(*columns, strict=True):
        if source == SEGMENTED_SOURCE:
            found.append(numbered(text.split(" "))[:max_length])
        else:
            found.append(of_text(segmenter, text, max_length))
    return np.array([len(one) for one in found], np.int32), np.concatenate(found)


def of_text(cut: segmentation.Segmenter, text: str, max_length: int) -> np.ndarray:
    """Return the first characters of a text, as `numbered` has them."""
    return numbered(cut.words(text[:max_length]))


def numbered(words: Sequence[str]) -> np.ndarray:
    """Return the characters of words in turn, int32 of shape (length,).

    Each is its code point plus `CODE_POINTS` times the length of the word that ends with it, which
    counts as 0 within a word and at the end of one that is too long for a key.
    """
    words = [word for word in words if word]
    points = np.frombuffer("".join(words).encode("utf-32-le"), np.int32)
    lengths = np.array([len(word) for word in words], np.int32)
    ends = np.zeros(len(points), np.int32)
    ends[np.cumsum(lengths) - 1] = np.where(lengths > LONGEST_WORD, 0, lengths)
    return points + CODE_POINTS * ends
