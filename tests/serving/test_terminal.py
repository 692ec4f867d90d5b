"""`keras-repro` as someone at a terminal has it."""

import csv
import gzip
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, Project, called
from PIL import Image

from keras_repro.bundles.sentiment import Sentiment
from keras_repro.inputs.pictures import as_digit
from keras_repro.serving import command

TEXT = "这本书太好看了，推荐给大家"
MODULE = "keras_repro"


def keras_repro(
    project: Project, *arguments: str, given: bytes = b""
) -> subprocess.CompletedProcess[str]:
    """Run the command in this process."""
    return called(lambda: command.main(arguments), project.root, given)


def said(result: subprocess.CompletedProcess[str]) -> list[str]:
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """Return the one message of a command that could not do what it should."""
    assert result.returncode == 1, result.stdout
    lines = result.stderr.splitlines()
    assert lines[-1].startswith("error: ")
    assert not any("Traceback" in line for line in lines)
    return lines[-1].removeprefix("error: ")


@pytest.fixture
def model(small_run: Project) -> Sentiment:
    return Sentiment(small_run.root / "models/sentiment_hybrid/bundle")


class TestPredict:
    def test_the_command_is_installed(self) -> None:
        command = Path(sys.executable).parent / "keras-repro"
        shown = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
        assert "predict" in shown.stdout

    @pytest.mark.parametrize("name", ["sentiment_bilstm", "sentiment_hybrid"])
    def test_answers_are_those_of_the_test_split(self, small_run: Project, name: str) -> None:
        rows = pd.read_csv(small_run.root / f"metrics/plots/{name}/mistakes.csv").head(5)
        told = said(keras_repro(small_run, "predict", "--json", "--model", name, *rows["text"]))
        for line, row in zip(told, rows.itertuples(), strict=True):
            answer = json.loads(line)
            assert answer["reason"] in (None, "balanced")
            positive = row.probability if row.predicted == "positive" else 1 - row.probability
            assert answer["probability"] == pytest.approx(positive, abs=1e-4)
            assert answer["text"] == row.text

    def test_lines_for_people(self, small_run: Project, model: Sentiment) -> None:
        first, second = said(keras_repro(small_run, "predict", TEXT, "浪费\n时间"))
        (answer,) = model.answers([model.cleared(TEXT)])
        why = " (as much for as against)" if answer.reason else ""
        assert first == f"{answer.label} {answer.probability:.4f}{why} {TEXT}"
        assert second.endswith(" 浪费 时间")
        (foreign,) = said(keras_repro(small_run, "predict", "great"))
        assert foreign == "none 0.5000 (no Chinese) great"

    def test_clauses(self, small_run: Project, model: Sentiment) -> None:
        text = "房间很干净，但是服务太差了！great…"
        parts = ["房间很干净", "但是服务太差了", "great"]
        whole, *lines = said(keras_repro(small_run, "explain", "--clauses", text))
        assert whole.endswith(model.cleared(text))
        assert [line.split()[-1] for line in lines] == parts
        (answer,) = map(
            json.loads, said(keras_repro(small_run, "explain", "--clauses", "--json", text))
        )
        found = model.answers(parts)
        assert [(each["text"], each["label"], each["reason"]) for each in answer["clauses"]] == [
            (part, each.label, each.reason) for part, each in zip(parts, found, strict=True)
        ]
        assert answer["clauses"][2]["reason"] == "not_chinese"

    def test_spelling_that_looks_the_same_makes_no_difference(self, small_run: Project) -> None:
        plain, odd = said(keras_repro(small_run, "predict", "ABC 好", "  ＡＢＣ\u3000\u200b好 "))
        assert plain.split()[:2] == odd.split()[:2]

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            (" \u200b", "a text of 0 characters; expected 1 to 10,000"),
            ("好" * 10_001, "a text of 10,001 characters; expected 1 to 10,000"),
        ],
    )
    def test_text_that_is_none(self, small_run: Project, text: str, expected: str) -> None:
        assert refused(keras_repro(small_run, "predict", text)) == expected

    @pytest.mark.parametrize("text", ["plain English", "😀😀", "12345", "\udcff\udcfe", "ثلاثة"])
    def test_text_that_is_not_chinese(self, small_run: Project, text: str) -> None:
        (line,) = said(keras_repro(small_run, "predict", text))
        assert line.startswith("none 0.5000 (no")

    def test_a_locale_that_knows_no_chinese(self, small_run: Project) -> None:
        result = small_run.run(MODULE, "predict", TEXT, LC_ALL="C", PYTHONUTF8="0")
        assert said(result)[0].endswith(TEXT)

    def test_model_that_is_not_there(self, small_run: Project) -> None:
        told = refused(keras_repro(small_run, "predict", "--model", "none", TEXT))
        assert told.startswith("models/none/bundle: not found; expected a bundle (there are: ")
        assert "sentiment_bilstm, sentiment_hybrid" in told

    def test_options_of_a_file_without_one(self, small_run: Project) -> None:
        told = refused(keras_repro(small_run, "predict", "--output", "x.csv", TEXT))
        assert told == "--output goes with --file; found none"


