"""What each part brings on the development set of real seals: `python bench/ablation.py`.

Reads the set with everything, then with one part taken away or replaced at a time; writes results/ablation.json and the table in
results/README.md. The networks of an earlier commit show what the generator's features and the training since then brought. What cannot
be measured here (a package or the history is missing) is named and left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from sealread import create_pipeline
from sealread.config import packaged_config_text
from sealread.errors import ModelError
from sealread.evaluate import evaluate
from sealread.reader import find_lines
from sealread.stages.candidates import InkFinder
from sealread.types import DetectedLine
from setting import REAL_SET, REPOSITORY, setting, write
from tables import write_tables

#: The last commit whose networks knew nothing of large purposes, rings of several texts, small seals, Cyrillic and Vietnamese.
EARLIER = "600b513"
#: Networks by module of the configuration: its task and its file at that commit.
_FILES = {
    "TextDetection": ("seal_text_detection", "seal_detection.onnx"),
    "TextRecognition": ("text_recognition", "seal_recognition.onnx"),
    "LayoutDetection": ("layout_detection", "seal_layout.onnx"),
}
_MEASURES = (
    "crops_lines_exact",
    "crops_one_minus_ned",
    "documents_seals_found",
    "documents_false_alarms_on_negatives",
    "documents_lines_exact",
)


@dataclass(frozen=True)
class Variant:
    """One reading of the set: its name, keys of modules that are changed, and what is done to the program meanwhile."""

    name: str
    changed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    around: Callable[[], Any] | None = None


@contextmanager
def without_bands() -> Iterator[None]:
    """Lines keep their outlines alone: direction and band must be found from the polygon, as for any DB network."""

    def outlines_only(*arguments: Any) -> list[list[DetectedLine]]:
        return [[replace(line, ribbon=None, direction=0.0) for line in lines] for lines in find_lines(*arguments)]

    with patch("sealread.pipeline.find_lines", outlines_only):
        yield


@contextmanager
def without_second_look() -> Iterator[None]:
    """Each line is read once: nothing is turned over, nothing that was cut off is read with more room."""
    with patch("sealread.reader.read_again", lambda _, read, recogniser: list(read)):
        yield


@contextmanager
def without_ink() -> Iterator[None]:
    """The layout network alone looks for seals."""
    with patch.object(InkFinder, "find", lambda *_: []):
        yield


VARIANTS = (
    Variant("everything"),
    Variant("no second look at doubtful lines", around=without_second_look),
    Variant("no corrections of texts", {"TextRecognition": {"correct_texts": False}}),
    Variant("no bands: outlines alone", around=without_bands),
    Variant("no second way of finding seals", around=without_ink),
    Variant("recogniser: PP-OCRv6 small as it comes", {"TextRecognition": {"model_name": "PP-OCRv6_small_rec", "correct_texts": False}}),
    Variant(
        "detector: official PP-OCRv4 mobile",
        {
            "TextDetection": {
                "model_name": "PP-OCRv4_mobile_seal_det",
                "limit_side_len": 736,
                "limit_type": "min",
                "thresh": 0.2,
                "box_thresh": 0.6,
            }
        },
    ),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=REAL_SET, help="folder with labels.jsonl (default: ../shared/realseals)")
    options = parser.parse_args()
    if not options.set.is_dir():
        print(f"ablation: skipped, for there is no set at {options.set}; name one with --set", file=sys.stderr)
        return 0
    rows, left_out = [], {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            earlier = earlier_variants(Path(folder))
        except (ImportError, OSError, subprocess.CalledProcessError) as cause:
            earlier = []
            left_out[f"networks of {EARLIER}"] = str(cause).replace(str(REPOSITORY), "the repository")
        for variant in [*VARIANTS, *earlier]:
            print(f"ablation: {variant.name}", file=sys.stderr, flush=True)
            try:
                rows.append({"name": variant.name} | measured(variant, options.set))
            except ModelError as cause:
                left_out[variant.name] = str(cause).replace(str(Path.home()), "~")
    write("ablation", {"setting": setting(), "set": options.set.name, "rows": rows, "left_out": left_out})
    write_tables()
    return 0


def earlier_variants(folder: Path) -> list[Variant]:
    """The networks of the earlier commit, one at a time and all together."""
    import onnx

    from sealread.training.export import write_directory

    changed: dict[str, dict[str, Any]] = {}
    for module, (task, file) in _FILES.items():
        content = subprocess.run(
            ["git", "show", f"{EARLIER}:src/sealread/weights/{file}"], cwd=REPOSITORY, capture_output=True, check=True
        ).stdout
        write_directory(task, onnx.load_from_string(content), folder / task)
        changed[module] = {"model_dir": str(folder / task)}
    single = [Variant(f"{_FILES[module][0]} of {EARLIER}", {module: keys}) for module, keys in changed.items()]
    return [*single, Variant(f"all networks of {EARLIER}", changed)]


def measured(variant: Variant, folder: Path, measures: Sequence[str] = _MEASURES) -> dict[str, Any]:
    """The measures of one variant."""
    configuration = yaml.safe_load(packaged_config_text("seal_recognition"))
    for module, keys in variant.changed.items():
        _block(configuration, module).update(keys)
    with ExitStack() as stack:
        if variant.around is not None:
            stack.enter_context(variant.around())
        totals = evaluate(folder, create_pipeline(config=configuration)).to_dict(texts=False)["totals"]
    return {key: totals[key] for key in measures}


def _block(configuration: dict[str, Any], module: str) -> dict[str, Any]:
    """The module's keys in a configuration."""
    path: Sequence[str] = ("SubModules",) if module == "LayoutDetection" else ("SubPipelines", "SealOCR", "SubModules")
    for key in path:
        configuration = configuration[key]
    block: dict[str, Any] = configuration[module]
    return block


if __name__ == "__main__":
    sys.exit(main())
