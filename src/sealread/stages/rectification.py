"""Stage 5: straighten a curved line into a strip.

Takes:      the seal's image and one line: its band, or only its outline.
Gives:      a strip of the height that the recogniser wants, and the map from the strip back to the seal.
Method:     the band's two edges are sampled evenly along its middle; each column of the strip is the segment between them.
            An outline without a band is first given one: a rectangle directly, anything else by tracing its middle
            (`sealread.curves`) and measuring how far it reaches to either side.
Engine:     none.
Nothing:    an outline thinner than two pixels, or without area, gives no strip.
Invariants: the first character is leftmost; strip points map inside the band; a straight rectangle gives its plain crop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.curves import centreline, rounded
from sealread.polygons import Points, bounding_box, lengths_along, resample, signed_area, tangents, top_normals, total_turning
from sealread.types import DetectedLine, Image, Ribbon

#: Bands thinner than this many pixels hold no text.
_LEAST_THICKNESS = 2.0
#: Side of the raster on which the middle of an outline is traced.
_RASTER = 192
#: Vertices along an edge of a band made from an outline.
_VERTICES = 41
#: Bands are sampled at this many times the strip's height at most, so that no intermediate picture outgrows OpenCV's 2**15 pixels.
_MOST_SHRINK = 8
#: Degrees of turning per vertex from which an outline counts as sparse.
_SPARSE = 6.0
#: Turning (degrees) from which a line counts as an arc.
ARC_TURN = 40.0


@dataclass(frozen=True, slots=True)
class Strip:
    """A straightened line.

    Attributes:
        image: ``(height, width, 3)`` uint8 BGR, first character leftmost, upright.
        ribbon: the band it was cut from, in pixels of the seal's image; reversed where `turned`.
    """

    image: Image
    ribbon: Ribbon

    def to_source(self, points: Points) -> Points:
        """Carry strip points ``(n, 2)``, as shares ``(0..1, 0..1)`` of width and height, back to the seal's image."""
        if self.ribbon.cells:
            across = np.mod(points[:, 0] * self.ribbon.cells, 1.0)
            cell = np.minimum(np.floor(points[:, 0] * self.ribbon.cells), self.ribbon.cells - 1)
            # In a column each cell stands upright: its x runs from the bottom edge to the top edge.
            return _on_band(self.ribbon, (cell + points[:, 1]) / self.ribbon.cells, 1 - across)
        return _on_band(self.ribbon, points[:, 0], points[:, 1])


def _on_band(ribbon: Ribbon, along: NDArray[np.float64], down: NDArray[np.float64]) -> Points:
    """Points at shares along (0 first character) and across (0 top edge) the band."""
    places = lengths_along((ribbon.top + ribbon.bottom) / 2)
    places = places / places[-1] if places[-1] > 0 else np.linspace(0, 1, len(places))
    top = np.stack([np.interp(along, places, ribbon.top[:, i]) for i in (0, 1)], axis=1)
    bottom = np.stack([np.interp(along, places, ribbon.bottom[:, i]) for i in (0, 1)], axis=1)
    return np.asarray(top + (bottom - top) * down[:, None], dtype=np.float64)


def reversed_ribbon(ribbon: Ribbon) -> Ribbon:
    """The same band read the other way round: upside down."""
    return Ribbon(ribbon.bottom[::-1], ribbon.top[::-1], ribbon.cells)


def thickness(ribbon: Ribbon) -> float:
    """Mean distance of the two edges, in pixels."""
    return float(np.mean(np.hypot(*(ribbon.top - ribbon.bottom).T)))


