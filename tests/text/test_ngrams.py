"""N-grams and words have the ids that plain Python would give them, in their places."""

from collections import Counter
from itertools import chain

import jieba
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import FIXTURES, Project
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Ngrams
from keras_repro.evaluation import behaviour
from keras_repro.text import (
    characters,
    composition,
    ngrams,
    normalisation,
    ragged,
    segmentation,
)
from keras_repro.text.terms import SEGMENTED_SOURCE, UNKNOWN
from keras_repro.text.vocabulary import FIRST_ID

TEXTS = (FIXTURES / "pos.txt").read_text("utf-8").split()[:200]


def chosen(**changes: int | None) -> Ngrams:
    defaults = {"longest": 4, "min_count": 1, "max_ngrams": None, "max_length": 300}
    return Ngrams.model_validate(defaults | changes)


Text = list[list[int]]  # words of characters, which are numbers


def flat(texts: list[Text]) -> tuple[np.ndarray, np.ndarray]:
    """Return texts as `ngrams.numbers` has them, and their offsets."""
    rows = [
        [
            number | (is_last and len(word) <= 4 and len(word)) << 16
            for number, is_last in ended(word)
        ]
        for text in texts
        for word in text
    ]
    lengths = [sum(map(len, text)) for text in texts]
    return np.array([token for row in rows for token in row], np.int32), np.cumsum([0, *lengths])


def ended(word: list[int]) -> list[tuple[int, bool]]:
    return [(number, place == len(word)) for place, number in enumerate(word, start=1)]


def key(numbers: tuple[int, ...]) -> int:
    result = 0
    for number in numbers:
        result = result << 16 | number
    return result


def counted(texts: list[Text], longest: int) -> tuple[Counter[int], Counter[int]]:
    """Return in how many texts each n-gram of known characters is, and each word of them."""
    counts: Counter[int] = Counter()
    words: Counter[int] = Counter()
    for text in texts:
        letters = list(chain.from_iterable(text))
        windows = (
            tuple(letters[start : start + size])
            for size in range(1, longest + 1)
            for start in range(len(letters) - size + 1)
        )
        counts.update({key(window) for window in windows if min(window) >= FIRST_ID})
        known = (tuple(word) for word in text if len(word) <= 4 and min(word) >= FIRST_ID)
        words.update({key(word) for word in known})
    return counts, words


def frequent(counts: Counter[int], min_count: int) -> dict[int, int]:
    return {k: n for k, n in sorted(counts.items()) if n >= min_count}


# Few characters, so that many n-grams repeat; 1 is the unknown one.
letter = st.sampled_from([1, 2, 3, 4, 0xFFFF])
encoded = st.lists(
    st.lists(st.lists(letter, min_size=1, max_size=5), min_size=1, max_size=5),
    min_size=1,
    max_size=9,
)


