"""Cut the reviews into words: `python -m stages.segment`."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa
from tqdm import tqdm

from keras_repro.core import params, parquet, paths, runtime
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Params
from keras_repro.text import parallel, schemas, segmentation

# Small enough that all cores get work from a small corpus and the bar moves every second.
ROWS_PER_BATCH = 2048


def main() -> None:
    """Write the prepared reviews with their tokens."""
    settings = params.load()
    for path in settings.segment.stop_words:
        _check_watched("stop_words", path)
    _check_watched("user_dict", settings.segment.user_dict)
    parquet.write(settings.storage.segmented_reviews, schemas.SEGMENTED, segmented(settings))


def _check_watched(key: str, path: Path | None) -> None:
    """Refuse a dictionary that DVC does not watch: it could change and no stage would rerun."""
    if path is not None and paths.DICTIONARIES not in path.parents:
        raise ReproError(
            f"{paths.PARAMS}: segment.{key} is {path}; "
            f"expected null or a file below {paths.DICTIONARIES}/, which DVC watches"
        )


def segmented(settings: Params) -> Iterator[pa.RecordBatch]:
    """Yield the prepared reviews, in order, as rows of `schemas.SEGMENTED`."""
    cutting = segmentation.load(settings.segment)
    # Faults are found here, and jieba's cache is made once for all workers.
    segmentation.Segmenter(cutting)
    total = parquet.count_rows(settings.storage.prepared_reviews)
    batches = parquet.read(
        settings.storage.prepared_reviews, schemas.PREPARED, rows_per_batch=ROWS_PER_BATCH
    )
    with (
        parallel.workers(settings.cluster) as workers,
        tqdm(desc="segment", unit=" reviews", total=total) as bar,
    ):
        for batch, tokens in workers.in_order(partial(segmentation.segment, cutting), batches):
            columns = [*batch.columns, tokens]
            yield pa.RecordBatch.from_arrays(columns, schema=schemas.SEGMENTED)
            bar.update(batch.num_rows)


if __name__ == "__main__":
    runtime.run(main)
