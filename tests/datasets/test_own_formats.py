"""Reviews of one's own in any format, container and encoding."""

from collections.abc import Sequence

import pytest
from conftest import Project
from own_files import (
    PACKED,
    accepted,
    delimited,
    jsonl,
    parquet,
    parse,
    staged,
    told,
    xlsx,
)

from keras_repro.text.terms import NO_NUMBER, NO_RATING, OUT_OF_RANGE, UNDECODABLE

pytestmark = pytest.mark.usefixtures("_in_empty_directory")


# In the order of the columns `id`, `comment`, `star`.
TABLE = [
    ["id", "comment", "star"],
    [1, "很好,真的;推荐|再来", 5],
    [2, '他说"不错"', 4],
    [3, "第一行\n第二行", 1],
    [4, "全家都爱👨‍👩‍👧", 3],
    [5, "ＡＢＣ 這間飯店", 0],
]
WANTED = [(rating, text) for _, text, rating in TABLE[1:]]
FORMATS = {
    ".csv": delimited(TABLE),
    ".tsv": delimited(TABLE, "\t"),
    ".jsonl": jsonl(TABLE),
    ".parquet": parquet(
        {name: column for name, *column in (list(c) for c in zip(*TABLE, strict=True))}
    ),
    ".xlsx": xlsx(TABLE),
}


class TestFormats:
    @pytest.mark.parametrize("packing", PACKED)
    @pytest.mark.parametrize("suffix", FORMATS)
    def test_the_same_reviews_in_any_format(self, suffix: str, packing: str) -> None:
        name = f"reviews{suffix}"
        content = PACKED[packing](name, FORMATS[suffix])
        assert accepted(parse(name + packing, content)) == WANTED

    @pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".xlsx"])
    def test_columns_by_number(self, suffix: str) -> None:
        assert accepted(parse(f"a{suffix}", FORMATS[suffix], text=2, rating=3)) == WANTED
        assert accepted(parse(f"a{suffix}", FORMATS[suffix], text="comment", rating=3)) == WANTED

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.csv", delimited(TABLE[1:])),
            ("a.csv", delimited(TABLE[1:], ";")),
            ("a.csv", delimited(TABLE[:0:-1])),  # the text of the first row has two lines
            ("a.tsv", delimited(TABLE[1:], "\t")),
            ("a.xlsx", xlsx(TABLE[1:])),
        ],
    )
    def test_a_table_without_header_keeps_its_first_row(self, name: str, content: bytes) -> None:
        assert sorted(accepted(parse(name, content, text=2, rating=3))) == sorted(WANTED)

    def test_a_first_row_of_several_lines_is_one_row(self) -> None:
        rows = parse("a.csv", '"很好\n真的",5\n差,1\n', text=1, rating=2)
        assert told(rows) == {1: (5, "很好\n真的"), 3: (1, "差")}

    @pytest.mark.parametrize(
        ("cell", "fault"), [("6", OUT_OF_RANGE), ("-2", OUT_OF_RANGE), ("", NO_RATING)]
    )
    def test_a_first_row_without_a_rating_is_no_header(self, cell: str, fault: str) -> None:
        rows = parse("a.csv", f"{cell},好\n5,很好\n", text=2, rating=1)
        assert told(rows) == {1: fault, 2: (5, "很好")}

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_delimiters_of_csv(self, delimiter: str) -> None:
        content = delimited(TABLE, delimiter)
        assert accepted(parse("a.csv", content)) == WANTED
        assert accepted(parse("a.csv", content.split(b"\n", 1)[1], text=2, rating=3)) == WANTED

    def test_a_comma_in_the_first_text_delimits_no_columns(self) -> None:
        rows = parse("a.csv", "很好,真的;5\n差,真的;1\n", text=1, rating=2)
        assert told(rows) == {1: (5, "很好,真的"), 2: (1, "差,真的")}

    def test_what_excel_saves_as_unicode_text(self) -> None:
        content = delimited(TABLE, "\t").decode().encode("utf-16")
        assert accepted(parse("a.csv", content)) == WANTED

    def test_names_in_a_header_of_several_lines_with_blanks(self) -> None:
        content = '"备注\n(可选)", star ,comment\nx,5,好\n'
        assert told(parse("a.csv", content)) == {3: (5, "好")}

    @pytest.mark.parametrize(
        "labels",
        [
            "0 1",
            "负 正",
            "neg pos",
            "False True",
            "0.0 1.0",
            "Negative POSITIVE",
            "差评 好评",
            "０ １",
        ],
    )
    def test_labels(self, labels: str) -> None:
        negative, positive = labels.split()
        table = [["label", "comment"], [negative, "差"], [positive, "好"], [negative, "很差"]]
        for suffix, write in {".csv": delimited, ".jsonl": jsonl, ".xlsx": xlsx}.items():
            rows = parse(f"a{suffix}", write(table), label="label")
            assert accepted(rows) == [(1, "差"), (5, "好"), (1, "很差")]

    def test_labels_that_are_no_text(self) -> None:
        for suffix, content in {
            ".jsonl": jsonl([["label", "comment"], [False, "差"], [1, "好"], [1.0, "很好"]]),
            ".xlsx": xlsx([["label", "comment"], [False, "差"], [1, "好"], [1.0, "很好"]]),
            ".parquet": parquet({"label": [0, 1, 1], "comment": ["差", "好", "很好"]}),
        }.items():
            rows = parse(f"a{suffix}", content, label="label")
            assert accepted(rows) == [(1, "差"), (5, "好"), (5, "很好")]

    @pytest.mark.parametrize(
        ("scale", "cell", "expected"),
        [
            (5, "5", 5), (5, "3.5", 4), (5, "2.5", 3), (5, "４", 4), (5, "４．５", 5),
            (5, " 5 ", 5), (5, "5.0", 5), (5, "1e0", 1), (5, "０", 0), (5, "0", 0), (5, "0.4", 1),
            (5, "6", OUT_OF_RANGE), (5, "-2", OUT_OF_RANGE), (5, "inf", OUT_OF_RANGE),
            (5, "", NO_RATING), (5, "NaN", NO_RATING), (5, "null", NO_RATING), (5, "-", NO_RATING),
            (5, "-1", NO_RATING), (5, "很好", 5), (5, "五", 5), (5, "5分", 5),
            (5, "很多", NO_NUMBER), (5, "五五", NO_NUMBER), (5, "分", NO_NUMBER),
            (10, "10", 5), (10, "9", 5), (10, "5", 3), (10, "1", 1), (10, "0.5", 1), (10, "0", 0),
            (10, "11", OUT_OF_RANGE), (100, "5", 1), (100, "100", 5), (100, "50", 3),
        ],
    )  # fmt: skip
    def test_ratings(self, scale: int, cell: str, expected: int | str) -> None:
        rows = parse("a.csv", f"star,comment\n{cell},好\n", rating_scale=scale)
        assert told(rows) == {2: expected if isinstance(expected, str) else (expected, "好")}


