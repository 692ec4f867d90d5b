"""Verdicts on copies of a small run, and whole verifications of a commit."""

import csv
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import FIXTURES, MODELS, ROOT, Project, hashes
from ruamel.yaml import YAML

from keras_repro.bundles import bundle
from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.reproducibility import (
    explanation,
    gates,
    gradients,
    lock,
    rotation,
    tolerances,
    verdicts,
    verification,
)
from keras_repro.reproducibility.exact import archive, fingerprint, numerics
from keras_repro.reproducibility.tolerances import ModelTolerances
from keras_repro.reproducibility.verdicts import DRIFTED, EQUIVALENT, IDENTICAL

NAME = "mnist_functional"
MODEL = f"models/{NAME}/model.keras"
METRICS = f"metrics/{NAME}.json"
PREDICTIONS = f"metrics/plots/{NAME}/confusion.csv"
HISTORY = f"metrics/history/{NAME}.csv"
TEXTS = "data/interim/segmented.parquet"


def allowed(**bounds: float) -> dict[str, ModelTolerances]:
    defaults = dict.fromkeys(ModelTolerances.model_fields, 0.01) | {"agreement": 0.97} | bounds
    section = {key: {"bound": bound, "reason": "a test"} for key, bound in defaults.items()}
    return dict.fromkeys(MODELS, ModelTolerances.model_validate(section))


