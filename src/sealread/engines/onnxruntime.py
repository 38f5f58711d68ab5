"""ONNX Runtime: runs everywhere. The only door to the `onnxruntime` package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sealread.engines.protocol import shapes_of
from sealread.errors import EngineError, ModelError
from sealread.types import Tensor


class OnnxRuntimeEngine:
    """A network in ONNX Runtime, shapes dynamic.

    Args:
        path: an ONNX file.
        threads: CPU threads; None leaves the choice to the runtime.
        providers: execution providers by preference.
    """

    def __init__(self, path: Path, *, threads: int | None = None, providers: Sequence[str] = ("CPUExecutionProvider",)) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=list(providers))
        except Exception as cause:  # ONNX Runtime has no public base class for its errors.
            raise ModelError(f"ONNX Runtime cannot load {path.name}: {str(cause).splitlines()[0]}; check that it is an ONNX network", source=str(path)) from cause
        self.name = f"onnxruntime {onnxruntime.__version__} f32"
        self.inputs = tuple(value.name for value in self._session.get_inputs())

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """See `Engine.run`."""
        try:
            outputs = self._session.run(None, dict(zip(self.inputs, inputs, strict=True)))
        except Exception as cause:  # ONNX Runtime has no public base class for its errors.
            raise EngineError(f"ONNX Runtime failed on inputs {shapes_of(inputs)}: {str(cause).splitlines()[0]}") from cause
        return [np.asarray(output) for output in outputs]
