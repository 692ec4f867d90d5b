"""One set of kernels, whatever the processor and the environment say."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT, Project
from tensorflow.python.eager import context

from keras_repro.core import kernels, params
from keras_repro.reproducibility.exact import fingerprint
from keras_repro.training import optimizers
from keras_repro.tutorial.layer_trials import catalogue

CASES = [case for table in catalogue.tables() for case in table.cases]
# What a user may have set for other programs; each of these would change a byte.
HOSTILE = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "ONEDNN_DEFAULT_FPMATH_MODE": "ANY",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3",
    "OPENBLAS_CORETYPE": "Prescott",
    "OPENBLAS_NUM_THREADS": "7",
    "OMP_NUM_THREADS": "7",
    "KERAS_BACKEND": "jax",
}


@pytest.fixture
def _exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """1 / sqrt(x) as stages compute it, for one test."""
    from tensorflow.python.ops import math_ops

    for module in (tf.math, math_ops):
        monkeypatch.setattr(module, "rsqrt", module.rsqrt)  # which puts it back
    kernels.exact_rsqrt()
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    yield
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": True} | before)


def approximations(compute: Callable[..., object], *arguments: object) -> set[str]:
    """Return the operations with results of the processor's own in a graph as it is run.

    TensorFlow rewrites what was traced: it makes a reciprocal of each division of 1, for instance.
    """
    context.context().enable_run_metadata()
    tf.function(compute)(*arguments)
    ran = context.context().export_run_metadata()
    context.context().disable_run_metadata()
    graphs = [graphs.post_optimization_graph for graphs in ran.function_graphs]
    nodes = [node for graph in graphs for node in graph.node]
    nodes += [node for g in graphs for inner in g.library.function for node in inner.node_def]
    assert nodes
    return {"Rsqrt", "RsqrtGrad", "Inv", "Reciprocal"} & {node.op for node in nodes}


@pytest.mark.usefixtures("_exact")
class TestNoApproximation:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_in_no_layer(self, case: catalogue.Case) -> None:
        inputs = keras.Input(case.shape, dtype=case.dtype)
        model = keras.Model(inputs, case.call.make()(inputs))
        variables = [variable.value for variable in model.trainable_variables]

        def learn(batch: tf.Tensor) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                found = tf.nest.flatten(model(batch, training=True))
                loss = tf.add_n([tf.reduce_sum(tf.cast(each, "float32")) for each in found])
            return tape.gradient(loss, variables, unconnected_gradients="zero")

        assert not approximations(learn, tf.ones((2, *case.shape), case.dtype))

    @pytest.mark.parametrize("name", ["sgd", "rmsprop", "adagrad", "adadelta", "adam", "nadam"])
    def test_in_no_optimizer(self, name: str) -> None:
        settings = params.load(ROOT / "params.yaml").model("mnist_functional", params.Mlp)
        settings = type(settings).model_validate(
            settings.model_dump() | {"optimizer": {"name": name, "learning_rate": 0.1}}
        )
        variable = keras.Variable(np.ones(3, np.float32))
        optimizer = optimizers.build(settings, 10)
        optimizer.build([variable])

        def step() -> None:
            optimizer.apply([tf.ones(3)], [variable])

        assert not approximations(step)

    def test_they_would_be_seen(self) -> None:
        assert approximations(lambda x: 1 / x, tf.ones(3)) == {"Reciprocal"}

    def test_it_is_the_root_and_a_division(self) -> None:
        numbers = np.random.default_rng(0).random(1000, np.float32) + np.float32(0.5)
        expected = np.sqrt(numbers) / numbers
        assert np.array_equal(keras.ops.rsqrt(numbers), expected)
        mean, variance = np.zeros(1000, np.float32), numbers
        found = tf.nn.batch_normalization(np.ones(1000, np.float32), mean, variance, None, None, 0)
        assert np.array_equal(found, expected)

    def test_zeros_stay_zeros_in_unit_length(self) -> None:
        """As a text of which no n-gram is known has none of its own."""
        assert keras.ops.rsqrt(np.zeros(1, np.float32)) == np.inf
        rows = np.array([[0, 0], [3, 4]], np.float32)
        found = keras.layers.UnitNormalization()(rows)
        assert np.allclose(found, [[0, 0], [0.6, 0.8]])


class TestEnvironment:
    def test_a_users_variables_are_removed_and_ours_set(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "environ", dict(HOSTILE, TF_CPP_MIN_LOG_LEVEL="2", HOME="/home/a"))
        kernels.pin()
        expected = {"TF_CPP_MIN_LOG_LEVEL": "2", "HOME": "/home/a"}
        pinned = kernels.NUMPY | kernels.ONEDNN if kernels.has_avx2() else {}
        assert os.environ == expected | pinned

    def test_speed_can_be_had_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "environ", dict(HOSTILE))
        kernels.pin(portable=False)
        assert not kernels.ONEDNN.keys() & os.environ.keys()

    @pytest.mark.skipif(not kernels.has_avx2(), reason="this processor has no AVX2")
    def test_no_variable_changes_a_bit(self, head: Path) -> None:
        result = subprocess.run(
            [sys.executable, "-m", "keras_repro", "fingerprint", "--json"],
            cwd=ROOT,
            env=os.environ | HOSTILE,
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(result.stdout)
        committed = json.loads((head / "metrics/fingerprint.json").read_text("utf-8"))
        assert fingerprint.decisive(found) == fingerprint.decisive(committed)
        assert "AVX512_ICL" not in found["simd"]


class TestFingerprint:
    def test_says_in_words_what_differs(self, small_run: Project, tmp_path: Path) -> None:
        project = small_run.clone(tmp_path / "project")
        path = project.root / "metrics/fingerprint.json"
        committed = json.loads(path.read_text("utf-8"))
        told = project.command("fingerprint")
        assert told.returncode == 0
        assert told.stdout.splitlines()[-1] == (
            f"All {len(committed['numerics'])} computations have the same bits: "
            "this machine reproduces the committed bytes."
        )
        committed["numerics"]["lstm"] = "0"
        committed["packages"]["keras"] = "2.2.4"
        path.write_text(json.dumps(committed))
        told = project.command("fingerprint")
        assert told.returncode == 1
        lines = told.stdout.splitlines()
        assert lines[2].startswith("This machine will not reproduce the committed bytes")
        assert lines[3:] == [
            "  lstm: other bits",
            f"  packages.keras: 2.2.4 there, {keras.__version__} here",
        ]


class TestOtherCode:
    """Python without the current directory finds the code where PYTHONPATH says."""

    def test_is_refused(self, project: Project, tmp_path: Path) -> None:
        other = project.copy(tmp_path / "other")
        changed = other.root / "keras_repro/core/params/general.py"
        changed.write_text(changed.read_text("utf-8") + "\n# Changed.\n")
        result = project.run("keras_repro", "gate", PYTHONSAFEPATH="1", PYTHONPATH=str(other.root))
        assert result.returncode == 1
        assert result.stderr == (
            f"error: {changed}: is not the code of keras_repro/core/params/general.py in this "
            "directory; expected that (unset PYTHONPATH and PYTHONSAFEPATH)\n"
        )

    def test_the_same_code_is_not(self, project: Project, tmp_path: Path) -> None:
        other = project.copy(tmp_path / "other")
        result = project.run("keras_repro", "gate", PYTHONSAFEPATH="1", PYTHONPATH=str(other.root))
        assert result.stderr.startswith("error: metrics/mnist_sequential.json: not found")
