"""Many to many, aligned: a tag for each character, from what stands on both sides of it.

Bidirectional LSTMs lie on each other as in the tutorial's part on wrappers. The pairs that a
character makes with its neighbours are embedded too (Chen et al., 2015, Long Short-Term Memory
Neural Networks for Chinese Word Segmentation).
"""

import keras
from keras import layers

from keras_repro.core.params import ManyToMany
from keras_repro.inputs import SequenceInputs
from keras_repro.text.terms import TAGS

DATASET = "words"


def build(params: ManyToMany, inputs: SequenceInputs) -> keras.Model:
    """Return a model from ids (N, length) to the probabilities of tags (N, length, 4)."""
    sizes = inputs.vocabularies
    characters, before, after = (
        keras.Input((None,), dtype="int32", name=name)
        for name in ("characters", "pairs_before", "pairs_after")
    )
    single = layers.Embedding(
        sizes["characters"], params.embedding, mask_zero=True, name="embedding"
    )(characters)
    pairs = layers.Embedding(
        sizes["pairs"], params.pair_embedding, mask_zero=True, name="pair_embedding"
    )
    sentence = layers.Concatenate(name="features")([single, pairs(before), pairs(after)])
    sentence = layers.Dropout(params.dropout, name="dropout")(sentence)
    for number, units in enumerate(params.units, start=1):
        lstm = layers.LSTM(units, return_sequences=True, name=f"lstm_{number}")
        sentence = layers.Bidirectional(lstm, name=f"bilstm_{number}")(sentence)
    logits = layers.Dense(len(TAGS), name="logits")(sentence)
    # Softmax would take the mask of the padding for one of classes.
    probabilities = layers.Activation("softmax", name="probabilities")(logits)
    return keras.Model(
        {"characters": characters, "pairs_before": before, "pairs_after": after},
        probabilities,
        name="seq2seq_many_to_many",
    )
