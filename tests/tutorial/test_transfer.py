"""Backbones, their weights, frozen and fine-tuned layers, and the stages on fixtures."""

import csv
import hashlib
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest
from conftest import (
    FIXTURES,
    ROOT,
    Project,
    make_project,
    make_small,
    make_transfer_small,
    sending,
)
from keras.src.legacy.saving import legacy_h5_format  # nothing public writes it any more

from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Download, Task, Transfer
from keras_repro.inputs import ImageInputs
from keras_repro.models import cifar10_cnn
from keras_repro.reproducibility.exact import archive
from keras_repro.tutorial.transfer import backbones, networks, tasks, weights

SETTINGS = params.load(ROOT / paths.PARAMS)
OWN = SETTINGS.model("cifar10_cnn", params.Cnn)
PUBLISHED = ("vgg16", "vgg19", "resnet50", "inception_v3", "xception")
PATIENCE = Download(attempts=1, answer_timeout=2, time_limit=6)
MIRROR = weights.fetching.MIRROR_VARIABLE
PREPROCESS = {
    "vgg16": keras.applications.vgg16.preprocess_input,
    "vgg19": keras.applications.vgg19.preprocess_input,
    "resnet50": keras.applications.resnet.preprocess_input,
    "inception_v3": keras.applications.inception_v3.preprocess_input,
    "xception": keras.applications.xception.preprocess_input,
}
# TensorFlow compiles VGG16 in seconds, the others in up to a minute each.
ALL = ["vgg16", *(pytest.param(name, marks=pytest.mark.slow) for name in PUBLISHED[1:])]


def least(name: str) -> tuple[int, int, int]:
    size = backbones.ARCHITECTURES[name].least_size
    return size, size, 3


def changed(**settings: object) -> Transfer:
    """Return the committed settings with others in place of some."""
    return Transfer.model_validate(SETTINGS.transfer.model_dump() | settings, strict=False)


def backbone(name: str, place: Path | None = None, **settings: object) -> keras.Model:
    """Return a backbone that sees images of its least size."""
    keras.utils.clear_session()  # as in a process of its own, numbered names start anew
    shape = least(name)
    chosen = {"backbone": name, "weights": None, "input_shape": shape, "pooling": "avg"}
    return backbones.build(changed(**chosen | settings), OWN, shape, place)


def own(place: Path | None = None, **settings: object) -> keras.Model:
    """Return cifar10_cnn as a backbone."""
    keras.utils.clear_session()
    return backbones.build(
        changed(**{"weights": None} | settings),
        OWN,
        tasks.IMAGE_SHAPE,
        place,
    )


def normalised() -> keras.Model:
    """Return a small backbone with BatchNormalization."""
    image = keras.Input(tasks.IMAGE_SHAPE, dtype="uint8", name="image")
    chain = [
        keras.layers.Rescaling(1 / 255, name="scale"),
        keras.layers.Conv2D(4, 3, strides=4, name="first"),
        keras.layers.BatchNormalization(name="norm_1"),
        keras.layers.Conv2D(4, 3, strides=4, name="second"),
        keras.layers.BatchNormalization(name="norm_2"),
    ]
    return keras.Model(image, networks.apply(chain, image), name="normalised")


def images(count: int, shape: tuple[int, ...] = tasks.IMAGE_SHAPE) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)


def answers(model: keras.Model, pixels: np.ndarray) -> np.ndarray:
    return np.asarray(model(pixels, training=False))


def whole(base: keras.Model, classes: int = 5) -> keras.Model:
    settings = SETTINGS.transfer.head.model_copy(update={"units": 8})
    return networks.attach(
        networks.head(settings, base.output_shape[1:], classes), base, "transfer"
    )


def step(model: keras.Model, shape: tuple[int, ...] = tasks.IMAGE_SHAPE) -> set[str]:
    """Train one step and return the names of the layers that changed."""
    before = {layer.name: [np.array(w) for w in layer.weights] for layer in model.layers}
    loss = "sparse_categorical_crossentropy"
    # Eagerly, as a graph takes longer to make than to run once.
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    model.train_on_batch(images(4, shape), np.arange(4))
    return {
        layer.name
        for layer in model.layers
        for old, new in zip(before[layer.name], layer.weights, strict=True)
        # A dropout's only weight is the state of its random numbers.
        if not isinstance(layer, keras.layers.Dropout) and not np.array_equal(old, new)
    }


def with_weights(model: keras.Model) -> list[str]:
    dropout = keras.layers.Dropout
    return [x.name for x in model.layers if x.weights and not isinstance(x, dropout)]


