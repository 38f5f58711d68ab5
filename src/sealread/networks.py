"""Opens the networks of a configuration and gives the stages that run them.

A network is resolved when the pipeline is made, so that a missing model is known at once, and compiled when it is first needed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import numpy as np
from pydantic import ValidationError

from sealread.bands import RIGHT_Y
from sealread.blocks import LayoutDetection, Module
from sealread.corrections import Corrections
from sealread.engines import Engine, EngineSettings, open_engine, open_fastest
from sealread.engines.choice import ways
from sealread.engines.onnxruntime import metadata
from sealread.errors import EngineError, ModelError
from sealread.options import complaint
from sealread.stages.candidates import InkFinder
from sealread.stages.detection import Detector
from sealread.stages.layout import BoxRows, SealFinder
from sealread.stages.orientation import OrientationClassifier
from sealread.stages.recognition import HEIGHT, LEAST_WIDTH, Calibration, Recogniser
from sealread.stages.unwarping import PageSampler, Unwarper
from sealread.text import alphabet_of
from sealread.types import Tensor
from sealread.zoo import Network, find_network, network_from_directory, runnable

_log = logging.getLogger("sealread")

Stage = TypeVar("Stage")
E = TypeVar("E", bound=Engine)
Finder = SealFinder | BoxRows | InkFinder


def resolve(module: Module, task: str, model_source: str | Sequence[str] | None = None) -> Network:
    """The network that a module of the configuration names; `model_source` says where to download it if need be.

    Raises:
        ModelError: it is unknown, missing or unfit.
    """
    if module.model_dir is not None:
        return network_from_directory(Path(module.model_dir), module.model_name, task)
    return find_network(module.model_name, task, model_source)


def completed(module: LayoutDetection, network: Network) -> LayoutDetection:
    """The module with what the network's own files say where the configuration says nothing.

    Raises:
        ModelError: they say something that a configuration may not.
    """
    said = {key: value for key, value in network.settings.get("defaults", {}).items() if getattr(module, key) is None}
    try:
        return LayoutDetection.model_validate({**module.model_dump(), **said})
    except ValidationError as refused:
        error = refused.errors()[0]
        message = f"the model {network.name} ({network.source}) cannot be used: its {error['loc'][0]} {complaint(dict(error))}"
        raise ModelError(message, parameter="model_dir") from refused


class Lazy(Generic[Stage]):
    """A stage that is made when it is first used; threads wait for each other.

    Attributes:
        network: what the stage runs.
    """

    def __init__(self, network: Network, make: Callable[[Network, Engine | None], Stage], settings: EngineSettings) -> None:
        self.network = network
        self._make = make
        self._settings = settings
        self._lock = threading.Lock()
        self._stage: Stage | None = None
        self._engine: Engine | None = None
        self.engine_name: str | None = None

    def get(self) -> Stage:
        """The stage, compiled."""
        with self._lock:
            if self._stage is None:
                self._engine = _opened(self.network, self._settings)
                self.engine_name = None if self._engine is None else self._engine.name
                self._stage = self._make(self.network, self._engine)
            return self._stage

    def wrapped(self, around: Callable[[Engine], E]) -> E:
        """Put something around the engine, which then runs in its place until `close`; gives that."""
        stage, engine = self.get(), self._engine
        if engine is None:
            raise ModelError(f"the model {self.network.name} has no network to put something around", parameter="model_name")
        put: Any = around(engine)
        with self._lock:
            self._engine, self._stage = put, replace(cast(Any, stage), engine=put)
        return cast(E, put)

    def warm_up(self) -> None:
        """Compile the network and run it once on a sample of usual size."""
        self.get()
        if self._engine is not None:
            self._engine.run(sample_inputs(self.network, self._engine.inputs))

    def close(self) -> None:
        """Forget the compiled network; it is compiled anew when needed."""
        with self._lock:
            self._stage = self._engine = None


def _precise(network: Network, settings: EngineSettings) -> EngineSettings:
    """In f32 where outputs are places on the page and the caller did not choose: bf16 would round them to multiples of eight."""
    whole_pixels = network.family in ("detr", "grid", "picodet", "picture") and settings.precision is None
    return replace(settings, precision="f32") if whole_pixels else settings


def _opened(network: Network, settings: EngineSettings) -> Engine | None:
    if network.file is None:
        return None
    settings = _precise(network, settings)
    # Some devices are reached by Paddle alone.
    native = all(way.engine == "paddle" for way in ways(settings))
    file = runnable(network, native=native, convert=settings.convert)
    if settings.engine == "paddle" and settings.device.kind == "cpu" and file.suffix == ".onnx":
        _log.warning("the model %s is in ONNX, which paddle does not run, so another engine does", network.name)
        settings = replace(settings, engine=None)
    if settings.contest:
        return open_fastest(file, settings, lambda names: sample_inputs(network, names))
    return open_engine(file, settings)


#: The sizes of images that the families meet most often: ``(height, width)``.
_USUAL = {"centres": (640, 480), "bands": (320, 320), "outlines": (736, 736), "ctc": (HEIGHT, 320), "grid": (712, 488)}


def sample_inputs(network: Network, names: Sequence[str]) -> list[Tensor]:
    """Arrays of usual sizes for a network's inputs of those names, to try it with."""
    s = network.settings
    height, width = (s["crop"], s["crop"]) if "crop" in s else s.get("size", _USUAL.get(network.family, (640, 640)))
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, height, width)).astype(np.float32)
    small = {"im_shape": np.array([[height, width]], np.float32), "scale_factor": np.ones((1, 2), np.float32)}
    return [small.get(name, image) for name in names]


