"""Where the networks lie that `sealread quantise` calibrated for 8-bit integers."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sealread.cache import default_cache
from sealread.errors import ModelError


def place(path: Path) -> Path:
    """Where the 8-bit form of a network's file lies: named by the file's content, so that a changed network is calibrated anew."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return default_cache() / "int8" / f"{digest[:32]}.onnx"


def calibrated(path: Path) -> Path:
    """The 8-bit form of a network's file.

    Raises:
        ModelError: it was not made yet.
    """
    try:
        found = place(path)
    except OSError as cause:
        raise ModelError(f"{path.name} cannot be opened: {cause.strerror}", source=str(path)) from cause
    if not found.is_file():
        message = f"{path.name} was not calibrated for int8 on this machine; run: sealread quantise, or choose another precision"
        raise ModelError(message, source=str(path), parameter="precision")
    return found
