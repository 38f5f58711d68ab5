"""From detected lines to read lines: which bands to read, which reading to believe, what a line is on its seal.

Frame: everything lies in pixels of the image that the lines were found on; the pipeline uses the flat page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.curves import fit_circle
from sealread.polygons import Points, tangents, top_normals, total_turning
from sealread.stages.rectification import Strip, length, readings, thickness
from sealread.tracing import ARC_TURN
from sealread.types import DetectedLine, Recognition, Ribbon, Role

#: From this confidence of the network on, a line is read in its direction only.
_SURE_DIRECTION = 0.5
#: Characters with less than this probability speak against a reading.
_CHARACTER_DOUBT = 0.5
#: Two outlines that share this much of the smaller one are the same line.
_SAME_LINE = 0.6
#: A code has at least so many characters.
_LEAST_CODE = 5
#: Arcs inside this share of the outermost radius are inner arcs.
_INNER = 0.8
#: A line goes on in another one that starts within this many heights, is about as high, and runs within 30 degrees of it.
_WIDEST_GAP, _LIKE_HEIGHT, _GOES_ON = 1.2, 0.7, 0.87
_ROLE_ORDER: tuple[Role, ...] = ("outer_arc", "inner_arc", "horizontal", "code", "other")

#: One way to read a line: its bands in reading order (several for the columns of a square seal).
Choice = tuple[Ribbon, ...]


@dataclass(frozen=True, slots=True)
class LinePlan:
    """A line with the ways in which it may be read, the likeliest first."""

    polygon: Points
    score: float
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line with the reading that won.

    Attributes:
        strips: what was read, in reading order.
    """

    polygon: Points
    detection_score: float
    choice: Choice
    strips: tuple[Strip, ...]
    recognition: Recognition

    @property
    def middle(self) -> Points:
        """The line's middle ``(k, 2)`` in reading direction."""
        return np.concatenate([(ribbon.top + ribbon.bottom) / 2 for ribbon in self.choice])

    def char_points(self) -> Points:
        """``(len(text), 2)`` centre of each character."""
        starts, positions = _starts(self.strips), np.array(self.recognition.char_positions)
        inside = np.clip(np.searchsorted(starts, positions, side="right") - 1, 0, len(self.strips) - 1)
        points = np.empty((len(positions), 2))
        for i, strip in enumerate(self.strips):
            shares = (positions[inside == i] - starts[i]) / (starts[i + 1] - starts[i])
            points[inside == i] = strip.to_source(np.stack([shares, np.full(len(shares), 0.5)], axis=1))
        return points


def _starts(strips: Sequence[Strip]) -> NDArray[np.float64]:
    """Where each of some strips begins when they are laid side by side, as a share of the whole; and 1 at the end."""
    widths = np.array([strip.image.shape[1] for strip in strips], dtype=np.float64)
    return np.asarray(np.concatenate([[0.0], np.cumsum(widths)]) / widths.sum())


def plan(lines: Sequence[DetectedLine]) -> list[LinePlan]:
    """What to read for the lines of one crop: doubles dropped, broken lines mended, columns tried with one character more or less."""
    plans = []
    for line in _mended(_distinct(lines)):
        choices = tuple((ribbon,) for ribbon in readings(line, _SURE_DIRECTION))
        if line.ribbon is not None and _is_column(line):
            choices = tuple((replace(line.ribbon, cells=n),) for n in _cell_counts(line.ribbon.cells))
        plans.append(LinePlan(line.polygon, line.score, choices))
    return plans


def _cell_counts(likely: int) -> list[int]:
    """Numbers of characters to try in a column, the likely one first: few characters are stretched to fill it."""
    return [n for n in (likely, likely - 1, likely + 1) if n >= 1]


def _is_column(line: DetectedLine) -> bool:
    return line.ribbon is not None and line.ribbon.cells > 0


