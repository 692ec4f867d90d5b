"""The n-grams of characters that have ids, and the words among them.

An n-gram is known by a key of 64 bits, the ids of its characters at 16 bits each, so finding it
is a search in a sorted array: no string is made and no Python runs per review. Where it is a word
of its text (keras_repro/text/characters.py) it has a second id, as the same characters may be one
word here and parts of two there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Ngrams
from keras_repro.text.terms import UNKNOWN
from keras_repro.text.vocabulary import FIRST_ID, learn

CODE_POINTS = 0x110000
BITS = 16
LETTER = (1 << BITS) - 1
# Characters of the longest word, as many as a key of 64 bits holds; an n-gram has no more.
LONGEST_WORD = 64 // BITS
# 16 bits without the two reserved ids; Unicode has more characters, no language's reviews do.
MAX_CHARACTERS = 2**BITS - FIRST_ID
# A character that only one place of the training split has is in no n-gram that two reviews share.
MOST_CHARACTER_COUNT = 2
# Characters whose n-grams are sorted at once; about 100 bytes each.
CHARACTERS_AT_ONCE = 1 << 22


class Keys(NamedTuple):
    """What finding ids takes.

    Attributes:
        ngrams: uint64 of shape (K,), ascending; the n-gram with the id i is `ngrams[i - 1]`.
        words: uint64 of shape (W,), ascending; the word with the id i is `words[i - 1 - K]`.
        longest: characters of the longest n-gram.

    """

    ngrams: np.ndarray
    words: np.ndarray
    longest: int

    @property
    def columns(self) -> int:
        """How many ids a character has: one per number of characters, and that of the word."""
        return self.longest + 1

    def ids(self, characters: np.ndarray) -> np.ndarray:
        """Return the ids of the n-grams and of the word that end at each character.

        Args:
            characters: of shape (N, length), as `numbers` has them; 0 for padding.

        Returns:
            int32 of shape (N, length, columns), the n-grams of one character first and the word
            last; 0 where none ends that has an id.

        """
        found = np.zeros((*characters.shape, self.columns), np.int32)
        letters, ends = characters & LETTER, characters >> BITS
        for order, keys in enumerate(_keys(letters)):
            if order < self.longest:
                known, places = _places(self.ngrams, keys)
                found[:, order:, order][known] = places[known] + 1
            is_word = ends[:, order:] == order + 1
            known, places = _places(self.words, keys[is_word])
            word_ids = np.where(known, places + 1 + len(self.ngrams), 0)
            found[:, order:, self.longest][is_word] = word_ids
        return found


class Counted(NamedTuple):
    """Keys, ascending, and in how many reviews each is."""

    keys: np.ndarray
    documents: np.ndarray


NOTHING = Counted(np.zeros(0, np.uint64), np.zeros(0, np.int64))


class Census(NamedTuple):
    """The n-grams and words that have ids, and how common they are.

    Attributes:
        ngrams: as `Keys` has them, like the next two.
        words: likewise.
        longest: likewise.
        documents: int64 of shape (K + W,), in how many training reviews each is.
        reviews: the number of training reviews.

    """

    ngrams: np.ndarray
    words: np.ndarray
    longest: int
    documents: np.ndarray
    reviews: int

    def keys(self) -> Keys:
        """Return what finding ids takes."""
        return Keys(self.ngrams, self.words, self.longest)

    def rarity(self) -> np.ndarray:
        """Return the inverse document frequency of each id, float32 of shape (K + W + 1,).

        log((1 + reviews) / (1 + documents)) + 1, as scikit-learn has it; 0 for the id 0 and for
        what no review has often enough.
        """
        rarity = np.log((1 + self.reviews) / (1 + self.documents)) + 1
        return np.concatenate([[0], np.where(self.documents, rarity, 0)]).astype(np.float32)

    def with_further(self, other: "Census") -> "Census":
        """Return the same with ids for the n-grams and words of another, in no review."""
        count = len(self.ngrams)
        ngrams, of_ngrams = _further(self.ngrams, self.documents[:count], other.ngrams)
        words, of_words = _further(self.words, self.documents[count:], other.words)
        documents = np.concatenate([of_ngrams, of_words])
        return Census(ngrams, words, self.longest, documents, self.reviews)


def _further(
    keys: np.ndarray, documents: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the keys of both in ascending order, and the numbers of the first, else 0."""
    united = np.union1d(keys, others)
    counted = np.zeros(len(united), np.int64)
    counted[np.searchsorted(united, keys)] = documents
    return united, counted


def alphabet(counts: np.ndarray, min_count: int) -> dict[str, int]:
    """Return the ids of characters, the commonest first.

    Args:
        counts: how often the training split has each code point.
        min_count: in how many reviews an n-gram must be.

    """
    found = {chr(point): int(counts[point]) for point in np.flatnonzero(counts)}
    return learn(found, min(min_count, MOST_CHARACTER_COUNT), MAX_CHARACTERS)


def numbers(alphabet: dict[str, int]) -> np.ndarray:
    """Return what becomes of each number of `characters.numbered`, int32.

    The lower 16 bits are the id of the character, above is the length of the word that ends with
    it. There is one more, as `ragged.Writer.arrays` wants it.
    """
    ids = np.full(CODE_POINTS, UNKNOWN, np.int32)
    ids[[ord(character) for character in alphabet]] = list(alphabet.values())
    lengths = np.arange(LONGEST_WORD + 1, dtype=np.int32) << BITS
    return np.append(np.add.outer(lengths, ids), np.int32(UNKNOWN))


