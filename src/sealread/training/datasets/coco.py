"""Data sets of seal boxes in the COCO layout: ``images/`` and ``annotations/instance_train.json``, ``instance_val.json``."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sealread.metrics import Box
from sealread.training.datasets.records import DataSet, Inspection, Record
from sealread.types import Image


def read_coco(folder: Path) -> DataSet:
    """A set of pages with the boxes of their seals; boxes of other categories are left aside.

    An image without boxes is a page without seals. An image with a box that is wrong is left out, for it would teach that there is
    nothing.
    """
    inspection = Inspection(folder)
    aside: Counter[str] = Counter()
    classes: dict[str, None] = {}
    splits = [_split(inspection, f"annotations/instance_{split}.json", aside, classes) for split in ("train", "val")]
    left = {f"boxes of {name}": count for name, count in sorted(aside.items())}
    return DataSet("coco", folder, splits[0], splits[1], tuple(inspection.problems), left, tuple(classes))


def _split(inspection: Inspection, file: str, aside: Counter[str], classes: dict[str, None]) -> tuple[Record, ...]:
    table = _table(inspection, file)
    if table is None:
        return ()
    names = {}
    for number, category in enumerate(table["categories"]):
        if not isinstance(category, Mapping) or not isinstance(category.get("name"), str) or "id" not in category:
            inspection.note(file, None, f"categories[{number}] has no id and name")
        else:
            names[category["id"]] = category["name"]
    classes.update(dict.fromkeys(names.values()))
    if "seal" not in names.values():
        inspection.note(file, None, "has no category seal; name that of the seals so")
        return ()
    boxes = defaultdict(list)
    for number, annotation in enumerate(table["annotations"]):
        if not isinstance(annotation, Mapping) or not {"image_id", "category_id", "bbox"} <= set(annotation):
            inspection.note(file, None, f"annotations[{number}] has no image_id, category_id and bbox")
        else:
            boxes[annotation["image_id"]].append((annotation.get("id", number), annotation["category_id"], annotation["bbox"]))
    records = []
    for number, entry in enumerate(table["images"]):
        if not isinstance(entry, Mapping) or "id" not in entry or not isinstance(entry.get("file_name"), str):
            inspection.note(file, None, f"images[{number}] has no id and file_name")
            continue
        record = _record(inspection, file, entry, boxes.pop(entry["id"], []), names, aside)
        if record is not None:
            records.append(record)
    for owner, orphans in boxes.items():
        inspection.note(file, None, f"annotation {orphans[0][0]} belongs to the image {owner}, which is not listed")
    return tuple(records)


def _table(inspection: Inspection, file: str) -> dict[str, list[Any]] | None:
    """The content of an annotation file; None where it cannot be used, which is noted."""
    try:
        table = json.loads((inspection.folder / file).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        inspection.note(file, None, "is missing")
        return None
    except OSError as cause:
        inspection.note(file, None, f"cannot be read: {cause.strerror}")
        return None
    except json.JSONDecodeError as cause:
        inspection.note(file, cause.lineno, f"is no JSON: {cause.msg}")
        return None
    except UnicodeDecodeError:
        inspection.note(file, None, "is not UTF-8 text")
        return None
    for key in ("images", "annotations", "categories"):
        if not isinstance(table, dict) or not isinstance(table.get(key), list):
            inspection.note(file, None, f"has no list of {key}")
            return None
    return dict(table)


def _record(
    inspection: Inspection, file: str, entry: Mapping[str, Any], annotations: list[Any], names: Mapping[Any, str], aside: Counter[str]
) -> Record | None:
    path = inspection.folder / "images" / entry["file_name"]
    image = inspection.image(path, file, None)
    if image is None:
        return None
    before = len(inspection.problems)
    height, width = image.shape[:2]
    if (entry.get("width", width), entry.get("height", height)) != (width, height):
        stated = f"{entry.get('width')} x {entry.get('height')}"
        inspection.note(file, None, f"{path.name} is said to have {stated} pixels, but has {width} x {height}")
    boxes = []
    for label, category, corners in annotations:
        if category not in names:
            inspection.note(file, None, f"annotation {label} has the category {category}, which is not listed")
        elif names[category] != "seal":
            aside[names[category]] += 1
        else:
            box = _box(inspection, file, f"annotation {label} of {path.name}", corners, image)
            boxes += [] if box is None else [box]
    return Record(path, boxes=tuple(boxes)) if len(inspection.problems) == before else None


def _box(inspection: Inspection, file: str, label: str, values: Any, image: Image) -> Box | None:
    if not isinstance(values, list) or len(values) != 4 or not all(isinstance(v, int | float) for v in values):
        inspection.note(file, None, f"{label} has a bbox that is not four numbers: x, y, width, height")
        return None
    x, y, width, height = (float(v) for v in values)
    box = (x, y, x + width, y + height)
    fault = inspection.box_fault(box, image)
    if fault is not None:
        inspection.note(file, None, f"{label} {fault}")
        return None
    return box
