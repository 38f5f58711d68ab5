"""Speed of this commit beside plain RapidOCR on the same images, in the same run: `python bench/speed.py`.

Steady: both systems in one process, pinned to N cores, taking turns image by image after a warm-up round; median and
quartiles. Cold: a fresh process for each system and repetition; imports, creation, first result, peak memory.
RapidOCR is its package default (whole image, printed text); it does not know seals, so this compares time, not results.
Writes results/speed.json and the table in results/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

SYSTEMS = ("sealread", "rapidocr")
Timed = Callable[[Any, str], Any]  # reads a BGR array; the kind is "crop" or "page"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=None, help="folder with labels.jsonl for real crops (default: ../shared/realseals)")
    parser.add_argument("--crops", type=int, default=15, help="number of crops (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds over all images (default: %(default)s)")
    parser.add_argument("--cold", type=int, default=5, help="fresh processes for each system (default: %(default)s)")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2], help="numbers of cores to pin to (default: 1 2)")
    parser.add_argument("--child", choices=("steady", *SYSTEMS), help=argparse.SUPPRESS)
    parser.add_argument("--images", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is None:
        return measure(options)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores[0]])  # before any runtime counts its cores
    child = (
        steady(options.images, options.rounds, options.cores[0])
        if options.child == "steady"
        else cold(options.child, options.images, options.cores[0])
    )
    print(json.dumps(child))
    return 0


# ---------------------------------------------------------------- the measuring process


def measure(options: argparse.Namespace) -> int:
    """Makes the images, runs the children one after the other and writes what they found."""
    from pages import a4_page, crops_of, drawn_crops
    from setting import REAL_SET, setting, write
    from tables import write_tables

    real = REAL_SET if options.set is None else options.set
    available = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        crops = crops_of(real, options.crops) if real.is_dir() else drawn_crops(options.crops)
        for index, crop in enumerate(crops):
            crop.save(Path(folder, f"crop{index:02d}.png"))
        a4_page().save(Path(folder, "page.png"))
        figures: dict[str, Any] = {
            "setting": setting(),
            "images": {
                "crops": f"{len(crops)} real crops" if real.is_dir() else f"{len(crops)} drawn crops",
                "page": "A4 at 200 dpi, drawn",
            },
            "rounds": options.rounds,
            "steady": {},
            "cold": {},
        }
        for cores in options.cores:
            if cores > available:
                print(f"speed: {cores} cores skipped, for there are {available}", file=sys.stderr)
                continue
            figures["steady"][str(cores)] = _run_child(folder, "steady", cores, options.rounds)
        for system in SYSTEMS:
            runs = [_run_child(folder, system, min(2, available), 1) for _ in range(options.cold)]
            figures["cold"][system] = {key: spread([run[key] for run in runs]) for key in runs[0]}
    write("speed", figures)
    write_tables()
    return 0


def _run_child(folder: str, task: str, cores: int, rounds: int) -> Any:
    print(f"speed: {task} on {cores} cores", file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--child", task, "--images", folder, "--cores", str(cores), "--rounds", str(rounds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    if len(values) == 1:
        return {"median": values[0], "low": values[0], "high": values[0], "count": 1}
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high, "count": len(values)}


# ---------------------------------------------------------------- the measured processes


def steady(folder: Path, rounds: int, cores: int) -> dict[str, Any]:
    """Seconds per image once everything is loaded, the systems taking turns."""
    images = _load(folder)
    systems = {name: open_system(name, cores) for name in SYSTEMS}
    for kind, image in images:
        for read in systems.values():
            read(image, kind)
    seconds: dict[str, dict[str, list[float]]] = {name: {"crop": [], "page": []} for name in SYSTEMS}
    for number in range(rounds):
        for kind, image in images:
            for name in SYSTEMS if number % 2 == 0 else SYSTEMS[::-1]:
                start = time.perf_counter()
                systems[name](image, kind)
                seconds[name][kind].append(time.perf_counter() - start)
    return {name: {kind: spread(values) for kind, values in kinds.items()} for name, kinds in seconds.items()}


def cold(system: str, folder: Path, cores: int) -> dict[str, float]:
    """Seconds to the first result, and peak memory after a crop and after a page; in MB of 10^6 bytes."""
    images = _load(folder)
    crop = next(image for kind, image in images if kind == "crop")
    page = next(image for kind, image in images if kind == "page")
    start = time.perf_counter()
    read = open_system(system, cores)
    created = time.perf_counter()
    read(crop, "crop")
    first = time.perf_counter()
    after_crop = _peak_memory()
    read(page, "page")
    return {
        "create_seconds": created - start,
        "first_result_seconds": first - start,
        "peak_mb_crop": after_crop,
        "peak_mb_page": _peak_memory(),
    }


def _peak_memory() -> float:
    """Peak resident memory of this process; from /proc where it exists, for getrusage also counts the process that started this one."""
    import resource

    status = Path("/proc/self/status")
    if status.exists():
        row = next(row for row in status.read_text(encoding="ascii").splitlines() if row.startswith("VmHWM:"))
        return int(row.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def open_system(name: str, cores: int) -> Timed:
    """Imports and creates a system, ready to read."""
    if name == "sealread":
        from sealread import create_pipeline
        from sealread.evaluate import CROP_SWITCHES

        pipeline = create_pipeline(device="cpu")
        return lambda image, kind: list(pipeline.predict(image, **(CROP_SWITCHES if kind == "crop" else {})))
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": cores})
    return lambda image, kind: engine(image)


def _load(folder: Path) -> list[tuple[str, Any]]:
    """The images as BGR arrays with their kinds."""
    import numpy as np
    from PIL import Image

    return [
        (path.stem.rstrip("0123456789"), np.ascontiguousarray(np.asarray(Image.open(path).convert("RGB"))[..., ::-1]))
        for path in sorted(folder.glob("*.png"))
    ]


if __name__ == "__main__":
    sys.exit(main())
