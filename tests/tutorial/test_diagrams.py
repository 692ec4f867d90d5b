"""Diagrams hold what Keras' own drawing holds, in bytes that depend on the network alone."""

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable

import keras
import pydot
import pytest
from conftest import Project
from keras import layers

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.reproducibility.exact import archive
from keras_repro.tutorial.diagrams import drawing, graph, summary


def sequential(units: int = 4) -> keras.Model:
    model = keras.Sequential(name="chain")
    model.add(keras.Input((6,), name="numbers"))
    model.add(layers.Dense(units, name="hidden"))
    model.add(layers.Dropout(0.5, name="dropout"))
    model.add(layers.Dense(2, name="logits"))
    return model


def branched() -> keras.Model:
    """Two inputs, a layer that is called twice, a wrapper, an operation, two outputs."""
    left, right = keras.Input((5, 3), name="left"), keras.Input((5, 3), name="right")
    shared = layers.Bidirectional(layers.LSTM(2, name="lstm"), name="shared")
    merged = layers.Concatenate(name="merged")([shared(left), shared(right)])
    return keras.Model(
        {"left": left, "right": right},
        {"b": layers.Dense(1, name="b")(merged * 2.0), "a": layers.Dense(3, name="a")(merged)},
        name="branched",
    )


def nested() -> keras.Model:
    """A backbone of several levels with two inputs and outputs, frozen, between other layers."""
    first, second = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    backbone = keras.Model(
        [first, second],
        [sequential_body()(first), layers.Dense(2, name="other")(second)],
        name="backbone",
    )
    backbone.trainable = False
    image = keras.Input((4,), name="image")
    hidden = layers.Dense(4, name="hidden")(image)
    one, two = backbone([hidden, image])
    joined = layers.Add(name="joined")([one, two])
    return keras.Model(image, joined, name="nested")


def sequential_body() -> keras.Model:
    body = keras.Sequential([keras.Input((4,), name="inner")], name="body")
    body.add(layers.Dense(3, name="dense"))
    body.add(layers.Dense(2, name="dense_2"))
    return body


BUILDS = [sequential, branched, nested]
builds = pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.__name__)


def drawn_by_keras(model: keras.Model) -> tuple[Counter, Counter]:
    """Return the labels of the nodes, and of the ends of the edges, of `model_to_dot`."""
    found = keras.utils.model_to_dot(model, expand_nested=True)
    labels: dict[str, str] = {}
    edges = []

    def collect(part: pydot.Graph) -> None:
        for node in part.get_nodes():
            if name := re.search(r"<b>(\w+)</b> \((\w+)\)", node.get_label() or ""):
                labels[node.get_name()] = name[1]
        edges.extend(part.get_edges())
        for cluster in part.get_subgraphs():
            collect(cluster)

    collect(found)
    pairs = [(labels[edge.get_source()], labels[edge.get_destination()]) for edge in edges]
    return Counter(labels.values()), Counter(pairs)


@builds
def test_nodes_and_edges_are_those_that_keras_draws(build: Callable[[], keras.Model]) -> None:
    model = build()
    drawn = graph.of(model)
    # Keras leaves out the input of a Sequential, and what would lead to it.
    own = {"numbers", "inner"}
    short = {node.key: node.key.rpartition("/")[2] for node in drawn.nodes()}
    skipped = {after: before for before, after in drawn.all_edges() if short[after] in own}
    nodes = Counter(name for name in short.values() if name not in own)
    edges = Counter(
        (short[skipped.get(before, before)], short[after])
        for before, after in drawn.all_edges()
        if short[after] not in own and not (short[before] in own and before not in skipped)
    )
    assert (nodes, edges) == drawn_by_keras(model)


