"""Batches, models, what `compile` is given, and the archive.

Trainings are in test_callbacks.py and test_checkpoint.py, the whole graph is in test_pipeline.py.
"""

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_repro.core import params
from keras_repro.core.errors import ReproError
from keras_repro.inputs import ImageInputs, TrainingData, WordInputs, batches
from keras_repro.models import module, settings
from keras_repro.reproducibility.exact import archive
from keras_repro.training import callbacks, optimizers, trainer
from keras_repro.training.checkpoint import Checkpoint

PARAMS = params.load(Path(__file__).parents[2] / "params.yaml")
LENGTHS = np.random.default_rng(0).integers(1, 100, 2000)
INPUTS = {
    "mnist_sequential": ImageInputs((28, 28), 10),
    "mnist_functional": ImageInputs((28, 28), 10),
    "cifar10_cnn": ImageInputs((32, 32, 3), 10),
    "sentiment_bilstm": WordInputs(1000, 2),
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

    def test_long_rows_come_in_smaller_batches(self) -> None:
        lengths = np.append(LENGTHS, 5000)
        first, second = (
            batches.by_size(lengths, 32, 400, np.random.default_rng(seed)) for seed in (0, 1)
        )
        assert len(first) == len(second)
        assert [list(rows) for rows in first] != [list(rows) for rows in second]
        assert sorted(np.concatenate(first)) == list(range(len(lengths)))
        assert max(map(len, first)) == 32
        padded = [lengths[rows].max() * len(rows) for rows in first]
        assert max(padded) == 5000  # too long for any, and so alone
        assert sorted(padded)[-2] <= 400

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
        model = module(name).build(settings(name, PARAMS), INPUTS[name])
        output = model.predict(self.batch(name), verbose=0)
        assert model.name == name  # names its logs as well
        assert output.shape == (2, INPUTS[name].classes)
        np.testing.assert_allclose(output.sum(axis=1), 1, rtol=1e-5)

    def test_archive_is_canonical_and_loads(self, name: str, tmp_path: Path) -> None:
        paths = [tmp_path / "a/model.keras", tmp_path / "b/model.keras"]
        for path in paths:
            keras.utils.clear_session()  # as in another process, names are counted from the start
            keras.utils.set_random_seed(1)
            archive.save(module(name).build(settings(name, PARAMS), INPUTS[name]), path)
        assert paths[0].read_bytes() == paths[1].read_bytes()
        keras.utils.set_random_seed(2)
        other = module(name).build(settings(name, PARAMS), INPUTS[name])
        archive.save(other, tmp_path / "c.keras")
        assert (tmp_path / "c.keras").read_bytes() != paths[0].read_bytes()
        np.testing.assert_array_equal(
            archive.load(tmp_path / "c.keras").predict(self.batch(name), verbose=0),
            other.predict(self.batch(name), verbose=0),
        )


def test_padding_does_not_change_a_prediction() -> None:
    model = module("sentiment_bilstm").build(
        settings("sentiment_bilstm", PARAMS), INPUTS["sentiment_bilstm"]
    )
    short, padded = np.array([[5, 9, 3]]), np.array([[5, 9, 3, 0, 0, 0]])
    np.testing.assert_allclose(
        model.predict(short, verbose=0), model.predict(padded, verbose=0), rtol=1e-5
    )


def test_archive_holds_no_time(tmp_path: Path) -> None:
    model = module("mnist_sequential").build(
        settings("mnist_sequential", PARAMS), INPUTS["mnist_sequential"]
    )
    archive.save(model, tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        assert {member.date_time for member in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert list(json.loads(file.read("metadata.json"))) == ["keras_version"]


def test_archive_loads_without_this_project(tmp_path: Path) -> None:
    name = "sentiment_bilstm"
    own = settings(name, PARAMS)
    model = module(name).build(own, INPUTS[name])
    trainer.prepare(model, own, batches=10)
    assert isinstance(model.optimizer, optimizers.FusedAdam)
    archive.save(model, tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        assert b"keras_repro" not in file.read("config.json")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    assert type(loaded.optimizer) is keras.optimizers.Adam
    assert loaded.optimizer.get_config() == model.optimizer.get_config()


def test_damaged_archive(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with pytest.raises(ReproError, match=r"model\.keras: found nothing, expected a whole"):
        archive.load(path)
    model = module("mnist_sequential").build(
        settings("mnist_sequential", PARAMS), INPUTS["mnist_sequential"]
    )
    archive.save(model, path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ReproError, match=r"model\.keras: found 5,000 bytes, expected a whole"):
        archive.load(path)


OPTIMIZERS = {
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "adadelta": keras.optimizers.Adadelta,
    "adam": keras.optimizers.Adam,
    "nadam": keras.optimizers.Nadam,
}


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """300 digits and their labels."""
    with np.load(Path(__file__).parents[1] / "fixtures/mnist.npz") as data:
        return data["x_train"], data["y_train"]


def perceptron(**changes: object) -> params.Mlp:
    """Return the settings of a small perceptron."""
    content = settings("mnist_sequential", PARAMS).model_dump() | {
        "units": [64],
        "optimizer": {"name": "adam", "learning_rate": 0.003},
    }
    return params.Mlp.model_validate(content | changes, strict=False)


def compiled(settings: params.Mlp, classes: int = 10) -> keras.Model:
    """Return a model that is always the same at first."""
    keras.utils.set_random_seed(1)
    model = module("mnist_sequential").build(settings, ImageInputs((28, 28), classes))
    trainer.prepare(model, settings, batches=1)
    return model


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"name": "sgd", "learning_rate": 0.1, "momentum": 0.9}, keras.optimizers.SGD),
        ({"name": "rmsprop", "learning_rate": 0.1, "rho": 0.8}, keras.optimizers.RMSprop),
        ({"name": "adagrad", "learning_rate": 0.1}, keras.optimizers.Adagrad),
        ({"name": "adadelta", "learning_rate": 0.1}, keras.optimizers.Adadelta),
        ({"name": "adam", "learning_rate": 0.1, "beta_1": 0.8}, optimizers.FusedAdam),
        ({"name": "nadam", "learning_rate": 0.1}, keras.optimizers.Nadam),
    ],
)
def test_optimizer_gets_its_numbers(settings: dict, expected: type) -> None:
    model = perceptron(optimizer=settings)
    optimizer = optimizers.build(model, steps=1)
    assert type(optimizer) is expected
    config = optimizer.get_config()
    for key, value in model.optimizer.model_dump(exclude={"name"}).items():
        assert config[key] == pytest.approx(value)


def changed_by(
    optimizer: keras.optimizers.Optimizer, slopes: Sequence[tf.Tensor | tf.IndexedSlices]
) -> np.ndarray:
    """Return what a step along each slope leaves of two variables, of shape (2, 5, 3)."""
    drawn = np.random.default_rng(1).normal(size=(2, 5, 3))
    variables = [keras.Variable(each, dtype="float32") for each in drawn]
    for slope in slopes:
        optimizer.apply([slope, slope], variables)
    return np.stack([variable.numpy() for variable in variables])


def adam() -> keras.optimizers.Optimizer:
    settings = perceptron(decay="cosine", optimizer={"name": "adam", "learning_rate": 0.1})
    return optimizers.build(settings, steps=6)


def keras_adam() -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 6))


