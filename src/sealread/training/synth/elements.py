"""What pages are printed with: lines, blocks, tables, codes, pictures, logos, signatures.

Each function draws into a page, (h, w, 3) uint8 BGR, in place. Positions and sizes are pixels of the page.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.training.synth import backgrounds
from sealread.training.synth.backgrounds import Sheet, inked
from sealread.training.synth.figures import Plan, emblem
from sealread.training.synth.foreign_seals import badge_plan
from sealread.training.synth.lettering import Press
from sealread.training.synth.names import chance
from sealread.training.synth.truth import Image

Random = np.random.Generator
BLACK = np.full(3, 25.0)

#: Sizes of characters, in pixels, in which text blocks are kept.
_SIZES = (5, 6, 7, 8, 10, 12, 15, 20)


@cache
def _reduced(index: int, size: int) -> Sheet:
    """One of the sheets, its characters about `size` pixels high."""
    sheet = backgrounds.sheets()[index]
    scale = size / 24.0
    return np.asarray(cv2.resize(sheet, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


@cache
def _reduced_strip(language: str, index: int, height: int) -> Sheet:
    """One printed line, 255 is ink, `height` pixels high."""
    strip = backgrounds.strips(language)[index]
    scale = height / strip.shape[0]
    return np.asarray(cv2.resize(strip, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def on_page(page: Image, box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """The part of a box (x1, y1, x2, y2) that lies on the page; x2 is not above x1, or y2 not above y1, where none does."""
    height, width = page.shape[:2]
    return max(int(box[0]), 0), max(int(box[1]), 0), min(int(box[2]), width), min(int(box[3]), height)


def block(
    rng: Random, page: Image, box: tuple[float, float, float, float], size: int, colour: NDArray[np.float64], *, table: bool = False
) -> None:
    """Fill a box (x1, y1, x2, y2 in pixels) with running text, or with a table."""
    x1, y1, x2, y2 = on_page(page, box)
    if x2 - x1 < 8 or y2 - y1 < 5:
        return
    kept = min(_SIZES, key=lambda known: abs(known - size))
    count = len(backgrounds.sheets())
    index = int(rng.integers(count - 2, count)) if table else int(rng.integers(0, count - 2))
    sheet = _reduced(index, kept)
    y, x = (int(rng.integers(sheet.shape[axis])) for axis in (0, 1))
    rows = np.arange(y, y + y2 - y1) % sheet.shape[0]
    columns = np.arange(x, x + x2 - x1) % sheet.shape[1]
    piece = sheet[rows[:, None], columns]
    page[y1:y2, x1:x2] = inked(np.ascontiguousarray(page[y1:y2, x1:x2]), piece, colour)


def line(
    rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64], *, middle: bool = False, language: str = "zh"
) -> float:
    """One printed line whose upper left (or upper middle) corner lies at (x, y); its width in pixels."""
    height = max(4, round(size))
    strip = _reduced_strip(language, int(rng.integers(len(backgrounds.strips(language)))), height)
    x1 = int(x - strip.shape[1] / 2) if middle else int(x)
    _lay(page, strip, x1, int(y), colour)
    return float(strip.shape[1])


def _lay(page: Image, mask: Sheet, x: int, y: int, colour: NDArray[np.float64]) -> None:
    """Multiply a mask (255 is ink) onto the page, its upper left corner at (x, y), clipped."""
    height, width = page.shape[:2]
    x1, y1, x2, y2 = max(x, 0), max(y, 0), min(x + mask.shape[1], width), min(y + mask.shape[0], height)
    if x2 <= x1 or y2 <= y1:
        return
    part = mask[y1 - y : y2 - y, x1 - x : x2 - x]
    page[y1:y2, x1:x2] = inked(np.ascontiguousarray(page[y1:y2, x1:x2]), 255 - part, colour)


def tuple_of(colour: NDArray[np.float64]) -> tuple[float, float, float]:
    """The colour as OpenCV takes it."""
    return float(colour[0]), float(colour[1]), float(colour[2])


def pen(rng: Random, blue: float) -> NDArray[np.float64]:
    """BGR of what is written by hand: blue in that share of cases, else dark."""
    return np.array([180.0, 90.0, 40.0]) if chance(rng, blue) else np.full(3, float(rng.uniform(20, 90)))


def red(rng: Random) -> NDArray[np.float64]:
    """BGR of red print."""
    return np.array([rng.uniform(10, 90), rng.uniform(10, 80), rng.uniform(170, 240)])


def grid(rng: Random, page: Image, box: tuple[float, float, float, float], colour: NDArray[np.float64], rows: int, columns: int) -> None:
    """Rules of a table with some entries."""
    x1, y1, x2, y2 = (int(value) for value in box)
    ys = np.unique(np.concatenate([[y1, y2], rng.uniform(y1, y2, max(rows - 1, 0))]).astype(int))
    xs = np.unique(np.concatenate([[x1, x2], rng.uniform(x1, x2, max(columns - 1, 0))]).astype(int))
    width = 1 if page.shape[0] < 700 or chance(rng, 0.5) else 2
    for y in ys:
        cv2.line(page, (x1, int(y)), (x2, int(y)), tuple_of(colour), width, cv2.LINE_AA)
    for x in xs:
        cv2.line(page, (int(x), y1), (int(x), y2), tuple_of(colour), width, cv2.LINE_AA)
    size = 0.011 * max(page.shape[:2])
    for y, below in pairwise(ys.tolist()):
        for x in xs[:-1]:
            if below - y > size * 1.2 and chance(rng, 0.55):
                line(rng, page, x + 3, y + 3, size * float(rng.uniform(0.8, 1.3)), colour if chance(rng, 0.6) else BLACK)


def code(rng: Random, page: Image, x: float, y: float, side: float) -> None:
    """A QR code's look."""
    cells = int(rng.integers(21, 34))
    bits = (rng.random((cells, cells)) < 0.5).astype(np.uint8) * 255
    for cy, cx in ((0, 0), (0, cells - 7), (cells - 7, 0)):
        bits[cy : cy + 7, cx : cx + 7] = 0
        bits[cy + 1 : cy + 6, cx + 1 : cx + 6] = 255
        bits[cy + 2 : cy + 5, cx + 2 : cx + 5] = 0
    drawn = np.asarray(cv2.resize(bits, (max(int(side), 8),) * 2, interpolation=cv2.INTER_AREA), np.uint8)
    _lay(page, 255 - drawn, int(x), int(y), BLACK if chance(rng, 0.8) else red(rng))


