"""Rings, stars and emblems as contours in seal units, and the plan of a seal that collects them with its lines."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sealread.training.synth.lettering import Path, Press, Type
from sealread.training.synth.truth import Points

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Setting:
    """A line of text and where it is set; see `Press.set_line`."""

    text: str
    path: Path
    letter: Type
    role: str
    curved: bool
    vertical: bool = False


@dataclass(slots=True)
class Plan:
    """A seal as drawn on paper, before any impression.

    Attributes:
        shape: round, oval, square, rect or other.
        outline: (m, 2) seal units, clockwise on screen, the outer edge.
        fills: groups of contours, filled by the even-odd rule.
        strokes: polylines with their width and whether they close.
        settings: the lines of text.
    """

    shape: str
    outline: Points
    fills: list[tuple[Points, ...]] = field(default_factory=list)
    strokes: list[tuple[Points, float, bool]] = field(default_factory=list)
    settings: list[Setting] = field(default_factory=list)

    def press(self, press: Press) -> None:
        """Press everything into the mask."""
        for contours in self.fills:
            press.fill(*contours)
        for points, width, closed in self.strokes:
            press.stroke(points, width, closed=closed)
        for line in self.settings:
            press.set_line(line.text, line.path, line.letter, role=line.role, curved=line.curved, vertical=line.vertical)


def ellipse(a: float, b: float, *, count: int = 96, x: float = 0.0, y: float = 0.0) -> Points:
    """An ellipse around (x, y), clockwise on screen from its top."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + a * np.sin(angles), y - b * np.cos(angles)], axis=1)


def ring(a: float, b: float, width: float) -> tuple[Points, ...]:
    """A ring inside the ellipse with half axes `a` and `b`."""
    return ellipse(a, b), ellipse(a - width, b - width)


def toothed_ring(a: float, b: float, width: float, teeth: int, depth: float) -> tuple[Points, ...]:
    """A ring whose outer edge carries rounded teeth."""
    angles = np.linspace(0, 2 * np.pi, teeth * 6, endpoint=False)
    dent = depth * (0.5 + 0.5 * np.cos(angles * teeth))
    outer = np.stack([(a - dent) * np.sin(angles), -(b - dent) * np.cos(angles)], axis=1)
    return outer, ellipse(a - depth - width, b - depth - width)


def star(radius: float, *, x: float = 0.0, y: float = 0.0, points: int = 5, inner: float = 0.382, turn: float = 0.0) -> Points:
    """A star, one ray up when `turn` (degrees clockwise) is zero."""
    angles = np.deg2rad(turn) + np.arange(2 * points) * np.pi / points
    reach = np.where(np.arange(2 * points) % 2 == 0, radius, radius * inner)
    return np.stack([x + reach * np.sin(angles), y - reach * np.cos(angles)], axis=1)


