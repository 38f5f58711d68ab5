"""Reads the pictures of this folder with the embedded networks: `python examples/read.py [OUTPUT]`."""

from __future__ import annotations

import sys
from pathlib import Path

from sealread import SealRecognitionResult, create_pipeline

HERE = Path(__file__).parent


def main() -> int:
    output = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("output")
    pipeline = create_pipeline()
    for result in pipeline.predict([HERE / "contract.png", HERE / "invoice.pdf"]):
        show(result, output)
    # This picture is one seal, however it lies: nothing needs to be found or turned first.
    for result in pipeline.predict(
        HERE / "seal.png", use_layout_detection=False, use_doc_orientation_classify=False, use_doc_unwarping=False
    ):
        show(result, output)
    print(f"\nJSON and pictures: {output.resolve()}")
    return 0


def show(result: SealRecognitionResult, output: Path) -> None:
    """Print each line with its score, write JSON and pictures."""
    result.save_all(output)
    page = result.reading.page
    print(f"\n{Path(page.source).name if page.source else 'image'}{'' if page.index is None else f', page {page.index + 1}'}")
    for number, seal in enumerate(result.reading.seals, 1):
        for line in seal.lines:
            print(f"  seal {number}  {line.score:.2f}  {line.text}")


if __name__ == "__main__":
    sys.exit(main())
