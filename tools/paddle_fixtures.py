"""Make the tiny official-layout models of the tests with Paddle: `python tools/paddle_fixtures.py [FOLDER]`.

Needs a Python with the extra [paddle]; everything else reads what this wrote. For each family of networks it writes a folder as the
official exporter does (`inference.json`, `inference.pdiparams`, `inference.yml`), the same network in the older form
(`inference.pdmodel`), the ONNX file that paddle2onnx makes of it, and `native.npz`: inputs and what Paddle itself gives for them.

The networks have the structure of their families in small (the operators that matter are there) and mostly chosen weights, so that what
they find can be told beforehand: red is a seal, what is dark in green is text, black reads 甲 and red reads 乙.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import yaml
from paddle import nn
from paddle.nn import functional

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures" / "paddle"
#: Newest operators that our engines are tested with; GridSample needs 16.
OPSET = 17
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
LABELS = ["image", "table", "seal"]
#: Families that are written in the older form too; Paddle 3.2.2 no longer exports all operators so.
OLDER_FLAG = "FLAGS_enable_pir_api"
OLDER = ("classes", "picture")
#: Side of the layout networks' input, and of the cells that they judge.
LAYOUT_SIDE, CELL = 160, 32


def chosen(layer: Any, weight: Any, bias: Any = None) -> Any:
    """The layer with the given weights, in place of those that were drawn."""
    layer.weight.set_value(np.asarray(weight, np.float32).reshape(layer.weight.shape))
    if bias is not None:
        layer.bias.set_value(np.asarray(bias, np.float32).reshape(layer.bias.shape))
    return layer


def block(channels: int) -> Any:
    """A depthwise-separable block with batch norm and hardswish, as PP-LCNet has them, drawn at random."""
    return nn.Sequential(
        nn.Conv2D(channels, channels, 3, padding=1, groups=channels, bias_attr=False),
        nn.BatchNorm2D(channels),
        nn.Hardswish(),
        nn.Conv2D(channels, channels, 1),
    )


class Classifier(nn.Layer):
    """Four turns by the darkest corner; a squeeze-and-excitation branch adds a little."""

    def __init__(self) -> None:
        super().__init__()
        self.block, self.squeeze = block(3), nn.Conv2D(3, 3, 1)
        corners = np.zeros((4, 4), np.float32)
        for label, cell in enumerate((0, 1, 3, 2)):  # 0 top left, 90 top right, 180 bottom right, 270 bottom left
            corners[cell, label] = -8
        self.head = chosen(nn.Linear(4, 4), corners, np.zeros(4))

    def forward(self, x: Any) -> Any:
        """Probabilities ``(n, 4)``."""
        gate = functional.hardsigmoid(self.squeeze(functional.adaptive_avg_pool2d(x, 1)))
        x = x + 0.01 * self.block(x) * gate
        corners = functional.avg_pool2d(x, 112, 112).mean(axis=1).flatten(1)
        return functional.softmax(self.head(corners), axis=1)


class Flattener(nn.Layer):
    """UVDoc in small: a coarse grid from the shrunken page, and the page sampled through it, moved right by a twentieth."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2D(3, 4, 5, stride=4, padding=2)
        self.head = nn.Conv2D(4, 2, 3, stride=4, padding=1)
        self.head.weight.set_value(self.head.weight * 0.02)

    def forward(self, image: Any) -> Any:
        """The flat page ``(1, 3, h, w)``."""
        size = paddle.shape(image)[2:]
        small = functional.interpolate(image, size=[64, 48], mode="bilinear", align_corners=True)
        bend = self.head(functional.relu(self.stem(small)))
        rows, columns = 4, 3
        ys, xs = paddle.meshgrid(paddle.linspace(-1, 1, rows), paddle.linspace(-1, 1, columns))
        grid = paddle.stack([xs - 0.1, ys]).unsqueeze(0) + bend
        fine = functional.interpolate(grid, size=size, mode="bilinear", align_corners=True)
        return functional.grid_sample(image, fine.transpose([0, 2, 3, 1]), align_corners=True)


class TextMap(nn.Layer):
    """A DB detector: what is dark in green is text."""

    def __init__(self) -> None:
        super().__init__()
        first = np.zeros((4, 3, 3, 3))
        first[0, 1] = -1 / 9
        self.stem = chosen(nn.Conv2D(3, 4, 3, stride=2, padding=1), first, [0.5, 0, 0, 0])
        self.block = block(4)
        self.up = chosen(nn.Conv2DTranspose(4, 2, 2, stride=2), np.eye(4, 2).repeat(4), [0, 0])
        self.out = chosen(nn.Conv2D(2, 1, 1), [12, 0], [-6])

    def forward(self, x: Any) -> Any:
        """Probabilities of text ``(n, 1, h, w)``."""
        x = functional.relu(self.stem(x))
        return functional.sigmoid(self.out(self.up(x + 0.01 * self.block(x))))


