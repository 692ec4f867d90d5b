"""Batches, callbacks and the archive; whole trainings are in test_pipeline.py."""

import json
import math
import zipfile
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from stages import ReproError, params
from stages.models import Inputs, module
from stages.params import Callbacks
from stages.reproducibility import archive
from stages.training import batches, callbacks, optimizers, trainer
from stages.training.checkpoint import Checkpoint
from stages.training.data import TrainingData

PARAMS = params.load(Path(__file__).parents[1] / "params.yaml")
SETTINGS = PARAMS.models
LENGTHS = np.random.default_rng(0).integers(1, 100, 2000)
INPUTS = {
    "mnist_sequential": Inputs((28, 28), 10, None),
    "mnist_functional": Inputs((28, 28), 10, None),
    "cifar10_cnn": Inputs((32, 32, 3), 10, None),
    "sentiment_bilstm": Inputs(None, 2, 1000),
}


def dataset(seed: int) -> batches.Batches:
    return batches.Batches(
        lambda rows: (rows, rows), lambda random: batches.by_length(LENGTHS, 32, random), seed
    )


def orders(data: batches.Batches, epochs: int) -> list[list[int]]:
    result = []
    for _ in range(epochs):
        result.append(np.concatenate([data[index][0] for index in range(len(data))]).tolist())
        data.on_epoch_end()
    return result


class TestBatches:
    def test_each_row_once_an_epoch(self) -> None:
        for order in orders(dataset(1), 3):
            assert sorted(order) == list(range(2000))

    def test_same_seed_same_order_and_another_seed_or_epoch_another(self) -> None:
        first = orders(dataset(1), 2)
        assert orders(dataset(1), 2) == first
        assert orders(dataset(2), 2)[0] != first[0]
        assert first[0] != first[1]

    def test_an_epoch_can_be_started_without_those_before(self) -> None:
        data = dataset(1)
        data.start(epoch=2)
        assert orders(data, 1) == orders(dataset(1), 3)[2:]

    def test_similar_lengths_share_a_batch(self) -> None:
        rows = batches.by_length(LENGTHS, 32, np.random.default_rng(0))
        padded = sum(LENGTHS[batch].max() * len(batch) for batch in rows)
        assert padded < 1.1 * LENGTHS.sum()

    @pytest.mark.parametrize("seed", range(20))
    def test_first_two_batches_differ_in_length(self, seed: int) -> None:
        lengths = np.array([100] * 500 + [3] * 20)
        first, second, *_ = batches.by_length(lengths, 8, np.random.default_rng(seed))
        assert lengths[first].max() != lengths[second].max()

    def test_equal_lengths(self) -> None:
        rows = batches.by_length(np.full(100, 7), 8, np.random.default_rng(0))
        assert sorted(np.concatenate(rows)) == list(range(100))


@pytest.mark.parametrize("name", INPUTS)
class TestModels:
    @staticmethod
    def batch(name: str) -> np.ndarray:
        if name == "sentiment_bilstm":
            return np.array([[5, 9, 3, 0], [7, 0, 0, 0]], np.int32)
        return np.random.default_rng(0).integers(0, 255, (2, *INPUTS[name].shape), np.uint8)

    def test_probabilities(self, name: str) -> None:
        model = module(name).build(PARAMS.model(name), INPUTS[name])
        output = model.predict(self.batch(name), verbose=0)
        assert output.shape == (2, INPUTS[name].classes)
        np.testing.assert_allclose(output.sum(axis=1), 1, rtol=1e-5)

    def test_archive_is_canonical_and_loads(self, name: str, tmp_path: Path) -> None:
        paths = [tmp_path / "a/model.keras", tmp_path / "b/model.keras"]
        for path in paths:
            keras.utils.clear_session()  # as in another process, names are counted from the start
            keras.utils.set_random_seed(1)
            archive.save(module(name).build(PARAMS.model(name), INPUTS[name]), path)
        assert paths[0].read_bytes() == paths[1].read_bytes()
        keras.utils.set_random_seed(2)
        other = module(name).build(PARAMS.model(name), INPUTS[name])
        archive.save(other, tmp_path / "c.keras")
        assert (tmp_path / "c.keras").read_bytes() != paths[0].read_bytes()
        np.testing.assert_array_equal(
            archive.load(tmp_path / "c.keras").predict(self.batch(name), verbose=0),
            other.predict(self.batch(name), verbose=0),
        )


def test_padding_does_not_change_a_prediction() -> None:
    model = module("sentiment_bilstm").build(SETTINGS.sentiment_bilstm, INPUTS["sentiment_bilstm"])
    short, padded = np.array([[5, 9, 3]]), np.array([[5, 9, 3, 0, 0, 0]])
    np.testing.assert_allclose(
        model.predict(short, verbose=0), model.predict(padded, verbose=0), rtol=1e-5
    )


