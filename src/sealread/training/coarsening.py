"""A text detector that calculates heights and directions at half the places: along a line they hardly change.

The layers of that head are fitted anew, one after the other, so that each gives the mean of what the old one gave at the four places that
became one (linear least squares on drawn samples); training need not follow.

Run: ``python -m sealread.training.coarsening OUTPUT.onnx --base WIDE.onnx``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from sealread.errors import ModelError
from sealread.training.detector import SHAPE_LAYERS
from sealread.training.export import Session
from sealread.training.fitting import Weights, products, random_places, rewrite, seen_at
from sealread.training.graph import set_weight, showing
from sealread.training.heads import FOURFOLD, SMOOTH, strides_of

_MODULE = "seal_text_detection"


def coarsened(model: onnx.ModelProto, images: Sequence[NDArray[np.float32]]) -> onnx.ModelProto:
    """The network with its head of heights and directions at an eighth of the input instead of a quarter.

    Args:
        images: inputs of the network, ``(n, 3, h, w)`` each, sides multiples of 32.

    Raises:
        ModelError: the network has no such head.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    weights = {weight.name: weight for weight in result.graph.initializer}
    layers = [node for node in result.graph.node if node.op_type == "Conv" and node.input[1].removesuffix(".weight") in SHAPE_LAYERS]
    enlarging = [node for node in result.graph.node if layers and node.op_type == "Resize" and node.input[0] == layers[-1].output[0]]
    if not enlarging or 2 in strides_of(layers[0]):
        raise ModelError("this network has no head of heights and directions at a quarter of its input: name another one with --base")
    others = [attribute for attribute in layers[0].attribute if attribute.name != "strides"]
    for node, attributes in (
        (layers[0], [*others, helper.make_attribute("strides", [2, 2])]),
        (enlarging[0], [helper.make_attribute(name, value) for name, value in SMOOTH.items()]),
    ):
        del node.attribute[:]
        node.attribute.extend(attributes)
    set_weight(weights[enlarging[0].input[2]], np.array(FOURFOLD))
    for layer, stride in zip(layers, (2, 1, 1), strict=True):
        weight, bias = (numpy_helper.to_array(weights[name]) for name in layer.input[1:])
        old, new = Session(showing(model, [layer.output[0]])), Session(showing(result, [layer.input[0]]))
        rng = np.random.default_rng(0)
        pairs = []
        for image in images:
            wanted = _joined(old.run([image])[0])
            n, y, x = places = random_places(wanted, rng)
            seen = seen_at(new.run([image])[0], weight.shape[-1], places, stride)
            pairs.append((np.concatenate([seen, np.ones_like(seen[:1])]), wanted[n, :, y, x]))
        together = np.concatenate([weight.reshape(len(weight), -1), bias[:, None]], axis=1).T.astype(np.float64)
        squares, answers = products(pairs)
        fitted: Weights = together + np.linalg.solve(squares, answers - squares @ together)
        set_weight(weights[layer.input[1]], fitted[:-1].T.reshape(weight.shape))
        set_weight(weights[layer.input[2]], fitted[-1])
    del result.graph.value_info[:]
    onnx.checker.check_model(result)
    return result


def _joined(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(n, c, h / 2, w / 2)``: the mean of each two by two places."""
    n, channels, height, width = values.shape
    return values.reshape(n, channels, height // 2, 2, width // 2, 2).mean((3, 5))


def main() -> None:
    """Make the head of heights and directions coarser and write the network."""
    rewrite(_MODULE, coarsened, main.__doc__, 80)


if __name__ == "__main__":
    main()
