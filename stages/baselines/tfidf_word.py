"""A linear support vector machine over n-grams of the words that the stage `segment` left."""

from stages.baselines import Candidates, Reviews, tfidf
from stages.params import TfidfBaseline


def candidates(train: Reviews, settings: TfidfBaseline, seed: int) -> Candidates:
    """Yield a machine for each C."""
    # The words are lists already, so splitting them is taking them as they are.
    reading = {"tokenizer": list, "token_pattern": None}
    return tfidf.machines(lambda reviews: reviews.tokens, reading, train, settings, seed)
