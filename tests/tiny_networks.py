"""Networks of a few numbers in the official layout, so that the whole wire runs in a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[str | int]

#: Where the tiny layout network sees its seal, and a seal that it doubts, on its own 640 x 640 input.
SEAL, DOUBTED, TEXT = (160, 160, 480, 480), (500, 20, 620, 140), (20, 500, 140, 620)


def write_network(
    path: Path, nodes: Sequence[Any], inputs: Mapping[str, Shape], output: Shape, constants: Mapping[str, NDArray[Any]]
) -> Path:
    """Write an ONNX network whose last node gives ``y``."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)) for name, shape in {**inputs, "y": output}.items()]
    values = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(list(nodes), "tiny", ends[:-1], ends[-1:], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path


def write_card(folder: Path, card: Mapping[str, Any]) -> Path:
    """Write a directory's inference.yml; gives the directory."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inference.yml").write_text(yaml.safe_dump(dict(card), allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


_PLAIN = {"NormalizeImage": {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "scale": "1./255.", "order": "hwc"}}


def _f32(values: Any) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)


def detection_folder(folder: Path) -> Path:
    """A DB detector: whatever has little green is text."""
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"]), helper.make_node("Sigmoid", ["c"], ["y"])]
    weights = {"w": _f32([0, -30, 0]).reshape(1, 3, 1, 1), "b": _f32([15])}
    write_network(folder / "inference.onnx", nodes, {"x": ("n", 3, "h", "w")}, ("n", 1, "h", "w"), weights)
    post = {"name": "DBPostProcess", "thresh": 0.3, "box_thresh": 0.6, "max_candidates": 1000, "unclip_ratio": 1.5}
    card = {"Global": {"model_name": "tiny_det"}, "PreProcess": {"transform_ops": [{"DecodeImage": None}, _PLAIN]}, "PostProcess": post}
    return write_card(folder, card)


def recognition_folder(folder: Path, alphabet: Sequence[str] = ("甲", "乙")) -> Path:
    """A CTC recogniser: black reads 甲, red reads 乙, all else is blank."""
    nodes = [
        helper.make_node("AveragePool", ["x"], ["a"], kernel_shape=[48, 8], strides=[48, 8]),
        helper.make_node("Conv", ["a", "w", "b"], ["c"]),
        helper.make_node("Squeeze", ["c", "axis"], ["s"]),
        helper.make_node("Transpose", ["s"], ["t"], perm=[0, 2, 1]),
        helper.make_node("Softmax", ["t"], ["y"], axis=2),
    ]
    # classes: blank, black, red, space; the input is BGR in -1..1, padding is 0
    weights = _f32([[0, 0, 0], [-12, -12, -12], [-12, 0, 12], [0, 0, 0]]).reshape(4, 3, 1, 1)
    constants = {"w": weights, "b": _f32([0, -10, -10, -30]), "axis": np.array([2], np.int64)}
    write_network(folder / "inference.onnx", nodes, {"x": ("n", 3, 48, "w")}, ("n", "t", 4), constants)
    post = {"name": "CTCLabelDecode", "character_dict": list(alphabet)}
    return write_card(folder, {"Global": {"model_name": "tiny_rec"}, "PostProcess": post})


def layout_folder(folder: Path) -> Path:
    """An RT-DETR: two seals, one of them doubted, and a text, always in the same places of its input."""
    rows = _f32([[1, 0.9, *SEAL], [0, 0.8, *TEXT], [1, 0.4, *DOUBTED]])
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["m"], keepdims=0),
        helper.make_node("ReduceMean", ["im_shape"], ["k"], keepdims=0),
        helper.make_node("Add", ["m", "k"], ["mk"]),
        helper.make_node("Mul", ["mk", "zero"], ["z"]),
        helper.make_node("Gather", ["scale_factor", "order"], ["s"], axis=1),
        helper.make_node("Div", ["boxes", "s"], ["d"]),
        helper.make_node("Concat", ["classes", "d"], ["r"], axis=1),
        helper.make_node("Add", ["r", "z"], ["y"]),
    ]
    constants = {"classes": rows[:, :2], "boxes": rows[:, 2:], "order": np.array([1, 0, 1, 0], np.int64), "zero": _f32(0)}
    inputs: dict[str, Shape] = {"im_shape": (1, 2), "image": (1, 3, 640, 640), "scale_factor": (1, 2)}
    write_network(folder / "inference.onnx", nodes, inputs, (3, 6), constants)
    card = {
        "Global": {"model_name": "tiny_layout"},
        "arch": "DETR",
        "Preprocess": [{"type": "Resize", "target_size": [640, 640], "interp": 2, "keep_ratio": False}, {"type": "Permute"}],
        "label_list": ["text", "seal"],
    }
    return write_card(folder, card)


def orientation_folder(folder: Path) -> Path:
    """A classifier that finds the upright page's top left corner: it is the darkest."""
    nodes = [
        helper.make_node("AveragePool", ["x"], ["a"], kernel_shape=[112, 112], strides=[112, 112]),
        helper.make_node("ReduceMean", ["a"], ["g"], axes=[1], keepdims=0),
        helper.make_node("Mul", ["g", "steep"], ["k"]),
        helper.make_node("Flatten", ["k"], ["f"]),
        helper.make_node("Softmax", ["f"], ["y"], axis=1),
    ]
    write_network(folder / "inference.onnx", nodes, {"x": ("n", 3, 224, 224)}, ("n", 4), {"steep": _f32(-100)})
    # corners in the network's order: top left, top right, bottom left, bottom right
    card = {"Global": {"model_name": "tiny_ori"}, "PostProcess": {"Topk": {"topk": 1, "label_list": ["0", "90", "270", "180"]}}}
    return write_card(folder, card)


def unwarping_folder(folder: Path, shift: float = 0.0) -> Path:
    """A flattener that moves the page right by a share of its width, its two edges aside; without a shift the page counts as flat."""
    x, y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 7))
    x[:, 1:-1] -= 2 * shift
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], keepdims=0),
        helper.make_node("Mul", ["m", "zero"], ["z"]),
        helper.make_node("Add", ["grid", "z"], ["y"]),
    ]
    constants = {"grid": _f32(np.stack([x, y])[None]), "zero": _f32(0)}
    write_network(folder / "inference.onnx", nodes, {"x": (1, 3, "h", "w")}, (1, 2, 7, 5), constants)
    card = {
        "Global": {"model_name": "tiny_flat"},
        "PreProcess": {"transform_ops": [{"Resize": {"target_size": [64, 48]}}]},
        "PostProcess": {"name": "SamplingGrid"},
    }
    return write_card(folder, card)


