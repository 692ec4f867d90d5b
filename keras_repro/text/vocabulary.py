"""Tokens as numbers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from keras_repro.core.params import Tokenize
from keras_repro.text.terms import UNKNOWN, UNKNOWN_TOKEN
from keras_repro.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_ID = UNKNOWN + 1


def learn(counts: Mapping[str, int], min_count: int, num_words: int | None) -> dict[str, int]:
    """Return the ids of tokens, the commonest first; of equally common ones the lesser string.

    Args:
        counts: how often the reviews that are learned from have each token.
        min_count: rarer tokens get no id.
        num_words: how many tokens get an id at most; None for all.

    >>> learn({"好": 2, "书": 2, "贵": 2, "慢": 1}, min_count=2, num_words=2)
    {'书': 2, '好': 3}

    """
    frequent = sorted(token for token, count in counts.items() if count >= min_count)
    tokenizer = Tokenizer(oov_token=UNKNOWN_TOKEN)
    # Of equally common tokens the tokenizer takes the earlier one first.
    tokenizer.fit_on_counts({token: counts[token] for token in frequent})
    ranked = sorted(number for number in tokenizer.index_word if number >= FIRST_ID)
    return {tokenizer.index_word[number]: number for number in ranked[:num_words]}


class BatchTokens(NamedTuple):
    """The tokens of a batch of reviews, each distinct one told once.

    Attributes:
        distinct: strings, of shape (D,).
        counts: how often the reviews that are learned from have each, of shape (D,).
        places: of all reviews in turn, the place of each token in `distinct`, or -1 as the only
            token of a review that has none.
        lengths: the number of places of each review.

    """

    distinct: "pa.Array"
    counts: np.ndarray
    places: np.ndarray
    lengths: np.ndarray


def tokens_of(settings: Tokenize, batch: "pa.RecordBatch") -> BatchTokens:
    """Return the first `max_length` tokens of each review; all tokens are counted.

    Args:
        settings: the section `tokenize` of params.yaml.
        batch: rows of `schemas.SEGMENTED`.

    """
    import pyarrow.compute as pc

    tokens = batch["tokens"]
    encoded = tokens.flatten().dictionary_encode()
    places = np.asarray(encoded.indices)
    lengths = np.asarray(pc.list_value_length(tokens))
    counted = places
    if settings.learn_from == "train":
        counted = places[np.repeat(np.asarray(pc.equal(batch["split"], "train")), lengths)]
    counts = np.bincount(counted, minlength=len(encoded.dictionary))
    return BatchTokens(encoded.dictionary, counts, *shortened(places, lengths, settings.max_length))


def shortened(
    numbers: np.ndarray, lengths: np.ndarray, max_length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first numbers of each text and how many these are, at least one: -1 where none is.

    Args:
        numbers: of the tokens of all texts in turn, of shape (total,).
        lengths: of the texts, of shape (N,).
        max_length: how many are kept of a text.

    >>> shortened(np.array([5, 6, 7]), np.array([3, 0]), 2)[0].tolist()
    [5, 6, -1]

    """
    within = np.arange(len(numbers)) - np.repeat(_starts(lengths), lengths)
    kept_lengths = np.clip(lengths, 1, max_length)
    kept = within < max_length
    result = np.full(kept_lengths.sum(), -1, np.int32)
    result[(np.repeat(_starts(kept_lengths), lengths) + within)[kept]] = numbers[kept]
    return result, kept_lengths


def _starts(lengths: np.ndarray) -> np.ndarray:
    starts: np.ndarray = np.cumsum(lengths) - lengths
    return starts


class Census:
    """All distinct tokens met, numbered in that order, and how often training has each.

    About 200 bytes for each; their number grows more slowly than that of the reviews.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._counts = np.zeros(0, np.int64)

    def add(self, tokens: BatchTokens) -> np.ndarray:
        """Count the tokens of a batch and return their numbers, of the shape of `tokens.places`.

        A review without tokens has the number -1.
        """
        numbers = self._numbers
        table = np.array(
            [numbers.setdefault(word, len(numbers)) for word in tokens.distinct.to_pylist()] + [-1],
            np.int32,
        )
        if len(numbers) > len(self._counts):
            self._counts = np.concatenate([self._counts, np.zeros(len(numbers), np.int64)])
        self._counts[table[:-1]] += tokens.counts
        found: np.ndarray = table[tokens.places]
        return found

    def counts(self) -> dict[str, int]:
        """Return how often the training split has each token."""
        return dict(zip(self._numbers, self._counts.tolist(), strict=False))

    def ids(self, vocabulary: Mapping[str, int]) -> np.ndarray:
        """Return the id of each number, of shape (D + 1,); the last one serves the number -1."""
        known = [vocabulary.get(word, UNKNOWN) for word in self._numbers]
        return np.array([*known, UNKNOWN], np.int32)
