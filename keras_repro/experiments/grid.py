"""The experiments of a grid: what each of them sets, and what it is called."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError

# Each has them to itself: the cluster that runs the experiments is not to wait for them.
ALONE = ("cluster", "workers")


class Experiment(NamedTuple):
    """One point of a grid.

    Attributes:
        name: what DVC calls it.
        changes: of parameters, as `dvc exp run -S` takes them.

    """

    name: str
    changes: list[str]


class Grid(NamedTuple):
    """All points.

    Attributes:
        experiments: in the order in which DVC would queue them.
        cluster: the address of a Dask scheduler that params.yaml has then, or None.

    """

    experiments: list[Experiment]
    cluster: str | None


def expanded(changes: Sequence[str], name: str | None, taken: set[str]) -> Grid:
    """Return what `dvc exp run --queue` would make of changes, each tried on params.yaml.

    Args:
        changes: as `-S` takes them; several values after a comma are a choice.
        name: what the experiments' names begin with; None has DVC find one for each.
        taken: the names that there are.

    Raises:
        ReproError: a change cannot be read or applied, or leaves a params.yaml that is refused; an
            experiment has the name.

    """
    from dvc.repo.experiments.utils import gen_random_name
    from dvc.utils import hydra
    from dvc.utils.cli_parse import to_path_overrides

    with _faults(changes):
        points = hydra.get_hydra_sweeps(to_path_overrides(changes))
    found, cluster = [], None
    for number, point in enumerate(points, start=1):
        own = name and (f"{name}-{number}" if len(points) > 1 else name)
        while not own or (name is None and own in taken):
            own = gen_random_name()
        if own in taken:
            raise ReproError(
                f"--name: the experiment {own} is there already; expected another name "
                f"(or `dvc exp remove {own}`)"
            )
        taken = taken | {own}
        settings = _applied(point)
        cluster = cluster or settings.cluster
        alone = [f"{key}=null" for key in ALONE if getattr(settings, key) is not None]
        given = [
            change if path == str(paths.PARAMS) else f"{path}:{change}"
            for path, some in point.items()
            for change in some
        ]
        found.append(Experiment(own, given + alone))
    return Grid(found, cluster)


def _applied(point: dict[str, list[str]]) -> params.Params:
    """Return params.yaml as an experiment would have it."""
    from dvc.utils import hydra

    with files.scratch() as scratch:
        for path in {str(paths.PARAMS), *point}:
            if not Path(path).is_file():
                raise ReproError(f"-S {path}:…: there is no file {path}; expected one to change")
            copy = scratch / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            with _faults(point.get(path, [])):
                hydra.apply_overrides(copy, point.get(path, []))
        try:
            return params.load(scratch / paths.PARAMS)
        except ReproError as error:
            raise ReproError(str(error).replace(f"{scratch}/", "")) from None


@contextmanager
def _faults(changes: Sequence[str]) -> Iterator[None]:
    """Make one message of what DVC and Hydra raise of changes."""
    from dvc.exceptions import DvcException
    from hydra.errors import HydraException

    try:
        yield
    except (DvcException, HydraException) as error:
        told = " ".join(str(error.__cause__ or error).partition("\nSee http")[0].split())
        raise ReproError(
            f"-S {' -S '.join(changes)}: {told}; expected KEY=VALUE or KEY=VALUE,VALUE "
            f"with a key of {paths.PARAMS}"
        ) from None
