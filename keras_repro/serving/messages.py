"""What the service is asked and what it answers, as its description has it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from keras_repro.text.grounds import Reason

MAX_BODY = 1_000_000
MAX_TEXTS = 256
# Characters of one text before it is cleared of what cannot be seen.
MAX_CHARACTERS = 10_000
PNG = "data:image/png;base64,"


class Texts(BaseModel):
    """Reviews to be judged."""

    model_config = ConfigDict(extra="forbid", strict=True)
    texts: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_CHARACTERS)]],
        Field(min_length=1, max_length=MAX_TEXTS, examples=[["房间很干净，服务也好"]]),
    ]


class Text(BaseModel):
    """A review to be explained."""

    model_config = ConfigDict(extra="forbid", strict=True)
    text: Annotated[
        str, Field(min_length=1, max_length=MAX_CHARACTERS, examples=["房间很干净，服务也好"])
    ]


class Drawing(BaseModel):
    """A digit to be read."""

    model_config = ConfigDict(extra="forbid", strict=True)
    image: Annotated[str, Field(max_length=MAX_BODY, description=f"{PNG}…", examples=[PNG])]


class Prediction(BaseModel):
    """What a review is."""

    label: Literal["negative", "positive", "none"]
    probability: Annotated[float, Field(ge=0, le=1, description="of positive")]
    reason: Annotated[Reason | None, Field(description="why the label is none")]


class Predictions(BaseModel):
    """What reviews are, in their order."""

    model: str
    threshold: float
    predictions: list[Prediction]


class Word(BaseModel):
    """A word and how far it moves the logit of positive."""

    word: str
    effect: float


class Explanation(Prediction):
    """What a review is and which of its words say so."""

    model: str
    threshold: float
    words: list[Word]


class Digit(BaseModel):
    """What a drawing shows."""

    label: str
    probability: float
    probabilities: dict[str, float]


class Model(BaseModel):
    """The test metrics of a model, its share of short texts, and what the tutorial states."""

    name: str
    title: str | None
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


class Fault(BaseModel):
    """Where in a request something is wrong, and what."""

    loc: list[str | int]
    msg: str


class Refusal(BaseModel):
    """Why there is no answer."""

    detail: str | list[Fault]
