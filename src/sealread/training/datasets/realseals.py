"""Data sets in the format of the evaluation set (`sealread.labels`): ``labels.jsonl``, one image a line.

`split` of an image says where it belongs, ``train`` or ``val``; without it every tenth image is for validation. Which images are of
use depends on the network:

| network | images | labels |
|---|---|---|
| layout detection | documents | boxes of seals |
| text detection | seal crops with every line outlined | outlines; lines of less than high confidence are not counted |
| recognition | seal crops and documents | outlined lines of high confidence |
| orientation | documents, taken to be upright | |
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from sealread.labels import LABELS_FILE, ImageLabel, LineLabel, SealLabel
from sealread.training.datasets.lists import unknown_characters
from sealread.training.datasets.records import DataSet, Inspection, LineRecord, Record
from sealread.types import Image

_Outline = Annotated[tuple[tuple[float, float], ...], Field(min_length=3)]
#: Without a word on it, every so manieth image is for validation.
_VALIDATION_EVERY = 10


class _Column(BaseModel):
    text: str
    polygon: _Outline


class _Line(LineLabel):
    columns: tuple[_Column, ...] = ()
    confidence: str = "high"


class _Seal(SealLabel):
    texts: tuple[_Line, ...]


class _Image(ImageLabel):
    seals: tuple[_Seal, ...] = ()
    split: Literal["train", "val"] | None = None


#: Makes a record of a label; None where the image is of no use (which is counted) or something is wrong (which is noted).
_Parse = Callable[["_Row"], Record | None]


class _Row:
    """One line of the label file while it is looked at."""

    def __init__(self, inspection: Inspection, number: int, label: _Image, image: Image, aside: Counter[str]) -> None:
        self.inspection, self.number, self.label, self.image, self.aside = inspection, number, label, image, aside
        self.path = inspection.folder / label.file

    def note(self, what: str) -> None:
        self.inspection.note(LABELS_FILE, self.number, what)


def read_realseals(folder: Path, task: str, alphabet: frozenset[str] | None = None) -> DataSet:
    """A set in the format of the evaluation set, as far as a network can learn from it.

    Args:
        folder: holds ``labels.jsonl``.
        task: the network's module.
        alphabet: the recogniser's characters.
    """
    inspection = Inspection(folder)
    parsers: dict[str, _Parse] = {
        "layout_detection": _boxes,
        "seal_text_detection": _outlined,
        "text_recognition": lambda row: _readable(row, alphabet),
        "doc_text_orientation": _upright,
    }
    aside: Counter[str] = Counter()
    splits: dict[str, list[Record]] = {"train": [], "val": []}
    for count, (number, text) in enumerate(inspection.rows(LABELS_FILE)):
        label = _label(inspection, number, text)
        image = None if label is None else inspection.image(folder / label.file, LABELS_FILE, number)
        if label is None or image is None:
            continue
        record = parsers[task](_Row(inspection, number, label, image, aside))
        if record is not None:
            usual = "val" if count % _VALIDATION_EVERY == _VALIDATION_EVERY - 1 else "train"
            splits[usual if label.split is None else label.split].append(record)
    return DataSet(
        "realseals",
        folder,
        tuple(splits["train"]),
        tuple(splits["val"]),
        tuple(inspection.problems),
        dict(sorted(aside.items())),
        upright=task == "doc_text_orientation",
    )


def _label(inspection: Inspection, number: int, text: str) -> _Image | None:
    try:
        return _Image.model_validate(json.loads(text))
    except ValidationError as cause:
        first = cause.errors()[0]
        inspection.note(LABELS_FILE, number, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")
    except ValueError as cause:
        inspection.note(LABELS_FILE, number, f"is no JSON: {cause}")
    return None


def _boxes(row: _Row) -> Record | None:
    if row.label.kind != "document":
        row.aside["seal crops"] += 1
        return None
    faults = [(seal.bbox, fault) for seal in row.label.seals if (fault := row.inspection.box_fault(seal.bbox, row.image)) is not None]
    for box, fault in faults:
        row.note(f"bbox {list(box)} {fault}")
    return None if faults else Record(row.path, boxes=tuple(seal.bbox for seal in row.label.seals))


def _outlined(row: _Row) -> Record | None:
    if row.label.kind != "seal_crop":
        row.aside["documents"] += 1
        return None
    texts = [text for seal in row.label.seals for text in seal.texts]
    if any(seal.unread for seal in row.label.seals) or not all(text.polygon or text.columns for text in texts):
        row.aside["seal crops without outlines of all lines"] += 1
        return None
    before = len(row.inspection.problems)
    lines = _lines(row, None)
    return Record(row.path, lines) if len(row.inspection.problems) == before else None


def _readable(row: _Row, alphabet: frozenset[str] | None) -> Record | None:
    lines = tuple(line for line in _lines(row, alphabet) if not line.ignored)
    if not lines:
        row.aside["images without outlined lines of high confidence"] += 1
    return Record(row.path, lines) if lines else None


def _upright(row: _Row) -> Record | None:
    if row.label.kind != "document":
        row.aside["seal crops"] += 1
        return None
    return Record(row.path)


def _lines(row: _Row, alphabet: frozenset[str] | None) -> tuple[LineRecord, ...]:
    """The outlined lines of an image, columns one by one; what is wrong is noted and left out."""
    lines = []
    for text in (text for seal in row.label.seals for text in seal.texts):
        outlined = [(text.text, text.polygon)] if text.polygon else [(column.text, column.polygon) for column in text.columns]
        for words, polygon in outlined:
            ignored = text.confidence != "high"
            fault = row.inspection.polygon_fault([list(point) for point in polygon], row.image)
            if fault is not None and ignored and fault.startswith("lies outside"):
                fault = None
            if fault is None and not ignored:
                fault = unknown_characters(words, alphabet)
            if fault is not None:
                row.note(f"the line {words} {fault}")
            else:
                lines.append(LineRecord(words, np.array(polygon, dtype=np.float64), ignored))
    return tuple(lines)
