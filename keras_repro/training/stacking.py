"""Trains the parts of a model one after another and weighs them on the validation split."""

import logging
from collections import defaultdict
from types import ModuleType
from typing import NamedTuple

import keras
import numpy as np
from sklearn.metrics import log_loss

from keras_repro import inputs
from keras_repro.core import params
from keras_repro.inputs import batches, ngrams
from keras_repro.training.run import Run

log = logging.getLogger(__name__)

# Tried with each share. Finer ones gain less than 0.0002 of cross-entropy.
SCALES = tuple(number / 10 for number in range(2, 16))


def fit(run: Run, module: ModuleType, settings: params.Hybrid, seed: int) -> keras.Model:
    """Return the model that `module` stacks of its trained parts.

    Args:
        run: keeps the history and the checkpoints.
        module: of keras_repro.models, with `parts` and `stack`.
        settings: with a section for each kind of part.
        seed: of the batches; each part has an order of its own.

    """
    kind = inputs.of(module.DATASET)
    validation = kind.split("validation", settings, seed, settings.reader.batch_size)
    learned: dict[str, list[tuple[keras.Model, np.ndarray]]] = defaultdict(list)
    gated = ngrams.has_composed()  # or a gate has nothing to tell apart
    parts = [part for part in module.parts(settings) if gated or part[0].learns != "origin"]
    for number, (section, build) in enumerate(parts):
        splits = kind.training(section, seed + number)
        found = []
        for trial in section.trials(len(splits.train)):
            part = run.fit(build(splits.inputs), trial, splits)
            scores = batches.logits(part, validation.batches)
            found.append((_loss(validation.labels, scores), trial, part, scores))
        _, trial, part, scores = min(found, key=lambda one: one[0])
        if len(found) > 1:
            log.info("%s: the learning rate %g is best", part.name, trial.optimizer.learning_rate)
        learned[section.learns].append((part, scores))
    ((wide, first),) = learned["reviews"]
    readers, others = zip(*learned["texts"], strict=True)
    gate, review = None, np.ones((len(first), 1))
    if learned["origin"]:
        ((gate, scores),) = learned["origin"]
        review = batches.as_probabilities(scores)[:, 1:2]
    mix = best_mix(first, np.mean(others, axis=0), review, validation.labels, settings.shares)
    log.info("share of the readers: %g; logits times %g", mix.share, mix.scale)
    model: keras.Model = module.stack(wide, gate, readers, mix.share, mix.scale)
    return model


class Mix(NamedTuple):
    """How two kinds of logits become one: their mean times a factor.

    Attributes:
        share: of the second kind in the mean, for what is surely a review.
        scale: the factor, which moves probabilities and no verdict.

    """

    share: float
    scale: float


def mixed(first: np.ndarray, second: np.ndarray, review: np.ndarray, mix: Mix) -> np.ndarray:
    """Return logits of shape (N, classes).

    Args:
        first: likewise.
        second: likewise.
        review: how surely each text is one, of shape (N, 1).
        mix: of the two.

    """
    weights = (1 - mix.share) * review
    logits: np.ndarray = mix.scale * (weights * first + (1 - weights) * second)
    return logits


def best_mix(
    first: np.ndarray,
    second: np.ndarray,
    review: np.ndarray,
    labels: np.ndarray,
    shares: tuple[float, ...],
) -> Mix:
    """Return the mix with the least cross-entropy.

    What has learned a review by heart is too sure of it: its logits are too large (Guo and others,
    2017), which a scale of its own for each share takes back.

    Args:
        first: float64 of shape (N, classes).
        second: likewise.
        review: as `mixed` takes it.
        labels: of shape (N,).
        shares: all that are tried; of equally good ones the first is taken.

    >>> sure, unsure = np.array([[4.0, 0.0], [0.0, 4.0]]), np.zeros((2, 2))
    >>> best_mix(unsure, sure, np.ones((2, 1)), np.array([0, 1]), (0.0, 0.5, 1.0))
    Mix(share=1.0, scale=1.5)

    """
    mixes = [Mix(share, scale) for share in shares for scale in SCALES]
    return min(mixes, key=lambda mix: _loss(labels, mixed(first, second, review, mix)))


def _loss(labels: np.ndarray, logits: np.ndarray) -> float:
    """Return the cross-entropy of logits of shape (N, classes)."""
    return float(log_loss(labels, batches.as_probabilities(logits), labels=range(logits.shape[1])))
