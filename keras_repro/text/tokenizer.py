"""Keras' text preprocessing, which Keras 3 no longer offers, without TensorFlow.

The classes and functions bear the names and give the results of `keras.preprocessing.text` of
Keras 2, which TensorFlow still holds as `tf.keras.preprocessing.text` for old code. They differ in
three points. Words given as lists are safe whatever blanks they hold: `sequences_to_tokens` gives
them back unjoined. `one_hot` and `hashing_trick` give the same numbers in every process. And what
is of no use ends in one message instead of numbers that mean nothing.
"""

import json
import operator
import re
import sys
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import md5
from itertools import chain, repeat
from typing import Any, Literal, get_args

import numpy as np

from keras_repro.core.errors import ReproError

# A text, or its words as someone else has cut them.
Text = str | list[str] | tuple[str, ...]
Mode = Literal["binary", "count", "tfidf", "freq"]

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'

SETTINGS = ("num_words", "filters", "lower", "split", "char_level", "oov_token")
TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


def text_to_word_sequence(
    text: str, filters: str = FILTERS, *, lower: bool = True, split: str = " "
) -> list[str]:
    """Return the words of a text.

    Args:
        text: in which `split` parts the words.
        filters: characters that part words as well.
        lower: make the words lower-case.
        split: one or more characters.

    Raises:
        ReproError: `split` is empty or `text` is no string.

    >>> text_to_word_sequence("我 爱 北京")
    ['我', '爱', '北京']

    """
    if not isinstance(text, str):
        raise ReproError(f"a text is {_shown(text)}; expected a string")
    return _cutter(filters, split)(text.lower() if lower else text)


@lru_cache
def _cutter(filters: str, split: str) -> Callable[[str], list[str]]:
    if not split:
        raise ReproError("split is ''; expected one or more characters")
    if len(split) == 1:
        return re.compile(f"[^{re.escape(filters + split)}]+").findall
    # A character of `filters` counts as a whole `split`, and may join its neighbours to another.
    parted = str.maketrans(dict.fromkeys(filters, split))
    return lambda text: [word for word in text.translate(parted).split(split) if word]


def one_hot(  # noqa: PLR0913 - those of Keras and one more
    text: str,
    n: int,
    filters: str = FILTERS,
    *,
    lower: bool = True,
    split: str = " ",
    hash_function: Callable[[str], int] | Literal["md5"] | None = "md5",
) -> list[int]:
    """Return a number for each word of a text; the same as `hashing_trick`.

    Keras takes Python's `hash` here, so that its numbers are others in each process, unless
    PYTHONHASHSEED is set. Those that the tutorial prints cannot be had again.
    """
    return hashing_trick(text, n, hash_function, filters, lower=lower, split=split)


