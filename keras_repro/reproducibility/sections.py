"""YAML files with a section for each model, and one for those that have none of their own."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import RootModel

from keras_repro.core import params
from keras_repro.core.errors import ReproError

Kind = TypeVar("Kind", bound=params.Section)

DEFAULT = "default"


def load(kind: type[Kind], path: Path, models: Sequence[str]) -> dict[str, Kind]:
    """Return the section of each model, in the models' order.

    Raises:
        ReproError: the file is missing, has no section `default`, has one of an unknown model, or
            a section is at fault.

    """
    found: dict[str, Kind] = params.validated(
        RootModel[dict[str, kind]],  # type: ignore[valid-type]
        path,
    ).root
    if DEFAULT not in found:
        raise ReproError(f"{path}: {DEFAULT} is missing; expected it, for models without a section")
    for name in found:
        if name != DEFAULT and name not in models:
            raise ReproError(f"{path}: {name} is no model; expected one of {', '.join(models)}")
    default = found[DEFAULT]
    return {name: found.get(name, default) for name in models}
