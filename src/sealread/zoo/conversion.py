"""From the files of a model to one that an engine can load: conversions go into the cache, never into the model's own folder.

Paddle's formats become ONNX by the package paddle2onnx, in a process of its own; a flattening network gets its sampling grid as an output.
What was made is kept under the digest of what it was made from.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from sealread.cache import default_cache
from sealread.errors import ModelError
from sealread.zoo.graph import sampling_grid, with_output
from sealread.zoo.networks import Network

_log = logging.getLogger(__name__)

#: Part of the key of everything converted: raise it when the same files should give another result.
_FORM = b"1"
#: Newest ONNX operators that the engines are tested with; GridSample needs 16.
_OPSET = 17
#: A conversion that takes longer than this many seconds hangs.
_PATIENCE = 900
_EXTRA = "run: pip install 'sealread[paddle]'"


def runnable(network: Network, *, native: bool = False, convert: bool = True) -> Path:
    """The file of a network that an engine can load.

    Args:
        network: one with a file.
        native: whether Paddle's own runtime shall run it where the model has Paddle's files.
        convert: whether Paddle's files may be made into ONNX; otherwise only Paddle itself runs them.

    Returns:
        An ONNX file, or Paddle's program (``.json`` or ``.pdmodel``).

    Raises:
        ModelError: nothing that is installed can run or convert it, or it is damaged.
    """
    assert network.file is not None
    if network.family == "picture":
        return _with_grid(network, _as_onnx(network))
    if network.program is None or (not native and network.file != network.program):
        return network.file
    if native or not convert:
        if not _installed("paddle"):
            message = f"the model {network.name} is in Paddle's own format, and Paddle, which must run it, is not installed; {_EXTRA}"
            raise ModelError(message, source=str(network.program), parameter="engine")
        return network.program
    if not _installed("paddle"):
        return _as_onnx(network)
    try:
        return _as_onnx(network)
    except ModelError as cause:
        _log.warning("paddle runs the model %s itself: %s", network.name, cause)
        return network.program


def _as_onnx(network: Network) -> Path:
    assert network.file is not None
    return network.file if network.file.suffix == ".onnx" else converted(network.file)


def converted(program: Path) -> Path:
    """The ONNX file that paddle2onnx makes of Paddle's program and the weights beside it; made once.

    Raises:
        ModelError: paddle2onnx is not installed, refuses the model, or the cache cannot be written.
    """
    weights = program.with_suffix(".pdiparams")
    return _made((program, weights), str(_OPSET).encode(), lambda target: _paddle2onnx(program, weights, target))


def _paddle2onnx(program: Path, weights: Path, target: Path) -> None:
    if not (_installed("paddle2onnx") and _installed("paddle")):
        message = f"{program} is in Paddle's own format, and paddle2onnx, which converts it, is not installed; {_EXTRA}"
        raise ModelError(message, source=str(program), parameter="model_dir")
    arguments = ["--model_dir", str(program.parent.resolve()), "--model_filename", program.name, "--params_filename", weights.name]
    arguments += ["--save_file", str(target), "--opset_version", str(_OPSET)]
    _log.info("%s is converted to ONNX; this is done once", program)
    command = [sys.executable, "-m", "paddle2onnx.command", *arguments]
    try:  # in a process of its own, because what it cannot convert may abort it; and it leaves scraps where it runs
        done = subprocess.run(command, cwd=target.parent, capture_output=True, text=True, errors="replace", timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired as cause:
        raise ModelError(f"paddle2onnx did not end while it converted {program}; {_OTHERWISE}", source=str(program)) from cause
    if done.returncode != 0 or not target.is_file():
        reason = next((line for line in reversed(f"{done.stdout}\n{done.stderr}".splitlines()) if line.strip()), "no reason given")
        raise ModelError(f"paddle2onnx cannot convert {program} ({reason.strip()[:300]}); {_OTHERWISE}", source=str(program))


_OTHERWISE = "use --engine paddle, or export the model again with Paddle 3.2"


def _with_grid(network: Network, file: Path) -> Path:
    """The flattening network with its sampling grid as a further output."""

    def make(target: Path) -> None:
        model = file.read_bytes()
        try:
            grid = sampling_grid(model)
        except ValueError as cause:
            raise ModelError(f"{file} cannot be read: {cause}", source=str(file), parameter="model_dir") from cause
        if grid is None:
            message = f"the model {network.name} ({file}) gives a flat picture without a sampling grid, so points could not be carried back"
            raise ModelError(f"{message}; use another model for image_unwarping", source=str(file), parameter="model_dir")
        target.write_bytes(with_output(model, grid))

    return _made((file,), b"grid", make)


def _made(sources: tuple[Path, ...], how: bytes, make: Callable[[Path], None]) -> Path:
    """The cached file that `make` writes from the sources; it appears whole or not at all, whoever else makes it at the same time."""
    key = hashlib.sha256(_FORM + how)
    try:
        for source in sources:
            with source.open("rb") as stream:
                key.update(hashlib.file_digest(stream, "sha256").digest())
    except OSError as cause:
        raise ModelError(f"{source} cannot be read: {cause.strerror}", source=str(source), parameter="model_dir") from cause
    target = default_cache() / "converted" / f"{key.hexdigest()}.onnx"
    if target.is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as room:
            fresh = Path(room).resolve() / target.name
            make(fresh)
            os.replace(fresh, target)
    except OSError as cause:
        message = f"the converted network cannot be kept in {target.parent}: {cause.strerror}; set SEALREAD_CACHE_HOME to a folder that can"
        raise ModelError(message, source=str(target.parent)) from cause
    return target


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
