"""A trial of a layer: forward, backward, one step of learning, saved, loaded."""

from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_repro.core.errors import ReproError
from keras_repro.reproducibility.exact import archive
from keras_repro.tutorial.layer_trials.catalogue import VOCABULARY, Case

BATCH = 4
# Single precision leaves about this much where a norm is scaled to 1.
TOLERANCE = 1e-6


class Outcome(NamedTuple):
    """What a trial found; None in a shape is the number of inputs in a batch.

    Attributes:
        input_shape: with the batch.
        output_shape: with the batch; a list of shapes where the layer has several outputs.
        parameters: the number of weights, those that no gradient changes included.

    """

    input_shape: tuple[int | None, ...]
    output_shape: Any
    parameters: int


def run(case: Case, directory: Path) -> Outcome:
    """Try a layer.

    Args:
        case: says which, and on what shape.
        directory: an empty one for the archive.

    Raises:
        ReproError: an output is not of the shape that was announced, a gradient is infinite or all
            zeros, a weight violates its constraint, or the loaded layer computes something else.

    """
    model = _model(case)
    inputs = _inputs(case)
    _check_outputs(case, model, inputs)
    _check_learning(case, model, inputs)
    _check_archive(case, model, inputs, directory / "model.keras")
    return Outcome(model.input_shape, model.output_shape, model.count_params())


def _model(case: Case) -> keras.Model:
    inputs = keras.Input(case.shape, dtype=case.dtype, name="inputs")
    return keras.Model(inputs, case.call.make()(inputs), name="trial")


def _inputs(case: Case) -> Any:
    """Return a batch of normally distributed numbers, or of token ids."""
    random = np.random.default_rng(0)
    shape = (BATCH, *case.shape)
    if case.dtype == "float32":
        return tf.constant(random.normal(size=shape).astype(np.float32))
    return tf.constant(random.integers(0, VOCABULARY, shape), case.dtype)


def _check_outputs(case: Case, model: keras.Model, inputs: Any) -> None:
    for output, announced in zip(
        _listed(model(inputs, training=True)), _listed(model.outputs), strict=True
    ):
        if output.shape != (BATCH, *announced.shape[1:]):
            raise ReproError(
                f"{case.name}: the output has the shape {tuple(output.shape)}; "
                f"expected {announced.shape} as announced"
            )
        if not np.isfinite(output).all():
            raise ReproError(f"{case.name}: an output is infinite; expected numbers")


def _check_learning(case: Case, model: keras.Model, inputs: Any) -> None:
    """Take one step down the gradient of a sum that weighs the outputs at random.

    Without the weights the gradient would be 0 where outputs sum to 1, as softmax's do.
    """
    optimizer = keras.optimizers.SGD(0.1)
    with tf.GradientTape(persistent=True) as tape:
        if inputs.dtype.is_floating:
            tape.watch(inputs)
        loss = tf.add_n(model.losses) if model.losses else 0.0
        for output in _listed(model(inputs, training=True)):
            weights = np.random.default_rng(1).normal(size=output.shape).astype(np.float32)
            loss += tf.reduce_sum(output * weights)
    variables = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(loss, variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        _check_gradient(case, variable.path, gradient)
    if inputs.dtype.is_floating and not variables:
        _check_gradient(case, "the input", tape.gradient(loss, inputs))
    if variables:
        optimizer.apply(gradients, model.trainable_variables)
    for variable in model.trainable_variables:
        _check_constraint(case, variable)


def _check_gradient(case: Case, name: str, gradient: Any) -> None:
    if gradient is None:
        raise ReproError(f"{case.name}: {name} has no gradient; expected one")
    values = tf.convert_to_tensor(gradient).numpy()  # an embedding's is sparse
    if not np.isfinite(values).all() or not values.any():
        found = "infinite" if not np.isfinite(values).all() else "0 everywhere"
        raise ReproError(f"{case.name}: the gradient of {name} is {found}; expected numbers")


def _check_constraint(case: Case, variable: keras.Variable) -> None:
    if variable.constraint is None:
        return
    excess = float(np.abs(variable.constraint(variable.value) - variable.value).max())
    if not excess <= TOLERANCE:
        raise ReproError(
            f"{case.name}: after a step {variable.path} is off its constraint by {excess:g}; "
            f"expected at most {TOLERANCE:g}"
        )


def _check_archive(case: Case, model: keras.Model, inputs: Any, path: Path) -> None:
    archive.save(model, path)
    loaded = archive.load(path)
    for before, after in zip(
        _listed(model(inputs, training=False)), _listed(loaded(inputs, training=False)), strict=True
    ):
        if not np.array_equal(before, after):
            raise ReproError(f"{case.name}: loaded, it computes something else; expected the same")


def _listed(outputs: Any) -> list[Any]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]
