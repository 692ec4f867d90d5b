"""Corpora published as a CSV file with the columns `label` and `review`, perhaps among others."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from stages.datasets import own, ratings
from stages.datasets.tables import Columns


def parse(path: Path, source: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file, plain or compressed, under the name of its corpus."""
    return own.table(str(path), source, Columns("review", "label", ratings.by_label()))
