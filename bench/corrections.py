"""What the corrections of texts change on held-out drawn crops: `python bench/corrections.py`.

The drawn crops hold names and numbers of all kinds beside the prescribed texts, so they show what a correction does harm to. A line that
was changed (`raw_text`) is judged against the true line that it lies on, before and after. Needs the fonts of docs/training.md; writes
results/corrections.json and the table in results/README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from sealread.metrics import normalise_text
from sealread.training.calibration import lines_with_truth
from setting import setting, write
from tables import write_tables

#: Seed of the crops; neither training nor calibration uses it.
_SEED = 24_680


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400, help="crops to read (default: %(default)s)")
    count = parser.parse_args().count
    outcomes: Counter[str] = Counter()
    for line, true in lines_with_truth(_SEED, count):
        if not true:
            continue
        outcomes["lines"] += 1
        if line.raw_text is not None:
            before, after = (normalise_text(text) in true for text in (line.raw_text, line.text))
            outcomes[f"{'right' if before else 'wrong'} before, {'right' if after else 'wrong'} after"] += 1
    write("corrections", {"setting": setting(), "crops": count, "outcomes": dict(sorted(outcomes.items()))})
    write_tables()
    print(dict(outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
