"""What the service is asked and what it answers, as its description has it."""

import re
import unicodedata
from itertools import groupby
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from keras_repro.core.errors import ReproError
from keras_repro.text.grounds import Reason

MAX_TEXTS = 256
# Characters of one text before it is cleared of what cannot be seen.
MAX_CHARACTERS = 10_000
# Marks on one letter, as Unicode's Stream-Safe Text Format has it: to sort 10,000 takes 0.14 s.
MAX_MARKS = 30
MOST_FOR_ONE = 18  # characters that NFKC makes of one, of U+FDFA
_NO_LETTERS = re.compile(rf"\W{{{MAX_MARKS + 1}}}")
# Keys of an object; each that is not known would be a fault of its own.
MAX_KEYS = 10
PNG = "data:image/png;base64,"


def check_text(text: str) -> None:
    """Refuse what would take long to normalise, in a time that grows with the length alone.

    Raises:
        ReproError: too many marks stand in a row, or one character stands for so many others that
            the text is too long.

    """
    if text.isascii():
        return
    marked = _NO_LETTERS.search(text)  # a tenth of the time, and most texts have none
    for is_mark, marks in groupby(map(unicodedata.combining, text), bool) if marked else ():
        if is_mark and (count := sum(1 for _ in marks)) > MAX_MARKS:
            raise ReproError(f"{count:,} marks on one letter; expected at most {MAX_MARKS}")
    if len(text) * MOST_FOR_ONE <= MAX_CHARACTERS:
        return
    if (length := len(unicodedata.normalize("NFKC", text))) > MAX_CHARACTERS:
        raise ReproError(f"a text of {length:,} characters; expected 1 to {MAX_CHARACTERS:,}")


class _Asked(BaseModel):
    """What the service is asked: an object of a few keys."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def few_keys(cls, content: Any) -> Any:
        """Refuse an object of many keys with one fault."""
        if isinstance(content, dict) and len(content) > MAX_KEYS:
            raise PydanticCustomError(
                "too_many_keys", f"Object should have at most {MAX_KEYS} keys, not {len(content)}"
            )
        return content


class Texts(_Asked):
    """Reviews to be judged."""

    texts: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS)]],
        Field(min_length=1, max_length=MAX_TEXTS, examples=[["房间很干净，服务也好"]]),
    ]


class Text(_Asked):
    """A review to be explained."""

    text: Annotated[
        str, Field(min_length=1, max_length=MAX_CHARACTERS, examples=["房间很干净，服务也好"])
    ]


class Drawing(_Asked):
    """A digit to be read."""

    image: Annotated[str, Field(description=f"{PNG}…", examples=[PNG])]


class Prediction(BaseModel):
    """What a review is."""

    label: Annotated[str, Field(description="negative, positive, another class, or none")]
    probability: Annotated[
        float, Field(ge=0, le=1, description="of positive, or of the likeliest of more classes")
    ]
    reason: Annotated[Reason | None, Field(description="why the label is none")]


class ClassPrediction(Prediction):
    """What a review is of more than two classes."""

    probabilities: dict[str, float]


class Predictions(BaseModel):
    """What reviews are, in their order."""

    model: str
    threshold: Annotated[float | None, Field(description="null of more than two classes")]
    predictions: list[ClassPrediction | Prediction]


class Word(BaseModel):
    """A word and how far it moves the log-odds of positive, or of the likeliest of more classes."""

    word: str
    effect: float


class AnyPrediction(Prediction):
    """What a text is of two classes or more."""

    probabilities: Annotated[
        dict[str, float] | None, Field(description="of more than two classes")
    ] = None


class Clause(AnyPrediction):
    """What a part of a review between punctuation is, as if it stood alone."""

    text: str


class Explanation(Prediction):
    """What a review is and which of its words and clauses say so."""

    model: str
    threshold: Annotated[float | None, Field(description="null of more than two classes")]
    words: list[Word]
    clauses: Annotated[list[Clause], Field(description="the first 100")]


class Compared(AnyPrediction):
    """What one of several models says of a review, and how good it was in the test."""

    model: str
    corpora: Annotated[list[str], Field(description="that it learned from")]
    f1: Annotated[float | None, Field(description="none where it was tested on other reviews")]
    n_test: int | None
    best: Annotated[bool, Field(description="whether no other has a higher F1 on these reviews")]


class Comparison(BaseModel):
    """What the models that are here say of a review, that which answers first."""

    models: list[Compared]


class ClassExplanation(Explanation, ClassPrediction):
    """What a review is of more than two classes, and which of its words say so."""


class Digit(BaseModel):
    """What a drawing shows."""

    label: str
    probability: float
    probabilities: dict[str, float]


class Model(BaseModel):
    """The test metrics of a model, its share of short texts, and what the tutorial states.

    Those of one dataset were measured on the same test split.
    """

    name: str
    title: str | None
    dataset: str
    corpora: Annotated[list[str], Field(description="that reviews are from")]
    best: Annotated[bool, Field(description="whether no other of the dataset has a higher F1")]
    accuracy: float
    precision: float
    recall: float
    f1: float
    n_test: int
    cases: float | None
    tutorial: dict[str, float] | None


class Models(BaseModel):
    """All that were measured."""

    models: list[Model]


class Health(BaseModel):
    """That the service answers, and with what."""

    status: Literal["ok"]
    model: str
    digits: str | None
    version: str


class Ready(BaseModel):
    """That the service takes requests now."""

    status: Literal["ready"]


class Fault(BaseModel):
    """Where in a request something is wrong, and what."""

    loc: list[str | int]
    msg: str


class Refusal(BaseModel):
    """Why there is no answer."""

    detail: str | list[Fault]
