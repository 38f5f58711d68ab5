"""Devices by the reference's grammar, and which runtime reaches which of them.

Facts of execution providers, plug-ins and packages stand in one table, `WAYS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from sealread.errors import InputError

DEVICE_KINDS = ("cpu", "gpu", "xpu", "npu", "mlu", "gcu", "dcu", "iluvatar_gpu", "metax_gpu")


@dataclass(frozen=True, slots=True)
class Device:
    """Where networks run.

    Attributes:
        kind: one of `DEVICE_KINDS`.
        ids: numbers of the cards, one pipeline instance for each; they may repeat. Of the CPU they only count instances; empty means
            one.
    """

    kind: str
    ids: tuple[int, ...] = ()

    def __str__(self) -> str:
        """The text that `parse_device` reads."""
        return f"{self.kind}:{','.join(map(str, self.ids))}" if self.ids else self.kind

    @property
    def card(self) -> int:
        """The number of the first card."""
        return self.ids[0] if self.ids else 0

    def each(self) -> tuple[Device, ...]:
        """One device for each instance."""
        return tuple(Device(self.kind, (card,)) for card in self.ids) if len(self.ids) > 1 else (self,)


#: The processor, one instance.
CPU = Device("cpu")


def parse_device(text: str) -> Device:
    """The device that a text like ``cpu``, ``cpu:0,1``, ``gpu``, ``gpu:0`` or ``GPU:0,1`` names; card 0 where no card is named.

    Raises:
        InputError: the kind is unknown, or a card is no number.
    """
    kind, colon, cards = text.strip().lower().partition(":")
    if kind not in DEVICE_KINDS:
        near = get_close_matches(kind, DEVICE_KINDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InputError(f"the device {text!r} is unknown: use one of {', '.join(DEVICE_KINDS)}, like gpu:0{hint}", parameter="device")
    if kind == "cpu" and not colon:
        return CPU
    numbers = cards.split(",") if colon else ["0"]
    if not all(number.isascii() and number.isdecimal() for number in numbers):
        raise InputError(f"the device {text!r} is not understood: write the cards as numbers, like {kind}:0,1", parameter="device")
    return Device(kind, tuple(int(number) for number in numbers))


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run a network on a kind of device.

    Attributes:
        engine: who runs it: ``openvino``, ``onnxruntime``, ``tensorrt`` (by ONNX Runtime) or ``paddle``.
        target: its execution provider, OpenVINO's device or Paddle's device type.
        install: what brings it, as one would tell pip.
        hardware: whose devices it reaches, for people.
    """

    engine: str
    target: str
    install: str
    hardware: str = ""


_CUDA = Way("onnxruntime", "CUDAExecutionProvider", "onnxruntime-gpu", "NVIDIA")
_TENSORRT = Way("tensorrt", "TensorrtExecutionProvider", "onnxruntime-gpu tensorrt", "NVIDIA")
_MIGRAPHX = Way("onnxruntime", "MIGraphXExecutionProvider", "onnxruntime-migraphx", "AMD")
_ROCM = Way("onnxruntime", "ROCMExecutionProvider", "onnxruntime-rocm", "AMD")


def _paddle(kind: str, install: str, hardware: str = "") -> Way:
    return Way("paddle", kind, install, hardware)


#: By kind of device, the fastest known first; TensorRT stands behind CUDA because it builds for minutes at its first start.
WAYS: Mapping[str, tuple[Way, ...]] = {
    "cpu": (
        Way("openvino", "CPU", "openvino"),
        Way("onnxruntime", "CPUExecutionProvider", "onnxruntime"),
        _paddle("cpu", "'sealread[paddle]'"),
    ),
    "gpu": (
        _CUDA,
        _TENSORRT,
        _MIGRAPHX,
        _ROCM,
        Way("openvino", "GPU", "openvino", "Intel, with its driver"),
        Way("onnxruntime", "CoreMLExecutionProvider", "onnxruntime", "Apple"),
        Way("onnxruntime", "DmlExecutionProvider", "onnxruntime-directml", "Windows"),
        _paddle("gpu", "paddlepaddle-gpu", "NVIDIA"),
    ),
    "npu": (
        Way("onnxruntime", "CANNExecutionProvider", "onnxruntime-cann", "Ascend"),
        Way("openvino", "NPU", "openvino", "Intel, with its driver"),
        _paddle("npu", "paddlepaddle paddle-custom-npu", "Ascend"),
    ),
    "xpu": (_paddle("xpu", "paddlepaddle-xpu", "Kunlunxin"),),
    "mlu": (_paddle("mlu", "paddlepaddle paddle-custom-mlu", "Cambricon"),),
    "gcu": (_paddle("gcu", "paddlepaddle paddle-custom-gcu", "Enflame"),),
    "dcu": (_MIGRAPHX, _ROCM, _paddle("gpu", "paddlepaddle-dcu", "Hygon")),
    "iluvatar_gpu": (_paddle("iluvatar_gpu", "paddlepaddle paddle-iluvatar-gpu", "Iluvatar"),),
    "metax_gpu": (_paddle("metax_gpu", "paddlepaddle paddle-metax-gpu", "MetaX"),),
}


def packages(kind: str, engine: str | None = None) -> str:
    """What to install for a kind of device, for people: ``pip install onnxruntime-gpu (NVIDIA)``."""
    ways = [way for way in WAYS[kind] if engine in (None, way.engine)]
    return ", or ".join(f"pip install {way.install}{f' ({way.hardware})' if way.hardware else ''}" for way in ways)
