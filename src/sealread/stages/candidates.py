"""A second way to find seals: by their ink and their outline, without a network.

Takes:      a page, BGR.
Gives:      boxes that may hold a seal, each with a score, a shape and a colour, in pixels of the page.
Method:     divide the page by its paper colour, so that casts, shadows and tints vanish; part red, blue and dark ink; let the
            outlines of each ink vote for the centres of rings (`conics.vote`) and join what lies close together to blobs; lay an
            ellipse or a tilted rectangle on each; add up the evidence that a seal leaves and other things do not.
Engine:     none.
Nothing:    a page without ink, and a page of fewer than `LEAST_PAGE` pixels on a side, give no candidate.
Invariants: best score first; boxes lie inside the page; no two overlap by more than `MOST_OVERLAP` (intersection over union).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread import conics
from sealread.conics import Ellipse
from sealread.odds import probability
from sealread.pixels import resize
from sealread.types import Image, Region

Gray = NDArray[np.uint8]
Shape = Literal["round", "oval", "square", "rect", "other"]
Colour = Literal["red", "blue", "black", "purple", "grey"]
Kind = Literal["red", "blue", "dark"]
Box = tuple[float, float, float, float]

#: Long side of the page while it is judged: the strokes of a seal of 40 mm on A4 are still 2 pixels wide. Small pages are enlarged.
WORK_SIDE = 1120
#: ... by no more than this: beyond it there is nothing to see.
MOST_ENLARGED = 2.0
#: A page smaller than this on a side shows no readable seal.
LEAST_PAGE = 24

#: Long side of a seal over that of the page: a name seal of 8 mm on A4, up to a stamp that fills half a receipt.
SIZES = (0.027, 0.45)
#: Rings smaller than this share of the page are not voted for: there the letters O and 0 begin. As blobs of colour they are found.
LEAST_RING = 0.05
#: Short side over long side of a stamp.
LEAST_ASPECT = 0.2
#: Rings judged for each ink, and the support (share of the circumference) that a ring needs to be judged.
MOST_RINGS = 16
LEAST_SUPPORT = 0.13

#: Paper is the brightest ink-free colour within this share of the page: wider than strokes and rings, narrower than shadows.
PAPER_REACH = 0.025
#: Scale at which slow things (paper, strength of the ink nearby) are estimated.
COARSE = 8
#: Contrast that ink must have, of 255: above JPEG noise of colour, and for dark ink above show-through.
LEAST_INK: dict[Kind, int] = {"red": 12, "blue": 12, "dark": 30}
#: ... and the share of the strongest ink nearby: paler pixels are smear.
INK_SHARE = 0.4
#: Dark letters are smaller than this share of the page; what is larger may be a ring.
LETTER = 0.02
#: Strokes that run straight for this share of the page are lines of a form.
FORM_LINE = 0.25
#: Gaps over which ink is joined to a blob, as shares of the page: the parts of a closed frame; the characters of a stamp.
JOINS = (0.006, 0.016)
#: Area of a convex outline over that of its tightest rectangle: pi/4 for an ellipse, 1 for a rectangle; above this it is a rectangle.
RECTANGULAR = 0.88
#: Short over long axis from which an ellipse is called round, and a rectangle square.
ROUND, SQUARE = 0.88, 0.8
#: Paper looked at on each side of a rectangle, in units of its short side.
MARGIN = 0.15
#: What is looked at around a given box, as a share of its longer side: the ring may lie further out, and the paper beside it counts.
AROUND = 0.3

#: Taken off the logarithm of the odds for dark ink (print is dark too), green ink (logos), and rectangles (boxes of forms).
UNUSUAL = 1.2
#: Two candidates do not overlap by more than this, and the smaller does not lie inside the other by more than that.
MOST_OVERLAP, MOST_INSIDE = 0.4, 0.8
#: From this score on a candidate is taken for a seal without another witness.
LIKELY = 0.8
#: Candidates below this score are not worth a look by anyone.
LEAST_SCORE = 0.02


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that may hold a seal.

    Attributes:
        box: ``(x1, y1, x2, y2)`` in pixels of the page, touching the outer ring or frame.
        score: how likely this is a seal, 0..1, judged by hand-set evidence.
        shape: of its outline.
        colour: of its ink.
    """

    box: Box
    score: float
    shape: Shape
    colour: Colour


