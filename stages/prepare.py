"""Choose, label and split the reviews: `python -m stages.prepare`."""

from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

from stages import files, params, paths, runtime
from stages.datasets.reviews import SCHEMA
from stages.text import reviews
from stages.text.selection import Selection


def main() -> None:
    """Write the kept reviews and how many rows were dropped for which reason."""
    settings = params.load().prepare
    selection = Selection(_read, settings)
    files.write_parquet(paths.PREPARED_REVIEWS, reviews.PREPARED, selection.kept())
    files.write_json(paths.REVIEW_COUNTS, selection.counts)


def _read() -> Iterator[dict[str, list[Any]]]:
    with tqdm(desc="prepare", unit=" rows", total=files.count_rows(paths.RAW_REVIEWS)) as bar:
        for batch in files.read_parquet(paths.RAW_REVIEWS, SCHEMA):
            yield batch
            bar.update(len(batch["text"]))


if __name__ == "__main__":
    runtime.run(main)
