"""The blocks of the configuration file, and this project's own numbers.

Keys are those of the reference's ``seal_recognition.yaml``. The numbers for this project's own networks have one home,
`packaged_config`; the packaged file repeats them, and a test holds the two together.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from sealread.options import (
    Allowed,
    Count,
    Growth,
    LimitType,
    MergeMode,
    Probability,
    ScoreThreshold,
    Switch,
    Thresholds,
    UnclipRatio,
    parse_switch,
    suggestion,
)


def _path_text(value: object) -> object:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


Name = Annotated[str, Field(min_length=1), Allowed("the name of a model")]
Folder = Annotated[str, Field(min_length=1), BeforeValidator(_path_text), Allowed("a local folder, or null")]
Text = Annotated[str, Allowed("a text")]
Keys = Annotated[dict[str, Any], Allowed("a block of keys")]
Shape = Annotated[tuple[Count, Count, Count], Allowed("three whole numbers above 0: [channels, height, width]")]
_Seals = Annotated[Literal["seal"], Allowed("seal, because this pipeline reads nothing else")]
_NoLineTurns = Annotated[
    Literal[False], BeforeValidator(parse_switch), Allowed("False, because the reading direction is decided without that network")
]
_NoSealPreprocessing = Annotated[
    Literal[False], BeforeValidator(parse_switch), Allowed("False, because pages are straightened before seals are cut out")
]


class Block(BaseModel):
    """A block of keys in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, block: Any) -> Any:
        if block is None:
            return {}
        if not isinstance(block, Mapping):
            return block
        known = cls._known()
        for key in block:
            if key not in known:
                raise PydanticCustomError("key", "is unknown{near}", {"key": str(key), "near": suggestion(key, known)})
        return cls._one_spelling(dict(block))

    @classmethod
    def _known(cls) -> list[str]:
        return [name if declared.alias is None else declared.alias for name, declared in cls.model_fields.items()]

    @classmethod
    def _one_spelling(cls, block: dict[str, Any]) -> dict[str, Any]:
        return block

    @model_serializer(mode="wrap")
    def _without_unset(self, inner: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in inner(self).items() if value is not None or key == "model_dir"}


class Engine(Block):
    """What any block may say about engines; None: as the block around it."""

    use_hpip: Switch | None = None
    hpi_config: Keys | None = None
    engine: Text | None = None
    engine_config: Keys | None = None


class Module(Engine):
    """A network. `model_dir` None: the zoo's file of that name."""

    module_name: Text | None = None
    model_name: Name
    model_dir: Folder | None = None
    batch_size: Count | None = None


class LayoutDetection(Module):
    """The network that finds seals on pages. What is None is as the network's own files say, else as in `LayoutSettings`."""

    threshold: Thresholds | None = None
    layout_nms: Switch | None = None
    layout_unclip_ratio: UnclipRatio | None = None
    layout_merge_bboxes_mode: MergeMode | None = None


class TextDetection(Module):
    """The network that finds lines on seals. Defaults stand in for missing keys, as the reference has them."""

    limit_side_len: Count = 736
    limit_type: LimitType = "min"
    max_side_limit: Count = 4000
    thresh: Probability = 0.2
    box_thresh: Probability = 0.6
    unclip_ratio: Growth = 0.5
    input_shape: Shape | None = None

    @classmethod
    def _known(cls) -> list[str]:
        return [*super()._known(), "max_side_len"]

    @classmethod
    def _one_spelling(cls, block: dict[str, Any]) -> dict[str, Any]:
        if "max_side_len" in block:
            side = block.pop("max_side_len")
            if block.setdefault("max_side_limit", side) != side:
                message = "and max_side_limit are two spellings of one setting, but differ; keep one"
                raise PydanticCustomError("key", message, {"key": "max_side_len"})
        return block


class TextRecognition(Module):
    """The network that reads lines."""

    score_thresh: ScoreThreshold = 0
    correct_texts: Switch = True
    return_word_box: Switch = False
    input_shape: Shape | None = None


class LayoutModules(Block):
    """SubModules of the pipeline."""

    layout_detection: LayoutDetection | None = Field(default=None, alias="LayoutDetection")


class PreprocessorModules(Block):
    """SubModules of the document preprocessor."""

    doc_orientation_classify: Module | None = Field(default=None, alias="DocOrientationClassify")
    doc_unwarping: Module | None = Field(default=None, alias="DocUnwarping")


class SealModules(Block):
    """SubModules of the seal reader."""

    text_detection: TextDetection = Field(alias="TextDetection")
    text_line_orientation: Module | None = Field(default=None, alias="TextLineOrientation")
    text_recognition: TextRecognition = Field(alias="TextRecognition")


