"""Learn the vocabulary from the training split and encode all: `python -m stages.tokenize`."""

from functools import partial

import numpy as np
from tqdm import tqdm

from keras_repro.core import files, params, parquet, paths, runtime
from keras_repro.text import parallel, ragged, schemas, vocabulary


def main() -> None:
    """Write the vocabulary and the encoded reviews."""
    settings = params.load()
    census = vocabulary.Census()
    rows = parquet.count_rows(settings.storage.segmented_reviews)
    with files.scratch() as scratch, ragged.Writer(scratch) as writer:
        with (
            parallel.workers(settings.cluster) as workers,
            tqdm(desc="tokenize", unit=" reviews", total=rows) as bar,
        ):
            segmented = parquet.read(settings.storage.segmented_reviews, schemas.SEGMENTED)
            work = partial(vocabulary.tokens_of, settings.tokenize)
            for batch, tokens in workers.in_order(work, segmented):
                writer.add(batch, tokens.lengths, census.add(tokens))
                bar.update(batch.num_rows)
        # Only the training split has been counted, unless one asks for the tutorial's leak: no
        # other may say a word to the vocabulary.
        known = vocabulary.learn(
            census.counts(), settings.tokenize.min_count, settings.tokenize.num_words
        )
        files.write_json(paths.VOCABULARY, known, sort_keys=False)
        arrays = writer.arrays(census.ids(known)) | ragged.classes([*settings.classes])
        # The two reserved ids included.
        arrays["vocabulary_size"] = np.array(vocabulary.FIRST_ID + len(known))
        files.write_npz(paths.ENCODED_REVIEWS, arrays)


if __name__ == "__main__":
    runtime.run(main)
