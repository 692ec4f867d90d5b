"""One to one: the next character from one character.

All that one character tells about the next is a row of a table; an embedding and a dense layer are
that table in two factors, as in Bengio et al. (2003) with a context of one.
"""

import keras
from keras import layers

from keras_repro.core.params import OneToOne
from keras_repro.inputs import SequenceInputs

DATASET = "text"


def build(params: OneToOne, inputs: SequenceInputs) -> keras.Model:
    """Return a model from ids (N, 1) to the next character's probabilities (N, characters)."""
    size = inputs.vocabularies["characters"]
    characters = keras.Input((params.context,), dtype="int32", name="characters")
    before = layers.Embedding(size, params.embedding, name="embedding")(characters)
    before = layers.Flatten(name="flatten")(before)
    before = layers.Dropout(params.dropout, name="dropout")(before)
    logits = layers.Dense(size, name="logits")(before)
    probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model({"characters": characters}, probabilities, name="seq2seq_one_to_one")
