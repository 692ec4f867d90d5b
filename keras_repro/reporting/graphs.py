"""Pictures of the networks and of the pipeline."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup

from keras_repro.core import paths
from keras_repro.reporting import drawings, programs
from keras_repro.reporting.blocks import (
    Block,
    Cell,
    Column,
    Diagram,
    Group,
    Heading,
    Section,
    Table,
    Text,
    code,
    codes,
)

GRAPHVIZ_MISSING = Markup("No graphs are drawn, as {} of Graphviz is not installed.").format(
    code("dot")
)


class Pipeline(NamedTuple):
    """The stages of all dvc.yaml files.

    Attributes:
        stages: their names, after that of their file if it is not the one at the root.
        edges: from a stage to one that needs what it makes.

    """

    stages: list[str]
    edges: list[tuple[str, str]]

    def needs(self, stage: str) -> list[str]:
        """Return the stages that a stage needs."""
        return [source for source, target in self.edges if target == stage]


def models(names: Sequence[str]) -> Section:
    """Return the graph of each network and the table of its layers.

    Raises:
        ReproError: Graphviz cannot draw a graph.

    """
    blocks: list[Block] = []
    missing = []
    drawable = True
    for name in names:
        graph, listing = paths.diagram(name), paths.summary(name)
        svg = None
        if graph.is_file():
            svg = programs.dot(graph.read_text(encoding="utf-8"), graph)
            drawable = drawable and svg is not None
        told = listing.read_text(encoding="utf-8") if listing.is_file() else ""
        if svg or told:
            picture = drawings.element(svg, f"model-{name}", f"Layers of {name}") if svg else None
            blocks += [Heading(code(name)), Diagram(name, picture, told)]
        else:
            missing.append(name)
    if not drawable:
        blocks.insert(0, Text(GRAPHVIZ_MISSING))
    if missing:
        told = Markup("Not drawn yet: {}. {} does it.")
        blocks.append(
            Text(told.format(codes(missing), code("dvc repro stages/tutorial/dvc.yaml:diagram")))
        )
    return Section("models", "Networks", tuple(blocks))


def pipeline() -> Section:
    """Return the graph of the stages in each dvc.yaml.

    Raises:
        ReproError: DVC cannot read one of them.

    """
    found = parse(programs.dvc("dag", "--dot"))
    blocks: list[Block] = [
        Text(
            "The stages, and by arrows what goes from one to another, as the dvc.yaml files say. "
            "A dashed stage is of another file."
        )
    ]
    by_file: dict[str, list[str]] = {}
    for stage in found.stages:
        by_file.setdefault(_file(stage), []).append(stage)
    for file, stages in by_file.items():
        svg = programs.dot("\n".join(_dot(stages, found)), file)
        blocks.append(Heading(code(file)))
        if svg:
            picture = drawings.element(svg, f"pipeline-{file}", f"Stages of {file}")
            blocks.append(Diagram(file, picture))
        elif Text(GRAPHVIZ_MISSING) not in blocks:
            blocks.insert(0, Text(GRAPHVIZ_MISSING))
        blocks.append(_table(file, stages, found, folded=svg is not None))
    return Section("pipeline", "Pipeline", tuple(blocks))


def parse(dag: str) -> Pipeline:
    r"""Return what `dvc dag --dot` prints.

    >>> parse('strict digraph {\n"a";\n"b@c";\n"a" -> "b@c";\n}')
    Pipeline(stages=['a', 'b@c'], edges=[('a', 'b@c')])
    """
    stages = re.findall(r'^"([^"]*)";$', dag, re.MULTILINE)
    edges = re.findall(r'^"([^"]*)" -> "([^"]*)";$', dag, re.MULTILINE)
    return Pipeline(stages, edges)


def _dot(stages: Sequence[str], found: Pipeline) -> Iterator[str]:
    """Yield the graph of some stages and of what they need, in the DOT language."""
    yield "digraph {"
    yield '  rankdir=LR; node [shape=box, fontname="Helvetica"];'
    for stage in stages:
        yield f"  {json.dumps(stage)} [label={json.dumps(_name(stage))}];"
    needed = {source: None for stage in stages for source in found.needs(stage)}
    for stage in needed:
        if stage not in stages:
            yield f"  {json.dumps(stage)} [label={json.dumps(_name(stage))}, style=dashed];"
    for stage in stages:
        for source in found.needs(stage):
            yield f"  {json.dumps(source)} -> {json.dumps(stage)};"
    yield "}"


def _table(file: str, stages: Sequence[str], found: Pipeline, *, folded: bool) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (code(_name(stage)), codes(found.needs(stage)) or "nothing") for stage in stages
    ]
    columns = (Column("stage", number=False), Column("needs", number=False))
    return Table(f"Stages of {file} and what they need", columns, (Group(tuple(rows)),), folded)


def _file(stage: str) -> str:
    return stage.rpartition(":")[0] or "dvc.yaml"


def _name(stage: str) -> str:
    return stage.rpartition(":")[2]
