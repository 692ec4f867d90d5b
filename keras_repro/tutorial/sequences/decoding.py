"""Decoders that write one token after the other, each from all that they have written."""

from collections.abc import Callable, Mapping

import keras
import numpy as np
from sklearn.utils.extmath import softmax

from keras_repro.text.terms import PAD
from keras_repro.text.vocabulary import FIRST_ID

# Of the likeliest token's probability.
LEAST_PLAUSIBLE = 0.01

# The probabilities of the token at a place, float64 of shape (N, tokens), from a model's inputs.
Predict = Callable[[Mapping[str, np.ndarray], int], np.ndarray]
# Tokens chosen from probabilities of shape (N, tokens), of shape (N,).
Choose = Callable[[np.ndarray], np.ndarray]


def write(
    predict: Predict,
    inputs: Mapping[str, np.ndarray],
    boundary: int,
    length: int,
    choose: Choose,
) -> np.ndarray:
    """Return the tokens that a model writes, int32 of shape (N, length), padded after the last.

    The model is asked for each token anew with all before it: quadratic in the length, and it needs
    no second model that hands the states of the LSTM on.

    Args:
        predict: is asked with an input `written` beside `inputs`.
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
        predicted = predict({**inputs, "written": written[:, :length]}, place)
        tokens = choose(predicted)
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
        nothing = np.full_like(probabilities, -np.inf)
        logarithms = np.log(probabilities, out=nothing, where=probabilities > 0) / temperature
        weights = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
        sums = weights.cumsum(axis=1)
        drawn = random.random(len(sums))[:, None] * sums[:, -1:]
        tokens: np.ndarray = (sums <= drawn).sum(axis=1)
        return tokens

    return choose


def following(model: keras.Model) -> Predict:
    """Return the predictions of a model for the one place that is asked for.

    Padding and unknown tokens have 0, so that the rest need not sum to 1.
    """
    logits = model.get_layer("logits")
    read = keras.Model(model.input, logits.input)

    def predict(inputs: Mapping[str, np.ndarray], place: int) -> np.ndarray:
        hidden = read.predict_on_batch(inputs)[:, place]
        scores = keras.ops.convert_to_numpy(logits(hidden))
        return _allowed(softmax(scores.astype(np.float64)))

    return predict


def guided(predict: Predict, guidance: float) -> Predict:
    """Return the predictions for one of two labels, turned away from the other.

    p(token | label) is multiplied by (p(token | label) / p(token | other label)) ** guidance, as Ho
    and Salimans (2022) guide diffusion, among the tokens that are at least `LEAST_PLAUSIBLE` times
    as likely as the likeliest, as Li et al. (2022) decode; without that, what neither label says
    would win.

    Args:
        predict: of a model with an input `label` of zeros and ones.
        guidance: 0 changes nothing.

    """
    if not guidance:
        return predict

    def turned(inputs: Mapping[str, np.ndarray], place: int) -> np.ndarray:
        wanted = predict(inputs, place)
        other = predict({**inputs, "label": 1 - inputs["label"]}, place)
        plausible = wanted >= wanted.max(axis=-1, keepdims=True) * LEAST_PLAUSIBLE
        ratio = np.divide(wanted, other, out=np.zeros_like(wanted), where=plausible)
        weights: np.ndarray = wanted * ratio**guidance
        weights /= weights.sum(axis=-1, keepdims=True)
        return weights

    return turned


def _allowed(probabilities: np.ndarray) -> np.ndarray:
    """Return the probabilities with 0 for padding and unknown tokens, which nobody writes."""
    allowed = probabilities.copy()
    allowed[:, :FIRST_ID] = 0
    return allowed
