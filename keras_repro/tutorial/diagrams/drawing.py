"""Graphs as DOT for Graphviz, and as Mermaid, which GitHub draws inside a page."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.tutorial.diagrams.graph import Graph, Node


def dot(graph: Graph) -> str:
    """Return the graph in the DOT language, models within it as clusters."""
    lines = [
        f"digraph {_quoted(graph.key)} {{",
        '  node [shape=box, fontname="Helvetica"];',
        *_dot_members(graph, "  "),
        *(f"  {_quoted(a)} -> {_quoted(b)};" for a, b in graph.all_edges()),
        "}",
    ]
    return "\n".join(lines) + "\n"


def mermaid(graph: Graph) -> str:
    """Return the graph in the Mermaid language, models within it as subgraphs."""
    names = {node.key: f"n{number}" for number, node in enumerate(graph.nodes())}
    lines = [
        "flowchart TD",
        *_mermaid_members(graph, names, "  "),
        *(f"  {names[a]} --> {names[b]}" for a, b in graph.all_edges()),
    ]
    return "\n".join(lines) + "\n"


def svg(source: Path, target: Path) -> bool:
    """Draw a DOT file with Graphviz; return False if that is not installed.

    The picture depends on Graphviz' version and on the fonts of the machine.

    Raises:
        ReproError: Graphviz cannot draw it.

    """
    if not shutil.which("dot"):
        return False
    with files.replacing(target) as temporary:
        result = subprocess.run(
            ["dot", "-Tsvg", f"-o{temporary}", str(source)],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise ReproError(
                f"{source}: Graphviz cannot draw it ({result.stderr.strip()}); "
                "expected a graph in the DOT language (`dvc repro` makes it again)"
            )
    return True


def _dot_members(graph: Graph, indent: str) -> Iterator[str]:
    for member in graph.members:
        if isinstance(member, Graph):
            yield f"{indent}subgraph {_quoted(f'cluster_{member.key}')} {{"
            yield f"{indent}  label={_quoted(member.key)};"
            yield from _dot_members(member, f"{indent}  ")
            yield f"{indent}}}"
        else:
            label = "\n".join(_label(member))
            yield f"{indent}{_quoted(member.key)} [label={_quoted(label)}];"


def _mermaid_members(graph: Graph, names: dict[str, str], indent: str) -> Iterator[str]:
    for member in graph.members:
        if isinstance(member, Graph):
            first = next(member.nodes())
            yield f'{indent}subgraph within_{names[first.key]}["{member.key}"]'
            yield from _mermaid_members(member, names, f"{indent}  ")
            yield f"{indent}end"
        else:
            yield f'{indent}{names[member.key]}["{"<br>".join(_label(member))}"]'


def _label(node: Node) -> list[str]:
    """Return the lines that a node shows."""
    lines = [node.key.rpartition("/")[2], node.kind, *map(str, node.shapes)]
    return [*lines, f"{node.parameters:,} weights"] if node.parameters else lines


def _quoted(text: str) -> str:
    """Quote a string as DOT wants it, which for names and labels is as JSON does."""
    return json.dumps(text, ensure_ascii=False)
