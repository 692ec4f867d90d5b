"""A training that was interrupted ends in the same bytes; real kills are in test_crashes.py."""

import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from keras_repro.core import params, paths
from keras_repro.inputs import ImageInputs, TrainingData, batches
from keras_repro.models.cifar10_cnn import build
from keras_repro.reproducibility.exact import archive
from keras_repro.training import callbacks, checkpoint, trainer
from keras_repro.training.checkpoint import Checkpoint

ROOT = Path(__file__).parents[2]
EPOCHS = 8
STEPS = 10
INPUTS = ImageInputs((8, 8, 3), 2)
ORIGIN = {
    "parameters": {"batch_size": 10, "dropout": 0.5},
    "data": {"data/raw/cifar10.npz": "aa"},
    "code": {"keras_repro/training/trainer.py": "bb"},
    "packages or hardware": {"cpu": "A", "keras": "3.15.1"},
}
# On random labels the validation loss rises early: the learning rate falls and training stops.
SETTINGS = params.Cnn.model_validate(
    {
        "filters": [4],
        "kernel_size": 3,
        "pool_size": 2,
        "block_dropout": 0.2,
        "units": 32,
        "dropout": 0.5,
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "validation_fraction": 0.1,
        "batch_size": 10,
        "epochs": EPOCHS,
        "callbacks": {
            "checkpoint": {"monitor": "val_loss"},
            "early_stopping": {"monitor": "val_loss", "patience": 3},
            "reduce_learning_rate": {"monitor": "val_loss", "factor": 0.5, "patience": 1},
        },
    },
    strict=False,
)
COOLING = {"monitor": "val_loss", "factor": 0.5, "patience": 1, "cooldown": 1}


def logged(settings: params.Cnn) -> params.Cnn:
    """Return the same settings with logs for TensorBoard."""
    board = params.TensorBoard(histogram_freq=1)
    watching = settings.callbacks.model_copy(update={"tensorboard": board})
    return settings.model_copy(update={"callbacks": watching})


class InterruptionError(Exception):
    """Stands for a kill."""


def interruption() -> pytest.RaisesExc[Exception]:
    """Expect a training to be interrupted; TensorFlow wraps what its data raise, or does not."""
    return pytest.raises(Exception, match="interrupted here")


def fit(
    directory: Path,
    origin: dict = ORIGIN,
    interrupted_at: int | None = None,
    settings: params.Cnn = SETTINGS,
    states: Path | None = None,
) -> tuple[bytes, list[tuple[float, ...]], Checkpoint]:
    """Train, up to a batch counted from the first epoch's start if one is given.

    `states` gets a directory for each epoch done, with what lay in `directory` in the middle of the
    next one: an interruption would have left that.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(1)
    x = random.integers(0, 255, (150, 8, 8, 3), np.uint8)
    y = random.integers(0, 2, 150).astype(np.uint8)
    count = 0

    def gather(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        nonlocal count
        count += 1
        if count == interrupted_at:
            raise InterruptionError("interrupted here")
        if states and count > STEPS and count % STEPS == STEPS // 2:
            shutil.copytree(directory, states / str(count // STEPS))
        return x[rows], y[rows]

    data = TrainingData(
        batches.Batches(gather, lambda random: batches.shuffled(100, 10, random), seed=1),
        batches.Batches(
            lambda rows: (x[100 + rows], y[100 + rows]), lambda _: batches.in_order(50, 10), seed=0
        ),
        INPUTS,
        "images",
    )
    kept = Checkpoint(directory / "checkpoint", origin)
    model, rows = trainer.fit(build(settings, data.inputs), settings, data, kept)
    archive.save(model, directory / "model.keras")
    return (directory / "model.keras").read_bytes(), rows, kept


def begun(directory: Path, origin: dict = ORIGIN) -> dict[str, Any]:
    """Return all that a training begins with that finds what lies in a directory."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    model = build(SETTINGS, INPUTS)
    trainer.prepare(model, SETTINGS, STEPS)
    recorder = callbacks.Recorder()
    kept = Checkpoint(directory / "checkpoint", origin)
    watching = callbacks.build(SETTINGS.callbacks, kept.best, directory / "logs")
    kept.resume(model, recorder, watching)
    kept.on_train_begin()
    variables = (*model.variables, *model.optimizer.variables)
    return {
        "variables": [variable.numpy().tobytes() for variable in variables],
        "remembered": [
            getattr(callback, key, None)
            for callback in watching
            for keys in checkpoint.REMEMBERED.values()
            for key in keys
        ],
        "rows": recorder.rows,
        "epochs": kept.epochs,
        "stopped": kept.stopped,
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, list]:
    """A directory with the states of a training that ran to its end, and what that gave."""
    root = tmp_path_factory.mktemp("trained")
    model, rows, kept = fit(root / "end", states=root)
    rates = [row[-1] for row in rows]
    assert kept.stopped, "early stopping must be at work"
    assert len(rows) < EPOCHS
    assert rates[-1] < rates[0], "the learning rate must fall"
    return root, model, rows


@pytest.fixture
def uninterrupted(trained: tuple) -> tuple[bytes, list]:
    return trained[1:]


