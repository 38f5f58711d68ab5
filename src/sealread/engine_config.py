"""How networks are run: device, engine, high-performance inference, from the caller's arguments and the blocks of the configuration.

A deeper block goes before an outer one, key by key; the caller's arguments stand in the place of the outermost block's keys. None
means as configured.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sealread.blocks import Engine as EngineBlock
from sealread.cache import default_cache
from sealread.engines.choice import ENGINES, EngineSettings, ways
from sealread.engines.devices import CPU, Device, parse_device
from sealread.errors import InputError
from sealread.options import given, parse_switch, suggestion

_log = logging.getLogger(__name__)

_ENGINE_KEYS = ("precision", "cpu_threads", "cache", "device_fallback", "dynamic_shapes", "provider_options")
_HPI_KEYS = ("auto_config", "backend", "backend_config", "auto_paddle2onnx", "hpi_info", "device_type", "device_id", "model_name")
_BACKEND_KEYS = ("cpu_num_threads", "precision", "use_dynamic_shapes", "dynamic_shapes", "run_mode", "cpu_threads")
_BACKENDS = (*ENGINES, "om")
#: The reference's names of engines, and of precisions.
_ENGINE_NAMES = {"paddle_static": "paddle", "paddle_dynamic": "paddle"}
_PRECISION_NAMES = {"fp32": "f32", "fp16": "f16"}


@dataclass(frozen=True, slots=True)
class EngineArguments:
    """What the caller of `create_pipeline` said about engines; None: as configured.

    Attributes:
        threads: CPU threads of one instance where neither caller nor configuration says; None leaves it to the engine.
    """

    engine: str | None = None
    engine_config: Mapping[str, Any] | None = None
    use_hpip: bool | None = None
    hpi_config: Mapping[str, Any] | None = None
    device: Device = CPU
    threads: int | None = None

    def settings(self, *blocks: EngineBlock | None) -> EngineSettings:
        """How the network of the last block is run.

        Args:
            blocks: the blocks around it, the outermost first; None is one that is absent.

        Raises:
            InputError: an unknown key or a bad value.
            ModelError: the engine is not installed, or the device is not there.
        """
        levels = [_Level(block) for block in blocks if block is not None]
        levels[0] = _Level(levels[0].block, self)
        engine, tuned = None, False
        for level in levels:
            # A block that asks for high-performance inference does not inherit the engine of the block around it.
            engine = level.engine if level.engine is not None or level.use_hpip else engine
            tuned = given(level.use_hpip, tuned)
        if engine == "hpi":
            engine, tuned = None, True
        keys = _merged("engine_config", [_of_engine(level.engine_config, engine) for level in levels])
        settings = EngineSettings(
            engine=engine if engine is None else _ENGINE_NAMES.get(engine, engine),
            precision=_precision(keys.get("precision")),
            threads=keys.get("cpu_threads", self.threads),
            cache=default_cache() / "openvino" if keys.get("cache", True) else None,
            device=self.device,
            device_fallback=_switch("engine_config", "device_fallback", keys.get("device_fallback", False)),
            options={key: keys[key] for key in ("dynamic_shapes", "provider_options") if key in keys},
        )
        if tuned and engine is None:
            settings = _tuned(settings, _merged("hpi_config", [level.hpi_config for level in levels]), chosen_threads="cpu_threads" in keys)
        elif tuned:
            _log.info("use_hpip says nothing beside engine=%s, which goes before it", engine)
        ways(settings)  # what is missing is known at once
        return settings

    def each(self) -> list[EngineArguments]:
        """The same for each instance of the device; those on the CPU share its cores, else they would slow each other down."""
        devices = self.device.each()
        threads = max(1, cores() // len(devices)) if self.device.kind == "cpu" and len(devices) > 1 else self.threads
        return [replace(self, device=device, threads=threads) for device in devices]


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


class _Level:
    """What one block says, or the caller in its place."""

    def __init__(self, block: EngineBlock, said: EngineArguments | None = None) -> None:
        self.block = block
        self.engine = block.engine if said is None else given(said.engine, block.engine)
        self.engine_config: Any = block.engine_config if said is None else given(said.engine_config, block.engine_config)
        self.use_hpip = block.use_hpip if said is None else given(said.use_hpip, block.use_hpip)
        self.hpi_config: Any = block.hpi_config if said is None else given(said.hpi_config, block.hpi_config)


def check_device(device: object) -> Device:
    """The device that the caller named.

    Raises:
        InputError: it is none.
    """
    if not isinstance(device, str):
        raise InputError(f"the device must be a text like cpu, but is {device!r}", parameter="device")
    return parse_device(device)


def _merged(name: str, blocks: Sequence[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for block in blocks:
        merged.update(_block(name, block))
    known = {"engine_config": _ENGINE_KEYS, "hpi_config": _HPI_KEYS}[name]
    _require_known(name, merged, known)
    return merged


def _require_known(name: str, keys: Mapping[str, Any], known: Sequence[str]) -> None:
    unknown = sorted(set(keys) - set(known))
    if unknown:
        near = suggestion(unknown[0], known)
        parameter = name.partition(".")[0]
        raise InputError(f"{name} has the unknown key {unknown[0]}; known are {', '.join(known)}{near}", parameter=parameter)


def _of_engine(keys: Any, engine: str | None) -> Any:
    """The keys themselves, or where they are parted by engines those of this one."""
    if not isinstance(keys, Mapping) or not keys or not set(keys) <= {*ENGINES, *_ENGINE_NAMES}:
        return keys
    return keys.get(engine)


def _tuned(settings: EngineSettings, keys: Mapping[str, Any], *, chosen_threads: bool) -> EngineSettings:
    """High-performance inference: the backend asked for, or the fastest by trial; another one where that cannot."""
    automatic = _switch("hpi_config", "auto_config", keys.get("auto_config", True))
    convert = _switch("hpi_config", "auto_paddle2onnx", keys.get("auto_paddle2onnx", True))
    backend = keys.get("backend")
    if backend is None and not automatic:
        raise InputError(
            "hpi_config needs a backend where auto_config is false; name one or set auto_config to true", parameter="hpi_config"
        )
    if backend is not None and backend not in _BACKENDS:
        raise InputError(f"hpi_config.backend {backend!r} is unknown; use {', '.join(_BACKENDS)}", parameter="hpi_config")
    if backend == "om":
        if not automatic:
            raise InputError(
                "hpi_config.backend om is not supported; use openvino, onnxruntime, tensorrt or paddle", parameter="hpi_config"
            )
        _log.warning("the backend om is not supported, so the fastest other one is chosen")
        backend = None
    details = _block("hpi_config.backend_config", keys.get("backend_config"))
    _require_known("hpi_config.backend_config", details, _BACKEND_KEYS)
    if details.get("use_dynamic_shapes", True) is not True:
        raise InputError("hpi_config.backend_config.use_dynamic_shapes must be true: sizes of seals differ", parameter="hpi_config")
    threads = details.get("cpu_num_threads", details.get("cpu_threads"))
    options = dict(settings.options)
    shapes = details.get("dynamic_shapes", _shapes_of(keys.get("hpi_info")))
    if shapes is not None:
        options.setdefault("dynamic_shapes", shapes)
    if "run_mode" in details:
        options["run_mode"] = details["run_mode"]
    return replace(
        settings,
        engine=backend,
        precision=given(settings.precision, _precision(details.get("precision"))),
        threads=settings.threads if threads is None or chosen_threads else threads,
        others=automatic,
        contest=automatic and backend is None,
        convert=convert,
        options=options,
    )


def _shapes_of(info: Any) -> Any:
    """TensorRT's shapes in the form in which ``inference.yml`` has them."""
    for key in ("backend_configs", "tensorrt", "dynamic_shapes"):
        info = info.get(key) if isinstance(info, Mapping) else None
    return info


def _precision(name: Any) -> Any:
    return _PRECISION_NAMES.get(name, name) if isinstance(name, str) else name


def _switch(block: str, name: str, value: object) -> bool:
    switch = parse_switch(value)
    if not isinstance(switch, bool):
        raise InputError(f"{block}.{name} must be true or false, but is {value!r}", parameter=block)
    return switch


def _block(name: str, value: Any) -> Mapping[str, Any]:
    """A block of keys; None is an empty one."""
    if value is not None and not isinstance(value, Mapping):
        raise InputError(f"{name} must be a block of keys, but is {value!r}", parameter=name.partition(".")[0])
    return {} if value is None else value
