"""How far the embedded networks are from what this CPU can multiply: run by `speed.py` in a process pinned to N cores.

The ceiling is a product of two square matrices, in f32 and in bf16, by OpenVINO; the larger of several runs counts. A network's work is
twice its multiplications, counted from the shapes of its convolutions and matrix products.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import openvino
from openvino import opset13 as ops

import sealread

WEIGHTS = Path(sealread.__file__).parent / "weights"
#: What each network usually sees: a page, a seal, a line.
SHAPES = {
    "PP-LCNet_x1_0_doc_ori": (1, 3, 224, 224),
    "seal_layout": (1, 3, 640, 480),
    "seal_detection": (1, 3, 320, 320),
    "seal_recognition": (1, 3, 48, 640),
}
SIDE = 2048
PRECISIONS = ("f32", "bf16")


def ceiling(cores: int, rounds: int) -> dict[str, Any]:
    """GFLOP/s of the matrix product, and of each network with OpenVINO in both precisions and with ONNX Runtime."""
    core = openvino.Core()
    peaks = {precision: product(core, precision, cores, rounds) for precision in PRECISIONS}
    networks = {name: network(core, name, shape, cores, rounds) for name, shape in SHAPES.items()}
    return {"peak_gflops": peaks, "networks": networks}


def product(core: Any, precision: str, cores: int, rounds: int) -> float | None:
    """GFLOP/s of a matrix product; None where the CPU does not compute in that precision."""
    left, right = (ops.parameter([SIDE, SIDE], np.float32) for _ in range(2))
    compiled = core.compile_model(openvino.Model([ops.matmul(left, right, False, False)], [left, right]), "CPU", _options(precision, cores))
    if compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() != precision:
        return None
    request = compiled.create_infer_request()
    inputs = dict(enumerate(np.random.default_rng(0).normal(size=(2, SIDE, SIDE)).astype(np.float32)))
    seconds = timed(lambda: request.infer(inputs, share_inputs=True), rounds)
    return float(2 * SIDE**3 / min(seconds) / 1e9)


def network(core: Any, name: str, shape: tuple[int, ...], cores: int, rounds: int) -> dict[str, Any]:
    """Work and median seconds of one network."""
    path = WEIGHTS / f"{name}.onnx"
    model = core.read_model(str(path))
    model.reshape({model.inputs[0]: list(shape)})
    image = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    seconds: dict[str, float] = {}
    for precision in PRECISIONS:
        request = core.compile_model(str(path), "CPU", _options(precision, cores)).create_infer_request()
        times = timed(partial(request.infer, {0: image}, share_inputs=True), rounds)
        seconds[f"openvino {precision}"] = statistics.median(times)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cores
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    first = session.get_inputs()[0].name
    seconds["onnxruntime f32"] = statistics.median(timed(lambda: session.run(None, {first: image}), rounds))
    return {"shape": list(shape), "gflop": flops(model) / 1e9, "seconds": seconds}


def flops(model: Any) -> float:
    """Twice the multiplications of a network whose shapes are fixed."""
    total = 0.0
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        if kind not in ("Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData", "MatMul"):
            continue
        first, second, out = (_sides(value.get_partial_shape()) for value in (node.input(0), node.input(1), node.output(0)))
        if kind == "MatMul":
            total += 2 * math.prod(out) * first[-2 if node.get_attributes().get("transpose_a") else -1]
        elif kind.endswith("BackpropData"):  # each input pixel meets the whole kernel of its channel
            total += 2 * math.prod(first) * math.prod(second[2:] if kind.startswith("Group") else second[1:])
        else:  # each output pixel is a sum over the kernel
            total += 2 * math.prod(out) * math.prod(second[2:] if kind.startswith("Group") else second[1:])
    return total


def _sides(shape: Any) -> list[int]:
    # What stays unknown is the number of images, which is one here.
    return [side.get_length() if side.is_static else 1 for side in shape]


def timed(run: Callable[[], Any], rounds: int) -> list[float]:
    """Seconds of each run, after two that warm up."""
    times = []
    for _ in range(rounds + 2):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return times[2:]


def _options(precision: str, cores: int) -> dict[str, Any]:
    return {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": cores}
