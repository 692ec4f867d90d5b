"""Sequences of different lengths in flat arrays, as data/processed/reviews.npz holds them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stages import ReproError, files, paths
from stages.text.vocabulary import PAD

FIELDS = ("ids", "labels", "offsets", "tokens")


class Encoded(NamedTuple):
    """One split of the encoded reviews.

    Attributes:
        ids: bytes of shape (N,), the review ids.
        labels: uint8 of shape (N,), 0 or 1.
        offsets: int64 of shape (N + 1,); review i is `tokens[offsets[i]:offsets[i + 1]]`.
        tokens: int32 of shape (total,), the token ids of all reviews in turn.

    """

    ids: np.ndarray
    labels: np.ndarray
    offsets: np.ndarray
    tokens: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """The number of tokens of each review, of shape (N,)."""
        return np.diff(self.offsets)

    def padded(self, rows: np.ndarray) -> np.ndarray:
        """Return the given reviews as int32 of shape (len(rows), longest), zeros at the end."""
        lengths = self.lengths[rows]
        columns = np.arange(lengths.max())
        inside = columns < lengths[:, None]
        batch = np.full(inside.shape, PAD, dtype=np.int32)
        batch[inside] = self.tokens[(self.offsets[rows][:, None] + columns)[inside]]
        return batch


def encoded(ids: Sequence[str], labels: Sequence[int], sequences: Sequence[list[int]]) -> Encoded:
    """Pack the sequences of one split."""
    lengths = [len(sequence) for sequence in sequences]
    return Encoded(
        ids=np.array([identity.encode("ascii") for identity in ids], dtype="S16"),
        labels=np.array(labels, dtype=np.uint8),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        tokens=np.concatenate(
            [np.array(sequence, dtype=np.int32) for sequence in sequences]
            or [np.zeros(0, np.int32)]
        ),
    )


def write(splits: dict[str, Encoded], vocabulary_size: int) -> None:
    """Write all splits and the size of the embedding that they need."""
    arrays = {
        f"{split}_{field}": array
        for split, encoding in splits.items()
        for field, array in encoding._asdict().items()
    }
    files.write_npz(paths.ENCODED_REVIEWS, arrays | {"vocabulary_size": np.array(vocabulary_size)})


def read(split: str) -> Encoded:
    """Read one split."""
    names = {field: f"{split}_{field}" for field in FIELDS}
    arrays = files.read_npz(paths.ENCODED_REVIEWS, names.values())
    result = Encoded(**{field: arrays[name] for field, name in names.items()})
    if not len(result.ids) == len(result.labels) == len(result.offsets) - 1:
        raise ReproError(
            f"{paths.ENCODED_REVIEWS}: {len(result.ids)} ids, {len(result.labels)} labels and "
            f"{len(result.offsets)} offsets in {split}; expected a label per id and an offset more"
        )
    return result


def read_vocabulary_size() -> int:
    """Return the number of ids, the two reserved ones included."""
    return int(files.read_npz(paths.ENCODED_REVIEWS, ["vocabulary_size"])["vocabulary_size"])
