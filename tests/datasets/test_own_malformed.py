"""Malformed files of reviews: each row that cannot be used is told with its fault."""

import gzip
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from own_files import (
    HEAD,
    SETTINGS,
    Expected,
    marked,
    parquet,
    parse,
    sheet,
    told,
    xlsx,
    zipped,
)

from keras_repro.core.errors import ReproError
from keras_repro.core.params import Reviews
from keras_repro.datasets import own
from keras_repro.datasets.encodings import LINE_LIMIT, readable
from keras_repro.text import selection
from keras_repro.text.terms import (
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

pytestmark = pytest.mark.usefixtures("_in_empty_directory")


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
    odd("unknown label", f"{HEAD}2,好\n外,差\n0,差\n",
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
    cleaned = selection.clean(SETTINGS.prepare, SETTINGS.classes, batch)
    assert cleaned["fault"].to_pylist() == [None, TOO_LONG]


CSV = f"{HEAD}5,好\n".encode()
ZIP = zipped({"a.csv": CSV})
BOOK = xlsx(SHORT)
TABLES = r"expected \.csv, \.tsv, \.txt, \.json, \.jsonl, \.parquet, \.xls or \.xlsx"


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
        ("a.csv", ZIP, r"a\.csv: no whole \.xlsx file", {}),
        ("a.csv", b"x" * 200_000, "expected one column 'comment', found none among 1: x", {}),
        ("a.txt", CSV, r"a\.txt: nothing tells the label of its reviews", {}),
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
        ("empty", r"^empty: a folder without files; expected reviews in it$"),
    ],
)
def test_a_path_without_a_file(path: str, message: str) -> None:
    Path("empty").mkdir()
    settings = Reviews(source="file", path=path, text="comment", rating="star")
    with pytest.raises(ReproError, match=message):
        list(own.parse("file", settings))
