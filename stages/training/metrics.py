"""Metrics from the `metrics` of a model in params.yaml."""

import keras

from stages import params

# Keras' own for labels that are the numbers of classes, of the same figure.
OF_NUMBERS = {
    "categorical_accuracy": keras.metrics.SparseCategoricalAccuracy,
    "top_k_categorical_accuracy": keras.metrics.SparseTopKCategoricalAccuracy,
}


def build(settings: params.Training) -> list[str | keras.metrics.Metric]:
    """Return what `compile` takes as the metrics of a model."""
    return [
        name if settings.one_hot or name not in OF_NUMBERS else OF_NUMBERS[name](name=name)
        for name in settings.metrics
    ]
