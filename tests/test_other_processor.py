"""Each model family trained on this processor and on an emulated Haswell of 2013, and compared.

qemu-user runs the stages' own Python with the instructions of that processor alone: no AVX-512, no
AMX, other approximations of 1/sqrt(x). It is about 15 times slower.
"""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from conftest import FIXTURES, Project, hashes

from stages import paths
from stages.reproducibility import fingerprint, tolerances, verdicts
from stages.reproducibility.verdicts import EQUIVALENT, IDENTICAL

pytestmark = pytest.mark.slow

QEMU = shutil.which("qemu-x86_64")
FAMILIES = ("mnist_functional", "cifar10_cnn", "sentiment_bilstm")
# The one that `runtime.portable` makes equal. Gradients of convolutions and softmax still differ:
# an emulated Haswell's LSTM was that of an AMD EPYC, and not that of an Intel Sapphire Rapids.
PORTABLE = "mnist_functional"

AVX512 = "X86_V4" in np.show_config("dicts")["SIMD Extensions"].get("found", [])

# Several stages in one process, as importing TensorFlow takes a minute here.
RUN = """
import importlib, sys
for command in sys.argv[1:]:
    stage, *sys.argv[1:] = command.split()
    importlib.import_module(f"stages.{stage}").main()
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with this one's packages, whose Python runs under qemu."""
    if QEMU is None:
        pytest.skip("there is no qemu-x86_64 (Debian: apt install qemu-user)")
    root = tmp_path_factory.mktemp("haswell")
    shutil.copyfile(Path(sys.prefix) / "pyvenv.cfg", root / "pyvenv.cfg")
    (root / "lib").symlink_to(Path(sys.prefix) / "lib")
    program = root / "bin/python"
    program.parent.mkdir()
    interpreter = Path(sys.executable).resolve()
    # As this name starts worker processes too, these are emulated as well.
    program.write_text(f'#!/bin/sh\nexec {QEMU} -cpu Haswell -0 "$0" {interpreter} "$@"\n')
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def here(small_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small project, with sums that are long enough to be taken in different orders."""
    project = small_run.copy(tmp_path_factory.mktemp("here") / "project")
    for name in FAMILIES:
        project.set(f"models.{name}.epochs", 1)
    # In full size: with layers of 16 units Eigen takes other ways, which the caches decide.
    project.set("models.mnist_functional.units", [512, 512])
    project.set("tokenize.max_length", 20)  # emulated, a step of the LSTM takes long
    project.set("models.sentiment_bilstm.units", 32)
    project.set("models.sentiment_bilstm.embedding", 64)
    targets = [f"evaluate@{name}" for name in FAMILIES]
    result = project.run("dvc", "repro", *targets, DATA_MIRROR=str(FIXTURES))
    assert result.returncode == 0, result.stderr
    return project


@pytest.fixture(scope="module")
def portable(here: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same with the kernels that both processors have."""
    project = here.copy(tmp_path_factory.mktemp("portable") / "project")
    project.set("runtime.portable", value=True)
    for stage in ("train", "evaluate"):
        assert project.run(f"stages.{stage}", PORTABLE).returncode == 0
    return project


@pytest.fixture(scope="module")
def emulated(
    python: Path, here: Project, portable: Project, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Project]:
    """Both projects after the other processor has made all their outputs."""

    def run(project: Project, *commands: str) -> None:
        result = subprocess.run(
            [python, "-c", RUN, *commands],
            cwd=project.root,
            env=project.environment(DATA_MIRROR=str(FIXTURES)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr

    there = here.copy(tmp_path_factory.mktemp("emulated") / "project")
    for name in hashes(there.root):
        (there.root / name).unlink()
    downloads = [f"download {name}" for name in ("mnist", "cifar10", "reviews")]
    run(there, *downloads, "prepare", "segment", "tokenize")
    there_portable = portable.copy(tmp_path_factory.mktemp("emulated_portable") / "project")
    for path in (paths.model(PORTABLE), paths.history(PORTABLE), paths.metrics(PORTABLE)):
        (there_portable.root / path).unlink()

    def images() -> None:
        stages = ("train", "evaluate")
        models = ("mnist_functional", "cifar10_cnn")
        run(there, *(f"{stage} {name}" for name in models for stage in stages))

    def reviews() -> None:
        # Its training divides the threads in another way, which one process cannot change.
        run(there, "train sentiment_bilstm")
        run(there, "evaluate sentiment_bilstm")

    def portably() -> None:
        run(there_portable, f"train {PORTABLE}", f"evaluate {PORTABLE}")

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for done in [pool.submit(task) for task in (images, reviews, portably)]:
            done.result()
    (there.root / "dvc.lock").unlink()
    stages = ["download", "prepare", "segment", "tokenize"]
    stages += [f"{stage}@{name}" for stage in ("train", "evaluate") for name in FAMILIES]
    result = there.run("dvc", "commit", "--force", *stages)
    assert result.returncode == 0, result.stderr
    return {"default": there, "portable": there_portable}


@pytest.fixture(scope="module")
def found(here: Project, emulated: dict[str, Project]) -> list[verdicts.Verdict]:
    stages = {f"evaluate@{name}" for name in FAMILIES}
    allowed = tolerances.load(here.root / paths.TOLERANCES)
    return verdicts.compare(here.root, emulated["default"].root, allowed, stages)


def test_everything_before_training_is_identical(found: list[verdicts.Verdict]) -> None:
    models = ("train@", "evaluate@")
    before = [verdict for verdict in found if not verdict.stage.startswith(models)]
    assert len(before) == 9
    assert {verdict.verdict for verdict in before} == {IDENTICAL}, before


@pytest.mark.parametrize("name", FAMILIES)
def test_models_are_equivalent(found: list[verdicts.Verdict], name: str) -> None:
    made = {verdict.output: verdict for verdict in found if verdict.stage.endswith(f"@{name}")}
    assert len(made) == 9
    assert {verdict.verdict for verdict in made.values()} <= {IDENTICAL, EQUIVALENT}, made
    if AVX512:  # otherwise this processor may compute as that one does
        assert made[str(paths.model(name))].verdict == EQUIVALENT


def test_portable_model_is_identical(portable: Project, emulated: dict[str, Project]) -> None:
    made = [paths.model(PORTABLE), paths.history(PORTABLE), paths.metrics(PORTABLE)]
    made += [
        path.relative_to(portable.root) for path in portable.root.glob(f"{paths.plots(PORTABLE)}/*")
    ]
    assert len(made) == 9
    for path in made:
        expected = (portable.root / path).read_bytes()
        assert (emulated["portable"].root / path).read_bytes() == expected, path


def test_fingerprint_tells_what_differs(
    here: Project, portable: Project, emulated: dict[str, Project]
) -> None:
    def differing(native: Project, other: Project) -> set[str]:
        old, new = (
            json.loads((project.root / paths.fingerprint("mnist_functional")).read_text())
            for project in (native, other)
        )
        return {key for key, _, _ in fingerprint.differences(old, new)}

    default = differing(here, emulated["default"])
    assert "numerics.matrix_product" in default or not AVX512
    assert "numerics.matrix_product" not in differing(portable, emulated["portable"])
    # What docs/reproducibility.md says is equal everywhere.
    equal = ("random", "exp", "tanh", "sqrt", "division", "sum", "convolution", "lstm_step")
    for computation in equal:
        assert f"numerics.{computation}" not in default
    assert not any(key.startswith("packages.") for key in default)
