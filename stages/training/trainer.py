"""Trains a model and returns it as it was after its best epoch."""

import shutil
import sys

import keras

from stages import params, paths
from stages.training import callbacks, metrics, optimizers
from stages.training.adversarial import Adversarial
from stages.training.checkpoint import Checkpoint
from stages.training.data import TrainingData, one_hot

FLOAT_BYTES = 4


def prepare(
    model: keras.Model,
    settings: params.Training,
    batches: int,
    loss: keras.losses.Loss | None = None,
) -> None:
    """Compile a classifier with the optimizer, loss and metrics of params.yaml.

    Args:
        model: to be trained.
        settings: of the model.
        batches: of an epoch.
        loss: of its own, for batches with weights; the metrics are means over these then.

    """
    measured = metrics.build(settings)
    model.compile(
        optimizer=optimizers.build(settings, batches * settings.epochs),
        loss=loss or settings.loss,
        metrics=None if loss else measured,
        weighted_metrics=measured if loss else None,
        # XLA compiles anew for each length of review, and gains nothing on these models on a CPU.
        jit_compile=False,
    )


def learner(model: keras.Model, settings: params.Training) -> keras.Model:
    """Return what trains the variables of a model: itself, unless its batches are perturbed."""
    if isinstance(settings, params.PerturbedTraining) and settings.perturbation:
        return Adversarial.of(model, settings.perturbation)
    return model


def fit(
    model: keras.Model, settings: params.Training, data: TrainingData, checkpoint: Checkpoint
) -> tuple[keras.Model, list[tuple[float, ...]]]:
    """Train `model` and return its best epoch's copy, without optimizer, and the history's rows.

    A training that was killed goes on from the last epoch that `checkpoint` has seen end. The
    checkpoint stays: the caller discards it when the results are safe.

    Raises:
        ReproError: the loss became infinite or no number.

    """
    if settings.one_hot:
        data = one_hot(data)
    trainee = learner(model, settings)
    prepare(trainee, settings, len(data.train), data.loss)
    count = model.count_params()
    print(  # noqa: T201 - the stage's progress
        f"{model.name}: {count:,} weights, {count * FLOAT_BYTES / 1e6:,.0f} MB, and as much again "
        "for each moment that the optimizer keeps",
        file=sys.stderr,
    )
    recorder = callbacks.Recorder(callbacks.history_columns(settings.metrics))
    logs = paths.tensorboard(model.name)
    watching = callbacks.build(settings.callbacks, checkpoint.best, logs)
    checkpoint.resume(trainee, recorder, watching)
    if settings.callbacks.tensorboard and not checkpoint.epochs:
        shutil.rmtree(logs, ignore_errors=True)  # another training's
    if checkpoint.epochs < settings.epochs and not checkpoint.stopped:
        data.train.start(checkpoint.epochs)
        trainee.fit(
            data.train,
            validation_data=data.validation,
            initial_epoch=checkpoint.epochs,
            epochs=settings.epochs,
            shuffle=False,  # the batches are shuffled by seed and epoch
            callbacks=[recorder, *watching, checkpoint, callbacks.Progress(data.train, data.items)],
            verbose=0,  # Keras shows batches per second; Progress shows items
        )
    trained = keras.models.clone_model(model)
    trained.load_weights(checkpoint.best)
    return trained, recorder.rows
