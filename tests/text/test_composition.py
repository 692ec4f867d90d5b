"""Sentences that are made: what turns a word round, and that nothing else is learnt by heart."""

import re
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, Project

from keras_repro.core import params, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Compose
from keras_repro.evaluation import behaviour
from keras_repro.text import characters, composition, ngrams, ragged, segmentation
from keras_repro.text import lexicon as lexicon_of
from keras_repro.text.lexicon import NEUTRAL, SIDES, Lexicon
from stages import ngrams as stage

SETTINGS = params.load(ROOT / "params.yaml")
SPELLING = SETTINGS.prepare
WORDS = {"positive": "好", "negative": "坏"}
PATTERNS = {
    "same": {"positive": "很{}", "negative": "很{}"},
    "turned": {"positive": "不{}", "negative": "不{}"},
}
CONTENT = {
    "topics": [{"nouns": "书", **WORDS}],
    "anything": WORDS,
    "quality": PATTERNS | {"twice": {"positive": "没有不{}的", "negative": "没有不{}的"}},
    **dict.fromkeys(("feeling", "liking", "having", "fault"), PATTERNS | WORDS),
    "subjects": "那本",
    "people": "我",
    **dict.fromkeys(("said", "idioms", "slang", "changed"), WORDS),
    "emoji": {"positive": "👍", "negative": "👎"},
    "same": "{a}而且{b}",
    "opposite": "虽然{a}但是{b}",
    "around": "总之{}",
    "ends": "。",
    "neutral": {
        "patterns": "{ask} {fact}，{ask}",
        "ends": "？",
        "parts": {
            "ask": "在{place}吗",
            "fact": "{noun}在{place}",
            "place": "{floor}楼 门口",
            "floor": "二 三",
        },
    },
}
# What the neutral sentences of the lexicon above are made of.
OF_NEITHER = re.compile(r"(那本)?书?在(二楼|三楼|门口)吗?")


def compose(**changes: object) -> Compose:
    settings = {"lexicon": Path("lexicon.yaml"), "per_review": 2, "most": 100, "min_count": 1}
    return Compose(**settings | {"neutral": 0} | changes)


@pytest.fixture
def lexicon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lexicon:
    monkeypatch.chdir(tmp_path)
    found = Lexicon(**CONTENT)
    monkeypatch.setattr(composition, "read", lambda _: found)
    return found


def verdict(clause: str) -> str:
    """Return what a clause of the lexicon above says, by its rules alone."""
    positive = "好" in clause
    if "没有不" not in clause and "不" in clause:
        positive = not positive
    return SIDES[positive]


def test_each_sentence_says_what_its_label_says(lexicon: Lexicon) -> None:
    composer = composition.Composer(lexicon, np.random.default_rng(0))
    seen = {"negated": 0, "twice": 0, "opposite": 0, "beside": 0}
    for number in range(3000):
        side = SIDES[number % 2]
        made = composer.sentence(side)
        assert {"positive": "👎", "negative": "👍"}[side] not in made
        seen["beside"] += OF_NEITHER.search(made) is not None
        parts = OF_NEITHER.sub("", made.rstrip("👍👎")).split("，")
        made = "，".join(part for part in parts if set(part) & set("好坏"))
        if not made:
            continue
        clauses = made.replace("但是", "而且").split("而且")
        assert verdict(clauses[-1].split("，")[-1]) == side, made
        if "但是" in made and "，" not in made:
            assert verdict(clauses[0]) != side, made
            seen["opposite"] += 1
        seen["negated"] += "不" in made
        seen["twice"] += "没有不" in made
    assert min(seen.values()) > 50


def test_so_many_without_repetition_and_the_same_again(lexicon: Lexicon) -> None:
    del lexicon
    left_out = {"书很好"}
    made, labels = composition.sentences(compose(), 40, SPELLING, 1, left_out)
    assert len(made) == len(set(made)) == len(labels) == 80
    assert left_out.isdisjoint(made)
    again, _ = composition.sentences(compose(), 40, SPELLING, 1, left_out)
    other, _ = composition.sentences(compose(), 40, SPELLING, 2, left_out)
    assert made == again
    assert made != other
    few, _ = composition.sentences(compose(most=3), 40, SPELLING, 1, left_out)
    assert few == made[:3]


