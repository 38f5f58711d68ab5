"""Pictures of what is labelled and of what is seen: thin outlines over the image, a dot where a line's text begins."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from sealread.training.samples import LabelledImage
from sealread.types import Image, Points

#: Colours (blue, green, red) of lines, of what is not counted, and of seals.
_LINE, _IGNORED, _SEAL = (200, 80, 20), (150, 150, 150), (20, 140, 20)


def save_outlines(path: Path, image: Image, outlines: Iterable[Points]) -> None:
    """Write the image with outlines ``(n, 2)`` in its pixels."""
    picture = image.copy()
    for outline in outlines:
        _outline(picture, outline, _LINE)
    _save(path, picture)


def save_sample(path: Path, labelled: LabelledImage) -> None:
    """Write the image with its labels as training takes them."""
    picture = labelled.image.copy()
    for x1, y1, x2, y2 in labelled.boxes.tolist():
        _outline(picture, np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]), _SEAL)
    for line in () if labelled.strip else labelled.lines:
        colour = _IGNORED if line.ignored else _LINE
        _outline(picture, np.concatenate([line.top, line.bottom[::-1]]), colour)
        start = (line.bottom if line.vertical else line.top)[0]
        cv2.circle(picture, (round(start[0]), round(start[1])), 2 * _width(picture) + 1, colour, -1, cv2.LINE_AA)
    _save(path, picture)


def _width(picture: Image) -> int:
    return max(round(max(picture.shape) / 300), 1)


def _outline(picture: Image, outline: Points, colour: tuple[int, int, int]) -> None:
    cv2.polylines(picture, [np.round(outline).astype(np.int32)], True, colour, _width(picture), cv2.LINE_AA)


def _save(path: Path, picture: Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)
