"""The curved text detector: its network and its loss (what it shall answer: `sealread.training.targets`).

The network is PP-OCRv6 small detection (Apache-2.0, carried by the `rapidocr` wheel) with its last layer replaced by two
heads: at half resolution the core and the region of lines, at a quarter the half height and the direction in which the
characters look. `sealread.stages.detection` describes the maps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from sealread.bands import CORE, HEIGHT, REGION, RIGHT_X, RIGHT_Y


class HeadBuilder:
    """Puts new heads on the trunk of PP-OCRv6 small detection, as nodes of the ONNX graph.

    Attributes:
        merged: name of the merged features, 96 channels at a quarter of the input.
        half_resolution: name of the detection head's features, 24 channels at half of the input.
        sixteenth: name of the backbone's features at a sixteenth of the input, 192 channels.
    """

    def __init__(self, base: onnx.ModelProto, seed: int) -> None:
        self.model = onnx.ModelProto()
        self.model.CopyFrom(base)
        self.graph = self.model.graph
        self._rng = np.random.default_rng(seed)
        self.merged = next(node for node in reversed(self.graph.node) if node.op_type == "Concat").output[0]
        halvings = [node for node in self.graph.node if node.op_type == "Conv" and 2 in _strides(node)]
        self.sixteenth = halvings[-1].input[0]
        self.half_resolution = [node for node in self.graph.node if node.op_type == "Relu"][-1].output[0]

    def convolution(
        self,
        source: str,
        name: str,
        inputs: int,
        outputs: int,
        size: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        relu: bool = True,
        bias: float = 0.0,
    ) -> str:
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
                pads=[size // 2 * dilation] * 4,
                strides=[stride, stride],
                dilations=[dilation, dilation],
            )
        )
        if not relu:
            return f"{name}.out"
        self.graph.node.append(helper.make_node("Relu", [f"{name}.out"], [f"{name}.relu"]))
        return f"{name}.relu"

    def sum(self, source: str, other: str) -> str:
        """Both added."""
        name = f"{other}.sum"
        self.graph.node.append(helper.make_node("Add", [source, other], [name]))
        return name

    def weights(self, name: str, values: NDArray[np.float32]) -> str:
        """Weights of their own, which are trained too."""
        self.graph.initializer.append(numpy_helper.from_array(values, name))
        return name

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


def _strides(node: onnx.NodeProto) -> list[int]:
    return next((list(a.ints) for a in node.attribute if a.name == "strides"), [1, 1])


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
