"""Hashes of fixed computations, from which one sees where two machines compute differently."""

import hashlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

DIGITS = 16  # of a hash that are kept


def hashes() -> dict[str, str]:
    """Return the hash of each computation's result, in this process' threads and determinism."""
    return {name: _digest(compute()) for name, compute in COMPUTATIONS.items()}


def _digest(result: tf.Tensor) -> str:
    return hashlib.sha256(result.numpy().tobytes()).hexdigest()[:DIGITS]


def _numbers(*shape: int) -> tf.Tensor:
    """Return the same numbers in [-1, 1) everywhere: uniform draws need no rounding."""
    return tf.constant(np.random.default_rng(0).random(shape, np.float32) * 2 - 1)


def _convolution() -> tf.Tensor:
    return tf.nn.conv2d(_numbers(32, 32, 32, 3), _numbers(3, 3, 3, 32), 1, "SAME")


def _convolution_gradient() -> tf.Tensor:
    images, filters = _numbers(32, 16, 16, 32), _numbers(3, 3, 32, 64)
    with tf.GradientTape() as tape:
        tape.watch(filters)
        loss = tf.reduce_sum(tf.nn.conv2d(images, filters, 1, "SAME") ** 2)
    return tape.gradient(loss, filters)


def _lstm_step() -> tf.Tensor:
    """Return the hidden state of 128 units after one step on 256 inputs."""
    gates = tf.matmul(_numbers(64, 256), _numbers(256, 512)) / 16 + tf.matmul(
        _numbers(64, 128), _numbers(128, 512)
    )
    reading, forgetting, candidate, output = tf.split(gates, 4, axis=1)
    cell = tf.sigmoid(forgetting) * _numbers(64, 128) + tf.sigmoid(reading) * tf.tanh(candidate)
    return tf.sigmoid(output) * tf.tanh(cell)


# In the sizes that the models compute with: kernels are chosen by size.
COMPUTATIONS: dict[str, Callable[[], tf.Tensor]] = {
    "random": lambda: tf.random.stateless_uniform((1000,), seed=(1, 2)),
    "exp": lambda: tf.exp(_numbers(10_000)),
    "tanh": lambda: tf.tanh(_numbers(10_000)),
    "sqrt": lambda: tf.sqrt(_numbers(10_000) + 2),
    "division": lambda: 1 / (_numbers(10_000) + 2),
    "rsqrt": lambda: tf.math.rsqrt(_numbers(10_000) + 2),
    "softmax": lambda: tf.nn.softmax(_numbers(128, 10)),
    "sum": lambda: tf.reduce_sum(_numbers(100_000)),
    "matrix_product": lambda: tf.matmul(_numbers(128, 784), _numbers(784, 512)),
    "long_matrix_product": lambda: tf.matmul(_numbers(32, 4096), _numbers(4096, 512)),
    "convolution": _convolution,
    "convolution_gradient": _convolution_gradient,
    "lstm_step": _lstm_step,
}
