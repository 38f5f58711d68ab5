"""OpenVINO: the fastest engine on x86-64 processors. The only door to the `openvino` package."""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sealread.engines.protocol import require_all, shapes_of
from sealread.errors import EngineError, InputError, ModelError
from sealread.types import Tensor

_log = logging.getLogger(__name__)


class OpenVinoEngine:
    """A network compiled for one device, shapes dynamic.

    Args:
        path: an ONNX file.
        device: ``CPU``, ``GPU.0``, ``NPU.0``.
        precision: ``f32``, ``bf16``, ``f16``; ``int8`` for a network that holds 8-bit layers, whose others run as with None; None
            leaves the choice to the device, and on the CPU chooses bf16 where it multiplies bf16 in hardware, else f32.
        threads: CPU threads; None leaves the choice to OpenVINO.
        cache: folder for compiled networks; None keeps none, and so does a folder that cannot be written.

    Raises:
        ModelError: the file is not there, damaged or no ONNX network, or the device does not take it.
        InputError: the device does not compute in the precision asked for.
    """

    plans = False

    def __init__(
        self, path: Path, *, device: str = "CPU", precision: str | None = None, threads: int | None = None, cache: Path | None = None
    ) -> None:
        # Telemetry must never be sent from here; the package honours this variable.
        os.environ.setdefault("OPENVINO_TELEMETRY_DISABLED", "1")
        import openvino

        core = openvino.Core()
        chosen = None if precision == "int8" else precision
        options: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if device == "CPU":
            chosen = ("bf16" if multiplies_bf16() else "f32") if chosen is None else chosen
            if threads is not None:
                options["INFERENCE_NUM_THREADS"] = threads
        if chosen is not None:
            options["INFERENCE_PRECISION_HINT"] = chosen
        if cache is not None and _writable(cache):
            options["CACHE_DIR"] = str(cache)
        try:
            self._compiled = core.compile_model(str(path), device, options)
        except RuntimeError as cause:
            message = f"OpenVINO cannot load {path.name} for {device}: {_first_line(cause)}; check that it is an ONNX network"
            raise ModelError(message, source=str(path)) from cause
        used = str(self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name())
        if chosen is not None and used != chosen:  # OpenVINO takes the nearest one without a word
            raise InputError(f"OpenVINO does not compute in {chosen} on this {device}; use {used}", parameter="precision")
        self._local = threading.local()
        part = "" if device == "CPU" else f" {device}"
        self.name = f"openvino {openvino.__version__.split('-')[0]}{part} {'int8' if precision == 'int8' else used}"
        self.inputs = tuple(port.get_any_name() for port in self._compiled.inputs)

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """See `Engine.run`."""
        require_all(self.inputs, inputs)
        request = getattr(self._local, "request", None)
        if request is None:
            # Requests are not shared between threads; the compiled network is.
            request = self._local.request = self._compiled.create_infer_request()
        try:
            request.infer(dict(enumerate(inputs)), share_inputs=True)
        except (RuntimeError, TypeError, ValueError) as cause:  # the binding's own for types that no tensor has
            raise EngineError(f"OpenVINO failed on inputs {shapes_of(inputs)}: {_first_line(cause)}") from cause
        return [np.array(request.get_output_tensor(i).data) for i in range(len(self._compiled.outputs))]


def device_kinds() -> frozenset[str]:
    """The kinds of devices that OpenVINO sees here: ``CPU``, ``GPU``, ``NPU``."""
    import openvino

    return frozenset(name.partition(".")[0] for name in openvino.Core().available_devices)


def multiplies_bf16() -> bool:
    """Whether this CPU multiplies bf16 in hardware (AMX or AVX512-BF16): measured 2 to 2.5 times as fast as f32 on either."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _writable(cache: Path) -> bool:
    """Whether compiled networks can be kept there; without them only the start is slower."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache):
            return True
    except OSError as cause:
        _log.warning(
            "compiled networks are not kept: %s cannot be written (%s); set SEALREAD_CACHE_HOME to a folder that can", cache, cause.strerror
        )
        return False


def _first_line(cause: Exception) -> str:
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return lines[-1] if lines else type(cause).__name__
