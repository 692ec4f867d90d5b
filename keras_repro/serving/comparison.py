"""What several models say of one review, and which of them was measured best."""

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from keras_repro.bundles import bundle
from keras_repro.bundles.card import CARD
from keras_repro.bundles.sentiment import Sentiment
from keras_repro.core.errors import ReproError
from keras_repro.inputs.texts import TextReading

log = logging.getLogger(__name__)

# As `bundles.card` writes them: a title, which may have a bracket of its own, stands behind a name.
_TRAINED = re.compile(r"^Trained on the training split of (.+)\.$", re.MULTILINE)
_ABOUT = re.compile(r" \((?:[^()]|\([^()]*\))*\)(?:; |$)")
_MEASURED = re.compile(r"^On ([\d,]+) test items: .*\bF1 (\d\.\d+)", re.MULTILINE)


class Card(NamedTuple):
    """What the card of a bundle says of its model.

    Attributes:
        trained: on what, in the card's words.
        n_test: items that it was measured on.
        f1: on these, with four places.

    """

    trained: str
    n_test: int
    f1: float

    @property
    def corpora(self) -> list[str]:
        """The names of the corpora that the model learned from."""
        return [name for name in _ABOUT.split(self.trained) if name]


class Candidate(NamedTuple):
    """A model and its card; None where its bundle has none that says what is asked of it."""

    model: Sentiment
    card: Card | None

    @property
    def test_split(self) -> tuple[object, ...] | None:
        """What tells the test split that it was measured on; F1 compares models of equal ones."""
        return self.card and (self.card.trained, self.card.n_test, self.model.labels)


def read_card(directory: Path) -> Card | None:
    """Return what the card of a bundle says, None if it does not say it."""
    try:
        text = (directory / CARD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    trained, measured = _TRAINED.search(text), _MEASURED.search(text)
    if not (trained and measured):
        return None
    return Card(trained[1], int(measured[1].replace(",", "")), float(measured[2]))


def candidates(directory: Path, model: Sentiment) -> list[Candidate]:
    """Return a model, and behind it each other of reviews whose bundle lies beside its own.

    A bundle that cannot be loaded is left out, and the log says why.
    """
    found = [Candidate(model, read_card(directory))]
    for other in _beside(directory):
        try:
            if isinstance(bundle.read_manifest(other).reads, TextReading):
                found.append(Candidate(Sentiment(other, threads=1), read_card(other)))
        except ReproError as error:
            log.warning("not asked beside %s: %s", model.name, error)
    return found


def judged(models: Sequence[Candidate], text: str) -> list[dict[str, Any]]:
    """Return what each model says of a text, and how it was measured.

    F1 stands beside the verdict of the first model, and of those that were measured on the same
    test split; of these the best is marked, if there are several.

    Raises:
        ReproError: the text is empty or too long.

    """
    scores = {
        place: each.card.f1
        for place, each in enumerate(models)
        if each.card and each.test_split == models[0].test_split
    }
    best = max(scores, key=scores.__getitem__) if len(scores) > 1 else None
    return [
        each.model.predict(text)._asdict()
        | {
            "model": each.model.name,
            "corpora": each.card.corpora if each.card else [],
            "f1": scores.get(place),
            "n_test": each.card.n_test if each.card and place in scores else None,
            "best": place == best,
        }
        for place, each in enumerate(models)
    ]


def _beside(directory: Path) -> Iterator[Path]:
    """Yield the other bundles of a clone, models/NAME/bundle, or of a release, NAME."""
    directory = directory.absolute()
    depth, pattern = (1, f"*/{directory.name}") if directory.name == "bundle" else (0, "*")
    for path in sorted(directory.parents[depth].glob(pattern)):
        if path != directory and (path / bundle.MANIFEST).is_file():
            yield path
