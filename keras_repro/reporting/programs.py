"""The programs that the report asks: DVC, Git, and Graphviz where it is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from keras_repro.core.errors import ReproError

# Tighter than Graphviz' own: the page shows the networks in boxes of text size.
DOT_STYLE = (
    *("-Gbgcolor=transparent", "-Gfontsize=10.5", "-Gnodesep=0.12", "-Granksep=0.22"),
    *("-Nfontsize=10.5", "-Nheight=0.2", "-Nmargin=0.09,0.05", "-Earrowsize=0.6"),
)


def dvc(*arguments: str) -> str:
    """Return what `dvc ARGUMENTS` prints.

    Raises:
        ReproError: it fails; the message is DVC's.

    """
    result = _run(sys.executable, "-m", "dvc", *arguments)
    if result.returncode != 0:
        told = [line for line in result.stderr.splitlines() if line.startswith("ERROR: ")]
        message = "; ".join(line.removeprefix("ERROR: ") for line in told) or result.stderr.strip()
        raise ReproError(f"`dvc {' '.join(arguments[:2])}`: {message}")
    return result.stdout


def commit() -> str:
    """Return the current commit in a few characters, nothing where Git knows of none.

    A plus sign behind it says that tracked files were changed since.
    """
    if not shutil.which("git"):
        return ""
    found = _run("git", "rev-parse", "--short", "--verify", "--quiet", "HEAD")
    if found.returncode != 0:
        return ""
    changed = _run("git", "status", "--porcelain", "--untracked-files=no").stdout
    return found.stdout.strip() + ("+" if changed else "")


def dot(graph: str, origin: Path | str) -> str | None:
    """Return the SVG of a graph in the DOT language, None if Graphviz is not installed.

    Raises:
        ReproError: Graphviz cannot draw it; the message names `origin`.

    """
    if not shutil.which("dot"):
        return None
    result = _run("dot", "-Tsvg", *DOT_STYLE, text=graph)
    if result.returncode != 0:
        raise ReproError(
            f"{origin}: Graphviz cannot draw it ({result.stderr.strip()}); "
            "expected a graph in the DOT language (`dvc repro` makes it again)"
        )
    return result.stdout


def _run(*command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    # In a hook of Git its variables would point DVC and Git to another repository.
    own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return subprocess.run(
        command, input=text, env=own, capture_output=True, encoding="utf-8", check=False
    )
