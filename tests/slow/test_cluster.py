"""The text stages on a real Dask cluster: a scheduler and two workers as processes on loopback."""

import functools
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from clusters import PATIENCE, Cluster, add_workers, wait_for
from conftest import FIXTURES, SEGMENTED_REVIEWS, Project, hashes, many_reviews
from ruamel.yaml import YAML

from keras_repro.core import files, paths

pytestmark = pytest.mark.slow

TEXT_STAGES = ("prepare", "segment", "tokenize")


def test_same_lock_as_locally(tmp_path: Path, small_run: Project, cluster: Cluster) -> None:
    project = small_run.copy(tmp_path / "copy")
    before, lock = hashes(project.root), read_lock(project)
    (project.root / "dvc.lock").unlink()
    for stage in ("interim", "processed"):
        for path in (project.root / "data" / stage).iterdir():
            path.unlink()
    add_workers(cluster, project)
    project.set("cluster", cluster.address)
    result = project.run("dvc", "repro", "--no-run-cache", "tokenize", DATA_MIRROR=str(FIXTURES))
    assert result.returncode == 0, result.stderr
    after = hashes(project.root)
    assert {"data/interim/segmented.parquet", "data/processed/reviews.npz"} <= after.keys()
    assert after == {path: before[path] for path in after}
    found = read_lock(project)
    assert {stage: found[stage] for stage in TEXT_STAGES} == {
        stage: lock[stage] for stage in TEXT_STAGES
    }


def test_a_cluster_starts_who_trains_to_the_same_bytes(
    tmp_path: Path, small_run: Project, cluster: Cluster
) -> None:
    project = small_run.copy(tmp_path / "copy")
    name, model = "mnist_sequential", project.root / paths.model("mnist_sequential")
    project.set(f"models.{name}.shards", 3)
    assert project.run("stages.train", name).returncode == 0
    alone = files.sha256(model)
    model.unlink()
    add_workers(cluster, project)
    project.set("cluster", cluster.address)
    project.set("workers", "cluster")
    result = project.run("stages.train", name)
    assert result.returncode == 0, result.stderr
    assert files.sha256(model) == alone


def read_lock(project: Project) -> dict:
    return YAML(typ="safe").load(project.root / "dvc.lock")["stages"]


def test_a_worker_killed_half_way_changes_no_byte(project: Project, cluster: Cluster) -> None:
    count = 60_000
    many_reviews(project, count)
    segmented = project.root / SEGMENTED_REVIEWS
    result = project.run("stages.segment")
    assert result.returncode == 0, result.stderr
    expected = files.sha256(segmented)
    segmented.unlink()
    victim, _ = add_workers(cluster, project)
    project.set("cluster", cluster.address)
    log = project.root / "segment.log"
    with log.open("w") as errors:
        stage = subprocess.Popen(
            [sys.executable, "-m", "stages.segment"],
            cwd=project.root,
            env=project.environment(),
            stderr=errors,
        )
    temporary = functools.partial(segmented.parent.glob, ".segmented.parquet.*.tmp")
    done = re.compile(rf"(\d+)/{count}")
    wait_for(lambda: any(int(number) for number in done.findall(log.read_text())))
    assert list(temporary()), "the stage ended before the worker was killed"
    victim.kill()
    assert stage.wait(timeout=PATIENCE * 2) == 0, log.read_text()
    assert files.sha256(segmented) == expected
    assert not list(temporary())


def test_no_scheduler_at_the_address(project: Project) -> None:
    many_reviews(project, 10)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    project.set("cluster", address)
    result = project.run("stages.segment")
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert f"error: params.yaml: cluster is '{address}', and no Dask" in result.stderr
    assert "expected one (`dask scheduler`) or null" in result.stderr


def test_scheduler_without_workers(project: Project, cluster: Cluster) -> None:
    many_reviews(project, 10)
    project.set("cluster", cluster.address)
    result = project.run("stages.segment")
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert "whose scheduler has no worker; expected at least one" in result.stderr


def test_worker_with_other_code_is_refused(
    tmp_path: Path, project: Project, cluster: Cluster
) -> None:
    many_reviews(project, 10)
    other = project.copy(tmp_path / "other")
    with (other.root / "keras_repro/text/segmentation.py").open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    add_workers(cluster, other, 1)
    project.set("cluster", cluster.address)
    result = project.run("stages.segment")
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert "has code of keras_repro/text with sha256" in result.stderr
    assert not (project.root / SEGMENTED_REVIEWS).exists()


def test_worker_outside_a_checkout_is_refused(
    tmp_path: Path, project: Project, cluster: Cluster
) -> None:
    import distributed

    many_reviews(project, 10)
    # `make setup` lets its Python import this project from anywhere, so another stands before it:
    # no package, or the finder of an editable install would still give its modules.
    other = tmp_path / "other"
    other.mkdir()
    (other / "keras_repro.py").touch()
    cluster.add_worker(other, PYTHONPATH=str(other))
    with distributed.Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=PATIENCE)
    project.set("cluster", cluster.address)
    result = project.run("stages.segment")
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert "cannot import this project" in result.stderr
