"""fastText (Joulin et al., 2017) over words and their n-grams."""

from pathlib import Path

import fasttext
import numpy as np

from keras_repro.baselines import Candidate, Candidates, Reviews
from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import FasttextBaseline

# What a label begins with: no word does, as it is a control character.
LABEL = "\x01"
END = "</s>"  # would end the line for fastText
LARGEST_SEED = 2**31 - 1
# As near to 0 and 1 as a probability may count.
LEAST = 1e-7


def candidates(train: Reviews, settings: FasttextBaseline, seed: int) -> Candidates:
    """Yield a model for each number of epochs; one thread, as more give other weights each time.

    Raises:
        ReproError: the learning rate is so large that the weights are no numbers.

    """
    for epochs in settings.epochs:
        with files.scratch() as directory:
            path = _written(directory / "train.txt", train, seed)
            try:
                model = fasttext.train_supervised(
                    input=str(path),
                    label=LABEL,
                    dim=settings.dimensions,
                    wordNgrams=settings.word_ngrams,
                    lr=settings.learning_rate,
                    epoch=epochs,
                    bucket=settings.buckets,
                    seed=seed % LARGEST_SEED,
                    thread=1,
                    verbose=0,
                )
            except RuntimeError as error:
                raise ReproError(
                    f"{paths.PARAMS}: baselines.fasttext.learning_rate is "
                    f"{settings.learning_rate:g}, with which fastText ends in '{error}'; "
                    "expected a lower one"
                ) from None

        def score(reviews: Reviews, model: fasttext.FastText._FastText = model) -> np.ndarray:
            return _scores(model, reviews)

        yield Candidate({"epochs": epochs}, score)


def _scores(model: fasttext.FastText._FastText, reviews: Reviews) -> np.ndarray:
    """Return the odds of the second label of two, or the logarithms of all probabilities."""
    names, probabilities = model.predict(list(map(_line, reviews.tokens)), k=-1)
    if (count := len(model.labels)) == 2:  # noqa: PLR2004
        first = np.array([row[0] == f"{LABEL}1" for row in names])
        # With two labels the second has what the first leaves.
        likeliest = np.array([row[0] for row in probabilities], np.float64).clip(0.5, 1 - LEAST)
        odds = np.log(likeliest / (1 - likeliest))
        signed: np.ndarray = np.where(first, odds, -odds)
        return signed
    found = np.full((len(names), count), LEAST)
    for row, (labels, likely) in enumerate(zip(names, probabilities, strict=True)):
        found[row, [int(label.removeprefix(LABEL)) for label in labels]] = likely
    logarithms: np.ndarray = np.log(found.clip(LEAST, 1))
    return logarithms


def _written(path: Path, reviews: Reviews, seed: int) -> Path:
    """Write the reviews in random order: fastText learns line by line, and corpora lie by label."""
    with path.open("w", encoding="utf-8") as file:
        for row in np.random.default_rng(seed).permutation(len(reviews.ids)):
            file.write(f"{LABEL}{reviews.labels[row]} {_line(reviews.tokens[row])}\n")
    return path


def _line(tokens: list[str]) -> str:
    """Return words as fastText reads them, a blank between two and none within.

    >>> _line(["ice cream", "</s>", "good"])
    'ice_cream good'
    """
    words = ("_".join(token.replace(LABEL, " ").split()) for token in tokens if token != END)
    return " ".join(filter(None, words))
