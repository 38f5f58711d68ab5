"""The classifier of page orientation: its samples and its loss.

The network is PP-LCNet_x1_0_doc_ori (Apache-2.0, embedded). Its batch normalisation keeps its statistics; all weights are trained.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import NDArray

from sealread.pixels import normalise
from sealread.stages.orientation import CROP, DEVIATION, MEAN, RESIZE_SHORT

#: Pages are shrunk to this range of the deployed size, so that the middle shows more or less of them.
_ZOOM = (0.9, 1.25)
#: Share of the certainty that is spread over the other turns (label smoothing).
_DOUBT = 0.1


def turn_input(page: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """``(3, 224, 224)``: a piece near the page's middle, as the deployed classifier sees it, a little larger or smaller."""
    height, width = page.shape[:2]
    scale = max(RESIZE_SHORT * rng.uniform(*_ZOOM), CROP) / min(height, width)
    size = (max(round(width * scale), CROP), max(round(height * scale), CROP))
    shrunk = np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), dtype=np.uint8)
    # Of what is cut away, between a quarter and three quarters lie on one side.
    x, y = (int((size[i] - CROP) * rng.uniform(0.25, 0.75)) for i in (0, 1))
    piece = shrunk[y : y + CROP, x : x + CROP]
    return normalise([piece], MEAN, DEVIATION, order="rgb")[0]


def turn_loss(scores: torch.Tensor, turns: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
    """Cross entropy with label smoothing.

    Args:
        scores: ``(n, 4)`` before the softmax, of the turns 0, 90, 180 and 270.
        turns: quarter turns clockwise.
    """
    scores = scores.float()
    loss = functional.cross_entropy(scores, turns, label_smoothing=_DOUBT)
    right = (scores.detach().argmax(1) == turns).float().mean()
    return loss, {"entropy": float(loss.detach()), "right": float(right)}
