"""scikit-learn's metrics for predicted probabilities.

Throughout, `labels` is of shape (N,) and `probabilities` float64 of shape (N, classes), whose rows
sum to 1.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn import metrics

# As many points as a plot can show; the curves of 10,000 images have 100,000.
CURVE_POINTS = 400


def summary(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Return the metrics of metrics/NAME.json.

    With two classes, precision, recall and F1 are those of class 1; with more, the mean over the
    classes. `loss` is the mean cross-entropy in nats.
    """
    predicted = probabilities.argmax(axis=1)
    classes = probabilities.shape[1]
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels,
        predicted,
        labels=range(classes),
        average="binary" if classes == 2 else "macro",  # noqa: PLR2004
        zero_division=0,
    )
    return {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "loss": metrics.log_loss(labels, probabilities, labels=range(classes)),
        "n_test": len(labels),
    }


def by_source(
    labels: np.ndarray, probabilities: np.ndarray, sources: np.ndarray, names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return the metrics of `summary` for the test items of each source that has any.

    Args:
        labels: see above.
        probabilities: see above.
        sources: of shape (N,), the place of each item's source in `names`.
        names: of the sources.

    """
    places = {name: sources == number for number, name in enumerate(names)}
    return {
        name: summary(labels[rows], probabilities[rows])
        for name, rows in places.items()
        if rows.any()
    }


def flat(by_source: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return metrics of several sources as one mapping.

    >>> flat({"mine": {"f1": 0.9, "n_test": 30}})
    {'f1_mine': 0.9, 'n_test_mine': 30}
    """
    return {
        f"{metric}_{source}": value
        for source, metrics in by_source.items()
        for metric, value in metrics.items()
    }


def per_class(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> list[tuple[str, float, float, float, int]]:
    """Return each class with its precision, recall, F1 and number of test items."""
    columns = metrics.precision_recall_fscore_support(
        labels, probabilities.argmax(axis=1), labels=range(len(classes)), zero_division=0
    )
    return list(zip(classes, *(column.tolist() for column in columns), strict=True))


def precision_recall(labels: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, float]]:
    """Return points (recall, precision) from the least recall to the greatest."""
    truth, scores = as_binary(labels, probabilities)
    precision, recall, _ = metrics.precision_recall_curve(truth, scores, drop_intermediate=True)
    return _thinned(recall[::-1], precision[::-1])


def roc(labels: np.ndarray, probabilities: np.ndarray) -> list[tuple[float, float]]:
    """Return points (false positive rate, true positive rate)."""
    truth, scores = as_binary(labels, probabilities)
    false_positive, true_positive, _ = metrics.roc_curve(truth, scores)
    return _thinned(false_positive, true_positive)


def as_classes(probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities of all classes, of shape (N, classes), of those of class 1 of two."""
    if probabilities.ndim > 1:
        return probabilities
    return np.stack([1 - probabilities, probabilities], axis=1)


def as_binary(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return truths and scores: of class 1 of two, else of each class against the rest."""
    if probabilities.shape[1] == 2:  # noqa: PLR2004
        return labels, probabilities[:, 1]
    return (labels[:, None] == np.arange(probabilities.shape[1])).ravel(), probabilities.ravel()


def _thinned(x: np.ndarray, y: np.ndarray) -> list[tuple[float, float]]:
    """Return at most `CURVE_POINTS` points, evenly spaced along the curve, with both ends."""
    places = np.unique(np.linspace(0, len(x) - 1, min(len(x), CURVE_POINTS)).round().astype(int))
    return list(zip(x[places].tolist(), y[places].tolist(), strict=True))
