"""ThresholdedReLU, which Keras 3 dropped as a layer and keeps as `keras.activations.threshold`."""

from typing import Any

import keras
from keras import ops

from keras_repro.models import KERAS_PACKAGE
from keras_repro.models.layers.locally_connected import Shape


@keras.saving.register_keras_serializable(package=KERAS_PACKAGE)
class ThresholdedReLU(keras.Layer):
    """f(x) = x where x > theta, else 0 (Konda, Memisevic, Krueger 2014, arXiv:1402.3337).

    Args:
        theta: the threshold, at least 0.
        **kwargs: `name` and `dtype`, as every layer has them.

    Raises:
        ValueError: theta is below 0 or no number.

    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(theta, int | float) or not theta >= 0:
            raise ValueError(f"theta: expected a number of at least 0, found {theta!r}")
        self.theta = float(theta)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        """Return an array of the shape of `inputs`."""
        return ops.where(inputs > self.theta, inputs, ops.zeros_like(inputs))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return `input_shape`."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return {**super().get_config(), "theta": self.theta}
