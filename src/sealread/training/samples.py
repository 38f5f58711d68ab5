"""Samples for training, drawn by the generator and kept on disk so that they are drawn once.

Sample i of a seed is the same in every run. The cache holds plain arrays (``.npz``, no pickles).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.polygons import Points
from sealread.training import synth
from sealread.training.synth import Sample


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One line of a sample: its text, its edges ``(k, 2)`` in reading direction in image pixels, and whether it is a column."""

    text: str
    top: Points
    bottom: Points
    vertical: bool


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image with the lines on it and the boxes ``(m, 4)`` of its seals."""

    image: NDArray[np.uint8]
    lines: tuple[SampleLine, ...]
    boxes: NDArray[np.float64]


def drawn(kind: str, seed: int, index: int, size: int, cache: Path | None) -> LabelledImage:
    """Sample `index` of the generator: ``crops`` or ``pages``."""
    path = cache / f"{kind}-{size}-{seed}" / f"{index // 1000:04d}" / f"{index:07d}.npz" if cache is not None else None
    if path is not None and path.exists():
        return _read(path)
    rng = np.random.default_rng([seed, index])
    sample = synth.draw_crop(rng, size) if kind == "crops" else synth.draw_page(rng, size)
    labelled = _labelled(sample)
    if path is not None:
        _write(path, labelled)
    return labelled


def _labelled(sample: Sample) -> LabelledImage:
    lines = tuple(SampleLine(line.text, line.top, line.bottom, line.vertical) for seal in sample.seals for line in seal.lines)
    boxes = np.array([seal.bbox for seal in sample.seals], dtype=np.float64).reshape(-1, 4)
    return LabelledImage(sample.image, lines, boxes)


def _write(path: Path, labelled: LabelledImage) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _, encoded = cv2.imencode(".jpg", labelled.image, [cv2.IMWRITE_JPEG_QUALITY, 95])
    lines = labelled.lines
    beside = path.with_name(f"{path.stem}.{os.getpid()}.npz")
    np.savez(
        beside,
        image=encoded,
        boxes=labelled.boxes,
        sizes=np.array([len(line.top) for line in lines], dtype=np.int64),
        edges=np.concatenate([np.hstack([line.top, line.bottom]) for line in lines]) if lines else np.zeros((0, 4)),
        vertical=np.array([line.vertical for line in lines], dtype=bool),
        texts=np.array([line.text for line in lines], dtype=np.str_),
    )
    os.replace(beside, path)


def _read(path: Path) -> LabelledImage:
    with np.load(path, allow_pickle=False) as stored:
        image = cv2.imdecode(stored["image"], cv2.IMREAD_COLOR)
        ends = np.cumsum(stored["sizes"])
        edges = np.split(stored["edges"], ends[:-1]) if len(ends) else []
        lines = tuple(
            SampleLine(str(text), e[:, :2].copy(), e[:, 2:].copy(), bool(vertical))
            for text, e, vertical in zip(stored["texts"], edges, stored["vertical"], strict=True)
        )
        return LabelledImage(np.asarray(image, dtype=np.uint8), lines, stored["boxes"])
