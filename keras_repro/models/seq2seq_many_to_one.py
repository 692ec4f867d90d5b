"""Many to one: the next character from those before, of which an LSTM keeps what matters.

What the LSTM makes of all is added to the embedding of the last one, so that the network with an
LSTM of zeros is `seq2seq_one_to_one`; with that one's weights it may begin.
"""

import keras
from keras import layers

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import ManyToOne
from keras_repro.inputs import SequenceInputs

DATASET = "text"


def build(params: ManyToOne, inputs: SequenceInputs) -> keras.Model:
    """Return a model from ids (N, context) to the next one's probabilities (N, characters)."""
    size = inputs.vocabularies["characters"]
    characters = keras.Input((params.context,), dtype="int32", name="characters")
    before = layers.Embedding(size, params.embedding, name="embedding")(characters)
    last = layers.Cropping1D((params.context - 1, 0), name="last")(before)
    last = layers.Flatten(name="flatten")(last)
    read = layers.LSTM(params.embedding, name="lstm")(before)
    both = layers.Add(name="sum")([last, read])
    both = layers.Dropout(params.dropout, name="dropout")(both)
    logits = layers.Dense(size, name="logits")(both)
    probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model({"characters": characters}, probabilities, name="seq2seq_many_to_one")


def begin_with(model: keras.Model, trained: keras.Model) -> None:
    """Give a model the embedding and the last layer of `seq2seq_one_to_one`.

    Raises:
        ReproError: that one was trained with other characters or another embedding.

    """
    for name in ("embedding", "logits"):
        given, own = trained.get_layer(name).get_weights(), model.get_layer(name)
        found, expected = given[0].shape, own.get_weights()[0].shape
        if found != expected:
            raise ReproError(
                f"{paths.model('seq2seq_one_to_one')}: weights of shape {found} in {name}; "
                f"expected {expected} (train it again)"
            )
        own.set_weights(given)
