"""Flat pages before any seal: letters, invoices, receipts, certificates, newspapers, forms, graphics.

Each function draws into a page, (h, w, 3) uint8 BGR, in place, and returns the places where a seal would be put.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from sealread.training.synth import backgrounds
from sealread.training.synth.backgrounds import print_colour
from sealread.training.synth.elements import BLACK, bars, block, code, grid, line, logo, picture, red, signature, tuple_of
from sealread.training.synth.names import chance
from sealread.training.synth.statements import statement
from sealread.training.synth.truth import Image, Spot

Random = np.random.Generator


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
        cv2.line(page, (int(margin), int(y + 6)), (int(width - margin), int(y + 6)), tuple_of(heading), 2)
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
    if chance(rng, 0.3):  # a firm's name and address above all, as printers for two colours write them
        heading, language = rng.uniform(20, 200, 3), "latin"
    else:
        language = "zh"
    for _ in range(int(rng.integers(1, 9 if language == "latin" else 5))):
        line(rng, page, width / 2, y, size * float(rng.uniform(1.0, 1.6)), heading, middle=True, language=language)
        y += size * 1.8
    top = y / height
    y += height * float(rng.uniform(0.02, 0.2))
    while y < height * 0.95:
        line(rng, page, width * 0.06, y, size, colour)
        if chance(rng, 0.6):
            line(rng, page, width * float(rng.uniform(0.6, 0.8)), y, size, colour)
        if chance(rng, 0.08):
            cv2.line(page, (int(width * 0.05), int(y)), (int(width * 0.95), int(y)), tuple_of(colour), 1)
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
        cv2.rectangle(page, (edge, edge), (width - edge, height - edge), tuple_of(colour), max(1, thick * unit // 900))
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
    if chance(rng, 0.4):  # marks of who accredited the issuer
        for x in rng.choice([0.12, 0.3, 0.5, 0.7, 0.88], int(rng.integers(1, 4)), replace=False):
            logo(
                rng,
                page,
                width * float(x),
                height * 0.9,
                unit * float(rng.uniform(0.025, 0.06)),
                colour if chance(rng, 0.5) else print_colour(rng),
            )
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
    (letter, 0.26, (1.25, 1.45)),
    (statement, 0.22, (1.25, 1.45)),
    (invoice, 0.20, (0.5, 0.75)),
    (receipt, 0.12, (1.6, 3.2)),
    (certificate, 0.10, (0.65, 1.45)),
    (newspaper, 0.08, (1.0, 1.5)),
    (form, 0.12, (0.6, 1.45)),
    (slip, 0.08, (0.6, 1.4)),
)
