"""Stage 5: straighten a curved line into a strip.

Takes:      the seal's image and one line: its band, or only its outline.
Gives:      a strip of the height that the recogniser wants, and the map from the strip back to the seal.
Method:     the band's two edges are sampled evenly along its middle; each column of the strip is the segment between them.
            An outline without a band is first given one (`sealread.tracing`).
Engine:     none.
Nothing:    an outline thinner than two pixels, or without area, gives no strip.
Invariants: the first character is leftmost; strip points map inside the band; a straight rectangle gives its plain crop.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.polygons import Points, lengths_along, total_turning
from sealread.tracing import ARC_TURN, LEAST_THICKNESS, reversed_ribbon, trace
from sealread.types import DetectedLine, Image, Ribbon

#: Vertices along an edge of a part of a band.
_PIECE_VERTICES = 41
#: Bands are sampled at this many times the strip's height at most, so that no intermediate picture outgrows OpenCV's 2**15 pixels.
_MOST_SHRINK = 8


@dataclass(frozen=True, slots=True)
class Strip:
    """A straightened line.

    Attributes:
        image: ``(height, width, 3)`` uint8 BGR, first character leftmost, upright.
        ribbon: the band it was cut from, in pixels of the seal's image.
    """

    image: Image
    ribbon: Ribbon

    def to_source(self, points: Points) -> Points:
        """Carry strip points ``(n, 2)``, as shares ``(0..1, 0..1)`` of width and height, back to the seal's image."""
        if self.ribbon.cells:
            cell = np.clip(np.floor(points[:, 0] * self.ribbon.cells), 0, self.ribbon.cells - 1)
            across = points[:, 0] * self.ribbon.cells - cell
            # In a column each cell stands upright: its x runs from the bottom edge to the top edge.
            return _on_band(self.ribbon, (cell + points[:, 1]) / self.ribbon.cells, 1 - across)
        return _on_band(self.ribbon, points[:, 0], points[:, 1])


def _on_band(ribbon: Ribbon, along: NDArray[np.float64], down: NDArray[np.float64]) -> Points:
    """Points at shares along (0 first character) and across (0 top edge) the band."""
    top, bottom = _edges(ribbon, along)
    return np.asarray(top + (bottom - top) * down[:, None], dtype=np.float64)


def _edges(ribbon: Ribbon, along: NDArray[np.float64]) -> tuple[Points, Points]:
    """Points of the top and of the bottom edge at shares along the band."""
    places = lengths_along((ribbon.top + ribbon.bottom) / 2)
    places = places / places[-1] if places[-1] > 0 else np.linspace(0, 1, len(places))
    top, bottom = (np.stack([np.interp(along, places, edge[:, i]) for i in (0, 1)], axis=1) for edge in (ribbon.top, ribbon.bottom))
    return top, bottom


def thickness(ribbon: Ribbon) -> float:
    """Mean distance of the two edges, in pixels."""
    return float(np.mean(np.hypot(*(ribbon.top - ribbon.bottom).T)))


def length(ribbon: Ribbon) -> float:
    """Length of the band's middle, in pixels."""
    return float(lengths_along((ribbon.top + ribbon.bottom) / 2)[-1])


def piece(ribbon: Ribbon, start: float, end: float) -> Ribbon:
    """The part of a band between two shares of its length; beyond 1 it goes on at the band's start, as that of a ring does."""
    along = np.linspace(start, end, _PIECE_VERTICES)
    along = np.where(along > 1, along - 1, along)
    return Ribbon(_on_band(ribbon, along, np.zeros(len(along))), _on_band(ribbon, along, np.ones(len(along))), ribbon.cells)


def straighten(image: Image, ribbon: Ribbon, height: int, most_width: int = 3200) -> Strip | None:
    """Cut a band out of the image as a straight strip.

    Args:
        image: the seal.
        ribbon: the band, in pixels of `image`; it may reach beyond the image, whose edge is then repeated.
        height: of the strip; its width follows from the band's proportions.
        most_width: wider strips are squeezed to this.

    Returns:
        The strip, or None for a band without area.
    """
    thick, long = thickness(ribbon), length(ribbon)
    if thick < LEAST_THICKNESS or long < 1 or not np.isfinite(thick + long):
        return None
    # Sample at the seal's own resolution, then shrink by area: no aliasing. Enlarging needs no intermediate step.
    factor = min(max(round(thick / height), 1), _MOST_SHRINK)
    rows = height * factor
    if ribbon.cells:
        cell_height = long / ribbon.cells
        width = max(min(round(height * thick / cell_height), most_width // ribbon.cells), 1)
        cell = _sampled(image, ribbon, rows * ribbon.cells, width * factor)
        tiles = [cell[:, i * rows : (i + 1) * rows] for i in range(ribbon.cells)]
        # Path direction runs down the characters: transpose, then x from bottom edge to top edge.
        strip = np.concatenate([cv2.rotate(tile, cv2.ROTATE_90_CLOCKWISE) for tile in tiles], axis=1)
    else:
        width = min(max(round(long * height / thick), 1), most_width)
        strip = _sampled(image, ribbon, width * factor, rows)
    if factor > 1:
        strip = cv2.resize(strip, (strip.shape[1] // factor, height), interpolation=cv2.INTER_AREA)
    return Strip(np.ascontiguousarray(strip, dtype=np.uint8), ribbon)


def _sampled(image: Image, ribbon: Ribbon, columns: int, rows: int) -> Image:
    top, bottom = _edges(ribbon, (np.arange(columns) + 0.5) / columns)
    down = (np.arange(rows) + 0.5) / rows
    # Only the part of the image that is seen: OpenCV refuses sources of more than 2**15 pixels a side. Columns are straight: their ends
    # lie furthest out.
    ends = np.concatenate([top + (bottom - top) * down[i] for i in (0, -1)]) - 0.5
    size = np.array([image.shape[1], image.shape[0]])
    low = np.clip(np.floor(ends.min(axis=0)), 0, size - 1).astype(int)
    high = np.clip(np.ceil(ends.max(axis=0)) + 1, low + 1, size).astype(int)
    first, step = (top - 0.5 - low).astype(np.float32), (bottom - top).astype(np.float32)
    x, y = (first[:, i] + step[:, i] * down.astype(np.float32)[:, None] for i in (0, 1))
    image = image[low[1] : high[1], low[0] : high[0]]
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)


def band_of(line: DetectedLine) -> Ribbon | None:
    """The band of a detected line: the network's, or one traced from the outline; None where it has no area."""
    return line.ribbon if line.ribbon is not None else trace(line.polygon)


def readings(line: DetectedLine, sure: float = 0.5) -> list[Ribbon]:
    """The bands worth reading for a line: one where the direction is sure, else both directions, the likelier first.

    A tall outline of an unknown direction may also be a column of upright characters: that is tried too.
    """
    ribbon = band_of(line)
    if ribbon is None:
        return []
    if line.direction >= sure:
        return [ribbon]
    choices = [ribbon, reversed_ribbon(ribbon)]
    if line.ribbon is None and not ribbon.cells:
        middle = (ribbon.top + ribbon.bottom) / 2
        run = middle[-1] - middle[0]
        ratio = length(ribbon) / max(thickness(ribbon), 1e-6)
        if abs(total_turning(middle)) < ARC_TURN and abs(run[1]) > 2 * abs(run[0]) and ratio > 1.5:
            down = ribbon if run[1] > 0 else reversed_ribbon(ribbon)
            choices.append(Ribbon(down.top, down.bottom, cells=max(round(ratio), 2)))
    return choices
