"""What several models say of one review, and which of them was measured best."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_repro.bundles import bundle
from keras_repro.bundles.sentiment import Sentiment
from keras_repro.core.errors import ReproError
from keras_repro.inputs.texts import TextReading

log = logging.getLogger(__name__)


def candidates(directory: Path, model: Sentiment) -> list[Sentiment]:
    """Return a model, and behind it each other of reviews whose bundle lies beside its own.

    A bundle that cannot be loaded is left out, and the log says why.
    """
    found = [model]
    for other in _beside(directory):
        try:
            if isinstance(bundle.read_manifest(other).reads, TextReading):
                found.append(Sentiment(other, threads=1))
        except ReproError as error:
            log.warning("not asked beside %s: %s", model.name, error)
    return found


def judged(models: Sequence[Sentiment], text: str) -> list[dict[str, Any]]:
    """Return what each model says of a text, and how it was measured.

    F1 stands beside the verdict of the first model, and of those that were measured on the same
    test split; of these the best is marked, if there are several.

    Raises:
        ReproError: the text is empty or too long.

    """
    scores = {
        place: each.measured.f1
        for place, each in enumerate(models)
        if _test_split(each) == _test_split(models[0])
    }
    best = max(scores, key=scores.__getitem__) if len(scores) > 1 else None
    return [
        each.predict(text)._asdict()
        | {
            "model": each.name,
            "corpora": list(each.measured.corpora),
            "f1": scores.get(place),
            "n_test": each.measured.n_test if place in scores else None,
            "best": place == best,
        }
        for place, each in enumerate(models)
    ]


def _test_split(model: Sentiment) -> tuple[object, ...]:
    """Return what tells test splits apart; F1 compares models of equal ones."""
    return model.measured.corpora, model.measured.n_test, model.labels


def _beside(directory: Path) -> Iterator[Path]:
    """Yield the other bundles of a clone, models/NAME/bundle, or of a release, NAME."""
    directory = directory.absolute()
    depth, pattern = (1, f"*/{directory.name}") if directory.name == "bundle" else (0, "*")
    for path in sorted(directory.parents[depth].glob(pattern)):
        if path != directory and (path / bundle.MANIFEST).is_file():
            yield path
