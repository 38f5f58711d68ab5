"""From a name to a network that can be run: a file of this package, of another one, or of the folder of downloads."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sealread.errors import ModelError
from sealread.zoo.table import Carrier, Entry, find_entry


@dataclass(frozen=True, slots=True)
class Network:
    """A network that can be run.

    Attributes:
        name: the model's name.
        task: one of `TASKS`.
        family: what inputs and outputs mean; each stage knows its families.
        file: the ONNX file, or Paddle's program where there is no ONNX file; None where nothing is run.
        source: where the file comes from, for people.
        licence: SPDX identifier of the weights.
        settings: numbers and lists that the family needs: normalisation, input size, label list, alphabet, calibration.
        program: Paddle's own program file, where there is one.
    """

    name: str
    task: str
    family: str
    file: Path | None
    source: str
    licence: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    program: Path | None = None

    @property
    def sha256(self) -> str | None:
        """Digest of the file, hexadecimal."""
        return digest(self.file) if self.file is not None else None


def digest(file: Path) -> str:
    """The sha256 of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def find_network(name: str, task: str, model_source: str | Sequence[str] | None = None) -> Network:
    """The network of that name, downloaded if it may and need be.

    Args:
        model_source: the hubs or mirrors to ask first, see `hubs.sources`.

    Raises:
        ModelError: the name is unknown (the nearest ones are named), belongs to another task, or its file is not there or damaged.
    """
    from sealread.zoo.directory import network_from_directory
    from sealread.zoo.fetch import fetch_model

    entry = find_entry(name, task)
    for carrier in entry.carriers:
        file = carried(carrier)
        if file is not None:
            check_file(name, file, carrier)
            source = entry.source if carrier.package == "sealread" else f"{entry.source}, carried by the package {carrier.package}"
            return Network(name, task, entry.family, file, source, entry.licence, entry.settings)
    if not entry.downloadable:
        raise _damaged(name, entry.carriers[0])
    return network_from_directory(fetch_model(name, model_source), name, task)


def carried(carrier: Carrier) -> Path | None:
    """The file of a package; None where the package is not installed.

    Raises:
        ModelError: the package is there without its file.
    """
    spec = importlib.util.find_spec(carrier.package.replace("-", "_"))  # looked up, not imported
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / carrier.file


def check_file(name: str, file: Path, carrier: Carrier) -> None:
    """See that a package's file is the one of the table; the digest of this package's own files is left to `sealread check`.

    Raises:
        ModelError: it is missing, or another one.
    """
    if not file.is_file() or file.stat().st_size != carrier.bytes:
        raise _damaged(name, carrier)
    if carrier.package != "sealread" and _digest_of(file, file.stat().st_mtime_ns) != carrier.sha256:
        raise _damaged(name, carrier)


@cache
def _digest_of(file: Path, _changed: int) -> str:
    return digest(file)


def _damaged(name: str, carrier: Carrier) -> ModelError:
    return ModelError(
        f"the file of model {name} ({carrier.file} in {carrier.package}) is missing, damaged or of another version; run: "
        f"{carrier.install.replace('install', 'install --force-reinstall')}",
        parameter="model_name",
    )


def where(entry: Entry) -> str | None:
    """Where the files of a model lie on this machine, for people; None where they do not."""
    from sealread.zoo.fetch import downloaded

    for carrier in entry.carriers:
        file = carried(carrier)
        if file is not None and file.is_file():
            return "embedded" if carrier.package == "sealread" else f"package {carrier.package}"
    return "downloaded" if downloaded(entry.name) is not None else None
