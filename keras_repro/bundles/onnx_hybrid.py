"""The parts of sentiment_hybrid as ONNX operators.

What the Keras parts find with sorted ids and turned reviews, ONNX has in fewer steps: its GRU knows
the length of each review and reads both ways at once.
"""

import keras
import numpy as np
from onnx import TensorProto

from keras_repro.bundles.onnx_graph import OnnxGraph, Part, dense, last_place

# ONNX has the gates of a GRU as Keras has them: update, reset, state.
LEAST_SQUARE = 1e-12  # as keras.layers.UnitNormalization has it


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
    """Add the part that tells how surely a text is a review, of shape (N, 1).

    Args:
        graph: to add to.
        part: trained.
        ngrams: ids of shape (N, length, columns).

    """
    probabilities = graph.add("Softmax", wide(graph, part, ngrams), axis=1)
    return graph.add("Gather", probabilities, graph.axes(1), axis=1)


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
    """Add the part with a GRU in each direction.

    Args:
        graph: to add to.
        part: trained.
        ngrams: ids of shape (N, length, columns).

    """
    (table,) = part.get_layer("embedding").get_weights()
    found = graph.add("Gather", graph.constant(table), ngrams)
    characters = graph.add("ReduceSum", found, graph.axes(2), keepdims=0)
    known = _known(graph, ngrams)
    weights = [part.get_layer(name).get_weights() for name in ("forward", "backward")]
    kernel, recurrent, bias = (np.stack(each) for each in zip(*weights, strict=True))
    states = graph.add(
        "GRU",
        graph.add("Transpose", characters, perm=[1, 0, 2]),
        graph.constant(kernel.transpose(0, 2, 1)),
        graph.constant(recurrent.transpose(0, 2, 1)),
        graph.constant(bias.reshape(len(bias), -1)),
        last_place(graph, known),
        direction="bidirectional",
        hidden_size=recurrent.shape[1],
        linear_before_reset=1,  # as Keras' reset_after
    )
    return dense(graph, part.get_layer("logits"), _pooled(graph, states, known))


def _known(graph: OnnxGraph, ngrams: str) -> str:
    """Add which characters are known, bool of shape (N, length)."""
    greatest_id = graph.add("ReduceMax", ngrams, graph.axes(2), keepdims=0)
    return graph.add("Greater", greatest_id, graph.constant(0, "int32"))


def _pooled(graph: OnnxGraph, states: str, known: str) -> str:
    """Add the greatest and the mean of each number over the known characters.

    Args:
        graph: to add to.
        states: of shape (length, 2, N, units).
        known: bool of shape (N, length).

    Returns:
        The name of a value of shape (N, 4 · units).

    """
    turned = graph.add("Transpose", known, perm=[1, 0])
    mask = graph.add("Unsqueeze", turned, graph.axes(1, 3))
    # The states of a GRU lie between -1 and 1.
    seen = graph.add("Where", mask, states, graph.constant(-1))
    greatest = graph.add("ReduceMax", seen, graph.axes(0), keepdims=0)
    count = graph.add(
        "ReduceSum", graph.add("Cast", mask, to=TensorProto.FLOAT), graph.axes(0), keepdims=0
    )
    total = graph.add(
        "ReduceSum",
        graph.add("Where", mask, states, graph.constant(0)),
        graph.axes(0),
        keepdims=0,
    )
    mean = graph.add("Div", total, graph.add("Max", count, graph.constant(1)))
    both = graph.add("Concat", greatest, mean, axis=2)
    return graph.add("Flatten", graph.add("Transpose", both, perm=[1, 0, 2]), axis=1)


PARTS: dict[str, Part] = {"wide": wide, "gate": gate, "reader": reader}
