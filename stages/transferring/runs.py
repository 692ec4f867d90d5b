"""Trainings of one step or several, and what they leave."""

from pathlib import Path
from typing import Any

import keras

from stages import files, params, paths
from stages.evaluation import scores
from stages.models import Inputs
from stages.reproducibility import archive, fingerprint
from stages.training import callbacks, checkpoint, data, trainer
from stages.transferring.tasks import Examples


class Run:
    """A training that leaves a model, its history and the fingerprint of this machine.

    Args:
        name: of the model.
        runtime: as it is configured.
        parameters: all others that the training depends on.
        source: the file that it learns from.

    """

    def __init__(
        self, name: str, runtime: params.Runtime, parameters: dict[str, Any], source: Path
    ) -> None:
        self._name = name
        self._seed = runtime.seed
        self._machine = fingerprint.measure(runtime)
        parameters = parameters | {"runtime": runtime.model_dump(mode="json")}
        self._origin = checkpoint.origin(parameters, source, self._machine)
        self._checkpoints: list[checkpoint.Checkpoint] = []
        self._rows: list[tuple[float, ...]] = []

    def fit(
        self,
        model: keras.Model,
        settings: params.Training,
        train: Examples,
        validation: Examples,
    ) -> keras.Model:
        """Return the best epoch's copy of a model; epochs count on from the steps before."""
        step = f"{self._name}-{len(self._checkpoints) + 1}"
        saved = checkpoint.Checkpoint(paths.checkpoint(step), self._origin)
        splits = data.TrainingData(
            train.shuffled(settings.batch_size, self._seed),
            validation.in_order(settings.batch_size),
            Inputs(train.x.shape[1:], model.output_shape[-1], None),
            items="images",
        )
        trained, rows = trainer.fit(model, settings, splits, saved)
        before = len(self._rows)
        self._rows += [(before + epoch, *figures) for epoch, *figures in rows]
        self._checkpoints.append(saved)
        return trained

    def save(self, model: keras.Model) -> None:
        """Write the outputs; the checkpoints are no longer needed then."""
        archive.save(model, paths.model(self._name))
        files.write_csv(paths.history(self._name), callbacks.HISTORY_COLUMNS, self._rows)
        files.write_json(paths.fingerprint(self._name), self._machine)
        for saved in self._checkpoints:
            saved.discard()


def measure(model: keras.Model, test: Examples, batch_size: int) -> dict[str, float]:
    """Return the figures of metrics/NAME.json for the test images of a task."""
    return scores.summary(test.y, data.predict(model, test.in_order(batch_size)))
