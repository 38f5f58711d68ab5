"""From a clean mask of ink density to an impression on paper: wear, pressure, bleeding, colour.

Masks are (h, w) uint8, 255 is full ink. Every function returns a new mask or image of the same size.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.training.synth.names import chance
from sealread.training.synth.truth import Image

Random = np.random.Generator
Mask = NDArray[np.uint8]

_SIDE = 1024


@cache
def _textures() -> tuple[Mask, ...]:
    """Noise of several grains with evenly distributed values, made once; a fixed seed keeps results independent of the caller."""
    rng = np.random.default_rng(20_240_601)
    found: list[Mask] = []
    for grain in (1, 1.6, 2.5, 4, 7, 12):
        side = round(_SIDE / grain)
        noise = rng.normal(size=(side, side)).astype(np.float32)
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.8), np.float32)
        found.append(_even(np.asarray(cv2.resize(noise, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC), np.float32)))
    fine, coarse = found[1].astype(np.float32), found[4].astype(np.float32)
    found.append(_even(fine + 0.8 * coarse))
    found.append(_even(found[0].astype(np.float32) + 1.2 * found[5].astype(np.float32)))
    streaks = cv2.GaussianBlur(rng.normal(size=(_SIDE, _SIDE)).astype(np.float32), (0, 0), sigmaX=14, sigmaY=0.8)
    found.append(_even(np.asarray(streaks, np.float32)))
    fibres = np.zeros((_SIDE, _SIDE), np.uint8)
    for _ in range(2500):
        x, y = rng.integers(0, _SIDE, 2)
        dx, dy = rng.normal(0, 12, 2)
        cv2.line(fibres, (int(x), int(y)), (int(x + dx), int(y + dy)), int(rng.integers(60, 255)), 1, cv2.LINE_AA)
    found.append(_even(cv2.GaussianBlur(fibres, (0, 0), 0.8).astype(np.float32) + rng.normal(0, 8, fibres.shape).astype(np.float32)))
    return tuple(found)


def _even(noise: NDArray[np.float32]) -> Mask:
    """The noise as uint8 with an even histogram."""
    low, high = np.percentile(noise, [0.1, 99.9])
    scaled = np.clip((noise - low) * (255.0 / (high - low)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.equalizeHist(scaled), np.uint8)


def texture(rng: Random, height: int, width: int, *, kind: int | None = None) -> Mask:
    """A piece of noise, values evenly distributed from 0 to 255; read only."""
    pool = _textures()
    source = pool[int(rng.integers(len(pool))) if kind is None else kind]
    if rng.random() < 0.5:
        source = source[::-1]
    if rng.random() < 0.5:
        source = source[:, ::-1]
    if height > _SIDE or width > _SIDE:
        scale = max(height, width) / _SIDE
        source = np.asarray(cv2.resize(source, None, fx=scale * 1.01, fy=scale * 1.01), np.uint8)
    y, x = int(rng.integers(source.shape[0] - height + 1)), int(rng.integers(source.shape[1] - width + 1))
    return source[y : y + height, x : x + width]


def gradient(rng: Random, height: int, width: int, low: float, high: float) -> Mask:
    """A smooth field of values from about `low` to `high` (0 to 1), as uint8."""
    small = rng.uniform(low, high, (int(rng.integers(2, 5)), int(rng.integers(2, 5)))).astype(np.float32)
    return np.asarray(cv2.resize(small * 255, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255), np.uint8)


def times(first: Mask, second: Mask) -> Mask:
    """The product, 255 counting as one."""
    return np.asarray(cv2.multiply(first, second, scale=1 / 255.0), np.uint8)


def impression(rng: Random, mask: Mask, stroke: float) -> Mask:
    """How a mask comes out on paper.

    Args:
        rng: source of chance.
        mask: clean mask.
        stroke: width of a typical stroke in pixels, which bounds blurring and bleeding.
    """
    height, width = mask.shape
    kind = rng.random()
    if kind < 0.12:  # much ink: strokes run
        size = 3 if stroke < 4 else 5
        mask = np.asarray(cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.uint8)
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.25 * stroke + 0.3), np.uint8)
    elif kind < 0.2 and stroke > 3:
        mask = np.asarray(cv2.erode(mask, np.ones((2, 2), np.uint8)), np.uint8)
    if chance(rng, 0.3):
        mask = _ragged(rng, mask, stroke)
    if chance(rng, 0.06):  # pressed twice
        shift = rng.normal(0, 1, 2) * stroke * 1.2
        again = cv2.warpAffine(mask, np.array([[1, 0, shift[0]], [0, 1, shift[1]]]), (width, height))
        mask = np.asarray(cv2.max(mask, cv2.convertScaleAbs(again, alpha=float(rng.uniform(0.25, 0.6)))), np.uint8)
    if chance(rng, 0.06):
        mask = _smeared(rng, mask, stroke)
    worn = chance(rng, 0.62)
    if worn:
        mask = _worn(rng, mask)
    if chance(rng, 0.4):
        # Little pressure on worn rubber would leave nothing to read.
        mask = times(mask, gradient(rng, height, width, float(rng.uniform(0.6 if worn else 0.35, 0.9)), 1.2))
    return mask


def _worn(rng: Random, mask: Mask) -> Mask:
    """Gaps where the texture is low; more of them in some regions."""
    height, width = mask.shape
    noise = texture(rng, height, width)
    gone = float(rng.beta(1.2, 4.5)) * 0.7  # share of the area that loses ink
    soft = float(rng.uniform(15, 110))
    values = np.clip((np.arange(256) - gone * 255) / soft + 0.5, 0, 1)
    floor = float(rng.uniform(0, 0.5)) if gone < 0.25 else float(rng.uniform(0.2, 0.5))
    table = ((floor + (1 - floor) * values) * 255).astype(np.uint8)
    if chance(rng, 0.5):
        field = gradient(rng, height, width, 0.0, 1.0)
        noise = np.asarray(cv2.addWeighted(noise, 0.7, field, 0.45, 0), np.uint8)
    return times(mask, np.asarray(cv2.LUT(noise, table), np.uint8))


def _ragged(rng: Random, mask: Mask, stroke: float) -> Mask:
    """Edges eaten by noise: the mask blurred, shifted by noise and cut again."""
    noise = texture(rng, *mask.shape, kind=int(rng.integers(0, 3)))
    blurred = cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.16 * stroke))
    mixed = cv2.addWeighted(blurred, 1.0, noise, 0.42, -0.21 * 255)
    low, high = float(rng.uniform(85, 120)), float(rng.uniform(135, 190))
    table = np.clip((np.arange(256) - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.min(cv2.LUT(mixed, table), cv2.dilate(mask, np.ones((3, 3), np.uint8))), np.uint8)


def _smeared(rng: Random, mask: Mask, stroke: float) -> Mask:
    """Ink drawn out to one side."""
    length = max(3, round(stroke * float(rng.uniform(1.0, 2.5))))
    angle = float(rng.uniform(0, 2 * np.pi))
    kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
    end = (round(length + length * np.cos(angle)), round(length + length * np.sin(angle)))
    cv2.line(kernel, (length, length), end, 1.0, 1)
    trail = cv2.filter2D(mask, -1, kernel / kernel.sum())
    return np.asarray(cv2.max(mask, cv2.convertScaleAbs(trail, alpha=float(rng.uniform(0.4, 0.9)))), np.uint8)


#: Colour name: weight, and ranges of hue (degrees), saturation and value (0 to 1).
_INKS: dict[str, tuple[float, tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "red": (0.68, (-14, 14), (0.55, 1.0), (0.62, 1.0)),
    "blue": (0.15, (205, 248), (0.4, 0.95), (0.3, 0.85)),
    "black": (0.08, (0, 360), (0.0, 0.2), (0.05, 0.32)),
    "purple": (0.06, (262, 318), (0.3, 0.8), (0.35, 0.75)),
    "grey": (0.03, (0, 360), (0.0, 0.12), (0.4, 0.58)),
}


def ink_colour(rng: Random, name: str | None = None) -> tuple[str, NDArray[np.float64]]:
    """The name of an ink, drawn if not given, and its colour: (3,) BGR from 0 to 255."""
    if name is None:
        weights = np.array([row[0] for row in _INKS.values()])
        name = list(_INKS)[int(rng.choice(len(weights), p=weights / weights.sum()))]
    _, hue, saturation, value = _INKS[name]
    h, s, v = (float(rng.uniform(*bounds)) for bounds in (hue, saturation, value))
    if name == "red" and chance(rng, 0.12):  # pink and orange
        h, s = float(rng.uniform(-24, 24)), float(rng.uniform(0.4, 0.7))
    sector = (h % 360) / 60
    chroma = v * s
    x = chroma * (1 - abs(sector % 2 - 1))
    r, g, b = ((chroma, x, 0), (x, chroma, 0), (0, chroma, x), (0, x, chroma), (x, 0, chroma), (chroma, 0, x))[int(sector) % 6]
    return name, np.array([b + v - chroma, g + v - chroma, r + v - chroma]) * 255


def printed(paper: Image, mask: Mask, colour: NDArray[np.float64], strength: float = 1.0) -> Image:
    """The paper with the ink multiplied onto it."""
    density = np.arange(256, dtype=np.float64)[:, None] / 255 * strength
    table = np.clip(255 - density * (255 - colour[None]), 0, 255).astype(np.uint8)
    factor = cv2.LUT(cv2.merge([mask, mask, mask]), table[:, None])
    return np.asarray(cv2.multiply(paper, factor, scale=1 / 255.0), np.uint8)
