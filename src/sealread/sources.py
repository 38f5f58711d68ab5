"""Whatever the caller gave becomes pages, one at a time.

Takes:      an array, path, folder, PDF, TIFF, bytes, file object, PIL image, web address, or any nesting of lists and
            iterators of these.
Gives:      a lazy iterator of `Page`, and of `FailedPage` where the caller wants failures returned.
Method:     the content decides what a file is, not its name; names only choose the files of a folder.
Nothing:    an empty list gives no page; a folder without any readable file is an `InputError`.
Invariants: pages come in the caller's order; nothing is opened, listed or pulled from an iterator before its page is
            asked for, unless the caller wants the next page loaded ahead; after each page only that page and its open file are
            held; one bad input costs only itself.
"""

from __future__ import annotations

import difflib
import io
import math
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, BinaryIO, Literal

import numpy as np
from PIL import Image as PillowImage

from sealread.download import fetch
from sealread.errors import InputError
from sealread.pdf import Pdf, is_pdf
from sealread.pixels import HEAD_BYTES, Picture, as_image, from_pillow
from sealread.types import FailedPage, Image, Page

#: Files with these suffixes are read from folders.
READABLE_SUFFIXES = frozenset(
    (".bmp", ".dib", ".gif", ".jpeg", ".jpg", ".pbm", ".pdf", ".pgm", ".png", ".pnm", ".ppm", ".ras", ".sr", ".tif", ".tiff", ".webp")
)
#: Environment variable that replaces the default of 200 dots per inch at which PDF pages are drawn.
PDF_DPI_VARIABLE = "SEALREAD_PDF_DPI"

_ACCEPTED = "an array, a path, an http(s) address, bytes, a binary file object, a PIL image, or a list or iterator of these"
_MAX_NESTING = 100
_NAMES_TO_COMPARE = 10_000

_Loaded = Iterator[Page | FailedPage]


def pages(
    input: object,
    *,
    errors: Literal["raise", "return"] = "raise",
    pdf_dpi: float | None = None,
    fetch_timeout: float = 15.0,
    fetch_max_bytes: int = 100_000_000,
) -> Generator[Page | FailedPage, None, None]:
    """Give the pages of the input one after the other, each loaded when it is asked for.

    Args:
        input: one of

            * an array: BGR, BGRA or grey, 8 or 16 bits, bool or float (see `pixels.as_image`);
            * a str or path of an image file, a TIFF (each frame is a page), a PDF or a folder, which is searched through
              all its levels in the order of the full paths, hidden files and links to folders left out;
            * a str with an ``http://`` or ``https://`` address, unless a local file has that name;
            * bytes-like or a binary file object (read from where it stands) with the content of such a file;
            * a PIL image (its current frame);
            * a list, tuple, iterator or other iterable of these, nested at will.
        errors: "raise" ends with an `InputError` at the first bad input; "return" gives a `FailedPage` in its place and
            goes on. What a caller's own iterator raises always passes through.
        pdf_dpi: dots per inch at which PDF pages are drawn; None for ``SEALREAD_PDF_DPI``, or 200 where that is unset.
            (The reference draws at 144: there a character of 2 mm, as small seals have them, is 11 pixels high; here 16.)
        fetch_timeout: seconds for one whole download.
        fetch_max_bytes: largest download.

    Returns:
        Pages in input order. Closing or dropping the generator closes its files. Several generators may be interleaved
        and read in several threads, each generator by one thread at a time.

    Raises:
        InputError: an option is out of range, at once; an input cannot be read, when its turn comes.
    """
    if errors not in ("raise", "return"):
        raise InputError(f'errors is "raise" or "return", not {errors!r}.', parameter="errors")
    reader = _Reader(
        pdf_dpi=default_pdf_dpi() if pdf_dpi is None else _positive("pdf_dpi", pdf_dpi),
        fetch_timeout=_positive("fetch_timeout", fetch_timeout),
        fetch_max_bytes=int(_positive("fetch_max_bytes", fetch_max_bytes)),
    )
    return _raised(reader.read(input)) if errors == "raise" else reader.read(input)


