"""A recogniser that skips blanks says of the other steps what it said before, and training gets it back whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("torch")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from sealread.engines.onnxruntime import OnnxRuntimeEngine  # noqa: E402
from sealread.engines.openvino import OpenVinoEngine  # noqa: E402
from sealread.text import BLANK  # noqa: E402
from sealread.training.blanks import skipping_blanks  # noqa: E402
from sealread.training.export import Session  # noqa: E402
from sealread.training.modules import finished_network  # noqa: E402
from sealread.training.recogniser import ASKED, asking_all  # noqa: E402

CLASSES = 5


def recogniser(opset: int = 11) -> Any:
    """Each step of eight pixels is a blank where it is dark, else one of four characters by its colour."""
    weight = np.array([[-9, 8, 0, 0, 3], [-9, 0, 8, 0, 3], [-9, 0, 0, 8, 3]], np.float32)
    bias = np.array([9, 0, 0, 0, 0], np.float32)
    nodes = [
        helper.make_node("AveragePool", ["x"], ["pooled"], kernel_shape=[48, 8], strides=[48, 8]),
        helper.make_node("Reshape", ["pooled", "flat"], ["row"]),
        helper.make_node("Transpose", ["row"], ["features"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["features", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=2),
    ]
    graph = helper.make_graph(
        nodes,
        "recogniser",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 48, "w"])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", "steps", CLASSES])],
        [numpy_helper.from_array(np.array(v), name) for name, v in (("weight", weight), ("bias", bias), ("flat", [0, 3, -1]))],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def strips(seed: int, *, dark: bool = False) -> Any:
    """Two strips of twenty steps, of which every other one is dark, or all are."""
    colours = np.random.default_rng(seed).uniform(0.3, 1, (2, 3, 1, 20)) * (np.arange(20) % 2 if not dark else 0)
    return np.broadcast_to(np.repeat(colours, 8, axis=3), (2, 3, 48, 160)).astype(np.float32)


@pytest.fixture(scope="module", params=[11, 17])
def skipping(request: pytest.FixtureRequest) -> Any:
    return skipping_blanks(recogniser(request.param), [strips(seed) for seed in range(20)])


@pytest.mark.parametrize("engine", [OnnxRuntimeEngine, OpenVinoEngine])
def test_what_is_said_of_the_steps_that_are_asked_stays(engine: Any, skipping: Any, tmp_path: Path) -> None:
    path = tmp_path / "inference.onnx"
    onnx.save(skipping, str(path))
    runner = engine(path, precision="f32")
    for seed in (100, 101):
        (whole,) = Session(recogniser()).run([strips(seed)])
        some, asked = runner.run([strips(seed)])
        assert asked.dtype == bool and asked.shape == (2, 20)
        assert some == pytest.approx(whole[asked], abs=1e-5)
        assert asked[whole[..., BLANK] < 0.9].all() and not asked[:, ::2].any()
    none, asked = runner.run([strips(0, dark=True)])
    assert none.shape == (0, CLASSES) and not asked.any()


def test_training_gets_the_whole_network_back(skipping: Any) -> None:
    whole = asking_all(skipping)
    assert [answer.name for answer in whole.graph.output] == ["probabilities"]
    assert len(whole.graph.node) == len(recogniser().graph.node)
    assert Session(whole).run([strips(7)])[0] == pytest.approx(Session(recogniser()).run([strips(7)])[0])
    assert asking_all(whole) is whole


def test_the_embedded_recogniser_skips_blanks_and_is_trained_whole() -> None:
    model = finished_network("text_recognition", "sealread-seal-rec")
    assert ASKED not in [answer.name for answer in model.graph.output]
    (probabilities,) = Session(model).run([np.zeros((1, 3, 48, 160), np.float32)])
    assert probabilities.shape[:2] == (1, 20) and probabilities.sum(axis=2) == pytest.approx(1, abs=1e-4)
