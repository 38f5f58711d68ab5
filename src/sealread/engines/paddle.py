"""Paddle's own runtime, for networks in Paddle's own formats. The only door to the `paddle` package (extra [paddle])."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sealread.engines.protocol import require_all, shapes_of
from sealread.errors import EngineError, ModelError
from sealread.types import Tensor


class PaddleEngine:
    """A network in Paddle Inference, shapes dynamic.

    Args:
        program: ``inference.json`` or ``inference.pdmodel``, with ``inference.pdiparams`` beside it.
        device: ``cpu``, ``gpu``, or the kind that a plug-in brings.
        card: number of the card.
        precision: ``f32``, ``bf16`` (on the CPU, by oneDNN), ``f16`` (on GPUs); None is f32.
        threads: CPU threads; None leaves the choice to Paddle.

    Raises:
        ModelError: the files are not there or damaged, or Paddle is not built for the device.
    """

    plans = False

    def __init__(
        self, program: Path, *, device: str = "cpu", card: int = 0, precision: str | None = None, threads: int | None = None
    ) -> None:
        try:
            with warnings.catch_warnings(action="ignore"):  # of compilers that nobody needs here
                import paddle
                from paddle import inference
        except ImportError as cause:
            message = (
                f"Paddle, which runs {program.name}, is not installed or does not start ({cause}); run: pip install 'sealread[paddle]'"
            )
            raise ModelError(message, source=str(program), parameter="engine") from cause
        weights = program.with_suffix(".pdiparams")
        for file in (program, weights):
            if not file.is_file():
                raise ModelError(f"{file} is not there; export the model again", source=str(program), parameter="model_dir")
        try:
            config = inference.Config(str(program), str(weights))
            config.disable_glog_info()
            if device == "cpu":
                config.disable_gpu()
                # With oneDNN, its default, Paddle 3.2.2 fails on the tiny RT-DETR of the tests and gives wrong answers of the flattener.
                config.disable_mkldnn()
                if precision == "bf16":
                    config.enable_mkldnn()
                    config.enable_mkldnn_bfloat16()
            elif device == "gpu":
                kind = inference.PrecisionType.Half if precision == "f16" else inference.PrecisionType.Float32
                config.enable_use_gpu(256, card, kind)
            elif device == "xpu":
                config.enable_xpu()
                config.set_xpu_device_id(card)
            else:
                config.enable_custom_device(device, card)
            if threads is not None:
                config.set_cpu_math_library_num_threads(threads)
            self._predictor = inference.create_predictor(config)
        except Exception as cause:  # Paddle has no public base class for its errors.
            message = f"Paddle cannot load {program.name} on {device}: {_reason(cause)}; export it again with Paddle 3.2"
            raise ModelError(message, source=str(program), parameter="model_dir") from cause
        self._local = threading.local()
        self._lock = threading.Lock()
        self.name = f"paddle {paddle.__version__} {'f32' if precision is None else precision}"
        self.inputs = tuple(self._predictor.get_input_names())

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """See `Engine.run`."""
        require_all(self.inputs, inputs)
        predictor = self._own()
        try:
            for name, array in zip(self.inputs, inputs, strict=True):
                predictor.get_input_handle(name).copy_from_cpu(np.ascontiguousarray(array))
            predictor.run()
            return [np.asarray(predictor.get_output_handle(name).copy_to_cpu()) for name in predictor.get_output_names()]
        except Exception as cause:  # Paddle has no public base class for its errors.
            raise EngineError(f"Paddle failed on inputs {shapes_of(inputs)}: {_reason(cause)}") from cause

    def _own(self) -> Any:
        """This thread's predictor; all share the weights."""
        predictor = getattr(self._local, "predictor", None)
        if predictor is None:
            with self._lock:
                predictor = self._local.predictor = self._predictor.clone()
        return predictor


def device_kinds() -> frozenset[str]:
    """The kinds of devices that the installed Paddle was built for or has plug-ins for; builds for AMD and Hygon call theirs ``gpu``."""
    try:
        with warnings.catch_warnings(action="ignore"):
            import paddle
    except ImportError:
        return frozenset()
    built = {"gpu": paddle.is_compiled_with_cuda() or paddle.is_compiled_with_rocm(), "xpu": paddle.is_compiled_with_xpu()}
    return frozenset(("cpu", *(kind for kind, there in built.items() if there), *paddle.device.get_all_custom_device_type()))


def _reason(cause: Exception) -> str:
    """The line of Paddle's long messages that says what is wrong."""
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    told = [line for line in lines if "Error:" in line or line.startswith("[Hint")]
    return (told or lines or [type(cause).__name__])[-1]
