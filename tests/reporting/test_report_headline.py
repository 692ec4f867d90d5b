"""What a reader of the report sees first, and that it says the same in both languages."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from conftest import MODELS, Project
from reported import (
    Parsed,
    rendered,
)

from keras_repro.core import files, params, paths
from keras_repro.evaluation import behaviour
from keras_repro.reporting import (
    capabilities,
    headline,
    intervals,
    overview,
    page,
    readings,
)
from keras_repro.reporting.blocks import Card, Cards, Scale
from keras_repro.reporting.chinese import CHINESE
from keras_repro.reproducibility import lock


def test_what_tells_sentiment_is_shown_best_first(committed: params.Params) -> None:
    found = files.read_json(paths.metrics("sentiment"))
    baseline = found.pop("baseline")
    rows = rendered(overview.sentiment()).rows("What tells sentiment, the best F1 first")
    assert list(rows) == sorted(found, key=lambda name: -found[name]["f1"])
    for name, (f1, gain, p, brier, threshold, with_it, above) in rows.items():
        of = found[name]
        assert f1.text == f"{of['f1']:.4f}"
        assert f1.small == [f"{of['f1_low']:.3f} to {of['f1_high']:.3f}"]
        assert brier.text == f"{of['brier']:.3f}"
        assert threshold.text == f"{of['threshold']:.2f}"
        assert with_it.text == f"{of['f1_at_threshold']:.4f}"
        if name == baseline:
            assert (gain.text, p.text, above.text) == ("the baseline", "", "the baseline")
        else:
            for shown, metric in ((gain, "f1_gain"), (above, "f1_at_threshold_gain")):
                assert shown.text == f"{of[metric]:+.4f}"
                assert shown.small == [f"{of[f'{metric}_low']:+.3f} to {of[f'{metric}_high']:+.3f}"]
            expected = "< 0.0001" if of["p_against_baseline"] < 0.0001 else None
            assert p.text == (expected or f"{of['p_against_baseline']:.4f}")


def test_short_texts_are_shown_by_capability(committed: params.Params) -> None:
    found = files.read_json(paths.metrics("behaviour"))
    section = capabilities.section()
    rows = rendered(section).rows("Shares that are right")
    order = sorted(found, key=lambda name: -found[name]["cases"])
    items = [*behaviour.read_cases(), *behaviour.read_pairs()]
    counts = Counter(item.capability for item in items)
    assert list(rows) == [name.replace("_", " ") for name in counts]
    for capability, count in counts.items():
        shown = [cell.text for cell in rows[capability.replace("_", " ")]]
        assert shown == [str(count), *(f"{found[name][capability]:.2f}" for name in order)]
    (chart,) = [block for block in section.blocks if isinstance(block, Scale)]
    # The best two models, and the best baseline.
    drawn = ["sentiment_hybrid", "sentiment_bilstm"]
    drawn += [name for name in order if name.startswith("baseline_")][:1]
    assert chart.legend[:2] == tuple(drawn[:2])
    for line, (capability, count) in zip(chart.lines, counts.items(), strict=True):
        places = {mark.series: mark.at for mark in line.marks}
        assert places == {series: found[name][capability] for series, name in enumerate(drawn)}
        right, all_of = map(int, line.shown.split("/"))
        assert all_of == count
        assert right / count == pytest.approx(found[drawn[0]][capability], abs=1e-6)


def test_intervals_are_drawn_where_they_are(committed: params.Params) -> None:
    found = readings.comparison().metrics
    chart, *_ = overview.sentiment().blocks
    assert isinstance(chart, Scale)
    labels = [float(label) for label, _ in chart.ticks]

    def value(at: float) -> float:
        return labels[0] + at * (labels[-1] - labels[0])

    order = sorted(found, key=lambda name: -found[name]["f1"])
    for name, line in zip(order, chart.lines, strict=True):
        (mark,) = line.marks
        of = found[name]
        assert mark.series == name.startswith("baseline_")
        assert [value(at) for at in (mark.low, mark.at, mark.high)] == pytest.approx(
            [of["f1_low"], of["f1"], of["f1_high"]]
        )
        assert 0 <= mark.low < mark.at < mark.high <= 1
        assert f"{of['f1']:.3f}" in line.shown


@pytest.mark.parametrize(("low", "high"), [(0.84, 0.85), (0.728, 0.88), (0.3, 0.9), (0.0, 1.0)])
def test_a_scale_has_few_ticks_around_all(low: float, high: float) -> None:
    chart = intervals.forest("", {"a": ((low + high) / 2, low, high)}, {"a": ""}, [])
    assert 2 <= len(chart.ticks) <= 8
    (mark,) = chart.lines[0].marks
    assert 0 <= mark.low < mark.high <= 1


def cards(settings: params.Params) -> dict[str, Card]:
    (block,) = headline.section(settings).blocks
    assert isinstance(block, Cards)
    return {card.title: card for card in block.cards}


def test_the_best_of_each_task_stands_first(committed: params.Params) -> None:
    lines = cards(committed)["Best on each task"].lines
    tasks = {"Reviews": "f1", "Digits": "accuracy", "Photographs": "accuracy"}
    for line, (task, metric), begin in zip(
        lines, tasks.items(), ("sentiment_", "mnist_", "cifar10_"), strict=True
    ):
        measured = {name: readings.metrics(name)[metric] for name in MODELS if begin in name}
        best = max(measured, key=measured.__getitem__)
        assert task in line
        assert best in line
        assert f"<b>{measured[best]:.3f}</b>" in line
        low, high = map(float, re.search(r"95 %: (\S+) to (\d\.\d+)", line).groups())
        assert low < measured[best] < high


def test_no_interval_is_taken_from_another_run(committed: params.Params) -> None:
    for name in ("sentiment_hybrid", "sentiment_bilstm", "cifar10_cnn"):
        measured = files.read_json(paths.metrics(name))
        changed = {"f1": measured["f1"] + 0.001, "accuracy": measured["accuracy"] + 0.001}
        files.write_json(paths.metrics(name), measured | changed)
    reviews, digits, photographs = cards(committed)["Best on each task"].lines
    assert "95 %" not in reviews + photographs
    assert "95 %" in digits


def test_baselines_are_beaten_or_not(committed: params.Params) -> None:
    card = cards(committed)["Against the baselines"]
    found = files.read_json(paths.metrics("sentiment"))
    scores = {name: of["f1"] for name, of in found.items() if name != "baseline"}
    best = max((name for name in scores if name in MODELS), key=scores.__getitem__)
    baselines = [name for name in scores if name not in MODELS]
    below = sum(scores[name] < scores[best] for name in baselines)
    assert card.figure == f"{below} of {len(baselines)}"
    assert f"{found[best]['f1_gain']:+.3f} ({found[best]['f1_gain_low']:+.3f} to " in card.lines[1]
    for low, told in ((0.001, "hardly explains it"), (-0.001, "may explain it")):
        found[best]["f1_gain_low"] = low
        files.write_json(paths.metrics("sentiment"), found)
        assert told in cards(committed)["Against the baselines"].lines[-1]


def test_minimum_metrics_are_counted(committed: params.Params) -> None:
    title = "What was checked"
    met, of, all_of = cards(committed)[title].figure.split()
    assert (met, of) == (all_of, "of")
    measured = files.read_json(paths.metrics("cifar10_cnn"))
    files.write_json(paths.metrics("cifar10_cnn"), measured | {"accuracy": 0.1})
    assert cards(committed)[title].figure == f"{int(all_of) - 1} of {all_of}"
    paths.GATES.unlink()
    assert title not in cards(committed)  # nor is there a lock here


def test_files_are_compared_with_the_lock(whole: str, changed: Project) -> None:
    recorded = [path for path in lock.outputs(changed.root) if path.parts[0] == "metrics"]
    told = next(text for text in Parsed(whole).texts["p"] if "are those that" in text)
    # The metrics and the history of one model were changed after the run.
    assert told == (
        f"{len(recorded) - 2} of {len(recorded)} files in metrics/ are those that dvc.lock records."
    )


def test_every_text_is_in_both_languages() -> None:
    """What the code says has a place in the table of Chinese, and what stands there is said."""
    constants: set[str] = set()
    said: set[str] = set()
    for path in Path(page.__file__).parent.glob("*.py"):
        if path.name == "chinese.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                constants.add(node.value)
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if is_call and node.func.id in ("say", "tell"):
                said |= {of.value for of in node.args[:1] if isinstance(of, ast.Constant)}
    for path in page.TEMPLATES.glob("*.html"):
        said |= set(re.findall(r'(?:say|tell)\("([^"]*)"', path.read_text("utf-8")))
    spaced = {name.replace("_", " ") for name in constants}
    assert said <= set(CHINESE)
    assert set(CHINESE) <= said | constants | spaced
    for english, translated in CHINESE.items():
        assert english.count("{") == translated.count("{"), english


def test_the_report_in_chinese_says_the_same(whole: str, chinese: str) -> None:
    english, other = Parsed(whole), Parsed(chinese)
    assert 'lang="zh-CN"' in chinese
    assert [tag for tag, _ in english.tags] == [tag for tag, _ in other.tags]

    def numbers(parsed: Parsed) -> list[list[str]]:
        return [
            re.findall(r"\d[\d.,]*", cell.text)
            for rows in parsed.tables.values()
            for row in rows
            for cell in row[1:]
        ]

    assert numbers(english) == numbers(other)
    for heading in other.texts["h2"] + other.texts["caption"] + other.texts["th"]:
        is_name = re.fullmatch(r"[\w./:@ -]*|F1|ROC|p|fastText", heading.strip(), re.ASCII)
        assert is_name or re.search(r"[\u4e00-\u9fff]", heading), heading
