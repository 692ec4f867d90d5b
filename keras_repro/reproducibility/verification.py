"""Reproduce a commit from nothing, beside an untouched clone of it, and compare the two."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.reproducibility import lock, rotation, tolerances, verdicts
from keras_repro.reproducibility.exact import fingerprint
from keras_repro.reproducibility.verdicts import DRIFTED, EQUIVALENT, Verdict

AVX2 = "X86_V3"  # NumPy's name for it and what came with it
# Variables of Python that lead to no other code.
KEPT = ("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONPYCACHEPREFIX")


class Report(NamedTuple):
    """What a verification found.

    Attributes:
        commit: that was verified.
        verdicts: one per output, and one per published file that no lock records.
        committed: the fingerprint of the machine of the committed run.
        here: that of this machine.
        faults: what the committed fingerprint says that the commit does not.
        metrics_diff: what `dvc metrics diff --md` says of the commit and its reproduction.
        seconds: that `dvc repro` took.

    """

    commit: str
    verdicts: list[Verdict]
    committed: dict[str, Any]
    here: dict[str, Any]
    faults: list[str]
    metrics_diff: str
    seconds: float

    @property
    def machine(self) -> list[tuple[str, Any, Any]]:
        """How this machine differs in what decides the bytes, as (key, there, here)."""
        there, here = (fingerprint.decisive(one) for one in (self.committed, self.here))
        return list(fingerprint.differences(there, here))

    @property
    def failed(self) -> bool:
        """Whether anything is not as committed and no machine explains it."""
        kinds = {verdict.verdict for verdict in self.verdicts}
        return bool(self.faults) or DRIFTED in kinds or (EQUIVALENT in kinds and not self.explained)

    @property
    def explained(self) -> bool:
        """Whether this machine may leave other bytes than that of the committed run.

        Processors with AVX2 compute the same bits. Where one computes others than the committed
        fingerprint has, nobody knows why, and whoever forged it would wish for an excuse.
        """
        keys = [key for key, _, _ in self.machine]
        numerics = [key for key in keys if key.startswith("numerics.")]
        comparable = self.here["portable"] and AVX2 in self.here["simd"]
        return len(keys) > len(numerics) or (bool(numerics) and not comparable)

    def explanation(self) -> str:
        """Say whether the machine and the packages explain the bytes that differ."""
        kinds = {verdict.verdict for verdict in self.verdicts}
        if self.faults:
            return "; ".join(self.faults)
        if DRIFTED in kinds:
            return "no machine explains what drifted"
        if EQUIVALENT not in kinds:
            return "every byte is as committed"
        numerics = [
            key.partition(".")[2] for key, _, _ in self.machine if key.startswith("numerics.")
        ]
        others = [
            f"{key} {old} became {new}"
            for key, old, new in self.machine
            if not key.startswith("numerics.")
        ]
        if numerics:
            others.insert(0, f"this machine computes {', '.join(numerics)} in other bits")
        if self.explained:
            return f"the bytes that differ are explained: {'; '.join(others)}"
        if numerics:
            return (
                f"the bytes that differ are NOT explained: {others[0]}, although it has AVX2 and "
                "the same packages"
            )
        return (
            "the bytes that differ are NOT explained: packages and numerics are those of the "
            "committed run"
        )


def verify(repository: Path, stages: list[str], here: dict[str, Any], directory: Path) -> Report:
    """Reproduce the current commit in `directory` and compare it with what is committed.

    Args:
        repository: the root of a Git repository with this pipeline.
        stages: to reproduce with all that they need, as DVC addresses them; empty for all of every
            pipeline that has been run.
        here: the fingerprint of this machine.
        directory: an empty one; gets two clones, `committed` and `reproduced`.

    Raises:
        ReproError: there is no commit, or a file of it that says what to expect is at fault.

    """
    committed, reproduced = directory / "committed", directory / "reproduced"
    for clone in (committed, reproduced):
        output_of("git", "clone", "--quiet", str(repository.absolute()), str(clone), cwd=repository)
    commit = output_of("git", "rev-parse", "HEAD", cwd=committed).strip()
    models = list(params.load(committed / paths.PARAMS).models)
    allowed = tolerances.load(models, committed / paths.TOLERANCES)
    recorded = lock.outputs(committed)
    machine = files.read_json(committed / paths.FINGERPRINT)
    faults = list(fingerprint_faults(committed, machine))
    published = output_of("git", "ls-files", "--", str(paths.METRICS), cwd=committed).splitlines()
    pipelines = [str(path.relative_to(committed)) for path in lock.further(committed)]
    _clear(reproduced, recorded)
    _copy_downloads(repository, reproduced, recorded)
    started = time.monotonic()
    whole = ["dvc.yaml", *(path.replace(".lock", ".yaml") for path in pipelines)]
    _reproduce(reproduced, stages or whole)
    seconds = time.monotonic() - started
    all_stages = {output.stage for output in recorded.values()}
    expected = rotation.with_needs(stages or all_stages, rotation.locks(committed, "HEAD"))
    return Report(
        commit,
        [
            *verdicts.compare(committed, reproduced, allowed, expected),
            *verdicts.unrecorded(recorded, map(Path, published)),
        ],
        machine,
        here,
        faults,
        _metrics_diff(reproduced),
        seconds,
    )


def cache_of(repository: Path) -> Path:
    """Return the directory of a repository's DVC cache, wherever its configuration puts it."""
    return Path(output_of(sys.executable, "-m", "dvc", "cache", "dir", cwd=repository).strip())


