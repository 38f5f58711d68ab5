"""The same pages on several devices, in the same run: `python bench/devices.py --devices cpu gpu:0`.

Reads the documents of the development set of real seals (without it: pages of the project's own generator), each once as a warm-up, then
repeated up to `--pages` in timed rounds; one device after the other. Pages per second as median and quartiles over the rounds; seals, texts
and scores of the warm-up compared with those of the first device. A device that is not there is named, and the program ends with 1.
Writes results/devices.json: no images and no transcriptions, for the set must not be passed on.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from setting import REAL_SET, setting, write
from speed import spread

#: Different pages that are drawn where the real ones are absent, and their longer side in pixels.
DRAWN, LONG_SIDE = 20, 1600
Texts = list[list[tuple[str, float]]]  # of a page: for each seal its lines and their scores


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", nargs="+", default=["cpu", "gpu:0"], help="all are compared with the first (default: cpu gpu:0)")
    parser.add_argument("--images", type=Path, nargs="+", metavar="FOLDER", help="folders or files (default: ../shared/realseals)")
    parser.add_argument("--pages", type=int, default=60, help="files in a timed round, repeated if need be (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds (default: %(default)s)")
    parser.add_argument("--hpi_config", type=json.loads, metavar="JSON", help="use_hpip with this on every device but the first")
    options = parser.parse_args()
    if min(options.pages, options.rounds) < 1 or not isinstance(options.hpi_config, dict | None):
        parser.error("--pages and --rounds must be at least 1, and --hpi_config a JSON object")
    with tempfile.TemporaryDirectory() as folder:
        what, files = chosen_files(options.images, Path(folder), options.pages)
        if not files:
            parser.error("there are no images in --images")
        rows: dict[str, dict[str, Any]] = {}
        read: dict[str, list[Texts] | None] = {}
        first = options.devices[0]
        for device in dict.fromkeys(options.devices):
            print(f"devices: {device}", file=sys.stderr, flush=True)
            tuned = {} if device == first or options.hpi_config is None else {"use_hpip": True, "hpi_config": options.hpi_config}
            rows[device], read[device] = measured(device, files, options.pages, options.rounds, tuned)
            expected, texts = read[first], read[device]
            if expected is not None and texts is not None:
                ratio = rows[device]["pages_per_second"]["median"] / rows[first]["pages_per_second"]["median"]
                rows[device] |= {"ratio": ratio} | compared(expected, texts)
            print(f"{device}: {json.dumps(rows[device], ensure_ascii=False)}", flush=True)
    figures = {"images": what, "files": len(files), "files_in_round": options.pages, "rounds": options.rounds}
    write("devices", {"setting": setting()} | figures | {"hpi_config": options.hpi_config, "devices": rows})
    return int(any("error" in row for row in rows.values()))


def chosen_files(images: list[Path] | None, folder: Path, count: int) -> tuple[str, list[str]]:
    """What the images are, and at most `count` different ones; those that must be drawn are kept in the folder."""
    from sealread.labels import read_labels
    from sealread.sources import READABLE_SUFFIXES

    if images is not None:
        found = [file for image in images for file in ([image] if image.is_file() else sorted(image.rglob("*")))]
        return "images of the caller", [str(file) for file in found if file.suffix.lower() in READABLE_SUFFIXES][:count]
    if REAL_SET.is_dir():
        return "real documents", [str(REAL_SET / label.file) for label in read_labels(REAL_SET) if label.kind == "document"][:count]
    import numpy as np
    from PIL import Image

    from sealread.training.synth import draw_page

    files = [folder / f"page{number:02d}.png" for number in range(min(DRAWN, count))]
    for number, file in enumerate(files):
        Image.fromarray(draw_page(np.random.default_rng([2024, number]), LONG_SIDE).image[..., ::-1]).save(file)
    return "drawn pages", [str(file) for file in files]


def measured(device: str, files: list[str], count: int, rounds: int, tuned: dict[str, Any]) -> tuple[dict[str, Any], list[Texts] | None]:
    """Engines and pages per second of a device, and what it reads on each page; or why it cannot, and None."""
    from sealread import SealreadError, create_pipeline

    repeated, rates = list(itertools.islice(itertools.cycle(files), count)), []
    try:
        with create_pipeline(device=device, **tuned) as pipeline:
            seals = (result.reading.seals for result in pipeline.predict(files))
            texts = [[[(line.text, line.score) for line in seal.lines if line.kept] for seal in page] for page in seals]
            engines = {stage.network.task: stage.engine_name for stage in pipeline.stages() if stage.engine_name is not None}
            for _ in range(rounds):
                start = time.perf_counter()
                pages = len(list(pipeline.predict(repeated)))
                rates.append(pages / (time.perf_counter() - start))
    except SealreadError as error:
        message = str(error)
        for file in files:  # messages name files; the folder they lie in is this machine's business
            message = message.replace(file, Path(file).name)
        print(f"devices: {device}: {message}", file=sys.stderr, flush=True)
        return {"error": message}, None
    return {"engines": engines, "pages_per_second": spread(rates)}, texts


def compared(first: list[Texts], other: list[Texts]) -> dict[str, Any]:
    """How far the readings of the same pages agree; lines of equal text on a page are paired in the order of their scores."""
    equal = differing = 0
    largest = 0.0
    for pages in zip(first, other, strict=True):
        one, two = ([[text for text, _ in seal] for seal in page] for page in pages)
        equal += one == two
        left, right = (Counter(itertools.chain.from_iterable(page)) for page in (one, two))
        differing += max((left - right).total(), (right - left).total())
        for text in left.keys() & right.keys():
            scores = [sorted(score for seal in page for found, score in seal if found == text) for page in pages]
            largest = max([largest, *(abs(a - b) for a, b in zip(*scores, strict=False))])
    lines = sum(len(seal) for page in first for seal in page)
    return {"pages": len(first), "pages_equal": equal, "lines": lines, "lines_differing": differing, "largest_score_difference": largest}


if __name__ == "__main__":
    sys.exit(main())
