"""Writes the small pictures of the web page's gallery from `examples/`: `python tools/page_thumbnails.py`."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
from PIL import Image

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "src" / "sealread" / "server" / "page"
SIZE = (480, 340)
#: The part of each sample that is shown: left, top and width as shares of the picture's width. Beyond its edges lies paper.
PARTS = {"contract.png": (0.14, 0.80, 0.84), "invoice.pdf": (0.05, 0.05, 0.9), "seal.png": (-0.22, -0.01, 1.44)}


def main() -> None:
    for name, (left, top, width) in PARTS.items():
        file = ROOT / "examples" / name
        picture = pypdfium2.PdfDocument(file)[0].render(scale=2.0).to_pil() if file.suffix == ".pdf" else Image.open(file).convert("RGB")
        x, y, w = (round(share * picture.width) for share in (left, top, width))
        part = Image.new("RGB", (w, round(w * SIZE[1] / SIZE[0])), picture.getpixel((0, 0)))
        part.paste(picture, (-x, -y))
        part.resize(SIZE, Image.Resampling.LANCZOS).save(PAGE / f"{file.stem}.webp", quality=80, method=6)


if __name__ == "__main__":
    main()
