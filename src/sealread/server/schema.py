"""What clients send and get, derived from `PredictOptions`: names in camel case, the rest as declared there."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model
from pydantic.alias_generators import to_camel

from sealread.errors import InputError
from sealread.options import PredictOptions, Switch, complaint

#: Parameters of `predict()` that are no part of a request.
_NOT_ASKED = ("layout_det_res",)
_LONGEST_LOG_ID = 128


def _whole(value: object) -> object:
    """True and 1.0 are 1: some clients know no whole numbers."""
    return int(value) if isinstance(value, (bool, float)) and value in (0, 1) else value


def _short_text(value: object) -> object:
    """The caller's identifier; what cannot be one is left aside, as unknown members are."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_LOG_ID and value.isprintable() else None


_FileType = Annotated[Literal[0, 1], BeforeValidator(_whole)]


class _Body(BaseModel):
    """The part of a request that is about the file and the answer."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=False)

    file: str = Field(min_length=1, description="a file in Base64, or its http(s) address where the server allows that")
    file_type: _FileType | None = Field(default=None, description="0: PDF, 1: image; null: told from the address")
    visualize: Switch | None = Field(default=None, description="whether the answer has pictures; null: as the server is set")
    log_id: Annotated[str | None, BeforeValidator(_short_text)] = Field(default=None, description="comes back in the answer; null: made up")

    def options(self) -> dict[str, Any]:
        """The parameters of `predict()` that were given."""
        values = {name: getattr(self, name) for name in PredictOptions.model_fields if name not in _NOT_ASKED}
        return {name: value for name, value in values.items() if value is not None}


_ASKED: dict[str, Any] = {
    name: (declared.annotation, Field(default=None, description=f"{declared.description} [{PredictOptions.allowed(name)}]"))
    for name, declared in PredictOptions.model_fields.items()
    if name not in _NOT_ASKED
}
RecognitionRequest: type[_Body] = create_model("RecognitionRequest", __base__=_Body, **_ASKED)


class Answer(BaseModel):
    """What every answer in JSON has."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    log_id: str
    error_code: int = Field(description="0, or the HTTP status")
    error_msg: str


class PageResult(BaseModel):
    """One page."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    pruned_result: dict[str, Any] = Field(description="the page as in docs/results.md, without input_path and page_index")
    output_images: dict[str, str] | None = Field(default=None, description="pictures by name, JPEG in Base64")
    input_image: str | None = Field(default=None, description="the page, JPEG in Base64")


class Result(BaseModel):
    """All pages that were read."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    seal_rec_results: list[PageResult]
    data_info: dict[str, Any] = Field(description="type, size and pages of the file")


class RecognitionAnswer(Answer):
    """The answer to a file that was read."""

    result: Result


def parse_request(body: bytes) -> _Body:
    """The request in a body.

    Raises:
        InputError: no JSON object, a member is missing or has a bad value; the message is a JSON list of
            ``{"type", "loc", "msg"}``, with ``body.layoutThreshold`` and the like as `loc`.
    """
    try:
        return RecognitionRequest.model_validate_json(body)
    except ValidationError as refused:
        raise InputError(json.dumps([_complaint(error) for error in refused.errors()[:20]], ensure_ascii=False)) from None


def _complaint(error: Mapping[str, Any]) -> dict[str, str]:
    place = ".".join(str(part) for part in ("body", *error["loc"]))
    known = error["type"] in ("missing", "json_invalid")
    text = error["msg"] if known or len(str(error["input"])) > 200 else complaint(error)
    return {"type": str(error["type"]), "loc": place[:200], "msg": text.removeprefix("Value error, ")[:500]}


def log_id_in(body: bytes) -> str:
    """The caller's `logId` where a refused body has one that can be given back, else a new one."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return new_log_id()
    given = _short_text(content.get("logId")) if isinstance(content, dict) else None
    return given if isinstance(given, str) else new_log_id()


def new_log_id() -> str:
    """A random identifier of a request."""
    return str(uuid.uuid4())


def envelope(log_id: str, code: int, message: str) -> dict[str, Any]:
    """An answer without a result."""
    return {"logId": log_id, "errorCode": code, "errorMsg": message}
