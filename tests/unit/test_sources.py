"""Everything a caller may give becomes pages, in order and lazily; what cannot is one clear sentence."""

from __future__ import annotations

import contextlib
import gc
import io
import itertools
import os
import socket
import struct
import subprocess
import sys
import threading
import weakref
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL.TiffImagePlugin import STRIPOFFSETS

from sealread import pdf, sources
from sealread.errors import InputError
from sealread.pixels import MAX_PIXELS
from sealread.sources import is_settled, loaded_ahead, pages
from sealread.types import FailedPage, Page

LEVELS = (10, 90, 200)


def encoded(image: PillowImage.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def sun_raster(image: np.ndarray) -> bytes:
    height, width = image.shape[:2]
    rows = b"".join(row.tobytes() + b"\0" * (width * 3 % 2) for row in image)
    return struct.pack(">8I", 0x59A66A95, width, height, 24, len(rows), 1, 0, 0) + rows


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def picture(level: int = 10, size: tuple[int, int] = (8, 6)) -> PillowImage.Image:
    return PillowImage.new("RGB", size, (level, 0, 0))


def png(level: int = 10) -> bytes:
    return encoded(picture(level), "PNG")


def pdf_bytes(count: int = 3, size: tuple[int, int] = (72, 36)) -> bytes:
    """A PDF with pages of one inch by half an inch, page i in `LEVELS[i % 3]` of red."""
    drawn = [picture(LEVELS[i % 3], size) for i in range(count)]
    return encoded(drawn[0], "PDF", save_all=True, append_images=drawn[1:], resolution=72)


def encrypted_pdf() -> bytes:
    """A PDF whose password is none that anybody knows: the check value in /U fits no password."""
    lock = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"41" * 32 + b"> /U <" + b"42" * 32 + b"> >>"
    return pdf_bytes(1).replace(b"trailer\n<<", b"trailer\n<< /ID [<00> <00>] /Encrypt " + lock, 1)


def levels(loaded: Iterator[Page | FailedPage]) -> list[int | str]:
    """The red level of each page, or the name of the error in its place."""
    return [type(page.error).__name__ if isinstance(page, FailedPage) else round(page.image[0, 0, 2] / 10) * 10 for page in loaded]


def only(loaded: Iterator[Page | FailedPage]) -> Page:
    (page,) = loaded
    assert isinstance(page, Page)
    return page


def message(given: object, **options: Any) -> str:
    """What is said about a bad input, in both ways of saying it."""
    with pytest.raises(InputError) as caught:
        list(pages(given, **options))
    (failed,) = pages(given, errors="return", **options)
    assert isinstance(failed, FailedPage) and str(failed.error) == str(caught.value)
    said = str(caught.value)
    assert said.endswith((".", "?")) and "\n" not in said
    return said


# kinds


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        ("bmp", "BMP"),
        ("dib", "DIB"),
        ("jpeg", "JPEG"),
        ("JPG", "JPEG"),
        ("png", "PNG"),
        ("webp", "WEBP"),
        ("pbm", "PPM"),
        ("pgm", "PPM"),
        ("ppm", "PPM"),
        ("pnm", "PPM"),
        ("gif", "GIF"),
    ],
)
def test_image_files_of_every_kind(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"印章.{suffix}"
    mode = {"pbm": "1", "pgm": "L"}.get(suffix, "RGB")
    path.write_bytes(encoded(picture().convert(mode), kind))
    for given in (path, str(path)):
        page = only(pages(given))
        assert page.image.shape == (6, 8, 3)
        assert (page.source, page.index, page.count) == (str(path), None, None)


@pytest.mark.parametrize("suffix", ["ras", "sr"])
def test_sun_rasters(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"seal.{suffix}"
    path.write_bytes(sun_raster(np.full((5, 7, 3), 33, np.uint8)))
    np.testing.assert_array_equal(only(pages(path)).image, np.full((5, 7, 3), 33))


def test_each_frame_of_a_tiff_is_a_page_and_a_single_one_has_a_number_too(tmp_path: Path) -> None:
    frames = [picture(level) for level in LEVELS]
    frames[0].save(tmp_path / "three.tiff", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "one.tif")
    three = list(pages(tmp_path / "three.tiff"))
    assert [(page.index, page.count) for page in three if isinstance(page, Page)] == [(0, 3), (1, 3), (2, 3)]
    assert levels(iter(three)) == list(LEVELS)
    one = only(pages(tmp_path / "one.tif"))
    assert (one.index, one.count) == (0, 1)


def test_each_page_of_a_pdf_is_drawn_at_200_dpi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEALREAD_PDF_DPI", raising=False)
    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf_bytes())
    loaded = list(pages(str(path)))
    assert [(page.source, page.index, page.count) for page in loaded if isinstance(page, Page)] == [(str(path), i, 3) for i in range(3)]
    assert all(isinstance(page, Page) and page.image.shape == (100, 200, 3) for page in loaded)
    assert levels(iter(loaded)) == list(LEVELS)


def test_the_dpi_of_a_pdf_comes_from_the_call_then_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALREAD_PDF_DPI", "144")
    assert only(pages(pdf_bytes(1))).image.shape == (72, 144, 3)
    assert only(pages(pdf_bytes(1), pdf_dpi=36)).image.shape == (18, 36, 3)
    monkeypatch.setenv("SEALREAD_PDF_DPI", "fine")
    with pytest.raises(InputError, match="SEALREAD_PDF_DPI is a number above 0, not 'fine'"):
        pages(pdf_bytes(1))


def test_form_fields_and_stamps_of_a_pdf_are_drawn() -> None:
    look = b"<< /Type /XObject /Subtype /Form /BBox [0 0 20 20] /Length 24 >> stream\n1 0 0 rg 0 0 20 20 re f \nendstream"
    content = b"".join(
        (
            b"%PDF-1.7\n",
            b"1 0 obj << /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >> endobj\n",
            b"2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj\n",
            b"3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 100 50] /Annots [4 0 R 5 0 R] >> endobj\n",
            b"4 0 obj << /Type /Annot /Subtype /Widget /FT /Tx /T (a) /F 4 /Rect [0 30 20 50] /AP << /N 6 0 R >> >> endobj\n",
            b"5 0 obj << /Type /Annot /Subtype /Stamp /F 4 /Rect [80 30 100 50] /AP << /N 6 0 R >> >> endobj\n",
            b"6 0 obj " + look + b" endobj\n",
            b"trailer << /Root 1 0 R >>\n%%EOF\n",
        )
    )
    image = only(pages(content, pdf_dpi=72)).image
    assert image.shape == (50, 100, 3)
    np.testing.assert_array_equal(image[10, [10, 50, 90]], [[0, 0, 255], [255, 255, 255], [0, 0, 255]])


def test_a_large_pdf_page_is_drawn_at_fewer_dots_per_inch() -> None:
    with contextlib.closing(pdf.Pdf(io.BytesIO(pdf_bytes(1)))) as document:
        height, width = document.image(0, dpi=200, max_pixels=5000).shape[:2]
    assert 4500 < width * height <= 5000


@pytest.mark.parametrize(("width", "height"), [(14_400.0, 14_400.0), (0.01, 14_400.0), (612.0, 792.0), (20_000.0, 0.5)])
def test_no_page_size_leads_above_the_limit(width: float, height: float) -> None:
    scale = pdf._scale(width, height, 1e7, MAX_PIXELS)
    assert np.ceil(width * scale) * np.ceil(height * scale) <= MAX_PIXELS


def test_arrays_and_pillow_images_have_no_name() -> None:
    array = np.full((6, 8, 3), 90, np.uint8)
    for given in (array, array[..., 0], np.dstack([array, array[..., :1] * 0 + 255]), array / 255, picture(90)):
        page = only(pages(given))
        assert (page.image.shape, page.source, page.index, page.count) == ((6, 8, 3), None, None, None)
        assert page.image[0, 0, 2] == 90


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, io.BytesIO])
def test_the_content_of_a_file_is_an_input(wrap: Any) -> None:
    assert levels(pages(wrap(png(90)))) == [90]
    assert levels(pages(wrap(pdf_bytes()))) == list(LEVELS)
    page = only(pages(wrap(png())))
    assert page.source is None


