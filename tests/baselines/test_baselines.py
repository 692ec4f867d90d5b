"""The baselines learn, choose on the validation split, and leave the same bytes each time."""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import BUCKETS, MODELS, SEGMENTED_REVIEWS, Project

from keras_repro import baselines
from keras_repro.baselines import Reviews, fasttext
from keras_repro.bundles.sentiment import Sentiment
from keras_repro.core import files, params, parquet, paths
from keras_repro.core.errors import ReproError
from keras_repro.evaluation import behaviour, comparison
from keras_repro.serving.metrics import rows as rows_of_models
from keras_repro.text.schemas import SEGMENTED

NAMES = list(params.Baselines.model_fields)
SETTINGS = params.load(Path(__file__).parents[2] / "params.yaml").baselines


def rewrite(project: Project, change: Callable[[list[dict]], list[dict]]) -> None:
    """Change the segmented reviews."""
    path = project.root / SEGMENTED_REVIEWS
    batches = parquet.read(path, SEGMENTED)
    changed = [batch.from_pylist(change(batch.to_pylist()), SEGMENTED) for batch in batches]
    parquet.write(path, SEGMENTED, changed)


def few_train(rows: list[dict]) -> list[dict]:
    """Return a third of the training rows and all others: SnowNLP cuts 50 reviews a second."""
    return [row for row in rows if row["split"] != "train" or int(row["id"], 16) % 3 == 0]


def flipped(rows: list[dict]) -> list[dict]:
    """Return the rows with the other labels in the test split."""
    return [row | {"label": row["label"] ^ (row["split"] == "test")} for row in rows]


@pytest.fixture(scope="session")
def judged(small_run: Project, shared: Callable) -> Project:
    """The small run with what all baselines leave, the comparison and the short texts."""

    def make(root: Path) -> None:
        project = small_run.copy(root)
        segmented = (root / SEGMENTED_REVIEWS).read_bytes()
        for arguments in [
            *(("sentiment.baseline", name) for name in NAMES),
            ("sentiment.compare",),
            ("sentiment.behaviour",),
        ]:
            if "snownlp" in arguments:
                rewrite(project, few_train)
            result = project.stage(*arguments)
            assert result.returncode == 0, result.stderr
            (root / SEGMENTED_REVIEWS).write_bytes(segmented)

    return Project(shared("judged", make))


def predictions(project: Project, name: str) -> Path:
    return project.root / f"data/predictions/baselines/{name}.npz"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", NAMES)
def test_it_learns(judged: Project, name: str) -> None:
    metrics = files.read_json(judged.root / f"metrics/baseline_{name}.json")
    assert metrics.keys() == files.read_json(judged.root / "metrics/sentiment_bilstm.json").keys()
    assert metrics["accuracy"] > 0.6


def test_every_candidate_is_in_the_history(judged: Project) -> None:
    rows = {name: table(judged.root / f"metrics/history/baseline_{name}.csv") for name in NAMES}
    tried = {name: [float(row["c"]) for row in rows[name]] for name in NAMES if "tfidf" in name}
    assert tried == {name: list(getattr(SETTINGS, name).c) for name in tried}
    assert [int(row["epochs"]) for row in rows["fasttext"]] == list(SETTINGS.fasttext.epochs)
    assert [list(row) for row in rows["snownlp"]] == [["val_f1"]]


@pytest.mark.parametrize("name", NAMES)
def test_same_bytes_again_and_the_test_labels_choose_nothing(
    judged: Project, name: str, tmp_path: Path
) -> None:
    project = judged.copy(tmp_path / "project")
    if name == "snownlp":
        rewrite(project, few_train)
    rewrite(project, flipped)
    result = project.stage("sentiment.baseline", name)
    assert result.returncode == 0, result.stderr
    assert predictions(project, name).read_bytes() == predictions(judged, name).read_bytes()
    history = f"metrics/history/baseline_{name}.csv"
    assert (project.root / history).read_bytes() == (judged.root / history).read_bytes()
    metrics = f"metrics/baseline_{name}.json"
    found, before = (files.read_json(one.root / metrics)["accuracy"] for one in (project, judged))
    assert found == pytest.approx(1 - before, abs=2e-6)


