"""The dvc.yaml files say what the stages really read, import and write."""

from pathlib import Path

import imports
import pytest
from conftest import MODELS, ROOT, SETTINGS, STORAGE, VARIANTS
from ruamel.yaml import YAML

from keras_repro.baselines import FUNCTIONS
from keras_repro.core import params, paths
from keras_repro.datasets import registry

FILES = ("dvc.yaml", "stages/sentiment/dvc.yaml", "stages/tutorial/dvc.yaml")


def pipeline(name: str) -> dict:
    text = (ROOT / name).read_text("utf-8").replace("${storage.interim}", STORAGE.interim)
    return YAML(typ="safe").load(text)


PIPELINE, SENTIMENT, TUTORIAL = map(pipeline, FILES)
# As DVC addresses them, such as stages/tutorial/dvc.yaml:train.
STAGES = PIPELINE["stages"] | {
    f"{file}:{name}": stage
    for file, content in zip(FILES[1:], (SENTIMENT, TUTORIAL), strict=True)
    for name, stage in content["stages"].items()
}


def body(stage: str) -> dict:
    return STAGES[stage].get("do", STAGES[stage])


def items(stage: str) -> list[str]:
    """Return the items of a stage, of those that stand in params.yaml, too."""
    found = STAGES[stage].get("foreach", [])
    return {"${models}": MODELS, "${variants}": VARIANTS}.get(str(found), list(found))


def outputs(stage: str) -> list[dict]:
    """Return the outputs, metrics and plots of a stage, each a path to its options."""
    kinds = ("outs", "metrics", "plots")
    return [entry for kind in kinds for entry in body(stage).get(kind, [])]


def written(stage: str) -> list[str]:
    """Return the paths that a stage writes, with their variables."""
    return [next(iter(entry)) for entry in outputs(stage)]


def imported(stage: str, item: str) -> set[str]:
    """Return the files that the command of a stage may execute, but for what says nothing."""
    module = body(stage)["cmd"].split()[2]
    names = [module]
    if module in ("stages.train", "stages.evaluate", "stages.export"):
        names.append(f"keras_repro.models.{item}")
    if module == "stages.tutorial.train_sequence":
        names.append(f"keras_repro.models.{item}")
    if module == "stages.sentiment.baseline":
        names.append(f"keras_repro.baselines.{FUNCTIONS[item][0]}")
    found = set().union(*map(imports.closure, names))
    # What users import stands there by name, and nothing is executed before it is asked for.
    return {name for name in found - {"keras_repro/__init__.py"} if not imports.says_nothing(name)}