class TestPublishedBackbones:
    @pytest.mark.parametrize("name", ALL)
    def test_built_trained_one_step_saved_loaded_and_reloaded_from_a_weights_file(
        self, name: str, tmp_path: Path
    ) -> None:
        shape = least(name)
        base = backbone(name)
        assert base.input_shape == (None, *shape)
        model = whole(base)
        assert step(model, shape) >= {"hidden", "logits", with_weights(base)[-1]}

        archive.save(model, tmp_path / "model.keras")
        loaded = archive.load(tmp_path / "model.keras")
        pixels = images(2, shape)
        expected = answers(model, pixels)
        assert expected.shape == (2, 5)
        np.testing.assert_array_equal(answers(loaded, pixels), expected)

        features = answers(base, pixels)
        base.save_weights(tmp_path / "backbone.weights.h5")
        again = backbone(name, tmp_path / "backbone.weights.h5")
        np.testing.assert_array_equal(answers(again, pixels), features)

    @pytest.mark.parametrize("name", ALL)
    def test_a_file_as_keras_publishes_them_fits(self, name: str, tmp_path: Path) -> None:
        # The published files have the older format, and are of the network alone.
        architecture = backbones.ARCHITECTURES[name]
        plain = architecture.build(include_top=False, weights=None, input_shape=least(name))
        path = tmp_path / "notop.h5"
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, plain)
        ours = backbone(name, path, pooling=None)
        pixels = images(2, least(name))
        prepared = PREPROCESS[name](pixels.astype(np.float32))
        np.testing.assert_allclose(
            answers(ours, pixels),
            answers(plain, prepared),
            rtol=1e-4,
            atol=1e-6,
        )

    def test_smaller_images_are_resized_inside(self) -> None:
        settings = changed(backbone="vgg16", weights=None, input_shape=[48, 48, 3], pooling="max")
        base = backbones.build(settings, OWN, tasks.IMAGE_SHAPE, None)
        assert base.get_layer("resize").output.shape == (None, 48, 48, 3)
        assert answers(base, images(2)).shape == (2, 512)

    @pytest.mark.parametrize(
        ("pooling", "shape"),
        [("avg", (512,)), ("max", (512,)), (None, (1, 1, 512))],
    )
    def test_pooling(self, pooling: str | None, shape: tuple[int, ...]) -> None:
        assert backbone("vgg16", pooling=pooling).output_shape[1:] == shape

    @pytest.mark.parametrize(
        ("name", "size"), [("vgg16", 31), ("inception_v3", 74), ("xception", 70)]
    )
    def test_too_small_an_input_shape(self, name: str, size: int) -> None:
        with pytest.raises(
            ReproError, match=rf"input_shape is \[{size}, {size}, 3\]; .* {size + 1}"
        ):
            backbone(name, input_shape=[size, size, 3])

    def test_other_channels_than_the_images_have(self) -> None:
        with pytest.raises(ReproError, match="input_shape has 1 channels; expected 3"):
            backbone("vgg16", input_shape=[32, 32, 1])

    def test_weights_of_another_network(self, tmp_path: Path) -> None:
        path = tmp_path / "dense.weights.h5"
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
        with pytest.raises(ReproError, match=r"does not fit \(it has 8 weights, not 14,714,688\)"):
            backbone("vgg16", path)
        with pytest.raises(ReproError, match=r"none.h5: no file .* expected the weights of vgg16"):
            backbone("vgg16", tmp_path / "none.h5")


class TestFreezing:
    def test_a_frozen_backbone_keeps_its_weights_and_its_batch_statistics(self) -> None:
        base = normalised()
        networks.freeze(base)
        assert step(whole(base)) == {"hidden", "logits"}
        assert step(whole(normalised())) == {
            "first",
            "norm_1",
            "second",
            "norm_2",
            "hidden",
            "logits",
        }

    def test_a_frozen_archive_stays_frozen(self, tmp_path: Path) -> None:
        base = own()
        networks.freeze(base)
        archive.save(base, tmp_path / "model.keras")
        model = whole(archive.load(tmp_path / "model.keras"))
        assert step(model) == {"hidden", "logits"}

    @pytest.mark.parametrize("first", ["convolution_2", "dropout_1"])
    def test_weights_change_from_the_named_layer_on(self, first: str) -> None:
        base = own()
        networks.freeze(base)
        networks.fine_tune_from(base, first)
        assert step(whole(base)) == {"convolution_2", "hidden", "logits"}

    def test_batch_normalization_stays_frozen_in_fine_tuning(self) -> None:
        base = normalised()
        networks.freeze(base)
        networks.fine_tune_from(base, "second")
        assert step(whole(base)) == {"second", "hidden", "logits"}

    def test_unknown_layer_names_near_ones(self) -> None:
        with pytest.raises(ReproError) as caught:
            networks.fine_tune_from(own(), "convolution2")
        message = str(caught.value)
        assert "params.yaml: transfer.trainable_from is 'convolution2'; expected null or" in message
        assert "a layer of cifar10_cnn such as convolution_2, convolution_1" in message
        assert len(message.splitlines()) == 1

    def test_layer_after_all_weights(self) -> None:
        base = own()
        networks.freeze(base)
        with pytest.raises(ReproError, match="'dropout_2', from which on cifar10_cnn has no wei"):
            networks.fine_tune_from(base, "dropout_2")


