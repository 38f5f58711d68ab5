"""Model directories in the official layout: ``inference.yml`` beside ``inference.onnx``.

Read safely: a safe YAML loader, no evaluation of strings, no pickles; the directory is never written to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from sealread.errors import ModelError
from sealread.zoo.networks import Network

#: Normalisation of the official models, per channel in the order in which they see it.
_IMAGENET = {"mean": [0.485, 0.456, 0.406], "deviation": [0.229, 0.224, 0.225]}
#: No network sees larger images; a file that says so is damaged.
_MOST_SIDE = 10_000


def network_from_directory(folder: Path, name: str | None, task: str) -> Network:
    """The network of a local directory.

    Args:
        folder: holds ``inference.onnx`` and ``inference.yml``.
        name: the configured model name; the directory's own name (`Global.model_name`) must be the same; None: any.
        task: what it is used for.

    Raises:
        ModelError: a file is missing or unreadable, the name differs, or the content does not fit the task.
    """
    if not folder.is_dir():
        raise ModelError(
            f"the model_dir {folder} does not exist; give a folder with inference.onnx and inference.yml", parameter="model_dir"
        )
    onnx = folder / "inference.onnx"
    if not onnx.exists():
        paddle = [p.name for p in (folder / "inference.json", folder / "inference.pdmodel") if p.exists()]
        reason = f"holds {paddle[0]}, a Paddle file; convert it with paddle2onnx" if paddle else "has no inference.onnx"
        raise ModelError(f"the model_dir {folder} {reason}", parameter="model_dir")
    network = network_from_card(_card(folder / "inference.yml"), task, folder)
    if name is not None and network.name not in ("", name):
        message = f"the model_dir {folder} holds {network.name}, but model_name says {name}; make them agree"
        raise ModelError(message, parameter="model_name")
    return replace(network, name=network.name if name is None else name, file=onnx)


def network_from_card(card: Mapping[str, Any], task: str, folder: Path) -> Network:
    """The network that the content of an ``inference.yml`` describes, without its file; the name is empty where the content has none.

    Args:
        task: what it is used for.
        folder: where the content lies, for messages.

    Raises:
        ModelError: the content does not fit the task.
    """
    try:
        about = card.get("Global", {})
        own, licence = about.get("model_name", ""), about.get("licence", "see the model's source")
        family, settings = _reader(task)(card, folder)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as cause:  # what a value of the wrong kind leads to
        message = f"{folder}/inference.yml is not laid out like an official one ({_first_line(cause)}); export the model again"
        raise ModelError(message, parameter="model_dir") from cause
    return Network(_word("" if own is None else own), task, family, None, f"model_dir {folder}", _word(licence), settings)


def _card(path: Path) -> Mapping[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path.parent} has no inference.yml, which says how the network is fed", parameter="model_dir") from None
    except OSError as cause:
        raise ModelError(f"{path} cannot be opened: {cause.strerror}", parameter="model_dir") from cause
    except (ValueError, RecursionError, yaml.YAMLError) as cause:  # no UTF-8, a date like 2001-99-99, nested too deep, no YAML
        problem = getattr(cause, "problem", None)
        raise ModelError(f"{path} is damaged: {_first_line(cause) if problem is None else problem}", parameter="model_dir") from cause
    if not isinstance(loaded, Mapping):
        raise ModelError(f"{path} is not a mapping of keys", parameter="model_dir")
    return loaded


def _reader(task: str) -> Any:
    return {
        "seal_text_detection": _detection,
        "text_recognition": _recognition,
        "layout_detection": _layout,
        "doc_text_orientation": _orientation,
        "image_unwarping": _unwarping,
    }[task]


def _operations(card: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Pre-processing steps by name; both forms of the official files are read."""
    steps: dict[str, Mapping[str, Any]] = {}
    for entry in card.get("PreProcess", {}).get("transform_ops", []):
        for key, value in entry.items():
            steps[key] = value if isinstance(value, Mapping) else {}
    for entry in card.get("Preprocess", []):
        steps[entry["type"]] = entry
    return steps


def _normalisation(steps: Mapping[str, Mapping[str, Any]]) -> dict[str, list[float]]:
    step = steps.get("NormalizeImage", {})
    mean, deviation = _numbers(step.get("mean", _IMAGENET["mean"]), 3), _numbers(step.get("std", _IMAGENET["deviation"]), 3)
    if 0 in deviation:
        raise ValueError("NormalizeImage.std has a 0")
    return {"mean": mean, "deviation": deviation}


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


