"""Bad input, through `predict()` and through the command line: one clear sentence, the right class, the right exit status."""

from __future__ import annotations

import http.server
import itertools
import json
import os
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from tiny_networks import tiny_config

from sealread import InputError, SealPipeline, create_pipeline
from sealread.cli import main

REPOSITORY = Path(__file__).parents[2]


def chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG that promises so many pixels."""
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def drawn(path: Path) -> Path:
    picture = Image.new("RGB", (120, 90), "white")
    picture.paste((0, 0, 0), (30, 30, 90, 60))
    picture.save(path)
    return path


def encrypted_pdf(path: Path) -> Path:
    """A PDF that asks for a password: its keys fit none that is empty."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>",
        b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"ab" * 32 + b"> /U <" + b"cd" * 32 + b"> >>",
    ]
    content, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    start = len(content)
    content += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    content += b"trailer\n<< /Size 5 /Root 1 0 R /Encrypt 4 0 R /ID [<aa> <aa>] >>\nstartxref\n%d\n%%%%EOF\n" % start
    path.write_bytes(content)
    return path


def truncated(path: Path) -> Path:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    return path


def bytes_as(content: bytes, name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def empty_folder(folder: Path) -> Path:
    (folder / "nothing").mkdir()
    (folder / "nothing" / "notes.docx").write_bytes(b"x")
    return folder / "nothing"


#: What is bad, and words that the sentence must have.
BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda folder: folder / "missing.png", "does not exist"),
    "empty": (bytes_as(b"", "empty.png"), "is empty"),
    "truncated": (lambda folder: truncated(folder / "cut.png"), "cut.png"),
    "no image by its name": (bytes_as(b"PK\x03\x04 a spreadsheet", "table.xlsx"), "table.xlsx"),
    "text named png": (bytes_as(b"this is text", "text.png"), "text.png"),
    "encrypted pdf": (lambda folder: encrypted_pdf(folder / "locked.pdf"), "password"),
    "zero-size image": (bytes_as(png_header(0, 0), "zero.png"), "zero.png"),
    "huge image": (bytes_as(png_header(60_000, 60_000), "huge.png"), "60000 x 60000"),
    "folder without images": (empty_folder, "holds no file of a readable kind"),
    "broken pdf": (bytes_as(b"%PDF-1.7\nnothing follows", "broken.pdf"), "broken.pdf"),
}


