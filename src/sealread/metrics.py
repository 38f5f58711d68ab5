"""How good a reading is: the rules by which readings are scored against labels. Pure; no files, no networks.

Takes:      true lines and boxes, read lines and boxes.
Gives:      pairs, distances, matches, shares.
Method:     edit distance of V. I. Levenshtein (1966), normalised by the longer text; greedy one-to-one matching.
Nothing:    a share of nothing has the value None.
Invariants: a pairing uses each line once; equal texts have distance 0; the order of equal candidates is the order given.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shapely.geometry import Polygon
from shapely.validation import make_valid

from sealread.types import Points

Box = tuple[float, float, float, float]

#: Characters that do not count when texts are compared; white space does not count either.
IGNORED = frozenset("·.,:;-—_★☆*\"'")
#: Lines further apart than this are never paired.
MAX_DISTANCE = 0.8
#: A read line with at least this score is called confident.
CONFIDENT = 0.9
#: A box or polygon is found from this intersection over union on.
MIN_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Share:
    """Some of all: `hits` of `count`; the hits may be a sum of parts."""

    hits: float
    count: int

    @property
    def value(self) -> float | None:
        """The quotient; None where there is nothing to count."""
        return self.hits / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Match:
    """Two entries that belong together, by index; `value` is their distance or their overlap."""

    true: int
    read: int
    value: float


# ---------------------------------------------------------------- text


def normalise_text(text: str) -> str:
    """The form in which texts are compared: NFKC, without white space and without the characters of `IGNORED`."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if not c.isspace() and c not in IGNORED)