def test_fused_adam_computes_what_keras_does() -> None:
    slopes = [
        tf.constant(each, "float32") for each in np.random.default_rng(2).normal(size=(5, 5, 3))
    ]
    np.testing.assert_allclose(
        changed_by(adam(), slopes), changed_by(keras_adam(), slopes), rtol=1e-4
    )


def test_fused_adam_adds_the_slopes_of_a_repeated_token() -> None:
    drawn = np.random.default_rng(2).normal(size=(5, 3, 3))
    slopes = [
        # As reading rows 1, 4 and 1 again leaves it.
        tf.IndexedSlices(tf.constant(rows, "float32"), tf.constant([1, 4, 1]), tf.constant([5, 3]))
        for rows in drawn
    ]
    sums = [tf.convert_to_tensor(slope) for slope in slopes]
    added = changed_by(adam(), sums)
    assert np.array_equal(changed_by(adam(), slopes), added)
    # Keras' own squares the two slopes of row 1 before it adds them.
    assert np.abs(changed_by(keras_adam(), slopes) - added)[:, 1].max() > 0.01


def test_branches_share_the_threads() -> None:
    program = """
from keras_repro.core import params, runtime
settings = params.load().runtime.model_copy(update={"threads": 4})
runtime.configure(settings)
from tensorflow.config import threading as of
for branches in (1, 2, 8):  # until the first operation it can be changed
    runtime.share_threads(settings, branches)
    print(of.get_intra_op_parallelism_threads(), of.get_inter_op_parallelism_threads())
"""
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True)
    assert done.stdout.splitlines() == [b"4 4", b"2 4", b"1 4"]


def test_rate_falls_along_a_cosine_to_zero() -> None:
    optimizer = optimizers.build(perceptron(decay="cosine"), steps=8)
    rates = []
    for step in (0, 2, 4, 8):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    half = np.cos(np.pi / 4)
    np.testing.assert_allclose(rates, np.array([2, 1 + half, 1, 0]) / 2 * 0.003, atol=1e-9)


