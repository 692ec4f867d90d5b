"""Heads on backbones, and which of a network's layers learn."""

import difflib
from collections.abc import Iterable

import keras
from keras import layers

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Head

SUGGESTIONS = 5


def head(settings: Head, shape: tuple[int, ...], classes: int) -> keras.Model:
    """Return a classifier from features (N, *shape) to probabilities (N, classes)."""
    features = keras.Input(shape, name="features")
    hidden = layers.Flatten(name="flatten")(features)
    if settings.units:
        hidden = layers.Dense(settings.units, activation="relu", name="hidden")(hidden)
    hidden = layers.Dropout(settings.dropout, name="dropout")(hidden)
    logits = layers.Dense(classes, name="logits")(hidden)
    return keras.Model(features, layers.Softmax(name="probabilities")(logits), name="head")


def attach(head: keras.Model, backbone: keras.Model, name: str) -> keras.Model:
    """Return one network from images to probabilities, with copies of the layers of both."""
    output = apply(head.layers, backbone.output)
    return copied(keras.Model(backbone.input, output, name=name))


def apply(chain: Iterable[keras.layers.Layer], tensor: keras.KerasTensor) -> keras.KerasTensor:
    """Return what layers, one after the other, make of a tensor."""
    for layer in chain:
        if not isinstance(layer, layers.InputLayer):
            tensor = layer(tensor)
    return tensor


def copied(model: keras.Model) -> keras.Model:
    """Return a model of the same weights whose layers stand in no other.

    A layer that stands in two gives, as its output, that of the first.
    """
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def freeze(backbone: keras.Model) -> None:
    """Let nothing of a backbone learn; its BatchNormalization then keeps its means as well."""
    for layer in backbone.layers:
        layer.trainable = False


def fine_tune_from(backbone: keras.Model, first: str) -> None:
    """Let the layers of a frozen backbone learn from the one of this name on.

    Those of BatchNormalization stay as they are: few images would overwrite what it knows of many.

    Raises:
        ReproError: there is no such layer, or none from there on has weights.

    """
    names = [layer.name for layer in backbone.layers]
    if first not in names:
        near = difflib.get_close_matches(first, names, SUGGESTIONS, cutoff=0.4) or names
        raise ReproError(
            f"{paths.PARAMS}: transfer.trainable_from is {first!r}; expected null or a layer of "
            f"{backbone.name} such as {', '.join(near[-SUGGESTIONS:])}"
        )
    for layer in backbone.layers[names.index(first) :]:
        layer.trainable = not isinstance(layer, layers.BatchNormalization)
    if not backbone.trainable_variables:
        raise ReproError(
            f"{paths.PARAMS}: transfer.trainable_from is {first!r}, from which on {backbone.name} "
            "has no weights to train; expected a layer before it, or null"
        )
