"""How much faster our tokenizer is than Keras', on reviews cut by jieba.

`python -m benchmarks.tokenizer [--runs 7] [--reviews 35000]` at the root of the repository, after
`dvc repro download@reviews`. Both take the same steps on the same texts, and their results are
compared. Each run takes a step with the one and then with the other, so that a busy neighbour slows
both alike; one more run warms up. Times are the processor's own, without waiting for it.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from tqdm import tqdm

from keras_repro.core import paths, runtime
from keras_repro.reproducibility.exact.fingerprint import processor
from keras_repro.text.tokenizer import Tokenizer

# Of the matrices, which have 8 bytes for each.
ROWS, COLUMNS = 10_000, 1000
MODES = ("binary", "count", "freq", "tfidf")


class Candidate(NamedTuple):
    """A kind of tokenizer, and one of this kind that knows the texts."""

    kind: Callable[..., Any]
    fitted: Any

    def fit(self, texts: list[Any]) -> Any:
        tokenizer = self.kind()
        tokenizer.fit_on_texts(texts)
        return tokenizer.word_index, tokenizer.index_docs

    def sequences(self, texts: list[Any]) -> Any:
        return self.fitted.texts_to_sequences(texts)

    def matrix(self, texts: list[Any], mode: str) -> Any:
        return self.fitted.texts_to_matrix(texts[:ROWS], mode)


Step = Callable[[Candidate], Any]


def main() -> None:
    """Measure and print a row per step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--reviews", type=int, help="how many; by default all")
    arguments = parser.parse_args()
    words = cut(arguments.reviews)
    texts = [" ".join(review) for review in words]
    candidates = [candidate(kind, texts) for kind in (Tokenizer, keras_tokenizer())]
    print(f"{processor()}, {len(os.sched_getaffinity(0))} cores; Keras {metadata.version('keras')}")
    print(f"{len(texts):,} reviews, {sum(map(len, words)):,} words; {arguments.runs} runs")
    print("Seconds, mean ± standard deviation; Keras' time over ours, median (lowest to highest)")
    print("| step | ours | Keras | ratio |")
    print("|---|--:|--:|--:|")
    for name, step in steps(texts, words).items():
        ours, theirs = measured(name, step, candidates, arguments.runs)
        print(f"| {name} | {seconds(ours)} | {seconds(theirs)} | {ratio(ours, theirs)} |")
        sys.stdout.flush()


def cut(count: int | None) -> list[list[str]]:
    """Return the words of the first reviews, stop words and punctuation among them."""
    import jieba

    jieba.setLogLevel("WARNING")
    reviews = pq.read_table(paths.RAW_REVIEWS, columns=["text"])["text"].to_pylist()[:count]
    return [jieba.lcut(review) for review in tqdm(reviews, desc="jieba", unit=" reviews")]


def keras_tokenizer() -> Callable[..., Any]:
    """Return the class that TensorFlow holds for old code."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    return tf.keras.preprocessing.text.Tokenizer


def candidate(kind: Callable[..., Any], texts: list[str]) -> Candidate:
    """Return a kind of tokenizer that gives matrices of `COLUMNS` columns."""
    fitted = kind(num_words=COLUMNS)
    fitted.fit_on_texts(texts)
    return Candidate(kind, fitted)


def steps(texts: list[str], words: list[list[str]]) -> dict[str, Step]:
    """Return what is measured, by name."""
    return {
        "fit_on_texts": lambda tokenizer: tokenizer.fit(texts),
        "fit_on_texts, lists of words": lambda tokenizer: tokenizer.fit(words),
        "texts_to_sequences": lambda tokenizer: tokenizer.sequences(texts),
        "texts_to_sequences, lists of words": lambda tokenizer: tokenizer.sequences(words),
        **{f"texts_to_matrix, {mode}": matrix_step(texts, mode) for mode in MODES},
    }


def matrix_step(texts: list[str], mode: str) -> Step:
    """Return the step that makes a matrix."""
    return lambda tokenizer: tokenizer.matrix(texts, mode)


def measured(
    name: str, step: Step, candidates: list[Candidate], runs: int
) -> tuple[list[float], ...]:
    """Return the seconds that a step takes with each candidate in each run."""
    times: tuple[list[float], ...] = tuple([] for _ in candidates)
    for _ in tqdm(range(runs + 1), desc=name, leave=False):
        results = []
        for tokenizer, taken in zip(candidates, times, strict=True):
            started = time.process_time()
            results.append(step(tokenizer))
            taken.append(time.process_time() - started)
        if not alike(*results):
            sys.exit(f"{name}: the two tokenizers differ")
    return tuple(taken[1:] for taken in times)


def alike(ours: Any, theirs: Any) -> bool:
    """Say whether both have the same result."""
    same: bool = np.array_equal(ours, theirs) if isinstance(ours, np.ndarray) else ours == theirs
    return same


def seconds(times: list[float]) -> str:
    """Return the mean and the spread."""
    return f"{statistics.mean(times):.3f} ± {statistics.stdev(times):.3f}"


def ratio(ours: list[float], theirs: list[float]) -> str:
    """Return how many times as long the other took in the same run."""
    ratios = sorted(their / our for our, their in zip(ours, theirs, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


if __name__ == "__main__":
    runtime.run(main)