def orientation(network: Network, engine: Engine | None) -> OrientationClassifier:
    """Stage 1."""
    s, runner = network.settings, _needed(engine)
    shape = _answer_shape(network, runner, (1, 3, s["crop"], s["crop"]))
    if shape != (1, len(s["labels"])):
        raise _unfit(network, f"it gives {'x'.join(map(str, shape))} where 1x{len(s['labels'])} probabilities should be")
    return OrientationClassifier(runner, tuple(s["labels"]), s["resize_short"], s["crop"], tuple(s["mean"]), tuple(s["deviation"]))


def unwarper(network: Network, engine: Engine | None) -> Unwarper | PageSampler:
    """Stage 2."""
    s = network.settings
    size = s.get("size", [712, 488])
    if network.family == "picture":
        return PageSampler(_needed(engine), (size[0], size[1]))
    return Unwarper(_needed(engine), (size[0], size[1]), tuple(s["mean"]), tuple(s["deviation"]))


def finder(network: Network, engine: Engine | None) -> Finder:
    """Stage 3."""
    s = network.settings
    if network.family == "ink":
        return InkFinder()
    if network.family == "centres":
        return SealFinder(_needed(engine), s["long_side"], s["labels"].index("seal"))
    size, extra = (s["size"][0], s["size"][1]), {key: s[key] for key in ("interpolation", "stride") if key in s}
    return BoxRows(_needed(engine), tuple(s["labels"]), size, tuple(s["mean"]), tuple(s["deviation"]), **extra)


def detector(network: Network, engine: Engine | None) -> Detector:
    """Stage 4."""
    s, runner = network.settings, _needed(engine)
    maps = RIGHT_Y + 1 if network.family == "bands" else 1
    shape = _answer_shape(network, runner, (1, 3, 64, 64))
    if len(shape) != 4 or shape[1] != maps:
        raise _unfit(network, f"it gives {'x'.join(map(str, shape))} where {maps} map{'s' if maps > 1 else ''} of text should be")
    extra = {key: s[key] for key in ("order", "max_candidates", "quads", "dilate") if key in s}
    return Detector(runner, "bands" if network.family == "bands" else "outlines", tuple(s["mean"]), tuple(s["deviation"]), **extra)


def recogniser(batch_size: int, *, correct_texts: bool = True) -> Callable[[Network, Engine | None], Recogniser]:
    """Stage 6, with so many strips to a batch; corrected by what is known of texts, or not."""

    def make(network: Network, engine: Engine | None) -> Recogniser:
        s: Any = network.settings
        characters = s["alphabet"] if "alphabet" in s else _embedded_alphabet(network)
        calibration = Calibration(*s["calibration"]) if "calibration" in s else None
        runner, alphabet = _needed(engine), alphabet_of(characters)
        classes = _answer_shape(network, runner, (1, 3, HEIGHT, LEAST_WIDTH))[-1]
        if classes == len(alphabet) - 1:  # trained without the space that usually comes last
            alphabet = alphabet[:-1]
        if classes != len(alphabet):
            raise _unfit(
                network, f"it tells {classes} classes apart, but its alphabet has {len(characters)} characters, blank and space aside"
            )
        known = Corrections(alphabet) if correct_texts else None
        extra = {"least_width": s["least_width"]} if "least_width" in s else {}
        # As in the reference, the name tells which scripts run from right to left.
        leftwards = "arabic" in network.name
        return Recogniser(runner, alphabet, batch_size, calibration, known, rgb="order" in s, right_to_left=leftwards, **extra)

    return make


def _answer_shape(network: Network, engine: Engine, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what a network gives for an image of that shape: one of another task is known at once."""
    try:
        answer = engine.run([np.zeros(shape, np.float32)])[0]
    except EngineError as cause:
        raise _unfit(network, str(cause)) from cause
    return answer.shape


def _unfit(network: Network, reason: str) -> ModelError:
    return ModelError(f"the model {network.name} ({network.source}) does not fit {network.task}: {reason}", parameter="model_dir")


def _needed(engine: Engine | None) -> Engine:
    if engine is None:
        raise ModelError("this model has no file; give a model_dir with inference.onnx and inference.yml", parameter="model_dir")
    return engine


def _embedded_alphabet(network: Network) -> list[str]:
    """The alphabet that lies beside or inside the network's file."""
    if network.file is None:
        raise ModelError(f"the model {network.name} has no file", parameter="model_name")
    listed = network.file.with_suffix(".txt")
    if listed.exists():
        return listed.read_text(encoding="utf-8").split("\n")
    characters = metadata(network.file).get("character")
    if characters is None:
        raise ModelError(f"the recogniser {network.name} does not say its alphabet", parameter="model_name")
    return characters.split("\n")