def is_settled(input: object, depth: int = 0) -> bool:
    """Whether all of the input is here already, so that the next page may be loaded while one is read.

    A caller's own iterator or file object is not: what it gives next may depend on the results before.
    """
    if isinstance(input, list | tuple):
        return depth < _MAX_NESTING and all(is_settled(member, depth + 1) for member in input)
    return isinstance(input, str | os.PathLike | bytes | bytearray | memoryview | np.ndarray | PillowImage.Image)


def loaded_ahead(loaded: Generator[Page | FailedPage, None, None]) -> Generator[Page | FailedPage, None, None]:
    """The same pages in the same order; while the caller is busy with one, the next is loaded in a thread."""
    thread = ThreadPoolExecutor(1, "sealread-pages")
    try:
        coming = thread.submit(next, loaded, None)
        while (page := coming.result()) is not None:
            coming = thread.submit(next, loaded, None)
            yield page
    finally:
        # A generator that was let go may end in the garbage collector, in any thread, even in one that is just starting: nothing may be
        # waited for here. The pages are closed when the thread lets go of them.
        thread.shutdown(wait=False, cancel_futures=True)


def _raised(loaded: Generator[Page | FailedPage, None, None]) -> Generator[Page | FailedPage, None, None]:
    with closing(loaded):
        for page in loaded:
            if isinstance(page, FailedPage):
                raise page.error
            yield page


def default_pdf_dpi() -> float:
    """Dots per inch at which pages of PDFs are drawn, from the environment.

    Raises:
        InputError: the variable is no number above 0.
    """
    text = os.environ.get(PDF_DPI_VARIABLE, "200")
    try:
        return _positive(PDF_DPI_VARIABLE, float(text))
    except ValueError as cause:
        raise InputError(f"{PDF_DPI_VARIABLE} is a number above 0, not {text!r}.", parameter=PDF_DPI_VARIABLE) from cause


def _positive(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} is a number above 0, not {value!r}.", parameter=name)
    return value


