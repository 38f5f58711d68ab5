"""From a labelled outline to the band that our detector learns: two edges, a direction, and whether the line is a column.

The band is traced inside the outline (`sealread.tracing`). Its direction is taken from the order of the labelled points: data sets give
them clockwise from the top left of the first character, so the first point is a corner of the band, and tells at which end the text
begins and on which side its tops are. Where the first point is no corner of the band, the usual direction is taken: arcs run clockwise
with their tops outwards, other lines to the right.
"""

from __future__ import annotations

import numpy as np

from sealread.polygons import Points, clockwise, lengths_along
from sealread.tracing import reversed_ribbon, trace
from sealread.training.samples import SampleLine
from sealread.types import Ribbon

#: The first point is a corner of the band if it is nearer to one than this share of the band's thickness.
_AT_CORNER = 0.6
#: A place whose shorter side is read first is a column of upright characters if it is longer than wide by this for each character,
#: or by the second number in any case; else it is a character or two, higher than wide.
_COLUMN_CELL, _COLUMN_SURELY = 0.6, 3.0


def band_of(polygon: Points, text: str, *, ignored: bool = False) -> SampleLine | None:
    """The line inside an outline; None for an outline in which there is no band.

    Args:
        polygon: ``(n, 2)`` in pixels of the image, from the top left of the first character; counter-clockwise ones are turned round.
        text: what the line says.
        ignored: whether it is neither to be learned nor to be counted.
    """
    traced = trace(polygon)
    if traced is None:
        return None
    ribbon, column = _directed(traced, clockwise(polygon), len(text.replace(" ", "")))
    return SampleLine(text, ribbon.top, ribbon.bottom, column, ignored)


def _directed(ribbon: Ribbon, polygon: Points, count: int) -> tuple[Ribbon, bool]:
    """The band in the direction that the order of the points tells, and whether it is a column of upright characters."""
    other = reversed_ribbon(ribbon)
    # The first point of a line is its top's start. That of a column, read downwards with its tops on the right, is its bottom's start.
    corners = np.stack([ribbon.top[0], other.top[0], ribbon.bottom[0], other.bottom[0]])
    distance = np.hypot(*(corners - polygon[0]).T)
    nearest = int(np.argmin(distance))
    thickness = float(np.mean(np.hypot(*(ribbon.top - ribbon.bottom).T)))
    if distance[nearest] > _AT_CORNER * thickness:
        return ribbon, False
    directed = other if nearest % 2 else ribbon
    if nearest < 2:
        return directed, False
    length = float(lengths_along((ribbon.top + ribbon.bottom) / 2)[-1])
    if length > thickness * (min(_COLUMN_CELL * count, _COLUMN_SURELY) if count > 1 else _COLUMN_SURELY):
        return directed, True
    return _crosswise(directed), False


def _crosswise(ribbon: Ribbon) -> Ribbon:
    """The band of a compact place read across: from its bottom edge to its top edge."""
    return Ribbon(np.stack([ribbon.bottom[0], ribbon.top[0]]), np.stack([ribbon.bottom[-1], ribbon.top[-1]]))
