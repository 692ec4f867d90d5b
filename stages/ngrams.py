"""Number the n-grams of characters of the training split: `python -m stages.ngrams`."""

import logging
from functools import partial

import numpy as np
from tqdm import tqdm

from keras_repro.core import files, params, parquet, paths, runtime
from keras_repro.evaluation import behaviour
from keras_repro.text import (
    characters,
    composition,
    ngrams,
    normalisation,
    parallel,
    ragged,
    schemas,
    segmentation,
    terms,
)

log = logging.getLogger(__name__)


def main() -> None:
    """Write the characters and n-grams that have ids, and what is learnt from as characters."""
    settings = params.load()
    cutting = characters.cutting(
        settings.segment.engine, segmentation.load(settings.segment).user_words
    )
    # Faults are found here, and jieba's cache is made once for all workers.
    segmenter = segmentation.Segmenter(cutting)
    counts = np.zeros(ngrams.CODE_POINTS, np.int64)
    rows, reviews = parquet.count_rows(settings.storage.prepared_reviews), 0
    with files.scratch() as scratch, ragged.Writer(scratch) as writer:
        with (
            parallel.workers(settings.cluster) as workers,
            tqdm(desc="ngrams", unit=" reviews", total=rows) as bar,
        ):
            prepared = parquet.read(settings.storage.prepared_reviews, schemas.PREPARED)
            work = partial(characters.of_batch, cutting, settings.ngrams.max_length)
            for batch, (lengths, found) in workers.in_order(work, prepared):
                writer.add(batch, lengths, found)
                # Only the training split is counted: no other may say which characters are known.
                train = np.asarray(batch["split"]) == "train"
                counts += _counted(found[np.repeat(train, lengths)])
                reviews += int(train.sum())
                bar.update(batch.num_rows)
        labels, lengths, found = composed(settings, segmenter, reviews)
        counts += _counted(found)
        alphabet = ngrams.alphabet(counts, settings.ngrams.min_count)
        numbers = ngrams.numbers(alphabet)
        sentences = ragged.of(labels, lengths, numbers[found])
        arrays = writer.arrays(numbers)
        census = ngrams.count(arrays["train_tokens"], arrays["train_offsets"], settings.ngrams)
        if len(labels):
            census = census.with_further(
                ngrams.count(
                    sentences.tokens,
                    sentences.offsets,
                    settings.ngrams.model_copy(update={"min_count": settings.compose.min_count}),
                )
            )
        known = ngrams.as_arrays(census)
        points = np.array([ord(character) for character in alphabet], np.uint32)
        # All that reading a text needs, without the corpus.
        files.write_npz(paths.NGRAM_VOCABULARY, known | {"characters": points})
        arrays |= ragged.named(ragged.COMPOSED, sentences)
        files.write_npz(paths.NGRAMS, arrays | known | ragged.classes([*settings.classes]))


def composed(
    settings: params.Params, segmenter: segmentation.Segmenter, reviews: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the labels and lengths of the sentences that are made, and their characters in turn.

    None of them is asked when behaviour is judged.
    """
    compose = settings.compose
    if tuple(settings.classes) != terms.CLASSES and compose.lexicon:
        log.info("no sentences are made: theirs are negative and positive, the classes others")
        compose = compose.model_copy(update={"lexicon": None})
    asked = behaviour.texts(behaviour.read_cases(), behaviour.read_pairs())
    left_out = {normalisation.spelt(text, settings.prepare) for text in asked}
    made, labels = composition.sentences(
        compose, reviews, settings.prepare, settings.runtime.seed, left_out
    )
    found = [
        characters.of_text(segmenter, text, settings.ngrams.max_length)
        for text in tqdm(made, desc="compose", unit=" sentences")
    ]
    lengths = np.array([len(one) for one in found], np.int64)
    return labels, lengths, np.concatenate([np.zeros(0, np.int32), *found])


def _counted(found: np.ndarray) -> np.ndarray:
    """Return how often each code point is among characters, int64."""
    return np.bincount(found % ngrams.CODE_POINTS, minlength=ngrams.CODE_POINTS)


if __name__ == "__main__":
    runtime.run(main)
