"""The report holds what metrics/ says."""

import base64
import functools
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import MODELS, ROOT, Project
from PIL import Image
from reported import DOT, LAYERS, MAIN_TABLE, Parsed, all_sections, rendered, rows_of

from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.metrics import SCORES
from keras_repro.datasets import registry
from keras_repro.reporting import (
    capabilities,
    changes,
    curves,
    drawings,
    galleries,
    graphs,
    overview,
    page,
    programs,
    readings,
)
from keras_repro.reporting.results import TUTORIAL

IMAGE_MODELS = [name for name in MODELS if not name.startswith("sentiment_")]


SECTIONS = [
    *("headline", "sentiment", "behaviour", "images", "reviews", "results"),
    *("training", "confusion", "curves", "trust", "models", "pipeline"),
]


@functools.cache
def raw_images(path: Path) -> np.ndarray:
    return files.read_npz(path, ["x_test"])["x_test"]


def test_every_section_and_every_model_is_there(whole: str) -> None:
    parsed = Parsed(whole)
    expected = [SECTIONS[0], "changes", *SECTIONS[1:]]
    assert [of["id"] for tag, of in parsed.tags if tag == "section"] == expected
    linked = [of["href"] for tag, of in parsed.tags if tag == "a" and "class" not in of]
    assert linked == [f"#{key}" for key in expected]
    assert list(parsed.rows(MAIN_TABLE)) == MODELS
    labels = parsed.attributes("aria-label")
    for name in MODELS:
        epochs = 3 if name == "sentiment_hybrid" else 2  # one of each part
        assert any(label.startswith(f"{name}, accuracy in {epochs} epochs") for label in labels)
        assert any(re.match(rf"{name}: \d+ of \d+ right", label) for label in labels)
    assert "baseline_snownlp" in whole  # named as not measured yet
    assert parsed.texts["h1"] == ["keras-repro: report"]


def test_metrics_are_those_of_the_run(whole: str, changed: Project) -> None:
    for name, cells in Parsed(whole).rows(MAIN_TABLE).items():
        measured = files.read_json(changed.root / paths.metrics(name))
        for metric, cell in zip(overview.TITLES, cells, strict=True):
            shown = float(cell.text.replace(",", ""))
            assert shown == pytest.approx(measured[metric], abs=0.00005), (name, metric)


def test_committed_metrics_stand_with_intervals_and_the_tutorial(committed: params.Params) -> None:
    parsed = rendered(overview.results(committed))
    rows = parsed.rows(MAIN_TABLE)
    known = readings.comparison().metrics
    classifiers = [
        path.stem
        for path in paths.METRICS.glob("*.json")
        if set(SCORES) <= set(files.read_json(path))
    ]
    assert sorted(rows) == sorted(classifiers)
    for name, cells in rows.items():
        measured = files.read_json(paths.metrics(name))
        for metric, cell in zip(overview.TITLES, cells, strict=True):
            assert float(cell.text.replace(",", "")) == pytest.approx(measured[metric], abs=0.00005)
            small = []
            if f"{metric}_low" in known.get(name, {}):
                low, high = known[name][f"{metric}_low"], known[name][f"{metric}_high"]
                small.append(f"{low:.3f} to {high:.3f}")
            if metric in TUTORIAL.get(name, {}):
                small.append(f"tutorial {TUTORIAL[name][metric]:.4f}")
            assert cell.small == small, (name, metric)
    assert any(cell.small for cells in rows.values() for cell in cells)


def test_an_interval_of_another_run_is_left_out(committed: params.Params) -> None:
    path = paths.metrics("sentiment_hybrid")
    found = files.read_json(path)
    files.write_json(path, found | {"f1": found["f1"] + 0.001})
    cells = rendered(overview.results(committed)).rows(MAIN_TABLE)["sentiment_hybrid"]
    shown = dict(zip(overview.TITLES, cells, strict=True))
    assert not shown["f1"].small
    assert shown["accuracy"].small


