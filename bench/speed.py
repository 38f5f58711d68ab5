"""Speed of this commit beside other systems on the same images, in the same run: `python bench/speed.py`.

Steady: sealread with the engine of its own choice, with OpenVINO and with ONNX Runtime, and plain RapidOCR in one process, pinned to N
cores, taking turns image by image after a warm-up round; median and quartiles. RapidDoc's seal path, if `--rapiddoc` names the Python of
an environment that has it, in a process of its own on the same crops. Cold: a fresh process for each system and repetition; imports,
creation, first result, peak memory. Ceiling: how far each network is from what this CPU multiplies (`ceiling.py`).
RapidOCR is its package default (whole image, printed text); it does not know seals, so this compares time, not results.
Writes results/speed.json and the table in results/README.md.
"""

from __future__ import annotations

import argparse
import importlib.util
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

SYSTEMS = ("sealread", "sealread_openvino", "sealread_onnxruntime", "rapidocr")
#: The seal path of this peer reads crops only; it runs in an environment of its own.
PEER = "rapiddoc"
#: The environment variable that names the peer's Python where the flag does not.
PEER_VARIABLE = "RAPIDDOC_PYTHON"
Timed = Callable[[Any, str], Any]  # reads a BGR array; the kind is "crop" or "page"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=None, help="folder with labels.jsonl for real crops (default: ../shared/realseals)")
    parser.add_argument("--crops", type=int, default=15, help="number of crops (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds over all images (default: %(default)s)")
    parser.add_argument("--cold", type=int, default=5, help="fresh processes for each system (default: %(default)s)")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2], help="numbers of cores to pin to (default: 1 2)")
    default = os.environ.get(PEER_VARIABLE)
    parser.add_argument(
        "--rapiddoc", metavar="PYTHON", default=default, help=f"Python with rapid-doc and rapidocr (default: {PEER_VARIABLE})"
    )
    parser.add_argument("--child", choices=("steady", "cold", "ceiling"), help=argparse.SUPPRESS)
    parser.add_argument("--systems", nargs="+", default=SYSTEMS, help=argparse.SUPPRESS)
    parser.add_argument("--images", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is None:
        return measure(options)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores[0]])  # before any runtime counts its cores
    print(json.dumps(child(options)))
    return 0


def child(options: argparse.Namespace) -> Any:
    """What one measuring process finds."""
    if options.child == "steady":
        return steady(options.images, options.rounds, options.cores[0], options.systems)
    if options.child == "cold":
        return cold(options.systems[0], options.images, options.cores[0])
    from ceiling import ceiling

    return ceiling(options.cores[0], 2 * options.rounds)


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
            "ceiling": {},
        }
        for cores in options.cores:
            if cores > available:
                print(f"speed: {cores} cores skipped, for there are {available}", file=sys.stderr)
                continue
            figures["steady"][str(cores)] = _run_child(folder, "steady", cores, options.rounds, SYSTEMS)
            if options.rapiddoc is not None:
                found = _run_child(folder, "steady", cores, options.rounds, (PEER,), options.rapiddoc)
                figures["steady"][str(cores)] |= found
            if importlib.util.find_spec("openvino") is not None:  # it measures the ceiling
                figures["ceiling"][str(cores)] = _run_child(folder, "ceiling", cores, options.rounds)
        for system in SYSTEMS:
            runs = [_run_child(folder, "cold", min(2, available), 1, (system,)) for _ in range(options.cold)]
            figures["cold"][system] = {key: spread([run[key] for run in runs]) for key in runs[0]}
    write("speed", figures)
    write_tables()
    return 0


def _run_child(folder: str, task: str, cores: int, rounds: int, systems: Sequence[str] = SYSTEMS, python: str = sys.executable) -> Any:
    print(f"speed: {task} of {', '.join(systems)} on {cores} cores", file=sys.stderr, flush=True)
    command = [python, __file__, "--child", task, "--images", folder, "--cores", str(cores), "--rounds", str(rounds), "--systems", *systems]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    if len(values) == 1:
        return {"median": values[0], "low": values[0], "high": values[0], "count": 1}
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high, "count": len(values)}


# ---------------------------------------------------------------- the measured processes


def steady(folder: Path, rounds: int, cores: int, names: Sequence[str]) -> dict[str, Any]:
    """Seconds per image once everything is loaded, the systems taking turns."""
    images = [(kind, image) for kind, image in _load(folder) if kind == "crop" or PEER not in names]
    systems = {name: open_system(name, cores) for name in names}
    for kind, image in images:
        for read in systems.values():
            read(image, kind)
    kinds = dict.fromkeys(kind for kind, _ in images)
    seconds: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in kinds} for name in names}
    for number in range(rounds):
        for kind, image in images:
            for name in names if number % 2 == 0 else names[::-1]:
                start = time.perf_counter()
                systems[name](image, kind)
                seconds[name][kind].append(time.perf_counter() - start)
    return {name: {kind: spread(values) for kind, values in found.items()} for name, found in seconds.items()}


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
    if name.startswith("sealread"):
        from sealread import create_pipeline
        from sealread.evaluate import CROP_SWITCHES

        pipeline = create_pipeline(device="cpu", engine=name.partition("_")[2] or None, engine_config={"cpu_threads": cores})
        return lambda image, kind: list(pipeline.predict(image, **(CROP_SWITCHES if kind == "crop" else {})))
    if name == PEER:
        return _rapiddoc(cores)
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": cores})
    return lambda image, kind: engine(image)


def _rapiddoc(cores: int) -> Timed:
    """The official mobile seal detector with the reference's processing, as RapidDoc has it, and PP-OCRv6 small recognition."""
    from rapid_doc.model.ocr.rapid_ocr import RapidOcrModel

    model = RapidOcrModel(is_seal=True, ocr_config={"EngineConfig.onnxruntime.intra_op_num_threads": cores})
    return lambda image, kind: model.ocr(image, det=True, rec=True)


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
