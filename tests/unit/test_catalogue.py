"""`sealread models`: lists, filters, and what names need."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny_networks import recognition_folder, write_card

from sealread.cli import main
from sealread.zoo import TASKS, entries, known_names


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path))


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    assert main(["models", "--json", *words]) == 0
    rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return rows


def test_all_names_are_listed_with_what_is_known_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    rows = listed(capsys)
    assert [row["name"] for row in rows] == list(known_names())
    for row in rows:
        assert (row["here"] is None) != (row["needs"] is None)
        assert row["licence"] == entries()[str(row["name"])].licence
    (layout,) = listed(capsys, "PP-DocLayout-L")
    assert layout["input"] == "(1, 3, 640, 640)"
    assert layout["cpu_ms"] == [510.57]
    assert (layout["accuracy"], layout["measure"], layout["megabytes"]) == (90.4, "mAP(0.5) %", 123.76)
    assert layout["needs"] == "a download of 123.76 MB"
    assert isinstance(layout["labels"], list) and layout["labels"][16] == "seal"


@pytest.mark.parametrize("task", TASKS)
def test_filters(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert [row["name"] for row in listed(capsys, "--task", task)] == list(known_names(task))
    here = listed(capsys, "--task", task, "--installed")
    assert here
    assert all(row["here"] is not None for row in here)
    both = listed(capsys, "ocrv5", "KOREAN")
    assert [row["name"] for row in both] == ["korean_PP-OCRv5_mobile_rec"]


def test_what_was_downloaded_is_shown_as_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "PP-OCRv4_server_rec"
    folder = recognition_folder(tmp_path / "models" / name)
    write_card(folder, {"Global": {"model_name": name}, "PostProcess": {"character_dict": ["甲", "乙"]}})
    (row,) = listed(capsys, name)
    assert (row["here"], row["needs"]) == ("downloaded", None)


def test_the_table_and_the_page_of_one_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--task", "seal_text_detection"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(known_names("seal_text_detection"))
    assert lines[0].split() == ["name", "task", "MB", "accuracy", "here,", "or", "what", "it", "needs"]
    (ours,) = [line for line in lines if line.startswith("sealread-seal-det")]
    assert ours.endswith("embedded")
    (server,) = [line for line in lines if line.startswith("PP-OCRv4_server_seal_det")]
    assert server.endswith("98.21     - a download of 109 MB")
    assert main(["models", "ch_SVTRv2_rec"]) == 0
    page = capsys.readouterr().out
    assert "alphabet   ppocr_keys_v1\n" in page
    assert "gpu_ms     8.08, 2.74\n" in page
    assert "labels" not in page


def test_a_name_that_nobody_has_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "PP-DocLayuot-L"]) == 3
    assert "the nearest are PP-DocLayout-L" in capsys.readouterr().err
    assert main(["models", "xyzzy"]) == 3
    assert "sealread models lists all names" in capsys.readouterr().err
    assert main(["models", "--task", "reading"]) == 2
    assert "the task reading is unknown" in capsys.readouterr().err
