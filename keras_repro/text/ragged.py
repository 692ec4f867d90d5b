"""Sequences of different lengths in flat arrays, as data/processed/reviews.npz holds them.

data/processed/ngrams.npz has the same arrays with characters in place of tokens.
"""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Self

import numpy as np

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.text import terms

if TYPE_CHECKING:
    import pyarrow as pa

FIELDS = {"ids": "S16", "labels": "u1", "offsets": "<i8", "sources": "<u2", "tokens": "<i4"}
TOKENS_AT_ONCE = 1 << 22
# The sentences that are made for training, among the splits of data/processed/ngrams.npz.
COMPOSED = "composed"


class Encoded(NamedTuple):
    """One split of the encoded reviews.

    Attributes:
        ids: bytes of shape (N,), the review ids.
        labels: uint8 of shape (N,), places in `read_classes()`.
        offsets: int64 of shape (N + 1,); review i is `tokens[offsets[i]:offsets[i + 1]]`.
        sources: uint16 of shape (N,), the number of each review's source in `read_sources()`.
        tokens: int32 of shape (total,), the token ids of all reviews in turn.

    """

    ids: np.ndarray
    labels: np.ndarray
    offsets: np.ndarray
    sources: np.ndarray
    tokens: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """The number of tokens of each review, of shape (N,)."""
        return np.diff(self.offsets)

    def padded(self, rows: np.ndarray) -> np.ndarray:
        """Return the given reviews as int32 of shape (len(rows), longest), zeros at the end."""
        return padded(self.tokens, self.offsets, rows)


def padded(values: np.ndarray, offsets: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return sequences of a flat array as int32 of shape (len(rows), longest), zeros at the end.

    Args:
        values: of all sequences in turn, of shape (total,).
        offsets: of shape (N + 1,); sequence i is `values[offsets[i]:offsets[i + 1]]`.
        rows: the sequences wanted.

    """
    lengths = np.diff(offsets)[rows]
    columns = np.arange(lengths.max())
    inside = columns < lengths[:, None]
    batch = np.full(inside.shape, terms.PAD, dtype=np.int32)
    batch[inside] = values[(offsets[rows][:, None] + columns)[inside]]
    return batch


def of(labels: np.ndarray, lengths: np.ndarray, tokens: np.ndarray) -> Encoded:
    """Return sequences that are no reviews, so that they have neither ids nor a source.

    Args:
        labels: of shape (N,).
        lengths: the number of tokens of each, of shape (N,).
        tokens: of all in turn.

    """
    offsets = np.append(0, np.cumsum(lengths)).astype(np.int64)
    ids, sources = np.zeros(len(labels), "S16"), np.zeros(len(labels), np.uint16)
    return Encoded(ids, labels.astype(np.uint8), offsets, sources, tokens.astype(np.int32))


def joined(first: Encoded, second: Encoded) -> Encoded:
    """Return the sequences of both; their tokens lie in a file without a name, not in memory."""
    fields = {
        field: np.concatenate([getattr(first, field), getattr(second, field)])
        for field in FIELDS
        if field != "tokens"
    }
    paths.CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=paths.CACHE) as file:
        for each in (first, second):
            each.tokens.tofile(file)
        file.flush()
        fields["tokens"] = np.asarray(np.memmap(file, first.tokens.dtype, "r"))
    fields["offsets"] = np.concatenate([first.offsets, first.offsets[-1] + second.offsets[1:]])
    return Encoded(**fields)


def beginnings(encoded: Encoded, most: int) -> Encoded:
    """Return the first tokens of each sequence, as many as `most`.

    >>> two = of(np.array([0, 1]), np.array([3, 1]), np.array([7, 8, 9, 5]))
    >>> beginnings(two, 2).tokens.tolist(), beginnings(two, 2).lengths.tolist()
    ([7, 8, 5], [2, 1])
    """
    kept = np.minimum(encoded.lengths, most)
    places = np.arange(len(encoded.tokens)) - np.repeat(encoded.offsets[:-1], encoded.lengths)
    offsets = np.append(0, np.cumsum(kept)).astype(np.int64)
    return encoded._replace(offsets=offsets, tokens=encoded.tokens[places < most])


def chosen(encoded: Encoded, rows: np.ndarray) -> Encoded:
    """Return some of the sequences, in order.

    Args:
        encoded: all.
        rows: bool of shape (N,), which to take.

    >>> two = of(np.array([0, 1]), np.array([3, 1]), np.array([7, 8, 9, 5]))
    >>> chosen(two, np.array([False, True])).tokens.tolist()
    [5]

    """
    lengths = encoded.lengths
    fields = {field: getattr(encoded, field)[rows] for field in ("ids", "labels", "sources")}
    offsets = np.append(0, np.cumsum(lengths[rows])).astype(np.int64)
    return Encoded(**fields, offsets=offsets, tokens=encoded.tokens[np.repeat(rows, lengths)])


def named(split: str, encoded: Encoded) -> dict[str, np.ndarray]:
    """Return arrays as `read` finds them."""
    return {f"{split}_{field}": array for field, array in encoded._asdict().items()}


class Writer:
    """Collects encoded reviews in files, so that a corpus may outgrow the memory.

    Args:
        directory: an empty one.

    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open = ExitStack()
        self._files: dict[tuple[str, str], IO[bytes]] = {}
        self._ends = dict.fromkeys(terms.SPLITS, 0)
        self._sources: dict[str, int] = {}

    def __enter__(self) -> Self:
        for split in terms.SPLITS:
            for field in FIELDS:
                file = self._open.enter_context(self._path(split, field).open("wb"))
                self._files[split, field] = file
            self._write(split, "offsets", np.zeros(1))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, batch: "pa.RecordBatch", lengths: np.ndarray, numbers: np.ndarray) -> None:
        """Add reviews with their tokens.

        Args:
            batch: rows of `schemas.SEGMENTED`.
            lengths: the number of tokens of each, of shape (N,).
            numbers: of all their tokens in turn, numbers that `arrays` knows.

        """
        import pyarrow.compute as pc

        known = self._sources
        sources = [known.setdefault(name, len(known)) for name in batch["source"].to_pylist()]
        for split in terms.SPLITS:
            rows = np.asarray(pc.equal(batch["split"], split))
            ends = self._ends[split] + np.cumsum(lengths[rows])
            self._ends[split] = int(ends[-1]) if len(ends) else self._ends[split]
            self._write(split, "ids", np.array(batch["id"].filter(rows).to_pylist()))
            self._write(split, "labels", np.asarray(batch["label"])[rows])
            self._write(split, "offsets", ends)
            self._write(split, "sources", np.array(sources)[rows])
            self._write(split, "tokens", numbers[np.repeat(rows, lengths)])

    def arrays(self, ids: np.ndarray) -> dict[str, np.ndarray]:
        """Return all splits as arrays, named `SPLIT_FIELD`, and the names of the `sources`.

        They are mapped from the files, so they must be used before the directory goes.

        Args:
            ids: of each number; the last one is that of the number -1.

        """
        self._open.close()
        arrays = {
            f"{split}_{field}": self._mapped(split, field)
            for split in terms.SPLITS
            for field in FIELDS
        }
        for split in terms.SPLITS:
            tokens = arrays[f"{split}_tokens"]
            for start in range(0, len(tokens), TOKENS_AT_ONCE):
                part = tokens[start : start + TOKENS_AT_ONCE]
                part[:] = ids[part]
        arrays["sources"] = np.array(list(self._sources), dtype=np.str_)
        return arrays

    def _write(self, split: str, field: str, values: np.ndarray) -> None:
        self._files[split, field].write(values.astype(FIELDS[field]).tobytes())

    def _mapped(self, split: str, field: str) -> np.ndarray:
        path, kind = self._path(split, field), np.dtype(FIELDS[field])
        if path.stat().st_size == 0:  # which cannot be mapped
            return np.zeros(0, kind)
        return np.memmap(path, kind, "r+")

    def _path(self, split: str, field: str) -> Path:
        return self._directory / f"{split}_{field}.bin"


