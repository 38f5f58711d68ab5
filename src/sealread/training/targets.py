"""What the curved text detector shall answer: the band maps of known lines (no torch: tests and drawings use them too)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.bands import CORE, CORE_SHARE, END_TRIM, HEIGHT, HEIGHT_UNIT, REGION, RIGHT_X, RIGHT_Y, STRIDE
from sealread.polygons import Points, at_lengths, lengths_along

#: Lines whose half height is below this many input pixels are neither wanted nor punished.
_LEAST_HALF = 2.5
#: Places within this many half heights of two cores weigh more.
_BETWEEN_REACH, _BETWEEN_WEIGHT = 0.9, 5.0


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A line that the network shall find, in pixels of the network's input.

    Attributes:
        top, bottom: ``(k, 2)`` edges in reading direction.
        vertical: True for a column of upright characters.
        ignored: True where the truth is unknown or too hard.
    """

    top: Points
    bottom: Points
    vertical: bool = False
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class TargetMaps:
    """``(5, h, w)`` float32 maps and the ``(h, w)`` weight: 0 where nothing is asked, more than 1 between two lines."""

    maps: NDArray[np.float32]
    weight: NDArray[np.float32]


def target_maps(lines: Sequence[TargetLine], height: int, width: int) -> TargetMaps:
    """The maps that the network should give for an input of ``height x width`` pixels (multiples of 32)."""
    h, w = height // STRIDE, width // STRIDE
    maps = np.zeros((5, h, w), np.float32)
    weight = np.ones((h, w), np.float32)
    field = np.zeros((h, w, 3), np.float32)
    core_count = np.zeros((h, w), np.uint8)
    near_count = np.zeros((h, w), np.uint8)
    for line in lines:
        top, bottom = line.top / STRIDE, line.bottom / STRIDE
        half = 0.5 * np.hypot(*(top - bottom).T)
        mean_half = float(half.mean()) * STRIDE
        region = np.concatenate([top, bottom[::-1]])
        if line.ignored or mean_half < _LEAST_HALF:
            _fill(weight, region, 0.0)
            continue
        _fill(maps[REGION], region, 1.0)
        core = _core(top, bottom, half)
        if core is not None:
            mark = np.zeros((h, w), np.uint8)
            _fill(mark, core, 1)
            core_count += mark
            reach = 2 * round(_BETWEEN_REACH * float(half.mean())) + 1
            near_count += np.asarray(cv2.dilate(mark, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))), np.uint8)
        _fill_field(field, top, bottom, half, line.vertical)
    # Where two cores cross, neither line can be traced: a gap keeps them apart.
    maps[CORE] = core_count == 1
    # What lies between two cores decides whether two lines stay two.
    weight[(near_count > 1) & (core_count == 0) & (weight > 0)] = _BETWEEN_WEIGHT
    weight[core_count > 1] = 0.0
    maps[HEIGHT], maps[RIGHT_X], maps[RIGHT_Y] = field[..., 0], field[..., 1], field[..., 2]
    return TargetMaps(maps, weight)


def _core(top: Points, bottom: Points, half: NDArray[np.float64]) -> Points | None:
    centre, offset = (top + bottom) / 2, (top - bottom) / 2 * CORE_SHARE
    length = lengths_along(centre)[-1]
    trim = min(END_TRIM * 2 * float(half.mean()), 0.25 * length)
    if length <= 0:
        return None
    places = np.linspace(trim, length - trim, max(len(top), 2))
    along = lengths_along(centre)
    offsets = np.stack([np.interp(places, along, offset[:, i]) for i in (0, 1)], axis=1)
    inner = at_lengths(centre, places)
    return np.concatenate([inner + offsets, (inner - offsets)[::-1]])


def _fill_field(field: NDArray[np.float32], top: Points, bottom: Points, half: NDArray[np.float64], vertical: bool) -> None:
    centre = (top + bottom) / 2
    for i in range(len(top) - 1):
        step = centre[i + 1] - centre[i]
        size = float(np.hypot(*step))
        if size == 0:
            continue
        right = step / size
        if vertical:
            right = np.array([right[1], -right[0]])
        level = float(np.log(max((half[i] + half[i + 1]) / 2 * STRIDE, 0.5) / HEIGHT_UNIT))
        quad = np.array([top[i], top[i + 1], bottom[i + 1], bottom[i]])
        _fill(field, quad, (level, float(right[0]), float(right[1])))


def _fill(image: NDArray[np.float32] | NDArray[np.uint8], polygon: Points, value: float | tuple[float, ...]) -> None:
    # Four fractional bits: cores of three pixels must not lose one to rounding. Pixel centres lie at one half.
    cv2.fillPoly(image, [np.round((polygon - 0.5) * 16).astype(np.int32)], value, shift=4)
