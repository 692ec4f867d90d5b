"""The model methods that the tutorial lists, in Keras 3, or what took their place."""

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

FIXTURE = Path(__file__).parents[1] / "fixtures/mnist.npz"


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """300 digits as rows of 784 numbers from 0 to 1, and their one-hot labels."""
    with np.load(FIXTURE) as data:
        x = data["x_train"].reshape(-1, 784).astype("float32") / 255
        return x, keras.utils.to_categorical(data["y_train"], 10)


def sequential() -> keras.Sequential:
    """Return the tutorial's perceptron, smaller, always the same at first."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential()
    model.add(keras.Input((784,)))
    model.add(layers.Dense(32, activation="relu"))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(optimizer="sgd", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def batches(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches for ever, as fit_generator wanted them."""
    while True:
        for start in range(0, len(x), 100):
            yield x[start : start + 100], y[start : start + 100]


def same(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_add_and_pop() -> None:
    model = sequential()
    assert [layer.units for layer in model.layers] == [32, 10]
    model.pop()
    assert model.output_shape == (None, 32)
    model.add(layers.Dense(3))
    assert model.output_shape == (None, 3)


@pytest.mark.parametrize("functional", [False, True])
def test_compile_fit_and_evaluate(digits: tuple, functional: bool) -> None:  # noqa: FBT001
    model = sequential()
    if functional:
        image = keras.Input((784,))
        hidden = layers.Dense(32, activation="relu")(image)
        model = keras.Model(image, layers.Dense(10, activation="softmax")(hidden))
    x, y = digits
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=32, epochs=8, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] / 2
    loss, accuracy = model.evaluate(x, y, batch_size=100, verbose=0)
    probabilities = model.predict(x, batch_size=100, verbose=0)
    assert accuracy == pytest.approx((probabilities.argmax(1) == y.argmax(1)).mean())
    assert accuracy > 0.8
    assert loss == pytest.approx(-np.log((probabilities * y).sum(1)).mean(), rel=1e-4)


def test_predict_takes_the_place_of_predict_classes_and_predict_proba(digits: tuple) -> None:
    model = sequential()
    assert not hasattr(model, "predict_classes")
    assert not hasattr(model, "predict_proba")
    probabilities = model.predict(digits[0], batch_size=100, verbose=0)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    classes = probabilities.argmax(axis=-1)
    assert classes.shape == (300,)
    assert set(classes) <= set(range(10))


def test_one_batch_is_trained_tested_and_predicted(digits: tuple) -> None:
    x, y = digits[0][:100], digits[1][:100]
    model, fitted = sequential(), sequential()
    before = model.test_on_batch(x, y, return_dict=True)
    loss = model.train_on_batch(x, y, return_dict=True)["loss"]
    assert loss == pytest.approx(before["loss"], rel=1e-5)
    fitted.fit(x, y, batch_size=100, epochs=1, verbose=0)
    for one, other in zip(model.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    expected = model.predict(x, batch_size=100, verbose=0)
    np.testing.assert_allclose(model.predict_on_batch(x), expected, rtol=1e-5)


def test_fit_evaluate_and_predict_take_generators(digits: tuple) -> None:
    x, y = digits
    model, fitted = sequential(), sequential()
    for name in ("fit_generator", "evaluate_generator", "predict_generator"):
        assert not hasattr(model, name)
    model.fit(batches(x, y), steps_per_epoch=3, epochs=2, verbose=0)
    fitted.fit(x, y, batch_size=100, epochs=2, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        model.evaluate(batches(x, y), steps=3, verbose=0),
        model.evaluate(x, y, batch_size=100, verbose=0),
        rtol=1e-5,
    )
    inputs = ((batch,) for batch, _ in batches(x, y))
    predicted = model.predict(inputs, steps=3, verbose=0)
    np.testing.assert_allclose(predicted, model.predict(x, batch_size=100, verbose=0), rtol=1e-5)


def test_weights_are_got_set_saved_and_loaded(tmp_path: Path) -> None:
    model, other = sequential(), sequential()
    changed = [weights + 1 for weights in model.get_weights()]
    model.set_weights(changed)
    assert same(model.get_weights(), changed)
    with pytest.raises(ValueError, match=r"must end in `\.weights\.h5`"):
        model.save_weights(tmp_path / "weights.h5")
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert same(other.get_weights(), changed)


def test_save_model_and_load_model_so_that_training_goes_on(digits: tuple, tmp_path: Path) -> None:
    x, y = digits
    model = sequential()
    model.fit(x, y, epochs=1, shuffle=False, verbose=0)
    keras.models.save_model(model, tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert same(loaded.get_weights(), model.get_weights())
    for each in (model, loaded):
        each.fit(x, y, epochs=1, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_tfoptimizer_is_gone_and_a_gradient_tape_takes_any_optimizer(digits: tuple) -> None:
    assert not hasattr(keras.optimizers, "TFOptimizer")
    old = tf.compat.v1.train.GradientDescentOptimizer(0.01)
    x, y = digits[0][:100], digits[1][:100]
    model, expected = sequential(), sequential()
    with pytest.raises(ValueError, match="optimizer"):
        model.compile(optimizer=old, loss="categorical_crossentropy")
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(keras.losses.categorical_crossentropy(y, model(x)))
    variables = [weight.value for weight in model.trainable_weights]
    old.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
    expected.train_on_batch(x, y)  # Keras' own stochastic gradient descent, at 0.01 as well
    for one, other in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_to_categorical() -> None:
    expected = [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert keras.utils.to_categorical([0, 2, 1], num_classes=3).tolist() == expected
    assert keras.utils.to_categorical([0, 2, 1]).tolist() == expected


def test_cosine_proximity_is_cosine_similarity() -> None:
    with pytest.raises(ValueError, match="cosine_proximity"):
        keras.losses.get("cosine_proximity")
    loss = keras.losses.get("cosine_similarity")
    assert float(loss([[3.0, 4.0]], [[4.0, 3.0]])[0]) == pytest.approx(-24 / 25)
