"""The seal finder for pages: its network, its targets and its loss.

The trunk is that of the orientation classifier (PP-LCNet, Cui et al. 2021) with a feature pyramid (Lin et al. 2017): a seal is known by
what surrounds it, on the whole page. The head gives, at an eighth of the input, the probability that a seal's centre is here, and the
distances to the four sides of its box (CenterNet, Zhou et al. 2019; distances as in FCOS, Tian et al. 2019). `sealread.stages.layout`
describes the maps.
"""

from __future__ import annotations

import numpy as np
import onnx
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray
from onnx import numpy_helper

from sealread.errors import ModelError
from sealread.stages.layout import CENTRE, DISTANCE_UNIT, SEAL_STRIDE, SIDES
from sealread.stages.orientation import DEVIATION, MEAN
from sealread.training.heads import HeadBuilder


def seal_network(base: onnx.ModelProto, seed: int = 0) -> onnx.ModelProto:
    """The backbone of PP-LCNet x1.0 with a feature pyramid and the seal finder's head.

    Raises:
        ModelError: the base is another network.
    """
    if not {"BatchNormalization", "HardSwish", "GlobalAveragePool"} <= {node.op_type for node in base.graph.node}:
        raise ModelError("layout is trained from PP-LCNet_x1_0_doc_ori or from a network that finds seals: name such a one with --base")
    head = HeadBuilder(seeing_blue_first(base), seed)
    for axis, name in ((0, "n"), (2, "h"), (3, "w")):
        head.graph.input[0].type.tensor_type.shape.dim[axis].dim_param = name
    deepest = head.convolution(head.last("GlobalAveragePool").input[0], "seal.32", 512, 96, 1)
    sixteenth = head.sum(head.convolution(head.before_halving(1), "seal.16", 256, 96, 1), head.doubled(deepest))
    sixteenth = head.convolution(sixteenth, "seal.16.mixed", 96, 96, 3)
    eighth = head.sum(head.convolution(head.before_halving(2), "seal.8", 128, 96, 1), head.doubled(sixteenth))
    hidden = head.convolution(eighth, "seal.1", 96, 64, 3)
    hidden = head.convolution(hidden, "seal.2", 64, 64, 3)
    centre = head.sigmoid(head.convolution(hidden, "seal.centre", 64, 1, 1, relu=False, bias=-4.0))
    sides = head.convolution(hidden, "seal.sides", 64, 4, 1, relu=False)
    return head.finish([centre, sides], "seals", 5)


def seeing_blue_first(base: onnx.ModelProto) -> onnx.ModelProto:
    """PP-LCNet for images in BGR from -1 to 1, in place of RGB as ImageNet's mean and deviation make them."""
    mean_seen, deviation = np.array(MEAN, np.float32), np.array(DEVIATION, np.float32)
    model = onnx.ModelProto()
    model.CopyFrom(base)
    weights = {weight.name: weight for weight in model.graph.initializer}
    first, norm = (next(node for node in model.graph.node if node.op_type == kind) for kind in ("Conv", "BatchNormalization"))
    kernel, mean = weights[first.input[1]], weights[norm.input[3]]
    seen = numpy_helper.to_array(kernel)
    scaled = seen * (0.5 / deviation)[:, None, None]
    moved = numpy_helper.to_array(mean) - (seen * ((0.5 - mean_seen) / deviation)[:, None, None]).sum((1, 2, 3))
    kernel.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(scaled[:, ::-1]), kernel.name))
    mean.CopyFrom(numpy_helper.from_array(moved.astype(np.float32), mean.name))
    return model


def seal_targets(boxes: NDArray[np.float64], height: int, width: int) -> NDArray[np.float32]:
    """``(6, h, w)``: the centre's bell, logarithms of the four distances, and 1 where distances count.

    Args:
        boxes: ``(m, 4)`` x1, y1, x2, y2 in input pixels.
    """
    h, w = height // SEAL_STRIDE, width // SEAL_STRIDE
    maps = np.zeros((6, h, w), np.float32)
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float64)
    px, py = (xs + 0.5) * SEAL_STRIDE, (ys + 0.5) * SEAL_STRIDE
    # Small boxes last, so that they keep their places inside larger ones.
    for x1, y1, x2, y2 in sorted(boxes.tolist(), key=lambda b: -(b[2] - b[0]) * (b[3] - b[1])):
        cx, cy, bw, bh = (x1 + x2) / 2, (y1 + y2) / 2, max(x2 - x1, 1.0), max(y2 - y1, 1.0)
        spread_x, spread_y = max(bw / 10, SEAL_STRIDE * 0.6), max(bh / 10, SEAL_STRIDE * 0.6)
        bell = np.exp(-(((px - cx) / spread_x) ** 2 + ((py - cy) / spread_y) ** 2) / 2)
        column, row = int(np.clip(cx / SEAL_STRIDE, 0, w - 1)), int(np.clip(cy / SEAL_STRIDE, 0, h - 1))
        bell[row, column] = 1.0
        maps[CENTRE] = np.maximum(maps[CENTRE], bell)
        near = bell > 0.3
        for channel, distance in zip(SIDES, (px - x1, py - y1, x2 - px, y2 - py), strict=True):
            maps[channel][near] = np.log(np.maximum(distance[near], 1.0) / DISTANCE_UNIT)
        maps[5][near] = 1.0
    return maps


def seal_loss(predicted: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
    """Focal loss on the centres (CornerNet's form, Law and Deng 2018) and overlap loss on the boxes."""
    predicted = predicted.float()
    p, t = predicted[:, CENTRE].clamp(1e-5, 1 - 1e-5), target[:, CENTRE]
    positive = (t >= 0.999).float()
    count = positive.sum().clamp(min=1)
    focal = -(positive * (1 - p) ** 2 * p.log() + (1 - positive) * (1 - t) ** 4 * p**2 * (1 - p).log()).sum() / count
    inside = target[:, 5] * t
    sides, wanted = predicted[:, list(SIDES)], target[:, list(SIDES)]
    ratio = functional.smooth_l1_loss(sides, wanted, reduction="none", beta=0.05).sum(1)
    a, b = sides.clamp(-6, 6).exp(), wanted.exp()
    overlap = (torch.minimum(a[:, 0], b[:, 0]) + torch.minimum(a[:, 2], b[:, 2])) * (
        torch.minimum(a[:, 1], b[:, 1]) + torch.minimum(a[:, 3], b[:, 3])
    )
    union = (a[:, 0] + a[:, 2]) * (a[:, 1] + a[:, 3]) + (b[:, 0] + b[:, 2]) * (b[:, 1] + b[:, 3]) - overlap
    box = ((ratio + 1 - overlap / union.clamp(min=1e-6)) * inside).sum() / (inside.sum() + 1e-6)
    return focal + box, {"centre": float(focal.detach()), "box": float(box.detach())}
