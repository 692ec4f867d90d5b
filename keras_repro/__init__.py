"""Keras models from raw bytes to metrics that anyone can check, and answers from them.

    from keras_repro import Sentiment

Nothing is imported before it is asked for: answering needs no TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_repro.bundles.classifier import SentimentClassifier
    from keras_repro.bundles.images import ImageClassifier
    from keras_repro.bundles.sentiment import Sentiment
    from keras_repro.core.errors import ReproError

__all__ = ["ImageClassifier", "ReproError", "Sentiment", "SentimentClassifier"]

_MODULES = {
    "ImageClassifier": "keras_repro.bundles.images",
    "ReproError": "keras_repro.core.errors",
    "Sentiment": "keras_repro.bundles.sentiment",
    "SentimentClassifier": "keras_repro.bundles.classifier",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib import metadata

        return metadata.version("keras-repro")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])
