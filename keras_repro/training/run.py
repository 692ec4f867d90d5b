"""A training of one step or several, and what it leaves."""

from pathlib import Path
from typing import Any

import keras

from keras_repro.core import files, params, paths
from keras_repro.inputs import TrainingData
from keras_repro.reproducibility.exact import archive, fingerprint
from keras_repro.training import callbacks, checkpoint, trainer


class Run:
    """A training that leaves a model and its history.

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
        parameters = parameters | {"runtime": runtime.model_dump(mode="json")}
        self._origin = checkpoint.origin(parameters, source, fingerprint.measure(runtime))
        self._checkpoints: list[checkpoint.Checkpoint] = []
        self._columns: tuple[str, ...] = ()
        self._rows: list[tuple[float, ...]] = []

    def fit(
        self, model: keras.Model, settings: params.Training, splits: TrainingData
    ) -> keras.Model:
        """Return the best epoch's copy of a model; epochs count on from the steps before.

        All steps of a run have the same metrics.
        """
        steps = len(self._checkpoints)
        name = f"{self._name}-{steps + 1}" if steps else self._name
        saved = checkpoint.Checkpoint(paths.checkpoint(name), self._origin)
        trained, rows = trainer.fit(model, settings, splits, saved)
        before = len(self._rows)
        self._rows += [(before + epoch, *metrics) for epoch, *metrics in rows]
        self._columns = callbacks.history_columns(settings.metrics)
        self._checkpoints.append(saved)
        return trained

    def save(self, model: keras.Model) -> None:
        """Write the outputs; the checkpoints are no longer needed then."""
        archive.save(model, paths.model(self._name))
        files.write_csv(paths.history(self._name), self._columns, self._rows)
        for saved in self._checkpoints:
            saved.discard()
