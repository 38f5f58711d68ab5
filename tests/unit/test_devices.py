"""Devices that this machine lacks, by stand-ins for the packages that reach them; and what is said where nothing does."""

from __future__ import annotations

import importlib.util
import logging
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx import helper
from tiny_networks import write_network

from sealread import create_pipeline
from sealread.engine_config import EngineArguments
from sealread.engines import EngineSettings, open_engine, open_fastest
from sealread.engines.choice import open_ways, ways
from sealread.engines.devices import DEVICE_KINDS, WAYS, Device, parse_device
from sealread.errors import InputError, ModelError

X = np.array([[1.5, -2]], np.float32)


@pytest.fixture(scope="module")
def doubler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("networks") / "doubler.onnx"
    return write_network(path, [helper.make_node("Add", ["x", "x"], ["y"])], {"x": ("n", 2)}, ("n", 2), {})


class StandIn:
    """An ONNX Runtime session on a device that is not here: it notes how it was asked for and computes on the CPU."""

    asked: list[Any]
    starts = True

    def __init__(self, path: str, options: Any, *, providers: list[Any], enable_fallback: int) -> None:
        import onnxruntime

        assert enable_fallback == 0
        type(self).asked.append(providers)
        self._providers = [provider if isinstance(provider, str) else provider[0] for provider in providers]
        self._session = onnxruntime.capi.onnxruntime_inference_collection.InferenceSession(path, options)

    def get_providers(self) -> list[str]:
        return self._providers if self.starts else self._providers[1:]

    def get_inputs(self) -> Any:
        return self._session.get_inputs()

    def run(self, *arguments: Any) -> Any:
        return self._session.run(*arguments)


