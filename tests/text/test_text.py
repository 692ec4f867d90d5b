"""From ratings and texts to splits, words and numbers."""

import functools
import importlib.util
import marshal
import os
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Literal

import jieba
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rjieba
from conftest import FIXTURES, SETTINGS, Project

from keras_repro.core import files, params
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Prepare, Splits
from keras_repro.text import (
    jieba_tokenizer,
    parallel,
    ragged,
    schemas,
    segmentation,
    terms,
    vocabulary,
)
from keras_repro.text.normalisation import normalise, simplified
from keras_repro.text.repetitions import CONTRADICTORY, DUPLICATE, KEPT, Repetitions
from keras_repro.text.schemas import RAW
from keras_repro.text.selection import Selection, clean, identify, splits_of

ROOT = Path(__file__).parents[2]
SPLITS = Splits(train=0.8, validation=0.1, test=0.1)
PREPARE = Prepare.model_validate(
    {
        "unicode_form": "NFKC",
        "simplify": False,
        "max_characters": 100,
        "negative": [1, 2],
        "positive": [4, 5],
        "splits": SPLITS,
    }
)
CLASSES = {"negative": PREPARE.negative, "positive": PREPARE.positive}


def corpus(count: int) -> list[tuple[int, str]]:
    return [(1 + 4 * (number % 2), f"评论 {number}") for number in range(count)]


def raw(rows: list[tuple[int | None, str]], start: int = 0) -> pa.RecordBatch:
    """Return rows as the stage `download` would write them; no rating stands for a fault."""
    content = {
        "rating": [rating for rating, _ in rows],
        "text": [text for _, text in rows],
        "source": ["mine"] * len(rows),
        "line": range(start + 1, start + 1 + len(rows)),
        "fault": ["no rating" if rating is None else None for rating, _ in rows],
    }
    return pa.RecordBatch.from_pydict(content, schema=RAW)


def settings_of(prepare: params.Prepare, bad: float) -> params.Params:
    reviews = SETTINGS.reviews.model_copy(update={"max_bad_fraction": bad})
    return SETTINGS.model_copy(update={"prepare": prepare, "reviews": reviews})


def read_in(rows: list[tuple[int | None, str]], bad: float = 1.0) -> Selection:
    """Return a selection that has read the rows in batches of seven."""
    with tempfile.TemporaryDirectory() as directory:
        selection = Selection(settings_of(PREPARE, bad), Path(directory))
        selection.read(
            clean(PREPARE, CLASSES, raw(rows[start : start + 7], start))
            for start in range(0, len(rows), 7)
        )
        selection.check_rows()
        selection.table = pa.Table.from_batches(selection.kept(), schemas.PREPARED)
        selection.bad = list(selection.rejected())
    return selection


def select(rows: list[tuple[int | None, str]]) -> tuple[dict[str, tuple], Counter[str]]:
    """Return (label, text, split, source) of each kept review, and the counts."""
    selection = read_in(rows)
    kept = {}
    for row in selection.table.to_pylist():
        identity, *rest = row.values()
        assert identity not in kept
        kept[identity] = tuple(rest)
    return kept, selection.counts


def _process(_: int) -> int:
    """Return which process works on a batch."""
    return os.getpid()


class TestNormalise:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("\ufeff好\u200b\u200d书\x00", "好书"),
            ("  好\t \n 书\u3000", "好 书"),
            ("ＡＢＣ１２３！", "ABC123!"),
            ("e\u0301", "\u00e9"),
            ("\u200b \u2060", ""),
            ("很好😀", "很好😀"),
        ],
    )
    def test_one_spelling(self, text: str, expected: str) -> None:
        assert normalise(text, "NFKC") == expected
        assert normalise(expected, "NFKC") == expected

    def test_form_is_a_parameter(self) -> None:
        assert normalise("Ａ！e\u0301", "NFC") == "Ａ！\u00e9"
        assert normalise("Ａ！e\u0301", None) == "Ａ！e\u0301"


