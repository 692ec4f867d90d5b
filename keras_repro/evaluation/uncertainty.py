"""How sure the metrics of two classes are.

Throughout, `labels` is of shape (N,), 0 or 1, and `positive` float64 of shape (N,), the probability
of 1.
"""

import numpy as np
from scipy import stats
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from keras_repro.core.errors import ReproError

# Of which the interval's ends are the 2.5th and the 97.5th percentile.
RESAMPLES = 10_000
BINS = 10
# The probability from which on 1 is said where no threshold was chosen.
EVEN = 0.5


def intervals(labels: np.ndarray, predicted: np.ndarray, seed: int) -> dict[str, float]:
    """Return the ends of the 95 % bootstrap interval of each metric (Efron, 1979).

    Each metric is one of four counts, so whole resamples need not be drawn: the counts of a
    resample have a multinomial distribution.

    >>> intervals(np.array([0, 1] * 50), np.array([0, 1] * 50), seed=1)["f1_low"]
    1.0
    """
    shares = np.bincount(2 * labels.astype(int) + predicted, minlength=4) / len(labels)
    drawn = np.random.default_rng(seed).multinomial(len(labels), shares, RESAMPLES)
    negative, false_positive, false_negative, positive = drawn.T.astype(np.float64)
    found = {
        "accuracy": (positive + negative) / len(labels),
        "precision": positive / np.maximum(1, positive + false_positive),
        "recall": positive / np.maximum(1, positive + false_negative),
        "f1": 2 * positive / np.maximum(1, 2 * positive + false_positive + false_negative),
    }
    ends = {name: np.quantile(values, [0.025, 0.975]) for name, values in found.items()}
    return {
        f"{name}_{end}": float(value)
        for name, both in ends.items()
        for end, value in zip(("low", "high"), both, strict=True)
    }


def gain(
    labels: np.ndarray, predicted: np.ndarray, baseline: np.ndarray, seed: int
) -> dict[str, float]:
    """Return by how much F1 is above a baseline's, with the ends of the 95 % bootstrap interval.

    Both are resampled together, so what is hard for both widens nothing.

    >>> gain(np.array([0, 1] * 50), np.array([0, 1] * 50), np.array([1, 1] * 50), seed=1)["f1_gain"]
    0.33333333333333337
    """
    kinds = 4 * labels.astype(int) + 2 * predicted + baseline
    shares = np.bincount(kinds, minlength=8) / len(labels)
    drawn = np.random.default_rng(seed).multinomial(len(labels), shares, RESAMPLES)
    counts = drawn.reshape(RESAMPLES, 2, 2, 2).astype(np.float64)  # label, predicted, baseline
    differences = _f1_of_counts(counts.sum(3)) - _f1_of_counts(counts.sum(2))
    low, high = np.quantile(differences, [0.025, 0.975])
    exact = f1(labels, predicted) - f1(labels, baseline)
    return {"f1_gain": exact, "f1_gain_low": float(low), "f1_gain_high": float(high)}


def _f1_of_counts(counts: np.ndarray) -> np.ndarray:
    """Return F1 of each of the counts by label and prediction, of shape (N, 2, 2)."""
    right = 2 * counts[:, 1, 1]
    found: np.ndarray = right / np.maximum(1, right + counts[:, 0, 1] + counts[:, 1, 0])
    return found


def mcnemar(right: np.ndarray, other_right: np.ndarray) -> float:
    """Return the probability of so unequal a score if two models were equally good.

    The exact test of McNemar (1947), on the items that only one of them has right.

    >>> mcnemar(np.array([True] * 9 + [False]), np.array([False] * 9 + [True])) < 0.05
    True
    """
    one, other = int((right & ~other_right).sum()), int((other_right & ~right).sum())
    return float(stats.binomtest(one, one + other).pvalue) if one + other else 1.0


def f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return the harmonic mean of precision and recall of 1; 0 if nothing is found."""
    return float(metrics.f1_score(labels, predicted, zero_division=0))


def brier(labels: np.ndarray, positive: np.ndarray) -> float:
    """Return the mean square of what the probabilities are off (Brier, 1950)."""
    return float(((positive - labels) ** 2).mean())


def reliability(labels: np.ndarray, positive: np.ndarray) -> list[tuple[float, float, int]]:
    """Return the mean probability, the share of 1 and the size of each tenth that has items."""
    places = np.minimum((positive * BINS).astype(int), BINS - 1)
    inside = (places == place for place in range(BINS))
    return [
        (float(positive[rows].mean()), float(labels[rows].mean()), int(rows.sum()))
        for rows in inside
        if rows.any()
    ]


def best_threshold(labels: np.ndarray, positive: np.ndarray) -> float:
    """Return the probability from which on 1 is said with the best F1; the most even of equal ones.

    >>> best_threshold(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.9]))
    0.3
    """
    precision, recall, thresholds = metrics.precision_recall_curve(labels, positive)
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(float).tiny)
    best = thresholds[f1[:-1] == f1[:-1].max()]
    return float(best[np.abs(best - EVEN).argmin()])


def calibrated(scores: np.ndarray, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the probabilities of 1 that other scores mean, by the method of Platt (1999).

    As there, the truth of an item is not quite 0 or 1, but what a prior of one item each leaves.

    Args:
        scores: of shape (N,), the greater the likelier 1.
        labels: what is true of these.
        others: of shape (M,), scores of the same kind.

    Raises:
        ReproError: the scores fall where the labels rise.

    """
    ones = labels.sum()
    truth = np.where(labels == 1, (ones + 1) / (ones + 2), 1 / (len(labels) - ones + 2))
    both = np.concatenate([scores, scores])[:, None]
    said = np.repeat([1, 0], len(labels))
    curve = LogisticRegression(C=np.inf).fit(both, said, np.concatenate([truth, 1 - truth]))
    if curve.coef_[0, 0] <= 0:
        raise ReproError(
            "the scores on the validation split do not rise with its labels; expected a "
            "classifier that has learned something (are there enough reviews?)"
        )
    positive: np.ndarray = curve.predict_proba(others[:, None])[:, 1]
    return positive
