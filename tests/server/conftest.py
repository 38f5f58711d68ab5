"""A service with the tiny networks on a port of this machine, for all tests of this folder."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the server needs the extra [serve]")
httpx = pytest.importorskip("httpx", reason="the tests of the server need httpx")

import uvicorn  # noqa: E402
from tiny_networks import tiny_config  # noqa: E402

from sealread.server.app import Application  # noqa: E402
from sealread.server.run import make_application, server_config  # noqa: E402

#: Limits that let a test see their effect in a moment.
EXTRA: dict[str, Any] = {
    "workers": 1,
    "parsers": 1,
    "max_body_mb": 8,
    "upload_seconds": 2,
    "page_seconds": 60,
    "queue_seconds": 600,
    "max_megapixels": 20,
}


class Running:
    """A service that answers at `url`.

    Attributes:
        client: speaks to it.
        application: its inside.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.application: Application = make_application({"config": config}, "127.0.0.1", 0)[0]
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # who connects before the service has started waits
        self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = uvicorn.Server(server_config(self.application, "127.0.0.1", self.port))
        started = threading.Event()

        async def live() -> None:
            self.loop = asyncio.get_running_loop()
            started.set()
            await self.server.serve([listener])

        self._thread = threading.Thread(target=asyncio.run, args=(live(),))
        self._thread.start()
        started.wait()
        self.client = httpx.Client(base_url=self.url, timeout=600)

    def post(self, **members: Any) -> Any:
        """The answer to a request."""
        return self.client.post("/seal-recognition", json=members)

    def stop(self) -> None:
        """Tell it to stop, and wait until it has."""
        self.client.close()
        self.server.should_exit = True
        self._thread.join()


@contextmanager
def running(config: dict[str, Any], **extra: Any) -> Iterator[Running]:
    """A service with the limits of these tests and some more."""
    serving = {"visualize": config.get("Serving", {}).get("visualize", True), "extra": {**EXTRA, **extra}}
    service = Running({**config, "Serving": serving})
    try:
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="session")
def service(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for many tests."""
    with running(tiny_config(tiny_root), jobs_folder=str(tmp_path_factory.mktemp("jobs"))) as one:
        yield one


@pytest.fixture
def serve(tiny: dict[str, Any], tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Makes services of a test's own; they stop with it."""
    made: list[Any] = []

    def make(**extra: Any) -> Running:
        context = running(tiny, **{"jobs_folder": str(tmp_path / "jobs"), **extra})
        made.append(context)
        return context.__enter__()

    yield make
    for context in made:
        context.__exit__(None, None, None)
