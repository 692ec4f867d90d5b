"""Sections of the models that classify images and reviews.

A module of `keras_repro.models` names its own as `Settings`: one of these, or one that it defines.
"""

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from keras_repro.core.params.section import Fraction, Layers, Rate, Section
from keras_repro.core.params.training import PerturbedTraining, Training

# What a part of sentiment_hybrid learns: the sentiment of reviews, or of these and of composed
# sentences, or whether a text is a review, such a sentence, or one that judges nothing.
Learns = Literal["reviews", "texts", "origin"]


class ImageTraining(Training):
    """The validation split is taken from the training images, which come without one."""

    validation_fraction: Fraction


class Mlp(ImageTraining):
    """A multi-layer perceptron with one hidden layer per number of units."""

    units: Layers


class Cnn(ImageTraining):
    """Convolution, pooling and dropout, once per number of filters, then a dense layer."""

    filters: Layers
    kernel_size: PositiveInt
    pool_size: PositiveInt
    block_dropout: Rate
    units: PositiveInt
    dropout: Rate


class Bilstm(PerturbedTraining):
    """An embedding, a bidirectional LSTM of `units` in each direction, a dense layer.

    `output: relu` repeats a fault of the tutorial, to see what it costs.
    """

    branches: ClassVar[int] = 2  # the directions

    embedding: PositiveInt
    units: PositiveInt
    embedding_dropout: Rate
    dropout: Rate
    output: Literal["softmax", "relu"] = "softmax"


class Wide(Training):
    """A weight per n-gram and class.

    Attributes:
        dropout: of the n-grams of a review.
        rate_factors: the learning rate is tried times each; the validation split chooses.

    """

    learns: ClassVar[Learns] = "reviews"

    dropout: Rate
    rate_factors: Annotated[tuple[PositiveFloat, ...], Field(min_length=1, strict=False)]

    def trials(self, batches: int) -> list[Self]:
        """Return the settings with each rate, however many batches an epoch has."""
        del batches
        rate = self.optimizer.learning_rate
        optimizers = [
            self.optimizer.model_copy(update={"learning_rate": rate * factor})
            for factor in self.rate_factors
        ]
        return [self.model_copy(update={"optimizer": optimizer}) for optimizer in optimizers]


class Gate(Training):
    """A weight per n-gram, as `Wide` has, that tells reviews, composed and neutral sentences apart.

    Attributes:
        dropout: of the n-grams of a text.

    """

    learns: ClassVar[Learns] = "origin"

    dropout: Rate

    def trials(self, batches: int) -> list[Self]:
        """Return these settings, however many batches an epoch has."""
        del batches
        return [self]


class Reader(PerturbedTraining):
    """Gated convolutions over the n-grams and words that end at each character.

    Attributes:
        embedding: numbers for an n-gram or a word.
        units: of each layer.
        dilations: of each layer, how far the characters that it sees at once stand apart.
        ngram_dropout: of the n-grams and words at each character.
        embedding_dropout: of the numbers of all characters of a review.
        dropout: of what the last layer has made of a review.
        beginning: characters of a review that it learns from; reviews are half of what it reads
            in training, and an answer to one is the wide part's for the most. Where no sentences
            are composed, it learns from whole reviews.
        batch_characters: of all texts of a batch together, padding included, at most.
        least_batches: that it learns from; a small corpus has more than `epochs` epochs for it.

    """

    learns: ClassVar[Learns] = "texts"

    embedding: PositiveInt
    units: PositiveInt
    dilations: Layers
    ngram_dropout: Rate
    embedding_dropout: Rate
    dropout: Rate
    beginning: PositiveInt
    batch_characters: PositiveInt
    least_batches: NonNegativeInt

    def trials(self, batches: int) -> list[Self]:
        """Return the settings with enough epochs of so many batches, the only ones."""
        epochs = max(self.epochs, math.ceil(self.least_batches / batches))
        return [self.model_copy(update={"epochs": epochs})]


class Hybrid(Section):
    """The parts of a model, each trained alone.

    Attributes:
        wide: trained first.
        gate: trained next.
        reader: trained last, as often as `readers` says, each time from other random numbers.
        readers: how many there are.
        shares: of the readers in an answer to a review; all that are tried.

    """

    branches: ClassVar[int] = 2  # the two convolutions of each of a reader's layers

    wide: Wide
    gate: Gate
    reader: Reader
    readers: PositiveInt
    shares: Annotated[
        tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=1, strict=False)
    ]

    @model_validator(mode="after")
    def _one_history(self) -> Self:
        of_parts = {part.metrics for part in (self.wide, self.gate, self.reader)}
        if len(of_parts) > 1:
            found = " and ".join(sorted(", ".join(metrics) for metrics in of_parts))
            raise ValueError(f"expected the same metrics for all parts, found {found}")
        return self
