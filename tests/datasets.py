"""Data sets of a few images in the formats that training reads, drawn here without fonts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: Size of every picture but the strips, in pixels.
SIDE = 96


def picture(number: int) -> NDArray[np.uint8]:
    """A paper with a red ring around a bar of text; its top left corner is dark."""
    image = np.full((SIDE, SIDE, 3), 245 - number, np.uint8)
    cv2.circle(image, (48, 48), 36, (40, 40, 200), 3, cv2.LINE_AA)
    cv2.putText(image, "AB12", (22, 54), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (40, 40, 200), 2, cv2.LINE_AA)
    image[:12, :12] = 30
    return image


#: Outline of the text and box of the ring.
LINE, SEAL = [[20, 38], [76, 38], [76, 58], [20, 58]], [10, 10, 76, 76]


def strip(number: int) -> NDArray[np.uint8]:
    """A line of text, cut out."""
    image = np.full((24, 96, 3), 240, np.uint8)
    cv2.putText(image, f"A{number}B", (8, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (40, 40, 200), 2, cv2.LINE_AA)
    return image


def _write(folder: Path, make: Callable[[int], NDArray[np.uint8]], count: int) -> list[str]:
    (folder / "images").mkdir(parents=True)
    names = [f"images/{number}.png" for number in range(count)]
    for number, name in enumerate(names):
        cv2.imwrite(str(folder / name), make(number))
    return names


def _lists(folder: Path, rows: Sequence[str]) -> Path:
    """The last row is for validation."""
    (folder / "train.txt").write_text("".join(f"{row}\n" for row in rows[:-1]), encoding="utf-8")
    (folder / "val.txt").write_text(f"{rows[-1]}\n", encoding="utf-8")
    return folder


def textdet_set(folder: Path, count: int = 4) -> Path:
    """Outlined lines."""
    label = json.dumps([{"transcription": "AB12", "points": LINE}, {"transcription": "###", "points": [[0, 80], [30, 80], [30, 90]]}])
    return _lists(folder, [f"{name}\t{label}" for name in _write(folder, picture, count)])


def textrec_set(folder: Path, count: int = 4, characters: str = "AB0123") -> Path:
    """Strips."""
    rows = [f"{name}\tA{number}B" for number, name in enumerate(_write(folder, strip, count))]
    (folder / "dict.txt").write_text("".join(f"{c}\n" for c in characters), encoding="utf-8")
    return _lists(folder, rows)


def orientation_set(folder: Path, count: int = 4) -> Path:
    """Pages turned clockwise by as many quarter turns as their number says."""
    names = _write(folder, lambda number: np.ascontiguousarray(np.rot90(picture(number), -number)), count)
    (folder / "label.txt").write_text("0 0\n1 90\n2 180\n3 270\n", encoding="utf-8")
    return _lists(folder, [f"{name} {number % 4}" for number, name in enumerate(names)])


def coco_table(names: Sequence[str], first: int = 1) -> dict[str, Any]:
    """An annotation table: each image with one seal and one table."""
    ids = range(first, first + len(names))
    images = [{"id": i, "file_name": Path(name).name, "width": SIDE, "height": SIDE} for i, name in zip(ids, names, strict=True)]
    seals = [{"id": 2 * i, "image_id": i, "category_id": 7, "bbox": SEAL} for i in ids]
    tables = [{"id": 2 * i + 1, "image_id": i, "category_id": 3, "bbox": [0, 0, 12, 12]} for i in ids]
    return {"images": images, "annotations": seals + tables, "categories": [{"id": 7, "name": "seal"}, {"id": 3, "name": "table"}]}


def coco_set(folder: Path, count: int = 4) -> Path:
    """Boxes of seals and of a category that no seal finder learns."""
    names = _write(folder, picture, count)
    (folder / "annotations").mkdir()
    for split, chosen in (("train", names[:-1]), ("val", names[-1:])):
        text = json.dumps(coco_table(chosen, 1 if split == "train" else count))
        (folder / "annotations" / f"instance_{split}.json").write_text(text, encoding="utf-8")
    return folder


def realseals_set(folder: Path, count: int = 4, kind: str = "seal_crop") -> Path:
    """The evaluation set's format."""
    rows = []
    x, y, width, height = SEAL
    for number, name in enumerate(_write(folder, picture, count)):
        text = {"text": "AB12", "role": "horizontal", "polygon": LINE}
        seal = {"shape": "round", "colour": "red", "bbox": [x, y, x + width, y + height], "texts": [text]}
        rows.append({"file": name, "kind": kind, "seals": [seal], "split": "val" if number == count - 1 else "train"})
    (folder / "labels.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return folder


MAKERS = {
    "seal_text_detection": textdet_set,
    "text_recognition": textrec_set,
    "layout_detection": coco_set,
    "doc_text_orientation": orientation_set,
}
