"""A task's images as training and evaluation take them."""

import keras

from keras_repro.core.params import Training
from keras_repro.evaluation import scores
from keras_repro.inputs import ImageInputs, TrainingData, batches
from keras_repro.tutorial.transfer.tasks import Examples


def splits(
    train: Examples, validation: Examples, classes: int, settings: Training, seed: int
) -> TrainingData:
    """Return what trains and what validates as batches."""
    return TrainingData(
        train.shuffled(settings.batch_size, seed),
        validation.in_order(settings.batch_size),
        ImageInputs(train.x.shape[1:], classes),
        rows="images",
    )


def measure(model: keras.Model, test: Examples, batch_size: int) -> dict[str, float]:
    """Return the metrics of metrics/NAME.json for the test images of a task."""
    return scores.summary(test.y, batches.predict(model, test.in_order(batch_size)))