def test_a_neutral_sentence_has_no_word_of_either_side(lexicon: Lexicon) -> None:
    composer = composition.Composer(lexicon, np.random.default_rng(0))
    made = {composer.neutral() for _ in range(300)}
    assert not any(set(text) & set("好坏👍👎{}") for text in made)
    assert {"在二楼吗", "在三楼吗？", "书在门口，在二楼吗", "那本书在三楼，在门口吗"} <= made


def test_neutral_ones_are_more_and_change_no_other(lexicon: Lexicon) -> None:
    del lexicon
    before, _ = composition.sentences(compose(), 20, SPELLING, 1, set())
    made, labels = composition.sentences(compose(neutral=0.2), 20, SPELLING, 1, {"在二楼吗"})
    assert made[:40] == before
    assert "在二楼吗" not in made
    assert np.bincount(labels, minlength=3)[NEUTRAL] == 8
    assert set(labels[40:]) == {NEUTRAL}


def test_none_without_a_lexicon() -> None:
    made, labels = composition.sentences(compose(lexicon=None), 40, SPELLING, 1, set())
    assert (made, labels.tolist()) == ([], [])


def test_too_few_words_for_so_many(lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch) -> None:
    del lexicon
    monkeypatch.setattr(composition, "TRIES", 1)
    with pytest.raises(ReproError, match=r"lexicon.yaml: has words for .* expected 5,000 "):
        composition.sentences(compose(most=5000), 2500, SPELLING, 1, set())


def test_faults_of_a_lexicon(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.yaml"
    path.write_text("topics: []\nsubjects: 5\n", "utf-8")
    with pytest.raises(ReproError) as caught:
        lexicon_of.read(path)
    told = str(caught.value)
    assert f"{path}: topics is []; expected at least one item" in told
    assert f"{path}: said is missing" in told


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"a": "{b}"}, "found none for b"),
        ({"a": "{b} {noun}", "b": "去{a}"}, "expected no part within itself"),
    ],
)
def test_parts_of_neutral_sentences_that_have_no_end(parts: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        lexicon_of.Neutral(patterns="{a}", ends="。", parts=parts)


def test_the_lexicon_of_the_project() -> None:
    lexicon = lexicon_of.read(ROOT / "data/composition.yaml")
    for side in SIDES:
        for patterns in (lexicon.quality, lexicon.feeling, lexicon.liking, lexicon.having):
            for kind in (patterns.same, patterns.turned):
                assert all("{}" in pattern for pattern in kind.of(side))
    for pattern in (*lexicon.same, *lexicon.opposite):
        assert "{a}" in pattern
        assert pattern.count("{b}") == 1
    words = [set(lexicon.said.of(side)) for side in SIDES]
    assert words[0].isdisjoint(words[1])
    composer = composition.Composer(lexicon, np.random.default_rng(0))
    made = [composer.neutral() for _ in range(3000)]
    assert not any("{" in text for text in made)
    assert len(set(made)) > 2500


def test_the_stage_keeps_what_it_makes(small_run: Project) -> None:
    made = ragged.read(ragged.COMPOSED, small_run.root / paths.NGRAMS)
    negative, positive, neutral = np.bincount(made.labels)
    assert (negative + positive, neutral) == (300, 90)
    assert min(negative, positive) > 100


def test_what_judges_behaviour_is_not_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    fewer = SETTINGS.compose.model_copy(update={"most": 200, "neutral": 0.5})
    settings = SETTINGS.model_copy(update={"compose": fewer})
    segmenter = segmentation.Segmenter(characters.cutting("jieba", ()))

    def made() -> set[str]:
        _, lengths, found = stage.composed(settings, segmenter, 1000)
        points = np.split(found % ngrams.CODE_POINTS, np.cumsum(lengths)[:-1])
        return {"".join(map(chr, text)) for text in points}

    before = made()
    asked = sorted(before)[:50]
    # As people type them: in another spelling than that in which they are learnt.
    monkeypatch.setattr(behaviour, "texts", lambda *_: [f" {text}\u3000" for text in asked])
    after = made()
    assert len(before) == len(after) == 300
    assert after.isdisjoint(asked)
    assert after & before
