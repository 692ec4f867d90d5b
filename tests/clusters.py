"""A real Dask cluster on loopback: a scheduler and workers as processes."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Project

PATIENCE = 60


class Cluster:
    """A scheduler and workers that end with the test."""

    def __init__(self, directory: Path, project: Project) -> None:
        self._file = directory / "scheduler.json"
        self._log = (directory / "cluster.log").open("w")
        self._processes: list[subprocess.Popen] = []
        self.scheduler = self._start(
            directory, {"PYTHONPATH": str(project.root)}, "scheduler", "--port", "0",
            "--scheduler-file", str(self._file), "--no-dashboard",
        )  # fmt: skip
        self.address = wait_for(self._known)["address"]

    def _known(self) -> dict:
        return json.loads(self._file.read_text()) if self._file.is_file() else {}

    def _start(self, cwd: Path, environment: dict, *arguments: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("dask")), *arguments, "--host", "127.0.0.1"],
            cwd=cwd,
            env=os.environ | environment,
            stdout=self._log,
            stderr=self._log,
        )
        self._processes.append(process)
        return process

    def add_worker(self, cwd: Path, **environment: str) -> subprocess.Popen:
        return self._start(
            cwd, environment, "worker", self.address, "--nthreads", "1", "--no-nanny",
            "--no-dashboard", "--local-directory", str(self._file.parent),
        )  # fmt: skip

    def close(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        self._log.close()


@pytest.fixture
def cluster(tmp_path: Path, project: Project) -> Iterator[Cluster]:
    directory = tmp_path / "cluster"
    directory.mkdir()
    found = Cluster(directory, project)
    yield found
    found.close()


def wait_for(condition: Callable[[], object], patience: float = PATIENCE) -> object:
    """Return the first true value of a condition."""
    end = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return value


def add_workers(cluster: Cluster, project: Project, count: int = 2) -> list[subprocess.Popen]:
    import distributed

    root = str(project.root)
    workers = [cluster.add_worker(project.root, PYTHONPATH=root) for _ in range(count)]
    with distributed.Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=PATIENCE)
    return workers
