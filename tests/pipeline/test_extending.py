"""The patches of docs/extending.md apply, are as short as it says, and do what it says."""

import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import FIXTURES, PREPARED_REVIEWS, ROOT, Project, hashes, sending
from keras import layers
from own_files import delimited

from keras_repro import inputs
from keras_repro.bundles import onnx_graph
from keras_repro.bundles.bundle import Bundle
from keras_repro.bundles.network import Network, as_probabilities
from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.inputs import batches
from keras_repro.reproducibility.exact import archive
from keras_repro.text.normalisation import spelt

PAGE = (ROOT / "docs/extending.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.*)\n((?:(?!^## ).*\n)*)", PAGE, re.MULTILINE))
(COMMAND,) = re.findall(r"^awk .*", PAGE, re.MULTILINE)
# Patches are counted as the page's command counts them.
MODEL, CORPUS, LAYER = 1, 2, 3
NAME = "cifar10_mlp"


def patches(section: str) -> list[str]:
    return re.findall(r"^```diff\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def apply(project: Project, number: int) -> None:
    """Apply a patch as the page tells its reader to, from the project's own copy of the page."""
    result = subprocess.run(
        ["sh", "-c", COMMAND.replace("n == 1", f"n == {number}")],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


def repro(
    project: Project, target: str, mirror: Path | str = FIXTURES
) -> subprocess.CompletedProcess[str]:
    return project.dvc("repro", target, DATA_MIRROR=str(mirror))


def ran(result: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the stages that `dvc repro` ran."""
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    return [line.split("'")[1] for line in lines if line.startswith("Running stage")]


@pytest.fixture
def committed(tmp_path: Path, sources: list[str]) -> Project:
    """The repository as a commit would hold it, its tests included."""
    root = tmp_path / "committed"
    for name in sources:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    return Project(root)


@pytest.mark.parametrize("title", SECTIONS)
def test_fewer_than_30_lines_are_added(title: str) -> None:
    lines = "".join(patches(SECTIONS[title])).splitlines()
    count = sum(line.startswith("+") and not line.startswith("+++ ") for line in lines)
    assert 0 < count < 30
    stated = re.findall(r"takes (\d+) lines", " ".join(SECTIONS[title].split()))
    assert stated in ([], [str(count)])


def test_the_patches_are_those_of_the_sections() -> None:
    assert list(SECTIONS) == ["A model", "A corpus of reviews", "A layer"]
    assert [len(patches(section)) for section in SECTIONS.values()] == [1, 1, 1]
    assert re.findall(r"takes (\d+)", SECTIONS["A model"])


def test_all_apply_to_the_committed_files_and_leave_tidy_code(committed: Project) -> None:
    changed = re.findall(r"^\+\+\+ b/(.*)$", PAGE, re.MULTILINE)
    assert len(changed) == 6
    before = {name: (committed.root / name).is_file() for name in changed}
    assert [name for name, found in before.items() if not found] == [
        f"keras_repro/models/{NAME}.py"
    ]
    for number in (MODEL, CORPUS, LAYER):
        apply(committed, number)
    for name in changed:
        old = ROOT / name
        assert not old.exists() or old.read_bytes() != (committed.root / name).read_bytes()
    code = [name for name in changed if name.endswith(".py")]
    for command in (["check"], ["format", "--check"]):
        result = committed.run("ruff", *command, "--no-cache", *code)
        assert result.returncode == 0, result.stdout


class TestModel:
    def test_it_alone_is_trained_measured_and_exported(
        self, small_run: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project = small_run.copy(tmp_path / "project")
        before = hashes(project.root)
        apply(project, MODEL)
        assert ran(repro(project, f"evaluate@{NAME}")) == [f"train@{NAME}", f"evaluate@{NAME}"]
        metrics = files.read_json(project.root / paths.metrics(NAME))
        assert list(metrics) == ["accuracy", "f1", "loss", "n_test", "precision", "recall"]
        assert 0 <= metrics["accuracy"] <= 1
        after = hashes(project.root)
        assert before.items() < after.items()
        assert {name for name in after if name not in before} == {
            name for name in after if NAME in name
        }

        # And drawn, by a pipeline that does not name it; nothing else is made anew.
        assert ran(repro(project, "dvc.yaml")) == [f"export@{NAME}"]
        drawing = f"stages/tutorial/dvc.yaml:diagram@{NAME}"
        assert ran(repro(project, drawing)) == [drawing]
        monkeypatch.chdir(project.root)
        exported = Bundle(paths.bundle(NAME))
        assert exported.manifest.model == NAME
        assert exported.manifest.labels[3] == "cat"
        own = params.load().model(NAME, params.Mlp)
        test = inputs.of("cifar10").split("test", own, seed=42, batch_size=64)
        expected = batches.predict(archive.load(paths.model(NAME)), test.batches)
        network = Network(exported.path("model.onnx"))
        found = np.empty_like(expected)
        for number, rows in enumerate(test.batches.rows):
            found[rows] = as_probabilities(network.logits(test.batches[number][0]))
        np.testing.assert_allclose(found, expected, atol=1e-4)
        right = found.argmax(axis=1) == test.labels
        assert metrics["accuracy"] == pytest.approx(right.mean(), abs=0.01)

    def test_the_pipeline_of_a_commit_needs_no_more(self, committed: Project) -> None:
        apply(committed, MODEL)
        told = committed.run(
            "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
            "tests/pipeline/test_dvc_yaml.py",
        ).stdout  # fmt: skip
        assert re.search(r"^\d+ passed in", told, re.MULTILINE), told


class TestCorpus:
    address = "https://example.org/bookshop.csv"
    canonical, source = re.findall(r"sha256: (\w{64})", *patches(SECTIONS["A corpus of reviews"]))
    rows = tuple(
        (label, text)
        for label, name in enumerate(("neg.txt", "pos.txt"))
        for text in (FIXTURES / name).read_text("utf-8").split("\n")[:150]
    )
    table = delimited([("label", "review"), *rows])

    @pytest.fixture
    def extended(self, project: Project) -> Project:
        project.git("init", "--quiet", ".")
        apply(project, CORPUS)
        project.set("download.attempts", 1)
        return project

    @staticmethod
    def replace(project: Project, *pairs: tuple[str, str]) -> None:
        registry = project.root / paths.REGISTRY
        content = registry.read_text("utf-8")
        for old, new in pairs:
            assert content.count(old) == 1
            content = content.replace(old, new)
        registry.write_text(content, "utf-8")

    def check(self, project: Project) -> None:
        rows = pq.read_table(project.root / PREPARED_REVIEWS).to_pylist()
        assert {row["source"] for row in rows} == {"bookshop"}
        counts = json.loads((project.root / paths.REVIEW_COUNTS).read_text("utf-8"))
        assert (counts["rows"], counts["kept"]) == (300, len(rows))
        assert len(rows) > 250
        spelling = params.load(project.root / "params.yaml").prepare
        labels = {spelt(text, spelling): label for label, text in self.rows}
        assert [row["label"] for row in rows] == [labels[row["text"]] for row in rows]

    def test_each_wrong_hash_ends_in_an_error_with_the_right_one(
        self, extended: Project, serve
    ) -> None:
        unknown = ["f" * 64, "f" * 63 + "e"]  # unlike each other, to tell which is put right
        server = serve(sending(self.table))
        self.replace(
            extended,
            (self.address, f"{server.url}/bookshop.csv"),
            (self.source, unknown[0]),
            (self.canonical, unknown[1]),
        )
        for wrong, right in zip(unknown, (self.source, self.canonical), strict=True):
            result = repro(extended, "download@reviews", mirror="")
            assert result.returncode != 0
            errors = re.findall(r"^error: .*(?:\n  .*)*", result.stderr, re.MULTILINE)
            assert len(errors) == 1
            assert "no source gave '300 Chinese reviews" in errors[0]
            assert re.findall(r"[0-9a-f]{64}", errors[0]).count(right) == 1
            assert wrong in errors[0]
            assert "Traceback" not in result.stderr
            assert not (extended.root / paths.RAW_REVIEWS).exists()
            self.replace(extended, (wrong, right))
        assert ran(repro(extended, "prepare", mirror="")) == ["download@reviews", "prepare"]
        self.check(extended)

    def test_from_a_mirror_where_the_address_does_not_answer(
        self, extended: Project, tmp_path: Path
    ) -> None:
        mirror = tmp_path / "mirror"
        mirror.mkdir()
        (mirror / "bookshop.csv").write_bytes(self.table)
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        self.replace(extended, (self.address, f"http://127.0.0.1:{port}/bookshop.csv"))
        assert ran(repro(extended, "prepare", mirror)) == ["download@reviews", "prepare"]
        self.check(extended)


class TestLayer:
    @pytest.fixture
    def patched(self, committed: Project) -> ModuleType:
        apply(committed, LAYER)
        path = committed.root / "keras_repro/bundles/onnx_graph.py"
        spec = importlib.util.spec_from_file_location("patched_onnx_graph", path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        yield module
        del sys.modules[spec.name]

    @pytest.mark.parametrize("keepdims", [False, True])
    def test_it_is_exported_only_then(
        self,
        patched: ModuleType,
        keepdims: bool,  # noqa: FBT001
        tmp_path: Path,
    ) -> None:
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.Input((9, 7, 3), dtype="uint8", name="image"),
                layers.Rescaling(1 / 255),
                layers.Conv2D(4, 3, activation="relu"),
                layers.GlobalAveragePooling2D(keepdims=keepdims, name="mean"),
                layers.Flatten(),
                layers.Dense(5, name="logits"),
                layers.Softmax(name="probabilities"),
            ],
            name="mine",
        )
        with pytest.raises(ReproError, match="the layer mean is a GlobalAveragePooling2D"):
            onnx_graph.convert(model)
        path = tmp_path / "model.onnx"
        path.write_bytes(patched.convert(model))
        x = np.random.default_rng(1).integers(0, 256, (6, 9, 7, 3)).astype(np.uint8)
        expected = keras.Model(model.inputs, model.get_layer("logits").output).predict_on_batch(x)
        assert np.ptp(expected, axis=0).min() > 1e-3  # the images have different logits
        np.testing.assert_allclose(Network(path).logits(x), expected, rtol=1e-4, atol=1e-5)
