"""The workflows are valid, pinned, ask for little and only call make; so is that of docs/ci.md."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import FIXTURES, ROOT, Project
from ruamel.yaml import YAML

PAGE = ROOT / "docs/ci.md"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
GATES = "default: {{accuracy: {}, precision: 0.001, recall: 0.001, f1: 0.001}}\n"
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = Path(sys.executable).with_name(program)
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=False)


def steps(workflow: Path) -> list[dict]:
    jobs = YAML(typ="safe").load(workflow)["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


def shown() -> str:
    """Return the workflow that the page shows."""
    return re.search(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[1]


@pytest.fixture(params=[*WORKFLOWS, PAGE], ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param != PAGE:
        return request.param
    path = tmp_path / ".github/workflows/benchmark.yml"
    path.parent.mkdir(parents=True)
    path.write_text(shown(), "utf-8")
    return path


class TestWorkflow:
    def test_schema(self, workflow: Path) -> None:
        result = run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)
        assert result.returncode == 0, result.stdout

    def test_audit(self, workflow: Path) -> None:
        result = run("zizmor", "--offline", "--no-progress", workflow)
        assert result.returncode == 0, result.stdout

    def test_actions_are_pinned(self, workflow: Path) -> None:
        used = re.findall(r"uses: (.*)", workflow.read_text("utf-8"))
        assert used
        for action in used:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)

    def test_only_reads(self, workflow: Path) -> None:
        content = YAML(typ="safe").load(workflow)
        assert content["permissions"] == {"contents": "read"}
        assert not any("permissions" in job for job in content["jobs"].values())

    def test_calls_make_and_nothing_else(self, workflow: Path) -> None:
        for command in (step["run"] for step in steps(workflow) if "run" in step):
            target = re.fullmatch(r"(?:sudo )?make ([a-z-]+)(?: \w+=\"[^\"]*\")?", command)
            assert target, command
            assert target[1] in TARGETS


def test_schema_check_can_fail(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text("on: push\njobs:\n  tests:\n    runs-on: x\n    step: []\n")
    result = run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", broken)
    assert result.returncode == 1


def test_audit_can_fail(tmp_path: Path) -> None:
    careless = tmp_path / ".github/workflows/careless.yml"
    careless.parent.mkdir(parents=True)
    text = WORKFLOWS[0].read_text("utf-8")
    careless.write_text(re.sub(r"@[0-9a-f]{40} # (v\d+)\.\S+", r"@\1", text))
    assert run("zizmor", "--offline", "--no-progress", careless).returncode != 0


def test_ci_runs_in_order() -> None:
    called = re.findall(r"^make ([a-z-]+)", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert called == ["lint", "types", "downloads", "test-all", "check", "verify", "gate"]


def test_ci_runs_every_check_of_the_workflows() -> None:
    called = set(re.findall(r"^make ([a-z-]+)", (ROOT / ".ci/run").read_text(), re.MULTILINE))
    for workflow in WORKFLOWS:
        commands = [step["run"] for step in steps(workflow) if "run" in step]
        wanted = {re.search(r"make ([a-z-]+)", command)[1] for command in commands}
        # These check nothing.
        assert wanted - {"packages", "downloads", "changes", "report"} <= called


class TestBenchmark:
    """The steps of the workflow that the page shows, on a small project of someone's own."""

    @pytest.fixture
    def benchmark(self, small_run: Project, tmp_path: Path) -> Project:
        project = small_run.clone(tmp_path / "benchmark")
        environment = project.root / ".ci/environment"
        environment.write_text("#!/bin/sh\n")  # ours is there already
        environment.chmod(0o755)
        (project.root / "metrics/gates.yaml").write_text(GATES.format(0.01))
        project.commit("A benchmark")
        return project

    def job(self, project: Project, summary: Path) -> list[subprocess.CompletedProcess[str]]:
        """Run the steps as GitHub does, up to the first that fails."""
        done = []
        for step in YAML(typ="safe").load(shown())["jobs"]["prove"]["steps"]:
            if "run" not in step:
                continue
            own = {"GITHUB_STEP_SUMMARY": str(summary), "DATA_MIRROR": str(FIXTURES)}
            command = ["bash", "-eo", "pipefail", "-c", step["run"]]
            environment = project.environment(**own)
            done.append(
                subprocess.run(
                    command, cwd=project.root, env=environment, capture_output=True, text=True,
                    check=False, timeout=900,
                )
            )  # fmt: skip
            if done[-1].returncode:
                break
        return done

    @pytest.mark.slow
    def test_passes(self, benchmark: Project, tmp_path: Path) -> None:
        verify, gate = self.job(benchmark, tmp_path / "summary.md")
        assert (verify.returncode, gate.returncode) == (0, 0), verify.stderr + gate.stderr
        assert "identical" in (tmp_path / "summary.md").read_text("utf-8")

    @pytest.mark.slow
    def test_fails_where_a_metric_was_improved_by_hand(
        self, benchmark: Project, tmp_path: Path
    ) -> None:
        path = benchmark.root / "metrics/sentiment_hybrid.json"
        path.write_text(re.sub(r'"f1": [\d.]+', '"f1": 0.999', path.read_text()))
        benchmark.commit("Better")
        (verify,) = self.job(benchmark, tmp_path / "summary.md")
        assert verify.returncode == 2  # make's own
        assert "metrics/sentiment_hybrid.json" in (tmp_path / "summary.md").read_text("utf-8")

    def test_fails_below_the_minimum(self, benchmark: Project) -> None:
        (benchmark.root / "metrics/gates.yaml").write_text(GATES.format(0.999))
        gate = subprocess.run(
            ["make", "gate"], cwd=benchmark.root, env=benchmark.environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert gate.returncode == 2
        assert "sentiment_hybrid" in gate.stderr
