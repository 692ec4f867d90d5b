"""Metrics from the `metrics` of a model in params.yaml, for labels that are numbers of classes."""

from collections.abc import Sequence

import keras

from stages.params import Metric
from stages.training.losses import on_one_hot

FUNCTIONS = {
    "binary_accuracy": keras.metrics.binary_accuracy,
    "categorical_accuracy": keras.metrics.categorical_accuracy,
    # Of the five likeliest classes; 1 where there are no more than five.
    "top_k_categorical_accuracy": keras.metrics.top_k_categorical_accuracy,
}


def build(names: Sequence[Metric]) -> list[str | keras.metrics.Metric]:
    """Return what `compile` takes as the metrics of these names."""
    return [name if name == "accuracy" else _on_one_hot(name) for name in names]


def _on_one_hot(name: Metric) -> keras.metrics.Metric:
    return keras.metrics.MeanMetricWrapper(on_one_hot(FUNCTIONS[name]), name=name)
