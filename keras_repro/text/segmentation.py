"""Reviews cut into words with jieba or rjieba."""

from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Segment
from keras_repro.text import terms
from keras_repro.text.jieba_tokenizer import Tokenizer

if TYPE_CHECKING:
    import pyarrow as pa

Cut = Callable[[str], Iterable[str]]


class UserWord(NamedTuple):
    """A line of a user dictionary."""

    text: str
    frequency: int | None


class Cutting(NamedTuple):
    """All that decides how a text is cut: plain values, so that any machine cuts alike."""

    engine: Literal["jieba", "rjieba"]
    hmm: bool
    stop_words: frozenset[str]
    user_words: tuple[UserWord, ...]


def load(settings: Segment) -> Cutting:
    """Read the dictionaries that the section `segment` of params.yaml names.

    Raises:
        ReproError: one of them is missing or malformed.

    """
    return Cutting(
        engine=settings.engine,
        hmm=settings.hmm,
        stop_words=frozenset[str]().union(*map(load_stop_words, settings.stop_words)),
        user_words=load_user_words(settings.user_dict) if settings.user_dict else (),
    )


def load_stop_words(path: Path) -> frozenset[str]:
    """Return the words of a file with one a line; blank lines and `#` comments are skipped."""
    lines = (line.partition("#")[0].strip() for line in _read(path, "a list of stop words"))
    return frozenset(line for line in lines if line)


def load_user_words(path: Path) -> tuple[UserWord, ...]:
    """Return the words of a user dictionary: WORD [FREQUENCY] [TAG], one a line."""
    words = []
    for number, line in enumerate(_read(path, "a user dictionary"), start=1):
        fields = line.partition("#")[0].split()
        if not fields:
            continue
        word, *rest = fields
        frequency = int(rest.pop(0)) if rest and rest[0].isdecimal() else None
        if len(rest) > 1:
            raise ReproError(
                f"{path}: line {number} is {line.strip()!r}; expected WORD [FREQUENCY] [TAG]"
            )
        words.append(UserWord(word, frequency))
    return tuple(words)


class _Kept(dict[str, str | None]):
    """What becomes of each word: lower-case, or None for blanks and stop words.

    Filled as words are met, since most have been met before.
    """

    # Words met: about 100 bytes each, so at most some 50 MB.
    LIMIT = 500_000

    def __init__(self, stop_words: frozenset[str]) -> None:
        super().__init__()
        self._stop_words = stop_words

    def __missing__(self, word: str) -> str | None:
        lower = word.lower()
        kept = None if lower.isspace() or lower in self._stop_words else lower
        if len(self) < self.LIMIT:
            self[word] = kept
        return kept


class Segmenter:
    """Cuts texts into lower-case words without blanks and stop words.

    Args:
        cutting: the engine and its words.
        cache: a directory in which jieba keeps its parsed dictionary, 0.5 s to make and to load.

    Raises:
        ReproError: rjieba is wanted and not installed.

    """

    def __init__(self, cutting: Cutting, cache: Path = paths.JIEBA_CACHE) -> None:
        self._cut = _jieba(cutting, cache) if cutting.engine == "jieba" else _rjieba(cutting)
        self._kept = _Kept(cutting.stop_words)

    def words(self, text: str) -> list[str]:
        """Return all words of a text as they stand there, blanks and stop words among them."""
        return list(self._cut(text))

    def __call__(self, text: str) -> list[str]:
        """Return the words of a text."""
        return self.chosen(self._cut(text))

    def chosen(self, words: Iterable[str]) -> list[str]:
        """Return the words that are no stop words, in lower case."""
        kept = self._kept
        return [word for found in words if (word := kept[found]) is not None]


def _jieba(cutting: Cutting, cache: Path) -> Cut:
    # A tokenizer of its own: words that others add to jieba's global one stay out of ours.
    tokenizer = Tokenizer(cache, cutting.user_words)
    return lambda text: tokenizer.cut(text, HMM=cutting.hmm)


def _rjieba(cutting: Cutting) -> Cut:
    try:
        import rjieba
    except ImportError:
        raise ReproError(
            f"{paths.PARAMS}: segment.engine is 'rjieba', and the package rjieba is not installed; "
            "expected it (`pip install keras-repro[rjieba]`) or jieba"
        ) from None
    tokenizer = rjieba.Jieba()
    for word, frequency in cutting.user_words:
        tokenizer.add_word(word, frequency, None)
    return lambda text: tokenizer.cut(text, cutting.hmm)


def segment(cutting: Cutting, batch: "pa.RecordBatch") -> "pa.Array":
    """Return the words of each review as lists of strings.

    Args:
        cutting: the engine and its words.
        batch: rows of `schemas.PREPARED`.

    """
    import pyarrow as pa

    segmenter = of_this_process(cutting)
    words: list[str] = []
    offsets = [0]
    columns = (batch[name].to_pylist() for name in ("text", "source"))
    for text, source in zip(*columns, strict=True):
        if source == terms.SEGMENTED_SOURCE:
            words += segmenter.chosen(text.split(" "))
        else:
            words += segmenter(text)
        offsets.append(len(words))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(words, pa.string()))


@cache
def of_this_process(cutting: Cutting) -> Segmenter:
    """Return this process' segmenter; the dictionary takes 0.5 s to load, so it is loaded once."""
    return Segmenter(cutting)


def _read(path: Path, kind: str) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ReproError(f"{path}: not found; expected {kind}") from None
    except UnicodeDecodeError as error:
        raise ReproError(f"{path}: no UTF-8 text ({error}); expected {kind}") from None
