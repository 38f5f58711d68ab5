"""Where each pixel came from: maps that carry points back to the image before a step.

Convention: a `Frame` takes points of its own image ``(n, 2)`` float64 ``(x, y)`` and gives the same points on the image
that it was made from. Pixel centres lie at integers plus one half: the image covers ``[0, width] x [0, height]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

#: Rows of the new image that are sampled at once.
_ROWS = 256


@runtime_checkable
class Frame(Protocol):
    """A map from points of an image to points of the image it was made from."""

    def to_source(self, points: Points) -> Points:
        """Carry ``(n, 2)`` points back; empty in, empty out."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """The image was left alone."""

    def to_source(self, points: Points) -> Points:
        """The points, unchanged."""
        return points


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle was cut out at ``(left, top)`` and perhaps scaled by `scale` (new size over old size)."""

    left: float
    top: float
    scale: float = 1.0

    def to_source(self, points: Points) -> Points:
        """Points of the cut, on the image it was cut from."""
        return np.asarray(points / self.scale + np.array([self.left, self.top]), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class QuarterTurn:
    """The image was turned counter-clockwise by a multiple of 90 degrees, without loss.

    Attributes:
        angle: 0, 90, 180 or 270.
        width, height: size of the image *before* the turn.
    """

    angle: int
    width: int
    height: int

    def to_source(self, points: Points) -> Points:
        """Points of the turned image, on the image before the turn."""
        x, y = points[:, 0], points[:, 1]
        if self.angle == 90:
            return np.stack([self.width - y, x], axis=1)
        if self.angle == 180:
            return np.stack([self.width - x, self.height - y], axis=1)
        if self.angle == 270:
            return np.stack([y, self.height - x], axis=1)
        return points


@dataclass(frozen=True, slots=True)
class Grid:
    """The image was sampled through a grid (unwarping).

    Attributes:
        sampling: ``(rows, columns, 2)`` float64: for grid nodes spread evenly over the new image, corners included, the
            point ``(x, y)`` of the old image that is shown there. In between it is bilinear.
        width, height: size of the new image.
    """

    sampling: NDArray[np.float64]
    width: int
    height: int

    def to_source(self, points: Points) -> Points:
        """Points of the flat image, on the image before unwarping; points outside follow the nearest edge."""
        if len(points) == 0:
            return points
        rows, columns = self.sampling.shape[:2]
        u = points[:, 0] / self.width * (columns - 1)
        v = points[:, 1] / self.height * (rows - 1)
        column = np.clip(np.floor(u).astype(int), 0, columns - 2)
        row = np.clip(np.floor(v).astype(int), 0, rows - 2)
        a = (u - column)[:, None]
        b = (v - row)[:, None]
        s = self.sampling
        upper = s[row, column] * (1 - a) + s[row, column + 1] * a
        lower = s[row + 1, column] * (1 - a) + s[row + 1, column + 1] * a
        return np.asarray(upper * (1 - b) + lower * b, dtype=np.float64)

    def sample(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The new image, sampled bilinearly from the old one; what lies outside it repeats the edge."""
        rows, columns = self.sampling.shape[:2]
        xs, ys = np.moveaxis(self.sampling - 0.5, -1, 0).astype(np.float32)
        down, across = _shares(rows, self.height), _shares(columns, self.width).T
        flat = np.empty((self.height, self.width, *image.shape[2:]), np.uint8)
        # A few rows at a time: the map of a large page would need many times the page's memory.
        for first in range(0, self.height, _ROWS):
            lines = down[first : first + _ROWS]
            x, y = lines @ xs @ across, lines @ ys @ across
            low = int(np.clip(np.floor(y.min()), 0, image.shape[0] - 1))
            high = int(np.clip(np.ceil(y.max()) + 2, low + 1, image.shape[0]))
            part = flat[first : first + _ROWS]
            cv2.remap(image[low:high], x, y - low, cv2.INTER_LINEAR, dst=part, borderMode=cv2.BORDER_REPLICATE)
        return flat


def _shares(nodes: int, length: int) -> NDArray[np.float32]:
    """``(length, nodes)``: by how much each of so many pixels lies at each of the nodes that are spread evenly from edge to edge."""
    places = (np.arange(length, dtype=np.float64) + 0.5) / length * (nodes - 1)
    return np.asarray(np.maximum(1 - np.abs(places[:, None] - np.arange(nodes)), 0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Chain:
    """Several steps, the first one made first."""

    steps: tuple[Frame, ...]

    def to_source(self, points: Points) -> Points:
        """Carry points back through all steps, the last one first."""
        for step in reversed(self.steps):
            points = step.to_source(points)
        return points
