"""Models in Paddle's formats: what was converted gives what Paddle gave, and the pipeline reads with it.

`tools/paddle_fixtures.py` wrote the models and Paddle's answers; only the last tests need Paddle itself (extra [paddle]).
"""

from __future__ import annotations

import copy
import importlib.util
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from tiny_networks import tiny_config

from sealread import SealPipeline, create_pipeline
from sealread.engines import EngineSettings, open_engine
from sealread.errors import EngineError, ModelError
from sealread.networks import Lazy, unwarper
from sealread.zoo import network_from_directory, runnable
from sealread.zoo.graph import sampling_grid, with_output

FIXTURES = Path(__file__).parents[1] / "fixtures" / "paddle"
TASKS = {
    "classes": "doc_text_orientation",
    "picture": "image_unwarping",
    "outlines": "seal_text_detection",
    "ctc": "text_recognition",
    "detr": "layout_detection",
    "picodet": "layout_detection",
}
#: Largest difference from Paddle's answer that is let pass: of colours from -2 to 2, of pixels; else, of probabilities, 1e-6.
#: Measured: 2e-5, 4e-5, 3e-7.
TOLERANCE = {"picture": 1e-4, "detr": 1e-3, "picodet": 1e-3}
HAS_PADDLE = importlib.util.find_spec("paddle") is not None and importlib.util.find_spec("paddle2onnx") is not None
needs_paddle = pytest.mark.skipif(not HAS_PADDLE, reason="Paddle is not installed: pip install 'sealread[paddle]'")
Array = NDArray[Any]


def name_of(folder: Path) -> str:
    name: str = yaml.safe_load((folder / "inference.yml").read_text(encoding="utf-8"))["Global"]["model_name"]
    return name


def recorded(family: str) -> tuple[list[Array], list[Array]]:
    """Inputs, and what Paddle gave for them."""
    with np.load(FIXTURES / family / "native.npz") as record:
        given = [record[name] for name in record if name.startswith("input")]
        answers = [record[name] for name in record if name.startswith("output")]
    return [array.astype(np.float32) / 64 - 2 if array.dtype == np.uint8 else array for array in given], answers


def difference(family: str, answers: list[Array], expected: list[Array]) -> float:
    """The largest difference; rows of boxes may come in any order."""
    if family in ("detr", "picodet"):
        answers, expected = ([_sorted(rows), count] for rows, count in (answers, expected))
    assert [answer.shape for answer in answers] == [answer.shape for answer in expected]
    return max(float(np.abs(a.astype(np.float64) - e).max()) for a, e in zip(answers, expected, strict=True))


def _sorted(rows: Array) -> Array:
    return rows[np.lexsort(np.round(rows, 3).T[::-1])]


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("family", TASKS)
def test_the_converted_network_gives_what_paddle_gave(family: str, engine: str) -> None:
    pytest.importorskip(engine, reason=f"{engine} is not installed")
    given, expected = recorded(family)
    answers = open_engine(FIXTURES / family / "inference.onnx", EngineSettings(engine, "f32")).run(given)
    assert difference(family, answers, expected) < TOLERANCE.get(family, 1e-6)


def without_onnx(family: str, root: Path) -> Path:
    """The family's folder with Paddle's files alone."""
    folder = root / family
    shutil.copytree(FIXTURES / family, folder, ignore=shutil.ignore_patterns("*.onnx", "*.npz"))
    return folder


def config_with(root: Path, layout: str, folders: dict[str, Path]) -> dict[str, Any]:
    """The tutorial's shape of configuration with the tiny models of Paddle."""
    config = tiny_config(root)
    preprocessor, seal = (config["SubPipelines"][name]["SubModules"] for name in ("DocPreprocessor", "SealOCR"))
    modules = {
        "classes": preprocessor["DocOrientationClassify"],
        "picture": preprocessor["DocUnwarping"],
        "outlines": seal["TextDetection"],
        "ctc": seal["TextRecognition"],
        layout: config["SubModules"]["LayoutDetection"],
    }
    for family, module in modules.items():
        module["model_dir"] = str(folders[family])
        module["model_name"] = name_of(folders[family])
    return config