class TestStandardInput:
    def test_lines_until_quit_and_a_fault_says_nothing_of_the_next(
        self, small_run: Project
    ) -> None:
        given = b"\n".join([TEXT.encode(), b"", b"\xff", b"quit", b"never"])
        first, second, third = said(keras_repro(small_run, "predict", given=given))
        assert first.endswith(TEXT)
        assert second == "error: a text of 0 characters; expected 1 to 10,000"
        assert third.endswith("\N{REPLACEMENT CHARACTER}")

    def test_json_of_each_line(self, small_run: Project) -> None:
        told = said(keras_repro(small_run, "predict", "--json", given="好\n\n差".encode()))
        answers = [json.loads(line) for line in told]
        assert [answer["text"] for answer in answers] == ["好", "", "差"]
        assert ["error" in answer for answer in answers] == [False, True, False]

    def test_prompt_at_a_terminal(self, small_run: Project) -> None:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-m", MODULE, "predict"],
            cwd=small_run.root,
            env=small_run.environment(),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            os.close(theirs)
            os.write(ours, f"{TEXT}\nquit\n".encode())
            output, prompts = process.communicate(timeout=60)
        os.close(ours)
        assert process.returncode == 0
        assert output.decode().count(TEXT) == 1
        assert prompts.decode().count("review (or quit): ") == 2

    def test_who_reads_has_seen_enough(self, small_run: Project) -> None:
        lines = "\n".join(["好"] * 3000)
        command = f"{sys.executable} -m {MODULE} predict | head -n 1"
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=small_run.root,
            env=small_run.environment(),
            input=lines.encode(),
            capture_output=True,
            check=False,
        )
        assert result.stdout.decode().endswith(" 好\n")
        assert b"Traceback" not in result.stderr


def table(rows: Sequence[Sequence[str]], **options: str) -> bytes:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n", **options).writerows(rows)
    return file.getvalue().encode(options.pop("encoding", "utf-8"))


ROWS = [
    ["id", "comment", "说明"],
    ["1", TEXT, 'a "quoted", cell'],
    ["2", "房间\n很小，\r\n很脏", "two lines"],
    ["3", " \u3000", "empty"],
    ["4", "好" * 10_001, "too long"],
    ["5", "一般", ""],
]


