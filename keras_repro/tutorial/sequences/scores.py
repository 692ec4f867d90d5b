"""Metrics for sequences, as plain functions of what was predicted and what is true."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np


def perplexity(probabilities: np.ndarray) -> float:
    """Return exp of the mean negative logarithm of the probabilities that the truth was given.

    >>> round(perplexity(np.array([0.5, 0.125])), 6)
    4.0
    """
    return float(np.exp(-np.log(probabilities.astype(np.float64)).mean()))


def word_scores(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return precision, recall and F1 of words: one is right if both its ends are.

    Sproat and Emerson (2003), The First International Chinese Word Segmentation Bakeoff.

    Args:
        truth: whether a word begins at each character, bool of shape (total,).
        predicted: likewise.

    """
    expected, found = _spans(truth), _spans(predicted)
    right = len(expected & found)
    return {
        "precision": right / len(found),
        "recall": right / len(expected),
        "f1": 2 * right / (len(found) + len(expected)),
    }


def exact_match(truth: Sequence[Sequence[int]], predicted: Sequence[Sequence[int]]) -> float:
    """Return the share of sequences that are right from the first token to the last.

    >>> exact_match([[1, 2], [3]], [[1, 2], [3, 4]])
    0.5
    """
    pairs = zip(truth, predicted, strict=True)
    return sum(list(one) == list(other) for one, other in pairs) / len(truth)


def distinct(texts: Sequence[str], size: int) -> float:
    """Return how many of all n-grams of characters differ (Li et al., 2016).

    The longer the texts, the less; only equally many of equal length can be compared.

    >>> distinct(["abab", "ab"], 2)
    0.5
    """
    grams = [text[start : start + size] for text in texts for start in range(len(text) - size + 1)]
    return len(set(grams)) / max(1, len(grams))


def _spans(begins: np.ndarray) -> set[tuple[int, int]]:
    places = [*np.flatnonzero(begins).tolist(), len(begins)]
    return set(pairwise(places))