def count(tokens: np.ndarray, offsets: np.ndarray, settings: Ngrams) -> Census:
    """Choose the n-grams and words that get ids.

    Args:
        tokens: the characters of the training reviews in turn, as `numbers` has them.
        offsets: of shape (N + 1,); review i is `tokens[offsets[i]:offsets[i + 1]]`.
        settings: the section `ngrams` of params.yaml.

    Raises:
        ReproError: no n-gram is in as many reviews as `min_count` asks for.

    """
    counted = {"ngrams": NOTHING, "words": NOTHING}
    for start, end in _parts(offsets):
        part = np.asarray(tokens[offsets[start] : offsets[end]])
        owners = np.repeat(np.arange(end - start), np.diff(offsets[start : end + 1]))
        found = _counted(part, owners, settings.longest)
        counted = {kind: _merged([counted[kind], *found[kind]]) for kind in counted}
    ngrams, words = (_frequent(counted[kind], settings.min_count) for kind in counted)
    if not len(ngrams.keys):
        raise ReproError(
            f"{paths.PARAMS}: ngrams.min_count {settings.min_count} leaves no n-gram of "
            f"{len(offsets) - 1} training reviews; expected a lower one, or more reviews"
        )
    # Stable: of equally common ones the lesser key stays.
    commonest = np.sort(np.argsort(-ngrams.documents, kind="stable")[: settings.max_ngrams])
    return Census(
        ngrams=ngrams.keys[commonest],
        words=words.keys,
        longest=settings.longest,
        documents=np.concatenate([ngrams.documents[commonest], words.documents]),
        reviews=len(offsets) - 1,
    )


def as_arrays(census: Census) -> dict[str, np.ndarray]:
    """Return a census as arrays by name."""
    return {name: np.asarray(value) for name, value in census._asdict().items()}


def read_census() -> Census:
    """Read the n-grams and words of data/processed/ngrams.npz."""
    arrays = files.read_npz(paths.NGRAMS, Census._fields)
    documents, reviews = arrays["documents"], int(arrays["reviews"])
    return Census(*read_keys(paths.NGRAMS), documents=documents, reviews=reviews)


def read_keys(path: Path) -> Keys:
    """Read what finding ids takes, from there or from a bundle."""
    arrays = files.read_npz(path, Keys._fields)
    return Keys(arrays["ngrams"], arrays["words"], int(arrays["longest"]))


def alphabet_of(points: np.ndarray) -> dict[str, int]:
    """Return the ids of characters from their code points in the order of the ids."""
    return {chr(point): FIRST_ID + place for place, point in enumerate(points)}


def _keys(letters: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the keys of each number of characters that fit into one.

    Those of n characters begin with the n-gram that ends at place n - 1. Padding and unknown
    characters have ids that no n-gram with an id holds.
    """
    wide = letters.astype(np.uint64)
    keys = wide
    yield keys
    for first in range(1, LONGEST_WORD):
        keys = (keys[..., :-1] << np.uint64(BITS)) | wide[..., first:]
        yield keys


def _places(ascending: np.ndarray, sought: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which keys are among others, and where."""
    if not len(ascending):
        return np.zeros(sought.shape, bool), np.zeros(sought.shape, np.int64)
    places = np.searchsorted(ascending, sought).clip(max=len(ascending) - 1)
    return ascending[places] == sought, places


def _counted(tokens: np.ndarray, owners: np.ndarray, longest: int) -> dict[str, list[Counted]]:
    """Count the n-grams and words of whole reviews, those of each number of characters apart.

    Args:
        tokens: of the reviews in turn.
        owners: the number of each token's review.
        longest: characters of the longest n-gram.

    """
    letters, ends = tokens & LETTER, tokens >> BITS
    unknown = letters < FIRST_ID
    found: dict[str, list[Counted]] = {"ngrams": [], "words": []}
    for first, keys in enumerate(_keys(letters)):
        # Neither from one review to the next nor over an unknown character.
        inside = owners[first:] == owners[: len(owners) - first]
        for place in range(first + 1):
            inside &= ~unknown[place : len(tokens) - first + place]
        is_word = inside & (ends[first:] == first + 1)
        found["words"].append(_in_reviews(keys[is_word], owners[first:][is_word]))
        if first < longest:
            found["ngrams"].append(_in_reviews(keys[inside], owners[first:][inside]))
    return found


def _in_reviews(keys: np.ndarray, owners: np.ndarray) -> Counted:
    """Count in how many reviews each key is, which are given in ascending order."""
    # Stable, so that equal keys stand in the order of their reviews.
    order = np.argsort(keys, kind="stable")
    ordered, reviews = keys[order], owners[order]
    new_key = np.diff(ordered, prepend=~ordered[:1]) != 0
    new_review = new_key | (np.diff(reviews, prepend=-1) != 0)
    return Counted(ordered[new_key], np.bincount(np.cumsum(new_key)[new_review] - 1))


def _merged(parts: list[Counted]) -> Counted:
    """Return all keys in ascending order with the sums of their numbers of reviews."""
    keys, documents = (np.concatenate(each) for each in zip(*parts, strict=True))
    found, places = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(found), np.int64)
    np.add.at(sums, places, documents)
    return Counted(found, sums)


def _frequent(counted: Counted, min_count: int) -> Counted:
    enough = counted.documents >= min_count
    return Counted(counted.keys[enough], counted.documents[enough])


def _parts(offsets: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield ranges of whole reviews of about `CHARACTERS_AT_ONCE` characters."""
    start = 0
    while start < len(offsets) - 1:
        target = offsets[start] + CHARACTERS_AT_ONCE
        end = max(start + 1, int(np.searchsorted(offsets, target, side="right")) - 1)
        yield start, end
        start = end