def bars(rng: Random, page: Image, x: float, y: float, width: float, height: float) -> None:
    """A bar code's look."""
    row = np.repeat((rng.random(int(width / 2) + 2) < 0.5).astype(np.uint8) * 255, 2)[None]
    _lay(page, np.repeat(row, max(int(height), 3), axis=0), int(x), int(y), BLACK)


def picture(rng: Random, page: Image, box: tuple[float, float, float, float]) -> None:
    """Something like a photo or a drawing: coloured clouds and shapes."""
    x1, y1, x2, y2 = on_page(page, box)
    if x2 - x1 < 8 or y2 - y1 < 8:
        return
    cells = (int(rng.integers(3, 9)), int(rng.integers(3, 9)))
    # Photos are grey with a little colour, not a rainbow; graphics may be anything.
    colourful = float(rng.uniform(5, 45)) if chance(rng, 0.8) else 110.0
    coarse = (rng.uniform(20, 235, (*cells, 1)) + rng.normal(0, colourful, (*cells, 3))).astype(np.float32)
    patch = np.clip(cv2.resize(coarse, (x2 - x1, y2 - y1), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 7))):
        colour = tuple_of(rng.uniform(0, 255, 3))
        x, y = int(rng.uniform(0, x2 - x1)), int(rng.uniform(0, y2 - y1))
        radius = int(rng.uniform(0.03, 0.3) * min(x2 - x1, y2 - y1)) + 2
        kind = int(rng.integers(3))
        if kind == 0:
            cv2.circle(patch, (x, y), radius, colour, -1 if chance(rng, 0.5) else 2, cv2.LINE_AA)
        elif kind == 1:
            cv2.rectangle(patch, (x, y), (x + radius * 2, y + radius), colour, -1)
        else:
            cv2.line(patch, (x, y), (x + radius * 3, y - radius), colour, 2, cv2.LINE_AA)
    page[y1:y2, x1:x2] = patch


def _press(radius: float, room: float) -> Press:
    """An empty square for a figure whose 100 seal units are `radius` pixels, with so many times that room on each side of its middle."""
    side = int(2 * room * radius) + 2
    return Press(np.zeros((side, side), np.uint8), np.array([[radius / 100, 0, side / 2], [0, radius / 100, side / 2]]))


def logo(rng: Random, page: Image, x: float, y: float, radius: float, colour: NDArray[np.float64]) -> None:
    """An emblem without text, or a filled badge with white letters: looks like a seal from afar and is none."""
    press = _press(radius, 1.2)
    mask, side = press.mask, press.mask.shape[0]
    if chance(rng, 0.55):
        letters = Press(np.zeros_like(mask), press.matrix)
        disc, plan = badge_plan(rng)
        plan.press(letters)
        if chance(rng, 0.65):
            press.fill(disc)
            mask = np.asarray(cv2.subtract(mask, letters.mask), np.uint8)
        else:
            cv2.fillPoly(mask, [np.round(disc @ press.matrix[:, :2].T + press.matrix[:, 2]).astype(np.int32)], int(rng.integers(30, 120)))
            mask = np.asarray(cv2.max(mask, letters.mask), np.uint8)
    else:
        plan = Plan("other", np.zeros((1, 2)))
        emblem(rng, plan, 100.0)
        plan.press(press)
    _lay(page, mask, int(x - side / 2), int(y - side / 2), colour)


def printed(rng: Random, page: Image, x: float, y: float, radius: float, plan: Plan, colour: NDArray[np.float64]) -> None:
    """What a stamp shows, but printed: a letterhead, a box with lines, straight and sharp. It is no seal."""
    press = _press(radius, 1.05)
    plan.press(press)
    _lay(page, press.mask, int(x - press.mask.shape[1] / 2), int(y - press.mask.shape[0] / 2), colour)


def signature(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
    """Handwriting around (x, y)."""
    side = int(size * 4)
    mask = np.zeros((int(size * 2), max(side, 8)), np.uint8)
    backgrounds.stamp_strip(rng, mask, mask.shape[1] / 2, mask.shape[0] / 2, size, float(rng.normal(0, 8)), hand=True)
    _lay(page, mask, int(x - mask.shape[1] / 2), int(y - mask.shape[0] / 2), colour)
