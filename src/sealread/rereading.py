"""A second look at lines whose first reading leaves a doubt that another cut of the image can settle.

Two such doubts: a doubtful line may stand upside down, as a whole or in part (the lower half of a ring often faces inwards); and a text
that begins or ends within a known word may have been cut off there. A new reading takes the place of the old one only where it is better.

Frame: everything lies in pixels of the flat page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sealread.corrections.seal_words import SealWords
from sealread.lines import ReadLine, merit
from sealread.polygons import total_turning
from sealread.stages.recognition import HEIGHT, Recogniser
from sealread.stages.rectification import Strip, length, piece, straighten, thickness
from sealread.tracing import lengthened, reversed_ribbon
from sealread.types import Image, Recognition, Ribbon

#: The lines of a page by seal.
LinesBySeal = dict[int, list[ReadLine]]

#: Characters that complete a word are at least this probable; so much of the rest is read as before.
_SURE_ADDITION, _AS_BEFORE = 0.8, 0.65
#: Room beside added characters, in heights of the line.
_ROOM = 0.15
#: An end character less probable than this gives way to a likelier one of another line in its place.
_DOUBTED_END = 0.5
#: A line whose characters are on average less probable than this, and that has so many of them, is read the other way round too;
_DOUBTFUL, _LEAST_CHARACTERS = 0.75, 4
#: ... and one of which a part may stand upside down, where so many neighbours are on average less probable than this.
_DOUBTFUL_PART = 0.5
#: Turning (degrees) from which a part of a line may stand upside down, and from which its ends meet.
_HALVED, _RING = 180.0, 330.0
#: How much more merit a part must have upside down, and the parts together than the whole.
_LEAST_GAIN, _BETTER = 2.0, 1.0
#: Shorter pieces of a line, in its heights, hold no text.
_LEAST_PIECE = 1.0


def read_again(flats: Sequence[Image], read: Sequence[LinesBySeal], recogniser: Recogniser) -> list[LinesBySeal]:
    """The lines of each page after a second look.

    Args:
        flats: the pages.
        read: their lines by seal.
        recogniser: reads; where it has no corrections, no words are known and no line is completed.
    """
    words = None if recogniser.corrections is None else recogniser.corrections.words
    turned = _turned_over(flats, read, recogniser, words)
    return turned if words is None else _completed(flats, turned, recogniser, words)


def _plain(line: ReadLine) -> bool:
    """Whether the line is one band, not columns."""
    return len(line.choice) == 1 and not line.choice[0].cells


# ---------------------------------------------------------------- upside down


def _turned_over(flats: Sequence[Image], read: Sequence[LinesBySeal], recogniser: Recogniser, words: SealWords | None) -> list[LinesBySeal]:
    """Doubtful lines turned over where they read better so, in part or as a whole."""
    doubtful = [[line for lines in page.values() for line in lines if _is_doubtful(line, words)] for page in read]
    backwards = [strips_of(flat, [reversed_ribbon(line.choice[0]) for line in page]) for flat, page in zip(flats, doubtful, strict=True)]
    answers = recogniser.read_together([[strip.image for strip in page] for page in backwards])
    cuts = [[parts(line, other) for line, other in zip(*page, strict=True)] for page in zip(doubtful, answers, strict=True)]
    pieces = [[strips_of(flat, bands) for bands in page] for flat, page in zip(flats, cuts, strict=True)]
    answers = recogniser.read_together([[strip.image for strips in page for strip in strips] for page in pieces])
    turned = []
    for lines, page, strips, readings in zip(read, doubtful, pieces, answers, strict=True):
        following = iter(readings)
        instead: dict[int, list[ReadLine]] = {}
        for line, own in zip(page, strips, strict=True):
            new = [ReadLine(s.ribbon.polygon, line.detection_score, (s.ribbon,), (s,), next(following)) for s in own]
            if new and sum(merit(each) for each in new) > merit(line) + _BETTER:
                instead[id(line)] = [each for each in new if each.recognition.text]
        turned.append({seal: [new for line in of_seal for new in instead.get(id(line), [line])] for seal, of_seal in lines.items()})
    return turned


def _is_doubtful(line: ReadLine, words: SealWords | None) -> bool:
    scores = line.recognition.as_read.char_scores
    if not _plain(line) or len(scores) < _LEAST_CHARACTERS or (words is not None and words.is_whole(line.recognition.text)):
        return False
    if float(np.mean(scores)) < _DOUBTFUL:
        return True
    worst = np.convolve(scores, np.ones(_LEAST_CHARACTERS), "valid").min() / _LEAST_CHARACTERS
    return bool(worst < _DOUBTFUL_PART) and abs(total_turning(line.middle)) >= _HALVED


def strips_of(flat: Image, bands: Sequence[Ribbon]) -> list[Strip]:
    """The strips of bands that have an area."""
    return [strip for strip in (straighten(flat, band, HEIGHT) for band in bands) if strip is not None]


def parts(line: ReadLine, backwards: Recognition) -> list[Ribbon]:
    """The bands of a line of which a part stands upside down, that part turned over; none where nothing speaks for it.

    The part is the stretch of the band in which the characters of the other direction have the most merit over those of this one.

    Args:
        line: as it was read.
        backwards: what its reversed band reads.
    """
    band, reading, backwards = line.choice[0], line.recognition.as_read, backwards.as_read
    turning = abs(total_turning(line.middle))
    places = np.array([*reading.char_positions, *(1 - place for place in backwards.char_positions)])
    gains = np.array([*(0.5 - score for score in reading.char_scores), *(score - 0.5 for score in backwards.char_scores)])
    order = np.argsort(places, kind="stable")
    places, gains = places[order], gains[order]
    if turning < _HALVED:
        return [reversed_ribbon(band)] if gains.sum() >= _LEAST_GAIN else []
    start, end, gain = _best_stretch(places, gains, closed=turning >= _RING)
    if gain < _LEAST_GAIN:
        return []
    rest = [(end, start + 1)] if turning >= _RING else [(0.0, start), (end, 1.0)]
    least = _LEAST_PIECE * thickness(band) / max(length(band), 1e-6)
    upright = [piece(band, first, last) for first, last in rest if last - first >= least]
    return [*upright, reversed_ribbon(piece(band, start, end))]


def _best_stretch(places: NDArray[np.float64], gains: NDArray[np.float64], *, closed: bool) -> tuple[float, float, float]:
    """The stretch with the greatest sum of gains: its start, its end (above 1 where it runs over the seam of a ring), and the sum."""
    count = len(places)
    best = (0.0, 0.0, -np.inf)
    between = np.concatenate([[0.0], (places[1:] + places[:-1]) / 2, [1.0]])
    ends = np.concatenate([between[1:], between[1:] + 1])
    for first in range(count):
        sums = np.cumsum(np.roll(gains, -first) if closed else gains[first:])
        last = int(np.argmax(sums))
        if sums[last] > best[2]:
            best = (float(between[first]), float(ends[first + last]), float(sums[last]))
    return best


# ---------------------------------------------------------------- cut off


@dataclass(frozen=True, slots=True)
class _Retry:
    """A line that seems to begin or end within a word, with more room there.

    Attributes:
        seal, line: which one it is.
        before, after: words that it may begin or end with; one of them is empty.
    """

    seal: int
    line: int
    strip: Strip
    before: Sequence[str]
    after: Sequence[str]


def _completed(flats: Sequence[Image], read: Sequence[LinesBySeal], recogniser: Recogniser, words: SealWords) -> list[LinesBySeal]:
    """Lines that were cut off within a known word, with more room where that gives the whole word.

    Then no two lines read the same character: what one has gained, another may have borrowed.
    """
    retries = [list(_retries(flat, lines, words)) for flat, lines in zip(flats, read, strict=True)]
    answers = recogniser.read_together([[retry.strip.image for retry in page] for page in retries])
    whole = []
    for lines, page, readings in zip(read, retries, answers, strict=True):
        kept = {seal: list(of_seal) for seal, of_seal in lines.items()}
        for retry, reading in zip(page, readings, strict=True):
            line, band = kept[retry.seal][retry.line], retry.strip.ribbon
            if completes(reading, line.recognition, retry.before, retry.after):
                kept[retry.seal][retry.line] = ReadLine(band.polygon, line.detection_score, (band,), (retry.strip,), reading)
        given_back = {seal: without_borrowed_ends(of_seal, words.ends_well) for seal, of_seal in kept.items()}
        whole.append({seal: [doubted(line, words) for line in of_seal] for seal, of_seal in given_back.items()})
    return whole


def doubted(line: ReadLine, words: SealWords) -> ReadLine:
    """The line, the characters beside which one of a known text is missing hardly believed: however sure, the line is not whole."""
    reading = line.recognition
    scores = list(reading.char_scores)
    for place in words.beside_gaps(reading.text):
        scores[place] = min(scores[place], _DOUBTED_END)
    if tuple(scores) == reading.char_scores:
        return line
    return replace(line, recognition=replace(reading, score=float(np.mean(scores)), char_scores=tuple(scores)))


def _retries(flat: Image, read: Mapping[int, Sequence[ReadLine]], words: SealWords) -> Iterator[_Retry]:
    for seal, lines in read.items():
        for i, line in enumerate(lines):
            if not _plain(line):
                continue
            before, after = words.cut_short(line.recognition.text)
            for count in sorted({missing for _, missing in (*before, *after)}):
                for first, last in ((before, []), ([], after)):
                    wanted = [[word for word, missing in end if missing == count] for end in (first, last)]
                    if any(wanted):
                        strip = straighten(flat, with_room(line, *(count if end else 0 for end in wanted)), HEIGHT)
                        if strip is not None:
                            yield _Retry(seal, i, strip, *wanted)


def with_room(line: ReadLine, before: int, after: int) -> Ribbon:
    """The band of a line with room for so many more characters before its first and after its last one."""
    ribbon = line.choice[0]
    height = thickness(ribbon)
    places = np.array(line.recognition.char_positions)
    pitch = float(np.median(np.diff(places))) * length(ribbon) if len(places) > 1 else height
    first, last = (count * max(pitch, 0.5 * height) + _ROOM * height if count else 0.0 for count in (before, after))
    return lengthened(ribbon, first, last)


def completes(reading: Recognition, cut: Recognition, before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether a reading begins (or ends) with a whole word of which the cut one has a part, surely, and is the same otherwise.

    Args:
        before: words of which the cut text begins with the last part, where more was read before it; else none.
        after: words of which it ends with the first part, where more was read behind it; else none.
    """
    more = len(reading.text) - len(cut.text)
    if more <= 0 or len(reading.char_scores) != len(reading.text):
        return False
    if any(reading.text.startswith(word) for word in before):
        added, rest = reading.char_scores[:more], reading.text[more:]
    elif any(reading.text.endswith(word) for word in after):
        added, rest = reading.char_scores[-more:], reading.text[:-more]
    else:
        return False
    return min(added) >= _SURE_ADDITION and sum(a == b for a, b in zip(rest, cut.text, strict=True)) >= _AS_BEFORE * len(rest)


