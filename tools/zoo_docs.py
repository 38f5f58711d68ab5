"""Write the zoo's table into the documents, between the marks: `python tools/zoo_docs.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sealread.zoo import TASKS, Entry, entries

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Rewrite docs/models.md and MODEL_LICENSES.md in place."""
    for page in ("docs/models.md", "MODEL_LICENSES.md"):
        path = ROOT / page
        path.write_text(with_tables(path.read_text(encoding="utf-8")), encoding="utf-8")


def with_tables(text: str) -> str:
    """The document with every marked table written anew."""
    for mark, body in {"zoo": "\n\n".join(_task_tables()), "official": _official_names()}.items():
        start, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
        if start in text:
            before, rest = text.split(start)
            text = f"{before}{start}{body}\n{end}{rest.split(end)[1]}"
    return text


def _task_tables() -> Iterator[str]:
    for task in TASKS:
        rows = [entry for entry in entries().values() if entry.task == task]
        last = {"layout_detection": "labels", "text_recognition": "alphabet"}.get(task)
        head = ["name", "family", "input", "comes from", "accuracy", "GPU ms", "CPU ms", "MB", *([last] if last is not None else [])]
        lines = [head, ["---"] * len(head), *(_cells(entry, last) for entry in rows)]
        yield f"#### `{task}`\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(entry: Entry, last: str | None) -> list[str]:
    figures = entry.published
    cells = [f"`{entry.name}`", f"`{entry.family}`", entry.input_shape, _sources(entry)]
    if figures is None:
        cells += [""] * 4
    else:
        cells += [f"{figures.accuracy:g} ({figures.measure})", _times(figures.gpu_ms), _times(figures.cpu_ms), f"{figures.megabytes:g}"]
    if last == "labels":
        labels = entry.settings["labels"]
        cells.append(f"{len(labels)}, {'seal ' + str(labels.index('seal')) if 'seal' in labels else 'no seal'}")
    elif last == "alphabet":
        cells.append(f"`{entry.alphabet}`")
    return cells


def _times(milliseconds: tuple[float, ...]) -> str:
    return " / ".join(f"{time:g}" for time in milliseconds)


def _sources(entry: Entry) -> str:
    places = ["embedded" if carrier.package == "sealread" else f"`{carrier.package}`" for carrier in entry.carriers]
    if entry.downloadable:
        places.append("download" if entry.onnx_hub is None else "download, ONNX too")
    return ", ".join(places) if places else "no file"


def _official_names() -> str:
    official = [entry for entry in entries().values() if entry.downloadable]
    return "\n".join(
        f"- {task}: {', '.join(f'`{entry.name}`' for entry in official if entry.task == task)}."
        for task in TASKS
        if any(entry.task == task for entry in official)
    )


if __name__ == "__main__":
    main()
