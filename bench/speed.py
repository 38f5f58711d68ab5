"""Speed of this commit beside other systems on the same images, in the same run: `python bench/speed.py`.

Steady: sealread with the engine of its own choice, with OpenVINO and with ONNX Runtime, plain RapidOCR and, if `--rapiddoc` names the
Python of an environment that has it, RapidDoc's seal path (crops only): each in a process of its own on the same N cores, taking turns
image by image after a warm-up round; median and quartiles. Cold: a fresh process for each system and repetition; imports, creation, first
result, peak memory. Ceiling: how far each network is from what this CPU multiplies (`ceiling.py`).
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
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

SYSTEMS = ("sealread", "sealread_openvino", "sealread_onnxruntime", "rapidocr")
#: The seal path of this peer reads crops only; it needs an environment of its own.
PEER = "rapiddoc"
#: The environment variable that names the peer's Python where the flag does not.
PEER_VARIABLE = "RAPIDDOC_PYTHON"
#: Seconds between two turns: threads of some systems go on spinning after theirs, on the cores of the next.
PAUSE = 0.05
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
    parser.add_argument("--system", help=argparse.SUPPRESS)
    parser.add_argument("--images", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is None:
        return measure(options)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores[0]])  # before any runtime counts its cores
    # Some libraries print: what is said here must be the answers alone.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        child(options, lambda answer: print(json.dumps(answer), file=answers, flush=True))
    return 0


def child(options: argparse.Namespace, answer: Callable[[Any], None]) -> None:
    """One measured process."""
    if options.child == "steady":
        take_turns(options.system, options.images, options.cores[0], answer)
    elif options.child == "cold":
        answer(cold(options.system, options.images, options.cores[0]))
    else:
        from ceiling import ceiling

        answer(ceiling(options.cores[0], 2 * options.rounds))


# ---------------------------------------------------------------- the measuring process


def measure(options: argparse.Namespace) -> int:
    """Makes the images, runs the children one after the other and writes what they found."""
    from pages import a4_page, crops_of, drawn_crops
    from setting import REAL_SET, setting, write
    from tables import write_tables

    real = REAL_SET if options.set is None else options.set
    available = len(os.sched_getaffinity(0))
    systems = dict.fromkeys(SYSTEMS, sys.executable) | ({} if options.rapiddoc is None else {PEER: options.rapiddoc})
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
            figures["steady"][str(cores)] = steady(Path(folder), options.rounds, cores, systems)
            if importlib.util.find_spec("openvino") is not None:  # it measures the ceiling
                figures["ceiling"][str(cores)] = _finished(_started(folder, "ceiling", cores, "--rounds", str(options.rounds)))
        for system in SYSTEMS:
            runs = [_finished(_started(folder, "cold", min(2, available), "--system", system)) for _ in range(options.cold)]
            figures["cold"][system] = {key: spread([run[key] for run in runs]) for key in runs[0]}
    write("speed", figures)
    write_tables()
    return 0


def steady(folder: Path, rounds: int, cores: int, systems: Mapping[str, str]) -> dict[str, dict[str, dict[str, float]]]:
    """Seconds per image once everything is loaded, the systems taking turns; by system and kind of image.

    Args:
        systems: the Python that runs each.
    """
    seconds: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    processes = {name: _started(folder, "steady", cores, "--system", name, python=python) for name, python in systems.items()}
    try:
        for process in processes.values():
            _answer_of(process)
        for number in range(rounds):
            for path in sorted(folder.glob("*.png")):
                for name in list(systems) if number % 2 == 0 else list(systems)[::-1]:
                    if _reads(name, _kind(path)):
                        time.sleep(PAUSE)
                        seconds[name][_kind(path)].append(_answer_of(processes[name], path.name))
    finally:
        for process in processes.values():
            process.kill()
    return {name: {kind: spread(values) for kind, values in found.items()} for name, found in seconds.items()}


def _started(folder: str | Path, task: str, cores: int, *words: str, python: str = sys.executable) -> subprocess.Popen[str]:
    print(f"speed: {task} on {cores} cores {' '.join(words)}", file=sys.stderr, flush=True)
    command = [python, __file__, "--child", task, "--images", str(folder), "--cores", str(cores), *words]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _answer_of(process: subprocess.Popen[str], asked: str | None = None) -> Any:
    """What a measured process says next."""
    assert process.stdin is not None and process.stdout is not None
    if asked is not None:
        print(asked, file=process.stdin, flush=True)
    said = process.stdout.readline()
    if not said:
        raise SystemExit(f"speed: {' '.join(map(str, process.args))} ended with status {process.wait()}")  # type: ignore[arg-type]
    return json.loads(said)


def _finished(process: subprocess.Popen[str]) -> Any:
    """The one answer of a measured process, which then ends."""
    answer = _answer_of(process)
    process.wait()
    return answer


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    if len(values) == 1:
        return {"median": values[0], "low": values[0], "high": values[0], "count": 1}
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high, "count": len(values)}


# ---------------------------------------------------------------- the measured processes


def take_turns(system: str, folder: Path, cores: int, answer: Callable[[Any], None]) -> None:
    """Reads all images once, then one for each name on standard input; answers with seconds."""
    images = {name: (kind, image) for name, kind, image in _load(folder) if _reads(system, kind)}
    read = open_system(system, cores)
    for kind, image in images.values():
        read(image, kind)
    answer("ready")
    for line in sys.stdin:
        kind, image = images[line.strip()]
        start = time.perf_counter()
        read(image, kind)
        answer(time.perf_counter() - start)


def cold(system: str, folder: Path, cores: int) -> dict[str, float]:
    """Seconds to the first result, and peak memory after a crop and after a page; in MB of 10^6 bytes."""
    images = _load(folder)
    crop = next(image for _, kind, image in images if kind == "crop")
    page = next(image for _, kind, image in images if kind == "page")
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


def _reads(system: str, kind: str) -> bool:
    return system != PEER or kind == "crop"


def _kind(path: Path) -> str:
    return path.stem.rstrip("0123456789")


def _load(folder: Path) -> list[tuple[str, str, Any]]:
    """The images: names of their files, kinds, BGR arrays."""
    import numpy as np
    from PIL import Image

    return [
        (path.name, _kind(path), np.ascontiguousarray(np.asarray(Image.open(path).convert("RGB"))[..., ::-1]))
        for path in sorted(folder.glob("*.png"))
    ]


if __name__ == "__main__":
    sys.exit(main())