class Reader(nn.Layer):
    """A CTC recogniser: black reads 甲, red reads 乙, the rest is blank; one attention layer adds a little."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiHeadAttention(4, 2)
        self.norm = nn.LayerNorm(4)
        colours = [[0, -12, -12, 0], [0, -12, 0, 0], [0, -12, 12, 0]]  # blue, green, red to blank, 甲, 乙, space
        self.head = chosen(nn.Linear(3, 4), colours, [0, -10, -10, -30])

    def forward(self, x: Any) -> Any:
        """Probabilities ``(n, w / 8, 4)``."""
        steps = functional.avg_pool2d(x, [48, 8], [48, 8]).squeeze(2).transpose([0, 2, 1])
        classes = self.head(steps)
        return functional.softmax(classes + 0.01 * self.attention(self.norm(classes)), axis=2)


def redness(mean: Any, deviation: Any) -> Any:
    """A layer that gives red less green of 0 to 1, from normalised pixels in RGB order."""
    weight = [deviation[0], -deviation[1], 0]
    return chosen(nn.Conv2D(3, 1, 1), weight, [mean[0] - mean[1]])


class QueryDetector(nn.Layer):
    """RT-DETR in small: queries look at the picture where they stand (sampled, as deformable attention does) and give rows."""

    def __init__(self) -> None:
        super().__init__()
        self.red = redness([0, 0, 0], [1, 1, 1])
        side = LAYOUT_SIDE // CELL
        ys, xs = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
        centres = (np.stack([xs, ys], axis=-1).reshape(1, -1, 2) + 0.5) / side
        self.register_buffer("centres", paddle.to_tensor(centres.astype(np.float32)))
        self.classes = chosen(nn.Linear(1, 3), [4, -4, 12], [-4, -4, -4])
        self.sizes = nn.Linear(1, 2)

    def forward(self, im_shape: Any, image: Any, scale_factor: Any) -> Any:
        """Rows of class, score, x1, y1, x2, y2 in pixels of the page, and how many there are."""
        smooth = functional.avg_pool2d(self.red(image), CELL, CELL // 4)
        places = (self.centres * 2 - 1).unsqueeze(2).expand([image.shape[0], -1, 1, 2])
        seen = functional.grid_sample(smooth, places, align_corners=False).squeeze(3).transpose([0, 2, 1])
        scores = functional.sigmoid(self.classes(seen))
        sizes = 1.2 * CELL / LAYOUT_SIDE + 0.02 * functional.tanh(self.sizes(seen))
        boxes = paddle.concat([self.centres - sizes / 2, self.centres + sizes / 2], axis=2)
        page = paddle.floor(im_shape / scale_factor + 0.5)
        boxes = boxes * paddle.concat([page[:, 1:], page[:, :1]] * 2, axis=1).unsqueeze(1)
        best, which = paddle.topk(scores.flatten(1), 20, axis=1)
        labels = (which % 3).cast("float32").unsqueeze(2)
        taken = paddle.take_along_axis(boxes, (which // 3).unsqueeze(2).expand([-1, -1, 4]), axis=1)
        rows = paddle.concat([labels, best.unsqueeze(2), taken], axis=2).reshape([-1, 6])
        return rows, paddle.full([1], 20, "int32")


class CellDetector(nn.Layer):
    """PicoDet in small: distances as distributions, and suppression of doubles inside the network."""

    def __init__(self) -> None:
        super().__init__()
        self.red = redness(IMAGENET["mean"], IMAGENET["std"])
        self.block = block(1)
        self.classes = chosen(nn.Conv2D(1, 3, 1), [4, -4, 12], [-4, -4, -4])
        bins = np.tile([-9, -9, 4, 4, -9, -9, -9, -9], 4)
        self.distances = chosen(nn.Conv2D(1, 32, 1), 0.2 * np.sin(np.arange(32)), bins)

    def forward(self, image: Any, scale_factor: Any) -> Any:
        """Rows of class, score, x1, y1, x2, y2 in pixels of the page, and how many there are."""
        step, side = CELL // 2, LAYOUT_SIDE // (CELL // 2)
        seen = functional.avg_pool2d(self.red(image), step, step)
        seen = seen + 0.01 * self.block(seen)
        scores = functional.sigmoid(self.classes(seen)).flatten(2)
        spread = functional.softmax(self.distances(seen).flatten(2).transpose([0, 2, 1]).reshape([-1, side * side, 4, 8]), axis=3)
        sides = paddle.matmul(spread, paddle.arange(8, dtype="float32").unsqueeze(1)).squeeze(3) * 4
        ys, xs = paddle.meshgrid(paddle.arange(side, dtype="float32"), paddle.arange(side, dtype="float32"))
        centres = (paddle.stack([xs, ys], axis=-1).reshape([1, -1, 2]) + 0.5) * step
        boxes = paddle.concat([centres - sides[:, :, :2], centres + sides[:, :, 2:]], axis=2)
        boxes = boxes / paddle.concat([scale_factor[:, 1:], scale_factor[:, :1]] * 2, axis=1).unsqueeze(1)
        rows, _, count = paddle._C_ops.multiclass_nms3(boxes, scores, None, 0.025, 1000, 100, 0.6, True, 1.0, -1)
        return rows, count


def spec(*shape: int | None, name: str) -> Any:
    return paddle.static.InputSpec([-1 if side is None else side for side in shape], "float32", name)


def detection_card(name: str, arch: str, normalise: Mapping[str, Any]) -> dict[str, Any]:
    resize = {"type": "Resize", "interp": 2, "keep_ratio": False, "target_size": [LAYOUT_SIDE, LAYOUT_SIDE]}
    return {
        "mode": "paddle",
        "draw_threshold": 0.5,
        "metric": "COCO",
        "use_dynamic_shape": False,
        "Global": {"model_name": name},
        "arch": arch,
        "min_subgraph_size": 3,
        "Preprocess": [resize, {"type": "NormalizeImage", **normalise}, {"type": "Permute"}],
        "label_list": LABELS,
    }


def card(name: str, steps: list[Any], post: Mapping[str, Any]) -> dict[str, Any]:
    return {"Global": {"model_name": name}, "PreProcess": {"transform_ops": steps}, "PostProcess": dict(post)}


SCALED = {"NormalizeImage": {**IMAGENET, "scale": "1./255.", "order": "hwc"}}
TURNS = {"NormalizeImage": {"channel_num": 3, **IMAGENET, "scale": 0.00392156862745098, "order": ""}}
FAMILIES: dict[str, tuple[Callable[[], Any], Callable[[], list[Any]], dict[str, Any], list[tuple[int, ...]]]] = {
    "classes": (
        Classifier,
        lambda: [spec(None, 3, 224, 224, name="x")],
        card(
            "paddle_ori",
            [{"ResizeImage": {"resize_short": 256}}, {"CropImage": {"size": 224}}, TURNS, {"ToCHWImage": None}],
            {"Topk": {"topk": 1, "label_list": ["0", "90", "180", "270"]}},
        ),
        [(2, 3, 224, 224)],
    ),
    "picture": (Flattener, lambda: [spec(1, 3, None, None, name="image")], {"Global": {"model_name": "paddle_flat"}}, [(1, 3, 48, 40)]),
    "outlines": (
        TextMap,
        lambda: [spec(None, 3, None, None, name="x")],
        card(
            "paddle_det",
            [
                {"DecodeImage": {"img_mode": "BGR", "channel_first": False}},
                {"DetLabelEncode": None},
                {"DetResizeForTest": {"resize_long": 736}},
                SCALED,
                {"ToCHWImage": None},
                {"KeepKeys": {"keep_keys": ["image", "shape", "polys", "ignore_tags"]}},
            ],
            {"name": "DBPostProcess", "thresh": 0.2, "box_thresh": 0.6, "max_candidates": 1000, "unclip_ratio": 0.5, "box_type": "poly"},
        ),
        [(1, 3, 32, 64)],
    ),
    "ctc": (
        Reader,
        lambda: [spec(None, 3, 48, None, name="x")],
        card(
            "paddle_rec",
            [
                {"DecodeImage": {"img_mode": "BGR", "channel_first": False}},
                {"MultiLabelEncode": {"gtc_encode": "NRTRLabelEncode"}},
                {"RecResizeImg": {"image_shape": [3, 48, 320]}},
                {"KeepKeys": {"keep_keys": ["image", "label_ctc", "label_gtc", "length", "valid_ratio"]}},
            ],
            {"name": "CTCLabelDecode", "character_dict": ["甲", "乙"]},
        ),
        [(2, 3, 48, 160)],
    ),
    "detr": (
        QueryDetector,
        lambda: [
            spec(None, 2, name="im_shape"),
            spec(None, 3, LAYOUT_SIDE, LAYOUT_SIDE, name="image"),
            spec(None, 2, name="scale_factor"),
        ],
        detection_card("paddle_rows", "DETR", {"mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "norm_type": "none"}),
        [(1, 2), (1, 3, LAYOUT_SIDE, LAYOUT_SIDE), (1, 2)],
    ),
    "picodet": (
        CellDetector,
        lambda: [spec(None, 3, LAYOUT_SIDE, LAYOUT_SIDE, name="image"), spec(None, 2, name="scale_factor")],
        detection_card("paddle_cells", "PicoDet", {"is_scale": True, **IMAGENET}),
        [(1, 3, LAYOUT_SIDE, LAYOUT_SIDE), (1, 2)],
    ),
}


def recorded_inputs(family: str) -> dict[str, np.ndarray]:
    """What is fed for the record: blocks of colour as bytes, which pack well; layout networks are told of a page of 320 x 240."""
    draw = np.random.default_rng(7)
    given: dict[str, np.ndarray] = {}
    for position, shape in enumerate(FAMILIES[family][3]):
        if len(shape) == 4:
            blocks = draw.integers(0, 256, (*shape[:2], -(-shape[2] // 8), -(-shape[3] // 8)), np.uint8)
            array = blocks.repeat(8, axis=2).repeat(8, axis=3)[:, :, : shape[2], : shape[3]]
        else:
            array = np.array([[LAYOUT_SIDE] * 2 if position == 0 else [LAYOUT_SIDE / 240, LAYOUT_SIDE / 320]], np.float32)
        given[f"input_{position}"] = array
    return given


def tensors(given: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """What recorded inputs stand for: a byte for ``byte / 64 - 2``."""
    return [array.astype(np.float32) / 64 - 2 if array.dtype == np.uint8 else array for array in given.values()]


def export(family: str, folder: Path) -> None:
    """Write one family in the form that the running Paddle saves."""
    paddle.seed(7)
    make, specs, _, _ = FAMILIES[family]
    network = make()
    network.eval()
    paddle.jit.save(paddle.jit.to_static(network, input_spec=specs(), full_graph=True), str(folder / "inference"))


def native(folder: Path, program: str, given: list[np.ndarray]) -> list[np.ndarray]:
    """What Paddle's own inference gives."""
    config = paddle.inference.Config(str(folder / program), str(folder / "inference.pdiparams"))
    config.disable_glog_info()
    config.disable_mkldnn()
    predictor = paddle.inference.create_predictor(config)
    for name, array in zip(predictor.get_input_names(), given, strict=True):
        predictor.get_input_handle(name).copy_from_cpu(array)
    predictor.run()
    return [predictor.get_output_handle(name).copy_to_cpu() for name in predictor.get_output_names()]