def read(split: str, path: Path = paths.ENCODED_REVIEWS) -> Encoded:
    """Read one split."""
    names = {field: f"{split}_{field}" for field in FIELDS}
    arrays = files.map_npz(path, names.values())
    result = Encoded(**{field: arrays[name] for field, name in names.items()})
    if not len(result.ids) == len(result.labels) == len(result.offsets) - 1:
        raise ReproError(
            f"{path}: {len(result.ids)} ids, {len(result.labels)} labels and "
            f"{len(result.offsets)} offsets in {split}; expected a label per id and an offset more"
        )
    return result


def read_vocabulary_size() -> int:
    """Return the number of ids, the two reserved ones included."""
    return int(files.read_npz(paths.ENCODED_REVIEWS, ["vocabulary_size"])["vocabulary_size"])


def classes(names: Sequence[str]) -> dict[str, np.ndarray]:
    """Return an array of the classes as `read_classes` finds it; none of negative and positive."""
    return {} if tuple(names) == terms.CLASSES else {"classes": np.array(names, np.str_)}


def read_classes(path: Path = paths.ENCODED_REVIEWS) -> tuple[str, ...]:
    """Return the names of the classes, in the order of the labels."""
    found = files.read_npz(path, [], optional=["classes"])
    return tuple(found["classes"].tolist()) if found else terms.CLASSES


def read_sources(path: Path = paths.ENCODED_REVIEWS) -> list[str]:
    """Return the names of the sources, in the order of their numbers."""
    names: list[str] = files.read_npz(path, ["sources"])["sources"].tolist()
    return names
