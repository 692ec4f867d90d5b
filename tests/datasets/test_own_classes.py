"""Labels of files as the numbers of classes."""

from pathlib import Path
from typing import Any

import pytest
from own_files import SETTINGS

from keras_repro.core import params
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Reviews
from keras_repro.datasets import own
from keras_repro.text.selection import Selection, clean
from keras_repro.text.terms import NO_LABEL, UNKNOWN_LABEL

pytestmark = pytest.mark.usefixtures("_in_empty_directory")

NAMES = ["好评", "中评", "差评"]


def settings_of(**settings: Any) -> Reviews:
    own_file = {"source": "file", "path": "a.csv", "text": "text", "label": "label"}
    return Reviews.model_validate(own_file | {"classes": NAMES} | settings)


def parsed(**settings: Any) -> list[dict[str, Any]]:
    (source,) = settings_of(**settings).source
    batches = own.parse(source, settings_of(**settings))
    return [row for batch in batches for row in batch.to_pylist()]


def table(*labels: str) -> None:
    rows = "".join(f"{label},正文{number}\n" for number, label in enumerate(labels))
    Path("a.csv").write_text(f"label,text\n{rows}", "utf-8")


def test_a_spelling_of_positive_is_a_class_of_its_own() -> None:
    table("好评", " 差评", "中评", "pos", "")
    found = parsed()
    assert [row["rating"] for row in found] == [1, 3, 2, None, None]
    assert [row["fault"] for row in found] == [None, None, None, UNKNOWN_LABEL, NO_LABEL]


def test_numbers_are_labels() -> None:
    table("-2", "-1.0", "0", "1")
    found = parsed(classes=[-2, -1, 0, 1])
    assert [row["rating"] for row in found] == [1, 2, 3, 4]


def test_other_words_by_reviews_labels() -> None:
    table("A", "B", "C", "D")
    labels = {"A": "好评", "B": "差评", "C": "neutral", "D": None}
    found = parsed(labels=labels)
    assert [row["rating"] for row in found] == [1, 3, 0, None]
    assert found[3]["fault"] == NO_LABEL
    with pytest.raises(ReproError, match=r"labels\.A is 'pos'; expected one of 好评, 中评, 差评"):
        parsed(labels={"A": "pos"})


def test_files_and_folders_tell_them() -> None:
    for name in NAMES:
        Path(f"{name}_2020.txt").write_text(f"{name}一\n{name}二\n", "utf-8")
    places = {name: f"{name}_2020.txt" for name in NAMES}
    assert [row["rating"] for row in parsed(path=places, label=None)] == [1, 1, 2, 2, 3, 3]
    assert sorted(row["rating"] for row in parsed(path="*.txt", label=None)) == [1, 1, 2, 2, 3, 3]
    for name in NAMES:
        Path("mine", name).mkdir(parents=True)
        Path("mine", name, "1.txt").write_text(f"{name}啊", "utf-8")
    assert sorted(row["rating"] for row in parsed(path="mine", label=None)) == [1, 2, 3]
    with pytest.raises(ReproError, match="has the label 'pos'; expected one such as 好评, 中评"):
        parsed(path={"pos": "好评_2020.txt"}, label=None)


def test_words_already_cut() -> None:
    Path("a.txt").write_text("好评 房间 干净\n差评 太 脏\n", "utf-8")
    found = parsed(source="segmented", path="a.txt", label=None)
    assert [(row["rating"], row["text"]) for row in found] == [(1, "房间 干净"), (3, "太 脏")]


def selected(labels: list[str], directory: Path, **further: Any) -> None:
    """Run what `prepare` does."""
    table(*labels)
    reviews = settings_of(**further)
    settings: params.Params = SETTINGS.model_copy(update={"reviews": reviews})
    selection = Selection(settings, directory)
    batches = own.parse("file", reviews)
    selection.read(clean(settings.prepare, settings.classes, batch) for batch in batches)
    selection.check_rows()
    list(selection.kept())


class TestMessages:
    def test_all_classes_that_a_split_lacks(self, tmp_path: Path) -> None:
        with pytest.raises(ReproError) as caught:
            selected(["好评"] * 60 + ["中评"] * 3, tmp_path)
        (line,) = str(caught.value).splitlines()
        assert "has no 中评 review (by its label) and the corpus 3" in line
        assert "has no 差评 review (by its label) and the corpus 0" in line
        assert "好评" not in line
        assert line.endswith("expected at least one in each split, so a few dozen distinct ones of "
                             "each class")  # fmt: skip

    def test_labels_that_are_no_class(self, tmp_path: Path) -> None:
        with pytest.raises(ReproError) as caught:
            selected(["好评"] * 60 + ["pos"] * 10, tmp_path)
        told = str(caught.value)
        assert "10 × unknown label" in told
        assert (
            "expected 好评, 中评, 差评 (reviews.classes); reviews.labels says what others" in told
        )

    def test_ratings_that_no_row_has(self, tmp_path: Path) -> None:
        classes = {"bad": [1, 2], "neutral": [3], "good": [4, 5]}
        with pytest.raises(ReproError, match=r"no neutral review \(rating 3\) and the corpus 0"):
            selected(["好评", "差评"] * 60, tmp_path, classes=classes)