class TestOwnBackbone:
    @pytest.fixture
    def source(self, tmp_path: Path) -> tuple[keras.Model, Path]:
        keras.utils.clear_session()
        model = cifar10_cnn.build(OWN, ImageInputs(tasks.IMAGE_SHAPE, 5))
        archive.save(model, tmp_path / "source.keras")
        return model, tmp_path / "source.keras"

    def test_it_is_the_source_without_its_classifier(self, source: tuple) -> None:
        model, path = source
        base = own(path)
        pixels = images(3)
        np.testing.assert_array_equal(
            answers(base, pixels),
            keras.Model(model.inputs, model.get_layer("flatten").input).predict(pixels, verbose=0),
        )

    def test_from_scratch_it_is_cifar10_cnn(self) -> None:
        network = OWN
        base = own()
        model = networks.attach(
            networks.head(SETTINGS.transfer.head, base.output_shape[1:], 5), base, "scratch"
        )
        like = cifar10_cnn.build(network, ImageInputs(tasks.IMAGE_SHAPE, 5))
        assert [x.name for x in model.layers[1:]] == [x.name for x in like.layers]
        assert model.count_params() == like.count_params()

    @pytest.mark.parametrize("pooling", ["avg", "max"])
    def test_pooling(self, pooling: str) -> None:
        assert own(pooling=pooling).output_shape[1:] == (64,)

    def test_a_source_for_other_images(self, source: tuple) -> None:
        with pytest.raises(ReproError, match=r"for images of shape \(32, 32, 3\); expected"):
            own(source[1], input_shape=[16, 16, 3])

    def test_smaller_input(self) -> None:
        assert own(input_shape=[16, 16, 3]).output_shape[1:] == (4, 4, 64)


class TestTasks:
    task = Task(classes=("frog", "dog"), images_per_class=3, validation_per_class=2)

    @pytest.fixture(autouse=True)
    def _in_small_project(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(project.root)
        target = project.root / paths.raw_images("cifar10")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((FIXTURES / "cifar10.npz").read_bytes())

    def test_few_images_of_each_class_in_the_tasks_order(self) -> None:
        train, validation = tasks.for_training(self.task, seed=1)
        assert sorted(train.y) == [0, 0, 0, 1, 1, 1]
        assert sorted(validation.y) == [0, 0, 1, 1]
        data = np.load(FIXTURES / "cifar10.npz")
        label = {
            image.tobytes(): y for image, y in zip(data["x_train"], data["y_train"], strict=True)
        }
        for x, y in zip(train.x, train.y, strict=True):
            assert label[x.tobytes()] == {0: 6, 1: 5}[y]
        assert not {x.tobytes() for x in train.x} & {x.tobytes() for x in validation.x}
        test = tasks.for_test(self.task)
        assert len(test.y) == np.isin(data["y_test"], [5, 6]).sum()

    def test_same_seed_same_images_and_another_others(self) -> None:
        first, again, other = (tasks.for_training(self.task, seed)[0] for seed in (1, 1, 2))
        np.testing.assert_array_equal(first.x, again.x)
        assert not np.array_equal(first.x, other.x)

    def test_more_images_keep_those_that_validate(self) -> None:
        more = self.task.model_copy(update={"images_per_class": None})
        few, many = (tasks.for_training(task, 1) for task in (self.task, more))
        np.testing.assert_array_equal(few[1].x, many[1].x)
        assert len(many[0].y) > len(few[0].y)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"classes": ("frog", "fish")}, "has the class 'fish'; expected some of airplane, aut"),
            ({"images_per_class": 500}, r"\d+ training images of 'frog'; expected at least 502"),
        ],
    )
    def test_impossible_task(self, settings: dict, message: str) -> None:
        with pytest.raises(ReproError, match=message):
            tasks.for_training(self.task.model_copy(update=settings), seed=1)


