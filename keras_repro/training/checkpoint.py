"""All that the next epoch depends on, after each one, in a file that is whole or not there.

Keras' `BackupAndRestore` brings back the weights, the optimizer and the number of the epoch. To end
in the same bytes as a training that nobody interrupted, more is needed: the states of dropout's
random numbers, what `EarlyStopping` and `ReduceLROnPlateau` have counted, the best epoch, the
history. The order of the batches depends on the seed and the epoch alone and needs no place.
"""

import fcntl
import json
import logging
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_repro
from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.reproducibility.exact import fingerprint
from keras_repro.training.callbacks import Recorder

log = logging.getLogger(__name__)

# What the callbacks remember from one epoch to the next. All else in them is set by params.yaml.
REMEMBERED = {
    keras.callbacks.ModelCheckpoint: ("best",),
    keras.callbacks.EarlyStopping: ("best", "best_epoch", "wait", "stopped_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("best", "wait", "cooldown_counter"),
}
STATE = "state"
BEST = "best"


def origin(
    parameters: dict[str, Any], data: Path, machine: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return what a checkpoint must have in common with the training that goes on from it.

    Args:
        parameters: those that the training depends on.
        data: the file that it learns from.
        machine: the fingerprint of the process.

    """
    root = Path(keras_repro.__file__).parents[1]
    packages = (root / "keras_repro", root / "stages")
    loaded = {getattr(module, "__file__", None) for module in sys.modules.values()}
    code = sorted(
        Path(name) for name in loaded if name and not set(packages).isdisjoint(Path(name).parents)
    )
    return {
        "parameters": parameters,
        "data": {str(data): files.sha256(data)},
        "code": {str(path.relative_to(root)): files.sha256(path) for path in code},
        "packages or hardware": machine,
    }


class Checkpoint(keras.callbacks.Callback):
    """Saves the state of a training after each epoch, and brings it back.

    It must be the last of the callbacks, so that it sees what the others have decided.

    Args:
        directory: holds the checkpoint of this training and the weights of its best epoch.
        origin: from the function of that name.

    """

    def __init__(self, directory: Path, origin: dict[str, dict[str, Any]]) -> None:
        super().__init__()
        self.best = directory / "best.weights.h5"
        self.epochs = 0  # that are done
        self.stopped = False  # whether a callback ended the training
        self.file = directory / "checkpoint.npz"
        # As JSON gives it back, so that the two can be compared.
        self._origin = json.loads(json.dumps(origin))
        self._remembered: dict[str, dict[str, Any]] = {}
        self._recorder = Recorder()
        self._others: list[keras.callbacks.Callback] = []

    def resume(
        self, model: keras.Model, recorder: Recorder, others: Iterable[keras.callbacks.Callback]
    ) -> None:
        """Bring back the last epoch's state, if there is one of this very training.

        Args:
            model: compiled; gets the weights, the optimizer's and dropout's states.
            recorder: gets the history.
            others: get back what they remembered when the training begins.

        Raises:
            ReproError: another process trains this model here.

        """
        self._lock()
        self._recorder, self._others = recorder, list(others)
        model.optimizer.build(model.trainable_variables)
        if not self.file.exists():
            return
        try:
            state = self._read()
        except ReproError as error:
            log.warning("%s: not used, training starts anew: %s", self.file, error)
            self.file.unlink()
            return
        for name, variable in _variables(model).items():
            variable.assign(state[name])
        files.write_bytes(self.best, state[BEST].tobytes())
        told = _told(state)
        self.epochs, self.stopped = told["epochs"], told["stopped"]
        self._remembered = told["callbacks"]
        recorder.rows = [tuple(row) for row in told["history"]]
        log.info("%s: going on after epoch %d", self.file, self.epochs)

    def discard(self) -> None:
        """Remove all that is kept."""
        shutil.rmtree(self.file.parent, ignore_errors=True)

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        """Bring back what the other callbacks remembered; they have just cleared it."""
        del logs
        for callback in self._others:
            for key, value in self._remembered.get(type(callback).__name__, {}).items():
                setattr(callback, key, value)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Save the state after this epoch, in place of the one before."""
        del logs
        self.epochs, self.stopped = epoch + 1, self.model.stop_training
        told = {
            "origin": self._origin,
            "epochs": self.epochs,
            "stopped": self.stopped,
            "history": self._recorder.rows,
            "callbacks": {
                type(callback).__name__: {key: getattr(callback, key) for key in keys}
                for callback in self._others
                for kind, keys in REMEMBERED.items()
                if isinstance(callback, kind)
            },
        }
        arrays = {name: np.asarray(value) for name, value in _variables(self.model).items()}
        arrays[STATE] = _bytes(json.dumps(told, default=float).encode())
        arrays[BEST] = _bytes(self.best.read_bytes())
        files.write_npz(self.file, arrays)
        files.before_output()  # now, not after an hour

    def _lock(self) -> None:
        """Keep other processes out; the lock ends with the process, however that ends.

        If DVC alone is killed, the stage that it started goes on; the next one finds it at work.
        """
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._locked = (self.file.parent / "lock").open("w")
        try:
            fcntl.lockf(self._locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ReproError(
                f"{self.file.parent}: another process is training here; expected none "
                "(wait for it, or end it)"
            ) from None

    def _read(self) -> dict[str, np.ndarray]:
        """Return the arrays of the checkpoint.

        Raises:
            ReproError: it is damaged, or belongs to another training; the message says which.

        """
        try:
            with np.load(self.file, allow_pickle=False) as archive:
                state = {name: archive[name] for name in archive.files}
            told = _told(state)
        except Exception as error:
            # NumPy and zipfile raise whatever the damage leads to; a CRC guards every array.
            raise ReproError(
                f"it is damaged: {files.sized(self.file)} are no whole checkpoint ({error})"
            ) from error
        for kind, mine in self._origin.items():  # parameters first: they change what hardware does
            for key, old, new in fingerprint.differences(told["origin"].get(kind, {}), mine):
                raise ReproError(f"it is from other {kind}: {key} was {old!r}, is {new!r}")
        return state


def _told(state: dict[str, np.ndarray]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(state[STATE].tobytes())
    return told


def _variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Return all variables that training changes, by a name that is equal in every process."""
    kinds: dict[str, Sequence[keras.Variable]] = {
        "model": model.variables,  # weights and the states of the random numbers
        "optimizer": model.optimizer.variables,
    }
    return {
        f"{kind}_{number:04}": variable
        for kind, variables in kinds.items()
        for number, variable in enumerate(variables)
    }


def _bytes(content: bytes) -> np.ndarray:
    return np.frombuffer(content, np.uint8)
