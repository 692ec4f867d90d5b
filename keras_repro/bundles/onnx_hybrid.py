"""The parts of sentiment_hybrid as ONNX operators.

A sum over a table replaces what the wide part looks up twice, and convolutions have their numbers
before the characters.
"""

import keras
import numpy as np
from onnx import TensorProto

from keras_repro.bundles.onnx_graph import OnnxGraph, Part, dense

LEAST_SQUARE = 1e-12  # as keras.layers.UnitNormalization has it
FAR = 1e4  # as models/sentiment_hybrid.py has it


def wide(graph: OnnxGraph, part: keras.Model, ngrams: str) -> str:
    """Add the part with a weight per n-gram.

    Args:
        graph: to add to.
        part: trained.
        ngrams: ids of shape (N, length, columns).

    """
    (rarity,), (weight,) = (part.get_layer(name).get_weights() for name in ("rarity", "weight"))
    classes = weight.shape[1]
    # One look at a table finds what an n-gram adds to each logit and to the squared length.
    table = graph.constant(np.concatenate([rarity * weight, rarity**2], axis=1))
    found = graph.add("Gather", table, _distinct(graph, ngrams))
    sums = graph.add("ReduceSum", found, graph.axes(1, 2), keepdims=0)
    added, square = graph.add_many("Split", 2, sums, graph.axes(classes, 1), axis=1)
    return graph.add(
        "Div", added, graph.add("Sqrt", graph.add("Max", square, graph.constant(LEAST_SQUARE)))
    )


def gate(graph: OnnxGraph, part: keras.Model, ngrams: str) -> str:
    """Add the part that tells how surely a text has each origin, of shape (N, origins).

    Args:
        graph: to add to.
        part: trained.
        ngrams: ids of shape (N, length, columns).

    """
    return graph.add("Softmax", wide(graph, part, ngrams), axis=1)


def _distinct(graph: OnnxGraph, ngrams: str) -> str:
    """Add what sorts the ids of each number of characters and leaves all but the first as 0."""
    length = graph.add("Gather", graph.add("Shape", ngrams), graph.axes(1))
    ordered, _ = graph.add_many("TopK", 2, ngrams, length, axis=1, largest=0)
    end = graph.axes(np.iinfo(np.int64).max)
    later = graph.add("Slice", ordered, graph.axes(1), end, graph.axes(1))
    earlier = graph.add("Slice", ordered, graph.axes(0), graph.axes(-1), graph.axes(1))
    first = graph.add("Slice", ordered, graph.axes(0), graph.axes(1), graph.axes(1))
    repeated = graph.add("Equal", later, earlier)
    rest = graph.add("Where", repeated, graph.constant(0, "int32"), later)
    return graph.add("Concat", first, rest, axis=1)


def reader(graph: OnnxGraph, part: keras.Model, ngrams: str) -> str:
    """Add the part with gated convolutions.

    Args:
        graph: to add to.
        part: trained.
        ngrams: ids of shape (N, length, columns).

    """
    (table,) = part.get_layer("embedding").get_weights()
    found = graph.add("Gather", graph.constant(table), ngrams)
    characters = graph.add("ReduceSum", found, graph.axes(2), keepdims=0)
    known = _known(graph, ngrams)
    states = _masked(graph, graph.add("Transpose", characters, perm=[0, 2, 1]), known)
    values = [layer for layer in part.layers if layer.name.startswith("value_")]
    for number, value in enumerate(values, start=1):
        gating = _convolution(graph, part.get_layer(f"gating_{number}"), states)
        gated = graph.add("Mul", _convolution(graph, value, states), graph.add("Sigmoid", gating))
        added = gated if number == 1 else graph.add("Add", states, gated)
        states = _masked(graph, added, known)
    return dense(graph, part.get_layer("logits"), _pooled(graph, states, known))


def _known(graph: OnnxGraph, ngrams: str) -> str:
    """Add which characters are known, 1 or 0, of shape (N, 1, length)."""
    greatest_id = graph.add("ReduceMax", ngrams, graph.axes(2), keepdims=0)
    known = graph.add("Greater", greatest_id, graph.constant(0, "int32"))
    return graph.add("Unsqueeze", graph.add("Cast", known, to=TensorProto.FLOAT), graph.axes(1))


def _masked(graph: OnnxGraph, states: str, known: str) -> str:
    return graph.add("Mul", states, known)


def _convolution(graph: OnnxGraph, layer: keras.layers.Conv1D, states: str) -> str:
    """Add a convolution over states of shape (N, units, length), without its activation."""
    kernel, bias = layer.get_weights()  # (width, in, out)
    (dilation,) = layer.dilation_rate
    return graph.add(
        "Conv",
        states,
        graph.constant(kernel.transpose(2, 1, 0)),
        graph.constant(bias),
        dilations=[dilation],
        pads=[dilation * (len(kernel) // 2)] * 2,
    )


def _pooled(graph: OnnxGraph, states: str, known: str) -> str:
    """Add the greatest and the mean of each number over the known characters, 0 if none is.

    Args:
        graph: to add to.
        states: of shape (N, units, length), 0 where nothing is known.
        known: 1 or 0, of shape (N, 1, length).

    Returns:
        The name of a value of shape (N, 2 · units).

    """
    last = graph.axes(2)
    unknown = graph.add("Sub", graph.constant(1), known)
    far = graph.add("Sub", states, graph.add("Mul", unknown, graph.constant(FAR)))
    greatest = graph.add(
        "Mul",
        graph.add("ReduceMax", far, last, keepdims=0),
        graph.add("ReduceMax", known, last, keepdims=0),
    )
    count = graph.add("Max", graph.add("ReduceSum", known, last, keepdims=0), graph.constant(1))
    mean = graph.add("Div", graph.add("ReduceSum", states, last, keepdims=0), count)
    return graph.add("Concat", greatest, mean, axis=1)


PARTS: dict[str, Part] = {"wide": wide, "gate": gate, "reader": reader}