@given(texts=encoded, longest=st.integers(1, 4), min_count=st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_counts_are_those_of_plain_python(texts: list[Text], longest: int, min_count: int) -> None:
    expected, words = (frequent(counts, min_count) for counts in counted(texts, longest))
    if not expected:
        with pytest.raises(ReproError, match=f"min_count {min_count} leaves no n-gram of "):
            ngrams.count(*flat(texts), chosen(longest=longest, min_count=min_count))
        return
    census = ngrams.count(*flat(texts), chosen(longest=longest, min_count=min_count))
    assert census.ngrams.tolist() == list(expected)
    assert census.words.tolist() == list(words)
    assert census.documents.tolist() == [*expected.values(), *words.values()]
    assert census.reviews == len(texts)


def test_a_corpus_in_parts_is_counted_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    texts = [
        [random.integers(1, 9, size).tolist() for size in random.integers(1, 6, words)]
        for words in random.integers(1, 9, 100)
    ]
    whole = ngrams.count(*flat(texts), chosen())
    monkeypatch.setattr(ngrams, "CHARACTERS_AT_ONCE", 50)
    parts = ngrams.count(*flat(texts), chosen())
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


@given(texts=encoded, longest=st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_ids_stand_where_their_ngrams_and_words_end(texts: list[Text], longest: int) -> None:
    texts.append([[2, 3]])
    census = ngrams.count(*flat(texts), chosen(longest=longest))
    ids = census.keys().ids(ragged.padded(*flat(texts), np.arange(len(texts))))
    known, words = census.ngrams.tolist(), census.words.tolist()
    for text, row in zip(texts, ids.tolist(), strict=True):
        letters = list(chain.from_iterable(text))
        ends = dict(zip(np.cumsum([len(word) for word in text]) - 1, text, strict=True))
        for place, (*found, word) in enumerate(row):
            for size, number in enumerate(found, start=1):
                window = (
                    tuple(letters[place - size + 1 : place + 1]) if place < len(letters) else ()
                )
                whole = size <= place + 1 and len(window) == size
                expected = known.index(key(window)) + 1 if whole and key(window) in known else 0
                assert number == expected
            here = key(tuple(ends.get(place, [])))
            is_known = here in words and len(ends[place]) <= 4
            assert word == (1 + len(known) + words.index(here) if is_known else 0)


def test_the_commonest_stay_and_of_equal_ones_the_lesser_key() -> None:
    texts = [[[2], [3]], [[2, 4]], [[2], [4]], [[5]], [[6]]]
    census = ngrams.count(*flat(texts), chosen(longest=1, max_ngrams=3))
    # 2 is in three reviews and 4 in two; 3, 5 and 6 are in one. All words stay.
    assert census.ngrams.tolist() == [2, 3, 4]
    assert census.words.tolist() == [2, 3, 4, 5, 6, key((2, 4))]
    assert census.documents.tolist() == [3, 1, 2, 2, 1, 1, 1, 1, 1]


def test_without_words_there_are_ngrams() -> None:
    texts = [[[2, 3, 4, 5, 6]], [[2, 3, 4, 5, 6]]]
    census = ngrams.count(*flat(texts), chosen(min_count=2))
    assert len(census.words) == 0
    ids = census.keys().ids(ragged.padded(*flat(texts), np.arange(2)))
    assert ids[:, :, :4].any()
    assert not ids[:, :, 4].any()


def test_rarity_is_that_of_scikit_learn() -> None:
    alphabet = ngrams.alphabet(np.bincount([ord(c) for t in TEXTS for c in t]), 1)
    numbers = ngrams.numbers(alphabet)
    texts = [[numbers[[ord(c) for c in text]].tolist()] for text in TEXTS]
    census = ngrams.count(*flat(texts), chosen(longest=2))
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), lowercase=False).fit(TEXTS)
    expected = {
        key(tuple(alphabet[c] for c in ngram)): vectorizer.idf_[column]
        for ngram, column in vectorizer.vocabulary_.items()
    }
    rarity = census.rarity()[1 : len(census.ngrams) + 1].tolist()
    found = dict(zip(census.ngrams.tolist(), rarity, strict=True))
    assert found == pytest.approx(expected, rel=1e-6)
    assert census.rarity()[0] == 0


def read(cutting: segmentation.Cutting, batch: pa.RecordBatch) -> list[list[str]]:
    """Return what `characters.of_batch` finds as words, each character in one that ends."""
    lengths, found = characters.of_batch(cutting, 6, batch)
    texts = []
    for part in np.split(found, np.cumsum(lengths)[:-1]):
        words, word = [], ""
        for point, length in zip(
            part % ngrams.CODE_POINTS, part // ngrams.CODE_POINTS, strict=True
        ):
            word += chr(point)
            if length:
                assert len(word) == length
                words.append(word)
                word = ""
        texts.append([*words, *filter(None, [word])])
    return texts


@pytest.mark.parametrize("engine", ["jieba", "rjieba"])
def test_characters_of_a_batch(engine: str) -> None:
    texts = ["房间 很干净😀!", "a", "房间不干净不干净", "很 干净  的"]
    sources = ["mine"] * 3 + [SEGMENTED_SOURCE]
    batch = pa.RecordBatch.from_pydict({"text": texts, "source": sources})
    cutting = characters.cutting(engine, ())
    assert read(cutting, batch) == [
        ["房间", " ", "很", "干净"],
        ["a"],
        ["房间", "不", "干净", "不"],
        ["很", "干净", "的"],
    ]
    assert read(cutting, batch.slice(1, 1)) == [["a"]]


