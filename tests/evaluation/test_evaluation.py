import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import MODELS
from sklearn import metrics

from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.evaluation import behaviour, mistakes, plots, scores
from keras_repro.reporting import markdown, results, results_chart, tutorial_results

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 2, 500)
PROBABILITY = np.clip(LABELS * 0.3 + RANDOM.random(500) * 0.7, 0, 1)
BINARY = np.stack([1 - PROBABILITY, PROBABILITY], axis=1)


def test_metrics_by_hand() -> None:
    labels = np.array([1, 1, 1, 0, 0])
    ones = np.array([0.9, 0.8, 0.2, 0.6, 0.1])
    metrics = scores.summary(labels, np.stack([1 - ones, ones], axis=1))
    assert metrics == pytest.approx(
        {
            "accuracy": 3 / 5,
            "precision": 2 / 3,
            "recall": 2 / 3,
            "f1": 2 / 3,
            "loss": -np.log([0.9, 0.8, 0.2, 0.4, 0.9]).mean(),
            "n_test": 5,
        }
    )


def test_more_classes_are_averaged() -> None:
    labels = np.array([0, 1, 2, 2])
    metrics = scores.summary(labels, np.eye(3)[[0, 1, 1, 2]] * 0.9 + 0.1 / 3)
    assert metrics["precision"] == pytest.approx((1 + 1 / 2 + 1) / 3)
    assert metrics["recall"] == pytest.approx((1 + 1 + 1 / 2) / 3)


def test_curves_hold_their_area_and_are_short() -> None:
    x, y = np.array(scores.roc(LABELS, BINARY)).T
    assert metrics.auc(x, y) == pytest.approx(metrics.roc_auc_score(LABELS, PROBABILITY), abs=1e-3)
    recall, precision = np.array(scores.precision_recall(LABELS, BINARY)).T
    expected = metrics.average_precision_score(LABELS, PROBABILITY)
    assert metrics.auc(recall, precision) == pytest.approx(expected, abs=0.01)
    labels = RANDOM.integers(0, 10, 5000)
    for curve in (scores.roc, scores.precision_recall):
        assert len(curve(labels, RANDOM.dirichlet(np.ones(10), 5000))) <= scores.CURVE_POINTS


def test_worst_mistakes_come_first() -> None:
    labels = np.array([0, 0, 1, 1])
    ones = np.array([0.9, 0.95, 0.9, 0.4])
    rows = mistakes.worst(labels, np.stack([1 - ones, ones], axis=1), count=5)
    assert rows.tolist() == [1, 0, 3]
    assert mistakes.worst(labels, np.eye(2)[labels], count=5).tolist() == []


def test_tables(tmp_path: Path) -> None:
    plots.write(tmp_path, LABELS, BINARY, ("negative", "positive"))
    with (tmp_path / "confusion.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 500
    right = sum(row["actual"] == row["predicted"] for row in rows)
    assert right == (BINARY.argmax(axis=1) == LABELS).sum()
    with (tmp_path / "per_class.csv").open(encoding="utf-8") as file:
        assert [row["class"] for row in csv.DictReader(file)] == ["negative", "positive"]


def test_every_baseline_has_a_line() -> None:
    assert list(results.BASELINES) == list(params.Baselines.model_fields)


def test_every_capability_is_named_in_chinese() -> None:
    counts = {item.capability for item in (*behaviour.read_cases(), *behaviour.read_pairs())}
    assert results.CHINESE.names.keys() >= counts


@pytest.mark.parametrize("page", [*markdown.PAGES, *markdown.CHARTS], ids=str)
def test_pages_show_the_committed_metrics(
    page: Path, head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(head)
    assert markdown.written(MODELS)[page] == page.read_text("utf-8"), "run `make readme`"


class TestChart:
    @pytest.fixture
    def rows(self, head: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
        """What each point of the picture says: colour, the ends of its interval, place, value."""
        monkeypatch.chdir(head)
        return re.findall(
            r'd="M([\d.]+) \d+H([\d.]+)" stroke="(#\w+)".*\n<circle cx="([\d.]+)".*\n'
            r"(?:<path.*\n)?<text[^>]*>([\d.]+)<",
            results_chart.drawn(results.ENGLISH),
        )

    def test_a_point_lies_within_its_interval_and_shows_its_metric(
        self, rows: list[tuple[str, ...]]
    ) -> None:
        compared = files.read_json(paths.metrics("sentiment"))
        del compared["baseline"]
        assert len(rows) == 3 + 2 * len(compared)
        for low, high, _, x, _ in rows:
            assert float(low) < float(x) < float(high)
        f1 = sorted((of["f1"] for of in compared.values()), reverse=True)
        reviews = rows[3 : 3 + len(f1)]
        assert [value for *_, value in reviews] == [f"{each:.3f}" for each in f1]
        # Places are linear in F1.
        places = [float(x) for *_, x, _ in reviews]
        steps = np.diff(places) / np.diff(f1)
        np.testing.assert_allclose(steps, steps[0], rtol=0.05)

    def test_baselines_have_another_colour(self, rows: list[tuple[str, ...]]) -> None:
        colours = [row[2] for row in rows[3:]]
        assert colours.count(results_chart.THEIRS) == 2 * len(results.BASELINES)

    def test_of_classes_for_which_no_short_text_is_asked(
        self, head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.copytree(head / "metrics", tmp_path / "metrics")
        shutil.copytree(head / "data/behaviour", tmp_path / "data/behaviour")
        monkeypatch.chdir(tmp_path)
        paths.metrics("behaviour").write_text('{"asked": 0, "why": "others"}')
        drawn = results_chart.drawn(results.ENGLISH)
        assert "Test reviews: F1" in drawn
        assert "short texts" not in drawn

    def test_without_the_comparison(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("metrics").mkdir()
        for name in results.TUTORIAL:
            paths.metrics(name).write_text('{"accuracy": 0.5, "n_test": 100}')
        with pytest.raises(ReproError, match=r"metrics/sentiment\.json: not found"):
            results_chart.drawn(results.ENGLISH)


def test_readme_without_markers(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    with pytest.raises(ReproError, match=r"README\.md: not found"):
        markdown.insert(readme, "table")
    readme.write_text(f"{markdown.END} {markdown.BEGIN}")
    with pytest.raises(ReproError, match="expected the markers"):
        markdown.insert(readme, "table")
    readme.write_text(f"a\n{markdown.BEGIN}\nold\n{markdown.END}\nb")
    assert markdown.insert(readme, "new") == f"a\n{markdown.BEGIN}\n\nnew\n\n{markdown.END}\nb"


def test_table_names_a_missing_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReproError, match=r"metrics/mnist_sequential\.json: not found"):
        results.table(MODELS)
    Path("metrics").mkdir()
    Path("metrics/mnist_sequential.json").write_text('{"accuracy": 1}')
    with pytest.raises(ReproError, match=r"mnist_sequential\.json: precision is missing"):
        results.table(MODELS)


def test_the_tutorials_tables_name_a_missing_metric(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReproError, match=r"metrics/history/cifar10_cnn\.csv: not found"):
        tutorial_results.models(tutorial_results.ENGLISH)
    Path("metrics").mkdir()
    Path("metrics/seq2seq_one_to_one.json").write_text('{"n_test": 1, "perplexity": 2}')
    told = (
        r"seq2seq_one_to_one\.json: perplexity_bigrams is missing; expected it of `make repro-all`"
    )
    with pytest.raises(ReproError, match=told):
        tutorial_results.sequences(tutorial_results.CHINESE)
