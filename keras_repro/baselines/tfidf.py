"""TF-IDF of n-grams and a linear support vector machine (Joachims, 1998), from scikit-learn."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from keras_repro.baselines import Candidate, Candidates, Reviews
from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import TfidfBaseline


def _machines(
    documents: Callable[[Reviews], Sequence[Any]],
    reading: dict[str, Any],
    train: Reviews,
    settings: TfidfBaseline,
    seed: int,
) -> Candidates:
    """Yield a machine for each C.

    Args:
        documents: what of the reviews is read.
        reading: how, as arguments of `TfidfVectorizer`.
        train: the reviews to learn from.
        settings: of the baseline.
        seed: of the order in which the machine goes through the reviews.

    Raises:
        ReproError: no n-gram is in as many reviews as `min_count` asks for.

    """
    vectorizer = TfidfVectorizer(
        ngram_range=settings.ngrams,
        min_df=settings.min_count,
        sublinear_tf=True,
        lowercase=False,
        **reading,
    )
    try:
        learned = vectorizer.fit_transform(documents(train))
    except ValueError as error:  # all that it raises here is want of n-grams
        raise ReproError(
            f"{paths.PARAMS}: baselines: min_count {settings.min_count} leaves no n-gram of "
            f"{len(train.ids)} training reviews ({error}); expected a lower one, or more reviews"
        ) from None
    for c in settings.c:
        machine = LinearSVC(C=c, random_state=seed).fit(learned, train.labels)

        def score(reviews: Reviews, machine: LinearSVC = machine) -> np.ndarray:
            seen = vectorizer.transform(documents(reviews))
            margins: np.ndarray = machine.decision_function(seen)
            return margins

        yield Candidate({"c": c}, score)


def of_words(train: Reviews, settings: TfidfBaseline, seed: int) -> Candidates:
    """Yield a machine for each C over n-grams of the words that the stage `segment` left."""
    # The words are lists already, so splitting them is taking them as they are.
    reading = {"tokenizer": list, "token_pattern": None}
    return _machines(lambda reviews: reviews.tokens, reading, train, settings, seed)


def of_characters(train: Reviews, settings: TfidfBaseline, seed: int) -> Candidates:
    """Yield a machine for each C over n-grams of characters, those of stop words among them."""
    return _machines(lambda reviews: reviews.texts, {"analyzer": "char"}, train, settings, seed)
