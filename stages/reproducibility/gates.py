"""The least figures that may be published: metrics/gates.yaml."""

from pathlib import Path

from stages import ReproError, files, paths
from stages.params import Fraction, Section
from stages.reproducibility import sections


class Gate(Section):
    """What the test figures of a model must reach."""

    accuracy: Fraction
    precision: Fraction
    recall: Fraction
    f1: Fraction


def load(path: Path = paths.GATES) -> dict[str, Gate]:
    """Return the gate of each model.

    Raises:
        ReproError: the file is missing, or a model or a figure in it is.

    """
    return sections.load(Gate, path)


def shortfalls(gates: dict[str, Gate]) -> list[str]:
    """Return one line for each figure in metrics/ that is below its gate.

    Raises:
        ReproError: the metrics of a model are missing or lack a figure.

    """
    lines = []
    for name, gate in gates.items():
        path = paths.metrics(name)
        measured = files.read_json(path)
        for figure, least in gate.model_dump().items():
            found = measured.get(figure) if isinstance(measured, dict) else None
            if not isinstance(found, int | float):
                raise ReproError(f"{path}: {figure} is {found!r}; expected a number")
            # Not `found < least`, which is false for a figure that is no number at all.
            if not found >= least:
                lines.append(f"{path}: {figure} is {found:.4f}; expected at least {least:g}")
    return lines
