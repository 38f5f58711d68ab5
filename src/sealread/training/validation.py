"""Measures of networks in training, with the pre- and post-processing of deployment, on held-out synthetic samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from sealread.bands import STRIDE, Limits, bands
from sealread.metrics import edit_distance, match_boxes, match_polygons
from sealread.polygons import tangents
from sealread.training.samples import SampleLine, drawn
from sealread.types import DetectedLine, Tensor

#: Seed of the held-out samples; training must not use it.
VALIDATION_SEED = 987_654


def detector_measures(model: onnx.ModelProto, side: int, count: int, cache: Path | None) -> dict[str, float]:
    """Precision, recall and their harmonic mean of lines at IoU 0.5, and the share of found lines with the right direction."""
    from sealread.training.tasks import network_input, place_crop

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    limits = Limits(0.5, 0.5, 0.5)
    matched = wanted = given = forwards = 0
    for index in range(count):
        labelled = drawn("crops", VALIDATION_SEED, index, side, cache)
        image, scale = place_crop(labelled.image, side, side)
        maps = session.run(None, {name: network_input(image)[None]})[0][0]
        found = bands(np.asarray(maps), (STRIDE / scale, STRIDE / scale), limits)
        wanted += len(labelled.lines)
        given += len(found)
        truth = [np.concatenate([line.top, line.bottom[::-1]]) for line in labelled.lines]
        pairs = match_polygons(truth, [line.polygon for line in found])
        matched += len(pairs)
        forwards += sum(_same_direction(labelled.lines[pair.true], found[pair.read]) for pair in pairs)
    precision, recall = matched / max(given, 1), matched / max(wanted, 1)
    hmean = 2 * precision * recall / max(precision + recall, 1e-9)
    direction = forwards / max(matched, 1)
    return {"precision": precision, "recall": recall, "hmean": hmean, "direction": direction, "score": hmean * direction}


def finder_measures(model: onnx.ModelProto, side: int, count: int, cache: Path | None) -> dict[str, float]:
    """Precision, recall and their harmonic mean of seals at IoU 0.5 and score 0.5 on pages."""
    from sealread.stages.layout import LayoutSettings, decode_centres, filtered
    from sealread.training.tasks import network_input, place_crop
    from sealread.types import Region

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    matched = wanted = given = 0
    for index in range(count):
        labelled = drawn("pages", VALIDATION_SEED, index, side, cache)
        image, scale = place_crop(labelled.image, side, side)
        rows = decode_centres(np.asarray(session.run(None, {name: network_input(image)[None]})[0][0]), 0.5, 1 / scale)
        height, width = labelled.image.shape[:2]
        found = filtered([Region(16, "seal", float(r[0]), (r[1], r[2], r[3], r[4])) for r in rows], LayoutSettings(), width, height)
        wanted += len(labelled.boxes)
        given += len(found)
        matched += len(match_boxes([tuple(box) for box in labelled.boxes.tolist()], [region.box for region in found]))
    precision, recall = matched / max(given, 1), matched / max(wanted, 1)
    return {"precision": precision, "recall": recall, "score": 2 * precision * recall / max(precision + recall, 1e-9)}


def recogniser_measures(model: onnx.ModelProto, side: int, count: int, cache: Path | None) -> dict[str, float]:
    """Share of strips read exactly, and the mean character error."""
    from sealread.stages.recognition import Recogniser
    from sealread.text import alphabet_of
    from sealread.training.recogniser import random_strip

    characters = next(p.value for p in model.metadata_props if p.key == "character").split("\n")
    recogniser = Recogniser(_Session(model), alphabet_of(characters))
    known = frozenset([*characters, " "])
    samples = []
    for index in range(count):
        strip = random_strip(drawn("crops", VALIDATION_SEED, index, side, cache), np.random.default_rng([VALIDATION_SEED, index]), known)
        if strip is not None:
            samples.append(strip)
    answers = recogniser.read([image for image, _ in samples])
    exact = sum(answer.text == text for answer, (_, text) in zip(answers, samples, strict=True))
    errors = sum(edit_distance(answer.text, text) for answer, (_, text) in zip(answers, samples, strict=True))
    characters_wanted = sum(len(text) for _, text in samples)
    return {"score": exact / max(len(samples), 1), "character_error": errors / max(characters_wanted, 1)}


class _Session:
    """An engine over a network in memory."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        self.name = "onnxruntime"
        self.inputs = tuple(value.name for value in self._session.get_inputs())

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """See `Engine.run`."""
        return [np.asarray(output) for output in self._session.run(None, dict(zip(self.inputs, inputs, strict=True)))]


def _same_direction(truth: SampleLine, found: DetectedLine) -> bool:
    assert found.ribbon is not None
    start, end = (truth.top[0] + truth.bottom[0]) / 2, (truth.top[-1] + truth.bottom[-1]) / 2
    first = (found.ribbon.top[0] + found.ribbon.bottom[0]) / 2
    side = np.sum(tangents((truth.top + truth.bottom) / 2)[0] * tangents((found.ribbon.top + found.ribbon.bottom) / 2)[0])
    if np.hypot(*(start - end)) < 0.2 * float(np.hypot(*np.ptp(truth.top, axis=0))):
        return bool(side > 0)
    return bool(np.hypot(*(first - start)) < np.hypot(*(first - end)))
