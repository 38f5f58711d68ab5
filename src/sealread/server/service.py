"""The work behind the routes: files in the spool become pages, pages become answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from sealread.blocks import PipelineConfig
from sealread.engine_config import check_device
from sealread.engines.devices import CPU, Device
from sealread.errors import EngineError, InputError, ModelError, SealreadError
from sealread.options import PredictOptions, given
from sealread.server.intake import Asked, Spool, Upload, asked, save_base64
from sealread.server.limits import ServiceSettings
from sealread.server.metrics import Metrics
from sealread.server.opening import Opener
from sealread.server.pool import Pool
from sealread.server.processes import Answer, Task, Worker
from sealread.server.reading import Reader
from sealread.settings import page_settings

_ERRORS = {"InputError": InputError, "ModelError": ModelError, "EngineError": EngineError}

Fetch = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class PageDone:
    """One page that was read.

    Attributes:
        content: the element of ``sealRecResults``, as JSON.
        kind, count: of the file that it belongs to.
    """

    index: int
    content: bytes
    width: int
    height: int
    seals: int
    kind: str
    count: int


class Service:
    """The processes and what is handed to them.

    Args:
        config: of the pipeline.
        arguments: those of `create_pipeline`, for the processes that read.
        settings: limits.
        fetch: gets the content of an address.
        metrics: counts and times the work.
    """

    def __init__(
        self, config: PipelineConfig, arguments: Mapping[str, Any], settings: ServiceSettings, fetch: Fetch, metrics: Metrics
    ) -> None:
        self.config, self.settings, self.metrics = config, settings, metrics
        self.spool = Spool()
        self._fetch = fetch
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="sealread-intake")
        self._fetchers = ThreadPoolExecutor(8, thread_name_prefix="sealread-fetch")
        limits = settings.limits
        device = check_device(given(arguments.get("device"), "cpu"))
        devices = device.each()
        readers = given(limits.workers, _cores() if device == CPU else len(devices))
        inner = [_reader_arguments(config, arguments, device, readers) for device in devices]
        self.openers = Pool(
            lambda number: Worker(
                f"sealread-parser-{number}",
                Opener,
                (limits.max_megapixels * 1_000_000, limits.parser_memory_mb),
                memory_mb=limits.parser_memory_mb,
            ),
            limits.parsers,
            discard=lambda answer: os.unlink(answer.values["page"]),
        )
        self.readers = Pool(
            lambda number: Worker(
                f"sealread-reader-{number}",
                Reader,
                (inner[number % len(inner)], limits.max_output_img_size),
                memory_mb=limits.worker_memory_mb,
            ),
            readers,
            together=limits.pages_together,
            join=_joined,
            part=_parted,
        )
        # Opened pages take memory: enough of them wait to keep all readers busy, no more.
        self._ahead = asyncio.Semaphore(readers + limits.pages_together)
        self._ahead_of_jobs = asyncio.Semaphore(readers)

    @property
    def is_ready(self) -> bool:
        """Whether files can be opened and read now."""
        return self.openers.ready > 0 and self.readers.ready > 0

    def start(self) -> None:
        """Start all processes."""
        self.openers.start()
        self.readers.start()

    async def close(self) -> None:
        """End all processes and remove the spool."""
        await asyncio.gather(self.openers.close(), self.readers.close())
        for threads in (self._threads, self._fetchers):
            threads.shutdown(wait=False, cancel_futures=True)
        self.spool.close()

    async def take(self, body: bytes) -> Upload:
        """Check a request and put its file into the spool.

        Raises:
            InputError: not valid, no Base64, or an address that may not or cannot be fetched.
        """
        loop = asyncio.get_running_loop()
        wanted = await loop.run_in_executor(self._threads, asked, body)
        page_settings(self.config, PredictOptions.parse(wanted.options))
        path = self.spool.new()
        if wanted.is_url:
            if not self.settings.limits.allow_urls:
                message = "Invalid input file: this server fetches no addresses (Serving.extra.allow_urls is off); send the file in Base64"
                raise InputError(message, parameter="file")
            with self.metrics.timed("fetch"):
                content = await loop.run_in_executor(self._fetchers, self._fetch, wanted.file)
            save: Callable[[], object] = partial(path.write_bytes, content)
        else:
            save = partial(save_base64, wanted.file, path)
        writing = loop.run_in_executor(self._threads, save)
        try:
            await asyncio.shield(writing)
        except BaseException:
            # The thread goes on when a client hangs up: what it has written by then belongs to nobody.
            writing.add_done_callback(lambda _: path.unlink(missing_ok=True))
            raise
        return _upload(wanted, path)

    async def read(self, upload: Upload, most: int | None) -> list[PageDone]:
        """Read the first pages of a file, beside each other.

        Raises:
            SealreadError: the first failure of any page.
        """
        first = await self.page(upload, 0)
        count = first.count if most is None else min(first.count, most)
        try:
            async with asyncio.TaskGroup() as group:
                rest = [group.create_task(self.page(upload, index)) for index in range(1, count)]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return [first, *(task.result() for task in rest)]

    async def page(self, upload: Upload, index: int, *, patient: bool = False) -> PageDone:
        """Open and read one page.

        Raises:
            SealreadError: it cannot be opened or read, or not within the limits.
        """
        seconds = self.settings.limits.page_seconds
        async with self._ahead_of_jobs if patient else self._ahead:
            task = {"path": os.fspath(upload.path), "kind": upload.kind, "index": index, "folder": os.fspath(self.spool.folder)}
            try:
                with self.metrics.timed("open", page=index):
                    opened = (await self.openers.do(task, seconds, patient=patient)).values
            except InputError as error:
                raise InputError(f"Invalid input file: {error}", parameter="file") from error
            try:
                visualize = self.settings.visualize if upload.visualize is None else upload.visualize
                page = {key: opened[key] for key in ("page", "height", "width")}
                asked_page = {**page, "options": _plain(upload.options), "visualize": visualize}
                with self.metrics.timed("wait and read", page=index):
                    answer = await self.readers.do(asked_page, seconds, patient=patient)
            finally:
                os.unlink(opened["page"])
        values = answer.values
        self.metrics.stage("read", values["read"])
        self.metrics.stage("draw", values["drawn"])
        self.metrics.pages.inc()
        self.metrics.seals.inc(values["seals"])
        return PageDone(index, answer.parts[0], opened["width"], opened["height"], values["seals"], opened["type"], opened["count"])


def data_info(pages: Sequence[PageDone]) -> dict[str, Any]:
    """What the answer says of the file: ``numPages`` were read of the ``totalPages`` that it has."""
    first = pages[0]
    if first.kind == "image":
        return {"width": first.width, "height": first.height, "type": "image"}
    sizes = [{"width": page.width, "height": page.height} for page in pages]
    return {"numPages": len(pages), "totalPages": first.count, "pages": sizes, "type": first.kind}


def _upload(wanted: Asked, path: Any) -> Upload:
    return Upload(path, wanted.kind, wanted.options, wanted.visualize, wanted.log_id)


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON has them: keys are texts."""
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in options.items()}


def _joined(tasks: Sequence[Task]) -> Task:
    return {"pages": list(tasks)}


def _parted(answer: Answer) -> list[Answer | SealreadError]:
    parts = iter(answer.parts)
    return [
        _ERRORS.get(row["error"], SealreadError)(row["message"]) if "error" in row else Answer(row, (next(parts),))
        for row in answer.values["pages"]
    ]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _reader_arguments(config: PipelineConfig, arguments: Mapping[str, Any], device: Device, readers: int) -> dict[str, Any]:
    """Those of `create_pipeline` for one reader; the cores are shared out, unless it was said how many threads each has."""
    keys = given(arguments.get("engine_config"), config.engine_config)
    engine = {} if keys is None else dict(keys)
    if device.kind == "cpu":
        engine.setdefault("cpu_threads", max(_cores() // readers, 1))
    return {**arguments, "device": str(device), "engine_config": engine}
