"""From ratings and texts to splits, words and numbers."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import Project

from stages import ReproError, files, params
from stages.params import Prepare, Splits
from stages.text import ragged, reviews, segmentation, vocabulary
from stages.text.normalisation import normalise
from stages.text.selection import Selection, identify, split_of

ROOT = Path(__file__).parents[1]
SPLITS = Splits(train=0.8, validation=0.1, test=0.1)
PREPARE = Prepare.model_validate(
    {"unicode_form": "NFKC", "negative": [1, 2], "positive": [4, 5], "splits": SPLITS}
)


def corpus(count: int) -> list[tuple[int, str]]:
    return [(1 + 4 * (number % 2), f"评论 {number}") for number in range(count)]


def select(rows: list[tuple[int, str]]) -> tuple[dict[str, tuple], Counter[str]]:
    """Return (label, text, split) of each kept review, and the counts."""
    batches = [rows[start : start + 7] for start in range(0, len(rows), 7)]
    columns = [{"rating": [r for r, _ in b], "text": [t for _, t in b]} for b in batches]
    selection = Selection(lambda: columns, PREPARE)
    kept = {}
    for batch in selection.kept():
        for identity, *rest in zip(*(batch[name] for name in reviews.PREPARED.names), strict=True):
            assert identity not in kept
            kept[identity] = tuple(rest)
    return kept, selection.counts


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
            (5, " \u200b"), (1, ""),
        ]  # fmt: skip
        kept, counts = select(rows)
        assert {name: counts[name] for name in ("rows", "kept", "duplicates")} == {
            "rows": 210,
            "kept": 200,
            "duplicates": 2,
        }
        assert (counts["contradictory"], counts["neutral"], counts["empty"]) == (3, 3, 2)
        assert "矛盾" not in {text for _, text, _ in kept.values()}
        assert kept[identify("评论 1")][0] == reviews.POSITIVE
        assert sum(counts[f"{s}_{c}"] for s in reviews.SPLITS for c in reviews.CLASSES) == 200

    def test_order_is_the_corpus(self) -> None:
        kept, _ = select(corpus(200))
        assert [text for _, text, _ in kept.values()] == [text for _, text in corpus(200)]

    def test_more_reviews_move_none(self) -> None:
        few, _ = select(corpus(300))
        many, _ = select([*corpus(900)[::-1], (5, "新的")])
        assert {identity: many[identity] for identity in few} == few

    def test_shares_hold_in_each_class(self) -> None:
        kept, _ = select(corpus(6000))
        for label in (0, 1):
            splits = Counter(split for other, _, split in kept.values() if other == label)
            for name, share in SPLITS:
                # Five standard deviations of a binomial count.
                assert abs(splits[name] - 3000 * share) < 5 * (3000 * share * (1 - share)) ** 0.5

    def test_boundaries(self) -> None:
        assert split_of("0" * 16, SPLITS) == "train"
        assert split_of("f" * 16, SPLITS) == "test"

    @pytest.mark.parametrize(
        ("rows", "message"),
        [
            ([], "reviews.parquet: no rows; expected reviews of both classes"),
            ([(5, f"好 {n}") for n in range(100)], r"no negative review \(rating 1 or 2\)"),
            ([(1, f"差 {n}") for n in range(100)], r"no positive review \(rating 4 or 5\)"),
            ([(3, f"中 {n}") for n in range(100)], "no negative review"),
            (corpus(4), "the corpus 2; expected at least one in each split"),
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
        words = segmentation.Segmenter(self.settings)(
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
        assert word not in segmentation.load_stop_words(self.settings.stop_words)

    def test_no_stop_word_holds_a_negation(self) -> None:
        allowed = {"不过", "不论", "不管", "除非", "无论"}  # conjunctions, which negate nothing
        words = segmentation.load_stop_words(self.settings.stop_words)
        assert {word for word in words if re.search("[不没无非别未莫]", word)} - allowed == {"别人"}

    def test_user_dictionary_and_hmm(self, tmp_path: Path) -> None:
        text = "烂书绘本"
        assert segmentation.Segmenter(self.settings)(text) == ["烂书", "绘本"]
        plain = self.settings.model_copy(update={"user_dict": None, "hmm": False})
        assert segmentation.Segmenter(plain, tmp_path)(text) == [
            "烂",
            "书",
            "绘",
        ]  # 本 is a stop word

    def test_order_over_processes(self) -> None:
        batches = [[f"第{batch}批第{row}个" for row in range(50)] for batch in range(20)]
        here = segmentation.Segmenter(self.settings)
        expected = [[here(text) for text in batch] for batch in batches]
        assert list(segmentation.segment(batches, self.settings, workers=2)) == expected
        assert list(segmentation.segment(batches, self.settings, workers=1)) == expected

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
        with pytest.raises(ReproError, match=message):
            segmentation.Segmenter(self.settings.model_copy(update={key: path}))


class TestVocabulary:
    def test_ties_are_broken_by_the_token(self) -> None:
        tokens = ["b", "a", "c", "c"]
        for order in (tokens, tokens[::-1]):
            assert vocabulary.learn(Counter(order), 1, None) == {"c": 2, "a": 3, "b": 4}

    def test_limits(self) -> None:
        counts = Counter("aaabbc")
        assert list(vocabulary.learn(counts, 2, None)) == ["a", "b"]
        assert list(vocabulary.learn(counts, 1, 1)) == ["a"]

    def test_a_review_without_tokens_is_one_unknown(self) -> None:
        assert vocabulary.encode([], {"a": 2}, 5) == [vocabulary.UNKNOWN]


class TestRagged:
    encoded = ragged.encoded(["a" * 16, "b" * 16, "c" * 16], [0, 1, 1], [[2, 3, 4], [5], [6, 7]])

    def test_padded_to_the_longest_of_the_rows(self) -> None:
        assert self.encoded.padded(np.array([2, 1])).tolist() == [[6, 7], [5, 0]]
        assert self.encoded.padded(np.array([1])).tolist() == [[5]]
        assert self.encoded.padded(np.array([1, 0])).tolist() == [[5, 0, 0], [2, 3, 4]]

    def test_round_trip(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        ragged.write(dict.fromkeys(reviews.SPLITS, self.encoded), vocabulary_size=8)
        assert ragged.read_vocabulary_size() == 8
        for array, other in zip(ragged.read("test"), self.encoded, strict=True):
            np.testing.assert_array_equal(array, other)


def test_stages_from_corpus_to_numbers(project: Project) -> None:
    for stage in ("download reviews", "prepare", "segment", "tokenize"):
        name, *item = stage.split()
        result = project.run(f"stages.{name}", *item)
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
    result = project.run(f"stages.{stage}")
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert f"error: {needs}: " in result.stderr
    assert (project.root / output).read_bytes() == b"earlier"


def test_text_stages_start_without_tensorflow(project: Project) -> None:
    code = (
        "import sys, stages.download, stages.prepare, stages.segment, stages.tokenize\n"
        "assert not {'tensorflow', 'keras', 'pandas', 'sklearn'} & set(sys.modules)\n"
    )
    (project.root / "probe.py").write_text(code)
    result = project.run("probe")
    assert result.returncode == 0, result.stderr


def test_dictionary_that_dvc_does_not_watch(project: Project) -> None:
    project.set("segment.user_dict", "data/words.txt")
    result = project.run("stages.segment")
    assert result.returncode == 1
    assert result.stderr == (
        "error: params.yaml: segment.user_dict is data/words.txt; "
        "expected null or a file below dict/, which DVC watches\n"
    )