@pytest.fixture
def bad(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    make, said = BAD[request.param]
    return str(make(tmp_path)), said


def check_sentence(sentence: str, source: str, said: str) -> None:
    assert said in sentence
    assert Path(source).name in sentence
    assert "\n" not in sentence
    assert len(sentence) < 60 + 2 * len(source) + 200


@pytest.mark.parametrize("bad", BAD, indirect=True)
def test_predict_names_what_is_bad(tiny_pipeline: SealPipeline, bad: tuple[str, str]) -> None:
    source, said = bad
    with pytest.raises(InputError) as caught:
        list(tiny_pipeline.predict(source))
    check_sentence(str(caught.value), source, said)
    assert caught.value.source == source
    [result] = tiny_pipeline.predict(source, errors="return")
    assert not result.ok
    assert str(result.error) == str(caught.value)


@pytest.mark.parametrize("bad", BAD, indirect=True)
def test_the_command_line_names_what_is_bad(
    tiny_pipeline: SealPipeline, bad: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, said = bad
    good = drawn(tmp_path / "good.png")
    status = main([source, str(good)], create=lambda **_: tiny_pipeline)
    output = capsys.readouterr()
    assert status == 2
    assert output.out.count('"input_path": "') == 1
    last = output.err.splitlines()[-1]
    assert "1 page read" in last
    assert "1 input failed" in last
    check_sentence(last, source, said)


@pytest.mark.parametrize("array", [np.full((9, 9, 3), np.nan), np.zeros((0, 0, 3), np.uint8)], ids=["NaN", "no pixels"])
def test_arrays_that_show_nothing(tiny_pipeline: SealPipeline, array: object) -> None:
    results = list(tiny_pipeline.predict([array, np.full((50, 50, 3), 255, np.uint8)], errors="return"))
    assert [result.ok for result in results] == [False, True]
    assert isinstance(results[0].error, InputError)


def test_in_a_list_of_ten_with_one_bad_nine_are_read(tiny_root: Path, tmp_path: Path) -> None:
    """As its own process: results on standard output, the bad one in the last line of standard error."""
    inputs = [str(drawn(tmp_path / f"page{number}.png")) for number in range(10)]
    Path(inputs[3]).write_text("this is text")
    config = tmp_path / "tiny.yaml"
    config.write_text(yaml.safe_dump(tiny_config(tiny_root)), encoding="utf-8")
    command = [sys.executable, "-m", "sealread", "--pipeline", str(config), "--save_path", str(tmp_path / "out"), "--input", *inputs]
    paths = [str(REPOSITORY / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=240, check=False)
    assert done.returncode == 2
    decoder, rest, read = json.JSONDecoder(), done.stdout.strip(), []
    while rest:
        value, end = decoder.raw_decode(rest)
        read.append(value["res"]["input_path"])
        rest = rest[end:].lstrip()
    assert read == inputs[:3] + inputs[4:]
    last = done.stderr.splitlines()[-1]
    assert "9 pages read" in last
    assert "1 input failed" in last
    assert inputs[3] in last
    assert len(list((tmp_path / "out").glob("*_res.json"))) == 9


class _Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/absent.png":
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        try:
            for _ in itertools.count():  # an answer without end
                self.wfile.write(b"\x89PNG" * 1000)
                time.sleep(0.01)
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_addresses_that_fail_or_never_end(tiny_pipeline: SealPipeline, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sealread import pipeline as module

    whole = module.sources.pages
    monkeypatch.setattr(module.sources, "pages", lambda *given, **named: whole(*given, **named, fetch_timeout=0.5))
    inputs = [f"{site}/absent.png", f"{site}/endless.png", np.full((50, 50, 3), 255, np.uint8)]
    results = list(tiny_pipeline.predict(inputs, errors="return"))
    assert [result.ok for result in results] == [False, False, True]
    for result, source in zip(results, inputs[:2], strict=False):
        assert isinstance(result.error, InputError)
        assert result.error.source == source
        assert str(source) in str(result.error)


class TestOutputFolder:
    def test_one_that_cannot_be_made_is_refused_before_anything_is_read(
        self, tiny_pipeline: SealPipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        good = drawn(tmp_path / "good.png")
        target = good / "out"
        assert main([str(good), "--save_path", str(target)], create=lambda **_: tiny_pipeline) == 2
        output = capsys.readouterr()
        assert output.out == ""
        [line] = output.err.splitlines()
        assert f"--save_path {target} cannot be written" in line

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
    def test_a_read_only_one(self, tiny_pipeline: SealPipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        good, folder = drawn(tmp_path / "good.png"), tmp_path / "locked"
        folder.mkdir(mode=0o500)
        assert main([str(good), "--save_path", str(folder / "out")], create=lambda **_: tiny_pipeline) == 2
        assert "cannot be written" in capsys.readouterr().err

    def test_results_say_so_too(self, tiny_pipeline: SealPipeline, tmp_path: Path) -> None:
        good = drawn(tmp_path / "good.png")
        [result] = tiny_pipeline.predict(str(good))
        for save in (result.save_to_json, result.save_to_img, result.save_all):
            with pytest.raises(InputError) as caught:
                save(good / "out")
            assert caught.value.parameter == "save_path"


LIGHT = """
import sys
import sealread
heavy = {"cv2", "numpy", "PIL", "pydantic", "yaml", "openvino", "onnxruntime", "torch", "paddle", "rapidocr", "pypdfium2"}
found = heavy & set(sys.modules)
assert not found, found
assert set(sealread.__all__) <= set(dir(sealread)) | set(sealread._LATER)
pipeline = sealread.create_pipeline()
foreign = {"torch", "paddle", "paddlex", "paddleocr", "rapidocr", "tensorflow"}
assert not (foreign | {"openvino", "onnxruntime"}) & set(sys.modules)
import numpy as np
list(pipeline.predict(np.full((64, 64, 3), 255, np.uint8), use_layout_detection=False))
assert "cv2" in sys.modules
assert not foreign & set(sys.modules), foreign & set(sys.modules)
"""


def test_the_import_is_light_and_no_other_framework_is_ever_loaded() -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, env=environment, timeout=240, check=False)
    assert done.returncode == 0, done.stderr


def test_a_missing_configuration_file_is_the_callers_error() -> None:
    with pytest.raises(InputError, match="does not exist") as caught:
        create_pipeline("nowhere.yaml")
    assert isinstance(caught.value, FileNotFoundError)
