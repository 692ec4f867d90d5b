"""The least metrics that may be published: metrics/gates.yaml."""

from collections.abc import Sequence
from pathlib import Path

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Fraction, Section
from keras_repro.reproducibility import sections


class Gate(Section):
    """What the test metrics of a model must reach."""

    accuracy: Fraction
    precision: Fraction
    recall: Fraction
    f1: Fraction


def load(models: Sequence[str], path: Path = paths.GATES) -> dict[str, Gate]:
    """Return the gate of each model.

    Raises:
        ReproError: the file is missing, or a metric in it is.

    """
    return sections.load(Gate, path, models)


def shortfalls(gates: dict[str, Gate]) -> list[str]:
    """Return one line for each metric in metrics/ that is below its gate.

    Raises:
        ReproError: the metrics of a model are missing or lack a metric.

    """
    lines = []
    for name, gate in gates.items():
        path = paths.metrics(name)
        measured = files.read_json(path)
        for metric, least in gate.model_dump().items():
            found = measured.get(metric) if isinstance(measured, dict) else None
            if not isinstance(found, int | float):
                raise ReproError(f"{path}: {metric} is {found!r}; expected a number")
            # Not `found < least`, which is false for a metric that is no number at all.
            if not found >= least:
                lines.append(f"{path}: {metric} is {found:.4f}; expected at least {least:g}")
    return lines
