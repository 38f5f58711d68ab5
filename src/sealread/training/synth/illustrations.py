"""What printed pages show beside text and is round, coloured or set apart, as a seal is: drawings, photos of groups, plots, sums by hand.

Each function draws into a page, (h, w, 3) uint8 BGR, in place. Positions and sizes are pixels of the page.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.training.synth.elements import line, on_page, picture, tuple_of
from sealread.training.synth.names import chance
from sealread.training.synth.truth import Image

Random = np.random.Generator
Box = tuple[int, int, int, int]
_OUTLINE = (30.0, 25.0, 25.0)


def _place(page: Image, x: float, y: float, width: float, height: float) -> Box | None:
    """The part of a box on the page, x1, y1, x2, y2; None where next to nothing is left."""
    x1, y1, x2, y2 = on_page(page, (x, y, x + width, y + height))
    return (x1, y1, x2, y2) if min(x2 - x1, y2 - y1) >= 12 else None


def drawing(rng: Random, page: Image, x: float, y: float, size: float) -> None:
    """Figures of flat colours with dark outlines, on a coloured ground or on the page itself."""
    box = _place(page, x, y, size * float(rng.uniform(0.7, 1.5)), size)
    if box is None:
        return
    x1, y1, x2, y2 = box
    patch = np.ascontiguousarray(page[y1:y2, x1:x2])
    if chance(rng, 0.5):
        patch[:] = rng.uniform(120, 255, 3).astype(np.uint8)
    span = np.array([x2 - x1, y2 - y1])
    middle, spread = rng.uniform(0.35, 0.65, 2) * span, float(rng.uniform(0.1, 0.25)) * span
    palette = rng.uniform(30, 250, (4, 3))
    for _ in range(int(rng.integers(5, 22))):
        at = rng.normal(middle, spread)
        reach = float(span.min()) * float(rng.uniform(0.04, 0.2))
        colour = tuple_of(palette[int(rng.integers(4))])
        if chance(rng, 0.5):
            axes = (max(int(reach), 2), max(int(reach * rng.uniform(0.4, 1.0)), 2))
            where = ((int(at[0]), int(at[1])), axes, float(rng.uniform(0, 180)), 0.0, 360.0)
            cv2.ellipse(patch, *where, colour, -1, cv2.LINE_AA)
            cv2.ellipse(patch, *where, _OUTLINE, 1, cv2.LINE_AA)
        else:
            angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
            corners = np.round(at + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)).astype(np.int32)
            cv2.fillPoly(patch, [corners], colour, cv2.LINE_AA)
            cv2.polylines(patch, [corners], True, _OUTLINE, 1, cv2.LINE_AA)
    page[y1:y2, x1:x2] = patch


def gathering(rng: Random, page: Image, x: float, y: float, size: float) -> None:
    """A photo of a ring of small things: people on a lawn, plates on a table."""
    box = _place(page, x, y, size * float(rng.uniform(1.0, 1.8)), size)
    if box is None:
        return
    picture(rng, page, box)
    x1, y1, x2, y2 = box
    patch = np.ascontiguousarray(page[y1:y2, x1:x2])
    ground = np.empty_like(patch)
    ground[:] = rng.uniform(40, 200, 3).astype(np.uint8)
    patch = np.asarray(cv2.addWeighted(patch, 0.35, ground, 0.65, 0), np.uint8)
    height, width = patch.shape[:2]
    count = int(rng.integers(8, 40))
    for angle in np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.normal(0, 0.05, count):
        at = (int(width * (0.5 + 0.38 * np.cos(angle))), int(height * (0.5 + 0.38 * np.sin(angle))))
        reach = max(int(min(height, width) * rng.uniform(0.01, 0.05)), 1)
        cv2.circle(patch, at, reach, tuple_of(rng.uniform(0, 255, 3)), -1, cv2.LINE_AA)
    page[y1:y2, x1:x2] = patch


def plot(rng: Random, page: Image, x: float, y: float, size: float) -> None:
    """Axes with a closed curve or a line, and points scattered around it."""
    box = _place(page, x, y, size * float(rng.uniform(1.0, 1.6)), size)
    if box is None:
        return
    x1, y1, x2, y2 = box
    cv2.rectangle(page, (x1, y1), (x2, y2), (255.0, 255.0, 255.0), -1)
    cv2.rectangle(page, (x1, y1), (x2, y2), _OUTLINE, 1)
    for share in np.linspace(0.1, 0.9, int(rng.integers(3, 7))):
        at = int(x1 + share * (x2 - x1))
        cv2.line(page, (at, y2), (at, y2 - 3), _OUTLINE, 1)
    t = np.linspace(0, 2 * np.pi, 80)
    if chance(rng, 0.6):
        curve = np.stack([np.cos(t), np.sin(t)], axis=1) * rng.uniform(0.15, 0.42, 2) + 0.5
    else:
        curve = np.stack([t / (2 * np.pi), 0.5 + 0.3 * np.sin(t * rng.uniform(0.3, 3) + rng.uniform(0, 6))], axis=1)
    places = np.array([x1, y1]) + curve * (x2 - x1, y2 - y1)
    colour = tuple_of(rng.uniform(0, 230, 3))
    cv2.polylines(page, [np.round(places).astype(np.int32)], False, colour, int(rng.integers(1, 3)), cv2.LINE_AA)
    marks = tuple_of(rng.uniform(0, 200, 3))
    for at in places[:: int(rng.integers(1, 5))] + rng.normal(0, 0.012 * size, 2):
        cv2.drawMarker(page, (int(at[0]), int(at[1])), marks, int(rng.integers(3)), 3)
    line(rng, page, (x1 + x2) / 2, y2 + 2, max(0.06 * size, 4), np.full(3, 30.0), middle=True, language="latin")


def sums(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
    """A few numbers below each other, by hand; at times underlined or ringed."""
    rows = int(rng.integers(1, 5))
    widest = 0.0
    for row in range(rows):
        shift = float(rng.normal(0, 0.3)) * size
        widest = max(widest, line(rng, page, x + shift, y + row * 1.25 * size, size, colour, language="hand"))
    if chance(rng, 0.15):
        half = (max(int(0.7 * widest), 2), max(int(0.85 * rows * size), 2))
        where = (int(x + widest / 2), int(y + 0.6 * rows * size))
        cv2.ellipse(page, where, half, float(rng.normal(0, 5)), 0, 350, tuple_of(colour), 1, cv2.LINE_AA)
    elif chance(rng, 0.3):
        below = int(y + rows * 1.25 * size)
        cv2.line(page, (int(x), below), (int(x + widest), below), tuple_of(colour), 1, cv2.LINE_AA)
