"""From the probability map of a DB network to outlines of text (Liao et al. 2020, polygon mode)."""

from __future__ import annotations

import cv2
import numpy as np
import pyclipper
from numpy.typing import NDArray

from sealread.bands import Limits
from sealread.polygons import Points, clockwise
from sealread.types import DetectedLine

Maps = NDArray[np.float32]

#: Outlines narrower than this many map pixels are specks.
_LEAST_SIDE = 5


def outlines(
    probability: Maps, scale: tuple[float, float], limits: Limits, size: tuple[int, int], *, quads: bool = False, dilate: bool = False
) -> list[DetectedLine]:
    """The lines that a DB probability map ``(h, w)`` shows.

    Args:
        scale: ``(x, y)`` crop pixels per map pixel.
        size: ``(height, width)`` of the crop; points are clipped to it.
        quads: give each line's tightest rectangle, as networks for straight text are used, instead of its outline.
        dilate: let text pixels grow by one first.
    """
    binary = (probability > limits.thresh).astype(np.uint8)
    if dilate:
        binary = np.asarray(cv2.dilate(binary, np.ones((2, 2), np.uint8)), dtype=np.uint8)
    contours, _ = cv2.findContours(binary, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    lines = []
    for contour in contours[: limits.max_candidates]:
        points = np.asarray(contour, dtype=np.int32)
        shape = _rectangle(points) if quads else _simple(points)
        if shape is None:
            continue
        score = _mean_inside(probability, shape)
        if score < limits.box_thresh:
            continue
        expanded = _expand(shape, limits.unclip_ratio)
        if expanded is None or min(cv2.minAreaRect(expanded.astype(np.float32))[1]) < _LEAST_SIDE:
            continue
        if quads:
            expanded = np.asarray(cv2.boxPoints(cv2.minAreaRect(expanded.astype(np.float32))), dtype=np.float64)
        corners = expanded * np.array(scale)
        corners = np.clip(corners, 0, np.array([size[1], size[0]], dtype=np.float64))
        lines.append(DetectedLine(clockwise(corners), score))
    return sorted(lines, key=lambda line: float(line.polygon[:, 1].min()))


def _simple(contour: NDArray[np.int32]) -> NDArray[np.int32] | None:
    """The outline with fewer points; None for less than an area."""
    simple = cv2.approxPolyDP(contour, 0.002 * cv2.arcLength(contour, True), True)[:, 0].astype(np.int32)
    return simple if len(simple) >= 4 else None


def _rectangle(contour: NDArray[np.int32]) -> NDArray[np.int32] | None:
    """The tightest rectangle; None for specks."""
    tight = cv2.minAreaRect(contour)
    return None if min(tight[1]) < _LEAST_SIDE - 2 else np.rint(cv2.boxPoints(tight)).astype(np.int32)


def _mean_inside(probability: Maps, polygon: NDArray[np.int32]) -> float:
    x, y, w, h = cv2.boundingRect(polygon)
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [polygon - np.array([x, y], dtype=np.int32)], 1)
    return float(cv2.mean(probability[y : y + h, x : x + w], mask)[0])


def _expand(polygon: NDArray[np.int32], ratio: float) -> Points | None:
    area, perimeter = abs(cv2.contourArea(polygon)), cv2.arcLength(polygon, True)
    if perimeter == 0:
        return None
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(polygon.tolist(), pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
    paths = offset.Execute(area * ratio / perimeter)
    if not paths:
        return None
    # An outline that touches itself falls into pieces: the largest one is the line.
    return np.array(max(paths, key=lambda path: abs(float(pyclipper.Area(path)))), dtype=np.float64)
