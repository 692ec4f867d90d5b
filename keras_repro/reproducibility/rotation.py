"""What to verify after a change: what it can have touched, and in turn the rest."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from keras_repro.core import params, paths
from keras_repro.core.errors import ReproError
from keras_repro.reproducibility import lock
from keras_repro.reproducibility.exact import fingerprint

# Every second model has its turn at a commit, the others at the next.
TURNS = 2
# Of all else, which takes half an hour, every fourth; the weekly verification takes all.
FURTHER_TURNS = 4

Entries = dict[str, dict[str, Any]]


def due(repository: Path, since: str) -> tuple[list[str], list[str]]:
    """Return the stages to verify at the current commit, and the names of what is left out.

    A model is verified if the locks record other code, parameters, data or outputs than at `since`
    for one of its stages or one before these, or if it is its turn. A run leaves out every second
    model at most, by the number of its commit, and none if the run before left out the same ones or
    if a locked package changed whose version can change a byte. What is no model of the main
    pipeline, as the baselines and the tutorial's further parts, has its turn, too, and is verified
    if it was touched and no model was.

    Args:
        repository: the root of a Git repository with this pipeline.
        since: the last commit that was verified, in any form that Git knows.

    Raises:
        ReproError: Git knows no such commit.

    """
    then, now = (int(_git(repository, "rev-list", "--count", rev)) for rev in (since, "HEAD"))
    before, after = (locks(repository, rev) for rev in (since, "HEAD"))
    old, new = (
        fingerprint.locked(_shown(repository, rev, paths.PACKAGES)) for rev in (since, "HEAD")
    )
    found = groups(after)
    known = params.load(repository / paths.PARAMS).models
    models = [name for name in known if name in found]
    further = [name for name in found if name not in models]
    changed = {name for name in found if touched(found[name], before, after)}
    chosen = models
    if old == new and (now - then) % TURNS:
        chosen = [name for name in models if name in changed or _turn(name, models, now, TURNS)]
    for name in further:
        alone = name in changed and not changed.intersection(models)
        if alone or _turn(name, further, now, FURTHER_TURNS):
            chosen = [*chosen, name]
    stages = [stage for name in chosen for stage in found[name]]
    return stages, [name for name in found if name not in chosen]


def stages_of(repository: Path, name: str) -> list[str]:
    """Return the stages with which a model, or a stage by its own name, is verified.

    Raises:
        ReproError: the locks of the current commit have nothing of this name.

    """
    entries = locks(repository, "HEAD")
    found = groups(entries) | {stage.rpartition(":")[2]: [stage] for stage in entries}
    if name not in found:
        raise ReproError(
            f"dvc.lock: has nothing called '{name}'; expected one of {', '.join(groups(entries))}"
        )
    return found[name]


def groups(entries: Entries) -> dict[str, list[str]]:
    """Return the stages on which no other depends, by what they are of: a model, or themselves.

    >>> image = {"outs": [{"path": "m.keras"}]}, {"deps": [{"path": "m.keras"}]}
    >>> groups({"train@m": image[0], "evaluate@m": image[1], "stages/tutorial/dvc.yaml:layers": {}})
    {'m': ['evaluate@m'], 'layers': ['stages/tutorial/dvc.yaml:layers']}
    """
    made_by = _makers(entries)
    needed = {made for entry in entries.values() for made in _needs(entry, made_by)}
    found: dict[str, list[str]] = {}
    for stage in entries:
        if stage not in needed:
            name, _, item = stage.rpartition(":")[2].partition("@")
            found.setdefault(item or name, []).append(stage)
    return found


def touched(stages: Iterable[str], before: Entries, after: Entries) -> bool:
    """Say whether stages, or those that these need, are recorded otherwise.

    Args:
        stages: as DVC addresses them.
        before: all stages of the locks at a commit.
        after: those at a later one.

    """
    return any(before.get(stage) != after.get(stage) for stage in with_needs(stages, after))


def with_needs(stages: Iterable[str], entries: Entries) -> set[str]:
    """Return stages and all that they need, directly or not, by the entries of the locks."""
    made_by = _makers(entries)
    waiting, seen = list(stages), set()
    while waiting:
        stage = waiting.pop()
        if stage not in seen:
            seen.add(stage)
            waiting += _needs(entries.get(stage, {}), made_by)
    return seen


def _makers(entries: Entries) -> dict[str, str]:
    """Return the stage that makes each output, by the output's path."""
    return {out["path"]: stage for stage, entry in entries.items() for out in entry.get("outs", [])}


def _needs(entry: dict[str, Any], made_by: Mapping[str, str]) -> list[str]:
    """Return the stages that make what a stage depends on, be it a file of a directory."""
    places = [dep["path"] for dep in entry.get("deps", [])]
    return [
        stage
        for path, stage in made_by.items()
        if any(path == place or path.startswith(f"{place}/") for place in places)
    ]


def _turn(name: str, names: list[str], commit: int, turns: int) -> bool:
    return (names.index(name) - commit) % turns == 0


def locks(repository: Path, revision: str) -> Entries:
    """Return the stages of all locks at a commit, as DVC addresses them."""
    names = _git(repository, "ls-tree", "-r", "--name-only", revision).splitlines()
    found = [Path(name) for name in names if Path(name).name == paths.LOCK.name]
    return {
        lock.address(path.parent, stage): entry
        for path in sorted(found, key=lambda path: len(path.parts))
        for stage, entry in _entries(_shown(repository, revision, path)).items()
    }


def _entries(lock: str) -> Entries:
    stages: Entries = (YAML(typ="safe").load(lock) or {}).get("stages", {})
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
