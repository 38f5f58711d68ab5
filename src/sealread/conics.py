"""Rings on a map of ink: vote for their centres, fit their ellipses, unroll them.

Pure geometry on arrays. Points are pixels of the map that is given, ``(x, y)``, y down; pixel centres lie at integers
here, because that is how OpenCV samples. Angles run clockwise from the x axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]

#: Rays sampled round a ring: one every 3 degrees resolves the characters of a long legend.
RAYS = 120
#: Radii sampled along a ray from the centre to `REACH`; 64 over 1.44 puts a step at 2.25 % of the radius.
STEPS = 64
REACH = 1.44
#: Half widths of the bands, in units of the ellipse, in which the edge is looked for: the votes' error first, the fit's last.
WINDOWS = (0.2, 0.12, 0.07)
#: Height of a circle over its width for which votes are cast: round, and the ovals of invoices (30 x 20, 40 x 30 mm).
#: Between two of them the ring is found with a few percent of smear, which the fit then takes away.
SQUASHES = (1.0, 0.8, 0.67, 1.5)
#: Votes are cast for radii in geometric steps; a ring half a step off still falls into the smoothed cell.
RADIUS_STEP = 1.12
#: A cell of the accumulator, in units of the smallest radius of its octave; three cells take up the error of the gradient's
#: direction and of the shape, about 10 % of the radius.
CELL = 0.12
#: Cells are not smaller than this many pixels: outlines lie on whole pixels.
LEAST_CELL = 2.5
#: Cells across the window in which random votes are counted.
WINDOW = 9
#: More outlines than this are thinned at random, to bound the time on noise.
MOST_EDGES = 6000

_TURNS = np.arange(RAYS) * (2 * math.pi / RAYS)
_COSINES, _SINES = np.cos(_TURNS).astype(np.float32), np.sin(_TURNS).astype(np.float32)
_REACHES = ((np.arange(STEPS) + 0.5) * (REACH / STEPS)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse by its centre, semi-axes and the angle of the first axis in radians."""

    x: float
    y: float
    a: float
    b: float
    angle: float = 0.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The axis-parallel ``(x1, y1, x2, y2)`` that touches it."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        w, h = math.hypot(self.a * c, self.b * s), math.hypot(self.a * s, self.b * c)
        return self.x - w, self.y - h, self.x + w, self.y + h

    def scaled(self, factor: float) -> Ellipse:
        """The ellipse about the same centre with both axes times `factor`."""
        return Ellipse(self.x, self.y, self.a * factor, self.b * factor, self.angle)

    def rays(self, first: int = 0, end: int = STEPS) -> tuple[Floats, Floats]:
        """Coordinates ``(x, y)``, each ``(RAYS, end - first)``: row i runs from the centre outwards, 1 being the ellipse itself.

        Args:
            first, end: samples of the rays that are wanted, see `reach_index`.
        """
        c, s = math.cos(self.angle), math.sin(self.angle)
        u, v = self.a * _COSINES, self.b * _SINES
        reaches = _REACHES[first:end]
        xs, ys = np.outer(u * c - v * s, reaches) + self.x, np.outer(u * s + v * c, reaches) + self.y
        return xs.astype(np.float32), ys.astype(np.float32)


def reach_index(radius: float) -> int:
    """The sample of a ray that lies at `radius`, in units of the ellipse."""
    return min(STEPS - 1, max(0, int(radius * STEPS / REACH)))


