"""`keras-repro check`, `gate`, `results`, `report` and `fingerprint`."""

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

from keras_repro.core import files, kernels, params, paths, runtime
from keras_repro.core.errors import ReproError

log = logging.getLogger(__name__)

REPORT = Path("build/report.html")
BUNDLES = Path("build/bundles.tar.gz")


def add(commands: Any) -> None:
    """Add the subcommands, each of which is run where the project lies."""
    check = commands.add_parser(
        "check", help="fail if dvc.lock does not match the code and params.yaml"
    )
    check.set_defaults(run=_check, judges=True)

    gate = commands.add_parser("gate", help=f"fail if a metric is below {paths.GATES}")
    gate.set_defaults(run=_gate, judges=True)

    results = commands.add_parser("results", help="print the table of results")
    results.add_argument(
        "--write", action="store_true", help="replace those in the pages, and the chart"
    )
    results.set_defaults(run=_results, judges=True)

    report = commands.add_parser("report", help="write the report, an HTML file in each language")
    report.add_argument("--rev", help="a commit, branch, tag or experiment to compare with")
    report.add_argument("--out", type=Path, default=REPORT, help="(default: %(default)s)")
    report.set_defaults(run=_report, judges=True)

    release = commands.add_parser("release", help="write the bundles into one archive")
    release.add_argument("--out", type=Path, default=BUNDLES, help="(default: %(default)s)")
    release.set_defaults(run=_release, judges=True)

    fingerprint = commands.add_parser(
        "fingerprint", help="tell whether this machine reproduces the committed bytes"
    )
    fingerprint.add_argument("--json", action="store_true", help="print the fingerprint itself")
    fingerprint.add_argument(
        "--record", action="store_true", help=f"write {paths.FINGERPRINT}, after a full run"
    )
    fingerprint.set_defaults(run=_fingerprint, judges=True)


def _release(arguments: argparse.Namespace) -> None:
    """Pack the bundles of all models."""
    from keras_repro.bundles import release

    models = params.load().models
    bundles = {name: paths.bundle(name) for name in models}
    digest = release.write(bundles, Path("LICENSE"), arguments.out)
    _print(f"{arguments.out}: {', '.join(sorted(bundles))}")
    _print(f"Sentiment.load('https://WHERE YOU PUT IT/{arguments.out.name}#sha256={digest}')")


def _check(_: argparse.Namespace) -> None:
    """Name the stages that a clone would have to run again, and a remote that nobody checks."""
    from keras_repro.reproducibility import lock, remotes

    params.load()
    found = lock.disagreement()
    if found.stale:
        raise ReproError(
            f"dvc.lock: {', '.join(found.stale)} changed since the run that it records; "
            "expected none (run `dvc repro` and commit dvc.lock and metrics/)"
        )
    for stage in found.unknown:
        raise ReproError(
            f"{lock.pipeline(stage)}: records {stage}, which no dvc.yaml has; expected only stages "
            "that `dvc repro` can run (remove its entry)"
        )
    if remote := remotes.unverified():
        raise ReproError(
            f".dvc/config: the remote '{remote}' has no verify = true; expected it, or `dvc pull` "
            f"delivers damaged files (run `dvc remote modify {remote} verify true`)"
        )
    _print("dvc.lock agrees with the code, params.yaml and metrics/")


def _gate(_: argparse.Namespace) -> None:
    """Name every metric that falls short."""
    from keras_repro.reproducibility import gates

    least = gates.load(list(params.load().models))
    if lines := gates.shortfalls(least):
        raise ReproError("\n".join([f"{len(lines)} below {paths.GATES}", *lines]))
    _print(f"all metrics of {len(least)} models reach {paths.GATES}")


def _results(arguments: argparse.Namespace) -> None:
    models = list(params.load().models)
    if arguments.write:
        from keras_repro.reporting import markdown  # imports pandas and SciPy

        for path, text in markdown.written(models).items():
            files.write_bytes(path, text.encode())
    else:
        from keras_repro.reporting import results

        _print(results.table(models))


def _report(arguments: argparse.Namespace) -> None:
    from keras_repro.reporting import page

    for target in page.write(arguments.out, arguments.rev):
        _print(f"{target}: {files.sized(target)}")


def _fingerprint(arguments: argparse.Namespace) -> None:
    """Compare what this machine computes with what that of the committed run did.

    The exit status is 1 if they differ.
    """
    settings = params.load().runtime
    if kernels.has_avx2() and not kernels.NUMPY.items() <= os.environ.items():
        # NumPy has chosen its kernels by now. As `python -m` it finds ours.
        os.execv(  # noqa: S606 - this Python and the arguments that it was given
            sys.executable, [sys.executable, "-m", "keras_repro", *arguments.given]
        )
    log.info("computing ...")
    runtime.configure(settings)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro.reproducibility import gradients
    from keras_repro.reproducibility.exact import fingerprint

    found = fingerprint.measure(settings, gradients.COMPUTATIONS)
    if arguments.json:
        _print(json.dumps(found, indent=2))
    elif arguments.record:
        files.write_json(paths.FINGERPRINT, found)
    else:
        committed = files.read_json(paths.FINGERPRINT)
        _print(fingerprint.described(committed, found))
        if fingerprint.decisive(committed) != fingerprint.decisive(found):
            sys.exit(1)


def _print(text: str) -> None:
    print(text)  # noqa: T201 - what was asked for