def without_borrowed_ends(lines: Sequence[ReadLine], ends_well: Callable[[str], tuple[bool, bool]]) -> list[ReadLine]:
    """The lines without doubtful characters at their ends that another line surely reads in the same place.

    Args:
        ends_well: whether a text begins and whether it ends with a known word, which is left whole.
    """
    kept = list(lines)
    for i, line in enumerate(kept):
        others = [other for other in kept if other is not line and other.recognition.text]
        for end, well in zip((0, -1), ends_well(line.recognition.text), strict=True):
            if not well and len(kept[i].recognition.text) > 2 and _is_borrowed(kept[i], end, others):
                kept[i] = _without(kept[i], end)
    return kept


def _is_borrowed(line: ReadLine, end: int, others: Sequence[ReadLine]) -> bool:
    reading = line.recognition
    if reading.char_scores[end] >= _DOUBTED_END or line.choice[0].cells:
        return False
    place = line.char_points()[end]
    reach = 0.5 * thickness(line.choice[0])
    for other in others:
        distances = np.hypot(*(other.char_points() - place).T)
        nearest = int(np.argmin(distances))
        if distances[nearest] < reach and other.recognition.char_scores[nearest] >= _DOUBTED_END:
            return True
    return False


def _without(line: ReadLine, end: int) -> ReadLine:
    """The line without its first (0) or last (-1) character."""
    kept = slice(1, None) if end == 0 else slice(None, -1)
    reading = line.recognition
    return replace(
        line,
        recognition=Recognition(
            reading.text[kept],
            float(np.mean(reading.char_scores[kept])),
            reading.char_scores[kept],
            reading.char_positions[kept],
            reading.as_read,
        ),
    )
