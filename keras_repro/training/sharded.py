"""A training step whose result does not depend on how many processes compute it.

A batch is cut into shards. Whoever computes a shard computes the same: its rows, its random numbers
and the shapes of its arrays belong to the shard. The slopes of all shards are added up in a tree
whose shape depends on their number alone, and each process changes its own copy of the weights by
the sum. Keras' `fit` does all else, as it always does.
"""

import logging
import zlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_repro.core.errors import ReproError
from keras_repro.inputs import TrainingData
from keras_repro.inputs.batches import Batches
from keras_repro.training.adversarial import Adversarial
from keras_repro.training.peers import Group

log = logging.getLogger(__name__)

# How many random numbers a layer may draw for a shard: a perturbed training looks twice.
DRAWS = 4

# A variable's slope: all of it, or the rows that are not 0 behind their ascending numbers.
Slope = tuple[np.ndarray, ...]
# The sums of the tree that are known, by their height and place in it.
Nodes = dict[tuple[int, int], list[Slope]]


def attach(
    model: keras.Model, data: TrainingData, shards: int, group: Group | None
) -> tuple[keras.utils.PyDataset, list[keras.callbacks.Callback]]:
    """Let `fit` train a model in shards; return what it iterates, and callbacks to come first.

    Args:
        model: compiled.
        data: what it learns from.
        shards: of a batch; a batch of fewer rows has a shard for each.
        group: the processes that share them; None is this one.

    Raises:
        ReproError: there are more processes than shards, or a layer keeps what it has seen.

    """
    if group and group.size > shards:
        raise ReproError(
            f"params.yaml: {model.name} has shards {shards} and is trained by {group.size} "
            "processes; expected at least a shard for each"
        )
    model.train_function = Step(model, data, shards, group)
    return Numbers(data.train), [Together(group)] if group else []


