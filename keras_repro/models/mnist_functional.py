"""The tutorial's perceptron for MNIST through the functional API: layers called on tensors."""

import keras
from keras import layers

from keras_repro.core.params import Mlp
from keras_repro.inputs import ImageInputs

DATASET = "mnist"
Settings = Mlp


def build(params: Mlp, inputs: ImageInputs) -> keras.Model:
    """Return a model from uint8 images (N, height, width) to probabilities (N, classes)."""
    image = keras.Input(inputs.shape, dtype="uint8", name="image")
    hidden = layers.Rescaling(1 / 255, name="scale")(image)
    hidden = layers.Flatten(name="flatten")(hidden)
    for number, units in enumerate(params.units, start=1):
        hidden = layers.Dense(units, activation="relu", name=f"hidden_{number}")(hidden)
    logits = layers.Dense(inputs.classes, name="logits")(hidden)
    probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model(image, probabilities, name="mnist_functional")
