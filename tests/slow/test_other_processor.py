"""Every output of every pipeline, made on this processor and on emulated ones: the same bytes.

qemu-user runs the stages' own Python with the instructions and the caches of another processor: no
AVX-512, no AMX, less cache, other approximations of 1/sqrt(x). It is some 15 times slower.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import FIXTURES, Project
from ruamel.yaml import YAML

from keras_repro.core import kernels, paths
from keras_repro.reproducibility import lock

pytestmark = pytest.mark.slow

QEMU = shutil.which("qemu-x86_64")
# The first with AVX2, an AMD, and a newer one without AVX-512; qemu gives them 2 MB, 512 kB and
# 2 MB of L2.
PROCESSORS = ("Haswell", "EPYC-Rome", "Skylake-Client")
# Stages that are made together, by their addresses; whatever else they need is left as it is.
PARTS = {
    "texts and LSTM": r"download|prepare|segment|tokenize|ngrams|.*@sentiment_bilstm",
    "images": r"(?!diagram).*@(mnist|cifar10_cnn)",
    "hybrid": r".*@sentiment_hybrid|compare|behaviour",
    "baselines": r"baseline",
    "layers and transfer": r"layers|diagram|transfer|backbone|features|.*@cifar10_local",
    "sequences": r".*sequence",
}
# With 4 numbers per character its products have few results of long sums, which the size of the L2
# cache decides unless there is one thread (docs/reproducibility.md). In full size they do not.
ONE_THREAD = "sequences"
# Whose networks have two branches, each with a thread of its own.
BRANCHED = (
    "train@sentiment",
    "train_sequence@seq2seq_many_to_many",
    "train_sequence@seq2seq_encoder_decoder",
)

# Several stages in one process, as to import TensorFlow takes a minute here.
RUN = """
import importlib, sys
for command in sys.argv[1:]:
    module, *arguments = command.split()
    print(command, file=sys.stderr, flush=True)
    sys.argv = [module, *arguments]
    importlib.import_module(module).main()
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()  # whose counters name operations
"""


def emulated(processor: str, root: Path) -> Path:
    """Return a Python of a virtual environment with this one's packages, which qemu runs."""
    if QEMU is None:
        pytest.skip("there is no qemu-x86_64 (Debian: apt install qemu-user)")
    program = root / "bin/python"
    program.parent.mkdir(parents=True)
    shutil.copyfile(Path(sys.prefix) / "pyvenv.cfg", root / "pyvenv.cfg")
    (root / "lib").symlink_to(Path(sys.prefix) / "lib")
    interpreter = Path(sys.executable).resolve()
    # As this name starts worker processes too, these are emulated as well.
    program.write_text(f'#!/bin/sh\nexec {QEMU} -cpu {processor} -0 "$0" {interpreter} "$@"\n')
    program.chmod(0o755)
    return program


def run(python: Path, project: Project, *arguments: str) -> str:
    """Run an emulated Python with the variables that a stage has from its start."""
    variables = {"DATA_MIRROR": str(FIXTURES)} | kernels.NUMPY | kernels.ONEDNN
    result = subprocess.run(
        [python, *arguments],
        cwd=project.root,
        env=project.environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def part_of(stage: str) -> str:
    """Return the part of a stage, by the name that DVC gives it."""
    name = stage.rpartition(":")[2]
    return next(part for part, pattern in PARTS.items() if re.match(pattern, name))


def phases(root: Path, part: str) -> list[list[str]]:
    """Return the commands of a part's stages in three processes, each after its needs.

    The second trains the networks with two branches, as a process cannot change its threads.
    """
    made: dict[Path, int] = {}
    found: list[list[str]] = [[], [], []]
    for path in [root / paths.LOCK, *lock.further(root)]:
        for name, entry in YAML(typ="safe").load(path)["stages"].items():
            if part_of(name) == part:
                needs = [Path(dep["path"]) for dep in entry["deps"]]  # files, and folders of them
                after = any(
                    phase and any(map(path.is_relative_to, needs)) for path, phase in made.items()
                )
                phase = 2 if after else int(name.startswith(BRANCHED))
                made |= {Path(out["path"]): phase for out in entry["outs"]}
                found[phase].append(entry["cmd"].removeprefix("python -m "))
    return [commands for commands in found if commands]


def content(path: Path) -> dict[str, bytes]:
    """Return the files at a path, by their name below it."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    return {str(each.relative_to(path)): each.read_bytes() for each in files}


# Each takes some minutes, so they take turns.
CASES = [(processor, part) for part in (*PARTS, "kernels") for processor in PROCESSORS]


@pytest.mark.turns(len(CASES))
@pytest.mark.parametrize(("processor", "part"), CASES)
def test_the_same_bytes(
    processor: str, part: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    python = emulated(processor, tmp_path / "python")
    if part == "kernels":
        check_kernels(python, request.getfixturevalue("head"))
    else:
        here = request.getfixturevalue("all_pipelines")
        check_outputs(python, here, part, tmp_path / "there")


def check_outputs(python: Path, here: Project, part: str, root: Path) -> None:
    """Make the outputs of a part again and compare them."""
    if part == ONE_THREAD:
        here = here.copy(root.with_name("here"))
        here.set("runtime.threads", 1)
        result = here.dvc("repro", "stages/tutorial/dvc.yaml:evaluate_sequence")
        assert result.returncode == 0, result.stdout + result.stderr
    there = here.copy(root)
    outputs = lock.outputs(here.root).items()
    recorded = [path for path, output in outputs if part_of(output.stage) == part]
    assert len(recorded) > 10
    for path in recorded:
        target = there.root / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    for commands in phases(here.root, part):
        run(python, there, "-c", RUN, *commands)
    differing = {
        str(path) for path in recorded if content(there.root / path) != content(here.root / path)
    }
    assert differing == set()


def check_kernels(python: Path, head: Path) -> None:
    """Compute the kernels of the models in the models' sizes."""
    found = json.loads(run(python, Project(head), "-m", "keras_repro", "fingerprint", "--json"))
    committed = json.loads((head / "metrics/fingerprint.json").read_text("utf-8"))
    assert found["numerics"] == committed["numerics"]
