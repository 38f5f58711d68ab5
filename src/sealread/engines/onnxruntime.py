"""ONNX Runtime: runs everywhere. The only door to the `onnxruntime` package."""

from __future__ import annotations

import functools
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from sealread.engines.protocol import require_all, shapes_of
from sealread.errors import EngineError, InputError, ModelError
from sealread.types import Tensor

_CPU = "CPUExecutionProvider"
#: What runs the parts of a network that a provider leaves over, before the CPU does.
_BEHIND = {"TensorrtExecutionProvider": ("CUDAExecutionProvider",)}
#: Providers that need CUDA's libraries.
_NVIDIA = ("CUDAExecutionProvider", "TensorrtExecutionProvider")
#: Shapes that one network keeps plans for.
_MOST_SESSIONS = 96
#: Providers that know no number of a card.
_WITHOUT_CARD = (_CPU, "CoreMLExecutionProvider")


class OnnxRuntimeEngine:
    """A network in ONNX Runtime, shapes dynamic.

    CUDA's convolutions are planned for one shape at a time, which takes up to seconds, and a session forgets a plan once it sees another
    shape. So there each shape has a session of its own; those that were not used for the longest time are given up.

    Args:
        path: an ONNX file.
        provider: the execution provider; the CPU runs the parts that it leaves over.
        card: number of the card.
        precision: ``f16`` for TensorRT; ``int8`` only names what the file holds; else f32.
        threads: CPU threads; None leaves the choice to the runtime.
        cache: folder for compiled networks, where the provider keeps such.
        options: ``dynamic_shapes`` for TensorRT: ``{input: [least, usual, largest]}``; ``provider_options``: passed on as they are.

    Raises:
        ModelError: the file is not there, damaged or no ONNX network, or the provider does not start.
    """

    def __init__(
        self,
        path: Path,
        *,
        provider: str = _CPU,
        card: int = 0,
        precision: str | None = None,
        threads: int | None = None,
        cache: Path | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        import onnxruntime

        if provider in _NVIDIA:
            _find_cuda()
        session_options = onnxruntime.SessionOptions()
        session_options.log_severity_level = 3
        # Threads that spin while they wait for the next network keep a core from what runs in between and beside.
        session_options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            session_options.intra_op_num_threads = threads
        settings = provider_settings(provider, card, precision, cache, {} if options is None else options)
        behind = [(name, provider_settings(name, card, None, None, {})) for name in (*_BEHIND.get(provider, ()), _CPU) if name != provider]
        # Without enable_fallback=0 a provider that fails is replaced in silence.
        self._open = functools.partial(
            onnxruntime.InferenceSession, str(path), session_options, providers=[(provider, settings), *behind], enable_fallback=0
        )
        try:
            session = self._open()
        except Exception as cause:  # ONNX Runtime has no public base class for its errors.
            raise _unloadable(path, cause) from cause
        if session.get_providers()[:1] != [provider]:
            message = f"ONNX Runtime's {provider} did not start for card {card}; check its driver and libraries, or use the device cpu"
            raise ModelError(message, source=str(path), parameter="device")
        self.plans = provider == "CUDAExecutionProvider"
        self._lock = threading.Lock()
        self._unused: Any = session
        self._sessions: OrderedDict[tuple[tuple[int, ...], ...], Any] = OrderedDict()
        part = "" if provider == _CPU else f" {provider.removesuffix('ExecutionProvider')}"
        self.name = f"onnxruntime {onnxruntime.__version__}{part} {'f32' if precision is None else precision}"
        self.inputs = tuple(value.name for value in session.get_inputs())

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """See `Engine.run`."""
        require_all(self.inputs, inputs)
        try:
            session = self._session(tuple(array.shape for array in inputs) if self.plans else ())
            outputs = session.run(None, dict(zip(self.inputs, inputs, strict=True)))
        except Exception as cause:  # ONNX Runtime has no public base class for its errors.
            raise EngineError(f"ONNX Runtime failed on inputs {shapes_of(inputs)}: {str(cause).splitlines()[0]}") from cause
        return [np.asarray(output) for output in outputs]

    def _session(self, key: tuple[tuple[int, ...], ...]) -> Any:
        with self._lock:
            if key not in self._sessions:
                self._sessions[key] = self._unused if self._unused is not None else self._open()
                self._unused = None
            self._sessions.move_to_end(key)
            if len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
            return self._sessions[key]


@functools.cache
def _find_cuda() -> None:
    """Load CUDA's libraries from the packages that pip put beside ONNX Runtime, once in a process; what is lacking is printed."""
    import onnxruntime

    if hasattr(onnxruntime, "preload_dlls"):  # since 1.21
        with redirect_stdout(sys.stderr):
            onnxruntime.preload_dlls()
    # ONNX Runtime warns of each session that no plug-in serves the card, though the provider does.
    onnxruntime.set_default_logger_severity(3)


def provider_settings(provider: str, card: int, precision: str | None, cache: Path | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an execution provider, in its own words.

    Raises:
        InputError: `options` are not understood.
    """
    settings: dict[str, Any] = {} if provider in _WITHOUT_CARD else {"device_id": card}
    if provider == "CUDAExecutionProvider":
        # On an H100 (ONNX Runtime 1.31) a batch of lines takes 5 ms with it, after 0.7 to 3 s for the first of its size, and 130 ms with
        # DEFAULT. EXHAUSTIVE, which is the provider's own choice, plans longer and is no faster.
        settings["cudnn_conv_algo_search"] = "HEURISTIC"
        # Products of 19 bits are no faster here, and texts should be those of the CPU.
        settings["use_tf32"] = "0"
    if provider == "TensorrtExecutionProvider":
        settings["trt_fp16_enable"] = precision == "f16"
        settings["trt_int8_enable"] = precision == "int8"
        if cache is not None:
            settings.update(trt_engine_cache_enable=True, trt_engine_cache_path=str(cache), trt_timing_cache_enable=True)
        for key, which in (("min", 0), ("opt", 1), ("max", 2)):
            shapes = _profile(options.get("dynamic_shapes"), which)
            if shapes:
                settings[f"trt_profile_{key}_shapes"] = shapes
    extra = options.get("provider_options", {})
    if not isinstance(extra, Mapping):
        raise InputError(f"provider_options must be a block of keys, but is {extra!r}", parameter="provider_options")
    return {**settings, **extra}


def _profile(shapes: Any, which: int) -> str:
    """One column of ``{input: [least, usual, largest]}`` as TensorRT's provider wants it: ``x:1x3x48x160``."""
    if shapes is None:
        return ""
    try:
        return ",".join(f"{name}:{'x'.join(str(int(side)) for side in three[which])}" for name, three in shapes.items())
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as cause:
        message = f"dynamic_shapes must be like {{'x': [[1, 3, 48, 160], [1, 3, 48, 320], [8, 3, 48, 3200]]}}, but is {shapes!r}"
        raise InputError(message, parameter="dynamic_shapes") from cause


def provider_names() -> frozenset[str]:
    """The execution providers that the installed package was built with."""
    import onnxruntime

    return frozenset(onnxruntime.get_available_providers())


def metadata(path: Path) -> Mapping[str, str]:
    """The notes that an ONNX file carries beside its network.

    Raises:
        ModelError: the file cannot be loaded.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # The network is not run.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=[_CPU])
    except Exception as cause:  # ONNX Runtime has no public base class for its errors.
        raise _unloadable(path, cause) from cause
    notes: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
    return notes


def _unloadable(path: Path, cause: Exception) -> ModelError:
    reason = str(cause).splitlines()[0]
    return ModelError(f"ONNX Runtime cannot load {path.name}: {reason}; check that it is an ONNX network", source=str(path))
