"""Things on documents that are no seals: marks, codes, writing, pictures, circles and boxes drawn by hand."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.training.synth import backgrounds, elements, illustrations
from sealread.training.synth.foreign_seals import wordmark
from sealread.training.synth.names import chance
from sealread.training.synth.scenes import ringless_plan
from sealread.training.synth.truth import Image

Random = np.random.Generator
#: Draws one such thing around a place, of about the given size in pixels, in the given BGR colour where it has one.
Draw = Callable[[Random, Image, float, float, float, NDArray[np.float64]], None]


def add_distractions(rng: Random, page: Image) -> None:
    """Put up to four of them on the page."""
    height, width = page.shape[:2]
    unit = max(height, width)
    for _ in range(int(rng.choice([0, 1, 2, 4], p=[0.25, 0.35, 0.25, 0.15]))):
        x, y = rng.uniform(0.05, 0.95, 2) * (width, height)
        size = unit * float(rng.uniform(0.02, 0.09))
        draw = _DRAWN[int(rng.integers(len(_DRAWN)))]
        colour = elements.red(rng) if chance(rng, 0.4) else rng.uniform(20, 200, 3)
        draw(rng, page, float(x), float(y), size, colour)


def _code(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
    elements.code(rng, page, x, y, size * 1.5)


def _picture(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
    elements.picture(rng, page, (x, y, x + size * 3, y + size * 3))


def _line(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
    elements.line(rng, page, x, y, size * 0.5, colour)


def _bars(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
    elements.bars(rng, page, x, y, size * 3, size * 0.6)


def _ellipse(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
    axes = (int(size * rng.uniform(0.5, 2)), int(size * rng.uniform(0.3, 1)))
    tilt, end, width = float(rng.uniform(-20, 20)), float(rng.uniform(330, 400)), int(rng.integers(1, 4))
    cv2.ellipse(page, (int(x), int(y)), axes, tilt, 0, end, colour.tolist(), width, cv2.LINE_AA)


def _box(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
    corner = (int(x + size * rng.uniform(1, 5)), int(y + size * rng.uniform(0.5, 2)))
    cv2.rectangle(page, (int(x), int(y)), corner, colour.tolist(), int(rng.integers(1, 4)))


def _printed(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
    # Mostly what only print shows: a framed box looks the same as a stamp once it has been copied in black and white.
    plan = wordmark(rng, "latin") if chance(rng, 0.7) else ringless_plan(rng)
    elements.printed(rng, page, x, y, size * float(rng.uniform(1, 2.5)), plan, backgrounds.print_colour(rng))


def _sized(draw: Callable[[Random, Image, float, float, float], None], least: float, most: float) -> Draw:
    """What has colours of its own, so many times as large."""

    def drawn(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
        draw(rng, page, x, y, size * float(rng.uniform(least, most)))

    return drawn


def _sums(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
    pen = elements.pen(rng, 0.3)
    illustrations.sums(rng, page, x, y, size * float(rng.uniform(0.3, 1.0)), pen)


#: Each kind, and how many times as often as the rarest it comes.
_KINDS: tuple[tuple[Draw, int], ...] = (
    (elements.logo, 4),
    (_code, 1),
    (elements.signature, 1),
    (_picture, 1),
    (_line, 1),
    (_bars, 1),
    (_ellipse, 1),
    (_box, 1),
    (_printed, 3),
    (_sized(illustrations.plot, 1.5, 4), 1),
    (_sized(illustrations.drawing, 2, 7), 2),
    (_sized(illustrations.gathering, 2, 7), 1),
    (_sums, 2),
)
_DRAWN = tuple(draw for draw, often in _KINDS for _ in range(often))
