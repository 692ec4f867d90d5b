"""Imports go one way, from the ground floor up; stages import the library, never each other."""

import ast
import subprocess
import sys
from pathlib import Path

import imports
import pytest
from conftest import ROOT

from keras_repro.core import kernels

# Each imports only from those before it.
PACKAGES = (
    *("core", "text", "datasets", "inputs", "models", "evaluation", "reproducibility"),
    *("training", "baselines", "tutorial", "bundles", "reporting", "experiments", "serving"),
)
MODULES = sorted(
    str(path.relative_to(ROOT))
    for package in ("keras_repro", "stages")
    for path in (ROOT / package).rglob("*.py")
)


def imported_by(path: str) -> set[str]:
    """Return the files that a file imports by itself."""
    return imports.direct(path) - {path}


def test_packages_are_listed() -> None:
    found = {path.parent.name for path in (ROOT / "keras_repro").glob("*/__init__.py")}
    assert found == set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_from_those_before_it(package: str) -> None:
    allowed = {f"keras_repro/{name}" for name in PACKAGES[: PACKAGES.index(package) + 1]}
    for path in MODULES:
        if path.startswith(f"keras_repro/{package}/"):
            for name in imported_by(path) - {"keras_repro/__init__.py"}:
                assert "/".join(Path(name).parts[:2]) in allowed, (path, name)


def test_a_stage_finds_numpy_pinned() -> None:
    # As `python -m` has argv while it looks for the module.
    code = "import sys; sys.argv[0] = '-m'; import stages, os; print(os.environ.get({!r}))"
    for name, value in kernels.NUMPY.items():
        result = subprocess.run(
            [sys.executable, "-c", code.format(name)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert result.stdout.strip() == (value if kernels.has_avx2() else "None")


def test_stages_import_the_library_and_neither_each_other() -> None:
    for path in MODULES:
        of_stages = {name for name in imported_by(path) if name.startswith("stages/")}
        assert {name for name in of_stages if not name.endswith("/__init__.py")} == set(), path


def test_nothing_imports_itself_over_others() -> None:
    def needs(path: str, seen: frozenset[str]) -> None:
        assert path not in seen, (path, seen)
        for name in imported_by(path):
            # A package's own names are there before its modules ask for them.
            if not name.endswith("__init__.py"):
                needs(name, seen | {path})

    for path in MODULES:
        needs(path, frozenset())


def test_the_kind_of_a_dataset_is_asked_for_in_one_place() -> None:
    kinds = {"reviews", "ngrams", "mnist", "cifar10", "text", "words", "readings", "opinions"}
    for path in MODULES:
        if path in ("keras_repro/inputs/__init__.py", "keras_repro/datasets/registry.py"):
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            # What a part of a model learns is no kind.
            if isinstance(node, ast.Compare | ast.match_case) and "learns" not in ast.unparse(node):
                asked = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                assert not kinds & {each for each in asked if isinstance(each, str)}, path


def heavy(code: str) -> str:
    """Return which of the large packages a fresh process has after some code."""
    packages = ("tensorflow", "keras", "pandas", "sklearn")
    shown = f"import sys; {code}; print([name for name in {packages} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", shown], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


def test_what_users_import_imports_nothing_yet() -> None:
    assert heavy("import keras_repro") == "[]"
    assert heavy("from keras_repro import Sentiment, ImageClassifier, ReproError") == "[]"


def test_the_command_and_the_text_stages_do_without_tensorflow() -> None:
    modules = "stages.prepare, stages.sentiment.compare, keras_repro.serving.command"
    assert "keras" not in heavy(f"import {modules}")
