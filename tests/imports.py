"""Which files of stages/ a module imports, directly or not, read from the source alone."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


def closure(module: str) -> set[str]:
    """Return the files, relative to the repository, that `python -m MODULE` may execute."""
    pending, found = {module}, set()
    while pending:
        name = pending.pop()
        path = _file(name)
        if path is None or str(path) in found:
            continue
        found.add(str(path))
        pending |= _imported(path)
        # Importing a.b.c executes a/__init__.py and a/b/__init__.py as well.
        parts = name.split(".")
        pending |= {".".join(parts[:end]) for end in range(1, len(parts))}
    return found


@cache
def _imported(path: Path) -> frozenset[str]:
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(name for name in names if name.split(".")[0] == "stages")


def _file(module: str) -> Path | None:
    base = Path(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if (ROOT / path).is_file():
            return path
    return None
