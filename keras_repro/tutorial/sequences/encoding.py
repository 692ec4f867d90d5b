"""The corpora as ids in flat arrays, split into what trains, validates and tests.

Only the training split says which tokens have ids: 0 pads, 1 is whatever is unknown.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from keras_repro.core import parquet
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Params, SequenceData
from keras_repro.text import terms
from keras_repro.text.schemas import PREPARED
from keras_repro.text.selection import identify
from keras_repro.text.terms import SPLITS, TAGS, UNKNOWN
from keras_repro.text.vocabulary import learn
from keras_repro.tutorial.sequences import BOUNDARY, corpora, tagging

Item = TypeVar("Item")
HEXADECIMAL = 16


class Encoded(NamedTuple):
    """A dataset as the stage `encode_sequences` writes it.

    Attributes:
        arrays: by name, `SPLIT_` first; `offsets` tells where each sequence begins, as in
            `keras_repro.text.ragged`.
        vocabularies: by name, the ids of the tokens.

    """

    arrays: dict[str, np.ndarray]
    vocabularies: dict[str, dict[str, int]]


def text(settings: Params) -> Encoded:
    """Encode People's Daily as one text: `SPLIT_characters`, of shape (total,)."""
    data = settings.seq2seq.data
    lines = ["".join(words) + BOUNDARY for words in corpora.people_daily()]
    texts = {split: "".join(part) for split, part in _in_turn(lines, data).items()}
    ids = learn(Counter(texts["train"]), data.min_count, None)
    arrays = {f"{split}_characters": _ids(part, ids) for split, part in texts.items()}
    return Encoded(arrays, {"characters": ids})


def words(settings: Params) -> Encoded:
    """Encode People's Daily as pieces of lines with a tag for each character.

    `SPLIT_characters` and `SPLIT_tags` are of shape (total,). `SPLIT_pairs`, of shape (total, 2),
    has the pair that each character makes with the one before, and that with the one after.
    `SPLIT_text` has the characters as code points, and `SPLIT_lines` where each line begins.
    """
    data = settings.seq2seq.data
    splits = _in_turn(corpora.people_daily(), data)
    pieces = {
        split: [piece for line in lines for piece in tagging.pieces("".join(line))]
        for split, lines in splits.items()
    }
    characters = learn(Counter("".join(pieces["train"])), data.min_count, None)
    counts = Counter(pair for piece in pieces["train"] for pair in _pairs(piece))
    pairs = learn(counts, data.min_count, None)
    arrays: dict[str, np.ndarray] = {}
    for split, lines in splits.items():
        whole = "".join(pieces[split])
        around = [_ids(_pairs(piece), pairs) for piece in pieces[split]]
        tags = "".join(tagging.tags(line) for line in lines)
        arrays |= {
            f"{split}_characters": _ids(whole, characters),
            f"{split}_pairs": np.concatenate([np.stack([p[:-1], p[1:]], 1) for p in around]),
            f"{split}_tags": np.array([TAGS.index(tag) for tag in tags], np.int32),
            f"{split}_offsets": _offsets(pieces[split]),
            f"{split}_text": np.array([ord(character) for character in whole], np.uint32),
            f"{split}_lines": _offsets(["".join(line) for line in lines]),
        }
    return Encoded(arrays, {"characters": characters, "pairs": pairs})


