"""Shapes for the pictures: outlines, numbers, bars and captions on a Pillow image, smooth and in one colour each.

Each shape is painted as a mask of twice the size, reduced, and stained through. Points and sizes are pixels of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from sealread.fonts import LINE_HEIGHT, Colour, draw_text, shorten, text_width
from sealread.types import Points

Picture = PillowImage.Image
Box = tuple[float, float, float, float]

PAPER: Colour = (255, 255, 255)
RULE: Colour = (222, 226, 230)

_SMOOTH = 2  # masks are painted this many times larger
_FILL = 0.16  # opacity inside an outline


def _paint(picture: Picture, colour: Colour, bounds: Box, paint: Callable[[ImageDraw.ImageDraw, float, float], None]) -> None:
    """Stain `picture` through a mask: `paint` gets the enlarged mask within `bounds` and the mask's origin, enlarged."""
    left, top = max(0, math.floor(bounds[0])), max(0, math.floor(bounds[1]))
    right, bottom = min(picture.width, math.ceil(bounds[2])), min(picture.height, math.ceil(bounds[3]))
    if right <= left or bottom <= top:
        return
    mask = PillowImage.new("L", ((right - left) * _SMOOTH, (bottom - top) * _SMOOTH))
    paint(ImageDraw.Draw(mask), left * _SMOOTH, top * _SMOOTH)
    picture.paste(colour, (left, top, right, bottom), mask.reduce(_SMOOTH))


def _moved(bounds: tuple[float, ...], x: float, y: float) -> Box:
    left, top, right, bottom = bounds
    return left - x, top - y, right - x - 1, bottom - y - 1


def _around(points: Points, margin: float) -> Box:
    (x1, y1), (x2, y2) = points.min(axis=0) - margin, points.max(axis=0) + margin
    return float(x1), float(y1), float(x2), float(y2)


def draw_outline(picture: Picture, polygon: Points, colour: Colour, width: float) -> None:
    """A polygon in pixels of the picture: a translucent inside and a thin edge."""

    def paint(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
        corners = [(float(a), float(b)) for a, b in polygon * _SMOOTH - np.array([x, y])]
        draw.polygon(corners, fill=round(255 * _FILL))
        draw.line([*corners, corners[0], corners[1]], fill=230, width=max(1, round(width * _SMOOTH)), joint="curve")

    _paint(picture, colour, _around(polygon, width + 1), paint)


def draw_ring(picture: Picture, centre: Points, radius: float, colour: Colour, width: float) -> None:
    """A circle around `centre` ``(x, y)``."""

    def paint(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
        a, b = centre * _SMOOTH - np.array([x, y])
        r = radius * _SMOOTH
        draw.ellipse((a - r, b - r, a + r, b + r), outline=255, width=max(1, round(width * _SMOOTH)))

    _paint(picture, colour, _around(centre[None], radius + 1), paint)


def draw_number(picture: Picture, centre: Points, number: int, size: int, colour: Colour) -> None:
    """A white number on a disc with a thin white rim."""
    for radius, shade in ((0.7 * size, PAPER), (0.7 * size - max(1.0, size / 12), colour)):

        def paint(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float = radius) -> None:
            a, b = centre * _SMOOTH - np.array([x, y])
            r = radius * _SMOOTH
            draw.ellipse((a - r, b - r, a + r, b + r), fill=255)

        _paint(picture, shade, _around(centre[None], radius + 1), paint)
    digits, small = str(number), round((0.85 if number < 10 else 0.65) * size)
    left, top = centre[0] - text_width(digits, small) / 2, centre[1] - LINE_HEIGHT * small / 2
    draw_text(ImageDraw.Draw(picture), float(left), float(top), digits, small, PAPER)


def draw_bar(picture: Picture, box: Box, share: float, colour: Colour) -> None:
    """A bar in `box` of which `share` (0..1) is filled."""
    filled = (box[0], box[1], box[0] + (box[2] - box[0]) * min(1.0, max(0.0, share)), box[3])
    for place, shade in ((box, RULE), (filled, colour)):
        bounds = tuple(edge * _SMOOTH for edge in place)

        def paint(draw: ImageDraw.ImageDraw, x: float, y: float, bounds: tuple[float, ...] = bounds) -> None:
            left, top, right, bottom = _moved(bounds, x, y)
            if right > left:
                draw.rounded_rectangle((left, top, right, bottom), (bottom - top) / 2, fill=255)

        _paint(picture, shade, place, paint)


def draw_rectangle(picture: Picture, box: Box, colour: Colour, width: int) -> None:
    """The frame of `box`, `width` pixels thick towards the inside."""
    x1, y1, x2, y2 = (round(edge) for edge in box)
    if x2 > x1 and y2 > y1:
        ImageDraw.Draw(picture).rectangle((x1, y1, x2 - 1, y2 - 1), outline=colour, width=width)


def draw_label(picture: Picture, text: str, size: int, box: Box, colour: Colour) -> None:
    """Small letters on a light ground on top of a region's left corner, or inside it at the picture's top."""
    width, height = text_width(text, size) + 0.6 * size, LINE_HEIGHT * size
    left = max(0.0, min(box[0], picture.width - width))
    top = max(0.0, box[1] - height)
    place = (left, top, left + width, top + height)
    _paint(picture, PAPER, place, lambda draw, x, y: draw.rectangle((0, 0, width * _SMOOTH, height * _SMOOTH), fill=210))
    draw_text(ImageDraw.Draw(picture), left + 0.3 * size, top, text, size, colour)


def overlap(a: Box, b: Box) -> float:
    """Area that two boxes share, square pixels."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def draw_caption(picture: Picture, text: str, size: int, box: Box, taken: list[Box], colour: Colour) -> Box:
    """White letters on a plate of `colour` beside `box`, where they cover least of what is `taken`; gives their place."""
    pad = max(2, round(0.35 * size))
    text = shorten(text, size, picture.width - 2 * pad)
    width, height = min(float(picture.width), text_width(text, size) + 2 * pad), LINE_HEIGHT * size + 0.2 * pad
    gap = max(2, size // 6)
    corners = (
        (box[0], box[1] - height - gap),
        (box[0], box[3] + gap),
        (box[2] + gap, box[1]),
        (box[0] - width - gap, box[1]),
    )
    inside = ((min(max(0.0, x), picture.width - width), min(max(0.0, y), max(0.0, picture.height - height))) for x, y in corners)
    places = [(x, y, x + width, y + height) for x, y in inside]
    place = min(places, key=lambda place: sum(overlap(place, other) for other in taken))
    bounds = tuple(round(_SMOOTH * edge) for edge in place)
    _paint(picture, colour, place, lambda draw, x, y: draw.rounded_rectangle(_moved(bounds, x, y), pad * _SMOOTH, fill=235))
    draw_text(ImageDraw.Draw(picture), place[0] + pad, place[1] + 0.1 * pad, text, size, PAPER)
    return place