def length(ribbon: Ribbon) -> float:
    """Length of the band's middle, in pixels."""
    return float(lengths_along((ribbon.top + ribbon.bottom) / 2)[-1])


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
    if thick < _LEAST_THICKNESS or long < 1 or not np.isfinite(thick + long):
        return None
    # Sample at the seal's own resolution, then shrink by area: no aliasing. Enlarging needs no intermediate step.
    factor = int(np.clip(round(thick / height), 1, _MOST_SHRINK))
    rows = height * factor
    if ribbon.cells:
        cell_height = long / ribbon.cells
        width = int(np.clip(round(height * thick / cell_height), 1, max(most_width // ribbon.cells, 1)))
        cell = _sampled(image, ribbon, rows * ribbon.cells, width * factor)
        tiles = [cell[:, i * rows : (i + 1) * rows] for i in range(ribbon.cells)]
        # Path direction runs down the characters: transpose, then x from bottom edge to top edge.
        strip = np.concatenate([cv2.rotate(tile, cv2.ROTATE_90_CLOCKWISE) for tile in tiles], axis=1)
    else:
        width = int(np.clip(round(long * height / thick), 1, most_width))
        strip = _sampled(image, ribbon, width * factor, rows)
    if factor > 1:
        strip = cv2.resize(strip, (strip.shape[1] // factor, height), interpolation=cv2.INTER_AREA)
    return Strip(np.ascontiguousarray(strip, dtype=np.uint8), ribbon)


def _sampled(image: Image, ribbon: Ribbon, columns: int, rows: int) -> Image:
    along = (np.arange(columns) + 0.5) / columns
    down = (np.arange(rows) + 0.5) / rows
    top = _on_band(ribbon, along, np.zeros(columns))
    bottom = _on_band(ribbon, along, np.ones(columns))
    grid = top[None] + (bottom - top)[None] * down[:, None, None] - 0.5
    # Only the part of the image that is seen: OpenCV refuses sources of more than 2**15 pixels a side.
    size = np.array([image.shape[1], image.shape[0]])
    low = np.clip(np.floor(grid.min(axis=(0, 1))), 0, size - 1).astype(int)
    high = np.clip(np.ceil(grid.max(axis=(0, 1))) + 1, low + 1, size).astype(int)
    maps = (grid - low).astype(np.float32)
    image = image[low[1] : high[1], low[0] : high[0]]
    return np.asarray(cv2.remap(image, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)


def band_of(line: DetectedLine) -> Ribbon | None:
    """The band of a detected line: the network's, or one traced from the outline; None where it has no area."""
    return line.ribbon if line.ribbon is not None else trace(line.polygon)


def trace(polygon: Points) -> Ribbon | None:
    """The band inside an outline, whatever its vertex spacing; its direction is a guess (see `readings`).

    Args:
        polygon: ``(n, 2)`` simple polygon, n >= 3, either winding.
    """
    polygon = np.asarray(polygon, dtype=np.float64)
    if len(polygon) < 3 or not np.isfinite(polygon).all() or abs(signed_area(polygon)) < _LEAST_THICKNESS:
        return None
    box = cv2.minAreaRect(polygon.astype(np.float32))
    if min(box[1]) < _LEAST_THICKNESS:
        return None
    share = abs(signed_area(polygon)) / (box[1][0] * box[1][1])
    if len(polygon) == 4 and _convex(polygon):
        return _quad_band(polygon)
    # Hardly longer than thick: a character or two, whose bend says nothing.
    compact = share > 0.7 and max(box[1]) < 1.5 * min(box[1])
    if share > 0.94 or compact:
        return _quad_band(cv2.boxPoints(box).astype(np.float64))
    return _curved_band(polygon)


def _convex(polygon: Points) -> bool:
    edges = np.roll(polygon, -1, axis=0) - polygon
    following = np.roll(edges, -1, axis=0)
    cross = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    return bool(np.all(cross >= 0) or np.all(cross <= 0))


def _quad_band(corners: Points) -> Ribbon:
    """Four corners: the longer pair of sides are the edges, text runs to the right, or down where it is upright."""
    if signed_area(corners) < 0:
        corners = corners[::-1]
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    first = 0 if sides[0] + sides[2] >= sides[1] + sides[3] else 1
    if abs(sides[0] + sides[2] - sides[1] - sides[3]) < 0.02 * sides.sum():
        # As good as square: the side nearest to the horizontal is the top.
        edges = np.roll(corners, -1, axis=0) - corners
        first = int(np.argmin([abs(edges[i][1]) for i in (0, 1)]))
    corners = np.roll(corners, -first, axis=0)
    ribbon = Ribbon(corners[[0, 1]], corners[[3, 2]])
    direction = ribbon.top[1] - ribbon.top[0]
    backwards = direction[0] < 0 if abs(direction[0]) >= abs(direction[1]) else direction[1] < 0
    return reversed_ribbon(ribbon) if backwards else ribbon


def _curved_band(polygon: Points) -> Ribbon | None:
    x1, y1, x2, y2 = bounding_box(polygon)
    scale = _RASTER / max(x2 - x1, y2 - y1)
    # A border of two pixels, so that the outside is always met.
    placed = (polygon - np.array([x1, y1])) * scale + 2
    mask = np.zeros((int((y2 - y1) * scale) + 5, int((x2 - x1) * scale) + 5), np.uint8)
    cv2.fillPoly(mask, [np.round((placed - 0.5) * 16).astype(np.int32)], 1, shift=4)
    distance = cv2.distanceTransform(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), cv2.DIST_L2, 5)[1:-1, 1:-1]
    deepest = float(distance.max())
    if deepest <= 0:
        return None
    # The middle third of the band traces its centre without the corners; its ends lie half a thickness inside.
    ys, xs = np.nonzero(distance > 0.6 * deepest)
    if len(xs) < 3:
        return None
    middle = centreline(np.stack([xs, ys], axis=1).astype(np.float64) + 0.5, 1.2 * deepest, 1.0, float(len(xs))).points
    inside = mask[np.clip(middle[:, 1].astype(int), 0, mask.shape[0] - 1), np.clip(middle[:, 0].astype(int), 0, mask.shape[1] - 1)] > 0
    kept = np.flatnonzero(inside)
    if len(kept) < 2:
        return None
    middle = middle[kept[0] : kept[-1] + 1]
    # Twice, because the first middle may lie to one side, and only the middle's own normals cut the band squarely.
    for _ in range(2):
        middle = resample(middle, _VERTICES)
        normals = top_normals(tangents(middle))
        up, down = (_reach(placed, middle, normals * side, deepest) for side in (1.0, -1.0))
        ribbon = Ribbon(middle + normals * up[:, None], middle - normals * down[:, None])
        middle = (ribbon.top + ribbon.bottom) / 2
    ribbon = _through_corners(ribbon, placed)
    return _usual_direction(Ribbon((ribbon.top - 2) / scale + np.array([x1, y1]), (ribbon.bottom - 2) / scale + np.array([x1, y1])))


def _reach(polygon: Points, points: Points, direction: Points, depth: float) -> NDArray[np.float64]:
    """How far it is from each point of a line in its direction to the outline, smoothed along the line.

    Half the thickness is expected to be about `depth`; nothing is believed to be farther than three times this.
    """
    edge = np.roll(polygon, -1, axis=0) - polygon
    offset = polygon[None] - points[:, None]
    # Point + reach * direction = vertex + share * edge, solved by cross products.
    across = direction[:, None, 0] * edge[None, :, 1] - direction[:, None, 1] * edge[None, :, 0]
    meets = np.abs(across) > 1e-12
    divisor = np.where(meets, across, 1.0)
    reach = (offset[..., 0] * edge[None, :, 1] - offset[..., 1] * edge[None, :, 0]) / divisor
    share = (offset[..., 0] * direction[:, None, 1] - offset[..., 1] * direction[:, None, 0]) / divisor
    nearest = np.min(np.where(meets & (reach > 0) & (share >= 0) & (share <= 1), reach, 3 * depth), axis=1)
    # Near its ends the line looks at the outline's short sides: what lies half a thickness farther in holds there too.
    along = lengths_along(points)
    trim = min(depth, 0.3 * along[-1])
    inner = (along >= trim) & (along <= along[-1] - trim)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(nearest[inner], 2, mode="edge"), 5)
    return np.asarray(np.interp(along, along[inner], np.median(windows, axis=1)), dtype=np.float64)


def _through_corners(ribbon: Ribbon, polygon: Points) -> Ribbon:
    """The band whose edges are arcs through the outline's vertices, where those are few: people set points on arcs, not chords."""
    middle = (ribbon.top + ribbon.bottom) / 2
    turn = abs(total_turning(middle))
    if turn < ARC_TURN or turn / len(polygon) < _SPARSE:
        return ribbon
    offset = polygon[:, None] - middle[None]
    nearest = np.argmin(np.sum(offset**2, axis=2), axis=1)
    outwards = np.sum(offset[np.arange(len(polygon)), nearest] * top_normals(tangents(middle))[nearest], axis=1) > 0
    # Each side is one run of the outline.
    first = int(np.argmax(outwards & ~np.roll(outwards, 1)))
    outwards, nearest, polygon = np.roll(outwards, -first), np.roll(nearest, -first), np.roll(polygon, -first, axis=0)
    count = int(outwards.sum())
    if not outwards[:count].all() or min(count, len(polygon) - count) < 3:
        return ribbon
    top, bottom = rounded(polygon[:count], _VERTICES), rounded(polygon[count:], _VERTICES)
    return Ribbon(top, bottom[::-1]) if nearest[count - 1] > nearest[0] else Ribbon(top[::-1], bottom)


def _usual_direction(ribbon: Ribbon) -> Ribbon:
    """Arcs run clockwise around their centre, tops outwards; other lines run to the right."""
    middle = (ribbon.top + ribbon.bottom) / 2
    turn = total_turning(middle)
    backwards = turn < 0 if abs(turn) >= ARC_TURN else middle[-1, 0] < middle[0, 0]
    return reversed_ribbon(ribbon) if backwards else ribbon


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


Winding = Literal["clockwise", "counter-clockwise", "straight"]


def winding(ribbon: Ribbon) -> Winding:
    """How a line bends: clockwise arcs have their tops outwards, counter-clockwise ones inwards."""
    turn = total_turning((ribbon.top + ribbon.bottom) / 2)
    if abs(turn) < ARC_TURN:
        return "straight"
    return "clockwise" if turn > 0 else "counter-clockwise"
