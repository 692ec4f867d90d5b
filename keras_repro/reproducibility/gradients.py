"""The gradients of whole networks: the kernels of all models, forward and backward, in their sizes.

They take some seconds, and find a machine that would train other bytes before anything is trained.
"""

import math
from collections.abc import Sequence
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from keras_repro.models.layers.locally_connected import LocallyConnected2D
from keras_repro.reproducibility.exact.numerics import Computation, numbers

TOKENS = 2000  # of a vocabulary


def _gradients(shape: tuple[int, ...], network: Sequence[layers.Layer]) -> tf.Tensor:
    """Return all gradients of a classifier's loss on one batch, compiled as in a training.

    Args:
        shape: of the batch; with two numbers it is of token ids.
        network: layers from there to logits.

    """
    tokens = len(shape) == len(("batch", "length"))
    batch = tf.cast((numbers(*shape) + 1) * TOKENS / 2, "int32") if tokens else numbers(*shape)
    model = keras.Sequential(network)
    logits = model(batch)
    for weight in model.trainable_weights:
        # About as large as an initializer would make them.
        weight.assign(numbers(*weight.shape) / math.sqrt(weight.shape[0]))
    labels = np.arange(shape[0]) % logits.shape[-1]

    def learn() -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            logits = model(batch, training=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        weights = [weight.value for weight in model.trainable_weights]
        gradients: list[tf.Tensor] = tape.gradient(loss, weights)
        return gradients

    found = tf.function(learn).get_concrete_function()()
    return tf.concat([tf.reshape(tf.convert_to_tensor(each), [-1]) for each in found], 0)


def _perceptron() -> tf.Tensor:
    hidden = [layers.Dense(512, "relu"), layers.Dense(512, "relu")]
    return _gradients((128, 784), [*hidden, layers.Dense(10)])


def _convolutions() -> tf.Tensor:
    blocks = [
        layer
        for filters in (32, 64)
        for layer in (
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
        )
    ]
    head = [layers.Flatten(), layers.Dense(512, "relu"), layers.Dense(10)]
    return _gradients((64, 32, 32, 3), [*blocks, *head])


def _local_convolution() -> tf.Tensor:
    local = LocallyConnected2D(64, 3, padding="same", activation="relu")
    head = [layers.Flatten(), layers.Dense(512, "relu"), layers.Dense(10)]
    return _gradients((64, 8, 8, 32), [local, *head])


def _lstm() -> tf.Tensor:
    reader = layers.Bidirectional(layers.LSTM(128))
    words = layers.Embedding(TOKENS, 256, mask_zero=True)
    return _gradients((128, 12), [words, reader, layers.Dense(2)])


def _gated_convolution() -> tf.Tensor:
    gated = [
        layers.Conv1D(96, 3, padding="same", dilation_rate=2),
        layers.Lambda(keras.ops.glu),
        layers.GlobalAveragePooling1D(),
    ]
    return _gradients((64, 24), [layers.Embedding(TOKENS, 32), *gated, layers.Dense(2)])


def _wide() -> tf.Tensor:
    """Return weighted sums over 600 n-grams, each scaled to the length 1, as the wide part has."""

    def weigh(rarity: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        return keras.ops.einsum("nl,nlc->nc", keras.ops.normalize(rarity, axis=1), weights)

    return tf.function(weigh)(numbers(32, 600), numbers(32, 600, 2))


def _optimizers() -> tf.Tensor:
    """Return numbers after two steps of each optimizer that divides by a square root."""
    moved = []
    for name in ("adagrad", "adam", "rmsprop"):
        variable = keras.Variable(numbers(10_000))
        optimizer = keras.optimizers.get(name)
        optimizer.build([variable])
        step = partial(optimizer.apply, [numbers(10_000)], [variable])
        compiled = tf.function(step).get_concrete_function()
        compiled()
        compiled()
        moved.append(variable.value)
    return tf.concat(moved, 0)


COMPUTATIONS: dict[str, Computation] = {
    "perceptron": _perceptron,
    "convolutions": _convolutions,
    "local_convolution": _local_convolution,
    "lstm": _lstm,
    "gated_convolution": _gated_convolution,
    "wide": _wide,
    "optimizers": _optimizers,
}
