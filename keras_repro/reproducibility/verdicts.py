"""Each output of a run beside that of another: identical, equivalent or drifted.

Everything before training must be identical. A model and all that is told of it may differ in
bytes, as a processor without AVX2 adds up in another order, if its metrics and its predictions stay
within metrics/tolerances.yaml: that is equivalent. Anything else has drifted.
"""

import csv
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple

from keras_repro.core import files, metrics, paths
from keras_repro.reproducibility import lock
from keras_repro.reproducibility.lock import Output
from keras_repro.reproducibility.tolerances import ModelTolerances

Kind = Literal["identical", "equivalent", "drifted"]
IDENTICAL: Kind = "identical"
EQUIVALENT: Kind = "equivalent"
DRIFTED: Kind = "drifted"
TEXT = (".csv", ".json", ".md")
PUBLISHED = ("metrics", "docs")  # where outputs are in Git
# Stages that learn or say what was learned; what any other stage leaves must be identical.
LEARNING = (
    "train",
    "evaluate",
    "export",
    "baseline",
    "compare",
    "behaviour",
    "transfer_source",
    "backbone",
    "features",
    "transfer_scratch",
    "transfer",
    "train_sequence",
    "evaluate_sequence",
)
# How far a metric may be off that metrics/tolerances.yaml does not name: absolute below 1, relative
# above. Two standard deviations of chance are 0.04 for the least test split, 400 generated texts.
FURTHER = 0.05
# Of metrics/behaviour.json, whose shares are of six texts and more.
OF_FEW_TEXTS = 0.2


class Verdict(NamedTuple):
    """What became of one output.

    Attributes:
        output: its path.
        stage: that made it.
        verdict: identical, equivalent or drifted.
        expected: the md5 that is committed, None if the output is not in the committed dvc.lock.
        found: the md5 of the reproduced output, None if it was not made.
        difference: the first one, None if there is none.

    """

    output: str
    stage: str
    verdict: Kind
    expected: str | None
    found: str | None
    difference: str | None


def compare(
    expected: Path, found: Path, tolerances: dict[str, ModelTolerances], stages: set[str]
) -> list[Verdict]:
    """Compare the outputs of the same stages in two repositories.

    Args:
        expected: the root of the repository that is taken at its word; needs dvc.lock and metrics/.
        found: the root of the repository that was reproduced, with all outputs.
        tolerances: of each model.
        stages: that had to run; those before them that ran as well are added.

    Returns:
        One verdict per output of these stages and of the others in the dvc.lock of `found`.

    """
    committed, reproduced = lock.outputs(expected), lock.outputs(found)
    stages = stages | {output.stage for output in reproduced.values()}
    faults = {
        name: _first_beyond(name, expected, found, tolerance)
        for name, tolerance in tolerances.items()
        if f"evaluate@{name}" in stages
    }
    # Of what is no such model the metrics of its own pipeline are looked at, all together.
    for pipeline in {lock.pipeline(stage) for stage in stages}:
        judged = [path for path, output in committed.items() if _is_metric(path, output, pipeline)]
        within = [path for path in judged if committed[path].stage in stages]
        beyond = (_first_apart(expected / path, found / path) for path in within)
        faults[pipeline] = next(filter(None, beyond), None if within else "nothing measures it")
    verdicts = []
    for path in [*committed, *(path for path in reproduced if path not in committed)]:
        old, new = committed.get(path), reproduced.get(path)
        stage = (old or new or Output("", "", 0)).stage
        if stage not in stages:
            continue
        name = _judged_by(stage, faults)
        verdict: Kind = IDENTICAL
        difference: str | None = None
        if fault := _missing_or_altered(path, expected / path, old, new):
            verdict, difference = DRIFTED, fault
        elif old and new and old.md5 != new.md5:
            # Before training, and where a model's metrics are too far off, nothing may differ.
            fault = faults[name] if name is not None else None
            verdict = DRIFTED if name is None or fault else EQUIVALENT
            difference = fault or _difference(expected / path, old, found / path, new)
        verdicts.append(
            Verdict(str(path), stage, verdict, old and old.md5, new and new.md5, difference)
        )
    return verdicts


def unrecorded(recorded: Collection[Path], published: Iterable[Path]) -> list[Verdict]:
    """Return a verdict for each published metric or plot that no lock records.

    Args:
        recorded: the outputs in the locks.
        published: the files that are committed, relative to the root as well.

    """
    return [
        Verdict(str(path), "", DRIFTED, None, None, "it is committed, and no dvc.lock records it")
        for path in published
        if paths.METRICS in path.parents
        and path.suffix in TEXT
        and path != paths.FINGERPRINT
        and path not in recorded
    ]


def _judged_by(stage: str, faults: Mapping[str, str | None]) -> str | None:
    """Return whose faults decide about a stage: a model's, a pipeline's; None if nothing does."""
    family, _, item = stage.rpartition(":")[2].partition("@")
    if family not in LEARNING:
        return None
    return item if item in faults else lock.pipeline(stage)


def _is_metric(path: Path, output: Output, pipeline: str) -> bool:
    return path.parent == paths.METRICS and lock.pipeline(output.stage) == pipeline