@dataclass(frozen=True, slots=True)
class _Ink:
    """One kind of ink: `mask` is 255 where it is; `half` is the same at half the size, where rings are voted for and blobs joined."""

    kind: Kind
    mask: Gray
    half: Gray


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a seal; all but `letters` are shares, 0..1.

    Attributes:
        edge: of the outline behind which the ink ends.
        line: of the outline that one thin line of ink follows.
        quiet: of the paper just outside that is free of this ink.
        fill: of the inside that is ink.
        letters: strokes met on a way round inside; for rectangles, across.
        size: long side over that of the page.
    """

    edge: float
    line: float
    quiet: float
    fill: float
    letters: float
    size: float


def find_candidates(page: Image, near: Sequence[Box] | None = None) -> list[Candidate]:
    """Places on the page that may hold a seal, most likely first.

    Args:
        page: ``(height, width, 3)`` uint8 BGR.
        near: look in these boxes and a little around them only, and no longer than until each of them has a likely candidate.

    Returns:
        Candidates whose boxes lie in pixels of `page`, ``[0, width] x [0, height]``; empty where nothing looks like a seal.
    """
    height, width = page.shape[:2]
    if min(height, width) < LEAST_PAGE:
        return []
    work = _resize(page)
    flat = _flatten(work)
    sx, sy = width / work.shape[1], height / work.shape[0]
    if near is not None:
        flat = _only(flat, [(x1 / sx, y1 / sy, x2 / sx, y2 / sy) for x1, y1, x2, y2 in near])
    found: list[Candidate] = []
    for ink in _part_inks(flat):
        found += [_enlarge(c, sx, sy, width, height) for c in _judge_ink(ink, flat)]
        if near is not None and all(any(c.score >= LIKELY and _same(c.box, box) for c in found) for box in near):
            break
    # Compared as they lie inside the page: there a box that is cut off may come to equal another.
    return _best_apart(found)


def _enlarge(c: Candidate, sx: float, sy: float, width: int, height: int) -> Candidate:
    # Samples lie at integers in the work frame and at integers plus one half on the page.
    x1, y1, x2, y2 = ((v + 0.5) * s for v, s in zip(c.box, (sx, sy, sx, sy), strict=True))
    box = (max(0.0, x1), max(0.0, y1), min(float(width), x2), min(float(height), y2))
    return Candidate(box, c.score, c.shape, c.colour)


def _resize(page: Image) -> Image:
    """The page with its long side at `WORK_SIDE` and both sides even."""
    height, width = page.shape[:2]
    scale = min(MOST_ENLARGED, WORK_SIDE / max(height, width))
    return resize(page, max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2)))


def _flatten(work: Image) -> Image:
    """The page divided by its paper colour: paper is white, whatever its tint and light."""
    height, width = work.shape[:2]
    coarse = cv2.resize(work, (math.ceil(width / COARSE), math.ceil(height / COARSE)), interpolation=cv2.INTER_AREA)
    reach = 2 * round(PAPER_REACH * WORK_SIDE / COARSE) + 1
    paper = cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    # Black surroundings of a photo are not divided up into noise.
    paper = cv2.GaussianBlur(np.maximum(paper, 24), (0, 0), reach / 2)
    return np.asarray(cv2.divide(work, cv2.resize(paper, (width, height)), scale=255), dtype=np.uint8)


def _only(flat: Image, boxes: Sequence[Box]) -> Image:
    """The boxes with what is around them, the rest white."""
    kept = np.full_like(flat, 255)
    for x1, y1, x2, y2 in boxes:
        reach = AROUND * max(x2 - x1, y2 - y1)
        rows = slice(max(round(y1 - reach), 0), max(round(y2 + reach), 0))
        columns = slice(max(round(x1 - reach), 0), max(round(x2 + reach), 0))
        kept[rows, columns] = flat[rows, columns]
    return kept


def _part_inks(flat: Image) -> Iterator[_Ink]:
    """Red, blue and dark ink of a flattened page; violet ink shows as red or blue, overprinted black not at all."""
    blue, green, red = cv2.split(flat)
    brightest = cv2.max(cv2.max(blue, green), red)
    dark = cv2.bitwise_not(brightest)
    yield _mask("red", cv2.subtract(red, green))
    # Black print under a cast looks bluish: a quarter of its darkness is taken off.
    yield _mask("blue", cv2.subtract(cv2.subtract(blue, cv2.min(red, green)), cv2.convertScaleAbs(dark, alpha=0.25)))
    yield _mask("dark", dark)


def _mask(kind: Kind, strength: NDArray[np.integer[Any] | np.floating[Any]]) -> _Ink:
    height, width = strength.shape[:2]
    size = max(1, width // COARSE), max(1, height // COARSE)
    coarse = cv2.resize(cv2.blur(strength, (3, 3)), size, interpolation=cv2.INTER_NEAREST)
    nearby = cv2.blur(cv2.dilate(coarse, np.ones((9, 9), np.uint8)), (9, 9))
    limit = np.maximum(cv2.convertScaleAbs(cv2.resize(nearby, (width, height)), alpha=INK_SHARE), LEAST_INK[kind])
    mask = np.asarray(cv2.compare(strength, limit, cv2.CMP_GT), dtype=np.uint8)
    return _Ink(kind, mask, np.asarray(cv2.resize(mask, (width // 2, height // 2), interpolation=cv2.INTER_AREA), dtype=np.uint8))


def _judge_ink(ink: _Ink, flat: Image) -> Iterator[Candidate]:
    """All that this ink draws, in pixels of the work frame; one seal may come several times."""
    for ellipse in _rings(ink):
        yield from _judge_ring(ink, ellipse, flat)
    for hull in _blobs(ink):
        (x, y), (w, h), angle = cv2.minAreaRect(hull)
        if cv2.contourArea(hull) > RECTANGULAR * w * h:
            # The hull runs through centres of halved pixels, the frame ends at their far sides.
            yield from _judge_frame(ink, (x + 0.5, y + 0.5), (w + 2, h + 2), angle, flat)
        else:
            yield from _judge_ring(ink, Ellipse(x + 0.5, y + 0.5, w / 2, h / 2, math.radians(angle)), flat)


def _rings(ink: _Ink) -> list[Ellipse]:
    """Ellipses that the outlines of the ink vote for."""
    half = _without_letters(ink.half) if ink.kind == "dark" else ink.half
    # A slope of 12 a pixel is a line of half a pixel's width: thinner ones were lost when the page was reduced.
    points, inward = conics.outlines(np.asarray(cv2.GaussianBlur(half, (0, 0), 0.8), dtype=np.uint8), 12)
    side = max(half.shape)
    radii = LEAST_RING * side / 2, SIZES[1] * side / 2
    rings = conics.vote(points, inward, (half.shape[0], half.shape[1]), radii, MOST_RINGS, LEAST_SUPPORT)
    return [Ellipse(2 * e.x + 0.5, 2 * e.y + 0.5, 2 * e.a, 2 * e.b) for _, e in rings]


def _without_letters(mask: Gray) -> Gray:
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    large = np.maximum(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]) >= LETTER * max(mask.shape)
    large[0] = False
    return np.where(large[parts], mask, np.uint8(0))


def _blobs(ink: _Ink) -> Iterator[NDArray[np.int32]]:
    """Convex outlines of ink that lies close together, in proportions of a seal; of dark ink there is too much to join."""
    if ink.kind == "dark":
        return
    half = cv2.threshold(ink.half, 100, 255, cv2.THRESH_BINARY)[1]
    side = max(half.shape)
    long = round(FORM_LINE * side)
    across = cv2.morphologyEx(half, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    down = cv2.morphologyEx(half, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8))
    loose = cv2.subtract(half, cv2.max(across, down))
    for join in JOINS:
        reach = 2 * round(join * side / 2) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        closed = cv2.morphologyEx(loose, cv2.MORPH_CLOSE, kernel)
        for outline in cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
            hull = cv2.convexHull(outline)
            w, h = cv2.minAreaRect(hull)[1]
            if SIZES[0] * side <= max(w, h) <= SIZES[1] * side and min(w, h) >= LEAST_ASPECT * max(w, h):
                yield np.asarray(2 * hull, dtype=np.int32)


def _judge_ring(ink: _Ink, ellipse: Ellipse, flat: Image) -> Iterator[Candidate]:
    """The ellipse as a candidate, unless it settles outside the sizes or the page."""
    ellipse = conics.settle(ink.mask, ellipse)
    evidence = _ring_evidence(ink.mask, ellipse)
    if evidence is None:
        return
    shape: Shape = "round" if min(ellipse.a, ellipse.b) >= ROUND * max(ellipse.a, ellipse.b) else "oval"
    yield _candidate(ink, ellipse.box, evidence, shape, flat)


def _ring_evidence(mask: Gray, ellipse: Ellipse) -> Evidence | None:
    height, width = mask.shape
    x1, y1, x2, y2 = ellipse.box
    size = max(x2 - x1, y2 - y1) / max(height, width)
    if not SIZES[0] <= size <= SIZES[1]:
        return None
    at = conics.reach_index
    xs, ys = (c[:, at(1)] for c in ellipse.rays())
    # A seal may run off the page; only rays whose end can be seen are asked.
    seen = (xs >= 0) & (ys >= 0) & (xs <= width - 1) & (ys <= height - 1)
    if seen.mean() < 0.5:
        return None
    ink = (conics.unroll(mask, ellipse) > 127)[seen]
    rim = slice(at(0.94), at(1.05))
    ends = ink[:, rim] & ~ink[:, at(0.94) + 1 : at(1.05) + 1]
    inside = ink[:, at(0.5) : at(0.9)]
    strokes = np.sort((inside[1:] & ~inside[:-1]).sum(axis=0))[-4:].mean() / seen.mean()
    return Evidence(
        edge=float(ends.any(axis=1).mean()),
        line=float(ink[:, at(0.92) : at(1.02) + 1].mean(axis=0).max()),
        quiet=1 - float(ink[:, at(1.07) : at(1.3)].mean()),
        fill=float(ink[:, at(0.12) : at(0.88)].mean()),
        letters=float(strokes),
        size=size,
    )


def _judge_frame(ink: _Ink, centre: tuple[float, float], sides: tuple[float, float], angle: float, flat: Image) -> Iterator[Candidate]:
    """The tilted rectangle as a candidate."""
    corners = cv2.boxPoints((centre, sides, angle))
    (x1, y1), (x2, y2) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    evidence = _frame_evidence(ink.mask, centre, sides, angle, max(x2 - x1, y2 - y1) / max(ink.mask.shape))
    shape: Shape = "square" if min(sides) >= SQUARE * max(sides) else "rect"
    yield _candidate(ink, (x1, y1, x2, y2), evidence, shape, flat)


def _frame_evidence(mask: Gray, centre: tuple[float, float], sides: tuple[float, float], angle: float, size: float) -> Evidence:
    margin = max(3, round(MARGIN * min(sides)))
    width, height = (math.ceil(side) + 2 * margin for side in sides)
    turn = cv2.getRotationMatrix2D(centre, angle, 1.0)
    turn[:, 2] += np.array([(width - 1) / 2 - centre[0], (height - 1) / 2 - centre[1]])
    ink = cv2.warpAffine(mask, turn, (width, height)) > 127
    inner = ink[margin:-margin, margin:-margin]
    rim = max(2, min(inner.shape) // 8)
    core = inner[rim:-rim, rim:-rim]
    # Corners are left out: many are rounded.
    edges = [side[:, rim:-rim] for side in (inner[:rim], inner[::-1][:rim], inner.T[:rim], inner.T[::-1][:rim])]
    outside = np.ones_like(ink)
    outside[margin - 2 : 2 - margin, margin - 2 : 2 - margin] = False
    strokes = np.concatenate([(core[1:] & ~core[:-1]).sum(axis=0), (core[:, 1:] & ~core[:, :-1]).sum(axis=1)])
    return Evidence(
        edge=float(min(side.any(axis=0).mean() for side in edges)),
        # Two neighbouring rows together: the frame may be tilted a little against the rectangle.
        line=float(min((side[1:] | side[:-1]).mean(axis=1).max() for side in edges)),
        quiet=1 - float(ink[outside].mean()),
        fill=float(core.mean()),
        letters=float(np.sort(strokes)[-4:].mean()),
        size=size,
    )


def _candidate(ink: _Ink, box: Box, evidence: Evidence, shape: Shape, flat: Image) -> Candidate:
    colour, green = _colour(ink, box, flat)
    odds = _log_odds(evidence)
    odds -= UNUSUAL * ((ink.kind == "dark") + green + (shape in ("square", "rect")))
    return Candidate(box, probability(odds), shape, colour)


def _log_odds(e: Evidence) -> float:
    """Natural logarithm of the odds that this is a seal; each term is 0 where seals and other things are equally common."""
    odds = 6 * (e.edge - 0.65) + 5 * (e.line - 0.65) + 6 * (e.quiet - 0.9)
    # Logos, photos and QR codes hold more ink than lines of text do.
    odds -= 15 * max(0.0, e.fill - 0.4)
    # Circles of diagrams are empty, and single characters hold few strokes.
    odds -= 1.2 * max(0.0, 5 - e.letters)
    # Small things are mostly characters and ticks.
    return odds + 3 * min(0.0, math.log2(e.size / 0.06))


def _colour(ink: _Ink, box: Box, flat: Image) -> tuple[Colour, bool]:
    """Name of the ink's mean colour in the box, and whether it is rather green."""
    x1, y1, x2, y2 = (max(0, round(v)) for v in box)
    blue, green, red, _ = cv2.mean(flat[y1:y2, x1:x2], ink.mask[y1:y2, x1:x2])
    # 20 of 255: casts that the paper colour did not take away are weaker.
    tinted = green - 20 > max(blue, red)
    if ink.kind == "dark":
        return ("black" if max(blue, green, red) < 140 else "grey"), tinted
    # Red ink leaves red light, blue ink blue light, purple ink both.
    if min(red, blue) - green > 0.5 * (max(red, blue) - green):
        return "purple", False
    return ("red" if red > blue else "blue"), tinted


def _best_apart(found: list[Candidate]) -> list[Candidate]:
    kept: list[Candidate] = []
    for c in sorted(found, key=lambda c: -c.score):
        if c.score >= LEAST_SCORE and not any(_same(c.box, k.box) for k in kept):
            kept.append(c)
    return kept


def _same(a: Box, b: Box) -> bool:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return False
    first, second = (a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1])
    return w * h > MOST_OVERLAP * (first + second - w * h) or w * h > MOST_INSIDE * min(first, second)


@dataclass(frozen=True, slots=True)
class InkFinder:
    """The second way in the place of a layout network.

    Attributes:
        cls_id: the id of ``seal`` that its regions carry.
    """

    cls_id: int = 16

    def find(self, page: Image, least: float, near: Sequence[Box] | None = None) -> list[Region]:
        """Candidates with a score of `least` or more as regions, best first; `near` as in `find_candidates`."""
        return [Region(self.cls_id, "seal", c.score, c.box) for c in find_candidates(page, near) if c.score >= least]