def _distinct(lines: Sequence[DetectedLine]) -> list[DetectedLine]:
    kept: list[DetectedLine] = []
    masks: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] = []
    if not lines:
        return kept
    low = np.min([line.polygon.min(axis=0) for line in lines], axis=0)
    extent = float(np.max([line.polygon.max(axis=0) for line in lines], axis=0).max() - low.min())
    scale = 128 / max(extent, 1e-6)
    for line in sorted(lines, key=lambda each: -each.score):
        mask = np.zeros((130, 130), np.uint8)
        cv2.fillPoly(mask, [np.round((line.polygon - low) * scale).astype(np.int32)], 1)
        if all(
            cv2.countNonZero(mask & other) < _SAME_LINE * max(min(cv2.countNonZero(mask), cv2.countNonZero(other)), 1) for other in masks
        ):
            kept.append(line)
            masks.append(mask)
    return kept


def _mended(lines: list[DetectedLine]) -> list[DetectedLine]:
    """Pieces of one broken line joined: where one ends, another of the same height goes on in the same direction."""
    pieces = list(lines)
    while True:
        pairs = [(gap, i, j) for i, a in enumerate(pieces) for j, b in enumerate(pieces) if i != j and (gap := _gap(a, b)) is not None]
        if not pairs:
            return pieces
        _, i, j = min(pairs)
        whole = _chained(pieces[i], pieces[j])
        pieces = [piece for k, piece in enumerate(pieces) if k not in (i, j)] + [whole]


def _gap(first: DetectedLine, second: DetectedLine) -> float | None:
    """Distance from the end of one line to the start of another in heights, if the second goes on where the first ends."""
    a, b = first.ribbon, second.ribbon
    if a is None or b is None or a.cells or b.cells or min(first.direction, second.direction) < _SURE_DIRECTION:
        return None
    heights = thickness(a), thickness(b)
    if min(heights) < _LIKE_HEIGHT * max(heights):
        return None
    end, start = (a.top[-1] + a.bottom[-1]) / 2, (b.top[0] + b.bottom[0]) / 2
    gap = start - end
    distance = float(np.hypot(*gap)) / (sum(heights) / 2)
    leaving, arriving = tangents((a.top + a.bottom) / 2)[-1], tangents((b.top + b.bottom) / 2)[0]
    if distance > _WIDEST_GAP or float(leaving @ arriving) < _GOES_ON:
        return None
    straight = float(gap @ (leaving + arriving))
    return distance if distance < 0.25 or straight > _GOES_ON * 2 * float(np.hypot(*gap)) * 0.95 else None


def _chained(first: DetectedLine, second: DetectedLine) -> DetectedLine:
    a, b = first.ribbon, second.ribbon
    if a is None or b is None:
        raise ValueError("only lines with bands can be chained")
    ribbon = Ribbon(np.concatenate([a.top, b.top]), np.concatenate([a.bottom, b.bottom]))
    share = length(a) / max(length(a) + length(b), 1e-6)
    return DetectedLine(
        ribbon.polygon, share * first.score + (1 - share) * second.score, ribbon, min(first.direction, second.direction), first.upright
    )


def joined_columns(lines: Sequence[ReadLine]) -> list[ReadLine]:
    """The columns of a square seal as one line, the right one first (seen with the characters upright); other lines as they are."""
    columns = [line for line in lines if line.choice[0].cells]
    if len(columns) < 2:
        return list(lines)
    right = np.mean([top_normals(tangents(line.middle)).mean(axis=0) for line in columns], axis=0)
    ordered = sorted(columns, key=lambda line: -float(line.middle.mean(axis=0) @ right))
    hull = cv2.convexHull(np.concatenate([line.polygon for line in columns]).astype(np.float32))[:, 0].astype(np.float64)
    strips = tuple(strip for line in ordered for strip in line.strips)
    starts = _starts(strips)
    readings_in_order = [line.recognition for line in ordered]
    whole = _side_by_side(readings_in_order, starts)
    if any(reading.raw is not None for reading in readings_in_order):
        whole = replace(whole, raw=_side_by_side([reading.as_read for reading in readings_in_order], starts))
    choice = tuple(ribbon for line in ordered for ribbon in line.choice)
    one = ReadLine(hull, float(np.mean([line.detection_score for line in columns])), choice, strips, whole)
    return [one, *(line for line in lines if not line.choice[0].cells)]


