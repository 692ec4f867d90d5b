"""One to many: a label in, a review out, character by character.

In training the LSTM reads the review's own characters, each one step late; afterwards it reads what
it has written itself (`sequences.decoding`). The label is added to every character, because an LSTM
that hears it once forgets it within a sentence.
"""

import keras
from keras import layers

from keras_repro.core.params import OneToMany
from keras_repro.inputs import SequenceInputs

DATASET = "opinions"


def build(params: OneToMany, inputs: SequenceInputs) -> keras.Model:
    """Return a model from a label (N, 1) and what is written (N, length) to what comes next.

    Its probabilities are of shape (N, length, characters).
    """
    size = inputs.vocabularies["characters"]
    label = keras.Input((1,), dtype="int32", name="label")
    written = keras.Input((None,), dtype="int32", name="written")
    meant = layers.Embedding(
        inputs.vocabularies["labels"], params.embedding, name="label_embedding"
    )(label)
    said = layers.Embedding(size, params.embedding, name="embedding")(written)
    said = layers.Add(name="sum")([said, meant])
    said = layers.LSTM(params.units, return_sequences=True, name="lstm")(said)
    said = layers.Dropout(params.dropout, name="dropout")(said)
    logits = layers.Dense(size, name="logits")(said)
    probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model(
        {"label": label, "written": written}, probabilities, name="seq2seq_one_to_many"
    )