def test_an_open_file_is_read_from_where_it_stands_and_left_open(tmp_path: Path) -> None:
    path = tmp_path / "two.bin"
    path.write_bytes(png(10) + png(200))
    with path.open("rb") as file:
        file.seek(len(png(10)))
        page = only(pages(file))
        assert not file.closed
    assert page.image[0, 0, 2] == 200 and page.source == str(path)


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "image.pdf").write_bytes(png(90))
    (tmp_path / "document.png").write_bytes(b"\n" * 100 + pdf_bytes())
    (tmp_path / "none").write_bytes(png(10))
    assert levels(pages([tmp_path / "image.pdf", tmp_path / "document.png", tmp_path / "none"])) == [90, *LEVELS, 10]


def test_lists_and_iterators_are_nested_at_will(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(10))
    nested = (str(tmp_path / "a.png"), [png(90), (), iter([tmp_path, np.full((2, 2), 200, np.uint8)])], (x for x in [picture(90)]))
    assert levels(pages(nested)) == [10, 90, 10, 200, 90]
    assert list(pages([])) == []


# folders


def test_a_folder_is_read_whole_in_the_order_of_full_paths(tmp_path: Path) -> None:
    for name in ("b.png", "a/z.png", "a/b/c.JPG", "a-1.png", "a.png", ".hidden.png", ".git/x.png", "notes.txt", "a0/y.pdf"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pdf_bytes(2) if name.endswith("pdf") else png())
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    read = [page.source for page in pages(tmp_path)]
    expected = sorted(str(tmp_path / name) for name in ("b.png", "a/z.png", "a/b/c.JPG", "a-1.png", "a.png", "a0/y.pdf", "a0/y.pdf"))
    assert read == expected


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "notes.txt").write_text("no")
    assert "holds no file of a readable kind" in message(tmp_path)


