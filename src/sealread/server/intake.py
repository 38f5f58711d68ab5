"""From a body to a file in the spool: everything that can be refused before a file is opened is refused here."""

from __future__ import annotations

import binascii
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from sealread.errors import InputError
from sealread.server.opening import IMAGE, PDF
from sealread.server.schema import parse_request
from sealread.sources import READABLE_SUFFIXES

#: Base64 has none of these; a body that has many is a bomb of nested or numberless members, told before it is parsed.
_MARKS = b"[{,"
_MOST_MARKS = 10_000
#: Base64 is decoded in pieces of so many characters, a multiple of four.
_PIECE = 1 << 22


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in the spool and what is asked of it.

    Attributes:
        path: where the file lies.
        kind: `PDF` or `IMAGE`, as the request says.
        options: parameters of `predict()` that were given.
        visualize: None: as the server is set.
        log_id: None: the request has none.
    """

    path: Path
    kind: int
    options: dict[str, Any]
    visualize: bool | None
    log_id: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request whose file is still Base64 or an address."""

    file: str
    kind: int
    options: dict[str, Any]
    visualize: bool | None
    log_id: str | None

    @property
    def is_url(self) -> bool:
        """Whether the file is to be fetched."""
        return _is_url(self.file)


class Spool:
    """A folder of our own for files while they are worked on; it goes when the service ends."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sealread-"))

    def new(self) -> Path:
        """A name that nobody has."""
        return self.folder / secrets.token_hex(16)

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)


def asked(body: bytes) -> Asked:
    """The request in a body.

    Raises:
        InputError: not valid, or the kind of file cannot be told.
    """
    if sum(body.count(bytes([mark])) for mark in _MARKS) > _MOST_MARKS:
        raise InputError(f"The body has more than {_MOST_MARKS:,} members")
    request: Any = parse_request(body)
    kind = request.file_type
    if kind is None:
        if not _is_url(request.file):
            raise InputError("File type cannot be determined", parameter="fileType")
        try:
            suffix = PurePosixPath(unquote(urlsplit(request.file).path)).suffix.lower()
        except ValueError:  # brackets that hold no address
            raise InputError("Invalid input file: the address is not valid", parameter="file") from None
        if suffix not in READABLE_SUFFIXES:
            raise InputError("Unsupported file type", parameter="fileType")
        kind = PDF if suffix == ".pdf" else IMAGE
    return Asked(request.file, kind, request.options(), request.visualize, request.log_id)


def save_base64(text: str, path: Path) -> None:
    """Write what strict Base64 stands for: no other character, no line break, full length.

    Raises:
        InputError: it is something else.
    """
    try:
        encoded = text.encode("ascii")
        if len(encoded) % 4:
            raise ValueError("length")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for start in range(0, len(encoded), _PIECE):
                piece = encoded[start : start + _PIECE]
                if start + _PIECE < len(encoded) and b"=" in piece:
                    raise ValueError("padding")
                file.write(binascii.a2b_base64(piece, strict_mode=True))
    except ValueError as cause:  # binascii.Error and UnicodeEncodeError are such
        path.unlink(missing_ok=True)
        raise InputError(
            "Invalid input file: it is no valid Base64 (standard alphabet, padded, no line breaks)", parameter="file"
        ) from cause


def _is_url(file: str) -> bool:
    return file[:8].lower().startswith(("http://", "https://"))