def record(project: Project, name: str) -> None:
    """Write the file's hash into dvc.lock, as DVC does after a run."""
    content = (project.root / name).read_bytes()

    def change(lock: dict) -> None:
        for stage in lock["stages"].values():
            for out in stage.get("outs", []):
                if out["path"] == name:
                    out["md5"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
                    out["size"] = len(content)

    project.edit("dvc.lock", change)


def rewrite(project: Project, name: str, content: bytes) -> None:
    """Replace an output and let dvc.lock say so."""
    path = project.root / name
    path.unlink(missing_ok=True)  # it may be a link into DVC's cache
    path.write_bytes(content)
    record(project, name)


class Pair:
    """What was committed, and what was reproduced and is then changed."""

    def __init__(self, committed: Project, reproduced: Project) -> None:
        self.committed, self.reproduced = committed, reproduced

    def verdicts(self, **bounds: float) -> dict[str, verdicts.Verdict]:
        stages = {f"evaluate@{name}" for name in MODELS}
        found = verdicts.compare(
            self.committed.root, self.reproduced.root, allowed(**bounds), stages
        )
        return {verdict.output: verdict for verdict in found}

    def other(self, **bounds: float) -> dict[str, tuple[str, str | None]]:
        """Return what is not identical."""
        return {
            name: (verdict.verdict, verdict.difference)
            for name, verdict in self.verdicts(**bounds).items()
            if verdict.verdict != IDENTICAL
        }


@pytest.fixture
def pair(tmp_path: Path, small_run: Project) -> Pair:
    return Pair(small_run.clone(tmp_path / "committed"), small_run.copy(tmp_path / "reproduced"))


class TestVerdicts:
    def test_all_identical(self, pair: Pair) -> None:
        assert set(pair.verdicts()) == set(hashes(pair.committed.root))
        assert pair.other() == {}

    def test_model_of_other_bytes_and_equal_metrics(self, pair: Pair) -> None:
        content = (pair.reproduced.root / MODEL).read_bytes()
        rewrite(pair.reproduced, MODEL, content[:-1] + bytes([content[-1] ^ 1]))
        same_size = f"other content of the same {len(content):,} bytes"
        assert pair.other() == {MODEL: (EQUIVALENT, same_size)}

    def test_model_whose_accuracy_is_too_far_off(self, pair: Pair) -> None:
        metrics = json.loads((pair.reproduced.root / METRICS).read_text())
        before = metrics["accuracy"]
        metrics["accuracy"] = before - 0.02
        rewrite(pair.reproduced, METRICS, json.dumps(metrics).encode())
        told = f"accuracy {before} became {before - 0.02}; expected at most 0.01 between them"
        assert pair.other() == {METRICS: (DRIFTED, told)}
        (found,) = pair.other(accuracy=0.03).values()
        assert found[0] == EQUIVALENT
        assert found[1].startswith("line 1: { became {")

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"f1": None}, r"f1 0\.\d+ became None; expected at most 0\.01 between them"),
            ({"loss": float("nan")}, r"loss \d\.\d+ became nan; expected"),
            ({"n_test": 7}, r"n_test \d+ became 7"),
        ],
    )
    def test_metric_that_cannot_be_compared(self, pair: Pair, change: dict, told: str) -> None:
        metrics = json.loads((pair.reproduced.root / METRICS).read_text()) | change
        rewrite(pair.reproduced, METRICS, json.dumps(metrics).encode())
        verdict, difference = pair.other()[METRICS]
        assert verdict == DRIFTED
        assert re.match(told, difference)

    def test_predictions_that_do_not_agree(self, pair: Pair) -> None:
        path = pair.reproduced.root / PREDICTIONS
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        changed = len(rows) // 10
        lines = ["actual,predicted"] + [
            f"{row['actual']},{row['actual' if number < changed else 'predicted']}x"
            if number < changed
            else f"{row['actual']},{row['predicted']}"
            for number, row in enumerate(rows)
        ]
        rewrite(pair.reproduced, PREDICTIONS, "\n".join(lines).encode())
        share = 1 - changed / len(rows)
        told = f"{share:.2%} of the predictions agree; expected at least 97.00%"
        assert pair.other() == {PREDICTIONS: (DRIFTED, told)}
        assert pair.other(agreement=0.5)[PREDICTIONS][0] == EQUIVALENT

    def test_history_of_another_best_epoch(self, pair: Pair) -> None:
        lines = (pair.reproduced.root / HISTORY).read_text().splitlines()
        fields = dict(zip(lines[0].split(","), lines[-1].split(","), strict=True))
        fields["val_accuracy"] = "0.999"
        rewrite(
            pair.reproduced, HISTORY, "\n".join([*lines[:-1], ",".join(fields.values())]).encode()
        )
        verdict, difference = pair.other()[HISTORY]
        assert verdict == DRIFTED
        assert re.match(r"best val_accuracy 0\.\d+ became 0\.999; expected", difference)

    def test_data_must_be_identical(self, pair: Pair) -> None:
        content = (pair.reproduced.root / TEXTS).read_bytes()
        rewrite(pair.reproduced, TEXTS, content + b"\0")
        told = f"{len(content):,} bytes became {len(content) + 1:,}"
        assert pair.other() == {TEXTS: (DRIFTED, told)}

    def test_committed_metric_that_somebody_wrote(self, pair: Pair) -> None:
        path = pair.committed.root / METRICS
        metrics = json.loads(path.read_text())
        path.write_text(json.dumps(metrics | {"f1": metrics["f1"] + 0.001}))
        told = "the committed file is another than dvc.lock records"
        assert pair.other()[METRICS] == (DRIFTED, told)

    @pytest.mark.parametrize(
        "content", ['["a"]', '{"accuracy": "high"}', "{}"], ids=["list", "text", "empty"]
    )
    def test_metrics_that_no_run_of_ours_wrote(self, pair: Pair, content: str) -> None:
        rewrite(pair.reproduced, METRICS, content.encode())
        verdict, difference = pair.other()[METRICS]
        assert verdict == DRIFTED
        assert re.match(r"its metrics cannot be compared|accuracy 0\.\d+ became None", difference)

    def test_committed_metrics_that_somebody_removed(self, pair: Pair) -> None:
        (pair.committed.root / METRICS).unlink()
        told = "dvc.lock records it, but it is not committed"
        assert pair.other()[METRICS] == (DRIFTED, told)

    def test_output_that_was_not_made(self, pair: Pair) -> None:
        (pair.reproduced.root / METRICS).unlink()
        pair.reproduced.edit("dvc.lock", lambda lock: lock["stages"].pop(f"evaluate@{NAME}"))
        assert pair.other()[METRICS] == (DRIFTED, "it was not made")

    def test_output_that_is_not_committed(self, pair: Pair) -> None:
        pair.committed.edit("dvc.lock", lambda lock: lock["stages"].pop("prepare"))
        told = "the committed dvc.lock does not know it"
        assert pair.other()["data/interim/reviews.parquet"] == (DRIFTED, told)

    @pytest.mark.parametrize("content", ["", "stages: {a: {outs: [{path: x}]}}", "{"])
    def test_damaged_lock(self, pair: Pair, content: str) -> None:
        (pair.committed.root / "dvc.lock").write_text(content)
        with pytest.raises(ReproError, match=r"dvc\.lock: not as `dvc repro` writes it"):
            pair.verdicts()