class TestFiles:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    def test_columns_stay_and_answers_follow(
        self, small_run: Project, model: Sentiment, tmp_path: Path, encoding: str
    ) -> None:
        source, target = tmp_path / "in.csv", tmp_path / "out.csv"
        source.write_bytes(table(ROWS).decode().encode(encoding))
        result = keras_repro(
            small_run, "predict", "--file", str(source), "--text-column", "comment",
            "--output", str(target),
        )  # fmt: skip
        assert said(result) == []
        assert "5 rows, 2 without an answer (the column reason says why)" in result.stderr
        with target.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        assert head == [*ROWS[0], "label", "probability", "reason"]
        assert [row[:3] for row in rows] == ROWS[1:]
        assert [row[3:] for row in rows[2:4]] == [["", "", "no text"], ["", "", "text too long"]]
        for place in (0, 1, 4):
            (answer,) = model.answers([model.cleared(ROWS[place + 1][1])])
            shown = [answer.label, f"{answer.probability:.6f}", answer.reason or ""]
            assert rows[place][3:] == shown

    @pytest.mark.parametrize(("name", "delimiter"), [("a.tsv", "\t"), ("a.csv", ";")])
    def test_other_delimiters_compressed_to_standard_output(
        self, small_run: Project, tmp_path: Path, name: str, delimiter: str
    ) -> None:
        source = tmp_path / f"{name}.gz"
        source.write_bytes(gzip.compress(table(ROWS, delimiter=delimiter)))
        result = keras_repro(
            small_run, "predict", "--file", str(source), "--text-column", "comment"
        )
        assert result.returncode == 0, result.stderr
        text = io.StringIO(result.stdout, newline="")
        head, *rows = csv.reader(text, delimiter=delimiter)
        assert head[-3:] == ["label", "probability", "reason"]
        assert [row[:3] for row in rows] == ROWS[1:]

    def test_lines_of_json(self, small_run: Project, tmp_path: Path) -> None:
        source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
        objects = [{"text": TEXT, "n": 1, "tags": ["a"]}, {"text": None}, {"n": 2, "text": "差"}]
        source.write_text("\n".join(map(json.dumps, objects)), encoding="utf-8")
        said(keras_repro(small_run, "predict", "--file", str(source), "--output", str(target)))
        found = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
        answers = ("label", "probability", "reason")
        assert [{k: v for k, v in row.items() if k not in answers} for row in found] == objects
        assert [row["label"] is None for row in found] == [False, True, False]
        assert 0 < found[0]["probability"] < 1

    @pytest.mark.parametrize(
        ("name", "content", "expected"),
        [
            ("a.csv", "a,b\n1,2\n", "the columns are a, b; expected one of them to be 'text'"),
            ("a.csv", "", "the columns are (none); expected one of them to be 'text'"),
            ("a.csv", "text,label\n好,1\n", "has a column 'label' already; expected none"),
            ("a.csv", "text,text\n好,1\n", "the columns are text, text; expected one of them"),
            ("a.jsonl", '{"n": 1}\n', "line 1: expected an object with the key"),
            ("a.csv.gz", "text\n好\n", "no whole archive"),
        ],
    )
    def test_file_that_cannot_be_read_leaves_the_output_that_was_there(
        self, small_run: Project, tmp_path: Path, name: str, content: str, expected: str
    ) -> None:
        source, target = tmp_path / name, tmp_path / "out.csv"
        source.write_text(content, encoding="utf-8")
        target.write_text("before")
        told = refused(
            keras_repro(small_run, "predict", "--file", str(source), "--output", str(target))
        )
        assert told.startswith(f"{source}: ")
        assert expected in told
        assert target.read_text() == "before"
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "out.csv"])

    def test_file_that_is_not_there(self, small_run: Project, tmp_path: Path) -> None:
        told = refused(keras_repro(small_run, "predict", "--file", str(tmp_path / "no.csv")))
        assert told == f"{tmp_path / 'no.csv'}: not found; expected a file with reviews"

    def test_text_beside_a_file(self, small_run: Project, tmp_path: Path) -> None:
        told = refused(keras_repro(small_run, "predict", "--file", str(tmp_path / "a.csv"), TEXT))
        assert told.endswith(f"found the text {TEXT!r} beside it; expected the file alone")

    def test_a_killed_run_leaves_nothing_half_written(
        self, small_run: Project, tmp_path: Path
    ) -> None:
        source, target = tmp_path / "in.csv", tmp_path / "out.csv"
        source.write_bytes(table([["text"], *[[f"{TEXT}{n}"] for n in range(60_000)]]))
        arguments = ["predict", "--file", str(source), "--output", str(target)]
        with subprocess.Popen(
            [sys.executable, "-m", MODULE, *arguments],
            cwd=small_run.root,
            env=small_run.environment(),
            stderr=subprocess.DEVNULL,
        ) as process:
            while not any(path.stat().st_size for path in tmp_path.glob(".out.csv.*.tmp")):
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        assert not target.exists()
        source.write_bytes(table([["text"], [TEXT]]))
        said(keras_repro(small_run, *arguments))
        assert len(target.read_text("utf-8").splitlines()) == 2
        assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


class TestExplain:
    def test_words_by_strength(self, small_run: Project) -> None:
        head, *words = said(keras_repro(small_run, "explain", TEXT))
        assert head.endswith(TEXT.replace("，", ","))
        strengths = [float(line.split()[0]) for line in words]
        assert "".join(sorted("".join(line.split()[1] for line in words))) == "".join(
            sorted(TEXT.replace("，", ","))
        )
        assert [abs(each) for each in strengths] == sorted(map(abs, strengths), reverse=True)

    def test_as_json_in_the_order_of_the_text(self, small_run: Project) -> None:
        (line,) = said(keras_repro(small_run, "explain", "--json", TEXT))
        answer = json.loads(line)
        assert "".join(word["word"] for word in answer["words"]) == answer["text"]


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    with np.load(ROOT / "tests/fixtures/mnist.npz") as data:
        return data["x_test"], data["y_test"]


