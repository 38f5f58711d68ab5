"""Papers, printed text, tables, handwriting and patterns, from pools that are made once per process.

The pools come from a fixed seed, so what a caller's generator draws does not depend on who drew before.
Sheets are (h, w) uint8, 255 is bare paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from sealread.corrections.vocabulary import PURPOSES
from sealread.training.synth import names
from sealread.training.synth import vocabulary as words
from sealread.training.synth.fonts import Face, faces
from sealread.training.synth.foreign_seals import business_line
from sealread.training.synth.ink import gradient, texture
from sealread.training.synth.names import chance, pick
from sealread.training.synth.truth import Image

Random = np.random.Generator
Sheet = NDArray[np.uint8]

_SIDE = 1100


def _font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(face.path, size, index=face.index, layout_engine=ImageFont.Layout.BASIC)


def sentence(rng: Random, length: int) -> str:
    """Running Chinese text of about the length given."""
    parts: list[str] = []
    while sum(map(len, parts)) < length:
        kind = rng.random()
        if kind < 0.25:
            parts.append(pick(rng, words.FORM_LABELS))
        elif kind < 0.4:
            parts.append(names.company(rng))
        elif kind < 0.5:
            parts.append(names.date(rng))
        elif kind < 0.57:
            parts.append(names.digits(rng, int(rng.integers(3, 14))))
        elif kind < 0.65:
            parts.append(pick(rng, PURPOSES))
        else:
            parts.append("".join(pick(rng, names.common_characters()) for _ in range(int(rng.integers(2, 12)))))
            parts.append(pick(rng, tuple("，。、；： ")))
    return "".join(parts)[:length]


def _choose(rng: Random, language: str) -> Face:
    candidates, weights = faces(language)
    return candidates[int(rng.choice(len(candidates), p=weights))]


def _text_sheet(rng: Random, language: str) -> Sheet:
    picture = Pictures.new("L", (_SIDE, _SIDE), 255)
    draw = ImageDraw.Draw(picture)
    y = 4
    while y < _SIDE:
        size = int(rng.integers(17, 27)) if chance(rng, 0.75) else int(rng.integers(27, 44))
        font = _font(_choose(rng, language), size)
        for _ in range(int(rng.integers(2, 7))):
            x = int(rng.integers(0, 120)) if chance(rng, 0.4) else 0
            while x < _SIDE:
                text = sentence(rng, int(rng.integers(8, 40))) if language == "zh" else _foreign_text(rng)
                draw.text((x, y), text, fill=int(rng.integers(0, 60)), font=font)
                x += int(font.getlength(text)) + (int(rng.integers(40, 300)) if chance(rng, 0.5) else size)
            y += round(size * float(rng.uniform(1.25, 2.2)))
        y += size
    return np.asarray(picture, np.uint8)


def _foreign_text(rng: Random) -> str:
    letters = "eeettaaooiinnsshhrrddlluuccmmwwffggyyppbbvvkkxjqz"
    made = ["".join(pick(rng, letters) for _ in range(int(rng.integers(1, 10)))) for _ in range(int(rng.integers(2, 9)))]
    return " ".join(word.capitalize() if chance(rng, 0.2) else word for word in made) + pick(rng, (".", ",", "", " 100", " No. 12"))


def _table_sheet(rng: Random) -> Sheet:
    picture = Pictures.new("L", (_SIDE, _SIDE), 255)
    draw = ImageDraw.Draw(picture)
    xs = np.unique(np.cumsum(rng.integers(60, 260, 16)))
    ys = np.unique(np.cumsum(rng.integers(34, 110, 30)))
    width = int(rng.integers(1, 4))
    for x in xs[xs < _SIDE]:
        draw.line([(int(x), 0), (int(x), _SIDE)], fill=40, width=width)
    for y in ys[ys < _SIDE]:
        draw.line([(0, int(y)), (_SIDE, int(y))], fill=40, width=width)
    font = _font(_choose(rng, "zh"), int(rng.integers(18, 28)))
    for y in ys[ys < _SIDE]:
        for x in xs[xs < _SIDE]:
            if chance(rng, 0.6):
                text = pick(rng, words.FORM_LABELS) if chance(rng, 0.5) else names.digits(rng, int(rng.integers(1, 7)))
                draw.text((int(x) + 6, int(y) + 6), text, fill=20, font=font)
    return np.asarray(picture, np.uint8)


@cache
def sheets() -> tuple[Sheet, ...]:
    """Printed paper with characters about 24 pixels high; the last two are tables."""
    rng = np.random.default_rng(7_001)
    made = [_text_sheet(rng, "zh") for _ in range(7)]
    made += [_text_sheet(rng, "latin"), _table_sheet(rng), _table_sheet(rng)]
    return tuple(made)


def _scribble(rng: Random, height: int, width: int, thick: float) -> Sheet:
    """Handwriting-like strokes: 255 is ink, as in a mask."""
    mask = np.zeros((height, width), np.uint8)
    x = 0.1 * width
    while x < width * 0.9:
        count = int(rng.integers(3, 7))
        knots = np.stack(
            [x + rng.normal(0, 0.16, count) * height * 1.2 + np.linspace(0, 0.25, count) * height, height * rng.uniform(0.1, 0.9, count)],
            axis=1,
        )
        curve = _smooth(knots, 8 * count)
        cv2.polylines(
            mask, [np.rint(curve * 16).astype(np.int32)], False, 255, max(1, round(thick * float(rng.uniform(0.6, 1.4)))), cv2.LINE_AA, 4
        )
        x += height * float(rng.uniform(0.15, 0.5))
    return mask


def _smooth(knots: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """A Catmull-Rom curve through the knots."""
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.linspace(0, len(knots) - 1 - 1e-6, count)
    i, f = t.astype(int), (t % 1)[:, None]
    p0, p1, p2, p3 = padded[i], padded[i + 1], padded[i + 2], padded[i + 3]
    return np.asarray(0.5 * (2 * p1 + (p2 - p0) * f + (2 * p0 - 5 * p1 + 4 * p2 - p3) * f**2 + (3 * p1 - p0 - 3 * p2 + p3) * f**3))


@cache
def _scribbles() -> tuple[Sheet, ...]:
    rng = np.random.default_rng(7_002)
    made = [_scribble(rng, 128, int(rng.integers(200, 460)), float(rng.uniform(2, 6))) for _ in range(40)]
    if _has_handwriting():
        for _ in range(20):
            picture = Pictures.new("L", (460, 128), 0)
            text = "".join(pick(rng, "ABDEGHKLMNPRSTW") + "".join(pick(rng, "aeioulmnrst") for _ in range(5)) for _ in range(2))
            ImageDraw.Draw(picture).text((8, 14), text, fill=255, font=_font(_choose(rng, "hand"), 72))
            made.append(np.asarray(picture, np.uint8))
    return tuple(made)


def _has_handwriting() -> bool:
    try:
        faces("hand")
    except ValueError:
        return False
    return True


def _amount(rng: Random) -> str:
    """A sum of money as somebody writes it down."""
    number = int(10 ** rng.uniform(1, 6))
    return f"{number}{rng.choice(['', '.', ',', ',-', '.', ','])}{int(rng.integers(100)):02d}" if chance(rng, 0.7) else str(number)


@cache
def strips(language: str = "zh") -> tuple[Sheet, ...]:
    """Single lines, 255 is ink, 68 pixels high: of Chinese forms (``zh``), of business papers (``latin``), sums by hand (``hand``)."""
    seed, written = {"zh": (7_003, _form_line), "latin": (7_005, business_line), "hand": (7_007, _amount)}[language]
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(220):
        text = written(rng)
        font = _font(_choose(rng, language), 52)
        picture = Pictures.new("L", (max(int(font.getlength(text)) + 12, 40), 68), 0)
        ImageDraw.Draw(picture).text((6, 2), text, fill=255, font=font)
        made.append(np.asarray(picture, np.uint8))
    return tuple(made)


def _form_line(rng: Random) -> str:
    """What a line of a Chinese form says."""
    kind = rng.random()
    if kind < 0.3:
        return pick(rng, words.FORM_LABELS) + (names.company(rng) if chance(rng, 0.5) else "")
    if kind < 0.5:
        return names.date(rng)
    if kind < 0.7:
        return names.company(rng)
    if kind < 0.8:
        return names.digits(rng, int(rng.integers(2, 14)))
    return sentence(rng, int(rng.integers(4, 20))) if kind < 0.9 else _foreign_text(rng)


@cache
def _patterns() -> tuple[Sheet, ...]:
    """Guilloche: families of waves, 255 is bare paper."""
    rng = np.random.default_rng(7_004)
    made = []
    for _ in range(5):
        sheet = np.full((512, 512), 255, np.uint8)
        xs = np.linspace(0, 512, 160)
        spacing, amplitude, period = rng.uniform(6, 22), rng.uniform(4, 30), rng.uniform(30, 180)
        for offset in np.arange(-60, 580, spacing):
            for sign in (1, -1):
                ys = offset + sign * amplitude * np.sin(2 * np.pi * xs / period)
                cv2.polylines(sheet, [np.rint(np.stack([xs, ys], axis=1) * 16).astype(np.int32)], False, 150, 1, cv2.LINE_AA, 4)
        made.append(sheet)
    return tuple(made)


def warm_up() -> None:
    """Make the pools now rather than with the first sample."""
    sheets()
    _scribbles()
    strips()
    strips("latin")
    _patterns()
    texture(np.random.default_rng(0), 8, 8)


def paper(rng: Random, height: int, width: int) -> Image:
    """Bare paper: white mostly, else cream, grey, tinted; flat or with texture."""
    kind = rng.random()
    if kind < 0.4:
        base = np.full(3, float(rng.uniform(244, 255)))
    elif kind < 0.76:
        base = np.full(3, float(rng.uniform(190, 246))) + rng.normal(0, 4, 3)
    elif kind < 0.93:
        base = np.array([rng.uniform(190, 235), rng.uniform(210, 245), rng.uniform(220, 252)])
    else:
        base = rng.uniform(215, 255) + rng.normal(0, 14, 3)
    sheet = np.empty((height, width, 3), np.uint8)
    sheet[:] = np.clip(base, 0, 255).astype(np.uint8)
    if kind > 0.33 and chance(rng, 0.6):
        amount = float(rng.uniform(0.02, 0.11))
        noise = cv2.convertScaleAbs(texture(rng, height, width, kind=int(rng.integers(7))), alpha=amount, beta=255 * (1 - amount))
        sheet = np.asarray(cv2.multiply(sheet, cv2.merge([noise] * 3), scale=1 / 255.0), np.uint8)
    if chance(rng, 0.08):
        sheet = tint(rng, sheet)
    return sheet


def tint(rng: Random, sheet: Image) -> Image:
    """The sheet with a guilloche pattern or clouds of colour."""
    height, width = sheet.shape[:2]
    if chance(rng, 0.6):
        piece = cutting(rng, _patterns(), height, width, float(rng.uniform(0.6, 2.0)), float(rng.uniform(0, 360)))
    else:
        piece = gradient(rng, height, width, 0.4, 1.0)
    return inked(sheet, piece, rng.uniform(120, 250, 3))


def inked(sheet: Image, layer: Sheet, colour: Sequence[float] | NDArray[np.float64]) -> Image:
    """The sheet multiplied with a layer on which 255 is bare and 0 takes the colour (BGR)."""
    ink = np.asarray(colour, dtype=np.float64)
    table = (ink[None] + (255 - ink[None]) * np.arange(256)[:, None] / 255).clip(0, 255).astype(np.uint8)
    factor = cv2.LUT(cv2.merge([layer] * 3), table[:, None])
    return np.asarray(cv2.multiply(sheet, factor, scale=1 / 255.0), np.uint8)


def cutting(rng: Random, pool: Sequence[Sheet], height: int, width: int, scale: float, angle: float) -> Sheet:
    """A random piece of one of the pool's sheets, enlarged by `scale` and turned by `angle` degrees."""
    source = pool[int(rng.integers(len(pool)))]
    centre = rng.uniform(0, 1, 2) * (source.shape[1], source.shape[0])
    turn = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), angle, scale)
    turn[:, 2] = turn[:, 2] + np.array([width, height]) / 2 - centre
    flags = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(source, turn, (width, height), flags=flags, borderMode=cv2.BORDER_WRAP), np.uint8)


