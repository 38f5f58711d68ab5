"""The curved text detector: its network, its targets and its loss.

The network is PP-OCRv6 small detection (Apache-2.0, carried by the `rapidocr` wheel) with its last layer replaced by two
heads: at half resolution the core and the region of lines, at a quarter the half height and the direction in which the
characters look. `sealread.stages.detection` describes the maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import onnx
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sealread.polygons import Points, at_lengths, lengths_along
from sealread.bands import CORE, CORE_SHARE, END_TRIM, HEIGHT, HEIGHT_UNIT, REGION, RIGHT_X, RIGHT_Y, STRIDE

#: Lines whose half height is below this many input pixels are neither wanted nor punished.
_LEAST_HALF = 2.5


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A line that the network shall find, in pixels of the network's input.

    Attributes:
        top, bottom: ``(k, 2)`` edges in reading direction.
        vertical: True for a column of upright characters.
        ignored: True where the truth is unknown or too hard.
    """

    top: Points
    bottom: Points
    vertical: bool = False
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class TargetMaps:
    """``(5, h, w)`` float32 maps and the ``(h, w)`` weight: 0 where nothing is asked."""

    maps: NDArray[np.float32]
    weight: NDArray[np.float32]


def target_maps(lines: Sequence[TargetLine], height: int, width: int) -> TargetMaps:
    """The maps that the network should give for an input of ``height x width`` pixels (multiples of 32)."""
    h, w = height // STRIDE, width // STRIDE
    maps = np.zeros((5, h, w), np.float32)
    weight = np.ones((h, w), np.float32)
    field = np.zeros((h, w, 3), np.float32)
    core_count = np.zeros((h, w), np.uint8)
    for line in lines:
        top, bottom = line.top / STRIDE, line.bottom / STRIDE
        half = 0.5 * np.hypot(*(top - bottom).T)
        mean_half = float(half.mean()) * STRIDE
        region = np.concatenate([top, bottom[::-1]])
        if line.ignored or mean_half < _LEAST_HALF:
            _fill(weight, region, 0.0)
            continue
        _fill(maps[REGION], region, 1.0)
        core = _core(top, bottom, half)
        if core is not None:
            mark = np.zeros((h, w), np.uint8)
            _fill(mark, core, 1)
            core_count += mark
        _fill_field(field, top, bottom, half, line.vertical)
    # Where two cores cross, neither line can be traced: a gap keeps them apart.
    maps[CORE] = core_count == 1
    weight[core_count > 1] = 0.0
    maps[HEIGHT], maps[RIGHT_X], maps[RIGHT_Y] = field[..., 0], field[..., 1], field[..., 2]
    return TargetMaps(maps, weight)


def _core(top: Points, bottom: Points, half: NDArray[np.float64]) -> Points | None:
    centre, offset = (top + bottom) / 2, (top - bottom) / 2 * CORE_SHARE
    length = lengths_along(centre)[-1]
    trim = min(END_TRIM * 2 * float(half.mean()), 0.25 * length)
    if length <= 0:
        return None
    places = np.linspace(trim, length - trim, max(len(top), 2))
    along = lengths_along(centre)
    offsets = np.stack([np.interp(places, along, offset[:, i]) for i in (0, 1)], axis=1)
    inner = at_lengths(centre, places)
    return np.concatenate([inner + offsets, (inner - offsets)[::-1]])


def _fill_field(field: NDArray[np.float32], top: Points, bottom: Points, half: NDArray[np.float64], vertical: bool) -> None:
    centre = (top + bottom) / 2
    for i in range(len(top) - 1):
        step = centre[i + 1] - centre[i]
        size = float(np.hypot(*step))
        if size == 0:
            continue
        right = step / size
        if vertical:
            right = np.array([right[1], -right[0]])
        level = float(np.log(max((half[i] + half[i + 1]) / 2 * STRIDE, 0.5) / HEIGHT_UNIT))
        quad = np.array([top[i], top[i + 1], bottom[i + 1], bottom[i]])
        _fill(field, quad, (level, float(right[0]), float(right[1])))


def _fill(image: NDArray[np.generic], polygon: Points, value: float | tuple[float, ...]) -> None:
    # Four fractional bits: cores of three pixels must not lose one to rounding. Pixel centres lie at one half.
    cv2.fillPoly(image, [np.round((polygon - 0.5) * 16).astype(np.int32)], value, shift=4)  # type: ignore[call-overload]


