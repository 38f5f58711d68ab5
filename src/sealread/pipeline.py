"""The one place that wires the stages: a page in, a reading out."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from sealread import lines as line_rules
from sealread import networks, sources
from sealread.blocks import PipelineConfig
from sealread.config import load_config
from sealread.engines import EngineSettings
from sealread.engines.choice import chosen_engine, default_cache
from sealread.errors import InputError
from sealread.frames import Chain, Crop, Frame, Identity
from sealread.networks import Finder, Lazy
from sealread.options import PredictOptions, parse_device
from sealread.outputs import OutputNames
from sealread.polygons import bounding_box, total_turning
from sealread.results import SealRecognitionResult
from sealread.stages.candidates import InkFinder
from sealread.stages.detection import Detector
from sealread.stages.layout import BoxRows, LayoutSettings, SealFinder, filtered, fused, iou
from sealread.stages.orientation import OrientationClassifier, turned
from sealread.stages.recognition import HEIGHT, Recogniser
from sealread.stages.rectification import straighten
from sealread.stages.unwarping import Unwarper
from sealread.types import (
    DetectedLine,
    DetectionSettings,
    FailedPage,
    Image,
    Page,
    PageReading,
    Points,
    Region,
    SealReading,
    TextLine,
)

_log = logging.getLogger("sealread")

#: Crops are read with this share of their size around them: boxes may cut the outer ring or the ends of a line.
_CROP_MARGIN = 0.04
#: A region below the layout threshold, and a candidate of the second way, need at least this score to be looked at.
_LEAST_DOUBTFUL = 0.25
#: Our own network and the ink together decide from this score of either on.
_LEAST_HINT = 0.05
#: ... and their text must be found with this mean score on bent lines.
_CONFIRMING = 0.75
#: ... or this one on columns, because blocks of print look like those of a square seal;
_CONFIRMING_COLUMN = 0.85
#: ... that reach over this share of the place's longer side.
_SEAL_REACH = 0.35
#: Readings whose merit differs by less say the same; the likelier one, which comes first, stays.
_ROUNDING = 0.01
#: Class of seals where the layout model has none for them.
_NO_CLASS = -1
#: A page without a seal may be one itself if it is no longer than so many times its width; as likely as not, before its text is seen.
_WHOLE_ASPECT, _WHOLE_SCORE = 3.0, 0.5
#: Pages so many times longer than wide are not turned.
_STRIP_ASPECT = 20
#: Doubtful places looked at on one page, best first.
_MOST_DOUBTFUL = 6


@dataclass(frozen=True, slots=True)
class PageSettings:
    """What one call of `predict` asks for, completed from the configuration."""

    use_doc_preprocessor: bool
    use_doc_orientation_classify: bool
    use_doc_unwarping: bool
    use_layout_detection: bool
    layout: LayoutSettings
    detection: DetectionSettings
    rec_score_thresh: float


class SealPipeline:
    """Reads the seals of pages.

    Threads may share one pipeline, and several `predict` generators may be open at once.

    Args:
        config: the whole configuration.
        settings: how networks are run.

    Raises:
        ModelError: a network that is switched on cannot be found.
    """

    def __init__(self, config: PipelineConfig, settings: EngineSettings) -> None:
        self.config = config
        preprocessor = config.sub_pipelines.doc_preprocessor
        seal = config.sub_pipelines.seal_ocr.sub_modules
        modules = preprocessor.sub_modules if preprocessor is not None else None
        turn = modules.doc_orientation_classify if modules is not None else None
        flatten = modules.doc_unwarping if modules is not None else None
        layout = config.sub_modules.layout_detection
        self._orientation: Lazy[OrientationClassifier] | None = None
        self._unwarping: Lazy[Unwarper | None] | None = None
        self._layout: Lazy[Finder] | None = None
        if turn is not None:
            self._orientation = Lazy(networks.resolve(turn, "doc_text_orientation"), networks.orientation, settings)
        if flatten is not None:
            self._unwarping = Lazy(networks.resolve(flatten, "image_unwarping"), networks.unwarper, settings)
        if layout is not None:
            self._layout = Lazy(networks.resolve(layout, "layout_detection"), networks.finder, settings)
        self._detection: Lazy[Detector] = Lazy(networks.resolve(seal.text_detection, "seal_text_detection"), networks.detector, settings)
        batch = seal.text_recognition.batch_size
        read = networks.recogniser(8 if batch is None else batch)
        self._recognition: Lazy[Recogniser] = Lazy(networks.resolve(seal.text_recognition, "text_recognition"), read, settings)

    def predict(
        self,
        input: Any,
        use_doc_orientation_classify: bool | None = None,
        use_doc_unwarping: bool | None = None,
        use_layout_detection: bool | None = None,
        layout_det_res: Any = None,
        layout_threshold: Any = None,
        layout_nms: bool | None = None,
        layout_unclip_ratio: Any = None,
        layout_merge_bboxes_mode: Any = None,
        seal_det_limit_side_len: int | None = None,
        seal_det_limit_type: str | None = None,
        seal_det_thresh: float | None = None,
        seal_det_box_thresh: float | None = None,
        seal_det_unclip_ratio: float | None = None,
        seal_rec_score_thresh: float | None = None,
        *,
        errors: Literal["raise", "return"] = "raise",
        **unknown: Any,
    ) -> Iterator[SealRecognitionResult]:
        """Read pages, lazily: one result per page, in the order of the input.

        Args:
            input: an image array (BGR, grey or BGRA), a path, address, PDF, TIFF, bytes, PIL image, folder, or a list or
                iterator of these.
            use_doc_orientation_classify: turn pages upright first.
            use_doc_unwarping: flatten pages first.
            use_layout_detection: look for seals; False takes each page as one seal.
            layout_det_res: regions found elsewhere, one result per page, used instead of layout detection.
            layout_threshold: least score of a region, or one for each class.
            layout_nms: drop regions that repeat a better one.
            layout_unclip_ratio: grow regions by this factor.
            layout_merge_bboxes_mode: of nested regions keep ``large``, ``small`` or all (``union``).
            seal_det_limit_side_len: side length in pixels for text detection.
            seal_det_limit_type: which side that is: ``min``, ``max`` or ``resize_long``.
            seal_det_thresh: least probability of a text pixel.
            seal_det_box_thresh: least mean probability of a line.
            seal_det_unclip_ratio: how far lines are widened.
            seal_rec_score_thresh: least score of a text that is kept.
            errors: ``raise`` stops at a page that fails; ``return`` gives a result that carries the error and goes on.

        Raises:
            TypeError: an unknown keyword; the nearest one is named.
            InputError: a bad value, at once; a bad input, when its turn comes.
        """
        named = {name: value for name, value in locals().items() if name in PredictOptions.model_fields}
        options = PredictOptions.parse({**named, **unknown})
        if errors not in ("raise", "return"):
            raise InputError(f"errors must be 'raise' or 'return', not {errors!r}", parameter="errors")
        settings = self._settings(options)
        pages = sources.pages(input, errors=errors)
        return self._results(pages, options, settings, errors)

    __call__ = predict

    def _results(
        self, pages: Iterator[Page | FailedPage], options: PredictOptions, settings: PageSettings, errors: str
    ) -> Iterator[SealRecognitionResult]:
        names = OutputNames()
        for number, page in enumerate(pages):
            if isinstance(page, FailedPage):
                yield SealRecognitionResult.failed(page, names)
                continue
            try:
                result = SealRecognitionResult(self.read(page, settings, _external(options, number)), names)
            except (ValueError, RuntimeError) as error:  # InputError, EngineError and what a damaged page makes of the arithmetic
                if errors == "raise":
                    raise
                result = SealRecognitionResult.failed(FailedPage(error, page.source, page.index), names)
            yield result

    def read(self, page: Page, settings: PageSettings, regions: Sequence[Region] | None = None) -> PageReading:
        """Read one page.

        Args:
            regions: regions of the flat page found elsewhere; None: the layout network and the second way look for them.
        """
        angle, upright, frame = self._upright(page.image, settings)
        flat, frame = self._flat(upright, frame, settings)
        height, width = flat.shape[:2]
        doubtful: list[Region] = []
        found: list[Region] | None = None
        if regions is not None:
            found = filtered(regions, LayoutSettings(threshold=-1.0, nms=False, merge_mode="union"), width, height)
        elif settings.use_layout_detection:
            found, doubtful = self._regions(flat, settings)
        if found is None:
            places = [Region(0, "seal", 1.0, (0.0, 0.0, float(width), float(height)))]
        else:
            places = [region for region in found if region.label.lower() == "seal"]
        detected = self._detect(flat, [*places, *doubtful], settings)
        confirmed = _confirmed(doubtful, detected[len(places) :])
        if found is not None:
            found = [*found, *(region for region, _ in confirmed)]
        sure = list(zip(places, detected[: len(places)], strict=True))
        seals = self._seals(flat, [*sure, *confirmed], frame, settings)
        return PageReading(
            page=page,
            use_doc_preprocessor=settings.use_doc_preprocessor,
            use_doc_orientation_classify=settings.use_doc_orientation_classify,
            use_doc_unwarping=settings.use_doc_unwarping,
            use_layout_detection=settings.use_layout_detection,
            angle=angle,
            upright=upright,
            flat=flat,
            frame=frame,
            regions=None if found is None else tuple(found),
            seals=tuple(seals),
            detection=settings.detection,
            rec_score_thresh=settings.rec_score_thresh,
        )

    def _upright(self, image: Image, settings: PageSettings) -> tuple[int, Image, Frame]:
        if not settings.use_doc_orientation_classify or self._orientation is None:
            return -1, image, Identity()
        # The classifier sees a square; a strip, enlarged until its short side fills that, would fill the memory first.
        is_strip = max(image.shape[:2]) > _STRIP_ASPECT * min(image.shape[:2])
        angle = 0 if is_strip else self._orientation.get().angle(image)
        upright, frame = turned(image, angle)
        return angle, upright, frame

    def _flat(self, upright: Image, frame: Frame, settings: PageSettings) -> tuple[Image, Frame]:
        unwarper = self._unwarping.get() if settings.use_doc_unwarping and self._unwarping is not None else None
        if unwarper is None:
            return upright, frame
        flat, grid = unwarper.flatten(upright)
        return flat, Chain((frame, grid))

    def _regions(self, flat: Image, settings: PageSettings) -> tuple[list[Region], list[Region]]:
        """Regions that the layout network is sure of, and places where a seal may be all the same."""
        if self._layout is None:
            raise _not_configured("use_layout_detection", "LayoutDetection")
        height, width = flat.shape[:2]
        stage = self._layout.get()
        asked = settings.layout.threshold
        seal_id = _seal_id(stage)
        if seal_id == _NO_CLASS:
            _log.warning("the layout model has no class 'seal'; seals are found by ink and geometry alone")
        ink = InkFinder(seal_id)
        second: list[Region] = []
        if isinstance(stage, SealFinder):
            everything = fused(stage.find(flat, _LEAST_HINT), ink.find(flat, _LEAST_HINT))
        else:
            everything = stage.find(flat, 0.0 if isinstance(asked, Mapping) else min(asked, _LEAST_DOUBTFUL))
            if not isinstance(stage, InkFinder):
                second = ink.find(flat, _LEAST_DOUBTFUL)
        found = filtered(everything, settings.layout, width, height)
        unsure = [r for r in everything if r.label.lower() == "seal" and r.score >= _LEAST_DOUBTFUL]
        doubtful: list[Region] = []
        for region in sorted([*unsure, *second], key=lambda r: -r.score):
            if all(_apart(region, other) for other in [*(f for f in found if f.label.lower() == "seal"), *doubtful]):
                doubtful.append(region)
        doubtful = doubtful[:_MOST_DOUBTFUL]
        if all(region.label.lower() != "seal" for region in found) and max(width, height) <= _WHOLE_ASPECT * min(width, height):
            # The picture may be nothing but one seal, with its ring at the edges or cut off.
            doubtful.append(Region(seal_id, "seal", _WHOLE_SCORE, (0.0, 0.0, float(width), float(height))))
        return found, doubtful

    def _detect(self, flat: Image, places: Sequence[Region], settings: PageSettings) -> list[list[DetectedLine]]:
        """Lines of each place, in pixels of its crop (see `_integer_box`)."""
        if not places:
            return []
        cuts = [_with_margin(_integer_box(region.box, flat), flat) for region in places]
        found = self._detection.get().find([flat[y1:y2, x1:x2] for x1, y1, x2, y2 in cuts], settings.detection)
        shifted = []
        for region, (left, top, _, _), lines in zip(places, cuts, found, strict=True):
            x1, y1, _, _ = _integer_box(region.box, flat)
            shifted.append([_moved(line, left - x1, top - y1) for line in lines])
        return shifted

    def _seals(
        self, flat: Image, places: Sequence[tuple[Region, Sequence[DetectedLine]]], frame: Frame, settings: PageSettings
    ) -> list[SealReading]:
        boxes = [_integer_box(region.box, flat) for region, _ in places]
        read = self._read_lines(flat, boxes, [lines for _, lines in places])
        return [
            self._seal(number, region, flat[box[1] : box[3], box[0] : box[2]], box, lines, frame, settings)
            for number, ((region, _), box, lines) in enumerate(zip(places, boxes, read, strict=True), 1)
        ]

    def _read_lines(
        self, flat: Image, boxes: Sequence[tuple[int, int, int, int]], detected: Sequence[Sequence[DetectedLine]]
    ) -> list[list[line_rules.ReadLine]]:
        """Read all lines of all seals of a page together, then keep the best reading of each."""
        jobs = []
        for seal, (box, lines) in enumerate(zip(boxes, detected, strict=True)):
            for planned in line_rules.plan(lines):
                for choice in planned.choices:
                    strips = [straighten(flat, _moved_ribbon(ribbon, box[0], box[1]), HEIGHT) for ribbon in choice]
                    if all(strip is not None for strip in strips):
                        whole = tuple(replace(s, ribbon=_moved_ribbon(s.ribbon, -box[0], -box[1])) for s in strips if s is not None)
                        jobs.append((seal, planned, choice, whole))
        if not jobs:
            return [[] for _ in boxes]
        answers = self._recognition.get().read([np.concatenate([s.image for s in strips], axis=1) for _, _, _, strips in jobs])
        best: dict[tuple[int, int], line_rules.ReadLine] = {}
        for (seal, planned, choice, whole), answer in zip(jobs, answers, strict=True):
            candidate = line_rules.ReadLine(planned.polygon, planned.score, choice, whole, answer)
            rival = best.get((seal, id(planned)))
            if rival is None or line_rules.merit(candidate) > line_rules.merit(rival) + _ROUNDING:
                best[seal, id(planned)] = candidate
        return [line_rules.joined_columns([line for (owner, _), line in best.items() if owner == seal]) for seal in range(len(boxes))]

    def _seal(
        self,
        number: int,
        region: Region,
        crop: Image,
        box: tuple[int, int, int, int],
        lines: Sequence[line_rules.ReadLine],
        frame: Frame,
        settings: PageSettings,
    ) -> SealReading:
        to_page = Chain((frame, Crop(box[0], box[1])))
        weights = [line_rules.weight(line) for line in lines]
        verticals = [bool(line.choice[0].cells) for line in lines]
        upright = line_rules.rotation_of([line.middle for line in lines], verticals, weights)
        on_page = line_rules.rotation_of([to_page.to_source(line.middle) for line in lines], verticals, weights)
        kinds = line_rules.roles(lines)
        order = line_rules.reading_order(lines, kinds, 0.0 if upright is None else upright)
        return SealReading(
            region_id=number,
            box=box,
            crop=crop,
            page_box=_page_box(region.box, frame),
            detection_score=region.score,
            rotation=on_page,
            lines=tuple(_text_line(lines[i], kinds[i], to_page, settings.rec_score_thresh) for i in order),
        )

    def _settings(self, options: PredictOptions) -> PageSettings:
        """Options completed from the configuration: None means as configured, every other value counts."""
        config = self.config
        preprocessor = config.sub_pipelines.doc_preprocessor
        on = config.use_doc_preprocessor and preprocessor is not None
        turn = _given(options.use_doc_orientation_classify, on and preprocessor is not None and preprocessor.use_doc_orientation_classify)
        flatten = _given(options.use_doc_unwarping, on and preprocessor is not None and preprocessor.use_doc_unwarping)
        if turn and self._orientation is None:
            raise _not_configured("use_doc_orientation_classify", "DocOrientationClassify")
        if flatten and self._unwarping is None:
            raise _not_configured("use_doc_unwarping", "DocUnwarping")
        look = _given(options.use_layout_detection, config.use_layout_detection)
        if options.layout_det_res is not None:
            if options.use_layout_detection:
                message = "layout_det_res and use_layout_detection=True exclude each other: give regions or have them found"
                raise InputError(message, parameter="layout_det_res")
            look = False
        if look and self._layout is None:
            raise _not_configured("use_layout_detection", "LayoutDetection")
        # Without a network the page stays as it is, and the result says so.
        flatten = flatten and self._unwarping is not None and self._unwarping.network.file is not None
        return PageSettings(
            use_doc_preprocessor=turn or flatten,
            use_doc_orientation_classify=turn,
            use_doc_unwarping=flatten,
            use_layout_detection=look,
            layout=self._layout_settings(options),
            detection=self._detection_settings(options),
            rec_score_thresh=_given(options.seal_rec_score_thresh, config.sub_pipelines.seal_ocr.sub_modules.text_recognition.score_thresh),
        )

    def _layout_settings(self, options: PredictOptions) -> LayoutSettings:
        module = self.config.sub_modules.layout_detection
        defaults = LayoutSettings()
        threshold = _given(options.layout_threshold, module.threshold if module is not None else defaults.threshold)
        ratio = _given(options.layout_unclip_ratio, module.layout_unclip_ratio if module is not None else 1.0)
        pairs: Any = {key: _pair(value) for key, value in ratio.items()} if isinstance(ratio, Mapping) else _pair(ratio)
        return LayoutSettings(
            threshold=threshold,
            nms=_given(options.layout_nms, module.layout_nms if module is not None else defaults.nms),
            unclip_ratio=pairs,
            merge_mode=_given(
                options.layout_merge_bboxes_mode, module.layout_merge_bboxes_mode if module is not None else defaults.merge_mode
            ),
        )

    def _detection_settings(self, options: PredictOptions) -> DetectionSettings:
        module = self.config.sub_pipelines.seal_ocr.sub_modules.text_detection
        return DetectionSettings(
            limit_side_len=_given(options.seal_det_limit_side_len, module.limit_side_len),
            limit_type=_given(options.seal_det_limit_type, module.limit_type),
            thresh=_given(options.seal_det_thresh, module.thresh),
            max_side_limit=module.max_side_limit,
            box_thresh=_given(options.seal_det_box_thresh, module.box_thresh),
            unclip_ratio=_given(options.seal_det_unclip_ratio, module.unclip_ratio),
        )

    def describe(self) -> list[dict[str, Any]]:
        """What each network is and where it comes from: task, name, family, engine, file, source, licence, sha256."""
        rows = []
        for stage in (self._orientation, self._unwarping, self._layout, self._detection, self._recognition):
            if stage is None:
                continue
            network = stage.network
            engine = None
            if network.file is not None:
                stage.get()
                engine = stage.engine_name
            rows.append(
                {
                    "task": network.task,
                    "name": network.name,
                    "family": network.family,
                    "engine": engine,
                    "file": None if network.file is None else network.file.name,
                    "source": network.source,
                    "licence": network.licence,
                    "sha256": network.sha256,
                }
            )
        return rows

    def close(self) -> None:
        """Release the compiled networks; the pipeline may be used again, they are then compiled anew."""
        for stage in (self._orientation, self._unwarping, self._layout, self._detection, self._recognition):
            if stage is not None:
                stage.close()

    def __enter__(self) -> SealPipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def create_pipeline(
    pipeline: str | Path | None = None,
    *,
    config: Mapping[str, Any] | None = None,
    device: str | None = None,
    engine: str | None = None,
    engine_config: Mapping[str, Any] | None = None,
    pp_option: Any = None,
    use_hpip: bool | None = None,
    hpi_config: Mapping[str, Any] | None = None,
) -> SealPipeline:
    """A pipeline that reads seals.

    Args:
        pipeline: ``seal_recognition`` (default), or a configuration file.
        config: a configuration as a mapping; it wins over `pipeline`.
        device: ``cpu``.
        engine: ``openvino``, ``onnxruntime``, or None for the faster one on this machine.
        engine_config: ``precision`` (``f32``, ``bf16``), ``cpu_threads``, ``cache`` (False: keep no compiled networks on disk).
        pp_option: accepted for compatibility; options of another framework have no meaning here.
        use_hpip: accepted: the fastest engine is always used.
        hpi_config: ``backend`` and ``backend_config.cpu_num_threads`` are taken.

    Raises:
        InputError: a bad configuration or value; it names the key and the line.
        ModelError: a network is missing.
    """
    loaded = load_config("seal_recognition" if pipeline is None and config is None else pipeline, config)
    if device is not None:
        _check_device(device)
    if pp_option is not None:
        _log.warning("pp_option belongs to another framework and is ignored; use engine_config")
    return SealPipeline(loaded, _engine_settings(loaded, engine, engine_config, use_hpip, hpi_config))


def _check_device(device: str) -> None:
    if not isinstance(device, str):
        raise InputError(f"the device must be a text like cpu, but is {device!r}", parameter="device")
    asked = parse_device(device)
    if asked.kind != "cpu":
        raise InputError(f"the device {asked} is not supported by this version, which runs on the CPU: use cpu", parameter="device")


def _engine_settings(
    config: PipelineConfig,
    engine: str | None,
    engine_config: Mapping[str, Any] | None,
    use_hpip: bool | None,
    hpi_config: Mapping[str, Any] | None,
) -> EngineSettings:
    name = _given(engine, config.engine)
    keys = dict(_block("engine_config", _given(engine_config, config.engine_config)))
    tuned = _block("hpi_config", _given(hpi_config, config.hpi_config))
    if _given(use_hpip, config.use_hpip) and name is None:
        name = tuned.get("backend")
        threads = _block("hpi_config.backend_config", tuned.get("backend_config")).get("cpu_num_threads")
        if threads is not None:
            keys.setdefault("cpu_threads", threads)
    unknown = set(keys) - {"precision", "cpu_threads", "cache"}
    if unknown:
        raise InputError(
            f"engine_config has the unknown key {sorted(unknown)[0]}; use precision, cpu_threads or cache", parameter="engine_config"
        )
    folder = default_cache() / "openvino" if keys.get("cache", True) else None
    settings = EngineSettings(name, keys.get("precision"), keys.get("cpu_threads"), folder)
    chosen_engine(settings)  # one that is missing is known at once
    return settings


def _block(name: str, value: Any) -> Mapping[str, Any]:
    """A block of keys; None is an empty one."""
    if value is not None and not isinstance(value, Mapping):
        raise InputError(f"{name} must be a block of keys, but is {value!r}", parameter=name.partition(".")[0])
    return {} if value is None else value


def _given(value: Any, configured: Any) -> Any:
    return configured if value is None else value


def _pair(ratio: Any) -> tuple[float, float]:
    return (float(ratio), float(ratio)) if isinstance(ratio, int | float) else (float(ratio[0]), float(ratio[1]))


def _not_configured(parameter: str, block: str) -> InputError:
    return InputError(
        f"{parameter} is on, but the configuration has no {block} block: add it, or set {parameter} to False", parameter=parameter
    )


def _external(options: PredictOptions, number: int) -> list[Region] | None:
    if options.layout_det_res is None:
        return None
    if number >= len(options.layout_det_res):
        raise InputError(
            f"layout_det_res has results for {len(options.layout_det_res)} pages, the input has more", parameter="layout_det_res"
        )
    return [Region(b.cls_id, b.label, b.score, b.coordinate) for b in options.layout_det_res[number].boxes]


def _seal_id(stage: Finder) -> int:
    """The class that a seal has in the results of this layout stage."""
    if not isinstance(stage, BoxRows):
        return stage.cls_id
    return stage.labels.index("seal") if "seal" in stage.labels else _NO_CLASS


def _apart(region: Region, other: Region) -> bool:
    """Whether two boxes show different things: they overlap little and neither lies in the other."""
    a, b = region.box, other.box
    shared = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    least = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return iou(a, b) < 0.3 and shared < 0.6 * least


def _confirmed(doubtful: Sequence[Region], detected: Sequence[list[DetectedLine]]) -> list[tuple[Region, list[DetectedLine]]]:
    """The doubtful places whose text is that of a seal, with that text; what shows the same as an earlier one is left out."""
    kept: list[tuple[Region, list[DetectedLine]]] = []
    for region, lines in zip(doubtful, detected, strict=True):
        if _confirms(lines, region) and all(_apart(region, other) for other, _ in kept):
            kept.append((region, lines))
    return kept


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


def _integer_box(box: Sequence[float], image: Image) -> tuple[int, int, int, int]:
    """The crop's place: at least one pixel, inside the image."""
    height, width = image.shape[:2]
    x1, y1 = min(max(int(box[0]), 0), width - 1), min(max(int(box[1]), 0), height - 1)
    return x1, y1, max(min(math.ceil(box[2]), width), x1 + 1), max(min(math.ceil(box[3]), height), y1 + 1)