def within(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")


@pytest.mark.parametrize("stage", STAGES)
def test_dependencies_are_the_code_that_the_stage_imports(stage: str) -> None:
    needless = []
    for item in items(stage) or [""]:
        listed = [dep.replace("${key}", item) for dep in body(stage)["deps"]]
        code = [dep for dep in listed if dep.startswith(("keras_repro/", "stages/"))]
        needed = imported(stage, item)
        missing = {path for path in needed if not any(within(path, place) for place in code)}
        assert missing == set()
        idle = (place for place in code if not any(within(path, place) for path in needed))
        needless.append(set(idle))
        # Only its script of those that DVC runs.
        assert [place for place in code if place.startswith("stages/")] == [
            f"{body(stage)['cmd'].split()[2].replace('.', '/')}.py"
        ]
    assert set.intersection(*needless) == set()


@pytest.mark.parametrize("stage", STAGES)
def test_outputs_persist_so_that_a_failed_stage_leaves_the_earlier_ones(stage: str) -> None:
    assert outputs(stage)
    assert all(options["persist"] for entry in outputs(stage) for options in entry.values())


def test_the_files_can_be_read() -> None:
    lines = [line for name in FILES for line in (ROOT / name).read_text("utf-8").splitlines()]
    assert len(lines) <= 600
    assert max(map(len, lines)) <= 120


def test_every_model_is_trained_measured_exported_and_drawn() -> None:
    for stage in ("train", "evaluate", "export"):
        assert items(stage) == MODELS
    for stage in ("train", "evaluate"):
        assert items(f"stages/tutorial/dvc.yaml:{stage}") == VARIANTS
    drawn = [TUTORIAL["stages"][name]["foreach"] for name in ("diagram", "diagram_of_variant")]
    assert drawn == ["${models}", "${variants}"]
    registered = {artifact["path"] for artifact in PIPELINE["artifacts"].values()}
    assert registered <= {str(paths.model(name)) for name in MODELS}


def test_all_stages_run_at_the_root() -> None:
    assert all(body(name)["wdir"] == "../.." for name in STAGES if ":" in name)


def test_all_sentiment_classifiers_are_compared() -> None:
    assert items("stages/sentiment/dvc.yaml:baseline") == list(params.Baselines.model_fields)
    assert list(FUNCTIONS) == list(params.Baselines.model_fields)
    predicted = {
        str(Path(written(stage)[0]).parent) for stage in ("evaluate", FILES[1] + ":baseline")
    }
    assert predicted == {"data/predictions/${item.of}", "data/predictions/baselines"}
    for stage in ("compare", "behaviour"):
        read = set(body(f"{FILES[1]}:{stage}")["deps"])
        assert {"data/predictions/reviews", "data/predictions/baselines"} <= read
    (plot,) = SENTIMENT["plots"]
    (axes,) = plot.values()
    names = registry.of_reviews(MODELS) + SETTINGS.baseline_names
    curves = {f"../../{paths.plots(name) / 'precision_recall.csv'}" for name in names}
    assert set(axes["y"]) <= curves


@pytest.mark.parametrize("name", MODELS)
def test_data_of_a_model_are_those_that_its_kind_of_input_has(name: str) -> None:
    expected = {
        "sentiment_bilstm": {
            "of": "reviews",
            "data": str(paths.ENCODED_REVIEWS),
            "details": STORAGE.segmented_reviews,
            "ids": str(paths.VOCABULARY),
        },
        "sentiment_hybrid": {
            "of": "reviews",
            "data": str(paths.NGRAMS),
            "details": STORAGE.prepared_reviews,
            "ids": str(paths.NGRAM_VOCABULARY),
        },
    }
    images = {
        "of": "images",
        "data": str(paths.raw_images(registry.dataset_of(name))),
        "details": str(paths.REGISTRY),
        "ids": str(paths.REGISTRY),
    }
    assert PIPELINE["stages"]["train"]["foreach"][name] == expected.get(name, images)


def test_paths_are_those_of_the_paths_module() -> None:
    assert written("prepare") == [
        str(paths.REJECTED_REVIEWS),
        STORAGE.prepared_reviews,
        str(paths.REVIEW_COUNTS),
    ]
    assert written("segment") == [STORAGE.segmented_reviews]
    assert written("tokenize") == [str(paths.ENCODED_REVIEWS), str(paths.VOCABULARY)]
    assert written("ngrams") == [str(paths.NGRAM_VOCABULARY), str(paths.NGRAMS)]
    assert written("train") == [str(paths.model("${key}")), str(paths.history("${key}"))]
    plots = paths.plots("${key}")
    assert written("evaluate") == [
        str(paths.predictions("${item.of}", "${key}")),
        str(plots / "mistakes.csv"),
        str(plots / "per_source.csv"),
        str(paths.metrics("${key}")),
        *(
            str(plots / f"{name}.csv")
            for name in ("confusion", "per_class", "precision_recall", "roc")
        ),
    ]
    assert written("export") == [str(paths.bundle("${key}"))]
    tutorial = "stages/tutorial/dvc.yaml:{}".format
    pages = (paths.LAYERS_PAGE, paths.CHINESE_LAYERS_PAGE)
    assert written(tutorial("layers")) == [str(path) for path in (paths.LAYERS, *pages)]
    assert written(tutorial("diagram")) == [
        str(path("${key}")) for path in (paths.diagram, paths.summary, paths.model_page)
    ]
    files = {item["file"] for item in PIPELINE["stages"]["download"]["foreach"].values()}
    images = {paths.raw_images(name).name for name in registry.IMAGES}
    assert files == images | {paths.RAW_REVIEWS.name}


def test_registry_is_valid_and_names_the_corpus_of_params_yaml() -> None:
    known = registry.load(ROOT / paths.REGISTRY)
    assert all(known.corpus(name).sha256 for name in SETTINGS.reviews.source)
    assert len(known.mnist.classes) == len(known.cifar10.classes) == 10


def test_who_computes_is_no_parameter_of_any_stage() -> None:
    listed = {str(key) for stage in STAGES for key in body(stage).get("params", [])}
    assert "runtime" in listed
    assert not {key for key in listed if "cluster" in key or "workers" in key}
