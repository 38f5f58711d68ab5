"""Bring a model from the official hubs, or from a mirror of them, into the cache folder.

A source is an address with places for ``{repo}``, ``{name}`` and ``{file}``. Files are written beside, checked, and moved into their
place together; an attempt that breaks is continued by the next one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sealread.cache import default_cache, locked
from sealread.download import FetchError, save
from sealread.errors import InputError, ModelError
from sealread.zoo.archive import unpack
from sealread.zoo.table import Entry

_log = logging.getLogger(__name__)

#: Environment variable: names of hubs or addresses of mirrors, parted by commas, in the order in which they are asked.
SOURCE_VARIABLE = "SEALREAD_MODEL_SOURCE"
#: Environment variable: ``1`` forbids every download of models.
OFFLINE_VARIABLE = "SEALREAD_OFFLINE"
#: The official hubs in the order in which they are asked; ``bos`` holds the archives. The last is an address of the table.
HUBS = {
    "huggingface": "{huggingface}/{repo}/resolve/main/{file}",
    "aistudio": "https://git.aistudio.baidu.com/api/v1/repos/{repo}/media/{file}",
    "modelscope": "https://modelscope.cn/models/{repo}/resolve/master/{file}",
    "bos": "",
}
#: The variable by which users of the first hub name a mirror of all of it.
_HUGGINGFACE_VARIABLE = "HF_ENDPOINT"
#: The sets of files of which a model needs one, beside `CARD`.
CARD = "inference.yml"
_ONNX = ("inference.onnx",)
_PADDLE = (("inference.json", "inference.pdiparams"), ("inference.pdmodel", "inference.pdiparams"))
#: Where the sizes and digests of what was downloaded are noted.
RECORD = "download.json"
#: Attempts for one file at one source; seconds without a byte; the largest file.
_ATTEMPTS, _QUIET, _MOST_BYTES = 4, 20.0, 2_000_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """A place to ask, by name, with an address for each file; None asks for the table's archive."""

    name: str
    address: str | None


def sources(asked: str | Sequence[str] | None = None) -> list[Source]:
    """The places to ask in order: those that are named, then the official hubs that are not.

    Args:
        asked: names of hubs, or addresses: a folder that holds ``NAME/FILE``, or a pattern with ``{name}`` or ``{repo}`` and ``{file}``;
            None: what ``SEALREAD_MODEL_SOURCE`` says.

    Raises:
        InputError: a name is unknown.
    """
    named = os.environ.get(SOURCE_VARIABLE, "") if asked is None else asked
    words = [word.strip() for word in (named.split(",") if isinstance(named, str) else named) if word.strip()]
    first = []
    for word in words:
        if word in HUBS:
            first.append(_hub(word))
        elif word.startswith(("http://", "https://")):
            first.append(Source(word, word if "{file}" in word else f"{word.rstrip('/')}/{{name}}/{{file}}"))
        else:
            message = f"the model source {word!r} is unknown: use {', '.join(HUBS)}, or the address of a mirror"
            raise InputError(message, parameter="model_source")
    return first + [_hub(name) for name in HUBS if name not in words]


def _hub(name: str) -> Source:
    if name == "bos":
        return Source(name, None)
    endpoint = os.environ.get(_HUGGINGFACE_VARIABLE) or "https://huggingface.co"  # an empty variable is an unset one
    return Source(name, HUBS[name].replace("{huggingface}", endpoint.rstrip("/")))


def folder_of(name: str) -> Path:
    """Where a downloaded model lies, or would lie."""
    return default_cache() / "models" / name


def is_offline() -> bool:
    """Whether downloads of models are forbidden."""
    return os.environ.get(OFFLINE_VARIABLE, "").strip().lower() not in ("", "0", "false", "no")


def intact(folder: Path) -> bool:
    """Whether a model's folder holds all that was downloaded, by size; one that a person put there has no record and counts as it is."""
    if not (folder / CARD).is_file():
        return False
    try:
        files = json.loads((folder / RECORD).read_text(encoding="utf-8"))["files"]
        return all((folder / name).stat().st_size == note["bytes"] for name, note in files.items())
    except FileNotFoundError as cause:
        return str(cause.filename) == str(folder / RECORD)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def bring(entry: Entry, asked: str | Sequence[str] | None = None) -> Path:
    """The folder of a model, downloaded if it is not there; processes that want the same one wait for the first.

    Raises:
        ModelError: no source has it, or it cannot be kept; one sentence says what to do.
        InputError: a source is unknown.
    """
    folder, places = folder_of(entry.name), sources(asked)
    try:
        with locked(entry.name):
            if not intact(folder):  # another process may have been first
                _brought(entry, places, folder)
    except OSError as cause:
        message = f"the model {entry.name} cannot be kept in {folder} ({cause.strerror}); set SEALREAD_CACHE_HOME to a folder that can be"
        raise ModelError(message, parameter="model_name") from cause
    return folder


