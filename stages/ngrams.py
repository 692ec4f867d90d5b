"""Number the n-grams of characters of the training split: `python -m stages.ngrams`."""

from functools import partial

import numpy as np
from tqdm import tqdm

from keras_repro.core import files, params, paths, runtime
from keras_repro.text import characters, ngrams, parallel, ragged, schemas, segmentation


def main() -> None:
    """Write the characters and n-grams that have ids, and the reviews as characters."""
    settings = params.load()
    cutting = characters.cutting(
        settings.segment.engine, segmentation.load(settings.segment).user_words
    )
    # Faults are found here, and jieba's cache is made once for all workers.
    segmentation.Segmenter(cutting)
    counts = np.zeros(ngrams.CODE_POINTS, np.int64)
    rows = files.count_rows(settings.storage.prepared_reviews)
    with files.scratch() as scratch, ragged.Writer(scratch) as writer:
        with (
            parallel.workers(settings.cluster) as workers,
            tqdm(desc="ngrams", unit=" reviews", total=rows) as bar,
        ):
            prepared = files.read_parquet(settings.storage.prepared_reviews, schemas.PREPARED)
            work = partial(characters.of_batch, cutting, settings.ngrams.max_length)
            for batch, (lengths, found) in workers.in_order(work, prepared):
                writer.add(batch, lengths, found)
                # Only the training split is counted: no other may say which characters are known.
                train = np.repeat(np.asarray(batch["split"]) == "train", lengths)
                points = found[train] % ngrams.CODE_POINTS
                counts += np.bincount(points, minlength=ngrams.CODE_POINTS)
                bar.update(batch.num_rows)
        alphabet = ngrams.alphabet(counts, settings.ngrams.min_count)
        arrays = writer.arrays(ngrams.numbers(alphabet))
        census = ngrams.count(arrays["train_tokens"], arrays["train_offsets"], settings.ngrams)
        known = ngrams.as_arrays(census)
        points = np.array([ord(character) for character in alphabet], np.uint32)
        # All that reading a text needs, without the corpus.
        files.write_npz(paths.NGRAM_VOCABULARY, known | {"characters": points})
        files.write_npz(paths.NGRAMS, arrays | known)


if __name__ == "__main__":
    runtime.run(main)
