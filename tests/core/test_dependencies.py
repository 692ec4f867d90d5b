"""Stages that refuse a change of what they depend on while they run."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT, Project
from dvc.dependency import ParamsDependency
from dvc.repo import Repo

from keras_repro.core import dependencies, files, paths
from keras_repro.core.errors import ReproError

NAME = "mnist_functional"


def append(path: Path) -> None:
    """Change a file's content and nothing that it means."""
    path.write_bytes(path.read_bytes() + b"\n")


def renamed(path: Path) -> None:
    """Replace a file, as editors do."""
    other = path.with_name("other")
    other.write_bytes(path.read_bytes() + b"\n")
    other.replace(path)


class TestWhileDvcRuns:
    @pytest.mark.parametrize(
        ("named", "edit"),
        [
            (
                f"keras_repro/models/{NAME}.py",
                lambda project: append(project.root / f"keras_repro/models/{NAME}.py"),
            ),
            (
                f"params.yaml: models.{NAME}",
                lambda project: project.set(f"models.{NAME}.batch_size", 7),
            ),
            ("data/raw/mnist.npz", lambda project: renamed(project.root / "data/raw/mnist.npz")),
        ],
        ids=["source", "params", "data"],
    )
    def test_an_edit_ends_the_stage_and_nothing_is_recorded(
        self, small_run: Project, tmp_path: Path, named: str, edit: Callable[[Project], None]
    ) -> None:
        project = small_run.copy(tmp_path / "project")
        project.set(f"models.{NAME}.epochs", 2000)  # minutes
        project.set(f"models.{NAME}.callbacks.early_stopping", None)
        checkpoint = project.root / paths.checkpoint(NAME) / "checkpoint.npz"
        outputs = [paths.LOCK, paths.model(NAME), paths.history(NAME)]
        before = [(project.root / path).read_bytes() for path in outputs]
        with ThreadPoolExecutor() as pool:
            running = pool.submit(project.dvc, "repro", f"train@{NAME}")
            while not checkpoint.exists():
                assert not running.done(), running.result().stderr
                time.sleep(0.05)
            edit(project)
            result = running.result(timeout=60)
        assert result.returncode != 0
        told = f"error: {named}: changed while the stage train@{NAME} ran; expected it to stay"
        assert told in result.stderr
        assert "Traceback" not in result.stderr
        assert [(project.root / path).read_bytes() for path in outputs] == before
        assert checkpoint.exists()


class TestSnapshot:
    @pytest.fixture
    def check(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "words/more").mkdir(parents=True)
        (tmp_path / "words/a.txt").write_text("a")
        (tmp_path / "words/README.md").write_text("a")
        (tmp_path / ".dvcignore").write_text("/words/README.md\n__pycache__\n")
        (tmp_path / "data.bin").write_text("1")
        (tmp_path / "params.yaml").write_text("a: {b: 1, c: 2}\nd: 3\n")
        (tmp_path / "dvc.yaml").write_text(
            """
            stages:
              one:
                cmd: python -m stages.one
                deps: [words, data.bin, "s3://bucket/data.bin"]
                params: [a.b, d]
            """
        )
        monkeypatch.setenv(dependencies.STAGE, "one")
        return dependencies.watch()

    @pytest.mark.parametrize(
        "change",
        [
            lambda: None,
            lambda: os.utime("data.bin", (1, 1)),
            lambda: renamed_back(Path("data.bin")),
            lambda: Path("params.yaml").write_text("# Said.\nd: 3\na: {c: 7, b: 1}\n"),
            lambda: append(Path("words/README.md")),
            lambda: (Path("words/__pycache__").mkdir(), Path("words/__pycache__/a").touch()),
            lambda: Path("other").touch(),
        ],
        ids=["nothing", "time", "same", "other key", "ignored", "bytecode", "no dependency"],
    )
    def test_what_does_not_count(self, check: Callable, change: Callable) -> None:
        change()
        check()

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            (lambda: append(Path("data.bin")), r"data\.bin"),
            (lambda: Path("data.bin").unlink(), r"data\.bin"),
            (lambda: Path("words/more/b.txt").touch(), r"words/more/b\.txt"),
            (lambda: Path("words/a.txt").unlink(), r"words/a\.txt"),
            (lambda: Path("params.yaml").write_text("a: {b: 2}\nd: 3\n"), r"params\.yaml: a\.b"),
            (lambda: Path("params.yaml").write_text("a: {b: 1}\n"), r"params\.yaml: d"),
        ],
        ids=["edited", "removed", "new in a folder", "gone from it", "value", "key"],
    )
    def test_what_counts(self, check: Callable, change: Callable, named: str) -> None:
        change()
        with pytest.raises(ReproError, match=rf"^{named}: changed while the stage one ran"):
            check()

    def test_parameters_that_are_half_written(self, check: Callable) -> None:
        Path("params.yaml").write_text("a: {b")
        with pytest.raises(ReproError, match=r"^params\.yaml: cannot be read as YAML"):
            check()

    def test_output_is_not_replaced(
        self, check: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(files, "before_output", check)
        files.write_bytes(tmp_path / "output", b"before")
        append(Path("data.bin"))
        with pytest.raises(ReproError, match="changed while"):
            files.write_bytes(tmp_path / "output", b"after")
        assert (tmp_path / "output").read_bytes() == b"before"
        # What is no output, such as a checkpoint, is kept.
        files.write_bytes(paths.CACHE / "training/checkpoint.npz", b"after")
        assert (paths.CACHE / "training/checkpoint.npz").read_bytes() == b"after"

    def test_stage_that_nobody_declares(
        self, check: Callable, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(dependencies.STAGE, "further/dvc.yaml:two@a")
        with pytest.raises(ReproError, match=r"dvc\.yaml: has no stage two@a"):
            dependencies.watch()


def renamed_back(path: Path) -> None:
    """Replace a file by one of the same content."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def test_declared_is_what_dvc_itself_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    stages = Repo(str(ROOT)).index.stages
    assert len(stages) > 40
    for stage in stages:
        entry = dependencies.declared(stage.name)
        plain = [dep for dep in stage.deps if not isinstance(dep, ParamsDependency)]
        assert entry["deps"] == [dep.def_path for dep in plain]
        keys = {
            dep.def_path.removeprefix("../"): sorted(dep.params)
            for dep in stage.deps
            if isinstance(dep, ParamsDependency)
        }
        assert {name: sorted(some) for name, some in dependencies.parameters(entry).items()} == keys
