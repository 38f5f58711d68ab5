"""What every engine promises, over OpenVINO and ONNX Runtime."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import helper
from tiny_networks import write_network

from sealread.engines import Engine, EngineSettings, open_engine
from sealread.errors import EngineError, ModelError

WEIGHTS = np.random.default_rng(0).normal(size=(2, 3, 3, 3)).astype(np.float32)
BIAS = np.array([0.5, -0.5], np.float32)


@pytest.fixture(scope="module")
def convolution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Convolution and ReLU, batch, height and width free."""
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]), helper.make_node("Relu", ["c"], ["y"])]
    path = tmp_path_factory.mktemp("networks") / "convolution.onnx"
    return write_network(path, nodes, {"x": ("n", 3, "h", "w")}, ("n", 2, "h", "w"), {"w": WEIGHTS, "b": BIAS})


@pytest.fixture(scope="module")
def difference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``left - right``: an engine that mixes up its inputs shows it."""
    path = tmp_path_factory.mktemp("networks") / "difference.onnx"
    return write_network(path, [helper.make_node("Sub", ["left", "right"], ["y"])], {"left": ("n", 2), "right": ("n", 2)}, ("n", 2), {})


@pytest.fixture(params=["openvino", "onnxruntime"])
def settings(request: pytest.FixtureRequest) -> EngineSettings:
    return EngineSettings(request.param, "f32")


@pytest.fixture
def engine(settings: EngineSettings, convolution: Path) -> Engine:
    return open_engine(convolution, settings)


def convolved(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """The network in NumPy."""
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.maximum(np.einsum("nchwij,ocij->nohw", windows, WEIGHTS) + BIAS[:, None, None], 0)


def ramp(*shape: int) -> NDArray[np.float32]:
    return np.linspace(-1, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (2, 3, 5, 17), (3, 3, 1, 1)])
def test_numbers_are_those_of_the_network_whatever_the_shape(engine: Engine, shape: tuple[int, ...]) -> None:
    x = ramp(*shape)
    [y] = engine.run([x])
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, convolved(x), atol=1e-5)


def test_an_array_that_is_no_single_block_of_memory(engine: Engine) -> None:
    x = ramp(1, 6, 7, 3).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(engine.run([x])[0], convolved(x), atol=1e-5)


def test_inputs_keep_their_order(settings: EngineSettings, difference: Path) -> None:
    engine = open_engine(difference, settings)
    assert engine.inputs == ("left", "right")
    [y] = engine.run([np.array([[5, 7]], np.float32), np.array([[1, 2]], np.float32)])
    np.testing.assert_array_equal(y, [[4, 5]])


def test_answers_belong_to_the_caller(engine: Engine) -> None:
    first = engine.run([ramp(1, 3, 4, 4)])[0]
    kept = first.copy()
    engine.run([ramp(1, 3, 4, 4) + 3])
    np.testing.assert_array_equal(first, kept)
    first[:] = 0
    np.testing.assert_allclose(engine.run([ramp(1, 3, 4, 4)])[0], kept)


def test_threads_run_at_once(engine: Engine) -> None:
    batches = [ramp(1, 3, 6, 4 + i % 5) + i for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda x: engine.run([x])[0], batches))
    for x, y in zip(batches, answers, strict=True):
        np.testing.assert_allclose(y, convolved(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 4, 8, 8), (3, 8, 8)])
def test_a_wrong_shape_is_named(engine: Engine, shape: tuple[int, ...]) -> None:
    with pytest.raises(EngineError, match=f"inputs {'x'.join(map(str, shape))}") as caught:
        engine.run([np.zeros(shape, np.float32)])
    assert caught.value.exit_status == 4
    assert caught.value.__cause__ is not None
    np.testing.assert_allclose(engine.run([ramp(1, 3, 2, 2)])[0], convolved(ramp(1, 3, 2, 2)), atol=1e-5)  # and nothing is broken


@pytest.mark.parametrize("count", [0, 1, 3])
def test_each_input_needs_its_array(settings: EngineSettings, difference: Path, count: int) -> None:
    engine = open_engine(difference, settings)
    engine.run([np.ones((1, 2), np.float32), np.ones((1, 2), np.float32)])  # what was given here must not be used again
    with pytest.raises(EngineError, match=f"has the inputs left, right, but was given {count}"):
        engine.run([np.ones((1, 2), np.float32)] * count)


def test_values_that_no_network_takes(engine: Engine) -> None:
    with pytest.raises(EngineError, match="inputs 1"):
        engine.run([np.array(["text"], dtype=object)])


@pytest.mark.parametrize("content", [None, b"", b"this is text", "cut"])
def test_a_file_that_is_no_network(settings: EngineSettings, convolution: Path, tmp_path: Path, content: object) -> None:
    path = tmp_path / "network.onnx"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else convolution.read_bytes()[:150])
    with pytest.raises(ModelError, match=r"cannot load network\.onnx") as caught:
        open_engine(path, settings)
    assert caught.value.source == str(path)
    assert "\n" not in str(caught.value)


def test_threads_can_be_limited(settings: EngineSettings, convolution: Path) -> None:
    engine = open_engine(convolution, EngineSettings(settings.engine, threads=1))
    np.testing.assert_allclose(engine.run([ramp(1, 3, 9, 9)])[0], convolved(ramp(1, 3, 9, 9)), atol=0.05)


def test_the_name_says_what_runs(engine: Engine, settings: EngineSettings) -> None:
    assert engine.name.startswith(f"{settings.engine} ")
    assert engine.name.endswith(" f32")
