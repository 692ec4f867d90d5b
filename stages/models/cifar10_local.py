"""`cifar10_cnn` whose last convolution has weights of its own at each place.

It shows what sharing weights is worth: the layer computes as much as the convolution in its stead,
and has as many times its weights as the image has places there (256 with the default parameters).
"""

import keras
from keras import layers

from stages.components.locally_connected import LocallyConnected2D
from stages.models import Inputs
from stages.params import Cnn

DATASET = "cifar10"


def build(params: Cnn, inputs: Inputs) -> keras.Model:
    """Return a model from uint8 images (N, height, width, 3) to probabilities (N, classes)."""
    model = keras.Sequential(name="cifar10_local")
    model.add(keras.Input(inputs.shape, dtype="uint8", name="image"))
    model.add(layers.Rescaling(1 / 255, name="scale"))
    for block, filters in enumerate(params.filters, start=1):
        last = block == len(params.filters)
        convolution = LocallyConnected2D if last else layers.Conv2D
        model.add(
            convolution(
                filters,
                params.kernel_size,
                padding="same",
                activation="relu",
                name=f"local_{block}" if last else f"convolution_{block}",
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
