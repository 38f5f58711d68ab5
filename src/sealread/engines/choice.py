"""Which engine runs a network on a device of this machine, and what happens where it cannot."""

from __future__ import annotations

import importlib.util
import logging
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2

from sealread.engines.devices import CPU, WAYS, Device, Way, packages
from sealread.engines.int8 import calibrated
from sealread.engines.protocol import Engine
from sealread.errors import InputError, ModelError

_log = logging.getLogger(__name__)

ENGINES = ("openvino", "onnxruntime", "tensorrt", "paddle")
PRECISIONS = ("f32", "bf16", "f16", "int8")
#: What each engine computes in; what a device of OpenVINO's makes of it is checked when a network is loaded.
_COMPUTES: Mapping[str, tuple[str, ...]] = {
    "openvino": PRECISIONS,
    "onnxruntime": ("f32", "int8"),
    "tensorrt": ("f32", "f16", "int8"),
    "paddle": ("f32", "bf16", "f16"),
}
#: OpenCV's number of AVX-512 as Skylake-X and later have it (``cv::CPU_AVX512_SKX``).
_AVX512 = 256
#: Files that only Paddle's own runtime reads.
_PADDLE_PROGRAMS = (".json", ".pdmodel")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How networks are run.

    Attributes:
        engine: one of `ENGINES`, or None: the fastest known for the device among those that are installed.
        precision: one of `PRECISIONS`, or None: the engine's choice for the device.
        threads: CPU threads, None for the engine's choice.
        cache: folder for compiled networks, or None.
        device: one card, or the CPU.
        others: whether another engine may run what the chosen one cannot; always so where `engine` is None.
        device_fallback: whether the CPU may take the place of a device that is not there.
        contest: try the engines on each network and keep the fastest.
        convert: whether networks in Paddle's formats may be converted to ONNX.
        options: further settings of the engine, such as ``dynamic_shapes`` for TensorRT.
    """

    engine: str | None = None
    precision: str | None = None
    threads: int | None = None
    cache: Path | None = None
    device: Device = CPU
    others: bool = False
    device_fallback: bool = False
    contest: bool = False
    convert: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.engine is not None and self.engine not in ENGINES:
            raise InputError(f"engine '{self.engine}' is unknown; use {' or '.join(ENGINES)}", parameter="engine")
        if self.precision is not None and self.precision not in PRECISIONS:
            raise InputError(f"precision '{self.precision}' is unknown; use {' or '.join(PRECISIONS)}", parameter="precision")
        if self.threads is not None and (not isinstance(self.threads, int) or isinstance(self.threads, bool) or self.threads < 1):
            raise InputError(f"cpu_threads must be a whole number above 0, but is {self.threads!r}", parameter="cpu_threads")


def ways(settings: EngineSettings) -> list[Way]:
    """The ways that are open on this machine, best first.

    Raises:
        ModelError: none is; the message says which package brings one.
        InputError: the engine does not compute in the precision asked for.
    """
    kind = settings.device.kind
    known = WAYS[kind]
    if kind == "cpu" and not _suits_openvino():
        known = tuple(sorted(known, key=lambda way: way.engine != "onnxruntime"))
    chosen = [way for way in known if settings.engine in (None, way.engine)]
    others = [way for way in known if way not in chosen] if settings.others else []
    found = [way for way in (*chosen, *others) if reaches(way)]
    if not found and settings.device_fallback and kind != "cpu":
        _log.warning("the device %s is not there, so the CPU is used", settings.device)
        return ways(replace(settings, device=CPU, others=True))
    if not found:
        raise _not_there(settings)
    able = [way for way in found if settings.precision is None or settings.precision in _COMPUTES[way.engine]]
    if not able:
        names = " and ".join(dict.fromkeys(way.engine for way in found))
        hint = "; choose the engine openvino" if kind == "cpu" else ""
        raise InputError(f"{names} on {settings.device} does not compute in {settings.precision}{hint}", parameter="precision")
    if settings.engine is not None and able[0].engine != settings.engine:
        _log.warning("%s cannot be used on %s here, so %s is", settings.engine, settings.device, able[0].engine)
    return able


def _suits_openvino() -> bool:
    """Whether OpenVINO is the faster one on this processor: it is where it finds AVX-512 (docs/performance.md tells what was measured)."""
    return platform.machine().lower() in ("x86_64", "amd64") and bool(cv2.checkHardwareSupport(_AVX512))


def reaches(way: Way) -> bool:
    """Whether the package of a way is installed and has its part for the device."""
    package = "onnxruntime" if way.engine == "tensorrt" else way.engine
    if importlib.util.find_spec(package) is None:
        return False
    if way.target in ("CPU", "CPUExecutionProvider", "cpu"):
        return True
    if way.engine == "openvino":
        from sealread.engines.openvino import device_kinds

        return way.target in device_kinds()
    if way.engine == "paddle":
        from sealread.engines import paddle

        return way.target in paddle.device_kinds()
    from sealread.engines.onnxruntime import provider_names

    return way.target in provider_names()


def _not_there(settings: EngineSettings) -> ModelError:
    device, engine = settings.device, settings.engine
    if engine is not None and not any(way.engine == engine for way in WAYS[device.kind]):
        able = ", ".join(dict.fromkeys(way.engine for way in WAYS[device.kind]))
        return ModelError(f"the engine {engine} does not reach the device {device}; use {able}", parameter="engine")
    if device.kind == "cpu":
        name = "onnxruntime" if engine is None else engine
        return ModelError(f"the engine {name} is not installed; run: {packages('cpu', name)}", parameter="engine")
    return ModelError(
        f"the device {device} is not there: no installed package reaches it; run: {packages(device.kind, engine)}; or use the device cpu",
        parameter="device",
    )


def open_ways(path: Path, settings: EngineSettings) -> list[Way]:
    """The ways that are open for a network's file, best first.

    Raises:
        ModelError: none is.
    """
    paddle = path.suffix in _PADDLE_PROGRAMS
    able = [way for way in ways(settings) if (way.engine == "paddle") == paddle]
    if not able:
        kind = "Paddle's own format" if paddle else "ONNX"
        remedy = f"run: {packages(settings.device.kind, 'paddle')}" if paddle else "use the device cpu, or a model_dir in Paddle's format"
        message = f"{path.name} is a network in {kind}, which no installed engine runs on {settings.device}; {remedy}"
        raise ModelError(message, source=str(path), parameter="engine")
    return able


def open_engine(path: Path, settings: EngineSettings) -> Engine:
    """Load a network's file with the best engine that can, saying so in the log where that is not the first.

    Raises:
        ModelError: the file cannot be loaded, or no engine for it is installed.
    """
    able = open_ways(path, settings)
    failure: ModelError | None = None
    for way in able:
        try:
            engine = open_by(path, way, settings)
        except ModelError as cause:
            failure = cause if failure is None else failure
            continue
        if failure is not None:
            _log.warning("%s runs %s instead of %s: %s", engine.name, path.name, able[0].engine, failure)
        return engine
    assert failure is not None
    raise failure


def open_by(path: Path, way: Way, settings: EngineSettings) -> Engine:
    """Load a network's file in one way.

    Raises:
        ModelError: the file cannot be loaded, or the device does not start.
        InputError: the device does not compute in the precision asked for.
    """
    if settings.precision == "int8":
        path = calibrated(path)
    if way.engine == "openvino":
        from sealread.engines.openvino import OpenVinoEngine

        device = way.target if way.target == "CPU" else f"{way.target}.{settings.device.card}"
        return OpenVinoEngine(path, device=device, precision=settings.precision, threads=settings.threads, cache=settings.cache)
    if way.engine == "paddle":
        from sealread.engines.paddle import PaddleEngine

        return PaddleEngine(path, device=way.target, card=settings.device.card, precision=settings.precision, threads=settings.threads)
    from sealread.engines.onnxruntime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(
        path,
        provider=way.target,
        card=settings.device.card,
        precision=settings.precision,
        threads=settings.threads,
        cache=settings.cache,
        options=settings.options,
    )
