"""Labelled seals: the format in which sets for evaluation are kept.

A set is a folder with `labels.jsonl`, one image a line, and the images that it names. Boxes and polygons are in pixels of
the image, upright by EXIF.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sealread.errors import InputError
from sealread.types import Points

LABELS_FILE = "labels.jsonl"

Kind = Literal["seal_crop", "document"]


class _Label(BaseModel):
    """Keys that are not read here (sources, licences, remarks) are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class LineLabel(_Label):
    """A transcribed line.

    Attributes:
        text: the characters; square seals right column first.
        role: outer_arc, inner_arc, horizontal, code or other.
        polygon: its outline, where someone drew it.
    """

    text: str
    role: str
    polygon: Annotated[tuple[tuple[float, float], ...], Field(min_length=3)] | None = None

    @property
    def points(self) -> Points | None:
        """The outline ``(n, 2)`` in pixels of the image, or None."""
        return None if self.polygon is None else np.array(self.polygon, dtype=np.float64)


class SealLabel(_Label):
    """A seal on an image.

    Attributes:
        bbox: ``(x1, y1, x2, y2)``.
        texts: the lines that a person could read.
        legible: whether it can be read at all.
        partial: whether it is cut off.
        unread: remarks on lines that are there but were not transcribed.
    """

    shape: str
    colour: str
    bbox: tuple[float, float, float, float]
    texts: tuple[LineLabel, ...]
    legible: bool = True
    partial: bool = False
    unread: tuple[str, ...] = ()

    @property
    def optional(self) -> bool:
        """Whether it may be missed without loss."""
        return self.partial or not self.legible

    @property
    def rotation(self) -> float | None:
        """Degrees clockwise by which the seal is turned, -180..180; None unless an outer arc is outlined.

        Such an outline is a ring sector, outer edge first: its middle points up on a seal that is not turned.
        """
        arcs = [line.points for line in self.texts if line.role == "outer_arc" and line.points is not None]
        if not arcs:
            return None
        outer, inner = np.split(arcs[0], [len(arcs[0]) // 2])
        right, down = np.mean(outer[(len(outer) - 1) // 2 : len(outer) // 2 + 1], axis=0) - np.mean(
            inner[(len(inner) - 1) // 2 : len(inner) // 2 + 1], axis=0
        )
        return float(np.degrees(np.arctan2(right, -down)))

    @property
    def size(self) -> float:
        """The longer side of the box in pixels."""
        x1, y1, x2, y2 = self.bbox
        return max(x2 - x1, y2 - y1)


class ImageLabel(_Label):
    """An image of the set; `file` is relative to the set's folder, `negative` says that there is no seal on it."""

    file: str
    kind: Kind
    negative: bool = False
    language: str = ""
    seals: tuple[SealLabel, ...] = ()


def read_labels(set_dir: str | Path) -> tuple[ImageLabel, ...]:
    """The labels of a set, in the order of the file.

    Raises:
        InputError: there is no label file, or a line of it does not fit the format.
    """
    path = Path(set_dir) / LABELS_FILE
    try:
        rows = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as cause:
        raise InputError(
            f"No labels can be read from {path}: name a folder that holds {LABELS_FILE} and its images.", source=str(path)
        ) from cause
    return tuple(_parse(row, f"{path}:{number}") for number, row in enumerate(rows, 1) if row.strip())


def _parse(row: str, place: str) -> ImageLabel:
    try:
        return ImageLabel.model_validate_json(row)
    except ValidationError as cause:
        first = cause.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{place} is no label: {key + ': ' if key else ''}{first['msg']}.", source=place, parameter=key) from cause
