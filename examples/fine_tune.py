"""Fine-tune the detector and the recogniser on 200 drawn seals, on the CPU, and read a seal with the two directories that come of it.

The drawn seals stand for a data set of your own: they are written to disk in the tutorial's formats, checked, and trained on from there.
A hundred more are held out: so many that the validation score tells learning from chance.
So that there is something to learn, the detector goes on from the embedded one with seals of 96 pixels, much smaller than it knows, and
the recogniser from PP-OCRv6 small, which has seen no strips of seals.
Run it with ``make fine-tune-demo``, or: ``python examples/fine_tune.py OUTPUT [--count 300]``.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from sealread.cli import main as sealread

SEED = "4711"
#: Share of the drawn seals that is held out.
VALIDATION = "0.333"
#: Format and size of the drawn set, and flags of the training, by module.
RUNS = {
    "seal_text_detection": ("textdet", "96", ("--epochs", "4", "--batch", "8")),
    "text_recognition": ("textrec", "320", ("--epochs", "4", "--batch", "16", "--rate", "5e-5", "--base", "PP-OCRv6_small_rec")),
}


def step(*words: str) -> None:
    print("$ sealread", *words, flush=True)
    status = sealread(words)
    if status != 0:
        raise SystemExit(status)


def scores(folder: Path) -> list[tuple[int, float]]:
    """Validation scores by step."""
    rows = [json.loads(row) for row in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [(row["step"], row["val_score"]) for row in rows if "val_score" in row]


def main() -> None:
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", default="300", help="seals to draw, a third of them to be held out (default: %(default)s)")
    parser.add_argument("--threads", default="2", help="CPU threads (default: %(default)s)")
    args = parser.parse_args()
    directories: list[str] = []
    for module, (form, size, flags) in RUNS.items():
        data, run = args.output / form, args.output / module
        step("synth", str(data), "--count", args.count, "--seed", SEED, "--format", form, "--size", size, "--validation", VALIDATION)
        step("train", module, str(run), "--mode", "check_dataset", "--data", str(data))
        start = time.perf_counter()
        step("train", module, str(run), "--data", str(data), *flags, "--threads", args.threads)
        seconds = time.perf_counter() - start
        print(f"{module}: {seconds:.0f} s, validation score by step: {', '.join(f'{s}: {v:.3f}' for s, v in scores(run))}", flush=True)
        directories += [f"--{module}_model_dir", str(run / "inference")]
    seal = Path(__file__).with_name("seal.png")
    step(str(seal), "--use_layout_detection", "False", *directories, "--save_path", str(args.output / "read"))
    read = json.loads((args.output / "read" / "seal_res.json").read_text(encoding="utf-8"))
    for line in (line for found in read["seals"] for line in found["lines"]):
        print(f"{line['role']}: {line['text']} ({line['score']:.2f})")


if __name__ == "__main__":
    main()