# Long enough, and of characters common enough, that UTF-16 has few zero bytes, and on both sides.
LONG = "一开始觉得还不错，最后一天不一样了。房间不大，一家人住上一晚最多了，下次不一定来。" * 3


class TestEncodings:
    texts = tuple(f"第{number}条：{LONG}" for number in range(40))

    def content(self, texts: Sequence[str], encoding: str) -> bytes:
        rows = "".join(f"{text},{1 + 4 * (n % 2)}\n" for n, text in enumerate(texts))
        return f"comment,star\n{rows}".encode(encoding)

    @pytest.mark.parametrize(
        ("encoding", "rare"),
        [
            ("utf-8", "👍"), ("utf-8-sig", "👍"), ("gb18030", "𠮷㐀👍"),
            ("gbk", ""), ("gb2312", ""), ("utf-16", "👍"), ("utf-16-le", "👍"), ("utf-16-be", "👍"),
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("repeated", [1, 3])
    def test_told_apart(self, encoding: str, rare: str, repeated: int) -> None:
        texts = [text * repeated + rare for text in self.texts]
        rows = parse("a.csv", self.content(texts, encoding))
        assert [text for _, text in accepted(rows)] == texts

    def test_utf_16_be_with_a_mark_and_a_mark_in_gb18030(self) -> None:
        for encoding in ("utf-16-be", "gb18030"):
            content = "\ufeff".encode(encoding) + self.content(self.texts, encoding)
            assert [text for _, text in accepted(parse("a.csv", content))] == list(self.texts)

    @pytest.mark.parametrize("encoding", ["big5", "gbk", "utf-16-le", "utf-16", "utf-7"])
    def test_named(self, encoding: str) -> None:
        content = self.content(["這間飯店很好"], encoding)
        assert accepted(parse("a.csv", content, encoding=encoding)) == [(1, "這間飯店很好")]

    @pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le"])
    def test_one_bad_place_loses_its_row_only(self, encoding: str) -> None:
        bad = "？".encode(encoding)
        content = self.content([*self.texts[:20], "坏？坏", *self.texts[20:]], encoding)
        damaged = content.replace(
            bad, b"\xff" if len(bad) > 2 or "16" not in encoding else b"\0\xdc"
        )
        rows = parse("a.csv", damaged)
        assert [(line, fault) for _, _, line, fault in rows if fault] == [(22, UNDECODABLE)]
        assert [text for _, text, _, fault in rows if not fault] == list(self.texts)

    def test_a_wrong_name_is_told_with_examples(self, project: Project) -> None:
        table = self.content(self.texts, "gb18030")
        result = staged(project, table, encoding="utf-8")
        assert result.returncode == 1
        assert "40 of 40 rows are no reviews" in result.stderr
        assert "reviews.max_bad_fraction in params.yaml" in result.stderr
        assert "40 × undecodable bytes, such as file, line 2: '\\\\xb5" in result.stderr
        assert "Traceback" not in result.stderr
