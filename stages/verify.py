"""Prove or refute what is committed: `python -m stages.verify [--only NAME] [--since COMMIT]`."""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from stages import ReproError, files, params, paths, runtime
from stages.reproducibility import rotation, verification


def main() -> None:
    """Reproduce the current commit in a directory of its own and print a verdict per output.

    The exit status is 0 unless something drifted.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--only", metavar="NAME", action="append", default=[], help="this model (may be repeated)"
    )
    chosen.add_argument(
        "--since",
        metavar="COMMIT",
        help="the models that a change since then can have touched, and in turn the others",
    )
    parser.add_argument("--json", action="store_true", help="print the report for machines")
    parser.add_argument(
        "--summary", metavar="FILE", type=Path, help="append the report to FILE as Markdown"
    )
    arguments = parser.parse_args()
    settings = params.load()
    if files.is_address(settings.storage.interim):
        raise ReproError(
            f"{paths.PARAMS}: storage.interim is {settings.storage.interim}; expected a directory, "
            "since verifying would write over what lies there"
        )
    for name in arguments.only:
        settings.model(name)  # an unknown name ends here
    if arguments.summary:
        _check_writable(arguments.summary)
    repository = Path.cwd()
    if changed := verification.uncommitted(repository):
        _report(f"not verified, since they are not committed: {', '.join(changed)}")
    names = arguments.only
    if arguments.since:
        names = rotation.due(repository, arguments.since)
        if left_out := [name for name in params.Models.model_fields if name not in names]:
            _report(f"not verified this time, as nothing touched them: {', '.join(left_out)}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="keras-repro-verify-") as directory:
        report = verification.verify(repository, names, Path(directory))
    whole = time.monotonic() - started
    _report(f"verified in {whole:.0f} s, {report.seconds:.0f} s of which `dvc repro` took")
    if arguments.summary:
        with arguments.summary.open("a", encoding="utf-8") as file:
            file.write(verification.as_markdown(report))
    if arguments.json:
        print(json.dumps(verification.as_json(report), indent=2))  # noqa: T201 - what it is for
    else:
        print(verification.as_text(report))  # noqa: T201 - what it is for
    if report.drifted:
        sys.exit(1)


def _check_writable(path: Path) -> None:
    """Find out now, not after ten minutes, whether a file can be appended to."""
    try:
        path.open("a").close()
    except OSError as error:
        raise ReproError(f"--summary {path}: {error.strerror}; expected a writable file") from None


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress


if __name__ == "__main__":
    runtime.run(main)
