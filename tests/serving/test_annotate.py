"""A file of texts with a verdict behind each row, in any format, without a trained model."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import FIXTURES

from keras_repro.bundles.explanation import Answer
from keras_repro.core.errors import ReproError
from keras_repro.serving import annotate
from keras_repro.serving.rows import Reading
from keras_repro.text.terms import BROKEN_QUOTE, NO_OBJECT, NO_TEXT, NUL, TOO_LONG, UNDECODABLE

HEAD = ["text", "n"]
ROWS = [["很好", "1"], ["很差", "2"], ["", "3"], ["好" * 11, "4"]]
REASONS = [None, None, NO_TEXT, TOO_LONG]


class Model:
    """Finds a text good that has 好 in it."""

    labels = ("negative", "positive")

    def cleared(self, text: str) -> str:
        if not text.strip() or len(text) > 10:
            raise ReproError("empty or too long")
        return text

    def answers(self, texts: list[str]) -> list[Answer]:
        return [Answer("positive" if "好" in text else "negative", 0.75, None) for text in texts]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def predict(source: str, target: str, **reading: Any) -> annotate.Summary:
    return annotate.predict(Model(), Path(source), Path(target), Reading(**reading))


def written(name: str) -> list[dict[str, Any]]:
    match Path(name).suffix:
        case ".csv" | ".tsv":
            with Path(name).open(encoding="utf-8-sig", newline="") as file:
                rows = csv.DictReader(file, delimiter="," if name.endswith("csv") else "\t")
                return [{k: v or None for k, v in row.items()} for row in rows]
        case ".jsonl":
            return [json.loads(line) for line in Path(name).read_text("utf-8").splitlines()]
        case ".xlsx":
            head, *rows = openpyxl.load_workbook(name).active.iter_rows(values_only=True)
            return [dict(zip(head, row, strict=True)) for row in rows]
        case _:
            return pq.read_table(name).to_pylist()


@pytest.mark.parametrize("form", [".csv", ".tsv", ".jsonl", ".xlsx", ".parquet"])
@pytest.mark.parametrize("source", ["a.csv", "a.tsv", "a.jsonl", "a.json", "a.xlsx", "a.parquet"])
def test_each_format_to_each_format(source: str, form: str) -> None:
    content = [dict(zip(HEAD, row, strict=True)) for row in ROWS]
    match source:
        case "a.jsonl":
            Path(source).write_text("".join(f"{row}\n" for row in content), "utf-8")
        case "a.json":
            Path(source).write_text(json.dumps(content), "utf-8")
        case "a.xlsx":
            book = openpyxl.Workbook()
            for row in [HEAD, *ROWS]:
                book.active.append(row)
            book.save(source)
        case "a.parquet":
            pq.write_table(pa.Table.from_pylist(content), source)
        case _:
            delimiter = "," if source.endswith("csv") else "\t"
            lines = [delimiter.join(row) for row in [HEAD, *ROWS]]
            Path(source).write_text("\n".join(lines), "utf-8")
    assert predict(source, f"out{form}") == (4, 2)
    found = written(f"out{form}")
    assert [row["text"] or "" for row in found] == [text for text, _ in ROWS]
    assert [row["label"] for row in found] == ["positive", "negative", None, None]
    assert [row["reason"] for row in found] == REASONS
    assert [float(row["probability"] or 0) for row in found] == [0.75, 0.75, 0, 0]
    assert [str(row["n"]) for row in found] == list("1234")


def test_a_workbook_of_excel_97_without_a_header() -> None:
    for column in (1, None):
        assert predict(str(FIXTURES / "pos.xls"), "out.csv", column=column) == (12, 2)
    assert written("out.csv")[0]["text"] == "房间很干净，第0次来"
    assert predict(str(FIXTURES / "sheets.xls"), "out.csv", sheet="评论") == (4, 0)
    assert [row["评论"] for row in written("out.csv")] == ["很好", "不错", "真假", "很差"]


def test_a_folder_of_texts() -> None:
    for name, text in (("1", "很好"), ("2", "这间房很差"), ("3", "")):
        Path("mine", name).mkdir(parents=True)
        Path("mine", name, "a.txt").write_bytes(f"{text}\r\n".encode("gbk"))
    assert predict("mine", "out.csv") == (3, 1)
    assert [(row["file"], row["label"], row["reason"]) for row in written("out.csv")] == [
        ("1/a.txt", "positive", None), ("2/a.txt", "negative", None), ("3/a.txt", None, NO_TEXT),
    ]  # fmt: skip


def test_lines_of_a_text() -> None:
    Path("a.txt").write_bytes("很好\n\n这间房很差\n".encode("gbk"))
    assert predict("a.txt", "out.csv") == (2, 0)
    assert [row["label"] for row in written("out.csv")] == ["positive", "negative"]


def test_each_row_has_one() -> None:
    lines = [
        '{"text": "很好"}', '{"text": "很好\\ud83d"}', '{"n": 1}', '{"text": ', "[1]",
        "{'text': '很差'}", '{"text": ["好"]}', '{"text": "好\\u0000"}', '{"text": 5}',
    ]  # fmt: skip
    Path("a.jsonl").write_text("\n".join(lines), "utf-8")
    expected = [None, UNDECODABLE, NO_TEXT, NO_OBJECT, NO_OBJECT, None, NO_TEXT, NUL, None]
    for target in ("out.jsonl", "out.csv", "out.xlsx", "out.parquet"):
        assert predict("a.jsonl", target).rows == len(lines)
        assert [row.get("reason") for row in written(target)] == expected
    assert written("out.jsonl")[3]["row"] == '{"text": '


def test_a_quote_that_never_closes_costs_one_row() -> None:
    rows = 'text,n\n"很好,0\n' + "".join(f"很好,{n}\n" for n in range(2000))
    Path("a.csv").write_text(rows, "utf-8")
    assert predict("a.csv", "out.csv") == (2001, 1)
    assert [row["reason"] for row in written("out.csv")[:2]] == [BROKEN_QUOTE, None]


def test_a_row_that_is_too_long_keeps_its_cells() -> None:
    Path("a.csv").write_text("n,text\n1,很好,真的\n2\n", "utf-8")
    assert predict("a.csv", "out.csv") == (2, 1)
    assert [row["text"] for row in written("out.csv")] == ["很好,真的", None]


@pytest.mark.parametrize(
    ("written_as", "encoding"),
    [("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("same", "big5"), ("utf-8", "utf-8")],
)
def test_encoding_of_the_answers(written_as: str, encoding: str) -> None:
    Path("a.csv").write_bytes("text\n這間房間很好\n服務態度太差了\n".encode("big5"))
    predict("a.csv", "out.csv", written=written_as)
    content = Path("out.csv").read_bytes()
    assert "這間房間很好,positive" in content.decode(encoding)
    assert content.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")


def test_what_cannot_be_written() -> None:
    Path("a.csv").write_text("text\n很好\n", "utf-8")
    with pytest.raises(ReproError, match="--output-encoding: unknown encoding: klingon; expected"):
        predict("a.csv", "out.csv", written="klingon")
    os.mkfifo("pipe")
    with pytest.raises(ReproError, match="pipe: a pipe that nobody reads; expected a file"):
        predict("a.csv", "pipe")
    assert predict("a.csv", "/dev/null") == (1, 0)
    assert not Path("/dev/null").is_file()


def test_formulas_stay_text_in_a_workbook() -> None:
    Path("a.csv").write_text("text\n=好()\n", "utf-8")
    predict("a.csv", "out.xlsx")
    (cell,) = (row[0] for row in openpyxl.load_workbook("out.xlsx").active.iter_rows(min_row=2))
    assert (cell.value, cell.data_type) == ("=好()", "s")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "a,b\n1,2\n", "the columns are a, b; expected one of them to be 'text'"),
        ("a.csv", "txet,b\n1,2\n", r"\(--text-column\); did you mean 'txet'\?"),
        ("a.csv", "", r"the columns are \(none\); expected one of them to be 'text'"),
        ("a.csv", "text,label\n好,1\n", "has a column 'label' already; expected none"),
        ("a.jsonl", '{"n": 1}\n', "line 1: expected an object with the key 'text'"),
        ("a.doc", "好", "ends in .doc; expected .csv, .tsv, .txt"),
    ],
)
def test_what_cannot_be_read(name: str, content: str, expected: str) -> None:
    Path(name).write_text(content, "utf-8")
    Path("out.csv").write_text("before")
    with pytest.raises(ReproError, match=expected):
        predict(name, "out.csv")
    assert Path("out.csv").read_text() == "before"
