"""Optimizers from the `optimizer` of a model in params.yaml."""

import keras

from stages.params import Optimizer


def build(settings: Optimizer) -> keras.optimizers.Optimizer:
    """Return the Keras optimizer of that name with these numbers."""
    return keras.optimizers.get(
        {"class_name": settings.name, "config": settings.model_dump(exclude={"name"})}
    )
