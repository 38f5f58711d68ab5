"""Inference directories: what training hands over to reading.

A directory holds ``inference.onnx`` and ``inference.yml`` in the official layout and works at once as ``model_dir``. Its card repeats
what the zoo says of the network that was trained further, so that it is fed, and its output understood, in the same way.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import yaml
from onnx import numpy_helper

from sealread import networks
from sealread.blocks import packaged_config
from sealread.engines import Engine
from sealread.errors import EngineError, InputError, ModelError
from sealread.stages.recognition import HEIGHT, LEAST_WIDTH
from sealread.training.request import MODEL_NAMES
from sealread.types import Tensor
from sealread.zoo import Network, find_network
from sealread.zoo.directory import network_from_card

#: The unwarping network sees a page as a square of this side.
UNWARPING_SIDE = 256


class Session:
    """An engine over a network in memory."""

    plans = False

    def __init__(self, model: onnx.ModelProto) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except Exception as cause:  # ONNX Runtime has no public base class for its errors.
            raise ModelError(f"the network cannot be run: {str(cause).splitlines()[0]}; start from another one") from cause
        self.name = "onnxruntime"
        self.inputs = tuple(value.name for value in self._session.get_inputs())

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """See `Engine.run`."""
        try:
            return [np.asarray(output) for output in self._session.run(None, dict(zip(self.inputs, inputs, strict=True)))]
        except Exception as cause:  # ONNX Runtime has no public base class for its errors.
            raise EngineError(f"the network failed: {str(cause).splitlines()[0]}") from cause


def characters_of(model: onnx.ModelProto) -> list[str]:
    """The alphabet that a recogniser's file carries, blank and final space left out.

    Raises:
        ModelError: it carries none.
    """
    for entry in model.metadata_props:
        if entry.key == "character":
            return entry.value.split("\n")
    raise ModelError("the recogniser's file does not carry its alphabet (the note `character`); start from a file that does")


def card_of(task: str, model: onnx.ModelProto) -> dict[str, Any]:
    """What ``inference.yml`` says of a trained network."""
    name = MODEL_NAMES[task]
    zoo = find_network(name, task)
    makers = {
        "seal_text_detection": _detection_card,
        "layout_detection": _layout_card,
        "text_recognition": _recognition_card,
        "doc_text_orientation": _orientation_card,
        "image_unwarping": _unwarping_card,
    }
    return {"Global": {"model_name": name, "licence": zoo.licence}, **makers[task](zoo.settings, model)}


def _detection_card(settings: Mapping[str, Any], model: onnx.ModelProto) -> dict[str, Any]:
    block = packaged_config().sub_pipelines.seal_ocr.sub_modules.text_detection
    steps = [
        {"DecodeImage": {"img_mode": "BGR", "channel_first": False}},
        {"DetResizeForTest": {"resize_long": block.limit_side_len}},
        {"NormalizeImage": {"scale": "1./255.", "mean": settings["mean"], "std": settings["deviation"], "order": "hwc"}},
        {"ToCHWImage": None},
    ]
    post = {"name": "BandPostProcess", "thresh": block.thresh, "box_thresh": block.box_thresh, "unclip_ratio": block.unclip_ratio}
    return {"PreProcess": {"transform_ops": steps}, "PostProcess": post}


def _layout_card(settings: Mapping[str, Any], model: onnx.ModelProto) -> dict[str, Any]:
    side = settings["long_side"]
    steps = [
        {"type": "Resize", "target_size": [side, side], "keep_ratio": True, "interp": 2},
        {"type": "NormalizeImage", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "is_scale": True},
        {"type": "Permute"},
    ]
    return {"arch": "SealCentres", "Preprocess": steps, "label_list": list(settings["labels"])}


def _recognition_card(settings: Mapping[str, Any], model: onnx.ModelProto) -> dict[str, Any]:
    shape = [3, HEIGHT, LEAST_WIDTH]
    steps = [{"DecodeImage": {"img_mode": "BGR", "channel_first": False}}, {"RecResizeImg": {"image_shape": shape}}]
    card: dict[str, Any] = {
        "PreProcess": {"transform_ops": steps},
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": characters_of(model)},
    }
    if "calibration" in settings:
        card["Calibration"] = dict(zip(("mean", "least", "detection", "offset"), settings["calibration"], strict=True))
    return card


def _orientation_card(settings: Mapping[str, Any], model: onnx.ModelProto) -> dict[str, Any]:
    normalisation = {"channel_num": 3, "mean": settings["mean"], "std": settings["deviation"], "scale": 1 / 255, "order": ""}
    steps = [
        {"ResizeImage": {"resize_short": settings["resize_short"]}},
        {"CropImage": {"size": settings["crop"]}},
        {"NormalizeImage": normalisation},
        {"ToCHWImage": None},
    ]
    labels = [str(label) for label in settings["labels"]]
    return {"PreProcess": {"transform_ops": steps}, "PostProcess": {"Topk": {"topk": 1, "label_list": labels}}}


def _unwarping_card(settings: Mapping[str, Any], model: onnx.ModelProto) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [
        {"Resize": {"target_size": [UNWARPING_SIDE, UNWARPING_SIDE]}},
        {"NormalizeImage": {"scale": "1./255.", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "order": "hwc"}},
        {"ToCHWImage": None},
    ]
    return {"PreProcess": {"transform_ops": steps}, "PostProcess": {"name": "SamplingGrid"}}


def deployed(task: str, model: onnx.ModelProto) -> Any:
    """The pipeline's stage with this network: what reading would do with its exported directory."""
    return stage_of(network_from_card(card_of(task, model), task, Path("this network")), Session(model))


def stage_of(network: Network, engine: Engine | None) -> Any:
    """The pipeline's stage that runs a network."""
    batch = packaged_config().sub_pipelines.seal_ocr.sub_modules.text_recognition.batch_size
    makers: dict[str, Any] = {
        "seal_text_detection": networks.detector,
        "layout_detection": networks.finder,
        "text_recognition": networks.recogniser(1 if batch is None else batch),
        "doc_text_orientation": networks.orientation,
        "image_unwarping": networks.unwarper,
    }
    return makers[network.task](network, engine)


def write_directory(task: str, model: onnx.ModelProto, folder: Path) -> None:
    """Write the inference directory of a trained network; files that are there are replaced.

    Raises:
        InputError: the folder cannot be written.
    """
    text = yaml.safe_dump(card_of(task, model), allow_unicode=True, sort_keys=False, default_flow_style=None, width=1000)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "inference.yml").write_text(text, encoding="utf-8")
        save_network(model, folder / "inference.onnx")
    except OSError as cause:
        raise InputError(f"{folder} cannot be written ({cause.strerror}): name another folder", source=str(folder)) from cause


def save_network(model: onnx.ModelProto, path: Path) -> None:
    """Write an ONNX file beside its place and move it there: whoever reads it finds the old one or the new one, whole.

    Weights that decayed to less than the least normal number become 0: some processors take a hundred times as long for each product.
    """
    for weight in model.graph.initializer:
        if weight.data_type == onnx.TensorProto.FLOAT:
            array = numpy_helper.to_array(weight)
            tiny = (np.abs(array) < np.finfo(np.float32).tiny) & (array != 0)
            if tiny.any():
                weight.CopyFrom(numpy_helper.from_array(np.where(tiny, np.float32(0), array), weight.name))
    beside = path.with_suffix(".part")
    beside.write_bytes(model.SerializeToString())
    os.replace(beside, path)
