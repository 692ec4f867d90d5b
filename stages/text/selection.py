"""Which reviews are used, with which label, in which split."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from stages import ReproError, paths
from stages.params import Prepare, Splits
from stages.text import reviews
from stages.text.normalisation import normalise

ID_DIGITS = 16
CONTRADICTORY = -1

# What may become of a row of the corpus; each row is counted under exactly one.
OUTCOMES = ("kept", "duplicates", "contradictory", "neutral", "empty")


def identify(text: str) -> str:
    """Return the id of a normalised text: the first 16 digits of its SHA-256.

    >>> identify("很好!")
    '3e92dfa239e2b796'
    """
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:ID_DIGITS]


def split_of(identity: str, splits: Splits) -> str:
    """Return the split of a review, which depends on its text alone.

    The id is uniform over its range, so the splits get their shares of each class, and a review
    stays where it is whatever else the corpus gains or loses.

    >>> shares = Splits(train=0.8, validation=0.1, test=0.1)
    >>> [split_of(digit * 16, shares) for digit in "0bdf"]
    ['train', 'train', 'validation', 'test']
    """
    position = int(identity, 16) / 16**ID_DIGITS
    if position < splits.train:
        return "train"
    return "validation" if position < splits.train + splits.validation else "test"


def label_of(rating: int, settings: Prepare) -> int | None:
    """Return the label of a rating, or None for a neutral one."""
    if rating in settings.negative:
        return reviews.NEGATIVE
    return reviews.POSITIVE if rating in settings.positive else None


class Selection:
    """Two passes over a corpus: the first finds contradictions, the second yields what is kept.

    Args:
        read: starts to read the corpus; yields batches with the columns `rating` and `text`.
        settings: the section `prepare` of params.yaml.

    Attributes:
        counts: rows per outcome and kept reviews per split and class; complete after `kept()`.

    """

    def __init__(
        self, read: Callable[[], Iterable[Mapping[str, list[Any]]]], settings: Prepare
    ) -> None:
        self._read = read
        self._settings = settings
        self.counts: Counter[str] = Counter()

    def kept(self) -> Iterator[dict[str, list[Any]]]:
        """Yield the kept reviews, in the corpus' order, as columns of `reviews.PREPARED`.

        Raises:
            ReproError: the corpus is empty, or a split lacks a class.

        """
        labels = self._labels()
        seen: set[str] = set()
        self.counts = Counter(dict.fromkeys(("rows", *OUTCOMES), 0))
        for batch in self._read():
            rows = []
            for rating, text in zip(batch["rating"], batch["text"], strict=True):
                text = normalise(text, self._settings.unicode_form)  # noqa: PLW2901
                identity = identify(text)
                label = label_of(rating, self._settings)
                outcome = _outcome(text, label, labels.get(identity), known=identity in seen)
                self.counts["rows"] += 1
                self.counts[outcome] += 1
                if outcome == "kept":
                    seen.add(identity)
                    split = split_of(identity, self._settings.splits)
                    self.counts[f"{split}_{reviews.CLASSES[labels[identity]]}"] += 1
                    rows.append((identity, label, text, split))
            yield _columns(rows)
        self._check()

    def _labels(self) -> dict[str, int]:
        """Return the label of each rated text, or CONTRADICTORY where it has both."""
        labels: dict[str, int] = {}
        for batch in self._read():
            for rating, text in zip(batch["rating"], batch["text"], strict=True):
                label = label_of(rating, self._settings)
                if label is not None:
                    identity = identify(normalise(text, self._settings.unicode_form))
                    if labels.setdefault(identity, label) != label:
                        labels[identity] = CONTRADICTORY
        return labels

    def _check(self) -> None:
        """Raise if there is nothing to train, to validate or to test one of the classes with."""
        if self.counts["rows"] != sum(self.counts[outcome] for outcome in OUTCOMES):
            raise AssertionError(f"rows went missing: {dict(self.counts)}")
        if self.counts["rows"] == 0:
            raise ReproError(f"{paths.RAW_REVIEWS}: no rows; expected reviews of both classes")
        for name, ratings in zip(
            reviews.CLASSES, (self._settings.negative, self._settings.positive), strict=True
        ):
            for split in reviews.SPLITS:
                if self.counts[f"{split}_{name}"] == 0:
                    total = sum(self.counts[f"{other}_{name}"] for other in reviews.SPLITS)
                    raise ReproError(
                        f"{paths.RAW_REVIEWS}: the {split} split has no {name} review (rating "
                        f"{' or '.join(map(str, sorted(ratings)))}) and the corpus {total}; "
                        "expected at least one in each split, so a few dozen of each class"
                    )


def _outcome(text: str, label: int | None, corpus_label: int | None, *, known: bool) -> str:
    """Return what becomes of a row; a neutral copy of a rated text is neutral, no contradiction."""
    if not text:
        return "empty"
    if label is None:
        return "neutral"
    if corpus_label == CONTRADICTORY:
        return "contradictory"
    return "duplicates" if known else "kept"


def _columns(rows: list[tuple[str, int | None, str, str]]) -> dict[str, list[Any]]:
    names = reviews.PREPARED.names
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}
