"""docs/tutorial.md names everything that the tutorial shows, and what it names is there."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import MODELS, VARIANTS
from ruamel.yaml import YAML

from keras_repro.serving import command
from keras_repro.tutorial.layer_trials import catalogue

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/tutorial.md").read_text("utf-8")
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
""".split()  # noqa: SIM905 - ninety quoted strings are no table
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| tutorial ")
]
COMMANDS = sorted({row[-1].strip("` |") for row in ROWS})
# Names of functions, files and commands; what is not a path has no suffix that is listed here.
PATHS = re.findall(
    r"`((?:keras_repro|stages|tests|docs|data|dict)/[\w/.]+\.\w+)`|\]\(([\w/]+\.md)\)", PAGE
)


def test_every_row_says_all_five_things() -> None:
    assert len(ROWS) > 60
    assert [row for row in ROWS if len(row) != 5 or not all(row)] == []
    assert not re.search("not done|todo|未完成", PAGE, re.IGNORECASE)


def test_both_languages_say_what_was_shown() -> None:
    assert [row[0] for row in ROWS if not re.search("[\u4e00-\u9fff]", row[1])] == []


@pytest.mark.parametrize("name", NAMES)
def test_name_of_the_tutorial(name: str) -> None:
    assert any(re.search(rf"\b{name}\b", " ".join(row[:3])) for row in ROWS)


def test_every_layer_of_the_tutorial() -> None:
    named = set(re.findall(r"\w+", PAGE))
    shown = [
        re.split("[ ,]", case.name)[0]
        for table in catalogue.tables()
        if table.name != "constraints"  # the tutorial has the arguments, and names none
        for case in table.cases
    ]
    assert sorted(set(shown) - named) == []


def test_files_that_it_names_are_there() -> None:
    named = [Path(path) if path else Path("docs") / page for path, page in PATHS]
    assert len(named) > 60
    assert [str(path) for path in named if not (ROOT / path).is_file()] == []


def test_parts_follow_each_other() -> None:
    numbers = [int(number) for number in re.findall(r"^## (\d)\.", PAGE, re.MULTILINE)]
    assert numbers[0] == 1
    assert all(second == first + 1 for first, second in pairwise(numbers))


def test_stages_that_it_runs_are_there() -> None:
    targets = [
        word for line in COMMANDS if line.startswith("dvc repro ") for word in line.split()[2:]
    ]
    assert targets
    for target in targets:
        file, _, name = target.rpartition(":")
        stage, _, item = name.partition("@")
        found = YAML(typ="safe").load((ROOT / (file or "dvc.yaml")).read_text("utf-8"))["stages"]
        assert stage in found
        items = found[stage].get("foreach", "")
        listed = {"${models}": MODELS, "${variants}": VARIANTS}.get(str(items), items)
        assert not item or item in listed


def test_tests_that_it_runs_are_there() -> None:
    wanted = [line.split()[1::2] for line in COMMANDS if line.startswith("pytest ")]
    files = sorted({file for file, _ in wanted})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:xdist", *files]
    collected = subprocess.run(
        command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    ).stdout.splitlines()
    missing = [
        (file, name)
        for file, name in wanted
        if not any(line.startswith(file) and name.lower() in line.lower() for line in collected)
    ]
    assert missing == []


def test_no_other_kind_of_command() -> None:
    known = ("dvc repro ", "pytest ", "python -m stages.", "dvc exp run -S ", "tensorboard ")
    others = [line for line in COMMANDS if not line.startswith(known)]
    answers = [line for line in others if line.startswith("keras-repro ")]
    for line in answers:
        command.parser().parse_args(line.split()[1:])  # ends the process if it is none
    assert sorted({*others} - {*answers}) == ["dvc metrics show"]
    assert answers
