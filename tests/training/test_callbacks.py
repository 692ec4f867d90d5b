"""What each callback of params.yaml does to a training, and what TensorBoard shows of it."""

import json
import math
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import keras
import numpy as np
import pytest
from conftest import FIXTURES, ROOT, Project
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from keras_repro.core import params, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Callbacks
from keras_repro.inputs import ImageInputs, TrainingData, batches
from keras_repro.models import module, settings
from keras_repro.reproducibility.exact import archive
from keras_repro.training import callbacks, trainer
from keras_repro.training.checkpoint import Checkpoint

SETTINGS = settings("mnist_sequential", params.load(ROOT / "params.yaml"))
OFF = {"early_stopping": None, "reduce_learning_rate": None}


class Trained(NamedTuple):
    """A model, the columns of its history, and the validation split."""

    model: keras.Model
    history: dict[str, list[float]]
    x: np.ndarray
    y: np.ndarray


def fit(epochs: int = 6, learning_rate: float = 0.01, **watching: object) -> Trained:
    """Train on random labels: a network learns those of one split by heart, the others' not."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    x = random.integers(0, 255, (200, 4, 4), np.uint8)
    y = random.integers(0, 2, 200).astype(np.uint8)
    content = SETTINGS.model_dump() | {
        "units": [32],
        "epochs": epochs,
        "batch_size": 10,
        "optimizer": {"name": "adam", "learning_rate": learning_rate},
        "loss": "categorical_crossentropy",
        "metrics": watching.pop("metrics", ["accuracy"]),
        "callbacks": {"checkpoint": {"monitor": "val_loss"}} | OFF | watching,
    }
    settings = params.Mlp.model_validate(content, strict=False)

    def part(start: int, stop: int) -> batches.Batches:
        rows = np.arange(start, stop)
        return batches.Batches(
            lambda chosen: (x[rows[chosen]], y[rows[chosen]]),
            lambda random: batches.shuffled(len(rows), 10, random),
            seed=1,
        )

    inputs = ImageInputs((4, 4), 2)
    data = TrainingData(part(0, 150), part(150, 200), inputs, "images")
    model = module("mnist_sequential").build(settings, inputs)
    kept = Checkpoint(paths.checkpoint(model.name), {})
    trained, rows = trainer.fit(model, settings, data, kept)
    kept.discard()
    columns = callbacks.history_columns(settings.metrics)
    history = {column: [row[place] for row in rows] for place, column in enumerate(columns)}
    return Trained(trained, history, x[150:], y[150:])


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train where no file lies."""
    monkeypatch.chdir(tmp_path)


def progress(losses: list[float], min_delta: float = 0.0) -> Iterator[bool]:
    """Say for each epoch whether its loss is the least so far by more than `min_delta`."""
    best = math.inf
    for loss in losses:
        yield loss < best - min_delta
        if loss < best - min_delta:
            best = loss


class TestCheckpoint:
    @pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
    def test_best_epoch_is_the_model(self, monitor: str) -> None:
        model, history, x, y = fit(checkpoint={"monitor": monitor})
        assert history["epoch"] == [1, 2, 3, 4, 5, 6]
        best = (np.argmin if monitor == "val_loss" else np.argmax)(history[monitor])
        assert best < 5, "the data must make training overfit"
        probabilities = model.predict(x, verbose=0)
        loss = -np.log(probabilities[np.arange(len(y)), y]).mean()
        assert loss == pytest.approx(history["val_loss"][best], rel=1e-4)
        accuracy = (probabilities.argmax(axis=1) == y).mean()
        assert accuracy == pytest.approx(history["val_accuracy"][best])

    def test_without_it_the_last_epoch_is_the_model(self) -> None:
        model, history, x, y = fit(checkpoint=None)
        loss = -np.log(model.predict(x, verbose=0)[np.arange(len(y)), y]).mean()
        assert loss == pytest.approx(history["val_loss"][-1], rel=1e-4)
        assert loss > min(history["val_loss"])


class TestEarlyStopping:
    @pytest.mark.parametrize(("patience", "min_delta"), [(1, 0.0), (3, 0.05)])
    def test_it_stops_after_its_patience_and_not_before(
        self, patience: int, min_delta: float
    ) -> None:
        stopping = {"monitor": "val_loss", "patience": patience, "min_delta": min_delta}
        history = fit(epochs=30, early_stopping=stopping).history
        got_better = list(progress(history["val_loss"], min_delta))
        assert patience < len(got_better) < 30
        assert not any(got_better[-patience:])
        # It would have stopped earlier had as many epochs in a row been without progress before.
        earlier = [got_better[end - patience : end] for end in range(patience, len(got_better))]
        assert all(any(window) for window in earlier)


