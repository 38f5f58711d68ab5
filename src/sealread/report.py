"""What an evaluation found, as measures, slices and text; see `sealread.evaluate`, which makes it, and `sealread.metrics` for the rules."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sealread.labels import ImageLabel, Kind, SealLabel
from sealread.metrics import (
    Box,
    Judged,
    LineScore,
    SealScore,
    Share,
    calibration_error,
    confident_wrong,
    exact_share,
    one_minus_ned,
    reliability,
)

#: The kinds of image, with the word for them in reports.
KINDS: Mapping[Kind, str] = {"seal_crop": "crops", "document": "documents"}


@dataclass(frozen=True, slots=True)
class Outlines:
    """Line polygons of one seal, or of several: `true` ones are outlined in the labels, `matched` of them were found.

    Precision is known only on seals whose lines are all outlined: there `judged` polygons were read, `right` of them match.
    """

    true: int = 0
    matched: int = 0
    judged: int = 0
    right: int = 0


@dataclass(frozen=True, slots=True)
class SealRecord:
    """A labelled seal and what was read on it; `iou` is None where no seal had to be looked for."""

    label: SealLabel
    language: str
    found: bool
    iou: float | None
    score: SealScore
    outlines: Outlines


@dataclass(frozen=True, slots=True)
class Turn:
    """A document turned counter-clockwise by `turned` degrees, and the further turn that the pipeline gave it (-1: none)."""

    turned: int
    angle: int

    @property
    def right(self) -> bool:
        """Whether both turns together leave the page as it was."""
        return self.angle >= 0 and (self.turned + self.angle) % 360 == 0


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """An image of the set and what became of it.

    Attributes:
        seconds: from handing over the path to holding the result.
        error: why nothing was read; None if it was.
        exit_status: status that the command line gives to this error; 0 without one.
        false_alarms: read boxes that overlap no labelled seal, in pixels of the image.
        turns: the document turned, if that was asked for.
    """

    label: ImageLabel
    seconds: float
    error: str | None = None
    exit_status: int = 0
    seals: tuple[SealRecord, ...] = ()
    false_alarms: tuple[Box, ...] = ()
    turns: tuple[Turn, ...] = ()

    @property
    def loss(self) -> float:
        """How bad it is: the sum of the distances of the lines, plus 1 for each missed seal and each false alarm."""
        missed = sum(not seal.found and not seal.label.optional for seal in self.seals)
        lines = sum(line.distance for seal in self.seals if seal.found or not seal.label.optional for line in seal.score.lines)
        return lines + missed + len(self.false_alarms)


@dataclass(frozen=True, slots=True)
class Measure:
    """A named figure; `unit` is share (hits of count) or boxes (a number of boxes on count images)."""

    key: str
    name: str
    share: Share
    unit: Literal["share", "boxes"] = "share"

    @property
    def figure(self) -> str:
        """The figure in print; a dash where there is nothing to count."""
        if self.share.value is None:
            return "-"
        return f"{self.share.hits:.0f}" if self.unit == "boxes" else f"{self.share.value:.3f}"

    @property
    def of(self) -> str:
        """What the figure is made of."""
        hits = f"{self.share.hits:.0f}" if self.share.hits == int(self.share.hits) else f"{self.share.hits:.1f}"
        return f"boxes on {self.share.count} images" if self.unit == "boxes" else f"{hits} of {self.share.count}"


@dataclass(frozen=True, slots=True)
class Report:
    """All images of an evaluation, in the order of the labels."""

    set_dir: str
    images: tuple[ImageRecord, ...]

    def measures(self) -> tuple[Measure, ...]:
        """The figures over all images, crops first."""
        return tuple(_measures(self.images))

    def slices(self) -> dict[str, dict[str, dict[str, tuple[Measure, ...]]]]:
        """Measures of parts of the set: by kind of image, then by what it is cut, then by the value."""
        return {
            KINDS[kind]: {by: _cut(self.seals(kind), name, kind) for by, name in _CUTS.items()}
            | {"role": _by_role(_found_lines(self.seals(kind)))}
            for kind in KINDS
        }

    def seals(self, kind: Kind) -> tuple[SealRecord, ...]:
        """The labelled seals on images of a kind."""
        return tuple(seal for image in self.images if image.label.kind == kind for seal in image.seals)

    def judged(self, kind: Kind) -> tuple[Judged, ...]:
        """The read lines on found seals whose scores can be held against the truth."""
        return tuple(line for seal in self.seals(kind) if seal.found for line in seal.score.judged)

    def worst(self, count: int) -> tuple[ImageRecord, ...]:
        """The images with the greatest loss, the worst first; images without loss are left out."""
        ranked = sorted((image for image in self.images if image.loss > 0), key=lambda image: (-image.loss, image.label.file))
        return tuple(ranked[:count])

    def to_dict(self, *, texts: bool = True) -> dict[str, Any]:
        """Everything as JSON values.

        Args:
            texts: whether lines carry their true and read texts; False where the set must not be passed on.
        """
        return {
            "set": self.set_dir,
            "images": len(self.images),
            "failed": sum(image.error is not None for image in self.images),
            "totals": {m.key: _plain(m) for m in self.measures()},
            "seconds": {KINDS[kind]: _median_seconds(self.images, kind) for kind in KINDS},
            "slices": {
                kind: {by: {value: {m.key: _plain(m) for m in part} for value, part in parts.items()} for by, parts in cuts.items()}
                for kind, cuts in self.slices().items()
            },
            "reliability": {
                KINDS[kind]: {"calibration_error": calibration_error(table), "bins": [asdict(row) for row in table]}
                for kind in KINDS
                for table in [reliability(self.judged(kind))]
            },
            "detail": [_image_dict(image, texts) for image in self.images],
        }

    def table(self) -> str:
        """The measures, the slices and the reliability of the scores as text of fixed width."""
        blocks = [_columns(["measure", "value", "of"], [[m.name, m.figure, m.of] for m in self.measures()])]
        for kind, cuts in self.slices().items():
            for by, parts in cuts.items():
                rows = [[value, *(f"{m.figure} ({m.of})" for m in part)] for value, part in parts.items()]
                if rows:
                    blocks.append(_columns([f"{kind} by {by}", *(m.name for m in next(iter(parts.values())))], rows))
        for kind in KINDS:
            rows = [
                [f"{row.low:.1f}-{row.high:.1f}", str(row.count), _number(row.mean_score), _number(row.exact)]
                for row in reliability(self.judged(kind))
                if row.count
            ]
            if rows:
                blocks.append(_columns([f"{KINDS[kind]} by score", "lines", "mean score", "exact"], rows))
        return "\n\n".join(blocks)

    def worst_table(self, count: int) -> str:
        """The worst images with their true lines, what was read instead, and what else went wrong."""
        return "\n\n".join(_describe(image) for image in self.worst(count))


# ---------------------------------------------------------------- measures


def _found_lines(seals: Iterable[SealRecord]) -> list[LineScore]:
    return [line for seal in seals if seal.found for line in seal.score.lines]


def _line_measures(seals: Sequence[SealRecord], prefix: str, title: str) -> Iterable[Measure]:
    """Measures of the lines of found seals."""
    found = [seal for seal in seals if seal.found]
    readable = [seal for seal in found if seal.score.lines]
    yield Measure(f"{prefix}lines_exact", f"{title}lines exact", exact_share(_found_lines(found)))
    yield Measure(f"{prefix}one_minus_ned", f"{title}1-NED", one_minus_ned(_found_lines(found)))
    yield Measure(f"{prefix}whole_seals", f"{title}whole seals", Share(sum(s.score.whole for s in readable), len(readable)))
    yield Measure(
        f"{prefix}confident_wrong", f"{title}confident wrong", confident_wrong(line for seal in found for line in seal.score.judged)
    )


def _found_measure(seals: Iterable[SealRecord], prefix: str, title: str) -> Measure:
    required = [seal for seal in seals if not seal.label.optional]
    return Measure(f"{prefix}seals_found", f"{title}seals found", Share(sum(s.found for s in required), len(required)))


def _measures(images: Sequence[ImageRecord]) -> Iterable[Measure]:
    crops = [seal for image in images if image.label.kind == "seal_crop" for seal in image.seals]
    pages = [image for image in images if image.label.kind == "document"]
    on_pages = [seal for image in pages for seal in image.seals]
    yield from _line_measures(crops, "crops_", "crops: ")
    yield _found_measure(on_pages, "documents_", "documents: ")
    for key, name, members in (
        ("on_negatives", "on negatives", [page for page in pages if page.label.negative]),
        ("elsewhere", "elsewhere", [page for page in pages if not page.label.negative]),
    ):
        alarms = Share(sum(len(page.false_alarms) for page in members), len(members))
        yield Measure(f"documents_false_alarms_{key}", f"documents: false alarms {name}", alarms, "boxes")
    yield from _line_measures(on_pages, "documents_", "documents, found seals: ")
    required = [line for seal in on_pages if not seal.label.optional for line in seal.score.lines]
    yield Measure("documents_all_lines_exact", "documents: lines of all seals exact", exact_share(required))
    turns = [turn for page in pages for turn in page.turns]
    yield Measure(
        "documents_turned_right", "documents turned by 90, 180, 270: turned right", Share(sum(t.right for t in turns), len(turns))
    )
    outlines = [seal.outlines for seal in (*crops, *on_pages) if seal.found]
    yield Measure("outlines_recall", "line outlines: recall", Share(sum(o.matched for o in outlines), sum(o.true for o in outlines)))
    yield Measure("outlines_precision", "line outlines: precision", Share(sum(o.right for o in outlines), sum(o.judged for o in outlines)))


def _size(seal: SealRecord) -> str:
    size = seal.label.size
    return "under 200 px" if size < 200 else "200-300 px" if size <= 300 else "over 300 px"


def _rotation(seal: SealRecord) -> str:
    rotation = seal.label.rotation
    if rotation is None:
        return "unlabelled"
    return "under 15 degrees" if abs(rotation) < 15 else "15-45 degrees" if abs(rotation) <= 45 else "over 45 degrees"


_CUTS: Mapping[str, Callable[[SealRecord], str]] = {
    "shape": lambda seal: seal.label.shape,
    "colour": lambda seal: seal.label.colour,
    "language": lambda seal: seal.language,
    "size": _size,
    "rotation": _rotation,
}


def _cut(seals: Sequence[SealRecord], name: Callable[[SealRecord], str], kind: Kind) -> dict[str, tuple[Measure, ...]]:
    parts: dict[str, list[SealRecord]] = {}
    for seal in seals:
        parts.setdefault(name(seal), []).append(seal)
    return {
        value: (*([_found_measure(parts[value], "", "")] if kind == "document" else []), *_line_measures(parts[value], "", ""))
        for value in sorted(parts)
    }


def _by_role(lines: Iterable[LineScore]) -> dict[str, tuple[Measure, ...]]:
    parts: dict[str, list[LineScore]] = {}
    for line in lines:
        parts.setdefault(line.true.role, []).append(line)
    return {
        role: (
            Measure("lines_exact", "lines exact", exact_share(parts[role])),
            Measure("one_minus_ned", "1-NED", one_minus_ned(parts[role])),
        )
        for role in sorted(parts)
    }


def _median_seconds(images: Iterable[ImageRecord], kind: Kind) -> float | None:
    seconds = [image.seconds for image in images if image.label.kind == kind]
    return statistics.median(seconds) if seconds else None


# ---------------------------------------------------------------- as JSON and as text


def _plain(measure: Measure) -> dict[str, float | int | None]:
    return {"value": measure.share.value, "hits": measure.share.hits, "count": measure.share.count}


def _image_dict(image: ImageRecord, texts: bool) -> dict[str, Any]:
    return {
        "file": image.label.file,
        "kind": image.label.kind,
        "negative": image.label.negative,
        "seconds": image.seconds,
        "error": image.error,
        "loss": image.loss,
        "seals": [_seal_dict(seal, texts) for seal in image.seals],
        "false_alarms": [list(box) for box in image.false_alarms],
        "turns": [{"turned": turn.turned, "angle": turn.angle, "right": turn.right} for turn in image.turns],
    }


def _seal_dict(seal: SealRecord, texts: bool) -> dict[str, Any]:
    def words(**named: str | None) -> dict[str, str | None]:
        return named if texts else {}

    return {
        "shape": seal.label.shape,
        "optional": seal.label.optional,
        "found": seal.found,
        "iou": seal.iou,
        "whole": seal.score.whole,
        "outlines": asdict(seal.outlines),
        "lines": [
            words(true=line.true.text, read=None if line.read is None else line.read.text)
            | {
                "role": line.true.role,
                "distance": line.distance,
                "exact": line.exact,
                "score": None if line.read is None else line.read.score,
            }
            for line in seal.score.lines
        ],
        "extra": [words(read=line.text) | {"score": line.score} for line in seal.score.extra],
    }


def _describe(image: ImageRecord) -> str:
    rows = [f"{image.label.file}: loss {image.loss:.2f}, {image.seconds:.2f} s"]
    if image.error is not None:
        rows.append(f"  failed: {image.error}")
    for seal in image.seals:
        state = "" if seal.found else ", not found" + (" (optional)" if seal.label.optional else "")
        rows.append(f"  {seal.label.shape} {seal.label.colour} seal of {seal.label.size:.0f} px{state}")
        for line in seal.score.lines if seal.found else ():
            mark = "=" if line.exact else " "
            read = "nothing" if line.read is None else f"{line.read.text} (score {line.read.score:.2f}, distance {line.distance:.2f})"
            rows.append(f"  {mark} {line.true.role}: {line.true.text} -> {read}")
        rows.extend(f"    extra: {line.text} (score {line.score:.2f})" for line in seal.score.extra)
    rows.extend(f"  false alarm at {', '.join(f'{edge:.0f}' for edge in box)}" for box in image.false_alarms)
    return "\n".join(rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _columns(head: list[str], rows: Sequence[list[str]]) -> str:
    """Left-aligned columns, two spaces apart, with a rule under the head."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, ["-" * width for width in widths], *rows)
    )
