"""Text on a path, pressed into a mask of ink density.

Frame: designs are laid out in seal units, in which the seal reaches from -100 to 100 along its longer axis, y down, upright.
`Press.matrix` takes them to pixels of the mask. Truth is recorded in pixels of the mask.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.training.synth.fonts import Face, advance, glyph, ink_box, size_class
from sealread.training.synth.truth import CharTruth, LineTruth, Points

#: Space between the ink and the edge of a line's band, as a share of the band's height.
_MARGIN = 0.04


@dataclass(frozen=True, slots=True)
class Path:
    """A polyline that text runs along, through the middle of the characters' height.

    Attributes:
        points: (n, 2), seal units, in reading direction.
        lengths: (n,), distance of each point from the first one along the line.
    """

    points: Points
    lengths: NDArray[np.float64]

    def at(self, distance: NDArray[np.float64]) -> tuple[Points, Points]:
        """Positions (k, 2) and unit directions (k, 2) at distances from the start; beyond the ends the line runs on straight."""
        index = np.clip(np.searchsorted(self.lengths, distance) - 1, 0, len(self.points) - 2)
        start, step = self.points[index], self.points[index + 1] - self.points[index]
        span = np.maximum(self.lengths[index + 1] - self.lengths[index], 1e-9)
        share = (distance - self.lengths[index]) / span
        position = start + step * share[:, None]
        # Directions of the finite pieces would jump; those of the neighbourhood do not.
        before = np.clip(index - 1, 0, None)
        after = np.clip(index + 2, None, len(self.points) - 1)
        chord = self.points[after] - self.points[before]
        return position, chord / np.maximum(np.hypot(chord[:, 0], chord[:, 1]), 1e-9)[:, None]

    @property
    def total(self) -> float:
        """Length in seal units."""
        return float(self.lengths[-1])


def path_through(points: Points) -> Path:
    """A path through the points, two at least."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    return Path(points, np.concatenate([[0.0], np.cumsum(steps)]))


def arc(a: float, b: float, middle: float, sweep: float, *, inwards: bool = False) -> Path:
    """An arc of the ellipse with half axes `a` and `b` around the origin.

    Args:
        a: half width, seal units.
        b: half height.
        middle: where the arc's middle lies, degrees clockwise from the top.
        sweep: degrees of the ellipse's parameter.
        inwards: read counter-clockwise, so that the characters' tops point to the centre.
    """
    angles = np.deg2rad(middle + np.linspace(-0.5, 0.5, 181) * (-sweep if inwards else sweep))
    return path_through(np.stack([a * np.sin(angles), -b * np.cos(angles)], axis=1))


def straight(x1: float, y1: float, x2: float, y2: float) -> Path:
    """A straight path."""
    return path_through(np.linspace([x1, y1], [x2, y2], 9))


@dataclass(frozen=True, slots=True)
class Type:
    """How a line is set.

    Attributes:
        face: typeface.
        height: of the characters' ink, seal units.
        aspect: width of an em square over its height after stretching.
        weight: stroke change, see `fonts.glyph`.
        gap: space between cells, as a share of the em's width; may be negative.
    """

    face: Face
    height: float
    aspect: float
    weight: int
    gap: float


def _is_square(char: str) -> bool:
    """Whether the character is set in a full em square."""
    return ord(char) >= 0x2E80


def ink_heights(face: Face, text: str) -> tuple[float, float]:
    """Top and bottom of the line's ink from the baseline, in em, y down."""
    boxes = [ink_box(face, char) for char in text if char != " "]
    top, bottom = min(box[1] for box in boxes), max(box[3] for box in boxes)
    if any(_is_square(char) for char in text):
        return min(top, -0.78), max(bottom, 0.04)
    return min(top, -0.6), max(bottom, 0.0)


def natural_length(face: Face, text: str, gap: float = 0.0) -> float:
    """Length of the set text in em of its width."""
    return sum(advance(face, char) for char in text) + gap * (len(text) - 1)


