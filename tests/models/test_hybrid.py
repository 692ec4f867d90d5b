"""The parts of sentiment_hybrid, their sum, and training on perturbed embeddings."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

from keras_repro.bundles import onnx_graph, onnx_hybrid
from keras_repro.bundles.network import Network
from keras_repro.core import params
from keras_repro.inputs import NgramInputs, TrainingData, WordInputs, batches
from keras_repro.models import module, sentiment_hybrid, settings
from keras_repro.reproducibility.exact import archive
from keras_repro.training import callbacks, trainer
from keras_repro.training.adversarial import Adversarial
from keras_repro.training.checkpoint import Checkpoint

PARAMS = params.load(ROOT / "params.yaml")
SETTINGS = settings("sentiment_hybrid", PARAMS)
SMALL = SETTINGS.model_copy(
    update={
        "reader": SETTINGS.reader.model_copy(update={"embedding": 8, "units": 4}),
        "readers": 2,
    }
)
RARITY = np.concatenate([[0], np.linspace(1, 3, 50)]).astype(np.float32)
INPUTS = NgramInputs(RARITY, 4, 2)
NAMES = ("wide", "gate", "reader_1", "reader_2")
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _same_numbers_in_each_test() -> None:
    global RANDOM  # noqa: PLW0603 - what a test draws must not depend on those before it
    RANDOM = np.random.default_rng(0)


def reviews(count: int, length: int) -> np.ndarray:
    return RANDOM.integers(1, len(RARITY), (count, length, 4)).astype(np.int32)


def built(name: str) -> keras.Model:
    """Return a part with weights that are not those of the beginning."""
    keras.utils.set_random_seed(1)
    _, build = sentiment_hybrid.parts(SMALL)[NAMES.index(name)]
    model = build(INPUTS)
    assert model.name == name
    scale = 0.3 if name.startswith("reader") else 1.0  # or its softmax would be sure of anything
    for variable in model.trainable_variables:
        variable.assign(RANDOM.normal(scale=scale, size=variable.shape))
    return model


def without_dropout() -> params.Reader:
    dropouts = ("dropout", "ngram_dropout", "embedding_dropout")
    return SMALL.reader.model_copy(update=dict.fromkeys(dropouts, 0.0))


@pytest.mark.parametrize("name", NAMES[:3])
class TestParts:
    def test_padding_changes_nothing(self, name: str) -> None:
        model, x = built(name), reviews(3, 7)
        x[1, 4:] = 0
        padded = np.pad(x, [(0, 0), (0, 9), (0, 0)])
        alone = model.predict_on_batch(x[1:2, :4])
        np.testing.assert_allclose(model.predict_on_batch(padded), model.predict_on_batch(x), 1e-5)
        np.testing.assert_allclose(model.predict_on_batch(x)[1:2], alone, 1e-5)

    def test_nothing_known_is_no_fault(self, name: str) -> None:
        found = built(name).predict_on_batch(np.zeros((1, 3, 4), np.int32))
        assert np.isfinite(found).all()
        assert found.sum() == pytest.approx(1, abs=1e-6)

    def test_archive_round_trip(self, name: str, tmp_path: Path) -> None:
        model, x = built(name), reviews(2, 5)
        archive.save(model, tmp_path / "model.keras")
        loaded = archive.load(tmp_path / "model.keras")
        np.testing.assert_array_equal(loaded.predict_on_batch(x), model.predict_on_batch(x))


def test_wide_is_a_linear_classifier_over_distinct_ngrams() -> None:
    model, x = built("wide"), reviews(3, 6)
    x[0, 3:] = x[0, :3]  # each n-gram twice
    weight = model.get_layer("weight").get_weights()[0]
    logits = keras.Model(model.inputs, model.get_layer("logits").output).predict_on_batch(x)
    for review, found in zip(x, logits, strict=True):
        ids = np.concatenate([np.unique(column) for column in review.T])
        norm = np.sqrt((RARITY[ids] ** 2).sum())
        np.testing.assert_allclose(found, (RARITY[ids, None] * weight[ids]).sum(0) / norm, 1e-5)


def convolved(states: np.ndarray, layer: keras.layers.Conv1D, dilation: int) -> np.ndarray:
    kernel, bias = layer.get_weights()
    padded = np.pad(states, [(0, 0), (dilation, dilation), (0, 0)])
    places = [padded[:, dilation * n : dilation * n + states.shape[1]] for n in range(len(kernel))]
    return sum(one @ weights for one, weights in zip(places, kernel, strict=True)) + bias


def test_reader_is_gated_convolutions() -> None:
    model, x = built("reader_1"), reviews(3, 20)
    x[0, 5] = x[1, 12:] = 0  # an unknown character, and padding
    known = (x > 0).any(axis=2, keepdims=True)
    states = model.get_layer("embedding").get_weights()[0][x].sum(axis=2) * known
    for number, dilation in enumerate(SMALL.reader.dilations, start=1):
        value, gating = (
            convolved(states, model.get_layer(f"{name}_{number}"), dilation)
            for name in ("value", "gating")
        )
        gated = value / (1 + np.exp(-gating))
        states = (gated if number == 1 else states + gated) * known
    greatest = np.where(known, states, -np.inf).max(axis=1)
    review = np.concatenate([greatest, states.sum(axis=1) / known.sum(axis=1)], axis=1)
    found = keras.Model(model.inputs, model.get_layer("review").output).predict_on_batch(x)
    np.testing.assert_allclose(found, review, rtol=1e-4, atol=1e-4)


def test_reader_minds_the_order() -> None:
    model, x = built("reader_1"), reviews(1, 6)
    turned = x[:, ::-1]
    assert not np.allclose(model.predict_on_batch(x), model.predict_on_batch(turned), atol=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_stack_is_the_mean_of_the_logits_times_a_factor(share: float, tmp_path: Path) -> None:
    wide, gate, *readers = (built(name) for name in NAMES)
    (weight,) = gate.get_layer("weight").get_weights()
    gate.get_layer("weight").set_weights([3 * weight])  # sure of some
    model, x = sentiment_hybrid.stack(wide, gate, readers, share, scale=0.7), reviews(9, 20)
    archive.save(model, tmp_path / "model.keras")
    logits = [
        keras.Model(one.inputs, one.get_layer("logits").output).predict_on_batch(x)
        for one in (wide, *readers, archive.load(tmp_path / "model.keras"))
    ]
    assert not np.allclose(logits[1], logits[2])
    _, review, neutral = np.split(gate.predict_on_batch(x), 3, axis=1)
    assert np.ptp(review) > 0.05
    assert neutral.min() < sentiment_hybrid.NEUTRAL < neutral.max()
    weight = (1 - share) * review
    expected = 0.7 * (weight * logits[0] + (1 - weight) * (logits[1] + logits[2]) / 2)
    expected *= np.maximum(1 - neutral / sentiment_hybrid.NEUTRAL, 0)
    np.testing.assert_allclose(logits[3], expected, rtol=1e-4, atol=1e-5)
    (tmp_path / "model.onnx").write_bytes(onnx_graph.convert(model, onnx_hybrid.PARTS))
    found = Network(tmp_path / "model.onnx").logits(x)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert (found[neutral[:, 0] > sentiment_hybrid.NEUTRAL] == 0).all()


def test_without_a_gate_the_shares_are_constant(tmp_path: Path) -> None:
    wide, _, *readers = (built(name) for name in NAMES)
    model, x = sentiment_hybrid.stack(wide, None, readers, 0.3, scale=0.7), reviews(4, 20)
    x[0, 5] = x[1, 12:] = x[2] = 0  # an unknown character, padding, nothing
    archive.save(model, tmp_path / "model.keras")
    logits = [
        keras.Model(one.inputs, one.get_layer("logits").output).predict_on_batch(x)
        for one in (wide, *readers, archive.load(tmp_path / "model.keras"))
    ]
    expected = 0.7 * (0.7 * logits[0] + 0.3 * (logits[1] + logits[2]) / 2)
    np.testing.assert_allclose(logits[3], expected, rtol=1e-4, atol=1e-5)
    (tmp_path / "model.onnx").write_bytes(onnx_graph.convert(model, onnx_hybrid.PARTS))
    np.testing.assert_allclose(
        Network(tmp_path / "model.onnx").logits(x), expected, rtol=1e-4, atol=1e-5
    )


class TestAdversarial:
    @staticmethod
    def step(size: float) -> list[np.ndarray]:
        """Return the weights after one step of plain gradient descent."""
        keras.utils.set_random_seed(1)
        model = sentiment_hybrid.build_reader(without_dropout(), INPUTS, "reader")
        learner = Adversarial.of(model, size) if size else model
        learner.compile("sgd", "sparse_categorical_crossentropy")
        random = np.random.default_rng(0)
        x = random.integers(1, len(RARITY), (8, 5, 4)).astype(np.int32)
        learner.train_on_batch(x, np.array([0, 1] * 4))
        return model.get_weights()

    def test_a_perturbation_of_nothing_is_plain_training(self) -> None:
        for plain, perturbed in zip(self.step(0), self.step(1e-9), strict=True):
            np.testing.assert_allclose(perturbed, plain, rtol=1e-4, atol=1e-6)

    def test_what_is_learned_is_the_mean_of_both_looks(self) -> None:
        """One step of gradient descent, against the loss of both at once."""
        keras.utils.set_random_seed(1)
        model = sentiment_hybrid.build_reader(without_dropout(), INPUTS, "reader")
        learner = Adversarial.of(model, 2.0)
        learner.compile("sgd", "sparse_categorical_crossentropy")
        x, y = keras.ops.convert_to_tensor(reviews(8, 5)), np.array([0, 1] * 4)
        embedded = learner.embed(x)
        slope = learner._look(x, y, embedded)[2]  # noqa: SLF001 - the step itself
        change = learner._worst(embedded, slope) - embedded  # noqa: SLF001
        weights = model.trainable_variables
        with tf.GradientTape() as tape:
            looks = [learner.read([x, learner.embed(x) + moved]) for moved in (0.0, change)]
            losses = [learner.compute_loss(y=y, y_pred=predicted) for predicted in looks]
            loss = (losses[0] + losses[1]) / 2
        slopes = [tf.convert_to_tensor(one) for one in tape.gradient(loss, weights)]
        expected = [w.numpy() - 0.01 * s for w, s in zip(weights, slopes, strict=True)]
        learner.train_on_batch(x, y)
        for found, wanted in zip(weights, expected, strict=True):
            np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-6)

    def test_what_is_perturbed_has_a_greater_loss(self) -> None:
        keras.utils.set_random_seed(1)
        learner = Adversarial.of(
            sentiment_hybrid.build_reader(without_dropout(), INPUTS, "reader"), 0.01
        )
        learner.compile("sgd", "sparse_categorical_crossentropy")
        x, y = keras.ops.convert_to_tensor(reviews(16, 6)), np.array([0, 1] * 8)
        embedded = learner.embed(x)
        _, predicted, slope, _ = learner._look(x, y, embedded)  # noqa: SLF001 - the step itself
        moved = learner.read([x, learner._worst(embedded, slope)])  # noqa: SLF001
        change = learner._worst(embedded, slope).numpy() - embedded.numpy()  # noqa: SLF001
        np.testing.assert_allclose(np.sqrt((change**2).sum(axis=(1, 2))), 0.01, 1e-3)
        rows = np.arange(16)
        assert (moved.numpy()[rows, y] < predicted.numpy()[rows, y]).all()

    def test_bilstm_can_be_trained_so_and_needs_no_class_of_ours_to_load(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        bilstm = settings("sentiment_bilstm", PARAMS)
        section = bilstm.model_copy(
            update={"perturbation": 0.1, "embedding": 4, "units": 2, "epochs": 1}
        )
        x, y = RANDOM.integers(1, 20, (40, 5)).astype(np.int32), np.array([0, 1] * 20)
        part = batches.Batches(
            lambda rows: (x[rows], y[rows]), lambda _: batches.in_order(40, 10), seed=1
        )
        inputs = WordInputs(20, 2)
        model = module("sentiment_bilstm").build(section, inputs)
        data = TrainingData(part, part, inputs, "reviews")
        trained, rows = trainer.fit(model, section, data, Checkpoint(tmp_path / "kept", {}))
        assert len(rows) == 1
        assert len(rows[0]) == len(callbacks.HISTORY_COLUMNS)
        trained.save(tmp_path / "model.keras")
        assert type(keras.models.load_model(tmp_path / "model.keras")) is type(trained)
        assert not isinstance(trained, Adversarial)
