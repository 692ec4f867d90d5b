"""The trained sentiment model asked by someone at a terminal."""

import subprocess
import sys

import pandas as pd
import pytest
from conftest import Project

TEXT = "这本书太好看了，推荐给大家"


@pytest.fixture(scope="module")
def alone(small_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project that has lost the corpus: the tutorial read all of it again to answer."""
    project = small_run.copy(tmp_path_factory.mktemp("alone") / "project")
    for name in ("raw", "interim"):
        for path in (project.root / "data" / name).iterdir():
            path.unlink()
    for name in ("reviews", "ngrams"):
        (project.root / f"data/processed/{name}.npz").unlink()
    return project


def answers(project: Project, *arguments: str) -> list[tuple[str, float, str]]:
    result = project.run("stages.predict", *arguments)
    assert result.returncode == 0, result.stderr
    rows = [line.split(" ", 2) for line in result.stdout.splitlines()]
    return [(name, float(positive), text) for name, positive, text in rows]


@pytest.mark.parametrize("model", ["sentiment_bilstm", "sentiment_hybrid"])
def test_answers_are_those_of_the_test_split(
    small_run: Project, alone: Project, model: str
) -> None:
    plots = small_run.root / "metrics/plots" / model
    mistakes = pd.read_csv(plots / "mistakes.csv").head(5)
    told = answers(alone, "--model", model, *mistakes["text"])
    for (name, positive, text), row in zip(told, mistakes.itertuples(), strict=True):
        assert (name, text) == (row.predicted, row.text)
        likely = positive if name == "positive" else 1 - positive
        assert likely == pytest.approx(row.probability, abs=1e-4)


def test_spelling_that_looks_the_same_makes_no_difference(alone: Project) -> None:
    (plain, odd) = answers(alone, "ABC 好", "  ＡＢＣ\u3000\u200b好 ")
    assert plain[:2] == odd[:2]


def test_prompt_goes_on_after_a_fault_and_ends_with_quit(alone: Project) -> None:
    lines = [TEXT.encode(), b"", "\udcff".encode("utf-8", "surrogateescape"), b"quit", b"never"]
    result = subprocess.run(
        [sys.executable, "-m", "stages.predict"],
        cwd=alone.root,
        env=alone.environment(),
        input=b"\n".join(lines),
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    first, second, third = result.stdout.decode().splitlines()
    assert first.endswith(TEXT)
    assert first.startswith(("negative 0.", "positive 0."))
    assert second == "error: a text of 0 characters; expected 1 to 10,000"
    assert third.endswith("\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ((" \u200b",), "error: a text of 0 characters; expected 1 to 10,000\n"),
        (("好" * 10_001,), "error: a text of 10,001 characters; expected 1 to 10,000\n"),
    ],
)
def test_text_that_is_none(alone: Project, texts: tuple[str, ...], message: str) -> None:
    result = alone.run("stages.predict", *texts)
    assert (result.returncode, result.stderr.splitlines(keepends=True)[-1]) == (1, message)


def test_model_that_is_not_there(project: Project) -> None:
    result = project.run("stages.predict", TEXT)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "models/sentiment_hybrid/model.keras: found nothing, expected a whole" in result.stderr
