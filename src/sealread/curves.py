"""From a cloud of pixels to the smooth curve that a line of text follows, and the band around it.

A line of a seal is straight, slightly bent, an arc of a circle or an ellipse, or (seldom) something else. Each model
is fitted to the pixels and the one that leaves the smallest residual wins, with a preference for the simpler.

Sources: algebraic circle fit (Kasa 1976) and, for long arcs, direct ellipse fit (Fitzgibbon et al. 1999); around it the radius
is a low-order polynomial of the angle, which follows perspective too; longest geodesic of a region (double sweep) for every
other shape.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.polygons import Points, at_lengths, lengths_along, resample

#: An arc is believed if a parabola misses the pixels by this share of the band's thickness more (the difference of the squares).
_ARC_GAIN = 0.15
#: Any other path is believed if its residual is below this share of the best model's.
_PATH_GAIN = 0.85
#: A curve explains a band of thickness t if its residual is below this share of t; that of a band's own middle is t / sqrt(12) = 0.29 t.
_MISFIT = 0.45
#: An arc that turns by less than this is left to the parabola.
_LEAST_TURN = np.radians(35.0)
#: An arc is hollow: next to none of it lies nearer to its centre than this share of its radius. A blob is not.
_HOLLOW = 0.5
#: An arc that turns by more than this shows which ellipse it follows, and how long that may be for its width.
_OVAL_TURN = np.radians(150.0)
_MOST_OVAL = 2.0
#: Rows whose squares differ so much in two directions are straight.
_SINGULAR = 1e14
#: Cells of the geodesic search along the longer side of the region.
_CELLS = 32


@dataclass(frozen=True, slots=True)
class Centreline:
    """A dense polyline through the middle of the pixels.

    Attributes:
        points: ``(k, 2)``, evenly spaced, from `margin` before the pixels to `margin` after them; which end is first is arbitrary.
        residual: root mean square distance of the pixels from it.
    """

    points: Points
    residual: float


def centreline(pixels: Points, margin: float, spacing: float, area: float) -> Centreline:
    """The curve through a band of pixels.

    Args:
        pixels: ``(n, 2)`` points of the band, n >= 3, spread evenly over it.
        margin: length by which the curve goes on beyond the outermost pixels at either end.
        spacing: distance between the vertices of the answer.
        area: of the band, from which its thickness follows.
    """
    best = _parabola(pixels, margin, spacing)
    gain = _ARC_GAIN * area / _length(best, margin)
    # Where the parabola misses the pixels by less, no arc can gain so much.
    arc = _arc(pixels, margin, spacing) if best.residual > gain else None
    if arc is not None and best.residual**2 - arc.residual**2 > gain**2:
        best = arc
    if best.residual > _MISFIT * area / _length(best, margin):
        path = _geodesic(pixels, margin, spacing)
        if path is not None and path.residual < _PATH_GAIN * best.residual:
            best = path
    return best


def _length(line: Centreline, margin: float) -> float:
    """Length without the margins; at least a tenth of the whole, for clouds that are next to a point."""
    whole = float(lengths_along(line.points)[-1])
    return max(whole - 2 * margin, 0.1 * whole, 1e-9)


def quantile(values: NDArray[np.float64], share: float) -> float:
    """A quantile below the highest of two or more values, as numpy.quantile gives it in several times the time."""
    place = share * (len(values) - 1)
    below = int(place)
    low, high = np.partition(values, (below, below + 1))[below : below + 2]
    return float(low + (high - low) * (place - below))


def _parabola(pixels: Points, margin: float, spacing: float) -> Centreline:
    mean = pixels.mean(axis=0)
    centred = pixels - mean
    _, vectors = np.linalg.eigh(centred.T @ centred)
    axis = vectors[:, 1]
    normal = np.array([-axis[1], axis[0]])
    u, v = centred @ axis, centred @ normal
    half = max(float(np.abs(u).max()), 1e-9)
    basis = np.stack([np.ones_like(u), u / half, (u / half) ** 2], axis=1)
    # Shrinkage of the bend: clouds that are nearly as thick as long must not curl up.
    shrink = 0.2 * float(np.mean(v * v)) / half**2
    weights = np.linalg.solve(basis.T @ basis + len(u) * np.diag([0.0, 1e-9, shrink + 1e-9]), basis.T @ v)
    residual = float(np.sqrt(np.mean((v - basis @ weights) ** 2)))
    ends = np.array([u.min() - margin, u.max() + margin])
    steps = np.linspace(ends[0], ends[1], max(int(np.ceil((ends[1] - ends[0]) / spacing)) + 1, 3))
    inside = np.clip(steps, u.min(), u.max()) / half
    bend = weights[0] + weights[1] * inside + weights[2] * inside**2
    slope = (weights[1] + 2 * weights[2] * inside) / half
    across = bend + slope * (steps - inside * half)
    points = mean + steps[:, None] * axis + across[:, None] * normal
    return Centreline(points, residual)


def fit_circle(points: Points) -> tuple[float, float, float]:
    """Centre and radius ``(x, y, r)`` of the circle nearest to the points (Kasa 1976); r is infinite for a straight row."""
    mean = points.mean(axis=0)
    x, y = (points - mean).T
    matrix = np.stack([x, y, np.ones_like(x)], axis=1)
    normal = matrix.T @ matrix
    smallest, _, largest = np.linalg.eigvalsh(normal)
    if largest > _SINGULAR * smallest:
        return float(mean[0]), float(mean[1]), float("inf")
    a, b, c = np.linalg.solve(normal, matrix.T @ (x * x + y * y))
    radius = float(np.sqrt(max(c + a * a / 4 + b * b / 4, 0.0)))
    return float(mean[0] + a / 2), float(mean[1] + b / 2), radius


def rounded(vertices: Points, count: int) -> Points:
    """`count` points on the arc that sparse vertices mark, from the first to the last one.

    Between vertices the distance from the arc's centre follows an ellipse's; it goes through all of them.

    Args:
        vertices: ``(n, 2)`` in order along an arc, n >= 3.
    """
    cx, cy, radius = fit_circle(vertices)
    if not np.isfinite(radius):
        return resample(vertices, count)
    dx, dy = vertices[:, 0] - cx, vertices[:, 1] - cy
    angle = np.unwrap(np.arctan2(dy, dx))
    if np.any(np.diff(angle) * (angle[-1] - angle[0]) <= 0):
        return resample(vertices, count)

    def basis(at: NDArray[np.float64]) -> NDArray[np.float64]:
        terms = [np.ones_like(at), np.cos(2 * at), np.sin(2 * at)]
        return np.stack(terms if len(vertices) >= 5 else terms[:1], axis=1)

    distance = np.hypot(dx, dy)
    weights = np.linalg.lstsq(basis(angle), distance, rcond=None)[0]
    theta = np.linspace(angle[0], angle[-1], count)
    order = 1 if angle[-1] > angle[0] else -1
    rest = np.interp(theta, angle[::order], (distance - basis(angle) @ weights)[::order])
    distances = basis(theta) @ weights + rest
    return np.stack([cx + distances * np.cos(theta), cy + distances * np.sin(theta)], axis=1)


def _arc(pixels: Points, margin: float, spacing: float) -> Centreline | None:
    cx, cy, radius = fit_circle(pixels)
    extent = float(np.hypot(*np.ptp(pixels, axis=0)))
    if not np.isfinite(radius) or radius > 4 * extent or radius < 0.05 * extent:
        return None
    centre, axes = np.array([cx, cy]), np.eye(2)
    _, turn, gap = _sweep(pixels - centre)
    if turn < _LEAST_TURN:
        return None
    if turn > _OVAL_TURN:
        centre, axes = _oval(pixels)
    placed = (pixels - centre) @ axes
    start, turn, gap = _sweep(placed)
    distance = np.hypot(placed[:, 0], placed[:, 1])
    if quantile(distance, 0.05) < _HOLLOW * np.mean(distance):
        return None
    along = np.mod(np.arctan2(placed[:, 1], placed[:, 0]) - start, 2 * np.pi)
    degree = 2 if turn < np.radians(100) else 4 if turn < np.radians(220) else 6
    basis = np.polynomial.legendre.legvander(along / turn * 2 - 1, degree)
    shrink = np.diag(np.arange(degree + 1) ** 2) * (2e-4 * len(along))
    weights = np.linalg.solve(basis.T @ basis + shrink, basis.T @ distance)
    residual = float(np.sqrt(np.mean((distance - basis @ weights) ** 2)))
    mean_radius = max(float(np.mean(distance)), 1e-6)
    # Beyond the pixels, go on along the arc, but never around into its own start.
    beyond = min(margin / mean_radius, 0.45 * gap)
    theta = np.linspace(-beyond, turn + beyond, max(int(np.ceil((turn + 2 * beyond) * mean_radius / spacing)) + 1, 4))
    radii = np.polynomial.legendre.legvander(np.clip(theta / turn * 2 - 1, -1, 1), degree) @ weights
    points = np.stack([radii * np.cos(theta + start), radii * np.sin(theta + start)], axis=1)
    return Centreline(points @ np.linalg.inv(axes) + centre, residual)


def _sweep(offsets: Points) -> tuple[float, float, float]:
    """Where an arc around the origin starts, how far it turns and how wide its gap is, in radians: it starts after the gap."""
    order = np.sort(np.arctan2(offsets[:, 1], offsets[:, 0]))
    gaps = np.diff(np.concatenate([order, order[:1] + 2 * np.pi]))
    widest = int(np.argmax(gaps))
    return float(order[(widest + 1) % len(order)]), float(2 * np.pi - gaps[widest]), float(gaps[widest])


def _oval(pixels: Points) -> tuple[Points, Points]:
    """The centre of the ellipse through the pixels, and the ``(2, 2)`` map of rows that makes it a circle of the same area."""
    origin = pixels.mean(axis=0)
    (x, y), (width, height), angle = cv2.fitEllipseDirect((pixels - origin).astype(np.float32))
    squash = np.sqrt(np.clip(height / max(width, 1e-6), 1 / _MOST_OVAL, _MOST_OVAL))
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.array([x, y]) + origin, np.array([[c * squash, -s / squash], [s * squash, c / squash]])


def _geodesic(pixels: Points, margin: float, spacing: float) -> Centreline | None:
    """The longest shortest path through the region, smoothed: for bands of any other shape."""
    low = pixels.min(axis=0)
    cell = max(float(np.ptp(pixels, axis=0).max()) / _CELLS, 1e-6)
    keys, inverse = np.unique(np.floor((pixels - low) / cell).astype(np.int64), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    counts = np.bincount(inverse)
    nodes = np.stack([np.bincount(inverse, pixels[:, i]) / counts for i in (0, 1)], axis=1)
    index = {(int(x), int(y)): i for i, (x, y) in enumerate(keys)}
    neighbours: list[list[tuple[int, float]]] = [[] for _ in nodes]
    for (x, y), i in index.items():
        for ox in (-1, 0, 1):
            for oy in (-1, 0, 1):
                j = index.get((x + ox, y + oy))
                if j is not None and j != i:
                    neighbours[i].append((j, float(np.hypot(*(nodes[j] - nodes[i])))))
    # A band may fall into pieces: the one with the fullest cell is followed.
    start = int(np.argmax(_distances(neighbours, int(np.argmax(counts)))))
    distance = _distances(neighbours, start)
    reachable = distance >= 0
    length = float(distance[reachable].max())
    if length <= 0:
        return None
    bins = max(int(length / (2.5 * cell)), 2)
    followed, reached = pixels[reachable[inverse]], distance[inverse][reachable[inverse]]
    place = np.minimum((reached / length * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    sums = np.stack([np.bincount(place, followed[:, i], bins) for i in (0, 1)], axis=1)
    path = sums[counts > 0] / counts[counts > 0, None]
    if len(path) < 3:
        return None
    path[1:-1] = 0.25 * path[:-2] + 0.5 * path[1:-1] + 0.25 * path[2:]
    dense = _extended(path, margin + 1.25 * cell, spacing)
    gaps = np.min(np.hypot(pixels[:, None, 0] - dense[None, :, 0], pixels[:, None, 1] - dense[None, :, 1]), axis=1)
    return Centreline(dense, float(np.sqrt(np.mean(gaps**2))))


def _distances(neighbours: list[list[tuple[int, float]]], start: int) -> NDArray[np.float64]:
    """Shortest path lengths from one node (Dijkstra 1959); minus infinity where there is none."""
    distance = np.full(len(neighbours), np.inf)
    distance[start] = 0.0
    queue = [(0.0, start)]
    while queue:
        d, i = heapq.heappop(queue)
        if d > distance[i]:
            continue
        for j, step in neighbours[i]:
            if d + step < distance[j]:
                distance[j] = d + step
                heapq.heappush(queue, (d + step, j))
    distance[~np.isfinite(distance)] = -np.inf
    return distance


def _extended(path: Points, margin: float, spacing: float) -> Points:
    length = lengths_along(path)[-1]
    count = max(int(np.ceil((length + 2 * margin) / spacing)) + 1, 3)
    return at_lengths(path, np.linspace(-margin, length + margin, count))