def rectangle(half_width: float, half_height: float, *, corner: float = 0.0, x: float = 0.0, y: float = 0.0) -> Points:
    """A rectangle, corners rounded by the radius `corner`, clockwise from its top-left."""
    if corner <= 0:
        return np.array([[-1.0, -1], [1, -1], [1, 1], [-1, 1]]) * (half_width, half_height) + (x, y)
    turns = np.linspace(0, np.pi / 2, 7)
    pieces = []
    for i, (sx, sy) in enumerate(((-1, -1), (1, -1), (1, 1), (-1, 1))):
        angles = turns + (i + 2) * np.pi / 2
        middle = np.array([sx * (half_width - corner), sy * (half_height - corner)])
        pieces.append(middle + corner * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    return np.asarray(np.concatenate(pieces) + np.array([x, y]))


def regular(corners: int, radius: float, *, turn: float = 0.0, y: float = 0.0) -> Points:
    """A regular polygon, one corner up when `turn` (degrees clockwise) is zero."""
    angles = np.deg2rad(turn) + np.arange(corners) * 2 * np.pi / corners
    return np.stack([radius * np.sin(angles), y - radius * np.cos(angles)], axis=1)


def emblem(rng: Random, plan: Plan, radius: float, x: float = 0.0, y: float = 0.0) -> None:
    """Add something emblem-like: a state emblem, a cross, hammer and sickle, a gear, a torch, rings, a logo of polygons."""
    kind = int(rng.integers(8))
    centre = np.array([x, y])
    if kind == 0:  # stars over a gate in a wreath
        plan.fills.append((ellipse(radius, radius, x=x, y=y), ellipse(radius * 0.86, radius * 0.86, x=x, y=y)))
        plan.fills.append((star(radius * 0.3, x=x, y=y - radius * 0.4),))
        for i in range(4):
            angle = np.deg2rad(-60 + 40 * i)
            plan.fills.append(
                (star(radius * 0.12, x=x + radius * 0.62 * np.sin(angle), y=y - radius * 0.1 - radius * 0.2 * np.cos(angle)),)
            )
        plan.fills.append(
            (
                rectangle(radius * 0.5, radius * 0.12, x=x, y=y + radius * 0.35),
                rectangle(radius * 0.1, radius * 0.08, x=x, y=y + radius * 0.38),
            )
        )
        plan.fills.append((rectangle(radius * 0.6, radius * 0.05, x=x, y=y + radius * 0.56),))
    elif kind == 1:  # hammer and sickle
        angles = np.deg2rad(np.linspace(-20, 200, 24))
        blade = radius * 0.8 * np.stack([np.cos(angles), np.sin(angles) * 0.95], axis=1)
        inner = radius * 0.62 * np.stack([np.cos(angles), np.sin(angles) * 0.95], axis=1) - (radius * 0.06, radius * 0.05)
        plan.fills.append((np.concatenate([blade, inner[::-1]]) + centre,))
        plan.strokes.append((np.array([[-0.7, -0.6], [0.7, 0.75]]) * radius + centre, radius * 0.17, False))
        plan.strokes.append((np.array([[-0.85, -0.25], [-0.3, -0.8]]) * radius + centre, radius * 0.3, False))
    elif kind == 2:  # cross
        bar = radius * float(rng.uniform(0.25, 0.4))
        plan.fills.append((rectangle(radius * 0.9, bar, x=x, y=y),))
        plan.fills.append((rectangle(bar, radius * 0.9, x=x, y=y),))
    elif kind == 3:  # gear
        outer, inner = toothed_ring(radius, radius, radius * 0.15, int(rng.integers(8, 18)), radius * 0.14)
        plan.fills.append((outer + centre, inner + centre))
        plan.fills.append((star(radius * 0.5, x=x, y=y),))
    elif kind == 4:  # shield with a star
        shield = np.array([[-0.8, -0.8], [0, -1], [0.8, -0.8], [0.75, 0.2], [0, 1], [-0.75, 0.2]])
        plan.fills.append((shield * radius + centre, shield * radius * 0.82 + centre, star(radius * 0.45, x=x, y=y)))
    elif kind == 5:  # many rays
        plan.fills.append((star(radius, x=x, y=y, points=int(rng.integers(6, 17)), inner=float(rng.uniform(0.3, 0.75))),))
        plan.fills.append((ellipse(radius * 0.2, radius * 0.2, x=x, y=y, count=24),))
    elif kind == 6:  # rings inside each other
        for share in (1.0, 0.7, 0.4)[: int(rng.integers(1, 4))]:
            plan.fills.append(
                (ellipse(radius * share, radius * share, x=x, y=y), ellipse(radius * (share - 0.12), radius * (share - 0.12), x=x, y=y))
            )
    else:  # a company's logo: some polygons
        for _ in range(int(rng.integers(1, 4))):
            size = float(rng.uniform(0.35, 0.9)) * radius
            corners = regular(int(rng.integers(3, 7)), size, turn=float(rng.uniform(0, 120)))
            shift = centre + rng.uniform(-0.3, 0.3, 2) * radius
            plan.fills.append((corners + shift, corners * float(rng.uniform(0.4, 0.8)) + shift))