def test_every_stage_learns_or_leaves_the_same_everywhere() -> None:
    stages = {stage.rpartition(":")[2] for stage in rotation.locks(ROOT, "HEAD")}
    families = {stage.partition("@")[0] for stage in stages}
    before_training = {"download", "prepare", "segment", "tokenize", "ngrams", "encode_sequences"}
    of_code_alone = {"layers", "diagram", "diagram_of_variant"}
    assert families == before_training | of_code_alone | set(verdicts.LEARNING)


# A text of six more or less is 0.17.
@pytest.mark.parametrize(("after", "verdict"), [(0.83, EQUIVALENT), (0.67, DRIFTED)])
def test_shares_of_short_texts_may_be_a_text_apart(
    after: float, verdict: str, tmp_path: Path
) -> None:
    stage, path = "stages/sentiment/dvc.yaml:behaviour", Path("metrics/behaviour.json")
    for root, share in ((tmp_path / "here", 1.0), (tmp_path / "there", after)):
        files.write_json(root / path, {"sentiment_hybrid": {"no_ground": share}})
        out = {"path": str(path), "md5": files.md5(root / path), "size": 1}
        files.write_json(root / "dvc.lock", {"stages": {}})
        lock_of_it = root / "stages/sentiment/dvc.lock"
        files.write_json(lock_of_it, {"stages": {"behaviour": {"outs": [out]}}})
    (found,) = verdicts.compare(tmp_path / "here", tmp_path / "there", {}, {stage})
    assert found.verdict == verdict


MACHINE = {
    "cpu": "A",
    "simd": ["X86_V3"],
    "libc": "glibc 2.36",
    "python": "3.11.7",
    "packages": {"keras": "3.15.1"},
    "threads": 2,
    "deterministic": True,
    "portable": True,
    "numerics": {"exp": "1", "matrix_product": "1"},
}
OTHER_BITS = {"numerics": {"exp": "1", "matrix_product": "2"}}
WITHOUT_AVX2 = {"cpu": "B", "simd": [], **OTHER_BITS}


def report(verdict: str = EQUIVALENT, **here: object) -> verification.Report:
    """Return a report of one output, verified on a machine that differs so."""
    found = verdicts.Verdict(MODEL, f"train@{NAME}", verdict, "a", "b", "x")
    return verification.Report("abc", [found], MACHINE, MACHINE | here, [], "", 0)


class TestExplanation:
    def test_nothing_differs(self) -> None:
        found = report(IDENTICAL, **WITHOUT_AVX2)
        assert found.explanation() == "every byte is as committed"
        assert not found.failed

    def test_processor_without_avx2_and_package(self) -> None:
        found = report(**WITHOUT_AVX2, packages={"keras": "3.16"})
        assert found.explanation() == (
            "the bytes that differ are explained: this machine computes matrix_product in other "
            "bits; packages.keras 3.15.1 became 3.16"
        )
        assert not found.failed

    def test_other_name_of_the_processor_explains_nothing(self) -> None:
        found = report(cpu="B", python="3.13.0", libc="glibc 2.41")
        assert found.explanation().startswith("the bytes that differ are NOT explained: packages")
        assert found.failed

    def test_other_bits_explain_nothing_where_there_is_avx2(self) -> None:
        found = report(**OTHER_BITS)
        assert "NOT explained: this machine computes matrix_product" in found.explanation()
        assert found.failed

    def test_nothing_excuses_a_drift(self) -> None:
        found = report(DRIFTED, **WITHOUT_AVX2)
        assert found.explanation() == "no machine explains what drifted"
        assert found.failed