def print_colour(rng: Random) -> NDArray[np.float64]:
    """BGR of printing ink: black mostly, else that of coloured forms, the seals' own red among them."""
    kind = rng.random()
    if kind < 0.72:
        return np.full(3, float(rng.uniform(0, 70)))
    if kind < 0.86:
        return np.array([rng.uniform(10, 90), rng.uniform(10, 90), rng.uniform(150, 230)])
    return rng.uniform(20, 190, 3)


def printed_matter(rng: Random, sheet: Image, size: float, angle: float) -> Image:
    """The sheet with text or a table, characters about `size` pixels high, turned by `angle` degrees."""
    height, width = sheet.shape[:2]
    pool = sheets()
    piece = cutting(rng, pool, height, width, size / 24.0, angle)
    colour = print_colour(rng)
    if chance(rng, 0.4):  # only a part of the paper is printed
        edge = float(rng.uniform(0.1, 0.9))
        part = np.full_like(piece, 255)
        if chance(rng, 0.5):
            rows = slice(0, round(edge * height)) if chance(rng, 0.5) else slice(round(edge * height), height)
            part[rows] = piece[rows]
        else:
            columns = slice(0, round(edge * width)) if chance(rng, 0.5) else slice(round(edge * width), width)
            part[:, columns] = piece[:, columns]
        piece = part
    return inked(sheet, piece, colour)


def stamp_strip(rng: Random, mask: Sheet, x: float, y: float, size: float, angle: float, *, hand: bool = False) -> None:
    """Draw one printed or handwritten line into a mask (255 is ink), its middle at (x, y), turned by `angle` degrees."""
    pool = _scribbles() if hand else strips()
    source = pool[int(rng.integers(len(pool)))]
    scale = size / (100 if hand else 52)
    turn = cv2.getRotationMatrix2D((source.shape[1] / 2, source.shape[0] / 2), angle, scale)
    turn[:, 2] += (x - source.shape[1] / 2, y - source.shape[0] / 2)
    drawn = cv2.warpAffine(source, turn, (mask.shape[1], mask.shape[0]), flags=cv2.INTER_LINEAR)
    np.maximum(mask, drawn, out=mask)
