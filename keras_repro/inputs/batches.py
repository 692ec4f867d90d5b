"""Batches whose order depends on the seed and the epoch alone, and predictions on them."""

import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from sklearn.utils.extmath import softmax

Rows = list[np.ndarray]

# Rows are sorted by length within pools of this many batches. Sorting the whole corpus would make
# the same batches in every epoch.
BATCHES_PER_POOL = 50


class Batches(keras.utils.PyDataset):
    """A dataset for `Model.fit` and `Model.predict`.

    Args:
        gather: returns inputs of shape (len(rows), ...) and labels of shape (len(rows), ...), and
            perhaps the labels' weights.
        arrange: returns the rows of each batch of an epoch; is given that epoch's random numbers.
        seed: of the random numbers, together with the number of the epoch.

    """

    def __init__(
        self,
        gather: Callable[[np.ndarray], tuple[Any, ...]],
        arrange: Callable[[np.random.Generator], Rows],
        seed: int,
    ) -> None:
        super().__init__()
        self.gather = gather
        self._arrange = arrange
        self._seed = seed
        self.start(epoch=0)

    def with_labels(self, encode: Callable[[np.ndarray], np.ndarray]) -> "Batches":
        """Return the same batches with their labels in another form."""

        def gather(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            inputs, labels = self.gather(rows)
            return inputs, encode(labels)

        return Batches(gather, self._arrange, self._seed)

    def start(self, epoch: int) -> None:
        """Arrange the batches of an epoch."""
        self._epoch = epoch
        self.rows = self._arrange(np.random.default_rng((self._seed, epoch)))

    def on_epoch_end(self) -> None:
        """Arrange the batches of the next epoch; Keras calls this."""
        self.start(self._epoch + 1)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self.gather(self.rows[index])


def predict(model: keras.Model, data: Batches) -> np.ndarray:
    """Return probabilities of shape (N, classes) in the dataset's order, whatever the batches'.

    They are float64 and the softmax is NumPy's: TensorFlow's approximates a reciprocal, whose last
    bits differ from one vendor's processors to the other's.
    """
    return as_probabilities(logits(model, data))


def logits(model: keras.Model, data: Batches) -> np.ndarray:
    """Return the logits that `predict` makes probabilities of, float64 of shape (N, classes)."""
    return outputs(keras.Model(model.inputs, model.get_layer("logits").output), data)


def outputs(model: keras.Model, data: Batches) -> np.ndarray:
    """Return what a model gives, float64 of shape (N, ...) in the dataset's order."""
    found = model.predict(data, verbose=1 if sys.stderr.isatty() else 0)
    ordered = np.empty(found.shape, np.float64)
    ordered[np.concatenate(data.rows)] = found
    return ordered


def as_probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of float64 logits of shape (N, classes)."""
    probabilities: np.ndarray = softmax(logits)
    return probabilities


def in_order(count: int, batch_size: int) -> Rows:
    """Return the rows in their order.

    >>> [rows.tolist() for rows in in_order(5, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """
    return _cut(np.arange(count), batch_size)


def shuffled(count: int, batch_size: int, random: np.random.Generator) -> Rows:
    """Return the rows in random order."""
    return _cut(random.permutation(count), batch_size)


def by_length(lengths: np.ndarray, batch_size: int, random: np.random.Generator | None) -> Rows:
    """Return batches of rows of similar length, so that little padding is computed.

    Args:
        lengths: of each row, of shape (N,).
        batch_size: rows per batch.
        random: shuffles the rows before they are sorted in pools and the batches after; None sorts
            all rows, as prediction likes it.

    """
    if random is None:
        return _varied_start(_cut(np.argsort(lengths, kind="stable"), batch_size), lengths)
    pools = _cut(random.permutation(len(lengths)), batch_size * BATCHES_PER_POOL)
    order = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
    batches = _cut(order, batch_size)
    batches = [batches[place] for place in random.permutation(len(batches))]
    return _varied_start(batches, lengths)


def by_size(lengths: np.ndarray, batch_size: int, most: int, random: np.random.Generator) -> Rows:
    """Return shuffled batches of rows of similar length, of long rows fewer in each.

    Each epoch has as many, as the rows are sorted whole and not in pools.

    Args:
        lengths: of each row, of shape (N,).
        batch_size: rows per batch at most.
        most: what a batch holds at most, padding included; a longer row is alone in one.
        random: decides which rows of a length meet, and shuffles the batches.

    """
    order = random.permutation(len(lengths))
    order = order[np.argsort(lengths[order], kind="stable")]
    ascending = lengths[order]
    batches, start = [], 0
    while start < len(order):
        together = ascending[start : start + batch_size]
        sizes = together * np.arange(1, len(together) + 1)
        count = max(1, int(np.searchsorted(sizes, most, side="right")))
        batches.append(order[start : start + count])
        start += count
    batches = [batches[place] for place in random.permutation(len(batches))]
    return _varied_start(batches, lengths)


def _varied_start(batches: Rows, lengths: np.ndarray) -> Rows:
    """Swap batches so that the first two differ in length, if any two do.

    Keras reads from the first two batches which dimensions vary, and fails at the first batch of
    another length if these happen to agree.
    """
    longest = [int(lengths[rows].max()) for rows in batches]
    for place in range(1, len(batches)):
        if longest[place] != longest[0]:
            batches[1], batches[place] = batches[place], batches[1]
            break
    return batches


def _cut(order: np.ndarray, size: int) -> Rows:
    return [order[start : start + size] for start in range(0, len(order), size)]