def test_what_is_no_classifier_is_listed_apart(committed: params.Params) -> None:
    other = files.read_json(paths.metrics("seq2seq_many_to_one"))
    section = overview.results(committed)
    (table,) = [block for block in section.blocks if getattr(block, "folded", False)]
    (group,) = [group for group in table.groups if group.title == "seq2seq_many_to_one"]
    assert dict(group.rows) == {key: overview.number(value) for key, value in other.items()}
    # Counts of reviews and of layers are of no model.
    assert not {group.title for group in table.groups} & {"reviews", "layers", "sentiment"}
    assert "Not measured yet" not in page.render([section])


def test_curves_show_all_that_tell_sentiment(committed: params.Params) -> None:
    everyone = registry.of_reviews(committed.models) + committed.baseline_names
    parsed = rendered(curves.trade_offs(committed), curves.trust(committed))
    legends = {
        label: {text for text in everyone if f">{text}</text>" in svg}
        for svg, label in re.findall(
            r'(<svg[^>]*aria-label="([^"]*)".*?</svg>)',
            page.render([curves.trade_offs(committed), curves.trust(committed)]),
            re.DOTALL,
        )
    }
    assert [label.partition(":")[0] for label in legends] == [
        "precision against recall; areas below",
        "true positive rate against false positive rate; areas below",
        "How far the share of positive reviews is from the probability",
        "F1 by words",
    ]
    assert all(named == set(everyone) for named in legends.values())
    areas = parsed.rows("Areas below the curves that are drawn")
    assert list(areas) == everyone
    for name, (_, roc) in areas.items():
        points = [list(map(float, row.values())) for row in rows_of(paths.plots(name) / "roc.csv")]
        x, y = np.array(points).T
        assert float(roc.text) == pytest.approx(np.trapezoid(y, x), abs=0.00005)


def test_cells_of_a_confusion_matrix_are_counts(committed: params.Params) -> None:
    html = page.render([curves.confusion(["cifar10_cnn"])])
    rows = rows_of(paths.plots("cifar10_cnn") / "confusion.csv")
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = row["actual"], row["predicted"]
        counts[key] = counts.get(key, 0) + 1
    numbers = re.findall(r">(\d+)</text>", html)
    assert sorted(map(int, numbers)) == sorted(counts.values())
    right = sum(count for (actual, predicted), count in counts.items() if actual == predicted)
    assert f"cifar10_cnn: {right:,} of {len(rows):,} right; most often" in html


def test_galleries_show_the_images_that_are_listed(whole: str, changed: Project) -> None:
    pictures = [of for tag, of in Parsed(whole).tags if tag == "img"]
    expected = {
        name: rows_of(changed.root / paths.plots(name) / "mistakes.csv")[: galleries.IMAGES]
        for name in IMAGE_MODELS
    }
    listed = [(name, row) for name, rows in expected.items() for row in rows]
    assert [of["alt"] for of in pictures] == [
        f"true class {row['actual']}, predicted {row['predicted']}" for _, row in listed
    ]
    for name, rows in expected.items():
        total = len(rows_of(changed.root / paths.plots(name) / "mistakes.csv"))
        assert f"{len(rows)} of the {total} in " in whole
    for of, (name, row) in zip(pictures, listed, strict=True):
        content = base64.b64decode(of["src"].removeprefix("data:image/png;base64,"))
        images = raw_images(changed.root / paths.raw_images(name.partition("_")[0]))
        assert np.array_equal(np.array(Image.open(io.BytesIO(content))), images[int(row["row"])])


def test_reviews_stand_with_the_words_that_were_seen(whole: str, changed: Project) -> None:
    parsed = Parsed(whole)
    shown = {
        name: rows_of(changed.root / paths.plots(name) / "mistakes.csv")[: galleries.REVIEWS]
        for name in MODELS
        if name not in IMAGE_MODELS
    }
    texts = [row["text"] for rows in shown.values() for row in rows]
    assert texts
    for text, quoted in zip(texts, parsed.texts["blockquote"], strict=True):
        assert quoted == text or quoted == f"{text[: galleries.CHARACTERS]}…"
    words = [text for text in parsed.texts["p"] if text.startswith("Words seen: ")]
    assert [text.removeprefix("Words seen: ") for text in words] == [
        row["words"] if len(row["words"]) <= galleries.CHARACTERS else f"{row['words'][:200]}…"
        for row in shown["sentiment_bilstm"]
        if row["words"]
    ]


