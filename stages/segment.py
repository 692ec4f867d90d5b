"""Cut the reviews into words: `python -m stages.segment`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from stages import ReproError, files, params, paths, runtime
from stages.params import Segment
from stages.text import reviews, segmentation

# Small enough that all cores get work from a small corpus and the bar moves every second.
BATCH = 2048


def main() -> None:
    """Write the prepared reviews with their tokens."""
    settings = params.load().segment
    for key in ("stop_words", "user_dict"):
        _check_watched(key, getattr(settings, key))
    files.write_parquet(paths.SEGMENTED_REVIEWS, reviews.SEGMENTED, segmented(settings))


def _check_watched(key: str, path: Path | None) -> None:
    """Refuse a dictionary that DVC does not watch: it could change and no stage would rerun."""
    if path is not None and paths.DICTIONARIES not in path.parents:
        raise ReproError(
            f"{paths.PARAMS}: segment.{key} is {path}; "
            f"expected null or a file below {paths.DICTIONARIES}/, which DVC watches"
        )


def segmented(settings: Segment) -> Iterator[dict[str, list[Any]]]:
    """Yield the prepared reviews, in order, as columns of `reviews.SEGMENTED`."""
    total = files.count_rows(paths.PREPARED_REVIEWS)
    texts = (batch["text"] for batch in _batches())
    with tqdm(desc="segment", unit=" reviews", total=total) as bar:
        # The table is read a second time for its other columns, so that the processes need no more
        # than the texts.
        tokens = segmentation.segment(texts, settings)
        for batch, words in zip(_batches(), tokens, strict=True):
            yield batch | {"tokens": words}
            bar.update(len(words))


def _batches() -> Iterator[dict[str, list[Any]]]:
    return files.read_parquet(paths.PREPARED_REVIEWS, reviews.PREPARED, BATCH)


if __name__ == "__main__":
    runtime.run(main)
