"""What an ``inference.yml`` says: how a network is fed and what its answers mean, step by step, for each task.

Two forms are read: ``PreProcess.transform_ops`` (classification, text detection, recognition) and ``Preprocess`` (layout). Steps that
only training needs (labels, keeping keys, decoding files) have no effect. A step that would change what the network sees, and that is
not known here, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sealread.errors import ModelError

Family = tuple[str, dict[str, Any]]
Card = Mapping[str, Any]
Steps = Mapping[str, Mapping[str, Any]]

#: Normalisation of the official models, per channel in the order in which they see it.
_IMAGENET = {"mean": [0.485, 0.456, 0.406], "deviation": [0.229, 0.224, 0.225]}
_PLAIN = {"mean": [0.0, 0.0, 0.0], "deviation": [1.0, 1.0, 1.0]}
#: No network sees larger images, and none tells more classes apart; a file that says so is damaged.
_MOST_SIDE, _MOST_CLASSES = 10_000, 200_000
#: Steps that need nothing done here: images come decoded, labels and keys belong to training, planes are always channels first.
_NOTHING_TO_DO = ("DecodeImage", "ReadImage", "KeepKeys", "ToCHWImage", "ToCHW", "Permute")
#: What a layout card may say of the post-processing, by the configuration's keys.
_LAYOUT_DEFAULTS = {
    "draw_threshold": "threshold",
    "layout_nms": "layout_nms",
    "layout_unclip_ratio": "layout_unclip_ratio",
    "layout_merge_bboxes_mode": "layout_merge_bboxes_mode",
}
#: Height of strips, in pixels; see the recognition stage.
_STRIP_HEIGHT = 48


def read_card(card: Card, task: str, folder: Path) -> Family:
    """Family and settings of the network that a card describes.

    Raises:
        ModelError: something that the task needs is missing or not known here.
        ArithmeticError, AttributeError, LookupError, TypeError, ValueError: a value is of the wrong kind.
    """
    readers: dict[str, Callable[[Card, Path], Family]] = {
        "seal_text_detection": _detection,
        "text_recognition": _recognition,
        "layout_detection": _layout,
        "doc_text_orientation": _orientation,
        "image_unwarping": _unwarping,
    }
    return readers[task](card, folder)


def word(value: Any) -> str:
    """A scalar as text; lists and blocks are refused, because few aliases can make them endless."""
    if isinstance(value, Mapping | list):
        raise TypeError(f"a {type(value).__name__} stands where a word belongs")
    return str(value)


def _steps(card: Card, known: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Pre-processing steps by name."""
    steps: dict[str, Mapping[str, Any]] = {}
    for entry in card.get("PreProcess", {}).get("transform_ops", []):
        for key, value in entry.items():
            steps[key] = value if isinstance(value, Mapping) else {}
    for entry in card.get("Preprocess", []):
        steps[entry["type"]] = entry
    unknown = [name for name in steps if name not in (*known, *_NOTHING_TO_DO) and not name.endswith("LabelEncode")]
    if unknown:
        raise ValueError(f"the step {word(unknown[0])} is not known")
    return steps


def _order(steps: Steps) -> dict[str, str]:
    """The order of the colours that a text network sees, where it is not blue, green, red."""
    mode = word(steps.get("DecodeImage", {}).get("img_mode", "BGR"))
    if mode not in ("BGR", "RGB"):
        raise ValueError(f"DecodeImage.img_mode is {mode}")
    return {"order": "rgb"} if mode == "RGB" else {}


def _normalisation(steps: Steps, default: Mapping[str, list[float]]) -> dict[str, Any]:
    """Mean and deviation of pixels between 0 and 1, or of bytes where the card does not scale them."""
    if "NormalizeImage" not in steps:
        return dict(default)
    step = steps["NormalizeImage"]
    if step.get("norm_type") == "none":
        mean, deviation = list(_PLAIN["mean"]), list(_PLAIN["deviation"])
    else:
        mean, deviation = _numbers(_given(step, "mean", _IMAGENET["mean"]), 3), _numbers(_given(step, "std", _IMAGENET["deviation"]), 3)
    if 0 in deviation:
        raise ValueError("NormalizeImage.std has a 0")
    scale = 1.0 if step.get("is_scale") is False else _scale(_given(step, "scale", 1 / 255))
    # (x * scale - mean) / deviation, written for a scale of 1 / 255
    factor = 1 / 255 / scale
    return {"mean": [m * factor for m in mean], "deviation": [d * factor for d in deviation]}


def _given(step: Mapping[str, Any], key: str, default: Any) -> Any:
    value = step.get(key)
    return default if value is None else value


def _scale(value: Any) -> float:
    """A number, or the quotient of two as the exporter writes it (``1./255.``); nothing is evaluated."""
    quotient = re.fullmatch(r"\s*([0-9.]{1,20})\s*/\s*([0-9.]{1,20})\s*", value) if isinstance(value, str) else None
    scale = float(value) if quotient is None else float(quotient[1]) / float(quotient[2])
    if not 0 < scale < float("inf"):
        raise ValueError(f"NormalizeImage.scale is {scale}")
    return 1 / 255 if abs(scale * 255 - 1) < 1e-9 else scale


def _numbers(values: Any, count: int) -> list[float]:
    numbers = [float(value) for value in values]
    if len(numbers) != count:
        raise ValueError(f"{count} numbers were expected instead of {len(numbers)}")
    return numbers


def _size(step: Mapping[str, Any], key: str, default: Sequence[int]) -> list[int]:
    """Height and width in pixels."""
    sides = [int(side) for side in _numbers(step.get(key, default), 2)]
    if not all(0 < side <= _MOST_SIDE for side in sides):
        raise ValueError(f"{key} is {sides[0]} x {sides[1]} pixels")
    return sides


