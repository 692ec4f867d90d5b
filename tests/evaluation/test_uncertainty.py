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


@pytest.mark.parametrize("moved", [0.0, 0.3, -0.3])
def test_the_threshold_is_the_most_even_of_those_within_a_standard_error(moved: float) -> None:
    found = np.clip(positive + moved, 0, 1)
    f1 = {one: uncertainty.f1(labels, found >= one) for one in np.unique(found)}
    best = max(f1, key=f1.__getitem__)
    random = np.random.default_rng(1)
    drawn = (random.integers(len(labels), size=len(labels)) for _ in range(2_000))
    error = np.std([uncertainty.f1(labels[rows], found[rows] >= best) for rows in drawn])
    threshold = uncertainty.best_threshold(labels, found)
    assert f1[threshold] >= f1[best] - 1.1 * error
    nearer = [one for one in f1 if abs(one - 0.5) < abs(threshold - 0.5)]
    assert all(f1[one] < f1[best] - 0.9 * error for one in nearer)


def test_a_threshold_where_nothing_is_right() -> None:
    assert uncertainty.best_threshold(np.array([1, 0]), np.array([0.4, 0.6])) == 0.4


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


class TestThreeClasses:
    truth = random.integers(0, 3, 300)
    said = np.where(random.random(300) < 0.7, truth, random.integers(0, 3, 300))
    baseline = np.where(random.random(300) < 0.1, (said + 1) % 3, said)
    likely = np.full((300, 3), 0.2) + 0.4 * np.eye(3)[said]

    def of_resamples(self, found: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Return macro F1 of each resample."""
        truth, said = (each[drawn][..., None] == np.arange(3) for each in (self.truth, found))
        right = 2 * (truth & said).sum(1)
        return (right / (truth.sum(1) + said.sum(1))).mean(1)

    def test_intervals_are_those_of_resampled_items(self) -> None:
        drawn = np.random.default_rng(5).integers(0, 300, (2000, 300))
        found = uncertainty.intervals(self.truth, self.said, seed=1, classes=3)
        low, high = np.quantile(self.of_resamples(self.said, drawn), [0.025, 0.975])
        assert found["f1_low"] == pytest.approx(low, abs=0.006)
        assert found["f1_high"] == pytest.approx(high, abs=0.006)
        gain = uncertainty.gain(self.truth, self.said, self.baseline, seed=1, classes=3)
        gains = self.of_resamples(self.said, drawn) - self.of_resamples(self.baseline, drawn)
        low, high = np.quantile(gains, [0.025, 0.975])
        assert gain["f1_gain_low"] == pytest.approx(low, abs=0.006)
        assert gain["f1_gain_high"] == pytest.approx(high, abs=0.006)
        one, other = (
            metrics.f1_score(self.truth, each, average="macro")
            for each in (self.said, self.baseline)
        )
        assert gain["f1_gain"] == pytest.approx(one - other)

    def test_two_at_a_time_are_as_all_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = uncertainty.gain(self.truth, self.said, self.baseline, seed=1, classes=3)
        monkeypatch.setattr(uncertainty, "COUNTS_AT_ONCE", 100)
        assert uncertainty.gain(self.truth, self.said, self.baseline, 1, 3) == whole

    def test_brier_adds_up_the_classes(self) -> None:
        expected = metrics.brier_score_loss(
            self.truth, self.likely, labels=[0, 1, 2], scale_by_half=False
        )
        assert uncertainty.brier(self.truth, self.likely) == pytest.approx(expected)

    def test_scores_become_the_likeliest_probabilities(self) -> None:
        scaled = 7 * np.log(self.likely)
        found = uncertainty.tempered(scaled, self.truth, scaled)
        np.testing.assert_allclose(found.sum(axis=1), 1)
        assert (found.argmax(axis=1) == scaled.argmax(axis=1)).all()
        # Each score says its class in three of four cases, and so do the probabilities.
        right = (self.said == self.truth).mean()
        np.testing.assert_allclose(found.max(axis=1), right, atol=0.01)

    def test_scores_that_say_nothing_become_even(self) -> None:
        found = uncertainty.tempered(-np.eye(3)[self.truth], self.truth, np.eye(3))
        np.testing.assert_allclose(found, 1 / 3, atol=1e-3)