def test_a_bad_file_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.png").write_bytes(png(90))
    (tmp_path / "c.png").symlink_to(tmp_path / "gone")
    bad, good, gone = pages(tmp_path, errors="return")
    assert isinstance(bad, FailedPage) and bad.source == str(tmp_path / "a.png")
    assert isinstance(good, Page)
    assert isinstance(gone, FailedPage) and "does not exist" in str(gone.error)


# laziness


def test_nothing_is_pulled_from_an_iterator_before_it_is_needed() -> None:
    pulled = itertools.count()
    endless = (np.full((2, 2, 3), next(pulled), np.uint8) for _ in itertools.repeat(None))
    loaded = pages(endless)
    assert next(pulled) == 0
    assert [page.image[0, 0, 0] for page in itertools.islice(loaded, 3) if isinstance(page, Page)] == [1, 2, 3]
    assert next(pulled) == 4


def test_only_the_files_that_are_asked_for_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(200):
        (tmp_path / f"{i:03}.png").write_bytes(b"")
    (tmp_path / "000.png").write_bytes(png())
    opened: list[str] = []

    def spy(path: str, mode: str) -> Any:
        opened.append(path)
        return open(path, mode)

    monkeypatch.setattr(sources, "open", spy, raising=False)
    loaded = pages([tmp_path, "nowhere.png"])
    assert opened == []
    assert isinstance(next(loaded), Page)
    assert opened == [str(tmp_path / "000.png")]
    loaded.close()


def test_only_the_pages_of_a_pdf_that_are_asked_for_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    draw = pdf.Pdf.image

    def spy(self: pdf.Pdf, index: int, *, dpi: float) -> np.ndarray:
        drawn.append(index)
        return draw(self, index, dpi=dpi)

    monkeypatch.setattr(pdf.Pdf, "image", spy)
    loaded = pages(pdf_bytes(50))
    next(loaded)
    next(loaded)
    assert drawn == [0, 1]


def test_pages_that_were_given_are_not_kept(tmp_path: Path) -> None:
    loaded = pages(pdf_bytes(3))
    page = next(loaded)
    assert isinstance(page, Page)
    pixels = weakref.ref(page.image)
    del page
    next(loaded)
    assert pixels() is None


