"""Trained networks as ONNX graphs, which ONNX Runtime computes without TensorFlow.

Keras' own export goes through tf2onnx: it takes 4 to 16 s for a sentiment model, makes loops of
recurrent layers, and orders the nodes in another way each time, so that `dvc repro` would never
leave the same bytes. Here each layer becomes the operators that ONNX has for it, in the order
of the network, and the same weights always give the same file.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from keras_repro.core.errors import ReproError

# The first that has all operators that are used.
OPSET = 18
IR_VERSION = 9
# The gates of an LSTM: input, output, forget, cell in ONNX; input, forget, cell, output in Keras.
LSTM_GATES = (0, 3, 1, 2)
TYPES = {"uint8": TensorProto.UINT8, "int32": TensorProto.INT32}


class OnnxGraph:
    """Nodes that are added in the order in which they are computed."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, value: Any, dtype: str = "float32") -> str:
        """Return the name of a constant."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value, dtype), name))
        return name

    def axes(self, *axes: int) -> str:
        """Return the name of a list of axes, of lengths or of places."""
        return self.constant(axes, "int64")

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node and return the name of its first output."""
        return self.add_many(operator, 1, *inputs, **attributes)[0]

    def add_many(self, operator: str, outputs: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node and return the names of its outputs."""
        place = len(self._nodes)
        names = [f"{operator.lower()}_{place}_{number}" for number in range(outputs)]
        self._nodes.append(
            helper.make_node(operator, inputs, names, f"{operator.lower()}_{place}", **attributes)
        )
        return names

    def model(self, name: str, taken: keras.KerasTensor, result: str, classes: int) -> bytes:
        """Return the whole as a file.

        Args:
            name: of the network.
            taken: its input.
            result: the name of the logits.
            classes: how many there are.

        """
        self._nodes.append(helper.make_node("Identity", [result], ["logits"], "logits"))
        shape = ["items", *("length" if size is None else size for size in taken.shape[1:])]
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(taken.name, TYPES[taken.dtype], shape)],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["items", classes])],
            self._constants,
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString(deterministic=True))


class Call(NamedTuple):
    """A layer that is applied.

    Attributes:
        layer: with its weights.
        inputs: the names of what it takes.
        tokens: the name of the ids in which 0 is padding, if the layer has a mask.

    """

    layer: keras.layers.Layer
    inputs: Sequence[str]
    tokens: str | None


Part = Callable[[OnnxGraph, keras.Model, str], str]


def convert(model: keras.Model, parts: dict[str, Part] | None = None) -> bytes:
    """Return a network up to its layer `logits` as an ONNX file.

    Args:
        model: functional or sequential, with one input.
        parts: what writes the networks within it whose name begins so.

    Raises:
        ReproError: there is a layer that no function here knows.

    """
    scorer = keras.Model(model.inputs, model.get_layer("logits").output, name=model.name)
    graph = OnnxGraph()
    (taken,) = scorer.inputs
    config = scorer.get_config()
    names = {taken.name: taken.name}
    for entry in config["layers"]:
        if not (nodes := entry["inbound_nodes"]):
            continue
        inputs = [names[source] for source in _sources(nodes[0]["args"])]
        name = entry["name"]
        if entry["class_name"] == "NotEqual":  # what Keras makes of mask_zero
            names[name] = inputs[0]
            continue
        masks = [names[source] for source in _sources(nodes[0]["kwargs"].get("mask"))]
        call = Call(scorer.get_layer(name), inputs, masks[0] if masks else None)
        names[name] = _converted(graph, call, parts or {}, model.name)
    (last,) = scorer.outputs
    return graph.model(model.name, taken, names["logits"], last.shape[-1])


def _sources(node: Any) -> list[str]:
    """Return the names of the layers whose results are among the arguments of a layer."""
    if isinstance(node, list | tuple):
        return [name for item in node for name in _sources(item)]
    if isinstance(node, dict) and node.get("class_name") == "__keras_tensor__":
        return [node["config"]["keras_history"][0]]
    return []


def _converted(graph: OnnxGraph, call: Call, parts: dict[str, Part], model: str) -> str:
    layer = call.layer
    if isinstance(layer, keras.Model):
        for prefix, write in parts.items():
            if layer.name.startswith(prefix):
                return write(graph, layer, call.inputs[0])
    write_layer = LAYERS.get(type(layer).__name__)
    if write_layer is None:
        raise ReproError(
            f"models/{model}/model.keras: the layer {layer.name} is a {type(layer).__name__}; "
            f"expected one of {', '.join(LAYERS)} (keras_repro/bundles/onnx_graph.py)"
        )
    return write_layer(graph, call)


def dense(graph: OnnxGraph, layer: keras.layers.Dense, value: str) -> str:
    """Add a dense layer over values of shape (N, features)."""
    kernel, bias = layer.get_weights()
    product = graph.add("Gemm", value, graph.constant(kernel), graph.constant(bias))
    return _activated(graph, layer, product)


def _dense(graph: OnnxGraph, call: Call) -> str:
    return dense(graph, call.layer, call.inputs[0])


def _same(graph: OnnxGraph, call: Call) -> str:
    """Dropout changes nothing after training."""
    del graph
    return call.inputs[0]


def _rescaling(graph: OnnxGraph, call: Call) -> str:
    value = graph.add("Cast", call.inputs[0], to=TensorProto.FLOAT)
    scaled = graph.add("Mul", value, graph.constant(call.layer.scale))
    return graph.add("Add", scaled, graph.constant(call.layer.offset))


def _flatten(graph: OnnxGraph, call: Call) -> str:
    return graph.add("Flatten", call.inputs[0], axis=1)


def _reshape(graph: OnnxGraph, call: Call) -> str:
    return graph.add("Reshape", call.inputs[0], graph.axes(0, *call.layer.target_shape))


def _product(graph: OnnxGraph, call: Call) -> str:
    return graph.add("Mul", *call.inputs)


def _sum(graph: OnnxGraph, call: Call) -> str:
    return graph.add("Sum", *call.inputs)


def _convolution(graph: OnnxGraph, call: Call) -> str:
    layer = call.layer
    kernel, bias = layer.get_weights()  # (height, width, in, out)
    found = graph.add(
        "Conv",
        _channels_first(graph, call.inputs[0]),
        graph.constant(kernel.transpose(3, 2, 0, 1)),
        graph.constant(bias),
        strides=list(layer.strides),
        dilations=list(layer.dilation_rate),
        auto_pad="SAME_UPPER" if layer.padding == "same" else "VALID",
    )
    return _activated(graph, layer, _channels_last(graph, found))


def _pooling(graph: OnnxGraph, call: Call) -> str:
    layer = call.layer
    found = graph.add(
        "MaxPool",
        _channels_first(graph, call.inputs[0]),
        kernel_shape=list(layer.pool_size),
        strides=list(layer.strides),
        auto_pad="SAME_UPPER" if layer.padding == "same" else "VALID",
    )
    return _channels_last(graph, found)


def _channels_first(graph: OnnxGraph, images: str) -> str:
    return graph.add("Transpose", images, perm=[0, 3, 1, 2])


def _channels_last(graph: OnnxGraph, images: str) -> str:
    return graph.add("Transpose", images, perm=[0, 2, 3, 1])


def _embedding(graph: OnnxGraph, call: Call) -> str:
    (table,) = call.layer.get_weights()
    return graph.add("Gather", graph.constant(table), call.inputs[0])


def _bidirectional_lstm(graph: OnnxGraph, call: Call) -> str:
    """Add an LSTM in each direction that returns its last states, of shape (N, 2 · units)."""
    layer, units = call.layer, call.layer.forward_layer.units
    weights = layer.get_weights()
    directions = [_lstm_weights(*weights[:3]), _lstm_weights(*weights[3:])]
    kernel, recurrent, bias = (
        graph.constant(np.stack(each)) for each in zip(*directions, strict=True)
    )
    words = graph.add("Transpose", call.inputs[0], perm=[1, 0, 2])
    lengths = _last_place(graph, _is_known(graph, call.tokens)) if call.tokens else ""
    _, last, _ = graph.add_many(
        "LSTM", 3, words, kernel, recurrent, bias, lengths,
        direction="bidirectional", hidden_size=units,
    )  # fmt: skip
    return graph.add(
        "Reshape", graph.add("Transpose", last, perm=[1, 0, 2]), graph.axes(0, 2 * units)
    )


def _lstm_weights(
    kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the weights of an LSTM as ONNX has them, with the bias of the states as 0."""

    def ordered(weights: np.ndarray) -> np.ndarray:
        gates = np.split(weights, len(LSTM_GATES), axis=-1)
        return np.concatenate([gates[place] for place in LSTM_GATES], axis=-1)

    bias = ordered(bias)
    return ordered(kernel).T, ordered(recurrent).T, np.concatenate([bias, np.zeros_like(bias)])


def _is_known(graph: OnnxGraph, tokens: str) -> str:
    return graph.add("Not", graph.add("Equal", tokens, graph.constant(0, "int32")))


def _last_place(graph: OnnxGraph, known: str) -> str:
    """Add what finds the last true place of each row, counted from 1, as int32; 1 if there is none.

    Args:
        graph: to add to.
        known: bool of shape (N, length).

    """
    ones = graph.add(
        "ConstantOfShape",
        graph.add("Shape", known),
        value=numpy_helper.from_array(np.array([1], np.int32)),
    )
    places = graph.add("CumSum", ones, graph.constant(1, "int64"))
    reached = graph.add("Where", known, places, graph.constant(0, "int32"))
    last = graph.add("ReduceMax", reached, graph.axes(1), keepdims=0)
    return graph.add("Max", last, graph.constant(1, "int32"))


def _activated(graph: OnnxGraph, layer: keras.layers.Layer, value: str) -> str:
    activation = layer.activation.__name__
    if activation == "linear":
        return value
    if activation == "relu":
        return graph.add("Relu", value)
    raise ReproError(
        f"the layer {layer.name} has the activation {activation}; expected linear or relu "
        "(keras_repro/bundles/onnx_graph.py)"
    )


LAYERS: dict[str, Callable[[OnnxGraph, Call], str]] = {
    "Add": _sum,
    "Bidirectional": _bidirectional_lstm,
    "Conv2D": _convolution,
    "Dense": _dense,
    "Dropout": _same,
    "Embedding": _embedding,
    "Flatten": _flatten,
    "MaxPooling2D": _pooling,
    "Multiply": _product,
    "Rescaling": _rescaling,
    "Reshape": _reshape,
    "SpatialDropout1D": _same,
}
