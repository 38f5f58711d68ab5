"""Where sealread keeps what it may lose: compiled, converted and downloaded networks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


def default_cache() -> Path:
    """The cache folder: ``SEALREAD_CACHE_HOME``, else the user's cache folder."""
    named = os.environ.get("SEALREAD_CACHE_HOME")
    if named:  # an empty variable is an unset one, as the XDG rules have it
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sealread"


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock of that name among all processes and threads that share the cache folder; the others wait.

    The system frees it when its process ends, however that happens.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = default_cache() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("a+b") as file:
        _lock(file)
        yield


if sys.platform == "win32":

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        while True:
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # tries for ten seconds
                return
            except OSError:
                continue

else:

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
