"""Stage 3: find regions on the flat page, seals among them.

Takes:      flat pages.
Gives:      regions with class, score and box, filtered as the caller asks.
Method:     three families of networks.
            *Centres* (ours): maps of seal centres and the distances to the box's sides (CenterNet, FCOS).
            *RT-DETR* and *PicoDet* (the official layout models): rows of class, score, box.
Engine:     one network.
Nothing:    an empty list.
Invariants: boxes lie on the page, x1 < x2, y1 < y2; with NMS scores fall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.engines import Engine
from sealread.errors import ModelError
from sealread.odds import log_odds, probability
from sealread.pixels import normalise, on_canvas
from sealread.types import Image, Region

#: Channels of the seal maps: centre probability; logarithms of the distances left, up, right, down over `DISTANCE_UNIT` pixels.
CENTRE = 0
SIDES = (1, 2, 3, 4)
DISTANCE_UNIT = 32.0
#: Input pixels per map pixel.
SEAL_STRIDE = 8

Merge = Literal["large", "small", "union"]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LayoutSettings:
    """What is kept.

    Attributes:
        threshold: least score, for all classes or by class id or label; classes not named need 0.5.
        nms: drop boxes that overlap a better one.
        unclip_ratio: width and height are multiplied by this about the box's centre; by class id or label where given so.
        merge_mode: of nested boxes keep the outer (``large``), the inner (``small``) or both (``union``); by class where given so.
    """

    threshold: float | Mapping[int | str, float] = 0.5
    nms: bool = True
    unclip_ratio: tuple[float, float] | Mapping[int | str, tuple[float, float]] = (1.0, 1.0)
    merge_mode: Merge | Mapping[int | str, Merge] = "large"


#: Threshold of classes that a mapping does not name.
_UNNAMED_THRESHOLD = 0.5
#: Overlap from which NMS drops a box of the same class, of another class.
_SAME_CLASS, _OTHER_CLASS = 0.6, 0.98
#: Share of a box inside another one from which it counts as contained.
_CONTAINED = 0.9
#: Weight of the log odds of our own network, and the constant, that make the score of a place: a logistic model (Platt 1999) fitted on
#: drawn pages, 0.5 taken off the constant: drawn pages flatter the network.
_CALIBRATION = (2.358, -0.042)
#: Scores nearer to 0 or 1 are not told apart; overlap from which two boxes mean the same place.
_SURE, _SAME_PLACE = 0.02, 0.5


def decode_centres(maps: NDArray[np.float32], least: float, scale: float) -> NDArray[np.float64]:
    """Boxes from seal maps.

    Args:
        maps: ``(5, h, w)``.
        least: lowest score of interest.
        scale: page pixels per input pixel.

    Returns:
        ``(m, 5)``: score, x1, y1, x2, y2 in page pixels, best first.
    """
    heat = maps[CENTRE]
    peaks = (heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8))) & (heat >= least)
    rows, columns = np.nonzero(peaks)
    x, y = (columns + 0.5) * SEAL_STRIDE, (rows + 0.5) * SEAL_STRIDE
    left, up, right, down = np.exp(np.clip(maps[list(SIDES)][:, rows, columns].astype(np.float64), -6, 6)) * DISTANCE_UNIT
    boxes = np.stack(
        [heat[rows, columns].astype(np.float64), (x - left) * scale, (y - up) * scale, (x + right) * scale, (y + down) * scale], axis=1
    )
    return boxes[np.argsort(-boxes[:, 0], kind="stable")]


@dataclass(frozen=True, slots=True)
class SealFinder:
    """Our own layout network: it knows the class seal alone.

    Attributes:
        long_side: pages are shrunk to this before the network looks.
        cls_id: the id of ``seal`` in the label list that results report.
    """

    engine: Engine
    long_side: int
    cls_id: int = 16

    def find(self, page: Image, least: float) -> list[Region]:
        """Seals with a score of `least` or more, best first, before any filtering."""
        height, width = page.shape[:2]
        scale = min(self.long_side / max(height, width), 4.0)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        canvas = on_canvas(page, size, (-(-size[0] // 32) * 32, -(-size[1] // 32) * 32))
        blob = normalise([canvas], (0.5,) * 3, (0.5,) * 3)
        found = decode_centres(self.engine.run([blob])[0][0], least, 1 / scale)
        return [Region(self.cls_id, "seal", float(score), (x1, y1, x2, y2)) for score, x1, y1, x2, y2 in found.tolist()]


def hugged(network: Sequence[Region], ink: Sequence[Region]) -> list[Region]:
    """The network's places, each in the box of the ink where that shows it too: such a box hugs the outer ring."""
    free, places = list(ink), []
    for region in network:
        partner = max(free, key=lambda other: iou(region.box, other.box), default=None)
        if partner is not None and iou(region.box, partner.box) >= _SAME_PLACE:
            free.remove(partner)
            region = replace(region, box=partner.box)
        places.append(region)
    return places


def calibrated(regions: Sequence[Region]) -> list[Region]:
    """Places of our own network with the score that tells how often there is a seal; best first."""
    slope, constant = _CALIBRATION
    scored = [replace(region, score=probability(slope * log_odds_of_place(region.score) + constant)) for region in regions]
    return sorted(scored, key=lambda region: -region.score)


def log_odds_of_place(score: float) -> float:
    """Log odds of what our own network says of a place; scores nearer to 0 or 1 than `_SURE` are not told apart."""
    return log_odds(score, _SURE)


