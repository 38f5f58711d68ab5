"""Draw a reading: the page with its seals, the preprocessing steps, and each seal beside its text.

Takes:      a `PageReading`.
Gives:      Pillow images, mode RGB. The page's picture has the size of the flat page; the others choose their own.
Method:     outlines are painted as masks of twice the size and reduced, so that curves are smooth; all widths and letters
            follow the size of the picture.
Nothing:    a page without regions is drawn as it is; a seal without text says so.
Invariants: no caption leaves the picture; the reading is not changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from sealread.fonts import LINE_HEIGHT, Colour, draw_text, shorten, text_width, wrap
from sealread.frames import Frame
from sealread.painting import (
    PAPER,
    RULE,
    Box,
    Picture,
    draw_bar,
    draw_caption,
    draw_label,
    draw_number,
    draw_outline,
    draw_rectangle,
    draw_ring,
    overlap,
)
from sealread.types import Image, PageReading, Points, Region, Role, SealReading, TextLine

SEAL_COLOUR: Colour = (216, 27, 96)
ROLE_COLOURS: dict[Role, Colour] = {
    "outer_arc": (21, 101, 192),
    "inner_arc": (0, 131, 120),
    "horizontal": (106, 27, 154),
    "code": (176, 96, 0),
    "other": (84, 110, 122),
}
#: Of layout regions that are no seals, by order of first appearance of their label.
REGION_COLOURS: tuple[Colour, ...] = ((120, 144, 156), (141, 110, 99), (124, 148, 104), (126, 118, 160), (160, 130, 90), (96, 144, 150))
DROPPED_COLOUR: Colour = (140, 140, 140)
#: A character whose score is below the first limit that applies is marked in that colour.
DOUBT_COLOURS: tuple[tuple[float, Colour], ...] = ((0.5, (211, 47, 47)), (0.8, (216, 128, 0)))
INK: Colour = (33, 37, 41)
FAINT_INK: Colour = (108, 117, 125)
DESK: Colour = (241, 243, 245)

_SEAL_HEIGHTS = (480, 1200)  # least and greatest height of the enlarged seal, pixels
_SEAL_WIDTH = 1600  # greatest width of the enlarged seal, pixels
_PANEL_HEIGHT, _PANELS_WIDTH = 1400, 2800  # greatest size of the preprocessing picture, pixels


def draw_page(reading: PageReading) -> Picture:
    """The flat page with its layout regions and doubtful places, and on each seal its box, its lines of text and a caption."""
    picture = _pillow(reading.flat)
    size = min(64, max(11, round(0.013 * math.sqrt(picture.width * picture.height))))
    regions = () if reading.regions is None else reading.regions
    labels = list(dict.fromkeys(region.label for region in regions if not _is_seal(region)))
    for region in regions:
        if not _is_seal(region):
            colour = REGION_COLOURS[labels.index(region.label) % len(REGION_COLOURS)]
            draw_rectangle(picture, region.box, colour, max(1, size // 12))
            draw_label(picture, f"{region.label} {region.score:.2f}", round(0.85 * size), region.box, colour)
    for place in reading.doubtful:
        draw_rectangle(picture, place.box, DROPPED_COLOUR, max(1, size // 12))
        draw_label(picture, f"seal? {place.score:.2f}, not legible", round(0.85 * size), place.box, DROPPED_COLOUR)
    for seal in reading.seals:
        for line in seal.lines:
            draw_outline(picture, line.polygon + np.array(seal.box[:2]), _line_colour(line), max(1.5, size / 12))
    seals = [region for region in regions if _is_seal(region)]
    for region in seals:
        draw_rectangle(picture, region.box, SEAL_COLOUR, max(2, size // 8))
    taken: list[Box] = [region.box for region in seals]
    for region in seals:
        taken.append(draw_caption(picture, _caption(region, reading.seals), size, region.box, taken, SEAL_COLOUR))
    return picture


def _flattening(reading: PageReading) -> str:
    if not reading.use_doc_unwarping:
        return "unwarping off, not flattened"
    return "flat already" if reading.flat is reading.upright else "flattened"


def draw_preprocessing(reading: PageReading) -> Picture:
    """The page as given, after turning, and after flattening, side by side with captions."""
    turned = f"turned {reading.angle}° counter-clockwise" if reading.angle > 0 else "upright, not turned"
    steps = (
        ("original", reading.page.image),
        (turned if reading.use_doc_orientation_classify else "orientation off, not turned", reading.upright),
        (_flattening(reading), reading.flat),
    )
    widest, highest = sum(image.shape[1] for _, image in steps), max(image.shape[0] for _, image in steps)
    scale = min(1.0, _PANEL_HEIGHT / highest, _PANELS_WIDTH / widest)
    panels = [_resized(_pillow(image), scale) for _, image in steps]
    size = min(28, max(11, round(0.05 * max(panel.width for panel in panels))))
    gap, top = size, round(2.2 * size)
    height = top + max(panel.height for panel in panels) + gap
    sheet = PillowImage.new("RGB", (sum(panel.width for panel in panels) + gap * (len(panels) + 1), height), DESK)
    draw = ImageDraw.Draw(sheet)
    left = gap
    for (name, _), panel in zip(steps, panels, strict=True):
        draw_text(draw, left, 0.5 * size, shorten(name, size, panel.width), size, INK)
        draw.rectangle((left - 1, top - 1, left + panel.width, top + panel.height), outline=RULE)
        sheet.paste(panel, (left, top))
        left += panel.width + gap
    return sheet


def draw_seal(seal: SealReading, frame: Frame) -> Picture:
    """The seal, enlarged, with its numbered lines; beside it what they say and how sure that is.

    Args:
        seal: what to draw.
        frame: the reading's frame, from the flat page to the caller's page; it places the marks of doubtful characters.
    """
    crop = _pillow(seal.crop)
    low, high = _SEAL_HEIGHTS
    scale = min(max(1.0, low / crop.height), _SEAL_WIDTH / crop.width, high / crop.height)
    left = _resized(crop, scale)
    size = round(max(low, left.height) / 24)
    _draw_lines(left, seal, frame, scale, size)
    panel = _Panel(seal, size, 24 * size)
    height = max(low, left.height, panel.height)
    sheet = PillowImage.new("RGB", (left.width + panel.width, height), PAPER)
    sheet.paste(DESK, (0, 0, left.width, height))
    sheet.paste(left, (0, (height - left.height) // 2))
    panel.draw(sheet, left.width)
    return sheet


def _draw_lines(picture: Picture, seal: SealReading, frame: Frame, scale: float, size: int) -> None:
    """Outlines, marks of doubtful characters and numbers on the enlarged seal."""
    for line in seal.lines:
        draw_outline(picture, line.polygon * scale, _line_colour(line), max(1.5, size / 10))
    kept = [line for line in seal.lines if line.kept]
    to_crop = _page_to_crop(seal, frame)
    for line in kept if to_crop is not None else ():
        centres = np.column_stack([line.char_points, np.ones(len(line.char_points))]) @ to_crop * scale
        gaps = np.hypot(*np.diff(centres, axis=0).T)
        radius = max(3.0, min(0.6 * size, 0.55 * float(np.median(gaps)))) if len(gaps) else 0.6 * size
        for score, centre in zip(line.char_scores, centres, strict=False):
            colour = _doubt(score)
            if colour is not None:
                draw_ring(picture, centre, radius, colour, max(1.5, size / 10))
    placed: list[Points] = []
    for number, line in enumerate(kept, start=1):
        placed.append(_number_place(line.polygon * scale, np.array(picture.size, dtype=np.float64), size, placed))
        draw_number(picture, placed[-1], number, size, ROLE_COLOURS[line.role])


def _number_place(polygon: Points, picture_size: Points, size: int, placed: list[Points]) -> Points:
    """Where the number of a line stands: before its first character, inside the picture, clear of the other numbers."""
    back = polygon[0] - polygon[1]
    length = float(np.hypot(*back))
    shift = back / length * 0.5 * size if length > 0 else np.zeros(2)
    starts = [edge + shift for edge in (polygon[0], (polygon[0] + polygon[-1]) / 2, polygon[-1])]
    starts = [np.clip(start, 0.7 * size, np.maximum(picture_size - 0.7 * size, 0.7 * size)) for start in starts]
    return max(starts, key=lambda start: min([1.5 * size, *(float(np.hypot(*(start - other))) for other in placed)]))


def _page_to_crop(seal: SealReading, frame: Frame) -> Points | None:
    """``(3, 2)`` affine map from ``(x, y, 1)`` on the caller's page to the crop, fitted over the crop; None if it is flat."""
    x1, y1, x2, y2 = seal.box
    xs, ys = np.meshgrid(np.linspace(x1, x2, 4), np.linspace(y1, y2, 4))
    flat = np.stack([xs.ravel(), ys.ravel()], axis=1)
    page = np.column_stack([frame.to_source(flat), np.ones(len(flat))])
    fitted, _, rank, _ = np.linalg.lstsq(page, flat - np.array([x1, y1]), rcond=None)
    return np.asarray(fitted, dtype=np.float64) if rank == 3 else None