def test_text_of_a_review_is_no_html(committed: params.Params) -> None:
    path = paths.plots("sentiment_hybrid") / "mistakes.csv"
    evil = "<script>alert('x')</script>"
    row = (0, "negative", "<b>positive</b>", 0.9, "0", evil)
    files.write_csv(path, ("row", "actual", "predicted", "probability", "id", "text"), [row])
    parsed = rendered(galleries.reviews(committed))
    assert evil in parsed.texts["blockquote"]
    assert not {"script", "b"} & {tag for tag, _ in parsed.tags}


def test_a_review_may_say_na(committed: params.Params) -> None:
    path = paths.plots("sentiment_hybrid") / "mistakes.csv"
    row = (0, "negative", "positive", 0.9, "0", "NA")
    files.write_csv(path, ("row", "actual", "predicted", "probability", "id", "text"), [row])
    assert "NA" in rendered(galleries.reviews(committed)).texts["blockquote"]


def test_networks_are_drawn_from_their_graphs(whole: str) -> None:
    parsed = Parsed(whole)
    assert LAYERS in parsed.texts["pre"]
    if shutil.which("dot"):
        assert f"Layers of {MODELS[0]}" in parsed.attributes("aria-label")
        assert {"InputLayer", "Dense", "part"} <= set(parsed.texts["text"])
    assert "Not drawn yet: " in whole


def test_graphs_are_drawn_by_graphviz_alone(
    committed: params.Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = paths.diagram(MODELS[0])
    files.write_bytes(place, DOT.encode())
    files.write_bytes(paths.summary(MODELS[0]), LAYERS.encode())
    dag = 'strict digraph {\n"a";\n"more/dvc.yaml:b@c";\n"a" -> "more/dvc.yaml:b@c";\n}\n'
    monkeypatch.setattr(programs, "dvc", lambda *_: dag)
    monkeypatch.setattr(programs.shutil, "which", lambda _: None)
    parsed = rendered(graphs.models([MODELS[0]]), graphs.pipeline(graphs.read()))
    assert not [tag for tag, _ in parsed.tags if tag == "svg"]
    assert parsed.texts["pre"] == [LAYERS]
    assert sum("Graphviz is not installed" in text for text in parsed.texts["p"]) == 2
    needs = parsed.rows("Stages of more/dvc.yaml and what they need")
    assert needs["b@c"][0].text == "a"
    assert not [tag for tag, _ in parsed.tags if tag == "details"]


@pytest.mark.skipif(not shutil.which("dot"), reason="needs Graphviz")
def test_a_broken_graph_is_named(committed: params.Params) -> None:
    files.write_bytes(paths.diagram("cifar10_cnn"), b"digraph { a -> ")
    with pytest.raises(ReproError, match=r"models/cifar10_cnn/model\.dot: Graphviz cannot draw it"):
        graphs.models(["cifar10_cnn"])


def test_the_pipeline_is_that_of_dvc(whole: str, changed: Project) -> None:
    parsed = Parsed(whole)
    found = graphs.parse(changed.dvc("dag", "--dot").stdout)
    assert len(found.stages) > 40
    shown = {
        (f"{file}:{stage}" if file != "dvc.yaml" else stage): cells[0].text
        for caption in parsed.tables
        if (file := caption.removeprefix("Stages of ").removesuffix(" and what they need"))
        != caption
        for stage, cells in parsed.rows(caption).items()
    }
    assert shown == {stage: ", ".join(found.needs(stage)) or "nothing" for stage in found.stages}
    if shutil.which("dot"):
        assert "Stages of stages/tutorial/dvc.yaml" in parsed.attributes("aria-label")


def test_changes_are_those_of_the_second_commit(whole: str, changed: Project) -> None:
    parsed = Parsed(whole)
    now = files.read_json(changed.root / paths.metrics("mnist_sequential"))["accuracy"]
    before = json.loads(changed.git("show", "HEAD~1:metrics/mnist_sequential.json"))["accuracy"]
    rows = parsed.rows("Changed metrics")
    assert list(rows) == ["accuracy"]
    shown = [float(cell.text) for cell in rows["accuracy"]]
    assert shown == pytest.approx([before, now, now - before], abs=1e-6)
    rows = parsed.rows("Changed parameters")
    assert list(rows) == ["models.mnist_sequential.batch_size"]
    before_size = params.load(ROOT / paths.PARAMS).models["mnist_sequential"]["batch_size"]
    assert [cell.text for cell in rows["models.mnist_sequential.batch_size"]] == [
        str(before_size),
        "77",
        f"{77 - before_size:+}",
    ]
    drawn = [label for label in parsed.attributes("aria-label") if "now and in HEAD~1" in label]
    assert drawn == ["metrics/history/mnist_sequential.csv, now and in HEAD~1"]


def test_what_one_side_lacks_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"a.json": {"new": {"new": 1}, "both": {"old": "x", "new": "y"}}}
    spec = {"data": {"values": [{"x": 1, "rev": "workspace"}]}}
    plots = {"data": {"curve": [{"type": "vega", "content": spec}]}}
    answers = {"metrics": values, "params": {}, "plots": plots}
    monkeypatch.setattr(programs, "dvc", lambda kind, *_: json.dumps(answers[kind]))
    parsed = rendered(changes.section(changes.read("main")))
    assert [cell.text for cell in parsed.rows("Changed metrics")["both"]] == ["x", "y", ""]
    alone = parsed.rows("Metrics that only one of the two has")
    assert [cell.text for cell in alone["new"]] == ["–", "1", ""]
    assert parsed.rows("Plots that only one of the two has")["curve"][0].text == "now"
    assert "None of the parameters that both have differ." in parsed.texts["p"]


