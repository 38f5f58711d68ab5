"""Synthetic datasets on disk, in the layouts that training reads.

| form | what | from |
|---|---|---|
| realseals | `labels.jsonl` like the evaluation set's, with outlines, rotations and characters | crops, pages |
| textdet | TextDetDataset: curved line polygons | crops, pages |
| textrec | MSTextRecDataset: straightened strips and their texts, `dict.txt` | crops, pages |
| coco | COCODetDataset with the category `seal` | crops, pages |
| orientation | ClsDataset: images turned clockwise by 0, 90, 180, 270 degrees | crops, pages |

Image `i` of a dataset follows from `(seed, i)` alone; about every tenth one, as drawn from the seed, is for validation.
Polygons lie in pixels of the image beside them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sealread.errors import InputError
from sealread.training.synth.pages import draw_page
from sealread.training.synth.scenes import draw_crop
from sealread.training.synth.strips import band_height, strip_of
from sealread.training.synth.truth import Image, LineTruth, Points, Sample, SealTruth

FORMS = ("realseals", "textdet", "textrec", "coco", "orientation")
KINDS = ("crops", "pages")

#: Lines whose characters are lower than this, in pixels, are marked as not to be learned.
_LEGIBLE = 7.0
#: Share of the images that is for validation.
_VALIDATION_SHARE = 0.1


def write_dataset(
    out: Path, *, count: int, seed: int, kind: str, form: str, size: int | None = None, validation: float = _VALIDATION_SHARE
) -> None:
    """Draw a dataset and write it.

    Args:
        out: folder to write into; made where it is missing, files of equal name are replaced.
        count: number of images drawn (textrec writes a strip for each line on them).
        seed: the only source of chance.
        kind: crops or pages.
        form: realseals, textdet, textrec, coco or orientation.
        size: longer side in pixels; None means 320 for crops and 960 for pages.
        validation: about this share of the images is for validation.

    Raises:
        InputError: an unknown kind or form, a count below one, or a share that is none.
    """
    for name, value, known in (("kind", kind, KINDS), ("form", form, FORMS)):
        if value not in known:
            raise InputError(f"The {name} of a synthetic dataset is one of {', '.join(known)}, not '{value}'.", parameter=name)
    if count < 1:
        raise InputError(f"A dataset needs at least one image, not {count}.", parameter="count")
    if not 0 <= validation < 1:
        raise InputError(f"The share for validation is at least 0 and below 1, not {validation}.", parameter="validation")
    writers: dict[str, Callable[[Path, Iterator[tuple[str, str, Sample]]], None]] = {
        "realseals": _realseals,
        "textdet": _textdet,
        "textrec": _textrec,
        "coco": _coco,
        "orientation": _orientation,
    }
    (out / "images").mkdir(parents=True, exist_ok=True)
    writers[form](out, _samples(count, seed, kind, size, validation))


def _samples(count: int, seed: int, kind: str, size: int | None, validation: float) -> Iterator[tuple[str, str, Sample]]:
    """File stem, split (train or val) and sample, one by one; the last image is for validation if no other one is."""
    chosen = np.random.default_rng([seed, 1]).random(count) < validation
    if count > 1 and validation > 0 and not chosen.any():
        chosen[-1] = True
    if chosen.all():
        chosen[0] = False
    for i in range(count):
        rng = np.random.default_rng([seed, 0, i])
        draw, usual = (draw_crop, 320) if kind == "crops" else (draw_page, 960)
        sample = draw(rng, usual if size is None else size)
        yield f"{kind}_{seed}_{i:06d}", "val" if chosen[i] else "train", sample


def _save(out: Path, name: str, image: Image) -> str:
    """Write a picture below `images`; its path relative to `out`."""
    relative = f"images/{name}.jpg"
    cv2.imwrite(str(out / relative), image, [cv2.IMWRITE_JPEG_QUALITY, 94])
    return relative


def _rounded(points: Points, digits: int = 1) -> list[list[float]]:
    return [[round(float(x), digits), round(float(y), digits)] for x, y in points]


def _inside(line: LineTruth, width: int, height: int) -> bool:
    """Whether at least nine tenths of the characters' corners lie in the image."""
    corners = np.concatenate([char.quad for char in line.chars])
    within = ((corners >= -1) & (corners <= (width, height))).all(axis=1)
    return bool(within.mean() >= 0.9)


def _learnable(line: LineTruth, image: Image) -> bool:
    """Whether a line is large enough and whole."""
    return band_height(line) >= _LEGIBLE and _inside(line, image.shape[1], image.shape[0])


def simplified(line: LineTruth) -> Points:
    """The line's polygon with few points: four for straight lines, up to 28 for curved ones."""
    if not line.curved:
        ends = np.array([0, -1])
    else:
        ends = np.unique(np.linspace(0, len(line.top) - 1, min(14, len(line.top))).round().astype(int))
    short = LineTruth(line.text, line.role, line.top[ends], line.bottom[ends], line.chars, line.curved, line.vertical)
    return short.polygon


