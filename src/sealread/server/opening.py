"""The trade of a parser process: open a file from a stranger and put the pixels of one of its pages into a file of our own."""

from __future__ import annotations

import os
import secrets
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sealread.errors import InputError, ModelError
from sealread.pdf import Pdf, is_pdf
from sealread.pixels import HEAD_BYTES, Picture
from sealread.server.processes import Answer, Task, limit_address_space
from sealread.sources import default_pdf_dpi
from sealread.types import Image

PDF, IMAGE = 0, 1


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens files.

    Attributes:
        max_pixels: larger images are refused before they are decoded, pages of PDFs are drawn smaller.
        memory_mb: what the process may take beyond what it has now.
    """

    max_pixels: int
    memory_mb: int

    def __post_init__(self) -> None:
        limit_address_space(self.memory_mb)

    def describe(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def __call__(self, task: Task) -> Answer:
        """Open the file at `path`, which is a PDF or an image as `kind` says, and save the page `index` into `folder`.

        Gives ``type`` (``pdf``, ``tiff``, ``image``), ``count`` of pages, and ``page``, ``height`` and ``width`` of the saved page.
        """
        with open(task["path"], "rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(0)
            if is_pdf(head) != (task["kind"] == PDF):
                raise InputError("it is a PDF, but fileType says image" if is_pdf(head) else "it is no PDF, but fileType says so")
            kind, count, image = self._pdf(file, task["index"]) if is_pdf(head) else self._picture(file, task["index"])
        page = Path(task["folder"], secrets.token_hex(16))
        try:
            page.touch(mode=0o600)
            image.tofile(page)
        except OSError as cause:
            page.unlink(missing_ok=True)
            raise ModelError(f"a page cannot be put into {page.parent}: {cause}; make room there") from cause
        return Answer({"type": kind, "count": count, "page": os.fspath(page), "height": image.shape[0], "width": image.shape[1]})

    def _pdf(self, file: Any, index: int) -> tuple[str, int, Image]:
        with closing(Pdf(file)) as pdf:
            return "pdf", pdf.count, pdf.image(index, dpi=default_pdf_dpi(), max_pixels=self.max_pixels)

    def _picture(self, file: Any, index: int) -> tuple[str, int, Image]:
        picture = Picture(file)
        return "tiff" if picture.count > 1 else "image", picture.count, picture.image(index, max_pixels=self.max_pixels)


def saved_page(path: str, height: int, width: int) -> Image:
    """The pixels of a saved page, mapped; changes stay private."""
    return np.memmap(path, dtype=np.uint8, mode="c", shape=(height, width, 3)).view(np.ndarray)