class TestPictures:
    def test_a_digit_as_mnist_has_it(
        self, small_run: Project, digits: tuple[np.ndarray, np.ndarray], tmp_path: Path
    ) -> None:
        path = tmp_path / "image.png"
        Image.fromarray(digits[0][0]).save(path)
        told = said(
            keras_repro(small_run, "predict", "--model", "mnist_sequential", "--json", str(path))
        )
        answer = json.loads(told[0])
        assert sorted(answer["probabilities"]) == list("0123456789")
        assert sum(answer["probabilities"].values()) == pytest.approx(1)
        assert answer["probabilities"][answer["label"]] == max(answer["probabilities"].values())

    def test_size_place_and_colour_of_the_ink_make_little_difference(
        self, digits: tuple[np.ndarray, np.ndarray]
    ) -> None:
        originals = digits[0][:40].astype(int)
        nearest = []
        for digit in digits[0][:40]:
            large = Image.fromarray(255 - digit).resize((140, 140), Image.Resampling.BICUBIC)
            paper = Image.new("L", (400, 300), 255)
            paper.paste(large, (200, 20))
            found = as_digit(paper.convert("RGB"), "drawn", (28, 28))
            nearest.append(np.abs(originals - found).sum(axis=(1, 2)).argmin())
            np.testing.assert_array_equal(
                as_digit(Image.fromarray(digit).convert("RGB"), "plain", (28, 28)), digit
            )
        # One that is off by a pixel is nearer to others.
        assert (np.array(nearest) == np.arange(40)).sum() >= 38

    def test_two_specks_on_a_wide_paper(self, small_run: Project, tmp_path: Path) -> None:
        pixels = np.full((200, 5_000), 255, np.uint8)
        pixels[5, 5] = pixels[190, 4_990] = 0
        Image.fromarray(pixels).save(tmp_path / "specks.png")
        path = str(tmp_path / "specks.png")
        result = keras_repro(small_run, "predict", "--model", "mnist_sequential", path)
        assert result.returncode == 1
        assert result.stderr == (
            f"error: {path}: what is drawn on it is too small beside the whole; expected a digit\n"
        )

    @pytest.mark.parametrize("format_", ["EPS", "ICO", "TIFF", "PPM"])
    def test_formats_that_nobody_needs(
        self, small_run: Project, tmp_path: Path, format_: str
    ) -> None:
        path = tmp_path / "image.png"
        Image.new("RGB", (64, 64)).save(path, format_)
        result = keras_repro(small_run, "predict", "--model", "cifar10_cnn", str(path))
        assert result.returncode == 1
        assert result.stderr == (
            f"error: {path}: no picture that can be read; expected PNG, JPEG, GIF, BMP, WEBP\n"
        )

    def test_a_photograph(self, small_run: Project, tmp_path: Path) -> None:
        path = tmp_path / "photo.jpg"
        Image.effect_noise((200, 120), 90).convert("RGB").save(path)
        (line,) = said(keras_repro(small_run, "predict", "--model", "cifar10_cnn", str(path)))
        assert line.split()[0] in {
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        }

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            (b"", "no picture that can be read; expected PNG, JPEG, GIF, BMP, WEBP"),
            (b"no picture", "no picture that can be read; expected PNG, JPEG, GIF, BMP, WEBP"),
            (None, "not found; expected a picture"),
        ],
    )
    def test_picture_that_is_none(
        self, small_run: Project, tmp_path: Path, content: bytes | None, expected: str
    ) -> None:
        path = tmp_path / "x.png"
        if content is not None:
            path.write_bytes(content)
        told = refused(keras_repro(small_run, "predict", "--model", "mnist_sequential", str(path)))
        assert told == f"{path}: {expected}"

    @pytest.mark.parametrize("kind", ["damaged", "empty", "huge"])
    def test_picture_without_a_digit(self, small_run: Project, tmp_path: Path, kind: str) -> None:
        path = tmp_path / "x.png"
        size = (5000, 5000) if kind == "huge" else (60, 60)
        Image.new("L", size, 255).save(path)
        if kind == "damaged":
            path.write_bytes(path.read_bytes()[:-30])
        told = refused(keras_repro(small_run, "predict", "--model", "mnist_sequential", str(path)))
        expected = {
            "damaged": "damaged (",
            "empty": "nothing is drawn on it; expected a digit",
            "huge": "5000 × 5000 pixels; expected at most 16,777,216 in all",
        }
        assert told.startswith(f"{path}: {expected[kind]}")

    def test_no_picture_at_all(self, small_run: Project) -> None:
        told = refused(keras_repro(small_run, "predict", "--model", "mnist_sequential"))
        assert told == "mnist_sequential: no picture; expected the path of one or more"
