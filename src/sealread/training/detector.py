"""The curved text detector: its network and its loss (what it shall answer: `sealread.training.targets`).

The network is PP-OCRv6 small detection (Apache-2.0, carried by the `rapidocr` wheel) with its last layer replaced by two
heads: at half resolution the core and the region of lines, at an eighth the half height and the direction in which the
characters look. `sealread.stages.detection` describes the maps.
"""

from __future__ import annotations

import onnx
import torch
import torch.nn.functional as functional

from sealread.bands import CORE, HEIGHT, REGION, RIGHT_X, RIGHT_Y
from sealread.training.heads import HeadBuilder

#: The layers of the head of heights and directions.
SHAPE_LAYERS = ("shape.1", "shape.2", "shape.3")
#: Weight of the teacher's probabilities beside the truth.
_IMITATION = 10.0


def band_network(base: onnx.ModelProto, seed: int = 0) -> onnx.ModelProto:
    """PP-OCRv6 small detection with the heads of the band maps; their last layers are random, the rest keeps its weights."""
    head = HeadBuilder(base, seed)
    # The last features of the old head, at half of the input, and the merged features of the neck, at a quarter.
    half, merged = head.last("Relu").output[0], head.last("Concat").output[0]
    text = head.sigmoid(head.convolution(half, "text", 24, 2, 3, relu=False, bias=-2.0))
    first, second, third = SHAPE_LAYERS
    hidden = head.convolution(merged, first, 96, 64, 3, stride=2)
    hidden = head.convolution(hidden, second, 64, 64, 3)
    shape = head.convolution(hidden, third, 64, 3, 1, relu=False)
    return head.finish([text, head.fourfold(shape)], "maps", 5)


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
        with torch.autocast(p.device.type, enabled=False):  # a GPU refuses it there, also in float32
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
    height, direction = _shape_losses(predicted, target, inside)
    parts["height"], parts["direction"] = float(height.detach()), float(direction.detach())
    return total + height + direction, parts


def imitation_loss(predicted: torch.Tensor, shown: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """How far the maps are from those of a teacher (Hinton et al. 2015), 0 for a perfect copy.

    Cross entropy of the probabilities; inside the teacher's regions, smooth L1 on the half height and squared error on the direction.
    """
    predicted = predicted.float()
    asked = (weight > 0).float()
    total = predicted.new_zeros(())
    with torch.autocast(predicted.device.type, enabled=False):
        for channel in (CORE, REGION):
            p, t = predicted[:, channel].clamp(1e-5, 1 - 1e-5), shown[:, channel].clamp(1e-5, 1 - 1e-5)
            surprise = functional.binary_cross_entropy(p, t, reduction="none") - functional.binary_cross_entropy(t, t, reduction="none")
            total = total + _IMITATION * (surprise * asked).mean()
    height, direction = _shape_losses(predicted, shown, shown[:, REGION] * asked)
    return total + height + direction


def _shape_losses(predicted: torch.Tensor, wanted: torch.Tensor, inside: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Smooth L1 on the half height and squared error on the direction, means with the weights `inside`."""
    area = inside.sum() + 1e-6
    height = (functional.smooth_l1_loss(predicted[:, HEIGHT], wanted[:, HEIGHT], reduction="none", beta=0.1) * inside).sum() / area
    right = ((predicted[:, RIGHT_X] - wanted[:, RIGHT_X]) ** 2 + (predicted[:, RIGHT_Y] - wanted[:, RIGHT_Y]) ** 2) * inside
    return height, right.sum() / area
