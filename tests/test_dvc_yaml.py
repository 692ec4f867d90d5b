"""dvc.yaml says what the stages really read, import and write."""

import ast
import subprocess
import sys
from pathlib import Path

import imports
import pytest
from ruamel.yaml import YAML

from stages import params, paths
from stages.datasets import registry

ROOT = Path(__file__).parents[1]
STORAGE = params.load(ROOT / paths.PARAMS).storage


def pipeline(name: str) -> dict:
    text = (ROOT / name).read_text("utf-8").replace("${storage.interim}", STORAGE.interim)
    return YAML(typ="safe").load(text)


PIPELINE, TUTORIAL = pipeline("dvc.yaml"), pipeline("tutorial/dvc.yaml")
SENTIMENT, SERVING = pipeline("sentiment/dvc.yaml"), pipeline("serving/dvc.yaml")
STAGES = PIPELINE["stages"]
# Those of the other files bear their names, as in `dvc repro tutorial/dvc.yaml:train`.
ALL = STAGES | {
    f"{file}/dvc.yaml:{name}": stage
    for file, content in (
        ("tutorial", TUTORIAL),
        ("sentiment", SENTIMENT),
        ("serving", SERVING),
    )
    for name, stage in content["stages"].items()
}
MODELS = list(params.Models.model_fields)
VARIANTS = list(params.Variants.model_fields)


def body(stage: str) -> dict:
    return ALL[stage].get("do", ALL[stage])


def outputs(stage: str) -> list[dict]:
    """Return the outputs, metrics and plots of a stage, each a path to its options."""
    kinds = ("outs", "metrics", "plots")
    return [entry for kind in kinds for entry in body(stage).get(kind, [])]


def written(stage: str) -> list[str]:
    """Return the paths that a stage writes, with their variables."""
    return [next(iter(entry)) for entry in outputs(stage)]


@pytest.mark.parametrize("stage", ALL)
def test_deps_are_all_that_the_stage_imports(stage: str) -> None:
    listed = {name for name in body(stage)["deps"] if name.endswith(".py")}
    listed |= {str(path.relative_to(ROOT)) for path in (ROOT / "stages/params").glob("*.py")}
    assert "stages/params" in body(stage)["deps"]
    name = stage.rpartition(":")[2]
    imported = imports.closure(f"stages.{name}")
    if name in (
        "train",
        "evaluate",
        "export",
        "train_sequence",
    ):  # models, by name as in params.yaml
        names = list(ALL[stage]["foreach"])
        imported = imported.union(*(imports.closure(f"stages.models.{model}") for model in names))
        imported -= {f"stages/models/{model}.py" for model in names}
        imported.add("stages/models/${key}.py")
    if name == "baseline":
        names = ALL[stage]["foreach"]
        imported = imported.union(*(imports.closure(f"stages.baselines.{item}") for item in names))
        imported -= {f"stages/baselines/{item}.py" for item in names}
        imported.add("stages/baselines/${item}.py")
    if name == "compare":
        models = params.load(ROOT / paths.PARAMS).sentiment_models
        imported = imported.union(*(imports.closure(f"stages.models.{model}") for model in models))
    assert listed == imported


@pytest.mark.parametrize("name", MODELS + VARIANTS)
def test_a_model_imports_no_more_than_its_stages_list(name: str) -> None:
    stage = "train" if name in MODELS else "tutorial/dvc.yaml:train"
    listed = {dep.replace("${key}", name) for dep in body(stage)["deps"]}
    imported = {path for path in imports.closure(f"stages.models.{name}") if "/params/" not in path}
    assert imported <= listed


@pytest.mark.parametrize("stage", ALL)
def test_outputs_persist_so_that_a_failed_stage_leaves_the_earlier_ones(stage: str) -> None:
    assert outputs(stage)
    assert all(options["persist"] for entry in outputs(stage) for options in entry.values())


def test_every_model_is_trained_evaluated_drawn_and_registered() -> None:
    assert list(STAGES["train"]["foreach"]) == list(STAGES["evaluate"]["foreach"]) == MODELS
    drawn = [source for plot in PIPELINE["plots"] for p in plot.values() for source in p["y"]]
    assert drawn == [str(paths.history(name)) for name in MODELS]
    listed = [artifact["path"] for artifact in PIPELINE["artifacts"].values()]
    assert listed == [str(paths.model(name)) for name in MODELS]


def test_all_stages_run_at_the_root() -> None:
    assert all(body(name)["wdir"] == ".." for name in ALL if "/" in name)
    assert list(TUTORIAL["stages"]["train"]["foreach"]) == VARIANTS