@pytest.mark.parametrize("name", OPTIMIZERS)
class TestOptimizer:
    def test_its_defaults_are_those_of_keras(self, name: str) -> None:
        settings = perceptron(optimizer={"name": name, "learning_rate": 0.125})
        keras.utils.clear_session()  # Keras counts the names of optimizers
        expected = OPTIMIZERS[name](learning_rate=0.125).get_config()
        keras.utils.clear_session()
        assert optimizers.build(settings, steps=1).get_config() == expected

    def test_it_learns_digits(self, name: str, digits: tuple) -> None:
        # Ten times what Keras 2 had for those that 300 images give too few steps.
        rate = {"sgd": 0.1, "adagrad": 0.1, "adadelta": 10.0}.get(name, 0.001)
        settings = perceptron(optimizer={"name": name, "learning_rate": rate})
        model = compiled(settings)
        x, y = digits
        before = model.evaluate(x, y, verbose=0, return_dict=True)
        model.fit(x, y, epochs=5, batch_size=32, verbose=0)
        after = model.evaluate(x, y, verbose=0, return_dict=True)
        assert after["loss"] < before["loss"] / 2
        assert after["accuracy"] > 0.8


# For one-hot targets, probabilities and logits, each of shape (items, classes); a loss is the mean.
LOSSES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "sparse_categorical_crossentropy": lambda y, p, z: -np.log((y * p).sum(1)),
    "categorical_crossentropy": lambda y, p, z: -np.log((y * p).sum(1)),
    # Keras takes the sigmoid of the logits, which it finds before the softmax.
    "binary_crossentropy": lambda y, p, z: np.log1p(np.exp(np.where(y, -z, z))),
    "mean_squared_error": lambda y, p, z: (y - p) ** 2,
    "mean_absolute_error": lambda y, p, z: abs(y - p),
    "cosine_similarity": lambda y, p, z: -(y * p).sum(1) / np.linalg.norm(p, axis=1),
    "poisson": lambda y, p, z: p - y * np.log(p),
}
METRICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "accuracy": lambda y, p: y.argmax(1) == p.argmax(1),
    "binary_accuracy": lambda y, p: y == (p > 0.5),
    "categorical_accuracy": lambda y, p: y.argmax(1) == p.argmax(1),
    "top_k_categorical_accuracy": lambda y, p: (p > (y * p).sum(1, keepdims=True)).sum(1) < 5,
}


@pytest.mark.parametrize("name", LOSSES)
def test_loss_is_the_formula_and_teaches_digits(name: str, digits: tuple, tmp_path: Path) -> None:
    x, y = digits
    settings = perceptron(loss=name, epochs=8)

    def part(arrange: Callable[[np.random.Generator], batches.Rows]) -> batches.Batches:
        return batches.Batches(lambda rows: (x[rows], y[rows]), arrange, seed=1)

    data = TrainingData(
        part(lambda random: batches.shuffled(200, 32, random)),
        part(lambda _: [np.arange(200, 300)]),
        ImageInputs((28, 28), 10),
        "images",
    )
    keras.utils.set_random_seed(1)
    model = module("mnist_sequential").build(settings, data.inputs)
    trained, rows = trainer.fit(model, settings, data, Checkpoint(tmp_path / "kept", {}))
    best = max(rows, key=lambda row: row[callbacks.HISTORY_COLUMNS.index("val_accuracy")])
    metrics = dict(zip(callbacks.HISTORY_COLUMNS, best, strict=True))
    assert metrics["val_accuracy"] > 0.7
    # As a reader of the archive gets it, who has no more than Keras.
    archive.save(trained, tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.loss == name
    probabilities = loaded.predict(x[200:], verbose=0)
    assert metrics["val_accuracy"] == pytest.approx((probabilities.argmax(1) == y[200:]).mean())
    logits = keras.Model(loaded.inputs, loaded.get_layer("logits").output)
    losses = LOSSES[name](np.eye(10)[y[200:]], probabilities, logits.predict(x[200:], verbose=0))
    assert metrics["val_loss"] == pytest.approx(losses.mean(), rel=1e-3)


@pytest.mark.parametrize("loss", ["sparse_categorical_crossentropy", "poisson"])
@pytest.mark.parametrize("classes", [2, 10])
def test_metrics_are_the_formulas(loss: str, classes: int) -> None:
    chosen = [name for name in METRICS if name != "binary_accuracy" or loss == "poisson"]
    settings = perceptron(metrics=chosen, loss=loss)
    model = compiled(settings, classes)
    random = np.random.default_rng(1)
    x = random.integers(0, 255, (100, 28, 28), np.uint8)
    y = random.integers(0, classes, 100).astype(np.uint8)
    labels = np.eye(classes)[y] if settings.one_hot else y
    metrics = model.evaluate(x, labels, verbose=0, return_dict=True)
    probabilities = model.predict(x, verbose=0)
    assert set(metrics) == {"loss", *chosen}
    for name in chosen:
        expected = METRICS[name](np.eye(classes)[y], probabilities).mean()
        assert metrics[name] == pytest.approx(expected), name


def test_every_loss_and_metric_of_params_is_tested() -> None:
    assert set(LOSSES) == set(get_args(params.Loss))
    assert set(METRICS) == set(get_args(params.Metric))


@pytest.mark.parametrize("name", INPUTS)
def test_models_compile_as_they_did_before_there_was_a_choice(name: str) -> None:
    own = settings(name, PARAMS)
    assert own.loss == "sparse_categorical_crossentropy"
    assert trainer.metrics(own) == ["accuracy"]
