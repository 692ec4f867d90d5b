"""Wide and deep over n-grams of characters and words: more than the tutorial's words alone.

The wide part has one weight per n-gram, word and class, as a linear classifier over TF-IDF has
(Cheng and others, 2016, for the name). The deep part reads a review character by character: each is
the sum of the embeddings of the n-grams that end there and of the word that does, so that gated
convolutions (Dauphin and others, 2017) begin with what the wide part knows and add the order. The
parts are trained alone, and then their logits are averaged (Wolpert, 1992, stacking). A gate
decides how (Jacobs and others, 1991, mixture of experts): where a text is like a lone sentence, the
readers answer, which know what 不, 太 and 虽然 do; where it is like a review, which says all
several times, the wide part answers with them; where it is like a sentence that judges nothing,
none does, and the logits are 0.
"""

from collections.abc import Callable, Sequence
from functools import partial

import keras
import numpy as np
from keras import layers, ops

from keras_repro.core.params import Gate, Hybrid, Reader, Wide
from keras_repro.inputs import NgramInputs

DATASET = "ngrams"
Settings = Hybrid
# What a text can be like: a composed sentence, a review, or a composed one that judges nothing.
ORIGINS = ("sentence", "review", "neutral")
# From so sure a neutral on, a text has no verdict. Lower values find more neutral texts, and take
# more opinions in unfamiliar words for such (docs/log.md).
NEUTRAL = 0.9
Build = Callable[[NgramInputs], keras.Model]

# Characters that a convolution sees at once.
WIDTH = 3
# Below all states, whatever is learnt.
FAR = 1e4


def build_wide(params: Wide | Gate, inputs: NgramInputs, name: str = "wide") -> keras.Model:
    """Return a model from n-gram ids (N, length, columns) to probabilities (N, classes)."""
    ngrams = keras.Input((None, inputs.columns), dtype="int32", name="ngrams")
    size = len(inputs.rarity)
    # An n-gram counts by its rarity, once; a review has the length 1 whatever it holds. Padding,
    # the id 0, has no rarity.
    distinct = _distinct(ngrams)
    rarity = layers.Embedding(
        size, 1, weights=[inputs.rarity[:, None]], trainable=False, name="rarity"
    )(distinct)
    rarity = layers.Reshape((-1,), name="rarity_of_all")(rarity)
    rarity = layers.UnitNormalization(axis=1, name="unit_length")(rarity)
    rarity = layers.Dropout(params.dropout, name="dropout")(rarity)
    weight = layers.Embedding(size, inputs.classes, "zeros", name="weight")(distinct)
    weight = layers.Reshape((-1, inputs.classes), name="weight_of_all")(weight)
    logits = layers.Dot(axes=1, name="logits")([rarity, weight])
    probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model(ngrams, probabilities, name=name)


def build_gate(params: Gate, inputs: NgramInputs) -> keras.Model:
    """Return a model from n-gram ids (N, length, columns) to probabilities (N, origins)."""
    # What composed sentences alone have tells most here: it counts as what few reviews have.
    rarity = np.where(inputs.rarity, inputs.rarity, inputs.rarity.max())
    rarity[0] = 0
    return build_wide(params, inputs._replace(rarity=rarity, classes=len(ORIGINS)), "gate")


def build_reader(params: Reader, inputs: NgramInputs, name: str) -> keras.Model:
    """Return a model from n-gram ids (N, length, columns) to probabilities (N, classes)."""
    ngrams = keras.Input((None, inputs.columns), dtype="int32", name="ngrams")
    # All but padding and unknown characters.
    known = ops.cast(ops.any(ops.not_equal(ngrams, 0), axis=-1, keepdims=True), "float32")
    embedded = layers.Embedding(len(inputs.rarity), params.embedding, name="embedding")(ngrams)
    # Whole n-grams are dropped, or the longest would tell all by heart.
    shape = (None, None, inputs.columns, 1)
    embedded = layers.Dropout(params.ngram_dropout, noise_shape=shape, name="ngram_dropout")(
        embedded
    )
    states = layers.SpatialDropout1D(params.embedding_dropout, name="embedding_dropout")(
        ops.sum(embedded, axis=2)
    )
    # What is not known counts as nothing, as what stands before and after a text does.
    states = states * known
    for number, dilation in enumerate(params.dilations, start=1):
        convolution = partial(
            layers.Conv1D, params.units, WIDTH, padding="same", dilation_rate=dilation
        )
        value = convolution(name=f"value_{number}")(states)
        gating = convolution(activation="sigmoid", name=f"gating_{number}")(states)
        # The embedding may have fewer numbers than a layer has units.
        gated = value * gating if number == 1 else states + value * gating
        states = gated * known
    review = layers.Concatenate(name="review")(_pooled(states, known))
    review = layers.Dropout(params.dropout, name="dropout")(review)
    logits = layers.Dense(inputs.classes, name="logits")(review)
    probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model(ngrams, probabilities, name=name)


