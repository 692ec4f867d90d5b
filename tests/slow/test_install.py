"""The package without what trains: a new environment in which it answers and serves."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, Project

pytestmark = [pytest.mark.slow, pytest.mark.network]

# Of the extra `train`.
ABSENT = (
    "tensorflow",
    "keras",
    "dvc",
    "pandas",
    "pyarrow",
    "sklearn",
    "scipy",
    "onnx",
    "altair",
    "snownlp",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the commands of an environment with the wheel and what it needs."""
    place = tmp_path_factory.mktemp("installed")
    copy = place / "source"
    copy.mkdir()
    for name in ("keras_repro", "pyproject.toml", "README.md", "LICENSE"):
        source = ROOT / name
        shutil.copytree(source, copy / name) if source.is_dir() else shutil.copy(source, copy)
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    commands = place / "venv/bin"
    pip = [commands / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", place, copy], check=True)
    (wheel,) = place.glob("keras_repro-*.whl")
    # Of the versions that the rest is tested with.
    locked = (ROOT / "requirements.lock").read_text("utf-8")
    versions = "\n".join(line.rstrip(" \\") for line in locked.splitlines() if "==" in line)
    (place / "versions.txt").write_text(versions)
    subprocess.run([*pip, "install", "--constraint", place / "versions.txt", wheel], check=True)
    return commands


@pytest.fixture
def bundle(small_run: Project, tmp_path: Path) -> Path:
    """Return a copy of a bundle, far from any clone."""
    copied: Path = shutil.copytree(
        small_run.root / "models/sentiment_hybrid/bundle", tmp_path / "bundle"
    )
    return copied


def run(installed: Path, where: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program, *rest = arguments
    return subprocess.run(
        [installed / program, *rest], cwd=where, capture_output=True, text=True, check=False
    )


def test_it_is_small(installed: Path) -> None:
    packages = next(installed.parent.glob("lib/python*/site-packages"))
    assert not {path.name for path in packages.iterdir()} & set(ABSENT)
    size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file())
    assert size < 350e6


def test_it_answers_explains_and_annotates(installed: Path, bundle: Path, tmp_path: Path) -> None:
    found = run(installed, tmp_path, "keras-repro", "predict", "--json", "--bundle", bundle, "很好")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["text"] == "很好"
    found = run(installed, tmp_path, "keras-repro", "explain", "--bundle", bundle, "房间很干净")
    assert found.returncode == 0, found.stderr
    for suffix in ("csv", "xlsx", "jsonl"):
        (tmp_path / "reviews.csv").write_text("text\n很好\n太差了\n", "utf-8")
        output = f"answers.{suffix}"
        found = run(
            installed, tmp_path, "keras-repro", "predict", "--bundle", bundle,
            "--file", "reviews.csv", "--output", output,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        assert (tmp_path / output).stat().st_size > 0


def test_it_answers_from_python(installed: Path, bundle: Path, tmp_path: Path) -> None:
    code = (
        "from keras_repro import Sentiment\n"
        f"model = Sentiment.load({str(bundle)!r})\n"
        "print(model.predict(['很好', 'great'])[1].reason, len(model.explain('很好').words) > 0)"
    )
    found = run(installed, tmp_path, "python", "-c", code)
    assert (found.stdout, found.returncode) == ("not_chinese True\n", 0), found.stderr


def test_it_serves(installed: Path, bundle: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    service = subprocess.Popen(
        [installed / "keras-repro", "serve", "--port", str(port), "--bundle", bundle], cwd=tmp_path
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                    assert json.load(answer)["model"] == "sentiment_hybrid"
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(30) == 0


def test_what_needs_more_says_so(installed: Path) -> None:
    found = run(installed, ROOT, "keras-repro", "report", "--out", "/dev/null")
    assert found.returncode == 1
    expected = "is not installed; expected it for this command (pip install 'keras-repro[train]')"
    assert "error: the package " in found.stderr
    assert expected in found.stderr
    assert "Traceback" not in found.stderr
