"""Reproduce a commit from nothing, beside an untouched clone of it, and compare the two."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from stages import ReproError, files, params, paths
from stages.reproducibility import fingerprint, lock, tolerances, verdicts
from stages.reproducibility.verdicts import DRIFTED, EQUIVALENT, Verdict


class Report(NamedTuple):
    """What a verification found.

    Attributes:
        commit: that was verified.
        verdicts: one per output.
        machine: per model, how this machine and its packages differ from those of the committed
            run, as (key, there, here).
        metrics_diff: what `dvc metrics diff --md` says of the commit and its reproduction.
        seconds: that `dvc repro` took.

    """

    commit: str
    verdicts: list[Verdict]
    machine: dict[str, list[tuple[str, Any, Any]]]
    metrics_diff: str
    seconds: float

    @property
    def drifted(self) -> bool:
        """Whether anything is neither identical nor equivalent."""
        return any(verdict.verdict == DRIFTED for verdict in self.verdicts)

    def explanation(self) -> str:
        """Say whether the machine and the packages explain the bytes that differ."""
        differing = {
            verdict.stage.partition("@")[2]
            for verdict in self.verdicts
            if verdict.verdict == EQUIVALENT
        }
        if self.drifted:
            return "no machine explains what drifted"
        if not differing:
            return "every byte is as committed"
        found = {
            key: (old, new) for name in differing for key, old, new in self.machine.get(name, [])
        }
        numerics = [key.partition(".")[2] for key in found if key.startswith("numerics.")]
        others = [
            f"{key} {old} became {new}"
            for key, (old, new) in found.items()
            if not key.startswith(("numerics.", "simd"))
        ]
        if numerics:
            others.insert(0, f"this machine computes {', '.join(numerics)} in other bits")
        if others:
            return f"the bytes that differ are explained: {'; '.join(others)}"
        return (
            "the bytes that differ are NOT explained: machine, packages and numerics are those of "
            "the committed run"
        )


def verify(repository: Path, names: list[str], directory: Path) -> Report:
    """Reproduce the current commit in `directory` and compare it with what is committed.

    Args:
        repository: the root of a Git repository with this pipeline.
        names: of the models to reproduce; empty for the whole graph.
        directory: an empty one; gets two clones, `committed` and `reproduced`.

    Raises:
        ReproError: there is no commit, or a file of it that says what to expect is at fault.

    """
    committed, reproduced = directory / "committed", directory / "reproduced"
    for clone in (committed, reproduced):
        _run("git", "clone", "--quiet", str(repository.absolute()), str(clone), cwd=repository)
    commit = _run("git", "rev-parse", "HEAD", cwd=committed).strip()
    allowed = tolerances.load(committed / paths.TOLERANCES)
    recorded = lock.outputs(committed)
    machines = {
        name: files.read_json(committed / paths.fingerprint(name)) for name in names or allowed
    }
    targets = [f"{stage}@{name}" for name in names for stage in ("train", "evaluate")]
    _clear(reproduced, recorded)
    _copy_downloads(repository, reproduced, recorded)
    started = time.monotonic()
    _reproduce(reproduced, targets)
    seconds = time.monotonic() - started
    stages = set(targets) if targets else {output.stage for output in recorded.values()}
    return Report(
        commit,
        verdicts.compare(committed, reproduced, allowed, stages),
        {name: list(_machine(name, machine, reproduced)) for name, machine in machines.items()},
        _metrics_diff(reproduced),
        seconds,
    )


def uncommitted(repository: Path) -> list[str]:
    """Return the tracked files whose content is not that of the commit."""
    listed = _run("git", "status", "--porcelain", "--untracked-files=no", cwd=repository)
    return [line[3:] for line in listed.splitlines()]


def as_json(report: Report) -> dict[str, Any]:
    """Return the report for machines."""
    return {
        "commit": report.commit,
        "counts": verdicts.count(report.verdicts),
        "verdicts": [verdict._asdict() for verdict in report.verdicts],
        "machine": {
            name: [{"key": key, "committed": old, "here": new} for key, old, new in found]
            for name, found in report.machine.items()
        },
        "explanation": report.explanation(),
    }


def as_markdown(report: Report) -> str:
    """Return the verdicts as a table, then what `dvc metrics diff` says."""
    lines = ["| output | verdict | first difference |", "|---|---|---|"]
    for verdict in report.verdicts:
        told = (verdict.difference or "").replace("|", "\\|")
        lines.append(f"| `{verdict.output}` | {verdict.verdict} | {told} |")
    return "\n".join(
        [
            f"### Verification of {report.commit[:12]}",
            "",
            *lines,
            "",
            summary(report),
            "",
            "### `dvc metrics diff`, the commit and its reproduction",
            "",
            report.metrics_diff or "No metric differs.",
            "",
        ]
    )


def as_text(report: Report) -> str:
    """Return the verdicts as a table for a terminal."""
    wide = max(len(verdict.output) for verdict in report.verdicts)
    lines = [
        f"{verdict.output:{wide}}  {verdict.verdict:10}  {verdict.difference or ''}".rstrip()
        for verdict in report.verdicts
    ]
    return "\n".join([*lines, "", summary(report)])


def summary(report: Report) -> str:
    """Return the numbers of each verdict and what explains them in two sentences."""
    counts = ", ".join(f"{n} {kind}" for kind, n in verdicts.count(report.verdicts).items())
    return f"{counts}; {report.explanation()}."


def _clear(clone: Path, recorded: dict[Path, lock.Output]) -> None:
    """Remove what a run makes, so that nothing can be found right for having been there."""
    (clone / paths.LOCK).unlink()
    for path in [*recorded, *map(paths.fingerprint, params.Models.model_fields)]:
        (clone / path).unlink(missing_ok=True)


def _copy_downloads(repository: Path, clone: Path, recorded: dict[Path, lock.Output]) -> None:
    """Spare the network what DVC's cache has; the stage checks its hash as it does a download's."""
    cache = Path(_run(sys.executable, "-m", "dvc", "cache", "dir", cwd=repository).strip())
    for path, output in recorded.items():
        cached = cache / "files" / "md5" / output.md5[:2] / output.md5[2:]
        if output.stage.startswith("download@") and cached.is_file():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(cached, clone / path)


def _reproduce(clone: Path, targets: list[str]) -> None:
    """Run the pipeline; a stage that fails has told why, and its outputs are found missing."""
    subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "--keep-going", *targets],
        cwd=clone,
        env=_environment(),
        stdout=sys.stderr,  # which leaves stdout to the report
        check=False,
    )
    if not (clone / paths.LOCK).is_file():
        raise ReproError(f"{clone}: `dvc repro` made nothing; expected dvc.lock (see above)")


def _machine(name: str, machine: dict[str, Any], clone: Path) -> Iterator[tuple[str, Any, Any]]:
    """Yield how the machine that trained a model differs from this one."""
    path = clone / paths.fingerprint(name)
    if path.is_file():  # it is not if training failed
        yield from fingerprint.differences(machine, files.read_json(path))


def _metrics_diff(clone: Path) -> str:
    """Return as Markdown what DVC says of the reproduced metrics, nothing if none differs."""
    made = [path for path in lock.outputs(clone) if path.parent == paths.METRICS]
    targets = [str(path) for path in made if (clone / path).is_file()]
    table = _run(
        sys.executable, "-m", "dvc", "metrics", "diff", "--md", "--targets", *targets, cwd=clone
    ).strip()
    head_and_rule = 2
    return table if len(table.splitlines()) > head_and_rule else ""


def _environment() -> dict[str, str]:
    """Return the environment in which `python` is this one, and Git obeys the directory alone."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return own | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _run(*command: str, cwd: Path) -> str:
    result = subprocess.run(
        command, cwd=cwd, env=_environment(), capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        told = result.stderr.strip() or f"exit status {result.returncode}"
        raise ReproError(f"{cwd}: `{' '.join(command[:3])}` failed: {told}")
    return result.stdout