def test_another_seed_other_bytes(judged: Project, tmp_path: Path) -> None:
    project = judged.copy(tmp_path / "project")
    project.set("runtime.seed", 7)
    assert project.stage("sentiment.baseline", "fasttext").returncode == 0
    assert (
        predictions(project, "fasttext").read_bytes()
        != predictions(judged, "fasttext").read_bytes()
    )


def test_comparison(judged: Project) -> None:
    found = files.read_json(judged.root / "metrics/sentiment.json")
    baseline = found.pop("baseline")
    models = {name for name in MODELS if name.startswith("sentiment_")}
    assert found.keys() == {f"baseline_{name}" for name in NAMES} | models
    assert baseline == max(
        (name for name in found if name.startswith("baseline_")),
        key=lambda name: found[name]["val_f1"],
    )
    parts = table(judged.root / "metrics/plots/sentiment/parts.csv")
    reliability = table(judged.root / "metrics/plots/sentiment/reliability.csv")
    for name, metrics in found.items():
        assert metrics["f1_low"] <= metrics["f1"] <= metrics["f1_high"]
        for metric in ("f1", "f1_at_threshold"):
            gain, low, high = (metrics[f"{metric}_gain{end}"] for end in ("", "_low", "_high"))
            assert low <= gain <= high
            assert gain == pytest.approx(metrics[metric] - found[baseline][metric], abs=2e-6)
        alone = files.read_json(judged.root / f"metrics/{name}.json")
        assert {key: metrics[key] for key in alone} == pytest.approx(alone, abs=2e-6)
        sizes = [
            int(row["n_test"]) for row in parts if (row["model"], row["by"]) == (name, "words")
        ]
        assert sum(sizes) == metrics["n_test"]
        points = [row for row in reliability if row["model"] == name]
        assert sum(int(row["reviews"]) for row in points) == metrics["n_test"]


def test_metrics_by_hand() -> None:
    labels = {"validation": np.array([0, 0, 1, 1]), "test": np.array([0, 1, 1, 0])}
    positive = {
        "rival": {"validation": np.array([0.1, 0.6, 0.4, 0.9]), "test": np.full(4, 0.75)},
        "better": {"validation": np.array([0.1, 0.2, 0.3, 0.9]), "test": labels["test"] * 0.8},
        "worse": {"validation": np.array([0.9, 0.8, 0.3, 0.1]), "test": np.full(4, 0.25)},
    }
    found = comparison.metrics(positive, labels, ["rival", "worse"], seed=1)
    assert found["baseline"] != "worse"
    better = found["better"]
    assert better["accuracy"] == better["f1"] == 1
    assert better["brier"] == pytest.approx(2 * 0.2**2 / 4)
    assert better["threshold"] == pytest.approx(0.3)
    assert better["val_f1"] == pytest.approx(2 / 3)
    assert better["p_against_baseline"] == pytest.approx(0.5)  # two that only it has right


def test_other_reviews_end_in_one_message(judged: Project, tmp_path: Path) -> None:
    project = judged.copy(tmp_path / "project")
    path = predictions(project, "tfidf_char")
    names = ["validation", "test", "validation_ids", "test_ids"]
    arrays = files.read_npz(path, names)
    files.write_npz(path, arrays | {"test_ids": arrays["test_ids"][::-1]})
    result = project.stage("sentiment.compare")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "error: data/predictions/baselines/tfidf_char.npz: other rows in test than the data has "
        "now; expected the same (run `dvc repro`)"
    )


def reviews(*texts: str) -> Reviews:
    return Reviews(
        ids=[str(number) for number in range(len(texts))],
        texts=list(texts),
        tokens=[text.split() for text in texts],
        labels=np.arange(len(texts), dtype=np.int8) % 2,
    )