def filtered(regions: Sequence[Region], settings: LayoutSettings, width: int, height: int) -> list[Region]:
    """Regions as the caller asks for them: threshold, NMS, large pictures, nesting, unclip, clip to the page."""
    kept = [r for r in regions if r.score > _by_class(settings.threshold, r, _UNNAMED_THRESHOLD)]
    if settings.nms:
        kept = _suppressed(kept)
    kept = _without_large_pictures(kept, width, height)
    kept = _unnested(kept, settings.merge_mode)
    grown = []
    for region in kept:
        ratio = _by_class(settings.unclip_ratio, region, (1.0, 1.0))
        x1, y1, x2, y2 = region.box
        cx, cy, rw, rh = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 2 * ratio[0], (y2 - y1) / 2 * ratio[1]
        box = (max(cx - rw, 0.0), max(cy - rh, 0.0), min(cx + rw, float(width)), min(cy + rh, float(height)))
        if box[2] > box[0] and box[3] > box[1]:
            grown.append(replace(region, box=box))
    return grown


def _by_class(value: _T | Mapping[int | str, _T], region: Region, unnamed: _T) -> _T:
    if not isinstance(value, Mapping):
        return value
    return value.get(region.cls_id, value.get(region.label, unnamed))


def iou(a: Sequence[float], b: Sequence[float]) -> float:
    """Intersection over union of two boxes ``(x1, y1, x2, y2)``."""
    shared = intersection(a, b)
    union = area(a) + area(b) - shared
    return shared / union if union > 0 else 0.0


def area(box: Sequence[float]) -> float:
    """Area of a box ``(x1, y1, x2, y2)``; 0 for an empty one."""
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def intersection(a: Sequence[float], b: Sequence[float]) -> float:
    """Area that two boxes have in common."""
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)


def _suppressed(regions: Sequence[Region]) -> list[Region]:
    kept: list[Region] = []
    for region in sorted(regions, key=lambda r: -r.score):
        if all(iou(region.box, other.box) < (_SAME_CLASS if region.cls_id == other.cls_id else _OTHER_CLASS) for other in kept):
            kept.append(region)
    return kept


def _without_large_pictures(regions: list[Region], width: int, height: int) -> list[Region]:
    """A picture as large as the page says nothing about it."""
    if len(regions) < 2:
        return regions
    limit = (0.82 if width > height else 0.93) * width * height
    page = (0.0, 0.0, float(width), float(height))
    kept = [r for r in regions if r.label != "image" or intersection(r.box, page) <= limit]
    return kept if kept else regions


def _unnested(regions: list[Region], mode: Merge | Mapping[int | str, Merge]) -> list[Region]:
    """Nesting is judged among boxes of one class: a seal on a table or a text block is not part of it and is never dropped."""
    kept = []
    for i, region in enumerate(regions):
        own = mode if isinstance(mode, str) else _by_class(mode, region, "union")
        family = [r for j, r in enumerate(regions) if j != i and r.cls_id == region.cls_id]
        inside = any(area(region.box) < area(o.box) and _contains(o.box, region.box) for o in family)
        around = any(area(o.box) < area(region.box) and _contains(region.box, o.box) for o in family)
        if (own == "large" and inside) or (own == "small" and around and not inside):
            continue
        kept.append(region)
    return kept


def _contains(outer: Sequence[float], inner: Sequence[float]) -> bool:
    size = area(inner)
    return size > 0 and intersection(outer, inner) / size >= _CONTAINED


@dataclass(frozen=True, slots=True)
class BoxRows:
    """An official layout network (RT-DETR or PicoDet): rows of class, score and box in page pixels.

    Attributes:
        labels: names of the classes by id.
        size: ``(height, width)`` to which pages are stretched.
        mean, deviation: of the input, per channel in RGB order, of values 0..1.
        interpolation: OpenCV's way to stretch; the official models were trained with its number 2, cubic.
        stride: the input's sides are filled up with zeros to a multiple of this.
    """

    engine: Engine
    labels: tuple[str, ...]
    size: tuple[int, int] = (640, 640)
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    interpolation: int = cv2.INTER_CUBIC
    stride: int = 1

    def find(self, page: Image, least: float) -> list[Region]:
        """Regions with a score of `least` or more, best first, before any filtering."""
        height, width = page.shape[:2]
        stretched = np.asarray(cv2.resize(page, (self.size[1], self.size[0]), interpolation=self.interpolation), dtype=np.uint8)
        image = normalise([stretched], self.mean, self.deviation, order="rgb")
        room = [(0, -side % self.stride) for side in self.size]
        given = {
            "im_shape": np.array([self.size], np.float32),
            "image": np.pad(image, [(0, 0), (0, 0), *room]) if self.stride > 1 else image,
            "scale_factor": np.array([[self.size[0] / height, self.size[1] / width]], np.float32),
        }
        if set(self.engine.inputs) - set(given):
            raise ModelError(
                f"the layout network wants the inputs {', '.join(self.engine.inputs)}; known are {', '.join(given)}", parameter="model_dir"
            )
        rows = self.engine.run([given[name] for name in self.engine.inputs])[0]
        kept = sorted((row for row in rows.tolist() if row[1] >= least and 0 <= row[0] < len(self.labels)), key=lambda row: -row[1])
        return [Region(int(r[0]), self.labels[int(r[0])], min(float(r[1]), 1.0), (r[2], r[3], r[4], r[5])) for r in kept]
