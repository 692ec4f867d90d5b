"""`keras-repro sweep`: run a grid of DVC experiments on several workers."""

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "sweep",
        help="run a grid of DVC experiments, on a Dask cluster if params.yaml names one",
        description="Each experiment is run in a clone of its own, and is then one of this "
        "repository as after `dvc exp run`.",
    )
    parser.add_argument("targets", nargs="*", metavar="STAGE", help="as of `dvc exp run`")
    parser.add_argument(
        "-S",
        "--set-param",
        dest="changes",
        metavar="KEY=VALUE,VALUE",
        action="append",
        required=True,
        help="what the experiments try, as `dvc exp run --queue` takes it (may be repeated)",
    )
    parser.add_argument("-n", "--name", help="what their names begin with (default: DVC's)")
    parser.add_argument(
        "-j", "--jobs", type=int, default=1, help="how many at once without a cluster (default: 1)"
    )
    parser.set_defaults(run=_sweep, judges=True)


def _sweep(arguments: argparse.Namespace) -> None:
    from keras_repro.experiments import sweep

    sweep.run(arguments.changes, arguments.targets, arguments.name, arguments.jobs)
