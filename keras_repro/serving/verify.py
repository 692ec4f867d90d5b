"""`keras-repro verify`: prove or refute what is committed."""

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from keras_repro.core import files, params, paths, runtime
from keras_repro.core.errors import ReproError

log = logging.getLogger(__name__)


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "verify",
        help="reproduce the current commit in a fresh clone and compare every output",
        description="The exit status is 0 if all is identical, or equivalent on a machine that "
        "explains it.",
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        default=[],
        help="the stages of this model, or this stage (may be repeated)",
    )
    chosen.add_argument(
        "--since",
        metavar="COMMIT",
        help="what has changed since that commit, and a rotating share of the rest",
    )
    chosen.add_argument(
        "--explain", metavar="NAME", help="as --only, and show where each output begins to differ"
    )
    parser.add_argument("--json", action="store_true", help="print the report for machines")
    parser.add_argument(
        "--summary", metavar="FILE", type=Path, help="append the report to FILE as Markdown"
    )
    parser.set_defaults(run=_verify, judges=True)


def _verify(arguments: argparse.Namespace) -> None:
    from keras_repro.reproducibility import explanation, rotation, verification

    settings = params.load()
    if files.is_address(settings.storage.interim):
        raise ReproError(
            f"{paths.PARAMS}: storage.interim is {settings.storage.interim}; expected a directory, "
            "since verifying would write over what lies there"
        )
    if arguments.summary:
        _check_writable(arguments.summary)
    repository = Path.cwd()
    if changed := verification.uncommitted(repository):
        log.warning("not verified, since they are not committed: %s", ", ".join(changed))
    names = [arguments.explain] if arguments.explain else arguments.only
    stages = [stage for name in names for stage in rotation.stages_of(repository, name)]
    if arguments.since:
        stages, left_out = rotation.due(repository, arguments.since)
        if left_out:
            log.info("not verified this time, as it is not their turn: %s", ", ".join(left_out))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keras-repro-verify-") as directory:
        report = verification.verify(repository, stages, _fingerprint(), Path(directory))
        shown: list[str] = []
        if arguments.explain:
            runtime.configure(settings.runtime)  # a model's weights are loaded with Keras
            cache = verification.cache_of(repository)
            shown += explanation.differences(cache, report.verdicts, Path(directory))
    whole = time.monotonic() - started
    log.info("verified in %.0f s, %.0f s of which `dvc repro` took", whole, report.seconds)
    if arguments.summary:
        with arguments.summary.open("a", encoding="utf-8") as file:
            file.write(verification.as_markdown(report))
    if arguments.json:
        print(json.dumps(verification.as_json(report), indent=2))  # noqa: T201 - what it is for
    else:
        print("\n".join([verification.as_text(report), *shown]))  # noqa: T201 - what it is for
    if report.failed:
        sys.exit(1)


def _fingerprint() -> dict[str, Any]:
    """Return what this machine computes, from a process of its own, which TensorFlow fills."""
    command = [sys.executable, "-m", "keras_repro", "fingerprint", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ReproError(f"{' '.join(command[1:])} failed: {result.stderr.strip()}")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def _check_writable(path: Path) -> None:
    """Find out now, not after ten minutes, whether a file can be appended to."""
    try:
        path.open("a").close()
    except OSError as error:
        raise ReproError(f"--summary {path}: {error.strerror}; expected a writable file") from None