def hashing_trick(  # noqa: PLR0913 - those of Keras
    text: str,
    n: int,
    hash_function: Callable[[str], int] | Literal["md5"] | None = "md5",
    filters: str = FILTERS,
    *,
    lower: bool = True,
    split: str = " ",
) -> list[int]:
    """Return a number from 1 to n - 1 for each word of a text; different words may share one.

    Args:
        text: in which `split` parts the words.
        n: how many numbers there are; 0 is no word's.
        hash_function: from a word to an integer; None is Python's `hash`, which is Keras' default
            and gives other numbers in each process.
        filters: characters that part words as well.
        lower: make the words lower-case.
        split: one or more characters.

    Raises:
        ReproError: `n` is below 2, or `hash_function` is no function.

    >>> hashing_trick("我 爱 北京", 10)
    [6, 7, 2]

    """
    if n < 2:  # noqa: PLR2004 - 0 pads, and one number is left for all words
        raise ReproError(f"n is {n}; expected at least 2, of which 0 is no word's")
    if hash_function == "md5":
        hash_function = _md5
    elif hash_function is None:
        hash_function = hash
    elif not callable(hash_function):
        raise ReproError(f"hash_function is {hash_function!r}; expected 'md5', None or a function")
    words = text_to_word_sequence(text, filters, lower=lower, split=split)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int.from_bytes(
        md5(word.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest(), "big"
    )


class Tokenizer:
    """Numbers the words of texts by their frequency, the commonest first.

    Args:
        num_words: words with this id or a greater one are left out of all results; None for no
            limit. As id 0 is no word's, the words kept are one fewer.
        filters: characters that part words, besides `split`.
        lower: make the words lower-case, those of lists too.
        split: what parts words, one or more characters.
        char_level: the characters of a text are its words; nothing is filtered.
        oov_token: stands for all words without an id, and has id 1; None leaves them out. If a
            text has it as a word, that word's own id stands for them instead.

    Attributes:
        document_count: how many texts or sequences it was fitted on.
        word_counts: how often each word occurs, in the order in which they were met.
        word_docs: in how many texts each word occurs.
        word_index: the ids of the words, from 1 on; of equally frequent ones the earlier is first.
        index_word: the words of the ids.
        index_docs: in how many texts or sequences each id occurs.

    Raises:
        ReproError: `num_words` is below 1 or `split` is empty.

    >>> texts = ["我 爱 北京", "我 爱 北京 天安门"]
    >>> tokenizer = Tokenizer(num_words=10, split=" ")
    >>> tokenizer.fit_on_texts(texts)
    >>> print(tokenizer.word_counts)
    OrderedDict([('我', 2), ('爱', 2), ('北京', 2), ('天安门', 1)])
    >>> print(tokenizer.word_index)
    {'我': 1, '爱': 2, '北京': 3, '天安门': 4}
    >>> print(tokenizer.index_docs)
    defaultdict(<class 'int'>, {1: 2, 2: 2, 3: 2, 4: 1})
    >>> print(tokenizer.texts_to_sequences(texts))
    [[1, 2, 3], [1, 2, 3, 4]]
    >>> print(tokenizer.texts_to_matrix(texts))
    [[0. 1. 1. 1. 0. 0. 0. 0. 0. 0.]
     [0. 1. 1. 1. 1. 0. 0. 0. 0. 0.]]

    """

    def __init__(  # noqa: PLR0913 - those of Keras
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        *,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
    ) -> None:
        if num_words is not None and num_words < 1:
            raise ReproError(f"num_words is {num_words}; expected at least 1, or None for no limit")
        _cutter(filters, split)
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.document_count = 0
        self.word_counts: OrderedDict[str, int] = OrderedDict()
        self.word_docs: defaultdict[str, int] = defaultdict(int)
        self.index_docs: defaultdict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def fit_on_texts(self, texts: Iterable[Text]) -> None:
        """Count the words of texts, which are read once and not kept, and number all words anew.

        Raises:
            ReproError: one of them is neither a string nor a list of strings; none is counted then.

        """
        counts: Counter[str] = Counter()
        documents: Counter[str] = Counter()
        read = 0
        for words in self._words(texts):
            counts.update(words)
            documents.update(set(words))
            read += 1
        self.document_count += read
        for word in counts:  # not in the order of `documents`, which no two processes share
            self.word_docs[word] += documents[word]
        self.fit_on_counts(counts)

    def fit_on_counts(self, counts: Mapping[str, int]) -> None:
        """Add words that were counted elsewhere and number all words anew.

        Texts are not counted, which weighting by tf-idf would need.

        Args:
            counts: how often each word occurs; of equally frequent ones the earlier is first.

        """
        for word, count in counts.items():
            self.word_counts[word] = self.word_counts.get(word, 0) + count
        ranked = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        if self.oov_token is not None:
            ranked.insert(0, self.oov_token)
        self.word_index = {word: number for number, word in enumerate(ranked, start=1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        for word, documents in self.word_docs.items():
            self.index_docs[self.word_index[word]] = documents

    def fit_on_sequences(self, sequences: Iterable[Sequence[int]]) -> None:
        """Count in how many sequences each id occurs, which is all that weighting by tf-idf needs.

        Raises:
            ReproError: one of them is no sequence of ids; none is counted then.

        """
        sequences = list(sequences)
        _flattened(sequences)
        self.document_count += len(sequences)
        for number, count in Counter(chain.from_iterable(map(set, sequences))).items():
            self.index_docs[number] += count

    def texts_to_sequences(self, texts: Iterable[Text]) -> list[list[int]]:
        """Return the ids of the words of each text.

        Raises:
            ReproError: a text is neither a string nor a list of strings; there is an `oov_token`
                and it has no id yet.

        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Text]) -> Iterator[list[int]]:
        """Yield what `texts_to_sequences` returns, a text at a time."""
        known, limit, unknown = self.word_index.get, self._limit(), self._unknown()
        if unknown is None:
            for words in self._words(texts):
                yield [number for number in map(known, words, repeat(limit)) if number < limit]
        else:
            for words in self._words(texts):
                numbers = map(known, words, repeat(unknown))
                yield [number if number < limit else unknown for number in numbers]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Return the words of each sequence, joined by blanks.

        Ids without a word, such as 0 of padding, become the `oov_token` or, without one, nothing.

        Raises:
            ReproError: as for `sequences_to_tokens`.

        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Yield what `sequences_to_texts` returns, a sequence at a time."""
        return map(" ".join, self.sequences_to_tokens_generator(sequences))

    def sequences_to_tokens(self, sequences: Iterable[Iterable[int]]) -> list[list[str]]:
        """Return the words of each sequence as a list, so that one may hold blanks.

        Raises:
            ReproError: one of them is no sequence of ids; there is an `oov_token` and it has no id
                yet.

        """
        return list(self.sequences_to_tokens_generator(sequences))

    def sequences_to_tokens_generator(
        self, sequences: Iterable[Iterable[int]]
    ) -> Iterator[list[str]]:
        """Yield what `sequences_to_tokens` returns, a sequence at a time."""
        known, limit = self.index_word.get, self._limit()
        unknown = None if self._unknown() is None else self.oov_token
        for sequence in sequences:
            try:
                words = [
                    known(number, unknown) if number < limit else unknown for number in sequence
                ]
            except TypeError:
                raise ReproError(
                    f"a sequence is {_shown(sequence)}; expected a list of ids"
                ) from None
            yield [word for word in words if word is not None]

    def texts_to_matrix(self, texts: Iterable[Text], mode: Mode = "binary") -> np.ndarray:
        """Return a row for each text and a column for each id; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(
        self, sequences: Iterable[Sequence[int]], mode: Mode = "binary"
    ) -> np.ndarray:
        """Return a row for each sequence and a column for each id.

        Args:
            sequences: N lists of ids; those from `num_words` on are left out.
            mode: what tells that an id occurs in a sequence: `binary` 1, `count` how often, `freq`
                the share of the sequence, `tfidf` (1 + log count) · log(1 + D / (1 + d)) where d of
                the D texts or sequences that were counted have the id (Manning, Raghavan and
                Schütze, Introduction to Information Retrieval, 2008, 6.4.1, and Keras' own idf).

        Returns:
            float64 of shape (N, num_words), or one column more than there are words.

        Raises:
            ReproError: the mode is none of these; one of the sequences is none, or has a negative
                id; without `num_words`, no text was fitted; for `tfidf`, nothing was counted.

        """
        if mode not in get_args(Mode):
            raise ReproError(f"mode is {mode!r}; expected one of {', '.join(get_args(Mode))}")
        if mode == "tfidf" and not self.document_count:
            raise ReproError("no text was counted; expected fit_on_texts before the mode tfidf")
        width = self._width()
        sequences = list(sequences)
        lengths, columns = _flattened(sequences)
        rows = np.repeat(np.arange(len(sequences)), lengths)
        inside = columns < width
        cells, counts = np.unique(rows[inside] * width + columns[inside], return_counts=True)
        rows, columns = np.divmod(cells, width)
        matrix = np.zeros((len(sequences), width))
        match mode:
            case "binary":
                matrix[rows, columns] = 1
            case "count":
                matrix[rows, columns] = counts
            case "freq":
                matrix[rows, columns] = counts / lengths[rows]
            case "tfidf":
                matrix[rows, columns] = (1 + np.log(counts)) * self._rarity(columns)
        return matrix

    def get_config(self) -> dict[str, Any]:
        """Return the settings and the tables, the latter as JSON."""
        settings = {name: getattr(self, name) for name in (*SETTINGS, "document_count")}
        return settings | {name: json.dumps(getattr(self, name)) for name in TABLES}

    def to_json(self, **options: Any) -> str:
        """Return all of this tokenizer as JSON, which Keras' `tokenizer_from_json` reads as well.

        The same texts give the same string in every process.

        Args:
            options: for `json.dumps`.

        """
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **options)

    def _words(self, texts: Iterable[Text]) -> Iterator[Sequence[str]]:
        """Yield the words of each text."""
        if isinstance(texts, str):
            raise ReproError(f"the texts are {_shown(texts)}; expected a list of texts")
        cut = _cutter(self.filters, self.split)
        # Both refuse what is no string.
        as_wanted = str.lower if self.lower else str.__str__
        for text in texts:
            try:
                if isinstance(text, list | tuple):
                    yield list(map(as_wanted, text))
                else:
                    whole = as_wanted(text)
                    yield whole if self.char_level else cut(whole)
            except TypeError:
                raise ReproError(
                    f"a text is {_shown(text)}; expected a string or a list of strings"
                ) from None

    def _limit(self) -> int:
        return sys.maxsize if self.num_words is None else self.num_words

    def _unknown(self) -> int | None:
        """Return the id that stands for unknown words, or None if they are left out."""
        if self.oov_token is None:
            return None
        if self.oov_token not in self.word_index:
            raise ReproError(
                f"the oov_token {self.oov_token!r} has no id; expected fit_on_texts before"
            )
        return self.word_index[self.oov_token]

    def _width(self) -> int:
        if self.num_words is not None:
            return self.num_words
        if not self.word_index:
            raise ReproError(
                "num_words is None and no word is known; expected num_words, or fit_on_texts before"
            )
        return len(self.word_index) + 1

    def _rarity(self, numbers: np.ndarray) -> np.ndarray:
        """Return the inverse document frequency of ids."""
        documents = np.array([self.index_docs.get(number, 0) for number in numbers.tolist()])
        rarity: np.ndarray = np.log(1 + self.document_count / (1 + documents))
        return rarity


def tokenizer_from_json(text: str) -> Tokenizer:
    """Return the tokenizer that `to_json`, here or in Keras, has written.

    Raises:
        ReproError: the text is something else.

    """
    try:
        config = json.loads(text)["config"]
        tokenizer = Tokenizer(**{name: config[name] for name in SETTINGS})
        tokenizer.document_count = int(config["document_count"])
        tables = {name: json.loads(config[name]) for name in TABLES}
        tokenizer.word_counts.update(tables["word_counts"])
        tokenizer.word_docs.update(tables["word_docs"])
        tokenizer.word_index.update(tables["word_index"])
        # JSON has strings for keys.
        tokenizer.index_docs.update({int(key): n for key, n in tables["index_docs"].items()})
        tokenizer.index_word.update({int(key): w for key, w in tables["index_word"].items()})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ReproError(
            f"no tokenizer in JSON ({type(error).__name__}: {error}); "
            "expected what Tokenizer.to_json returns"
        ) from None
    return tokenizer


def _flattened(sequences: list[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the length of each sequence and the ids of all in turn, both int64."""
    try:
        lengths = np.fromiter(map(len, sequences), np.int64)
        numbers = np.fromiter(map(operator.index, chain.from_iterable(sequences)), np.int64)
    except (TypeError, OverflowError) as error:
        raise ReproError(f"no sequences of ids ({error}); expected lists of integers") from None
    if numbers.size and numbers.min() < 0:
        raise ReproError(f"a sequence has the id {numbers.min()}; expected ids from 0 on")
    return lengths, numbers


def _shown(value: object) -> str:
    """Return a value and its type, shortened."""
    shown = repr(value)
    return f"{shown if len(shown) <= 40 else f'{shown[:39]}…'} ({type(value).__name__})"  # noqa: PLR2004 - characters
