"""Which models to verify after a change: those that it can have touched, and in turn the others."""

import re
import subprocess
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stages import ReproError, params, paths
from stages.reproducibility import fingerprint

# Every second model has its turn at a commit, the others at the next.
TURNS = 2
PACKAGES = "requirements.lock"

Entries = dict[str, dict[str, Any]]


def due(repository: Path, since: str) -> list[str]:
    """Return the models to verify at the current commit, in the order of params.yaml.

    These are the models for which dvc.lock records other code, parameters, data or outputs than at
    `since`, in their own stages or in one before these; all, if a locked package changed whose
    version can change a byte; and those whose turn it is. A run leaves out every second model at
    most, by the number of its commit, and none if the run before left out the same ones.

    Args:
        repository: the root of a Git repository with this pipeline.
        since: the last commit that was verified, in any form that Git knows.

    Raises:
        ReproError: Git knows no such commit.

    """
    names = list(params.Models.model_fields)
    then, now = (int(_git(repository, "rev-list", "--count", rev)) for rev in (since, "HEAD"))
    before, after = (_entries(_shown(repository, rev, paths.LOCK)) for rev in (since, "HEAD"))
    old, new = (_versions(_shown(repository, rev, PACKAGES)) for rev in (since, "HEAD"))
    if old != new or (now - then) % TURNS == 0:
        return names
    return [
        name
        for place, name in enumerate(names)
        if touched(name, before, after) or (place - now) % TURNS == 0
    ]


def touched(name: str, before: Entries, after: Entries) -> bool:
    """Say whether the stages of a model, or those that these need, are recorded otherwise.

    Args:
        name: of the model.
        before: the stages of a dvc.lock.
        after: those of a later one.

    """
    made_by = {
        out["path"]: stage for stage, entry in after.items() for out in entry.get("outs", [])
    }
    waiting, seen = [f"train@{name}", f"evaluate@{name}"], set()
    while waiting:
        stage = waiting.pop()
        if stage in seen:
            continue
        seen.add(stage)
        if before.get(stage) != after.get(stage):
            return True
        needs = after.get(stage, {}).get("deps", [])
        waiting += [made_by[dep["path"]] for dep in needs if dep["path"] in made_by]
    return False


def _versions(lock: str) -> dict[str, str]:
    """Return the versions of the packages that can change a byte, of a file of requirements."""
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))
    return {name: pinned.get(name, "") for name in fingerprint.PACKAGES}


def _entries(lock: str) -> Entries:
    stages: Entries = (YAML(typ="safe", pure=True).load(lock) or {}).get("stages", {})
    return stages


def _shown(repository: Path, revision: str, path: str | Path) -> str:
    """Return a file as it was at a commit, which did not need to have it."""
    if not _git(repository, "ls-tree", "--name-only", revision, str(path)):
        return ""
    return _git(repository, "show", f"{revision}:{path}")


def _git(repository: Path, *arguments: str) -> str:
    result = subprocess.run(
        ["git", *arguments], cwd=repository, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        told = result.stderr.partition("\n")[0]
        raise ReproError(
            f"--since: git {' '.join(arguments)} failed ({told}); expected a commit of this "
            "repository"
        )
    return result.stdout.strip()
