"""A task's images as training and evaluation take them."""

import keras

from stages.evaluation import scores
from stages.models import Inputs
from stages.params import Training
from stages.training import data
from stages.training.data import TrainingData
from stages.transferring.tasks import Examples


def splits(
    train: Examples, validation: Examples, classes: int, settings: Training, seed: int
) -> TrainingData:
    """Return what trains and what validates as batches."""
    return TrainingData(
        train.shuffled(settings.batch_size, seed),
        validation.in_order(settings.batch_size),
        Inputs(train.x.shape[1:], classes, None),
        items="images",
    )


def measure(model: keras.Model, test: Examples, batch_size: int) -> dict[str, float]:
    """Return the figures of metrics/NAME.json for the test images of a task."""
    return scores.summary(test.y, data.predict(model, test.in_order(batch_size)))
