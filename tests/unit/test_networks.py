"""From a configured module to the stage that runs it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_networks import detection_folder, layout_folder, orientation_folder, recognition_folder, tiny_config, unwarping_folder

from sealread import create_pipeline, networks
from sealread.blocks import Module
from sealread.engines import EngineSettings
from sealread.errors import ModelError
from sealread.networks import Lazy, resolve
from sealread.stages.unwarping import Unwarper
from sealread.types import DetectionSettings
from sealread.zoo import network_from_directory

F32 = EngineSettings("onnxruntime")


def module(name: str, folder: Path) -> Module:
    return Module(model_name=name, model_dir=str(folder))


def test_a_stage_is_made_once_even_if_threads_ask_together(tmp_path: Path) -> None:
    network = resolve(module("tiny_ori", orientation_folder(tmp_path)), "doc_text_orientation")
    made: list[int] = []
    barrier = threading.Barrier(6)

    def make(*parts: Any) -> object:
        made.append(threading.get_ident())
        return networks.orientation(*parts)

    stage = Lazy(network, make, F32)

    def ask(_: int) -> object:
        barrier.wait(10)
        return stage.get()

    with ThreadPoolExecutor(6) as pool:
        stages = list(pool.map(ask, range(6)))
    assert len(made) == 1
    assert all(each is stages[0] for each in stages)
    assert stage.engine_name is not None
    stage.close()
    assert stage.get() is not stages[0]
    assert len(made) == 2


def test_recogniser_reads_colours(tmp_path: Path) -> None:
    network = resolve(module("tiny_rec", recognition_folder(tmp_path)), "text_recognition")
    stage = Lazy(network, networks.recogniser(2), F32).get()
    black, red, white = (np.full((48, 160, 3), colour, np.uint8) for colour in ((0, 0, 0), (0, 0, 255), (255, 255, 255)))
    answers = stage.read([black, np.concatenate([red, black], axis=1), white, red])
    assert [answer.text for answer in answers] == ["甲", "乙甲", "", "乙"]
    assert answers[2].score == 0
    assert all(answer.score > 0.99 for answer in answers if answer.text)


def test_detector_finds_a_bar(tmp_path: Path) -> None:
    network = resolve(module("tiny_det", detection_folder(tmp_path)), "seal_text_detection")
    crop = np.full((120, 160, 3), 255, np.uint8)
    crop[40:70, 30:130] = 0
    [[line], []] = (
        Lazy(network, networks.detector, F32).get().find([crop, np.full_like(crop, 255)], DetectionSettings(96, "min", 0.3, 4000, 0.6, 0.0))
    )
    np.testing.assert_allclose([line.polygon.min(axis=0), line.polygon.max(axis=0)], [[30, 40], [130, 70]], atol=2)
    assert line.score > 0.9


def test_flattener_moves_the_page_and_knows_the_way_back(tmp_path: Path) -> None:
    network = resolve(module("tiny_flat", unwarping_folder(tmp_path, shift=0.2)), "image_unwarping")
    stage = Lazy(network, networks.unwarper, F32).get()
    assert isinstance(stage, Unwarper)
    page = np.full((80, 100, 3), 255, np.uint8)
    page[30:40, 10:20] = 0
    flat, frame = stage.flatten(page)
    rows, columns = np.nonzero(flat[:, :, 0] < 128)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (30, 39, 30, 39)
    np.testing.assert_allclose(frame.to_source(np.array([[30.0, 30.0]])), [[10, 30]], atol=1e-4)


@pytest.mark.parametrize("spaces", [0, 1])
def test_an_alphabet_may_count_the_space_itself(tmp_path: Path, spaces: int) -> None:
    folder = recognition_folder(tmp_path, ["甲", "乙", " "][: 3 - spaces])
    stage = Lazy(resolve(module("tiny_rec", folder), "text_recognition"), networks.recogniser(1), F32).get()
    assert stage.alphabet == ("", "甲", "乙", " ")


@pytest.mark.parametrize("alphabet", [["甲"], ["甲", "乙", "丙", "丁"]])
def test_an_alphabet_of_another_network_is_refused(tmp_path: Path, alphabet: list[str]) -> None:
    network = resolve(module("tiny_rec", recognition_folder(tmp_path, alphabet)), "text_recognition")
    with pytest.raises(ModelError, match=f"4 classes apart, but its alphabet has {len(alphabet)} characters") as caught:
        Lazy(network, networks.recogniser(1), F32).get()
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
@pytest.mark.parametrize(
    ("task", "make", "other"),
    [
        ("seal_text_detection", networks.detector, recognition_folder),
        ("seal_text_detection", networks.detector, layout_folder),
        ("text_recognition", networks.recogniser(1), orientation_folder),
        ("doc_text_orientation", networks.orientation, detection_folder),
        ("layout_detection", networks.finder, detection_folder),
    ],
)
def test_a_network_of_another_task_is_refused(tmp_path: Path, task: str, make: Any, other: Any, engine: str) -> None:
    """The card is right, the network beside it is another one's."""
    right = {
        "seal_text_detection": detection_folder,
        "text_recognition": recognition_folder,
        "doc_text_orientation": orientation_folder,
        "layout_detection": layout_folder,
    }[task](tmp_path / "right")
    wrong = other(tmp_path / "wrong")
    (right / "inference.onnx").write_bytes((wrong / "inference.onnx").read_bytes())
    network = network_from_directory(right, {"t": "tiny_rec", "s": "tiny_det", "d": "tiny_ori", "l": "tiny_layout"}[task[0]], task)
    with pytest.raises(ModelError) as caught:
        stage = Lazy(network, make, EngineSettings(engine)).get()
        stage.find(np.zeros((64, 64, 3), np.uint8), 0.0)  # the layout stage knows when it meets its first page
    assert caught.value.exit_status == 3


def test_a_damaged_network_is_a_model_error_at_the_first_page_even_where_errors_are_returned(tiny_root: Path, tmp_path: Path) -> None:
    config = tiny_config(tiny_root)
    folder = recognition_folder(tmp_path)
    (folder / "inference.onnx").write_bytes(b"no network")
    config["SubPipelines"]["SealOCR"]["SubModules"]["TextRecognition"]["model_dir"] = str(folder)
    page = np.full((100, 100, 3), 255, np.uint8)
    page[40:60, 20:80] = 0
    with pytest.raises(ModelError, match=r"inference\.onnx"):
        list(create_pipeline(config=config).predict(page, use_layout_detection=False, errors="return"))
