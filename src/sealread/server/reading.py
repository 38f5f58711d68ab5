"""The trade of a reader process: read saved pages with the networks, and write each as the JSON that clients get."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image as PillowImage

from sealread.errors import EngineError, SealreadError
from sealread.options import PredictOptions
from sealread.pipeline import SealPipeline, create_pipeline
from sealread.results import SealRecognitionResult
from sealread.server.opening import saved_page
from sealread.server.processes import Answer, Task
from sealread.settings import PageSettings, page_settings
from sealread.types import Page, PageReading

#: Of JPEG pictures, as clients of the reference get them.
_QUALITY = 95
#: Members that say where a page came from, which is nobody's business but the caller's.
_PRIVATE = ("input_path", "page_index")


@dataclass(frozen=True, slots=True)
class _Wanted:
    page: Page
    settings: PageSettings
    visualize: bool


class Reader:
    """Reads pages.

    Args:
        arguments: those of `create_pipeline`.
        largest: width and height to which pictures are reduced.
    """

    def __init__(self, arguments: Mapping[str, Any], largest: tuple[int, int] | None) -> None:
        self._pipeline: SealPipeline = create_pipeline(**arguments)
        self._largest = largest

    def describe(self) -> dict[str, Any]:
        """The networks, compiled."""
        return {"networks": self._pipeline.describe()}

    def __call__(self, task: Task) -> Answer:
        """Read the ``pages`` of a task together: each a saved page with the options of its request.

        Gives for each page ``seals``, ``read`` and ``drawn`` (seconds) and a part, its JSON; or ``error`` and ``message``.
        """
        wanted = [_wanted(asked, self._pipeline) for asked in task["pages"]]
        started = time.perf_counter()
        readings = self._read(wanted)
        seconds = (time.perf_counter() - started) / len(wanted)
        rows: list[dict[str, Any]] = []
        parts = []
        for each, reading in zip(wanted, readings, strict=True):
            if isinstance(reading, SealreadError):
                rows.append({"error": type(reading).__name__, "message": str(reading)})
                continue
            started = time.perf_counter()
            parts.append(_json_bytes(reading, each.visualize, self._largest))
            rows.append({"seals": len(reading.seals), "read": seconds, "drawn": time.perf_counter() - started})
        return Answer({"pages": rows}, tuple(parts))

    def _read(self, wanted: Sequence[_Wanted]) -> list[PageReading | SealreadError]:
        try:
            return list(self._pipeline.read_together([(each.page, each.settings, 0) for each in wanted]))
        except (ValueError, RuntimeError) as error:  # one page spoils the run of all: each by itself
            if len(wanted) > 1:
                return [reading for each in wanted for reading in self._read([each])]
            if isinstance(error, SealreadError):
                return [error]
            return [EngineError(f"the page cannot be read: {type(error).__name__}")]


def _wanted(asked: Mapping[str, Any], pipeline: SealPipeline) -> _Wanted:
    page = Page(saved_page(asked["page"], asked["height"], asked["width"]))
    return _Wanted(page, page_settings(pipeline.config, PredictOptions.parse(asked["options"])), asked["visualize"])


def _json_bytes(reading: PageReading, visualize: bool, largest: tuple[int, int] | None) -> bytes:
    """One element of ``sealRecResults``."""
    result = SealRecognitionResult(reading)
    members: dict[str, Any] = {"prunedResult": _pruned(result.to_dict())}
    if visualize:
        members["outputImages"] = {name: _jpeg(picture, largest) for name, picture in result.img.items()}
        members["inputImage"] = _jpeg(PillowImage.fromarray(reading.page.image[:, :, ::-1]), largest)
    return json.dumps(members, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _pruned(member) for key, member in value.items() if key not in _PRIVATE}
    return [_pruned(entry) for entry in value] if isinstance(value, list) else value


def _jpeg(picture: PillowImage.Image, largest: tuple[int, int] | None) -> str:
    if largest is not None and (picture.width > largest[0] or picture.height > largest[1]):
        scale = min(largest[0] / picture.width, largest[1] / picture.height)
        picture = picture.resize(
            (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)), PillowImage.Resampling.BILINEAR
        )
    content = io.BytesIO()
    picture.convert("RGB").save(content, format="JPEG", quality=_QUALITY)
    return base64.b64encode(content.getvalue()).decode("ascii")