def test_an_unknown_revision_is_named_in_one_line(changed: Project) -> None:
    target = changed.root / "build/kept.html"
    target.parent.mkdir(exist_ok=True)
    target.write_text("earlier")
    result = changed.command("report", "--rev", "nowhere", "--out", str(target))
    assert result.returncode == 1
    assert re.fullmatch(r"error: REV nowhere: .*unknown Git revision 'nowhere'.*\n", result.stderr)
    assert target.read_text() == "earlier"
    assert [path.name for path in target.parent.glob(".kept*")] == []


def test_a_clone_has_a_report_that_says_what_is_missing(bare: str) -> None:
    parsed = Parsed(bare)
    assert [of["id"] for tag, of in parsed.tags if tag == "section"] == SECTIONS
    assert not [tag for tag, _ in parsed.tags if tag == "img"]
    assert list(parsed.rows(MAIN_TABLE)) == [name for name in MODELS if name != "cifar10_cnn"]
    (told,) = [text for text in parsed.texts["p"] if text.startswith("Not measured yet: ")]
    assert "cifar10_cnn" in told
    assert "mnist_sequential" not in told
    (told,) = [text for text in parsed.texts["p"] if "data/raw/mnist.npz is not there" in text]
    assert "The images are not shown" in told
    assert parsed.rows("Images misread by mnist_sequential")
    assert "Images misread by mnist_functional" not in parsed.tables
    for name in (SENTIMENT, BEHAVIOUR):
        assert f"{name} is not there" in "".join(parsed.texts["p"])


def test_nothing_at_all_is_no_fault(committed: params.Params) -> None:
    shutil.rmtree(paths.METRICS)
    parsed = rendered(*all_sections(committed))
    assert not parsed.tables
    assert not {tag for tag, _ in parsed.tags} & {"svg", "img"}
    (told,) = [text for text in parsed.texts["p"] if text.startswith("Not measured yet: ")]
    assert all(name in told for name in MODELS)


def test_images_of_another_run_are_not_shown(committed: params.Params) -> None:
    listed = rows_of(paths.plots("mnist_sequential") / "mistakes.csv")
    images = np.zeros((10_000, 28, 28), np.uint8)
    labels = np.zeros(10_000, np.uint8)
    for row in [*listed, *rows_of(paths.plots("mnist_functional") / "mistakes.csv")]:
        labels[int(row["row"])] = int(row["actual"])
    files.write_npz(paths.raw_images("mnist"), {"x_test": images, "y_test": labels})
    assert len([1 for tag, _ in rendered(galleries.images(committed)).tags if tag == "img"]) == 48
    place = int(listed[-1]["row"])
    labels[place] = (labels[place] + 1) % 10
    files.write_npz(paths.raw_images("mnist"), {"x_test": images, "y_test": labels})
    parsed = rendered(galleries.images(committed))
    assert "mnist.npz is of another run" in "".join(parsed.texts["p"])
    shown = parsed.rows("Images misread by mnist_sequential")
    assert list(shown) == [row["row"] for row in listed[: galleries.IMAGES]]


