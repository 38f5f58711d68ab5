"""Sheets of paper that are not flat, and how a camera sees them.

A sheet bends as paper does, along one direction at a time: its profile is a curve of constant length (a developable surface), and
what small creases add is a smooth displacement. A pinhole camera looks at it from any side.

Frames: shares of the flat sheet and of the photo, (0, 0) the upper left and (1, 1) the lower right corner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.frames import Grid
from sealread.training.synth.names import chance
from sealread.training.synth.truth import Points

Random = np.random.Generator
Field = NDArray[np.float64]

#: The surface is known on so many nodes a side, over the sheet and this share of it around.
_NODES = 53
_AROUND = 0.35
#: Those on the sheet itself, its edges included.
_INSIDE = slice(round(_AROUND / (1 + 2 * _AROUND) * (_NODES - 1)), _NODES - round(_AROUND / (1 + 2 * _AROUND) * (_NODES - 1)))
#: Steps of Newton's method from the photo to the sheet.
_STEPS = 8
#: Where the sheet turns away from the camera so far that its print shrinks to this share of the usual area, the shape is refused.
_LEAST_AREA = 0.12


@dataclass(frozen=True, slots=True)
class Look:
    """A sheet as the camera sees it.

    Attributes:
        places: ``(n, n, 2)``, for nodes spread evenly over the sheet and `_AROUND` its edges, where they lie on the photo.
        shade: ``(n, n)``, how bright the sheet is at the nodes; 1 is as bright as when flat.
        aspect: height over width of the photo.
    """

    places: Field
    shade: Field
    aspect: float

    def on_photo(self, points: Points) -> Points:
        """Points of the sheet, on the photo."""
        return Grid(self.places, 1, 1).to_source((points + _AROUND) / (1 + 2 * _AROUND))

    def on_sheet(self, points: Points) -> Points:
        """Points of the photo, on the sheet; far outside it they are only roughly right."""
        return inverse(self.places, points) * (1 + 2 * _AROUND) - _AROUND

    def light(self, height: int, width: int) -> NDArray[np.float32]:
        """The shade of the sheet itself, ``(height, width)``."""
        inner = self.shade[_INSIDE, _INSIDE].astype(np.float32)
        return np.asarray(cv2.resize(inner, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    def window(self) -> tuple[float, float, float, float]:
        """The part of the sheet that the photo shows, as an upright box: left, top, right, bottom."""
        t = np.linspace(0, 1, 24)
        x, y = np.meshgrid(t, t)
        seen = np.clip(self.on_sheet(np.stack([x.ravel(), y.ravel()], axis=1)), 0, 1)
        (left, top), (right, bottom) = seen.min(axis=0), seen.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    def sampling(self, rows: int, columns: int) -> Field:
        """``(rows, columns, 2)``: for a grid spread evenly over the window, corners included, where it lies on the photo."""
        left, top, right, bottom = self.window()
        u, v = np.meshgrid(np.linspace(left, right, columns), np.linspace(top, bottom, rows))
        return self.on_photo(np.stack([u.ravel(), v.ravel()], axis=1)).reshape(rows, columns, 2)


def inverse(places: Field, points: Points) -> Points:
    """The points of the unit square that a grid spread evenly over it maps to some points, by Newton's method.

    Args:
        places: ``(rows, columns, 2)``, where the nodes are mapped to.
        points: ``(n, 2)``; of those far outside the grid the answer is only roughly right.
    """
    rows, columns = places.shape[:2]
    down, right = _steps(places)
    grid, du, dv = (Grid(field, 1, 1) for field in (places, right * (columns - 1), down * (rows - 1)))
    square = np.stack(np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows)), axis=-1)
    fit, *_ = np.linalg.lstsq(np.c_[places.reshape(-1, 2), np.ones(rows * columns)], square.reshape(-1, 2))
    found: Points = np.c_[points, np.ones(len(points))] @ fit
    for _ in range(_STEPS):
        missing = points - grid.to_source(found)
        u, v = du.to_source(found), dv.to_source(found)
        area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
        area = np.where(np.abs(area) < 1e-3, 1e-3, area)
        found[:, 0] += np.clip((missing[:, 0] * v[:, 1] - missing[:, 1] * v[:, 0]) / area, -0.1, 0.1)
        found[:, 1] += np.clip((u[:, 0] * missing[:, 1] - u[:, 1] * missing[:, 0]) / area, -0.1, 0.1)
        found = np.clip(found, -0.5, 1.5)
    return found


def _steps(values: Field) -> tuple[Field, Field]:
    """How much the values change from node to node, downwards and to the right."""
    return np.asarray(np.gradient(values, axis=0)), np.asarray(np.gradient(values, axis=1))


def _nodes() -> Field:
    t = np.linspace(-_AROUND, 1 + _AROUND, _NODES)
    return np.stack(np.meshgrid(t, t), axis=-1)


def flat_look(rng: Random, aspect: float, *, photo: bool) -> Look:
    """A flat sheet: scanned, or photographed from nearly above with what lies around it."""
    sheet = np.concatenate([_on_its_plane(aspect), np.zeros((_NODES, _NODES, 1))], axis=-1)
    turn = float(np.clip(rng.normal(0, 2.5 if photo else 0.6), -8, 8))
    slant = rng.normal(0, 2.0, 2) if photo else np.zeros(2)
    places = _seen(sheet, np.deg2rad([*slant, turn]), float(rng.uniform(1.6, 3.5)))
    return _framed(rng, places, np.ones((_NODES, _NODES)), _margins(rng) if photo else rng.uniform(-0.012, 0.008, 4))


def bent_look(rng: Random, aspect: float) -> Look:
    """A curled, wavy, folded or crumpled sheet, a page of an open book, or a flat one seen from the side."""
    strength = float(rng.uniform(0.5, 1.8))
    while True:
        sheet = _shaped(rng, aspect, strength)
        slant = np.clip(rng.normal(0, 13, 2) * min(strength, 1.3), -32, 32)
        turn = float(np.clip(rng.normal(0, 3), -9, 9))
        places = _seen(sheet, np.deg2rad([*slant, turn]), float(rng.uniform(1.2, 2.8)))
        down, right = _steps(places)
        area = (right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0])[_INSIDE, _INSIDE]
        if area.min() > _LEAST_AREA * np.median(area):
            return _framed(rng, places, _shade(rng, sheet), _margins(rng))
        strength *= 0.8


def _margins(rng: Random) -> Field:
    """What lies beside the sheet, as shares of it: a desk, or less than nothing."""
    return rng.uniform(-0.05, float(rng.choice([0.01, 0.08, 0.2])), 4)


def _on_its_plane(aspect: float) -> Field:
    """The flat sheet's nodes around the origin; its longer side is 1."""
    size = np.array([1 / max(aspect, 1.0), min(aspect, 1.0)])
    return (_nodes() - 0.5) * size