def _first_apart(expected: Path, found: Path) -> str | None:
    """Return the first number of a metrics file that is farther off than its bound."""
    if not expected.is_file() or not found.is_file():
        return f"{found.name} is not there"
    of_share = OF_FEW_TEXTS if found.name == paths.metrics("behaviour").name else FURTHER
    old, new = dict(_numbers(files.read_json(expected))), dict(_numbers(files.read_json(found)))
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key, math.nan), new.get(key, math.nan)
        bound = of_share * max(1.0, abs(before))
        if not abs(after - before) <= bound:
            return (
                f"{found.name}: {key} {before:g} became {after:g}; "
                f"expected at most {bound:g} between them"
            )
    return None


def _numbers(content: Any, within: str = "") -> Iterator[tuple[str, float]]:
    """Yield the numbers of nested mappings and lists with their keys."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from _numbers(value, f"{within}{key}.")
        elif isinstance(value, int | float):
            yield f"{within}{key}", float(value)


def count(verdicts: list[Verdict]) -> dict[str, int]:
    """Return how many outputs have each verdict."""
    counted = Counter(verdict.verdict for verdict in verdicts)
    return {kind: counted[kind] for kind in (IDENTICAL, EQUIVALENT, DRIFTED)}


def _missing_or_altered(
    path: Path, committed: Path, old: Output | None, new: Output | None
) -> str | None:
    """Name what no tolerance excuses, None if there is nothing of the kind."""
    if old is None:
        return "the committed dvc.lock does not know it"
    if new is None:
        return "it was not made"
    # Metrics are in Git; what DVC alone keeps is not in a fresh clone.
    if committed.is_file() and files.md5(committed) != old.md5:
        return "the committed file is another than dvc.lock records"
    if path.parts[0] in PUBLISHED and not committed.is_file():
        return "dvc.lock records it, but it is not committed"
    return None


def _difference(committed: Path, old: Output, reproduced: Path, new: Output) -> str:
    """Name the first difference of two outputs."""
    if committed.is_file() and committed.suffix in TEXT:
        return _first_line(committed, reproduced)
    if old.size != new.size:
        return f"{old.size:,} bytes became {new.size:,}"
    return f"other content of the same {old.size:,} bytes"


def _first_line(before: Path, after: Path) -> str:
    """Name the first line in which two text files differ."""
    lines = (path.read_text(encoding="utf-8").splitlines() for path in (before, after))
    for number, (old, new) in enumerate(zip_longest(*lines), start=1):
        if old != new:
            return f"line {number}: {_shown(old)} became {_shown(new)}"
    return "the ends of the lines"


def _shown(line: str | None, width: int = 60) -> str:
    if line is None:
        return "nothing"
    line = line.strip()
    return line if len(line) <= width else f"{line[:width]}…"


def _first_beyond(name: str, expected: Path, found: Path, tolerance: ModelTolerances) -> str | None:
    """Return the first thing that `_beyond` yields, or that the files cannot be compared."""
    try:
        return next(_beyond(name, expected, found, tolerance), None)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        # Only a file that no run of ours wrote: a metric that is text, a table without rows.
        return f"its metrics cannot be compared ({type(error).__name__}: {error})"


def _beyond(name: str, expected: Path, found: Path, tolerance: ModelTolerances) -> Iterator[str]:
    """Yield what of a model is farther from the committed one than its tolerances allow."""
    files_of_both = [paths.metrics(name), paths.history(name), _predictions(name)]
    for path in files_of_both:
        if not (expected / path).is_file() or not (found / path).is_file():
            yield f"{path} is not there"
            return
    old, new = (files.read_json(root / paths.metrics(name)) for root in (expected, found))
    for metric in (*metrics.SCORES, "loss"):
        yield from _apart(
            metric, old.get(metric), new.get(metric), getattr(tolerance, metric).bound
        )
    if old.get("n_test") != new.get("n_test"):
        yield f"n_test {old.get('n_test')} became {new.get('n_test')}"
    before, after = (_best_val_accuracy(root / paths.history(name)) for root in (expected, found))
    yield from _apart("best val_accuracy", before, after, tolerance.best_val_accuracy.bound)
    old_rows, new_rows = (read_csv(root / _predictions(name)) for root in (expected, found))
    if [row["actual"] for row in old_rows] != [row["actual"] for row in new_rows]:
        yield "the test items are others"
        return
    equal = sum(a["predicted"] == b["predicted"] for a, b in zip(old_rows, new_rows, strict=True))
    share = equal / len(old_rows)
    if share < tolerance.agreement.bound:
        yield (
            f"{share:.2%} of the predictions agree; "
            f"expected at least {tolerance.agreement.bound:.2%}"
        )


def _apart(metric: str, old: Any, new: Any, bound: float) -> Iterator[str]:
    # Not `> bound`, which is false for a metric that is no number.
    if old is None or new is None or not abs(old - new) <= bound:
        yield f"{metric} {old} became {new}; expected at most {bound:g} between them"


def _predictions(name: str) -> Path:
    return paths.plots(name) / "confusion.csv"


def _best_val_accuracy(path: Path) -> float:
    return max(float(row["val_accuracy"]) for row in read_csv(path))


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table by the names of their columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