class TestImagenetWeights:
    content = b"weights of a network"

    @pytest.fixture(autouse=True)
    def _in_empty_directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv(MIRROR, raising=False)

    def published(self, url: str) -> SimpleNamespace:
        digest = hashlib.md5(self.content, usedforsecurity=False).hexdigest()
        entry = weights.Weights(licence="", url=f"{url}/vgg16_notop.h5", md5=digest)
        return SimpleNamespace(vgg16=entry)

    def unreachable(self) -> SimpleNamespace:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            return self.published(f"http://127.0.0.1:{closed.getsockname()[1]}")

    def test_fetched_once_to_where_keras_looks(self, serve: Callable) -> None:
        server = serve(sending(self.content))
        known = self.published(server.url)
        for _ in range(2):
            path = weights.obtain("vgg16", known, PATIENCE)
            assert path == Path(".cache/keras/models/vgg16_notop.h5")
            assert path.read_bytes() == self.content
        assert server.requests == 1

    def test_wrong_bytes_are_not_kept(self, serve: Callable) -> None:
        server = serve(sending(b"other"))
        with pytest.raises(ReproError, match="hash of downloaded file") as caught:
            weights.obtain("vgg16", self.published(server.url), PATIENCE)
        assert f"{server.url}/vgg16_notop.h5: " in str(caught.value)
        assert not Path(".cache/keras/models/vgg16_notop.h5").exists()

    def test_damaged_file_in_the_cache_is_fetched_anew(self, serve: Callable) -> None:
        path = Path(".cache/keras/models/vgg16_notop.h5")
        files.write_bytes(path, b"half")
        weights.obtain("vgg16", self.published(serve(sending(self.content)).url), PATIENCE)
        assert path.read_bytes() == self.content

    def test_mirror(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(MIRROR, str(tmp_path / "mirror"))
        files.write_bytes(tmp_path / "mirror/vgg16_notop.h5", self.content)
        path = weights.obtain("vgg16", self.unreachable(), PATIENCE)
        assert path.read_bytes() == self.content

    def test_one_message_says_what_is_missing_and_what_to_do(self) -> None:
        known = self.unreachable()
        with pytest.raises(ReproError) as caught:
            weights.obtain("vgg16", known, PATIENCE)
        message = str(caught.value)
        assert message.startswith("vgg16_notop.h5: the ImageNet weights of vgg16 cannot be had\n")
        assert f"{known.vgg16.url}: " in message
        assert "mirror DATA_MIRROR: it is not set" in message
        assert f"expected md5 {known.vgg16.md5}" in message
        assert "set transfer.weights to the path of a weights file of vgg16" in message

    def test_wrong_file_in_the_mirror(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(MIRROR, str(tmp_path))
        Path("vgg16_notop.h5").write_bytes(b"other")
        with pytest.raises(ReproError, match=r"vgg16_notop\.h5: 5 bytes with md5 [0-9a-f]{32}\n"):
            weights.obtain("vgg16", self.unreachable(), PATIENCE)

    @pytest.mark.parametrize("name", PUBLISHED)
    def test_registered_as_the_installed_keras_has_them(self, name: str) -> None:
        registered = getattr(weights.load(ROOT / paths.WEIGHTS), name)
        module = backbones.ARCHITECTURES[name].build.__module__
        source = Path(__import__(module, fromlist=["_"]).__file__).read_text("utf-8")
        assert registered.md5 in source
        if name == "resnet50":
            _, no_top = keras.src.applications.resnet.WEIGHTS_HASHES["resnet50"]
            assert registered.md5 == no_top
        else:
            published = __import__(module, fromlist=["_"]).WEIGHTS_PATH_NO_TOP
            assert registered.url == published


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"include_top": True}, "transfer.include_top is True; expected False"),
        (
            {"backbone": "alexnet"},
            "transfer.backbone is 'alexnet'; expected 'cifar10_cnn', ",
        ),
        ({"backbone": "vgg16"}, "expected imagenet or a .h5 file or null as weights of vgg16"),
        ({"weights": "imagenet"}, "expected the .keras file of a trained model or null as weights"),
        ({"weights": "/models/x.keras"}, "expected a path relative to the root of the repository"),
        ({"weights": "x.npz"}, "transfer.weights: expected imagenet, null or the path of a .h5"),
        ({"classes": ["dog", "dog"]}, "transfer.classes: expected each class once, found dog, dog"),
        ({"classes": ["dog", "cat"]}, "expected other classes than the source's, found cat"),
        ({"input_shape": [32, 32]}, "transfer.input_shape"),
        ({"trainable": True}, "transfer.trainable is no known key"),
    ],
)
def test_fault_in_params(project: Project, settings: dict, message: str) -> None:
    for key, value in settings.items():
        project.set(f"transfer.{key}", value)
    with pytest.raises(ReproError) as caught:
        params.load(project.root / paths.PARAMS)
    assert message in str(caught.value)


