"""What the service allows and how it runs: the `Serving` block of the configuration, completed and checked.

Each number has its one home here; `docs/serving.md` lists them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sealread.blocks import PipelineConfig
from sealread.errors import InputError
from sealread.options import complaint, suggestion

#: Environment variable with API keys, separated by commas or spaces.
KEYS_VARIABLE = "SEALREAD_API_KEYS"
#: Keys of the reference that are accepted and say nothing here.
_IGNORED = ("url_expires_in", "return_img_urls")

_Whole = Annotated[int, Field(ge=1)]
_Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Megabytes = Annotated[int, Field(ge=1)]


class _FileStorage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["memory"]


class Limits(BaseModel):
    """Keys of `Serving.extra`; None where it is allowed means no limit, or off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_num_input_imgs: _Whole | None = Field(default=10, description="pages of one file that are read; null: all")
    max_output_img_size: tuple[_Whole, _Whole] | None = Field(default=(2000, 2000), description="largest width and height of pictures")
    file_storage: _FileStorage | None = Field(default=None, description="memory, the only one: pictures travel in the answer")

    workers: _Whole | None = Field(default=None, description="processes that read; null: one for each core")
    parsers: _Whole = Field(default=2, description="processes that open files")
    pages_together: _Whole = Field(default=4, description="waiting pages, of any requests, that share runs of the networks")
    max_body_mb: _Megabytes = Field(default=50, description="largest request")
    max_waiting_mb: _Megabytes = Field(default=400, description="all requests that are held at a time")
    max_queue: _Whole = Field(default=64, description="requests that are held at a time; more are told to come again (429)")
    max_megapixels: _Whole = Field(default=40, description="largest image; pages of PDFs are drawn smaller instead")
    max_connections: _Whole = Field(default=500, description="open connections; more are closed at once")
    upload_seconds: _Seconds = Field(default=60.0, description="for headers, and again for the body, to arrive")
    page_seconds: _Seconds = Field(default=60.0, description="for one page to be opened, and again to be read")
    queue_seconds: _Seconds = Field(default=120.0, description="a request waits and works no longer than that")
    send_seconds: _Seconds = Field(default=60.0, description="for a client to take its answer")
    parser_memory_mb: _Megabytes = Field(default=1500, description="memory of a process that opens files")
    worker_memory_mb: _Megabytes = Field(default=4000, description="memory of a process that reads")

    allow_urls: bool = Field(default=False, description="`file` may be an address that the server fetches")
    url_seconds: _Seconds = Field(default=15.0, description="for a whole download")
    url_ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = Field(default=(80, 443), description="ports that may be fetched from")

    api_keys_file: str | None = Field(default=None, description="file with one API key a line; the environment may add some")
    requests_per_minute: _Whole | None = Field(default=None, description="for each key, or each client address without keys")
    allowed_hosts: tuple[str, ...] | None = Field(
        default=None, description="names under which the service answers; null: any but on loopback"
    )
    docs: bool = Field(default=True, description="pages /docs and /openapi.json")
    metrics: bool = Field(default=True, description="page /metrics")
    page: bool = Field(default=True, description="the web page at /")
    telemetry: bool = Field(default=False, description="OpenTelemetry spans, sent where the OTEL_ variables say")

    jobs: bool = Field(default=True, description="long files may be handed in at /jobs")
    jobs_folder: str | None = Field(default=None, description="where jobs are kept; null: a folder for each port in the cache folder")
    max_jobs: _Whole = Field(default=100, description="jobs that are not finished at a time")
    max_jobs_mb: _Megabytes = Field(default=2000, description="all that jobs keep on disk")
    max_job_pages: _Whole = Field(default=1000, description="pages of one job that are read")
    job_hours: _Seconds = Field(default=24.0, description="a finished job is kept so long")

    @model_validator(mode="after")
    def _a_body_fits(self) -> Self:
        if self.max_body_mb > self.max_waiting_mb:
            raise ValueError("max_body_mb must not be above max_waiting_mb")
        return self


class ServiceSettings(BaseModel):
    """All that the service was told.

    Attributes:
        visualize: whether answers have pictures where a request does not say.
        keys: API keys; none: everybody may ask.
    """

    model_config = ConfigDict(frozen=True)

    visualize: bool = True
    limits: Limits = Limits()
    keys: tuple[str, ...] = ()


def service_settings(config: PipelineConfig) -> ServiceSettings:
    """The settings in the `Serving` block of a configuration, and the keys in the environment and in the file that it names.

    Raises:
        InputError: an unknown key, a bad value, or a file of keys that cannot be read; `parameter` is the key.
    """
    serving = config.serving
    extra = {} if serving is None or serving.extra is None else dict(serving.extra)
    for key in extra:
        if key not in Limits.model_fields and key not in _IGNORED:
            raise _refused(key, f"is unknown{suggestion(key, Limits.model_fields)}")
    if serving is not None and serving.return_urls:
        raise InputError("Serving.return_urls is on, but pictures travel in the answer only: set it to False", parameter="return_urls")
    try:
        limits = Limits.model_validate({key: value for key, value in extra.items() if key not in _IGNORED})
    except ValidationError as error:
        first = error.errors()[0]
        raise _refused(".".join(map(str, first["loc"])), complaint(first)) from None
    visualize = True if serving is None else serving.visualize
    return ServiceSettings(visualize=visualize, limits=limits, keys=_keys(limits.api_keys_file))


def _keys(file: str | None) -> tuple[str, ...]:
    words = os.environ.get(KEYS_VARIABLE, "").replace(",", " ").split()
    if file is not None:
        try:
            words += Path(file).read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as cause:
            raise _refused("api_keys_file", f"cannot be read: {file}") from cause
        if not words:
            raise _refused("api_keys_file", f"holds no key: {file}")
    return tuple(words)


def _refused(key: str, what: str) -> InputError:
    name = f"Serving.extra.{key}" if key else "Serving.extra"
    return InputError(f"{name} {what}", parameter=name)


def table() -> str:
    """The keys of `Serving.extra` with their defaults and meaning, as docs/serving.md shows them."""
    rows = [f"| `{name}` | `{json.dumps(declared.default)}` | {declared.description} |" for name, declared in Limits.model_fields.items()]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])
