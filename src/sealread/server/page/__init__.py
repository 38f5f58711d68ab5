"""The web page: its files and the samples, served from memory by exact name.

Nothing on the page asks another host, and its content security policy allows nothing beyond its own origin: no inline script,
no inline style, no address made of data.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response

__all__ = ["page_router"]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAMPLES = ("contract.png", "invoice.pdf", "seal.png")

_HERE = Path(__file__).parent
#: Said here and not by the system's table, which may lack one or call scripts plain text.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    media_type: str
    tag: str

    @classmethod
    def of(cls, path: Path) -> _File:
        content = path.read_bytes()
        return cls(content, _TYPES[path.suffix], f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def page_router() -> APIRouter:
    """The routes ``/`` and ``/page/...``, outside the API's description."""
    files = {path.name: _File.of(path) for path in _HERE.iterdir() if path.suffix in _TYPES}
    files |= {f"samples/{name}": _File.of(_samples_folder() / name) for name in SAMPLES}
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"])
    def index(request: Request) -> Response:
        return _answer(request, files["index.html"])

    @router.api_route("/page/{name:path}", methods=["GET", "HEAD"])
    def part(request: Request, name: str) -> Response:
        file = files.get(name)
        return Response(status_code=404) if file is None else _answer(request, file)

    return router


def _samples_folder() -> Path:
    """Inside the package where it is installed; in a clone the samples lie once, in ``examples``."""
    packed = _HERE / "samples"
    return packed if packed.is_dir() else _HERE.parents[3] / "examples"


def _answer(request: Request, file: _File) -> Response:
    headers = {
        "Cache-Control": "no-cache",  # ask again, and be told that nothing changed
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "ETag": file.tag,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("If-None-Match") == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
