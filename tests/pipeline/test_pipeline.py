"""The whole graph on small real data, through DVC itself, in a repository of its own."""

import csv
import json
import subprocess
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import MODELS, Project
from ruamel.yaml import YAML

from keras_repro.core import files, paths
from keras_repro.inputs import batches
from keras_repro.text import lexicon


def dvc(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return project.dvc(*arguments)


def ran(result: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the stages that `dvc repro` ran."""
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    return [line.split("'")[1] for line in lines if line.startswith("Running stage")]


def stages_to_run(project: Project) -> list[str]:
    return ran(dvc(project, "repro", "--dry"))


def changed(project: Project) -> dict[str, dict]:
    """Return the stages whose dependencies changed, with these."""
    found = json.loads(dvc(project, "status", "--json", "dvc.yaml").stdout)
    return {stage: change["changed deps"] for stage, [change] in found.items()}


def locked(project: Project, stage: str) -> dict[str, str]:
    content = YAML(typ="safe").load(project.root / "dvc.lock")
    return {out["path"]: out["md5"] for out in content["stages"][stage]["outs"]}


@pytest.fixture(scope="module")
def reproduced(tmp_path_factory: pytest.TempPathFactory, small_run: Project) -> Project:
    """A project after one `dvc repro`; a test that changes it puts it back."""
    return small_run.copy(tmp_path_factory.mktemp("pipeline") / "project")


def epochs(project: Project, name: str) -> list[dict[str, str]]:
    with (project.root / f"metrics/history/{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_output_is_there_and_well_formed(reproduced: Project) -> None:
    for name in MODELS:
        assert (reproduced.root / f"models/{name}/model.keras").stat().st_size > 1000
        metrics = json.loads((reproduced.root / f"metrics/{name}.json").read_text())
        assert list(metrics) == ["accuracy", "f1", "loss", "n_test", "precision", "recall"]
        assert 0 <= metrics["accuracy"] <= 1
        history = epochs(reproduced, name)
        # The hybrid has one of each part.
        assert len(history) == (3 if name == "sentiment_hybrid" else 2)
        assert [int(row["epoch"]) for row in history] == list(range(1, len(history) + 1))
        assert list(history[0])[1:] == [
            "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"
        ]  # fmt: skip
        with (reproduced.root / f"metrics/plots/{name}/confusion.csv").open() as file:
            assert len(list(csv.DictReader(file))) == metrics["n_test"]


def test_no_text_stands_in_two_splits(reproduced: Project) -> None:
    splits = defaultdict(set)
    for row in pq.read_table(reproduced.root / "data/interim/segmented.parquet").to_pylist():
        splits["".join(row["text"].split())].add(row["split"])
    assert len(splits) > 500
    assert {len(found) for found in splits.values()} == {1}


def test_mistakes_show_the_review_and_the_words_that_were_seen(reproduced: Project) -> None:
    path = reproduced.root / "metrics/plots/sentiment_bilstm/mistakes.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = pq.read_table(reproduced.root / "data/interim/segmented.parquet").to_pylist()
    known = {row["id"]: row for row in table}
    assert rows
    for row in rows:
        review = known[row["id"]]
        assert row["text"] == review["text"]
        assert ["negative", "positive"][review["label"]] == row["actual"] != row["predicted"]
        for word, token in zip(row["words"].split(" "), review["tokens"], strict=False):
            assert word in (token, "<unknown>")


def test_nothing_to_do_after_a_run(reproduced: Project) -> None:
    assert stages_to_run(reproduced) == []
    assert dvc(reproduced, "status", "--quiet", "dvc.yaml").returncode == 0
    check = reproduced.command("check")
    assert check.returncode == 0, check.stderr


def test_a_models_parameter_reruns_its_own_stages_alone(reproduced: Project) -> None:
    before = (reproduced.root / "params.yaml").read_text("utf-8")
    keys = {}
    stages = ("train", "evaluate", "export")
    for name in MODELS:
        part = ".wide" if name == "sentiment_hybrid" else ""
        reproduced.set(f"models.{name}{part}.batch_size", 17)
        modified = {"params.yaml": {f"models.{name}": "modified"}}
        keys |= {f"{stage}@{name}": modified for stage in stages}
    found = changed(reproduced)
    (reproduced.root / "params.yaml").write_text(before, "utf-8")
    assert found == keys
    # The stages of a model are made of one template, so one that runs speaks for all. The change
    # stays: no other test minds the size of a batch.
    reproduced.set("models.mnist_functional.batch_size", 17)
    assert ran(dvc(reproduced, "repro")) == [f"{stage}@mnist_functional" for stage in stages]


def test_a_text_parameter_retrains_no_image_model(small_run: Project, tmp_path: Path) -> None:
    project = small_run.copy(tmp_path / "project")
    project.set("tokenize.max_length", 30)
    project.set("ngrams.max_length", 150)
    result = dvc(project, "repro", "--single-item", "tokenize", "ngrams")
    assert ran(result) == ["tokenize", "ngrams"]
    encoded = {"bilstm": "data/processed/reviews.npz", "hybrid": "data/processed/ngrams.npz"}
    found = changed(project)
    # What takes seconds depends on all parameters of the texts.
    assert {stage.split("@")[0] for stage in found} == {"train", "evaluate", "export"}
    assert {stage: deps for stage, deps in found.items() if stage.startswith("train")} == {
        f"train@sentiment_{name}": {path: "modified"} for name, path in encoded.items()
    }


def test_dictionaries_can_be_switched_off(reproduced: Project) -> None:
    before = (reproduced.root / "params.yaml").read_text("utf-8")
    try:
        reproduced.set("segment.stop_words", None)
        reproduced.set("segment.user_dict", None)
        # What takes seconds depends on all parameters of the texts.
        planned = [
            stage
            for stage in stages_to_run(reproduced)
            if not stage.startswith(("evaluate", "export"))
        ]
        assert {"segment", "ngrams"} <= set(planned)
        assert planned[0] in ("segment", "ngrams")  # nothing that these read is made again
    finally:
        (reproduced.root / "params.yaml").write_text(before, "utf-8")


def test_check_names_the_stage_whose_parameter_changed(reproduced: Project) -> None:
    before = (reproduced.root / "params.yaml").read_text("utf-8")
    try:
        reproduced.set("models.cifar10_cnn.epochs", 3)
        result = reproduced.command("check")
        assert result.returncode == 1
        changed = (
            "train@cifar10_cnn, evaluate@cifar10_cnn, export@cifar10_cnn changed since the run"
        )
        assert f"error: dvc.lock: {changed}" in result.stderr
    finally:
        (reproduced.root / "params.yaml").write_text(before, "utf-8")


def test_check_names_what_no_pipeline_makes_any_more(reproduced: Project) -> None:
    before = (reproduced.root / "dvc.lock").read_text("utf-8")
    try:

        def leave_behind(content: dict) -> None:
            content["stages"]["train@gone"] = content["stages"]["train@cifar10_cnn"]

        reproduced.edit("dvc.lock", leave_behind)
        result = reproduced.command("check")
        assert result.returncode == 1
        assert "error: dvc.lock: records train@gone, which no dvc.yaml has" in result.stderr
    finally:
        (reproduced.root / "dvc.lock").write_text(before, "utf-8")


def test_check_names_a_remote_that_nobody_verifies(reproduced: Project) -> None:
    config = reproduced.root / ".dvc/config"
    before = config.read_text("utf-8")
    try:
        dvc(reproduced, "remote", "add", "--default", "storage", "/nowhere")
        result = reproduced.command("check")
        assert result.returncode == 1
        assert "error: .dvc/config: the remote 'storage' has no verify = true" in result.stderr
        dvc(reproduced, "remote", "modify", "storage", "verify", "true")
        assert reproduced.command("check").returncode == 0
    finally:
        config.write_text(before, "utf-8")


def test_validation_chooses_among_rates_and_a_small_corpus_has_more_epochs(
    small_run: Project, tmp_path: Path
) -> None:
    project = small_run.copy(tmp_path / "project")
    project.set("models.sentiment_hybrid.wide.rate_factors", [0.00001, 1.0])
    names = ["train_offsets", "composed_offsets", "composed_labels"]
    train, composed, labels = files.read_npz(project.root / paths.NGRAMS, names).values()
    judging = labels != lexicon.NEUTRAL  # what a reader learns from
    settings = YAML(typ="safe").load(project.root / "params.yaml")["models"]["sentiment_hybrid"]
    most = [settings["reader"][key] for key in ("batch_size", "batch_characters")]
    beginnings = np.diff(train).clip(max=settings["reader"]["beginning"])
    lengths = np.concatenate([beginnings, np.diff(composed)[judging]])
    epoch = batches.by_size(lengths, *most, np.random.default_rng(0))
    project.set("models.sentiment_hybrid.reader.least_batches", 2 * len(epoch) + 1)
    result = project.stage("train", "sentiment_hybrid")
    assert result.returncode == 0, result.stderr
    assert "wide: the learning rate 0.016 is best" in result.stderr
    assert "epoch 3 of 3" in result.stderr
    rates = [float(row["learning_rate"]) for row in epochs(project, "sentiment_hybrid")]
    # Decayed to 0 by then; an epoch for each rate, one of the gate and three of the reader.
    assert rates[0] < 1e-6
    assert len(rates) == 6


@pytest.mark.parametrize("name", ["cifar10_cnn", "sentiment_bilstm", "sentiment_hybrid"])
def test_same_seed_same_bytes_and_another_seed_others(reproduced: Project, name: str) -> None:
    path = reproduced.root / f"models/{name}/model.keras"
    history = reproduced.root / f"metrics/history/{name}.csv"
    params_file = reproduced.root / "params.yaml"
    before, text = (path.read_bytes(), history.read_bytes()), params_file.read_text("utf-8")
    try:
        path.unlink()
        again = (
            reproduced.run("stages.train", name, PYTHONHASHSEED="7")
            if name == "cifar10_cnn"
            else reproduced.stage("train", name)
        )
        assert again.returncode == 0, again.stderr
        assert (path.read_bytes(), history.read_bytes()) == before
        reproduced.set("runtime.seed", 43)
        assert reproduced.stage("train", name).returncode == 0
        assert path.read_bytes() != before[0]
    finally:
        params_file.write_text(text, "utf-8")
        path.write_bytes(before[0])
        history.write_bytes(before[1])


def test_a_failing_stage_tells_why_once_and_keeps_what_was(reproduced: Project) -> None:
    outputs = [
        reproduced.root / path
        for stage in ("prepare", "segment", "tokenize")
        for path in locked(reproduced, stage)
    ]
    before = {path: path.read_bytes() for path in outputs}
    text = (reproduced.root / "params.yaml").read_text("utf-8")
    try:
        reproduced.set("prepare.negative", [2])
        result = dvc(reproduced, "repro")
        assert result.returncode != 0
        assert "error: data/raw/reviews.parquet: the train split has no negative" in result.stderr
        assert "Traceback" not in result.stderr
        assert {path: path.read_bytes() for path in outputs} == before
    finally:
        (reproduced.root / "params.yaml").write_text(text, "utf-8")
    # These depend on all parameters of the texts; one may have been made before the failure.
    assert {stage.split("@")[0] for stage in stages_to_run(reproduced)} <= {"evaluate", "export"}


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_unknown_model(reproduced: Project, stage: str) -> None:
    result = reproduced.stage(stage, "lstm")
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert result.stderr.startswith(
        "error: params.yaml: no model 'lstm' under models or variants; expected"
    )


@pytest.mark.parametrize(
    ("stage", "name", "damaged"),
    [
        ("train", "mnist_functional", "data/raw/mnist.npz"),
        ("train", "sentiment_bilstm", "data/processed/reviews.npz"),
        ("train", "sentiment_hybrid", "data/processed/ngrams.npz"),
        ("evaluate", "mnist_functional", "models/mnist_functional/model.keras"),
    ],
)
def test_truncated_input(reproduced: Project, stage: str, name: str, damaged: str) -> None:
    path: Path = reproduced.root / damaged
    measured = reproduced.root / f"metrics/{name}.json"
    content, metrics = path.read_bytes(), measured.read_bytes()
    try:
        path.unlink()  # a hard link to DVC's cache must not be written through
        path.write_bytes(content[: len(content) // 2])
        result = reproduced.stage(stage, name)
        assert result.returncode == 1
        assert f"error: {damaged}: " in result.stderr
        assert "Traceback" not in result.stderr
        assert measured.read_bytes() == metrics
    finally:
        path.write_bytes(content)


def test_metrics_and_plots_are_shown(reproduced: Project) -> None:
    shown = json.loads(dvc(reproduced, "metrics", "show", "--json").stdout)
    # Those of stages/tutorial/dvc.yaml are listed too, and have not been made here.
    made = {name for name, metrics in shown[""]["data"].items() if "error" not in metrics}
    assert made == {f"metrics/{name}.json" for name in MODELS}
    result = dvc(reproduced, "plots", "show", "--out", "plots", "--json")
    assert result.returncode == 0, result.stderr
    for name in MODELS:
        assert f"metrics/plots/{name}/confusion.csv" in result.stdout
        assert f"metrics/history/{name}.csv" in result.stdout
