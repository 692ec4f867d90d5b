"""What a locally connected layer costs beside the convolution in whose stead it stands.

`python -m benchmarks.locally_connected` at the root of the repository. Both layers have the size of
the second convolution of cifar10_cnn. Processor time is summed over the threads, so that other
processes matter little; the least of several runs counts.
"""

import platform
import time

from keras_repro.core import params, runtime
from keras_repro.reproducibility.exact import fingerprint

RUNS = 20
BATCH = 32
SHAPE = (BATCH, 16, 16, 32)
FILTERS = 64


def main() -> None:
    runtime.configure(params.load().runtime)

    import keras
    import numpy as np
    import tensorflow as tf

    from keras_repro.models.layers.locally_connected import LocallyConnected2D

    inputs = tf.constant(np.random.default_rng(0).normal(size=SHAPE).astype(np.float32))

    def measured(layer: keras.Layer) -> tuple[float, float]:
        layer.build(SHAPE)

        @tf.function
        def gradient(batch: tf.Tensor) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(batch)
                loss = tf.reduce_sum(layer(batch) ** 2)
            return tape.gradient(loss, [batch, *layer.trainable_variables])

        return least(tf.function(layer), inputs), least(gradient, inputs)

    options = {"padding": "same", "activation": "relu"}
    shared = measured(keras.layers.Conv2D(FILTERS, 3, **options))
    local = measured(LocallyConnected2D(FILTERS, 3, **options))
    versions = f"Keras {keras.__version__}, Python {platform.python_version()}"
    print(f"{fingerprint.processor()}, {versions}")
    print(f"inputs {SHAPE}, {FILTERS} filters of 3 x 3, least of {RUNS} runs, processor time")
    for name, theirs, ours in zip(("forward", "forward and backward"), shared, local, strict=True):
        print(f"{name}: {theirs:.1f} ms shared, {ours:.1f} ms local, {ours / theirs:.1f} times")


def least(function, inputs) -> float:  # noqa: ANN001 - a traced function of a tensor
    """Return the least processor time of a call in milliseconds."""
    function(inputs)
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        function(inputs)
        times.append(time.process_time() - started)
    return 1000 * min(times)


if __name__ == "__main__":
    main()
