"""Why a text was judged as it was: its clauses and its words, drawn in a notebook as well."""

import html
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from keras_repro.text import grounds

# In a text whose punctuation NFKC has made plain; 3.5 is no end of one.
_CLAUSE = re.compile(r"(?:[^\s,。!?;:、~.]|(?<!\.)\.(?![.\s]|$))+")
# Red and green that are told apart by those who confuse them, with an opacity of the effect.
_COLOURS = {False: "196, 70, 40", True: "20, 120, 140"}
STRONG = 3.0  # an effect on the logit that is drawn as strongly as any


class Answer(NamedTuple):
    """What a text is, negative or positive.

    Attributes:
        label: negative, positive, or none where there is no ground for either.
        probability: of positive; one half where the text has nothing that the model knows.
        reason: why the label is none.

    """

    label: str
    probability: float
    reason: grounds.Reason | None


class ClassAnswer(NamedTuple):
    """What a text is of more than two classes.

    Attributes:
        label: of the likeliest class, or none where there is no ground for any.
        probability: of the likeliest class.
        reason: why the label is none.
        probabilities: of each class, by name.

    """

    label: str
    probability: float
    reason: grounds.Reason | None
    probabilities: Mapping[str, float]


def columns(labels: Sequence[str]) -> tuple[str, ...]:
    """Return what `values` of an answer are called in a table, by the labels of the model.

    >>> columns(["bad", "fair", "good"])[2:]
    ('reason', 'probability_bad', 'probability_fair', 'probability_good')
    """
    two = len(labels) == 2  # noqa: PLR2004
    return (*Answer._fields, *(() if two else (f"probability_{label}" for label in labels)))


def values(answer: Answer | ClassAnswer) -> tuple[str | float | None, ...]:
    """Return what an answer says as the cells of a row."""
    if isinstance(answer, Answer):
        return tuple(answer)
    return (*answer[:3], *answer.probabilities.values())


class Effect(NamedTuple):
    """A word of a text and what it does.

    Attributes:
        word: as it stands in the text.
        effect: how far it moves the log-odds of positive, or of the likeliest of more classes:
            above 0 where the text without it would be less so.

    """

    word: str
    effect: float


class Clause(NamedTuple):
    """A clause of a text, judged as if it stood alone."""

    text: str
    answer: Answer | ClassAnswer


class Explanation(NamedTuple):
    """What a text is, and what in it says so.

    Attributes:
        text: in the spelling of the model.
        answer: to the whole.
        clauses: in their order.
        words: of the first 300 characters, in their order.

    """

    text: str
    answer: Answer | ClassAnswer
    clauses: tuple[Clause, ...]
    words: tuple[Effect, ...]

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the words in colours, then the clauses."""
        words = "".join(
            f'<span title="{effect:+.2f}" style="background: rgba({_COLOURS[effect > 0]}, '
            f'{min(abs(effect) / STRONG, 1) / 2:.2f})">{html.escape(word)}</span>'
            for word, effect in self.words
        )
        rows = "".join(
            f"<tr><td>{html.escape(clause)}</td><td>{_shown(answer)}</td></tr>"
            for clause, answer in self.clauses
        )
        return f"<p>{words} – <b>{_shown(self.answer)}</b></p><table>{rows}</table>"


def clauses(text: str) -> list[str]:
    """Return the parts between the punctuation of a text, or the text if that is all it has.

    >>> clauses("3.5分,房间小!")
    ['3.5分', '房间小']
    """
    return _CLAUSE.findall(text) or [text]


def _shown(answer: Answer | ClassAnswer) -> str:
    why = f" ({answer.reason})" if answer.reason else ""
    return f"{answer.label} {answer.probability:.2f}{why}"
