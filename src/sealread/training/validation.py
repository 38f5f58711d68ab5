"""Measures of networks: how a stage of the pipeline, with its deployed pre- and post-processing, does on labelled samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sealread.blocks import TextDetection, packaged_config
from sealread.metrics import edit_distance, match_boxes, match_polygons
from sealread.polygons import tangents
from sealread.stages.detection import Detector
from sealread.stages.layout import BoxRows, LayoutSettings, SealFinder, filtered
from sealread.stages.orientation import OrientationClassifier
from sealread.stages.recognition import Recogniser
from sealread.training.recogniser import learned_text, random_strip
from sealread.training.samples import SampleLine, Samples
from sealread.types import DetectionSettings, Image, Region, Ribbon

#: Seed of the drawn held-out samples; training must not use it.
VALIDATION_SEED = 987_654
#: Images that are given to the detector together.
_TOGETHER = 16


def detection_settings(detector: Detector) -> DetectionSettings:
    """The settings with which a pipeline runs the detector: the packaged ones for our own, the reference's for others."""
    ours = packaged_config().sub_pipelines.seal_ocr.sub_modules.text_detection
    block = ours if detector.family == "bands" else TextDetection(model_name="other")
    return DetectionSettings(
        block.limit_side_len, block.limit_type, block.thresh, block.max_side_limit, block.box_thresh, block.unclip_ratio
    )


def detector_measures(detector: Detector, samples: Samples) -> dict[str, float]:
    """Precision, recall and their harmonic mean of lines at IoU 0.5, and the share of found lines with the right direction.

    ``score`` is the product of the last two; of a network that tells no directions it is the harmonic mean. Lines that are not to be
    counted do neither harm nor good.
    """
    settings = detection_settings(detector)
    matched = wanted = given = forwards = directed = 0
    for start in range(0, len(samples), _TOGETHER):
        chosen = [samples[i] for i in range(start, min(start + _TOGETHER, len(samples)))]
        for labelled, found in zip(chosen, detector.find([s.image for s in chosen], settings), strict=True):
            pairs = match_polygons([np.concatenate([line.top, line.bottom[::-1]]) for line in labelled.lines], [f.polygon for f in found])
            counted = [pair for pair in pairs if not labelled.lines[pair.true].ignored]
            wanted += sum(not line.ignored for line in labelled.lines)
            given += len(found) - (len(pairs) - len(counted))
            matched += len(counted)
            for pair in counted:
                ribbon = found[pair.read].ribbon
                if ribbon is not None:
                    directed += 1
                    forwards += _same_direction(labelled.lines[pair.true], ribbon)
    precision, recall = matched / max(given, 1), matched / max(wanted, 1)
    hmean = 2 * precision * recall / max(precision + recall, 1e-9)
    measures = {"precision": precision, "recall": recall, "hmean": hmean}
    if detector.family != "bands":
        return {**measures, "score": hmean}
    direction = forwards / max(directed, 1)
    return {**measures, "direction": direction, "score": hmean * direction}


def _same_direction(truth: SampleLine, found: Ribbon) -> bool:
    start, end = (truth.top[0] + truth.bottom[0]) / 2, (truth.top[-1] + truth.bottom[-1]) / 2
    first = (found.top[0] + found.bottom[0]) / 2
    side = np.sum(tangents((truth.top + truth.bottom) / 2)[0] * tangents((found.top + found.bottom) / 2)[0])
    if np.hypot(*(start - end)) < 0.2 * float(np.hypot(*np.ptp(truth.top, axis=0))):
        return bool(side > 0)
    return bool(np.hypot(*(first - start)) < np.hypot(*(first - end)))


def finder_measures(finder: SealFinder | BoxRows, samples: Samples) -> dict[str, float]:
    """Precision, recall and their harmonic mean (``score``) of seals at IoU 0.5 and score 0.5 on pages."""
    matched = wanted = given = 0
    for index in range(len(samples)):
        labelled = samples[index]
        found = seals_found(finder, labelled.image)
        wanted += len(labelled.boxes)
        given += len(found)
        matched += len(match_boxes([tuple(box) for box in labelled.boxes.tolist()], [region.box for region in found]))
    precision, recall = matched / max(given, 1), matched / max(wanted, 1)
    return {"precision": precision, "recall": recall, "score": 2 * precision * recall / max(precision + recall, 1e-9)}


def seals_found(finder: SealFinder | BoxRows, image: Image) -> list[Region]:
    """The seals that the network alone finds, filtered as by default."""
    settings = LayoutSettings()
    height, width = image.shape[:2]
    regions = [region for region in finder.find(image, 0.5) if region.label == "seal"]
    return filtered(regions, settings, width, height)


def recogniser_measures(recogniser: Recogniser, samples: Samples) -> dict[str, float]:
    """Share of strips that are read exactly (``score``), and the mean character error."""
    strips = held_out_strips(samples, frozenset("".join(recogniser.alphabet)))
    answers = recogniser.read([image for image, _ in strips])
    exact = sum(answer.text == text for answer, (_, text) in zip(answers, strips, strict=True))
    errors = sum(edit_distance(answer.text, text) for answer, (_, text) in zip(answers, strips, strict=True))
    return {"score": exact / max(len(strips), 1), "character_error": errors / max(sum(len(text) for _, text in strips), 1)}


def held_out_strips(samples: Samples, known: frozenset[str]) -> list[tuple[NDArray[np.uint8], str]]:
    """Strips and their texts: those of strip sets as they are; of other images one line each, cut a little off, as detected ones are."""
    strips = []
    for index in range(len(samples)):
        labelled = samples[index]
        if labelled.strip:
            strips.append((labelled.image, learned_text(labelled.lines[0].text)))
            continue
        strip = random_strip(labelled, np.random.default_rng([VALIDATION_SEED, index]), known)
        if strip is not None:
            strips.append(strip)
    return strips


def orientation_measures(classifier: OrientationClassifier, samples: Samples) -> dict[str, float]:
    """Share of pages that are turned right (``score``), doubtful ones left alone as in deployment, and of right first guesses."""
    right = guessed = 0
    for index in range(len(samples)):
        labelled = samples[index]
        truth = 90 * labelled.turns
        right += classifier.angle(labelled.image) == truth
        guessed += classifier.labels[int(np.argmax(classifier.probabilities(labelled.image)))] == truth
    return {"score": right / max(len(samples), 1), "top1": guessed / max(len(samples), 1)}
