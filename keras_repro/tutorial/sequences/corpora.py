"""The corpora of data/sequences.yaml, read from the installed package that carries them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Section, validated
from keras_repro.datasets import fetching
from keras_repro.datasets.registry import PackageSource


class Corpus(Section):
    """A corpus: what it is, and the file of a package that holds it."""

    title: str
    homepage: str
    licence: str
    source: PackageSource


class Corpora(Section):
    """The whole of data/sequences.yaml."""

    people_daily: Corpus
    pinyin: Corpus


class Entry(NamedTuple):
    """A word and the pinyin of its characters, without tones.

    >>> Entry("银行", ("yin", "hang")).syllables[1]
    'hang'
    """

    word: str
    syllables: tuple[str, ...]


def people_daily() -> list[list[str]]:
    """Return the words of each line of People's Daily.

    Raises:
        ReproError: the package lacks the file, it has other bytes, or a line is malformed.

    """
    found = []
    for number, line in _lines("people_daily"):
        tagged = [token.rpartition("/") for token in line.split()]
        if any(not word for word, _, _ in tagged):
            raise ReproError(
                f"{paths.SEQUENCES}: people_daily: line {number} is {line[:60]!r}; "
                "expected WORD/TAG, separated by blanks"
            )
        found.append([word for word, _, _ in tagged])
    return found


def pinyin() -> list[Entry]:
    """Return the words whose reading is certain, each once, in the file's order.

    Left out are words with several readings, since no word alone tells which is meant, and entries
    that have not a syllable for each character.

    Raises:
        ReproError: the package lacks the file or it has other bytes.

    """
    readings: dict[str, set[tuple[str, ...]]] = {}
    for _, line in _lines("pinyin"):
        word, *syllables = line.split()
        readings.setdefault(word, set()).add(tuple(syllables))
    return [
        Entry(word, next(iter(found)))
        for word, found in readings.items()
        if len(found) == 1 and len(next(iter(found))) == len(word)
    ]


def _lines(name: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a corpus that are not blank, each with its number from 1 on."""
    # Only line feeds end a line: str.splitlines would also cut at U+2028 within one.
    text = _path(name).read_text(encoding="utf-8")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def _path(name: str) -> Path:
    """Return the file of a corpus after checking its hash."""
    corpus: Corpus = getattr(validated(Corpora, paths.SEQUENCES), name)
    try:
        directory = fetching.from_package(corpus.source)
    except fetching.SourceError as error:
        raise ReproError(f"{paths.SEQUENCES}: {name}: {error}") from None
    return directory / next(iter(corpus.source.files))
