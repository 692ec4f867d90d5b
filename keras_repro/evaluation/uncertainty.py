"""How sure the metrics of classes are.

Throughout, `labels` and `predicted` are of shape (N,), the numbers of classes. Of two classes
precision, recall and F1 are those of class 1, of more the mean over the classes. `positive` is
float64 of shape (N,), the probability of class 1 of two.
"""

from collections.abc import Iterator

import numpy as np
from scipy import optimize, stats
from scipy.special import log_softmax, softmax
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from keras_repro.core.errors import ReproError

# Of which the interval's ends are the 2.5th and the 97.5th percentile.
RESAMPLES = 10_000
COUNTS_AT_ONCE = 1 << 20
BINS = 10
BOTH = 2  # classes, of which one is looked for
# Of e: the factors of scores that are tried.
POWERS = (-9.0, 9.0)
# The probability from which on 1 is said where no threshold was chosen.
EVEN = 0.5


def intervals(
    labels: np.ndarray, predicted: np.ndarray, seed: int, classes: int = 2
) -> dict[str, float]:
    """Return the ends of the 95 % bootstrap interval of each metric (Efron, 1979).

    Each metric is one of the counts of the confusion matrix, so whole resamples need not be drawn:
    the counts of a resample have a multinomial distribution.

    >>> intervals(np.array([0, 1] * 50), np.array([0, 1] * 50), seed=1)["f1_low"]
    1.0
    """
    kinds = classes * labels.astype(int) + predicted
    parts = [
        _of_counts(counts.reshape(-1, classes, classes))
        for counts in _resampled(kinds, classes**2, seed)
    ]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    ends = {name: np.quantile(values, [0.025, 0.975]) for name, values in found.items()}
    return {
        f"{name}_{end}": float(value)
        for name, both in ends.items()
        for end, value in zip(("low", "high"), both, strict=True)
    }


def gain(
    labels: np.ndarray,
    predicted: np.ndarray,
    baseline: np.ndarray,
    seed: int,
    classes: int = 2,
) -> dict[str, float]:
    """Return by how much F1 is above a baseline's, with the ends of the 95 % bootstrap interval.

    Both are resampled together, so what is hard for both widens nothing.

    >>> gain(np.array([0, 1] * 50), np.array([0, 1] * 50), np.array([1, 1] * 50), seed=1)["f1_gain"]
    0.33333333333333337
    """
    kinds = classes * (classes * labels.astype(int) + predicted) + baseline
    parts = []
    for counts in _resampled(kinds, classes**3, seed):
        drawn = counts.reshape(-1, classes, classes, classes)  # label, predicted, baseline
        parts.append(_of_counts(drawn.sum(3))["f1"] - _of_counts(drawn.sum(2))["f1"])
    low, high = np.quantile(np.concatenate(parts), [0.025, 0.975])
    exact = f1(labels, predicted, classes) - f1(labels, baseline, classes)
    return {"f1_gain": exact, "f1_gain_low": float(low), "f1_gain_high": float(high)}