def test_all_that_tell_sentiment_are_compared() -> None:
    settings = params.load(ROOT / paths.PARAMS)
    assert SENTIMENT["stages"]["baseline"]["foreach"] == list(params.Baselines.model_fields)
    judged = {str(paths.predictions(name)) for name in settings.baseline_names}
    trained = {str(paths.model(name)) for name in settings.sentiment_models}
    assert judged | trained <= set(body("sentiment/dvc.yaml:compare")["deps"])
    (plot,) = SENTIMENT["plots"]
    (axes,) = plot.values()
    curves = [
        f"../{paths.plots(name) / 'precision_recall.csv'}"
        for name in settings.sentiment_models + settings.baseline_names
    ]
    assert list(axes["x"]) == list(axes["y"]) == curves


def test_every_model_is_exported_with_what_its_texts_are_read_with() -> None:
    exported = SERVING["stages"]["export"]["foreach"]
    assert list(exported) == MODELS
    vocabularies = {
        str(paths.ENCODED_REVIEWS): paths.VOCABULARY,
        str(paths.NGRAMS): paths.NGRAM_VOCABULARY,
    }
    for name, item in exported.items():
        trained = STAGES["train"]["foreach"][name]
        legend = str(vocabularies.get(item["data"], trained["legend"]))
        assert item == {"data": trained["data"], "legend": legend}
    assert written("serving/dvc.yaml:export") == [str(paths.bundle("${key}"))]


def test_every_model_has_a_diagram() -> None:
    assert TUTORIAL["stages"]["diagram"]["foreach"] == MODELS + VARIANTS


@pytest.mark.parametrize("name", MODELS)
def test_data_of_a_model_are_those_its_module_names(name: str) -> None:
    module = ast.parse((ROOT / "stages/models" / f"{name}.py").read_text("utf-8"))
    (dataset,) = [
        node.value.value
        for node in module.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "DATASET"
    ]
    data, legend = {
        "reviews": (paths.ENCODED_REVIEWS, STORAGE.segmented_reviews),
        "ngrams": (paths.NGRAMS, STORAGE.prepared_reviews),
    }.get(dataset, (paths.raw_images(dataset), paths.REGISTRY))
    assert STAGES["train"]["foreach"][name] == {"data": str(data), "legend": str(legend)}


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
        str(plots / "mistakes.csv"),
        str(plots / "per_source.csv"),
        str(paths.metrics("${key}")),
        *(
            str(plots / f"{name}.csv")
            for name in ("confusion", "per_class", "precision_recall", "roc")
        ),
    ]
    assert written("tutorial/dvc.yaml:layers") == [str(paths.LAYERS), str(paths.LAYERS_PAGE)]
    assert written("tutorial/dvc.yaml:diagram") == [
        str(path("${item}")) for path in (paths.diagram, paths.summary, paths.model_page)
    ]
    files = {item["file"] for item in STAGES["download"]["foreach"].values()}
    images = {paths.raw_images(name).name for name in ("mnist", "cifar10")}
    assert files == images | {paths.RAW_REVIEWS.name}


def test_registry_is_valid_and_names_the_corpus_of_params_yaml() -> None:
    known = registry.load(ROOT / paths.REGISTRY)
    settings = params.load(ROOT / paths.PARAMS)
    assert all(known.corpus(name).sha256 for name in settings.reviews.source)
    assert len(known.mnist.classes) == len(known.cifar10.classes) == 10


def test_where_the_text_stages_compute_is_no_parameter_of_any_stage() -> None:
    runtime = set(params.Runtime.model_fields) - {"cluster"}
    for stage in STAGES:
        listed = {key for key in body(stage)["params"] if str(key).startswith("runtime")}
        expected = (
            {f"runtime.{key}" for key in runtime} if stage in ("train", "evaluate") else set()
        )
        assert listed == expected


def test_rooms_do_not_import_from_stages_and_stages_not_from_each_other() -> None:
    runnable = {path.stem for path in (ROOT / "stages").glob("*.py")}
    runnable -= {"__init__", "dependencies", "files", "kernels", "params", "paths", "runtime"}
    for path in (ROOT / "stages").rglob("*.py"):
        relative = path.relative_to(ROOT)
        for name in imports.closure(".".join(relative.with_suffix("").parts)) - {str(relative)}:
            assert name not in {f"stages/{stem}.py" for stem in runnable}, (relative, name)


def test_tensorflow_is_absent_where_no_network_is() -> None:
    modules = "stages.prepare, stages.report, stages.results, stages.check"
    code = f"import sys, {modules}; print('keras' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout == "False\n"