def _with_margin(box: tuple[int, int, int, int], image: Image) -> tuple[int, int, int, int]:
    height, width = image.shape[:2]
    margin = round(_CROP_MARGIN * max(box[2] - box[0], box[3] - box[1]))
    return max(box[0] - margin, 0), max(box[1] - margin, 0), min(box[2] + margin, width), min(box[3] + margin, height)


def _moved(line: DetectedLine, dx: float, dy: float) -> DetectedLine:
    shift = np.array([dx, dy], dtype=np.float64)
    ribbon = None if line.ribbon is None else _moved_ribbon(line.ribbon, dx, dy)
    return replace(line, polygon=line.polygon + shift, ribbon=ribbon)


def _moved_ribbon(ribbon: Any, dx: float, dy: float) -> Any:
    shift = np.array([dx, dy], dtype=np.float64)
    return replace(ribbon, top=ribbon.top + shift, bottom=ribbon.bottom + shift)


def _page_box(box: tuple[float, float, float, float], frame: Frame) -> tuple[float, float, float, float]:
    """The bounding box on the caller's page; edges are followed, because unwarping bends them."""
    x1, y1, x2, y2 = box
    t = np.linspace(0, 1, 9)
    edges: Points = np.concatenate(
        [np.stack([x1 + (x2 - x1) * t, np.full(9, y)], axis=1) for y in (y1, y2)]
        + [np.stack([np.full(9, x), y1 + (y2 - y1) * t], axis=1) for x in (x1, x2)]
    )
    return bounding_box(frame.to_source(edges))


def _text_line(line: line_rules.ReadLine, role: Any, to_page: Frame, least: float) -> TextLine:
    reading = line.recognition
    return TextLine(
        text=reading.text,
        score=reading.score,
        role=role,
        polygon=line.polygon,
        page_polygon=to_page.to_source(line.polygon),
        detection_score=line.detection_score,
        char_scores=reading.char_scores,
        char_points=to_page.to_source(line.char_points()),
        kept=bool(reading.text) and reading.score >= least,
    )