class TestForgeries:
    """Commits whose locks agree with themselves, beside an honest run on an equal machine."""

    @pytest.fixture
    def pair(self, tmp_path: Path, small_run: Project) -> Pair:
        honest = small_run.copy(tmp_path / "reproduced")
        return Pair(small_run.clone(tmp_path / "committed"), honest)

    def told(self, pair: Pair) -> tuple[bool, dict[str, str]]:
        """Return whether a verification fails, and what it says of what is not identical."""
        committed = pair.committed
        machine = json.loads((committed.root / "metrics/fingerprint.json").read_text())
        stages = {output.stage for output in lock.outputs(pair.reproduced.root).values()}
        compared = verdicts.compare(committed.root, pair.reproduced.root, allowed(), stages)
        listed = committed.git("ls-files", "metrics").splitlines()
        compared += verdicts.unrecorded(lock.outputs(committed.root), map(Path, listed))
        faults = list(verification.fingerprint_faults(committed.root, machine))
        here = json.loads((pair.reproduced.root / "metrics/fingerprint.json").read_text())
        found = verification.Report("abc", compared, machine, here, faults, "", 0)
        other = {one.output: one.verdict for one in compared if one.verdict != IDENTICAL}
        return found.failed, other

    def test_honest_commit(self, pair: Pair) -> None:
        assert self.told(pair) == (False, {})

    def test_metric_within_its_tolerance(self, pair: Pair) -> None:
        metrics = json.loads((pair.committed.root / METRICS).read_text())
        better = metrics | {"accuracy": metrics["accuracy"] + 0.001}
        rewrite(pair.committed, METRICS, json.dumps(better).encode())
        assert self.told(pair) == (True, {METRICS: EQUIVALENT})

    @pytest.mark.parametrize(
        ("kind", "key", "forged"),
        [("numerics", "matrix_product", "0"), ("packages", "keras", "3.14")],
        ids=["machine", "package"],
    )
    def test_the_same_with_an_excuse(self, pair: Pair, kind: str, key: str, forged: str) -> None:
        self.test_metric_within_its_tolerance(pair)
        path = pair.committed.root / "metrics/fingerprint.json"
        machine = json.loads(path.read_text())
        machine[kind][key] = forged
        path.write_text(json.dumps(machine))
        # Other arithmetic does excuse a processor without AVX2.
        assert self.told(pair)[0] or (kind == "numerics" and "X86_V3" not in machine["simd"])

    def test_swapped_model(self, pair: Pair) -> None:
        other = lock.outputs(pair.committed.root)[Path("models/mnist_sequential/model.keras")]
        trained = pair.committed.root / "dvc.lock"
        own = lock.outputs(pair.committed.root)[Path(MODEL)]
        trained.write_text(trained.read_text("utf-8").replace(own.md5, other.md5), "utf-8")
        assert self.told(pair) == (True, {MODEL: EQUIVALENT})

    def test_deleted_lock(self, pair: Pair) -> None:
        def forget(content: dict) -> None:
            for name in MODELS:
                del content["stages"][f"export@{name}"]

        pair.committed.edit("dvc.lock", forget)
        failed, other = self.told(pair)
        assert failed
        bundles = {f"models/{name}/bundle" for name in MODELS}
        assert other == dict.fromkeys(bundles, DRIFTED)

    def test_deleted_lock_of_published_metrics(self, pair: Pair) -> None:
        forged = pair.committed.root / "metrics/transfer.json"
        forged.write_text('{"accuracy": 0.99}')
        pair.committed.git("add", "--force", str(forged))
        assert self.told(pair) == (True, {"metrics/transfer.json": DRIFTED})

    def test_bundle_of_another_model(self, pair: Pair) -> None:
        def change(content: dict) -> None:
            one, other = (
                content["stages"][f"export@{name}"]["outs"][0]
                for name in (NAME, "mnist_sequential")
            )
            one["md5"] = other["md5"]

        pair.committed.edit("dvc.lock", change)
        assert self.told(pair) == (True, {f"models/{NAME}/bundle": EQUIVALENT})


