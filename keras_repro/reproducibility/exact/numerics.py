"""Hashes of fixed computations, from which one sees where two machines compute differently.

These are single operations, and all together take a tenth of a second.
"""

import hashlib
import math
from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

Computation = Callable[[], tf.Tensor | np.ndarray]

DIGITS = 16  # of a hash that are kept


def hashes(computations: Mapping[str, Computation]) -> dict[str, str]:
    """Return the hash of each result, in this process' threads, determinism and kernels."""
    return {name: _digest(compute()) for name, compute in computations.items()}


def _digest(result: tf.Tensor | np.ndarray) -> str:
    return hashlib.sha256(np.asarray(result).tobytes()).hexdigest()[:DIGITS]


def numbers(*shape: int) -> tf.Tensor:
    """Return the same numbers in [-1, 1) everywhere: uniform draws need no rounding."""
    return tf.constant(np.random.default_rng(0).random(shape, np.float32) * 2 - 1)


def _convolution() -> tf.Tensor:
    return tf.nn.conv2d(numbers(32, 32, 32, 3), numbers(3, 3, 3, 32), 1, "SAME")


def _lstm_step() -> tf.Tensor:
    """Return the hidden state of 128 units after one step on 256 inputs."""
    gates = tf.matmul(numbers(64, 256), numbers(256, 512)) / 16 + tf.matmul(
        numbers(64, 128), numbers(128, 512)
    )
    reading, forgetting, candidate, output = tf.split(gates, 4, axis=1)
    cell = tf.sigmoid(forgetting) * numbers(64, 128) + tf.sigmoid(reading) * tf.tanh(candidate)
    return tf.sigmoid(output) * tf.tanh(cell)


def _libm() -> np.ndarray:
    """Return what the C library finds for numbers between 0 and 2."""
    found = np.random.default_rng(0).random(1000) * 2
    return np.array([(math.exp(x), math.log(x), math.pow(x, 0.3)) for x in found])


def _numpy() -> np.ndarray:
    found = np.random.default_rng(0).random(10_000) + 0.5
    return np.concatenate([np.exp(found), np.log(found), [found @ found[::-1]]])


def _blas() -> np.ndarray:
    random = np.random.default_rng(0)
    return random.random((64, 300)) @ random.random((300, 40))


# In the sizes that the models compute with: kernels are chosen by size.
COMPUTATIONS: dict[str, Computation] = {
    "random": lambda: tf.random.stateless_uniform((1000,), seed=(1, 2)),
    "exp": lambda: tf.exp(numbers(10_000)),
    "tanh": lambda: tf.tanh(numbers(10_000)),
    "sqrt": lambda: tf.sqrt(numbers(10_000) + 2),
    "division": lambda: 1 / (numbers(10_000) + 2),
    "rsqrt": lambda: keras.ops.rsqrt(numbers(10_000) + 2),
    "softmax": lambda: tf.nn.softmax(numbers(128, 10)),
    "sum": lambda: tf.reduce_sum(numbers(100_000)),
    "matrix_product": lambda: tf.matmul(numbers(128, 784), numbers(784, 512)),
    "long_matrix_product": lambda: tf.matmul(numbers(32, 4096), numbers(4096, 512)),
    "convolution": _convolution,
    "lstm_step": _lstm_step,
    "libm": _libm,
    "numpy": _numpy,
    "blas": _blas,
}