def seal_page() -> NDArray[np.uint8]:
    """A page with a dark top left corner and a red seal in its middle, on which stands a bar that reads 甲乙."""
    page = np.full((320, 320, 3), 255, np.uint8)
    page[:60, :60] = (90, 200, 90)
    page[96:160, 96:224] = (255, 255, 255)
    page[128:192, 128:192] = (40, 125, 255)  # red for the layout networks, bright enough in green to be no text
    page[150:166, 130:158] = 0
    page[150:166, 160:188] = (0, 0, 255)
    return page


def read(pipeline: SealPipeline) -> list[Any]:
    switches = {"use_doc_unwarping": False, "seal_det_limit_side_len": 320}
    (result,) = pipeline.predict(seal_page(), **switches)
    return [(seal.box, [(line.text, np.round(line.polygon).tolist()) for line in seal.lines]) for seal in result.reading.seals]


@pytest.mark.parametrize("layout", ["detr", "picodet"])
def test_the_pipeline_reads_with_the_converted_models(layout: str, tmp_path: Path) -> None:
    config = config_with(tmp_path, layout, {family: FIXTURES / family for family in TASKS})
    engines = [engine for engine in ("onnxruntime", "openvino") if importlib.util.find_spec(engine) is not None]
    pipelines = [create_pipeline(config=config, engine=engine) for engine in engines]
    seals = [read(pipeline) for pipeline in pipelines]
    assert seals[0] == seals[-1]
    assert any("甲" in text or "乙" in text for _, lines in seals[0] for text, _ in lines), seals[0]
    rows = {row["task"]: row for row in pipelines[0].describe()}
    assert rows["layout_detection"]["family"] == layout
    assert rows["image_unwarping"]["family"] == "picture"


def smooth_page(height: int, width: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[:height, :width]
    return np.stack([127 + 100 * np.sin(x / 23), 127 + 100 * np.cos(y / 31), 127 + 100 * np.sin((x + y) / 41)], axis=2).astype(np.uint8)


@pytest.mark.parametrize("size", [(200, 150), (48, 40), (333, 700)])
def test_the_flat_page_is_the_networks_own_and_points_find_their_way_back(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sealread.stages.unwarping.BENT_FROM", 0.0)  # the tiny network moves the page, but hardly bends it
    network = network_from_directory(FIXTURES / "picture", "paddle_flat", "image_unwarping")
    stage = Lazy(network, unwarper, EngineSettings("onnxruntime")).get()
    assert stage is not None
    page = smooth_page(*size)
    flat, frame = stage.flatten(page)
    # What the network itself makes of the whole page, as the reference would show it.
    (own,) = open_engine(FIXTURES / "picture" / "inference.onnx", EngineSettings("onnxruntime")).run(
        [page.transpose(2, 0, 1)[None].astype(np.float32) / 255]
    )
    own = own[0].transpose(1, 2, 0) * 255
    # Beyond the page the network shows black; here the edge is repeated.
    inside = cv2.erode((own.min(axis=2) > 5).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert inside.mean() > 0.8
    gap = np.abs(flat.astype(np.float64) - own)[inside]
    assert gap.mean() < 1
    assert np.quantile(gap, 0.99) < 4
    points = np.array([[0.5 * size[1], 0.5 * size[0]], [0.3 * size[1] + 0.5, 0.7 * size[0] + 0.5]])
    for (x, y), (flat_x, flat_y) in zip(frame.to_source(points), points, strict=True):
        seen = page[int(y), int(x)].astype(int)
        assert np.abs(seen - flat[int(flat_y), int(flat_x)]).max() < 12


def test_a_model_that_gives_a_picture_without_a_grid_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "flat"
    shutil.copytree(FIXTURES / "outlines", folder)
    network = network_from_directory(folder, "paddle_det", "image_unwarping")
    with pytest.raises(ModelError, match="without a sampling grid"):
        runnable(network)
    (folder / "inference.onnx").write_bytes(b"\xff" * 99)
    with pytest.raises(ModelError, match="no ONNX file"):
        runnable(network)


def test_one_more_output_is_written_behind() -> None:
    model = (FIXTURES / "picture" / "inference.onnx").read_bytes()
    grid = sampling_grid(model)
    assert grid is not None
    assert with_output(model, grid).startswith(model)
    assert sampling_grid(with_output(model, grid)) == grid
    assert sampling_grid((FIXTURES / "ctc" / "inference.onnx").read_bytes()) is None
    for cut in range(1, len(model), 997):
        try:
            sampling_grid(model[:cut])
        except ValueError as said:
            assert "ONNX" in str(said)


def test_without_paddle_its_formats_say_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name in ("paddle", "paddle2onnx") else find(name, *rest))
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path / "cache"))
    folder = without_onnx("outlines", tmp_path)
    network = network_from_directory(folder, "paddle_det", "seal_text_detection")
    assert network.file == network.program == folder / "inference.json"
    with pytest.raises(ModelError, match=r"pip install 'sealread\[paddle\]'") as caught:
        runnable(network)
    assert caught.value.exit_status == 3
    for asked in ({"native": True}, {"convert": False}):
        with pytest.raises(ModelError, match=r"Paddle, which must run it, is not installed; run: pip install 'sealread\[paddle\]'"):
            runnable(network, **asked)
    with pytest.raises(ModelError, match=r"engine paddle is not installed.*sealread\[paddle\]"):
        create_pipeline(engine="paddle")


