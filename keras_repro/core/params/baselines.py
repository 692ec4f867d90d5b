"""What one would use for Chinese sentiment without this project."""

from typing import Annotated, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from keras_repro.core.params.section import Section

Tried = Annotated[tuple[PositiveFloat, ...], Field(min_length=1, strict=False)]
TriedEpochs = Annotated[tuple[PositiveInt, ...], Field(min_length=1, strict=False)]


class SnownlpBaseline(Section):
    """The naive Bayes of SnowNLP, retrained; it has no parameters."""


class FasttextBaseline(Section):
    """fastText over words and their n-grams.

    Attributes:
        dimensions: of a word's vector.
        word_ngrams: the longest n-gram of words.
        learning_rate: at the beginning; it falls to 0.
        epochs: all that are tried.
        buckets: that the n-grams of words share; each has as many numbers as a word.

    """

    dimensions: PositiveInt
    word_ngrams: PositiveInt
    learning_rate: PositiveFloat
    epochs: TriedEpochs
    buckets: PositiveInt = 2_000_000


class TfidfBaseline(Section):
    """TF-IDF of n-grams and a linear support vector machine.

    Attributes:
        ngrams: the shortest and the longest, of words or of characters.
        min_count: in how many reviews an n-gram must be.
        c: how much an error costs; all that are tried.

    """

    ngrams: Annotated[tuple[PositiveInt, PositiveInt], Field(strict=False)]
    min_count: PositiveInt
    c: Tried

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.ngrams[0] > self.ngrams[1]:
            raise ValueError(f"expected ngrams with the shortest first, found {list(self.ngrams)}")
        return self


class Baselines(Section):
    """One section per baseline, named as the item of the stage `baseline`."""

    snownlp: SnownlpBaseline
    fasttext: FasttextBaseline
    tfidf_word: TfidfBaseline
    tfidf_char: TfidfBaseline
