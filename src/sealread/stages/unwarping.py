"""Stage 2: flatten a curved page, by the network's own sampling grid.

Takes:      an upright page.
Gives:      the flat page, and the way back.
Method:     a network gives, for a coarse grid over the flat page, the places of the upright page that are shown there. The grid
            that differs from its best affine map by little is that of a flat page, which is left as it is.
Engine:     one network ``(1, 3, h, w) -> (1, 2, rows, columns)``, x and y in -1..1.
Nothing:    without a network, a flat page, and one whose grid folds over, are given back untouched.
Invariants: every point of the flat page maps back; lengths stay about what they are on the upright page.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.engines import Engine
from sealread.frames import Frame, Grid, Identity
from sealread.pixels import normalise, resize
from sealread.types import Image

Nodes = NDArray[np.float64]

#: OpenCV samples images with sides up to this.
_MOST_SIDE = 2**15 - 2
#: A page counts as bent from this bend on (see `bend`): of drawn pages, lines of those below bulge no less after flattening.
BENT_FROM = 0.008


@dataclass(frozen=True, slots=True)
class Unwarper:
    """A network that gives its sampling grid.

    Attributes:
        size: ``(height, width)`` of what the network sees.
        mean, deviation: of its input, one number for each of blue, green and red, 0 to 1.
    """

    engine: Engine
    size: tuple[int, int] = (712, 488)
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)

    def places(self, page: Image) -> Nodes:
        """``(rows, columns, 2)``: where nodes spread evenly over the flat page, corners included, lie on the upright page, in pixels."""
        height, width = page.shape[:2]
        blob = normalise([resize(page, self.size[1], self.size[0])], self.mean, self.deviation)
        grid = np.asarray(self.engine.run([blob])[0][0], dtype=np.float64).transpose(1, 2, 0)
        return np.asarray((grid + 1) / 2 * [width, height])

    def flatten(self, page: Image) -> tuple[Image, Frame]:
        """The flat page and the way back to the upright page; a page that is flat already comes back itself."""
        places = self.places(page)
        if not is_bent(places):
            return page, Identity()
        frame = Grid(places, *_lengths(places))
        return frame.sample(page), frame


@dataclass(frozen=True, slots=True)
class PageSampler:
    """A network that shrinks the page and samples it by a grid itself (UVDoc, Verhoeven et al. 2023); its last output is that grid.

    It is shown the page at `size`, and its grid is laid on the page in full: so the page is sampled once, as bytes.

    Attributes:
        size: ``(height, width)`` of what the network sees.
    """

    engine: Engine
    size: tuple[int, int] = (712, 488)

    def flatten(self, page: Image) -> tuple[Image, Frame]:
        """The flat page, of the same size, and the way back to the upright page; a page that is flat already comes back itself."""
        height, width = page.shape[:2]
        blob = normalise([_by_corners(page, self.size)])
        grid = np.asarray(self.engine.run([blob])[-1][0], dtype=np.float64)
        # In the network -1 and 1 are the centres of the outermost pixels, of the grid as of the page; a `Grid` counts from edge to edge.
        sampling = (grid + 1) / 2 * np.array([width - 1, height - 1]) + 0.5
        for axis, length in ((0, height), (1, width)):
            sampling = _edge_to_edge(sampling, axis, length)
        if not is_bent(sampling):
            return page, Identity()
        frame = Grid(sampling, width, height)
        return frame.sample(page), frame


def _by_corners(page: Image, size: tuple[int, int]) -> Image:
    """The page in another size, linear, corner pixels kept, as the network itself shrinks it."""
    page = resize(page, min(page.shape[1], _MOST_SIDE), min(page.shape[0], _MOST_SIDE))
    x = np.linspace(0, page.shape[1] - 1, size[1], dtype=np.float32)
    y = np.linspace(0, page.shape[0] - 1, size[0], dtype=np.float32)
    return np.asarray(cv2.remap(page, *np.meshgrid(x, y), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _edge_to_edge(nodes: NDArray[np.float64], axis: int, length: int) -> NDArray[np.float64]:
    """Nodes that lay from the first pixel's centre to the last one's, moved to lie from edge to edge of so many pixels."""
    count = nodes.shape[axis]
    wanted = (np.linspace(0, length, count) - 0.5) / max(length - 1, 1) * (count - 1)
    low = np.clip(np.floor(wanted).astype(int), 0, count - 2)
    share = np.expand_dims(wanted - low, tuple(i for i in range(nodes.ndim) if i != axis))
    return np.asarray(nodes.take(low, axis) * (1 - share) + nodes.take(low + 1, axis) * share)


def regular(rows: int, columns: int) -> Nodes:
    """``(rows, columns, 2)``: the grid that changes nothing, -1 to 1."""
    return np.stack(np.meshgrid(np.linspace(-1, 1, columns), np.linspace(-1, 1, rows)), axis=-1)


def bend(places: Nodes) -> float:
    """How far the grid's nodes lie from the best affine map of a regular grid: root mean square, as a share of its diagonal.

    Args:
        places: ``(rows, columns, 2)`` pixels of the upright page.
    """
    rows, columns = places.shape[:2]
    nodes = np.concatenate([regular(rows, columns).reshape(-1, 2), np.ones((rows * columns, 1))], axis=1)
    points = places.reshape(-1, 2)
    fit, *_ = np.linalg.lstsq(nodes, points)
    diagonal = float(np.hypot(*(2 * (fit[0] + fit[1]))))
    return float(np.sqrt(((points - nodes @ fit) ** 2).sum(axis=1).mean())) / max(diagonal, 1.0)


def is_bent(places: Nodes) -> bool:
    """Whether a grid is worth flattening by: it is that of a bent page, and folds nowhere over itself."""
    return bend(places) >= BENT_FROM and not _folds(places)


def _folds(places: Nodes) -> bool:
    """Whether the grid shows some place twice, or mirrored."""
    right, down = np.diff(places, axis=1)[:-1], np.diff(places, axis=0)[:, :-1]
    return bool((right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]).min() <= 0)


def _lengths(places: Nodes) -> tuple[int, int]:
    """Width and height of the flat page: mean lengths of the grid's rows and columns."""
    across, down = (float(np.hypot(*np.moveaxis(np.diff(places, axis=axis), -1, 0)).sum(axis=axis).mean()) for axis in (1, 0))
    return max(round(across), 1), max(round(down), 1)
