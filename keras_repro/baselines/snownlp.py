"""SnowNLP's naive Bayes over the words that SnowNLP itself finds, retrained."""

import math
from collections.abc import Sequence

import numpy as np
from snownlp.classification.bayes import Bayes
from snownlp.sentiment import Sentiment
from tqdm import tqdm

from keras_repro.baselines import Candidate, Candidates, Reviews
from keras_repro.core.errors import ReproError
from keras_repro.core.params import SnownlpBaseline
from keras_repro.text import parallel

TEXTS_PER_BATCH = 1024  # 5 s; a process takes 3 s to start
NAMES = ("neg", "pos")
# As near to 0 and 1 as its probabilities may count.
LEAST = 1e-9


def candidates(train: Reviews, settings: SnownlpBaseline, seed: int) -> Candidates:  # noqa: ARG001
    """Yield the one classifier that there is.

    Raises:
        ReproError: SnowNLP finds no word in the reviews of one label.

    """
    classifier = Bayes()
    count = int(train.labels.max()) + 1
    names = NAMES if count == len(NAMES) else tuple(map(str, range(count)))
    labels = [names[label] for label in train.labels]
    classifier.train(list(zip(_words(train.texts), labels, strict=True)))
    if empty := [name for name, counts in classifier.d.items() if not counts.getsum()]:
        raise ReproError(
            f"reviews: SnowNLP finds no word but stop words in the {empty[0]} training reviews; "
            "expected some"
        )

    def score(reviews: Reviews) -> np.ndarray:
        words = _words(reviews.texts)
        if count != len(NAMES):
            return np.array([[_likelihood(classifier, name, of) for name in names] for of in words])
        found = map(classifier.classify, words)
        positive = np.array([p if name == NAMES[1] else 1 - p for name, p in found])
        positive = positive.clip(LEAST, 1 - LEAST)
        odds: np.ndarray = np.log(positive / (1 - positive))
        return odds

    yield Candidate({}, score)


def _likelihood(classifier: Bayes, name: str, words: Sequence[str]) -> float:
    """Return the logarithm of the likelihood of a class and words, as `classify` has it."""
    counts = classifier.d[name]
    prior = math.log(counts.getsum() / classifier.total)
    return prior + sum(math.log(counts.freq(word)) for word in words)


def _words(texts: Sequence[str]) -> list[list[str]]:
    """Cut texts as SnowNLP does, which takes it some 5 ms each."""
    batches = [
        texts[start : start + TEXTS_PER_BATCH] for start in range(0, len(texts), TEXTS_PER_BATCH)
    ]
    words: list[list[str]] = []
    with parallel.workers(None) as workers, tqdm(total=len(texts), unit=" reviews") as bar:
        for batch, found in workers.in_order(_cut, batches):
            words += found
            bar.update(len(batch))
    return words


def _cut(texts: Sequence[str]) -> list[list[str]]:
    handle = Sentiment().handle
    return [handle(text) for text in texts]
