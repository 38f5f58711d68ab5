"""Data sets whose labels are text files: ``train.txt`` and ``val.txt`` beside a folder of images, one image a line.

| form | line | further files |
|---|---|---|
| textdet (TextDetDataset) | path, tab, JSON list of ``{"transcription": ..., "points": [[x, y], ...]}``; ``###`` is not to be learned | |
| textrec (MSTextRecDataset) | path, tab, text | ``dict.txt``: one character a line |
| orientation (ClsDataset) | path, space, id | ``label.txt``: id, space, name |
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from sealread.training.datasets.bands import band_of
from sealread.training.datasets.records import DataSet, Inspection, LineRecord, Record
from sealread.types import Image

SPLITS = ("train", "val")
#: Input pixels per step of a recogniser, at its height of 48.
_STEP, _HEIGHT = 8, 48
_NOT_LEARNED = ("###", "*")

#: Makes a record of an image and the rest of its row; None where something is wrong, which is noted.
_Parse = Callable[[Inspection, str, int, Path, Image, str], Record | None]


def _read(form: str, inspection: Inspection, separator: str, parse: _Parse, **about: Any) -> DataSet:
    splits: dict[str, list[Record]] = {split: [] for split in SPLITS}
    for split in SPLITS:
        file = f"{split}.txt"
        for number, row in inspection.rows(file):
            # A path may hold spaces, a number does not.
            name, found, rest = row.rpartition(separator) if separator == " " else row.partition(separator)
            if not found:
                kind = "tab" if separator == "\t" else "space"
                inspection.note(file, number, f"has no {kind} between the image's path and its label")
                continue
            path = inspection.folder / name
            image = inspection.image(path, file, number)
            if image is not None:
                record = parse(inspection, file, number, path, image, rest)
                if record is not None:
                    splits[split].append(record)
    return DataSet(form, inspection.folder, tuple(splits["train"]), tuple(splits["val"]), tuple(inspection.problems), **about)


# ---------------------------------------------------------------- text detection


def read_textdet(folder: Path, alphabet: frozenset[str] | None = None) -> DataSet:
    """A set of outlined lines.

    Args:
        folder: holds ``train.txt`` and ``val.txt``.
        alphabet: the recogniser's characters, where the texts are to be learned.
    """

    def parse(inspection: Inspection, file: str, number: int, path: Path, image: Image, rest: str) -> Record | None:
        try:
            entries = json.loads(rest)
        except ValueError as cause:
            inspection.note(file, number, f"what follows the tab is no JSON: {cause}")
            return None
        if not isinstance(entries, list):
            inspection.note(file, number, "what follows the tab is no JSON list of lines")
            return None
        before = len(inspection.problems)
        lines = [_line(inspection, file, number, place, entry, image, alphabet) for place, entry in enumerate(entries, 1)]
        # A missing line would teach that there is none.
        return Record(path, tuple(line for line in lines if line is not None)) if len(inspection.problems) == before else None

    return _read("textdet", Inspection(folder), "\t", parse)


def _line(
    inspection: Inspection, file: str, number: int, place: int, entry: Any, image: Image, alphabet: frozenset[str] | None
) -> LineRecord | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("transcription"), str) or "points" not in entry:
        inspection.note(file, number, f"line {place} of the image has no transcription and points")
        return None
    text = entry["transcription"]
    ignored = text in _NOT_LEARNED
    fault = inspection.polygon_fault(entry["points"], image)
    # What is not to be learned may be cut off.
    if fault is None or (ignored and fault.startswith("lies outside")):
        polygon = np.array(entry["points"], dtype=np.float64)
        if band_of(polygon, text) is None and not ignored:
            fault = "is too thin for a line of text"
        else:
            fault = unknown_characters(text, alphabet) if not ignored else None
            if fault is None:
                return LineRecord("" if ignored else text, polygon, ignored)
    inspection.note(file, number, f"line {place} ({text}) {fault}")
    return None


# ---------------------------------------------------------------- recognition


def read_textrec(folder: Path, alphabet: frozenset[str]) -> DataSet:
    """A set of strips and their texts.

    Args:
        folder: holds ``train.txt``, ``val.txt`` and ``dict.txt``.
        alphabet: the characters that the network can give; those of ``dict.txt`` that are not among them will be new to it.
    """
    inspection = Inspection(folder)
    listed = set()
    for number, row in inspection.rows("dict.txt"):
        if len(row) == 1:
            listed.add(row)
        else:
            inspection.note("dict.txt", number, f"{row!r} is not one character")
    known = alphabet | listed

    def parse(inspection: Inspection, file: str, number: int, path: Path, image: Image, text: str) -> Record | None:
        fault = _strip_fault(text, image, known)
        if fault is not None:
            inspection.note(file, number, f"the text {text!r} {fault}")
            return None
        return Record(path, strip=text)

    return _read("textrec", inspection, "\t", parse, new_characters="".join(sorted(listed - alphabet)))


def _strip_fault(text: str, image: Image, alphabet: frozenset[str]) -> str | None:
    if not text.strip():
        return "is empty"
    unknown = unknown_characters(text, alphabet)
    if unknown is not None:
        return unknown
    steps = image.shape[1] * _HEIGHT / image.shape[0] / _STEP
    dense = text.replace(" ", "")
    if steps < len(dense) + sum(a == b for a, b in pairwise(dense)):
        return f"is too long for a strip of {image.shape[1]} x {image.shape[0]} pixels"
    return None


def unknown_characters(text: str, alphabet: frozenset[str] | None) -> str | None:
    """What to say of a text with characters that the network cannot give; None where there are none."""
    unknown = [] if alphabet is None else sorted(set(text) - alphabet)
    return f"has characters outside the alphabet: {' '.join(unknown)}" if unknown else None


# ---------------------------------------------------------------- orientation


def read_orientation(folder: Path) -> DataSet:
    """A set of pages and by how much they stand turned clockwise."""
    inspection = Inspection(folder)
    turns = _turn_labels(inspection)

    def parse(inspection: Inspection, file: str, number: int, path: Path, image: Image, label: str) -> Record | None:
        if label not in turns:
            inspection.note(file, number, f"the label {label!r} is not in label.txt")
            return None
        return Record(path, turns=turns[label])

    return _read("orientation", inspection, " ", parse, classes=("0", "90", "180", "270"))


def _turn_labels(inspection: Inspection) -> dict[str, int]:
    """Quarter turns by id."""
    turns = {}
    for number, row in inspection.rows("label.txt"):
        label, _, name = row.partition(" ")
        degrees = re.match(r"\d+", name)
        if degrees is None or int(degrees[0]) not in (0, 90, 180, 270):
            inspection.note("label.txt", number, f"the name {name!r} is none of 0, 90, 180 and 270")
        else:
            turns[label] = int(degrees[0]) // 90
    return turns
