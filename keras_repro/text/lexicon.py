"""The words and patterns that sentences are composed of."""

import re
from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from keras_repro.core.params import Section, validated

Side = Literal["negative", "positive"]
SIDES: tuple[Side, Side] = ("negative", "positive")  # by label
NEUTRAL = len(SIDES)  # the label of a sentence of neither
# In patterns of neutral sentences a name in braces stands for a part; this one, for a noun.
NOUN = "noun"
PART = re.compile(r"\{(\w+)\}")


def _split(value: Any) -> Any:
    return tuple(value.split()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_split), Field(min_length=1, strict=False)]


class Sides(Section):
    """Words or patterns of praise and of complaint."""

    positive: Words
    negative: Words

    def of(self, side: Side) -> Sequence[str]:
        """Return those of one side."""
        return self.positive if side == "positive" else self.negative


class Topic(Sides):
    """What is judged, and how; of the negative words many are bad in too great a measure alone."""

    nouns: Words


class Patterns(Section):
    """What becomes a clause when a word takes the place of {}, by the side of the clause.

    Attributes:
        same: of words of that side.
        turned: of words of the other side.
        twice: of words of that side, negated twice.

    """

    same: Sides
    turned: Sides
    twice: Sides | None = None


class Vocabulary(Sides, Patterns):
    """Words with patterns of their own.

    Attributes:
        about: what may take the place of {about}.

    """

    about: Words = ("",)


class Neutral(Section):
    """What says nothing that is judged.

    Attributes:
        patterns: of whole sentences, with names of parts in braces.
        ends: what may end one.
        parts: what may stand for each name, with names in turn; {noun} is one of all topics.

    """

    patterns: Words
    ends: Words
    parts: dict[str, Words]

    @model_validator(mode="after")
    def _has_all_parts(self) -> Self:
        named = {name: set(PART.findall(" ".join(words))) for name, words in self.parts.items()}
        every = set(PART.findall(" ".join(self.patterns))).union(*named.values())
        if lacking := every - named.keys() - {NOUN}:
            raise ValueError(f"expected a part for each name, found none for {min(lacking)}")
        try:
            TopologicalSorter(named).prepare()
        except CycleError as error:
            raise ValueError(f"expected no part within itself, found {error.args[1][0]}") from None
        return self


class Lexicon(Section):
    """What sentences are made of.

    Attributes:
        topics: each with the words that suit it.
        anything: words that suit all topics.
        quality: patterns of both.
        subjects: may stand before a noun.
        people: may stand before a feeling.
        said: whole sentences, as the next two.
        changed: what is said of something that was otherwise before.
        same: patterns of two clauses, {a} and {b}, that say the same.
        opposite: patterns of two clauses of which the second decides.
        around: what may stand around a sentence.
        ends: what may end it.
        neutral: sentences of neither side.

    """

    topics: Annotated[tuple[Topic, ...], Field(min_length=1, strict=False)]
    anything: Sides
    quality: Patterns
    feeling: Vocabulary
    liking: Vocabulary
    having: Vocabulary
    fault: Vocabulary
    subjects: Words
    people: Words
    said: Sides
    idioms: Sides
    slang: Sides
    emoji: Sides
    changed: Sides
    same: Words
    opposite: Words
    around: Words
    ends: Words
    neutral: Neutral

    def wholes(self) -> list[str]:
        """Return what can stand for a whole sentence."""
        kinds = (self.said, self.idioms, self.slang, self.emoji)
        return [word for kind in kinds for side in SIDES for word in kind.of(side)]


def read(path: Path) -> Lexicon:
    """Return the lexicon of a file.

    Raises:
        ReproError: the file is missing, or a key is missing, unknown or mistyped.

    """
    return validated(Lexicon, path)
