"""Choose, label and split the reviews: `python -m stages.prepare`."""

import logging
from collections.abc import Iterator
from functools import partial

import pyarrow as pa
from tqdm import tqdm

from keras_repro.core import files, params, parquet, paths, runtime
from keras_repro.core.params import Params
from keras_repro.text import parallel, schemas
from keras_repro.text.schemas import RAW
from keras_repro.text.selection import Selection, clean

log = logging.getLogger(__name__)


def main() -> None:
    """Write the kept reviews, the rejected rows, and how many were dropped for which reason."""
    settings = params.load()
    if settings.reviews.classes:
        log.info(
            "the classes are %s (reviews.classes); prepare.negative and prepare.positive are for "
            "two alone and count for nothing",
            ", ".join(settings.classes),
        )
    with files.scratch() as scratch:
        selection = Selection(settings, scratch)
        selection.read(_cleaned(settings))
        # First, as one who is told that too many are rejected wants to see which.
        files.write_csv(
            paths.REJECTED_REVIEWS, ("source", "line", "reason", "row"), selection.rejected()
        )
        selection.check_rows()
        parquet.write(settings.storage.prepared_reviews, schemas.PREPARED, selection.kept())
        files.write_json(paths.REVIEW_COUNTS, selection.counts)


def _cleaned(settings: Params) -> Iterator[pa.RecordBatch]:
    """Yield the corpus, in order, as rows of `selection.CLEANED`."""
    rows = parquet.count_rows(paths.RAW_REVIEWS)
    with (
        parallel.workers(settings.cluster) as workers,
        tqdm(desc="prepare", unit=" rows", total=rows) as bar,
    ):
        raw = parquet.read(paths.RAW_REVIEWS, RAW)
        work = partial(clean, settings.prepare, settings.classes)
        for batch, cleaned in workers.in_order(work, raw):
            yield cleaned
            bar.update(batch.num_rows)


if __name__ == "__main__":
    runtime.run(main)
