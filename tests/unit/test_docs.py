"""What the documents say, held against the source where a program can."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from sealread import SealPipeline, create_pipeline
from sealread.zoo import known_names

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("src/sealread/weights/*.md")])
SHARE = {"value": 0.5, "hits": 1, "count": 2}
SETTING = {"commit": "abc1234", "date": "today", "cpu": "a CPU", "cores": 2, "os": "an OS", "python": "3.11", "versions": {"numpy": "2"}}


def words(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.fixture
def readme(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "bench"))
    return importlib.import_module("readme")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists() and "bench/results" not in target] == []


@pytest.mark.parametrize("function", [create_pipeline, SealPipeline.predict])
def test_every_parameter_is_described(function: object) -> None:
    assert callable(function)
    names = set(inspect.signature(function).parameters) - {"self", "unknown"}
    assert {name for name in names if f"| `{name}`" not in words("docs/api.md")} == set()


def test_every_network_is_described() -> None:
    for page in ("docs/models.md", "MODEL_LICENSES.md"):
        assert {name for name in known_names() if name not in words(page)} == set()


def test_the_tables_of_the_zoo_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    tool = importlib.import_module("zoo_docs")
    for page in ("docs/models.md", "MODEL_LICENSES.md"):
        assert tool.with_tables(words(page)) == words(page), "run tools/zoo_docs.py"


def test_every_embedded_network_has_a_card() -> None:
    weights = ROOT / "src" / "sealread" / "weights"
    assert {file.stem for file in weights.glob("*.onnx")} <= {file.stem for file in weights.glob("*.md")}


def test_the_readme_shows_the_figures_that_were_measured(readme: ModuleType) -> None:
    assert readme.with_figures(words("README.md"), readme.RESULTS) == words("README.md")


def test_figures_come_from_the_results(readme: ModuleType, tmp_path: Path) -> None:
    from tables import ACCURACY_ROWS

    accuracy = {"setting": SETTING, "set": "some", "images": 3, "failed": 0, "slices": {}, "detail": []}
    accuracy["totals"] = {key: SHARE for key, _ in ACCURACY_ROWS}
    (tmp_path / "accuracy.json").write_text(json.dumps(accuracy), encoding="utf-8")
    text = "<!-- figures: accuracy -->\nold\n<!-- /figures -->\nkept\n<!-- figures: speed -->\n<!-- /figures -->\n"
    filled = readme.with_figures(text, tmp_path)
    assert "| crops: lines exact | 0.500 | 1 of 2 |" in filled
    assert "Commit abc1234" in filled
    assert "old" not in filled
    assert f"\nkept\n<!-- figures: speed -->\n{readme.NOT_YET}\n<!-- /figures -->" in filled
    assert readme.with_figures(filled, tmp_path) == filled


def test_every_limit_of_the_service_is_described() -> None:
    pytest.importorskip("fastapi", reason="the server needs the extra [serve]")
    from sealread.server.limits import table

    assert table() in words("docs/serving.md")