def test_what_was_converted_once_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def convert(program: Path, weights: Path, target: Path) -> None:
        made.append(program)
        shutil.copyfile(FIXTURES / "ctc" / "inference.onnx", target)

    monkeypatch.setattr("sealread.zoo.conversion._paddle2onnx", convert)
    monkeypatch.setattr("sealread.zoo.conversion._installed", lambda package: False)
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path / "cache"))
    folder = without_onnx("ctc", tmp_path)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    network = network_from_directory(folder, "paddle_rec", "text_recognition")
    first = runnable(network)
    assert runnable(network) == first
    assert len(made) == 1
    assert first.is_relative_to(tmp_path / "cache")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in first.parent.iterdir()] == [first.name]
    (folder / "inference.pdiparams").write_bytes(b"other weights")
    assert runnable(network) != first
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(folder / "inference.yml" / "no folder"))
    with pytest.raises(ModelError, match="SEALREAD_CACHE_HOME"):
        runnable(network)


def folders_of_paddle() -> list[str]:
    return sorted(folder.name for folder in FIXTURES.iterdir() if folder.is_dir())


@needs_paddle
@pytest.mark.parametrize("folder", folders_of_paddle())
def test_paddle_runs_its_own_files_and_they_are_converted(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path / "cache"))
    family = folder.removesuffix("_older")
    copied = without_onnx(folder, tmp_path)
    given, expected = recorded(family)
    network = network_from_directory(copied, name_of(copied), TASKS[family])
    assert network.program is not None
    engine = open_engine(network.program, EngineSettings("paddle", threads=1))
    assert engine.name.startswith("paddle 3.2")
    for _ in range(2):
        assert difference(family, engine.run(given), expected) < TOLERANCE.get(family, 1e-6)
    with pytest.raises(EngineError, match=r"Paddle failed"):
        engine.run([np.zeros((1, 2, 3), np.float32) for _ in given])
    converted = runnable(network)
    assert converted.is_relative_to(tmp_path / "cache")
    answers = open_engine(converted, EngineSettings("onnxruntime")).run(given)[: len(expected)]
    assert difference(family, answers, expected) < TOLERANCE.get(family, 1e-6)


@needs_paddle
@pytest.mark.parametrize("layout", ["detr", "picodet"])
def test_the_pipeline_reads_the_same_by_paddle_itself(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path / "cache"))
    config = config_with(tmp_path, layout, {family: without_onnx(family, tmp_path) for family in TASKS})
    native = create_pipeline(config=copy.deepcopy(config), engine="paddle")
    seals = read(native)
    assert seals == read(create_pipeline(config=config, engine="onnxruntime"))
    assert {row["engine"].split()[0] for row in native.describe() if row["task"] != "image_unwarping"} == {"paddle"}


@needs_paddle
def test_damaged_files_of_paddle_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path / "cache"))
    folder = without_onnx("ctc", tmp_path)
    (folder / "inference.json").write_text("{}", encoding="utf-8")
    network = network_from_directory(folder, "paddle_rec", "text_recognition")
    with pytest.raises(ModelError, match="paddle2onnx cannot convert"):
        from sealread.zoo.conversion import converted

        converted(folder / "inference.json")
    assert runnable(network) == folder / "inference.json"  # Paddle may do better