class Press:
    """A mask of ink density that text and figures are pressed into, and the truth about its text.

    Attributes:
        mask: (h, w) uint8, 255 is full ink.
        matrix: (2, 3), seal units to pixels of the mask.
        lines: what was set so far.
    """

    def __init__(self, mask: NDArray[np.uint8], matrix: NDArray[np.float64]) -> None:
        """Draw into `mask`, in place."""
        self.mask = mask
        self.matrix = matrix
        self.lines: list[LineTruth] = []
        self.scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))

    def to_mask(self, points: Points) -> Points:
        """Seal units to pixels of the mask."""
        return points @ self.matrix[:, :2].T + self.matrix[:, 2]

    def fill(self, *contours: Points, level: int = 255) -> None:
        """Fill the area between contours (seal units; holes by the even-odd rule)."""
        rounded = [np.rint(self.to_mask(contour) * 16).astype(np.int32) for contour in contours]
        cv2.fillPoly(self.mask, rounded, (level,), cv2.LINE_AA, 4)

    def stroke(self, points: Points, width: float, *, closed: bool = False) -> None:
        """Draw a line of the width given, seal units."""
        rounded = np.rint(self.to_mask(points) * 16).astype(np.int32)
        thickness = max(1, round(width * self.scale))
        cv2.polylines(self.mask, [rounded], closed, (255,), thickness, cv2.LINE_AA, 4)

    def set_line(
        self, text: str, path: Path, letter: Type, *, role: str, curved: bool, vertical: bool = False, centre: float | None = None
    ) -> None:
        """Set a line, its middle at `centre` along the path (the path's middle if None), and record it.

        Upright columns (`vertical`) run along a path that points downwards.
        """
        middle = path.total / 2 if centre is None else centre
        top, bottom = ink_heights(letter.face, text)
        down = letter.height / (bottom - top)  # seal units per em
        across = down * letter.aspect
        pitch = down if vertical else across
        cells = np.array([1.0 if vertical else advance(letter.face, char) for char in text]) * pitch
        starts = np.concatenate([[0.0], np.cumsum(cells + letter.gap * pitch)])[:-1]
        starts += middle - (starts[-1] + cells[-1]) / 2
        centres, directions = path.at(starts + cells / 2)
        ups = np.stack([directions[:, 1], -directions[:, 0]], axis=1)
        chars: list[CharTruth] = []
        ends: list[float] = []
        half_band = letter.height * (0.5 + _MARGIN)
        if vertical:
            half_band = max(_half_width(letter.face, char) for char in text) * across + letter.height * _MARGIN
        for i, char in enumerate(text):
            if char == " ":
                continue
            right, downward = (ups[i], directions[i]) if vertical else (directions[i], -ups[i])
            self._stamp(char, letter, centres[i], right * across, downward * down, (top + bottom) / 2)
            left_x, right_x, top_y, bottom_y = self._extent(char, letter, across, down, (top, bottom), vertical, half_band)
            corners = np.array([[left_x, top_y], [right_x, top_y], [right_x, bottom_y], [left_x, bottom_y]])
            quad = centres[i] + corners[:, :1] * right + corners[:, 1:] * downward
            chars.append(CharTruth(char, self.to_mask(quad)))
            middle_s = starts[i] + cells[i] / 2
            ends += [middle_s + top_y, middle_s + bottom_y] if vertical else [middle_s + left_x, middle_s + right_x]
        if not chars:
            return
        count = int(np.clip(3 * len(chars), 8, 40))
        band, along = path.at(np.linspace(min(ends), max(ends), count))
        side = np.stack([along[:, 1], -along[:, 0]], axis=1) * half_band
        self.lines.append(LineTruth(text, role, self.to_mask(band + side), self.to_mask(band - side), tuple(chars), curved, vertical))

    @staticmethod
    def _extent(
        char: str, letter: Type, across: float, down: float, heights: tuple[float, float], vertical: bool, half_band: float
    ) -> tuple[float, float, float, float]:
        """Left, right, top, bottom of a character's box from the middle of its cell, seal units."""
        x1, y1, x2, y2 = ink_box(letter.face, char)
        half = advance(letter.face, char) / 2
        pad = letter.height * _MARGIN
        if vertical:
            mid = sum(heights) / 2
            return -half_band, half_band, (y1 - mid) * down - pad, (y2 - mid) * down + pad
        left, right = (x1 - half) * across - pad, (x2 - half) * across + pad
        least = 0.12 * across  # a stroke as thin as that of 1 still gets a box one can see
        if right - left < 2 * least:
            mid = (left + right) / 2
            left, right = mid - least, mid + least
        return left, right, -half_band, half_band

    def _stamp(self, char: str, letter: Type, centre: Points, right: Points, downward: Points, middle: float) -> None:
        """Press one glyph: `right` and `downward` are one em of it, `middle` the height of `centre` over the baseline in em."""
        linear = self.matrix[:, :2]
        x_axis, y_axis = linear @ right, linear @ downward
        pixels = float(np.sqrt(abs(x_axis[0] * y_axis[1] - x_axis[1] * y_axis[0])))
        cut = glyph(letter.face, char, size_class(pixels), letter.weight)
        half = advance(letter.face, char) / 2
        origin = linear @ centre + self.matrix[:, 2]
        u, v = cut.left + cut.scale / 2 - half, cut.top + cut.scale / 2 - middle
        corner = origin + u * x_axis + v * y_axis
        warp = np.array(
            [[x_axis[0] * cut.scale, y_axis[0] * cut.scale, corner[0]], [x_axis[1] * cut.scale, y_axis[1] * cut.scale, corner[1]]]
        )
        height, width = cut.ink.shape
        xs = corner[0] + np.array([0, warp[0, 0] * width, warp[0, 1] * height, warp[0, 0] * width + warp[0, 1] * height])
        ys = corner[1] + np.array([0, warp[1, 0] * width, warp[1, 1] * height, warp[1, 0] * width + warp[1, 1] * height])
        x1, y1 = max(int(xs.min()) - 1, 0), max(int(ys.min()) - 1, 0)
        x2, y2 = min(int(xs.max()) + 2, self.mask.shape[1]), min(int(ys.max()) + 2, self.mask.shape[0])
        if x2 <= x1 or y2 <= y1:
            return
        warp[:, 2] -= (x1, y1)
        pressed = cv2.warpAffine(cut.ink, warp, (x2 - x1, y2 - y1), flags=cv2.INTER_LINEAR)
        region = self.mask[y1:y2, x1:x2]
        np.maximum(region, pressed, out=region)


def _half_width(face: Face, char: str) -> float:
    """The farthest that the ink reaches from the middle of its cell, in em."""
    x1, _, x2, _ = ink_box(face, char)
    half = advance(face, char) / 2
    return max(half - x1, x2 - half, 0.3)
