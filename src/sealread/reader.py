"""From the places of seals to readings: find the lines of each, straighten and read them all together, put each seal in order.

Frame: everything lies in pixels of the flat page until a reading is put together; its polygons then lie in pixels of the crop and of
the caller's page.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sealread.frames import Frame
from sealread.lines import (
    Choice,
    LinePlan,
    ReadLine,
    joined_columns,
    merit,
    plan,
    reading_order,
    roles,
    rotation_of,
    weight,
)
from sealread.polygons import source_box
from sealread.rereading import LinesBySeal, read_again, strips_of
from sealread.stages.detection import Detector
from sealread.stages.recognition import Recogniser
from sealread.types import DetectedLine, DetectionSettings, Image, Region, Ribbon, Role, SealReading, TextLine

#: Crops are searched for text with this share of their size around them: boxes may cut the outer ring or the ends of a line.
_CROP_MARGIN = 0.04
#: Readings whose merit differs by less say the same; the likelier one, which comes first, stays.
_ROUNDING = 0.01
#: A line that is read so well is not tried in other ways, nor is a column that is read so badly.
_SURE, _NOTHING = 0.95, 0.5

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be read on one page.

    Attributes:
        flat: the flat page.
        places: regions of it, with their lines on it.
        frame: maps the flat page to the caller's page.
        least_score: texts below it are not kept.
    """

    flat: Image
    places: Sequence[tuple[Region, Sequence[DetectedLine]]]
    frame: Frame
    least_score: float


def find_lines(places: Sequence[tuple[Image, Region]], detector: Detector, settings: DetectionSettings) -> list[list[DetectedLine]]:
    """The lines of text at each place of a flat page, in pixels of that page; places of any pages share runs of the network."""
    cuts = [_with_margin(_integer_box(region.box, flat), flat) for flat, region in places]
    crops = [flat[y1:y2, x1:x2] for (flat, _), (x1, y1, x2, y2) in zip(places, cuts, strict=True)]
    found = detector.find(crops, settings)
    return [[_moved(line, x1, y1) for line in lines] for (x1, y1, _, _), lines in zip(cuts, found, strict=True)]


def read_seals(pages: Sequence[Found], recogniser: Recogniser) -> list[list[SealReading]]:
    """The seals of each page, the lines of all pages read together."""
    flats = [page.flat for page in pages]
    plans = [[(seal, line) for seal, (_, lines) in enumerate(page.places) for line in plan(lines)] for page in pages]
    likeliest = _readings(flats, [[(seal, line, line.choices[:1]) for seal, line in page] for page in plans], recogniser)
    doubted = [[(one.seal, one.planned, one.planned.choices[1:]) for one in page if _leaves_doubt(one.line)] for page in likeliest]
    others = _readings(flats, doubted, recogniser)
    best = [_best([*first, *more]) for first, more in zip(likeliest, others, strict=True)]
    return [_seals(page, lines, recogniser) for page, lines in zip(pages, read_again(flats, best, recogniser), strict=True)]


@dataclass(frozen=True, slots=True)
class _Read:
    """One reading of a line of the `seal`-th seal of a page."""

    seal: int
    planned: LinePlan
    line: ReadLine


def _readings(
    flats: Sequence[Image], wanted: Sequence[Sequence[tuple[int, LinePlan, Sequence[Choice]]]], recogniser: Recogniser
) -> list[list[_Read]]:
    """Lines of each page, by number of the seal, read in some of their ways; ways without area are left out."""
    cuts = [
        [
            (seal, line, choice, tuple(strips))
            for seal, line, choices in page
            for choice in choices
            if len(strips := strips_of(flat, choice)) == len(choice)
        ]
        for flat, page in zip(flats, wanted, strict=True)
    ]
    answers = recogniser.read_together([[np.concatenate([s.image for s in strips], axis=1) for *_, strips in page] for page in cuts])
    return [
        [
            _Read(seal, line, ReadLine(line.polygon, line.score, choice, strips, answer))
            for (seal, line, choice, strips), answer in zip(page, readings, strict=True)
        ]
        for page, readings in zip(cuts, answers, strict=True)
    ]