def _side_by_side(readings_in_order: Sequence[Recognition], starts: NDArray[np.float64]) -> Recognition:
    """Readings of strips that are laid side by side as one; `starts` as `_starts` gives them."""
    count = max(sum(len(r.text) for r in readings_in_order), 1)
    return Recognition(
        text="".join(r.text for r in readings_in_order),
        score=sum(r.score * len(r.text) for r in readings_in_order) / count,
        char_scores=tuple(s for r in readings_in_order for s in r.char_scores),
        char_positions=tuple(
            float(starts[i] + p * (starts[i + 1] - starts[i])) for i, r in enumerate(readings_in_order) for p in r.char_positions
        ),
    )


def merit(line: ReadLine) -> float:
    """How much speaks for a reading of a line, to compare with other readings of it.

    Sure characters speak for it, doubtful ones against it, as the network read them. A column read in cells should give a character for
    each cell.
    """
    reading, cells = line.recognition, sum(ribbon.cells for ribbon in line.choice)
    if cells:
        return float(len(reading.text) == cells) + float(np.mean(reading.char_scores)) if reading.text else 0.0
    return float(sum(score - _CHARACTER_DOUBT for score in reading.as_read.char_scores))


def roles(lines: Sequence[ReadLine]) -> list[Role]:
    """What each line is on its seal."""
    turns = [total_turning(line.middle) if len(line.choice) == 1 else 0.0 for line in lines]
    kinds: list[Role] = []
    for line, turn in zip(lines, turns, strict=True):
        if len(line.choice) > 1 or line.choice[0].cells:
            kinds.append("other")
        elif abs(turn) < ARC_TURN:
            kinds.append("horizontal")
        else:
            kinds.append("code" if _is_code(line.recognition.text) else "outer_arc")
    # Codes stand nearer to the edge than names: only names tell where the outer arcs run.
    radii = {i: fit_circle(line.middle)[2] for i, line in enumerate(lines) if kinds[i] == "outer_arc"}
    outermost = max(radii.values(), default=0.0)
    for i, radius in radii.items():
        if radius < _INNER * outermost or turns[i] < 0:
            kinds[i] = "inner_arc"
    return kinds


def _is_code(text: str) -> bool:
    plain = sum(c.isascii() and c.isalnum() for c in text)
    return len(text) >= _LEAST_CODE and plain >= 0.8 * len(text) and any(c.isdigit() for c in text)


def reading_order(lines: Sequence[ReadLine], kinds: Sequence[Role], rotation: float) -> list[int]:
    """Indices in reading order: by role, then from the top of the upright seal down."""
    down = np.array([-np.sin(np.radians(rotation)), np.cos(np.radians(rotation))])

    def rank(i: int) -> tuple[int, float]:
        place = float(lines[i].middle.mean(axis=0) @ down)
        return _ROLE_ORDER.index(kinds[i]), place if kinds[i] == "horizontal" else -length(lines[i].choice[0])

    return sorted(range(len(lines)), key=rank)


def rotation_of(middles: Sequence[Points], verticals: Sequence[bool], weights: Sequence[float]) -> float | None:
    """How far a seal is turned, degrees clockwise in -180..180, from the directions of its lines at their middles.

    Args:
        middles: the lines' middles in reading direction, in the frame in which the rotation is wanted.
        verticals: True for columns of upright characters.
        weights: how much each line counts.

    Returns:
        None where nothing tells it.
    """
    total = np.zeros(2)
    for middle, vertical, weight in zip(middles, verticals, weights, strict=True):
        direction = tangents(middle)
        here = direction[len(direction) // 2]
        if vertical:
            here = np.array([here[1], -here[0]])
        total += weight * here
    if np.hypot(*total) < 1e-6:
        return None
    return float(np.degrees(np.arctan2(total[1], total[0])))


def weight(line: ReadLine) -> float:
    """How much a line tells about its seal: its length in characters' heights, by its score."""
    ribbon = line.choice[0]
    return line.recognition.score * length(ribbon) / max(thickness(ribbon), 1e-6)