def test_a_word_of_ones_own_is_one_and_a_long_one_none() -> None:
    own = (segmentation.UserWord("房间不", 10**9), segmentation.UserWord("电子产品公司", 10**9))
    batch = pa.RecordBatch.from_pydict(
        {"text": ["房间不好", "电子产品公司"], "source": ["mine"] * 2}
    )
    lengths, found = characters.of_batch(characters.cutting("jieba", own), 6, batch)
    assert lengths.tolist() == [4, 6]
    assert (found // ngrams.CODE_POINTS).tolist() == [0, 0, 3, 1, 0, 0, 0, 0, 0, 0]


def test_alphabet_has_what_occurs_twice_if_ngrams_must_too() -> None:
    counts = np.bincount([ord(c) for c in "好好书书书a"], minlength=ngrams.CODE_POINTS)
    alphabet = ngrams.alphabet(counts, min_count=3)
    assert alphabet == {"书": FIRST_ID, "好": FIRST_ID + 1}
    assert "a" in ngrams.alphabet(counts, min_count=1)
    numbers = ngrams.numbers(alphabet)
    good = ord("好")
    found = numbers[[good, good + 2 * ngrams.CODE_POINTS, ord("a"), -1]].tolist()
    assert found == [FIRST_ID + 1, FIRST_ID + 1 | 2 << 16, UNKNOWN, UNKNOWN]


def test_only_the_training_split_has_its_say(small_run: Project) -> None:
    settings = params.load(small_run.root / "params.yaml")
    texts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for row in pq.read_table(small_run.root / settings.storage.prepared_reviews).to_pylist():
        texts[row["split"]].append(row["text"][: settings.ngrams.max_length])
    asked = behaviour.texts(behaviour.read_cases(), behaviour.read_pairs())
    made, _ = composition.sentences(
        settings.compose,
        len(texts["train"]),
        settings.prepare,
        settings.runtime.seed,
        {normalisation.spelt(text, settings.prepare) for text in asked},
    )
    counts = Counter("".join([*texts["train"], *made]))
    characters_known = {ord(character) for character, count in counts.items() if count > 1}
    assert set("".join(texts["test"])) - counts.keys(), "the fixture must have unseen characters"
    names = ["characters", "ngrams", "words"]
    arrays = files.read_npz(small_run.root / paths.NGRAM_VOCABULARY, names)
    assert set(arrays["characters"].tolist()) == characters_known
    ids = {point: FIRST_ID + place for place, point in enumerate(arrays["characters"].tolist())}
    cut = jieba.Tokenizer()
    for word in segmentation.load_user_words(small_run.root / settings.segment.user_dict):
        cut.add_word(*word)
    expected: list[set[int]] = [set(), set()]
    for learnt, min_count in (
        (texts["train"], settings.ngrams.min_count),
        (made, settings.compose.min_count),
    ):
        encoded = [
            [
                [ids.get(ord(character), UNKNOWN) for character in word]
                for word in cut.cut(text, HMM=False)
            ]
            for text in learnt
        ]
        for known, found in zip(expected, counted(encoded, settings.ngrams.longest), strict=True):
            known.update(frequent(found, min_count))
    assert [arrays[name].tolist() for name in names[1:]] == [sorted(one) for one in expected]


def test_further_ngrams_are_in_no_review() -> None:
    settings = chosen(longest=2)
    census = ngrams.count(*flat([[[2, 3]], [[2, 3], [4]]]), settings)
    more = census.with_further(ngrams.count(*flat([[[4, 2]], [[2, 3]]]), settings))
    for keys in ("ngrams", "words"):
        before, after = (getattr(one, keys).tolist() for one in (census, more))
        assert set(before) <= set(after)
        assert after == sorted(after)
    found = dict(zip(more.ngrams.tolist(), more.documents.tolist(), strict=False))
    assert (found[key((2, 3))], found[key((4, 2))]) == (2, 0)
    rarity = dict(zip(more.ngrams.tolist(), more.rarity()[1:].tolist(), strict=False))
    assert rarity[key((4, 2))] == 0 < rarity[key((2, 3))]
    assert more.reviews == census.reviews == 2
