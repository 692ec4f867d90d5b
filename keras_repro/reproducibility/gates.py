"""The least metrics that may be published: metrics/gates.yaml."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Fraction, Section
from keras_repro.reproducibility import sections


class Gate(Section):
    """What the test metrics of a model must reach.

    Attributes:
        cases: the share in metrics/behaviour.json, of a model that tells sentiment.

    """

    accuracy: Fraction
    precision: Fraction
    recall: Fraction
    f1: Fraction
    cases: Fraction | None = None


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
    lines: list[str] = []
    for name, gate in gates.items():
        path = paths.metrics(name)
        lines += _below(path, files.read_json(path), gate.model_dump(exclude={"cases"}))
        if gate.cases is not None:
            path, key = paths.metrics("behaviour"), f"{name}.cases"
            found = files.read_json(path).get(name, {}).get("cases")
            lines += _below(path, {key: found}, {key: gate.cases})
    return lines


def _below(path: Path, measured: Any, gate: Mapping[str, float]) -> Iterator[str]:
    for metric, least in gate.items():
        found = measured.get(metric) if isinstance(measured, dict) else None
        if not isinstance(found, int | float):
            raise ReproError(f"{path}: {metric} is {found!r}; expected a number")
        # Not `found < least`, which is false for a metric that is no number at all.
        if not found >= least:
            yield f"{path}: {metric} is {found:.4f}; expected at least {least:g}"
