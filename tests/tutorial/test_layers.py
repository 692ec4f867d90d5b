"""The layers that Keras 3 dropped, the trial of every layer, and what Keras 3 changed in them."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import FIXTURES, Project

from keras_repro.core import params, paths
from keras_repro.core.errors import ReproError
from keras_repro.inputs import ImageInputs
from keras_repro.models import cifar10_cnn, cifar10_local
from keras_repro.models.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from keras_repro.models.layers.thresholded_relu import ThresholdedReLU
from keras_repro.reproducibility.exact import archive
from keras_repro.tutorial.layer_trials import catalogue, document, trial
from keras_repro.tutorial.layer_trials.catalogue import Call, Case

ROOT = Path(__file__).parents[2]
SETTINGS = params.load(ROOT / "params.yaml").model("cifar10_local", params.Cnn)
CASES = [case for table in catalogue.tables() for case in table.cases]

# Part 2, 5.2 and 6.2, with what a variation of a layer adds in the catalogue cut off.
TUTORIAL = set(
    """
    Dense Activation Dropout Flatten Reshape Permute RepeatVector Lambda Masking
    softmax elu softplus softsign relu tanh sigmoid hard_sigmoid linear
    Zeros Ones Constant RandomNormal RandomUniform TruncatedNormal Orthogonal Identity
    glorot_normal glorot_uniform he_normal he_uniform l1 l2 l1_l2
    Conv1D Conv2D UpSampling1D UpSampling2D ZeroPadding2D
    MaxPooling1D AveragePooling1D MaxPooling2D AveragePooling2D
    GlobalMaxPooling1D GlobalAveragePooling1D GlobalMaxPooling2D GlobalAveragePooling2D
    SimpleRNN GRU LSTM Embedding LocallyConnected1D LocallyConnected2D BatchNormalization
    GaussianNoise GaussianDropout LeakyReLU PReLU ELU ThresholdedReLU TimeDistributed Bidirectional
    """.split()  # noqa: SIM905 - seventy quoted strings are no table
)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def model_of(layer: keras.Layer, shape: tuple[int, ...]) -> keras.Model:
    inputs = keras.Input(shape, name="inputs")
    return keras.Model(inputs, layer(inputs), name="one_layer")


def looped(
    layer: LocallyConnected2D, inputs: np.ndarray, kernel: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    """Compute the layer place by place and filter by filter, with TensorFlow's rule of padding."""
    height, width = layer.kernel_size
    if layer.padding == "same":
        margins = []
        for length, window, stride in zip(
            inputs.shape[1:3], layer.kernel_size, layer.strides, strict=True
        ):
            total = max((-(-length // stride) - 1) * stride + window - length, 0)
            margins.append((total // 2, total - total // 2))
        inputs = np.pad(inputs, [(0, 0), *margins, (0, 0)])
    outputs = np.zeros((len(inputs), *bias.shape))
    for row, column, output in itertools.product(*map(range, bias.shape)):
        top, left = row * layer.strides[0], column * layer.strides[1]
        window = inputs[:, top : top + height, left : left + width].reshape(len(inputs), -1)
        weights = kernel[row, column, :, output]
        outputs[:, row, column, output] = window @ weights + bias[row, column, output]
    return outputs


class TestLocallyConnected:
    @pytest.mark.parametrize("padding", ["valid", "same"])
    @pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
    @pytest.mark.parametrize("strides", [1, 2, (3, 1)])
    @pytest.mark.parametrize("kernel_size", [3, (2, 4)])
    def test_a_plain_loop(self, padding, data_format, strides, kernel_size) -> None:
        inputs = normal(2, 9, 8, 3)
        layer = LocallyConnected2D(
            5, kernel_size, strides=strides, padding=padding, data_format=data_format
        )
        last = data_format == "channels_last"
        given = inputs if last else inputs.transpose(0, 3, 1, 2)
        layer.build(given.shape)
        layer.set_weights([normal(*weight.shape, seed=1) for weight in layer.weights])
        outputs = np.asarray(layer(given))
        assert outputs.shape == layer.compute_output_shape(given.shape)
        expected = looped(layer, inputs, *layer.get_weights())
        outputs = outputs if last else outputs.transpose(0, 2, 3, 1)
        np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize("padding", ["valid", "same"])
    @pytest.mark.parametrize("strides", [1, 2])
    @pytest.mark.parametrize("rank", [1, 2])
    def test_a_convolution_where_all_places_share_their_weights(
        self, padding, strides, rank
    ) -> None:
        local, convolution = (
            (LocallyConnected1D, keras.layers.Conv1D),
            (LocallyConnected2D, keras.layers.Conv2D),
        )[rank - 1]
        inputs = normal(2, *(7, 6)[:rank], 3)
        shared = convolution(4, 3, strides=strides, padding=padding, bias_initializer="ones")
        expected = np.asarray(shared(inputs))
        assert np.abs(expected).max() > 1
        layer = local(4, 3, strides=strides, padding=padding)
        layer.build(inputs.shape)
        kernel, bias = shared.get_weights()
        layer.set_weights(
            [
                np.broadcast_to(kernel.reshape(-1, 4), layer.kernel.shape),
                np.broadcast_to(bias, layer.bias.shape),
            ]
        )
        np.testing.assert_allclose(layer(inputs), expected, rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize(("padding", "strides"), [("valid", 1), ("same", 2)])
    def test_gradient(self, padding, strides) -> None:
        layer = LocallyConnected2D(2, 2, padding=padding, strides=strides, dtype="float64")
        inputs = tf.constant(normal(2, 4, 3, 1), tf.float64)
        layer.build(inputs.shape)

        def outputs(inputs: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
            layer.kernel.assign(kernel)
            layer.bias.assign(bias)
            return layer(inputs)

        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(layer(inputs) ** 2)
        points = [inputs, layer.kernel.value, layer.bias.value]
        analytical = tape.gradient(loss, points)
        values = [point.numpy() for point in points]
        for value, gradient in zip(values, analytical, strict=True):
            numerical = np.zeros_like(value)
            for place in np.ndindex(value.shape):
                centre = value[place]
                sums = []
                for step in (1e-6, -1e-6):
                    value[place] = centre + step
                    sums.append(float(tf.reduce_sum(outputs(*values) ** 2)))
                value[place] = centre
                numerical[place] = (sums[0] - sums[1]) / 2e-6
            np.testing.assert_allclose(gradient, numerical, rtol=1e-5, atol=1e-6)

    def test_each_place_begins_as_a_convolution_does(self) -> None:
        keras.utils.set_random_seed(1)
        layer = LocallyConnected2D(64, 3, padding="same")
        layer.build((None, 8, 8, 32))
        kernels = layer.get_weights()[0].reshape(64, -1)
        limit = np.sqrt(6 / (9 * 32 + 9 * 64))  # Glorot and Bengio 2010, uniform
        assert np.abs(kernels).max() == pytest.approx(limit, rel=0.01)
        np.testing.assert_allclose(kernels.std(axis=1), limit / np.sqrt(3), rtol=0.05)
        assert len(np.unique(kernels[:, 0])) == 64

    def test_same_seed_same_weights_and_another_seed_others(self) -> None:
        def weights(seed: int) -> np.ndarray:
            keras.utils.set_random_seed(seed)
            layer = LocallyConnected1D(2, 3)
            layer.build((None, 5, 1))
            return layer.get_weights()[0]

        np.testing.assert_array_equal(weights(1), weights(1))
        assert not np.array_equal(weights(1), weights(2))

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_types(self, dtype) -> None:
        outputs = LocallyConnected2D(2, 3, dtype=dtype)(normal(1, 4, 4, 1))
        assert outputs.dtype == dtype

    def test_batch_of_unknown_size_and_windows_as_large_as_the_input(self) -> None:
        model = model_of(LocallyConnected2D(2, (4, 5)), (4, 5, 1))
        assert model.output_shape == (None, 1, 1, 2)
        assert model.predict(normal(3, 4, 5, 1), verbose=0).shape == (3, 1, 1, 2)

    def test_arguments_by_name_take_effect_and_survive_saving(self, tmp_path) -> None:
        layer = LocallyConnected2D(
            4,
            (3, 2),
            strides=(2, 1),
            padding="same",
            data_format="channels_first",
            activation="relu",
            kernel_initializer="he_normal",
            bias_initializer="ones",
            kernel_regularizer="l2",
            bias_regularizer="l1",
            activity_regularizer="l2",
            kernel_constraint="non_neg",
            bias_constraint="max_norm",
            name="local",
        )
        model = model_of(layer, (2, 6, 5))
        inputs = normal(3, 2, 6, 5)
        outputs = model(inputs)
        assert float(tf.reduce_min(outputs)) == 0
        assert len(model.losses) == 3
        assert all(float(loss) > 0 for loss in model.losses)
        assert (layer.get_weights()[1] == 1).all()
        model.compile("sgd", "mse")
        model.fit(inputs, np.zeros(outputs.shape), verbose=0)
        assert layer.get_weights()[0].min() == 0
        archive.save(model, tmp_path / "model.keras")
        loaded = archive.load(tmp_path / "model.keras")
        assert loaded.get_layer("local").get_config() == layer.get_config()
        np.testing.assert_array_equal(loaded(inputs), model(inputs))

    def test_no_bias(self) -> None:
        layer = LocallyConnected1D(2, 3, use_bias=False)
        assert not np.asarray(layer(np.zeros((1, 5, 2), np.float32))).any()
        assert [weight.name for weight in layer.weights] == ["kernel"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"filters": 0}, "filters: expected 1 positive whole numbers, found 0"),
            ({"kernel_size": (3, 3, 3)}, r"kernel_size: expected 2 .* found \(3, 3, 3\)"),
            ({"strides": -1}, "strides: expected 2 positive whole numbers, found -1"),
            ({"padding": "causal"}, "padding: expected valid or same, found 'causal'"),
            ({"data_format": "last"}, "data_format: expected channels_last or .* found 'last'"),
            ({"kernel_regularizer": "l3"}, "regularizer"),
        ],
    )
    def test_bad_arguments(self, arguments, message) -> None:
        with pytest.raises(ValueError, match=message):
            LocallyConnected2D(**{"filters": 1, "kernel_size": 3} | arguments)

    @pytest.mark.parametrize(
        ("shape", "message"),
        [
            ((None, 8, 1), "expected an input of known size"),
            ((8, 2, 1), r"expected an input of at least the size \(3, 3\), found \(8, 2\)"),
            ((8, 1), "expected ndim=4, found ndim=3"),
        ],
    )
    def test_bad_inputs(self, shape, message) -> None:
        with pytest.raises(ValueError, match=message):
            LocallyConnected2D(1, 3)(keras.Input(shape))


class TestThresholdedReLU:
    def test_values(self) -> None:
        inputs = np.array([-2.0, 0.5, 1.0, 1.5], np.float32)
        np.testing.assert_array_equal(ThresholdedReLU()(inputs), [0, 0, 0, 1.5])
        np.testing.assert_array_equal(ThresholdedReLU(0.25)(inputs), [0, 0.5, 1, 1.5])
        np.testing.assert_array_equal(
            ThresholdedReLU(0.25)(inputs), keras.activations.threshold(inputs, 0.25, 0.0)
        )

    @pytest.mark.parametrize("theta", [-0.1, None, float("nan"), "1"])
    def test_bad_threshold(self, theta) -> None:
        with pytest.raises(ValueError, match="theta: expected a number of at least 0, found"):
            ThresholdedReLU(theta)


def test_archives_load_where_nobody_has_imported_the_layers(tmp_path) -> None:
    model = model_of(LocallyConnected2D(2, 3, name="local"), (4, 4, 1))
    archive.save(model, tmp_path / "model.keras")
    code = (
        "import sys, pathlib; from keras_repro.reproducibility.exact import archive;"
        "print(archive.load(pathlib.Path(sys.argv[1])).get_layer('local').count_params())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model.keras")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == f"{2 * 2 * (9 * 2 + 2)}\n"


class TestCatalogue:
    def test_nothing_of_the_tutorial_is_missing(self) -> None:
        assert {case.name.partition(",")[0] for case in CASES} >= TUTORIAL
        merged = {case.name for case in CASES if case.name.startswith("Bidirectional")}
        assert merged == {f"Bidirectional, {m}" for m in ("concat", "sum", "mul", "ave", None)}

    def test_names_are_unique(self) -> None:
        assert len({case.name for case in CASES}) == len(CASES)

    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
    def test_the_shown_call_is_the_one_that_is_made(self, case) -> None:
        known = vars(keras.layers) | vars(keras.initializers) | vars(keras.regularizers)
        own = {
            layer.__name__: layer
            for layer in (LocallyConnected1D, LocallyConnected2D, ThresholdedReLU)
        }
        shown = eval(  # noqa: S307 - what stands in our own catalogue
            str(case.call), known | own | {"scaled": catalogue.scaled}
        )
        made = case.call.make().get_config()
        assert without_names(shown.get_config()) == without_names(made)


def without_names(config: object) -> object:
    """Drop the names that count what the process has built, and object ids."""
    if isinstance(config, dict):
        return {
            key: without_names(value)
            for key, value in config.items()
            if key not in ("name", "shared_object_id")
        }
    return config


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[str, trial.Outcome]:
    directory = tmp_path_factory.mktemp("trials")
    return {case.name: trial.run(case, directory) for case in CASES}


class TestTrial:
    def test_committed_metrics_and_page_are_what_a_trial_of_every_layer_gives(
        self, outcomes
    ) -> None:
        tables = catalogue.tables()
        metrics = {
            table.name: {case.name: outcomes[case.name]._asdict() for case in table.cases}
            for table in tables
        }
        committed = json.loads((ROOT / paths.LAYERS).read_text("utf-8"))
        assert json.loads(json.dumps(metrics)) == committed
        rows = [(table, [(case, outcomes[case.name]) for case in table.cases]) for table in tables]
        assert (ROOT / paths.LAYERS_PAGE).read_text("utf-8") == document.page(rows)
        chinese = document.page(rows, document.CHINESE)
        assert (ROOT / paths.CHINESE_LAYERS_PAGE).read_text("utf-8") == chinese

    def test_every_note_is_in_chinese(self) -> None:
        assert {case.note for case in CASES} - {""} == document.CHINESE.notes.keys()

    def test_metrics_that_the_tutorial_s_formulas_give(self, outcomes) -> None:
        assert outcomes["Dense"] == ((None, 6), (None, 4), 6 * 4 + 4)
        assert outcomes["LSTM"] == ((None, 5, 3), (None, 4), 4 * 4 * (3 + 4 + 1))
        assert outcomes["Conv2D"].parameters == 3 * 3 * 3 * 4 + 4
        # Without sharing there are as many kernels and biases as places.
        assert outcomes["LocallyConnected2D"].parameters == 36 * outcomes["Conv2D"].parameters
        assert outcomes["Bidirectional, concat"].output_shape == (None, 8)
        assert outcomes["Bidirectional, None"].output_shape == [(None, 4), (None, 4)]

    @staticmethod
    def run_on(layer: type[keras.Layer], tmp_path: Path) -> None:
        trial.run(Case("Faulty", Call(layer), (4,)), tmp_path)

    def test_wrong_shape(self, tmp_path) -> None:
        class Faulty(keras.Layer):
            def call(self, inputs: tf.Tensor) -> tf.Tensor:
                return inputs

            def compute_output_spec(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
                return keras.KerasTensor((inputs.shape[0], 9))

        with pytest.raises(ReproError, match=r"Faulty: the output has the shape \(4, 4\); exp"):
            self.run_on(Faulty, tmp_path)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda x: x / 0.0, "an output is infinite"),
            (lambda x: keras.ops.sqrt(x - x), "the gradient of the input is infinite"),
            (lambda x: x * 0.0, "the gradient of the input is 0 everywhere"),
            (keras.ops.stop_gradient, "the input has no gradient"),
        ],
    )
    def test_bad_numbers(self, call, message, tmp_path) -> None:
        class Faulty(keras.Layer):
            def call(self, inputs: tf.Tensor) -> tf.Tensor:
                return call(inputs)

        with pytest.raises(ReproError, match=f"Faulty: {message}"):
            self.run_on(Faulty, tmp_path)

    def test_a_weight_that_nothing_learns(self, tmp_path) -> None:
        class Faulty(keras.Layer):
            def build(self, shape: tuple[int, ...]) -> None:
                self.idle = self.add_weight(name="idle", shape=(1,))

            def call(self, inputs: tf.Tensor) -> tf.Tensor:
                return inputs + 0 * self.idle

        with pytest.raises(ReproError, match=r"the gradient of faulty\w*/idle is 0 everywhere"):
            self.run_on(Faulty, tmp_path)

    def test_a_constraint_that_does_not_hold(self, tmp_path) -> None:
        class Shrinks(keras.constraints.Constraint):
            def __call__(self, weights: tf.Tensor) -> tf.Tensor:
                return weights / 2

        case = Case("Dense", Call(keras.layers.Dense, 2, kernel_constraint=Shrinks()), (4,))
        with pytest.raises(ReproError, match=r"Dense: after a step dense.* is off its constraint"):
            trial.run(case, tmp_path)

    def test_a_layer_that_loses_what_it_was_told(self, tmp_path) -> None:
        @keras.saving.register_keras_serializable(package="test")
        class Forgetful(keras.Layer):
            def __init__(self, factor: float = 1.0, **named: object) -> None:
                super().__init__(**named)
                self.factor = factor

            def call(self, inputs: tf.Tensor) -> tf.Tensor:
                return inputs * self.factor

            def get_config(self) -> dict:
                return {"name": self.name}

        case = Case("Forgetful", Call(Forgetful, factor=2.0), (4,))
        with pytest.raises(ReproError, match="Forgetful: loaded, it computes something else"):
            trial.run(case, tmp_path)

    def test_a_python_lambda_is_refused(self, tmp_path) -> None:
        case = Case("Lambda", Call(keras.layers.Lambda, lambda x: x * 2), (4,))
        with pytest.raises(ReproError, match=r"found .* bytes.*Python lambda"):
            trial.run(case, tmp_path)


class TestWhatKeras3Changed:
    """The notes in keras_repro/tutorial/layer_trials/catalogue.py."""

    def test_hard_sigmoid(self) -> None:
        inputs = np.array([-3.0, -2.5, 0.0, 1.5, 3.0], np.float32)
        np.testing.assert_allclose(
            keras.activations.hard_sigmoid(inputs),
            [0, 1 / 12, 0.5, 0.75, 1],  # Keras 2: 0, 0, 0.5, 0.8, 1
            atol=1e-6,
        )

    @pytest.mark.parametrize("layer", [keras.layers.LSTM, keras.layers.GRU])
    def test_recurrent_activation_and_implementation(self, layer) -> None:
        assert layer(2).get_config()["recurrent_activation"] == "sigmoid"
        inputs = normal(2, 5, 3)
        outputs = []
        for implementation in (1, 2):
            keras.utils.set_random_seed(1)
            outputs.append(np.asarray(layer(2, implementation=implementation)(inputs)))
        np.testing.assert_allclose(*outputs, rtol=1e-5)

    def test_old_names(self) -> None:
        with pytest.warns(UserWarning, match="`input_length` is deprecated"):
            keras.layers.Embedding(4, 2, input_length=3)
        with pytest.warns(UserWarning, match="Use `negative_slope`"):
            assert keras.layers.LeakyReLU(alpha=0.2).negative_slope == pytest.approx(0.2)
        with pytest.raises(ValueError, match="l1_l2"):
            keras.regularizers.get("l1_l2")
        assert keras.regularizers.l1_l2 is keras.regularizers.L1L2

    def test_embedding_flatten_dense_needs_no_input_length(self) -> None:
        model = keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.Embedding(4, 2),
                keras.layers.Flatten(),
                keras.layers.Dense(5),
            ]
        )
        assert model.output_shape == (None, 5)

    def test_going_backwards_returns_the_reversed_sequence(self) -> None:
        inputs = normal(2, 5, 3)
        forwards = keras.layers.SimpleRNN(2, return_sequences=True)
        forwards.build(inputs.shape)
        backwards = keras.layers.SimpleRNN(2, return_sequences=True, go_backwards=True)
        backwards.build(inputs.shape)
        backwards.set_weights(forwards.get_weights())
        np.testing.assert_allclose(backwards(inputs), forwards(inputs[:, ::-1]), rtol=1e-5)

    def test_a_stateful_layer_goes_on_where_the_last_batch_ended(self) -> None:
        inputs = normal(2, 6, 3)
        whole = keras.layers.LSTM(2)
        whole.build(inputs.shape)
        stateful = keras.layers.LSTM(2, stateful=True)
        stateful.build((2, 3, 3))
        stateful.set_weights(whole.get_weights())
        stateful(inputs[:, :3])
        np.testing.assert_allclose(stateful(inputs[:, 3:]), whole(inputs), rtol=1e-4, atol=1e-6)
        stateful.reset_state()
        np.testing.assert_allclose(
            stateful(inputs[:, :3]), whole(inputs[:, :3]), rtol=1e-4, atol=1e-6
        )

    def test_masked_steps_do_not_count(self) -> None:
        inputs = normal(2, 5, 3)
        inputs[:, 3:] = 0
        model = keras.Sequential([keras.layers.Masking(0.0), keras.layers.LSTM(2)])
        np.testing.assert_allclose(model(inputs), model(inputs[:, :3]), rtol=1e-5)

    def test_gaussian_dropout_has_the_deviation_of_the_tutorial_s_formula(self) -> None:
        keras.utils.set_random_seed(1)
        rate = 0.2
        outputs = keras.layers.GaussianDropout(rate)(np.ones(100_000, np.float32), training=True)
        assert np.mean(outputs) == pytest.approx(1, abs=0.01)
        assert np.std(outputs) == pytest.approx(np.sqrt(rate / (1 - rate)), rel=0.02)

    def test_the_tutorial_s_stack_of_two_bidirectional_lstms(self) -> None:
        """Part 6.2.2, with an Input in place of `input_shape`."""
        layers = keras.layers
        model = keras.Sequential()
        model.add(keras.Input((5, 10)))
        model.add(layers.Bidirectional(layers.LSTM(10, return_sequences=True)))
        model.add(layers.Bidirectional(layers.LSTM(10)))
        model.add(layers.Dense(5))
        model.add(layers.Activation("softmax"))
        model.compile(loss="categorical_crossentropy", optimizer="rmsprop")
        inputs, labels = normal(64, 5, 10), np.eye(5)[np.arange(64) % 5]
        losses = model.fit(inputs, labels, epochs=5, verbose=0).history["loss"]
        assert losses[-1] < losses[0]
        assert [layer.output.shape for layer in model.layers[:2]] == [(None, 5, 20), (None, 20)]