def fingerprint_faults(clone: Path, machine: dict[str, Any]) -> Iterator[str]:
    """Yield what the committed fingerprint says that params.yaml or the locked packages do not."""
    runtime = params.load(clone / paths.PARAMS).runtime
    locked = fingerprint.locked((clone / paths.PACKAGES).read_text("utf-8"))
    expected = {"packages": locked} | {
        key: getattr(runtime, key) for key in ("threads", "deterministic", "portable")
    }
    for key, told, meant in fingerprint.differences(
        {key: machine.get(key) for key in expected}, expected
    ):
        yield (
            f"{paths.FINGERPRINT} has {key} {told}; expected {meant}, as the commit has "
            "(`keras-repro fingerprint --record` after a full run)"
        )


def uncommitted(repository: Path) -> list[str]:
    """Return the tracked files whose content is not that of the commit."""
    listed = output_of("git", "status", "--porcelain", "--untracked-files=no", cwd=repository)
    return [line[3:] for line in listed.splitlines()]


def as_json(report: Report) -> dict[str, Any]:
    """Return the report for machines."""
    return {
        "commit": report.commit,
        "counts": verdicts.count(report.verdicts),
        "verdicts": [verdict._asdict() for verdict in report.verdicts],
        "committed_by": report.committed,
        "verified_by": report.here,
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
    run = report.committed
    return (
        f"{counts}; {report.explanation()}.\n"
        f"The committed run: {run['cpu']}, Python {run['python']}, {run['libc']}."
    )


def _clear(clone: Path, recorded: dict[Path, lock.Output]) -> None:
    """Remove what a run makes, so that nothing can be found right for having been there."""
    for path in [clone / paths.LOCK, *lock.further(clone), *(clone / path for path in recorded)]:
        path.unlink(missing_ok=True)


def _copy_downloads(repository: Path, clone: Path, recorded: dict[Path, lock.Output]) -> None:
    """Spare the network what DVC's cache has; the stage checks its hash as it does a download's."""
    cache = cache_of(repository)
    for path, output in recorded.items():
        cached = lock.cached(cache, output.md5)
        if output.stage.startswith("download@") and cached.is_file():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(cached, clone / path)


def _reproduce(clone: Path, targets: list[str]) -> None:
    """Run the pipeline; a stage that fails has told why, and its outputs are found missing."""
    subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "--keep-going", *targets],
        cwd=clone,
        env=environment(),
        stdout=sys.stderr,  # which leaves stdout to the report
        check=False,
    )
    if not (clone / paths.LOCK).is_file():
        raise ReproError(f"{clone}: `dvc repro` made nothing; expected dvc.lock (see above)")


def _metrics_diff(clone: Path) -> str:
    """Return as Markdown what DVC says of the reproduced metrics, nothing if none differs."""
    made = [path for path in lock.outputs(clone) if path.parent == paths.METRICS]
    targets = [str(path) for path in made if (clone / path).is_file()]
    table = output_of(
        sys.executable, "-m", "dvc", "metrics", "diff", "--md", "--targets", *targets, cwd=clone
    ).strip()
    head_and_rule = 2
    return table if len(table.splitlines()) > head_and_rule else ""


def environment() -> dict[str, str]:
    """Return the environment in which `python` is this one, and the directory's code its own.

    Git and Python obey variables that would lead them to another repository or to other modules.
    """
    own = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("GIT_", "PYTHON")) or key in KEPT
    }
    return own | {
        "PYTHONNOUSERSITE": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def output_of(*command: str, cwd: Path) -> str:
    """Return what a command says on its standard output.

    Raises:
        ReproError: it fails.

    """
    result = subprocess.run(
        command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        told = result.stderr.strip() or f"exit status {result.returncode}"
        raise ReproError(f"{cwd}: `{' '.join(command[:3])}` failed: {told}")
    return result.stdout
