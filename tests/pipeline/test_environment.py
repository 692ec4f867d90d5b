"""Set-up: which Python it takes, what it leaves alone, what it installs, and what the locks say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

LOCKS = ("requirements-build.lock", "requirements.lock", "requirements-dev.lock")
TOOLS = "bash cat chmod cksum cp dirname grep mkdir paste readlink rm touch tr"
# A Python of a version, and an environment whose programs tell what they are asked to do.
PYTHON = """#!/bin/sh
case "$*" in
    *version_info*) echo {version} ;;
    *ensurepip*) exit {without_venv} ;;
    --version) echo "Python {version}.0" ;;
    "-m venv .venv")
        mkdir .venv/bin
        cp "$0" .venv/bin/python
        printf '#!/bin/sh\\necho "$UV_DEFAULT_INDEX uv $*" >>calls; [ ! -f no-uv ]\\n' >.venv/bin/uv
        chmod +x .venv/bin/uv ;;
    *"pip config get"*) [ -f index ] && cat index ;;
    *"pip install"*) echo "pip $*" >>calls; [ ! -f no-pip ] ;;
esac
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A checkout with what set-up reads alone."""
    for name in (".ci/environment", "pyproject.toml", *LOCKS):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "programs").mkdir()
    return tmp_path


def python(place: Path, version: str, name: str = "", *, without_venv: bool = False) -> Path:
    program = place / "programs" / (name or f"python{version}")
    program.write_text(PYTHON.format(version=version, without_venv=int(without_venv)))
    program.chmod(0o755)
    return program


def setup(place: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # What else it calls lies there on every system; no other Python does.
    tools = place / "tools"
    if not tools.exists():
        tools.mkdir()
        for name in TOOLS.split():
            (tools / name).symlink_to(shutil.which(name))
    return subprocess.run(
        [place / ".ci/environment", *(arguments or ("run",))],
        env={"PATH": f"{place / 'programs'}:{tools}"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def refused(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def calls(place: Path) -> list[str]:
    path = place / "calls"
    found = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return found


class TestPython:
    def test_the_first_that_fits(self, place: Path) -> None:
        python(place, "3.10", "python3")
        python(place, "3.13")
        python(place, "3.12")
        result = setup(place)
        assert result.returncode == 0, result.stderr
        assert result.stderr.startswith("Making .venv with Python 3.12.0")

    @pytest.mark.parametrize("version", ["3.10", "3.14"])
    def test_one_that_does_not(self, place: Path, version: str) -> None:
        named = python(place, version)
        told = refused(setup(place, PYTHON=str(named)))
        assert told.startswith(f"PYTHON={named} is Python {version}; expected 3.11, 3.12 or 3.13: ")
        assert "uv python install 3.13" in told
        assert not (place / ".venv").exists()

    def test_none_that_fits(self, place: Path) -> None:
        assert refused(setup(place)).startswith("python3 is missing; expected Python 3.11, 3.12 or")
        python(place, "3.14", "python3")
        assert refused(setup(place)).startswith("python3 is 3.14; expected Python 3.11, 3.12 or")

    def test_a_name_of_nothing(self, place: Path) -> None:
        told = refused(setup(place, PYTHON="python3.12"))
        assert told.startswith("PYTHON=python3.12 does not start; expected Python 3.11, 3.12 or")

    def test_one_of_pyenv_that_is_not_selected(self, place: Path) -> None:
        (python(place, "3.13")).write_text("#!/bin/sh\nexit 127\n")  # as its names on PATH do then
        kept = place / "pyenv/versions/3.13.0/bin/python3.13"
        kept.parent.mkdir(parents=True)
        python(place, "3.13", "real").rename(kept)
        result = setup(place, PYTHON="python3.13", PYENV_ROOT=str(place / "pyenv"))
        assert result.returncode == 0, result.stderr
        assert result.stderr.startswith("Making .venv with Python 3.13.0")

    def test_without_venv(self, place: Path) -> None:
        python(place, "3.12", without_venv=True)
        told = refused(setup(place))
        assert told.startswith("python3.12 cannot make environments; expected its modules venv and")
        assert "apt install python3-venv" in told
        assert "uv python install" in told

    def test_that_of_the_environment_is_not_taken_for_the_systems(self, place: Path) -> None:
        python(place, "3.12")
        setup(place)
        (place / "requirements.lock").write_text("six==1.17.0\n")
        path = f"{place}/.venv/bin:{place}/.venv/bin:{place}/programs:{place}/tools"
        (place / ".venv/bin/python3.11").symlink_to("python")
        assert setup(place, PATH=path).returncode == 0
        assert not (place / ".venv/bin/python3.11").exists()


class TestDirectory:
    def test_a_link_is_left_alone_with_all_that_it_leads_to(self, place: Path) -> None:
        python(place, "3.12")
        other = place / "other"
        (other / "bin").mkdir(parents=True)
        (other / ".complete").touch()
        (place / ".venv").symlink_to(other)
        assert refused(setup(place)).startswith(f".venv: a link to {other}; expected none")
        assert sorted(path.name for path in other.iterdir()) == [".complete", "bin"]

    def test_what_somebody_else_made_is_left_alone(self, place: Path) -> None:
        python(place, "3.12")
        (place / ".venv").mkdir()
        (place / ".venv/thesis.txt").touch()
        assert refused(setup(place)).startswith(".venv: not made by make, which would empty it; ")
        assert (place / ".venv/thesis.txt").exists()

    def test_one_that_was_broken_off_or_moved_is_made_anew(self, place: Path) -> None:
        python(place, "3.12")
        setup(place)
        (place / ".venv/.complete").unlink()
        (place / ".venv/half").touch()
        assert setup(place).returncode == 0
        assert not (place / ".venv/half").exists()
        moved = place.rename(place.with_name("moved"))
        assert setup(moved).stderr.startswith("Making .venv with")


class TestInstall:
    def test_with_hashes_and_bytecode_once(self, place: Path) -> None:
        python(place, "3.12")
        setup(place)
        pip, packages, project = calls(place)
        assert pip.startswith("pip -m pip install ")
        assert pip.endswith("-r requirements-build.lock")
        for told in (pip, packages):
            assert "--require-hashes" in told
        assert "--compile-bytecode" in packages
        assert packages.endswith("-r requirements.lock")
        assert project.endswith("--no-deps --editable .")
        assert (setup(place).stderr, calls(place)) == ("", [])

    def test_what_tests_need_on_top_and_only_when_asked(self, place: Path) -> None:
        python(place, "3.12")
        setup(place)
        calls(place)
        for expected in (1, 0):
            assert setup(place, "develop").returncode == 0
            found = calls(place)
            assert len(found) == expected
            assert all(call.endswith("-r requirements-dev.lock") for call in found)
        assert setup(place).stderr == ""

    def test_again_for_another_lock_or_python(self, place: Path) -> None:
        python(place, "3.12")
        setup(place)
        other = python(place, "3.13")
        assert setup(place).stderr == ""
        assert setup(place, PYTHON="python3.12").stderr == ""
        assert setup(place, PYTHON=str(other)).stderr.startswith("Making .venv with Python 3.13")
        assert setup(place).stderr == ""
        (place / "requirements.lock").write_text("six==1.17.0\n")
        assert setup(place).stderr.startswith("Making .venv with")

    def test_from_where_the_user_has_told_pip_to(self, place: Path) -> None:
        python(place, "3.12")
        (place / "index").write_text("https://mirror.example/simple\n")
        setup(place)
        assert calls(place)[1].startswith("https://mirror.example/simple uv pip install ")
        (place / ".venv/.complete").unlink()
        setup(place, UV_DEFAULT_INDEX="https://own.example/simple")
        assert calls(place)[1].startswith("https://own.example/simple uv pip install ")

    @pytest.mark.parametrize("program", ["pip", "uv"])
    def test_an_index_that_does_not_answer(self, place: Path, program: str) -> None:
        python(place, "3.12")
        (place / f"no-{program}").touch()
        result = setup(place)
        assert result.returncode == 1
        assert result.stderr.splitlines()[1].startswith("error: packages could not be fetched, ")
        assert "PIP_INDEX_URL (docs/troubleshooting.md)" in result.stderr
        (place / f"no-{program}").unlink()
        assert setup(place).returncode == 0


class TestLocks:
    @pytest.mark.parametrize("name", LOCKS)
    def test_each_has_hashes_and_no_address(self, name: str) -> None:
        text = (ROOT / name).read_text("utf-8")
        entries = re.findall(r"^\S+==.*(?:\\\n    .*)+", text, re.MULTILINE)
        assert len(entries) == len(re.findall(r"^\S", text, re.MULTILINE)) > 1
        assert all("--hash=sha256:" in entry for entry in entries)
        assert "//" not in text

    def test_the_second_adds_to_the_first(self) -> None:
        running, developing = (
            dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
            for name in LOCKS[1:]
        )
        assert not running.keys() & developing.keys()
        assert developing.keys() > {"pytest", "mypy", "playwright", "moto", "schemathesis"}
        build = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / LOCKS[0]).read_text(), re.MULTILINE)
        assert {name for name, _ in build} == {"setuptools", "uv"}
        assert ("setuptools", running["setuptools"]) in build

    @pytest.mark.slow
    @pytest.mark.network
    @pytest.mark.turns(3)
    @pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
    @pytest.mark.parametrize(
        "platform",
        [
            *("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin"),
            "x86_64-pc-windows-msvc",
        ],
    )
    def test_every_platform_has_what_they_name(
        self, version: str, platform: str, tmp_path: Path
    ) -> None:
        only_source = ("jieba", "snownlp", "antlr4-python3-runtime")
        result = subprocess.run(
            [
                Path(sys.executable).with_name("uv"), "pip", "install", "--dry-run",
                "--target", tmp_path, "--python-version", version, "--python-platform", platform,
                "--only-binary", ":all:", *(f"--no-binary={name}" for name in only_source),
                "--require-hashes", "-r", ROOT / LOCKS[1], "-r", ROOT / LOCKS[2],
            ],
            env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": "14.0"},  # which ONNX Runtime asks for
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        assert re.search(r"Would install \d{3} packages", result.stderr), result.stderr
