"""`sealread evaluate`: read a labelled set with default settings and score it.

Takes:      a folder in the format of `sealread.labels`, and anything with the pipeline's `predict`.
Gives:      a `Report`.
Method:     the rules of `sealread.metrics`. Seal crops are read with layout detection, orientation and unwarping off: the
            whole image is one seal. Documents are read with the pipeline's own defaults.
Nothing:    an image that cannot be read counts as read without result, and says so.
Invariants: the report holds each chosen image once, in the order of the labels; the labels never reach the pipeline.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sealread.errors import InputError, SealreadError
from sealread.labels import ImageLabel, Kind, SealLabel, read_labels
from sealread.metrics import ReadLine, TrueLine, false_alarms, match_boxes, match_polygons, score_seal
from sealread.report import ImageRecord, Outlines, Report, SealRecord, Turn
from sealread.types import Image, PageReading, SealReading, TextLine

#: How a seal crop is read: nothing but the seal itself.
CROP_SWITCHES: dict[str, Any] = {"use_layout_detection": False, "use_doc_orientation_classify": False, "use_doc_unwarping": False}
TURNS = (90, 180, 270)


class Result(Protocol):
    """What `predict` yields for a page, as far as it is needed here."""

    @property
    def error(self) -> Exception | None:
        """Why the page was not read; None where it was."""
        ...

    @property
    def reading(self) -> PageReading:
        """What was read; asked for only where there is no error."""
        ...

    def save_to_img(self, save_path: str) -> Any:
        """Write the pictures into a folder."""
        ...


class Reader(Protocol):
    """Anything that reads pages: the pipeline, or a stand-in."""

    def predict(self, input: Any, **parameters: Any) -> Iterable[Any]:
        """Yields one `Result` for each page."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """Which images of a set are read.

    Attributes:
        kind: only seal crops, or only documents.
        only: shell pattern for the file, with or without its folder; ``neg_*`` for example.
        limit: at most so many, the first ones.
    """

    kind: Kind | None = None
    only: str | None = None
    limit: int | None = None

    def choose(self, images: Sequence[ImageLabel]) -> tuple[ImageLabel, ...]:
        """The chosen images, in the order given."""
        chosen = [image for image in images if self.kind in (None, image.kind) and self._named(image.file)]
        return tuple(chosen[: self.limit])

    def _named(self, file: str) -> bool:
        return self.only is None or any(fnmatch.fnmatchcase(name, self.only) for name in (file, Path(file).name))


def evaluate(
    set_dir: str | Path,
    pipeline: Reader,
    *,
    selection: Selection = Selection(),
    turned: bool = False,
    save_pictures: str | Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Reads a labelled set and scores it.

    Args:
        set_dir: folder with `labels.jsonl` and its images.
        pipeline: what `create_pipeline()` gives.
        selection: which images are read; all of them unless told otherwise.
        turned: whether each document is read three more times, turned by 90, 180 and 270 degrees.
        save_pictures: folder for the pictures of every result.
        progress: called after each image with the number of images done and the number of all.

    Raises:
        InputError: the labels cannot be read, or the selection leaves no image.
    """
    images = selection.choose(read_labels(set_dir))
    if not images:
        raise InputError(f"No image of {set_dir} is chosen: widen --kind, --only or --limit.", source=str(set_dir))
    records = []
    for number, label in enumerate(images, 1):
        records.append(_read_image(Path(set_dir), label, pipeline, turned, save_pictures))
        progress(number, len(images))
    return Report(str(set_dir), tuple(records))


def _read_image(set_dir: Path, label: ImageLabel, pipeline: Reader, turned: bool, save_pictures: str | Path | None) -> ImageRecord:
    switches = CROP_SWITCHES if label.kind == "seal_crop" else {}
    start = time.perf_counter()
    result: Result = _first(pipeline, str(set_dir / label.file), **switches)
    seconds = time.perf_counter() - start
    error = result.error
    if error is not None:
        status = error.exit_status if isinstance(error, SealreadError) else 1
        if label.kind == "seal_crop":
            return ImageRecord(label, seconds, str(error), status, seals=_score_crop(label, ()))
        lost_turns = tuple(Turn(turn, -1) for turn in TURNS) if turned else ()
        return ImageRecord(label, seconds, str(error), status, seals=_score_seals(label, ()), turns=lost_turns)
    if save_pictures is not None:
        result.save_to_img(str(save_pictures))
    seals = result.reading.seals
    if label.kind == "seal_crop":
        return ImageRecord(label, seconds, seals=_score_crop(label, seals))
    boxes = [seal.page_box for seal in seals]
    alarms = tuple(boxes[i] for i in false_alarms([seal.bbox for seal in label.seals], boxes))
    turns = tuple(_turn(pipeline, result.reading.page.image, turn) for turn in TURNS) if turned else ()
    return ImageRecord(label, seconds, seals=_score_seals(label, seals), false_alarms=alarms, turns=turns)


def _first(pipeline: Reader, source: str | Image, **switches: bool) -> Any:
    """The result for the only page of `source`."""
    return next(iter(pipeline.predict(source, errors="return", **switches)))


