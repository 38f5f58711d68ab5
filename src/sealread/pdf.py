"""The one door to pdfium: pages of a PDF as images, one at a time.

pdfium is not safe to use from two threads, so one process-wide lock is held around each call into it, and never while a
caller holds a page. Documents may be closed by the garbage collector, in any thread and even inside a locked call; they
are then set aside and closed by whoever leaves pdfium next.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pypdfium2
import pypdfium2.raw as pdfium

from sealread.errors import InputError
from sealread.pixels import MAX_PIXELS, as_image
from sealread.types import Image

_POINTS_PER_INCH = 72.0
_LOCK = threading.Lock()
_RETIRED: deque[Pdf] = deque()
# pdfium keeps the compressed content of every page that it drew until the document is closed.
_PAGES_PER_OPENING = 50


def is_pdf(head: bytes) -> bool:
    """Whether a file that begins with `head` is a PDF; up to 1024 bytes of something else may come first."""
    return b"%PDF-" in head[:1024]


class Pdf:
    """A PDF whose pages can be drawn.

    Attributes:
        count: number of pages, at least 1.
    """

    def __init__(self, file: BinaryIO, *, source: str | None = None) -> None:
        """Open the document.

        Args:
            file: seekable; belongs to the document from now on and is closed with it, or when opening fails.
            source: name for error messages.

        Raises:
            InputError: encrypted, damaged or without pages.
        """
        self._source = source
        self._name = "The PDF" if source is None else source
        self._file = file
        self._document: pypdfium2.PdfDocument | None = None
        self._draws = 0
        try:
            with _inside_pdfium():
                self.count = len(self._opened())
        except pypdfium2.PdfiumError as cause:
            self.close()
            if cause.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
                raise InputError(f"{self._name} is encrypted; remove its password and try again.", source=source) from cause
            raise InputError(f"{self._name} is a damaged or cut off PDF, or has no pages; copy or save it again.", source=source) from cause

    def image(self, index: int, *, dpi: float, max_pixels: int = MAX_PIXELS) -> Image:
        """Draw one page, forms and annotations included, on white.

        Args:
            index: 0-based.
            dpi: dots per inch; lowered where the page would have more than `max_pixels` pixels.
            max_pixels: at most `MAX_PIXELS`.

        Raises:
            InputError: the page is damaged or has no area.
        """
        try:
            with _inside_pdfium():
                page = self._opened()[index]
                try:
                    scale = _scale(page.get_width(), page.get_height(), dpi, max_pixels)
                    bitmap = page.render(scale=scale)
                    try:
                        pixels = bitmap.to_numpy()
                    finally:
                        bitmap.close()  # pdfium's part only; the pixels are Python's
                finally:
                    page.close()
        except (pypdfium2.PdfiumError, ValueError) as cause:
            raise InputError(f"Page {index + 1} of {self._name} is damaged and cannot be drawn.", source=self._source) from cause
        return as_image(pixels, source=self._source)

    def close(self) -> None:
        """Release the document and its file; safe in any thread, at any time, and twice."""
        _RETIRED.append(self)
        _close_retired()

    def _opened(self) -> pypdfium2.PdfDocument:
        """The document, opened anew after every so many pages; call inside pdfium."""
        if self._document is not None and self._draws == _PAGES_PER_OPENING:
            self._release()
        if self._document is None:
            self._document, self._draws = pypdfium2.PdfDocument(self._file), 0
            self._document.init_forms()
        self._draws += 1
        return self._document

    def _release(self) -> None:
        if self._document is not None:
            self._document.close()
            self._document = None


def _scale(width: float, height: float, dpi: float, max_pixels: int) -> float:
    """Pixels per point for a page of that size in points."""
    if width <= 0 or height <= 0:
        raise ValueError(f"a page of {width} x {height} points")
    scale = min(dpi / _POINTS_PER_INCH, math.sqrt(max_pixels / (width * height)))
    while math.ceil(width * scale) * math.ceil(height * scale) > max_pixels:  # sides are rounded up to whole pixels
        scale *= 0.999
    return scale


@contextmanager
def _inside_pdfium() -> Iterator[None]:
    try:
        with _LOCK:
            yield
    finally:
        _close_retired()


def _close_retired() -> None:
    # Never waits: if another call holds the lock, that call comes here after it. That call may even be further up this
    # very thread's stack, when the garbage collector closes an abandoned generator in the middle of it.
    while _RETIRED and _LOCK.acquire(blocking=False):
        try:
            while _RETIRED:
                retired = _RETIRED.popleft()
                retired._release()
                retired._file.close()
        finally:
            _LOCK.release()
