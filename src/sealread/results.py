"""A reading as the caller gets it: a mapping, JSON, pictures, files.

The JSON has the members, order and types of the PaddleX seal text recognition pipeline, whose polygons lie on the seal's
crop, and at its end one more: ``seals``, the same seals in pixels of the caller's own page. ``docs/results.md`` lists all.
"""

from __future__ import annotations

import copy
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sealread.drawing import draw_page, draw_preprocessing, draw_seal
from sealread.errors import EngineError, InputError
from sealread.frames import Frame
from sealread.outputs import OutputNames, json_name, names_json_file, names_picture_file, picture_suffix, write_file, write_picture
from sealread.painting import Picture
from sealread.polygons import source_box
from sealread.types import FailedPage, PageReading, Points, Region, SealReading, TextLine

__all__ = ["OutputNames", "SealRecognitionResult"]

_log = logging.getLogger(__name__)


class SealRecognitionResult(Mapping[str, Any]):
    """All that was read on one page, or why it could not be read.

    As a mapping it has the members of the JSON object: ``result["seal_res_list"]``, ``result["input_path"]``.

    Example:
        >>> for result in pipeline.predict("scan.pdf"):  # doctest: +SKIP
        ...     result.print()
        ...     result.save_all("out")
    """

    def __init__(self, reading: PageReading, names: OutputNames | None = None) -> None:
        """Wrap a reading.

        Args:
            reading: what was read.
            names: the names that the results of this run share; without it the result has names of its own.

        Raises:
            EngineError: the reading holds a number that is not finite, which JSON cannot carry.
        """
        _require_finite(reading)
        self._page: PageReading | FailedPage = reading
        self._name_files(reading.page.source, reading.page.index, names)

    @classmethod
    def failed(cls, page: FailedPage, names: OutputNames | None = None) -> SealRecognitionResult:
        """The result of a page that could not be read."""
        result = cls.__new__(cls)
        result._page = page
        result._name_files(page.source, page.index, names)
        return result

    def _name_files(self, source: str | None, index: int | None, names: OutputNames | None) -> None:
        self._source, self._index = source, index
        self._stem = (OutputNames() if names is None else names).stem(source, index)

    @property
    def ok(self) -> bool:
        """Whether the page was read."""
        return isinstance(self._page, PageReading)

    @property
    def error(self) -> Exception | None:
        """Why the page could not be read; None if it was."""
        return self._page.error if isinstance(self._page, FailedPage) else None

    @property
    def reading(self) -> PageReading:
        """The reading itself, with arrays, images and sub-pixel outlines.

        Raises:
            Exception: the page could not be read; it is the page's own `error`.
        """
        if isinstance(self._page, FailedPage):
            raise self._page.error
        return self._page

    @cached_property
    def _members(self) -> dict[str, Any]:
        place = {"input_path": self._source, "page_index": self._index}
        if isinstance(self._page, FailedPage):
            error = self._page.error
            return {**place, "error": {"type": type(error).__name__, "message": str(error)}}
        return {**place, **_page_members(self._page)}

    def __getitem__(self, key: str) -> Any:
        return self._members[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        found = f"{len(self._page.seals)} seals" if isinstance(self._page, PageReading) else f"error={self._page.error!r}"
        return f"<SealRecognitionResult {self._stem!r}: {found}>"

    def to_dict(self) -> dict[str, Any]:
        """The JSON object as plain dicts, lists, strings and numbers: the caller's own copy."""
        return copy.deepcopy(self._members)

    @property
    def json(self) -> dict[str, Any]:
        """``{"res": {...}}`` around `to_dict`."""
        return {"res": self.to_dict()}

    @cached_property
    def img(self) -> dict[str, Picture]:
        """The pictures by name, drawn at the first access; empty for a page that was not read.

        ``layout_det_res`` if seals were looked for, ``preprocessed_img`` if the page was preprocessed, ``seal_res_region1`` and so on
        for each seal.
        """
        if isinstance(self._page, FailedPage):
            return {}
        reading, pictures = self._page, {}
        if reading.regions is not None:
            pictures["layout_det_res"] = draw_page(reading)
        if reading.use_doc_preprocessor:
            pictures["preprocessed_img"] = draw_preprocessing(reading)
        for seal in reading.seals:
            pictures[f"seal_res_region{seal.region_id}"] = draw_seal(seal, reading.frame)
        return pictures

    def print(self, format_json: bool = True, indent: int = 4, ensure_ascii: bool = False, json_format: bool | None = None) -> None:
        """Print the result on standard output.

        Args:
            format_json: indented JSON; False prints it as Python would, on one line, with long lists shortened.
            indent: spaces per level of the JSON.
            ensure_ascii: write characters beyond ASCII as escapes.
            json_format: another name of `format_json`, which it overrides.
        """
        if format_json if json_format is None else json_format:
            text = _json_text(self.json, indent, ensure_ascii)
        else:
            text = _brief({"res": self._members})
        encoding = getattr(sys.stdout, "encoding", None)
        if encoding is not None:  # a terminal without these characters shows escapes
            text = text.encode(encoding, "backslashreplace").decode(encoding)
        print(text)

    def save_to_json(self, save_path: str | Path, indent: int = 4, ensure_ascii: bool = False) -> list[Path]:
        """Write the JSON object (`to_dict`) as UTF-8.

        Args:
            save_path: a path that ends in ``.json`` is the file; any other is a folder for ``{stem}_res.json``.
            indent: spaces per level.
            ensure_ascii: write characters beyond ASCII as escapes.

        Returns:
            The path that was written.

        Raises:
            InputError: the file cannot be written.
        """
        path = Path(save_path)
        if not names_json_file(path):
            path = path / json_name(self._stem)
        # A file name that is not UTF-8 comes as lone surrogates, which become JSON escapes here.
        content = _json_text(self._members, indent, ensure_ascii).encode("utf-8", "backslashreplace")
        return [write_file(path, content, self._source)]

    def save_to_img(self, save_path: str | Path) -> list[Path]:
        """Write the pictures of `img`.

        Args:
            save_path: a path that ends like a picture is the file, for the first picture only; any other is a folder for
                ``{stem}_{key}{suffix}``, with the suffix of the input if pictures are written in that type, else ``.png``.

        Returns:
            The paths that were written; none for a page that was not read.

        Raises:
            InputError: a file cannot be written, or not in that type.
        """
        path = Path(save_path)
        if names_picture_file(path):
            pictures = list(self.img.items())
            if len(pictures) > 1:
                _log.warning("%s takes one picture: only %s of %d was written there.", path, pictures[0][0], len(pictures))
            return [write_picture(path, picture, self._source) for _, picture in pictures[:1]]
        suffix = picture_suffix(self._source)
        return [write_picture(path / f"{self._stem}_{key}{suffix}", picture, self._source) for key, picture in self.img.items()]

    def save_all(self, save_path: str | Path) -> list[Path]:
        """Write the JSON and the pictures into a folder; gives their paths.

        Raises:
            InputError: `save_path` names a single file, or a file cannot be written.
        """
        path = Path(save_path)
        if names_json_file(path) or names_picture_file(path):
            raise InputError(
                f"save_all writes several files, but save_path {str(path)!r} names one; give a folder.",
                source=self._source,
                parameter="save_path",
            )
        # The JSON last: where it is, all is (see `OutputNames.is_saved`).
        pictures = self.save_to_img(path)
        return [*self.save_to_json(path), *pictures]


def _page_members(reading: PageReading) -> dict[str, Any]:
    """Everything after input_path and page_index, in the order of the JSON."""
    members: dict[str, Any] = {
        "model_settings": {
            "use_doc_preprocessor": reading.use_doc_preprocessor,
            "use_layout_detection": reading.use_layout_detection,
        }
    }
    if reading.use_doc_preprocessor:
        members["doc_preprocessor_res"] = {
            "input_path": None,
            "page_index": None,
            "model_settings": {
                "use_doc_orientation_classify": reading.use_doc_orientation_classify,
                "use_doc_unwarping": reading.use_doc_unwarping,
            },
            "angle": reading.angle,
        }
    if reading.regions is not None:
        boxes = [_region_members(region) for region in reading.regions]
        members["layout_det_res"] = {"input_path": None, "page_index": None, "boxes": boxes}
    members["seal_res_list"] = [_crop_members(seal, reading) for seal in reading.seals]
    members["seals"] = [_seal_members(seal) for seal in reading.seals]
    if reading.regions is not None:
        members["doubtful_places"] = [_doubtful_members(place, reading.frame) for place in reading.doubtful]
    return members


def _doubtful_members(place: Region, frame: Frame) -> dict[str, Any]:
    return {"bbox": [_tenth(edge) for edge in source_box(place.box, frame)], "detection_score": float(place.score)}


def _region_members(region: Region) -> dict[str, Any]:
    box = [float(edge) for edge in region.box]
    return {"cls_id": int(region.cls_id), "label": region.label, "score": float(region.score), "coordinate": box}


def _crop_members(seal: SealReading, reading: PageReading) -> dict[str, Any]:
    """One entry of seal_res_list: integers on the seal's crop."""
    settings, threshold = reading.detection, reading.rec_score_thresh
    height, width = seal.crop.shape[:2]
    kept = [line for line in seal.lines if line.kept]
    return {
        "input_path": None,
        "page_index": None,
        "model_settings": {"use_doc_preprocessor": False, "use_textline_orientation": False},
        "dt_polys": [_crop_polygon(line, width, height) for line in seal.lines],
        "text_det_params": {
            "limit_side_len": int(settings.limit_side_len),
            "limit_type": settings.limit_type,
            "thresh": float(settings.thresh),
            "max_side_limit": int(settings.max_side_limit),
            "box_thresh": float(settings.box_thresh),
            "unclip_ratio": float(settings.unclip_ratio),
        },
        "text_type": "seal",
        "textline_orientation_angles": [-1] * len(seal.lines),
        "text_rec_score_thresh": threshold if isinstance(threshold, int) else float(threshold),
        "return_word_box": False,
        "rec_texts": [line.text for line in kept],
        "rec_scores": [float(line.score) for line in kept],
        "rec_polys": [_crop_polygon(line, width, height) for line in kept],
        "rec_boxes": [],
    }


def _crop_polygon(line: TextLine, width: int, height: int) -> list[list[int]]:
    return [[int(x), int(y)] for x, y in np.clip(np.rint(line.polygon), 0, [width, height])]


def _seal_members(seal: SealReading) -> dict[str, Any]:
    """One entry of seals: pixels of the caller's page."""
    return {
        "region_id": int(seal.region_id),
        "bbox": [_tenth(edge) for edge in seal.page_box],
        "detection_score": float(seal.detection_score),
        "rotation": None if seal.rotation is None else float(seal.rotation),
        "lines": [_line_members(line) for line in seal.lines if line.kept],
    }


def _line_members(line: TextLine) -> dict[str, Any]:
    # A network that gives no scores of its characters leaves the list empty.
    characters = zip(line.text, line.char_scores, _tenths(line.char_points), strict=False)
    return {
        "text": line.text,
        "raw_text": line.raw_text,
        "score": float(line.score),
        "role": line.role,
        "polygon": _tenths(line.page_polygon),
        "detection_score": float(line.detection_score),
        "chars": [{"text": text, "score": float(score), "point": point} for text, score, point in characters],
    }


def _tenths(points: Points) -> list[list[float]]:
    return [[_tenth(x), _tenth(y)] for x, y in points]


def _tenth(value: float) -> float:
    return round(float(value), 1) + 0.0  # no minus zero


def _require_finite(reading: PageReading) -> None:
    if not all(np.isfinite(numbers).all() for numbers in _numbers(reading)):
        raise EngineError(
            "A network gave a number that is not finite, so the page has no valid reading; try another engine or precision.",
            source=reading.page.source,
        )


def _numbers(reading: PageReading) -> Iterator[Any]:
    for region in (*(() if reading.regions is None else reading.regions), *reading.doubtful):
        yield [region.score, *region.box]
    for seal in reading.seals:
        yield [seal.detection_score, *seal.page_box, 0.0 if seal.rotation is None else seal.rotation]
        for line in seal.lines:
            yield [line.score, line.detection_score, *line.char_scores]
            yield from (line.polygon, line.page_polygon, line.char_points)


def _json_text(members: dict[str, Any], indent: int, ensure_ascii: bool) -> str:
    return json.dumps(members, indent=indent, ensure_ascii=ensure_ascii, allow_nan=False)


def _brief(value: Any) -> str:
    """Like ``repr``, with the middle of long lists of numbers or points left out."""
    if isinstance(value, dict):
        return "{" + _joined(f"{key!r}: {_brief(member)}" for key, member in value.items()) + "}"
    if not isinstance(value, list):
        return repr(value)
    numeric = len(value) > 4 and all(isinstance(entry, (int, float)) for entry in value)
    points = len(value) > 4 and all(isinstance(entry, list) and len(entry) == 2 for entry in value)
    if numeric or points:
        return f"[{_brief(value[0])}, ..., {_brief(value[-1])}]"
    return "[" + _joined(_brief(entry) for entry in value) + "]"


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts)
