"""Intervals, tests and calibration against plain resampling, counting and values by hand."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics

from keras_repro.core.errors import ReproError
from keras_repro.evaluation import scores, uncertainty

random = np.random.default_rng(0)
labels = random.integers(0, 2, 400)
positive = np.clip(0.25 + 0.5 * labels + random.normal(0, 0.25, 400), 0.001, 0.999)
predicted = (positive > uncertainty.EVEN).astype(int)
# scikit-learn's functions, of which each is checked by one call, take 1 ms a call.
SCORES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "accuracy": lambda y, found: (y == found).mean(-1),
    "f1": lambda y, found: 2 * (y & found).sum(-1) / (y.sum(-1) + found.sum(-1)),
    "precision": lambda y, found: (y & found).sum(-1) / found.sum(-1),
    "recall": lambda y, found: (y & found).sum(-1) / y.sum(-1),
}


class TestIntervals:
    @pytest.mark.parametrize("metric", SCORES)
    def test_ends_are_those_of_resampled_items(self, metric: str) -> None:
        exact = getattr(metrics, f"{metric}_score")(labels, predicted)
        assert SCORES[metric](labels, predicted) == pytest.approx(exact)
        drawn = random.integers(0, 400, (2000, 400))
        values = SCORES[metric](labels[drawn], predicted[drawn])
        found = uncertainty.intervals(labels, predicted, seed=1)
        expected = np.quantile(values, [0.025, 0.975])
        ends = [found[f"{metric}_low"], found[f"{metric}_high"]]
        np.testing.assert_allclose(ends, expected, atol=0.006)
        assert ends[0] < exact < ends[1]

    def test_same_seed_same_ends_and_another_seed_others(self) -> None:
        one, again, other = (uncertainty.intervals(labels, predicted, seed) for seed in (1, 1, 2))
        assert one == again != other

    def test_nothing_found(self) -> None:
        found = uncertainty.intervals(labels, np.zeros(400, int), seed=1)
        assert found["precision_high"] == found["f1_high"] == 0


class TestGain:
    def test_interval_is_that_of_resampled_items(self) -> None:
        baseline = np.where(random.random(400) < 0.1, 1 - predicted, predicted)
        found = uncertainty.gain(labels, predicted, baseline, seed=1)
        drawn = random.integers(0, 400, (2000, 400))
        ours, others = (SCORES["f1"](labels[drawn], one[drawn]) for one in (predicted, baseline))
        low, high = np.quantile(ours - others, [0.025, 0.975])
        assert found["f1_gain_low"] == pytest.approx(low, abs=0.006)
        assert found["f1_gain_high"] == pytest.approx(high, abs=0.006)
        exact = metrics.f1_score(labels, predicted) - metrics.f1_score(labels, baseline)
        assert found["f1_gain"] == pytest.approx(exact)

    def test_nothing_is_gained_over_oneself(self) -> None:
        assert set(uncertainty.gain(labels, predicted, predicted, seed=1).values()) == {0}


class TestMcnemar:
    @pytest.mark.parametrize(
        ("only_one", "only_other", "expected"),
        [(10, 0, 2 / 2**10), (0, 10, 2 / 2**10), (3, 1, 10 / 16), (7, 7, 1.0), (0, 0, 1.0)],
    )
    def test_exact(self, only_one: int, only_other: int, expected: float) -> None:
        right = np.array([True] * only_one + [False] * only_other + [True] * 50 + [False] * 9)
        other = np.array([False] * only_one + [True] * only_other + [True] * 50 + [False] * 9)
        assert uncertainty.mcnemar(right, other) == pytest.approx(expected)


def test_brier_is_that_of_scikit_learn() -> None:
    expected = metrics.brier_score_loss(labels, positive)
    assert uncertainty.brier(labels, scores.as_classes(positive)) == pytest.approx(expected)


def test_reliability_counts_each_item_once() -> None:
    points = uncertainty.reliability(labels, positive)
    assert sum(size for _, _, size in points) == 400
    assert sum(share * size for _, share, size in points) == pytest.approx(labels.sum())
    assert sum(mean * size for mean, _, size in points) == pytest.approx(positive.sum())
    assert uncertainty.reliability(np.array([1]), np.array([1.0])) == [(1.0, 1.0, 1)]


def test_no_threshold_is_better() -> None:
    best = uncertainty.best_threshold(labels, positive)
    reached = uncertainty.f1(labels, positive >= best)
    assert reached == max(uncertainty.f1(labels, positive >= one) for one in positive)
    assert reached > uncertainty.f1(labels, positive >= 0.9)


def test_scores_become_probabilities_of_their_own_mean() -> None:
    scores = 5 * (positive - 0.4)
    found = uncertainty.calibrated(scores, labels, scores)
    assert found.mean() == pytest.approx(labels.mean(), abs=1e-3)
    assert (np.argsort(found) == np.argsort(scores)).all()
    assert metrics.log_loss(labels, found) < metrics.log_loss(labels, positive)


def test_scores_that_fall_are_refused() -> None:
    with pytest.raises(ReproError, match="do not rise with its labels"):
        uncertainty.calibrated(-positive, labels, positive)


def test_separable_scores_do_not_become_certain() -> None:
    truth = np.array([0, 0, 1, 1])
    found = uncertainty.calibrated(np.array([-2.0, -1.0, 1.0, 2.0]), truth, np.array([-2.0, 2.0]))
    np.testing.assert_allclose(found, [0.25, 0.75], atol=0.1)