def test_archive_holds_no_time(tmp_path: Path) -> None:
    model = module("mnist_sequential").build(SETTINGS.mnist_sequential, INPUTS["mnist_sequential"])
    archive.save(model, tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        assert {member.date_time for member in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert list(json.loads(file.read("metadata.json"))) == ["keras_version"]


def test_damaged_archive(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with pytest.raises(ReproError, match=r"model\.keras: found nothing, expected a whole"):
        archive.load(path)
    model = module("mnist_sequential").build(SETTINGS.mnist_sequential, INPUTS["mnist_sequential"])
    archive.save(model, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ReproError, match=r"model\.keras: found 5,000 bytes, expected a whole"):
        archive.load(path)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"name": "sgd", "learning_rate": 0.1, "momentum": 0.9}, keras.optimizers.SGD),
        ({"name": "rmsprop", "learning_rate": 0.1, "rho": 0.8}, keras.optimizers.RMSprop),
        ({"name": "adagrad", "learning_rate": 0.1}, keras.optimizers.Adagrad),
        ({"name": "adadelta", "learning_rate": 0.1}, keras.optimizers.Adadelta),
        ({"name": "adam", "learning_rate": 0.1, "beta_1": 0.8}, keras.optimizers.Adam),
        ({"name": "nadam", "learning_rate": 0.1}, keras.optimizers.Nadam),
    ],
)
def test_optimizer_gets_its_numbers(settings: dict, expected: type) -> None:
    content = SETTINGS.mnist_sequential.model_dump() | {"optimizer": settings}
    model = params.Mlp.model_validate(content, strict=False)
    optimizer = optimizers.build(model.optimizer)
    assert type(optimizer) is expected
    config = optimizer.get_config()
    for key, value in model.optimizer.model_dump(exclude={"name"}).items():
        assert config[key] == pytest.approx(value)


class TestTraining:
    """On random labels a network learns the training split by heart and the other not at all."""

    @staticmethod
    def fit(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int = 6, **watching: object
    ) -> tuple:
        monkeypatch.chdir(tmp_path)
        keras.utils.set_random_seed(1)
        random = np.random.default_rng(1)
        x = random.integers(0, 255, (200, 4, 4), np.uint8)
        y = random.integers(0, 2, 200).astype(np.uint8)
        content = SETTINGS.mnist_sequential.model_dump() | {
            "units": [32],
            "epochs": epochs,
            "batch_size": 10,
            "optimizer": {"name": "adam", "learning_rate": watching.pop("learning_rate", 0.01)},
            "callbacks": {
                "checkpoint": {"monitor": "val_loss"},
                "early_stopping": None,
                "reduce_learning_rate": None,
            }
            | watching,
        }
        settings = params.Mlp.model_validate(content, strict=False)

        def part(start: int, stop: int) -> batches.Batches:
            rows = np.arange(start, stop)
            return batches.Batches(
                lambda chosen: (x[rows[chosen]], y[rows[chosen]]),
                lambda random: batches.shuffled(len(rows), 10, random),
                seed=1,
            )

        inputs = Inputs((4, 4), 2, None)
        data = TrainingData(part(0, 150), part(150, 200), inputs, "images")
        model = module("mnist_sequential").build(settings, inputs)
        kept = Checkpoint(tmp_path / "checkpoint", {})
        trained, rows = trainer.fit(model, settings, data, kept)
        return trained, rows, (x[150:], y[150:])

    def test_best_epoch_is_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        trained, rows, (x, y) = self.fit(tmp_path, monkeypatch)
        assert [row[0] for row in rows] == [1, 2, 3, 4, 5, 6]
        column = callbacks.HISTORY_COLUMNS.index("val_loss")
        losses = [row[column] for row in rows]
        assert min(losses) < losses[-1], "the data must make training overfit"
        probabilities = trained.predict(x, verbose=0)
        loss = -np.log(probabilities[np.arange(len(y)), y]).mean()
        assert loss == pytest.approx(min(losses), rel=1e-4)

    def test_early_stopping(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        stopping = {"monitor": "val_loss", "patience": 2}
        _, rows, _ = self.fit(tmp_path, monkeypatch, epochs=50, early_stopping=stopping)
        assert len(rows) < 50

    def test_learning_rate_is_reduced_and_recorded(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reducing = {"monitor": "val_loss", "factor": 0.1, "patience": 1}
        _, rows, _ = self.fit(tmp_path, monkeypatch, epochs=30, reduce_learning_rate=reducing)
        rates = [row[-1] for row in rows]
        assert rates[0] == pytest.approx(0.01)
        assert rates[-1] < 0.0011

    def test_loss_that_is_no_number_ends_the_training(self) -> None:
        recorder = callbacks.Recorder()
        recorder.set_model(SimpleNamespace(name="m", optimizer=SimpleNamespace(learning_rate=10.0)))
        recorder.on_epoch_begin(0)
        with pytest.raises(ReproError, match=r"m: the loss is nan after epoch 1; .* below 10"):
            recorder.on_epoch_end(0, {"loss": math.nan, "val_loss": 1.0})


def test_callbacks_that_are_off_are_absent(tmp_path: Path) -> None:
    settings = Callbacks.model_validate(
        {
            "checkpoint": {"monitor": "val_accuracy"},
            "early_stopping": None,
            "reduce_learning_rate": None,
        }
    )
    (checkpoint,) = callbacks.build(settings, tmp_path / "best.weights.h5")
    assert checkpoint.mode == "max"
