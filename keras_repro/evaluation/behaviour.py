"""What classifiers of sentiment say of short texts, by capability.

The method is CheckList (Ribeiro and others, ACL 2020). A case is a text with the verdict of a
reader. A pair is a text and a change of it, after which the verdict must stay, or must not move one
way.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_repro.core.errors import ReproError
from keras_repro.evaluation.predictions import Predictions
from keras_repro.text import grounds
from keras_repro.text.grounds import NONE
from keras_repro.text.terms import CLASSES

CASES = Path("data/behaviour/cases.tsv")
PAIRS = Path("data/behaviour/pairs.tsv")
# What the texts are called among the splits that a classifier predicts.
SPLIT = "behaviour"
VERDICTS = (*CLASSES, NONE)
SAME = "same"
CHANGES = (SAME, "not_more_positive", "not_more_negative")
# Models may be chosen by the first; the second is for reports alone.
USES = ("choice", "report")
# By how much a probability may move against the direction: less than one reads as a change.
SLACK = 0.05
# A capability with fewer cases says little by itself.
FEW = 10


class Case(NamedTuple):
    """A text and what a reader would say of its writer's opinion."""

    capability: str
    expected: str
    use: str
    text: str


class Pair(NamedTuple):
    """A text, and what may become of its verdict when it is changed."""

    capability: str
    expected: str
    use: str
    text: str
    changed: str


class Answers(NamedTuple):
    """What a classifier says.

    Attributes:
        threshold: the probability from which on it says positive.
        positive: how likely it finds each text positive, None where it gives no verdict.

    """

    threshold: float
    positive: Mapping[str, float | None]

    def verdict(self, text: str) -> str:
        """Return positive, negative or none."""
        probability = self.positive[text]
        if probability is None or grounds.of_probability(probability, self.threshold):
            return NONE
        return VERDICTS[probability >= self.threshold]


class Failure(NamedTuple):
    """A case or a pair that went wrong; `found` is the verdict, or both, or both probabilities."""

    capability: str
    expected: str
    found: str
    text: str
    changed: str


def suits(classes: Sequence[str]) -> bool:
    """Say whether a classifier of these classes can be asked the cases, by their verdicts."""
    return tuple(classes) == CLASSES


def read_cases(path: Path = CASES) -> list[Case]:
    """Return the cases.

    Raises:
        ReproError: the file is missing, or a row is at fault.

    """
    return [Case(*row) for row in _rows(path, Case._fields, VERDICTS)]


def read_pairs(path: Path = PAIRS) -> list[Pair]:
    """Return the pairs.

    Raises:
        ReproError: the file is missing, or a row is at fault.

    """
    return [Pair(*row) for row in _rows(path, Pair._fields, CHANGES)]


def texts(cases: Sequence[Case], pairs: Sequence[Pair]) -> list[str]:
    """Return each text once, in order."""
    asked = [case.text for case in cases]
    asked += [text for pair in pairs for text in (pair.text, pair.changed)]
    return list(dict.fromkeys(asked))


def ids(asked: Sequence[str]) -> np.ndarray:
    """Return what tells texts apart, bytes of shape (N,)."""
    return np.array([hashlib.sha256(text.encode()).hexdigest()[:16] for text in asked], "S16")


def predicted(asked: Sequence[str], positive: Mapping[str, float]) -> Predictions:
    """Return how likely texts are positive as predictions, NaN where nothing is said."""
    return Predictions(np.array([positive.get(text, np.nan) for text in asked]), ids(asked))


def answers(asked: Sequence[str], probabilities: np.ndarray, threshold: float) -> Answers:
    """Return what a classifier says, by its predictions, float64 of shape (N,)."""
    said = [None if np.isnan(found) else float(found) for found in probabilities]
    return Answers(threshold, dict(zip(asked, said, strict=True)))


def failures(items: Sequence[Case | Pair], answers: Answers) -> list[Failure | None]:
    """Return what went wrong with each case or pair, None where nothing did."""
    return [
        _of_case(of, answers) if isinstance(of, Case) else _of_pair(of, answers) for of in items
    ]


def metrics(cases: Sequence[Case], pairs: Sequence[Pair], answers: Answers) -> dict[str, float]:
    """Return the shares that are as they should be, all together and by capability.

    Those named `..._report` leave out what models may be chosen by; `least` is the smallest share
    of a capability with ten cases or more, of all together where none has so many.

    Raises:
        ReproError: there are no cases, or no pairs of a kind, for a report.

    """
    kinds: dict[str, list[Case | Pair]] = {
        "cases": [*cases],
        "invariance": [pair for pair in pairs if pair.expected == SAME],
        "direction": [pair for pair in pairs if pair.expected != SAME],
    }
    capabilities: defaultdict[str, list[Case | Pair]] = defaultdict(list)
    all_items: list[Case | Pair] = [*cases, *pairs]
    for item in all_items:
        capabilities[item.capability].append(item)
    shares: dict[str, float] = {}
    for kind, items in kinds.items():
        reported = [item for item in items if item.use == "report"]
        if not reported:
            raise ReproError(
                f"{CASES.parent}: nothing for the share `{kind}_report`; expected a row at least "
                "with `report` in the column `use`"
            )
        shares |= {kind: _share(items, answers), f"{kind}_report": _share(reported, answers)}
    by_capability = {name: _share(items, answers) for name, items in capabilities.items()}
    of_cases = {case.capability for case in cases}
    many = (name for name in of_cases if len(capabilities[name]) >= FEW)
    shares["least"] = min((by_capability[name] for name in many), default=shares["cases"])
    return shares | by_capability


def _rows(path: Path, columns: Sequence[str], expected: Sequence[str]) -> list[list[str]]:
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    except FileNotFoundError:
        raise ReproError(f"{path}: not found; expected it of the repository") from None
    except UnicodeDecodeError as error:
        raise ReproError(f"{path}: {error}; expected UTF-8") from None
    if head.split("\t") != list(columns):
        raise ReproError(f"{path}: the columns are {head!r}; expected {', '.join(columns)}")
    rows = [line.split("\t") for line in lines]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(columns) or not all(row):
            raise ReproError(f"{path}: line {number} is {row}; expected {', '.join(columns)}")
        for found, known in ((row[1], expected), (row[2], USES)):
            if found not in known:
                raise ReproError(
                    f"{path}: line {number} has {found!r}; expected one of {', '.join(known)}"
                )
    return rows


def _share(items: Sequence[Case | Pair], answers: Answers) -> float:
    return failures(items, answers).count(None) / len(items)


def _of_case(case: Case, answers: Answers) -> Failure | None:
    found = answers.verdict(case.text)
    if found == case.expected:
        return None
    return Failure(case.capability, case.expected, found, case.text, "")


def _of_pair(pair: Pair, answers: Answers) -> Failure | None:
    if pair.expected == SAME:
        before, after = answers.verdict(pair.text), answers.verdict(pair.changed)
        if before == after:
            return None
        found = f"{before}, {after}"
    else:
        first, second = (answers.positive[text] for text in (pair.text, pair.changed))
        if first is not None and second is not None:
            rise = second - first if pair.expected == "not_more_positive" else first - second
            if rise <= SLACK:
                return None
        found = f"{_shown(first)}, {_shown(second)}"
    return Failure(pair.capability, pair.expected, found, pair.text, pair.changed)


def _shown(probability: float | None) -> str:
    return NONE if probability is None else f"{probability:.2f}"
