"""Narrower networks: features between two convolutions that the second one can do without are left out.

They go one by one, the least missed first, and each time the second convolution's other weights are set anew so that its answer changes
least: Optimal Brain Surgeon (Hassibi and Stork 1993) on whole channels, layer by layer as Dong et al. (2017) do it for single weights. A
layer loses channels as long as the squared error of that answer, on drawn samples, stays below a share of its squares. The layers follow
each other from the input on, and each first makes good what the ones before it have changed, as far as its second convolution can.
With a loss of 0 only dead features go, those that weight decay has left without any weight, and nothing else changes.

Run: ``python -m sealread.training.narrowing MODULE OUTPUT.onnx --loss 0.04``, and train it further with the wide network as its teacher:
``sealread train MODULE FOLDER --base OUTPUT.onnx --teacher NAME``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from sealread.training.export import Session, save_network
from sealread.training.fitting import Weights, drawn_inputs, products, random_places, seen_at
from sealread.training.graph import set_weight, showing, with_gelu
from sealread.training.modules import starting_network

#: Runtimes calculate with blocks of so many channels: nothing is gained by fewer steps.
_BLOCK = 8
#: Weights that make no difference to a sum of features in single precision.
_NOTHING = 1e-8
#: Layers of fewer channels take little time and lose much.
_LEAST_CHANNELS = 48


@dataclass(frozen=True, slots=True)
class Hidden:
    """Features that one convolution makes for a single other one.

    Attributes:
        first, second: the two, not grouped.
        bias: what is added behind the first, where that is a node of its own.
        features: name of the second's input.
        answer: name of what the second gives, with what passes by both of them where that is added.
    """

    first: onnx.NodeProto
    second: onnx.NodeProto
    bias: str | None
    features: str
    answer: str


def narrowed(model: onnx.ModelProto, images: Sequence[NDArray[np.float32]], loss: float) -> onnx.ModelProto:
    """The network with fewer features between its convolutions.

    Args:
        images: inputs of the network, ``(n, 3, h, w)`` each.
        loss: so much of the squares of each second convolution's answer may be lost, 0 to 1.
    """
    return alive(model) if loss == 0 else _thinned_layers(model, images, loss)


def alive(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network without features between convolutions that the second one does not use at all."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    weights = {weight.name: weight for weight in result.graph.initializer}
    for layer in hidden_layers(model):
        second = numpy_helper.to_array(weights[layer.second.input[1]])
        dead = np.flatnonzero(np.abs(second).max(axis=(0, 2, 3)) <= _NOTHING)
        # Runtimes calculate with whole blocks, so the last one may keep dead features.
        kept = np.delete(np.arange(second.shape[1]), dead[: len(dead) // _BLOCK * _BLOCK])
        _keep(layer, kept, second, weights)
    return _checked(result)


def _thinned_layers(model: onnx.ModelProto, images: Sequence[NDArray[np.float32]], loss: float) -> onnx.ModelProto:
    result = onnx.ModelProto()
    result.CopyFrom(model)
    weights = {weight.name: weight for weight in result.graph.initializer}

    for layer in hidden_layers(model):
        second = numpy_helper.to_array(weights[layer.second.input[1]]).astype(np.float64)
        seen = _seen_by(layer, second.shape[-1], model, result, images)
        if seen is None:
            continue
        kept, changed = thinned(seen[0], second + np.linalg.solve(*seen).T.reshape(second.shape), loss)
        _keep(layer, kept, changed, weights)
    return _checked(result)


def _keep(layer: Hidden, kept: NDArray[np.intp], second: NDArray[np.floating], weights: Mapping[str, onnx.TensorProto]) -> None:
    """Leave all other features of a layer out; `second` are the second convolution's weights for all of them."""
    set_weight(weights[layer.second.input[1]], second[:, kept])
    set_weight(weights[layer.first.input[1]], numpy_helper.to_array(weights[layer.first.input[1]])[kept])
    for name in layer.first.input[2:]:
        set_weight(weights[name], numpy_helper.to_array(weights[name])[kept])
    if layer.bias is not None:
        set_weight(weights[layer.bias], numpy_helper.to_array(weights[layer.bias])[:, kept])


def _checked(model: onnx.ModelProto) -> onnx.ModelProto:
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def hidden_layers(model: onnx.ModelProto) -> list[Hidden]:
    """All features of the network that could become fewer, in its order."""
    weights = {weight.name: weight for weight in model.graph.initializer}
    users: defaultdict[str, list[onnx.NodeProto]] = defaultdict(list)
    nodes = with_gelu(model.graph)
    for node in nodes:
        for name in node.input:
            users[name].append(node)
    # What leaves the network keeps its form.
    for answer in model.graph.output:
        users[answer.name].append(onnx.NodeProto())
    found = (_followed(node, users, weights) for node in nodes if _is_plain(node, weights))
    return [layer for layer in found if layer is not None and weights[layer.first.input[1]].dims[0] >= _LEAST_CHANNELS]


