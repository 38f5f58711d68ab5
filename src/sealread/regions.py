"""Where the seals of a page are: what the layout network is sure of, and the places that its text must confirm.

No seal shall be missed silently: the network's answer is joined with what ink and geometry show; what neither is sure of is kept as
doubtful and becomes a seal when the text detector finds the text of one there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress

import numpy as np

from sealread.networks import Finder
from sealread.polygons import total_turning
from sealread.stages.candidates import InkFinder
from sealread.stages.layout import BoxRows, LayoutSettings, SealFinder, area, calibrated, filtered, hugged, intersection, iou
from sealread.types import DetectedLine, Image, Region, SealReading, TextLine

_log = logging.getLogger("sealread")

#: Class of seals where the layout model has none for them.
_NO_CLASS = -1
#: What our own network and the ink show from this score on is looked at.
LEAST_HINT = 0.05
#: A region below the layout threshold, and a candidate of the second way, need at least this score to be looked at.
_LEAST_DOUBTFUL = 0.25
#: ... and their text must be found with this mean score on bent lines,
_CONFIRMING = 0.75
#: ... or this one on columns, because blocks of print look like those of a square seal;
_CONFIRMING_COLUMN = 0.85
#: ... that reach over this share of the place's longer side.
_SEAL_REACH = 0.35
#: ... and one line must have at least this score: logos and ornaments read as nonsense.
_LEGIBLE = 0.15
#: What our own network finds with less than this score must be legible too, but far less so.
_SURE_SEAL, _HARDLY_LEGIBLE = 0.9, 0.05
#: A line of fewer characters is legible only from this score on, and a single one never: ornaments are read as such. So 20 of 26 seals
#: and none of 5 false alarms that score 0.45 to 0.8 are legible on 220 drawn pages (seed 13579, 297 seals, many too small to be read),
#: as the layout network before the present one found them.
_FEW_CHARACTERS, _LEGIBLE_FEW = 4, 0.5
#: Doubtful places looked at on one page, best first.
_MOST_DOUBTFUL = 6
#: A page without a seal may be one itself if it is no longer than so many times its width; as likely as not, before its text is seen.
_WHOLE_ASPECT, _WHOLE_SCORE = 3.0, 0.5
#: ... and to our own network parts of a large seal look like small ones: only of a seal of this score it is certain.
_CERTAIN = 0.9
#: A place of more than so many times the area of another one is not the same thing, but may have it as its part.
_MUCH_LARGER = 2.0
#: Boxes with this overlap, or this share of the smaller one in common, show the same thing.
_SAME_IOU, _SAME_SHARE = 0.3, 0.6


def is_seal(region: Region) -> bool:
    """Whether the layout calls it a seal."""
    return region.label.lower() == "seal"


def search(stage: Finder, flat: Image, settings: LayoutSettings) -> tuple[list[Region], list[Region]]:
    """Regions that the layout is sure of, filtered as the caller asks, and doubtful places of seals, best first."""
    height, width = flat.shape[:2]
    cls_id = _seal_class(stage)
    ink = InkFinder(cls_id)
    own = isinstance(stage, SealFinder)
    if own:
        shown = calibrated(stage.find(flat, LEAST_HINT))
        # Where our own network is certain of a seal, ink gives the boxes of what it shows and is not asked for more.
        sure = any(region.score >= _CERTAIN for region in shown)
        inked = ink.find(flat, LEAST_HINT, [region.box for region in shown if region.score >= _LEAST_DOUBTFUL] if sure else None)
        everything = hugged(shown, inked)
        second = [region for region in inked if region.score >= _LEAST_DOUBTFUL]
    else:
        everything = stage.find(flat, _least(settings))
        second = [] if isinstance(stage, InkFinder) else ink.find(flat, _LEAST_DOUBTFUL)
    found = filtered(everything, settings, width, height)
    if own:
        found = [replace(region, legible_from=_HARDLY_LEGIBLE) if region.score < _SURE_SEAL else region for region in found]
    seals = [region for region in found if is_seal(region)]
    unsure = [region for region in everything if is_seal(region) and region.score >= _LEAST_DOUBTFUL]
    doubtful: list[Region] = []
    for region in sorted([*unsure, *second], key=lambda r: -r.score):
        if all(_apart(region, other) for other in [*seals, *doubtful]):
            doubtful.append(region)
    doubtful = [replace(region, legible_from=_LEGIBLE) for region in doubtful[:_MOST_DOUBTFUL]]
    certain = [region for region in seals if not own or region.score >= _CERTAIN]
    if not certain and max(width, height) <= _WHOLE_ASPECT * min(width, height):
        # The picture may be nothing but one seal, with its ring at the edges or cut off.
        doubtful.append(Region(cls_id, "seal", _WHOLE_SCORE, (0.0, 0.0, float(width), float(height)), _LEGIBLE))
    return found, doubtful


def _least(settings: LayoutSettings) -> float:
    """The least score of a region that may matter."""
    return 0.0 if isinstance(settings.threshold, Mapping) else min(settings.threshold, _LEAST_DOUBTFUL)


def confirmed(doubtful: Sequence[Region], detected: Sequence[list[DetectedLine]]) -> list[tuple[Region, list[DetectedLine]]]:
    """The doubtful places whose text is that of a seal, with that text; what shows the same as an earlier one is left out."""
    kept: list[tuple[Region, list[DetectedLine]]] = []
    for region, lines in zip(doubtful, detected, strict=True):
        if _confirms(lines, region) and all(_apart(region, other) or _has_as_part(region, other) for other, _ in kept):
            kept.append((region, lines))
    return kept


def with_legible(places: Sequence[Region], seals: Sequence[SealReading]) -> tuple[list[SealReading], list[Region], list[Region]]:
    """The seals that are as legible as their places ask, and no part of a confirmed one, numbered anew.

    Returns:
        These seals, the places that are not as legible, and those that are such parts.
    """
    legible = [
        place.legible_from == 0 or any(_is_legible(line, place.legible_from) for line in seal.lines)
        for place, seal in zip(places, seals, strict=True)
    ]
    # Only the picture as a whole is confirmed where another seal lies; boxes that the layout nests are nested because the caller asks so.
    wholes = [place for place in compress(places, legible) if place.legible_from >= _LEGIBLE]
    parts = [place.score < _CERTAIN and any(_has_as_part(whole, place) for whole in wholes) for place in places]
    kept = [is_legible and not is_part for is_legible, is_part in zip(legible, parts, strict=True)]
    numbered = [replace(seal, region_id=number) for number, seal in enumerate(compress(seals, kept), 1)]
    illegible = [place for place, is_legible, is_part in zip(places, legible, parts, strict=True) if not is_legible and not is_part]
    return numbered, illegible, list(compress(places, parts))


def _is_legible(line: TextLine, least: float) -> bool:
    if len(line.text) < _FEW_CHARACTERS:
        return len(line.text) > 1 and line.score >= max(least, _LEGIBLE_FEW)
    return line.score >= least


def _seal_class(stage: Finder) -> int:
    """The class that a seal has in the results of this layout stage."""
    if not isinstance(stage, BoxRows):
        return stage.cls_id
    if "seal" in stage.labels:
        return stage.labels.index("seal")
    _log.warning("the layout model has no class 'seal'; seals are found by ink and geometry alone")
    return _NO_CLASS


def _apart(region: Region, other: Region) -> bool:
    """Whether two boxes show different things: they overlap little and neither lies in the other."""
    least = min(area(region.box), area(other.box))
    return iou(region.box, other.box) < _SAME_IOU and intersection(region.box, other.box) < _SAME_SHARE * least


def _has_as_part(region: Region, other: Region) -> bool:
    """Whether the other place lies in this one and is much smaller."""
    return area(region.box) > _MUCH_LARGER * area(other.box) and not _apart(region, other)


def _confirms(lines: Sequence[DetectedLine], region: Region) -> bool:
    """Whether the text found at a doubtful place is that of a seal: some of it must bend, and reach over a good part of the place."""
    x1, y1, x2, y2 = region.box
    reach = _SEAL_REACH * max(x2 - x1, y2 - y1)
    for line in lines:
        if line.ribbon is None or np.ptp(line.polygon, axis=0).max() < reach:
            continue
        turn = abs(total_turning((line.ribbon.top + line.ribbon.bottom) / 2))
        if (line.ribbon.cells and line.score >= _CONFIRMING_COLUMN) or (turn > 90 and line.score >= _CONFIRMING):
            return True
    return False
