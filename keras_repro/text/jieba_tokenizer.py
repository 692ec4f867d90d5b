"""jieba's tokenizer with a faster search for the likeliest words, and the same words."""

import logging
import math
from pathlib import Path

import jieba

from keras_repro.core import files

DICTIONARY = Path(jieba.__file__).with_name(jieba.DEFAULT_DICT_NAME)
# jieba's dictionary counts a word's beginnings as words that never occur; other strings it lacks.
_BEGINNING = None
_ABSENT = 0.0


class Tokenizer(jieba.Tokenizer):
    """Cuts a text as `jieba.Tokenizer` does, about 1.6 times as fast on one core.

    jieba lists, for each character, the words that start there, and then weighs each of them with
    logarithms taken anew. Here both are one loop, and each word's logarithm is taken once. It takes
    the same terms in the same order, so that equally likely words are chosen alike.

    Args:
        cache: a directory in which jieba keeps its parsed dictionary, 0.5 s to make and to load.
        words: more words, each with its frequency; with None it gets one with which it is cut out.

    """

    def __init__(self, cache: Path, words: tuple[tuple[str, int | None], ...]) -> None:
        super().__init__()
        jieba.setLogLevel(logging.WARNING)
        cache.mkdir(parents=True, exist_ok=True)
        self.tmp_dir = str(cache)
        # jieba would take any file of a fixed name that is newer than its dictionary.
        self.cache_file = f"{files.sha256(DICTIONARY)}.cache"
        self._weights: dict[str, float | None] | None = None
        self.initialize()
        for word, frequency in words:
            self.add_word(word, frequency)
        total = math.log(self.total)
        self._unknown = -total  # of a single character that is no word, as if seen once
        self._weights = {
            word: math.log(frequency) - total if frequency else _BEGINNING
            for word, frequency in self.FREQ.items()
        }

    def get_DAG(self, sentence: str) -> dict[int, list[int]]:  # noqa: N802 - jieba's name
        """Return nothing once `calc` finds the words itself."""
        if self._weights is None:  # jieba cuts the user's own words to find their frequency
            found: dict[int, list[int]] = super().get_DAG(sentence)
            return found
        return {}

    def calc(
        self,
        sentence: str,
        DAG: dict[int, list[int]],  # noqa: N803 - jieba's name
        route: dict[int, tuple[float, int]],
    ) -> None:
        """Enter for each character the best score from there on and where its word ends."""
        if self._weights is None:
            super().calc(sentence, DAG, route)
            return
        weights, unknown, count = self._weights, self._unknown, len(sentence)
        scores = [0.0] * (count + 1)
        route[count] = (0.0, 0)
        for start in range(count - 1, -1, -1):
            best, last, end = -math.inf, start, start + 1
            weight = weights.get(sentence[start], _ABSENT)
            while weight != _ABSENT:
                # Of equally likely words the longest is taken, as max() does of jieba's pairs.
                if weight is not _BEGINNING and (score := weight + scores[end]) >= best:
                    best, last = score, end - 1
                end += 1
                if end > count:
                    break
                weight = weights.get(sentence[start:end], _ABSENT)
            if best == -math.inf:
                best = unknown + scores[start + 1]
            scores[start] = best
            route[start] = (best, last)
