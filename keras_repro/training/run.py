"""A training of one step or several, and what it leaves."""

from pathlib import Path
from typing import Any

import keras

from keras_repro.core import files, params, paths
from keras_repro.inputs import TrainingData
from keras_repro.reproducibility.exact import archive, fingerprint
from keras_repro.training import callbacks, checkpoint, trainer
from keras_repro.training.peers import Group


class Run:
    """A training that leaves a model and its history.

    Args:
        name: of the model.
        runtime: as it is configured.
        parameters: all others that the training depends on.
        source: the file that it learns from.
        group: the processes that train together; None is this one.

    Raises:
        ReproError: this process has other code or data than the chief of the group.

    """

    def __init__(
        self,
        name: str,
        runtime: params.Runtime,
        parameters: dict[str, Any],
        source: Path,
        group: Group | None = None,
    ) -> None:
        self._name, self._group = name, group
        parameters = parameters | {"runtime": runtime.model_dump(mode="json")}
        self._origin = checkpoint.origin(parameters, source, fingerprint.measure(runtime))
        if group:
            self._origin = group.agreed(self._origin)
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
        place = paths.checkpoint(name)
        if self._group and self._group.rank:
            place = self._group.scratch / name
        saved = checkpoint.Checkpoint(place, self._origin)
        if self._group:
            self._group.share(saved.file)
        trained, rows = trainer.fit(model, settings, splits, saved, self._group)
        before = len(self._rows)
        self._rows += [(before + epoch, *metrics) for epoch, *metrics in rows]
        self._columns = callbacks.history_columns(settings.metrics)
        self._checkpoints.append(saved)
        return trained

    def save(self, model: keras.Model) -> None:
        """Write the outputs, if this is no worker; the checkpoints are no longer needed then."""
        if self._group and self._group.rank:
            return
        archive.save(model, paths.model(self._name))
        files.write_csv(paths.history(self._name), self._columns, self._rows)
        for saved in self._checkpoints:
            saved.discard()
