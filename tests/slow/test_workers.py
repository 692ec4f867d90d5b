"""Trainings of several real processes on loopback: the same bytes, and one message for a fault."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from conftest import Project

from keras_repro.core import files, paths

pytestmark = pytest.mark.slow

FAMILIES = ("mnist_sequential", "cifar10_cnn", "sentiment_bilstm", "sentiment_hybrid")
PARTS = ("wide", "gate", "reader")
SHARDS = 4
EPOCHS = 8
WAITING = 300  # seconds, on a machine with other work
LONG = "sentiment_bilstm"


class Process:
    """`python -m ARGUMENTS` in a session of its own, and what it says."""

    def __init__(
        self, project: Project, log: Path, *arguments: str, before: Sequence[str] = ()
    ) -> None:
        self._log = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", *arguments],
                cwd=project.root,
                env=project.environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text("utf-8")

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until it has said something so many times."""
        wait_until(lambda: self.output.count(text) >= times, lambda: self.output)

    def end(self) -> None:
        for number in (signal.SIGCONT, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                break
        self.process.wait()


class Worker(Process):
    """A worker on a free port; its trainings are its children."""

    def __init__(
        self, project: Project, log: Path, host: str = "127.0.0.1", before: Sequence[str] = ()
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"tcp://{host}:{free.getsockname()[1]}"
        super().__init__(project, log, "stages.train", "--worker", self.address, before=before)
        self.wait_for("waiting for a chief")

    def signal(self, number: int) -> None:
        """Send a signal to the training."""
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        (child,) = Path(children).read_text().split()
        os.kill(int(child), number)


def wait_until(condition: Callable[[], object], told: Callable[[], str]) -> None:
    deadline = time.monotonic() + WAITING
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.01)


class Network:
    """A machine of its own behind a cable, as Linux has them: a namespace and a pair of devices."""

    def __init__(self) -> None:
        self._name = f"kr{os.getpid()}"
        self._ours = f"{self._name}a"
        self.inside = ("ip", "netns", "exec", self._name)

    def make(self) -> None:
        theirs = f"{self._name}b"
        self.call("ip", "netns", "add", self._name)
        ends = ("type", "veth", "peer", "name", theirs, "netns", self._name)
        self.call("ip", "link", "add", self._ours, *ends)
        self.call("ip", "address", "add", "10.231.77.1/30", "dev", self._ours)
        self.call(*self.inside, "ip", "address", "add", "10.231.77.2/30", "dev", theirs)
        for device in ("lo", theirs):
            self.call(*self.inside, "ip", "link", "set", device, "up")
        self.set("up")

    def set(self, state: str) -> None:
        """Put the cable in or pull it out."""
        self.call("ip", "link", "set", self._ours, state)

    def worsen(self, *how: str) -> None:
        """Delay or lose packets."""
        self.call("tc", "qdisc", "add", "dev", self._ours, "root", "netem", *how)

    def close(self) -> None:
        for kind, name in (("link", self._ours), ("netns", self._name)):
            subprocess.run(["ip", kind, "del", name], check=False, capture_output=True)

    @staticmethod
    def call(*command: str) -> None:
        result = subprocess.run(command, check=False, capture_output=True, text=True)
        if result.returncode:
            pytest.skip(f"{' '.join(command)}: {result.stderr.strip()}")


@pytest.fixture
def network() -> Iterator[Network]:
    """Skip where this user, or this kernel, cannot make one."""
    if os.geteuid() or not shutil.which("ip"):
        pytest.skip("needs root and iproute2")
    made = Network()
    try:
        made.make()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def sharded(small_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small project whose models have shards, and whose longest training can be met half-way."""
    project = small_run.copy(tmp_path_factory.mktemp("workers") / "project")
    for name in FAMILIES:
        for part in PARTS if name == "sentiment_hybrid" else [""]:
            project.set(".".join(filter(None, ("models", name, part, "shards"))), SHARDS)
    return project


@pytest.fixture(scope="module")
def workers(sharded: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Worker]]:
    logs = tmp_path_factory.mktemp("logs")
    started = [Worker(sharded, logs / str(number)) for number in range(3)]
    yield started
    for worker in started:
        worker.end()


def outputs(project: Project, name: str) -> list[str]:
    return [files.sha256(project.root / path) for path in (paths.model(name), paths.history(name))]


def trained(project: Project, name: str, workers: list[Worker]) -> list[str]:
    """Return the hashes of what a training leaves."""
    project.set("workers", [worker.address for worker in workers] or None)
    for path in (paths.model(name), paths.history(name)):
        (project.root / path).unlink()
    result = project.run("stages.train", name)
    assert result.returncode == 0, result.stderr + "".join(worker.output for worker in workers)
    return outputs(project, name)


@pytest.mark.turns(len(FAMILIES))
@pytest.mark.parametrize("name", FAMILIES)
def test_the_bytes_do_not_tell_how_many_machines_there_were(
    sharded: Project, workers: list[Worker], name: str
) -> None:
    before = outputs(sharded, name)
    alone = trained(sharded, name, [])
    assert alone != before  # the shards belong to the result
    assert trained(sharded, name, workers[:1]) == alone
    assert trained(sharded, name, workers) == alone


@pytest.fixture(scope="module")
def long(sharded: Project) -> Project:
    """A training of many epochs."""
    sharded.set(f"models.{LONG}.epochs", EPOCHS)
    sharded.set(f"models.{LONG}.batch_size", 16)
    sharded.set(f"models.{LONG}.callbacks.early_stopping.patience", EPOCHS)
    return sharded


@pytest.fixture(scope="module")
def expected(long: Project) -> list[str]:
    return trained(long, LONG, [])


class TestFaults:
    """Somebody is lost in the midst of a training; the next one ends in the same bytes."""

    @pytest.fixture(params=[0, 1, 5])
    def chief(
        self, long: Project, workers: list[Worker], tmp_path: Path, request: pytest.FixtureRequest
    ) -> Iterator[Process]:
        """A chief that has trained for so many epochs with a worker."""
        long.set("workers", [workers[0].address])
        started = Process(long, tmp_path / "chief", "stages.train", LONG)
        epochs = request.param
        started.wait_for(f"epoch {epochs} of {EPOCHS}: " if epochs else "weights, ")
        yield started
        started.end()

    def check(self, chief: Process, project: Project, expected: list[str], said: str) -> None:
        assert chief.process.wait(timeout=WAITING) == 1, chief.output
        (message,) = re.findall(r"^error: .*$", chief.output, re.MULTILINE)
        assert re.match(said, message), message
        assert "Traceback" not in chief.output
        result = project.run("stages.train", LONG)
        assert result.returncode == 0, result.stderr
        assert outputs(project, LONG) == expected

    @pytest.mark.turns(3)
    def test_a_worker_is_killed(
        self, expected: list[str], chief: Process, long: Project, workers: list[Worker]
    ) -> None:
        workers[0].signal(signal.SIGKILL)
        said = f"error: worker {workers[0].address}: is lost .*`dvc repro` goes on after the last"
        self.check(chief, long, expected, said)

    @pytest.mark.turns(3)
    def test_a_worker_stops_answering(
        self, expected: list[str], chief: Process, long: Project, workers: list[Worker]
    ) -> None:
        workers[0].signal(signal.SIGSTOP)
        said = f"error: worker {workers[0].address}: gave no sign of life for 60 s"
        try:
            assert chief.process.wait(timeout=WAITING) == 1
        finally:
            workers[0].signal(signal.SIGKILL)
        self.check(chief, long, expected, said)

    @pytest.mark.turns(3)
    def test_the_chief_is_killed(
        self, expected: list[str], chief: Process, long: Project, workers: list[Worker]
    ) -> None:
        lost = workers[0].output.count("error: chief 127.0.0.1: is lost")
        chief.process.kill()
        chief.process.wait()
        workers[0].wait_for("error: chief 127.0.0.1: is lost", lost + 1)
        result = long.run("stages.train", LONG)
        assert result.returncode == 0, result.stderr
        assert outputs(long, LONG) == expected


class TestNetwork:
    """A worker on a machine of its own, behind a cable that is bad or pulled out for a time."""

    @pytest.fixture
    def far(self, long: Project, network: Network, tmp_path: Path) -> Iterator[Worker]:
        started = Worker(long, tmp_path / "far", "10.231.77.2", network.inside)
        yield started
        started.end()

    @pytest.mark.turns(3)
    @pytest.mark.parametrize("epochs", [0, 1, 5])
    def test_without_a_network_for_20_s(
        self,
        expected: list[str],
        long: Project,
        network: Network,
        far: Worker,
        tmp_path: Path,
        epochs: int,
    ) -> None:
        long.set("workers", [far.address])
        chief = Process(long, tmp_path / "chief", "stages.train", LONG)
        chief.wait_for(f"epoch {epochs} of {EPOCHS}: " if epochs else "weights, ")
        network.set("down")
        time.sleep(20)
        assert chief.process.poll() is None, chief.output
        network.set("up")
        assert chief.process.wait(timeout=WAITING) == 0, chief.output
        assert outputs(long, LONG) == expected

    def test_with_delay_and_loss(
        self, expected: list[str], long: Project, network: Network, far: Worker
    ) -> None:
        network.worsen("delay", "20ms", "5ms", "loss", "1%")
        assert trained(long, LONG, [far]) == expected


def test_a_worker_with_other_data_is_refused(
    sharded: Project, tmp_path: Path, workers: list[Worker]
) -> None:
    other = sharded.copy(tmp_path / "other")
    data = other.root / paths.raw_images("mnist")
    arrays = files.read_npz(data, ["x_train", "y_train", "x_test", "y_test"])
    files.write_npz(data, arrays | {"x_test": arrays["x_test"][::-1]})
    worker = Worker(other, tmp_path / "log")
    sharded.set("workers", [worker.address])
    result = sharded.run("stages.train", "mnist_sequential")
    worker.end()
    assert result.returncode == 1
    said = f"error: worker {worker.address}: has other data: data/raw/mnist.npz is "
    assert result.stderr.splitlines()[-1].startswith(said), result.stderr


def test_nobody_answers(sharded: Project) -> None:
    sharded.set("workers", ["tcp://nowhere.invalid:8790"])
    result = sharded.run("stages.train", "mnist_sequential")
    assert result.returncode == 1
    (message,) = result.stderr.splitlines()
    assert message.startswith(
        "error: params.yaml: workers has tcp://nowhere.invalid:8790, and nobody answers there"
    )