STAGES = ("transfer_source", "backbone", "features", "transfer_scratch", "transfer")
FILES = (
    "models/transfer_source/model.keras",
    "models/backbone/model.keras",
    "data/processed/transfer_features.npz",
    "models/transfer_scratch/model.keras",
    "models/transfer/model.keras",
    "metrics/transfer.json",
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, sources: list[str]) -> Project:
    """A project whose transfer takes seconds, before any stage has run."""
    project = make_project(tmp_path_factory.mktemp("transfer") / "project", sources)
    make_small(project, epochs=1)
    target = project.root / paths.raw_images("cifar10")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes((FIXTURES / "cifar10.npz").read_bytes())
    make_transfer_small(project)
    return project


def run_in_turn(project: Project) -> dict[str, bytes]:
    """Run all stages and return what they wrote."""
    for stage in STAGES:
        result = project.stage(f"tutorial.{stage}")
        assert result.returncode == 0, result.stderr
    return {name: (project.root / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def done(small: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = small.copy(tmp_path_factory.mktemp("transfer_done") / "project")
    run_in_turn(project)
    return project


class TestStages:
    def test_outputs(self, done: Project) -> None:
        house = ["accuracy", "f1", "loss", "n_test", "precision", "recall"]
        for name in ("transfer_source", "transfer_scratch"):
            assert list(files.read_json(done.root / paths.metrics(name))) == house
        metrics = files.read_json(done.root / paths.metrics("transfer"))
        assert sorted([*house, "accuracy_scratch", "gain"]) == list(metrics)
        scratch = files.read_json(done.root / paths.metrics("transfer_scratch"))["accuracy"]
        assert metrics["accuracy_scratch"] == scratch
        assert metrics["gain"] == pytest.approx(metrics["accuracy"] - scratch, abs=1e-6)
        with (done.root / paths.history("transfer")).open() as file:
            # Two epochs of the head and two of fine-tuning.
            assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]
        assert not list((done.root / ".cache/training").glob("*"))

    def test_features_are_those_of_the_backbone(
        self, done: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(done.root)
        settings = params.load()
        base = archive.load(paths.BACKBONE)
        assert not base.trainable_variables
        images = tasks.for_training(settings.transfer, settings.runtime.seed)
        for split, features in zip(images, tasks.read_features(), strict=True):
            np.testing.assert_array_equal(split.y, features.y)
            expected = answers(base, split.x)
            np.testing.assert_allclose(features.x, expected, rtol=1e-4, atol=1e-6)

    def test_the_backbone_is_the_sources_and_is_fine_tuned(self, done: Project) -> None:
        source, base, tuned = (
            archive.load(done.root / paths.model(name)).get_layer("convolution_1").get_weights()
            for name in ("transfer_source", "backbone", "transfer")
        )
        np.testing.assert_array_equal(source[0], base[0])
        assert not np.array_equal(base[0], tuned[0])

    @pytest.mark.slow
    def test_same_seed_same_bytes_and_another_seed_others(
        self, small: Project, done: Project, tmp_path: Path
    ) -> None:
        first = {name: (done.root / name).read_bytes() for name in FILES}
        assert run_in_turn(small.copy(tmp_path / "again")) == first
        other = small.copy(tmp_path / "other")
        other.set("runtime.seed", 7)
        assert all(run_in_turn(other)[name] != first[name] for name in FILES)

    def test_weights_that_cannot_be_had_end_in_one_message(
        self, small: Project, tmp_path: Path
    ) -> None:
        project = small.copy(tmp_path / "project")
        with socket.create_server(("127.0.0.1", 0)) as closed:
            address = f"http://127.0.0.1:{closed.getsockname()[1]}/vgg16.h5"
        project.edit("data/weights.yaml", lambda known: known["vgg16"].update(url=address))
        project.set("transfer.backbone", "vgg16")
        project.set("transfer.weights", "imagenet")
        result = project.stage("tutorial.backbone", DATA_MIRROR="")
        assert (result.returncode, "Traceback" in result.stderr) == (1, False)
        assert "error: vgg16.h5: the ImageNet weights of vgg16 cannot be had" in result.stderr
        assert f"{address}: " in result.stderr
