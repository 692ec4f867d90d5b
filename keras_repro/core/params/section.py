"""What all sections of params.yaml are made of."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt

Fraction = Annotated[float, Field(gt=0, lt=1)]
Rate = Annotated[float, Field(ge=0, lt=1)]
# YAML has strings where Python has paths and lists where it has tuples and sets.
Layers = Annotated[tuple[PositiveInt, ...], Field(min_length=1, strict=False)]


class Section(BaseModel):
    """A mapping whose keys are all known and whose values never change."""

    # Strict: the string "3" is no number and the number 1 is no truth value.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def inside_project(path: Path) -> Path:
    """DVC hashes what a path in params.yaml names, so it must not depend on the machine."""
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"expected a path relative to the root of the repository, found {path}")
    return path


ProjectPath = Annotated[Path, AfterValidator(inside_project), Field(strict=False)]
