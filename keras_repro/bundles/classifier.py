"""A sentiment model as scikit-learn knows classifiers, for a Pipeline or its metrics."""

import os
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from keras_repro.bundles.sentiment import Sentiment


class SentimentClassifier(ClassifierMixin, BaseEstimator):
    """A trained model behind `fit`, `predict` and `predict_proba`.

    Args:
        place: the directory of its bundle, as `Sentiment.load` takes it.

    Attributes:
        classes_: the names of the classes: negative, then positive, or those of `reviews.classes`.

    """

    def __init__(self, place: str | os.PathLike[str] | None = None) -> None:
        self.place = place

    def fit(self, texts: Iterable[str], labels: Any = None) -> Self:
        """Load the model; it has been trained already, so nothing is learned."""
        del texts, labels
        self.model_ = Sentiment.load(self.place)
        self.classes_ = np.array(self.model_.labels)
        return self

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Return how likely each class is, float64 of shape (N, classes).

        Raises:
            ReproError: a text is empty or too long, or is none.

        """
        found = self._model().likely(texts)
        return np.stack([1 - found, found], axis=1) if found.ndim == 1 else found

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """Return the name of a class for each text, by the threshold of the model; never none.

        Of more than two classes it is the likeliest.

        Raises:
            ReproError: a text is empty or too long, or is none.

        """
        model = self._model()
        found: np.ndarray = self.classes_[model.decided(model.likely(texts))]
        return found

    def _model(self) -> Sentiment:
        if not hasattr(self, "model_"):
            self.fit(())
        return self.model_
