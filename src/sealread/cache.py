"""Where sealread keeps what it may lose: compiled, converted and downloaded networks."""

from __future__ import annotations

import os
from pathlib import Path


def default_cache() -> Path:
    """The cache folder: ``SEALREAD_CACHE_HOME``, else the user's cache folder."""
    named = os.environ.get("SEALREAD_CACHE_HOME")
    if named:  # an empty variable is an unset one, as the XDG rules have it
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sealread"