def convert(folder: Path, program: str) -> None:
    arguments = ["--model_dir", folder, "--model_filename", program, "--params_filename", "inference.pdiparams"]
    arguments += ["--save_file", folder / "inference.onnx", "--opset_version", OPSET, "--enable_onnx_checker", "True"]
    with tempfile.TemporaryDirectory() as scraps:  # it leaves some where it runs
        subprocess.run([sys.executable, "-m", "paddle2onnx.command", *map(str, arguments)], check=True, cwd=scraps)


def main() -> None:
    """Write all families; the older form is made by a second process, because the choice is made when Paddle starts."""
    root = (Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES).resolve()
    older = os.environ.get(OLDER_FLAG) == "0"
    for family, (_, _, described, _) in FAMILIES.items():
        if older and family not in OLDER:
            continue
        folder = root / (f"{family}_older" if older else family)
        folder.mkdir(parents=True, exist_ok=True)
        export(family, folder)
        (folder / "inference.yml").write_text(yaml.safe_dump(described, allow_unicode=True, sort_keys=False), encoding="utf-8")
        if older:
            (folder / "inference.pdiparams.info").unlink()  # names for training; nothing reads it
            continue
        given = recorded_inputs(family)
        outputs = native(folder, "inference.json", tensors(given))
        record: dict[str, Any] = {**given, **{f"output_{i}": array for i, array in enumerate(outputs)}}
        np.savez_compressed(folder / "native.npz", **record)
        convert(folder, "inference.json")
    if not older:
        subprocess.run([sys.executable, __file__, str(root)], check=True, env={**os.environ, OLDER_FLAG: "0"})


if __name__ == "__main__":
    main()
