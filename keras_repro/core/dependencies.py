"""What a stage depends on must stay as it is while the stage runs.

DVC hashes the dependencies of a stage after its command has ended (treeverse/dvc#11058). A file
that somebody edits during a training would then be recorded as what made the model.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pathspec import PathSpec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError

STAGE = "DVC_STAGE"  # the variable in which DVC tells a command its stage: [FILE:]NAME[@ITEM]
IGNORED = Path(".dvcignore")
VARIABLE = re.compile(r"\$\{([\w.]+)\}")


class Snapshot:
    """The files and parameters of a stage as they are now.

    Args:
        stage: its name, for messages.
        files: paths of files and directories.
        parameters: the keys, by file.

    """

    def __init__(self, stage: str, files: list[str], parameters: dict[str, list[str]]) -> None:
        self._stage, self._files, self._parameters = stage, files, parameters
        self._ignored = PathSpec.from_lines("gitignore", _lines(IGNORED))
        self._seen: dict[Path, tuple[tuple[int, ...], Any]] = {}
        self._states = self._now()

    def check(self) -> None:
        """Compare with what is there now.

        Raises:
            ReproError: something changed; the message names it.

        """
        now = self._now()
        for name in sorted(self._states.keys() | now.keys()):
            if self._states.get(name) != now.get(name):
                raise ReproError(
                    f"{name}: changed while the stage {self._stage} ran; expected it to stay as it "
                    "was when the stage began, as DVC would record the change as what made the "
                    "outputs (nothing is recorded; run `dvc repro` again)"
                )

    def _now(self) -> dict[str, Any]:
        found = {str(path): self._of(path, files.sha256) for path in self._expanded()}
        for name, keys in self._parameters.items():
            content = self._of(Path(name), _read_yaml)
            found |= {f"{name}: {key}": _value(content, key) for key in keys}
        return found

    def _of(self, path: Path, read: Callable[[Path], Any]) -> Any:
        """Return what `read` makes of a file, anew only where it is not the one seen before."""
        try:
            status = path.stat()
        except FileNotFoundError:
            return read(path)
        state = (status.st_mtime_ns, status.st_size, status.st_ino)
        if self._seen.get(path, (None,))[0] != state:
            self._seen[path] = state, read(path)
        return self._seen[path][1]

    def _expanded(self) -> Iterator[Path]:
        """Yield the files of the names and below them that DVC does not ignore."""
        for path in map(Path, self._files):
            if path.is_dir():
                inside = (found for found in path.rglob("*") if found.is_file())
                yield from (found for found in inside if not self._ignored.match_file(found))
            elif path.exists():
                yield path


def watch() -> Callable[[], None]:
    """Return what checks that the dependencies of this process' stage are as they are now.

    A command that DVC did not start is no stage, and nothing is checked.

    Raises:
        ReproError: no dvc.yaml has the stage that DVC names.

    """
    name = os.environ.get(STAGE, "").rpartition(":")[2]
    if not name:
        return lambda: None
    entry = declared(name)
    # What lies in an object store has no name here, and nobody edits it.
    local = [dep for dep in entry.get("deps", []) if not files.is_address(dep)]
    return Snapshot(name, local, parameters(entry)).check


def parameters(entry: dict[str, Any]) -> dict[str, list[str]]:
    """Return the parameters that a stage of dvc.yaml lists, by their file."""
    keys: dict[str, list[str]] = {}
    for item in entry.get("params", []):
        for file, some in item.items() if isinstance(item, dict) else [(paths.PARAMS, [item])]:
            keys.setdefault(str(file), []).extend(some)
    return keys


def declared(name: str) -> Any:
    """Return a stage of the dvc.yaml files with its variables filled in."""
    family, _, key = name.partition("@")
    context = _read_yaml(paths.PARAMS) if paths.PARAMS.exists() else {}
    for path in [Path("dvc.yaml"), *sorted(paths.FURTHER.glob("*/dvc.yaml"))]:
        stage = (_read_yaml(path) if path.exists() else {}).get("stages", {}).get(family, {})
        items = stage.get("foreach")
        if isinstance(items, str) and (named := VARIABLE.fullmatch(items)):
            items = _value(context, named[1])
        if items is None and stage and not key:
            return _filled(stage, context)
        if items is not None and key in map(str, items):
            item = items[key] if isinstance(items, dict) else key
            each = {"key": key, "item": _filled(item, context)}
            return _filled(stage["do"], context | each)
    raise ReproError(f"dvc.yaml: has no stage {name}, which {STAGE} names; expected one")


def _filled(value: Any, context: dict[str, Any]) -> Any:
    """Return a value of dvc.yaml with the variables in all its texts replaced."""
    if isinstance(value, dict):
        return {_filled(key, context): _filled(item, context) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, context) for item in value]
    if isinstance(value, str):
        return VARIABLE.sub(lambda found: str(_value(context, found[1])), value)
    return value


def _value(content: Any, key: str) -> Any:
    """Return what stands under a dotted key, None if nothing does."""
    for part in key.split("."):
        content = content.get(part) if isinstance(content, dict) else None
    return content


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _read_yaml(path: Path) -> Any:
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise ReproError(f"{path}: cannot be read as YAML ({error})") from None
