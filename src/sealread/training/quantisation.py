"""Networks in 8-bit integers, calibrated on drawn seals: `sealread quantise`.

Method:     the pipeline reads drawn pages and crops while the inputs of each network are noted; ONNX Runtime's static quantisation
            (Jacob et al. 2018) then takes the ranges of all activations from these. Weights have one scale for each output channel.
Gives:      for each network a file in the folder `int8` of the cache, which `precision="int8"` takes.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.version_converter
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from sealread.engines import Engine
from sealread.engines.int8 import place
from sealread.errors import ModelError
from sealread.pipeline import SealPipeline
from sealread.training.synth import draw_crop, draw_page
from sealread.types import Image, Tensor

#: Inputs kept of each network; more change no range, but all are held in memory.
MOST_INPUTS = 64
#: A page stands in for so many crops: it holds several seals.
_CROPS_PER_PAGE = 3
#: What is computed in 8 bits; all else is cheap and stays as it is.
_OPERATIONS = ["Conv", "MatMul", "Gemm"]
#: The version of ONNX's operators that is written at least.
_LEAST_OPSET = 17


class Recorder:
    """An engine that notes what it is given."""

    def __init__(self, engine: Engine) -> None:
        self.name, self.inputs, self.plans = engine.name, engine.inputs, engine.plans
        self.seen: list[dict[str, Tensor]] = []
        self._engine = engine

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """See `Engine.run`."""
        if len(self.seen) < MOST_INPUTS:
            self.seen.append(dict(zip(self.inputs, (np.array(array) for array in inputs), strict=True)))
        return self._engine.run(inputs)


def quantise(pipeline: SealPipeline, count: int, seed: int, progress: Callable[[str], None] = lambda said: None) -> dict[str, Path]:
    """Calibrate every network of a pipeline and write its 8-bit form.

    Args:
        pipeline: in f32.
        count: samples to draw.
        seed: the same seed draws the same samples.
        progress: told what is being done.

    Returns:
        The files by the names of the models.

    Raises:
        ModelError: a network cannot be quantised.
    """
    recorders: dict[str, tuple[Path, Recorder]] = {}
    for stage in pipeline.stages():
        if stage.network.file is not None:
            recorders[stage.network.name] = stage.network.file, stage.wrapped(Recorder)
    progress(f"reading {count} drawn samples")
    for image, is_page in samples(count, seed):
        list(pipeline.predict(image, use_layout_detection=is_page, use_doc_orientation_classify=is_page))
    written = {}
    for name, (file, recorder) in recorders.items():
        if not recorder.seen:
            raise ModelError(f"the network {name} saw nothing on {count} samples; draw more with --count", parameter="count")
        progress(f"{name}: calibrated on {len(recorder.seen)} inputs")
        written[name] = _written(file, recorder.seen)
    return written


def samples(count: int, seed: int) -> Iterator[tuple[Image, bool]]:
    """Drawn images, each with whether it is a page (else a crop); every fourth is one."""
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        is_page = i % (_CROPS_PER_PAGE + 1) == 0
        yield (draw_page(rng, 1200) if is_page else draw_crop(rng, 320)).image, is_page


def _with_scales_by_channel(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network in a version of ONNX that knows one scale for each channel; OpenVINO refuses it in an older one."""
    version = next(opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx"))
    return model if version >= _LEAST_OPSET else onnx.version_converter.convert_version(model, _LEAST_OPSET)


def _written(file: Path, seen: Sequence[dict[str, Tensor]]) -> Path:
    """The 8-bit form of a network's file, moved to its place when it is whole."""

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = iter(seen)

        def get_next(self) -> Any:
            return next(self.left, None)

    target = place(file)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The toolkit writes through the root logger, which would set up a handler of its own; it advises a preparation that these networks,
    # whose norms are folded already, do not need.
    chatty, silent = logging.getLogger(), logging.NullHandler()
    before = chatty.level
    chatty.setLevel(logging.ERROR)
    chatty.addHandler(silent)
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as beside:
            source, made = Path(beside, "network.onnx"), Path(beside, target.name)
            onnx.save(_with_scales_by_channel(onnx.load(str(file))), str(source))
            quantize_static(
                str(source),
                str(made),
                Reader(),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=_OPERATIONS,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
            os.replace(made, target)
    except Exception as cause:  # whatever the toolkit meets in a network of its user
        raise ModelError(f"{file.name} cannot be quantised: {str(cause).splitlines()[0]}", source=str(file)) from cause
    finally:
        chatty.setLevel(before)
        chatty.removeHandler(silent)
    return target
