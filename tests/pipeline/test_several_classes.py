"""Three classes of stars and eight of labels, from the file to the answer of the service."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest
from conftest import FIXTURES, Project, Serving, called, make_project, make_small
from sklearn.metrics import f1_score

from keras_repro.bundles import explanation
from keras_repro.bundles.bundle import Bundle
from keras_repro.bundles.classifier import SentimentClassifier
from keras_repro.bundles.sentiment import Sentiment
from keras_repro.core import files, params, paths
from keras_repro.evaluation import behaviour
from keras_repro.reporting import (
    capabilities,
    curves,
    galleries,
    headline,
    language,
    overview,
    page,
)
from keras_repro.serving import command, metrics
from keras_repro.text import ragged, terms

# Short, as one of the baselines cuts but some thousand characters a second.
GOOD, BAD = (
    [text[:60] for text in (FIXTURES / f"{name}.txt").read_text("utf-8").splitlines()]
    for name in ("pos", "neg")
)
# Some are spellings of positive or negative elsewhere, or numbers.
MOODS = {
    "anger": "气死我了",
    "disgust": "真恶心",
    "fear": "吓死我了",
    "-2": "糟糕透顶",
    "好评": "非常喜欢",
    "sadness": "伤心难过",
    "surprise": "没想到啊",
    "joy": "哈哈哈",
}
PER_MOOD = 60
STARS = {"bad": [1, 2], "neutral": [3], "good": [4, 5]}


def rated() -> tuple[list[tuple[str, str]], dict]:
    rows = []
    for number in range(200):
        halves = f"{GOOD[200 + number][:30]}，但是{BAD[200 + number][:30]}"
        stars = 1 + number % 2
        rows += [(str(stars), BAD[number]), ("3", halves), (str(6 - stars), GOOD[number])]
    return rows, {"rating": "grade", "label": None, "classes": STARS}


def labelled() -> tuple[list[tuple[str, str]], dict]:
    texts = iter(GOOD + BAD)
    rows = [
        # Excel makes -2.0 of it; and one label goes by another name.
        ({"-2": "-2.0", "joy": "开心"}.get(mood, mood), f"{words}，{next(texts)[:20]}")
        for _ in range(PER_MOOD)
        for mood, words in MOODS.items()
    ]
    classes = [int(mood) if mood == "-2" else mood for mood in MOODS]
    settings = {"rating": None, "label": "grade", "classes": classes, "labels": {"开心": "joy"}}
    return rows, settings


CORPORA = {"three": rated, "eight": labelled}


@pytest.fixture(scope="module", params=list(CORPORA))
def run(request: pytest.FixtureRequest, shared: Callable, sources: list[str]) -> Project:
    """A small project after all stages that concern reviews."""

    def make(root: Path) -> None:
        project = make_project(root, sources)
        make_small(project, epochs=2)
        project.set("models.sentiment_hybrid.wide.epochs", 6)
        rows, settings = CORPORA[request.param]()
        with (root / "mine.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("grade", "text"), *rows])
        own = {"source": "file", "path": "mine.csv", "text": "text"}
        for key, value in (own | settings).items():
            project.set(f"reviews.{key}", value)
        project.git("init", "--quiet", ".")
        models = [f"export@{name}" for name in ("sentiment_bilstm", "sentiment_hybrid")]
        result = project.dvc("repro", *models, "stages/sentiment/dvc.yaml")
        assert result.returncode == 0, result.stdout + result.stderr
        (root / "told.txt").write_text(result.stderr, "utf-8")

    return Project(shared(f"classes_{request.param}", make))


@pytest.fixture(autouse=True)
def _there(run: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.root)


@pytest.fixture
def names() -> list[str]:
    return list(params.load().classes)


@pytest.fixture(scope="module")
def model(run: Project) -> Sentiment:
    return Sentiment(run.root / paths.bundle("sentiment_hybrid"), threads=1)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def judged() -> dict[str, Path]:
    from keras_repro.evaluation import predictions

    return predictions.of_reviews(params.load())


class TestStages:
    def test_every_row_has_its_class(self, run: Project, names: list[str]) -> None:
        counts = files.read_json(paths.REVIEW_COUNTS)
        rows = len(rows_of(Path("mine.csv")))
        assert counts["rows"] == rows
        assert counts["neutral"] == counts["rejected"] == 0
        kept = sum(counts[f"{split}_{name}"] for split in terms.SPLITS for name in names)
        assert kept == counts["kept"] > rows - 30
        for path in (paths.ENCODED_REVIEWS, paths.NGRAMS):
            assert list(ragged.read_classes(path)) == names
            assert set(ragged.read("train", path).labels) == set(range(len(names)))
        told = (run.root / "told.txt").read_text("utf-8")
        assert "prepare.negative and prepare.positive are for two alone" in told
        assert "no sentences are made" in told
        assert len(ragged.read(ragged.COMPOSED, paths.NGRAMS).ids) == 0

    def test_all_are_measured_on_all_classes(self, names: list[str]) -> None:
        found = files.read_json(paths.metrics("sentiment"))
        test = ragged.read("test")
        assert set(found) == {"baseline", *judged()}
        for name, path in judged().items():
            arrays = files.read_npz(path, ["test", "validation", "test_ids"])
            likely = arrays["test"]
            assert behaviour.SPLIT not in np.load(path).files
            assert likely.shape == (len(test.ids), len(names))
            np.testing.assert_allclose(likely.sum(axis=1), 1, atol=1e-6)
            alone = files.read_json(paths.metrics(name))
            expected = f1_score(test.labels, likely.argmax(axis=1), average="macro")
            assert alone["f1"] == pytest.approx(expected, abs=1e-6)
            assert found[name]["f1_low"] <= alone["f1"] <= found[name]["f1_high"]
            truth = np.eye(len(names))[test.labels]
            brier = ((likely - truth) ** 2).sum(axis=1).mean()
            assert found[name]["brier"] == pytest.approx(brier, abs=1e-5)
            assert "threshold" not in found[name]
            plots = paths.plots(name)
            assert [row["class"] for row in rows_of(plots / "per_class.csv")] == names
            assert {row["actual"] for row in rows_of(plots / "confusion.csv")} == set(names)
            assert float(rows_of(plots / "roc.csv")[-1]["true_positive_rate"]) == 1
        assert found["baseline_tfidf_char"]["f1"] > 0.7
        reliability = rows_of(paths.plots("sentiment") / "reliability.csv")
        counted = sum(int(row["reviews"]) for row in reliability)
        assert counted == len(found) * len(names) * len(test.ids) - len(names) * len(test.ids)

    def test_what_can_be_learnt_is(self, names: list[str]) -> None:
        found = files.read_json(paths.metrics("sentiment_hybrid"))
        assert found["f1"] > 1.3 / len(names)

    def test_behaviour_asks_nothing_and_says_why(self, names: list[str]) -> None:
        found = files.read_json(paths.metrics("behaviour"))
        assert found["asked"] == 0
        assert found["why"].endswith(", ".join(names))
        assert rows_of(paths.plots("behaviour") / "failures.csv") == []

    def test_the_report_knows_no_threshold(self) -> None:
        told = repr(overview.sentiment())
        assert "the mean over the classes" in told
        assert "threshold" not in told
        assert "Nothing is asked" in repr(capabilities.section())

    def test_the_report_is_written_in_both_languages(self, names: list[str]) -> None:
        settings = params.load()
        for tag in language.LANGUAGES:
            with language.speaking(tag):
                sections = [
                    headline.section(settings),
                    overview.sentiment(),
                    capabilities.section(),
                    curves.confusion(["sentiment_hybrid"]),
                    curves.trade_offs(settings),
                    curves.trust(settings),
                    galleries.reviews(settings),
                ]
                shown = page.render(sections, tag)
            assert all(language.name(name) in shown for name in names)


class TestAnswers:
    def test_the_bundle_names_them(self, names: list[str]) -> None:
        for name in ("sentiment_bilstm", "sentiment_hybrid"):
            manifest = Bundle(paths.bundle(name)).manifest
            assert list(manifest.labels) == names
            assert manifest.threshold is None
            card = (paths.bundle(name) / "README.md").read_text("utf-8")
            assert f"which of {len(names)} classes" in card
            assert "positive" not in card

    def test_the_likeliest_is_said(self, model: Sentiment, names: list[str]) -> None:
        texts = [row["text"] for row in rows_of(Path("mine.csv"))[:40]]
        answers = model.predict(texts)
        assert {answer.label for answer in answers} <= {*names, "none"}
        for answer in answers:
            assert list(answer.probabilities) == names
            assert sum(answer.probabilities.values()) == pytest.approx(1)
            assert answer.probability == max(answer.probabilities.values())
            if answer.reason is None:
                assert answer.probabilities[answer.label] == answer.probability
        none = model.predict("！！！")
        assert (none.label, none.reason) == ("none", "punctuation")
        assert set(none.probabilities.values()) == {1 / len(names)}
        assert model.likely(texts).shape == (40, len(names))

    def test_none_where_two_are_as_likely(
        self, model: Sentiment, names: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        logits = np.zeros((2, len(names)))
        logits[0, 0] = logits[0, 1] = 3
        logits[1, 2] = 3
        monkeypatch.setattr(model, "_read", lambda _: (logits, np.ones(2, bool)))
        first, second = model.answers(["好"] * 2)
        assert (first.label, first.reason) == ("none", "balanced")
        assert (second.label, second.reason) == (names[2], None)

    def test_words_are_weighed_towards_the_likeliest(
        self, model: Sentiment, names: list[str]
    ) -> None:
        text = rows_of(Path("mine.csv"))[0]["text"]
        found = model.explain(text)
        place = names.index(max(found.answer.probabilities, key=found.answer.probabilities.get))
        first = found.words[0]
        whole, without = model.odds([found.text, found.text.removeprefix(first.word)], place)
        assert first.effect == pytest.approx(whole - without, abs=1e-5)
        likely = found.answer.probabilities[names[place]]
        assert whole == pytest.approx(np.log(likely / (1 - likely)), abs=1e-4)

    def test_as_scikit_learn_knows_it(self, names: list[str]) -> None:
        known = SentimentClassifier(paths.bundle("sentiment_hybrid")).fit([])
        texts = [row["text"] for row in rows_of(Path("mine.csv"))[:5]]
        likely = known.predict_proba(texts)
        assert list(known.classes_) == names
        assert likely.shape == (5, len(names))
        assert known.predict(texts).tolist() == [names[place] for place in likely.argmax(axis=1)]

    def test_the_commands(self, run: Project, names: list[str], tmp_path: Path) -> None:
        def said(*arguments: str) -> str:
            result = called(lambda: command.main(arguments), run.root)
            assert result.returncode == 0, result.stderr
            return result.stdout

        told = json.loads(said("predict", "--json", "房间很干净"))
        assert list(told["probabilities"]) == names
        assert said("predict", "房间很干净").split()[0] in {*names, "none"}
        assert json.loads(said("explain", "--json", "房间很干净"))["words"]
        target = tmp_path / "answers.csv"
        said("predict", "--file", "mine.csv", "--output", str(target))
        rows = rows_of(target)
        given = explanation.columns(names)
        assert list(rows[0]) == ["grade", "text", *given]
        assert len(rows) == len(rows_of(Path("mine.csv")))
        for row in rows[:20]:
            whole = sum(float(row[f"probability_{name}"]) for name in names)
            assert whole == pytest.approx(1, abs=1e-5)
        for suffix in (".jsonl", ".xlsx", ".parquet"):
            said("predict", "--file", "mine.csv", "--output", str(target.with_suffix(suffix)))
        first = json.loads(target.with_suffix(".jsonl").read_text("utf-8").splitlines()[0])
        assert first[f"probability_{names[0]}"] == float(rows[0][f"probability_{names[0]}"])

    def test_the_service(self, run: Project, names: list[str]) -> None:
        with Serving(run) as serving:
            told, explained, compared = (
                httpx.post(f"{serving.url}/{name}", json=content, timeout=60).json()
                for name, content in (
                    ("predict", {"texts": ["房间很干净", "！"]}),
                    ("explain", {"text": "房间很干净，太吵"}),
                    ("compare", {"text": "房间很干净"}),
                )
            )
        assert told["threshold"] is explained["threshold"] is None
        assert [list(each["probabilities"]) for each in told["predictions"]] == [names] * 2
        assert told["predictions"][1]["label"] == "none"
        assert list(explained["probabilities"]) == names
        assert explained["words"]
        assert [list(each["probabilities"]) for each in explained["clauses"]] == [names] * 2
        models = {each["model"]: each for each in compared["models"]}
        assert list(models) == ["sentiment_hybrid", "sentiment_bilstm"]
        for name, each in models.items():
            measured = files.read_json(paths.metrics(name))
            assert each["f1"] == pytest.approx(measured["f1"], abs=0.00005)
            assert list(each["probabilities"]) == names

    def test_the_metrics_beside_the_service_are_of_these_classes(self, run: Project) -> None:
        rows = {row["name"]: row for row in metrics.rows({}, run.root)}
        assert set(rows) == set(judged())
        assert all(row["corpora"] == ["file"] for row in rows.values())
