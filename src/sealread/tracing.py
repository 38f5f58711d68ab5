"""From the outline of a line of text to its band: two edges and a direction, whatever the outline's vertices.

A rectangle is taken as it is. Of any other shape the core, which has no corners, is followed by a curve (`sealread.curves`);
the band reaches from it to the outline on either side. Where people set few points on an arc, its edges are bent through them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.curves import centreline, rounded
from sealread.polygons import Points, bounding_box, lengths_along, resample, signed_area, tangents, top_normals, total_turning
from sealread.types import Ribbon

#: Turning (degrees) from which a line counts as an arc.
ARC_TURN = 40.0
#: Outlines thinner than this many pixels hold no text.
LEAST_THICKNESS = 2.0
#: No image has coordinates beyond this.
_FARTHEST = 1e7
#: Side of the raster on which the middle of an outline is traced.
_RASTER = 192
#: Cores that are tried, as shares of the greatest depth: the deepest has no corners, the others do not lose a narrow part.
_CORES = (0.6, 0.3, 0.0)
#: Share of the outline in common from which no further core is tried.
_WELL = 0.85
#: Vertices along an edge of a band.
_VERTICES = 41
#: Pieces in which a band is lengthened.
_PIECES = 8
#: Degrees of turning per vertex from which an outline counts as sparse.
_SPARSE = 6.0


def reversed_ribbon(ribbon: Ribbon) -> Ribbon:
    """The same band read the other way round: upside down."""
    return Ribbon(ribbon.bottom[::-1], ribbon.top[::-1], ribbon.cells)


def lengthened(ribbon: Ribbon, before: float, after: float) -> Ribbon:
    """The band with further pieces of these lengths (pixels) before its first and after its last character; it bends on as it bent."""
    middle, across = (ribbon.top + ribbon.bottom) / 2, (ribbon.top - ribbon.bottom) / 2
    ahead = _continued(middle, across, after)
    back = _continued(middle[::-1], across[::-1], before)
    middle, across = (np.concatenate([back[i][::-1], (middle, across)[i], ahead[i]]) for i in (0, 1))
    return Ribbon(middle + across, middle - across, ribbon.cells)


def _continued(middle: Points, across: Points, length: float) -> tuple[Points, Points]:
    """Where the middle of a band goes on, and from it to the band's top, along a circle of the band's mean curvature."""
    if length <= 0:
        return np.zeros((0, 2)), np.zeros((0, 2))
    steps = np.arange(1, _PIECES + 1) * length / _PIECES
    along = tangents(middle)
    bend = float(np.radians(total_turning(middle))) / max(float(lengths_along(middle)[-1]), 1e-6)
    angle = float(np.arctan2(along[-1, 1], along[-1, 0])) + bend * (steps - length / _PIECES / 2)
    points = middle[-1] + np.cumsum(np.stack([np.cos(angle), np.sin(angle)], axis=1), axis=0) * length / _PIECES
    cosine, sine = np.cos(bend * steps), np.sin(bend * steps)
    x, y = across[-1]
    return points, np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=1)


def trace(polygon: Points) -> Ribbon | None:
    """The band inside an outline, whatever its vertex spacing; its direction is a guess (see `readings`).

    Args:
        polygon: ``(n, 2)`` simple polygon, n >= 3, either winding.
    """
    polygon = np.asarray(polygon, dtype=np.float64)
    if len(polygon) < 3 or not np.all(np.abs(polygon) < _FARTHEST) or abs(signed_area(polygon)) < LEAST_THICKNESS:
        return None
    # OpenCV counts in single precision: near the origin that is exact enough.
    origin = polygon[0]
    box = cv2.minAreaRect((polygon - origin).astype(np.float32))
    if min(box[1]) < LEAST_THICKNESS - 1e-3:
        return None
    share = abs(signed_area(polygon)) / (box[1][0] * box[1][1])
    if len(polygon) == 4 and _convex(polygon):
        return _quad_band(polygon)
    # Hardly longer than thick: a character or two, whose bend says nothing.
    compact = share > 0.7 and max(box[1]) < 1.5 * min(box[1])
    if share > 0.94 or compact:
        return _quad_band(cv2.boxPoints(box) + origin)
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
    origin = np.array([x1, y1]) - 2 / scale
    placed = (polygon - origin) * scale
    mask = np.zeros((int((y2 - y1) * scale) + 5, int((x2 - x1) * scale) + 5), np.uint8)
    _fill(mask, placed)
    best, best_fit = None, 0.0
    for share in _CORES:
        ribbon = _band_along(placed, mask, share)
        if ribbon is None:
            continue
        fit = _fit(mask, ribbon)
        if fit > best_fit:
            best, best_fit = ribbon, fit
        if fit > _WELL:
            break
    if best is None:
        return None
    best = _through_corners(best, placed)
    return _usual_direction(Ribbon(best.top / scale + origin, best.bottom / scale + origin))


def _fill(mask: NDArray[np.uint8], polygon: Points) -> None:
    cv2.fillPoly(mask, [np.round((polygon - 0.5) * 16).astype(np.int32)], 1, shift=4)


def _fit(mask: NDArray[np.uint8], ribbon: Ribbon) -> float:
    """Intersection over union of a shape and a band."""
    band = np.zeros_like(mask)
    _fill(band, ribbon.polygon)
    return cv2.countNonZero(mask & band) / max(cv2.countNonZero(mask | band), 1)


def _band_along(polygon: Points, mask: NDArray[np.uint8], share: float) -> Ribbon | None:
    """The band around the curve through a shape's core: what lies deeper than this share of the deepest place."""
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    deepest = float(distance.max())
    ys, xs = np.nonzero(distance > share * deepest)
    if len(xs) < 3:
        return None
    pixels = np.stack([xs, ys], axis=1).astype(np.float64) + 0.5
    # Longer than the shape, then cut where it leaves it.
    middle = centreline(pixels, 1.2 * deepest, 1.0, float(len(xs))).points
    column, row = (np.clip(middle[:, i].astype(int), 0, mask.shape[1 - i] - 1) for i in (0, 1))
    kept = np.flatnonzero(mask[row, column])
    if len(kept) < 2:
        return None
    middle = middle[kept[0] : kept[-1] + 1]
    # Twice, because the first middle may lie to one side, and only the middle's own normals cut the band squarely.
    for _ in range(2):
        middle = resample(middle, _VERTICES)
        normals = top_normals(tangents(middle))
        up, down = (_reach(polygon, middle, normals * side, deepest) for side in (1.0, -1.0))
        ribbon = Ribbon(middle + normals * up[:, None], middle - normals * down[:, None])
        middle = (ribbon.top + ribbon.bottom) / 2
    return ribbon


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
