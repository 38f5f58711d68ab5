"""Accuracy of this commit on the development set of real seals: `python bench/accuracy.py`.

Writes results/accuracy.json, results/reliability.png and the table in results/README.md. Neither images nor transcriptions
of the set are written: it must not be passed on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from reliability import draw_reliability
from sealread import create_pipeline
from sealread.evaluate import evaluate
from setting import REAL_SET, RESULTS, setting, write
from tables import write_tables


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=REAL_SET, help="folder with labels.jsonl (default: ../shared/realseals)")
    parser.add_argument("--skip_turned", action="store_true", help="do not read the documents turned by 90, 180 and 270 degrees")
    options = parser.parse_args()
    if not options.set.is_dir():
        print(f"accuracy: skipped, for there is no set at {options.set}; name one with --set", file=sys.stderr)
        return 0
    report = evaluate(options.set, create_pipeline(), turned=not options.skip_turned, progress=_progress)
    figures = report.to_dict(texts=False) | {"set": options.set.name}
    for image in figures["detail"]:
        if image["error"] is not None:  # messages name files; the folder they lie in is this machine's business
            image["error"] = image["error"].replace(str(options.set), options.set.name)
    write("accuracy", {"setting": setting()} | figures)
    draw_reliability(figures["reliability"], RESULTS / "reliability.png")
    write_tables()
    print(report.table())
    return 0


def _progress(done: int, total: int) -> None:
    if done % 10 == 0 or done == total:
        print(f"accuracy: {done} of {total} images", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
