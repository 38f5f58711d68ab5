"""What one call of `predict` asks for: options completed from the configuration.

None means as configured; every other value counts, 0 and False too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sealread.blocks import PipelineConfig
from sealread.errors import InputError
from sealread.options import PredictOptions, given
from sealread.stages.layout import LayoutSettings
from sealread.types import DetectionSettings, Region


@dataclass(frozen=True, slots=True)
class PageSettings:
    """The complete settings of one call.

    Attributes:
        external: regions that the caller found, one list for each page; None: they are looked for.
    """

    use_doc_orientation_classify: bool
    use_doc_unwarping: bool
    use_layout_detection: bool
    layout: LayoutSettings
    detection: DetectionSettings
    rec_score_thresh: float
    external: tuple[tuple[Region, ...], ...] | None = None

    def external_regions(self, number: int) -> tuple[Region, ...] | None:
        """The caller's regions of page `number` of the call.

        Raises:
            InputError: regions were given for fewer pages.
        """
        if self.external is None:
            return None
        if number >= len(self.external):
            raise InputError(f"layout_det_res has results for {len(self.external)} pages, the input has more", parameter="layout_det_res")
        return self.external[number]


def page_settings(config: PipelineConfig, options: PredictOptions) -> PageSettings:
    """Options completed from the configuration.

    Raises:
        InputError: a switch is on whose block the configuration lacks, or options exclude each other.
    """
    preprocessor = config.sub_pipelines.doc_preprocessor
    modules = preprocessor.sub_modules if preprocessor is not None else None
    on = config.use_doc_preprocessor and preprocessor is not None
    turn = given(options.use_doc_orientation_classify, on and preprocessor is not None and preprocessor.use_doc_orientation_classify)
    flatten = given(options.use_doc_unwarping, on and preprocessor is not None and preprocessor.use_doc_unwarping)
    if turn and (modules is None or modules.doc_orientation_classify is None):
        raise _not_configured("use_doc_orientation_classify", "DocOrientationClassify")
    if flatten and (modules is None or modules.doc_unwarping is None):
        raise _not_configured("use_doc_unwarping", "DocUnwarping")
    external = None
    look = given(options.use_layout_detection, config.use_layout_detection)
    if options.layout_det_res is not None:
        if options.use_layout_detection:
            message = "layout_det_res and use_layout_detection=True exclude each other: give regions or have them found"
            raise InputError(message, parameter="layout_det_res")
        look = False
        external = tuple(
            tuple(Region(box.cls_id, box.label, box.score, box.coordinate) for box in page.boxes) for page in options.layout_det_res
        )
    if look and config.sub_modules.layout_detection is None:
        raise _not_configured("use_layout_detection", "LayoutDetection")
    reading = config.sub_pipelines.seal_ocr.sub_modules.text_recognition
    return PageSettings(
        use_doc_orientation_classify=turn,
        use_doc_unwarping=flatten,
        use_layout_detection=look,
        layout=_layout_settings(config, options),
        detection=_detection_settings(config, options),
        rec_score_thresh=given(options.seal_rec_score_thresh, reading.score_thresh),
        external=external,
    )


def _layout_settings(config: PipelineConfig, options: PredictOptions) -> LayoutSettings:
    module = config.sub_modules.layout_detection
    if module is None:
        return LayoutSettings()
    default = LayoutSettings()
    ratio = given(options.layout_unclip_ratio, given(module.layout_unclip_ratio, default.unclip_ratio))
    pairs: Any = {key: _pair(value) for key, value in ratio.items()} if isinstance(ratio, Mapping) else _pair(ratio)
    return LayoutSettings(
        threshold=given(options.layout_threshold, given(module.threshold, default.threshold)),
        nms=given(options.layout_nms, given(module.layout_nms, default.nms)),
        unclip_ratio=pairs,
        merge_mode=given(options.layout_merge_bboxes_mode, given(module.layout_merge_bboxes_mode, default.merge_mode)),
    )


def _detection_settings(config: PipelineConfig, options: PredictOptions) -> DetectionSettings:
    module = config.sub_pipelines.seal_ocr.sub_modules.text_detection
    return DetectionSettings(
        limit_side_len=given(options.seal_det_limit_side_len, module.limit_side_len),
        limit_type=given(options.seal_det_limit_type, module.limit_type),
        thresh=given(options.seal_det_thresh, module.thresh),
        max_side_limit=module.max_side_limit,
        box_thresh=given(options.seal_det_box_thresh, module.box_thresh),
        unclip_ratio=given(options.seal_det_unclip_ratio, module.unclip_ratio),
    )


def keys_without_effect(config: PipelineConfig) -> list[str]:
    """Keys of the tutorial's configuration that are set but do nothing in this version, by their paths."""
    seal = config.sub_pipelines.seal_ocr
    paths = {
        "TextDetection.input_shape": seal.sub_modules.text_detection.input_shape,
        "TextRecognition.input_shape": seal.sub_modules.text_recognition.input_shape,
        "TextRecognition.return_word_box": seal.sub_modules.text_recognition.return_word_box,
    }
    return [path for path, value in paths.items() if value is not None and value is not False]


def _pair(ratio: Any) -> tuple[float, float]:
    return (float(ratio), float(ratio)) if isinstance(ratio, int | float) else (float(ratio[0]), float(ratio[1]))


def _not_configured(parameter: str, block: str) -> InputError:
    return InputError(
        f"{parameter} is on, but the configuration has no {block} block: add it, or set {parameter} to False", parameter=parameter
    )
