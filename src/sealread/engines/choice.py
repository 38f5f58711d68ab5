"""Which engine runs a network on this machine."""

from __future__ import annotations

import importlib.util
import platform
from dataclasses import dataclass
from pathlib import Path

from sealread.engines.protocol import Engine
from sealread.errors import InputError, ModelError

ENGINES = ("openvino", "onnxruntime")
PRECISIONS = ("f32", "bf16")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How networks are run.

    Attributes:
        engine: ``openvino``, ``onnxruntime`` or None: OpenVINO on x86-64 where it is installed, else ONNX Runtime.
        precision: ``f32``, ``bf16`` or None: the engine's choice for this CPU.
        threads: CPU threads, None for the engine's choice.
        cache: folder for compiled networks, or None.
    """

    engine: str | None = None
    precision: str | None = None
    threads: int | None = None
    cache: Path | None = None

    def __post_init__(self) -> None:
        if self.engine is not None and self.engine not in ENGINES:
            raise InputError(f"engine '{self.engine}' is unknown; use {' or '.join(ENGINES)}", parameter="engine")
        if self.precision is not None and self.precision not in PRECISIONS:
            raise InputError(f"precision '{self.precision}' is unknown; use {' or '.join(PRECISIONS)}", parameter="precision")
        if self.threads is not None and (not isinstance(self.threads, int) or isinstance(self.threads, bool) or self.threads < 1):
            raise InputError(f"cpu_threads must be a whole number above 0, but is {self.threads!r}", parameter="cpu_threads")


def chosen_engine(settings: EngineSettings) -> str:
    """The engine that the settings mean on this machine.

    Raises:
        ModelError: the engine is not installed.
        InputError: it does not compute in the precision asked for.
    """
    chosen = settings.engine
    if chosen is None:
        fits = platform.machine().lower() in ("x86_64", "amd64") and importlib.util.find_spec("openvino") is not None
        chosen = "openvino" if fits else "onnxruntime"
    if importlib.util.find_spec(chosen) is None:
        raise ModelError(f"the engine {chosen} is not installed; run: pip install {chosen}", parameter="engine")
    if chosen == "onnxruntime" and settings.precision not in (None, "f32"):
        raise InputError(
            f"ONNX Runtime on the CPU computes in f32, not {settings.precision}; choose the engine openvino", parameter="precision"
        )
    return chosen


def open_engine(path: Path, settings: EngineSettings) -> Engine:
    """Load an ONNX file.

    Raises:
        ModelError: the file cannot be loaded, or the engine is not installed.
    """
    if chosen_engine(settings) == "openvino":
        from sealread.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(path, precision=settings.precision, threads=settings.threads, cache=settings.cache)
    from sealread.engines.onnxruntime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(path, threads=settings.threads)
