"""Trains a model and returns it as it was after its best epoch."""

import sys
import tempfile
from pathlib import Path

import keras

from stages import params, paths
from stages.training import callbacks, optimizers
from stages.training.data import TrainingData


def fit(
    model: keras.Model, settings: params.Training, data: TrainingData
) -> tuple[keras.Model, list[tuple[float, ...]]]:
    """Train `model` and return its best epoch's copy, without optimizer, and the history's rows.

    Raises:
        ReproError: the loss became infinite or no number.

    """
    model.compile(
        optimizer=optimizers.build(settings.optimizer),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        # XLA compiles anew for each length of review, and gains nothing on these models on a CPU.
        jit_compile=False,
    )
    recorder = callbacks.Recorder()
    paths.TRAINING.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.TRAINING) as directory:
        best = Path(directory) / "best.weights.h5"
        model.fit(
            data.train,
            validation_data=data.validation,
            epochs=settings.epochs,
            shuffle=False,  # the batches are shuffled by seed and epoch
            callbacks=[recorder, *callbacks.build(settings.callbacks, best)],
            verbose=1 if sys.stderr.isatty() else 2,  # a log gets one line per epoch, no bar
        )
        trained = keras.models.clone_model(model)
        trained.load_weights(best)
    return trained, recorder.rows
