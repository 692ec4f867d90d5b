"""An archive of bundles: written, fetched once, and refused where it is another one."""

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Project, sending

from keras_repro import Sentiment
from keras_repro.bundles import release
from keras_repro.core.errors import ReproError
from keras_repro.serving import command

NAMES = ("sentiment_hybrid", "mnist_sequential")


@pytest.fixture
def archive(small_run: Project, tmp_path: Path) -> Path:
    bundles = {name: small_run.root / f"models/{name}/bundle" for name in NAMES}
    target = tmp_path / "bundles.tar.gz"
    assert release.write(bundles, ROOT / "LICENSE", target) == digest(target)
    return target


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(release, "PATIENCE", release.PATIENCE.model_copy(update={"attempts": 1}))
    return tmp_path / "cache/keras-repro/bundles"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_bytes_each_time(archive: Path, small_run: Project, tmp_path: Path) -> None:
    bundles = {name: small_run.root / f"models/{name}/bundle" for name in reversed(NAMES)}
    assert release.write(bundles, ROOT / "LICENSE", tmp_path / "again.tar.gz") == digest(archive)
    with tarfile.open(archive) as packed:
        names = packed.getnames()
        assert {member.uname + member.gname for member in packed} == {""}
    assert {"LICENSE", "sentiment_hybrid/bundle.json", "mnist_sequential/README.md"} <= set(names)


def test_fetched_once_and_answered_from(
    archive: Path, serve: Callable, small_run: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(sending(archive.read_bytes()))
    address = f"{server.url}/bundles.tar.gz#sha256={digest(archive)}"
    here = Sentiment.load(small_run.root / "models/sentiment_hybrid/bundle")
    assert Sentiment.load(address).predict("很好") == here.predict("很好")
    assert Sentiment.load(address.replace("sha256=", "")).name == "sentiment_hybrid"
    command.main(["pull", address])
    places = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [place.name for place in places] == sorted(NAMES)
    assert server.requests == 1


def test_another_file_is_refused_and_nothing_is_left(
    archive: Path, serve: Callable, cache: Path
) -> None:
    altered = bytearray(archive.read_bytes())
    altered[len(altered) // 2] ^= 1
    server = serve(sending(bytes(altered)))
    address = f"{server.url}/bundles.tar.gz#sha256={digest(archive)}"
    with pytest.raises(ReproError, match=r"bundles\.tar\.gz: SHA256 hash of downloaded file"):
        Sentiment.load(address)
    assert list(cache.iterdir()) == []


def test_a_transfer_that_breaks_off_is_told_and_the_next_one_serves(
    archive: Path, serve: Callable, cache: Path
) -> None:
    content = archive.read_bytes()

    def breaks_off_first(handler: object, number: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content if number > 1 else content[: len(content) // 2])

    server = serve(breaks_off_first)
    address = f"{server.url}/bundles.tar.gz#sha256={digest(archive)}"
    with pytest.raises(ReproError, match=rf"^{server.url}/bundles\.tar\.gz: "):
        Sentiment.load(address)
    assert list(cache.iterdir()) == []
    assert Sentiment.load(address).name == "sentiment_hybrid"


@pytest.mark.parametrize("end", ["", "#", "#sha256=abc", "#sha1=" + "0" * 40])
def test_an_address_without_a_hash(end: str) -> None:
    with pytest.raises(ReproError, match="no SHA-256 behind a #; expected http://127"):
        Sentiment.load(f"http://127.0.0.1:9/bundles.tar.gz{end}")


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "sentiment_hybrid/../../outside"])
def test_a_file_outside_is_not_unpacked(
    name: str, serve: Callable, cache: Path, tmp_path: Path
) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        packed.addfile(tarfile.TarInfo(name))
    content = stream.getvalue()
    server = serve(sending(content))
    address = f"{server.url}/bundles.tar.gz#sha256={hashlib.sha256(content).hexdigest()}"
    with pytest.raises(ReproError, match="bundles"):
        Sentiment.load(address)
    assert all(path.is_relative_to(cache) for path in tmp_path.rglob("outside"))


def test_no_archive(serve: Callable) -> None:
    server = serve(sending(b"<html>"))
    address = f"{server.url}/bundles.tar.gz#sha256={hashlib.sha256(b'<html>').hexdigest()}"
    with pytest.raises(ReproError, match=r"no archive of bundles \(.*\); expected a \.tar\.gz"):
        Sentiment.load(address)
