"""Where two versions of an output begin to differ: a layer, an epoch, a row, a key, a file."""

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from keras_repro.core import files
from keras_repro.reproducibility import lock
from keras_repro.reproducibility.verdicts import IDENTICAL, Verdict, read_csv


def differences(cache: Path, verdicts: list[Verdict], directory: Path) -> Iterator[str]:
    """Yield a line for each output that is not identical.

    Args:
        cache: of DVC, which has what was committed, if anything has.
        verdicts: of a verification.
        directory: with its two clones, `committed` and `reproduced`.

    """
    for verdict in verdicts:
        if verdict.verdict == IDENTICAL or verdict.found is None or verdict.expected is None:
            continue
        expected = directory / "committed" / verdict.output
        if not expected.exists():
            expected = lock.cached(cache, verdict.expected)
        found = directory / "reproduced" / verdict.output
        if not expected.is_file():
            yield f"{verdict.output}: what was committed is not in DVC's cache here (`dvc pull`)"
        elif found.is_dir():
            yield f"{verdict.output}: {_of_directories(json.loads(expected.read_text()), found)}"
        else:
            yield f"{verdict.output}: {first(expected, found, Path(verdict.output).suffix)}"


def first(expected: Path, found: Path, suffix: str) -> str:
    """Return the first difference of two files.

    Args:
        expected: one of them.
        found: the other.
        suffix: of the output, which says what they are.

    """
    kinds = {
        ".keras": _of_models,
        ".csv": _of_tables,
        ".json": _of_metrics,
        ".npz": _of_arrays,
        ".parquet": _of_rows,
    }
    told = kinds[suffix](expected, found) if suffix in kinds else None
    return told or f"{files.sized(expected)} became {files.sized(found)} of other content"


def _of_models(expected: Path, found: Path) -> str | None:
    """Name the first weight, in the order of the layers, that is not the same."""
    from keras_repro.reproducibility.exact import archive  # imports TensorFlow

    pairs = zip_longest(archive.load(expected).weights, archive.load(found).weights)
    for old, new in pairs:
        if old is None or new is None or old.path != new.path or old.shape != new.shape:
            return f"the layers are others from {getattr(old, 'path', 'none')} on"
        before, after = np.asarray(old), np.asarray(new)
        if not np.array_equal(before, after):
            return f"first in the layer {old.path}, {_apart(before, after)}"
    return "all weights are the same; the configuration differs"


def _apart(before: np.ndarray, after: np.ndarray) -> str:
    differing = before != after
    told = f"{int(differing.sum()):,} of {differing.size:,} numbers"
    if before.dtype.kind == "f":
        told += f", by {float(np.abs(before - after).max()):.2g} at most"
    return told


def _of_tables(expected: Path, found: Path) -> str | None:
    """Name the first row and column; a history has an epoch in each row."""
    old, new = (read_csv(path) for path in (expected, found))
    for number, (before, after) in enumerate(zip_longest(old, new), start=1):
        if before is None or after is None:
            return f"{len(old)} rows became {len(new)}"
        for column in before:
            if before[column] != after.get(column):
                row = f"epoch {before['epoch']}" if "epoch" in before else f"row {number}"
                return f"first in {row}: {column} {before[column]} became {after.get(column)}"
    return None


def _of_metrics(expected: Path, found: Path) -> str | None:
    old, new = (files.read_json(path) for path in (expected, found))
    for key in sorted(old.keys() | new.keys()) if isinstance(old, dict) else ():
        if old.get(key) != new.get(key):
            return f"first in {key}: {old.get(key)} became {new.get(key)}"
    return None


def _of_arrays(expected: Path, found: Path) -> str | None:
    with np.load(expected, allow_pickle=False) as old, np.load(found, allow_pickle=False) as new:
        for name in sorted({*old.files, *new.files}):
            before, after = (one[name] if name in one.files else None for one in (old, new))
            if before is None or after is None or before.shape != after.shape:
                shapes = [None if one is None else one.shape for one in (before, after)]
                return f"first in the array {name}: its shape {shapes[0]} became {shapes[1]}"
            if not np.array_equal(before, after):
                place = np.argwhere(before != after)[0].tolist()
                return f"first in the array {name} at {place}, {_apart(before, after)}"
    return None


def _of_rows(expected: Path, found: Path) -> str | None:
    old, new = (pq.read_table(path) for path in (expected, found))
    if old.schema != new.schema:
        return "the columns are others"
    rows: Iterator[tuple[Any, Any]] = zip_longest(old.to_pylist(), new.to_pylist())
    for number, (before, after) in enumerate(rows, start=1):
        if before is None or after is None:
            return f"{old.num_rows:,} rows became {new.num_rows:,}"
        for column in before:
            if before[column] != after[column]:
                return (
                    f"first in row {number:,}: {column} {before[column]!r} became {after[column]!r}"
                )
    return None


def _of_directories(expected: list[dict[str, str]], found: Path) -> str:
    """Name the files of a directory whose hashes are others.

    Args:
        expected: as DVC's cache lists them.
        found: the directory.

    """
    hashes = {entry["relpath"]: entry["md5"] for entry in expected}
    present = {str(path.relative_to(found)) for path in found.rglob("*") if path.is_file()}
    differing = [
        name
        for name in sorted({*hashes, *present})
        if name not in present or hashes.get(name) != files.md5(found / name)
    ]
    return f"first in the file {differing[0]}" if differing else "the list of its files differs"
