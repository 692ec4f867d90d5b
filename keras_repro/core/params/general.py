"""How everything runs, is downloaded and is measured, and where the text stages compute."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from keras_repro.core.params.section import Section


def _scheduler(address: str) -> str:
    if not re.fullmatch(r"(tcp|tls|ws|wss)://[^/]+:\d+", address):
        raise ValueError(f"expected an address such as tcp://host:8786, found {address!r}")
    return address


# The address of a Dask scheduler. No result depends on it, so it is no parameter of any stage.
Scheduler = Annotated[str, AfterValidator(_scheduler)]


def _workers(given: Any) -> Any:
    """Tell addresses from what is none: each fault of a union would be told for each member."""
    if given == "cluster":
        return given
    each = given if isinstance(given, list | tuple) else [given]
    valid = [one for one in each if re.fullmatch(r"tcp://[^/]+:\d+", str(one))]
    if not valid or len(set(valid)) < len(each):
        raise ValueError(
            f"expected addresses such as [tcp://host:8790], each once, cluster or null, "
            f"found {given!r}"
        )
    return tuple(valid)


# The processes that train with this one, or "cluster" for those that the Dask cluster starts. No
# result depends on them, so they are no parameter of any stage.
Workers = Annotated[Literal["cluster"] | tuple[str, ...], BeforeValidator(_workers)]


class Runtime(Section):
    """Seeds, threads, op determinism and kernels of TensorFlow."""

    seed: NonNegativeInt
    threads: PositiveInt
    deterministic: bool
    portable: bool


class Download(Section):
    """Patience with the sources of a dataset; times are in seconds."""

    attempts: PositiveInt
    answer_timeout: PositiveFloat
    time_limit: PositiveFloat

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.time_limit <= self.answer_timeout:
            raise ValueError(
                f"expected time_limit above answer_timeout ({self.answer_timeout:g}), "
                f"found {self.time_limit:g}"
            )
        return self


class Evaluate(Section):
    """How predictions are made and reported; no metric of a model depends on it."""

    batch_size: PositiveInt
    mistakes: NonNegativeInt