class TestCifar10Local:
    INPUTS = ImageInputs((32, 32, 3), 10)

    def test_it_is_the_convolutional_network_but_for_the_second_convolution(self) -> None:
        local = cifar10_local.build(SETTINGS, self.INPUTS)
        shared = cifar10_cnn.build(SETTINGS, self.INPUTS)
        counts = [
            [(layer.output.shape, layer.count_params()) for layer in model.layers]
            for model in (local, shared)
        ]
        differing = [pair for pair in zip(*counts, strict=True) if pair[0] != pair[1]]
        ((ours, theirs),) = differing
        assert ours[0] == theirs[0] == (None, 16, 16, 64)
        assert ours[1] == 256 * theirs[1]

    def test_same_seed_same_bytes_and_another_seed_others(self, tmp_path) -> None:
        contents = []
        for seed in (1, 1, 2):
            keras.utils.clear_session()  # as in another process, names are counted from the start
            keras.utils.set_random_seed(seed)
            archive.save(cifar10_local.build(SETTINGS, self.INPUTS), tmp_path / "model.keras")
            contents.append((tmp_path / "model.keras").read_bytes())
        assert contents[0] == contents[1]
        assert contents[2] != contents[0]

    def test_two_trainings_leave_the_same_bytes(self, project: Project) -> None:
        (project.root / "data/raw").mkdir(parents=True)
        data = (FIXTURES / "cifar10.npz").read_bytes()
        (project.root / "data/raw/cifar10.npz").write_bytes(data)
        for key, value in {"filters": [4, 4], "units": 8, "epochs": 1}.items():
            project.set(f"variants.cifar10_local.{key}", value)
        contents = []
        for _ in range(2):
            result = project.stage("train", "cifar10_local")
            assert result.returncode == 0, result.stderr
            contents.append((project.root / paths.model("cifar10_local")).read_bytes())
        assert contents[0] == contents[1]
