"""Training on the worst small changes of what a model reads (Miyato, Dai, Goodfellow, 2017)."""

from typing import Any, Self

import keras
import tensorflow as tf

# What stands before it is changed: the embedding of each token.
FIRST_LAYER = "embedding_dropout"
LEAST_NORM = 1e-12


class Adversarial(keras.Model):
    """Shares the layers of a functional model and learns from each batch twice.

    Once as it is, and once with the embedding of each item moved in the direction in which its loss
    grows most. The loss is the mean of both.
    """

    @classmethod
    def of(cls, model: keras.Model, size: float) -> Self:
        """Return a model that trains the variables of another.

        Args:
            model: functional, with a layer `embedding_dropout` after the embedding.
            size: the length of the change of a whole item, in units of the embedding.

        """
        learner = cls(model.inputs, model.outputs, name=model.name)
        embedded = model.get_layer(FIRST_LAYER).input
        learner.size = size
        (tokens,) = model.inputs
        learner.embed = keras.Model(tokens, embedded)
        learner.read = keras.Model([tokens, embedded], model.outputs[0])
        return learner

    @property
    def learned(self) -> list[keras.Variable]:
        """What it trains, in the order of `gradients`."""
        weights: list[keras.Variable] = (
            self.embed.trainable_variables + self.read.trainable_variables
        )
        return weights

    def train_step(self, data: tuple[Any, ...]) -> dict[str, Any]:
        """Learn from a batch of inputs and labels."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)  # whose items all weigh the same
        loss, predicted, gradients = self.gradients(x, y)
        self.optimizer.apply(gradients, self.learned)
        # Of the plain batch alone, so that a history can be compared with others.
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(predicted)[0])
        metrics: dict[str, Any] = self.compute_metrics(x, y, predicted)
        return metrics

    def gradients(self, x: tf.Tensor, y: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, list[Any]]:
        """Return the plain batch's loss and predictions, and the mean gradients of both."""
        with tf.GradientTape() as embedding:
            # The copy has no mask: `read` computes its own from the tokens.
            embedded = tf.identity(self.embed(x, training=True))
        loss, predicted, slope, slopes = self._look(x, y, embedded)
        _, _, worst_slope, worst_slopes = self._look(x, y, self._worst(embedded, slope))
        # Each half is differentiated once: a loss over both would go back through the first again.
        gradients = embedding.gradient(
            embedded, self.embed.trainable_variables, output_gradients=(slope + worst_slope) / 2
        )
        gradients += [(one + other) / 2 for one, other in zip(slopes, worst_slopes, strict=True)]
        return loss, predicted, gradients

    def _worst(self, embedded: tf.Tensor, slope: tf.Tensor) -> tf.Tensor:
        """Return each item's embedding moved by `size` along its slope."""
        axes = list(range(1, len(slope.shape)))
        norm = tf.sqrt(tf.reduce_sum(slope**2, axes, keepdims=True))
        return embedded + self.size * slope / (norm + LEAST_NORM)

    def _look(
        self, x: tf.Tensor, y: tf.Tensor, embedded: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """Return the loss, the predictions, and the loss' slopes: in the embedding, the weights."""
        weights = self.read.trainable_variables
        with tf.GradientTape() as tape:
            tape.watch(embedded)
            predicted = self.read([x, embedded], training=True)
            loss = self.compute_loss(y=y, y_pred=predicted)
        slope, *slopes = tape.gradient(loss, [embedded, *weights])
        return loss, predicted, slope, slopes