class Numbers(keras.utils.PyDataset):
    """The numbers of the batches of an epoch, for each process to read its shards of them."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[np.ndarray]:
        return (np.array([index]),)

    def on_epoch_end(self) -> None:
        """Arrange the batches of the next epoch; Keras calls this."""
        self._batches.on_epoch_end()


class Step:
    """What `fit` calls for each batch in place of Keras' own training step; see `attach`."""

    def __init__(
        self, model: keras.Model, data: TrainingData, shards: int, group: Group | None
    ) -> None:
        self._model, self._batches, self._shards, self._group = model, data.train, shards, group
        # Else a loss is a mean over rows, whatever these weigh.
        self._by_weight = data.loss and data.loss.reduction == "mean_with_sample_weight"
        weights = {id(variable) for variable in model.weights}
        states = {id(state): state for state in model.variables if id(state) not in weights}
        self._seeds = list(states.values())
        x, *others = self._batches.gather(self._batches.rows[0][:1])
        self._try(x, *others)
        # Fixed, so that one graph computes the shards of all shapes, in whichever order they come.
        inputs = [tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in model.inputs]
        batch = (keras.tree.pack_sequence_as(x, inputs), *map(_any_size, others))
        signature = [batch, tf.TensorSpec((), tf.int64)]
        self._look = tf.function(self._slopes, input_signature=signature)
        self._apply: tf.types.experimental.GenericFunction | None = None

    def __call__(self, iterator: Iterator[Any]) -> dict[str, Any]:
        """Learn from the next batch and return the metrics of the epoch so far."""
        rows = self._batches.rows[int(next(iterator)[0][0])]
        count = min(self._shards, len(rows))
        rank, size = (self._group.rank, self._group.size) if self._group else (0, 1)
        nodes: Nodes = {}
        for number in range(rank * count // size, (rank + 1) * count // size):
            part = self._batches.gather(rows[number::count])
            found = self._look(part, tf.constant(number, tf.int64))
            nodes[0, number] = [tuple(each.numpy() for each in slope) for slope in found]
            fold(nodes, count)
        if self._group:
            for message in self._group.gathered(*_packed(nodes)):
                nodes |= _read(*message)
            fold(nodes, count)
            nodes = _read(*self._group.heard(*_packed(nodes)))
        (total,) = nodes.values()
        if self._apply is None:
            self._apply = tf.function(self._learn, input_signature=[_signature(total)])
        self._apply(total)
        metrics: dict[str, Any] = self._model.get_metrics_result()
        return metrics

    def _slopes(self, batch: tuple[Any, ...], number: tf.Tensor) -> list[tuple[tf.Tensor, ...]]:
        """Return the slopes of a shard times its weight, what it adds to metrics, its weight."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(batch)
        metrics = self._model.metrics_variables
        before = [tf.identity(variable) for variable in metrics]
        seeds = [tf.identity(variable) for variable in self._seeds]
        for variable in metrics:
            variable.assign(tf.zeros_like(variable))
        for variable, seed in zip(self._seeds, seeds, strict=True):
            variable.assign(_moved(seed, number))
        loss, predicted, slopes = gradients(self._model, x, y, weight)
        rows = tf.shape(keras.tree.flatten(x)[0])[0]
        self._model._loss_tracker.update_state(loss, sample_weight=rows)  # noqa: SLF001 - as Keras does
        self._model.compute_metrics(x, y, predicted, sample_weight=weight)
        of_shard = tf.reduce_sum(weight) if self._by_weight else tf.cast(rows, tf.float32)
        added = [(tf.identity(variable),) for variable in metrics]
        for variable, value in zip([*metrics, *self._seeds], [*before, *seeds], strict=True):
            variable.assign(value)
        return [*(_weighted(slope, of_shard) for slope in slopes), *added, (of_shard,)]

    def _learn(self, total: list[tuple[tf.Tensor, ...]]) -> None:
        """Change the weights by the slopes of a whole batch."""
        weights = trainable(self._model)
        *slopes, weight = total
        metrics = self._model.metrics_variables
        means = [
            slope[0] / weight[0]
            if len(slope) == 1
            else tf.IndexedSlices(slope[1] / weight[0], slope[0], variable.shape)
            for slope, variable in zip(slopes, weights, strict=False)
        ]
        self._model.optimizer.apply(means, weights)
        for variable, (value,) in zip(metrics, slopes[len(weights) :], strict=True):
            variable.assign_add(value)
        for variable in self._seeds:
            variable.assign(_moved(variable, tf.constant(self._shards, tf.int64)))

    def _try(self, x: Any, y: Any, weight: Any = None) -> None:
        """Let Keras build the metrics, and see whether a layer remembers what it has seen."""
        model = self._model
        seeds = [np.array(state) for state in self._seeds]
        before = [np.array(state) for state in model.non_trainable_weights]
        predicted = model(x, training=True)
        model.compute_metrics(x, y, predicted, sample_weight=weight)
        model.compute_loss(x, y, predicted, weight)
        model.reset_metrics()
        for state, value in zip(self._seeds, seeds, strict=True):
            state.assign(value)
        for state, value in zip(model.non_trainable_weights, before, strict=True):
            if np.any(np.array(state) != value):
                raise ReproError(
                    f"{model.name}: {state.path} changes with each batch, and a shard sees a part "
                    "of it; expected a model without such a state, or shards: 1"
                )


class Together(keras.callbacks.Callback):
    """Each process decides by the metrics of the chief, and none goes on with other weights."""

    def __init__(self, group: Group) -> None:
        super().__init__()
        self._group = group

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Take over the metrics, before any other callback sees them."""
        logs = {} if logs is None else logs
        checksum = 0
        for variable in self.model.weights:
            checksum = zlib.crc32(np.ascontiguousarray(variable).data, checksum)
        answers = self._group.gathered({"weights": checksum})
        for name, (told, _) in zip(self._group.names, answers, strict=False):
            if told["weights"] != checksum:
                raise ReproError(
                    f"{name}: has other weights than the chief after epoch {epoch + 1}; expected "
                    "the same (its processor or its packages compute otherwise)"
                )
        told, _ = self._group.heard({key: float(value) for key, value in logs.items()})
        logs.update(told)


def gradients(model: keras.Model, x: Any, y: Any, weight: Any) -> tuple[Any, Any, list[Any]]:
    """Return the loss, the predictions, and the loss' slope in each of `trainable(model)`."""
    if isinstance(model, Adversarial):
        return model.gradients(x, y)
    with tf.GradientTape() as tape:
        predicted = model(x, training=True)
        loss = model.compute_loss(x, y, predicted, weight)
    return loss, predicted, tape.gradient(loss, trainable(model))


def trainable(model: keras.Model) -> list[keras.Variable]:
    """Return the variables that a model learns, in the order of `gradients`."""
    found: list[keras.Variable] = (
        model.learned if isinstance(model, Adversarial) else model.trainable_variables
    )
    return found


def fold(nodes: Nodes, count: int) -> None:
    """Add up the nodes of a tree over `count` leaves wherever both below a node are known.

    >>> nodes = {(0, place): [(np.array(2.0**place),)] for place in range(3)}
    >>> fold(nodes, 3)
    >>> list(nodes), float(nodes[2, 0][0][0])
    ([(2, 0)], 7.0)
    """
    height = 0
    while count > 1:
        for place in range(0, count, 2):
            left, right = nodes.get((height, place)), nodes.get((height, place + 1))
            alone = place + 1 == count
            if left is None or (right is None and not alone):
                continue
            nodes.pop((height, place))
            nodes.pop((height, place + 1), None)
            nodes[height + 1, place // 2] = left if right is None else added(left, right)
        height, count = height + 1, (count + 1) // 2


def added(first: list[Slope], second: list[Slope]) -> list[Slope]:
    """Return the sum of two nodes."""
    return [
        _joined(one, other) if len(one) > 1 else (one[0] + other[0],)
        for one, other in zip(first, second, strict=True)
    ]


def _joined(first: Slope, second: Slope) -> Slope:
    numbers = np.union1d(first[0], second[0])
    rows = np.zeros((len(numbers), *first[1].shape[1:]), first[1].dtype)
    rows[np.searchsorted(numbers, first[0])] = first[1]
    rows[np.searchsorted(numbers, second[0])] += second[1]
    return numbers, rows


def _weighted(slope: tf.Tensor | tf.IndexedSlices, weight: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Return a slope times a weight; of a row that it has several times, the sum."""
    if isinstance(slope, tf.IndexedSlices):
        numbers, places = tf.unique(slope.indices)
        rows = tf.math.unsorted_segment_sum(slope.values, places, tf.size(numbers))
        order = tf.argsort(numbers)
        return tf.gather(numbers, order), tf.gather(rows, order) * weight
    return (slope * weight,)


def _moved(seed: tf.Tensor, shards: tf.Tensor) -> tf.Tensor:
    """Return the state of a layer's random numbers behind those of so many shards."""
    return seed + tf.cast(tf.stack([tf.constant(0, tf.int64), shards * DRAWS]), seed.dtype)


def _any_size(array: np.ndarray) -> tf.TensorSpec:
    return tf.TensorSpec([None] * array.ndim, array.dtype)


def _signature(total: list[Slope]) -> list[tuple[tf.TensorSpec, ...]]:
    """Return what describes a whole batch's slopes, whichever rows they have."""
    return [
        tuple(tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in slope)
        if len(slope) > 1
        else (tf.TensorSpec(slope[0].shape, slope[0].dtype),)
        for slope in total
    ]


def _packed(nodes: Nodes) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Return nodes as a message."""
    told = [[key, [len(slope) for slope in node]] for key, node in nodes.items()]
    return {"nodes": told}, [each for node in nodes.values() for slope in node for each in slope]


def _read(told: dict[str, Any], arrays: list[np.ndarray]) -> Nodes:
    """Return the nodes of a message."""
    left = iter(arrays)
    return {
        (height, place): [tuple(next(left) for _ in range(length)) for length in lengths]
        for (height, place), lengths in told["nodes"]
    }
