"""`dvc push`, `dvc pull` and the model registry through a real SSH server on loopback."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Project, hashes

from keras_repro.core import files

pytestmark = pytest.mark.slow

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
NAME = "sentiment_bilstm"
MODEL = f"models/{NAME}/model.keras"


class SshServer:
    """Debian's OpenSSH server with keys of its own, on a free port."""

    def __init__(self, directory: Path) -> None:
        self.storage = directory / "storage"
        self.key = directory / "user_key"
        for name in ("host_key", "user_key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name], check=True
            )
        shutil.copyfile(self.key.with_suffix(".pub"), directory / "authorized_keys")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._settings = directory / "sshd_config"
        self._settings.write_text(
            f"Port {self.port}\n"
            "ListenAddress 127.0.0.1\n"
            f"HostKey {directory}/host_key\n"
            f"AuthorizedKeysFile {directory}/authorized_keys\n"
            "PidFile none\n"
            "StrictModes no\n"  # the keys lie below /tmp
            "PasswordAuthentication no\n"
            "PermitRootLogin prohibit-password\n"
            "Subsystem sftp internal-sftp\n"
        )
        if os.geteuid() == 0:  # it gives up its privileges there, and Debian makes it at boot
            Path("/run/sshd").mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [SSHD, "-D", "-f", self._settings], stderr=subprocess.DEVNULL, start_new_session=True
        )
        for _ in range(200):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def die(self) -> None:
        """Kill the server and its connections; these are in sessions of their own."""
        listed = subprocess.run(
            ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
        )
        parents = dict(map(int, line.split()) for line in listed.stdout.splitlines())
        family = {self._process.pid}
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def objects(self) -> list[Path]:
        """Return what the storage holds under a name that DVC would look for."""
        found = self.storage.glob("files/md5/??/*")
        return [path for path in found if not path.name.startswith(".")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    if SSHD is None:
        pytest.skip("there is no sshd (Debian: apt install openssh-server)")
    server = SshServer(tmp_path_factory.mktemp("ssh"))
    yield server
    server.die()


@pytest.fixture
def server(running: SshServer) -> SshServer:
    """The server with an empty storage."""
    shutil.rmtree(running.storage, ignore_errors=True)
    return running


@pytest.fixture
def project(tmp_path: Path, small_run: Project, server: SshServer) -> Project:
    """A project whose default remote is the server, set up as the documentation tells."""
    copy = small_run.copy(tmp_path / "project")
    # Not run there, and `dvc pull` wants all outputs.
    for path in (copy.root / "stages").glob("*/dvc.yaml"):
        path.unlink()
    url = f"ssh://127.0.0.1:{server.port}{server.storage}"
    dvc(copy, "remote", "add", "--default", "storage", url)
    dvc(copy, "remote", "modify", "storage", "verify", "true")
    copy.commit("Add a remote")
    use_key(copy, server)
    return copy


def dvc(project: Project, *arguments: str) -> str:
    result = project.run("dvc", *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def use_key(project: Project, server: SshServer) -> None:
    dvc(project, "remote", "modify", "--local", "storage", "keyfile", str(server.key))


def cloned(project: Project, server: SshServer, root: Path) -> Project:
    clone = project.clone(root)
    use_key(clone, server)
    return clone


def delivered(project: Project) -> dict[str, str]:
    """Return the md5 of each output that is there, that of a folder as DVC makes it."""
    paths = {name: project.root / name for name in hashes(project.root)}
    return {
        name: of_folder(path) if path.is_dir() else files.md5(path)
        for name, path in paths.items()
        if path.exists()
    }


def of_folder(path: Path) -> str:
    held = sorted(file for file in path.rglob("*") if file.is_file())
    listed = [
        {"md5": files.md5(file), "relpath": file.relative_to(path).as_posix()} for file in held
    ]
    content = json.dumps(listed, sort_keys=True).encode()
    return hashlib.md5(content, usedforsecurity=False).hexdigest() + ".dir"


def test_push_clone_pull_predict(project: Project, server: SshServer, tmp_path: Path) -> None:
    dvc(project, "push")
    clone = cloned(project, server, tmp_path / "clone")
    assert not (clone.root / MODEL).exists()
    dvc(clone, "pull")
    assert delivered(clone) == hashes(project.root)
    predictions = clone.root / f"metrics/plots/{NAME}/confusion.csv"
    committed = predictions.read_bytes()
    predictions.unlink()
    result = clone.run("stages.evaluate", NAME)
    assert result.returncode == 0, result.stderr
    assert predictions.read_bytes() == committed
    assert clone.git("status", "--porcelain") == ""
    # With what was pulled, nothing is left to run.
    assert "Running stage" not in dvc(clone, "repro")


def test_server_that_dies_during_a_push(
    project: Project, server: SshServer, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with log.open("w") as file:
        push = subprocess.Popen(
            ["python", "-m", "dvc", "push", "--jobs", "1"],
            cwd=project.root,
            env=project.environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    while not server.objects():
        assert push.poll() is None, log.read_text()
        time.sleep(0.001)
    server.die()
    status = push.wait(timeout=120)
    told = log.read_text()
    server.start()
    assert status != 0, told
    # What DVC says depends on what it was about: counting or sending. Once it said nothing.
    errors = ("failed to push data to the cloud", "ERROR: unexpected error - ")
    assert not told or any(error in told for error in errors)
    assert "Traceback" not in told
    assert len(server.objects()) < len(cached(project))
    # What stands under its final name is whole, or the next push would leave it as it is.
    for path in server.objects():
        assert files.md5(path) == path.parent.name + path.name
    dvc(project, "push")
    clone = cloned(project, server, tmp_path / "clone")
    dvc(clone, "pull")
    assert delivered(clone) == hashes(project.root)


def cached(project: Project) -> list[str]:
    """Return the outputs that DVC keeps, which are those that Git does not."""
    in_git = set(project.git("ls-files").splitlines())
    return [name for name in hashes(project.root) if name not in in_git]


@pytest.mark.parametrize("damage", ["altered", "truncated"])
def test_corrupted_object_is_reported_and_not_delivered(
    project: Project, server: SshServer, tmp_path: Path, damage: str
) -> None:
    dvc(project, "push")
    digest = hashes(project.root)[MODEL]
    path = server.storage / "files/md5" / digest[:2] / digest[2:]
    content = path.read_bytes()
    path.chmod(0o644)
    changed = content[:1000] + bytes([content[1000] ^ 1]) + content[1001:]
    path.write_bytes(changed if damage == "altered" else content[:1000])
    clone = cloned(project, server, tmp_path / "clone")
    result = clone.run("dvc", "pull")
    assert result.returncode != 0
    assert MODEL in result.stderr
    assert "Traceback" not in result.stderr
    expected = hashes(project.root)
    del expected[MODEL]
    assert delivered(clone) == expected
    # As documented: the bad object goes, and whoever has the good one pushes again.
    path.unlink()
    dvc(project, "push")
    dvc(clone, "pull")
    assert delivered(clone) == hashes(project.root)


def test_registry(project: Project, server: SshServer, tmp_path: Path) -> None:
    dvc(project, "push")

    def gto(*arguments: str) -> str:
        result = project.run("gto.cli", *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    artifact = NAME.replace("_", "-")
    gto("register", artifact, "--version", "v1.0.0")
    gto("assign", artifact, "--version", "v1.0.0", "--stage", "production")
    tags = project.git("tag").split()
    assert tags == [f"{artifact}#production#1", f"{artifact}@v1.0.0"]
    first = files.md5(project.root / MODEL)
    # A later model must not be what the version gives.
    project.set(f"models.{NAME}.epochs", 1)
    project.set("runtime.seed", 5)
    dvc(project, "repro", f"evaluate@{NAME}")
    project.commit("Another model")
    dvc(project, "push")
    assert files.md5(project.root / MODEL) != first
    for number, choice in enumerate((("--rev", "v1.0.0"), ("--stage", "production"))):
        out = tmp_path / f"{number}.keras"
        key = f"keyfile={server.key}"
        dvc(
            project,
            "artifacts",
            "get",
            str(project.root),
            artifact,
            *choice,
            "--out",
            str(out),
            "--remote-config",
            key,
        )  # fmt: skip - one option and its value after the other
        assert files.md5(out) == first