def tiny_config(root: Path) -> dict[str, Any]:
    """A configuration of the tutorial's shape that uses the tiny networks below a folder."""

    def module(task: str, name: str, folder: str) -> dict[str, Any]:
        return {"module_name": task, "model_name": name, "model_dir": str(root / folder)}

    text_detection = {
        **module("seal_text_detection", "tiny_det", "det"),
        "limit_side_len": 96,
        "limit_type": "min",
        "max_side_len": 4000,
        "thresh": 0.2,
        "box_thresh": 0.6,
        "unclip_ratio": 0.5,
    }
    preprocessor = {
        "pipeline_name": "doc_preprocessor",
        "use_doc_orientation_classify": True,
        "use_doc_unwarping": True,
        "SubModules": {
            "DocOrientationClassify": module("doc_text_orientation", "tiny_ori", "ori"),
            "DocUnwarping": {"module_name": "image_unwarping", "model_name": "sealread-unwarping", "model_dir": None},
        },
    }
    seal = {
        "pipeline_name": "OCR",
        "text_type": "seal",
        "use_doc_preprocessor": False,
        "use_textline_orientation": False,
        "SubModules": {
            "TextDetection": text_detection,
            "TextRecognition": {**module("text_recognition", "tiny_rec", "rec"), "batch_size": 1, "score_thresh": 0},
        },
    }
    return {
        "pipeline_name": "seal_recognition",
        "engine_config": {"precision": "f32"},  # the same numbers on every machine
        "use_layout_detection": True,
        "use_doc_preprocessor": True,
        "SubModules": {"LayoutDetection": {**module("layout_detection", "tiny_layout", "layout"), "threshold": 0.5}},
        "SubPipelines": {"DocPreprocessor": preprocessor, "SealOCR": seal},
    }
