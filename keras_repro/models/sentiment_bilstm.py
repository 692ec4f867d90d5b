"""The tutorial's bidirectional LSTM for the sentiment of reviews.

What differs from it: the output is a softmax (a relu under cross-entropy stops learning wherever it
is 0), the padding is masked (so a prediction does not depend on the batch it is made in), and whole
embedding channels are dropped in training (the corpus is a fortieth of the tutorial's).
"""

import keras
from keras import layers

from keras_repro.core.params import Bilstm
from keras_repro.inputs import WordInputs

DATASET = "reviews"
Settings = Bilstm


def build(params: Bilstm, inputs: WordInputs) -> keras.Model:
    """Return a model from token ids (N, length), 0 for padding, to probabilities (N, classes)."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    words = layers.Embedding(
        inputs.vocabulary_size, params.embedding, mask_zero=True, name="embedding"
    )(tokens)
    words = layers.SpatialDropout1D(params.embedding_dropout, name="embedding_dropout")(words)
    review = layers.Bidirectional(layers.LSTM(params.units, name="lstm"), name="bilstm")(words)
    review = layers.Dropout(params.dropout, name="dropout")(review)
    if params.output == "relu":  # the tutorial's, whose loss took this for probabilities
        logits = layers.Dense(inputs.classes, "relu", name="logits")(review)
        probabilities = layers.Activation("linear", name="probabilities")(logits)
    else:
        logits = layers.Dense(inputs.classes, name="logits")(review)
        probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model(tokens, probabilities, name="sentiment_bilstm")
