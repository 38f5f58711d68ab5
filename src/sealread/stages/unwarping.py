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

import numpy as np

from sealread.engines import Engine
from sealread.frames import Frame, Grid
from sealread.pixels import normalise, resize
from sealread.types import Image


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
