"""The sequence models and what they learn from."""

from typing import ClassVar, Literal, Self

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from keras_repro.core.params.section import Fraction, Layers, Rate, Section
from keras_repro.core.params.training import Training


class SequenceData(Section):
    """What the sequence models learn from and what is held out.

    Attributes:
        test_fraction: of the lines of People's Daily, the last; of the words with readings, those
            that a hash of the word picks.
        validation_fraction: of what is left, likewise.
        min_count: characters, and pairs of them, seen less often in training are unknown.
        review_length: characters kept of a review.

    """

    test_fraction: Fraction
    validation_fraction: Fraction
    min_count: PositiveInt
    review_length: PositiveInt


class SequenceTraining(Training):
    """What every sequence model has."""

    loss: Literal["sparse_categorical_crossentropy"] = "sparse_categorical_crossentropy"
    embedding: PositiveInt
    dropout: Rate


class OneToOne(SequenceTraining):
    """An embedding and a dense layer; a row of a batch is a character with all that follow it."""

    context: ClassVar[int] = 1


class SampledTraining(SequenceTraining):
    """What those have that learn from single sequences.

    Attributes:
        samples: how many sequences an epoch draws at most; None takes all.

    """

    samples: PositiveInt | None


class ManyToOne(SampledTraining):
    """An LSTM of `embedding` units over the `context` characters before.

    Attributes:
        context: how many characters are read.
        begins_with: the model whose embedding and last layer it begins its training with; null
            begins with random weights.

    """

    context: PositiveInt
    begins_with: Literal["seq2seq_one_to_one"] | None


class OneToMany(SampledTraining):
    """An LSTM that adds one character after the other to what a label began.

    Attributes:
        units: of the LSTM.
        reviews: how many are generated to be judged.
        temperature: divides the logits before one is drawn; 1 draws from the model's own
            distribution, less prefers the likely.
        guidance: how much more a character counts that the label makes likelier; 0 not at all.

    """

    units: PositiveInt
    reviews: PositiveInt
    temperature: PositiveFloat
    guidance: NonNegativeFloat


class ManyToMany(SampledTraining):
    """Bidirectional LSTMs, one on the other, each with its number of units per direction."""

    branches: ClassVar[int] = 2  # the directions

    pair_embedding: PositiveInt
    units: Layers


class EncoderDecoder(SampledTraining):
    """A bidirectional LSTM reads, an LSTM of twice the units writes and attends to what was read.

    Attributes:
        units: of each direction of the encoder.
        max_length: tokens that are written at most.

    """

    branches: ClassVar[int] = 2  # the directions of the encoder

    units: PositiveInt
    max_length: PositiveInt


class Seq2seq(Section):
    """The sequence models, one section per model, named as its module in keras_repro/models/."""

    data: SequenceData
    seq2seq_one_to_one: OneToOne
    seq2seq_many_to_one: ManyToOne
    seq2seq_one_to_many: OneToMany
    seq2seq_many_to_many: ManyToMany
    seq2seq_encoder_decoder: EncoderDecoder

    @model_validator(mode="after")
    def _same_embedding(self) -> Self:
        before, after = self.seq2seq_one_to_one, self.seq2seq_many_to_one
        if after.begins_with and after.embedding != before.embedding:
            raise ValueError(
                f"expected seq2seq_many_to_one.embedding to be {before.embedding}, as in "
                f"seq2seq_one_to_one with which it begins, found {after.embedding}"
            )
        return self
