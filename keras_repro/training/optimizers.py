"""Optimizers from the `optimizer` and `decay` of a model in params.yaml."""

import keras
import tensorflow as tf

from keras_repro.core.params import Training
from keras_repro.models import KERAS_PACKAGE


@keras.saving.register_keras_serializable(KERAS_PACKAGE)  # clones of compiled models ask for it
class FusedAdam(keras.optimizers.Adam):
    """Keras' Adam, which changes a variable in one pass over memory in place of a dozen.

    The kernel is TensorFlow's (tf.raw_ops.ResourceApplyAdam). Two things differ: the last bits, and
    what becomes of a token that a batch has several times. Its slopes are added up before they are
    squared for the second moment (Kingma and Ba, 2015); Keras 3 squares each by itself.
    """

    def update_step(
        self,
        gradient: tf.Tensor | tf.IndexedSlices,
        variable: tf.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        """Change one variable, and its moments."""
        place = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.convert_to_tensor(gradient),
        )


def build(settings: Training, steps: int) -> keras.optimizers.Optimizer:
    """Return the Keras optimizer of that name with these numbers.

    Args:
        settings: of a model.
        steps: after how many batches a rate that decays has become 0.

    """
    chosen = settings.optimizer
    config = chosen.model_dump(exclude={"name"})
    if settings.decay == "cosine":
        config["learning_rate"] = keras.optimizers.schedules.CosineDecay(
            chosen.learning_rate, steps
        )
    if chosen.name == "adam":
        return FusedAdam(**config, name=chosen.name)
    return keras.optimizers.get({"class_name": chosen.name, "config": config})
