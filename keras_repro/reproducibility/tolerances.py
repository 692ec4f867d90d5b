"""How far a model may be from the committed one and still count as the same: tolerances.yaml."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from keras_repro.core import paths
from keras_repro.core.params import Section
from keras_repro.reproducibility import sections


class Tolerance(Section):
    """A bound and why it is there."""

    bound: Annotated[float, Field(ge=0, le=1)]
    reason: Annotated[str, Field(min_length=1)]


class ModelTolerances(Section):
    """The greatest difference of each metric that may be.

    Attributes:
        best_val_accuracy: of the best epoch in the history.
        agreement: the least share of the test items for which both models predict the same class.

    """

    accuracy: Tolerance
    precision: Tolerance
    recall: Tolerance
    f1: Tolerance
    loss: Tolerance
    best_val_accuracy: Tolerance
    agreement: Tolerance


def load(models: Sequence[str], path: Path = paths.TOLERANCES) -> dict[str, ModelTolerances]:
    """Return the tolerances of each model.

    Raises:
        ReproError: the file is missing, or a metric or a reason in it is.

    """
    return sections.load(ModelTolerances, path, models)