class TestSelection:
    def test_every_row_is_counted_once(self) -> None:
        rows = [
            *corpus(200),
            (1, "矛盾"), (5, "矛盾"), (1, " 矛盾\u200b"),  # one text, both labels
            (4, "评论 1"), (5, "评论\u3000１"),  # copies of a positive review
            (3, "评论 1"), (0, "没有评分"), (3, "中等"),  # neutral, the first a copy of a rated one
            (5, " \u200b"), (1, ""), (5, "长" * 101), (None, "没有"),  # no reviews
        ]  # fmt: skip
        kept, counts = select(rows)
        assert {name: counts[name] for name in ("rows", "kept", "duplicates")} == {
            "rows": 212,
            "kept": 200,
            "duplicates": 2,
        }
        assert (counts["contradictory"], counts["neutral"], counts["rejected"]) == (3, 3, 4)
        faults = {name: n for name, n in counts.items() if name.startswith("rejected_") and n}
        assert faults == {
            "rejected_no_text": 2,
            "rejected_text_too_long": 1,
            "rejected_no_rating": 1,
        }
        assert "矛盾" not in {text for _, text, *_ in kept.values()}
        assert kept[identify("评论 1")][0] == terms.POSITIVE
        assert sum(counts[f"{s}_{c}"] for s in terms.SPLITS for c in terms.CLASSES) == 200
        assert counts["kept_from_mine"] == 200

    def test_the_tutorials_duplicates_stand_in_several_splits(self) -> None:
        rows = [(5, "同一条评论"), (1, "也是同一条")] * 100
        settings = PREPARE.model_copy(update={"duplicates": "kept"})
        cleaned = clean(settings, CLASSES, raw(rows))
        assert len(set(cleaned["id"].to_pylist())) == 200
        with tempfile.TemporaryDirectory() as directory:
            selection = Selection(settings_of(settings, 0.05), Path(directory))
            selection.read([cleaned])
            kept = pa.Table.from_batches(selection.kept(), schemas.PREPARED)
        splits = {(row["text"], row["split"]) for row in kept.to_pylist()}
        assert splits == {(text, split) for _, text in rows[:2] for split in terms.SPLITS}
        assert selection.counts["duplicates"] == 0

    def test_rejected_rows_are_told_whole(self) -> None:
        rows = [*corpus(200), (5, " \u200b"), (None, "没有")]
        assert read_in(rows).bad == [
            ("mine", 201, "no text", " \u200b"),
            ("mine", 202, "no rating", "没有"),
        ]

    def test_too_many_rejected_rows(self) -> None:
        rows = [*corpus(90), *[(None, "没有")] * 6, *[(5, "")] * 4]
        assert read_in(rows, bad=0.1).counts["rejected"] == 10
        with pytest.raises(ReproError) as caught:
            read_in(rows, bad=0.09)
        assert str(caught.value).splitlines() == [
            (
                "data/raw/reviews.parquet: 10 of 100 rows are no reviews; expected at most 0.09 "
                "of them (reviews.max_bad_fraction in params.yaml; all are in "
                "data/interim/rejected.csv)"
            ),
            "  6 × no rating, such as mine, line 91: '没有'",
            "  4 × no text, such as mine, line 97: ''",
        ]

    def test_traditional_characters_are_simplified_on_demand(self) -> None:
        settings = PREPARE.model_copy(update={"simplify": True})
        cleaned = clean(settings, CLASSES, raw([(5, "這間飯店很乾淨"), (5, "头发干净")]))
        assert cleaned["text"].to_pylist() == ["这间饭店很干净", "头发干净"]
        assert simplified("髮") == "发"

    def test_order_is_the_corpus(self) -> None:
        kept, _ = select(corpus(200))
        assert [text for _, text, *_ in kept.values()] == [text for _, text in corpus(200)]

    def test_more_reviews_move_none(self) -> None:
        few, _ = select(corpus(300))
        many, _ = select([*corpus(900)[::-1], (5, "新的")])
        assert {identity: many[identity] for identity in few} == few

    def test_shares_hold_in_each_class(self) -> None:
        kept, _ = select(corpus(6000))
        for label in (0, 1):
            splits = Counter(split for other, _, split, _ in kept.values() if other == label)
            for name, share in SPLITS:
                # Five standard deviations of a binomial count.
                assert abs(splits[name] - 3000 * share) < 5 * (3000 * share * (1 - share)) ** 0.5

    def test_boundaries(self) -> None:
        ids = np.array([0, int(0.8 * 2**64) - 4096, int(0.8 * 2**64) + 4096, 2**64 - 1], np.uint64)
        assert splits_of(ids, SPLITS).tolist() == [0, 0, 1, 2]

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ([], "reviews.parquet: no rows; expected reviews of each class"),
            ([(5, f"好 {n}") for n in range(100)], r"no negative review \(rating 1 or 2\)"),
            ([(1, f"差 {n}") for n in range(100)], r"no positive review \(rating 4 or 5\)"),
            ([(3, f"中 {n}") for n in range(100)], "no negative review"),
            (corpus(4), "the corpus 2 .*; expected at least one in each split"),
        ],
    )
    def test_corpus_of_no_use(self, rows: list, message: str) -> None:
        with pytest.raises(ReproError, match=message):
            select(rows)


