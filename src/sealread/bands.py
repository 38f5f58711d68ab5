"""From the band maps of our detector to lines of text (in the spirit of TextSnake, Long et al. 2018).

The maps show for each place of the network's input: whether the core of a line is here, whether its region is, how high the line
is, and where the characters' right side lies. The core is traced by a curve (`sealread.curves`) and widened to the band.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.curves import centreline, quantile
from sealread.polygons import Points, lengths_along, resample, tangents, top_normals, total_turning
from sealread.types import DetectedLine, Ribbon

#: Channels of the maps.
CORE, REGION, HEIGHT, RIGHT_X, RIGHT_Y = range(5)
#: Input pixels per map pixel.
STRIDE = 2
#: The core of a line is this share of its height, and ends this share of the height before the line does.
CORE_SHARE = 0.4
END_TRIM = 0.35
#: The height channel is the natural logarithm of the half height over this many input pixels.
HEIGHT_UNIT = 8.0
#: The expansion ratio at which a band keeps the height that the network gives (the tutorial's default).
NEUTRAL_UNCLIP = 0.5
#: Smallest core, in pixels of the map; smaller ones are specks.
_LEAST_CORE = 10
#: Larger cores are thinned to about so many pixels before a curve is fitted.
_ENOUGH_PIXELS = 600
#: Vertices along one edge of a band.
_MOST_VERTICES, _LEAST_VERTICES = 48, 4
#: Directions are compared across this many map pixels to either side; arcs turn far less over it.
_TEAR_REACH = 8
#: Cosine of the angle from which directions contradict each other, and how sure both must be.
_TEAR_COSINE, _TEAR_SURE = 0.6, 0.25
#: A bent core (degrees) of which this share looks the other way holds several lines.
_MIXED_TURN, _MIXED_SHARE = 60.0, 0.1
#: A line reaches at most so many half heights beyond its core; there its region must be likely and the characters look its way.
_LONGEST_END, _IN_REGION, _AGREES = 0.9, 0.7, 0.8

Maps = NDArray[np.float32]

#: Lines that a detector gives at most, unless its own files say otherwise.
MOST_CANDIDATES = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds of the post-processing.

    Attributes:
        thresh: least probability of a pixel that belongs to a line.
        box_thresh: least mean probability of a line.
        unclip_ratio: how far lines are widened; `NEUTRAL_UNCLIP` leaves bands as the network gives them.
        max_candidates: so many lines at most, the largest first.
    """

    thresh: float
    box_thresh: float
    unclip_ratio: float
    max_candidates: int = MOST_CANDIDATES


def bands(maps: Maps, scale: tuple[float, float], limits: Limits) -> list[DetectedLine]:
    """The lines that band maps show.

    Args:
        maps: ``(5, h, w)``: core and region probabilities, logarithm of the half height, the characters' right direction.
        scale: ``(x, y)`` crop pixels per map pixel.
        limits: thresholds.
    """
    core = maps[CORE] > limits.thresh
    lines = []
    for place in _components(core)[: limits.max_candidates]:
        line, mixed = _band(maps, place, scale, limits)
        if mixed:
            # Two lines whose cores touch: cut where the characters' direction jumps.
            touching = np.zeros_like(core)
            touching[place] = True
            parts = _components(touching & ~_torn(maps[[RIGHT_X, RIGHT_Y]]))
            lines += [part for part, _ in (_band(maps, piece, scale, limits) for piece in parts) if part is not None]
        elif line is not None:
            lines.append(line)
    return sorted(lines, key=lambda line: float(line.polygon[:, 1].min()))


#: Rows and columns of some pixels.
Place = tuple[NDArray[np.intp], NDArray[np.intp]]


