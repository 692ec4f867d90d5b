"""Pictures of the networks and of the pipeline."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

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
from keras_repro.reporting.language import say, tell


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
            picture = (
                drawings.element(svg, f"model-{name}", say("Layers of {}").format(name))
                if svg
                else None
            )
            blocks += [Heading(code(name)), Diagram(name, picture, told)]
        else:
            missing.append(name)
    if not drawable:
        blocks.insert(0, _graphviz_missing())
    if missing:
        command = code("dvc repro stages/tutorial/dvc.yaml:diagram")
        blocks.append(Text(tell("Not drawn yet: {}. {} does it.", codes(missing), command)))
    return Section("models", say("Networks"), tuple(blocks))


def read() -> Pipeline:
    """Return the stages of each dvc.yaml.

    Raises:
        ReproError: DVC cannot read one of them.

    """
    return parse(programs.dvc("dag", "--dot"))


def pipeline(found: Pipeline) -> Section:
    """Return the graph of the stages in each dvc.yaml."""
    intro = say(
        "The stages, and by arrows what goes from one to another, as the dvc.yaml files say. "
        "A dashed stage is of another file."
    )
    blocks: list[Block] = [Text(intro)]
    by_file: dict[str, list[str]] = {}
    for stage in found.stages:
        by_file.setdefault(_file(stage), []).append(stage)
    for file, stages in by_file.items():
        svg = programs.dot("\n".join(_dot(stages, found)), file)
        blocks.append(Heading(code(file)))
        if svg:
            picture = drawings.element(svg, f"pipeline-{file}", say("Stages of {}").format(file))
            blocks.append(Diagram(file, picture))
        elif _graphviz_missing() not in blocks:
            blocks.insert(0, _graphviz_missing())
        blocks.append(_table(file, stages, found, folded=svg is not None))
    return Section("pipeline", say("Pipeline"), tuple(blocks))


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
        (code(_name(stage)), codes(found.needs(stage)) or say("nothing")) for stage in stages
    ]
    columns = (Column(say("stage"), number=False), Column(say("needs"), number=False))
    caption = say("Stages of {} and what they need").format(file)
    return Table(caption, columns, (Group(tuple(rows)),), folded)


def _graphviz_missing() -> Text:
    return Text(tell("No graphs are drawn, as {} of Graphviz is not installed.", code("dot")))


def _file(stage: str) -> str:
    return stage.rpartition(":")[0] or "dvc.yaml"


def _name(stage: str) -> str:
    return stage.rpartition(":")[2]
