"""`cifar10_cnn` whose last convolution has weights of its own at each place.

It shows what sharing weights is worth: the layer computes as much as the convolution in its stead,
and has as many times its weights as the image has places there (256 with the default parameters).
"""

import keras

from keras_repro.core.params import Cnn
from keras_repro.inputs import ImageInputs
from keras_repro.models import cifar10_cnn
from keras_repro.models.layers.locally_connected import LocallyConnected2D

DATASET = "cifar10"
Settings = Cnn


def build(params: Cnn, inputs: ImageInputs) -> keras.Model:
    """Return a model from uint8 images (N, height, width, 3) to probabilities (N, classes)."""
    return cifar10_cnn.network("cifar10_local", LocallyConnected2D, params, inputs)