def test_the_tutorial_s_inception() -> None:
    """Part 4.3, without the download of its weights."""
    model = keras.applications.InceptionV3(weights=None)
    drawn = graph.of(model)
    nodes = Counter(node.key for node in drawn.nodes())
    assert (nodes, Counter(drawn.all_edges())) == drawn_by_keras(model)
    assert len(nodes) == 313
    assert sum(node.parameters for node in drawn.nodes()) == 23_851_784


def test_two_inputs_and_outputs_of_a_backbone_are_told_apart() -> None:
    edges = set(graph.of(nested()).all_edges())
    assert {
        ("hidden", "backbone/first"),
        ("image", "backbone/second"),
        ("backbone/first", "backbone/body/inner"),
        ("backbone/body/dense_2", "joined"),
        ("backbone/other", "joined"),
    } <= edges


def test_kinds_shapes_and_weights() -> None:
    nodes = {node.key: node for node in graph.of(branched()).nodes()}
    assert nodes["shared"] == ("shared", "Bidirectional(LSTM)", ((None, 4),), 2 * 4 * 2 * 6)
    assert "Multiply" in {node.kind for node in nodes.values()}
    assert nodes["a"].shapes == ((None, 3),)
    assert nodes["b"].shapes == ((None, 1),)
    total = sum(node.parameters for node in graph.of(nested()).nodes())
    assert total == nested().count_params()


def test_a_model_that_hides_its_layers_is_one_node() -> None:
    class Hidden(keras.Model):
        def __init__(self, **named: object) -> None:
            super().__init__(**named)
            self.dense = layers.Dense(3)

        def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
            return self.dense(inputs)

    inputs = keras.Input((2,), name="inputs")
    drawn = graph.of(keras.Model(inputs, Hidden(name="hidden")(inputs), name="outer"))
    assert [node.key for node in drawn.nodes()] == ["inputs", "hidden/hidden"]
    assert list(drawn.all_edges()) == [("inputs", "hidden/hidden")]