def _components(mask: NDArray[np.bool_]) -> list[Place]:
    """The connected pixels of a mask, largest first, specks left out."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    places = []
    for label in np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable") + 1:
        x, y, w, h, area = (int(v) for v in stats[label])
        if area < _LEAST_CORE:
            break
        rows, columns = np.nonzero(labels[y : y + h, x : x + w] == label)
        places.append((rows + y, columns + x))
    return places


def _torn(right: Maps) -> NDArray[np.bool_]:
    """Where one line ends and another begins although their cores touch: the characters on either side look in different directions.

    Args:
        right: ``(2, h, w)`` the characters' right direction.
    """
    torn: NDArray[np.bool_] = np.zeros(right.shape[1:], bool)
    room = _TEAR_REACH
    padded = np.pad(right, ((0, 0), (room, room), (room, room)), mode="edge")
    size = np.hypot(padded[0], padded[1])
    h, w = torn.shape

    def at(dx: int, dy: int) -> tuple[slice, slice]:
        return slice(room + dy, room + dy + h), slice(room + dx, room + dx + w)

    diagonal = round(room * math.sqrt(0.5))
    for dx, dy in ((room, 0), (0, room), (diagonal, diagonal), (diagonal, -diagonal)):
        here, there = at(dx, dy), at(-dx, -dy)
        a, b = size[here], size[there]
        product = padded[0][here] * padded[0][there] + padded[1][here] * padded[1][there]
        torn |= (a > _TEAR_SURE) & (b > _TEAR_SURE) & (product < _TEAR_COSINE * a * b)
    return torn


def _band(maps: Maps, place: Place, scale: tuple[float, float], limits: Limits) -> tuple[DetectedLine | None, bool]:
    """The line through some core pixels, None where it is too unlikely; and whether they seem to belong to several lines."""
    ys, xs = place
    values = maps[:, ys, xs].astype(np.float64)
    score = float(values[CORE].mean())
    if score < limits.box_thresh:
        return None, False
    area = len(xs) * scale[0] * scale[1]
    if len(xs) > _ENOUGH_PIXELS:
        # A lattice of them tells the curve as well.
        step = -(-len(xs) // _ENOUGH_PIXELS)
        chosen = (xs + max(round(0.38 * step), 1) * ys) % step == 0
        xs, ys, values = xs[chosen], ys[chosen], values[:, chosen]
    # The network works on an image that may be stretched; geometry is done in crop pixels.
    factor = np.array(scale)
    pixels = (np.stack([xs, ys], axis=1) + 0.5) * factor
    mean_scale = math.sqrt(scale[0] * scale[1])
    stride_unit = HEIGHT_UNIT / STRIDE * mean_scale
    half = math.exp(quantile(values[HEIGHT], 0.5)) * stride_unit
    curve = centreline(pixels, _LONGEST_END * half, max(mean_scale, half / 4), area).points
    nearest = _nearest(pixels, curve)
    direction = tangents(curve)
    right = np.stack([values[RIGHT_X], values[RIGHT_Y]], axis=1)
    # A stretch changes the direction, not how sure it is.
    sure, stretched = np.hypot(right[:, 0], right[:, 1]), right * factor
    right = stretched * (sure / np.maximum(np.hypot(stretched[:, 0], stretched[:, 1]), 1e-9))[:, None]
    with_curve = np.sum(right * direction[nearest], axis=1)
    along = float(np.mean(with_curve))
    across = float(np.mean(np.sum(right * top_normals(direction)[nearest], axis=1)))
    vertical = abs(across) > abs(along)
    against = float(np.mean(with_curve * math.copysign(1.0, along) < -_TEAR_SURE * np.hypot(right[:, 0], right[:, 1])))
    mixed = not vertical and against > _MIXED_SHARE and abs(total_turning(curve)) > _MIXED_TURN
    if (across if vertical else along) < 0:
        curve, nearest = curve[::-1], len(curve) - 1 - nearest
    first, last = _ends(curve, nearest, maps, factor, half, vertical)
    curve, nearest = curve[first : last + 1], np.clip(nearest - first, 0, last - first)
    halves = _smooth_heights(nearest, values[HEIGHT], len(curve)) * stride_unit
    halves *= (1 + limits.unclip_ratio) / (1 + NEUTRAL_UNCLIP)
    ribbon = _ribbon(curve, halves, vertical)
    line = DetectedLine(
        polygon=ribbon.polygon,
        score=min(score, 1.0),
        ribbon=ribbon,
        direction=min(max(abs(along), abs(across)), 1.0),
        upright=float(np.degrees(np.arctan2(right[:, 1].mean(), right[:, 0].mean()))),
    )
    return line, mixed


def _ends(
    curve: Points, nearest: NDArray[np.intp], maps: Maps, factor: NDArray[np.float64], half: float, vertical: bool
) -> tuple[int, int]:
    """Where the line begins and ends on a curve that goes on too far: it leaves its region, or meets characters that look elsewhere."""
    places = np.floor(curve / factor).astype(np.intp)
    columns, rows = np.clip(places[:, 0], 0, maps.shape[2] - 1), np.clip(places[:, 1], 0, maps.shape[1] - 1)
    forwards = top_normals(tangents(curve)) if vertical else tangents(curve)
    right = np.stack([maps[RIGHT_X][rows, columns], maps[RIGHT_Y][rows, columns]], axis=1)
    agrees = np.sum(right * forwards, axis=1) > _AGREES * np.hypot(right[:, 0], right[:, 1])
    belongs = (maps[REGION][rows, columns] > _IN_REGION) & agrees
    spacing = float(lengths_along(curve)[-1]) / max(len(curve) - 1, 1)
    least = round(END_TRIM * 2 * half / max(spacing, 1e-9))
    low, high = int(nearest.min()), int(nearest.max())
    before, after = belongs[:low][::-1], belongs[high + 1 :]
    first = low - max(int(np.argmin(np.append(before, False))), min(least, low))
    last = high + max(int(np.argmin(np.append(after, False))), min(least, len(curve) - 1 - high))
    return first, last


def _nearest(pixels: Points, curve: Points) -> NDArray[np.intp]:
    distance = (pixels[:, None, 0] - curve[None, :, 0]) ** 2 + (pixels[:, None, 1] - curve[None, :, 1]) ** 2
    return np.asarray(np.argmin(distance, axis=1))


def _smooth_heights(place: NDArray[np.intp], logarithms: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Half height along the curve: a straight trend of the logarithm, which follows perspective but not noise."""
    t = place / max(count - 1, 1) * 2 - 1
    basis = np.stack([np.ones_like(t), t], axis=1)
    normal = basis.T @ basis + np.diag([0.0, 0.05 * len(t)])
    constant, slope = np.linalg.solve(normal, basis.T @ logarithms)
    trend = constant + min(max(float(slope), -0.25), 0.25) * np.linspace(-1, 1, count)
    return np.asarray(np.exp(trend))


def _ribbon(curve: Points, halves: NDArray[np.float64], vertical: bool) -> Ribbon:
    length = lengths_along(curve)[-1]
    count = min(max(round(length / max(float(halves.mean()), 1e-6)) + 1, _LEAST_VERTICES), _MOST_VERTICES)
    even = resample(curve, count)
    widths = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(halves)), halves)[:, None]
    normals = top_normals(tangents(even))
    cells = max(round(length / (2 * float(halves.mean()))), 1) if vertical else 0
    return Ribbon(even + normals * widths, even - normals * widths, cells)
