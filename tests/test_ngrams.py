"""The n-grams that have ids are those that plain Python counts, and are found where they stand."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import FIXTURES, Project
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from stages import ReproError, files, params, paths
from stages.params import Ngrams
from stages.text import ngrams, ragged
from stages.text.reviews import SEGMENTED_SOURCE, UNKNOWN
from stages.text.vocabulary import FIRST_ID

TEXTS = (FIXTURES / "pos.txt").read_text("utf-8").split()[:200]


def chosen(**changes: int | None) -> Ngrams:
    defaults = {"longest": 4, "min_count": 1, "max_ngrams": None, "max_length": 300}
    return Ngrams.model_validate(defaults | changes)


def flat(texts: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0, *map(len, texts)])
    return np.array([number for text in texts for number in text], np.int32), offsets


def key(numbers: tuple[int, ...]) -> int:
    result = 0
    for number in numbers:
        result = result << 16 | number
    return result


def counted(texts: list[list[int]], longest: int) -> Counter[int]:
    """Return in how many texts each n-gram of known characters is."""
    counts: Counter[int] = Counter()
    for text in texts:
        windows = (
            tuple(text[start : start + size])
            for size in range(1, longest + 1)
            for start in range(len(text) - size + 1)
        )
        counts.update({key(window) for window in windows if min(window) >= FIRST_ID})
    return counts


# Few characters, so that many n-grams repeat; 1 is the unknown one.
encoded = st.lists(
    st.lists(st.sampled_from([1, 2, 3, 4, 0xFFFF]), min_size=1, max_size=9), min_size=1, max_size=9
)


@given(texts=encoded, longest=st.integers(1, 4), min_count=st.integers(1, 3))
@settings(max_examples=200, deadline=None)
def test_counts_are_those_of_plain_python(
    texts: list[list[int]], longest: int, min_count: int
) -> None:
    expected = {k: n for k, n in counted(texts, longest).items() if n >= min_count}
    if not expected:
        with pytest.raises(ReproError, match=f"min_count {min_count} leaves no n-gram of "):
            ngrams.count(*flat(texts), chosen(longest=longest, min_count=min_count))
        return
    census = ngrams.count(*flat(texts), chosen(longest=longest, min_count=min_count))
    assert dict(zip(census.keys.tolist(), census.documents.tolist(), strict=True)) == expected
    assert census.keys.tolist() == sorted(expected)
    assert census.reviews == len(texts)


def test_a_corpus_in_parts_is_counted_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    texts = [random.integers(1, 9, size).tolist() for size in random.integers(1, 30, 100)]
    whole = ngrams.count(*flat(texts), chosen())
    monkeypatch.setattr(ngrams, "CHARACTERS_AT_ONCE", 50)
    parts = ngrams.count(*flat(texts), chosen())
    assert whole.keys.tolist() == parts.keys.tolist()
    assert whole.documents.tolist() == parts.documents.tolist()


@given(texts=encoded)
@settings(max_examples=100, deadline=None)
def test_ids_stand_where_their_ngrams_end(texts: list[list[int]]) -> None:
    texts.append([2, 3])
    census = ngrams.count(*flat(texts), chosen())
    padded = ragged.padded(*flat(texts), np.arange(len(texts)))
    ids = census.ids(padded)
    known = census.keys.tolist()
    for text, row in zip(texts, ids.tolist(), strict=True):
        for place, found in enumerate(row):
            for size, number in enumerate(found, start=1):
                window = tuple(text[place - size + 1 : place + 1]) if place < len(text) else ()
                whole = size <= place + 1 and len(window) == size
                expected = known.index(key(window)) + 1 if whole and key(window) in known else 0
                assert number == expected


def test_the_commonest_stay_and_of_equal_ones_the_lesser_key() -> None:
    texts = [[2, 3], [2, 4], [2, 4], [5], [6]]
    census = ngrams.count(*flat(texts), chosen(longest=1, max_ngrams=3))
    # 2 is in three reviews and 4 in two; 3, 5 and 6 are in one.
    assert census.keys.tolist() == [2, 3, 4]
    assert census.documents.tolist() == [3, 1, 2]


def test_rarity_is_that_of_scikit_learn() -> None:
    alphabet = ngrams.alphabet(np.bincount([ord(c) for t in TEXTS for c in t]), 1)
    numbers = ngrams.numbers(alphabet)
    texts = [numbers[[ord(c) for c in text]].tolist() for text in TEXTS]
    census = ngrams.count(*flat(texts), chosen(longest=2))
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), lowercase=False).fit(TEXTS)
    expected = {
        key(tuple(alphabet[c] for c in ngram)): vectorizer.idf_[column]
        for ngram, column in vectorizer.vocabulary_.items()
    }
    found = dict(zip(census.keys.tolist(), census.rarity()[1:].tolist(), strict=True))
    assert found == pytest.approx(expected, rel=1e-6)
    assert census.rarity()[0] == 0


def test_characters_of_a_batch() -> None:
    texts = ["好书😀!", "a", "很长很长", "很 好"]
    sources = ["mine"] * 3 + [SEGMENTED_SOURCE]
    batch = pa.RecordBatch.from_pydict({"text": texts, "source": sources})
    lengths, points = ngrams.characters_of(3, batch)
    assert lengths.tolist() == [3, 1, 3, 2]
    assert "".join(map(chr, points)) == "好书😀a很长很很好"
    sliced, rest = ngrams.characters_of(9, batch.slice(1, 1))
    assert (sliced.tolist(), rest.tolist()) == ([1], [ord("a")])


def test_alphabet_has_what_occurs_twice_if_ngrams_must_too() -> None:
    counts = np.bincount([ord(c) for c in "好好书书书a"], minlength=ngrams.CODE_POINTS)
    alphabet = ngrams.alphabet(counts, min_count=3)
    assert alphabet == {"书": FIRST_ID, "好": FIRST_ID + 1}
    assert "a" in ngrams.alphabet(counts, min_count=1)
    numbers = ngrams.numbers(alphabet)
    assert numbers[[ord("好"), ord("a"), -1]].tolist() == [FIRST_ID + 1, UNKNOWN, UNKNOWN]


def test_only_the_training_split_has_its_say(small_run: Project) -> None:
    settings = params.load(small_run.root / "params.yaml")
    texts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    for row in pq.read_table(small_run.root / settings.storage.prepared_reviews).to_pylist():
        texts[row["split"]].append(row["text"][: settings.ngrams.max_length])
    counts = Counter("".join(texts["train"]))
    known = {ord(character) for character, count in counts.items() if count > 1}
    assert set("".join(texts["test"])) - counts.keys(), "the fixture must have unseen characters"
    names = ["characters", "keys"]
    arrays = files.read_npz(small_run.root / paths.NGRAM_VOCABULARY, names)
    assert set(arrays["characters"].tolist()) == known
    ids = {point: FIRST_ID + place for place, point in enumerate(arrays["characters"].tolist())}
    encoded = [[ids.get(ord(character), UNKNOWN) for character in t] for t in texts["train"]]
    found = counted(encoded, settings.ngrams.longest)
    expected = {k for k, n in found.items() if n >= settings.ngrams.min_count}
    assert set(arrays["keys"].tolist()) == expected
