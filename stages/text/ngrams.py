"""Reviews as characters, and the n-grams of characters that have ids.

An n-gram is known by a key of 64 bits, the ids of its characters at 16 bits each, so finding it
is a search in a sorted array: no string is made and no Python runs per review.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages import ReproError, files, paths
from stages.params import Ngrams
from stages.text.reviews import SEGMENTED_SOURCE, UNKNOWN
from stages.text.vocabulary import FIRST_ID, learn

CODE_POINTS = 0x110000
BITS = 16
# 16 bits without the two reserved ids; Unicode has more characters, no language's reviews do.
MAX_CHARACTERS = 2**BITS - FIRST_ID
# A character that only one place of the training split has is in no n-gram that two reviews share.
MOST_CHARACTER_COUNT = 2
# Characters whose n-grams are sorted at once; about 100 bytes each.
CHARACTERS_AT_ONCE = 1 << 22


class Census(NamedTuple):
    """The n-grams that have ids, and how common they are.

    Attributes:
        keys: uint64 of shape (K,), ascending; the n-gram with the id i is `keys[i - 1]`.
        documents: int64 of shape (K,), in how many training reviews each is.
        reviews: the number of training reviews.
        longest: characters of the longest n-gram.

    """

    keys: np.ndarray
    documents: np.ndarray
    reviews: int
    longest: int

    def rarity(self) -> np.ndarray:
        """Return the inverse document frequency of each id, float32 of shape (K + 1,).

        log((1 + reviews) / (1 + documents)) + 1, as scikit-learn has it; 0 for the id 0.
        """
        rarity = np.log((1 + self.reviews) / (1 + self.documents)) + 1
        return np.concatenate([[0], rarity]).astype(np.float32)

    def ids(self, characters: np.ndarray) -> np.ndarray:
        """Return the ids of the n-grams that end at each character, 0 for those without one.

        Args:
            characters: ids of shape (N, length), 0 for padding.

        Returns:
            int32 of shape (N, length, longest), those of one character first.

        """
        return ids(self.keys, self.longest, characters)


def ids(keys: np.ndarray, longest: int, characters: np.ndarray) -> np.ndarray:
    """Return what `Census.ids` does, from the keys alone."""
    found = np.zeros((*characters.shape, longest), np.int32)
    for order, (first, sought) in enumerate(_keys(characters, longest)):
        places = np.searchsorted(keys, sought).clip(max=len(keys) - 1)
        known = keys[places] == sought
        found[:, first:, order][known] = places[known] + 1
    return found


def characters_of(max_length: int, batch: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
    """Return the first characters of each review.

    Words that someone else has cut are joined again, so that all sources read alike.

    Args:
        max_length: how many are kept.
        batch: rows with a `text` and a `source`.

    Returns:
        The number of characters of each review, int32 of shape (N,), and the code points of all in
        turn, int32.

    """
    cut = pc.equal(batch["source"], SEGMENTED_SOURCE)
    text = pc.if_else(cut, pc.replace_substring(batch["text"], " ", ""), batch["text"])
    text = pc.utf8_slice_codeunits(text, 0, max_length)
    lengths = np.asarray(pc.utf8_length(text))
    return lengths, np.frombuffer("".join(text.to_pylist()).encode("utf-32-le"), np.int32)


def alphabet(counts: np.ndarray, min_count: int) -> dict[str, int]:
    """Return the ids of characters, the commonest first.

    Args:
        counts: how often the training split has each code point.
        min_count: in how many reviews an n-gram must be.

    """
    found = {chr(point): int(counts[point]) for point in np.flatnonzero(counts)}
    return learn(found, min(min_count, MOST_CHARACTER_COUNT), MAX_CHARACTERS)


def numbers(alphabet: dict[str, int]) -> np.ndarray:
    """Return the id of each code point, int32; one more, as `ragged.Writer.arrays` wants it."""
    ids = np.full(CODE_POINTS + 1, UNKNOWN, np.int32)
    ids[[ord(character) for character in alphabet]] = list(alphabet.values())
    return ids


def count(tokens: np.ndarray, offsets: np.ndarray, settings: Ngrams) -> Census:
    """Choose the n-grams that get ids.

    Args:
        tokens: the characters of the training reviews in turn, as ids.
        offsets: of shape (N + 1,); review i is `tokens[offsets[i]:offsets[i + 1]]`.
        settings: the section `ngrams` of params.yaml.

    Raises:
        ReproError: no n-gram is in as many reviews as `min_count` asks for.

    """
    keys, documents = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    for start, end in _parts(offsets):
        part = np.asarray(tokens[offsets[start] : offsets[end]])
        owners = np.repeat(np.arange(end - start), np.diff(offsets[start : end + 1]))
        counted = list(_counted(part, owners, settings.longest))
        keys, documents = _merged(
            [keys, *(found for found, _ in counted)],
            [documents, *(reviews for _, reviews in counted)],
        )
    frequent = documents >= settings.min_count
    if not frequent.any():
        raise ReproError(
            f"{paths.PARAMS}: ngrams.min_count {settings.min_count} leaves no n-gram of "
            f"{len(offsets) - 1} training reviews; expected a lower one, or more reviews"
        )
    keys, documents = keys[frequent], documents[frequent]
    # Stable: of equally common ones the lesser key stays.
    commonest = np.sort(np.argsort(-documents, kind="stable")[: settings.max_ngrams])
    return Census(keys[commonest], documents[commonest], len(offsets) - 1, settings.longest)


def as_arrays(census: Census) -> dict[str, np.ndarray]:
    """Return a census as arrays by name."""
    return {name: np.asarray(value) for name, value in census._asdict().items()}


def read_census(path: Path = paths.NGRAMS) -> Census:
    """Read the n-grams of data/processed/ngrams.npz, or of the vocabulary."""
    arrays = files.read_npz(path, Census._fields)
    return Census(
        arrays["keys"], arrays["documents"], int(arrays["reviews"]), int(arrays["longest"])
    )


def alphabet_of(points: np.ndarray) -> dict[str, int]:
    """Return the ids of characters from their code points in the order of the ids."""
    return {chr(point): FIRST_ID + place for place, point in enumerate(points)}


def _keys(characters: np.ndarray, longest: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield for each number of characters the first place that has an n-gram, and all keys.

    Padding and unknown characters have ids that no n-gram with an id holds.
    """
    wide = characters.astype(np.uint64)
    keys = wide
    yield 0, keys
    for first in range(1, longest):
        keys = (keys[..., :-1] << np.uint64(BITS)) | wide[..., first:]
        yield first, keys


