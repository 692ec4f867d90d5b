"""What a grid of experiments is, and one message for each mistake in it."""

from collections.abc import Sequence

import pytest
from conftest import Project

from keras_repro.core.errors import ReproError
from keras_repro.experiments import grid, sweep

EPOCHS = "models.mnist_functional.epochs"
UNITS = "models.mnist_functional.units"


@pytest.fixture(autouse=True)
def _in_a_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)


def expanded(*changes: str, name: str | None = "point", taken: Sequence[str] = ()) -> grid.Grid:
    return grid.expanded(changes, name, set(taken))


def test_points_and_names_are_those_of_a_queue_of_dvc() -> None:
    assert expanded(f"{UNITS}=[256],[512]", f"{EPOCHS}=3,4").experiments == [
        ("point-1", [f"{UNITS}=[256]", f"{EPOCHS}=3"]),
        ("point-2", [f"{UNITS}=[256]", f"{EPOCHS}=4"]),
        ("point-3", [f"{UNITS}=[512]", f"{EPOCHS}=3"]),
        ("point-4", [f"{UNITS}=[512]", f"{EPOCHS}=4"]),
    ]
    assert expanded(f"{EPOCHS}=3").experiments == [("point", [f"{EPOCHS}=3"])]
    first, second = expanded(f"{EPOCHS}=3,4", name=None).experiments
    assert first.name
    assert first.name != second.name


def test_an_experiment_has_no_cluster_of_its_own() -> None:
    # It would wait for the worker that waits for it.
    found = expanded("cluster=tcp://127.0.0.1:8786", f"{EPOCHS}=3,4")
    assert found.cluster == "tcp://127.0.0.1:8786"
    assert [one.changes[-1] for one in found.experiments] == ["cluster=null"] * 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("models.mnist_functional.unitz=1,2", "Could not override 'models.mnist_functional.unitz'"),
        ("models.mnist_functional.units=[1", "no viable alternative at input '\\[1'"),
        ("epochs", "missing EQUAL"),
        ("models.mnist_functional.epochs=glob(*)", "expected KEY=VALUE"),
        ("nowhere.yaml:epochs=3", "there is no file nowhere.yaml"),
        ("runtime.threads=0", "^params.yaml: runtime.threads"),
    ],
)
def test_mistakes(change: str, said: str) -> None:
    with pytest.raises(ReproError, match=said):
        expanded(change)


def test_a_name_that_is_taken() -> None:
    with pytest.raises(ReproError, match="--name: the experiment point-2 is there already"):
        expanded(f"{EPOCHS}=3,4", taken=["point-2"])


def test_nothing_starts_where_a_stage_or_a_number_is_wrong(project: Project) -> None:
    project.git("init", "--quiet", ".")
    project.commit("A project")
    with pytest.raises(ReproError, match=r"^--jobs: is 0; expected at least 1$"):
        sweep.run([f"{EPOCHS}=3"], [], None, 0)
    with pytest.raises(ReproError, match=r"^dvc.yaml: .*'nowhere'.*; expected a stage such as"):
        sweep.run([f"{EPOCHS}=3"], ["nowhere"], None, 1)