def _shaped(rng: Random, aspect: float, strength: float) -> Field:
    """``(n, n, 3)``: the nodes in space, the longer side 1."""
    plane = _on_its_plane(aspect)
    kind = rng.random()
    if kind < 0.38:
        direction = 0.0  # the spine of a book, a sheet held at its sides
    elif kind < 0.6:
        direction = np.pi / 2
    else:
        direction = float(rng.uniform(0, np.pi))
    across = np.array([np.cos(direction), np.sin(direction)])
    along = plane @ across
    reach = float(np.abs((np.array([[1, 1], [1, -1]]) * plane[-1, -1] / (1 + 2 * _AROUND)) @ across).max())
    length, depth = _profile(_slope(rng, strength), reach, along)
    sheet = np.concatenate([plane + (length - along)[..., None] * across, depth[..., None]], axis=-1)
    if chance(rng, 0.3):
        sheet = sheet + _crumpled(rng) * strength
    return sheet


def _slope(rng: Random, strength: float) -> Callable[[Field], Field]:
    """The angle of the profile at each place from -1 (one edge) to 1 (the other)."""
    kind = rng.random()
    sign = 1.0 if chance(rng, 0.5) else -1.0
    if kind < 0.1:
        return lambda s: np.zeros_like(s)  # flat, but seen from the side
    if kind < 0.4:  # one curl, its axis anywhere
        amount, middle = sign * strength * float(rng.uniform(0.3, 0.85)), float(rng.uniform(-0.5, 0.5))
        return lambda s: amount * (s - middle)
    if kind < 0.6:  # several bends
        amount, waves, phase = strength * float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.5, 1.6)), float(rng.uniform(0, 2 * np.pi))
        return lambda s: amount * np.sin(np.pi * waves * s + phase)
    if kind < 0.78:  # the page of an open book: steep at the spine
        amount, width, side = strength * float(rng.uniform(0.6, 1.15)), float(rng.uniform(0.25, 0.9)), sign
        return lambda s: amount * (np.exp(-(1 + side * s) / width) - 0.15) * side
    folds = rng.uniform(-0.8, 0.8, int(rng.integers(1, 4)))
    turns = strength * rng.uniform(0.15, 0.6, len(folds)) * np.where(rng.random(len(folds)) < 0.5, 1, -1)
    start, soft = -float(turns.sum()) / 2, float(rng.uniform(0.015, 0.06))
    return lambda s: start + sum(t * (0.5 + 0.5 * np.tanh((s - f) / soft)) for f, t in zip(folds, turns, strict=True))


