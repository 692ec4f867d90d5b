"""Real processes killed at any moment: the next `dvc repro` ends in the same bytes.

SIGKILL goes to DVC, the stage and its workers alike, as when a machine goes down.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import (
    FIXTURES,
    SEGMENTED_REVIEWS,
    Project,
    hashes,
    make_project,
    make_small,
    many_reviews,
)
from ruamel.yaml import YAML

from keras_repro.core import files, parquet

pytestmark = pytest.mark.slow

# How often each stage is killed, each time at another moment: 27 in all.
KILLS = {
    "download@mnist": 2,
    "prepare": 3,
    "segment": 4,
    "tokenize": 3,
    "train@cifar10_cnn": 4,
    "train@sentiment_bilstm": 4,
    "train@sentiment_hybrid": 3,
    "evaluate@cifar10_cnn": 2,
    "evaluate@sentiment_bilstm": 2,
}
EPOCHS = 5


class Run:
    """`python -m ARGUMENTS` in a session of its own, which can be killed as a whole."""

    def __init__(self, project: Project, *arguments: str) -> None:
        self.log = project.root.parent / "log"
        with self.log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=project.root,
                env=project.environment(DATA_MIRROR=str(FIXTURES)),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self.log.read_text("utf-8")

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds, which must be while the process runs."""
        deadline = time.monotonic() + 120
        while not condition():
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.0005)

    def kill(self) -> None:
        """Kill the session and wait until none of its processes is left."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        deadline = time.monotonic() + 20
        while members(self.process.pid):
            assert time.monotonic() < deadline, f"still there: {members(self.process.pid)}"
            time.sleep(0.05)


def members(session: int) -> list[str]:
    """Return the commands of a session's processes that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, fields = path.read_text().rpartition(") ")
            state, _, _, number, *_ = fields.split()
            if int(number) == session and state != "Z":
                found.append((path.parent / "cmdline").read_text().replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def timed_run(project: Project) -> dict[str, float]:
    """Run the whole graph and return how many seconds each stage took."""
    started: dict[str, float] = {}
    run = Run(project, "dvc", "repro")
    while run.process.poll() is None:
        for line in run.output.splitlines():
            if line.startswith("Running stage"):
                started.setdefault(line.split("'")[1], time.monotonic())
        time.sleep(0.02)
    assert run.process.returncode == 0, run.output
    ends = [*list(started.values())[1:], time.monotonic()]
    return {stage: end - start for (stage, start), end in zip(started.items(), ends, strict=True)}


class Reference:
    """A project after an uninterrupted run, with the hash of each output and each stage's time."""

    def __init__(self, project: Project, seconds: dict[str, float]) -> None:
        self.project = project
        self.seconds = seconds
        self.hashes = hashes(project.root)
        self.lock = project.root / "dvc.lock"
        self.whole = self.lock.read_bytes()

    def forget(self, stage: str) -> None:
        """Leave the project as if a stage had never run."""
        self.forget_locks()
        yaml = YAML()
        content = yaml.load(self.whole)
        for out in content["stages"].pop(stage)["outs"]:
            (self.project.root / out["path"]).unlink(missing_ok=True)
        yaml.dump(content, self.lock)
        self.without = self.lock.read_bytes()

    def repeat(self) -> subprocess.CompletedProcess[str]:
        """Run `dvc repro` once more, as docs/reproducibility.md tells whoever was interrupted."""
        again = self.project.run("dvc", "repro", DATA_MIRROR=str(FIXTURES))
        if "Unable to read RWLock-file" in again.stderr:
            self.forget_locks()
            again = self.project.run("dvc", "repro", DATA_MIRROR=str(FIXTURES))
        if "dvc.lock" in again.stderr and "Running stage" not in again.stdout:
            # Nor does it write this one beside its place; Git has the earlier one.
            self.lock.write_bytes(self.without)
            again = self.project.run("dvc", "repro", DATA_MIRROR=str(FIXTURES))
        assert again.returncode == 0, again.stdout + again.stderr
        return again

    def forget_locks(self) -> None:
        """Remove what DVC 3 empties before it writes it, and may be killed in between."""
        (self.project.root / ".dvc/tmp/rwlock").unlink(missing_ok=True)

    def check(self) -> None:
        """Compare all outputs, and look for what a killed process could have left."""
        assert hashes(self.project.root) == self.hashes
        kept = ("data", "models", "metrics", ".cache/scratch", ".cache/training")
        found = [path for name in kept for path in (self.project.root / name).rglob("*")]
        left = {path for path in found if path.is_file()} - self.others
        assert not [path for path in left if self.outputs.isdisjoint((path, *path.parents))]

    @property
    def outputs(self) -> set[Path]:
        return {self.project.root / path for path in self.hashes}

    @property
    def others(self) -> set[Path]:
        """What lies beside the outputs and is none."""
        tracked = self.project.git("ls-files", "--cached", "--others", "--exclude-standard")
        return {
            self.project.root / name for name in tracked.splitlines() if not name.endswith(".tmp")
        }


@pytest.fixture(scope="module")
def reference(
    tmp_path_factory: pytest.TempPathFactory, sources: list[str], shared: Callable
) -> Reference:
    def make(root: Path) -> None:
        project = make_project(root / "project", sources)
        make_small(project, EPOCHS)
        # All that has a state of its own: dropout, early stopping, and a learning rate that falls
        # with the validation accuracy; sentiment_bilstm's falls along a cosine, which allows no
        # other fall.
        reducing = {"monitor": "val_accuracy", "factor": 0.5, "patience": 1}
        project.set("models.cifar10_cnn.callbacks.reduce_learning_rate", reducing)
        project.set("models.cifar10_cnn.decay", None)
        for name, size in {"cifar10_cnn": 8, "sentiment_bilstm": 32}.items():
            project.set(f"models.{name}.batch_size", size)
            project.set(f"models.{name}.dropout", 0.5)
            # The fourth epoch, after which training is killed, must always come.
            project.set(f"models.{name}.callbacks.early_stopping.patience", 3)
        subprocess.run(["git", "init", "--quiet", "."], cwd=project.root, check=True)
        files.write_json(root / "seconds.json", timed_run(project))

    made = shared("crashes", make)
    copy = Project(made / "project").copy(tmp_path_factory.mktemp("crashes") / "project")
    return Reference(copy, files.read_json(made / "seconds.json"))


@pytest.mark.turns(3)
@pytest.mark.parametrize(
    ("stage", "moment"),
    [
        (stage, (number + np.random.default_rng([*stage.encode(), number]).random()) / times)
        for stage, times in KILLS.items()
        for number in range(times)
    ],
)
def test_killed_at_a_random_moment(reference: Reference, stage: str, moment: float) -> None:
    done = True
    while done:  # hardly ever twice: a kill that comes too late is none
        reference.forget(stage)
        run = Run(reference.project, "dvc", "repro")
        run.wait_until(lambda: f"Running stage '{stage}'" in run.output)  # noqa: B023
        time.sleep(moment * reference.seconds[stage])
        run.kill()
        done = f"\n  {stage}:\n" in reference.lock.read_text("utf-8")
        moment *= 0.7
        assert moment > 1e-4, f"{stage} was always done"
    reference.repeat()
    reference.check()


class TestTraining:
    """Training killed at moments that matter, and what the second run says of the first."""

    @staticmethod
    def repeat(reference: Reference, name: str, expected: str) -> None:
        again = reference.repeat()
        assert re.search(rf"\.cache/training/{name}/checkpoint\.npz: {expected}", again.stderr)
        reference.check()

    def start(self, reference: Reference, name: str) -> Run:
        reference.forget(f"train@{name}")
        return Run(reference.project, "dvc", "repro")

    @pytest.mark.parametrize("name", ["cifar10_cnn", "sentiment_bilstm"])
    def test_in_the_midst_of_an_epoch(self, reference: Reference, name: str) -> None:
        run = self.start(reference, name)
        run.wait_until(lambda: f"epoch 3 of {EPOCHS}: " in run.output)  # it has ended
        time.sleep(0.1)
        run.kill()
        # The third where an epoch takes over a tenth of a second and a checkpoint less.
        self.repeat(reference, name, "going on after epoch [234]")

    def test_while_a_checkpoint_is_written(self, reference: Reference) -> None:
        name = "cifar10_cnn"
        directory = reference.project.root / ".cache/training" / name
        run = self.start(reference, name)
        run.wait_until((directory / "checkpoint.npz").exists)
        run.wait_until(lambda: any(directory.glob(".checkpoint.npz.*.tmp")))
        run.kill()
        # Whether it had just become whole is told by the epoch that is gone on from.
        self.repeat(reference, name, "going on after epoch ")

    def test_while_the_model_is_written(self, reference: Reference) -> None:
        name = "cifar10_cnn"
        scratch = reference.project.root / ".cache/scratch"
        run = self.start(reference, name)
        run.wait_until(lambda: any(scratch.glob("*/*.keras")))
        run.kill()
        self.repeat(reference, name, "going on after epoch ")

    @pytest.mark.parametrize("name", ["cifar10_cnn", "sentiment_bilstm"])
    def test_again_and_again(self, reference: Reference, name: str) -> None:
        run = self.start(reference, name)
        for epoch in (2, 3, 4):
            run.wait_until(lambda: f"epoch {epoch} of {EPOCHS}: " in run.output)  # noqa: B023
            run.kill()
            reference.forget_locks()
            run = Run(reference.project, "dvc", "repro")
        run.kill()
        self.repeat(reference, name, "going on after epoch [34]")

    def test_truncated_checkpoint(self, reference: Reference) -> None:
        name = "cifar10_cnn"
        run = self.start(reference, name)
        run.wait_until(lambda: f"epoch 3 of {EPOCHS}" in run.output)
        run.kill()
        path = reference.project.root / ".cache/training" / name / "checkpoint.npz"
        path.write_bytes(path.read_bytes()[:-1000])
        self.repeat(reference, name, "not used, training starts anew: it is damaged: ")


def test_stage_that_outlived_dvc_is_not_joined(reference: Reference) -> None:
    name = "sentiment_bilstm"
    reference.forget(f"train@{name}")
    run = Run(reference.project, "stages.train", name)
    run.wait_until(lambda: "epoch 1 of" in run.output)
    os.kill(run.process.pid, signal.SIGSTOP)  # or it could be done before the other one starts
    second = reference.project.run("dvc", "repro")
    os.kill(run.process.pid, signal.SIGCONT)
    assert second.returncode != 0
    expected = f"error: .cache/training/{name}: another process is training here; expected none"
    assert expected in second.stderr
    assert run.process.wait(timeout=120) == 0
    assert reference.project.run("dvc", "repro").returncode == 0
    reference.check()


def test_workers_end_with_their_parent(project: Project) -> None:
    many_reviews(project, 60_000)
    run = Run(project, "stages.segment")
    run.wait_until(lambda: any("spawn_main" in line for line in members(run.process.pid)))
    os.kill(run.process.pid, signal.SIGKILL)  # the parent alone
    run.process.wait()
    deadline = time.monotonic() + 20
    while members(run.process.pid):
        assert time.monotonic() < deadline, members(run.process.pid)
        time.sleep(0.05)
    assert project.run("stages.segment").returncode == 0
    assert parquet.count_rows(project.root / SEGMENTED_REVIEWS) == 60_000