def _brought(entry: Entry, places: Sequence[Source], folder: Path) -> None:
    if folder.exists() and not (folder / RECORD).exists():
        raise ModelError(f"the folder {folder} is no model and in the way: it has no {CARD}; remove it", parameter="model_name")
    reasons = []
    for place in places:
        beside = folder.parent / f".{entry.name}.{hashlib.sha256(place.name.encode()).hexdigest()[:8]}"
        beside.mkdir(parents=True, exist_ok=True)
        try:
            _from_archive(entry, beside) if place.address is None else _from_files(entry, place.address, beside)
        except (FetchError, ModelError) as cause:
            reasons.append(str(cause).rstrip("."))
            continue
        _finish(beside, place.name, folder)
        _log.info("the model %s was downloaded from %s into %s", entry.name, place.name, folder)
        return
    raise ModelError(
        f"the model {entry.name} could not be downloaded ({'; '.join(reasons)}); try again, name a mirror in {SOURCE_VARIABLE}, or put its "
        f"files into {folder}",
        parameter="model_name",
    )


def _from_files(entry: Entry, address: str, beside: Path) -> None:
    """The card and one set of files, each from an address of its own."""
    missing: FetchError | None = None
    for repo, files in _offers(entry, official="{repo}" in address):
        try:
            for file in (CARD, *files):
                _save(address.format(repo=repo, name=entry.name, file=file), beside / file)
            return
        except FetchError as cause:
            if cause.status not in (403, 404):
                raise
            missing = cause if missing is None else missing
    if missing is None:
        raise ModelError(f"no repository of {entry.name} is known there")
    raise missing


def _offers(entry: Entry, *, official: bool) -> Iterator[tuple[str, Sequence[str]]]:
    """Repositories and the files to ask them for; of a mirror's folder it is not known which it has."""
    if entry.onnx_hub is not None or not official:
        yield entry.onnx_hub if entry.onnx_hub is not None else entry.name, _ONNX
    if entry.hub is not None or not official:
        for files in _PADDLE:
            yield entry.hub if entry.hub is not None else entry.name, files


def _from_archive(entry: Entry, beside: Path) -> None:
    if entry.archive is None:
        raise ModelError(f"no archive of {entry.name} is known")
    archive = beside / entry.archive.rpartition("/")[2]
    _save(entry.archive, archive, entry.download_bytes, entry.download_sha256)
    unpacked = beside / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)
    unpacked.mkdir()
    try:
        unpack(archive, unpacked)
        if not (unpacked / CARD).is_file():
            raise ModelError(f"{archive.name} holds no {CARD}")
    finally:
        archive.unlink()  # a bad one must not be continued
    for path in unpacked.iterdir():
        path.replace(beside / path.name)
    unpacked.rmdir()


def _save(url: str, target: Path, size: int | None = None, sha256: str | None = None) -> None:
    """One file, whole and as the table says; what is there already is kept."""
    if target.exists():
        return
    part = target.with_name(f"{target.name}.part")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            save(url, part, quiet=_QUIET, max_bytes=_MOST_BYTES)
            _check(part, size, sha256, url)
            break
        except FetchError as cause:
            if not cause.broken or attempt == _ATTEMPTS:
                raise
            _log.info("%s is continued: %s", url, cause)
    part.replace(target)


def _check(part: Path, size: int | None, sha256: str | None, url: str) -> None:
    """See that a file is the one of the table, where the table says something."""
    if size is not None and part.stat().st_size != size:
        reason = f"it has {part.stat().st_size:,} bytes instead of {size:,}"
    elif sha256 is not None and _digest(part) != sha256:
        reason = "its sha256 is not that of the table"
    else:
        return
    part.unlink()
    raise FetchError(f"{url} is damaged or another file: {reason}", source=url, broken=True)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _finish(beside: Path, source: str, folder: Path) -> None:
    """Note what came, and move it to its place in one step."""
    files = {
        path.relative_to(beside).as_posix(): {"bytes": path.stat().st_size, "sha256": _digest(path)}
        for path in sorted(beside.rglob("*"))
        if path.is_file()
    }
    (beside / RECORD).write_text(json.dumps({"source": source, "files": files}, indent=1) + "\n", encoding="utf-8")
    if folder.exists():  # damaged
        shutil.rmtree(folder)
    beside.replace(folder)
