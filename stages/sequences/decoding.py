"""Decoders that write one token after the other, each from all that they have written."""

from collections.abc import Callable, Mapping

import keras
import numpy as np

from stages.text.reviews import PAD
from stages.text.vocabulary import FIRST_ID

# Tokens chosen from probabilities of shape (N, tokens), of shape (N,).
Choose = Callable[[np.ndarray], np.ndarray]


def write(
    model: keras.Model,
    inputs: Mapping[str, np.ndarray],
    boundary: int,
    length: int,
    choose: Choose,
) -> np.ndarray:
    """Return the tokens that a model writes, int32 of shape (N, length), padded after the last.

    The model is asked for each token anew with all before it: quadratic in the length, and it needs
    no second model that hands the states of the LSTM on.

    Args:
        model: has an input `written` beside `inputs`.
        inputs: what each sequence is written from, N rows each.
        boundary: the token that begins and ends a sequence; it is not returned.
        length: how many tokens are written at most.
        choose: picks each next token.

    """
    count = len(next(iter(inputs.values())))
    written = np.full((count, length + 1), PAD, np.int32)
    written[:, 0] = boundary
    going = np.ones(count, bool)
    for place in range(length):
        predicted = model.predict_on_batch({**inputs, "written": written[:, :length]})
        tokens = choose(_allowed(predicted[:, place]))
        going &= tokens != boundary
        written[:, place + 1] = np.where(going, tokens, PAD)
        if not going.any():
            break
    return written[:, 1:]


def greedy(probabilities: np.ndarray) -> np.ndarray:
    """Choose the likeliest token."""
    tokens: np.ndarray = probabilities.argmax(axis=1)
    return tokens


def sampling(random: np.random.Generator, temperature: float) -> Choose:
    """Return a function that draws tokens.

    Args:
        random: gives one number for each token.
        temperature: divides the logarithms of the probabilities.

    """

    def choose(probabilities: np.ndarray) -> np.ndarray:
        logarithms = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny)) / temperature
        weights = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        sums = weights.cumsum(axis=1)
        drawn = random.random(len(sums))[:, None] * sums[:, -1:]
        tokens: np.ndarray = (sums <= drawn).sum(axis=1)
        return tokens

    return choose


def _allowed(probabilities: np.ndarray) -> np.ndarray:
    """Return the probabilities as float64, those of padding and unknown tokens 0."""
    allowed = probabilities.astype(np.float64)
    allowed[:, :FIRST_ID] = 0
    return allowed