class TestWhereItDiffers:
    """What `--explain` shows, of committed outputs in DVC's cache and such as were made anew."""

    def first(self, project: Project, name: str, change: Callable[[Path], None]) -> str:
        before, after = project.root / name, project.root / f"changed{Path(name).suffix}"
        shutil.copyfile(before, after)
        change(after)
        return explanation.first(before, after, before.suffix)

    def test_layer(self, small_run: Project, tmp_path: Path) -> None:
        project = small_run.copy(tmp_path / "project")

        def change(path: Path) -> None:
            model = archive.load(path)
            kernel, bias = model.get_layer("logits").get_weights()
            kernel[0, 0] += 0.25
            model.get_layer("logits").set_weights([kernel, bias])
            archive.save(model, path)

        told = self.first(project, MODEL, change)
        assert told == "first in the layer logits/kernel, 1 of 160 numbers, by 0.25 at most"

    def test_epoch(self, small_run: Project, tmp_path: Path) -> None:
        project = small_run.copy(tmp_path / "project")

        def change(path: Path) -> None:
            lines = path.read_text().splitlines()
            lines[2] = lines[2].replace(lines[2].split(",")[1], "0.5", 1)
            path.write_text("\n".join(lines))

        told = self.first(project, HISTORY, change)
        assert re.fullmatch(r"first in epoch 2: loss \d\.\d+ became 0\.5", told)

    def test_row(self, small_run: Project, tmp_path: Path) -> None:
        project = small_run.copy(tmp_path / "project")

        def change(path: Path) -> None:
            table = pq.read_table(path)
            labels = table["label"].to_pylist()
            labels[3] = 1 - labels[3]
            place = table.schema.get_field_index("label")
            field = table.schema.field("label")
            pq.write_table(table.set_column(place, field, pa.array(labels, field.type)), path)

        told = self.first(project, "data/interim/reviews.parquet", change)
        assert re.fullmatch(r"first in row 4: label [01] became [01]", told)

    def test_key_and_array(self, small_run: Project, tmp_path: Path) -> None:
        project = small_run.copy(tmp_path / "project")
        told = self.first(project, METRICS, lambda path: path.write_text('{"accuracy": 1}'))
        assert re.fullmatch(r"first in accuracy: 0\.\d+ became 1", told)

        def change(path: Path) -> None:
            arrays = dict(np.load(path))
            arrays["y_test"][2] += 1
            files.write_npz(path, arrays)

        told = self.first(project, "data/raw/mnist.npz", change)
        assert re.fullmatch(r"first in the array y_test at \[2\], 1 of \d+ numbers", told)

    def test_file_of_a_bundle(self, small_run: Project, tmp_path: Path) -> None:
        committed = lock.outputs(small_run.root)[Path(f"models/{NAME}/bundle")].md5
        found = small_run.copy(tmp_path / "reproduced")
        manifest = found.root / paths.bundle(NAME) / bundle.MANIFEST
        manifest.unlink()  # it may be a link into DVC's cache
        manifest.write_text("{}")
        directory = [f"models/{NAME}/bundle", "", EQUIVALENT, committed, "b.dir", None]
        (tmp_path / "committed").mkdir()
        told = list(
            explanation.differences(
                small_run.root / ".dvc/cache", [verdicts.Verdict(*directory)], tmp_path
            )
        )
        assert told == [f"models/{NAME}/bundle: first in the file {bundle.MANIFEST}"]


def run(project: Project, *arguments: str, one_core: bool = False, **environment: str) -> tuple:
    """Run a verification and return its exit status, its report and its stderr."""
    cores = os.sched_getaffinity(0)
    try:
        if one_core:
            os.sched_setaffinity(0, {min(cores)})  # what is started inherits it
        result = project.run(
            "keras_repro", "verify", *arguments, DATA_MIRROR=str(FIXTURES), **environment
        )
    finally:
        os.sched_setaffinity(0, cores)
    return result.returncode, result.stdout, result.stderr


