"""The tutorial's perceptron for MNIST as a `keras.Sequential`."""

import keras
from keras import layers

from keras_repro.core.params import Mlp
from keras_repro.inputs import ImageInputs

DATASET = "mnist"
Settings = Mlp


def build(params: Mlp, inputs: ImageInputs) -> keras.Model:
    """Return a model from uint8 images (N, height, width) to probabilities (N, classes)."""
    model = keras.Sequential(name="mnist_sequential")
    model.add(keras.Input(inputs.shape, dtype="uint8", name="image"))
    model.add(layers.Rescaling(1 / 255, name="scale"))
    model.add(layers.Flatten(name="flatten"))
    for number, units in enumerate(params.units, start=1):
        model.add(layers.Dense(units, activation="relu", name=f"hidden_{number}"))
    model.add(layers.Dense(inputs.classes, name="logits"))
    model.add(layers.Softmax(name="probabilities"))
    return model