def edit_distance(a: str, b: str) -> int:
    """The least number of characters to insert, delete or replace to turn `a` into `b`."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (x != y))
    return row[-1]


def normalised_distance(a: str, b: str) -> float:
    """The edit distance of the normalised texts over the length of the longer one, 0 (equal) to 1."""
    a, b = normalise_text(a), normalise_text(b)
    longer = max(len(a), len(b))
    return edit_distance(a, b) / longer if longer else 0.0


def pair_lines(true: Sequence[str], read: Sequence[str]) -> tuple[Match, ...]:
    """Pairs of true and read lines, one to one, the nearest first, none further apart than `MAX_DISTANCE`.

    Among equal distances the earlier true line, then the earlier read line goes first.

    Returns:
        Matches whose value is the normalised distance, in the order of the true lines.
    """
    candidates = (Match(i, j, normalised_distance(t, r)) for i, t in enumerate(true) for j, r in enumerate(read))
    return _one_to_one(sorted((c for c in candidates if c.value <= MAX_DISTANCE), key=lambda c: (c.value, c.true, c.read)))


def _one_to_one(ranked: Iterable[Match]) -> tuple[Match, ...]:
    """The candidates, best first, that use no true and no read entry twice; in the order of the true ones."""
    taken: list[Match] = []
    used_true: set[int] = set()
    used_read: set[int] = set()
    for candidate in ranked:
        if candidate.true not in used_true and candidate.read not in used_read:
            taken.append(candidate)
            used_true.add(candidate.true)
            used_read.add(candidate.read)
    return tuple(sorted(taken, key=lambda match: match.true))


# ---------------------------------------------------------------- lines of one seal


@dataclass(frozen=True, slots=True)
class TrueLine:
    """What a person read; `role` as in `sealread.types.Role`."""

    text: str
    role: str = "other"


@dataclass(frozen=True, slots=True)
class ReadLine:
    """What the pipeline read, and how sure it is, 0 to 1."""

    text: str
    score: float


@dataclass(frozen=True, slots=True)
class LineScore:
    """One true line and what became of it.

    Attributes:
        read: its pair; None where nothing was near enough.
        distance: normalised edit distance to the pair; 1 without one.
    """

    true: TrueLine
    read: ReadLine | None
    distance: float

    @property
    def exact(self) -> bool:
        """Whether pair and truth are equal after normalisation."""
        return self.read is not None and self.distance == 0


@dataclass(frozen=True, slots=True)
class Judged:
    """A read line whose score can be held against the truth."""

    score: float
    exact: bool


@dataclass(frozen=True, slots=True)
class SealScore:
    """The lines of one seal, scored.

    Attributes:
        lines: one entry for each true line, in their order.
        extra: read lines without a pair.
        judged: read lines that count for confidence: the paired ones, and the extra ones unless the seal has lines that
            nobody transcribed.
    """

    lines: tuple[LineScore, ...]
    extra: tuple[ReadLine, ...]
    judged: tuple[Judged, ...]

    @property
    def whole(self) -> bool:
        """Whether all true lines are exact; extra lines do not matter, a seal without true lines is never whole."""
        return len(self.lines) > 0 and all(line.exact for line in self.lines)


def score_seal(true: Sequence[TrueLine], read: Sequence[ReadLine], *, unread: bool = False) -> SealScore:
    """Scores what was read on one seal.

    Args:
        true: the transcribed lines.
        read: the lines that the pipeline gave.
        unread: whether the seal has further lines that were not transcribed, so that extra output is no mistake.
    """
    pairs = pair_lines([line.text for line in true], [line.text for line in read])
    by_true = {pair.true: pair for pair in pairs}
    by_read = {pair.read: pair for pair in pairs}
    lines = tuple(
        LineScore(line, read[by_true[i].read], by_true[i].value) if i in by_true else LineScore(line, None, 1.0)
        for i, line in enumerate(true)
    )
    judged = tuple(Judged(line.score, j in by_read and by_read[j].value == 0) for j, line in enumerate(read) if j in by_read or not unread)
    return SealScore(lines, tuple(line for j, line in enumerate(read) if j not in by_read), judged)


def exact_share(lines: Iterable[LineScore]) -> Share:
    """How many true lines were read exactly."""
    flags = [line.exact for line in lines]
    return Share(sum(flags), len(flags))


def one_minus_ned(lines: Iterable[LineScore]) -> Share:
    """1 minus the mean normalised edit distance of the true lines; a line without a pair counts 1."""
    distances = [line.distance for line in lines]
    return Share(len(distances) - sum(distances), len(distances))


def confident_wrong(judged: Iterable[Judged]) -> Share:
    """How many of the confident read lines are not exact; lower is better."""
    confident = [line for line in judged if line.score >= CONFIDENT]
    return Share(sum(not line.exact for line in confident), len(confident))


# ---------------------------------------------------------------- calibration


@dataclass(frozen=True, slots=True)
class Bin:
    """Read lines with scores in ``[low, high)``, the last bin with 1.0; the means are None in an empty bin."""

    low: float
    high: float
    count: int
    mean_score: float | None
    exact: float | None


def reliability(judged: Sequence[Judged], bins: int = 10) -> tuple[Bin, ...]:
    """What scores are worth: for equal bins of the score, the mean score beside the share that is exact."""
    members: list[list[Judged]] = [[] for _ in range(bins)]
    for line in judged:
        members[min(int(line.score * bins), bins - 1)].append(line)
    return tuple(
        Bin(
            index / bins,
            (index + 1) / bins,
            len(lines),
            sum(line.score for line in lines) / len(lines) if lines else None,
            sum(line.exact for line in lines) / len(lines) if lines else None,
        )
        for index, lines in enumerate(members)
    )


def calibration_error(table: Iterable[Bin]) -> float | None:
    """The mean gap between score and share exact over all lines (expected calibration error); None without lines.

    Guo et al., On Calibration of Modern Neural Networks, 2017, equation 3.
    """
    gaps = [(b.count, abs(b.mean_score - b.exact)) for b in table if b.mean_score is not None and b.exact is not None]
    total = sum(count for count, _ in gaps)
    return sum(count * gap for count, gap in gaps) / total if total else None


# ---------------------------------------------------------------- boxes and polygons


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes ``(x1, y1, x2, y2)``, 0 to 1; 0 where both are empty."""
    common = _common_area(a, b)
    union = _area(a) + _area(b) - common
    return common / union if union > 0 else 0.0


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _common_area(a: Box, b: Box) -> float:
    return _area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def polygon_iou(a: Points, b: Points) -> float:
    """Intersection over union of two ``(n, 2)`` polygons, 0 to 1; 0 with fewer than three points or without area."""
    if len(a) < 3 or len(b) < 3:
        return 0.0
    first, second = make_valid(Polygon(a)), make_valid(Polygon(b))
    union = float(first.union(second).area)
    return float(first.intersection(second).area) / union if union > 0 else 0.0


def match_boxes(true: Sequence[Box], read: Sequence[Box]) -> tuple[Match, ...]:
    """Pairs of true and read boxes, one to one, the largest overlap first, none below `MIN_IOU`."""
    return _match_overlaps([[box_iou(t, r) for r in read] for t in true])


def match_polygons(true: Sequence[Points], read: Sequence[Points]) -> tuple[Match, ...]:
    """Pairs of true and read ``(n, 2)`` polygons, one to one, the largest overlap first, none below `MIN_IOU`.

    Recall is their number over the true polygons, precision their number over the read ones.
    """
    return _match_overlaps([[polygon_iou(t, r) for r in read] for t in true])


def _match_overlaps(overlaps: Sequence[Sequence[float]]) -> tuple[Match, ...]:
    """Greedy one-to-one matches; among equal overlaps the earlier true, then the earlier read entry goes first."""
    candidates = [Match(i, j, iou) for i, row in enumerate(overlaps) for j, iou in enumerate(row) if iou >= MIN_IOU]
    return _one_to_one(sorted(candidates, key=lambda c: (-c.value, c.true, c.read)))


def false_alarms(true: Sequence[Box], read: Sequence[Box]) -> tuple[int, ...]:
    """Indices of the read boxes that overlap no labelled seal at all, optional seals included; on a page without seals, all."""
    return tuple(j for j, box in enumerate(read) if not any(_common_area(box, seal) > 0 for seal in true))
