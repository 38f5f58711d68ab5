"""What a data set on disk comes to: records of its usable images, and a list of what is wrong with the others."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from shapely.geometry import Polygon, box
from shapely.validation import explain_validity

from sealread.errors import InputError
from sealread.metrics import Box
from sealread.pixels import decode
from sealread.training.datasets.bands import band_of
from sealread.training.samples import LabelledImage, SampleLine
from sealread.types import Image, Points

#: A labelled place of which less than this share lies on the image is wrong.
_LEAST_INSIDE = 0.75
#: Pixels by which a box may reach beyond the image: labels are rounded.
_ROUNDING = 1.5
#: Order of the training images; the same in every run.
_ORDER_SEED = 20_240


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a data set.

    Attributes:
        file: relative to the data set's folder.
        line: 1-based, or None where the file has no lines to name.
        what: one sentence.
    """

    file: str
    line: int | None
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}" if self.line is not None else f"{self.file}: {self.what}"


@dataclass(frozen=True, slots=True)
class LineRecord:
    """A labelled line: its text, its outline ``(n, 2)`` in pixels of the image, and whether it is neither learned nor counted."""

    text: str
    polygon: Points
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A usable image and its labels.

    Attributes:
        lines: outlined lines of text.
        boxes: seals.
        turns: quarter turns clockwise by which the content stands turned.
        strip: what the image says, where it is one line, cut out already.
    """

    file: Path
    lines: tuple[LineRecord, ...] = ()
    boxes: tuple[Box, ...] = ()
    turns: int = 0
    strip: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """The samples of some records; images are read, and bands traced, when they are asked for."""

    records: tuple[Record, ...]
    _bands: dict[tuple[int, int], SampleLine | None] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int, /) -> LabelledImage:
        record = self.records[index]
        image = read_image(record.file)
        if record.strip is not None:
            height, width = image.shape[:2]
            top, bottom = np.array([[0.0, 0.0], [width, 0.0]]), np.array([[0.0, height], [width, height]])
            return LabelledImage(image, (SampleLine(record.strip, top, bottom, False),), np.zeros((0, 4)), record.turns, strip=True)
        lines = tuple(band for number in range(len(record.lines)) if (band := self._band(index, number)) is not None)
        return LabelledImage(image, lines, np.array(record.boxes, dtype=np.float64).reshape(-1, 4), record.turns)

    def _band(self, index: int, number: int) -> SampleLine | None:
        # Tracing costs more than reading the image, and the outline never changes.
        if (index, number) not in self._bands:
            line = self.records[index].lines[number]
            self._bands[index, number] = band_of(line.polygon, line.text, ignored=line.ignored)
        return self._bands[index, number]


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set as far as it can be used.

    Attributes:
        form: coco, textdet, textrec, orientation or realseals.
        left_aside: what is not wrong but of no use to this network, with counts.
        classes: names of the classes, where it has any.
        new_characters: what is to be read though the network cannot write it yet.
        upright: whether all images stand upright, so that validation has to turn them.
    """

    form: str
    folder: Path
    training: tuple[Record, ...]
    validation: tuple[Record, ...]
    problems: tuple[Problem, ...]
    left_aside: dict[str, int] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    new_characters: str = ""
    upright: bool = False

    @property
    def usable(self) -> bool:
        """Whether there is something to train with and something to measure on."""
        return bool(self.training) and bool(self.validation)

    def samples(self) -> tuple[Listed, Listed]:
        """Training samples, in an order without meaning, and validation samples."""
        order = np.random.default_rng(_ORDER_SEED).permutation(len(self.training))
        return Listed(tuple(self.training[i] for i in order)), Listed(self.validation)

    def summary(self) -> dict[str, Any]:
        """The counts for people and programs; paths are relative to the folder."""

        def some(records: Sequence[Record]) -> list[str]:
            return [os.path.relpath(record.file, self.folder) for record in records[:10]]

        attributes: dict[str, Any] = {
            "train_samples": len(self.training),
            "train_sample_paths": some(self.training),
            "val_samples": len(self.validation),
            "val_sample_paths": some(self.validation),
        }
        if self.classes:
            attributes = {"num_classes": len(self.classes), "classes": list(self.classes), **attributes}
        if self.new_characters:
            attributes["new_characters"] = self.new_characters
        return {
            "check_pass": self.usable,
            "attributes": attributes,
            "left_aside": self.left_aside,
            "problems": [{"file": p.file, "line": p.line, "what": p.what} for p in self.problems],
        }