@pytest.mark.parametrize("name", ["tfidf_word", "tfidf_char"])
def test_no_n_gram_is_frequent_enough(name: str) -> None:
    settings = getattr(SETTINGS, name).model_copy(update={"min_count": 50})
    with pytest.raises(ReproError, match="min_count 50 leaves no n-gram of 2 training reviews"):
        next(baselines.candidates(name, reviews("很 好", "不 好"), settings, 1))


def test_fasttext_with_too_high_a_learning_rate() -> None:
    settings = SETTINGS.fasttext.model_copy(update={"learning_rate": 1e9, "buckets": BUCKETS})
    train = reviews(*["很 好 看", "不 好 看"] * 50)
    with pytest.raises(ReproError, match=r"baselines\.fasttext\.learning_rate is 1e\+09, with"):
        next(fasttext.candidates(train, settings, 1))


def test_words_that_fasttext_would_take_for_labels_or_ends() -> None:
    words = ["__label__x", "__label__1", "</s>", "\x01", "好 看"]
    train = reviews(*["难看 无聊", "好看 有趣"] * 100)
    strange = train._replace(tokens=[words + tokens for tokens in train.tokens])
    settings = SETTINGS.fasttext.model_copy(update={"learning_rate": 0.1, "buckets": BUCKETS})
    candidate = next(fasttext.candidates(strange, settings, 1))
    assert ((candidate.score(strange) > 0) == (strange.labels == 1)).all()


def test_all_are_asked_the_same_short_texts(judged: Project) -> None:
    compared = files.read_json(judged.root / "metrics/sentiment.json")
    found = files.read_json(judged.root / "metrics/behaviour.json")
    assert found.keys() == compared.keys() - {"baseline"}
    cases, pairs = behaviour.read_cases(), behaviour.read_pairs()
    failures = table(judged.root / "metrics/plots/behaviour/failures.csv")
    wrong = Counter((row["classifier"], row["changed"] != "") for row in failures)
    for name, shares in found.items():
        assert shares["cases"] == pytest.approx(1 - wrong[name, False] / len(cases), abs=1e-6)
        same = sum(pair.expected == behaviour.SAME for pair in pairs)
        right = shares["invariance"] * same + shares["direction"] * (len(pairs) - same)
        assert right == pytest.approx(len(pairs) - wrong[name, True], abs=1e-3)
    told = {row["name"]: row["cases"] for row in rows_of_models({}, judged.root)}
    assert told == {name: found[name]["cases"] if name in found else None for name in told}
    assert told.keys() > found.keys()


def test_a_model_is_asked_as_whoever_types_asks(judged: Project) -> None:
    name = "sentiment_hybrid"
    model = Sentiment(judged.root / paths.bundle(name))
    failures = table(judged.root / "metrics/plots/behaviour/failures.csv")
    wrong = {row["text"]: row["found"] for row in failures if row["classifier"] == name}
    for case in behaviour.read_cases():
        text = model.cleared(case.text)
        (said,) = model.answers([text])
        assert wrong.get(case.text, case.expected) == said.label


def test_other_short_texts_than_a_baseline_was_asked(judged: Project, tmp_path: Path) -> None:
    project = judged.copy(tmp_path / "project")
    with (project.root / behaviour.CASES).open("a", encoding="utf-8") as file:
        file.write("plain\tpositive\treport\t这把伞很结实\n")
    result = project.stage("sentiment.behaviour")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "error: data/predictions/baselines/snownlp.npz: other rows in behaviour than the data has "
        "now; expected the same (run `dvc repro`)"
    )


def test_check_looks_at_a_further_pipeline_once_it_has_run(judged: Project, tmp_path: Path) -> None:
    project = judged.copy(tmp_path / "project")
    assert project.command("check").returncode == 0
    result = project.dvc("repro", "stages/sentiment/dvc.yaml:baseline@tfidf_char")
    assert result.returncode == 0, result.stderr
    result = project.command("check")
    assert result.returncode == 1
    assert "stages/sentiment/dvc.yaml:baseline@snownlp" in result.stderr
    assert "stages/sentiment/dvc.yaml:baseline@tfidf_char" not in result.stderr
