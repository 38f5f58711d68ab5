"""Model directories in the official layout: ``inference.yml`` beside the network, in ONNX or in one of Paddle's formats.

Read safely: a safe YAML loader, no evaluation of strings, no pickles, limits of size; the directory is never written to. How it is fed
and what its answers mean is read by `sealread.zoo.card`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from sealread.errors import ModelError
from sealread.zoo.card import read_card, word
from sealread.zoo.networks import Network

#: Paddle's programs, the newer format first; the weights lie beside them.
_PROGRAMS = ("inference.json", "inference.pdmodel")
_WEIGHTS = "inference.pdiparams"
#: Bytes of the largest card and the largest program that are read; real ones are a tenth as large.
_MOST_CARD, _MOST_PROGRAM = 4 << 20, 256 << 20
#: The compiled loader is as safe as the other one, and ten times as fast on alphabets of thousands of lines.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def network_from_directory(folder: Path, name: str | None, task: str) -> Network:
    """The network of a local directory.

    Args:
        folder: holds ``inference.yml`` with ``inference.onnx``, or with ``inference.json`` or ``inference.pdmodel`` and
            ``inference.pdiparams``.
        name: the configured model name; the directory's own name (`Global.model_name`) must be the same; None: any.
        task: what it is used for.

    Raises:
        ModelError: a file is missing or unreadable, the name differs, or the content does not fit the task.
    """
    if not folder.is_dir():
        raise ModelError(f"the model_dir {folder} does not exist; give a folder with inference.yml and the network", parameter="model_dir")
    onnx, program = folder / "inference.onnx", _program(folder)
    if not onnx.exists() and program is None:
        message = f"the model_dir {folder} has no inference.onnx, inference.json or inference.pdmodel; export the model into it"
        raise ModelError(message, parameter="model_dir")
    network = network_from_card(_card(folder / "inference.yml"), task, folder)
    if name is not None and network.name not in ("", name):
        message = f"the model_dir {folder} holds {network.name}, but model_name says {name}; make them agree"
        raise ModelError(message, parameter="model_name")
    called = network.name if name is None else name
    return replace(network, name=called, file=onnx if onnx.exists() else program, program=program)


def network_from_card(card: Mapping[str, Any], task: str, folder: Path) -> Network:
    """The network that the content of an ``inference.yml`` describes, without its file; the name is empty where the content has none.

    Args:
        task: what it is used for.
        folder: where the content lies, for messages.

    Raises:
        ModelError: the content does not fit the task.
    """
    try:
        about = card.get("Global", {})
        own, licence = about.get("model_name", ""), about.get("licence", "see the model's source")
        family, settings = read_card(card, task, folder)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as cause:  # what a value of the wrong kind leads to
        message = f"{folder}/inference.yml is not laid out like an official one ({_first_line(cause)}); export the model again"
        raise ModelError(message, parameter="model_dir") from cause
    return Network(word("" if own is None else own), task, family, None, f"model_dir {folder}", word(licence), settings)


def _program(folder: Path) -> Path | None:
    """Paddle's program of a directory, with its weights; None where there is none.

    Raises:
        ModelError: the weights are missing, or the program is larger than any.
    """
    for program in (folder / name for name in _PROGRAMS):
        if not program.exists():
            continue
        if program.stat().st_size > _MOST_PROGRAM:
            raise ModelError(f"{program} is larger than any network's program; export the model again", parameter="model_dir")
        if (folder / _WEIGHTS).exists():
            return program
        if not (folder / "inference.onnx").exists():
            message = f"the model_dir {folder} holds {program.name} without {_WEIGHTS}, its weights; copy both"
            raise ModelError(message, parameter="model_dir")
    return None


def _card(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_CARD + 1)
        if len(content) > _MOST_CARD:
            raise ModelError(f"{path} is larger than any official one; export the model again", parameter="model_dir")
        loaded = yaml.load(content.decode("utf-8"), _LOADER)
    except FileNotFoundError:
        raise ModelError(f"{path.parent} has no inference.yml, which says how the network is fed", parameter="model_dir") from None
    except OSError as cause:
        raise ModelError(f"{path} cannot be opened: {cause.strerror}", parameter="model_dir") from cause
    except (ValueError, RecursionError, yaml.YAMLError) as cause:  # no UTF-8, a date like 2001-99-99, nested too deep, no YAML
        problem = getattr(cause, "problem", None)
        raise ModelError(f"{path} is damaged: {_first_line(cause) if problem is None else problem}", parameter="model_dir") from cause
    if not isinstance(loaded, Mapping):
        raise ModelError(f"{path} is not a mapping of keys", parameter="model_dir")
    return loaded


def _first_line(cause: Exception) -> str:
    lines = str(cause).splitlines()
    return lines[0] if lines else type(cause).__name__
