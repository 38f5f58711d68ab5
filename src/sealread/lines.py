"""From detected lines to read lines: which bands to read, which reading to believe, what a line is on its seal.

Frames: everything lies in pixels of the crop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from sealread.curves import fit_circle
from sealread.polygons import Points, tangents, top_normals, total_turning
from sealread.stages.rectification import ARC_TURN, Strip, length, readings, thickness
from sealread.types import DetectedLine, Recognition, Ribbon, Role

#: From this confidence of the network on, a line is read in its direction only.
_SURE_DIRECTION = 0.5
#: Characters with less than this probability speak against a reading.
_CHARACTER_DOUBT = 0.5
#: Two outlines that share this much of the smaller one are the same line.
_SAME_LINE = 0.6
#: Arcs inside this share of the outermost radius are inner arcs.
_INNER = 0.8
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
        widths = np.array([strip.image.shape[1] for strip in self.strips], dtype=np.float64)
        starts = np.concatenate([[0.0], np.cumsum(widths)]) / widths.sum()
        points = []
        for position in self.recognition.char_positions:
            i = min(int(np.searchsorted(starts, position, side="right")) - 1, len(self.strips) - 1)
            share = (position - starts[i]) / (starts[i + 1] - starts[i])
            points.append(self.strips[i].to_source(np.array([[share, 0.5]]))[0])
        return np.array(points, dtype=np.float64).reshape(-1, 2)


def plan(lines: Sequence[DetectedLine]) -> list[LinePlan]:
    """What to read for the lines of one crop: doubles dropped, the columns of a square seal joined."""
    distinct = _distinct(lines)
    columns = [line for line in distinct if _is_column(line)]
    plans = []
    if len(columns) > 1:
        plans.append(_joined(columns))
        distinct = [line for line in distinct if not _is_column(line)]
    for line in distinct:
        choices = tuple((ribbon,) for ribbon in readings(line, _SURE_DIRECTION))
        plans.append(LinePlan(line.polygon, line.score, choices))
    return plans


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


def _joined(columns: Sequence[DetectedLine]) -> LinePlan:
    """Columns as one line, the right one first (seen with the characters upright)."""
    ribbons = [line.ribbon for line in columns if line.ribbon is not None]
    right = np.mean([top_normals(tangents((r.top + r.bottom) / 2)).mean(axis=0) for r in ribbons], axis=0)
    ordered = sorted(ribbons, key=lambda r: -float(np.mean((r.top + r.bottom) / 2, axis=0) @ right))
    hull = cv2.convexHull(np.concatenate([line.polygon for line in columns]).astype(np.float32))[:, 0].astype(np.float64)
    return LinePlan(hull, float(np.mean([line.score for line in columns])), (tuple(ordered),))


def evidence(reading: Recognition) -> float:
    """How much speaks for a reading: sure characters for it, doubtful ones against it."""
    return float(sum(score - _CHARACTER_DOUBT for score in reading.char_scores))


def roles(lines: Sequence[ReadLine]) -> list[Role]:
    """What each line is on its seal."""
    turns = [abs(total_turning(line.middle)) if len(line.choice) == 1 else 0.0 for line in lines]
    radii = [fit_circle(line.middle)[2] if turn >= ARC_TURN else 0.0 for line, turn in zip(lines, turns, strict=True)]
    outermost = max(radii, default=0.0)
    return [_role(line, turn, radius, outermost) for line, turn, radius in zip(lines, turns, radii, strict=True)]


def _role(line: ReadLine, turn: float, radius: float, outermost: float) -> Role:
    if len(line.choice) > 1 or line.choice[0].cells:
        return "other"
    if turn < ARC_TURN:
        return "horizontal"
    text = line.recognition.text
    if len(text) >= 5 and sum(c.isascii() and c.isalnum() for c in text) >= 0.8 * len(text) and any(c.isdigit() for c in text):
        return "code"
    inwards = total_turning(line.middle) < 0
    return "inner_arc" if radius < _INNER * outermost or inwards else "outer_arc"


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