@dataclass
class _Panel:
    """The list of lines beside a seal; `size` is the size of its smaller letters, `width` its width in pixels."""

    seal: SealReading
    size: int
    width: int

    def __post_init__(self) -> None:
        self.margin = round(1.2 * self.size)
        self.indent = round(2.0 * self.size)
        self.text_size = round(1.35 * self.size)
        room = self.width - 2 * self.margin - self.indent
        self.rows = [(line, wrap(line.text, self.text_size, room)) for line in self.seal.lines if line.kept]
        self.doubtful = any(_doubt(score) for line, _ in self.rows for score in line.char_scores)

    @property
    def height(self) -> int:
        pieces = sum(max(1, len(pieces)) for _, pieces in self.rows)
        heading, foot = 5.4 * self.size, 3.0 * self.size if self.doubtful else 0.6 * self.size
        return math.ceil(heading + foot + len(self.rows) * 2.6 * self.size + pieces * LINE_HEIGHT * self.text_size)

    def draw(self, sheet: Picture, left: int) -> None:
        draw = ImageDraw.Draw(sheet)
        x, right, size = float(left + self.margin), left + self.width - self.margin, self.size
        title = round(1.5 * size)
        draw_text(draw, x, 0.8 * size, f"Seal {self.seal.region_id}", title, INK)
        facts = f"found {self.seal.detection_score:.2f}" + _turn(self.seal.rotation)
        draw_text(draw, x, 2.9 * size, shorten(facts, size, right - x), size, FAINT_INK)
        draw.line((x, round(4.6 * size), right, round(4.6 * size)), fill=RULE, width=max(1, size // 12))
        y: float = 5.4 * size
        if not self.rows:
            draw_text(draw, x, y, "no text was read", self.text_size, FAINT_INK)
        for number, (line, pieces) in enumerate(self.rows, start=1):
            y = self._draw_row(sheet, (x, y, right), number, line, pieces)
        if self.doubtful:
            y = max(y, sheet.height - 2.2 * size)
            for (limit, colour), name in zip(reversed(DOUBT_COLOURS), ("doubtful", "very doubtful"), strict=True):
                x = draw_text(draw, x, y, f"{name}: below {limit}", round(0.85 * size), colour) + size

    def _draw_row(self, sheet: Picture, place: tuple[float, float, float], number: int, line: TextLine, pieces: list[str]) -> float:
        x, y, right = place
        size, draw, colour = self.size, ImageDraw.Draw(sheet), ROLE_COLOURS[line.role]
        draw_number(sheet, np.array([x + 0.7 * size, y + 0.65 * size]), number, size, colour)
        draw_text(draw, x + self.indent, y, line.role.replace("_", " "), size, colour)
        score = f"{line.score:.2f}"
        bar = right - text_width(score, size) - 0.5 * size
        draw_text(draw, right - text_width(score, size), y, score, size, INK)
        draw_bar(sheet, (bar - 4.5 * size, y + 0.45 * size, bar, y + 0.9 * size), line.score, colour)
        y += 1.5 * size
        if not pieces:
            draw_text(draw, x + self.indent, y, "(empty)", self.text_size, FAINT_INK)
        scores = iter(line.char_scores)
        for piece in pieces or [""]:
            self._draw_piece(draw, x + self.indent, y, piece, [next(scores, 1.0) for _ in piece])
            y += LINE_HEIGHT * self.text_size
        return y + 1.1 * size

    def _draw_piece(self, draw: ImageDraw.ImageDraw, x: float, y: float, piece: str, scores: list[float]) -> None:
        under = y + 1.24 * self.text_size
        for character, score in zip(piece, scores, strict=True):
            colour = _doubt(score)
            end = draw_text(draw, x, y, character, self.text_size, INK if colour is None else colour)
            if colour is not None:
                draw.line((x + 1, under, end - 1, under), fill=colour, width=max(2, self.size // 9))
            x = end


def _pillow(image: Image) -> Picture:
    """A BGR array as a Pillow image of its own memory."""
    return PillowImage.fromarray(np.ascontiguousarray(image[:, :, ::-1]))


def _resized(picture: Picture, scale: float) -> Picture:
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.copy() if size == picture.size else picture.resize(size, PillowImage.Resampling.LANCZOS)


def _is_seal(region: Region) -> bool:
    return region.label.lower() == "seal"


def _line_colour(line: TextLine) -> Colour:
    return ROLE_COLOURS[line.role] if line.kept else DROPPED_COLOUR


def _doubt(score: float) -> Colour | None:
    return next((colour for limit, colour in DOUBT_COLOURS if score < limit), None)


def _turn(rotation: float | None) -> str:
    if rotation is None:
        return ""
    if abs(rotation) < 0.5:
        return " · upright"
    return f" · turned {abs(rotation):.0f}° {'clockwise' if rotation > 0 else 'counter-clockwise'}"


def _caption(region: Region, seals: Iterable[SealReading]) -> str:
    """``seal 0.97 · text``, with the first text of the seal that was cut out for the region."""
    name = f"{region.label} {region.score:.2f}"
    area = (region.box[2] - region.box[0]) * (region.box[3] - region.box[1])
    inside = max(seals, key=lambda seal: overlap(seal.box, region.box), default=None)
    if inside is None or overlap(inside.box, region.box) < 0.5 * area:
        return name
    text = next((line.text for line in inside.lines if line.kept and line.text), None)
    return name if text is None else f"{name} · {text}"