def test_a_flawless_model_has_an_empty_list(committed: params.Params) -> None:
    path = paths.plots("cifar10_cnn") / "mistakes.csv"
    files.write_csv(path, ("row", "actual", "predicted", "probability"), [])
    assert f"None is listed in {path}." in rendered(galleries.images(committed)).texts["p"]


RESULTS, SENTIMENT, BEHAVIOUR, TRAINING, MISTAKES, PARTS = (
    "metrics/cifar10_cnn.json",
    "metrics/sentiment.json",
    "metrics/behaviour.json",
    "metrics/history/cifar10_cnn.csv",
    "metrics/plots/cifar10_cnn/mistakes.csv",
    "metrics/plots/sentiment/parts.csv",
)


MAKERS = {
    RESULTS: overview.results,
    SENTIMENT: lambda _: overview.sentiment(),
    BEHAVIOUR: lambda _: capabilities.section(),
    TRAINING: lambda _: curves.training(["cifar10_cnn"]),
    MISTAKES: galleries.images,
    PARTS: curves.trust,
}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (RESULTS, "{", "no whole JSON file"),
        (RESULTS, '{"f1": "good"}', "something else than numbers"),
        (SENTIMENT, '{"baseline": "b"}', "names no baseline"),
        (SENTIMENT, '{"baseline": "b", "b": {"f1": 1}}', "b lacks accuracy"),
        (BEHAVIOUR, '{"b": {"cases": 0.5}}', "b lacks plain"),
        (BEHAVIOUR, '{"b": "good"}', "something else than numbers"),
        (TRAINING, "", "expected the columns epoch"),
        (TRAINING, "epoch,loss\n1,2\n", "expected the columns epoch"),
        (MISTAKES, "row\nx\n", "expected the columns row"),
        (PARTS, "model,by,part,f1,n_test\na,b,c,d,e\n", "cannot be read"),
    ],
)
def test_a_file_at_fault_is_named(
    committed: params.Params, name: str, content: str, message: str
) -> None:
    MAKERS[name](committed)
    Path(name).write_text(content)
    with pytest.raises(ReproError, match=rf"^{re.escape(name)}: .*{re.escape(message)}"):
        MAKERS[name](committed)


def test_a_training_that_diverged_is_drawn(committed: params.Params) -> None:
    header = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
    rows = [(1, 0.5, 0.5, 0.5, 0.5, 0.1), (2, float("nan"), 0.5, float("inf"), 0.5, 0.1)]
    files.write_csv(paths.history("cifar10_cnn"), header, rows)
    html = page.render([curves.training(["cifar10_cnn"])])
    assert "cifar10_cnn, loss in 2 epochs: training 0.500 to nan" in html


def test_equal_inputs_give_equal_bytes(committed: params.Params) -> None:
    first, second = (
        page.render([curves.trade_offs(committed), curves.confusion(MODELS), overview.sentiment()])
        for _ in range(2)
    )
    assert first == second


def test_names_within_a_picture_begin_with_its_own() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="8pt" height="9pt" role="graphics-document">'
        '<g id="a" fill="url(#b)" stroke="#abc" aria-hidden="true"/><b id="b"/></svg>'
    )
    drawn = drawings.element(svg, "x y", 'a "label"')
    assert drawn == (
        '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="9" role="img" '
        'aria-label="a &quot;label&quot;"><g id="x-y-0" fill="url(#x-y-1)" stroke="#abc" />'
        '<b id="x-y-1" /></svg>'
    )


def test_what_vega_cannot_draw_is_named() -> None:
    with pytest.raises(ReproError, match=r"^a plot, now and before: Vega-Lite cannot draw it"):
        drawings.of_vega({"mark": "nothing", "data": 3}, "key", "a plot, now and before")
