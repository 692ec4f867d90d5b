"""Networks without their classifier, from uint8 images to features, with all preprocessing inside.

Each backbone is one flat graph, so that any of its layers can be named in params.yaml. The layers
of Keras' networks have Keras' names; where those are numbered (InceptionV3, in part Xception) they
count from the start only in a process that has built no network before, as the stages do.
"""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import h5py
import keras
from keras import layers, ops

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Cnn, Transfer
from keras_repro.inputs import ImageInputs
from keras_repro.models import cifar10_cnn
from keras_repro.reproducibility.exact import archive
from keras_repro.tutorial.transfer import networks

# The mean of ImageNet's blue, green and red, which the networks ported from Caffe have taken off.
CAFFE_MEANS = (103.939, 116.779, 123.68)

POOLING = {"avg": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}


def to_unit_range(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Map 0 to 255 to -1 to 1, as the networks trained by Keras' authors take them."""
    return layers.Rescaling(1 / 127.5, offset=-1, name="scale")(pixels)


def to_caffe(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Turn RGB to BGR and take off the means, as the networks ported from Caffe take them."""
    variance = [1.0] * len(CAFFE_MEANS)
    centre = layers.Normalization(mean=CAFFE_MEANS, variance=variance, name="centre")
    return centre(ops.flip(pixels, axis=-1))


class Architecture(NamedTuple):
    """One of the networks in `keras.applications`.

    Attributes:
        build: Keras' function.
        least_size: the least height and width that it accepts.
        preprocess: what it expects of pixels from 0 to 255.

    """

    build: Callable[..., keras.Model]
    least_size: int
    preprocess: Callable[[keras.KerasTensor], keras.KerasTensor]


ARCHITECTURES = {
    "vgg16": Architecture(keras.applications.VGG16, 32, to_caffe),
    "vgg19": Architecture(keras.applications.VGG19, 32, to_caffe),
    "resnet50": Architecture(keras.applications.ResNet50, 32, to_caffe),
    "inception_v3": Architecture(keras.applications.InceptionV3, 75, to_unit_range),
    "xception": Architecture(keras.applications.Xception, 71, to_unit_range),
}


def build(
    settings: Transfer, own: Cnn, shape: tuple[int, ...], weights: Path | None
) -> keras.Model:
    """Return a backbone from uint8 images (N, *shape) to its features.

    Args:
        settings: of the transfer.
        own: the parameters of cifar10_cnn, which it is built from where there are no weights.
        shape: height, width and channels of the images.
        weights: the file to take them from; None leaves them random.

    Raises:
        ReproError: the input shape does not suit the network, or the file does not.

    """
    image = keras.Input(shape, dtype="uint8", name="image")
    _check_channels(settings, shape)
    pixels = image
    if settings.input_shape != shape:
        height, width, _ = settings.input_shape
        pixels = layers.Resizing(height, width, name="resize")(image)
    if settings.backbone == "cifar10_cnn":
        features = _own(settings, own, pixels, weights)
        return networks.copied(keras.Model(image, features, name="cifar10_cnn"))
    features = _published(settings, pixels, weights)
    return keras.Model(image, features, name=settings.backbone)


def _check_channels(settings: Transfer, shape: tuple[int, ...]) -> None:
    if settings.input_shape[-1] != shape[-1]:
        raise ReproError(
            f"{paths.PARAMS}: transfer.input_shape has {settings.input_shape[-1]} channels; "
            f"expected {shape[-1]}, as the images have"
        )


def _own(
    settings: Transfer, params: Cnn, pixels: keras.KerasTensor, weights: Path | None
) -> keras.KerasTensor:
    """Return the features of cifar10_cnn: its layers before `flatten`, its own scaling included."""
    if weights:
        network = archive.load(weights)
    else:
        # The number of classes shapes only what is left out.
        network = cifar10_cnn.build(params, ImageInputs(settings.input_shape, 1))
    if network.name != "cifar10_cnn" or network.input_shape[1:] != settings.input_shape:
        raise ReproError(
            f"{paths.PARAMS}: transfer.weights is {weights}, the model {network.name} for images "
            f"of shape {network.input_shape[1:]}; expected cifar10_cnn for "
            f"transfer.input_shape {settings.input_shape}"
        )
    chain = itertools.takewhile(lambda layer: layer.name != "flatten", network.layers)
    pixels = networks.apply(chain, pixels)
    if settings.pooling:
        pixels = POOLING[settings.pooling](name=f"{settings.pooling}_pool")(pixels)
    return pixels


def _published(
    settings: Transfer, pixels: keras.KerasTensor, weights: Path | None
) -> keras.KerasTensor:
    """Return the features of a network of `keras.applications`, which sees preprocessed pixels."""
    architecture = ARCHITECTURES[settings.backbone]
    least = architecture.least_size
    if min(settings.input_shape[:2]) < least:
        raise ReproError(
            f"{paths.PARAMS}: transfer.input_shape is {list(settings.input_shape)}; expected a "
            f"height and width of at least {least} for {settings.backbone}"
        )
    network = architecture.build(
        include_top=settings.include_top,
        weights=None,
        input_tensor=architecture.preprocess(pixels),
        pooling=settings.pooling,
        name=settings.backbone,
    )
    if weights:
        _load_weights(network, weights)
    return network.output


def _load_weights(network: keras.Model, path: Path) -> None:
    try:
        _check_count(network, path)
        network.load_weights(path)
    except Exception as error:
        # Keras raises whatever the file leads to: ValueError, OSError, KeyError, TypeError.
        found = "a file that does not fit" if path.is_file() else "no file"
        raise ReproError(
            f"{path}: {found} ({error}); expected the weights of {network.name} without its "
            "classifier, as `save_weights` writes them or Keras publishes them"
        ) from error


def _check_count(network: keras.Model, path: Path) -> None:
    """Refuse a file of another network; of some, Keras takes what has a name that it knows."""
    stored = 0

    def add(_: str, item: h5py.HLObject) -> None:
        nonlocal stored
        stored += item.size if isinstance(item, h5py.Dataset) else 0

    with h5py.File(path) as file:
        file.visititems(add)
    if stored != network.count_params():
        raise ValueError(f"it has {stored:,} weights, not {network.count_params():,}")