@pytest.fixture
def place(trained: tuple, tmp_path: Path) -> Path:
    """What a training leaves that is interrupted in its third epoch."""
    return Path(shutil.copytree(trained[0] / "2", tmp_path / "place"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a training begins with where nothing lies."""
    return begun(tmp_path_factory.mktemp("fresh"))


@pytest.mark.parametrize("epochs", range(1, 5))
def test_interrupted_training_ends_in_the_same_bytes(
    trained: tuple, tmp_path: Path, epochs: int, caplog: pytest.LogCaptureFixture
) -> None:
    root, *expected = trained
    left = Path(shutil.copytree(root / str(epochs), tmp_path / "left"))
    assert fit(left)[:2] == tuple(expected)
    assert f"checkpoint.npz: going on after epoch {epochs}\n" in caplog.text


def test_an_interruption_leaves_the_state_in_the_middle_of_its_epoch(
    trained: tuple, tmp_path: Path
) -> None:
    with interruption():
        fit(tmp_path / "left", interrupted_at=2 * STEPS + STEPS // 2)
    found, expected = (begun(path) for path in (tmp_path / "left", trained[0] / "2"))
    assert found == expected
    assert found["epochs"] == 2


def test_cooldown_goes_on_where_it_was(tmp_path: Path) -> None:
    watching = SETTINGS.callbacks.model_copy(
        update={"reduce_learning_rate": params.ReduceLearningRate(**COOLING)}
    )
    cooling = SETTINGS.model_copy(update={"callbacks": watching})
    expected = fit(tmp_path / "end", settings=cooling, states=tmp_path)[:2]
    for epochs in (2, 3):  # the learning rate falls after one of them
        assert fit(tmp_path / str(epochs), settings=cooling)[:2] == expected


def test_logs_change_no_byte_and_go_on_as_well(
    tmp_path: Path, uninterrupted: tuple, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    train = paths.tensorboard("cifar10_cnn") / "train"
    with interruption():
        fit(tmp_path, interrupted_at=3 * STEPS + STEPS // 2, settings=logged(SETTINGS))
    assert [step for step, _ in losses(train)] == [0, 1, 2], "no epoch may be lost"
    model, rows, _ = fit(tmp_path, settings=logged(SETTINGS))
    assert (model, rows) == uninterrupted
    expected = [(epoch, pytest.approx(row[1])) for epoch, row in enumerate(rows)]
    assert losses(train) == expected


def losses(directory: Path) -> list[tuple[int, float]]:
    """Return each epoch and its loss as TensorBoard reads them."""
    events = EventAccumulator(str(directory))
    events.Reload()
    return [
        (event.step, float(tensor_util.make_ndarray(event.tensor_proto)))
        for event in events.Tensors("epoch_loss")
    ]


def test_finished_training_is_not_trained_further(trained: tuple, tmp_path: Path) -> None:
    end = Path(shutil.copytree(trained[0] / "end", tmp_path / "end"))
    assert fit(end, interrupted_at=1)[:2] == trained[1:]


@pytest.mark.parametrize(
    ("kind", "key", "told"),
    [
        ("parameters", "batch_size", "batch_size was 10, is None"),
        ("data", "data/raw/cifar10.npz", "data/raw/cifar10.npz was 'aa', is None"),
        (
            "code",
            "keras_repro/training/trainer.py",
            "keras_repro/training/trainer.py was 'bb', is None",
        ),
        ("packages or hardware", "cpu", "cpu was 'A', is None"),
    ],
)
def test_checkpoint_of_another_training_is_not_used(
    place: Path,
    fresh: dict,
    caplog: pytest.LogCaptureFixture,
    kind: str,
    key: str,
    told: str,
) -> None:
    without = {name: value for name, value in ORIGIN[kind].items() if name != key}
    assert begun(place, ORIGIN | {kind: without}) == fresh
    expected = f"checkpoint.npz: not used, training starts anew: it is from other {kind}: {told}\n"
    assert expected in caplog.text


def test_parameters_are_named_before_the_hardware_that_follows_from_them(
    place: Path, uninterrupted: tuple, caplog: pytest.LogCaptureFixture
) -> None:
    # What the others begin with, so that they end as this one does.
    assert fit(place, {kind: {} for kind in ORIGIN})[:2] == uninterrupted
    assert "it is from other parameters: batch_size was 10, is None" in caplog.text


@pytest.mark.parametrize("seed", range(6))
def test_damaged_checkpoint_is_not_used(
    place: Path, fresh: dict, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = place / "checkpoint/checkpoint.npz"
    content = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    if seed % 2:
        content = content[: random.integers(len(content))]
    else:
        # One bit of the weights of the hidden layer, which are most of the file.
        with np.load(path) as archive:
            weights = max((archive[name] for name in archive.files), key=lambda array: array.size)
        start = bytes(content).index(weights.tobytes())
        content[start + random.integers(weights.nbytes)] ^= 1 << random.integers(8)
    path.write_bytes(content)
    assert begun(place) == fresh
    assert "not used, training starts anew: it is damaged: " in caplog.text


def test_origin_names_the_code_that_is_loaded() -> None:
    found = checkpoint.origin({}, ROOT / "params.yaml", {})
    assert len(found["data"][str(ROOT / "params.yaml")]) == 64
    assert {"keras_repro/core/files.py", "keras_repro/training/trainer.py"} <= set(found["code"])
