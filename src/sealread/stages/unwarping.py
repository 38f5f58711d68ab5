"""Stage 2: flatten a curved page, by the network's own sampling grid.

Takes:      an upright page.
Gives:      the flat page, and the way back.
Method:     a network gives, for a coarse grid over the flat page, the places of the upright page that are shown there.
Engine:     one network ``(1, 3, h, w) -> (1, 2, rows, columns)``, x and y in -1..1.
Nothing:    without a network the page is left as it is.
Invariants: every point of the flat page maps back; a regular grid changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.engines import Engine
from sealread.frames import Frame, Grid
from sealread.pixels import normalise, resize
from sealread.types import Image

#: OpenCV samples images with sides up to this.
_MOST_SIDE = 2**15 - 2


@dataclass(frozen=True, slots=True)
class Unwarper:
    """A network that gives its sampling grid.

    Attributes:
        size: ``(height, width)`` of what the network sees.
    """

    engine: Engine
    size: tuple[int, int] = (712, 488)

    def flatten(self, page: Image) -> tuple[Image, Frame]:
        """The flat page, of the same size, and the way back to the upright page."""
        height, width = page.shape[:2]
        blob = normalise([resize(page, self.size[1], self.size[0])])
        grid = np.asarray(self.engine.run([blob])[0][0], dtype=np.float64)
        sampling = (grid.transpose(1, 2, 0) + 1) / 2 * np.array([width, height])
        frame = Grid(sampling, width, height)
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
        """The flat page, of the same size, and the way back to the upright page."""
        height, width = page.shape[:2]
        blob = normalise([_by_corners(page, self.size)])
        grid = np.asarray(self.engine.run([blob])[-1][0], dtype=np.float64)
        # In the network -1 and 1 are the centres of the outermost pixels, of the grid as of the page; a `Grid` counts from edge to edge.
        sampling = (grid + 1) / 2 * np.array([width - 1, height - 1]) + 0.5
        for axis, length in ((0, height), (1, width)):
            sampling = _edge_to_edge(sampling, axis, length)
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