class TestSegmentation:
    settings = params.load(ROOT / "params.yaml").segment

    @pytest.fixture(autouse=True)
    def _at_root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(ROOT)

    def test_stop_words_go_and_what_carries_sentiment_stays(self) -> None:
        words = segmentation.Segmenter(segmentation.load(self.settings))(
            "这本书的内容不是很好，但是我非常不喜欢 DVD ！"
        )
        assert {"的", "我", "但是", " "}.isdisjoint(words)
        assert {"内容", "很", "好", "非常", "不", "喜欢", "dvd"} <= set("/".join(words).split("/"))

    @pytest.mark.parametrize("word", [
        *"不没无非别未莫很太最更真",
        "没有", "不是", "不会", "不能", "从不", "非常", "十分", "特别", "极其", "相当", "比较",
        "稍微", "有点", "毫无", "难以", "过于",
    ])  # fmt: skip
    def test_no_negation_and_no_degree_is_a_stop_word(self, word: str) -> None:
        assert word not in segmentation.load(self.settings).stop_words

    def test_no_stop_word_holds_a_negation(self) -> None:
        allowed = {"不过", "不论", "不管", "除非", "无论"}  # conjunctions, which negate nothing
        words = segmentation.load(self.settings).stop_words
        assert {word for word in words if re.search("[不没无非别未莫]", word)} - allowed == {"别人"}

    def test_negations_go_where_their_list_is_named_too(self) -> None:
        lists = (*self.settings.stop_words, Path("dict/negation.txt"))
        both = segmentation.load(self.settings.model_copy(update={"stop_words": lists}))
        alone = segmentation.load_stop_words(Path("dict/negation.txt"))
        assert all(re.search("[不没无非别未莫]", word) for word in alone)
        assert not alone & segmentation.load(self.settings).stop_words
        assert {"不", "没有"} <= both.stop_words
        assert "不" not in segmentation.Segmenter(both)("房间不干净")

    def test_user_dictionary_and_hmm(self, tmp_path: Path) -> None:
        text = "烂书绘本"
        for engine in ("jieba", "rjieba"):
            settings = self.settings.model_copy(update={"engine": engine})
            segmenter = segmentation.Segmenter(segmentation.load(settings))
            assert segmenter(text) == ["烂书", "绘本"]
            plain = settings.model_copy(update={"user_dict": None, "hmm": False})
            segmenter = segmentation.Segmenter(segmentation.load(plain), tmp_path)
            assert segmenter(text) == ["烂", "书", "绘"]  # 本 is a stop word

    def test_words_already_cut_are_cut_no_more(self) -> None:
        cutting = segmentation.load(self.settings)
        rows = {"text": ["房间干净 的 DVD"] * 2, "source": ["file", "segmented"]}
        batch = pa.RecordBatch.from_pydict(rows)
        whole, already = segmentation.segment(cutting, batch).to_pylist()
        assert whole == ["房间", "干净", "dvd"]
        assert already == ["房间干净", "dvd"]

    def test_order_over_processes(self) -> None:
        texts = [[f"第{batch}批第{row}个" for row in range(50)] for batch in range(20)]
        batches = [
            pa.RecordBatch.from_pydict({"text": batch, "source": ["file"] * 50}) for batch in texts
        ]
        cutting = segmentation.load(self.settings)
        here = segmentation.Segmenter(cutting)
        with parallel.workers(None) as workers:
            work = functools.partial(segmentation.segment, cutting)
            found = list(workers.in_order(work, batches))
        assert [batch for batch, _ in found] == batches
        assert [tokens.to_pylist() for _, tokens in found] == [
            [here(text) for text in batch] for batch in texts
        ]

    @pytest.mark.parametrize("hmm", [True, False])
    def test_the_faster_tokenizer_cuts_as_jieba_does(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, hmm: bool
    ) -> None:
        words = (("不值得", None), ("极好", 3))
        ours = jieba_tokenizer.Tokenizer(tmp_path, words)
        theirs = jieba.Tokenizer()
        for word, frequency in words:
            theirs.add_word(word, frequency)
        texts = [*fixture_texts(), *jumbled(fixture_texts(), 2000), "", "a", "😀", "龘龘", "1.5-x"]
        found = [list(ours.cut(text, HMM=hmm)) for text in texts]
        spec = importlib.util.find_spec("jieba.finalseg")
        assert spec is not None
        assert spec.loader is not None
        shipped = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(shipped)
        assert shipped.viterbi is not jieba.finalseg.viterbi
        monkeypatch.setattr(jieba.finalseg, "viterbi", shipped.viterbi)
        assert found == [list(theirs.cut(text, HMM=hmm)) for text in texts]

    def test_a_cache_of_another_dictionary_is_not_read(self, tmp_path: Path) -> None:
        for name in ("jieba.cache", "0.cache"):
            (tmp_path / name).write_bytes(marshal.dumps(({"房间很": 10**9}, 10**9)))
        tokenizer = jieba_tokenizer.Tokenizer(tmp_path, ())
        assert list(tokenizer.cut("房间很干净")) == ["房间", "很", "干净"]
        made = {path.name for path in tmp_path.iterdir()} - {"jieba.cache", "0.cache"}
        assert made == {f"{files.sha256(jieba_tokenizer.DICTIONARY)}.cache"}

    def test_a_lone_batch_starts_no_process(self) -> None:
        with parallel.workers(None) as workers:
            (alone,) = workers.in_order(_process, [0])
            both = list(workers.in_order(_process, [0, 1]))
        assert alone == (0, os.getpid())
        assert [batch for batch, _ in both] == [0, 1]
        assert os.getpid() not in {process for _, process in both}

    def test_rjieba_differs_where_signs_join_latin_letters_or_digits(self) -> None:
        # docs/reviews.md tells of it: jieba keeps these together, rjieba does not, or otherwise.
        assert jieba.lcut("sony-x 1.5寸 a_b") != rjieba.cut("sony-x 1.5寸 a_b")
        joined = re.compile(r"[a-zA-Z0-9][-._]|[-._][a-zA-Z0-9]|[-._]{2}|[%+#&]")
        texts = [text for text in fixture_texts() if not joined.search(text)]
        assert len(texts) > 500
        for text in texts:
            assert rjieba.cut(text, hmm=False) == list(jieba.cut(text, HMM=False))
        differing = sum(rjieba.cut(text) != jieba.lcut(text) for text in texts)
        assert differing <= len(texts) // 100  # rare ties of the hidden Markov model

    @pytest.mark.parametrize(
        ("key", "content", "message"),
        [
            ("user_dict", b"a 3 n x", "line 1 is 'a 3 n x'; expected WORD"),
            ("user_dict", "好".encode("gb18030"), "no UTF-8 text"),
            ("stop_words", "好".encode("gb18030"), "no UTF-8 text"),
            ("stop_words", None, "not found; expected a list of stop words"),
        ],
    )
    def test_faulty_dictionaries(
        self, tmp_path: Path, key: str, content: bytes | None, message: str
    ) -> None:
        path = tmp_path / "words.txt"
        if content is not None:
            path.write_bytes(content)
        value = (path,) if key == "stop_words" else path
        with pytest.raises(ReproError, match=message):
            segmentation.load(self.settings.model_copy(update={key: value}))


