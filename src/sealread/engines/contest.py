"""The engines of a machine tried on one network: the fastest runs it, and the answer is remembered."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from sealread.cache import default_cache
from sealread.engines.choice import EngineSettings, open_by, open_ways
from sealread.engines.devices import Way
from sealread.engines.protocol import Engine
from sealread.errors import EngineError, ModelError
from sealread.types import Tensor

_log = logging.getLogger(__name__)

#: Timed runs of each engine after two that warm it up; the best counts, because all else only adds to it.
_RUNS = 5

Sample = Callable[[Sequence[str]], list[Tensor]]


def open_fastest(path: Path, settings: EngineSettings, sample: Sample) -> Engine:
    """Load a network's file with the engine that runs it fastest here.

    Args:
        sample: gives arrays of usual sizes for the network's inputs.

    Raises:
        ModelError: no engine can load or run it.
    """
    able = open_ways(path, settings)
    key = _key(path, settings, able)
    remembered = _remembered().get(key)
    known = [way for way in able if way.target == remembered]
    if len(able) == 1 or known:
        try:
            return open_by(path, (known or able)[0], settings)
        except ModelError:
            if len(able) == 1:
                raise
    best: tuple[float, Way, Engine] | None = None
    failure: Exception | None = None
    for way in able:
        try:
            engine = open_by(path, way, settings)
            seconds = _seconds(engine, sample(engine.inputs))
        except (ModelError, EngineError) as cause:
            _log.warning("%s does not run %s: %s", way.engine, path.name, cause)
            failure = cause if failure is None else failure
            continue
        if best is None or seconds < best[0]:
            best = seconds, way, engine
    if best is None:
        assert failure is not None
        raise failure if isinstance(failure, ModelError) else ModelError(str(failure), source=str(path)) from failure
    seconds, way, engine = best
    _log.info("%s is the fastest for %s: %.1f ms", engine.name, path.name, 1000 * seconds)
    _remember(key, way.target)
    return engine


def _seconds(engine: Engine, inputs: Sequence[Tensor]) -> float:
    times = []
    for _ in range(_RUNS + 2):
        start = time.perf_counter()
        engine.run(inputs)
        times.append(time.perf_counter() - start)
    return min(times[2:])


def _key(path: Path, settings: EngineSettings, able: Sequence[Way]) -> str:
    """What the answer depends on: network, device, settings, processor, versions."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    parts = [digest, settings.device, settings.precision, settings.threads, platform.machine(), _processor()]
    for way in able:
        parts += [way.target, *(_version(package) for package in way.install.split())]
    return hashlib.sha256(" ".join(map(str, parts)).encode()).hexdigest()[:32]


def _processor() -> str:
    try:
        rows = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((row for row in rows if row.startswith(("flags", "Features"))), platform.processor())


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _file() -> Path:
    return default_cache() / "fastest.json"


def _remembered() -> dict[str, str]:
    try:
        content = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _remember(key: str, target: str) -> None:
    """Add the answer; a cache that cannot be written only makes the next start slower."""
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=_file().parent, suffix=".json", delete=False, encoding="utf-8") as beside:
            json.dump({**_remembered(), key: target}, beside)
        os.replace(beside.name, _file())
    except OSError as cause:
        _log.warning("the fastest engine is not remembered: %s cannot be written (%s)", _file(), cause.strerror)