def _distinct(ngrams: keras.KerasTensor) -> keras.KerasTensor:
    """Return the ids of each number of characters in ascending order, all but the first as 0."""
    ordered = ops.sort(ngrams, axis=1)
    repeated = ops.equal(ordered[:, 1:], ordered[:, :-1])
    return ops.concatenate([ordered[:, :1], ops.where(repeated, 0, ordered[:, 1:])], axis=1)


def _pooled(states: keras.KerasTensor, known: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Return the greatest and the mean of each number over the known characters, 0 if none is.

    Args:
        states: of shape (N, length, units), 0 where nothing is known.
        known: 1 or 0, of shape (N, length, 1).

    """
    greatest = ops.max(states - FAR * (1.0 - known), axis=1) * ops.max(known, axis=1)
    mean = ops.sum(states, axis=1) / ops.maximum(ops.sum(known, axis=1), 1.0)
    return [greatest, mean]


def parts(params: Hybrid) -> list[tuple[Wide | Gate | Reader, Build]]:
    """Return the settings of each part and what builds it, in the order of training."""
    readers = [
        partial(build_reader, params.reader, name=f"reader_{n + 1}") for n in range(params.readers)
    ]
    return [
        (params.wide, partial(build_wide, params.wide)),
        (params.gate, partial(build_gate, params.gate)),
        *((params.reader, build) for build in readers),
    ]


def stack(
    wide: keras.Model,
    gate: keras.Model | None,
    readers: Sequence[keras.Model],
    share: float,
    scale: float,
) -> keras.Model:
    """Return a model whose logits are a mean of those of its parts, times a factor.

    The surer the gate is that a text judges nothing, the smaller they are; from `NEUTRAL` on 0.

    Args:
        wide: trained.
        gate: trained, on the same n-grams as all; None where all texts are reviews.
        readers: trained; all count alike.
        share: of the readers together, in what is surely a review.
        scale: the factor; below 1 it makes probabilities more cautious.

    """
    ngrams = keras.Input(wide.input_shape[1:], dtype="int32", name="ngrams")
    weight, part = scale * (1 - share), scale / len(readers)
    if gate is None:
        constant = {wide: weight} | dict.fromkeys(readers, scale * share / len(readers))
        weighted = [
            layers.Rescaling(by, name=f"{of.name}_weighted")(_logits_of(of)(ngrams))
            for of, by in constant.items()
        ]
        return _answering(ngrams, layers.Add(name="logits")(weighted))
    origin = keras.Model(gate.inputs, gate.output, name="gate")(ngrams)
    in_review = part - weight / len(readers)
    shares = {wide: (0, weight, 0)} | dict.fromkeys(readers, (part, in_review, part))
    weighted = [
        layers.Multiply(name=f"{of.name}_weighted")(
            [_logits_of(of)(ngrams), _linear(origin, each, name=f"{of.name}_share")]
        )
        for of, each in shares.items()
    ]
    judging = _linear(origin, (0, 0, -1 / NEUTRAL), offset=1, activation="relu", name="judging")
    mean = layers.Add(name="mean")(weighted)
    return _answering(ngrams, layers.Multiply(name="logits")([mean, judging]))


def _linear(
    of: keras.KerasTensor,
    weights: Sequence[float],
    offset: float = 0,
    activation: str | None = None,
    *,
    name: str,
) -> keras.KerasTensor:
    """Return a weighted sum of the origins of each text, of shape (N, 1)."""
    layer = layers.Dense(1, activation, trainable=False, name=name)
    found = layer(of)
    layer.set_weights([np.array(weights)[:, None], np.array([offset])])
    return found


def _answering(ngrams: keras.KerasTensor, logits: keras.KerasTensor) -> keras.Model:
    probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model(ngrams, probabilities, name="sentiment_hybrid")


def _logits_of(part: keras.Model) -> keras.Model:
    return keras.Model(part.inputs, part.get_layer("logits").output, name=part.name)
