"""A linear support vector machine over n-grams of characters, those of stop words among them."""

from stages.baselines import Candidates, Reviews, tfidf
from stages.params import TfidfBaseline


def candidates(train: Reviews, settings: TfidfBaseline, seed: int) -> Candidates:
    """Yield a machine for each C."""
    reading = {"analyzer": "char"}
    return tfidf.machines(lambda reviews: reviews.texts, reading, train, settings, seed)