def _turn(pipeline: Reader, image: Image, turn: int) -> Turn:
    """Reads the image turned counter-clockwise by `turn` degrees."""
    result: Result = _first(pipeline, np.ascontiguousarray(np.rot90(image, turn // 90)))
    return Turn(turn, result.reading.angle if result.error is None else -1)


# ---------------------------------------------------------------- scoring


def _score_crop(label: ImageLabel, seals: Sequence[SealReading]) -> tuple[SealRecord, ...]:
    """All lines of a crop against all that was read on it; several labelled seals count as one, for nobody told them apart."""
    if not label.seals:
        return ()
    first = label.seals[0]
    merged = first.model_copy(
        update={
            "texts": tuple(t for seal in label.seals for t in seal.texts),
            "unread": tuple(u for seal in label.seals for u in seal.unread),
        }
    )
    return (_score(label, merged, [line for seal in seals for line in seal.lines], found=True, iou=None),)


def _score_seals(label: ImageLabel, seals: Sequence[SealReading]) -> tuple[SealRecord, ...]:
    """Each labelled seal of a document against the one read seal that lies on it."""
    matches = {m.true: m for m in match_boxes([seal.bbox for seal in label.seals], [seal.page_box for seal in seals])}
    return tuple(
        _score(label, seal, seals[matches[i].read].lines, found=True, iou=matches[i].value)
        if i in matches
        else _score(label, seal, (), found=False, iou=None)
        for i, seal in enumerate(label.seals)
    )


def _score(image: ImageLabel, label: SealLabel, lines: Sequence[TextLine], *, found: bool, iou: float | None) -> SealRecord:
    kept = [line for line in lines if line.kept]
    score = score_seal(
        [TrueLine(line.text, line.role) for line in label.texts],
        [ReadLine(line.text, line.score) for line in kept],
        unread=bool(label.unread),
    )
    return SealRecord(label, image.language, found, iou, score, _outlines(label, kept))


def _outlines(label: SealLabel, lines: Sequence[TextLine]) -> Outlines:
    true = [line.points for line in label.texts if line.points is not None]
    matched = len(match_polygons(true, [line.page_polygon for line in lines]))
    complete = len(true) == len(label.texts) > 0 and not label.unread
    return Outlines(len(true), matched, len(lines) if complete else 0, matched if complete else 0)


# ---------------------------------------------------------------- command line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Gives a parser the arguments of `sealread evaluate`."""
    parser.add_argument("set_dir", metavar="SET_DIR", help="folder with labels.jsonl and the images it names")
    parser.add_argument("--pipeline", default="seal_recognition", help="name or configuration file of the pipeline (default: %(default)s)")
    parser.add_argument("--device", default=None, help="where the networks run, cpu for example")
    parser.add_argument("--kind", choices=("seal_crop", "document"), default=None, help="only images of this kind")
    parser.add_argument("--only", metavar="PATTERN", default=None, help="only files that match, 'neg_*' for example")
    parser.add_argument("--limit", type=int, metavar="N", default=None, help="only the first N images")
    parser.add_argument("--turned", action="store_true", help="read each document turned by 90, 180 and 270 degrees too")
    parser.add_argument("--worst", type=int, metavar="N", default=0, help="describe the N worst images")
    parser.add_argument("--json", metavar="FILE", default=None, help="write all figures and the detail of each image there")
    parser.add_argument("--save_pictures", metavar="DIR", default=None, help="write the pictures of each result there")


def run_cli(namespace: argparse.Namespace) -> int:
    """Runs `sealread evaluate`: the table on standard output, progress on standard error.

    Returns:
        0, or the greatest exit status among the images that failed.
    """
    from sealread import create_pipeline

    _check_options(namespace)
    device = {} if namespace.device is None else {"device": namespace.device}
    report = evaluate(
        namespace.set_dir,
        create_pipeline(pipeline=namespace.pipeline, **device),
        selection=Selection(namespace.kind, namespace.only, namespace.limit),
        turned=namespace.turned,
        save_pictures=namespace.save_pictures,
        progress=_show_progress if sys.stderr.isatty() else lambda done, total: None,
    )
    print(report.table())
    if namespace.worst:
        print(f"\nThe worst images\n\n{report.worst_table(namespace.worst)}")
    for image in report.images:
        if image.error is not None:
            print(f"{image.label.file} failed: {image.error}", file=sys.stderr)
    if namespace.json is not None:
        Path(namespace.json).write_text(json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return max(image.exit_status for image in report.images)


def _check_options(namespace: argparse.Namespace) -> None:
    """Refuses, before anything is read, counts that mean nothing and files that cannot be written."""
    if namespace.limit is not None and namespace.limit < 1:
        raise InputError(f"--limit {namespace.limit} leaves nothing to read: give 1 or more.", parameter="limit")
    if namespace.worst < 0:
        raise InputError(f"--worst {namespace.worst} is no number of images: give 0 or more.", parameter="worst")
    if namespace.json is not None:
        try:
            Path(namespace.json).parent.mkdir(parents=True, exist_ok=True)
            Path(namespace.json).touch()
        except OSError as cause:
            message = f"--json {namespace.json} cannot be written ({cause.strerror}): name a file in a folder that can."
            raise InputError(message, parameter="json") from cause


def _show_progress(done: int, total: int) -> None:
    print(f"\r{done} of {total} images", end="\n" if done == total else "", file=sys.stderr, flush=True)
