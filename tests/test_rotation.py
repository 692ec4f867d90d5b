"""What is verified after a change: what it can have touched, and in turn the rest."""

from itertools import pairwise
from pathlib import Path

import pytest
from conftest import Project
from ruamel.yaml import YAML

from stages import ReproError, params
from stages.reproducibility import rotation

MODELS = list(params.Models.model_fields)


def entry(deps: dict[str, str], outs: dict[str, str]) -> dict:
    return {
        kind: [{"path": path, "md5": md5} for path, md5 in found.items()]
        for kind, found in (("deps", deps), ("outs", outs))
    }


def lock() -> dict[str, dict]:
    """A lock in which each model has the stages that it has in dvc.yaml."""
    stages = {
        "download@images": entry({"registry.yaml": "1"}, {"images.npz": "1"}),
        "prepare": entry({"raw.parquet": "1"}, {"reviews.parquet": "1"}),
        "tokenize": entry({"reviews.parquet": "1"}, {"tokens.npz": "1"}),
    }
    for name in MODELS:
        data = "tokens.npz" if name.startswith("sentiment") else "images.npz"
        stages[f"train@{name}"] = entry({data: "1", f"{name}.py": "1"}, {f"{name}.keras": "1"})
        stages[f"evaluate@{name}"] = entry({f"{name}.keras": "1"}, {f"{name}.json": "1"})
    return stages


class TestTouched:
    def found(self, stage: str, change: dict) -> set[str]:
        after = lock()
        after[stage] |= change
        return {name for name in MODELS if rotation.touched(name, lock(), after)}

    def test_nothing(self) -> None:
        assert self.found("prepare", {}) == set()

    @pytest.mark.parametrize("kind", ["train", "evaluate"])
    def test_by_a_stage_of_its_own(self, kind: str) -> None:
        assert self.found(f"{kind}@cifar10_cnn", {"params": {"a": 1}}) == {"cifar10_cnn"}

    def test_by_a_stage_long_before_it_that_left_the_same(self) -> None:
        changed = entry({"raw.parquet": "2"}, {"reviews.parquet": "1"})
        assert self.found("prepare", changed) == {"sentiment_bilstm", "sentiment_hybrid"}

    def test_a_new_model(self) -> None:
        before = lock()
        del before["train@cifar10_cnn"]
        assert rotation.touched("cifar10_cnn", before, lock())
        assert not rotation.touched("mnist_functional", before, lock())


class Repository:
    """A repository with a lock and a file of packages, and a commit that changes neither."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = Project(root)
        self.project.git("init", "--quiet", ".")
        self.write(lock())
        (root / "requirements.lock").write_text("tensorflow==1\n")
        self.commit()

    def write(self, stages: dict[str, dict]) -> None:
        YAML().dump({"stages": stages}, self.root / "dvc.lock")

    def commit(self) -> str:
        self.project.git("add", "--all")
        self.project.git("commit", "--quiet", "--allow-empty", "--message", "A change")
        return self.project.git("rev-parse", "HEAD").strip()

    def due(self, since: str) -> list[str]:
        return rotation.due(self.root, since)

    def after(self, commits: int) -> list[str]:
        """Return what is due after a number of commits that touch no model."""
        since = self.project.git("rev-parse", "HEAD").strip()
        for _ in range(commits):
            self.commit()
        return self.due(since)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (2, 2, 1), (1, 3, 2, 1, 1), (5, 1, 4, 3)])
def test_none_is_left_out_twice_in_a_row(repository: Repository, sizes: tuple[int, ...]) -> None:
    runs = [set(repository.after(size)) for size in sizes]
    assert all(runs)
    assert all(first | second == set(MODELS) for first, second in pairwise(runs))
    # Where nothing forbids it, about half is left out.
    for run, size in zip(runs, sizes, strict=True):
        assert (len(run) < len(MODELS)) == (size % 2 == 1)


def test_what_a_change_touched_is_verified_whosever_turn_it_is(repository: Repository) -> None:
    for name in MODELS:
        since = repository.commit()
        stages = lock()
        stages[f"train@{name}"]["params"] = {"changed for": name}
        repository.write(stages)
        repository.commit()
        assert name in repository.due(since)


def test_other_packages_touch_everything_if_they_can_change_a_byte(repository: Repository) -> None:
    since = repository.commit()
    path = repository.root / "requirements.lock"
    path.write_text("celery==5\ntensorflow==1\n")
    repository.commit()
    assert len(repository.due(since)) < len(MODELS)
    path.write_text("celery==5\ntensorflow==2\n")
    repository.commit()
    assert repository.due("HEAD~1") == MODELS


def test_a_commit_that_had_no_lock_yet(repository: Repository) -> None:
    (repository.root / "dvc.lock").unlink()
    since = repository.commit()
    repository.write(lock())
    repository.commit()
    assert repository.due(since) == MODELS


def test_a_commit_that_nobody_knows(repository: Repository) -> None:
    with pytest.raises(ReproError, match=r"--since: git .* nowhere .*; expected a commit"):
        repository.due("nowhere")