def _profile(slope: Callable[[Field], Field], reach: float, along: Field) -> tuple[Field, Field]:
    """Where a strip of constant length lies: its places along the plane and above it, for its places when flat."""
    ends = float(np.abs(along).max())
    s = np.linspace(-ends, ends, 801)
    angle = slope(np.clip(s / reach, -1, 1))
    step = s[1] - s[0]
    length, depth = (np.cumsum(f(angle)) * step for f in (np.cos, np.sin))
    middle = len(s) // 2
    return np.interp(along, s, length - length[middle]), np.interp(along, s, depth - depth[middle])


def _crumpled(rng: Random) -> Field:
    """A smooth random displacement in space."""
    cells = int(rng.integers(4, 9))
    amount = float(rng.uniform(0.1, 0.5)) / cells
    coarse = (rng.normal(size=(cells, cells, 3)) * [0.1, 0.1, 0.45] * amount).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (_NODES, _NODES), interpolation=cv2.INTER_CUBIC), np.float64)


def _seen(sheet: Field, angles: Field, distance: float) -> Field:
    """The nodes through a pinhole `distance` away, after turns about the x, y and z axes."""
    rotation, _ = cv2.Rodrigues(np.array([angles[0], angles[1], 0.0]))
    cosine, sine = np.cos(angles[2]), np.sin(angles[2])
    turned = sheet @ (np.asarray(rotation) @ np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])).T
    return np.asarray(turned[..., :2] / np.maximum(distance + turned[..., 2:], 0.3), np.float64)


def _shade(rng: Random, sheet: Field) -> Field:
    """Lambert's law under one lamp and the light of the room."""
    down, right = _steps(sheet)
    normal = np.cross(right, down)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    turn, height = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.35, 1.4))
    lamp = np.array([np.cos(turn) * np.cos(height), np.sin(turn) * np.cos(height), np.sin(height)])
    room = float(rng.uniform(0.2, 0.85))
    return np.clip(room + (1 - room) * np.maximum(normal @ lamp, 0) / lamp[2], 0.25, 1.3)


def _framed(rng: Random, places: Field, shade: Field, margins: Field) -> Look:
    """The photo cut around the sheet, with margins left, top, right and bottom as shares of it."""
    t = np.linspace(0, 1, 24)
    u, v = np.meshgrid(t, t)
    sheet = Look(places, shade, 1.0).on_photo(np.stack([u.ravel(), v.ravel()], axis=1))
    low, high = sheet.min(axis=0), sheet.max(axis=0)
    size = high - low
    low, high = low - margins[:2] * size, high + margins[2:] * size
    return Look((places - low) / (high - low), shade, float((high - low)[1] / (high - low)[0]))
