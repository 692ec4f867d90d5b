"""What `keras-repro look` says of a file, and whether the section that it prints reads it."""

import time
from pathlib import Path
from typing import Any

import pytest
from conftest import FIXTURES
from ruamel.yaml import YAML

from keras_repro.core.errors import ReproError
from keras_repro.core.params import Reviews
from keras_repro.datasets import own
from keras_repro.serving import look

GOOD = [f"房间很干净，第{n}次来" for n in range(30)]
BAD = [f"房间太脏了，第{n}次失望" for n in range(30)]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def looked(path: str, **options: Any) -> tuple[list[str], dict[str, Any]]:
    """Return the lines and the section, read as YAML."""
    lines = list(look.told(path, **options))
    end = lines.index("reviews:")
    return lines, YAML(typ="safe").load("\n".join(lines[end:]))["reviews"]


def ratings(section: dict[str, Any]) -> list[int]:
    batches = own.parse("file", Reviews.model_validate(section))
    return [row["rating"] for batch in batches for row in batch.to_pylist()]


RATED = "".join(f"{n},力荐,{t}\n" for n, t in enumerate(GOOD)) + "".join(
    f"{n},很差,{t}\n" for n, t in enumerate(BAD)
)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "用户,评分,短评\n" + RATED, {"text": "短评", "rating": "评分"}),
        ("a.csv", RATED, {"text": 3, "rating": 2}),
        ("a.csv", RATED.replace(",", ";").replace("力荐", "9").replace("很差", "2"),
         {"text": 3, "rating": 2, "rating_scale": 10}),
        ("a.tsv", ("id\t标签\t内容\n" + RATED.replace(",", "\t")).replace("力荐", "正面")
         .replace("很差", "负面"), {"text": "内容", "label": "标签"}),
        ("a.jsonl", "".join(f"{ {'a': t, 'b': 1} }\n" for t in GOOD)
         + "".join(f"{ {'a': t, 'b': -1} }\n" for t in BAD), {"text": "a", "label": "b"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_the_section_reads_the_file(
    name: str, content: str, expected: dict[str, Any], encoding: str
) -> None:
    Path(name).write_bytes(content.encode(encoding))
    start = time.monotonic()
    lines, section = looked(name)
    assert time.monotonic() - start < 2
    assert expected.items() <= section.items()
    assert sorted(ratings(section)) == [1] * 30 + [5] * 30
    assert "labels: 30 negative, 30 positive" in lines
    assert any(line.startswith(f"encoding: {encoding} (") for line in lines)


def test_what_would_be_rejected_and_why() -> None:
    Path("a.csv").write_text("评分,短评\n" + "5,好\n" * 8 + "4,好的\n" + "乱,坏\n3,\n", "utf-8")
    lines, _ = looked("a.csv")
    assert "rows: 11" in lines
    assert "duplicates: 7" in lines
    assert "characters: 1 to 2, half of them at most 1" in lines
    assert "rejected: 2 (18.2%)" in lines
    assert "  1 × rating is no number, such as line 11: '乱,坏'" in lines


def test_neutral_reviews_need_not_be_left_out() -> None:
    Path("a.csv").write_text("评分,短评\n5,好\n3,一般\n1,坏\n", "utf-8")
    (told,) = (line for line in looked("a.csv")[0] if "left out" in line)
    section = YAML(typ="safe").load(told.partition("; ")[2].removesuffix(" keeps them"))
    assert Reviews.model_validate(looked("a.csv")[1] | section).class_ratings == {
        "bad": {1, 2}, "neutral": {3}, "good": {4, 5}
    }  # fmt: skip


def test_a_folder() -> None:
    for name, texts in (("pos", GOOD), ("neg", BAD)):
        Path("mine", name).mkdir(parents=True)
        for number, text in enumerate(texts):
            Path("mine", name, f"{number}.txt").write_bytes(text.encode("gbk"))
    lines, section = looked("mine")
    assert lines[0].startswith("mine: 60 files, such as mine/neg/0.txt")
    assert sorted(ratings(section)) == [1] * 30 + [5] * 30


def test_one_file_of_a_pair() -> None:
    lines, section = looked(str(FIXTURES / "pos.xls"))
    assert "cannot be used alone; expected a file of bad reviews and one of good ones" in lines
    assert section["path"] == {"positive": str(FIXTURES / "pos.xls"), "negative": "ANOTHER FILE"}
    section["path"]["negative"] = str(FIXTURES / "neg.xls")
    assert sorted(ratings(section)) == [1] * 12 + [5] * 12


def test_labels_that_nobody_knows() -> None:
    Path("a.csv").write_text("text,label\n很好,A\n很差,B\n", "utf-8")
    lines, section = looked("a.csv")
    assert "label: label, such as 'A', 'B'; reviews.labels may say more" in lines
    section["labels"] = {"A": "positive", "B": "negative"}
    assert ratings(section) == [5, 1]


MOODS = ["anger", "joy", "fear", "sadness"]


@pytest.mark.parametrize(
    ("head", "labels", "expected"),
    [
        ("label,text", MOODS, MOODS),
        ("用户的心情,text", MOODS, MOODS),
        ("情感倾向,text", ["1", "-2", "0", "-1"], ["-2", "-1", "0", "1"]),
        ("label,text", ["0", "1", "-1"], ["-1", "0", "1"]),
        ("x,text", ["好评", "中评", "差评"],
         {"negative": [1], "neutral": [3], "positive": [5]}),
        ("label,text", ["pos", "neg", "正", "负"], None),
        ("label,text", [f"a{n}" for n in range(21)], None),
    ],
)  # fmt: skip
def test_more_than_two_labels(head: str, labels: list[str], expected: Any) -> None:
    rows = [f"{label},第{n}条很长的评论{label}\n" for label in labels for n in range(200)]
    Path("a.csv").write_text(f"{head}\n{''.join(rows)}", "utf-8")
    lines, section = looked("a.csv")
    assert section.get("classes") == expected
    if expected is not None:
        assert section["label"] == head.partition(",")[0]
        assert "rejected: 0 (0.0%)" in lines
        (told,) = (line for line in lines if line.startswith("labels: "))
        counted = sorted(f"200 {name}" for name in expected)
        assert sorted(told.removeprefix("labels: ").split(", ")) == counted
        found = ratings(section)
        assert {found.count(each) for each in set(found)} == {200}
        assert len(set(found)) == len(expected)


@pytest.mark.parametrize("place", ["mine/{}/{}.txt", "mine/{}.txt"])
def test_names_of_more_than_two_labels(place: str) -> None:
    for mood in MOODS:
        for number in range(3):
            path = Path(place.format(mood, number))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{mood}，第{number}条\n", "utf-8")
    _, section = looked("mine")
    assert section["classes"] == sorted(MOODS)
    assert set(ratings(section)) == {1, 2, 3, 4}


@pytest.mark.parametrize("name", ["no.csv", "a.7z", "empty.csv"])
def test_what_cannot_be_read(name: str) -> None:
    Path("a.7z").touch()
    Path("empty.csv").touch()
    with pytest.raises(ReproError, match=name):
        looked(name)
