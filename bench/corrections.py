"""What the corrections of texts change on held-out drawn crops: `python bench/corrections.py`.

The drawn crops hold names and numbers of all kinds beside the prescribed texts, so they show what a correction does harm to. A line that
was changed (`raw_text`) is judged against the true line that it lies on, before and after. Needs the fonts of docs/training.md; writes
results/corrections.json and the table in results/README.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

import numpy as np

from sealread import create_pipeline
from sealread.metrics import normalise_text, polygon_iou
from sealread.training.samples import drawn
from setting import setting, write
from tables import write_tables

#: Seed of the crops; neither training nor calibration uses it.
_SEED = 24_680
#: Overlap (intersection over union) from which a read line is judged against a true one.
_SAME_PLACE = 0.3


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400, help="crops to read (default: %(default)s)")
    count = parser.parse_args().count
    pipeline = create_pipeline()
    outcomes: Counter[str] = Counter()
    for index in range(count):
        labelled = drawn("crops", _SEED, index, 320, None)
        result = next(
            iter(pipeline.predict(labelled.image, use_layout_detection=False, use_doc_orientation_classify=False, use_doc_unwarping=False))
        )
        for line in result.reading.seals[0].lines:
            true = [
                normalise_text(t.text)
                for t in labelled.lines
                if polygon_iou(line.page_polygon, np.concatenate([t.top, t.bottom[::-1]])) >= _SAME_PLACE
            ]
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
