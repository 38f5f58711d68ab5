"""Flat pages before any seal: letters, invoices, receipts, certificates, newspapers, forms, graphics.

Each function draws into a page, (h, w, 3) uint8 BGR, in place, and returns the places where a seal would be put:
(x, y) as shares of width and height, and the kind of seal (any, supervision, invoice).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.training.synth import backgrounds
from sealread.training.synth.backgrounds import Sheet, inked, print_colour
from sealread.training.synth.figures import Plan, emblem
from sealread.training.synth.lettering import Press
from sealread.training.synth.names import chance
from sealread.training.synth.truth import Image

Random = np.random.Generator
Spot = tuple[float, float, str]
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
def _reduced_strip(index: int, height: int) -> Sheet:
    """One printed line, 255 is ink, `height` pixels high."""
    strip = backgrounds.strips()[index]
    scale = height / strip.shape[0]
    return np.asarray(cv2.resize(strip, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def block(
    rng: Random, page: Image, box: tuple[float, float, float, float], size: int, colour: NDArray[np.float64], *, table: bool = False
) -> None:
    """Fill a box (x1, y1, x2, y2 in pixels) with running text, or with a table."""
    height, width = page.shape[:2]
    x1, y1, x2, y2 = max(int(box[0]), 0), max(int(box[1]), 0), min(int(box[2]), width), min(int(box[3]), height)
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


def line(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64], *, middle: bool = False) -> float:
    """One printed line whose upper left (or upper middle) corner lies at (x, y); its width in pixels."""
    height = max(4, round(size))
    strip = _reduced_strip(int(rng.integers(len(backgrounds.strips()))), height)
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


def _colour(colour: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(colour[0]), float(colour[1]), float(colour[2])


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
        cv2.line(page, (x1, int(y)), (x2, int(y)), _colour(colour), width, cv2.LINE_AA)
    for x in xs:
        cv2.line(page, (int(x), y1), (int(x), y2), _colour(colour), width, cv2.LINE_AA)
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
    height, width = page.shape[:2]
    x1, y1, x2, y2 = max(int(box[0]), 0), max(int(box[1]), 0), min(int(box[2]), width), min(int(box[3]), height)
    if x2 - x1 < 8 or y2 - y1 < 8:
        return
    cells = (int(rng.integers(3, 9)), int(rng.integers(3, 9)))
    # Photos are grey with a little colour, not a rainbow; graphics may be anything.
    colourful = float(rng.uniform(5, 45)) if chance(rng, 0.8) else 110.0
    coarse = (rng.uniform(20, 235, (*cells, 1)) + rng.normal(0, colourful, (*cells, 3))).astype(np.float32)
    patch = np.clip(cv2.resize(coarse, (x2 - x1, y2 - y1), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 7))):
        colour = _colour(rng.uniform(0, 255, 3))
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


def logo(rng: Random, page: Image, x: float, y: float, radius: float, colour: NDArray[np.float64]) -> None:
    """An emblem without any text: looks like a seal from afar and is none."""
    plan = Plan("other", np.zeros((1, 2)))
    emblem(rng, plan, 100.0)
    side = int(2.4 * radius) + 2
    mask = np.zeros((side, side), np.uint8)
    plan.press(Press(mask, np.array([[radius / 100, 0, side / 2], [0, radius / 100, side / 2]])))
    _lay(page, mask, int(x - side / 2), int(y - side / 2), colour)


def signature(rng: Random, page: Image, x: float, y: float, size: float, colour: NDArray[np.float64]) -> None:
    """Handwriting around (x, y)."""
    side = int(size * 4)
    mask = np.zeros((int(size * 2), max(side, 8)), np.uint8)
    backgrounds.stamp_strip(rng, mask, mask.shape[1] / 2, mask.shape[0] / 2, size, float(rng.normal(0, 8)), hand=True)
    _lay(page, mask, int(x - mask.shape[1] / 2), int(y - mask.shape[0] / 2), colour)


def letter(rng: Random, page: Image) -> list[Spot]:
    """Title, paragraphs, a place to sign at the foot; red headings of official papers sometimes."""
    height, width = page.shape[:2]
    unit = max(height, width)
    margin = width * float(rng.uniform(0.07, 0.16))
    y = height * float(rng.uniform(0.03, 0.1))
    heading = red(rng) if chance(rng, 0.3) else BLACK
    for _ in range(int(rng.integers(1, 3))):
        y += 1.3 * unit * 0.03 if line(rng, page, width / 2, y, unit * float(rng.uniform(0.02, 0.045)), heading, middle=True) else 0
    if heading is not BLACK and chance(rng, 0.7):
        cv2.line(page, (int(margin), int(y + 6)), (int(width - margin), int(y + 6)), _colour(heading), 2)
    y += unit * 0.03
    end = height * float(rng.uniform(0.5, 0.93))
    size = round(unit * float(rng.uniform(0.009, 0.018)))
    while y < end:
        deep = unit * float(rng.uniform(0.05, 0.25))
        block(rng, page, (margin, y, width - margin * float(rng.uniform(1, 2)), min(y + deep, end)), size, BLACK, table=chance(rng, 0.12))
        y += deep + unit * 0.02
    spots: list[Spot] = []
    for x in (0.28, 0.72) if chance(rng, 0.4) else (0.7,):
        foot = min(y, height * 0.9)
        for _ in range(int(rng.integers(1, 4))):
            line(rng, page, width * x, foot, size * 1.4, BLACK, middle=True)
            foot += size * 2.2
        if chance(rng, 0.3):
            signature(rng, page, width * x, foot - size, unit * float(rng.uniform(0.03, 0.06)), print_colour(rng))
        spots.append((x, min(foot / height, 0.93), "any"))
    return spots


def invoice(rng: Random, page: Image) -> list[Spot]:
    """A printed form in one colour, its title with the tax authority's seal, a grid, codes, the seller's seal below."""
    height, width = page.shape[:2]
    unit = max(height, width)
    form = red(rng) if chance(rng, 0.35) else np.array([rng.uniform(0, 200), rng.uniform(40, 150), rng.uniform(20, 200)])
    line(rng, page, width / 2, height * 0.05, unit * float(rng.uniform(0.025, 0.04)), form, middle=True)
    if chance(rng, 0.6):
        code(rng, page, width * 0.05, height * 0.04, unit * float(rng.uniform(0.06, 0.11)))
    for i in range(int(rng.integers(1, 4))):
        line(rng, page, width * 0.72, height * (0.04 + 0.05 * i), unit * 0.016, form if chance(rng, 0.5) else BLACK)
    x1, x2 = width * float(rng.uniform(0.03, 0.08)), width * float(rng.uniform(0.92, 0.97))
    y = height * float(rng.uniform(0.18, 0.26))
    foot = height * float(rng.uniform(0.8, 0.9))
    for share in np.sort(np.append(rng.uniform(0.2, 0.9, int(rng.integers(1, 4))), 1.0)):
        below = y + (foot - y) * float(share)
        grid(rng, page, (x1, y, x2, below), form, int(rng.integers(2, 6)), int(rng.integers(2, 9)))
        y = below
        if foot - y < 8:
            break
    for x in (0.06, 0.3, 0.55, 0.75):
        line(rng, page, width * x, foot + unit * 0.008, unit * 0.014, form)
    return [
        (0.5, float(rng.uniform(0.07, 0.14)), "supervision"),
        (float(rng.uniform(0.75, 0.9)), float(rng.uniform(0.82, 0.92)), "invoice"),
    ]


def receipt(rng: Random, page: Image) -> list[Spot]:
    """A narrow slip with centred or two-column lines."""
    height, width = page.shape[:2]
    y = height * 0.02
    size = width * float(rng.uniform(0.035, 0.06))
    colour = BLACK if chance(rng, 0.6) else print_colour(rng)
    heading = red(rng) if chance(rng, 0.4) else colour
    for _ in range(int(rng.integers(1, 5))):
        line(rng, page, width / 2, y, size * float(rng.uniform(1.0, 1.6)), heading, middle=True)
        y += size * 1.8
    top = y / height
    y += height * float(rng.uniform(0.02, 0.2))
    while y < height * 0.95:
        line(rng, page, width * 0.06, y, size, colour)
        if chance(rng, 0.6):
            line(rng, page, width * float(rng.uniform(0.6, 0.8)), y, size, colour)
        if chance(rng, 0.08):
            cv2.line(page, (int(width * 0.05), int(y)), (int(width * 0.95), int(y)), _colour(colour), 1)
        y += size * float(rng.uniform(1.2, 2.2))
        if chance(rng, 0.02):
            bars(rng, page, width * 0.15, y, width * 0.7, size * 2)
            y += size * 3
    return [
        (0.5, top + 0.03, "supervision"),
        (0.5, float(rng.uniform(0.25, 0.5)), "invoice"),
        (float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.5, 0.9)), "any"),
    ]


def certificate(rng: Random, page: Image) -> list[Spot]:
    """A framed page with an emblem, a large title and few lines."""
    height, width = page.shape[:2]
    unit = max(height, width)
    colour = rng.uniform(30, 190, 3)
    for inset, thick in ((0.015, 6), (0.03, 2)):
        edge = int(inset * unit)
        cv2.rectangle(page, (edge, edge), (width - edge, height - edge), _colour(colour), max(1, thick * unit // 900))
    if chance(rng, 0.6):
        inner = int(0.035 * unit)
        page[inner:-inner, inner:-inner] = backgrounds.tint(rng, np.ascontiguousarray(page[inner:-inner, inner:-inner]))
    if chance(rng, 0.7):
        logo(rng, page, width / 2, height * 0.1, unit * float(rng.uniform(0.03, 0.06)), red(rng) if chance(rng, 0.6) else colour)
    line(rng, page, width / 2, height * 0.17, unit * float(rng.uniform(0.035, 0.06)), BLACK if chance(rng, 0.7) else red(rng), middle=True)
    y = height * 0.3
    size = unit * float(rng.uniform(0.013, 0.02))
    while y < height * 0.7:
        line(rng, page, width * 0.14, y, size, BLACK)
        if chance(rng, 0.4):
            line(rng, page, width * 0.55, y, size, BLACK)
        y += size * float(rng.uniform(1.6, 2.6))
    if chance(rng, 0.5):
        code(rng, page, width * float(rng.uniform(0.1, 0.8)), height * float(rng.uniform(0.05, 0.7)), unit * 0.09)
    line(rng, page, width * 0.72, height * 0.85, size, BLACK, middle=True)
    return [(float(rng.uniform(0.65, 0.82)), float(rng.uniform(0.76, 0.88)), "any")]


def newspaper(rng: Random, page: Image) -> list[Spot]:
    """Columns, headlines, pictures: no place for a seal."""
    height, width = page.shape[:2]
    unit = max(height, width)
    count = int(rng.integers(2, 6))
    size = max(5, round(unit * float(rng.uniform(0.007, 0.012))))
    line(rng, page, width / 2, 4, unit * 0.05, red(rng) if chance(rng, 0.5) else BLACK, middle=True)
    for column in range(count):
        x1, x2 = width * (column + 0.08) / count, width * (column + 0.94) / count
        y = unit * 0.07
        while y < height:
            deep = unit * float(rng.uniform(0.05, 0.3))
            kind = rng.random()
            if kind < 0.15:
                picture(rng, page, (x1, y, x2, y + deep))
            elif kind < 0.3:
                line(rng, page, x1, y, unit * 0.025, print_colour(rng))
                deep = unit * 0.03
            else:
                block(rng, page, (x1, y, x2, y + deep), size, BLACK if chance(rng, 0.9) else print_colour(rng))
            y += deep + unit * 0.012
    return [(float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.2, 0.8)), "any")]


def form(rng: Random, page: Image) -> list[Spot]:
    """A table over most of the page."""
    height, width = page.shape[:2]
    unit = max(height, width)
    colour = red(rng) if chance(rng, 0.2) else BLACK
    line(rng, page, width / 2, height * 0.04, unit * 0.032, colour, middle=True)
    grid(rng, page, (width * 0.06, height * 0.12, width * 0.94, height * 0.8), colour, int(rng.integers(5, 22)), int(rng.integers(2, 8)))
    line(rng, page, width * 0.08, height * 0.84, unit * 0.018, BLACK)
    line(rng, page, width * 0.6, height * 0.84, unit * 0.018, BLACK)
    return [(0.72, 0.85, "any"), (float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.3, 0.8)), "any")]


def slip(rng: Random, page: Image) -> list[Spot]:
    """A few lines on an almost empty paper, as when seals are tried out."""
    height, width = page.shape[:2]
    unit = max(height, width)
    for _ in range(int(rng.integers(0, 6))):
        line(
            rng, page, rng.uniform(0, 0.7) * width, rng.uniform(0, 0.95) * height, unit * float(rng.uniform(0.015, 0.05)), print_colour(rng)
        )
    if chance(rng, 0.3):
        picture(rng, page, (*(rng.uniform(0, 0.5, 2) * (width, height)), *(rng.uniform(0.5, 1, 2) * (width, height))))
    return [(x, y, "any") for x, y in rng.uniform(0.15, 0.85, (4, 2)).tolist()]


#: Layout, probability, and the range of height over width.
LAYOUTS: tuple[tuple[Callable[[Random, Image], list[Spot]], float, tuple[float, float]], ...] = (
    (letter, 0.30, (1.25, 1.45)),
    (invoice, 0.20, (0.5, 0.75)),
    (receipt, 0.12, (1.6, 3.2)),
    (certificate, 0.10, (0.65, 1.45)),
    (newspaper, 0.08, (1.0, 1.5)),
    (form, 0.12, (0.6, 1.45)),
    (slip, 0.08, (0.6, 1.4)),
)