class TestVocabulary:
    def test_ties_are_broken_by_the_token(self) -> None:
        tokens = ["b", "a", "c", "c"]
        for order in (tokens, tokens[::-1]):
            assert vocabulary.learn(Counter(order), 1, None) == {"c": 2, "a": 3, "b": 4}

    def test_limits(self) -> None:
        counts = Counter("aaabbc")
        assert list(vocabulary.learn(counts, 2, None)) == ["a", "b"]
        assert list(vocabulary.learn(counts, 1, 1)) == ["a"]

    def test_ids_are_those_of_keras_but_for_the_unknown_token_and_ties(self) -> None:
        """Keras has no id for unknown tokens, so ours are one more; it ranks ties as first seen."""
        import tensorflow as tf

        texts = [" ".join(jieba.cut(text)) for text in fixture_texts()]
        keras_tokenizer = tf.keras.preprocessing.text.Tokenizer(filters="", lower=False)
        keras_tokenizer.fit_on_texts(texts)
        counts = Counter(token for text in texts for token in text.split(" ") if token)
        ours = vocabulary.learn(counts, 1, None)
        assert ours.keys() == keras_tokenizer.word_index.keys()
        tied = Counter(counts.values())
        unique = [token for token, count in counts.items() if tied[count] == 1]
        assert len(unique) > 10
        assert {token: ours[token] - 1 for token in unique} == {
            token: keras_tokenizer.word_index[token] for token in unique
        }
        # Among equally common tokens the same ids are given, in another order.
        for count in tied:
            ids = {ours[token] - 1 for token in counts if counts[token] == count}
            assert ids == {keras_tokenizer.word_index[t] for t in counts if counts[t] == count}

    @staticmethod
    def keeping(max_length: int, learn_from: Literal["train", "all"] = "train") -> params.Tokenize:
        return params.Tokenize(
            max_length=max_length, min_count=1, num_words=None, learn_from=learn_from
        )

    def test_words_of_a_batch(self) -> None:
        batch = segmented(["train", "test", "train"], [list("abab"), list("bc"), []])
        words = vocabulary.tokens_of(self.keeping(3), batch)
        distinct = words.distinct.to_pylist()
        assert dict(zip(distinct, words.counts.tolist(), strict=True)) == {"a": 2, "b": 2, "c": 0}
        leaked = vocabulary.tokens_of(self.keeping(3, "all"), batch)
        assert dict(zip(distinct, leaked.counts.tolist(), strict=True)) == {"a": 2, "b": 3, "c": 1}
        assert words.lengths.tolist() == [3, 2, 1]
        assert [distinct[place] if place >= 0 else None for place in words.places] == [
            "a", "b", "a", "b", "c", None
        ]  # fmt: skip

    def test_a_slice_of_a_batch_is_a_batch(self) -> None:
        batch = segmented(["train"] * 4, [list("ab"), list("cd"), [], list("de")])
        words = vocabulary.tokens_of(self.keeping(9), batch.slice(1, 2))
        assert words.distinct.to_pylist() == ["c", "d"]
        assert words.lengths.tolist() == [2, 1]

    def test_a_review_without_tokens_is_one_unknown(self) -> None:
        census = vocabulary.Census()
        numbers = census.add(
            vocabulary.tokens_of(self.keeping(5), segmented(["train"] * 2, [["a"], []]))
        )
        ids = census.ids({"a": 2})
        assert ids[numbers].tolist() == [2, terms.UNKNOWN]


