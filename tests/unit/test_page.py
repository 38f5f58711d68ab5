"""The web page's files: what they may load, what they say, and how they are served."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sealread.drawing import DOUBT_COLOURS, ROLE_COLOURS
from sealread.options import PredictOptions

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "src" / "sealread" / "server" / "page"
TEXTS = sorted(path for path in PAGE.iterdir() if path.suffix in (".html", ".css", ".js", ".svg"))


def text(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")


def node(script: str) -> Any:
    """What a script says that may import the page's modules."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed, so the page's scripts cannot be run here")
    words = [program, "--no-warnings", "--input-type=module", "-e", f"console.log(JSON.stringify(await (async () => {{ {script} }})()))"]
    done = subprocess.run(words, cwd=PAGE, capture_output=True, text=True, encoding="utf-8", timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def ask() -> Callable[..., Any]:
    """Asks an application that has nothing but the page: `ask(path, method=, **headers)`."""
    httpx = pytest.importorskip("httpx", reason="the web page is asked with httpx, which is not installed")
    fastapi = pytest.importorskip("fastapi", reason="the web page is served with the extra [serve]")
    from sealread.server.page import page_router

    app = fastapi.FastAPI()
    app.include_router(page_router())

    async def answer(path: str, method: str, headers: dict[str, str]) -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.request(method, path, headers=headers)

    return lambda path, method="GET", **headers: asyncio.run(answer(path, method, headers))


# ---------------------------------------------------------------- what the files say


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_file_names_another_host(path: Path) -> None:
    addresses = re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", re.sub(r"^\s*//.*", "", path.read_text(encoding="utf-8"), flags=re.M))
    assert [address for address in addresses if address != "http://www.w3.org/2000/svg"] == []


def test_nothing_on_the_page_is_inline() -> None:
    html = text("index.html")
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:|data:", html) == []
    assert [body for body in re.findall(r"<script[^>]*>(.*?)</script>", html, re.S) if body] == []
    for path in PAGE.glob("*.js"):
        assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|setAttribute\(\"style", text(path.name)) == []


def test_everything_that_the_page_loads_is_there() -> None:
    named = re.findall(r"(?:src|href)=\"page/([^\"]+)\"", text("index.html"))
    named += [name for path in PAGE.glob("*.js") for name in re.findall(r"from \"\./([^\"]+)\"", text(path.name))]
    assert len(named) > 10
    assert [name for name in named if not (PAGE / name).is_file()] == []


def test_every_control_has_a_name() -> None:
    html = text("index.html")
    labelled = set(re.findall(r"<label[^>]* for=\"([^\"]+)\"", html))
    assert set(re.findall(r"<input[^>]* id=\"([^\"]+)\"", html)) == labelled


def test_both_languages_say_the_same_things() -> None:
    keys = node("const { TEXTS } = await import('./words.js'); return { en: Object.keys(TEXTS.en), zh: Object.keys(TEXTS.zh) };")
    assert keys["en"] == keys["zh"]
    used = set(re.findall(r"data-say(?:-label)?=\"([^\"]+)\"", text("index.html")))
    for path in PAGE.glob("*.js"):
        used |= set(re.findall(r"\bsay\(\"([^\"]+)\"", text(path.name))) | set(re.findall(r"\"((?:error|step)-[\w-]+)\"", text(path.name)))
    assert used - set(keys["en"]) == set()


def test_english_stands_in_the_page_itself() -> None:
    said = dict(re.findall(r"data-say=\"([^\"]+)\"[^>]*>([^<]+)<", text("index.html")))
    english = node("const { TEXTS } = await import('./words.js'); return TEXTS.en;")
    assert {key: english[key] for key in said} == said


@pytest.mark.parametrize(
    ("stored", "wanted", "chosen"),
    [("zh", ["en"], "zh"), (None, ["zh-TW", "en"], "zh"), (None, ["fr-FR", "en-GB", "zh"], "en"), (None, ["fr"], "en"), ("xx", [], "en")],
)
def test_the_language_is_the_remembered_one_or_the_browsers(stored: str | None, wanted: list[str], chosen: str) -> None:
    call = f"choose({json.dumps(stored)}, {json.dumps(wanted)})"
    assert node(f"const {{ choose }} = await import('./words.js'); return {call};") == chosen


def test_the_settings_are_those_of_predict() -> None:
    def camel(name: str) -> str:
        first, *rest = name.split("_")
        return first + "".join(word.title() for word in rest)

    known = {camel(name) for name in PredictOptions.model_fields} - {"layoutDetRes"}
    assert set(re.findall(r"\{ name: \"(\w+)\"", text("settings.js"))) == known


# ---------------------------------------------------------------- scores


def test_doubt_is_where_the_pictures_see_it() -> None:
    limits = re.search(r"CHARACTER_LIMITS = \{ unsure: ([\d.]+), veryUnsure: ([\d.]+) \}", text("scores.js"))
    assert limits is not None
    assert sorted(float(limit) for limit in limits.groups()) == sorted(limit for limit, _ in DOUBT_COLOURS)


def test_roles_have_the_colours_of_the_pictures() -> None:
    for role, (red, green, blue) in ROLE_COLOURS.items():
        assert f"--{role.replace('_', '-')}: #{red:02x}{green:02x}{blue:02x};" in text("reading.css")


def test_no_score_looks_surer_than_it_is() -> None:
    said = node("const { percent } = await import('./scores.js'); return [1, 0.9999, 0.995, 0.9, 0.29, 0.0099, 0].map(percent);")
    assert [words.replace("\u00a0", " ") for words in said] == ["99 %", "99 %", "99 %", "90 %", "29 %", "< 1 %", "< 1 %"]


@pytest.mark.parametrize(
    ("line", "doubt"),
    [
        ({"text": "甲", "score": 0.95}, ""),
        ({"text": "甲", "score": 0.8999}, "unsure"),
        ({"text": "甲", "score": 0.4999}, "very-unsure"),
        ({"text": "", "score": 1.0}, "very-unsure"),
    ],
)
def test_a_line_is_called_unsure_below_nine_tenths(line: dict[str, Any], doubt: str) -> None:
    assert node(f"const {{ doubtOfLine }} = await import('./scores.js'); return doubtOfLine({json.dumps(line)});") == doubt


# ---------------------------------------------------------------- how the files are served


def test_the_page_is_served_under_a_strict_policy(ask: Callable[..., Any]) -> None:
    answer = ask("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.content == (PAGE / "index.html").read_bytes()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';")
    assert "unsafe" not in policy and "data:" not in policy and "blob:" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", sorted(path for path in PAGE.iterdir() if path.is_file() and path.suffix != ".py"), ids=lambda path: path.name
)
def test_every_file_is_served_with_its_type(ask: Callable[..., Any], path: Path) -> None:
    answer = ask(f"/page/{path.name}")
    assert answer.status_code == 200
    assert answer.content == path.read_bytes()
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".webp": "image/webp", ".html": "text/html"}
    assert answer.headers["content-type"].startswith(kinds[path.suffix])
    again = ask(f"/page/{path.name}", **{"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("name", ["contract.png", "invoice.pdf", "seal.png"])
def test_the_samples_are_those_of_the_examples(ask: Callable[..., Any], name: str) -> None:
    assert f'data-sample="{name}"' in text("index.html")
    assert ask(f"/page/samples/{name}").content == (ROOT / "examples" / name).read_bytes()


@pytest.mark.parametrize(
    "path", ["/page/", "/page/__init__.py", "/page/%2e%2e/__init__.py", "/page/samples/", "/page/samples/draw.py", "/page/..%2f..%2fcli.py"]
)
def test_nothing_else_is_served(ask: Callable[..., Any], path: str) -> None:
    assert ask(path).status_code == 404


def test_the_page_is_no_part_of_the_description(ask: Callable[..., Any]) -> None:
    assert ask("/openapi.json").json()["paths"] == {}


def test_only_reading_is_allowed(ask: Callable[..., Any]) -> None:
    assert [ask("/", method).status_code for method in ("HEAD", "POST", "PUT", "DELETE")] == [200, 405, 405, 405]