@dataclass(frozen=True, slots=True)
class _Reader:
    """The options of one call; each method gives the pages of one kind of input and no exception but the caller's own."""

    pdf_dpi: float
    fetch_timeout: float
    fetch_max_bytes: int

    def read(self, item: object, depth: int = 0) -> Generator[Page | FailedPage, None, None]:
        match item:
            case np.ndarray():
                yield _attempt(lambda: as_image(item), None)
            case str():
                yield from self._named(item)
            case os.PathLike():
                yield from self._local(os.fsdecode(item))
            case bytes() | bytearray() | memoryview():
                yield from self._content(io.BytesIO(bytes(item)), None)
            case PillowImage.Image():
                yield _attempt(lambda: from_pillow(item), None)
            case _ if hasattr(item, "read"):
                yield from self._file_object(item)
            case Iterable() if not isinstance(item, Mapping):
                if depth == _MAX_NESTING:
                    yield _failed(f"The input is nested more than {_MAX_NESTING} levels deep; does a list contain itself?", None)
                    return
                for member in item:
                    yield from self.read(member, depth + 1)
            case _:
                yield _failed(f"An input of the type {type(item).__name__} cannot be read; give {_ACCEPTED}.", None)

    def _named(self, name: str) -> _Loaded:
        if name.lower().startswith(("http://", "https://")) and not os.path.exists(name):
            try:
                content = fetch(name, timeout=self.fetch_timeout, max_bytes=self.fetch_max_bytes)
            except InputError as error:
                yield FailedPage(error, name)
                return
            yield from self._content(io.BytesIO(content), name)
        else:
            yield from self._local(name)

    def _local(self, path: str) -> _Loaded:
        if os.path.isdir(path):
            found = yield from self._folder(path)
            if not found:
                kinds = " ".join(sorted(READABLE_SUFFIXES))
                yield _failed(f"The folder {path} holds no file of a readable kind ({kinds}).", path)
        elif not os.path.exists(path):
            yield _failed(_missing(path), path)
        elif not os.path.isfile(path):
            yield _failed(f"{path} is neither a file nor a folder; pass its content as a binary file object.", path)
        else:
            try:
                file = open(path, "rb")  # noqa: SIM115 - `_content` closes it
            except OSError as cause:
                yield _failed(f"{path} cannot be opened: {cause.strerror}.", path, cause)
                return
            yield from self._content(file, path)

    def _folder(self, path: str) -> Generator[Page | FailedPage, None, bool]:
        """The pages of a folder, and whether anything in it was worth a try."""
        try:
            with os.scandir(path) as listing:
                # a folder sorts with its separator, which makes the whole walk run in the order of full paths
                entries = sorted(listing, key=lambda entry: entry.name + os.sep if entry.is_dir() else entry.name)
        except OSError as cause:
            yield _failed(f"The folder {path} cannot be listed: {cause.strerror}.", path, cause)
            return True
        found = False
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                if not entry.is_symlink():  # links to folders may lead round in circles
                    found_below = yield from self._folder(entry.path)
                    found = found or found_below
            elif os.path.splitext(entry.name)[1].lower() in READABLE_SUFFIXES:
                found = True
                yield from self._local(entry.path)
        return found

    def _file_object(self, file: Any) -> _Loaded:
        source = file.name if isinstance(getattr(file, "name", None), str) else None
        try:
            content = file.read()
        except (OSError, ValueError) as cause:  # ValueError: closed, or not text in the file's encoding
            yield _failed(f"{_called(source)} cannot be read: {cause}.", source, cause)
            return
        if isinstance(content, (bytes, bytearray, memoryview)):
            yield from self._content(io.BytesIO(bytes(content)), source)
        else:
            yield _failed(f'{_called(source)} gives {type(content).__name__} instead of bytes; open it in binary mode ("rb").', source)

    def _content(self, file: BinaryIO, source: str | None) -> _Loaded:
        """The pages of a seekable file, which is closed in the end."""
        try:
            head = file.read(HEAD_BYTES)
            file.seek(0)
        except OSError as cause:
            file.close()
            yield _failed(f"{_called(source)} cannot be read: {cause.strerror}.", source, cause)
            return
        yield from self._pdf(file, source) if is_pdf(head) else self._picture(file, source)

    def _picture(self, file: BinaryIO, source: str | None) -> _Loaded:
        with file:
            try:
                picture = Picture(file, source=source)
            except InputError as error:
                yield FailedPage(error, source)
                return
            if picture.kind != "TIFF":
                yield _attempt(picture.image, source)
                return
            for index in range(picture.count):  # as the reference does, a TIFF of one frame has a page 0 too
                yield _attempt(partial(picture.image, index), source, index, picture.count)

    def _pdf(self, file: BinaryIO, source: str | None) -> _Loaded:
        try:
            pdf = Pdf(file, source=source)
        except InputError as error:
            yield FailedPage(error, source)
            return
        with closing(pdf):
            for index in range(pdf.count):
                yield _attempt(partial(pdf.image, index, dpi=self.pdf_dpi), source, index, pdf.count)


def _attempt(load: Callable[[], Image], source: str | None, index: int | None = None, count: int | None = None) -> Page | FailedPage:
    try:
        return Page(load(), source, index, count)
    except InputError as error:
        return FailedPage(error, source, index)


def _failed(message: str, source: str | None, cause: Exception | None = None) -> FailedPage:
    error = InputError(message, source=source)
    error.__cause__ = cause
    return FailedPage(error, source)


def _called(source: str | None) -> str:
    return "The file object" if source is None else source


def _missing(path: str) -> str:
    """What to say about a path that is not there, with the most similar name that is."""
    folder, name = os.path.split(path)
    try:
        with os.scandir(folder if folder else ".") as listing:
            names = [entry.name for entry in islice(listing, _NAMES_TO_COMPARE)]
    except (OSError, ValueError):
        return f"{path!r} does not exist, nor does its folder; check the path."
    near = difflib.get_close_matches(name, names, n=1)
    return f"{path!r} does not exist; {f'did you mean {os.path.join(folder, near[0])!r}?' if near else 'check the path.'}"