def segmented(splits: list[str], tokens: list[list[str]]) -> pa.RecordBatch:
    content = {
        "id": [f"{number:016x}" for number in range(len(splits))],
        "label": [number % 2 for number in range(len(splits))],
        "text": ["".join(words) for words in tokens],
        "split": splits,
        "source": ["mine", "other"] * (len(splits) // 2) + ["mine"] * (len(splits) % 2),
        "tokens": tokens,
    }
    return pa.RecordBatch.from_pydict(content, schema=schemas.SEGMENTED)


def fixture_texts() -> list[str]:
    return [
        line for name in ("neg", "pos") for line in (FIXTURES / f"{name}.txt").read_text("utf-8")
        .splitlines() if line
    ]  # fmt: skip


def jumbled(texts: list[str], count: int) -> list[str]:
    """Return texts that no one wrote, of characters that stand in real ones."""
    random = np.random.default_rng(1)
    characters = np.array(list("".join(texts)))
    return ["".join(random.choice(characters, length)) for length in random.integers(1, 60, count)]


class TestRepetitions:
    def test_outcomes_are_those_of_a_plain_search(self, tmp_path: Path) -> None:
        random = np.random.default_rng(1)
        ids = random.integers(0, 2**64, 400, np.uint64)[random.integers(0, 400, 3000)]
        labels = ((ids % 7 == 0) & (random.random(3000) < 0.5)).astype(np.int8)
        rows = np.flatnonzero(np.ones(6000)[::2]) * 2
        found = np.zeros(6000, np.int8)
        with Repetitions(tmp_path) as repetitions:
            for start in range(0, 3000, 700):
                part = slice(start, start + 700)
                repetitions.add(ids[part], rows[part], labels[part])
            for places, outcomes in repetitions.outcomes():
                found[places] = outcomes
        for place in range(3000):
            same = ids == ids[place]
            if len(set(labels[same])) == 2:
                expected = CONTRADICTORY
            else:
                expected = KEPT if np.flatnonzero(same)[0] == place else DUPLICATE
            assert found[rows[place]] == expected
        assert set(found[1::2]) == {0}


class TestRagged:
    encoded = ragged.Encoded(
        ids=np.array([b"a" * 16, b"b" * 16, b"c" * 16]),
        labels=np.array([0, 1, 1], np.uint8),
        offsets=np.array([0, 3, 4, 6]),
        sources=np.array([0, 0, 0], np.uint16),
        tokens=np.array([2, 3, 4, 5, 6, 7], np.int32),
    )

    def test_padded_to_the_longest_of_the_rows(self) -> None:
        assert self.encoded.padded(np.array([2, 1])).tolist() == [[6, 7], [5, 0]]
        assert self.encoded.padded(np.array([1])).tolist() == [[5]]
        assert self.encoded.padded(np.array([1, 0])).tolist() == [[5, 0, 0], [2, 3, 4]]

    def test_round_trip(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        directory, path = tmp_path / "scratch", tmp_path / "encoded.npz"
        directory.mkdir()
        with ragged.Writer(directory) as writer:
            for _ in range(2):
                batch = segmented(["test", "train", "test", "train"], [[]] * 4)
                numbers = np.array([0, 1, -1, 2, 3, 0], np.int32)
                writer.add(batch, np.array([2, 1, 1, 2]), numbers)
            arrays = writer.arrays(np.array([5, 6, 7, 8, terms.UNKNOWN], np.int32))
            files.write_npz(path, arrays)
        assert ragged.read_sources(path) == ["mine", "other"]
        test, train = ragged.read("test", path), ragged.read("train", path)
        assert test.ids.tolist() == [b"%016x" % number for number in (0, 2, 0, 2)]
        assert test.offsets.tolist() == [0, 2, 3, 5, 6]
        assert test.tokens.tolist() == [5, 6, 7, 5, 6, 7]
        assert train.tokens.tolist() == [1, 8, 5, 1, 8, 5]
        assert (test.sources.tolist(), train.sources.tolist()) == ([0] * 4, [1] * 4)
        assert (test.labels.tolist(), train.labels.tolist()) == ([0] * 4, [1] * 4)
        assert len(ragged.read("validation", path).tokens) == 0


def test_stages_from_corpus_to_numbers(project: Project) -> None:
    for stage in ("download reviews", "prepare", "segment", "tokenize"):
        name, *item = stage.split()
        result = project.stage(name, *item)
        assert result.returncode == 0, result.stderr
    prepared = pq.read_table(project.root / "data/interim/reviews.parquet").to_pylist()
    segmented = pq.read_table(project.root / "data/interim/segmented.parquet").to_pylist()
    assert [{**row, "tokens": None} for row in segmented] == [
        {**row, "tokens": None} for row in prepared
    ]
    assert (
        len({row["text"] for row in prepared}) == len(prepared) == len({r["id"] for r in prepared})
    )

    known = Counter(t for row in segmented if row["split"] == "train" for t in row["tokens"])
    elsewhere = {t for row in segmented if row["split"] != "train" for t in row["tokens"]}
    assert elsewhere - known.keys(), "the fixture must have words that training never sees"
    ids = files.read_json(project.root / "data/processed/vocabulary.json")
    assert ids == vocabulary.learn(known, min_count=2, num_words=None)
    with np.load(project.root / "data/processed/reviews.npz") as arrays:
        assert arrays["vocabulary_size"] == len(ids) + 2
        test = [row for row in segmented if row["split"] == "test"]
        assert arrays["test_ids"].tolist() == [row["id"].encode() for row in test]
        first = arrays["test_tokens"][: arrays["test_offsets"][1]].tolist()
        assert first == [ids.get(token, 1) for token in test[0]["tokens"]][:100]


@pytest.mark.parametrize(
    ("stage", "needs", "output"),
    [
        ("prepare", "data/raw/reviews.parquet", "data/interim/reviews.parquet"),
        ("segment", "data/interim/reviews.parquet", "data/interim/segmented.parquet"),
        ("tokenize", "data/interim/segmented.parquet", "data/processed/reviews.npz"),
        ("ngrams", "data/interim/reviews.parquet", "data/processed/ngrams.npz"),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_faulty_input_ends_in_one_message_and_keeps_earlier_output(
    project: Project, stage: str, needs: str, output: str, damage: str
) -> None:
    for name in (needs, output):
        (project.root / name).parent.mkdir(parents=True, exist_ok=True)
    (project.root / output).write_bytes(b"earlier")
    if damage == "truncated":
        (project.root / needs).write_bytes(b"PAR1 and no more")
    result = project.stage(stage)
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert f"error: {needs}: " in result.stderr
    assert (project.root / output).read_bytes() == b"earlier"


def test_text_stages_start_without_tensorflow(project: Project) -> None:
    code = (
        "import sys, stages.download, stages.prepare, stages.segment, stages.tokenize\n"
        "unwanted = {'tensorflow', 'keras', 'pandas', 'sklearn', 'distributed', 'boto3'}\n"
        "assert not unwanted & set(sys.modules)\n"
    )
    (project.root / "probe.py").write_text(code)
    result = project.run("probe")
    assert result.returncode == 0, result.stderr


def test_dictionary_that_dvc_does_not_watch(project: Project) -> None:
    project.set("segment.user_dict", "data/words.txt")
    result = project.stage("segment")
    assert result.returncode == 1
    assert result.stderr == (
        "error: params.yaml: segment.user_dict is data/words.txt; "
        "expected null or a file below dict/, which DVC watches\n"
    )