class DocPreprocessor(Engine):
    """Pages are set upright and flat."""

    pipeline_name: Annotated[Literal["doc_preprocessor"], Allowed("doc_preprocessor")] = "doc_preprocessor"
    batch_size: Count | None = None
    use_doc_orientation_classify: Switch = True
    use_doc_unwarping: Switch = True
    sub_modules: PreprocessorModules = Field(default=PreprocessorModules(), alias="SubModules")


class SealOCR(Engine):
    """Lines of a seal are found and read."""

    pipeline_name: Annotated[Literal["OCR"], Allowed("OCR")] = "OCR"
    text_type: _Seals
    batch_size: Count | None = None
    use_doc_preprocessor: _NoSealPreprocessing = False
    use_textline_orientation: _NoLineTurns = False
    sub_modules: SealModules = Field(alias="SubModules")


class SubPipelines(Block):
    """The two pipelines inside."""

    doc_preprocessor: DocPreprocessor | None = Field(default=None, alias="DocPreprocessor")
    seal_ocr: SealOCR = Field(alias="SealOCR")


class Serving(Block):
    """What the HTTP server reads; the server checks `extra`."""

    visualize: Switch = True
    return_urls: Switch | None = None
    extra: Keys | None = None


class PipelineConfig(Engine):
    """A whole configuration, checked: what is switched on has its blocks."""

    pipeline_name: Annotated[Literal["seal_recognition"], Allowed("seal_recognition")]
    batch_size: Count = 1
    use_doc_preprocessor: Switch = True
    use_layout_detection: Switch = True
    sub_modules: LayoutModules = Field(default=LayoutModules(), alias="SubModules")
    sub_pipelines: SubPipelines = Field(alias="SubPipelines")
    serving: Serving | None = Field(default=None, alias="Serving")

    @model_validator(mode="after")
    def _what_is_on_is_there(self) -> Self:
        if self.use_layout_detection and self.sub_modules.layout_detection is None:
            raise _missing_block("layout_det_model", "SubModules.LayoutDetection", "use_layout_detection")
        if not self.use_doc_preprocessor:
            return self
        preprocessor = self.sub_pipelines.doc_preprocessor
        block = "SubPipelines.DocPreprocessor"
        if preprocessor is None:
            raise _missing_block("doc_preprocessor_pipeline", block, "use_doc_preprocessor")
        modules = preprocessor.sub_modules
        if preprocessor.use_doc_orientation_classify and modules.doc_orientation_classify is None:
            raise _missing_block("doc_ori_classify_model", f"{block}.SubModules.DocOrientationClassify", "use_doc_orientation_classify")
        if preprocessor.use_doc_unwarping and modules.doc_unwarping is None:
            raise _missing_block("doc_unwarping_model", f"{block}.SubModules.DocUnwarping", "use_doc_unwarping")
        return self

    def to_mapping(self) -> dict[str, Any]:
        """The configuration with the keys of the file; `load_config` reads it back."""
        return self.model_dump(by_alias=True)


def _missing_block(part: str, path: str, switch: str) -> PydanticCustomError:
    return PydanticCustomError("block", "", {"part": part, "path": path, "remedy": f"add it, or set {switch} to False"})


def packaged_config() -> PipelineConfig:
    """The configuration of this project's own networks: the one home of their numbers."""
    return PipelineConfig(
        pipeline_name="seal_recognition",
        SubModules=LayoutModules(
            LayoutDetection=LayoutDetection(
                module_name="layout_detection",
                model_name="sealread-layout",
                threshold=0.5,
                layout_nms=True,
                layout_unclip_ratio=1.0,
                layout_merge_bboxes_mode="large",
                batch_size=1,
            )
        ),
        SubPipelines=SubPipelines(
            DocPreprocessor=DocPreprocessor(
                SubModules=PreprocessorModules(
                    DocOrientationClassify=Module(module_name="doc_text_orientation", model_name="PP-LCNet_x1_0_doc_ori"),
                    DocUnwarping=Module(module_name="image_unwarping", model_name="sealread-unwarping"),
                )
            ),
            SealOCR=SealOCR(
                text_type="seal",
                SubModules=SealModules(
                    TextDetection=TextDetection(
                        module_name="seal_text_detection",
                        model_name="sealread-seal-det",
                        limit_side_len=320,
                        limit_type="resize_long",
                        max_side_limit=4000,
                        thresh=0.5,
                        box_thresh=0.5,
                        unclip_ratio=0.5,
                    ),
                    TextRecognition=TextRecognition(
                        module_name="text_recognition", model_name="sealread-seal-rec", batch_size=8, score_thresh=0
                    ),
                ),
            ),
        ),
    )