def _seal_label(seal: SealTruth, image: Image) -> dict[str, Any]:
    """A seal as the evaluation set describes it: columns of square seals are one text, the right one first."""
    columns = [line for line in seal.lines if line.vertical]
    texts = [_text_label([line], image) for line in seal.lines if not line.vertical]
    if columns:
        texts.append(_text_label(columns, image))
    height, width = image.shape[:2]
    x1, y1, x2, y2 = np.clip(seal.bbox, 0, (width, height, width, height))
    whole = abs(x2 - x1) * abs(y2 - y1) >= 0.85 * (seal.bbox[2] - seal.bbox[0]) * (seal.bbox[3] - seal.bbox[1])
    return {
        "shape": seal.shape,
        "colour": seal.colour,
        "bbox": [round(float(value), 1) for value in (x1, y1, x2, y2)],
        "rotation": round(seal.rotation, 1),
        "outline": _rounded(seal.outline),
        "texts": texts,
        "legible": all(text["confidence"] == "high" for text in texts),
        "partial": not bool(whole),
    }


def _text_label(lines: list[LineTruth], image: Image) -> dict[str, Any]:
    label: dict[str, Any] = {
        "text": "".join(line.text for line in lines),
        "role": lines[0].role,
        "curved": lines[0].curved,
        "confidence": "high" if all(_learnable(line, image) for line in lines) else "medium",
        "chars": [{"text": char.text, "quad": _rounded(char.quad)} for line in lines for char in line.chars],
    }
    if len(lines) == 1 and not lines[0].vertical:
        label["polygon"] = _rounded(simplified(lines[0]))
    else:
        label["columns"] = [{"text": line.text, "polygon": _rounded(simplified(line))} for line in lines]
    return label


def _realseals(out: Path, samples: Iterator[tuple[str, str, Sample]]) -> None:
    with (out / "labels.jsonl").open("w", encoding="utf-8") as file:
        for stem, split, sample in samples:
            height, width = sample.image.shape[:2]
            row = {
                "file": _save(out, stem, sample.image),
                "kind": "seal_crop" if stem.startswith("crops") else "document",
                "negative": not sample.seals,
                "language": "mul",
                "origin": "synthetic",
                "group": stem,
                "split": split,
                "width": width,
                "height": height,
                "seals": [_seal_label(seal, sample.image) for seal in sample.seals],
                "notes": "",
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _lists(out: Path, rows: dict[str, list[str]]) -> None:
    for split in ("train", "val"):
        (out / f"{split}.txt").write_text("".join(f"{row}\n" for row in rows[split]), encoding="utf-8")


def _textdet(out: Path, samples: Iterator[tuple[str, str, Sample]]) -> None:
    rows: dict[str, list[str]] = {"train": [], "val": []}
    for stem, split, sample in samples:
        lines = [
            {"transcription": line.text if _learnable(line, sample.image) else "###", "points": _rounded(simplified(line))}
            for seal in sample.seals
            for line in seal.lines
        ]
        rows[split].append(f"{_save(out, stem, sample.image)}\t{json.dumps(lines, ensure_ascii=False)}")
    _lists(out, rows)


def _textrec(out: Path, samples: Iterator[tuple[str, str, Sample]]) -> None:
    rows: dict[str, list[str]] = {"train": [], "val": []}
    alphabet: set[str] = set()
    for stem, split, sample in samples:
        lines = [line for seal in sample.seals for line in seal.lines if _learnable(line, sample.image)]
        for number, line in enumerate(lines):
            strip = strip_of(sample.image, line)
            if strip is None:
                continue
            rows[split].append(f"{_save(out, f'{stem}_{number:02d}', strip)}\t{line.text}")
            alphabet.update(line.text)
    (out / "dict.txt").write_text("".join(f"{char}\n" for char in sorted(alphabet - {" "})), encoding="utf-8")
    _lists(out, rows)


def _coco(out: Path, samples: Iterator[tuple[str, str, Sample]]) -> None:
    splits: dict[str, dict[str, list[dict[str, Any]]]] = {
        split: {"images": [], "annotations": [], "categories": [{"id": 1, "name": "seal", "supercategory": "none"}]}
        for split in ("train", "val")
    }
    for number, (stem, split, sample) in enumerate(samples, start=1):
        height, width = sample.image.shape[:2]
        table = splits[split]
        name = Path(_save(out, stem, sample.image)).name
        table["images"].append({"id": number, "file_name": name, "width": width, "height": height})
        for seal in sample.seals:
            x1, y1, x2, y2 = (float(value) for value in np.clip(seal.bbox, 0, (width, height, width, height)))
            if x2 - x1 < 2 or y2 - y1 < 2:
                continue
            box = [round(value, 1) for value in (x1, y1, x2 - x1, y2 - y1)]
            table["annotations"].append(
                {
                    "id": len(table["annotations"]) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "bbox": box,
                    "area": round(box[2] * box[3], 1),
                    "iscrowd": 0,
                    "segmentation": [[round(float(value), 1) for value in seal.outline.ravel()]],
                }
            )
    (out / "annotations").mkdir(exist_ok=True)
    for split, table in splits.items():
        (out / "annotations" / f"instance_{split}.json").write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")


def _orientation(out: Path, samples: Iterator[tuple[str, str, Sample]]) -> None:
    rows: dict[str, list[str]] = {"train": [], "val": []}
    for number, (stem, split, sample) in enumerate(samples):
        label = number % 4  # the content stands turned clockwise by label x 90 degrees
        turned = np.ascontiguousarray(np.rot90(sample.image, -label))
        rows[split].append(f"{_save(out, stem, turned)} {label}")
    (out / "label.txt").write_text("0 0\n1 90\n2 180\n3 270\n", encoding="utf-8")
    _lists(out, rows)
