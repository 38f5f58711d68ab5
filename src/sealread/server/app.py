"""The routes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from sealread.errors import EngineError, InputError, ModelError, SealreadError
from sealread.options import PredictOptions
from sealread.server.docs_page import STYLE, STYLE_PATH, docs_page
from sealread.server.gate import Gate, Place, Refusal, Room
from sealread.server.intake import Upload
from sealread.server.jobs import Jobs, accepted, job_routes
from sealread.server.jobstore import JobStore
from sealread.server.limits import ServiceSettings
from sealread.server.page import page_router
from sealread.server.schema import Answer, RecognitionAnswer, RecognitionRequest, envelope, log_id_in
from sealread.server.service import PageDone, Service, data_info

_log = logging.getLogger(__name__)

#: Of the interface, not of the program.
API_VERSION = "1"
_MEGABYTE = 1_000_000
_STATUSES = (400, 401, 403, 408, 413, 421, 422, 429, 431, 500, 503)
_REFUSED: dict[int | str, dict[str, Any]] = {status: {"model": Answer} for status in _STATUSES}
T = TypeVar("T")


class Application:
    """The routes and what they share."""

    def __init__(
        self, service: Service, settings: ServiceSettings, *, hosts: frozenset[str] | None = None, store: JobStore | None = None
    ) -> None:
        self.service, self.settings = service, settings
        self.room = Room(settings.limits.max_queue, settings.limits.max_waiting_mb)
        self.metrics = service.metrics
        self.metrics.watch(self._numbers)
        self.jobs = None if store is None else Jobs(service, store)
        documented = settings.limits.docs
        self.routes = FastAPI(
            title="sealread",
            version=API_VERSION,
            lifespan=self._life,
            docs_url=None,
            redoc_url=None,
            openapi_url="/openapi.json" if documented else None,
        )
        self._add_routes()
        self._add_errors()
        self.asgi = Gate(self.routes, settings, hosts, self.metrics)

    @asynccontextmanager
    async def _life(self, _: FastAPI) -> AsyncIterator[None]:
        self.service.start()
        if self.jobs is not None:
            self.jobs.start()
        try:
            yield
        finally:
            if self.jobs is not None:
                await self.jobs.close()
            await self.service.close()

    def _numbers(self) -> dict[str, tuple[str, float]]:
        self.metrics.networks(self.service.readers.about.get("networks", ()))
        return {
            "sealread_requests_held": ("Requests that wait or are worked on.", self.room.requests),
            "sealread_bytes_held": ("Bytes of their bodies.", self.room.bytes),
            "sealread_pages_waiting": ("Opened pages that wait for a reader.", self.service.readers.waiting),
            "sealread_files_waiting": ("Pages that wait to be opened.", self.service.openers.waiting),
            "sealread_jobs_active": ("Jobs that are worked on.", 0 if self.jobs is None else len(self.jobs.active)),
            "sealread_readers_ready": ("Processes that read.", self.service.readers.ready),
            "sealread_parsers_ready": ("Processes that open files.", self.service.openers.ready),
            "sealread_processes_lost": ("Processes that were killed or died.", self.service.readers.lost + self.service.openers.lost),
        }

    def _add_routes(self) -> None:
        routes, limits = self.routes, self.settings.limits
        routes.add_api_route("/health", self.health, methods=["GET"], response_model=Answer)
        routes.add_api_route("/health/live", self.health, methods=["GET"], response_model=Answer)
        routes.add_api_route("/health/ready", self.ready, methods=["GET"], response_model=Answer, responses={503: {"model": Answer}})
        body = {"required": True, "content": {"application/json": {"schema": RecognitionRequest.model_json_schema()}}}
        routes.add_api_route(
            "/seal-recognition",
            self.recognise,
            methods=["POST"],
            summary="Read the seals of a file",
            response_model=None,
            responses={200: {"model": RecognitionAnswer}, **_REFUSED},
            openapi_extra={"requestBody": body},
        )
        if self.jobs is not None:
            routes.add_api_route(
                "/jobs",
                self.hand_in,
                methods=["POST"],
                summary="Hand in a file that may be long",
                response_model=None,
                responses={202: {"model": Answer}, **_REFUSED},
                openapi_extra={"requestBody": body},
            )
            routes.include_router(job_routes(self.jobs))
        routes.add_api_route("/settings", self.describe, methods=["GET"], summary="What may be asked for")
        if limits.metrics:
            routes.add_api_route("/metrics", self.tell_metrics, methods=["GET"], include_in_schema=False)
        if limits.docs:
            routes.add_api_route("/docs", self.explain, methods=["GET"], include_in_schema=False)
            routes.add_api_route(STYLE_PATH, lambda: Response(STYLE, media_type="text/css"), methods=["GET"], include_in_schema=False)
        if limits.page:
            routes.include_router(page_router())

    def _add_errors(self) -> None:
        async def of_library(request: Request, error: Exception) -> Response:
            assert isinstance(error, HTTPException)
            return _refused(request, error.status_code, str(error.detail), dict(error.headers or {}))

        async def of_schema(request: Request, error: Exception) -> Response:
            assert isinstance(error, RequestValidationError)
            rows = [{"type": e["type"], "loc": ".".join(map(str, e["loc"])), "msg": e["msg"]} for e in error.errors()]
            return _refused(request, 422, json.dumps(rows))

        async def ours(request: Request, error: Exception) -> Response:
            assert isinstance(error, SealreadError)
            if isinstance(error, InputError):
                return _refused(request, error.http_status, str(error))
            _log.error("failed", extra={"fields": {"logId": request.state.log_id, "reason": str(error)}})
            if isinstance(error, ModelError):
                return _refused(request, error.http_status, "The service cannot read files now")
            return _refused(
                request, error.http_status, "The page cannot be read" if isinstance(error, EngineError) else "Internal server error"
            )

        async def refused(request: Request, error: Exception) -> Response:
            assert isinstance(error, Refusal)
            return _refused(request, error.status, str(error), {"connection": "close", **error.headers})

        async def unknown(request: Request, _: Exception) -> Response:
            return _refused(request, 500, "Internal server error")

        self.routes.add_exception_handler(HTTPException, of_library)
        self.routes.add_exception_handler(RequestValidationError, of_schema)
        self.routes.add_exception_handler(SealreadError, ours)
        self.routes.add_exception_handler(Refusal, refused)
        self.routes.add_exception_handler(Exception, unknown)

    async def health(self, request: Request) -> Response:
        """Whether the service lives."""
        return JSONResponse(envelope(request.state.log_id, 0, "Healthy"))

    async def ready(self, request: Request) -> Response:
        """Whether files can be read now: processes are up and networks compiled."""
        if self.service.is_ready:
            return JSONResponse(envelope(request.state.log_id, 0, "Ready"))
        return JSONResponse(envelope(request.state.log_id, 503, "Not ready"), 503)

    async def tell_metrics(self) -> Response:
        """For Prometheus."""
        return Response(self.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def explain(self) -> Response:
        """The interface, for people."""
        return Response(docs_page(self.routes.openapi()), media_type="text/html; charset=utf-8")

    async def describe(self) -> dict[str, Any]:
        """The parameters of a request with their meaning, and the limits that concern clients."""
        limits = self.settings.limits
        schema = RecognitionRequest.model_json_schema()["properties"]
        options = [
            {"name": declared["name"], "description": declared["text"], "allowed": declared["allowed"], "schema": schema[declared["name"]]}
            for declared in _described()
        ]
        return {
            "options": options,
            "visualize": self.settings.visualize,
            "keyRequired": bool(self.settings.keys),
            "urls": limits.allow_urls,
            "jobs": self.jobs is not None,
            "maxBodyBytes": limits.max_body_mb * _MEGABYTE,
            "maxPages": limits.max_num_input_imgs,
        }

    async def recognise(self, request: Request) -> Response:
        """Find and read the seals of an image, or of each page of a PDF or TIFF."""
        limits = self.settings.limits
        with Place(self.room) as place:
            with self.metrics.timed("upload"):
                body = await place.body(request, limits.max_body_mb * _MEGABYTE, limits.upload_seconds)
            try:
                async with asyncio.timeout(limits.queue_seconds):
                    pages = await _unless_gone(request, self._read(request, body))
            except TimeoutError:
                raise Refusal(429, "The server is busy; try again later") from None
        request.state.fields.update(pages=len(pages), seals=sum(page.seals for page in pages))
        return Response(_answer(pages, request.state.log_id), media_type="application/json")

    async def hand_in(self, request: Request) -> Response:
        """Accept a file to be read later; ask `/jobs/{job_id}` how far it is."""
        assert self.jobs is not None
        limits = self.settings.limits
        with Place(self.room) as place:
            upload = await self._taken(request, await place.body(request, limits.max_body_mb * _MEGABYTE, limits.upload_seconds))
            try:
                return accepted(await self.jobs.add(upload, request.state.owner, request.state.log_id))
            finally:
                upload.path.unlink(missing_ok=True)

    async def _read(self, request: Request, body: bytes) -> list[PageDone]:
        upload = await self._taken(request, body)
        try:
            pages = await self.service.read(upload, self.settings.limits.max_num_input_imgs)
        finally:
            upload.path.unlink(missing_ok=True)
        return pages

    async def _taken(self, request: Request, body: bytes) -> Upload:
        """The file of a request in the spool; its logId holds from now on."""
        try:
            with self.metrics.timed("intake"):
                upload = await self.service.take(body)
        except InputError:
            request.state.log_id = log_id_in(body)
            raise
        if upload.log_id is not None:
            request.state.log_id = upload.log_id
        return upload


async def _unless_gone(request: Request, work: Awaitable[T]) -> T:
    """The work's result; it is given up when the client hangs up.

    Raises:
        Refusal: the client is gone.
    """

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    task, watch = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Refusal(400, "The client hung up")
        return task.result()
    finally:
        for each in (task, watch):
            each.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


def _answer(pages: list[PageDone], log_id: str) -> bytes:
    """The body of an answer, put together from what the readers wrote."""
    info = json.dumps(data_info(pages), separators=(",", ":")).encode()
    results = b",".join(page.content for page in pages)
    head = json.dumps(log_id).encode()
    return b'{"logId":%b,"result":{"sealRecResults":[%b],"dataInfo":%b},"errorCode":0,"errorMsg":"Success"}' % (head, results, info)


def _refused(request: Request, status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(envelope(request.state.log_id, status, message), status, headers)


def _described() -> list[dict[str, str]]:
    fields = RecognitionRequest.model_fields
    return [
        {"name": str(fields[name].alias), "text": str(declared.description), "allowed": PredictOptions.allowed(name)}
        for name, declared in PredictOptions.model_fields.items()
        if name in fields
    ]
