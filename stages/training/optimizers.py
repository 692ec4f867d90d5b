"""Optimizers from the `optimizer` and `decay` of a model in params.yaml."""

import keras

from stages.params import Training


def build(settings: Training, steps: int) -> keras.optimizers.Optimizer:
    """Return the Keras optimizer of that name with these numbers.

    Args:
        settings: of a model.
        steps: after how many batches a rate that decays has become 0.

    """
    chosen = settings.optimizer
    config = chosen.model_dump(exclude={"name"})
    if settings.decay == "cosine":
        cosine = keras.optimizers.schedules.CosineDecay(chosen.learning_rate, steps)
        config["learning_rate"] = keras.optimizers.schedules.serialize(cosine)
    return keras.optimizers.get({"class_name": chosen.name, "config": config})
