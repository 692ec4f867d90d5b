"""Losses from the `loss` of a model in params.yaml, for labels that are the numbers of classes."""

from collections.abc import Callable

import keras

from stages.params import Loss

Measure = Callable[[keras.KerasTensor, keras.KerasTensor], keras.KerasTensor]


def build(name: Loss) -> str | Measure:
    """Return what `compile` takes as the loss of that name.

    All but sparse_categorical_crossentropy compare each class's probability with 1 for the class of
    the label and 0 for the others.
    """
    if name == "sparse_categorical_crossentropy":
        return name
    return on_one_hot(keras.losses.get(name))


def on_one_hot(measure: Measure) -> Measure:
    """Return a loss or metric for labels 0, 1, ... from one for one-hot labels.

    Args:
        measure: of targets and probabilities, both of shape (..., classes), a figure for each item.

    """

    def measured(labels: keras.KerasTensor, probabilities: keras.KerasTensor) -> keras.KerasTensor:
        # Keras gives labels as floats, whatever they were.
        numbers = keras.ops.cast(labels, "int32")
        return measure(keras.ops.one_hot(numbers, probabilities.shape[-1]), probabilities)

    return measured
