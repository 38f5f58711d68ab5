"""What is drawn on a synthetic image: seals, their lines and their characters, exact to a fraction of a pixel.

Frame: pixels of the image that the truth belongs to, `(x, y)`, y down, the centre of the first pixel at (0, 0).
Order: characters and samples along a line follow the reading direction. With the direction `(tx, ty)` the side of the
characters' tops is at `(ty, -tx)`; of an upright column, read downwards, `top` therefore is the right-hand edge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Image = NDArray[np.uint8]
#: Where a seal would be put: x and y as shares of width and height, and its kind (any, supervision, invoice, firm).
Spot = tuple[float, float, str]


@dataclass(frozen=True, slots=True)
class CharTruth:
    """One character; spaces are not listed.

    Attributes:
        text: the character.
        quad: (4, 2), top-left, top-right, bottom-right, bottom-left in the character's own upright frame.
    """

    text: str
    quad: Points


@dataclass(frozen=True, slots=True)
class LineTruth:
    """One line of text.

    Attributes:
        text: what is to be read, spaces between words included.
        role: outer_arc, inner_arc, horizontal, code or other.
        top: (k, 2), the edge at the characters' tops, first character first.
        bottom: (k, 2), the opposite edge; `bottom[i]` lies across `top[i]`.
        chars: the characters in reading order.
        curved: whether the line bends.
        vertical: whether upright characters stand in a column that is read downwards.
    """

    text: str
    role: str
    top: Points
    bottom: Points
    chars: tuple[CharTruth, ...]
    curved: bool
    vertical: bool

    @property
    def polygon(self) -> Points:
        """(2k, 2), clockwise on screen from the first character's top-left corner, not closed."""
        if self.vertical:  # the column's top-left corner is the first sample of the left-hand edge
            return np.concatenate([self.bottom[:1], self.top, self.bottom[:0:-1]])
        return np.concatenate([self.top, self.bottom[::-1]])


@dataclass(frozen=True, slots=True)
class SealTruth:
    """One seal.

    Attributes:
        shape: round, oval, square, rect or other.
        colour: red, blue, black, purple or grey.
        bbox: x1, y1, x2, y2 of the ink, not clipped to the image.
        outline: (m, 2), the outer edge, clockwise on screen.
        rotation: degrees clockwise by which the seal stands turned, in [-180, 180).
        lines: its lines of text.
    """

    shape: str
    colour: str
    bbox: tuple[float, float, float, float]
    outline: Points
    rotation: float
    lines: tuple[LineTruth, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """An image, (h, w, 3) uint8 BGR, and the seals on it."""

    image: Image
    seals: tuple[SealTruth, ...]


def map_line(line: LineTruth, mapping: Callable[[Points], Points]) -> LineTruth:
    """The line after every point went through `mapping`, which must not mirror."""
    # One call for all points: a mapping may iterate, and calls cost more than points.
    count = len(line.top)
    quads = [char.quad for char in line.chars]
    mapped = mapping(np.concatenate([line.top, line.bottom, *quads]))
    chars = tuple(CharTruth(char.text, mapped[2 * count + 4 * i : 2 * count + 4 * i + 4]) for i, char in enumerate(line.chars))
    return LineTruth(line.text, line.role, mapped[:count], mapped[count : 2 * count], chars, line.curved, line.vertical)


def map_seal(seal: SealTruth, mapping: Callable[[Points], Points]) -> SealTruth:
    """The seal after every point went through `mapping`; bounding box and rotation are measured anew."""
    outline = mapping(seal.outline)
    (x1, y1), (x2, y2) = outline.min(axis=0), outline.max(axis=0)
    centre = seal.outline.mean(axis=0)
    angle = np.deg2rad(seal.rotation)
    reach = 0.2 * float(np.ptp(seal.outline, axis=0).max()) * np.array([np.cos(angle), np.sin(angle)])
    tail, head = mapping(np.stack([centre - reach, centre + reach]))
    rotation = float(np.rad2deg(np.arctan2(head[1] - tail[1], head[0] - tail[0])))
    rotation = (rotation + 180.0) % 360.0 - 180.0
    lines = tuple(map_line(line, mapping) for line in seal.lines)
    return SealTruth(seal.shape, seal.colour, (float(x1), float(y1), float(x2), float(y2)), outline, rotation, lines)