def _counted(
    tokens: np.ndarray, owners: np.ndarray, longest: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the keys of each number of characters, and how many reviews have each."""
    unknown = tokens < FIRST_ID
    for first, keys in _keys(tokens, longest):
        # Neither from one review to the next nor over an unknown character.
        inside = owners[first:] == owners[: len(owners) - first]
        for place in range(first + 1):
            inside &= ~unknown[place : len(tokens) - first + place]
        # Stable, so that equal keys stand in the order of their reviews.
        order = np.argsort(keys[inside], kind="stable")
        ordered, reviews = keys[inside][order], owners[first:][inside][order]
        new_key = np.diff(ordered, prepend=~ordered[:1]) != 0
        new_review = new_key | (np.diff(reviews, prepend=-1) != 0)
        yield ordered[new_key], np.bincount(np.cumsum(new_key)[new_review] - 1)


def _merged(keys: list[np.ndarray], documents: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return all keys in ascending order with the sums of their numbers of reviews."""
    found, places = np.unique(np.concatenate(keys), return_inverse=True)
    sums = np.zeros(len(found), np.int64)
    np.add.at(sums, places, np.concatenate(documents))
    return found, sums


def _parts(offsets: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield ranges of whole reviews of about `CHARACTERS_AT_ONCE` characters."""
    start = 0
    while start < len(offsets) - 1:
        target = offsets[start] + CHARACTERS_AT_ONCE
        end = max(start + 1, int(np.searchsorted(offsets, target, side="right")) - 1)
        yield start, end
        start = end
