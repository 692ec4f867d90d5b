import copy
from pathlib import Path

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from keras_repro import models
from keras_repro.core import params
from keras_repro.core.errors import ReproError

CONTENT = YAML(typ="safe").load(Path(__file__).parents[2] / "params.yaml")


def load_changed(tmp_path: Path, key: str, value: object) -> params.Params:
    content = copy.deepcopy(CONTENT)
    *parents, last = key.split(".")
    section = content
    for parent in parents:
        section = section[parent]
    if value is None and last in section and section[last] is not None:
        del section[last]
    else:
        section[last] = value
    path = tmp_path / "params.yaml"
    YAML().dump(content, path)
    return load(path)


def load(path: Path) -> params.Params:
    """Read params.yaml and the section of each model, as all stages together do."""
    loaded = params.load(path)
    for name in loaded.models:
        models.settings(name, loaded)
    return loaded


def test_committed_params_are_valid_and_frozen() -> None:
    loaded = load(Path(__file__).parents[2] / "params.yaml")
    assert models.settings("mnist_sequential", loaded).units == (512, 512)
    assert models.settings("sentiment_bilstm", loaded).units == 128
    with pytest.raises(ValidationError):
        loaded.runtime.seed = 1


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("runtime.seed", "x", "runtime.seed is 'x'; expected a valid integer"),
        ("runtime.seeed", 1, "runtime.seeed is no known key (found 1)"),
        ("runtime.threads", None, "runtime.threads is missing"),
        ("runtime.threads", 0, "runtime.threads is 0; expected greater than 0"),
        ("runtime.deterministic", 1, "runtime.deterministic is 1; expected a valid boolean"),
        ("segments", {}, "segments is no known key"),
        ("tokenize.max_length", 1.5, "tokenize.max_length is 1.5; expected a valid integer"),
        ("prepare.positive", [4, 9], "prepare.positive.1 is 9; expected less than or equal to 5"),
        ("prepare.positive", [], "prepare.positive is []; expected at least one item"),
        ("prepare.positive", [2, 4], "prepare: expected each rating once, found [2] in both"),
        ("prepare.splits.test", 0.3, "expected train + validation + test = 1, found 1.2"),
        ("cluster", "host:8786", "expected an address such as tcp://host:8786, found"),
        ("workers", ["host:8790"], "expected addresses such as [tcp://host:8790], each once, clus"),
        ("workers", ["tcp://h:1", "tcp://h:1"], "each once, cluster or null, found"),
        ("segment.user_dict", "/etc/x", "expected a path relative to the root of the repository"),
        ("segment.stop_words", "../x", "expected a path relative to the root of the repository"),
        ("segment.stop_words", ["dict/x", "../x"], "expected a path relative to the root of the"),
        ("ngrams.longest", 5, "ngrams.longest is 5; expected less than or equal to 4"),
        ("models.sentiment_hybrid.shares", [], "shares is []; expected at least one item"),
        ("compose.most", -1, "compose.most is -1; expected greater than or equal to 0"),
        ("models.sentiment_hybrid.wide.perturbation", 1.0, "perturbation is no known key"),
        (
            "models.sentiment_hybrid.reader.metrics",
            ["accuracy", "top_k_categorical_accuracy"],
            "models.sentiment_hybrid: expected the same metrics for all parts, found",
        ),
        ("download.time_limit", 1, "expected time_limit above answer_timeout (10), found 1"),
        ("models.mnist_sequential.units", [512, "x"], "units.1 is 'x'; expected a valid integer"),
        ("models.cifar10_cnn.dropout", 1, "dropout is 1; expected less than 1"),
        ("models.cifar10_cnn.optimizer.rhoo", 1, "optimizer.rhoo is no known key (found 1)"),
        ("models.cifar10_cnn.optimizer.name", "lion", "optimizer.name is 'lion'; expected one of"),
        ("models.cifar10_cnn.optimizer.name", None, "optimizer.name is missing"),
        ("models.cifar10_cnn.callbacks.checkpoint.monitor", "loss", "monitor is 'loss'; expected"),
        (
            "models.mnist_functional.decay",
            "cosine",
            "reduce_learning_rate to be null where decay is",
        ),
        ("models.cifar10_cnn.decay", "linear", "decay is 'linear'; expected 'cosine'"),
        ("models.sentiment_hybrid.readers", 0, "readers is 0; expected greater than 0"),
        ("models.cifar10_cnn.loss", "mse", "loss is 'mse'; expected 'sparse_categorical_crossent"),
        ("models.cifar10_cnn.metrics", ["f1"], "metrics.0 is 'f1'; expected 'accuracy', 'binary"),
        ("models.cifar10_cnn.metrics", [], "expected accuracy among them and each metric once"),
        (
            "models.cifar10_cnn.metrics",
            ["accuracy", "accuracy"],
            "models.cifar10_cnn.metrics: expected accuracy among them and each metric once, found",
        ),
        (
            "models.cifar10_cnn.metrics",
            ["accuracy", "binary_accuracy"],
            "models.cifar10_cnn: expected a loss on one-hot labels, such as categorical_crossen",
        ),
        (
            "models.cifar10_cnn.callbacks.tensorboard",
            {"write_images": True},
            "tensorboard: expected histogram_freq above 0 where write_images is true, found 0",
        ),
        (
            "models.mnist_functional.callbacks.reduce_learning_rate.cooldown",
            -1,
            "cooldown is -1; expected greater than or equal to 0",
        ),
        (
            "seq2seq.seq2seq_many_to_one.embedding",
            64,
            "seq2seq: expected seq2seq_many_to_one.embedding to be 128, as in seq2seq_one_to_one",
        ),
        (
            "transfer.head.metrics",
            ["accuracy", "top_k_categorical_accuracy"],
            "transfer: expected the same metrics for head and fine_tuning, found accuracy, top_k",
        ),
        ("models.lstm", {}, "has the model lstm, and keras_repro/models/lstm.py is not there"),
    ],
)
def test_fault_is_one_line_with_file_key_found_and_expected(
    tmp_path: Path, key: str, value: object, message: str
) -> None:
    with pytest.raises(ReproError) as caught:
        load_changed(tmp_path, key, value)
    assert message in str(caught.value)
    # A section of a model is read when the model is, from the file that DVC knows.
    place = "params.yaml" if key.startswith("models.") else str(tmp_path / "params.yaml")
    assert str(caught.value).startswith(f"{place}: ")
    assert len(str(caught.value).splitlines()) == 1


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    YAML().dump({**CONTENT, "runtime": {"seed": "x", "portable": False}}, path)
    with pytest.raises(ReproError) as caught:
        params.load(path)
    assert len(str(caught.value).splitlines()) == 3


def test_number_in_yaml_1_2_notation_is_a_number(tmp_path: Path) -> None:
    # `dvc exp run -S` writes 0.000001 like this.
    text = (Path(__file__).parents[2] / "params.yaml").read_text("utf-8")
    path = tmp_path / "params.yaml"
    path.write_text(text.replace("learning_rate: 0.01", "learning_rate: 1e-06"), "utf-8")
    assert models.settings("mnist_sequential", params.load(path)).optimizer.learning_rate == 1e-6


@pytest.mark.parametrize("content", ["a: [", "a: 1\na: 2", "", "- 1"])
def test_file_that_is_no_mapping(tmp_path: Path, content: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(content)
    with pytest.raises(ReproError, match=r"params\.yaml"):
        params.load(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ReproError, match="not found"):
        params.load(tmp_path / "params.yaml")


def test_unknown_model() -> None:
    with pytest.raises(ReproError, match="no model 'lstm' under models or variants; expected"):
        params.load(Path(__file__).parents[2] / "params.yaml").check_model("lstm")


def test_a_full_width_colon(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("reviews:\n  source: file\n  text：comment\n  rating: star\n", "utf-8")
    with pytest.raises(ReproError, match="perhaps a full-width ： is meant to be a :"):
        params.load(path)
