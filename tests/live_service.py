"""Starts the service as a user would, in a process of its own, and stops it again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds until the service must answer, and until it must have stopped


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


@contextmanager
def live_service(folder: Path, port: int, pipeline: str = "seal_recognition") -> Iterator[str]:
    """The service's address while it runs; its log is `folder`/service.log.

    `pipeline` is a name or a configuration file.
    """
    for module in ("fastapi", "uvicorn"):
        pytest.importorskip(module, reason="the service needs the extra [serve]")
    command = [sys.executable, "-m", "sealread", "--serve", "--pipeline", pipeline, "--host", HOST, "--port", str(port)]
    log = folder / "service.log"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    with log.open("wb") as output, subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output) as process:
        try:
            address = f"http://{HOST}:{port}"
            _wait(address, process, log)
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    pause = threading.Event()
    for _ in range(round(PATIENCE / 0.1)):
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None:
                break
            pause.wait(0.1)
    pytest.fail(f"the service did not come up:\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}")
