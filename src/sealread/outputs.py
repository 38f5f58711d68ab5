"""Where results go: names that do not collide, file types, and the writing itself."""

from __future__ import annotations

import io
import json
import mimetypes
import os
import re
import secrets
import time
import unicodedata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL.Image import Image as Picture

from sealread.errors import InputError

#: Types that pictures are written in, by suffix; for inputs of any other type they are PNG files.
PICTURE_FORMATS = {
    ".bmp": "BMP",
    ".gif": "GIF",
    ".jfif": "JPEG",
    ".jpe": "JPEG",
    ".jpeg": "JPEG",
    ".jpg": "JPEG",
    ".png": "PNG",
    ".ppm": "PPM",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
}
_SAVE_OPTIONS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 92, "subsampling": 0},
    "WEBP": {"quality": 92},
    "TIFF": {"compression": "tiff_deflate"},
}
_STEM_BYTES = 200  # leaves room for "_seal_res_region1000.png" within the 255 bytes of most file systems
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


class OutputNames:
    """Hands out the stems of the output files of one run, so that two inputs never share one.

    The first input with a stem gets it; a later, different input gets ``stem_2``, ``stem_3`` and so on, also where the
    names differ in case only, which many file systems do not tell apart. The same input, read again in this run or in
    the same order by another, gets the same stem, so that its files are overwritten rather than multiplied.
    """

    def __init__(self) -> None:
        self._stems: dict[tuple[str, int | None], str] = {}
        self._taken: set[str] = set()

    def stem(self, source: str | None, index: int | None) -> str:
        """The stem for one page.

        Args:
            source: path or address of the input; None for arrays, whose stem is ``{unix seconds}_{random number}``.
            index: 0-based page or frame, which is appended; None for single images.
        """
        if source is None:
            return _numbered(f"{int(time.time())}_{10**9 + secrets.randbelow(9 * 10**9)}", index)
        key = (source if _is_url(source) else os.path.abspath(source), index)
        if key not in self._stems:
            self._stems[key] = self._claim(_numbered(_fit(Path(_file_name(source)).stem), index))
        return self._stems[key]

    def is_saved(self, folder: Path, source: str | None, index: int | None) -> bool:
        """Whether an earlier run over the same inputs has saved this page, all of it, in a folder, and the input has not changed since."""
        if source is None:
            return False
        file = folder / json_name(self.stem(source, index))
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
            same = (said["input_path"], said["page_index"]) == (source, index)
            return same and (_is_url(source) or file.stat().st_mtime >= os.stat(source).st_mtime)
        except (OSError, ValueError, LookupError, TypeError):
            return False

    def _claim(self, wanted: str) -> str:
        stem, count = wanted, 1
        while _slot(stem) in self._taken:
            count += 1
            stem = f"{wanted}_{count}"
        self._taken.add(_slot(stem))
        return stem


def json_name(stem: str) -> str:
    """Name of the JSON file of a page, in a folder."""
    return f"{stem}_res.json"


def picture_suffix(source: str | None) -> str:
    """Suffix of the pictures of an input: its own where pictures are written in that type, else ``.png``."""
    suffix = "" if source is None else Path(_file_name(source)).suffix
    return suffix if suffix.lower() in PICTURE_FORMATS else ".png"


def names_json_file(path: Path) -> bool:
    """Whether a caller's path means one JSON file rather than a folder."""
    return mimetypes.guess_type(path.name)[0] == "application/json" and not path.is_dir()


def names_picture_file(path: Path) -> bool:
    """Whether a caller's path means one picture rather than a folder."""
    kind = mimetypes.guess_type(path.name, strict=False)[0]
    known = path.suffix.lower() in PICTURE_FORMATS or (kind is not None and kind.startswith("image/"))
    return known and not path.is_dir()


def write_picture(path: Path, picture: Picture, source: str | None) -> Path:
    """Write a picture in the type of the path's suffix; gives the path.

    Raises:
        InputError: the type is not one of `PICTURE_FORMATS`, or the file cannot be written.
    """
    kind = PICTURE_FORMATS.get(path.suffix.lower())
    if kind is None:
        raise InputError(
            f"Pictures are not written as {path.suffix} files; use {', '.join(PICTURE_FORMATS)} or a folder.",
            source=source,
            parameter="save_path",
        )
    content = io.BytesIO()
    picture.save(content, format=kind, **_SAVE_OPTIONS.get(kind, {}))
    return write_file(path, content.getvalue(), source)


def write_file(path: Path, content: bytes, source: str | None) -> Path:
    """Write a file, whole or not at all, and the folders above it where they are missing; gives the path.

    Raises:
        InputError: the file system refuses.
    """
    beside = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as cause:
        raise InputError(
            f"Cannot write {str(path)!r} ({cause.strerror}); choose a save_path that can be written.", source=source, parameter="save_path"
        ) from cause
    return path


def _is_url(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def _file_name(source: str) -> str:
    """The name part of a path or address; for an address without one, its host."""
    if not _is_url(source):
        return Path(source).name
    address = urlsplit(source)
    name = unquote(address.path).rstrip("/").rpartition("/")[2]
    return _UNSAFE.sub("_", name if name else address.netloc)


def _numbered(stem: str, index: int | None) -> str:
    return stem if index is None else f"{stem}_{index}"


def _fit(stem: str) -> str:
    return os.fsencode(stem)[:_STEM_BYTES].decode(errors="ignore") if len(os.fsencode(stem)) > _STEM_BYTES else stem


def _slot(stem: str) -> str:
    return unicodedata.normalize("NFC", stem).casefold()