def _is_plain(node: onnx.NodeProto, weights: Mapping[str, onnx.TensorProto]) -> bool:
    grouped = any(a.name == "group" and a.i > 1 for a in node.attribute)
    return node.op_type == "Conv" and node.input[1] in weights and not grouped


def _followed(first: onnx.NodeProto, users: Mapping[str, list[onnx.NodeProto]], weights: Mapping[str, onnx.TensorProto]) -> Hidden | None:
    """The features behind a convolution, if only a bias and a function of each of them lie before the next convolution."""
    name, bias = first.output[0], None
    while len(users[name]) == 1:
        (following,) = users[name]
        added = next((each for each in following.input if each in weights), None)
        if _is_plain(following, weights):
            return Hidden(first, following, bias, name, _answer(following, users, weights))
        if following.op_type == "Add" and bias is None and added is not None:
            bias = added
        elif following.op_type not in ("Identity", "Relu", "Gelu"):
            return None
        name = following.output[0]
    return None


def _answer(second: onnx.NodeProto, users: Mapping[str, list[onnx.NodeProto]], weights: Mapping[str, onnx.TensorProto]) -> str:
    """Where the convolution's answer is joined with what passes by it, or its own output."""
    name = second.output[0]
    while len(users[name]) == 1 and users[name][0].op_type in ("Add", "Identity"):
        (following,) = users[name]
        name = following.output[0]
        if following.op_type == "Add" and not any(each in weights for each in following.input):
            return name
    return second.output[0]


def _seen_by(
    layer: Hidden, side: int, wide: onnx.ModelProto, narrow: onnx.ModelProto, images: Sequence[NDArray[np.float32]]
) -> tuple[Weights, Weights] | None:
    """The `products` of what the second convolution of the narrow network sees with itself and with what is missing in its answer.

    Nothing where the features are one place of the whole image.
    """
    whole, part = Session(showing(wide, [layer.answer])), Session(showing(narrow, [layer.features, layer.answer]))
    rng = np.random.default_rng(0)
    pairs = []
    for image in images:
        features, given = part.run([image])
        if features.shape[2:] == (1, 1):
            return None
        n, y, x = places = random_places(features, rng)
        pairs.append((seen_at(features, side, places), (whole.run([image])[0] - given)[n, :, y, x]))
    return products(pairs)


def thinned(products: Weights, weight: Weights, loss: float) -> tuple[NDArray[np.intp], Weights]:
    """The channels of a convolution's input that are kept, and its weights without the others.

    Args:
        products: ``(c k k, c k k)``, see `products`.
        weight: ``(outputs, c, k, k)``.
        loss: share of the answer's squares that may be lost.
    """
    outputs, channels, *_ = weight.shape
    size = len(products) // channels
    inverse = np.linalg.inv(products)
    columns = weight.reshape(outputs, -1).T.copy()
    room = loss * float(np.sum(columns * (products @ columns)))
    alive = list(range(channels))
    kept, best = list(alive), columns.copy()
    while len(alive) > _BLOCK:
        # What the answer loses without each, however the others are set.
        blocks = inverse.reshape(channels, size, channels, size)[alive, :, alive]
        rows = columns.reshape(channels, size, outputs)[alive]
        costs = np.sum(rows * np.linalg.solve(blocks, rows), axis=(1, 2))
        room -= float(costs.min())
        if room < 0:
            break
        channel = alive.pop(int(costs.argmin()))
        block = slice(channel * size, (channel + 1) * size)
        share = np.linalg.solve(inverse[block, block], inverse[block])
        columns -= share.T @ columns[block]
        inverse -= inverse[:, block] @ share
        # Exactly, not but for rounding: what is gone has no weight and no say.
        columns[block], inverse[block], inverse[:, block] = 0, 0, 0
        if len(alive) % _BLOCK == 0:
            kept, best = list(alive), columns.copy()
    return np.array(kept), best.T.reshape(weight.shape)


def main() -> None:
    """Leave features out and write the narrower network."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("module", choices=("seal_text_detection", "text_recognition"))
    parser.add_argument("output", type=Path, help="file to write")
    parser.add_argument("--base", help="the wide network: ONNX file, model directory or model name (default: the embedded one)")
    parser.add_argument("--loss", type=float, default=0.04, help="share of each layer's answer that may be lost (default: %(default)s)")
    parser.add_argument("--count", type=int, default=160, help="images to draw (default: %(default)s)")
    options = parser.parse_args()
    model = starting_network(options.module, options.base, further=True)
    images = drawn_inputs(options.module, model, options.count) if options.loss else []
    narrow = narrowed(model, images, options.loss)
    widths = {weight.name: weight.dims[0] for weight in narrow.graph.initializer if weight.dims}
    for weight in model.graph.initializer:
        if weight.dims and weight.dims[0] != widths[weight.name]:
            print(weight.name, weight.dims[0], "->", widths[weight.name])
    save_network(narrow, options.output)


if __name__ == "__main__":
    main()
