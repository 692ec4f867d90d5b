"""Short texts by capability: the files that hold them, and what counts as right."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from conftest import ROOT

from keras_repro.core.errors import ReproError
from keras_repro.evaluation import behaviour
from keras_repro.evaluation.behaviour import Answers, Case, Failure, Pair

SHARED = ROOT.parent / "shared/behaviour/cases.tsv"
CASES = behaviour.read_cases(ROOT / behaviour.CASES)
PAIRS = behaviour.read_pairs(ROOT / behaviour.PAIRS)
HEADS = {
    behaviour.read_cases: "capability\texpected\tuse\ttext\n",
    behaviour.read_pairs: "capability\texpected\tuse\ttext\tchanged\n",
}


class TestFiles:
    def test_each_text_is_asked_once(self) -> None:
        texts = [case.text for case in CASES]
        assert len(set(texts)) == len(texts) > 400
        assert len(set(PAIRS)) == len(PAIRS) > 90
        assert all(pair.text != pair.changed for pair in PAIRS)

    def test_about_half_is_kept_from_choosing(self) -> None:
        for items in (CASES, PAIRS):
            capabilities = {item.capability for item in items}
            uses = Counter((item.capability, item.use) for item in items)
            for capability in capabilities:
                choice, report = (uses[capability, use] for use in behaviour.USES)
                assert 0 < report <= choice <= report + 2

    def test_a_capability_is_of_cases_or_of_pairs(self) -> None:
        assert not {case.capability for case in CASES} & {pair.capability for pair in PAIRS}

    @pytest.mark.skipif(not SHARED.is_file(), reason=f"{SHARED} is not here")
    def test_those_that_came_first_are_all_there(self) -> None:
        with SHARED.open(encoding="utf-8") as file:
            given = {tuple(row.values()) for row in csv.DictReader(file, delimiter="\t")}
        assert given <= {(case.capability, case.expected, case.text) for case in CASES}


@pytest.mark.parametrize(
    ("read", "rows", "expected"),
    [
        (
            behaviour.read_cases,
            "plain\tgood\tchoice\t好\n",
            "line 2 has 'good'; expected one of neg",
        ),
        (
            behaviour.read_cases,
            "plain\tpositive\tboth\t好\n",
            "line 2 has 'both'; expected one of ch",
        ),
        (
            behaviour.read_cases,
            "plain\tpositive\tchoice\t\n",
            "line 2 is ['plain', 'positive', 'choi",
        ),
        (
            behaviour.read_cases,
            "plain\tpositive\n",
            "line 2 is ['plain', 'positive']; expected cap",
        ),
        (
            behaviour.read_pairs,
            "a\tpositive\tchoice\t好\t坏\n",
            "line 2 has 'positive'; expected one",
        ),
        (
            behaviour.read_pairs,
            "a\tsame\tchoice\t好\n",
            "line 2 is ['a', 'same', 'choice', '好']; ",
        ),
    ],
)
def test_a_row_at_fault_is_named(read, rows: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "texts.tsv"
    path.write_text(HEADS[read] + rows, encoding="utf-8")
    with pytest.raises(ReproError) as told:
        read(path)
    assert str(told.value).startswith(f"{path}: {expected}")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "not found; expected it of the repository"),
        (b"text\n", "the columns are 'text'; expected capability, expected, use, text"),
        (b"", "the columns are ''; expected capability, expected, use, text"),
        (b"\xff\n", "'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_a_file_at_fault_is_named(content: bytes | None, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "cases.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReproError) as told:
        behaviour.read_cases(path)
    assert str(told.value).startswith(f"{path}: {expected}")


# `e` is too near to the threshold for a verdict.
ANSWERS = Answers(0.6, {"a": 0.625, "b": 0.57, "c": None, "d": 0.66, "e": 0.59})


@pytest.mark.parametrize(
    ("text", "verdict"), [("a", "positive"), ("b", "negative"), ("c", "none"), ("e", "none")]
)
def test_verdict_is_by_the_classifiers_own_threshold(text: str, verdict: str) -> None:
    assert ANSWERS.verdict(text) == verdict
    cases = [Case("x", expected, "choice", text) for expected in behaviour.VERDICTS]
    found = behaviour.failures(cases, ANSWERS)
    assert [failure is None for failure in found] == [
        expected == verdict for expected in behaviour.VERDICTS
    ]


@pytest.mark.parametrize(
    ("expected", "text", "changed", "found"),
    [
        ("same", "a", "d", None),
        ("same", "a", "b", "positive, negative"),
        ("same", "a", "c", "positive, none"),
        # A step within the slack is none.
        ("not_more_positive", "e", "a", None),
        ("not_more_positive", "d", "b", None),
        ("not_more_positive", "b", "d", "0.57, 0.66"),
        ("not_more_negative", "b", "d", None),
        ("not_more_negative", "d", "b", "0.66, 0.57"),
        ("not_more_negative", "d", "c", "0.66, none"),
    ],
)
def test_what_may_become_of_a_verdict(
    expected: str, text: str, changed: str, found: str | None
) -> None:
    (failure,) = behaviour.failures([Pair("x", expected, "choice", text, changed)], ANSWERS)
    wanted = None if found is None else Failure("x", expected, found, text, changed)
    assert failure == wanted


def test_shares() -> None:
    cases = [
        *(Case("many", "positive", "choice", "a") for _ in range(9)),
        Case("many", "negative", "report", "a"),
        Case("few", "negative", "report", "a"),
    ]
    pairs = [
        Pair("name", "same", "choice", "a", "b"),
        Pair("name", "same", "report", "a", "d"),
        Pair("worse", "not_more_positive", "report", "b", "d"),
        Pair("worse", "not_more_positive", "choice", "b", "b"),
    ]
    found = behaviour.metrics(cases, pairs, ANSWERS)
    assert found == pytest.approx(
        {
            "cases": 9 / 11,
            "invariance": 0.5,
            "direction": 0.5,
            "cases_report": 0.0,
            "invariance_report": 1.0,
            "direction_report": 0.0,
            "least": 0.9,
            "many": 0.9,
            "few": 0.0,
            "name": 0.5,
            "worse": 0.5,
        }
    )
