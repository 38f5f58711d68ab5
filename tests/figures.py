"""Bands whose truth is known: arcs, ellipses, outlines of them as others would draw them, and paint that tells where a pixel lay."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.polygons import Points, at_lengths, lengths_along, resample, tangents, top_normals

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Band:
    """A band in reading direction: ``(k, 2)`` points of its two edges, close together."""

    top: Points
    bottom: Points

    @property
    def middle(self) -> Points:
        """The line half way between the edges."""
        return (self.top + self.bottom) / 2

    @property
    def polygon(self) -> Points:
        """The outline: top edge forwards, bottom edge backwards."""
        return np.concatenate([self.top, self.bottom[::-1]])

    def turned(self, degrees: float, centre: tuple[float, float] = (0.0, 0.0)) -> Band:
        """The band turned clockwise on screen."""
        return Band(turned(self.top, degrees, centre), turned(self.bottom, degrees, centre))

    def moved(self, x: float, y: float) -> Band:
        """The band elsewhere."""
        return Band(self.top + np.array([x, y]), self.bottom + np.array([x, y]))


def turned(points: Points, degrees: float, centre: tuple[float, float] = (0.0, 0.0)) -> Points:
    """Points turned clockwise on screen about a centre."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return (points - np.array(centre)) @ np.array([[c, s], [-s, c]]) + np.array(centre)


def widened(middle: Points, thickness: float) -> Band:
    """The band of a constant thickness around its middle."""
    normals = top_normals(tangents(middle)) * thickness / 2
    return Band(middle + normals, middle - normals)


def arc(
    radius: float,
    thickness: float,
    start: float,
    span: float,
    ratio: float = 1.0,
    centre: tuple[float, float] = (0.0, 0.0),
    inwards: bool = False,
) -> Band:
    """Text on an arc: clockwise with tops outwards, or counter-clockwise with tops inwards.

    Args:
        start: angle at which the text starts, degrees clockwise from the x axis.
        ratio: height of the ellipse over its width.
        inwards: the text runs counter-clockwise, its tops towards the centre, as along the bottom of a seal.
    """
    angles = np.radians(start + np.linspace(0, span, 400) * (-1 if inwards else 1))
    middle = np.stack([centre[0] + radius * np.cos(angles), centre[1] + radius * ratio * np.sin(angles)], axis=1)
    return widened(resample(middle, 300), thickness)


def straight(length: float, thickness: float, degrees: float = 0.0) -> Band:
    """A straight line of text around the origin, turned clockwise."""
    return widened(np.stack([np.linspace(-length / 2, length / 2, 60), np.zeros(60)], axis=1), thickness).turned(degrees)


def outline(
    band: Band, per_side: int, rng: np.random.Generator, uneven: float = 0.0, ragged: float = 0.0, clockwise: bool = True
) -> Points:
    """The outline of a band as a person or a network might give it.

    Args:
        per_side: vertices along each long side.
        uneven: 0 for even spacing, 1 for wholly random places.
        ragged: vertices are shifted by a normal error of this many pixels.
    """
    sides = []
    for edge in (band.top, band.bottom[::-1]):
        even = np.linspace(0, 1, per_side)
        places = (1 - uneven) * even + uneven * np.sort(np.concatenate([[0.0, 1.0], rng.random(max(per_side - 2, 0))]))[:per_side]
        places[-1] = 1.0
        sides.append(at_lengths(edge, places * lengths_along(edge)[-1]))
    polygon = np.concatenate(sides)
    polygon = polygon + rng.normal(0, ragged, polygon.shape) if ragged > 0 else polygon
    polygon = np.roll(polygon, int(rng.integers(len(polygon))), axis=0)
    return polygon if clockwise else polygon[::-1]


def overlap(a: Points, b: Points) -> float:
    """Intersection over union of two outlines, by raster."""
    low = np.minimum(a.min(axis=0), b.min(axis=0))
    scale = 400 / float((np.maximum(a.max(axis=0), b.max(axis=0)) - low).max())
    masks = []
    for polygon in (a, b):
        mask = np.zeros((404, 404), np.uint8)
        cv2.fillPoly(mask, [np.round(((polygon - low) * scale + 1.5) * 16).astype(np.int32)], 1, shift=4)
        masks.append(mask)
    union = cv2.countNonZero(masks[0] | masks[1])
    return cv2.countNonZero(masks[0] & masks[1]) / union


def painted(band: Band, height: int, width: int) -> Image:
    """A picture on which blue tells how far along the band a pixel lies (40..240), green how far down from its top, red 0.

    What is outside the band is red alone.
    """
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 2] = 255
    count, rows = 100, 8
    top, bottom = resample(band.top, count + 1), resample(band.bottom, count + 1)
    mesh = top[:, None] + (bottom - top)[:, None] * np.linspace(0, 1, rows + 1)[None, :, None]
    quads = np.round((np.stack([mesh[:-1, :-1], mesh[1:, :-1], mesh[1:, 1:], mesh[:-1, 1:]], axis=2) - 0.5) * 16).astype(np.int32)
    for i in range(count):
        for j in range(rows):
            cv2.fillConvexPoly(image, quads[i, j], (40 + 200 * (i + 0.5) / count, 40 + 200 * (j + 0.5) / rows, 0), shift=4)
    return image


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a strip shows of a painted band.

    Attributes:
        background: share of pixels that lie outside the band.
        along: mean error of the place along the band, as share of its length; each column against its place in the strip.
        down: the same across the band.
        covered: share of the band's length that the strip shows.
    """

    background: float
    along: float
    down: float
    covered: float

    @property
    def good(self) -> bool:
        """Whether a reader would see the whole text, undistorted, upright, first character leftmost."""
        return self.background < 0.15 and self.along < 0.05 and self.down < 0.12 and self.covered > 0.93


def judged(strip: Image) -> Verdict:
    """How well a strip shows a band painted by `painted`."""
    outside = strip[..., 2] > 90
    background = float(outside.mean())
    if background > 0.9:
        return Verdict(background, 1.0, 1.0, 0.0)
    along = np.ma.array((strip[..., 0].astype(np.float64) - 40) / 200, mask=outside)
    down = np.ma.array((strip[..., 1].astype(np.float64) - 40) / 200, mask=outside)
    columns = (np.arange(strip.shape[1]) + 0.5) / strip.shape[1]
    rows = (np.arange(strip.shape[0]) + 0.5) / strip.shape[0]
    middle = along[strip.shape[0] // 3 : -(strip.shape[0] // 3)].mean(axis=0).compressed()
    return Verdict(
        background,
        float(np.abs(along - columns[None]).mean()),
        float(np.abs(down - rows[:, None]).mean()),
        float(middle.max() - middle.min()) if len(middle) > 0 else 0.0,
    )