def _word(value: Any) -> str:
    """A scalar as text; lists and blocks are refused, because few aliases can make them endless."""
    if isinstance(value, Mapping | list):
        raise TypeError(f"a {type(value).__name__} stands where a word belongs")
    return str(value)


def _first_line(cause: Exception) -> str:
    lines = str(cause).splitlines()
    return lines[0] if lines else type(cause).__name__


def _detection(card: Mapping[str, Any], folder: Path) -> tuple[str, dict[str, Any]]:
    post = card.get("PostProcess", {}).get("name", "DBPostProcess")
    if post not in ("DBPostProcess", "BandPostProcess"):
        raise ModelError(
            f"{folder} asks for the post-processing {post}; DBPostProcess and BandPostProcess are known", parameter="model_dir"
        )
    return ("bands" if post == "BandPostProcess" else "outlines"), dict(_normalisation(_operations(card)))


def _recognition(card: Mapping[str, Any], folder: Path) -> tuple[str, dict[str, Any]]:
    alphabet = card.get("PostProcess", {}).get("character_dict")
    if not isinstance(alphabet, list) or not alphabet:
        raise ModelError(f"{folder}/inference.yml has no PostProcess.character_dict, the recogniser's alphabet", parameter="model_dir")
    settings: dict[str, Any] = {"alphabet": [_word(c) for c in alphabet]}
    if isinstance(card.get("Calibration"), Mapping):
        settings["calibration"] = [float(card["Calibration"][key]) for key in ("mean", "least", "detection", "offset")]
    return "ctc", settings


def _layout(card: Mapping[str, Any], folder: Path) -> tuple[str, dict[str, Any]]:
    labels = card.get("label_list")
    if not isinstance(labels, list) or not labels:
        raise ModelError(f"{folder}/inference.yml has no label_list, the names of the layout classes", parameter="model_dir")
    labels = [_word(label) for label in labels]
    steps = _operations(card)
    if card.get("arch") == "SealCentres":
        if "seal" not in labels:
            raise ModelError(f"{folder}/inference.yml has no class seal in its label_list", parameter="model_dir")
        return "centres", {"labels": labels, "long_side": _size(steps["Resize"], "target_size", ())[0]}
    size = _size(steps.get("Resize", {}), "target_size", (640, 640))
    family = "detr" if card.get("arch") == "DETR" else "picodet"
    plain = steps.get("NormalizeImage", {}).get("norm_type") == "none" or family == "detr"
    scaling = {"mean": [0.0, 0.0, 0.0], "deviation": [1.0, 1.0, 1.0]} if plain else _normalisation(steps)
    return family, {"labels": labels, "size": size, **scaling}


def _orientation(card: Mapping[str, Any], folder: Path) -> tuple[str, dict[str, Any]]:
    labels = card.get("PostProcess", {}).get("Topk", {}).get("label_list", ["0", "90", "180", "270"])
    if sorted(map(_word, labels)) != ["0", "180", "270", "90"]:
        raise ModelError(
            f"{folder}/inference.yml must list the labels 0, 90, 180 and 270, not {', '.join(map(_word, labels))}", parameter="model_dir"
        )
    steps = _operations(card)
    short = int(steps.get("ResizeImage", {}).get("resize_short", 256))
    crop = int(steps.get("CropImage", {}).get("size", 224))
    if not 0 < crop <= short <= _MOST_SIDE:
        raise ValueError(f"an image of {short} pixels has no middle of {crop}")
    return "classes", {"labels": [int(v) for v in labels], "resize_short": short, "crop": crop, **_normalisation(steps)}


def _unwarping(card: Mapping[str, Any], folder: Path) -> tuple[str, dict[str, Any]]:
    post = card.get("PostProcess", {}).get("name")
    if post != "SamplingGrid":
        message = f"{folder} gives a flat picture ({_word(post)}) without the way back to the page; PostProcess.name must be SamplingGrid"
        raise ModelError(message, parameter="model_dir")
    return "grid", {"size": _size(_operations(card).get("Resize", {}), "target_size", (712, 488))}