#: What CUDA is asked for, beside the card.
CUDA = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets providers look as if the installed ONNX Runtime had them."""
    import onnxruntime

    def add(*providers: str, starts: bool = True) -> type[StandIn]:
        kind = type("Asked", (StandIn,), {"asked": [], "starts": starts})
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*providers, "CPUExecutionProvider"])
        monkeypatch.setattr(onnxruntime, "InferenceSession", kind)
        return kind

    return add


@pytest.mark.parametrize(
    ("device", "provider", "settings"),
    [
        ("gpu:1", "CUDAExecutionProvider", {"device_id": 1, **CUDA}),
        ("gpu", "MIGraphXExecutionProvider", {"device_id": 0}),
        ("dcu:2", "ROCMExecutionProvider", {"device_id": 2}),
        ("npu:3", "CANNExecutionProvider", {"device_id": 3}),
        ("gpu:0", "DmlExecutionProvider", {"device_id": 0}),
        ("gpu:0", "CoreMLExecutionProvider", {}),
    ],
)
def test_a_device_is_reached_by_its_provider(doubler: Path, installed: Any, device: str, provider: str, settings: dict[str, Any]) -> None:
    session = installed(provider)
    engine = open_engine(doubler, EngineSettings(device=parse_device(device)))
    assert session.asked == [[(provider, settings), ("CPUExecutionProvider", {})]]
    assert provider.removesuffix("ExecutionProvider") in engine.name
    np.testing.assert_allclose(engine.run([X])[0], 2 * X)


def test_with_cuda_each_shape_keeps_its_plans(doubler: Path, installed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealread.engines.onnxruntime._MOST_SESSIONS", 2)
    session = installed("CUDAExecutionProvider")
    engine = open_engine(doubler, EngineSettings(device=parse_device("gpu")))
    assert engine.plans
    for rows, opened in ((1, 1), (2, 2), (1, 2), (3, 3), (1, 3), (2, 4)):  # the third shape pushes out the second, not the first
        x = np.ones((rows, 2), np.float32)
        np.testing.assert_allclose(engine.run([x])[0], 2 * x)
        assert len(session.asked) == opened
    assert not open_engine(doubler, EngineSettings("onnxruntime")).plans


def test_tensorrt_gets_its_settings_and_cuda_behind_it_runs_on_the_same_card(doubler: Path, installed: Any, tmp_path: Path) -> None:
    session = installed("CUDAExecutionProvider", "TensorrtExecutionProvider")
    tuned = {"backend": "tensorrt", "backend_config": {"precision": "fp16", "dynamic_shapes": {"x": [[1, 2], [1, 2], [8, 2]]}}}
    settings = EngineArguments(use_hpip=True, hpi_config=tuned, device=parse_device("gpu:1")).settings(_block())
    assert ways(settings)[0].target == "TensorrtExecutionProvider"
    open_engine(doubler, settings)
    [[(provider, given), *behind]] = session.asked
    assert provider == "TensorrtExecutionProvider"
    assert behind == [
        ("CUDAExecutionProvider", {"device_id": 1, **CUDA}),
        ("CPUExecutionProvider", {}),
    ]
    assert (given["device_id"], given["trt_fp16_enable"], given["trt_int8_enable"]) == (1, True, False)
    shapes = [given[f"trt_profile_{key}_shapes"] for key in ("min", "opt", "max")]
    assert shapes == ["x:1x2", "x:1x2", "x:8x2"]
    with pytest.raises(InputError, match="dynamic_shapes must be like"):
        open_engine(doubler, EngineSettings("tensorrt", device=parse_device("gpu"), options={"dynamic_shapes": {"x": 3}}))


def test_a_provider_that_does_not_start_is_an_error(doubler: Path, installed: Any) -> None:
    installed("CUDAExecutionProvider", starts=False)
    with pytest.raises(ModelError, match=r"CUDAExecutionProvider did not start for card 0; check its driver"):
        open_engine(doubler, EngineSettings("onnxruntime", device=parse_device("gpu")))


@pytest.mark.parametrize("kind", DEVICE_KINDS[1:])
def test_a_device_that_is_not_there_names_its_packages(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "paddle" else find(name, *rest))
    with pytest.raises(ModelError, match=f"the device {kind}:0 is not there") as caught:
        create_pipeline(device=kind)
    assert caught.value.parameter == "device"
    assert "\n" not in str(caught.value)
    assert all(f"pip install {way.install}" in str(caught.value) for way in WAYS[kind])


@pytest.mark.parametrize(
    ("device", "there", "reached"),
    [("mlu:1", {"mlu"}, True), ("npu", {"mlu"}, False), ("xpu", {"xpu"}, True), ("dcu", {"rocm"}, True), ("gpu", set(), False)],
)
def test_paddle_reaches_what_it_was_built_for(monkeypatch: pytest.MonkeyPatch, device: str, there: set[str], reached: bool) -> None:
    """A stand-in for the package `paddle` that was built for some device, or has a plug-in for it."""
    stand_in = SimpleNamespace(
        __spec__=ModuleSpec("paddle", None),
        is_compiled_with_cuda=lambda: False,
        is_compiled_with_rocm=lambda: "rocm" in there,
        is_compiled_with_xpu=lambda: "xpu" in there,
        device=SimpleNamespace(get_all_custom_device_type=lambda: sorted(there - {"rocm", "xpu"})),
    )
    monkeypatch.setitem(sys.modules, "paddle", stand_in)
    settings = EngineSettings(device=parse_device(device))
    if reached:
        assert [way.engine for way in ways(settings)] == ["paddle"]
    else:
        with pytest.raises(ModelError, match=f"the device {device}.* is not there"):
            ways(settings)


def test_the_cpu_takes_the_place_of_a_device_only_if_asked(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        [way, *_] = ways(EngineSettings(device=Device("npu", (0,)), device_fallback=True))
    assert way in WAYS["cpu"]
    assert caplog.messages == ["the device npu:0 is not there, so the CPU is used"]
    create_pipeline(device="gpu:0", engine_config={"device_fallback": True})


def test_an_engine_that_does_not_reach_the_device() -> None:
    with pytest.raises(ModelError, match="openvino does not reach the device mlu:0; use paddle"):
        create_pipeline(device="mlu", engine="openvino")


@pytest.mark.parametrize("precision", ["f16", "f32", "bf16"])
def test_a_precision_is_computed_or_refused(doubler: Path, precision: str) -> None:
    settings = EngineSettings("openvino", precision)
    try:
        engine = open_engine(doubler, settings)
    except InputError as refused:
        assert f"does not compute in {precision} on this CPU; use " in str(refused)
        assert precision != "f32"
    else:
        assert engine.name.endswith(precision)


def test_int8_wants_calibrated_networks(doubler: Path) -> None:
    with pytest.raises(ModelError, match="run: sealread quantise"):
        open_engine(doubler, EngineSettings(precision="int8"))


class TestHighPerformance:
    def test_the_fastest_engine_is_found_and_remembered(
        self, doubler: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path))
        tried: list[int] = []

        def sample(names: Any) -> list[Any]:
            assert tuple(names) == ("x",)
            tried.append(1)
            return [X]

        settings = EngineSettings(contest=True)
        with caplog.at_level(logging.INFO):
            first = open_fastest(doubler, settings, sample)
        assert len(tried) == len(open_ways(doubler, settings))
        assert f"{first.name} is the fastest for doubler.onnx" in caplog.text
        assert open_fastest(doubler, settings, sample).name == first.name
        assert len(tried) == len(open_ways(doubler, settings))
        np.testing.assert_allclose(first.run([X])[0], 2 * X)

    def test_a_memory_that_is_damaged_is_made_anew(self, doubler: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path))
        (tmp_path / "fastest.json").write_text("[damaged")
        open_fastest(doubler, EngineSettings(contest=True), lambda names: [X])
        assert (tmp_path / "fastest.json").read_text().startswith("{")

    def test_an_engine_that_fails_is_left_aside(self, doubler: Path, installed: Any, caplog: pytest.LogCaptureFixture) -> None:
        installed("CUDAExecutionProvider", starts=False)
        tuned = EngineArguments(use_hpip=True, hpi_config={"backend": "onnxruntime"}).settings(_block())
        with caplog.at_level(logging.WARNING):
            engine = open_engine(doubler, tuned)
        assert engine.name.startswith("openvino ")
        assert len(caplog.messages) == 1
        assert "instead of onnxruntime: " in caplog.text

    def test_a_backend_that_does_not_reach_the_device_is_replaced_and_that_is_said(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            settings = EngineArguments(use_hpip=True, hpi_config={"backend": "tensorrt"}).settings(_block())
        assert settings.others
        assert len(caplog.messages) == 1
        assert caplog.messages[0].startswith("tensorrt cannot be used on cpu here, so ")
        with pytest.raises(ModelError, match="tensorrt does not reach the device cpu"):
            EngineArguments(use_hpip=True, hpi_config={"backend": "tensorrt", "auto_config": False}).settings(_block())

    def test_om_is_left_aside(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING):
            assert EngineArguments(use_hpip=True, hpi_config={"backend": "om"}).settings(_block()).contest
        assert "om is not supported" in caplog.text


class TestBlocks:
    def test_a_deeper_block_goes_first_key_by_key(self) -> None:
        top = _block(engine="openvino", engine_config={"precision": "f32", "cpu_threads": 3})
        module = _block(engine_config={"cpu_threads": 1})
        settings = EngineArguments().settings(top, None, module)
        assert (settings.engine, settings.precision, settings.threads) == ("openvino", "f32", 1)
        assert EngineArguments(engine="onnxruntime").settings(top, module).engine == "onnxruntime"

    def test_a_block_with_use_hpip_does_not_inherit_the_engine(self) -> None:
        settings = EngineArguments().settings(_block(engine="onnxruntime"), _block(use_hpip=True))
        assert settings.engine is None
        assert settings.contest

    def test_high_performance_keys_are_merged(self) -> None:
        top = _block(use_hpip=True, hpi_config={"backend": "onnxruntime", "auto_config": False})
        module = _block(hpi_config={"backend_config": {"cpu_num_threads": 2}})
        settings = EngineArguments().settings(top, module)
        assert (settings.engine, settings.threads, settings.others, settings.contest) == ("onnxruntime", 2, False, False)

    def test_keys_may_be_parted_by_engine(self) -> None:
        parted = {"openvino": {"precision": "bf16"}, "onnxruntime": {"cpu_threads": 2}}
        settings = EngineArguments(engine="onnxruntime", engine_config=parted).settings(_block())
        assert (settings.precision, settings.threads) == (None, 2)

    def test_names_of_the_reference(self) -> None:
        settings = EngineArguments(engine="hpi", engine_config={"precision": "fp32"}).settings(_block())
        assert settings.contest
        assert settings.precision == "f32"

    def test_instances_on_the_cpu_share_its_cores(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sealread.engine_config.cores", lambda: 8)
        two = EngineArguments(device=parse_device("cpu:0,1")).each()
        assert [arguments.settings(_block()).threads for arguments in two] == [4, 4]
        assert EngineArguments(engine_config={"cpu_threads": 3}, device=parse_device("cpu:0,1")).each()[0].settings(_block()).threads == 3
        assert [str(each.device) for each in EngineArguments(device=parse_device("gpu:0,2")).each()] == ["gpu:0", "gpu:2"]


def _block(**keys: Any) -> Any:
    from sealread.blocks import Engine

    return Engine(**keys)
