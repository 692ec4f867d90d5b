"""What is verified after a change: what it can have touched, and in turn the rest."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import MODELS, ROOT, Project
from ruamel.yaml import YAML

from keras_repro.core.errors import ReproError
from keras_repro.reproducibility import rotation


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


FURTHER = ["layers", "words", "readings", "local", "transfer"]


def further() -> dict[str, dict]:
    """The lock of a further pipeline: what reads a text, and what reads nothing of the main one."""
    stages = {
        f"evaluate@{name}": entry({"tokens.npz": "1", "further.py": "1"}, {f"{name}.json": "1"})
        for name in FURTHER
    }
    return stages | {
        f"export@{MODELS[0]}": entry({f"{MODELS[0]}.keras": "1"}, {f"{MODELS[0]}.onnx": "1"})
    }


def test_to_verify_a_model_is_to_measure_and_to_pack_it() -> None:
    """In the locks of this repository, whatever else reads what a model predicts."""
    entries = rotation.locks(ROOT, "HEAD")
    found = rotation.groups(entries)
    for name in MODELS:
        reached = rotation.with_needs(found[name], entries)
        assert {f"{stage}@{name}" for stage in ("train", "evaluate", "export")} <= reached


class TestTouched:
    def found(self, stage: str, change: dict) -> set[str]:
        after = lock()
        after[stage] |= change
        return {
            name
            for name, stages in rotation.groups(after).items()
            if rotation.touched(stages, lock(), after)
        }

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
        assert rotation.touched(["evaluate@cifar10_cnn"], before, lock())
        assert not rotation.touched(["evaluate@mnist_functional"], before, lock())


class Repository:
    """A repository with a lock and a file of packages, and a commit that changes neither."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = Project(root)
        self.project.git("init", "--quiet", ".")
        self.write(lock())
        (root / "more").mkdir()
        self.write_further(further())
        (root / "requirements.lock").write_text("tensorflow==1\n")
        shutil.copyfile(ROOT / "params.yaml", root / "params.yaml")
        self.commit()

    def write(self, stages: dict[str, dict]) -> None:
        YAML().dump({"stages": stages}, self.root / "dvc.lock")

    def write_further(self, stages: dict[str, dict]) -> None:
        YAML().dump({"stages": stages}, self.root / "more/dvc.lock")

    def commit(self) -> str:
        self.project.git("add", "--all")
        self.project.git("commit", "--quiet", "--allow-empty", "--message", "A change")
        return self.project.git("rev-parse", "HEAD").strip()

    def due(self, since: str) -> list[str]:
        """Return the models that are due."""
        return [name for name in self.all_due(since) if name in MODELS]

    def all_due(self, since: str) -> list[str]:
        """Return all that is due, having looked that the rest is named."""
        stages, left_out = rotation.due(self.root, since)
        found = list(dict.fromkeys(stage.rpartition("@")[2] for stage in stages))
        assert sorted(found + left_out) == sorted(MODELS + FURTHER)
        return found

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


def test_a_model_is_verified_with_its_bundle(repository: Repository) -> None:
    stages, _ = rotation.due(repository.root, "HEAD")
    assert stages[:2] == [f"evaluate@{MODELS[0]}", f"more/dvc.yaml:export@{MODELS[0]}"]


def test_what_is_no_model_has_its_turn(repository: Repository) -> None:
    runs = [set(repository.all_due(repository.commit())) & set(FURTHER) for _ in range(4)]
    assert set.union(*runs) == set(FURTHER)
    assert all(len(run) <= 2 for run in runs)


def test_it_is_verified_at_once_if_it_alone_was_touched(repository: Repository) -> None:
    since = repository.commit()
    stages = further()
    for name in FURTHER:
        stages[f"evaluate@{name}"]["deps"][1]["md5"] = "2"
    repository.write_further(stages)
    repository.commit()
    assert set(repository.all_due(since)) >= set(FURTHER)
    # Where models were touched as well, it waits.
    changed = lock()
    changed["prepare"]["outs"][0]["md5"] = "2"
    repository.write(changed)
    for name in FURTHER:
        stages[f"evaluate@{name}"]["deps"][1]["md5"] = "3"
    repository.write_further(stages)
    repository.commit()
    assert len(set(repository.all_due("HEAD~1")) & set(FURTHER)) <= 2


class TestNames:
    def test_a_model_and_a_stage(self, repository: Repository) -> None:
        found = rotation.stages_of(repository.root, MODELS[0])
        assert found == [f"evaluate@{MODELS[0]}", f"more/dvc.yaml:export@{MODELS[0]}"]
        assert rotation.stages_of(repository.root, "prepare") == ["prepare"]
        assert rotation.stages_of(repository.root, "layers") == ["more/dvc.yaml:evaluate@layers"]

    def test_nothing_of_that_name(self, repository: Repository) -> None:
        with pytest.raises(ReproError, match=r"dvc\.lock: has nothing called 'lstm'; expected one"):
            rotation.stages_of(repository.root, "lstm")


def test_a_commit_that_had_no_lock_yet(repository: Repository) -> None:
    (repository.root / "dvc.lock").unlink()
    since = repository.commit()
    repository.write(lock())
    repository.commit()
    assert repository.due(since) == MODELS


def test_a_commit_that_nobody_knows(repository: Repository) -> None:
    with pytest.raises(ReproError, match=r"--since: git .* nowhere .*; expected a commit"):
        repository.due("nowhere")
