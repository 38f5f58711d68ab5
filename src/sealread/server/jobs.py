"""Long files: handed in, read page by page behind the requests that wait for an answer, and fetched when it suits."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import APIRouter, Query, Request, Response
from starlette.exceptions import HTTPException

from sealread.errors import InputError, SealreadError
from sealread.server.gate import Refusal
from sealread.server.intake import Upload
from sealread.server.jobstore import Job, JobStore, StoredPage
from sealread.server.service import Service

_log = logging.getLogger(__name__)

#: Jobs that are worked on beside each other, and pages of each.
_JOBS_BESIDE, _PAGES_BESIDE = 4, 2
_SECONDS_BETWEEN_SWEEPS = 60.0
#: Seconds before a job is tried again whose place on disk failed.
_PAUSE = 10.0
_MEGABYTE = 1_000_000

T = TypeVar("T")


class Jobs:
    """Works on what is in the store.

    Attributes:
        active: jobs that are worked on now.
    """

    def __init__(self, service: Service, store: JobStore) -> None:
        self.store = store
        self._service = service
        self._limits = service.settings.limits
        self.active: dict[str, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._duties: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Go on with what was not finished."""
        self._news.set()
        self._duties = [asyncio.create_task(self._work()), asyncio.create_task(self._sweep())]

    async def close(self) -> None:
        """Stop; pages that are not in the store will be read again."""
        tasks = [*self._duties, *self.active.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.store.close()

    async def add(self, upload: Upload, owner: str, log_id: str) -> Job:
        """Accept a file.

        Raises:
            Refusal: there is no room.
        """
        if len(await asyncio.to_thread(self.store.unfinished)) >= self._limits.max_jobs:
            raise Refusal(429, "Too many jobs are waiting; try again later")
        if await asyncio.to_thread(self.store.size) + upload.path.stat().st_size > self._limits.max_jobs_mb * _MEGABYTE:
            raise Refusal(429, "The store of jobs is full; try again later, or delete jobs that you do not need")
        job = await asyncio.to_thread(self.store.add, upload, owner, log_id)
        self._news.set()
        return job

    async def find(self, name: str, owner: str) -> Job:
        """The job of that name, if it is the owner's.

        Raises:
            HTTPException: 404.
        """
        try:
            job = await asyncio.to_thread(self.store.job, name)
        except KeyError:
            raise HTTPException(404, "Not Found") from None
        if job.owner != owner:
            raise HTTPException(404, "Not Found")
        return job

    async def remove(self, job: Job) -> None:
        """Stop and forget a job."""
        task = self.active.get(job.id)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(self.store.remove, job.id)

    async def _work(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                waiting = await asyncio.to_thread(self.store.unfinished)
            except sqlite3.Error as error:
                _log.error("job store", extra={"fields": {"reason": str(error)}})
                await asyncio.sleep(_PAUSE)
                self._news.set()
                continue
            for name in waiting:
                if name not in self.active and len(self.active) < _JOBS_BESIDE:
                    self.active[name] = asyncio.create_task(self._do(name))

    async def _sweep(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.store.expire, self._limits.job_hours)
            except sqlite3.Error as error:
                _log.error("job store", extra={"fields": {"reason": str(error)}})
            await asyncio.sleep(_SECONDS_BETWEEN_SWEEPS)

    async def _do(self, name: str) -> None:
        """One job from where it stands to its end."""
        store = self.store
        try:
            job = await asyncio.to_thread(store.job, name)
            await asyncio.to_thread(store.begin, name)
            upload = Upload(store.file(name), job.kind, dict(job.options), job.visualize, job.log_id)
            wanted = job.wanted if job.wanted is not None else await self._first(name, upload)
            await self._rest(name, upload, wanted)
            await asyncio.to_thread(store.finish, name)
            _log.info("job done", extra={"fields": {"logId": job.log_id, "job": name, "pages": wanted}})
        except SealreadError as error:
            message = str(error) if isinstance(error, InputError) else "The file cannot be read"
            await asyncio.to_thread(store.finish, name, message)
            _log.warning("job failed", extra={"fields": {"job": name, "reason": str(error)}})
        except KeyError:  # deleted before it began
            pass
        except (OSError, sqlite3.Error) as error:
            _log.error("job store", extra={"fields": {"job": name, "reason": str(error)}})
            await asyncio.sleep(_PAUSE)
        finally:
            self.active.pop(name, None)
            self._news.set()

    async def _rest(self, name: str, upload: Upload, wanted: int) -> None:
        """All pages that are not done."""
        done = await asyncio.to_thread(self.store.done, name)
        slots = asyncio.Semaphore(_PAGES_BESIDE)
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(wanted):
                    if number not in done:
                        await slots.acquire()
                        group.create_task(_then(self._page(name, upload, number), slots.release))
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _first(self, name: str, upload: Upload) -> int:
        """Read the first page, which tells how many there are; gives the number of those that are read."""
        page = await self._service.page(upload, 0, patient=True)
        wanted = min(page.count, self._limits.max_job_pages)
        await asyncio.to_thread(self.store.save, name, StoredPage(0, page.width, page.height, page.seals, page.content, None))
        await asyncio.to_thread(self.store.begin, name, page.kind, page.count, wanted)
        return wanted

    async def _page(self, name: str, upload: Upload, number: int) -> None:
        try:
            page = await self._service.page(upload, number, patient=True)
            stored = StoredPage(number, page.width, page.height, page.seals, page.content, None)
        except SealreadError as error:
            message = str(error) if isinstance(error, InputError) else "The page cannot be read"
            stored = StoredPage(number, None, None, None, None, message)
        await asyncio.to_thread(self.store.save, name, stored)


async def _then(work: Coroutine[Any, Any, T], after: Callable[[], None]) -> T:
    try:
        return await work
    finally:
        after()


def job_routes(jobs: Jobs) -> APIRouter:
    """The routes that concern jobs that are there already."""
    router = APIRouter(prefix="/jobs")

    @router.get("/{job_id}", summary="How far a job is, and pages that are done")
    async def look(request: Request, job_id: str, first: int = Query(0, ge=0, le=10**9), count: int = Query(10, ge=0, le=100)) -> Response:
        job = await jobs.find(job_id, request.state.owner)
        pages = await asyncio.to_thread(jobs.store.pages, job.id, first, count)
        done = len(await asyncio.to_thread(jobs.store.done, job.id))
        request.state.log_id = job.log_id
        return Response(_told(job, done, pages), media_type="application/json")

    @router.delete("/{job_id}", summary="Stop and forget a job")
    async def remove(request: Request, job_id: str) -> Response:
        job = await jobs.find(job_id, request.state.owner)
        await jobs.remove(job)
        return Response(json.dumps({"logId": job.log_id, "errorCode": 0, "errorMsg": "Success"}), media_type="application/json")

    return router


def accepted(job: Job) -> Response:
    """The answer to a file that was handed in."""
    headers = {"location": f"/jobs/{job.id}"}
    return Response(_told(job, 0, []), 202, media_type="application/json", headers=headers)


def _told(job: Job, done: int, pages: list[StoredPage]) -> bytes:
    known = {
        "jobId": job.id,
        "state": job.state,
        "pagesDone": done,
        "numPages": job.wanted,
        "totalPages": job.total,
        "type": job.file_type,
        "errorMsg": job.message,
    }
    head = json.dumps({key: value for key, value in known.items() if value is not None}, separators=(",", ":")).encode()
    results = b",".join(_page_told(page) for page in pages)
    tail = b'"errorCode":0,"errorMsg":"Success"'
    return b'{"logId":%b,"result":%b,"sealRecResults":[%b]},%b}' % (json.dumps(job.log_id).encode(), head[:-1], results, tail)


def _page_told(page: StoredPage) -> bytes:
    if page.content is None:
        return json.dumps({"pageIndex": page.number, "errorMsg": page.message}).encode()
    head = json.dumps({"pageIndex": page.number, "width": page.width, "height": page.height}, separators=(",", ":")).encode()
    return b"%b,%b" % (head[:-1], page.content[1:])
