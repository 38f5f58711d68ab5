"""How a configuration is read: a packaged name, a file or a mapping becomes a checked `PipelineConfig`.

Every complaint names the file, the line and the full key.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from sealread.blocks import PipelineConfig, packaged_config
from sealread.engines.devices import Device, parse_device
from sealread.errors import InputError
from sealread.options import PredictOptions, complaint, suggestion

__all__ = [
    "MODEL_FLAGS",
    "PIPELINES",
    "Device",
    "MissingFileError",
    "PipelineConfig",
    "PredictOptions",
    "load_config",
    "override",
    "packaged_config",
    "packaged_config_text",
    "parse_device",
]

PIPELINES = ("seal_recognition",)
_LOG = logging.getLogger(__name__)


class MissingFileError(InputError, FileNotFoundError):
    """The file that the caller named is not there."""


def packaged_config_text(name: str) -> str:
    """The packaged configuration file of that name, with its comments.

    Raises:
        InputError: no such pipeline.
    """
    if name not in PIPELINES:
        near = suggestion(name, PIPELINES)
        message = f"there is no pipeline {name!r}: use {', '.join(PIPELINES)}, or the path of a .yaml file{near}"
        raise InputError(message, parameter="pipeline")
    return resources.files("sealread").joinpath("zoo", "configs", f"{name}.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a configuration came from; `lines` holds the 1-based line of each key's path."""

    name: str
    lines: Mapping[tuple[str, ...], int] = field(default_factory=dict)

    def line(self, path: tuple[str, ...]) -> int:
        """The line of a key, of the nearest block around it where it is missing; 0 without a file."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1 if self.lines else 0

    def place(self, path: tuple[str, ...]) -> str:
        line = self.line(path)
        return f"{self.name}, line {line}" if line else self.name


def load_config(pipeline: str | Path | None = None, config: Mapping[str, Any] | None = None) -> PipelineConfig:
    """The checked configuration that a name, a file or a mapping gives; the mapping wins over the other two.

    Args:
        pipeline: ``seal_recognition``, or the path of a ``.yml`` or ``.yaml`` file.
        config: the content of such a file.

    Raises:
        InputError: neither is given, the name is unknown, the file is missing (then a FileNotFoundError too) or is no
            YAML, or a key is unknown, missing or has a bad value; `parameter` is the full key, `source` the file.
    """
    if config is not None:
        checked = _checked(config, _Origin("config"))
        if pipeline is not None and not _is_file_name(pipeline) and str(pipeline) != checked.pipeline_name:
            _LOG.warning("config is for %s, so pipeline=%r is left aside", checked.pipeline_name, str(pipeline))
        return checked
    if pipeline is None:
        raise InputError("no pipeline is named: pass pipeline='seal_recognition', or a config", parameter="pipeline")
    if _is_file_name(pipeline):
        return _from_file(Path(pipeline))
    packaged_config_text(str(pipeline))
    return packaged_config()


def _is_file_name(pipeline: str | Path) -> bool:
    return Path(pipeline).suffix.lower() in (".yml", ".yaml")


def _from_file(path: Path) -> PipelineConfig:
    source = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise MissingFileError(f"the configuration file {source} does not exist", source=source, parameter="pipeline") from error
    except (OSError, UnicodeDecodeError) as error:
        message = f"the configuration file {source} cannot be read as UTF-8 text: {error}"
        raise InputError(message, source=source, parameter="pipeline") from error
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date like 2001-99-99
        mark = getattr(error, "problem_mark", None)
        place = source if mark is None else f"{source}, line {mark.line + 1}"
        problem = getattr(error, "problem", None)
        raise InputError(
            f"{place}: this is no YAML: {error if problem is None else problem}", source=source, parameter="pipeline"
        ) from error
    lines: dict[tuple[str, ...], int] = {}
    if root is not None:
        _note_lines(root, (), source, lines, set())
    return _checked(content, _Origin(source, lines))


def _note_lines(node: yaml.Node, path: tuple[str, ...], source: str, lines: dict[tuple[str, ...], int], seen: set[int]) -> None:
    """Note the line of every key; a key that stands twice in a block is refused, because YAML would drop the first."""
    if not isinstance(node, yaml.MappingNode) or id(node) in seen:  # an anchored block may stand in many places, even in itself
        return
    seen.add(id(node))
    for key, value in node.value:
        inner = (*path, str(key.value))
        line = key.start_mark.line + 1
        if inner in lines and isinstance(key, yaml.ScalarNode):
            message = f"{source}, line {line}: {'.'.join(inner)} stands here again (first in line {lines[inner]}); keep one"
            raise InputError(message, source=source, parameter=".".join(inner))
        lines[inner] = line
        _note_lines(value, inner, source, lines, seen)


def _checked(values: object, origin: _Origin) -> PipelineConfig:
    if not isinstance(values, Mapping):
        message = f"{origin.name}: a configuration is a block of keys, but this is {type(values).__name__}; start from the packaged file"
        raise InputError(message, source=origin.name, parameter="config")
    try:
        return PipelineConfig.model_validate(values)
    except ValidationError as refused:
        complaints = [_locate(dict(error)) for error in refused.errors()]
    path, sentence = min(complaints, key=lambda found: origin.line(found[0]))
    raise InputError(f"{origin.place(path)}: {sentence}", source=origin.name, parameter=".".join(path))


#: What the reference calls the parts whose blocks are always needed.
_PARTS = {
    "SubPipelines": "seal_ocr_pipeline",
    "SealOCR": "seal_ocr_pipeline",
    "SubModules": "seal_ocr_pipeline",
    "TextDetection": "text_det_model",
    "TextRecognition": "text_rec_model",
}


def _locate(error: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """The path of the key at fault, and the sentence about it."""
    path = tuple(str(key) for key in error["loc"])
    context = error.get("ctx", {})
    if error["type"] == "block":
        return tuple(context["path"].split(".")), _missing(context["part"], context["path"], context["remedy"])
    if error["type"] == "key":
        path = (*path, context["key"])
        return path, f"{'.'.join(path)} {error['msg']}"
    key = ".".join(path)
    if error["type"] == "missing":
        part = _PARTS.get(path[-1])
        return path, f"{key} is missing; add it" if part is None else _missing(part, key, "add it")
    if error["type"] == "model_type":
        return path, f"{key} must be a block of keys, but is {error['input']!r}"
    return path, f"{key} {complaint(error)}"


def _missing(part: str, path: str, remedy: str) -> str:
    return f"config error for {part}: the block {path} is missing; {remedy}"


_DOC_MODULES = ("SubPipelines", "DocPreprocessor", "SubModules")
_SEAL_MODULES = ("SubPipelines", "SealOCR", "SubModules")
_MODULE_FLAGS = {
    "doc_orientation_classify": (*_DOC_MODULES, "DocOrientationClassify"),
    "doc_unwarping": (*_DOC_MODULES, "DocUnwarping"),
    "layout_detection": ("SubModules", "LayoutDetection"),
    "seal_text_detection": (*_SEAL_MODULES, "TextDetection"),
    "text_recognition": (*_SEAL_MODULES, "TextRecognition"),
}
#: Settings that have a name of their own on the command line, and the key of the file that each stands for.
MODEL_FLAGS: Mapping[str, tuple[str, ...]] = {
    **{f"{flag}_{key}": (*path, key) for flag, path in _MODULE_FLAGS.items() for key in ("model_name", "model_dir")},
    "text_recognition_batch_size": (*_SEAL_MODULES, "TextRecognition", "batch_size"),
}


def override(config: PipelineConfig, values: Mapping[str, Any]) -> PipelineConfig:
    """The configuration with some settings replaced, by their names in `MODEL_FLAGS`.

    Raises:
        InputError: a value is refused; the message starts with the setting's name.
    """
    for flag, value in values.items():
        content = config.to_mapping()
        block = content
        *path, key = MODEL_FLAGS[flag]
        for name in path:
            block = block.setdefault(name, {})
        block[key] = value
        config = _checked(content, _Origin(flag))
    return config
