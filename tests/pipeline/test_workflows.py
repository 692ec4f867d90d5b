"""The workflows are valid, pinned, ask for little and only call make."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = Path(sys.executable).with_name(program)
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=False)


def steps(workflow: Path) -> list[dict]:
    jobs = YAML(typ="safe").load(workflow)["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
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
    assert called == ["lint", "types", "test-all", "check", "verify", "gate"]


def test_ci_runs_every_check_of_the_workflows() -> None:
    called = set(re.findall(r"^make ([a-z-]+)", (ROOT / ".ci/run").read_text(), re.MULTILINE))
    for workflow in WORKFLOWS:
        commands = [step["run"] for step in steps(workflow) if "run" in step]
        wanted = {re.search(r"make ([a-z-]+)", command)[1] for command in commands}
        # These check nothing.
        assert wanted - {"packages", "downloads", "changes", "report"} <= called