def _resampled(kinds: np.ndarray, count: int, seed: int) -> Iterator[np.ndarray]:
    """Yield how often resamples have each of `count` kinds, float64 of shape (resamples, count)."""
    shares = np.bincount(kinds, minlength=count) / len(kinds)
    random = np.random.default_rng(seed)
    together = max(1, COUNTS_AT_ONCE // count)
    for start in range(0, RESAMPLES, together):
        drawn = random.multinomial(len(kinds), shares, min(together, RESAMPLES - start))
        yield drawn.astype(np.float64)


def _of_counts(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return metrics, each of shape (N,), of counts by label and prediction, (N, k, k)."""
    right = np.diagonal(counts, axis1=1, axis2=2)
    predicted, labelled = counts.sum(1), counts.sum(2)
    found = {
        "precision": right / np.maximum(1, predicted),
        "recall": right / np.maximum(1, labelled),
        "f1": 2 * right / np.maximum(1, predicted + labelled),
    }
    of_class = {
        name: each[:, 1] if each.shape[1] == BOTH else each.mean(1) for name, each in found.items()
    }
    return {"accuracy": right.sum(1) / counts.sum((1, 2))} | of_class


def mcnemar(right: np.ndarray, other_right: np.ndarray) -> float:
    """Return the probability of so unequal a score if two models were equally good.

    The exact test of McNemar (1947), on the items that only one of them has right.

    >>> mcnemar(np.array([True] * 9 + [False]), np.array([False] * 9 + [True])) < 0.05
    True
    """
    one, other = int((right & ~other_right).sum()), int((other_right & ~right).sum())
    return float(stats.binomtest(one, one + other).pvalue) if one + other else 1.0


def f1(labels: np.ndarray, predicted: np.ndarray, classes: int = 2) -> float:
    """Return the harmonic mean of precision and recall; 0 of a class of which none is found."""
    average = "binary" if classes == BOTH else "macro"
    return float(
        metrics.f1_score(labels, predicted, labels=range(classes), average=average, zero_division=0)
    )


def brier(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean square of what the probabilities are off (Brier, 1950).

    Of two classes only those of class 1 count, of more their squares are added up.

    Args:
        labels: see above.
        probabilities: of shape (N, classes).

    """
    off = probabilities - (labels[:, None] == np.arange(probabilities.shape[1]))
    square = off[:, 1:] ** 2 if probabilities.shape[1] == BOTH else off**2
    return float(square.sum(1).mean())


def reliability(labels: np.ndarray, positive: np.ndarray) -> list[tuple[float, float, int]]:
    """Return the mean probability, the share of 1 and the size of each tenth that has items.

    Args:
        labels: 0 or 1.
        positive: see above.

    """
    places = np.minimum((positive * BINS).astype(int), BINS - 1)
    inside = (places == place for place in range(BINS))
    return [
        (float(positive[rows].mean()), float(labels[rows].mean()), int(rows.sum()))
        for rows in inside
        if rows.any()
    ]


def best_threshold(labels: np.ndarray, positive: np.ndarray) -> float:
    """Return the probability from which on 1 is said.

    Of those whose F1 is at most one standard error from the best, it is the one nearest to one half
    (Breiman and others, 1984): where F1 is flat, the best is a matter of chance.

    >>> best_threshold(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.9]))
    0.3
    """
    precision, recall, thresholds = metrics.precision_recall_curve(labels, positive)
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(float).tiny)
    highest, place = f1[:-1].max(), f1[:-1].argmax()
    # F1 is 2q / (1 + q), where q is the share of the right ones among what is 1 or is said to be.
    right = recall[place] * labels.sum()
    counted = right / precision[place] + labels.sum() - right if right else 1
    share = right / counted
    error = 2 / (1 + share) ** 2 * np.sqrt(share * (1 - share) / counted)
    good = thresholds[f1[:-1] >= highest - error]
    return float(good[np.abs(good - EVEN).argmin()])


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


def tempered(scores: np.ndarray, labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the probabilities that scores of more than two classes mean, of shape (M, classes).

    They are the softmax of the scores times the factor that has the least cross-entropy (Guo and
    others, 2017, temperature scaling), so the greatest score stays the likeliest class.

    Args:
        scores: of shape (N, classes), the greater the likelier the class.
        labels: what is true of these.
        others: of shape (M, classes), scores of the same kind.

    >>> scores, labels = np.eye(3)[[0, 1, 2, 0, 1]], np.array([0, 1, 2, 1, 2])
    >>> tempered(scores, labels, np.eye(3)[:1]).round(2).tolist()
    [[0.6, 0.2, 0.2]]

    """

    def loss(power: float) -> float:
        logs = log_softmax(np.exp(power) * scores, axis=1)
        return -float(logs[np.arange(len(labels)), labels].mean())

    found = optimize.minimize_scalar(loss, bounds=POWERS, method="bounded")
    likely: np.ndarray = softmax(np.exp(found.x) * others, axis=1)
    return likely
