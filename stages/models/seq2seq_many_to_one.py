"""Many to one: the next character from those before, of which an LSTM keeps what matters."""

import keras
from keras import layers

from stages.models import SequenceInputs
from stages.params import ManyToOne

DATASET = "text"


def build(params: ManyToOne, inputs: SequenceInputs) -> keras.Model:
    """Return a model from ids (N, context) to the next one's probabilities (N, characters)."""
    size = inputs.vocabularies["characters"]
    characters = keras.Input((params.context,), dtype="int32", name="characters")
    before = layers.Embedding(size, params.embedding, name="embedding")(characters)
    before = layers.LSTM(params.units, name="lstm")(before)
    before = layers.Dropout(params.dropout, name="dropout")(before)
    logits = layers.Dense(size, name="logits")(before)
    probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model({"characters": characters}, probabilities, name="seq2seq_many_to_one")
