"""Samples for training: labelled images by number. Here, those that the generator draws, kept on disk so that they are drawn once.

Sample i of a seed is the same in every run. The cache holds plain arrays (``.npz``, no pickles), images as JPEG. Samples of data sets on
disk: `sealread.training.datasets`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.polygons import Points
from sealread.training import synth
from sealread.training.synth import Sample


@dataclass(frozen=True, slots=True)
class SampleLine:
    """One line of a sample.

    Attributes:
        text: what it says; may be empty where only its place is known.
        top, bottom: ``(k, 2)`` edges in reading direction, in image pixels.
        vertical: whether it is a column of upright characters.
        ignored: whether it is neither to be learned nor to be counted.
    """

    text: str
    top: Points
    bottom: Points
    vertical: bool
    ignored: bool = False


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image with what is on it.

    Attributes:
        image: ``(h, w, 3)`` uint8 BGR.
        lines: lines of text.
        boxes: ``(m, 4)`` x1, y1, x2, y2 of its seals.
        turns: quarter turns clockwise by which the content stands turned.
        strip: whether the image is one line, cut out already.
    """

    image: NDArray[np.uint8]
    lines: tuple[SampleLine, ...]
    boxes: NDArray[np.float64]
    turns: int = 0
    strip: bool = False


class Samples(Protocol):
    """Labelled images by number; each number gives the same image whenever it is asked for."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def __getitem__(self, index: int, /) -> LabelledImage:
        """Sample `index`."""
        ...


@dataclass(frozen=True, slots=True)
class Data:
    """What a network is trained with, and what it is measured on meanwhile."""

    training: Samples
    validation: Samples


@dataclass(frozen=True, slots=True)
class DrawnSamples:
    """Samples of the generator.

    Attributes:
        kind: ``crops``, ``pages`` or ``sheets``, see `drawn`.
        size: longer side of the images in pixels.
        cache: folder in which they are kept, or None.
    """

    kind: str
    seed: int
    count: int
    size: int
    cache: Path | None

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int, /) -> LabelledImage:
        return drawn(self.kind, self.seed, index, self.size, self.cache)


@dataclass(frozen=True, slots=True)
class QuarterTurns:
    """Upright samples, of which sample i stands turned clockwise by i quarter turns."""

    upright: Samples

    def __len__(self) -> int:
        return len(self.upright)

    def __getitem__(self, index: int, /) -> LabelledImage:
        return quarter_turned(self.upright[index], -index % 4)


def quarter_turned(labelled: LabelledImage, turns: int) -> LabelledImage:
    """The sample turned counter-clockwise by `turns` times 90 degrees (0 to 3)."""
    height, width = labelled.image.shape[:2]

    def turn(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = points[:, 0], points[:, 1]
        return np.stack([(x, y), (y, width - x), (width - x, height - y), (height - y, x)][turns], axis=1)

    lines = tuple(replace(line, top=turn(line.top), bottom=turn(line.bottom)) for line in labelled.lines)
    corners = labelled.boxes.reshape(-1, 2)
    boxes = turn(corners).reshape(-1, 4) if len(corners) else labelled.boxes
    boxes = np.concatenate([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1)
    image = np.ascontiguousarray(np.rot90(labelled.image, turns))
    return replace(labelled, image=image, lines=lines, boxes=boxes, turns=(labelled.turns - turns) % 4)


def drawn(kind: str, seed: int, index: int, size: int, cache: Path | None) -> LabelledImage:
    """Sample `index` of the generator: ``crops``, ``pages``, or ``sheets``, which are pages before their photo."""
    path = cache / f"{kind}-{size}-{seed}" / f"{index // 1000:04d}" / f"{index:07d}.npz" if cache is not None else None
    if path is not None and path.exists():
        return _read(path)
    rng = np.random.default_rng([seed, index])
    draw = {"crops": synth.draw_crop, "pages": synth.draw_page, "sheets": synth.draw_sheet}[kind]
    labelled = _labelled(draw(rng, size))
    if path is None:
        return labelled
    _write(path, labelled)
    return _read(path)  # the images are compressed: a sample is the same at its first visit and later


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
