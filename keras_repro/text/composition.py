"""Sentences with a known sentiment, made of words by rules of degree, negation and contrast.

A review of many words says its sentiment many times. A lone sentence says it once, and one function
word may turn it round: 太好了, 不太好, 虽然好，但是贵. Few training reviews are that short, so a
model learns what these words do from sentences that are made here.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Compose, Section, Spelling, validated
from keras_repro.text.normalisation import spelt

# Of clauses: how many turn words of the other side round, and how many negate twice.
TURNED, TWICE = 0.36, 0.1
# The shares of what a sentence can be. Pairs are many, as in most the last clause decides.
SENTENCES = {
    "clause": 0.32,
    "bare": 0.08,
    "whole": 0.12,
    "opposite": 0.28,
    "same": 0.14,
    "three": 0.03,
    "emoji": 0.03,
}
# The shares of what a clause can say.
CLAUSES = {
    "quality": 0.58,
    "feeling": 0.08,
    "liking": 0.07,
    "having": 0.1,
    "fault": 0.07,
    "whole": 0.1,
}
WHOLES = {"said": 0.5, "idioms": 0.28, "slang": 0.22}
# A word that begins with one of these is not negated again: 不不方便.
NEGATING = "不没"
# Attempts for each sentence; with the lexicon of the project one in eight was made before.
TRIES = 20

Side = Literal["negative", "positive"]
SIDES: tuple[Side, Side] = ("negative", "positive")  # by label


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

    def wholes(self) -> list[str]:
        """Return what can stand for a whole sentence."""
        kinds = (self.said, self.idioms, self.slang, self.emoji)
        return [word for kind in kinds for side in SIDES for word in kind.of(side)]


class Composer:
    """Makes sentences.

    Args:
        lexicon: of what.
        random: decides.

    """

    def __init__(self, lexicon: Lexicon, random: np.random.Generator) -> None:
        self._lexicon, self._random = lexicon, random

    def sentence(self, side: Side) -> str:
        """Return one, without regard to those before."""
        lexicon = self._lexicon
        match self._kind(SENTENCES):
            case "emoji":
                return self._emoji(side)
            case "bare":
                return self._judged(side, self._topic())
            case "clause":
                made = self._clause(side)
            case "whole":
                made = self._whole(side)
            case "opposite":
                made = self._pair(_other(side), side, lexicon.opposite)
            case "same":
                made = self._pair(side, side, lexicon.same)
            case _:
                made = f"{self._pair(side, side, lexicon.same)}，{self._clause(side)}"
        if self._chance(0.3):
            made = self._one(lexicon.around).replace("{}", made)
        if self._chance(0.7):
            made += self._one(lexicon.ends)
        return made + self._emoji(side) if self._chance(0.08) else made

    def _clause(self, side: Side) -> str:
        lexicon = self._lexicon
        match self._kind(CLAUSES):
            case "quality":
                return self._quality(side)
            case "feeling":
                who = self._one(lexicon.people) if self._chance(0.75) else ""
                return who + self._said(lexicon.feeling, side, lexicon.feeling)
            case "liking":
                return self._said(lexicon.liking, side, lexicon.liking)
            case "whole":
                return self._whole(side)
            case kind:
                words: Vocabulary = getattr(lexicon, kind)
                noun = self._noun(self._topic()) if self._chance(0.6) else ""
                return noun + self._said(words, side, words)

    def _quality(self, side: Side) -> str:
        topic = self._topic()
        noun = self._noun(topic) if self._chance(0.9) else ""
        return noun + self._judged(side, topic)

    def _judged(self, side: Side, topic: Topic) -> str:
        """Return what is said of a topic."""
        words = self._lexicon.anything if self._chance(0.2) else topic
        return self._said(self._lexicon.quality, side, words)

    def _said(self, patterns: Patterns, side: Side, words: Sides) -> str:
        """Return a pattern with its word."""
        draw = self._random.random()
        if draw < TURNED:
            pattern, found = self._one(patterns.turned.of(side)), words.of(_other(side))
        elif patterns.twice and draw < TURNED + TWICE:
            pattern, found = self._one(patterns.twice.of(side)), words.of(side)
        else:
            pattern, found = self._one(patterns.same.of(side)), words.of(side)
        if any(f"{no}{{}}" in pattern for no in ("不", "没", "没有")):
            found = [word for word in found if word[0] not in NEGATING] or found
        # The first are the commonest: the first of 20 is drawn 2.7 times as often as by turns.
        word = found[int(len(found) * self._random.random() ** 1.5)]
        if isinstance(patterns, Vocabulary):
            about = self._one(patterns.about) if self._chance(0.6) else ""
            pattern = pattern.replace("{about}", about)
        return pattern.replace("{}", word)

    def _whole(self, side: Side) -> str:
        """Return what can be said without naming a topic."""
        lexicon = self._lexicon
        kind = self._kind(WHOLES)
        said: Sides = getattr(lexicon, kind)
        made = self._one(said.of(side))
        if kind == "idioms" and self._chance(0.5):
            between = self._one(("", "", "真是", "简直", "可谓", "实在", "堪称", "真的", "让人"))
            return self._noun(self._topic()) + between + made
        named = kind == "slang" and self._chance(0.15)
        return self._noun(self._topic()) + made if named else made

    def _pair(self, first: Side, second: Side, patterns: Sequence[str]) -> str:
        """Return two clauses: of two topics, or of one, whose name need not be said again."""
        pattern = self._one(patterns)
        if self._chance(0.55):
            before, after = self._clause(first), self._clause(second)
            return pattern.replace("{a}", before).replace("{b}", after)
        topic = self._topic()
        noun, before = self._noun(topic), self._judged(first, topic)
        if self._chance(0.15):
            after = self._one(self._lexicon.changed.of(second))
        else:
            after = self._judged(second, topic)
        match self._one(("each", "each", "first", "first", "before", "none")):
            case "each":
                return pattern.replace("{a}", noun + before).replace("{b}", noun + after)
            case "first":
                # 便宜是便宜: where a clause stands twice, its noun stands once.
                named = pattern.replace("{a}", noun + before, 1)
                return named.replace("{a}", before).replace("{b}", after)
            case "before":
                return noun + pattern.replace("{a}", before).replace("{b}", after)
            case _:
                return pattern.replace("{a}", before).replace("{b}", after)

    def _emoji(self, side: Side) -> str:
        return self._one(self._lexicon.emoji.of(side)) * int(self._random.integers(1, 4))

    def _topic(self) -> Topic:
        return self._lexicon.topics[int(self._random.integers(len(self._lexicon.topics)))]

    def _noun(self, topic: Topic) -> str:
        subject = self._one(self._lexicon.subjects) if self._chance(0.12) else ""
        return subject + self._one(topic.nouns)

    def _one(self, of: Sequence[str]) -> str:
        return of[int(self._random.integers(len(of)))]

    def _chance(self, share: float) -> bool:
        return bool(self._random.random() < share)

    def _kind(self, shares: dict[str, float]) -> str:
        ends = np.cumsum(list(shares.values()))
        return list(shares)[int(np.searchsorted(ends, self._random.random() * ends[-1]))]


def read(path: Path) -> Lexicon:
    """Return the lexicon of a file.

    Raises:
        ReproError: the file is missing, or a key is missing, unknown or mistyped.

    """
    return validated(Lexicon, path)


def sentences(
    settings: Compose, reviews: int, spelling: Spelling, seed: int, left_out: AbstractSet[str]
) -> tuple[list[str], np.ndarray]:
    """Return sentences, none of them twice, and their labels, uint8 of shape (N,).

    Args:
        settings: the section `compose` of params.yaml.
        reviews: of the training split.
        spelling: of the reviews.
        seed: of the random numbers.
        left_out: texts that must not be among them, in that spelling.

    Raises:
        ReproError: the lexicon has too few words for so many.

    """
    found: dict[str, int] = {}
    if settings.lexicon is None:
        return [], np.zeros(0, np.uint8)
    random = np.random.default_rng(seed)
    composer = Composer(read(settings.lexicon), random)
    wanted = min(settings.most, round(settings.per_review * reviews))
    for _ in range(TRIES * wanted):
        if len(found) == wanted:
            break
        label = int(random.integers(len(SIDES)))
        made = spelt(composer.sentence(SIDES[label]), spelling)
        if made not in left_out:
            found.setdefault(made, label)
    else:
        raise ReproError(
            f"{settings.lexicon}: has words for {len(found):,} different sentences; expected "
            f"{wanted:,} (compose in {paths.PARAMS}), or more words"
        )
    return list(found), np.array(list(found.values()), np.uint8)


def _other(side: Side) -> Side:
    return "negative" if side == "positive" else "positive"
