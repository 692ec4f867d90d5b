"""YAML files that hold one section for each model."""

from pathlib import Path
from typing import TypeVar

from pydantic import RootModel

from stages import ReproError, params

Kind = TypeVar("Kind", bound=params.Section)


def load(kind: type[Kind], path: Path) -> dict[str, Kind]:
    """Return the section of each model, in the models' order.

    Raises:
        ReproError: the file is missing, a model is missing or unknown, or a section is at fault.

    """
    found = params.validated(RootModel[dict[str, kind]], path).root  # type: ignore[valid-type]
    models = params.Models.model_fields
    for name in [*models, *found]:
        if name not in found:
            raise ReproError(f"{path}: {name} is missing; expected a section for each model")
        if name not in models:
            raise ReproError(f"{path}: {name} is no model; expected one of {', '.join(models)}")
    return {name: found[name] for name in models}
