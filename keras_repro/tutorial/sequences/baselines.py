"""What the sequence models must beat: counting, and a dictionary."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from keras_repro.core import paths
from keras_repro.text.jieba_tokenizer import Tokenizer


class Bigrams:
    """The next token from the one before, by counts with interpolated Kneser-Ney smoothing.

    Kneser and Ney (1995); the discount is n1 / (n1 + 2 n2) of the pairs seen once and twice, as in
    Ney, Essen and Kneser (1994).

    Args:
        tokens: ids of a text, of shape (total,).
        size: the number of ids.

    """

    def __init__(self, tokens: np.ndarray, size: int) -> None:
        self._size = size
        self._pairs, counts = np.unique(self._coded(tokens[:-1], tokens[1:]), return_counts=True)
        once, twice = (counts == 1).sum(), (counts == 2).sum()  # noqa: PLR2004 - seen twice
        discount = once / max(1, once + 2 * twice)
        before, after = self._pairs // size, self._pairs % size
        followers = np.bincount(before, minlength=size)
        totals = np.maximum(1, np.bincount(before, counts, minlength=size))
        # In how many contexts a token occurs; one more, so that none is impossible.
        contexts = np.bincount(after, minlength=size) + 1.0
        self._general = contexts / contexts.sum()
        # A token that nothing follows in training leaves all to the general distribution.
        self._left = np.where(followers > 0, discount * followers / totals, 1.0)
        self._discounted = (counts - discount) / totals[before]
        self._likeliest = self._best_followers(before, after)

    def probabilities(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Return the probability of each of `after` where `before` stands before, shape (N,)."""
        codes = self._coded(before, after)
        places = np.minimum(np.searchsorted(self._pairs, codes), len(self._pairs) - 1)
        seen = np.where(self._pairs[places] == codes, self._discounted[places], 0.0)
        found: np.ndarray = seen + self._left[before] * self._general[after]
        return found

    def likeliest(self, before: np.ndarray) -> np.ndarray:
        """Return the likeliest next token after each, of shape (N,)."""
        found: np.ndarray = self._likeliest[before]
        return found

    def _best_followers(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        best = np.full(self._size, self._general.argmax())
        scores = self.probabilities(before, after)
        order = np.argsort(scores, kind="stable")
        best[before[order]] = after[order]  # the last one that is written stays
        return best

    def _coded(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        codes: np.ndarray = before.astype(np.int64) * self._size + after
        return codes


class Readings:
    """The reading that each character has most often in training, whatever its neighbours.

    Args:
        words: the characters' ids of each word.
        syllables: the syllables' ids of each word.

    """

    def __init__(self, words: Iterable[Sequence[int]], syllables: Iterable[Sequence[int]]) -> None:
        counts: defaultdict[int, Counter[int]] = defaultdict(Counter)
        for word, spoken in zip(words, syllables, strict=True):
            # What is spoken ends with a boundary, which no character stands for.
            for character, syllable in zip(word, spoken[:-1], strict=True):
                counts[character][syllable] += 1
        self._best = {
            character: min(found, key=lambda syllable: (-found[syllable], syllable))
            for character, found in counts.items()
        }
        self._polyphonic = {character for character, found in counts.items() if len(found) > 1}

    def read(self, word: Iterable[int]) -> list[int]:
        """Return a syllable for each character; -1 for one that training has not."""
        return [self._best.get(character, -1) for character in word]

    def is_polyphonic(self, word: Iterable[int]) -> bool:
        """Say whether one of the characters has several readings in training."""
        return not self._polyphonic.isdisjoint(word)


def jieba_begins(lines: Iterable[str], *, hmm: bool) -> np.ndarray:
    """Return where jieba lets words begin, bool of shape (total,), each line cut by itself."""
    tokenizer = Tokenizer(paths.JIEBA_CACHE, ())
    begins = [
        place == 0
        for line in lines
        for word in tokenizer.cut(line, HMM=hmm)
        for place in range(len(word))
    ]
    return np.array(begins)
