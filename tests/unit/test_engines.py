"""Which engine is chosen, and the settings that decide it."""

from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper
from tiny_networks import write_network

from sealread import create_pipeline
from sealread.cache import default_cache
from sealread.engines import EngineSettings, open_engine
from sealread.engines.choice import ways
from sealread.engines.openvino import multiplies_bf16
from sealread.errors import InputError, ModelError


@pytest.fixture(scope="module")
def doubler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("networks") / "doubler.onnx"
    return write_network(path, [helper.make_node("Add", ["x", "x"], ["y"])], {"x": ("n", 2)}, ("n", 2), {})


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """Let these packages look as if they were not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name in packages else find(name, *rest))


@pytest.mark.parametrize(
    ("machine", "avx512", "engine"),
    [("x86_64", True, "openvino"), ("AMD64", True, "openvino"), ("x86_64", False, "onnxruntime"), ("aarch64", True, "onnxruntime")],
)
def test_the_faster_engine_is_chosen(monkeypatch: pytest.MonkeyPatch, machine: str, avx512: bool, engine: str) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("cv2.checkHardwareSupport", lambda feature: avx512 and feature == 256)
    assert ways(EngineSettings())[0].engine == engine
    without(monkeypatch, "openvino")
    assert ways(EngineSettings())[0].engine == "onnxruntime"


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_an_engine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    without(monkeypatch, engine)
    with pytest.raises(ModelError, match=f"run: pip install {engine}") as caught:
        create_pipeline(engine=engine)
    assert caught.value.exit_status == 3


def test_no_engine_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "openvino", "onnxruntime")
    with pytest.raises(ModelError, match="run: pip install onnxruntime"):
        ways(EngineSettings())


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"engine": "tensorflow"}, "engine"),
        ({"engine": 5}, "engine"),
        ({"engine_config": {"precision": "f8"}}, "precision"),
        ({"engine_config": {"cpu_threads": 0}}, "cpu_threads"),
        ({"engine_config": {"cpu_threads": "two"}}, "cpu_threads"),
        ({"engine_config": {"cpu_threads": True}}, "cpu_threads"),
        ({"engine_config": {"treads": 2}}, "engine_config"),
        ({"engine_config": ["precision"]}, "engine_config"),
        ({"engine": "onnxruntime", "engine_config": {"precision": "bf16"}}, "precision"),
        ({"use_hpip": True, "hpi_config": "openvino"}, "hpi_config"),
        ({"use_hpip": True, "hpi_config": {"backend_config": 4}}, "hpi_config"),
        ({"use_hpip": True, "hpi_config": {"backend_config": {"cpu_num_threads": -1}}}, "cpu_threads"),
        ({"use_hpip": True, "hpi_config": {"backend_config": {"cpu_threads_": 1}}}, "hpi_config"),
        ({"use_hpip": True, "hpi_config": {"backend_config": {"use_dynamic_shapes": False}}}, "hpi_config"),
        ({"use_hpip": True, "hpi_config": {"backed": "openvino"}}, "hpi_config"),
        ({"use_hpip": True, "hpi_config": {"backend": "caffe"}}, "hpi_config"),
        ({"use_hpip": True, "hpi_config": {"backend": "om", "auto_config": False}}, "hpi_config"),
        ({"use_hpip": True, "hpi_config": {"auto_config": False}}, "hpi_config"),
        ({"use_hpip": True, "hpi_config": {"auto_config": "sometimes"}}, "hpi_config"),
        ({"engine_config": {"device_fallback": 3}}, "engine_config"),
        ({"device": "cpu:"}, "device"),
        ({"device": "cpu:0:1"}, "device"),
        ({"device": "toaster"}, "device"),
        ({"device": 0}, "device"),
    ],
)
def test_bad_settings_are_refused_when_the_pipeline_is_made(arguments: dict[str, Any], parameter: str) -> None:
    with pytest.raises(InputError) as caught:
        create_pipeline(**arguments)
    assert caught.value.parameter == parameter


def test_high_performance_settings_choose_engine_and_threads(tiny: dict[str, Any]) -> None:
    tuned = {"backend": "onnxruntime", "backend_config": {"cpu_num_threads": 1}}
    made = create_pipeline(config=tiny, use_hpip=True, hpi_config=tuned)
    assert {row["engine"].split()[0] for row in made.describe() if row["engine"] is not None} == {"onnxruntime"}
    without_it = create_pipeline(config={**tiny, "use_hpip": True, "hpi_config": tuned}, use_hpip=False, engine="openvino")
    assert {row["engine"].split()[0] for row in without_it.describe() if row["engine"] is not None} == {"openvino"}


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_openvino_computes_as_asked(doubler: Path, precision: str) -> None:
    if precision == "bf16" and not multiplies_bf16():
        with pytest.raises(InputError, match="does not compute in bf16 on this CPU; use f32"):
            open_engine(doubler, EngineSettings("openvino", precision))
        return
    engine = open_engine(doubler, EngineSettings("openvino", precision))
    assert engine.name.endswith(precision)
    np.testing.assert_allclose(engine.run([np.array([[1.5, -2]], np.float32)])[0], [[3, -4]])


def test_compiled_networks_are_kept_and_found_again(doubler: Path, tmp_path: Path) -> None:
    cache = tmp_path / "deep" / "cache"
    for _ in range(2):
        engine = open_engine(doubler, EngineSettings("openvino", "f32", cache=cache))
        np.testing.assert_allclose(engine.run([np.array([[1, 2]], np.float32)])[0], [[2, 4]])
        assert len(list(cache.iterdir())) == 1
    for blob in cache.iterdir():
        blob.write_bytes(b"damaged")
    engine = open_engine(doubler, EngineSettings("openvino", "f32", cache=cache))
    np.testing.assert_allclose(engine.run([np.array([[1, 2]], np.float32)])[0], [[2, 4]])


def test_a_cache_that_cannot_be_written_breaks_nothing(doubler: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING):
        engine = open_engine(doubler, EngineSettings("openvino", "f32", cache=tmp_path / "file" / "cache"))
    assert "set SEALREAD_CACHE_HOME" in caplog.text
    np.testing.assert_allclose(engine.run([np.array([[1, 2]], np.float32)])[0], [[2, 4]])


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path / "own"))
    assert default_cache() == tmp_path / "own"
    monkeypatch.setenv("SEALREAD_CACHE_HOME", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "sealread"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert default_cache() == Path.home() / ".cache" / "sealread"