# errors


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "type NoneType cannot be read; give an array, a path"),
        (7, "type int cannot be read"),
        ({"a": 1}, "type dict cannot be read"),
        (object(), "type object cannot be read"),
        (b"", "is empty"),
        (b"no image at all", "holds text"),
        (io.StringIO("text"), 'gives str instead of bytes; open it in binary mode ("rb")'),
        ("", "'' does not exist"),
        ("ftp://example.org/a.png", "does not exist"),
        (np.zeros((2, 4, 4, 3), np.uint8), "pass several images as a list"),
        (np.full((4, 4), np.nan), "NaN or infinite"),
        (png_header(60_000, 60_000), "60000 x 60000"),
        (encrypted_pdf(), "is encrypted; remove its password"),
        (b"%PDF-1.7\nnot much of one", "damaged or cut off PDF"),
        (pdf_bytes(1)[:200], "damaged or cut off PDF"),
        (png()[:-30], "damaged or cut off image"),
        (PillowImage.new("RGB", (0, 4)), "no pixels"),
    ],
)
def test_bad_input_is_said_in_one_sentence(given: object, said: str) -> None:
    assert said in message(given)


def test_a_closed_file_and_a_write_only_file_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.bin").open("wb") as file:
        assert "cannot be read" in message(file)
    assert "cannot be read: " in message(file)


def test_a_missing_file_is_named_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "contract_2024.pdf").write_bytes(b"")
    near = message(tmp_path / "contrakt_2024.pdf")
    assert str(tmp_path / "contrakt_2024.pdf") in near and f"did you mean {str(tmp_path / 'contract_2024.pdf')!r}?" in near
    assert message(tmp_path / "zzz.png").endswith("check the path.")
    assert "nor does its folder" in message(str(tmp_path / "no" / "a.png"))


def test_an_unusual_file_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert "neither a file nor a folder" in message(tmp_path / "pipe.png")


def test_a_list_that_contains_itself_ends() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert "does a list contain itself?" in message(endless)


def test_in_a_list_of_ten_with_one_bad_nine_are_read(tmp_path: Path) -> None:
    for i in range(10):
        (tmp_path / f"{i}.png").write_bytes(png(90))
    (tmp_path / "4.png").write_bytes(b"text")
    ten = [tmp_path / f"{i}.png" for i in range(10)]
    assert levels(pages(ten, errors="return")) == [90] * 4 + ["InputError"] + [90] * 5
    loaded = pages(ten)
    assert levels(itertools.islice(loaded, 4)) == [90] * 4
    with pytest.raises(InputError, match=r"4\.png"):
        next(loaded)
    assert list(loaded) == []


def test_a_bad_page_of_a_pdf_costs_only_itself() -> None:
    content = pdf_bytes()
    second = content.index(b"/Type /Page\n", content.index(b"/Type /Page\n") + 1)
    loaded = list(pages(content[:second] + b"/Type /Rage\n" + content[second + 12 :], errors="return"))
    assert levels(iter(loaded)) == [10, "InputError", 200]
    bad = loaded[1]
    assert isinstance(bad, FailedPage) and bad.index == 1 and "Page 2 of The PDF" in str(bad.error)


def test_a_bad_frame_of_a_tiff_costs_only_itself() -> None:
    frames = [PillowImage.fromarray(np.random.default_rng(i).integers(0, 32, (40, 40), np.uint8)) for i in range(3)]
    content = bytearray(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:], compression="tiff_adobe_deflate"))
    with PillowImage.open(io.BytesIO(content)) as opened:
        opened.seek(1)
        start = opened.tag_v2[STRIPOFFSETS][0]
    content[start : start + 60] = b"\xff" * 60
    kinds = [type(page).__name__ for page in pages(bytes(content), errors="return")]
    assert kinds == ["Page", "FailedPage", "Page"]


def test_what_the_callers_iterator_raises_passes_through() -> None:
    def broken() -> Iterator[bytes]:
        yield png()
        raise RuntimeError("the caller's own")

    with pytest.raises(RuntimeError, match="own"):
        list(pages(broken(), errors="return"))


