"""Sentences with a known sentiment, made of words by rules of degree, negation and contrast.

A review of many words says its sentiment many times. A lone sentence says it once, and one function
word may turn it round: 太好了, 不太好, 虽然好，但是贵. Few training reviews are that short, so a
model learns what these words do from sentences that are made here.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Compose, Spelling
from keras_repro.text.lexicon import (
    NEUTRAL,
    NOUN,
    PART,
    SIDES,
    Lexicon,
    Patterns,
    Side,
    Sides,
    Topic,
    Vocabulary,
    read,
)
from keras_repro.text.normalisation import spelt

# Of clauses: how many turn words of the other side round, and how many negate twice.
TURNED, TWICE = 0.36, 0.1
# Of sentences that nothing else stands around: how many have a neutral one beside them.
BESIDE = 0.15
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
    "quality": 0.55,
    "feeling": 0.08,
    "liking": 0.07,
    "having": 0.13,
    "fault": 0.07,
    "whole": 0.1,
}
WHOLES = {"said": 0.5, "idioms": 0.28, "slang": 0.22}
# A word that begins with one of these is not negated again: 不不方便.
NEGATING = "不没"
# Attempts for each sentence; with the lexicon of the project one in eight was made before.
TRIES = 20


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
        elif self._chance(BESIDE):
            neutral = self._filled(self._one(lexicon.neutral.patterns))
            made = f"{neutral}，{made}" if self._chance(0.7) else f"{made}，{neutral}"
        if self._chance(0.7):
            made += self._one(lexicon.ends)
        return made + self._emoji(side) if self._chance(0.08) else made

    def neutral(self) -> str:
        """Return a sentence of neither side."""
        neutral = self._lexicon.neutral
        made = self._filled(self._one(neutral.patterns))
        return made + self._one(neutral.ends) if self._chance(0.5) else made

    def _filled(self, pattern: str) -> str:
        """Return a neutral pattern with its parts."""
        while found := PART.search(pattern):
            name = found[1]
            words = self._lexicon.neutral.parts
            part = self._noun(self._topic()) if name == NOUN else self._one(words[name])
            pattern = pattern.replace(found[0], part, 1)
        return pattern

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


def sentences(
    settings: Compose, reviews: int, spelling: Spelling, seed: int, left_out: AbstractSet[str]
) -> tuple[list[str], np.ndarray]:
    """Return sentences, none of them twice, and their labels, uint8 of shape (N,).

    Those that judge come first.

    Args:
        settings: the section `compose` of params.yaml.
        reviews: of the training split.
        spelling: of the reviews.
        seed: of the random numbers.
        left_out: texts that must not be among them, in that spelling.

    Raises:
        ReproError: the lexicon has too few words for so many.

    """
    if settings.lexicon is None:
        return [], np.zeros(0, np.uint8)
    lexicon, random = read(settings.lexicon), np.random.default_rng(seed)
    judging, neutral = Composer(lexicon, random), Composer(lexicon, np.random.default_rng(seed))
    wanted = min(settings.most, round(settings.per_review * reviews))

    def judged() -> tuple[str, int]:
        label = int(random.integers(len(SIDES)))
        return judging.sentence(SIDES[label]), label

    found: dict[str, int] = {}
    for make, more in (
        (judged, wanted),
        (lambda: (neutral.neutral(), NEUTRAL), round(settings.neutral * wanted)),
    ):
        expected = len(found) + more
        for _ in range(TRIES * more):
            if len(found) == expected:
                break
            text, label = make()
            if (made := spelt(text, spelling)) not in left_out:
                found.setdefault(made, label)
        if len(found) < expected:
            raise ReproError(
                f"{settings.lexicon}: has words for {len(found):,} different sentences; expected "
                f"{expected:,} (compose in {paths.PARAMS}), or more words"
            )
    return list(found), np.array(list(found.values()), np.uint8)


def _other(side: Side) -> Side:
    return "negative" if side == "positive" else "positive"