def _leaves_doubt(line: ReadLine) -> bool:
    """Whether the line may read better in another way; a column that reads like nothing is none."""
    cells, score = sum(ribbon.cells for ribbon in line.choice), line.recognition.score
    if cells and score < _NOTHING:
        return False
    return score < _SURE or bool(cells and len(line.recognition.text) != cells)


def _best(readings: Sequence[_Read]) -> LinesBySeal:
    """Of each line, by seal, the reading with most merit; columns joined."""
    best: dict[tuple[int, int], ReadLine] = {}
    for one in readings:
        rival = best.get((one.seal, id(one.planned)))
        if rival is None or merit(one.line) > merit(rival) + _ROUNDING:
            best[one.seal, id(one.planned)] = one.line
    by_seal: defaultdict[int, list[ReadLine]] = defaultdict(list)
    for (seal, _), line in best.items():
        by_seal[seal].append(line)
    return {seal: joined_columns(lines) for seal, lines in by_seal.items()}


def _seals(page: Found, read: Mapping[int, Sequence[ReadLine]], recogniser: Recogniser) -> list[SealReading]:
    return [
        _seal(seal + 1, region, page.flat, [_scored(line, recogniser) for line in read.get(seal, ())], page.frame, page.least_score)
        for seal, (region, _) in enumerate(page.places)
    ]


def _scored(line: ReadLine, recogniser: Recogniser) -> ReadLine:
    """The line with its calibrated score, where the recogniser has a calibration."""
    if recogniser.calibration is None:
        return line
    score = recogniser.calibration(line.recognition.char_scores, line.detection_score)
    return replace(line, recognition=replace(line.recognition, score=score))


def _seal(number: int, region: Region, flat: Image, lines: Sequence[ReadLine], frame: Frame, least_score: float) -> SealReading:
    box = _integer_box(region.box, flat)
    weights = [weight(line) for line in lines]
    verticals = [bool(line.choice[0].cells) for line in lines]
    on_flat = rotation_of([line.middle for line in lines], verticals, weights)
    on_page = rotation_of([frame.to_source(line.middle) for line in lines], verticals, weights)
    kinds = roles(lines)
    order = reading_order(lines, kinds, 0.0 if on_flat is None else on_flat)
    return SealReading(
        region_id=number,
        box=box,
        crop=flat[box[1] : box[3], box[0] : box[2]],
        page_box=source_box(region.box, frame),
        detection_score=region.score,
        rotation=on_page,
        lines=tuple(_text_line(lines[i], kinds[i], box, frame, least_score) for i in order),
    )


def _text_line(line: ReadLine, role: Role, box: Box, frame: Frame, least_score: float) -> TextLine:
    reading = line.recognition
    return TextLine(
        text=reading.text,
        score=reading.score,
        role=role,
        polygon=line.polygon - np.array(box[:2], dtype=np.float64),
        page_polygon=frame.to_source(line.polygon),
        detection_score=line.detection_score,
        char_scores=reading.char_scores,
        char_points=frame.to_source(line.char_points()),
        kept=bool(reading.text) and reading.score >= least_score,
        raw_text=None if reading.raw is None else reading.raw.text,
    )


def _integer_box(box: Sequence[float], image: Image) -> Box:
    """The crop's place: at least one pixel, inside the image."""
    height, width = image.shape[:2]
    x1, y1 = min(max(int(box[0]), 0), width - 1), min(max(int(box[1]), 0), height - 1)
    return x1, y1, max(min(math.ceil(box[2]), width), x1 + 1), max(min(math.ceil(box[3]), height), y1 + 1)


def _with_margin(box: Box, image: Image) -> Box:
    height, width = image.shape[:2]
    margin = round(_CROP_MARGIN * max(box[2] - box[0], box[3] - box[1]))
    return max(box[0] - margin, 0), max(box[1] - margin, 0), min(box[2] + margin, width), min(box[3] + margin, height)


def _moved(line: DetectedLine, dx: float, dy: float) -> DetectedLine:
    shift = np.array([dx, dy], dtype=np.float64)
    band = line.ribbon
    ribbon = None if band is None else Ribbon(band.top + shift, band.bottom + shift, band.cells)
    return replace(line, polygon=line.polygon + shift, ribbon=ribbon)
