"""Clients in seven languages against the live service: ours, and the tutorial's with nothing changed but the file's path."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from live_service import free_port, is_free, live_service
from numpy.typing import NDArray
from PIL import Image
from tiny_networks import tiny_config
from toolchains import LANGUAGES, Language, need, run

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "examples" / "clients"
TUTORIAL = ROOT.parent / "shared" / "reference" / "tutorial.md"
TUTORIAL_PORT = 8080  # the address in the tutorial's examples

Ours = Callable[[Language], list[str]]

by_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)

# The tutorial's C++ example includes a third header that no package here carries; this one has the two functions it calls.
BASE64_HEADER = """
#include <string>
namespace base64 {
static const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
inline std::string to_base64(const std::string& bytes) {
    std::string text;
    unsigned held = 0, bits = 0;
    for (unsigned char byte : bytes) {
        held = (held << 8) | byte;
        for (bits += 8; bits >= 6; bits -= 6) text += letters[(held >> (bits - 6)) & 63];
        held &= 63;
    }
    if (bits > 0) text += letters[(held << (6 - bits)) & 63];
    while (text.size() % 4 != 0) text += '=';
    return text;
}
inline std::string from_base64(const std::string& text) {
    std::string bytes;
    unsigned held = 0, bits = 0;
    for (char letter : text) {
        if (letter == '=') break;
        held = (held << 6) | static_cast<unsigned>(letters.find(letter));
        bits += 6;
        if (bits >= 8) bytes += static_cast<char>((held >> (bits -= 8)) & 255);
        held &= 255;
    }
    return bytes;
}
}
"""


@pytest.fixture(scope="module")
def service(tiny_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service with the tiny networks, on the port of the tutorial where that is free, else on another."""
    folder = tmp_path_factory.mktemp("service")
    config = folder / "tiny.yaml"
    serving = {"extra": {"workers": 1, "parsers": 1}}
    config.write_text(yaml.safe_dump({**tiny_config(tiny_root), "Serving": serving}, allow_unicode=True), encoding="utf-8")
    with live_service(folder, TUTORIAL_PORT if is_free(TUTORIAL_PORT) else free_port(), str(config)) as address:
        yield address


@pytest.fixture
def sample(tiny_page: Callable[[int, int], NDArray[np.uint8]], tmp_path: Path) -> Path:
    """A picture with one seal, and beside it a PDF with two such pages."""
    pages = [Image.fromarray(tiny_page(*size)[:, :, ::-1]) for size in ((320, 320), (240, 320))]
    pages[0].save(tmp_path / "scan.png")
    pages[0].save(tmp_path / "scan.pdf", save_all=True, append_images=pages[1:], resolution=200.0)
    return tmp_path / "scan.png"


def asked(address: str, sample: Path, **fields: Any) -> dict[str, Any]:
    body = {"file": base64.b64encode(sample.read_bytes()).decode(), "fileType": 0 if sample.suffix == ".pdf" else 1, **fields}
    request = urllib.request.Request(f"{address}/seal-recognition", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        result: dict[str, Any] = json.load(answer)["result"]
    return result


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Ours:
    """The words that run our client in a language, built once."""
    return cache(lambda language: language.command(CLIENTS / language.file, tmp_path_factory.mktemp(language.name)))


@by_language
def test_our_client_prints_every_line_of_every_seal(service: str, ours: Ours, language: Language, sample: Path, tmp_path: Path) -> None:
    command = ours(language)
    for file, count in ((sample, 1), (sample.with_suffix(".pdf"), 2)):
        results = asked(service, file, visualize=False)["sealRecResults"]
        assert len(results) == count
        lines = [
            f"page {number}, seal {seal['region_id']}, {line['score']:.2f}: {line['text']}"
            for number, page in enumerate(results, 1)
            for seal in page["prunedResult"]["seals"]
            for line in seal["lines"]
        ]
        done = run([*command, str(file), service], tmp_path)
        assert (done.returncode, done.stdout.splitlines()) == (0, lines), done.stderr
        assert "甲乙" in done.stdout


@by_language
def test_our_client_says_what_went_wrong(service: str, ours: Ours, language: Language, sample: Path, tmp_path: Path) -> None:
    command = ours(language)
    not_a_picture = tmp_path / "letter.png"
    not_a_picture.write_text("Dear Sir", encoding="utf-8")
    wrong = {
        "usage": [],
        "HTTP 422": [str(not_a_picture), service],
        "missing": [str(tmp_path / "missing.png"), service],
        "127.0.0.1|refused|reach": [str(sample), f"http://127.0.0.1:{free_port()}"],
    }
    for said, words in wrong.items():
        done = run([*command, *words], tmp_path)
        assert done.returncode == 1
        assert re.search(said, done.stderr, re.IGNORECASE), done.stderr
        assert not re.search(r"Traceback|at \S+\(.*:\d+\)|goroutine|Unhandled", done.stderr)


def tutorial_example(language: str) -> str:
    if not TUTORIAL.is_file():
        pytest.skip("the tutorial does not lie beside the repository, in ../shared/reference")
    serving = TUTORIAL.read_text(encoding="utf-8").partition("Multi-language Service Invocation Example")[2]
    found = re.search(rf'<pre><code class="language-{language}">(.*?)</code></pre>', serving, re.DOTALL)
    assert found is not None
    return html.unescape(found.group(1))


@by_language
def test_the_tutorials_example_runs_with_its_path_changed(service: str, language: Language, sample: Path, tmp_path: Path) -> None:
    example = tutorial_example(language.name)
    if not service.endswith(f":{TUTORIAL_PORT}"):
        pytest.skip(f"port {TUTORIAL_PORT}, which the tutorial's examples call, is taken by something else")
    if language.name == "python":
        pytest.importorskip("requests", reason="the tutorial's example needs requests")
    if language.name == "js" and run([need("node", "nodejs"), "-e", "require('axios')"], tmp_path).returncode != 0:
        pytest.skip("axios is not installed (npm install -g axios)")
    if language.name == "php" and "curl" not in run([need("php", "php-cli php-curl"), "-m"], tmp_path).stdout.split():
        pytest.skip("curl for PHP is not installed (apt-get install php-curl)")
    if language.name == "cpp":
        (tmp_path / "base64.hpp").write_text(BASE64_HEADER, encoding="utf-8")
        (tmp_path / "cpp-httplib").mkdir()
        (tmp_path / "cpp-httplib" / "httplib.h").write_text("#include <httplib.h>\n", encoding="utf-8")
    assert example.count("./demo.jpg") == 1
    source = tmp_path / {"java": "Main.java", "cpp": "main.cpp", "csharp": "main.cs"}.get(language.name, f"main.{language.name}")
    source.write_text(example.replace("./demo.jpg", str(sample)), encoding="utf-8")
    done = run(language.command(source, tmp_path), tmp_path)
    assert done.returncode == 0, done.stderr

    pictures = asked(service, sample)["sealRecResults"][0]["outputImages"]
    assert {file.name for file in tmp_path.glob("*.jpg")} == {f"{name}_0.jpg" for name in pictures}
    for name, picture in pictures.items():
        saved = (tmp_path / f"{name}_0.jpg").read_bytes()
        assert saved == base64.b64decode(picture)
        assert cv2.imdecode(np.frombuffer(saved, np.uint8), cv2.IMREAD_COLOR) is not None
        assert f"{name}_0.jpg" in done.stdout
    assert "layout_det_res" in done.stdout
