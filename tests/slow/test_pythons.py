"""Every Python that is supported installs from the locks and leaves the same bytes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import FIXTURES, Project, hashes

pytestmark = [pytest.mark.slow, pytest.mark.network]

OTHERS = sorted({"3.11", "3.12", "3.13"} - {f"3.{sys.version_info.minor}"}, reverse=True)


def interpreter(version: str) -> Path:
    """Return a Python of that version, from PATH or of pyenv."""
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for found in [shutil.which(name), *sorted(pyenv.glob(f"versions/{version}.*/bin/{name}"))]:
        if (
            found
            and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0
        ):
            return Path(found)
    pytest.skip(f"there is no {name} (uv python install {version})")


@pytest.mark.turns(len(OTHERS))
@pytest.mark.parametrize("version", OTHERS)
def test_the_whole_small_graph_has_the_same_hashes(
    version: str, all_pipelines: Project, tmp_path: Path
) -> None:
    python = interpreter(version)
    project = all_pipelines.copy(tmp_path / "project")
    before = hashes(project.root)
    assert len(before) > 100
    shutil.rmtree(project.root / ".dvc/cache")
    for path in ("data/raw", "data/interim", "data/processed", "models", "metrics/history"):
        shutil.rmtree(project.root / path)
    for path in project.root.glob("**/dvc.lock"):
        path.unlink()
    (project.root / "README.md").touch()  # which packaging asks for
    own = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment = own | {"DATA_MIRROR": str(FIXTURES), "PYTHON": str(python)}

    def run(*command: str | Path) -> str:
        result = subprocess.run(
            command, cwd=project.root, env=environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    run("bash", project.root / ".ci/environment", "run")
    programs = project.root / ".venv/bin"
    environment["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
    assert run(programs / "python", "--version").startswith(f"Python {version}.")
    run(programs / "python", "-m", "dvc", "repro", "--all-pipelines")
    assert hashes(project.root) == before
    assert run(programs / "keras-repro", "predict", "很好").endswith(" 很好\n")
