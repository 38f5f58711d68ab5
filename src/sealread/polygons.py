"""Plane geometry of outlines and polylines: pure functions on ``(n, 2)`` float64 points, y down, no rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sealread.frames import Frame

Points = NDArray[np.float64]


def signed_area(polygon: Points) -> float:
    """Area of a polygon, positive where it runs clockwise on screen (shoelace formula)."""
    x, y = polygon[:, 0], polygon[:, 1]
    return float(0.5 * np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


def clockwise(polygon: Points) -> Points:
    """The same outline, running clockwise on screen from the same first vertex."""
    if signed_area(polygon) >= 0:
        return polygon
    return np.concatenate([polygon[:1], polygon[:0:-1]])


def bounding_box(points: Points) -> tuple[float, float, float, float]:
    """``(x1, y1, x2, y2)`` of at least one point."""
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def source_box(box: tuple[float, float, float, float], frame: Frame) -> tuple[float, float, float, float]:
    """The bounding box of ``(x1, y1, x2, y2)`` on the image before a step; edges are followed, because unwarping bends them."""
    x1, y1, x2, y2 = box
    t = np.linspace(0, 1, 9)
    edges: Points = np.concatenate(
        [np.stack([x1 + (x2 - x1) * t, np.full(9, y)], axis=1) for y in (y1, y2)]
        + [np.stack([np.full(9, x), y1 + (y2 - y1) * t], axis=1) for x in (x1, x2)]
    )
    return bounding_box(frame.to_source(edges))


def lengths_along(polyline: Points) -> NDArray[np.float64]:
    """Arc length from the first vertex to each vertex, ``(n,)``, starting at 0."""
    steps = polyline[1:] - polyline[:-1]
    along: NDArray[np.float64] = np.zeros(len(polyline))
    np.cumsum(np.hypot(steps[:, 0], steps[:, 1]), out=along[1:])
    return along


def resample(polyline: Points, count: int) -> Points:
    """`count` points spread evenly along a polyline, both ends included."""
    along = lengths_along(polyline)
    return at_lengths(polyline, np.linspace(0.0, along[-1], count))


def at_lengths(polyline: Points, lengths: NDArray[np.float64]) -> Points:
    """Points at the given arc lengths; before the start and after the end the polyline goes on straight."""
    along = lengths_along(polyline)
    x = np.interp(lengths, along, polyline[:, 0])
    y = np.interp(lengths, along, polyline[:, 1])
    points = np.stack([x, y], axis=1)
    for outside, excess, a, b in (
        (lengths < 0, lengths, polyline[0], polyline[1]),
        (lengths > along[-1], lengths - along[-1], polyline[-2], polyline[-1]),
    ):
        size = float(np.hypot(*(b - a)))
        if outside.any() and size > 0:
            points[outside] += excess[outside, None] * (b - a) / size
    return points


def tangents(polyline: Points) -> Points:
    """Unit direction of travel at each vertex ``(n, 2)``; zero where neighbouring vertices coincide."""
    difference = np.empty_like(polyline, np.float64)  # numpy.gradient gives the same in several times the time
    difference[1:-1] = polyline[2:] - polyline[:-2]
    difference[0], difference[-1] = polyline[1] - polyline[0], polyline[-1] - polyline[-2]
    size = np.hypot(difference[:, 0], difference[:, 1])[:, None]
    return np.divide(difference, size, out=np.zeros_like(difference), where=size > 0)


def top_normals(direction: Points) -> Points:
    """The side of the characters' tops for each direction of travel: ``(tx, ty)`` gives ``(ty, -tx)``."""
    return np.stack([direction[:, 1], -direction[:, 0]], axis=1)


def total_turning(polyline: Points) -> float:
    """How far the direction turns from start to end, in degrees, clockwise on screen positive."""
    steps = np.diff(polyline, axis=0)
    steps = steps[np.hypot(steps[:, 0], steps[:, 1]) > 0]
    if len(steps) < 2:
        return 0.0
    angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    return float(np.degrees(angles[-1] - angles[0]))