@pytest.mark.parametrize(
    ("options", "parameter"),
    [
        ({"errors": "ignore"}, "errors"),
        ({"pdf_dpi": 0}, "pdf_dpi"),
        ({"pdf_dpi": float("nan")}, "pdf_dpi"),
        ({"pdf_dpi": "200"}, "pdf_dpi"),
        ({"fetch_timeout": -1}, "fetch_timeout"),
        ({"fetch_max_bytes": True}, "fetch_max_bytes"),
    ],
)
def test_a_bad_option_is_refused_at_once(options: dict[str, Any], parameter: str) -> None:
    with pytest.raises(InputError) as caught:
        pages([], **options)
    assert caught.value.parameter == parameter


def test_a_long_pdf_is_opened_anew_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_PAGES_PER_OPENING", 2)
    assert levels(pages(pdf_bytes(9), pdf_dpi=36)) == list(LEVELS) * 3


# several readers of PDFs at once


def test_generators_over_pdfs_may_be_interleaved_and_abandoned() -> None:
    first, second, abandoned = (pages(pdf_bytes()) for _ in range(3))
    next(abandoned)
    assert [level for pair in zip(first, second, strict=True) for level in levels(iter(pair))] == [10, 10, 90, 90, 200, 200]


def test_closing_or_dropping_a_generator_closes_its_document(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf_bytes())

    def held() -> bool:
        return any(os.path.realpath(f"/proc/self/fd/{fd}") == str(path) for fd in os.listdir("/proc/self/fd"))

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to see open files")
    for end in (lambda loaded: loaded.close(), lambda loaded: None):
        loaded = pages(path)
        next(loaded)
        assert held()
        end(loaded)
        del loaded
        gc.collect()
        assert not held()


def test_a_document_closed_inside_a_locked_call_is_closed_after_it() -> None:
    loaded = pages(pdf_bytes())
    next(loaded)
    with pdf._inside_pdfium():
        loaded.close()  # as the garbage collector may do in the middle of a call
        assert len(pdf._RETIRED) == 1
    assert len(pdf._RETIRED) == 0


def test_threads_read_pdfs_at_once() -> None:
    content = pdf_bytes(12)
    results: list[list[int | str]] = []
    threads = [threading.Thread(target=lambda: results.append(levels(pages(content, pdf_dpi=72)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert results == [list(LEVELS) * 4] * 4


def test_a_generator_left_open_at_exit_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf_bytes())
    program = "import sys; from sealread.sources import pages; left = pages(sys.argv[1]); next(left)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.pdf")], env=environment, capture_output=True, check=True)
    assert done.stdout == b"" and done.stderr == b""


# web addresses


class _Site(BaseHTTPRequestHandler):
    """Each method `at_name` answers the path ``/name``."""

    stop = threading.Event()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        with contextlib.suppress(OSError):  # the reader has gone
            getattr(self, "at_" + path.strip("/").replace(".", "_").replace("-", "_").replace("%", ""), self.at_404)()

    def at_ok_png(self) -> None:
        self.answer(png(90), Content_Type="text/plain")

    def at_E58DB0(self) -> None:  # 印  # noqa: N802
        self.answer(png(10))

    def at_doc(self) -> None:
        self.answer(pdf_bytes())

    def at_404(self) -> None:
        self.answer(b"nothing here", 404)

    def at_empty(self) -> None:
        self.answer(b"")

    def at_page(self) -> None:
        self.answer(b"<html>please log in</html>")

    def drip(self) -> None:
        while not self.stop.wait(0.02):
            self.wfile.write(b"x")
            self.wfile.flush()

    def at_drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.drip()

    def at_drip_header(self) -> None:
        self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Long: ")
        self.drip()

    def at_silent(self) -> None:
        self.stop.wait(10)

    def at_large(self) -> None:
        self.answer(b"", Content_Length="5000000")

    def at_endless(self) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.stop.is_set():
            self.wfile.write(b"x" * 10_000)

    def at_short(self) -> None:
        self.answer(png(), Content_Length=str(len(png()) + 10))

    def at_chunked(self) -> None:
        self.protocol_version = "HTTP/1.1"
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        for part in (png(200)[:20], png(200)[20:], b""):
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")

    def at_redirect(self) -> None:
        self.answer(b"", 302, Location="/ok.png")

    def at_away(self) -> None:
        self.answer(b"", 302, Location="file:///etc/hostname")

    def at_round(self) -> None:
        self.answer(b"", 302, Location="/round")


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1")
        yield f"http://127.0.0.1:{server.server_address[1]}"
    _Site.stop.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/ok.png", [90]), ("/ok.png?size=2&name=a b", [90]), ("/doc", list(LEVELS)), ("/redirect", [90]), ("/印", [10]), ("/chunked", [200])],
)
def test_a_web_address_is_read_by_its_content(site: str, path: str, expected: list[int]) -> None:
    loaded = list(pages(site + path))
    assert levels(iter(loaded)) == expected
    assert {page.source for page in loaded} == {site + path}