class Inspection:
    """Collects what is wrong with a data set while it is read.

    Attributes:
        folder: the data set's.
        problems: in the order in which they were met.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self._places: dict[Path, str] = {}

    def note(self, file: str, line: int | None, what: str) -> None:
        """Something is wrong."""
        self.problems.append(Problem(file, line, what))

    def rows(self, file: str) -> Iterator[tuple[int, str]]:
        """The lines of a text file with their numbers, empty ones left out; nothing where it cannot be read."""
        try:
            content = (self.folder / file).read_bytes()
        except OSError as cause:
            self.note(file, None, "is missing" if isinstance(cause, FileNotFoundError) else f"cannot be read: {cause.strerror}")
            return
        found = 0
        for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
            try:
                row = raw.decode("utf-8").rstrip("\r")
            except UnicodeDecodeError:
                self.note(file, number, "is not UTF-8 text")
                continue
            if row.strip():
                found += 1
                yield number, row
        if not found:
            self.note(file, None, "is empty")

    def image(self, path: Path, file: str, line: int | None) -> Image | None:
        """The image that a label names; None where something is wrong with it, which is noted. Each image may be named once."""
        place = f"{file}:{line}" if line is not None else file
        if path in self._places:
            self.note(file, line, f"names {path.name} a second time; the first is {self._places[path]}")
            return None
        self._places[path] = place
        try:
            return read_image(path)
        except InputError as error:
            self.note(file, line, str(error))
            return None

    def polygon_fault(self, points: Any, image: Image) -> str | None:
        """What is wrong with an outline; None for a good one."""
        if not isinstance(points, list) or len(points) < 3:
            return "is an outline of fewer than three points"
        if not all(isinstance(p, list | tuple) and len(p) == 2 and all(_is_number(v) for v in p) for p in points):
            return "has a point that is not two numbers"
        outline = Polygon([(float(x), float(y)) for x, y in points])
        if not outline.is_valid:
            reason, _, place = explain_validity(outline).partition("[")
            crossed = "crosses itself" if "Self-intersection" in reason else "is no outline"
            return f"{crossed} near {place.rstrip(']').replace(' ', ', ')}" if place else crossed
        if outline.area < 4:
            return "is an outline without area"
        height, width = image.shape[:2]
        if outline.intersection(box(0, 0, width, height)).area < _LEAST_INSIDE * outline.area:
            return f"lies outside the image of {width} x {height} pixels"
        return None

    def box_fault(self, corners: Sequence[float], image: Image) -> str | None:
        """What is wrong with a box ``(x1, y1, x2, y2)``; None for a good one."""
        x1, y1, x2, y2 = corners
        if not (x2 > x1 and y2 > y1):
            return "is a box without area"
        height, width = image.shape[:2]
        if x1 < -_ROUNDING or y1 < -_ROUNDING or x2 > width + _ROUNDING or y2 > height + _ROUNDING:
            return f"is a box that reaches beyond the image of {width} x {height} pixels"
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def read_image(path: Path) -> Image:
    """An image file, upright by EXIF.

    Raises:
        InputError: it is missing or cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as cause:
        reason = "does not exist" if isinstance(cause, FileNotFoundError) else f"cannot be opened: {cause.strerror}"
        raise InputError(f"the image {path.name} {reason}", source=str(path)) from cause
    except ValueError as cause:
        raise InputError(f"{str(path)!r} is no path of an image", source=str(path)) from cause
    return decode(content, source=path.name)
