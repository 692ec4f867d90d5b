"""A grid of experiments, here and on a real Dask cluster: as `dvc exp run` would have left them."""

import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from clusters import PATIENCE, Cluster, add_workers, wait_for
from conftest import Project
from ruamel.yaml import YAML

from keras_repro.core import paths
from keras_repro.reproducibility import lock

pytestmark = pytest.mark.slow

NAME = "mnist_sequential"
TARGET = f"evaluate@{NAME}"
GRID = ("-S", f"models.{NAME}.units=[4],[8]", "-S", f"models.{NAME}.epochs=1,2")
POINTS = [(units, epochs) for units in ("[4]", "[8]") for epochs in (1, 2)]
NUMBERS = (1, 2, 3, 4)
WAITING = 400


@pytest.fixture(scope="session")
def expected(small_run: Project, shared: Callable) -> list[dict]:
    """What `dvc exp run` leaves of each point of the grid."""

    def make(root: Path) -> None:
        project = small_run.copy(root)
        for number, (units, epochs) in enumerate(POINTS, start=1):
            result = project.dvc(
                "exp", "run", "--name", f"plain-{number}", "-S", f"models.{NAME}.units={units}",
                "-S", f"models.{NAME}.epochs={epochs}", TARGET,
            )  # fmt: skip
            assert result.returncode == 0, result.stderr
            project.git("checkout", "--quiet", ".")

    project = Project(shared("plain_experiments", make))
    return [left(project, f"plain-{number}") for number in NUMBERS]


@pytest.fixture
def project(small_run: Project, tmp_path: Path) -> Project:
    return small_run.copy(tmp_path / "project")


def left(project: Project, name: str) -> dict[str, str]:
    """Return the lock and the metrics of an experiment."""
    base = project.git("rev-parse", "HEAD").strip()
    ref = f"refs/exps/{base[:2]}/{base[2:]}/{name}"
    names = project.git("ls-tree", "-r", "--name-only", ref).splitlines()
    wanted = [name for name in names if name == "dvc.lock" or name.startswith("metrics/")]
    return {name: project.git("show", f"{ref}:{name}") for name in wanted}


def sweep(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return project.run("keras_repro", "sweep", *GRID, "--name", "point", *arguments, TARGET)


def begun(project: Project, log: Path, *arguments: str) -> subprocess.Popen:
    """Return a sweep that goes on, and says in `log` what it does."""
    command = [sys.executable, "-m", "keras_repro", "sweep", *GRID, *arguments, TARGET]
    with log.open("w") as errors:
        return subprocess.Popen(command, cwd=project.root, env=project.environment(), stderr=errors)


def check(project: Project, expected: list[dict]) -> None:
    cache = project.root / ".dvc/cache"
    for number, plain in zip(NUMBERS, expected, strict=True):
        found = left(project, f"point-{number}")
        assert found == plain
        stage = YAML(typ="safe").load(found["dvc.lock"])["stages"][f"train@{NAME}"]
        (model,) = (out for out in stage["outs"] if out["path"] == str(paths.model(NAME)))
        assert lock.cached(cache, model["md5"]).is_file()
    assert project.git("status", "--porcelain", "--", ":!params.yaml") == ""


def test_on_this_machine(project: Project, expected: list[dict]) -> None:
    result = sweep(project, "--jobs", "2")
    assert result.returncode == 0, result.stderr
    check(project, expected)
    assert "point-4 is there" in result.stderr


def test_on_a_cluster_whose_checkouts_have_no_data(
    project: Project, cluster: Cluster, expected: list[dict], tmp_path: Path
) -> None:
    other = project.copy(tmp_path / "other")
    shutil.rmtree(other.root / ".dvc/cache")
    add_workers(cluster, other)
    project.set("cluster", cluster.address)
    result = sweep(project)
    assert result.returncode == 0, result.stderr
    check(project, expected)
    assert "each begins with what is not committed, too: params.yaml" in result.stderr


def test_a_worker_killed_half_way_costs_a_retry(
    project: Project, cluster: Cluster, expected: list[dict], tmp_path: Path
) -> None:
    victim, _ = add_workers(cluster, project)
    project.set("cluster", cluster.address)
    log = tmp_path / "sweep.log"
    running = begun(project, log, "--name", "point")
    (stage,) = wait_for(lambda: trainings(victim), WAITING)
    victim.kill()
    wait_for(lambda: not Path(f"/proc/{stage}").exists())  # nobody goes on for a dead worker
    assert running.wait(timeout=WAITING) == 0, log.read_text()
    check(project, expected)


def trainings(worker: subprocess.Popen) -> list[int]:
    """Return the processes of stages that a worker has started."""
    found = []
    for process in psutil.Process(worker.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it ends meanwhile
            if "stages.train" in process.cmdline():
                found.append(process.pid)
    return found


def test_ctrl_c_ends_what_runs(project: Project, cluster: Cluster, tmp_path: Path) -> None:
    (worker,) = add_workers(cluster, project, 1)
    project.set("cluster", cluster.address)
    running = begun(project, tmp_path / "log")
    wait_for(lambda: trainings(worker), WAITING)
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=PATIENCE) == 130
    wait_for(lambda: not trainings(worker))
    assert project.git("for-each-ref", "refs/exps", "refs/keras-repro") == ""


def test_a_lost_scheduler(project: Project, cluster: Cluster, tmp_path: Path) -> None:
    (worker,) = add_workers(cluster, project, 1)
    project.set("cluster", cluster.address)
    log = tmp_path / "log"
    running = begun(project, log)
    wait_for(lambda: trainings(worker), WAITING)
    cluster.scheduler.kill()
    assert running.wait(timeout=WAITING) == 1
    said = log.read_text()
    assert "Traceback" not in said, said
    assert said.splitlines()[-1].startswith("error: params.yaml: the scheduler of cluster is lost")


def test_a_worker_with_other_code_is_refused(
    project: Project, cluster: Cluster, tmp_path: Path
) -> None:
    other = project.copy(tmp_path / "other")
    with (other.root / "keras_repro/experiments/worker.py").open("a") as file:
        file.write("\n# changed\n")
    add_workers(cluster, other, 1)
    project.set("cluster", cluster.address)
    result = sweep(project)
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert "has code of keras_repro/experiments with sha256" in result.stderr


def test_one_that_fails_does_not_keep_the_others(project: Project) -> None:
    result = project.run(
        "keras_repro", "sweep", "-S", f"models.{NAME}.units=[4],[0]", "-n", "point", TARGET
    )
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    said = f"error: 1 of 2 experiments failed\npoint-2: params.yaml: models.{NAME}.units"
    assert said in result.stderr
    assert left(project, "point-1")
    again = project.run("keras_repro", "sweep", "-S", f"models.{NAME}.epochs=1", "-n", "point-1")
    assert "--name: the experiment point-1 is there already; expected another" in again.stderr