def _words(values: list[Any]) -> list[str]:
    if len(values) > _MOST_CLASSES:
        raise ValueError(f"a list has {len(values)} entries")
    return [word(value) for value in values]


def _detection(card: Card, folder: Path) -> Family:
    post = card.get("PostProcess", {})
    name = post.get("name", "DBPostProcess")
    if name not in ("DBPostProcess", "BandPostProcess"):
        raise ModelError(
            f"{folder} asks for the post-processing {name}; DBPostProcess and BandPostProcess are known", parameter="model_dir"
        )
    # The sizes of DetResizeForTest are those of the exporter's own trial; the pipeline's configuration has its own.
    steps = _steps(card, ("DetResizeForTest", "NormalizeImage"))
    settings = _normalisation(steps, _IMAGENET) | _order(steps)
    if name == "BandPostProcess":
        return "bands", settings
    box_type = word(post.get("box_type", "poly"))
    if box_type not in ("poly", "quad"):
        raise ValueError(f"PostProcess.box_type is {box_type}")
    settings["quads"] = box_type == "quad"
    settings["dilate"] = post.get("use_dilation", False) is True
    if "max_candidates" in post:
        settings["max_candidates"] = int(post["max_candidates"])
    return "outlines", settings


def _recognition(card: Card, folder: Path) -> Family:
    alphabet = card.get("PostProcess", {}).get("character_dict")
    if not isinstance(alphabet, list) or not alphabet:
        raise ModelError(f"{folder}/inference.yml has no PostProcess.character_dict, the recogniser's alphabet", parameter="model_dir")
    settings: dict[str, Any] = {"alphabet": _words(alphabet)}
    steps = _steps(card, ("RecResizeImg",))
    shape = steps.get("RecResizeImg", {}).get("image_shape")
    if shape is not None:
        channels, height, width = (int(side) for side in _numbers(shape, 3))
        if (channels, height) != (3, _STRIP_HEIGHT) or not 0 < width <= _MOST_SIDE:
            message = f"the recogniser in {folder} reads strips of {channels} x {height} x {width}; colour strips of height 48 are known"
            raise ModelError(message, parameter="model_dir")
        settings["least_width"] = width
    settings |= _order(steps)
    if isinstance(card.get("Calibration"), Mapping):
        settings["calibration"] = [float(card["Calibration"][key]) for key in ("mean", "least", "detection", "offset")]
    return "ctc", settings


def _layout(card: Card, folder: Path) -> Family:
    labels = card.get("label_list")
    if not isinstance(labels, list) or not labels:
        raise ModelError(f"{folder}/inference.yml has no label_list, the names of the layout classes", parameter="model_dir")
    labels = _words(labels)
    steps = _steps(card, ("Resize", "NormalizeImage", "PadStride"))
    if card.get("arch") == "SealCentres":
        if "seal" not in labels:
            raise ModelError(f"{folder}/inference.yml has no class seal in its label_list", parameter="model_dir")
        return "centres", {"labels": labels, "long_side": _size(steps["Resize"], "target_size", ())[0]}
    defaults = {key: card[name] for name, key in _LAYOUT_DEFAULTS.items() if card.get(name) is not None}
    resize = steps.get("Resize", {})
    if resize.get("keep_ratio", False) is True:
        raise ValueError("Resize.keep_ratio is true, which no official layout model has")
    family = "detr" if card.get("arch") == "DETR" else "picodet"
    settings: dict[str, Any] = {
        "labels": labels,
        "size": _size(resize, "target_size", (640, 640)),
        **_normalisation(steps, _PLAIN if family == "detr" else _IMAGENET),
    }
    if defaults:
        settings["defaults"] = defaults
    if resize.get("interp", 2) != 2:
        settings["interpolation"] = _interpolation(resize["interp"])
    if "PadStride" in steps:
        settings["stride"] = _size({"stride": [steps["PadStride"].get("stride", 32)] * 2}, "stride", ())[0]
    return family, settings


def _interpolation(number: Any) -> int:
    """OpenCV's number of a way to resize: 0 nearest, 1 linear, 2 cubic, 3 area, 4 Lanczos."""
    if number not in (0, 1, 2, 3, 4):
        raise ValueError(f"Resize.interp is {word(number)}")
    return int(number)


def _orientation(card: Card, folder: Path) -> Family:
    labels = card.get("PostProcess", {}).get("Topk", {}).get("label_list", ["0", "90", "180", "270"])
    if sorted(map(word, labels)) != ["0", "180", "270", "90"]:
        raise ModelError(
            f"{folder}/inference.yml must list the labels 0, 90, 180 and 270, not {', '.join(map(word, labels))}", parameter="model_dir"
        )
    steps = _steps(card, ("ResizeImage", "CropImage", "NormalizeImage"))
    short = int(steps.get("ResizeImage", {}).get("resize_short", 256))
    crop = int(steps.get("CropImage", {}).get("size", 224))
    if not 0 < crop <= short <= _MOST_SIDE:
        raise ValueError(f"an image of {short} pixels has no middle of {crop}")
    settings = {"labels": [int(v) for v in labels], "resize_short": short, "crop": crop}
    return "classes", {**settings, **_normalisation(steps, _IMAGENET)}


def _unwarping(card: Card, folder: Path) -> Family:
    if card.get("PostProcess", {}).get("name") != "SamplingGrid":
        return "picture", {"size": [712, 488]}  # UVDoc: of its card only the name is read
    steps = _steps(card, ("Resize", "NormalizeImage"))
    return "grid", {"size": _size(steps.get("Resize", {}), "target_size", (712, 488)), **_normalisation(steps, _PLAIN)}
