"""The tutorial's convolutional network for CIFAR-10."""

import keras
from keras import layers

from keras_repro.core.params import Cnn
from keras_repro.inputs import ImageInputs

DATASET = "cifar10"
Settings = Cnn


def build(params: Cnn, inputs: ImageInputs) -> keras.Model:
    """Return a model from uint8 images (N, height, width, 3) to probabilities (N, classes)."""
    return network("cifar10_cnn", layers.Conv2D, params, inputs)


def network(name: str, last: type[layers.Layer], params: Cnn, inputs: ImageInputs) -> keras.Model:
    """Return the network with another kind of layer as its last convolution."""
    model = keras.Sequential(name=name)
    model.add(keras.Input(inputs.shape, dtype="uint8", name="image"))
    model.add(layers.Rescaling(1 / 255, name="scale"))
    for block, filters in enumerate(params.filters, start=1):
        convolution = last if block == len(params.filters) else layers.Conv2D
        model.add(
            convolution(
                filters,
                params.kernel_size,
                padding="same",
                activation="relu",
                name=f"convolution_{block}",
            )
        )
        model.add(layers.MaxPooling2D(params.pool_size, name=f"pooling_{block}"))
        model.add(layers.Dropout(params.block_dropout, name=f"dropout_{block}"))
    model.add(layers.Flatten(name="flatten"))
    model.add(layers.Dense(params.units, activation="relu", name="hidden"))
    model.add(layers.Dropout(params.dropout, name="dropout"))
    model.add(layers.Dense(inputs.classes, name="logits"))
    model.add(layers.Softmax(name="probabilities"))
    return model