def readings(settings: Params) -> Encoded:
    """Encode words and their pinyin: `SPLIT_characters` and `SPLIT_syllables`, a boundary last.

    Words of one character all train: a table of characters is no secret.
    """
    data = settings.seq2seq.data
    splits: dict[str, list[corpora.Entry]] = {split: [] for split in SPLITS}
    for entry in corpora.pinyin():
        splits["train" if len(entry.word) == 1 else _split(entry.word, data)].append(entry)
    train = splits["train"]
    # Each character of a word has a reading, however rare it is.
    characters = learn(Counter(c for entry in train for c in entry.word), 1, None)
    spoken = Counter(s for entry in train for s in (*entry.syllables, BOUNDARY))
    syllables = learn(spoken, 1, None)
    arrays: dict[str, np.ndarray] = {}
    for split, entries in splits.items():
        written = [(*entry.syllables, BOUNDARY) for entry in entries]
        arrays |= {
            f"{split}_characters": _ids("".join(entry.word for entry in entries), characters),
            f"{split}_character_offsets": _offsets([entry.word for entry in entries]),
            f"{split}_syllables": _ids((s for one in written for s in one), syllables),
            f"{split}_syllable_offsets": _offsets(written),
        }
    return Encoded(arrays, {"characters": characters, "syllables": syllables})


def opinions(settings: Params) -> Encoded:
    """Encode the beginnings of reviews: `SPLIT_labels` and `SPLIT_characters`.

    A review that is shorter than `review_length` has a boundary last.

    Raises:
        ReproError: the reviews are of more than two classes.

    """
    data = settings.seq2seq.data
    columns = ["label", "text", "split"]
    splits: dict[str, list[tuple[int, str]]] = {split: [] for split in SPLITS}
    for batch in parquet.read(settings.storage.prepared_reviews, PREPARED, columns):
        rows = zip(*(batch[column].to_pylist() for column in columns), strict=True)
        for label, review, split in rows:
            if label >= len(terms.CLASSES):
                raise ReproError(
                    f"{settings.storage.prepared_reviews}: reviews of more than two classes; "
                    "expected negative and positive, of which seq2seq_one_to_many writes some "
                    "(reviews.classes: null)"
                )
            splits[split].append((label, (review + BOUNDARY)[: data.review_length]))
    counts = Counter(c for _, review in splits["train"] for c in review)
    counts[BOUNDARY] += data.min_count  # a decoder begins with it, even if every review is longer
    ids = learn(counts, data.min_count, None)
    arrays: dict[str, np.ndarray] = {}
    for split, opinions_ in splits.items():
        arrays |= {
            f"{split}_labels": np.array([label for label, _ in opinions_], np.int32),
            f"{split}_characters": _ids("".join(review for _, review in opinions_), ids),
            f"{split}_offsets": _offsets([review for _, review in opinions_]),
        }
    return Encoded(arrays, {"characters": ids, "labels": dict(_numbered(terms.CLASSES))})


# What `python -m stages.tutorial.encode_sequences NAME` knows.
DATASETS = {"text": text, "words": words, "readings": readings, "opinions": opinions}


def _in_turn(lines: list[Item], data: SequenceData) -> dict[str, list[Item]]:
    """Cut a text into its last lines, which test, those before, which validate, and the rest."""
    test = round(len(lines) * (1 - data.test_fraction))
    validation = round(test * (1 - data.validation_fraction))
    return {
        "train": lines[:validation],
        "validation": lines[validation:test],
        "test": lines[test:],
    }


def _split(word: str, data: SequenceData) -> str:
    """Return the split of a word, which depends on the word alone."""
    place = int(identify(word), HEXADECIMAL) / 2**64
    if place < data.test_fraction:
        return "test"
    rest = (place - data.test_fraction) / (1 - data.test_fraction)
    return "validation" if rest < data.validation_fraction else "train"


def _pairs(piece: str) -> Iterator[str]:
    """Yield each two neighbours, the boundaries on both sides included."""
    return (first + second for first, second in pairwise(BOUNDARY + piece + BOUNDARY))


def _ids(tokens: Iterable[str], vocabulary: Mapping[str, int]) -> np.ndarray:
    return np.array([vocabulary.get(token, UNKNOWN) for token in tokens], np.int32)


def _offsets(sequences: Sequence[Sequence[str]]) -> np.ndarray:
    return np.cumsum([0, *map(len, sequences)], dtype=np.int64)


def _numbered(names: Iterable[str]) -> Iterator[tuple[str, int]]:
    return ((name, number) for number, name in enumerate(names))
