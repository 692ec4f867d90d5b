"""What watches over a training, from the `callbacks` of a model in params.yaml."""

import importlib.util
import logging
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import keras
from tqdm import tqdm

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Callbacks, Checkpoint, Metric
from keras_repro.inputs.batches import Batches

log = logging.getLogger(__name__)

# Seconds between two states of the bar in a log.
LOG_INTERVAL = 30

HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


def history_columns(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """Return the columns of a history: those that all have, and those of further metrics.

    >>> history_columns(["binary_accuracy", "accuracy"])[5:]
    ('learning_rate', 'binary_accuracy', 'val_binary_accuracy')
    """
    further = [metric for metric in metrics if metric != "accuracy"]
    return HISTORY_COLUMNS + tuple(
        f"{split}{metric}" for metric in further for split in ("", "val_")
    )


class Recorder(keras.callbacks.Callback):
    """Keeps the metrics of each epoch as rows; the first epoch is 1.

    Args:
        columns: of a row, from `history_columns`.

    Raises:
        ReproError: the loss is no longer a number, so no later epoch can be of use.

    """

    def __init__(self, columns: Sequence[str] = HISTORY_COLUMNS) -> None:
        super().__init__()
        self._columns = columns
        self.rows: list[tuple[float, ...]] = []
        self._learning_rate = math.nan

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note the learning rate before another callback changes it."""
        del epoch, logs
        self._learning_rate = float(self.model.optimizer.learning_rate)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Add a row."""
        metrics = {"epoch": epoch + 1, "learning_rate": self._learning_rate} | (logs or {})
        for key in ("loss", "val_loss"):
            if not math.isfinite(metrics[key]):
                raise ReproError(
                    f"{self.model.name}: the {key} is {metrics[key]} after epoch {epoch + 1}; "
                    f"expected a number (try a learning_rate below {self._learning_rate:g})"
                )
        self.rows.append(tuple(metrics[column] for column in self._columns))


class Progress(keras.callbacks.Callback):
    """Shows how many items are trained per second: a bar, and a line for each epoch.

    Args:
        data: the batches of the training split.
        rows: what a row is, in the plural.

    """

    def __init__(self, data: Batches, rows: str) -> None:
        super().__init__()
        self._data = data
        self._rows = rows

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start a bar."""
        del logs
        self._started = time.monotonic()
        self._total = sum(len(rows) for rows in self._data.rows)
        self._bar = tqdm(
            desc=f"epoch {epoch + 1} of {self.params['epochs']}",
            total=self._total,
            unit=f" {self._rows}",
            # A log has no use for ten lines a second, nor for bars of short epochs.
            mininterval=0.1 if sys.stderr.isatty() else LOG_INTERVAL,
            maxinterval=LOG_INTERVAL,
            delay=0 if sys.stderr.isatty() else LOG_INTERVAL,
        )

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Move the bar by the rows of the batch before.

        A callback at a batch's end would make Keras wait for its metrics after each.
        """
        del logs
        if batch:
            self._bar.update(len(self._data.rows[batch - 1]))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Tell the epoch's speed, validation included in its time, and its metrics."""
        self._bar.update(self._total - self._bar.n)
        self._bar.close()
        seconds = time.monotonic() - self._started
        metrics = ", ".join(f"{key} {value:.4g}" for key, value in (logs or {}).items())
        log.info(
            "epoch %d of %d: %s %s in %.0f s, %s %s/s; %s",
            epoch + 1,
            self.params["epochs"],
            f"{self._total:,}",
            self._rows,
            seconds,
            f"{self._total / seconds:,.0f}",
            self._rows,
            metrics,
        )


class TensorBoard(keras.callbacks.TensorBoard):
    """Keras' own, whose metrics are on the disk when an epoch ends.

    Otherwise they follow within two minutes, and a training that is killed before has lost them:
    the one that goes on does not repeat the epochs.
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Log the epoch."""
        super().on_epoch_end(epoch, logs)
        for writer in self._writers.values():
            writer.flush()


def build(settings: Callbacks, best: Path, logs: Path) -> list[keras.callbacks.Callback]:
    """Return the callbacks that are switched on.

    Args:
        settings: of a model.
        best: where the best epoch's weights go.
        logs: the directory for TensorBoard.

    Raises:
        ReproError: TensorBoard is wanted and not installed.

    """
    chosen: list[keras.callbacks.Callback] = [_keeping(settings.checkpoint, best)]
    if board := settings.tensorboard:
        _check_tensorboard()
        # Before the learning rate is reduced: what is logged is the rate that the epoch had.
        chosen.append(
            TensorBoard(
                logs,
                histogram_freq=board.histogram_freq,
                write_graph=board.write_graph,
                write_images=board.write_images,
            )
        )
    if stopping := settings.early_stopping:
        chosen.append(
            keras.callbacks.EarlyStopping(
                monitor=stopping.monitor,
                mode=_mode(stopping.monitor),
                patience=stopping.patience,
                min_delta=stopping.min_delta,
            )
        )
    if reducing := settings.reduce_learning_rate:
        chosen.append(
            keras.callbacks.ReduceLROnPlateau(
                monitor=reducing.monitor,
                mode=_mode(reducing.monitor),
                factor=reducing.factor,
                patience=reducing.patience,
                min_delta=reducing.min_delta,
                cooldown=reducing.cooldown,
                min_lr=reducing.min_learning_rate,
            )
        )
    return chosen


def _keeping(settings: Checkpoint | None, best: Path) -> keras.callbacks.ModelCheckpoint:
    if settings is None:
        return keras.callbacks.ModelCheckpoint(best, save_weights_only=True)  # of each epoch
    return keras.callbacks.ModelCheckpoint(
        best,
        monitor=settings.monitor,
        mode=_mode(settings.monitor),
        save_best_only=True,
        save_weights_only=True,
    )


def _check_tensorboard() -> None:
    """TensorFlow writes the files of TensorBoard with that package."""
    if importlib.util.find_spec("tensorboard") is None:
        raise ReproError(
            f"{paths.PARAMS}: callbacks.tensorboard is on, and the package tensorboard is not "
            "installed; expected it (`pip install keras-repro[tensorboard]`) or null"
        )


def _mode(monitor: str) -> str:
    """Keras' own guess from the name is the same today; it is a guess."""
    return "min" if monitor.endswith("loss") else "max"