@pytest.mark.slow
class TestVerify:
    def test_other_path_other_hash_seed_and_one_core(
        self, small_run: Project, tmp_path: Path
    ) -> None:
        summary = tmp_path / "summary.md"
        status, stdout, stderr = run(
            small_run, "--json", "--summary", str(summary), one_core=True, PYTHONHASHSEED="7"
        )
        assert status == 0, stderr
        report = json.loads(stdout)
        assert report["commit"] == small_run.git("rev-parse", "HEAD").strip()
        outputs = {found["output"]: found["found"] for found in report["verdicts"]}
        assert outputs == hashes(small_run.root)
        assert report["counts"] == {"identical": len(outputs), "equivalent": 0, "drifted": 0}
        assert report["explanation"] == "every byte is as committed"
        assert report["committed_by"]["numerics"] == report["verified_by"]["numerics"]
        text = summary.read_text("utf-8")
        assert f"| `{MODEL}` | identical |  |" in text
        assert "No metric differs." in text
        assert small_run.git("status", "--porcelain") == ""

    def test_commit_whose_metrics_are_of_other_parameters(
        self, small_run: Project, tmp_path: Path
    ) -> None:
        project = small_run.copy(tmp_path / "project")
        project.set(f"models.{NAME}.optimizer.learning_rate", 0.0001)
        project.commit("Another learning rate, and no run")
        project.set(f"models.{NAME}.epochs", 1)
        status, stdout, stderr = run(project, "--only", NAME)
        assert status == 1, stdout
        assert "not verified, since they are not committed: params.yaml" in stderr
        assert re.search(rf"{METRICS} +drifted +accuracy 0\.\d+ became 0\.\d+; expected", stdout)
        assert "data/raw/mnist.npz" in stdout
        assert "cifar10" not in stdout
        assert "no machine explains what drifted" in stdout

    def test_metric_that_somebody_improved(self, small_run: Project, tmp_path: Path) -> None:
        project = small_run.copy(tmp_path / "project")
        metrics = json.loads((project.root / METRICS).read_text())
        better = metrics | {"accuracy": metrics["accuracy"] + 0.001}
        rewrite(project, METRICS, json.dumps(better).encode())
        project.commit("A little better")
        status, stdout, _ = run(project, "--explain", NAME)
        assert status == 1, stdout
        assert re.search(rf"{METRICS} +equivalent +line 1", stdout)
        assert "the bytes that differ are NOT explained" in stdout
        told = f"{METRICS}: first in accuracy: {better['accuracy']} became {metrics['accuracy']}"
        assert stdout.splitlines()[-1] == told

    def test_a_run_in_a_clone_leaves_a_clean_tree(self, small_run: Project, tmp_path: Path) -> None:
        project = small_run.clone(tmp_path / "clone")
        result = project.dvc("repro")
        assert result.returncode == 0, result.stderr
        assert "Running stage 'train@mnist_functional'" in result.stdout
        assert project.git("status", "--porcelain") == ""

    def test_stage_that_fails(self, small_run: Project, tmp_path: Path) -> None:
        project = small_run.copy(tmp_path / "project")
        build = project.root / f"keras_repro/models/{NAME}.py"
        build.write_text(build.read_text("utf-8") + "\nraise SystemExit('broken')\n")
        project.commit("A model that cannot be built")
        status, stdout, stderr = run(project, "--only", NAME)
        assert status == 1
        assert "broken" in stderr
        assert re.search(rf"{MODEL} +drifted +it was not made", stdout)

    def test_summary_that_cannot_be_written(self, small_run: Project, tmp_path: Path) -> None:
        missing = tmp_path / "missing/summary.md"
        status, stdout, stderr = run(small_run, "--summary", str(missing))
        assert (status, stdout) == (1, "")
        assert stderr == (
            f"error: --summary {missing}: No such file or directory; expected a writable file\n"
        )

    def test_unknown_model(self, small_run: Project) -> None:
        status, stdout, stderr = run(small_run, "--only", "lstm")
        assert (status, stdout) == (1, "")
        assert stderr.startswith("error: dvc.lock: has nothing called 'lstm'; expected one of ")

    def test_no_repository(self, project: Project) -> None:
        status, stdout, stderr = run(project)
        assert (status, stdout) == (1, "")
        assert stderr.startswith("error: ")
        assert "not a git repository" in stderr