class HeadBuilder:
    """Puts new heads on the trunk of PP-OCRv6 small detection, as nodes of the ONNX graph.

    Attributes:
        merged: name of the merged features, 96 channels at a quarter of the input.
        half_resolution: name of the detection head's features, 24 channels at half of the input.
    """

    def __init__(self, base: onnx.ModelProto, seed: int) -> None:
        self.model = onnx.ModelProto()
        self.model.CopyFrom(base)
        self.graph = self.model.graph
        self._rng = np.random.default_rng(seed)
        self.merged = next(node for node in reversed(self.graph.node) if node.op_type == "Concat").output[0]
        self.half_resolution = [node for node in self.graph.node if node.op_type == "Relu"][-1].output[0]

    def convolution(self, source: str, name: str, inputs: int, outputs: int, size: int, *, stride: int = 1, relu: bool = True, bias: float = 0.0) -> str:
        """A new convolution with random weights; gives the name of its output."""
        spread = np.sqrt(2.0 / (inputs * size * size)) * (1.0 if relu else 0.3)
        weight = self._rng.normal(0, spread, (outputs, inputs, size, size)).astype(np.float32)
        self.graph.initializer.append(numpy_helper.from_array(weight, f"{name}.weight"))
        self.graph.initializer.append(numpy_helper.from_array(np.full(outputs, bias, np.float32), f"{name}.bias"))
        self.graph.node.append(
            helper.make_node(
                "Conv",
                [source, f"{name}.weight", f"{name}.bias"],
                [f"{name}.out"],
                kernel_shape=[size, size],
                pads=[size // 2] * 4,
                strides=[stride, stride],
            )
        )
        if not relu:
            return f"{name}.out"
        self.graph.node.append(helper.make_node("Relu", [f"{name}.out"], [f"{name}.relu"]))
        return f"{name}.relu"

    def sigmoid(self, source: str) -> str:
        """The probability of a score."""
        self.graph.node.append(helper.make_node("Sigmoid", [source], [f"{source}.probability"]))
        return f"{source}.probability"

    def doubled(self, source: str) -> str:
        """Each value repeated over two by two places."""
        self.graph.initializer.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), f"{source}.scales"))
        self.graph.initializer.append(numpy_helper.from_array(np.array([], np.float32), f"{source}.roi"))
        modes = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        self.graph.node.append(helper.make_node("Resize", [source, f"{source}.roi", f"{source}.scales"], [f"{source}.doubled"], **modes))
        return f"{source}.doubled"

    def finish(self, sources: Sequence[str], name: str, channels: int) -> onnx.ModelProto:
        """The network whose only output stacks the sources; nodes and weights that nothing needs any more are dropped."""
        graph = self.graph
        graph.node.append(helper.make_node("Concat", list(sources), [name], axis=1))
        del graph.output[:]
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, "h", "w"]))
        needed = {name}
        kept = []
        for node in reversed(graph.node):
            if needed.intersection(node.output):
                needed.update(node.input)
                kept.append(node)
        weights = [i for i in graph.initializer if i.name in needed]
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(reversed(kept))
        graph.initializer.extend(weights)
        onnx.checker.check_model(self.model)
        return self.model


def band_network(base: onnx.ModelProto, seed: int = 0) -> onnx.ModelProto:
    """PP-OCRv6 small detection with the heads of the band maps; their last layers are random, the rest keeps its weights."""
    head = HeadBuilder(base, seed)
    text = head.sigmoid(head.convolution(head.half_resolution, "text", 24, 2, 3, relu=False, bias=-2.0))
    hidden = head.convolution(head.merged, "shape.1", 96, 64, 3)
    hidden = head.convolution(hidden, "shape.2", 64, 64, 3)
    shape = head.doubled(head.convolution(hidden, "shape.3", 64, 3, 1, relu=False))
    return head.finish([text, shape], "maps", 5)


def band_loss(predicted: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
    """The loss of a batch, and its parts for the log.

    Balanced cross entropy and dice on the two probabilities; inside the regions, smooth L1 on the half height and squared
    error on the direction, whose predicted length then falls where the network is unsure.
    """
    predicted = predicted.float()
    parts = {}
    total = predicted.new_zeros(())
    for channel, factor in ((CORE, 1.0), (REGION, 0.5)):
        p, t = predicted[:, channel].clamp(1e-5, 1 - 1e-5), target[:, channel]
        entropy = functional.binary_cross_entropy(p, t, reduction="none") * weight
        positive = t * weight
        count = positive.sum()
        negative = (entropy * (1 - t)).flatten()
        hardest = min(int(3 * count.item()) + 100, negative.numel())
        balanced = ((entropy * positive).sum() + negative.topk(hardest).values.sum()) / (count + hardest + 1e-6)
        overlap = 1 - (2 * (p * positive).sum((1, 2)) + 1) / ((p * weight).sum((1, 2)) + positive.sum((1, 2)) + 1)
        total = total + factor * (2 * balanced + overlap.mean())
        parts["core" if channel == CORE else "region"] = float(balanced.detach() + overlap.mean().detach())
    inside = target[:, REGION] * weight
    # Half the weight on the core, where the values are read.
    inside = inside * 0.5 + target[:, CORE] * weight
    area = inside.sum() + 1e-6
    height = (functional.smooth_l1_loss(predicted[:, HEIGHT], target[:, HEIGHT], reduction="none", beta=0.1) * inside).sum() / area
    right = ((predicted[:, RIGHT_X] - target[:, RIGHT_X]) ** 2 + (predicted[:, RIGHT_Y] - target[:, RIGHT_Y]) ** 2) * inside
    direction = right.sum() / area
    parts["height"], parts["direction"] = float(height.detach()), float(direction.detach())
    return total + height + direction, parts
