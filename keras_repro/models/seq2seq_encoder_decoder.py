"""Many to many, not aligned: an encoder reads a word, a decoder writes its pinyin.

The decoder attends to what the encoder made of each character (Luong et al., 2015) and gets the
character's embedding beside it, so that a reading which no context changes need not pass the LSTMs.
"""

import keras
from keras import layers

from keras_repro.core.params import EncoderDecoder
from keras_repro.inputs import SequenceInputs

DATASET = "readings"


def build(params: EncoderDecoder, inputs: SequenceInputs) -> keras.Model:
    """Return a model from a word (N, length) and what is written (N, steps) to what comes next.

    Its probabilities are of shape (N, steps, syllables).
    """
    sizes = inputs.vocabularies
    characters = keras.Input((None,), dtype="int32", name="characters")
    written = keras.Input((None,), dtype="int32", name="written")

    single = layers.Embedding(
        sizes["characters"], params.embedding, mask_zero=True, name="embedding"
    )(characters)
    single = layers.Dropout(params.dropout, name="dropout")(single)
    lstm = layers.LSTM(params.units, return_sequences=True, return_state=True, name="encoder_lstm")
    read, *states = layers.Bidirectional(lstm, name="encoder")(single)
    memory = layers.Concatenate(name="memory")([read, single])
    # Those of both directions: hidden and cell state, forward and backward.
    start = [
        layers.Concatenate(name="hidden_state")(states[0::2]),
        layers.Concatenate(name="cell_state")(states[1::2]),
    ]

    said = layers.Embedding(sizes["syllables"], params.embedding, name="written_embedding")(written)
    said = layers.LSTM(2 * params.units, return_sequences=True, name="decoder")(
        said, initial_state=start
    )
    attended = layers.Attention(name="attention")([said, memory, read])
    both = layers.Concatenate(name="said_and_attended")([said, attended])
    both = layers.Dropout(params.dropout, name="output_dropout")(both)
    logits = layers.Dense(sizes["syllables"], name="logits")(both)
    probabilities = layers.Softmax(name="probabilities")(logits)
    return keras.Model(
        {"characters": characters, "written": written},
        probabilities,
        name="seq2seq_encoder_decoder",
    )
