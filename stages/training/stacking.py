"""Trains the parts of a model one after another and weighs them on the validation split."""

import sys
from types import ModuleType

import keras
import numpy as np
from sklearn.metrics import log_loss

from stages import params
from stages.training import data
from stages.training.run import Run


def fit(run: Run, module: ModuleType, settings: params.Hybrid, seed: int) -> keras.Model:
    """Return the model that `module` stacks of its trained parts.

    Args:
        run: keeps the history and the checkpoints.
        module: of stages.models, with `parts` and `stack`.
        settings: with a section for each kind of part.
        seed: of the batches; each part has an order of its own.

    """
    trained = []
    for number, (section, build) in enumerate(module.parts(settings)):
        splits = data.load_training(module.DATASET, section, seed + number)
        trained.append(run.fit(build(splits.inputs), section, splits))
    validation = data.load_split(module.DATASET, "validation", settings.reader.batch_size)
    first, *others = (data.logits(part, validation.batches) for part in trained)
    share = best_share(first, np.mean(others, axis=0), validation.labels, settings.shares)
    print(f"share of the readers: {share:g}", file=sys.stderr)  # noqa: T201 - what was chosen
    model: keras.Model = module.stack(trained[0], trained[1:], share)
    return model


def best_share(
    first: np.ndarray, second: np.ndarray, labels: np.ndarray, shares: tuple[float, ...]
) -> float:
    """Return the share of the second logits in the mean with the least cross-entropy.

    Args:
        first: float64 of shape (N, classes).
        second: likewise.
        labels: of shape (N,).
        shares: all that are tried; of equally good ones the first is taken.

    >>> sure, unsure = np.array([[4.0, 0.0], [0.0, 4.0]]), np.zeros((2, 2))
    >>> best_share(unsure, sure, np.array([0, 1]), (0.0, 0.5, 1.0))
    1.0

    """
    return min(
        shares,
        key=lambda share: log_loss(
            labels,
            data.as_probabilities((1 - share) * first + share * second),
            labels=range(first.shape[1]),
        ),
    )