class TestDrawing:
    # pydot 4.0 calls its parser by names that pyparsing is about to drop.
    @pytest.mark.filterwarnings("ignore:.* deprecated - use:DeprecationWarning")
    @builds
    def test_dot_is_read_back_by_another_program(self, build: Callable[[], keras.Model]) -> None:
        drawn = graph.of(build())
        (read,) = pydot.graph_from_dot_data(drawing.dot(drawn))
        edges = [(edge.get_source(), edge.get_destination()) for edge in read.get_edges()]
        assert [tuple(end.strip('"') for end in pair) for pair in edges] == list(drawn.all_edges())
        names: list[str] = []

        def collect(part: pydot.Graph) -> None:
            names.extend(node.get_name().strip('"') for node in part.get_nodes())
            for cluster in part.get_subgraphs():
                collect(cluster)

        collect(read)
        assert sorted(set(names) - {"node"}) == sorted(node.key for node in drawn.nodes())

    @builds
    def test_same_network_same_bytes(self, build: Callable[[], keras.Model]) -> None:
        pages = []
        for _ in range(2):
            keras.utils.clear_session()  # as in another process, names are counted from the start
            model = build()
            drawn = graph.of(model)
            pages.append(drawing.dot(drawn) + summary.page(drawn, summary.table(drawn, model)))
        assert pages[0] == pages[1]

    def test_another_network_other_bytes(self) -> None:
        assert drawing.dot(graph.of(sequential(4))) != drawing.dot(graph.of(sequential(5)))

    def test_what_is_loaded_is_drawn_as_what_was_saved(self, tmp_path) -> None:
        archive.save(nested(), tmp_path / "model.keras")
        loaded = archive.load(tmp_path / "model.keras")
        assert drawing.dot(graph.of(loaded)) == drawing.dot(graph.of(nested()))

    def test_mermaid(self) -> None:
        lines = drawing.mermaid(graph.of(sequential())).splitlines()
        assert lines == [
            "flowchart TD",
            '  n0["numbers<br>InputLayer<br>(None, 6)"]',
            '  n1["hidden<br>Dense<br>(None, 4)<br>28 weights"]',
            '  n2["dropout<br>Dropout<br>(None, 4)"]',
            '  n3["logits<br>Dense<br>(None, 2)<br>10 weights"]',
            "  n0 --> n1",
            "  n1 --> n2",
            "  n2 --> n3",
        ]
        within = drawing.mermaid(graph.of(nested()))
        assert within.count("subgraph ") == within.count(" end\n") == 2

    def test_no_graphviz(self, tmp_path, monkeypatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert not drawing.svg(tmp_path / "model.dot", tmp_path / "model.svg")
        assert not (tmp_path / "model.svg").exists()

    def test_graphviz_that_fails_leaves_no_picture(self, tmp_path, monkeypatch) -> None:
        program = tmp_path / "dot"
        program.write_text("#!/bin/sh\necho 'syntax error in line 1' >&2\nexit 1\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        with pytest.raises(ReproError, match=r"model\.dot: .*\(syntax error in line 1\)"):
            drawing.svg(tmp_path / "model.dot", tmp_path / "model.svg")
        assert [path.name for path in tmp_path.iterdir()] == ["dot"]

    @pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
    @builds
    def test_graphviz_draws_every_layer(self, build: Callable[[], keras.Model], tmp_path) -> None:
        drawn = graph.of(build())
        (tmp_path / "model.dot").write_text(drawing.dot(drawn))
        assert drawing.svg(tmp_path / "model.dot", tmp_path / "model.svg")
        picture = (tmp_path / "model.svg").read_text("utf-8")
        assert picture.count('class="node"') == len(list(drawn.nodes()))
        assert picture.count('class="edge"') == len(list(drawn.all_edges()))


def test_summary() -> None:
    model = nested()
    lines = summary.table(graph.of(model), model).splitlines()
    assert lines == [
        "layer                  kind        output     weights  from",
        "image                  InputLayer  (None, 4)        0",
        "hidden                 Dense       (None, 4)       20  image",
        "backbone/first         InputLayer  (None, 4)        0  hidden",
        "backbone/second        InputLayer  (None, 4)        0  image",
        "backbone/body/inner    InputLayer  (None, 4)        0  backbone/first",
        "backbone/body/dense    Dense       (None, 3)       15  backbone/body/inner",
        "backbone/body/dense_2  Dense       (None, 2)        8  backbone/body/dense",
        "backbone/other         Dense       (None, 2)       10  backbone/second",
        (
            "joined                 Add         (None, 2)        0  "
            "backbone/body/dense_2, backbone/other"
        ),
        "",
        "nested: 53 weights, of which 20 are trained",
    ]


class TestStage:
    def test_outputs(self, project: Project) -> None:
        archive.save(sequential(), project.root / paths.model("mnist_sequential"))
        made = [
            project.root / path("mnist_sequential")
            for path in (paths.diagram, paths.summary, paths.model_page)
        ]
        contents = []
        # Keras' own summary would be as wide as the terminal and drawn in its characters.
        narrow = project.run(
            "stages.tutorial.diagram", "mnist_sequential", COLUMNS="40", PYTHONIOENCODING="ascii"
        )
        assert narrow.returncode == 0, narrow.stderr
        contents.append([path.read_bytes() for path in made])
        result = project.stage("tutorial.diagram", "mnist_sequential", COLUMNS="200")  # in UTF-8
        assert result.returncode == 0, result.stderr
        contents.append([path.read_bytes() for path in made])
        assert contents[0] == contents[1]
        picture = made[0].with_suffix(".svg")
        assert picture.exists() == bool(shutil.which("dot"))
        assert f"{paths.diagram('mnist_sequential').with_suffix('.svg')} " in result.stderr

    def test_unknown_model(self, project: Project) -> None:
        result = project.stage("tutorial.diagram", "alexnet")
        assert result.returncode == 1
        assert result.stderr.startswith("error: params.yaml: no model 'alexnet'")