def unroll(ink: NDArray[Any], ellipse: Ellipse) -> NDArray[Any]:
    """`ink` along the rays of the ellipse, ``(RAYS, STEPS)``; outside the map it is 0."""
    xs, ys = ellipse.rays()
    return cv2.remap(ink, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


def outlines(ink: Gray, floor: float) -> tuple[Floats, Floats]:
    """Thin outlines of the ink: ``(n, 2)`` points and ``(n, 2)`` unit vectors that point into the ink.

    A pixel counts where the slope of the ink is at least `floor` a pixel and no smaller than at both neighbours across the outline.
    """
    gx = cv2.Sobel(ink, cv2.CV_32F, 1, 0, scale=1 / 8)
    gy = cv2.Sobel(ink, cv2.CV_32F, 0, 1, scale=1 / 8)
    # Squared, so that every number is exact: roots differ in the last bit from run to run, and with them who is the steeper of two alike.
    slope = gx * gx + gy * gy
    inner = slope[1:-1, 1:-1]
    across = np.abs(gx[1:-1, 1:-1]) > np.abs(gy[1:-1, 1:-1])
    ridge_x = (inner >= slope[1:-1, :-2]) & (inner > slope[1:-1, 2:])
    ridge_y = (inner >= slope[:-2, 1:-1]) & (inner > slope[2:, 1:-1])
    ys, xs = np.nonzero((inner >= floor * floor) & np.where(across, ridge_x, ridge_y))
    ys, xs = ys + 1, xs + 1
    if len(xs) > MOST_EDGES:
        keep = np.random.default_rng(0).choice(len(xs), MOST_EDGES, replace=False)
        ys, xs = ys[keep], xs[keep]
    inward = np.stack([gx[ys, xs], gy[ys, xs]], axis=1) / np.sqrt(slope[ys, xs])[:, None]
    return np.stack([xs, ys], axis=1).astype(np.float32), inward.astype(np.float32)


def vote(
    points: Floats, inward: Floats, size: tuple[int, int], radii: tuple[float, float], most: int, least: float
) -> list[tuple[float, Ellipse]]:
    """Rings that the outlines point into, best first, as ``(support, ellipse)``.

    Each outline votes for the centres that lie inwards of it (Hough transform by gradient direction; Kimme, Ballard, Sklansky,
    1975). Ovals become circles by squashing the map first. Support is the share of the circumference that votes, less what
    random outlines would give there.

    Args:
        points: ``(n, 2)`` outline points.
        inward: ``(n, 2)`` unit vectors into the ink.
        size: ``(height, width)`` of the map.
        radii: smallest and largest first semi-axis.
        most: how many rings to give at most.
        least: support below which a ring is not given.
    """
    found: list[tuple[float, Ellipse]] = []
    # Support is at most all outlines over the circumference: larger rings than these cannot have enough.
    octaves = [octave[2 * math.pi * least * octave <= len(points)] for octave in _octaves(*radii)]
    for squash in SQUASHES:
        normal = inward * np.array([1.0, squash], dtype=np.float32)
        normal = (normal / np.linalg.norm(normal, axis=1, keepdims=True)).astype(np.float32)
        round_points = (points / np.array([1.0, squash])).astype(np.float32)
        round_size = (size[0] / squash, size[1])
        for octave in filter(len, octaves):
            for support, x, y, radius in _vote_circles(round_points, normal, round_size, octave, most, least):
                # A squashed circumference holds fewer outlines than the circle it stands for.
                found.append((support * 2 / (1 + min(squash, 1 / squash)), Ellipse(x, y * squash, radius, radius * squash)))
    return sorted(found, key=lambda ring: -ring[0])[:most]


def _octaves(first: float, last: float) -> list[Floats]:
    """Radii in geometric steps from `first` to `last`, in groups that span a factor of about two."""
    count = max(1, math.ceil(math.log(last / first) / math.log(RADIUS_STEP)))
    radii = (first * RADIUS_STEP ** np.arange(count)).astype(np.float32)
    return np.array_split(radii, max(1, round(math.log2(last / first))))


def _vote_circles(
    points: Floats, normal: Floats, size: tuple[float, float], radii: Floats, most: int, least: float
) -> list[tuple[float, float, float, float]]:
    """The best circles of one octave of radii, as ``(support, x, y, radius)``."""
    cell = max(LEAST_CELL, CELL * float(radii[0]))
    height, width, count = math.ceil(size[0] / cell), math.ceil(size[1] / cell), len(radii)
    xs = ((points[:, :1] + normal[:, :1] * radii) / cell).astype(np.int32)
    ys = ((points[:, 1:] + normal[:, 1:] * radii) / cell).astype(np.int32)
    inside = (xs >= 0) & (ys >= 0) & (xs < width) & (ys < height)
    # One tall map, the radii one below the other with empty rows between, so that each filter runs once.
    tall = height + WINDOW
    index = ys * width + xs + np.arange(count, dtype=np.int32) * (tall * width)
    votes = np.bincount(index[inside], minlength=count * tall * width).astype(np.float32).reshape(count * tall, width)
    here = cv2.boxFilter(votes, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
    # A ring's votes fall into one window; random votes fall everywhere, so their local mean is taken off.
    around = cv2.boxFilter(votes, -1, (WINDOW, WINDOW), normalize=False, borderType=cv2.BORDER_CONSTANT)
    others = WINDOW * WINDOW / 9 - 1
    above = cv2.scaleAdd(around, -1 / (others + 1), here).reshape(count, tall, width)[:, :height]
    above *= ((1 + 1 / others) / (2 * math.pi * radii))[:, None, None].astype(np.float32)
    best = above.max(axis=0)
    top = (best >= least) & (best >= cv2.dilate(best, np.ones((3, 3), np.uint8)))
    rows, columns = np.nonzero(top)
    order = np.argsort(-best[rows, columns])[:most]
    return [
        (float(best[y, x]), (x + 0.5) * cell, (y + 0.5) * cell, float(radii[above[:, y, x].argmax()]))
        for y, x in zip(rows[order], columns[order], strict=True)
    ]


def settle(mask: Gray, ellipse: Ellipse) -> Ellipse:
    """The ellipse moved onto the outer edge of the outermost ring of a mask (0 or 255) near it."""
    # First to the size at which most rays end together, then to the shape.
    ink = unroll(mask, ellipse) > 127
    low, high = reach_index(1 - WINDOWS[0]), reach_index(1 + WINDOWS[0]) + 1
    ends = np.convolve((ink[:, :-1] & ~ink[:, 1:]).mean(axis=0), np.ones(5), mode="same")[low:high]
    ellipse = _fit(mask, ellipse.scaled((low + float(ends.argmax()) + 1) * REACH / STEPS), WINDOWS)
    # Where a second ring surrounds this one, as with double and toothed rings, go there.
    for _ in range(2):
        ink = unroll(mask, ellipse) > 127
        ends = (ink[:, :-1] & ~ink[:, 1:]).mean(axis=0)
        ends = np.convolve(ends, np.ones(3), mode="same")
        here = ends[reach_index(0.95) : reach_index(1.05) + 1].max()
        beyond = np.nonzero(ends[reach_index(1.07) : reach_index(1.36)] >= max(0.5, 0.7 * here))[0]
        if len(beyond) == 0:
            break
        further = float(beyond[-1] + reach_index(1.07) + 0.5) * REACH / STEPS
        ellipse = _fit(mask, ellipse.scaled(further), WINDOWS[1:])
    return ellipse


def _fit(mask: Gray, ellipse: Ellipse, windows: tuple[float, ...]) -> Ellipse:
    """The ellipse moved onto the edge of the ink near it; where there is none it stays.

    On each ray the end of ink that is nearest to the ellipse is taken; an ellipse is fitted to these points, those far from it are
    dropped, and the window narrows from round to round.
    """
    for window in windows:
        low, high = reach_index(1 - window), reach_index(1 + window) + 1
        xs, ys = ellipse.rays(low, high + 1)
        ink = cv2.remap(mask, xs, ys, cv2.INTER_LINEAR) > 127
        ends = ink[:, :-1] & ~ink[:, 1:]
        # The outer end of a ray wins where two are equally near.
        distance = np.abs(np.arange(low, high) + 1.25 - STEPS / REACH)
        nearest = np.where(ends, distance, np.inf).argmin(axis=1)
        rays = np.nonzero(ends.any(axis=1))[0]
        at = nearest[rays]
        edge = np.stack([xs[rays, at] + xs[rays, at + 1], ys[rays, at] + ys[rays, at + 1]], axis=1) / 2
        fitted = _fit_points(edge.astype(np.float32), ellipse)
        if fitted is None:
            return ellipse
        ellipse = fitted
    return ellipse


def _fit_points(points: Floats, near: Ellipse) -> Ellipse | None:
    if len(points) < RAYS // 4:
        return None
    # Characters and strokes that cross the ring lie off it: keep the nearer half of the points, or all within 3 %.
    for _ in range(2):
        (x, y), (d1, d2), angle = cv2.fitEllipseDirect(points)
        guess = Ellipse(x, y, d1 / 2, d2 / 2, math.radians(angle))
        if not _like(guess, near):
            return None
        off = np.abs(_radius(points, guess) - 1)
        keep = off <= max(0.03, _median(off))
        if keep.sum() < RAYS // 5:
            return None
        points = points[keep]
    (x, y), (d1, d2), angle = cv2.fitEllipseDirect(points)
    guess = Ellipse(x, y, d1 / 2, d2 / 2, math.radians(angle))
    return guess if _like(guess, near) else None


def _median(values: Floats) -> float:
    """What ``np.median`` gives, without its detours: it is asked for hundreds of times on a page."""
    half = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, half)[half])
    low, high = np.partition(values, (half - 1, half))[half - 1 : half + 1]
    return float((low + high) / 2)


def _like(guess: Ellipse, near: Ellipse) -> bool:
    size, before = math.sqrt(max(guess.a * guess.b, 0.0)), math.sqrt(near.a * near.b)
    shift = math.hypot(guess.x - near.x, guess.y - near.y)
    small = min(guess.a, guess.b)
    return small > 2 and max(guess.a, guess.b) <= 2.2 * small and 0.7 < size / before < 1.4 and shift < 0.4 * before


def _radius(points: Floats, ellipse: Ellipse) -> Floats:
    """Distance of points from the centre in units of the ellipse."""
    c, s = math.cos(ellipse.angle), math.sin(ellipse.angle)
    dx, dy = points[:, 0] - ellipse.x, points[:, 1] - ellipse.y
    return np.hypot((dx * c + dy * s) / ellipse.a, (dy * c - dx * s) / ellipse.b)