class TestReduceLearningRate:
    @pytest.mark.parametrize(
        ("patience", "cooldown", "least"), [(2, 0, 0.0), (1, 3, 0.0), (1, 0, 0.002)]
    )
    def test_it_falls_when_progress_ends(self, patience: int, cooldown: int, least: float) -> None:
        reducing = {
            "monitor": "val_loss",
            "factor": 0.5,
            "patience": patience,
            "min_delta": 0.0,
            "cooldown": cooldown,
            "min_learning_rate": least,
        }
        history = fit(epochs=12, reduce_learning_rate=reducing).history
        expected, rate, waited, cooling = [], 0.01, 0, 0
        for better in progress(history["val_loss"]):
            expected.append(rate)
            cooling = max(cooling - 1, 0)
            waited = 0 if better or cooling else waited + 1
            if waited == patience:
                rate, waited, cooling = max(rate / 2, least), 0, cooldown
        assert expected[-1] < 0.01, "the data must make progress end"
        assert history["learning_rate"] == pytest.approx(expected, rel=1e-6)


class TestRecorder:
    def test_further_metrics_are_further_columns(self) -> None:
        plain = fit(epochs=2)
        assert tuple(plain.history) == callbacks.HISTORY_COLUMNS
        more = fit(epochs=2, metrics=["binary_accuracy", "accuracy"])
        assert list(more.history) == [
            *callbacks.HISTORY_COLUMNS,
            "binary_accuracy",
            "val_binary_accuracy",
        ]
        # Of two classes, one is beyond one half where the other is below.
        assert more.history["binary_accuracy"] == pytest.approx(more.history["accuracy"])
        assert {column: more.history[column] for column in plain.history} == plain.history

    def test_loss_that_is_no_number_ends_the_training(self) -> None:
        recorder = callbacks.Recorder()
        recorder.set_model(SimpleNamespace(name="m", optimizer=SimpleNamespace(learning_rate=10.0)))
        recorder.on_epoch_begin(0)
        with pytest.raises(ReproError, match=r"m: the loss is nan after epoch 1; .* below 10"):
            recorder.on_epoch_end(0, {"loss": math.nan, "val_loss": 1.0})


class Logs:
    """What TensorBoard reads for one split of a run."""

    def __init__(self, split: str, root: Path = Path()) -> None:
        run = root / paths.tensorboard("mnist_sequential")
        self._events = EventAccumulator(str(run / split), {"tensors": 0})
        self._events.Reload()
        self.tags = self._events.Tags()["tensors"]

    def values(self, tag: str) -> dict[int, np.ndarray]:
        """Return the values of a tag by their steps."""
        return {
            event.step: tensor_util.make_ndarray(event.tensor_proto)
            for event in self._events.Tensors(tag)
        }

    def scalars(self, tag: str) -> list[float]:
        """Return the metrics of the epochs, which must all be there."""
        values = self.values(tag)
        assert list(values) == list(range(len(values)))
        return [float(value) for value in values.values()]


