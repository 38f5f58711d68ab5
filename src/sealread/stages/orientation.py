"""Stage 1: which way up the page is, and a lossless turn.

Takes:      a page.
Gives:      the upright page, the angle by which it was turned counter-clockwise, and the way back.
Method:     a classifier of four turns (PP-LCNet doc_ori); small doubts leave the page alone.
Engine:     one network ``(n, 3, 224, 224) -> (n, 4)`` softmax.
Nothing:    angle 0 and the page itself.
Invariants: pixels are moved, never blended; four quarter turns are none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sealread.engines import Engine
from sealread.frames import Frame, Identity, QuarterTurn
from sealread.pixels import normalise, quarter_turn, resize
from sealread.types import Image

#: The page's short side is brought to the first, then the middle of the second's size is seen.
RESIZE_SHORT, CROP = 256, 224
#: Normalisation, per channel in RGB order.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: A turn needs this probability: a page wrongly turned loses every line on it, a page left alone only what lies on its side.
_SURE = 0.7


@dataclass(frozen=True, slots=True)
class OrientationClassifier:
    """A classifier of page orientation.

    Attributes:
        labels: the angle of each class: by how much the content is turned clockwise.
        resize_short, crop: the page's short side is brought to the first, then the middle of the second's size is seen.
    """

    engine: Engine
    labels: tuple[int, ...] = (0, 90, 180, 270)
    resize_short: int = RESIZE_SHORT
    crop: int = CROP
    mean: tuple[float, float, float] = MEAN
    deviation: tuple[float, float, float] = DEVIATION

    def angle(self, page: Image) -> int:
        """0, 90, 180 or 270: turn the page counter-clockwise by this to make it upright."""
        probabilities = self.probabilities(page)
        best = int(np.argmax(probabilities))
        return self.labels[best] if probabilities[best] >= _SURE else 0

    def probabilities(self, page: Image) -> NDArray[np.float32]:
        """What the network says of each label."""
        return np.asarray(self.engine.run([self._seen(page)])[0][0])

    def _seen(self, page: Image) -> NDArray[np.float32]:
        height, width = page.shape[:2]
        scale = self.resize_short / min(height, width)
        size = (max(round(width * scale), self.crop), max(round(height * scale), self.crop))
        # Cut before resizing: what the network does not see need not be shrunk. The cut lies within half a pixel of the page.
        x, y = _middle(width, self.crop / size[0]), _middle(height, self.crop / size[1])
        middle = resize(page[y, x], self.crop, self.crop)
        return normalise([middle], self.mean, self.deviation, order="rgb")


def _middle(length: int, share: float) -> slice:
    """The middle part of so many pixels, at least one of them."""
    start = round(length * (1 - share) / 2)
    return slice(start, max(round(length * (1 + share) / 2), start + 1))


def turned(page: Image, angle: int) -> tuple[Image, Frame]:
    """The page turned counter-clockwise by a multiple of 90 degrees, and the way back."""
    if angle == 0:
        return page, Identity()
    return quarter_turn(page, angle), QuarterTurn(angle, page.shape[1], page.shape[0])
