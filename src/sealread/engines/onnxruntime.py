"""ONNX Runtime: runs everywhere. The only door to the `onnxruntime` package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sealread.engines.protocol import require_all, shapes_of
from sealread.errors import EngineError, ModelError
from sealread.types import Tensor


class OnnxRuntimeEngine:
    """A network in ONNX Runtime, shapes dynamic.

    Args:
        path: an ONNX file.
        threads: CPU threads; None leaves the choice to the runtime.
        providers: execution providers by preference.

    Raises:
        ModelError: the file is not there, damaged or no ONNX network.
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
            raise _unloadable(path, cause) from cause
        self.name = f"onnxruntime {onnxruntime.__version__} f32"
        self.inputs = tuple(value.name for value in self._session.get_inputs())

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """See `Engine.run`."""
        require_all(self.inputs, inputs)
        try:
            outputs = self._session.run(None, dict(zip(self.inputs, inputs, strict=True)))
        except Exception as cause:  # ONNX Runtime has no public base class for its errors.
            raise EngineError(f"ONNX Runtime failed on inputs {shapes_of(inputs)}: {str(cause).splitlines()[0]}") from cause
        return [np.asarray(output) for output in outputs]


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
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as cause:  # ONNX Runtime has no public base class for its errors.
        raise _unloadable(path, cause) from cause
    notes: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
    return notes


def _unloadable(path: Path, cause: Exception) -> ModelError:
    reason = str(cause).splitlines()[0]
    return ModelError(f"ONNX Runtime cannot load {path.name}: {reason}; check that it is an ONNX network", source=str(path))