class TestTensorBoard:
    def test_scalars_are_those_of_the_history(self) -> None:
        history = fit(
            tensorboard={},
            metrics=["accuracy", "binary_accuracy"],
            reduce_learning_rate={"monitor": "val_loss", "factor": 0.5, "patience": 1},
        ).history
        assert history["learning_rate"][-1] < 0.01
        train, validation = Logs("train"), Logs("validation")
        for name in ("loss", "accuracy", "binary_accuracy"):
            assert train.scalars(f"epoch_{name}") == pytest.approx(history[name])
            assert validation.scalars(f"epoch_{name}") == pytest.approx(history[f"val_{name}"])
        assert train.scalars("epoch_learning_rate") == pytest.approx(history["learning_rate"])
        assert not [name for name in train.tags if "kernel" in name], "of these only when asked"

    def test_histograms_and_images_at_their_frequency(self) -> None:
        fit(epochs=5, tensorboard={"histogram_freq": 2, "write_images": True})
        train = Logs("train")
        for tag in ("histogram", "image"):
            drawn = [name for name in train.tags if name.endswith(f"hidden_1/kernel/{tag}")]
            assert [list(train.values(name)) for name in drawn] == [[0, 2, 4]]

    @pytest.mark.parametrize("drawn", [True, False])
    def test_graph(self, drawn: bool) -> None:  # noqa: FBT001 - a parameter of the test
        fit(epochs=1, tensorboard={"write_graph": drawn})
        train = Logs("train")
        assert ("keras" in train.tags) == drawn
        if drawn:
            config = json.loads(train.values("keras")[0].item())
            names = [layer["config"]["name"] for layer in config["config"]["layers"]]
            assert names[-2:] == ["logits", "probabilities"]

    def test_it_changes_no_byte_and_is_off_by_default(self) -> None:
        plain = fit()
        assert not paths.tensorboard("mnist_sequential").exists()
        logged = fit(tensorboard={"histogram_freq": 1, "write_images": True})
        assert logged.history == plain.history
        for name, trained in (("plain", plain), ("logged", logged)):
            archive.save(trained.model, Path(f"{name}.keras"))
        assert Path("plain.keras").read_bytes() == Path("logged.keras").read_bytes()

    def test_a_new_training_replaces_the_logs_of_the_one_before(self) -> None:
        fit(epochs=4, tensorboard={})
        history = fit(epochs=2, learning_rate=0.02, tensorboard={}).history
        assert Logs("train").scalars("epoch_loss") == pytest.approx(history["loss"])

    def test_absent_package_is_told_in_one_message(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "tensorboard", None)
        with pytest.raises(ReproError, match=r"tensorboard is on, .* expected it \(`pip install"):
            fit(tensorboard={})


def test_callbacks_that_are_off_are_absent(tmp_path: Path) -> None:
    settings = Callbacks.model_validate({"checkpoint": {"monitor": "val_accuracy"}} | OFF)
    (checkpoint,) = callbacks.build(settings, tmp_path / "best.weights.h5", tmp_path / "logs")
    assert checkpoint.mode == "max"


def test_stage_takes_loss_metrics_and_tensorboard_from_params_yaml(project: Project) -> None:
    data = project.root / paths.raw_images("mnist")
    data.parent.mkdir(parents=True)
    data.symlink_to(FIXTURES / "mnist.npz")
    name = "mnist_sequential"
    for key, value in {
        "units": [16],
        "epochs": 2,
        "loss": "categorical_crossentropy",
        "metrics": ["accuracy", "top_k_categorical_accuracy"],
        "callbacks.tensorboard": {"histogram_freq": 1},
    }.items():
        project.set(f"models.{name}.{key}", value)
    result = project.stage("train", name)
    assert result.returncode == 0, result.stderr
    header, *rows = (project.root / paths.history(name)).read_text().splitlines()
    assert header.endswith(
        ",learning_rate,top_k_categorical_accuracy,val_top_k_categorical_accuracy"
    )
    logged = Logs("train", project.root)
    column = header.split(",").index("top_k_categorical_accuracy")
    measured = [float(row.split(",")[column]) for row in rows]
    assert logged.scalars("epoch_top_k_categorical_accuracy") == pytest.approx(measured, abs=1e-6)


@pytest.mark.slow
def test_tensorboard_serves_the_runs() -> None:
    history = fit(tensorboard={"histogram_freq": 1}).history
    root = str(paths.tensorboard("mnist_sequential").parent)
    command = ["--logdir", root, "--host", "127.0.0.1", "--port", "0", "--load_fast", "false"]
    with subprocess.Popen(
        [sys.executable, "-m", "tensorboard.main", *command],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as server:
        try:
            told = next(line for line in server.stderr if "127.0.0.1" in line)
            address = re.search(r"http://127\.0\.0\.1:\d+/", told)[0]

            def get(path: str) -> bytes:
                with urllib.request.urlopen(address + path) as answer:  # noqa: S310 - loopback
                    return answer.read()

            assert b"<title>TensorBoard</title>" in get("")
            run = "mnist_sequential/train"
            tags = json.loads(get("data/plugin/scalars/tags"))
            assert "epoch_loss" in tags[run]
            query = f"run={run}&tag=epoch_loss"
            scalars = json.loads(get(f"data/plugin/scalars/scalars?{query}"))
            assert [step for _, step, _ in scalars] == list(range(6))
            assert [value for *_, value in scalars] == pytest.approx(history["loss"])
            assert run in json.loads(get("data/plugin/histograms/tags"))
            assert run in json.loads(get("data/plugin/graphs/info"))
        finally:
            server.terminate()
