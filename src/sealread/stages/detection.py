"""Stage 4: find the lines of text on a seal, however they bend.

Takes:      seal crops.
Gives:      for each crop its lines: outline, score and, where the network tells it, the band in reading direction.
Method:     two families of networks: *bands* (ours, `sealread.bands`) and *outlines* (DB, `sealread.outlines`).
Engine:     one network ``(n, 3, h, w)``; bands ``(n, 5, h / 2, w / 2)``, outlines ``(n, 1, h, w)``.
Nothing:    an empty list for a crop without text.
Invariants: points lie in pixels of the crop; scores in 0..1; lines are sorted by their topmost point.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sealread.bands import MOST_CANDIDATES, STRIDE, Limits, bands
from sealread.engines import Engine
from sealread.outlines import outlines
from sealread.pixels import normalise, on_canvas, resize
from sealread.types import DetectedLine, DetectionSettings, Image

#: Crops that share one run of the network.
_BATCH = 4
#: The short side of an input differs from the long one by a multiple of this: few shapes serve nearly all seals and let them share runs.
_ROOM_STEP = 64


def network_size(height: int, width: int, side: int, limit_type: str, max_side: int) -> tuple[int, int]:
    """``(height, width)``, multiples of 32, to which an image is resized before detection.

    Args:
        side: the limit; `limit_type` ``min`` enlarges images whose short side is below it, ``max`` shrinks those whose long
            side is above it, ``resize_long`` brings the long side to it.
        max_side: no side becomes longer than this.
    """
    ratio = 1.0
    if limit_type == "min" and min(height, width) < side:
        ratio = side / min(height, width)
    elif limit_type == "resize_long" or (limit_type == "max" and max(height, width) > side):
        ratio = side / max(height, width)
    h, w = int(height * ratio), int(width * ratio)
    if max(h, w) > max_side:
        shrink = max_side / max(h, w)
        h, w = int(h * shrink), int(w * shrink)
    return max(32, round(h / 32) * 32), max(32, round(w / 32) * 32)


@dataclass(frozen=True, slots=True)
class Detector:
    """A text detector.

    Attributes:
        family: what the network's output means.
        mean, deviation: of the input, per channel in the order of `order`, of values 0..1.
        order: of the input's channels.
        max_candidates, quads, dilate: of `sealread.outlines`.
    """

    engine: Engine
    family: Literal["bands", "outlines"] = "bands"
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    deviation: tuple[float, float, float] = (0.5, 0.5, 0.5)
    order: Literal["bgr", "rgb"] = "bgr"
    max_candidates: int = MOST_CANDIDATES
    quads: bool = False
    dilate: bool = False

    def find(self, crops: Sequence[Image], settings: DetectionSettings) -> list[list[DetectedLine]]:
        """The lines on each crop ``(h, w, 3)`` uint8 BGR; crops that need inputs of one size share runs."""
        limits = Limits(settings.thresh, settings.box_thresh, settings.unclip_ratio, self.max_candidates)
        placed = [self._placed(crop, settings) for crop in crops]
        by_size: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        for i, (canvas, _) in enumerate(placed):
            by_size[canvas.shape].append(i)
        answers: list[list[DetectedLine]] = [[] for _ in crops]
        for members in by_size.values():
            for start in range(0, len(members), _BATCH):
                chosen = members[start : start + _BATCH]
                # An engine that plans sees batches of one size, filled up with what is not looked at.
                filled = chosen + chosen[:1] * (_BATCH - len(chosen)) if self.engine.plans else chosen
                blob = normalise([placed[i][0] for i in filled], self.mean, self.deviation, order=self.order)
                maps = self.engine.run([blob])[0]
                for i, answer in zip(chosen, maps, strict=False):
                    answers[i] = self._lines(answer, crops[i], placed[i][1], limits)
        return answers

    def _placed(self, crop: Image, settings: DetectionSettings) -> tuple[Image, tuple[float, float]]:
        """The crop as the network sees it, and crop pixels per input pixel in x and y."""
        height, width = crop.shape[:2]
        h, w = network_size(height, width, settings.limit_side_len, settings.limit_type, settings.max_side_limit)
        if self.family == "outlines":
            return resize(crop, w, h), (width / w, height / h)
        # Proportions are kept, as in training; what is missing to such a size is grey.
        scale = min(w / width, h / height)
        if settings.limit_type == "resize_long":
            scale = min(settings.limit_side_len, settings.max_side_limit) / max(width, height)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        side = -(-max(size) // 32) * 32
        room = tuple(side - (side - n) // _ROOM_STEP * _ROOM_STEP for n in size)
        return on_canvas(crop, size, (room[0], room[1])), (width / size[0], height / size[1])

    def _lines(self, answer: NDArray[np.float32], crop: Image, scale: tuple[float, float], limits: Limits) -> list[DetectedLine]:
        if self.family == "outlines":
            return outlines(answer[0], scale, limits, (crop.shape[0], crop.shape[1]), quads=self.quads, dilate=self.dilate)
        return bands(answer, (STRIDE * scale[0], STRIDE * scale[1]), limits)