def test_a_web_address_in_capitals_is_one_too(site: str) -> None:
    assert levels(pages(site.replace("http", "HTTP") + "/ok.png")) == [90]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nowhere", "the server answered 404 Not Found"),
        ("/large", "larger than the limit of 100,000 bytes"),
        ("/endless", "larger than the limit of 100,000 bytes"),
        ("/short", "was cut off after"),
        ("/away", "redirects to file:///etc/hostname, which is no http or https address"),
        ("/round", "redirects more than 10 times"),
        ("/empty", "is empty"),
        ("/page", "holds text"),
    ],
)
def test_a_failing_web_address_is_said_in_one_sentence(site: str, path: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        list(pages(site + path, fetch_max_bytes=100_000))
    assert said in str(caught.value) and caught.value.source == site + path and "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["/drip", "/drip-header", "/silent"])
def test_a_web_address_that_never_ends_is_given_up(site: str, path: str) -> None:
    with pytest.raises(InputError, match=r"did not answer in full within 0.15 s"):
        list(pages(site + path, fetch_timeout=0.15))


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:{port}/a.png", "http://[::1/a.png", "http:///a.png", "http://a b/c", "https://127.0.0.1:{port}/a.png"]
)
def test_an_address_without_a_server_is_refused(address: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound but not listening: nobody answers, nobody else takes it
        assert "cannot be fetched" in message(address.format(port=free.getsockname()[1]))


def test_a_local_file_named_like_an_address_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "http:").mkdir()
    (tmp_path / "http:" / "a.png").write_bytes(png(90))
    assert levels(pages("http://a.png")) == [90]


def test_addresses_are_fetched_when_their_turn_comes(site: str) -> None:
    loaded = pages([png(), site + "/silent"], fetch_timeout=0.15)
    assert isinstance(next(loaded), Page)
    loaded.close()


# loading ahead


def test_the_next_page_is_loaded_while_one_is_read() -> None:
    """The second page is complete before the first is given back."""
    loaded = [threading.Event(), threading.Event()]

    def two() -> Iterator[Page]:
        for event in loaded:
            event.set()
            yield Page(np.zeros((1, 1, 3), np.uint8))

    ahead = loaded_ahead(two())  # type: ignore[arg-type]
    assert not loaded[0].is_set()
    next(ahead)
    assert loaded[1].wait(10)
    assert len(list(ahead)) == 1


def test_pages_loaded_ahead_are_the_same_and_errors_come_in_their_turn(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf_bytes())
    given = [str(tmp_path / "a.pdf"), "/nowhere", str(tmp_path / "a.pdf")]
    assert [type(page).__name__ for page in loaded_ahead(pages(given, errors="return"))] == [
        type(page).__name__ for page in pages(given, errors="return")
    ]
    ahead = loaded_ahead(pages(given))
    assert levels(next(ahead) for _ in LEVELS) == list(LEVELS)
    with pytest.raises(InputError, match="does not exist"):
        next(ahead)
    left = loaded_ahead(pages(given))
    next(left)
    left.close()


@pytest.mark.parametrize(
    ("given", "settled"),
    [("a.pdf", True), (Path("a"), True), (b"", True), (["a", ("b", b"c")], True), (iter(["a"]), False), (["a", iter([])], False)],
)
def test_only_what_is_here_already_is_loaded_ahead(given: Any, settled: bool) -> None:
    assert is_settled(given) is settled