class TestFiles:
    """tolerances.yaml and gates.yaml, the committed ones and such as a user may spoil."""

    def test_every_tolerance_has_its_reason(self) -> None:
        for section in tolerances.load(MODELS, ROOT / "metrics/tolerances.yaml").values():
            for key in ModelTolerances.model_fields:
                assert len(getattr(section, key).reason.split()) > 3
                assert "preliminary" not in getattr(section, key).reason
            assert section.agreement.bound > 0.5

    @pytest.mark.parametrize(
        ("file", "load", "change", "message"),
        [
            (
                "tolerances.yaml",
                tolerances.load,
                lambda content: content[NAME]["f1"].pop("reason"),
                rf"tolerances\.yaml: {NAME}\.f1\.reason is missing",
            ),
            (
                "tolerances.yaml",
                tolerances.load,
                lambda content: content.pop("default"),
                r"tolerances\.yaml: default is missing; expected it, for models without a section",
            ),
            (
                "gates.yaml",
                gates.load,
                lambda content: content[NAME].update(accuracy=98),
                rf"gates\.yaml: {NAME}\.accuracy is 98; expected less than 1",
            ),
            (
                "gates.yaml",
                gates.load,
                lambda content: content.update(lstm=content[NAME]),
                r"gates\.yaml: lstm is no model; expected one of mnist_sequential, ",
            ),
        ],
    )
    def test_faults(
        self, tmp_path: Path, file: str, load: Callable, change: Callable, message: str
    ) -> None:
        yaml = YAML()
        content = yaml.load(ROOT / "metrics" / file)
        change(content)
        yaml.dump(content, tmp_path / file)
        with pytest.raises(ReproError, match=message):
            load(MODELS, tmp_path / file)

    @pytest.mark.parametrize("load", [gates.load, tolerances.load])
    def test_a_new_model_has_those_of_any(self, load: Callable) -> None:
        path = ROOT / "metrics" / f"{load.__module__.rpartition('.')[2]}.yaml"
        found = load([*MODELS, "cifar10_mlp", "default"], path)
        assert found["cifar10_mlp"] == found["default"]


class TestGate:
    def test_committed_metrics_reach_their_gates(
        self, head: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(head)
        assert gates.shortfalls(gates.load(MODELS)) == []

    def test_gate_names_what_fell_short(self, project: Project, head: Path) -> None:
        (project.root / "metrics").mkdir(exist_ok=True)
        for name in (*MODELS, "behaviour"):
            source = head / f"metrics/{name}.json"
            (project.root / f"metrics/{name}.json").write_bytes(source.read_bytes())
        passed = project.command("gate")
        assert (passed.returncode, passed.stderr) == (0, "")
        count = len(MODELS)
        assert passed.stdout == f"all metrics of {count} models reach metrics/gates.yaml\n"
        path = project.root / METRICS
        metrics = json.loads(path.read_text())
        path.write_text(json.dumps(metrics | {"f1": 0.5, "recall": float("nan")}))
        failed = project.command("gate")
        assert failed.returncode == 1
        assert failed.stderr.splitlines() == [
            "error: 2 below metrics/gates.yaml",
            f"{METRICS}: recall is nan; expected at least 0.98",
            f"{METRICS}: f1 is 0.5000; expected at least 0.98",
        ]
        behaviour = project.root / "metrics/behaviour.json"
        shares = json.loads(behaviour.read_text())
        shares["sentiment_hybrid"]["cases"] = 0.1
        behaviour.write_text(json.dumps(shares))
        told = project.command("gate").stderr.splitlines()
        assert told[-1] == (
            "metrics/behaviour.json: sentiment_hybrid.cases is 0.1000; expected at least 0.93"
        )
        path.write_text(json.dumps(metrics | {"f1": None}))
        told = project.command("gate").stderr
        assert told == f"error: {METRICS}: f1 is None; expected a number\n"


def test_differences_of_fingerprints() -> None:
    before = {"cpu": "A", "numerics": {"exp": "1", "sum": "2"}}
    after = {"cpu": "A", "numerics": {"exp": "1", "sum": "3", "sqrt": "4"}}
    assert list(fingerprint.differences(before, after)) == [
        ("numerics.sqrt", None, "4"),
        ("numerics.sum", "2", "3"),
    ]


def test_committed_fingerprint_is_of_the_commit(head: Path) -> None:
    found = json.loads((head / "metrics/fingerprint.json").read_text())
    assert list(verification.fingerprint_faults(head, found)) == []
    assert found["numerics"].keys() == (numerics.COMPUTATIONS | gradients.COMPUTATIONS).keys()
