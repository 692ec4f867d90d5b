"""Which files of the project a module imports, directly or not, read from the source alone."""

import ast
from collections.abc import Iterator
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


def direct(path: str) -> set[str]:
    """Return the files that a file imports by itself, relative to the repository."""
    return {str(found) for name in _imported(Path(path)) if (found := _file(name))}


@cache
def _imported(path: Path) -> frozenset[str]:
    names = set()
    for node in _executed(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(name for name in names if name.split(".")[0] in ("keras_repro", "stages"))


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes but those that are there for the sake of annotations alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _executed(node)


def says_nothing(path: str) -> bool:
    """Say whether a package's file holds its docstring and at most imports, which speak for it."""
    _, *body = ast.parse((ROOT / path).read_text("utf-8")).body
    imports = all(isinstance(node, ast.Import | ast.ImportFrom) for node in body)
    return path.endswith("__init__.py") and imports


def _file(module: str) -> Path | None:
    base = Path(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if (ROOT / path).is_file():
            return path
    return None
