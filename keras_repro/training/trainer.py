"""Trains a model and returns it as it was after its best epoch."""

import logging
import shutil
from functools import partial
from typing import cast

import keras

from keras_repro.core import params, paths
from keras_repro.inputs import ImageInputs, NgramInputs, TrainingData, WordInputs
from keras_repro.training import callbacks, optimizers, sharded
from keras_repro.training.adversarial import Adversarial
from keras_repro.training.checkpoint import Checkpoint
from keras_repro.training.peers import Group

log = logging.getLogger(__name__)

FLOAT_BYTES = 4
# Keras' own metrics, by that name, for labels that are the numbers of classes.
OF_NUMBERS = {
    "categorical_accuracy": keras.metrics.SparseCategoricalAccuracy,
    "top_k_categorical_accuracy": keras.metrics.SparseTopKCategoricalAccuracy,
}


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
    measured = metrics(settings)
    model.compile(
        optimizer=optimizers.build(settings, batches * settings.epochs),
        loss=loss or settings.loss,
        metrics=None if loss else measured,
        weighted_metrics=measured if loss else None,
        # XLA compiles anew for each length of review, and gains nothing on these models on a CPU.
        jit_compile=False,
    )


def metrics(settings: params.Training) -> list[str | keras.metrics.Metric]:
    """Return what `compile` takes as the metrics of a model."""
    return [
        name if settings.one_hot or name not in OF_NUMBERS else OF_NUMBERS[name](name=name)
        for name in settings.metrics
    ]


def learner(model: keras.Model, settings: params.Training) -> keras.Model:
    """Return what trains the variables of a model: itself, unless its batches are perturbed."""
    if isinstance(settings, params.PerturbedTraining) and settings.perturbation:
        return Adversarial.of(model, settings.perturbation)
    return model


def fit(
    model: keras.Model,
    settings: params.Training,
    data: TrainingData,
    checkpoint: Checkpoint,
    group: Group | None = None,
) -> tuple[keras.Model, list[tuple[float, ...]]]:
    """Train `model` and return its best epoch's copy, without optimizer, and the history's rows.

    A training that was killed goes on from the last epoch that `checkpoint` has seen end. The
    checkpoint stays: the caller discards it when the results are safe. Where there is a group, each
    of its processes ends with the same.

    Raises:
        ReproError: the loss became infinite or no number, or a process of the group is lost.

    """
    if settings.one_hot:
        data = _one_hot(data)
    trainee = learner(model, settings)
    prepare(trainee, settings, len(data.train), data.loss)
    count = model.count_params()
    log.info(
        "%s: %s weights, %s MB, and as much again for each moment that the optimizer keeps",
        model.name,
        f"{count:,}",
        f"{count * FLOAT_BYTES / 1e6:,.0f}",
    )
    recorder = callbacks.Recorder(callbacks.history_columns(settings.metrics))
    logs = paths.tensorboard(model.name)
    watched = settings.callbacks
    if group and group.rank:
        watched = watched.model_copy(update={"tensorboard": None})  # the chief's is enough
    watching = callbacks.build(watched, checkpoint.best, logs)
    checkpoint.resume(trainee, recorder, watching)
    if watched.tensorboard and not checkpoint.epochs:
        shutil.rmtree(logs, ignore_errors=True)  # another training's
    if checkpoint.epochs < settings.epochs and not checkpoint.stopped:
        data.train.start(checkpoint.epochs)
        batches: keras.utils.PyDataset = data.train
        first: list[keras.callbacks.Callback] = []
        if settings.shards > 1 or group:
            batches, first = sharded.attach(trainee, data, settings.shards, group)
        trainee.fit(
            batches,
            validation_data=data.validation,
            initial_epoch=checkpoint.epochs,
            epochs=settings.epochs,
            shuffle=False,  # the batches are shuffled by seed and epoch
            callbacks=[
                *first,
                recorder,
                *watching,
                checkpoint,
                callbacks.Progress(data.train, data.rows),
            ],
            verbose=0,  # Keras shows batches per second; Progress shows items
        )
        if len(recorder.rows) < settings.epochs:
            log.info("%s: stopped early, after epoch %d", model.name, len(recorder.rows))
    trained = keras.models.clone_model(model)
    trained.load_weights(checkpoint.best)
    return trained, recorder.rows


def _one_hot(data: TrainingData) -> TrainingData:
    """Return the same splits with labels of shape (N, classes), 1 for a row's class, else 0."""
    # The loss of a SequenceTraining takes numbers.
    inputs = cast(ImageInputs | WordInputs | NgramInputs, data.inputs)
    encode = partial(keras.utils.to_categorical, num_classes=inputs.classes)
    return data._replace(
        train=data.train.with_labels(encode), validation=data.validation.with_labels(encode)
    )
