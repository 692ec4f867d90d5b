"""The layers of a network and what flows between them, read from its configuration.

`keras.utils.model_to_dot` draws the same graph and names its nodes by Python's object ids, which
differ in each process; `Model.summary` lays its table out by the width of the terminal.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import keras

Shape = tuple[int | None, ...]


class Node(NamedTuple):
    """One layer or operation.

    Attributes:
        key: its name, after those of the models around it; unique in the graph.
        kind: its class; of a wrapper, with the class of the layer within.
        shapes: of its outputs, as far as something uses them; None is a size that varies.
        parameters: the number of its weights.

    """

    key: str
    kind: str
    shapes: tuple[Shape, ...]
    parameters: int


class Graph(NamedTuple):
    """A model.

    Attributes:
        key: as a node's.
        members: its nodes, and models within it, in the order of the model.
        edges: from the key of one node to that of another.
        inputs: the keys of the nodes that take its inputs.
        outputs: the keys of the nodes that give its outputs.

    """

    key: str
    members: tuple["Node | Graph", ...]
    edges: tuple[tuple[str, str], ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def nodes(self) -> Iterator[Node]:
        """Yield all nodes, those of models within included."""
        for member in self.members:
            if isinstance(member, Graph):
                yield from member.nodes()
            else:
                yield member

    def all_edges(self) -> Iterator[tuple[str, str]]:
        """Yield all edges, those of models within included."""
        for member in self.members:
            if isinstance(member, Graph):
                yield from member.all_edges()
        yield from self.edges


def of(model: keras.Model) -> Graph:
    """Return the graph of a model, with the models within it as graphs of their own.

    A subclass of `keras.Model` hides what it does in Python code, and is one node.
    """
    return _graph(model, model.name, prefix="")


def _graph(model: keras.Model, key: str, prefix: str) -> Graph:
    """Return the graph of a model whose nodes' keys begin with `prefix`."""
    config = model.get_config()
    if isinstance(model, keras.Sequential):
        return _sequential(model, config, key, prefix)
    if "input_layers" in config:
        return _functional(model, config, key, prefix)
    node = Node(f"{prefix}{model.name}", type(model).__name__, (), model.count_params())
    return Graph(key, (node,), (), (node.key,), (node.key,))


def _sequential(model: keras.Model, config: dict[str, Any], key: str, prefix: str) -> Graph:
    first = config["layers"][0]
    name = first["config"]["name"]
    shape = model.input_shape
    members: list[Node | Graph] = [Node(f"{prefix}{name}", first["class_name"], (shape,), 0)]
    for layer in model.layers:
        shape = layer.compute_output_shape(shape)
        members.append(_member(layer, layer.name, (shape,), prefix, _config(config, layer.name)))
    edges = tuple((_outputs(before)[0], _inputs(after)[0]) for before, after in pairwise(members))
    return Graph(key, tuple(members), edges, _inputs(members[0]), _outputs(members[-1]))


def _functional(model: keras.Model, config: dict[str, Any], key: str, prefix: str) -> Graph:
    layers = {layer.name: layer for layer in model.layers}
    shapes = _shapes(model, config)
    members = {
        member["name"]: _member(
            layers.get(member["name"]),
            member["name"],
            tuple(shapes.get(member["name"], {}).values()),
            prefix,
            member,
        )
        for member in config["layers"]
    }
    edges: dict[tuple[str, str], None] = {}  # a set that keeps its order
    for member in config["layers"]:
        for call in member["inbound_nodes"]:
            for place, tensor in enumerate(_tensors(call)):
                source, _, output = tensor["keras_history"]
                takers = _inputs(members[member["name"]])
                taker = takers[place] if len(takers) > 1 else takers[0]
                edges[_giver(members[source], output), taker] = None
    return Graph(
        key,
        tuple(members.values()),
        tuple(edges),
        tuple(_inputs(members[name])[0] for name, *_ in _histories(config["input_layers"])),
        tuple(
            _giver(members[name], output) for name, _, output in _histories(config["output_layers"])
        ),
    )


def _member(
    layer: Any, name: str, shapes: tuple[Shape, ...], prefix: str, config: dict[str, Any]
) -> Node | Graph:
    """Return the graph of a model, the node of anything else; `layer` is None for an operation."""
    if isinstance(layer, keras.Model):
        key = f"{prefix}{name}"
        return _graph(layer, key, prefix=f"{key}/")
    kind = config["class_name"]
    if isinstance(wrapped := config["config"].get("layer"), dict):
        kind = f"{kind}({wrapped['class_name']})"
    return Node(f"{prefix}{name}", kind, shapes, layer.count_params() if layer else 0)


def _config(config: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        layer for layer in config["layers"] if layer["config"]["name"] == name
    )
    return found


def _shapes(model: keras.Model, config: dict[str, Any]) -> dict[str, dict[int, Shape]]:
    """Return the shapes of the outputs by layer and place, from whatever takes them."""
    found: dict[str, dict[int, Shape]] = {}
    for member in config["layers"]:
        for call in member["inbound_nodes"]:
            for tensor in _tensors(call):
                name, _, place = tensor["keras_history"]
                found.setdefault(name, {})[place] = tuple(tensor["shape"])
    for (name, _, place), tensor in zip(
        _histories(config["output_layers"]), model.outputs, strict=True
    ):
        found.setdefault(name, {})[place] = tuple(tensor.shape)
    return found


def _tensors(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the configuration of each tensor among the arguments of a call."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        yield value["config"]
    elif isinstance(value, dict):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _histories(value: Any) -> list[tuple[str, int, int]]:
    """Return layer, call and output of each tensor that a model's configuration lists."""
    leaves = keras.tree.flatten(value)
    return list(zip(leaves[::3], leaves[1::3], leaves[2::3], strict=True))


def _inputs(member: Node | Graph) -> tuple[str, ...]:
    return member.inputs if isinstance(member, Graph) else (member.key,)


def _outputs(member: Node | Graph) -> tuple[str, ...]:
    return member.outputs if isinstance(member, Graph) else (member.key,)


def _giver(member: Node | Graph, output: int) -> str:
    """Return the key of the node behind an output; a node gives all of its outputs itself."""
    return member.outputs[output] if isinstance(member, Graph) else member.key
