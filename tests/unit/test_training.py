"""Training: the graph that is trained is the one that is deployed, and an interrupted run goes on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra [train]")
onnx = pytest.importorskip("onnx", reason="training needs the extra [train]")
pytest.importorskip("rapidocr", reason="training starts from networks that rapidocr carries")

import onnxruntime  # noqa: E402

from sealread import networks  # noqa: E402
from sealread.engines import EngineSettings  # noqa: E402
from sealread.errors import InputError, ModelError  # noqa: E402
from sealread.networks import Lazy  # noqa: E402
from sealread.training import synth  # noqa: E402
from sealread.training.calibration import fit  # noqa: E402
from sealread.training.detector import band_loss, imitation_loss  # noqa: E402
from sealread.training.export import UNWARPING_SIDE, characters_of  # noqa: E402
from sealread.training.graph import OnnxModule  # noqa: E402
from sealread.training.layout import seal_targets, seeing_blue_first  # noqa: E402
from sealread.training.loop import Schedule, train  # noqa: E402
from sealread.training.modes import run as run_mode  # noqa: E402
from sealread.training.modules import MODULES, carried_network, finished_network, starting_network  # noqa: E402
from sealread.training.recogniser import last_layer  # noqa: E402
from sealread.training.request import MODEL_NAMES, Request  # noqa: E402
from sealread.training.samples import Data, LabelledImage, SampleLine, drawn  # noqa: E402
from sealread.training.tasks import CropSettings, DetectorTask, Endless, RecogniserTask, drawn_data  # noqa: E402
from sealread.training.unwarping import NODES, UnwarpingTask, grid_loss, grid_network  # noqa: E402
from sealread.zoo import find_network, network_from_directory  # noqa: E402


def run(model: Any, inputs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: inputs})[0])


@pytest.mark.parametrize(
    ("task", "size"), [("seal_text_detection", (64, 96)), ("layout_detection", (64, 96)), ("image_unwarping", (256, 256))]
)
def test_the_trained_graph_is_the_deployed_graph(task: str, size: tuple[int, int]) -> None:
    model = starting_network(task, None, further=False)
    inputs = np.random.default_rng(0).normal(size=(1, 3, *size)).astype(np.float32)
    module = OnnxModule(model)
    trained = module(torch.from_numpy(inputs))[0].detach().numpy()
    assert np.abs(trained - run(model, inputs)).max() < 1e-4
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(0.9)
    changed = module(torch.from_numpy(inputs))[0].detach().numpy()
    assert np.abs(changed - run(module.to_onnx(), inputs)).max() < 1e-4
    assert np.abs(changed - trained).max() > 1e-3


def test_the_trunk_of_layout_sees_blue_first_what_it_saw_red_first() -> None:
    file = find_network("PP-LCNet_x1_0_doc_ori", "doc_text_orientation").file
    base = onnx.load(str(file))
    image = np.random.default_rng(0).uniform(0.3, 0.7, (1, 3, 224, 224)).astype(np.float32)
    mean, deviation = (np.array(v, np.float32)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    # Beyond the edge the one sees the mean colour, the other one grey: that is all the difference.
    assert np.abs(run(base, (image - mean) / deviation) - run(seeing_blue_first(base), image[:, ::-1] * 2 - 1)).max() < 0.05


@pytest.mark.parametrize("task", MODEL_NAMES)
def test_all_that_a_network_calculates_with_moves_to_another_device(task: str) -> None:
    # The device "meta" has no numbers, but like a GPU it refuses to calculate with tensors that stayed with the CPU.
    module = OnnxModule(finished_network(task, MODEL_NAMES[task])).to("meta")
    height, width = {"text_recognition": (48, 224), "image_unwarping": (UNWARPING_SIDE, UNWARPING_SIDE)}.get(task, (224, 224))
    assert module(torch.zeros(2, 3, height, width, device="meta"))[0].device.type == "meta"


def test_layout_is_not_trained_from_the_text_detector() -> None:
    with pytest.raises(ModelError, match="name such a one with --base"):
        starting_network("layout_detection", str(carried_network("PP-OCRv6_det_small.onnx")), further=False)


def test_an_operator_that_cannot_be_trained_is_named() -> None:
    node = onnx.helper.make_node("Hardmax", ["x"], ["y"])
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph([node], "g", [value("x", 1, [1, 2])], [value("y", 1, [1, 2])])
    with pytest.raises(ModelError, match="Hardmax"):
        OnnxModule(onnx.helper.make_model(graph))


def test_the_loss_of_the_truth_is_smaller_than_that_of_anything_else() -> None:
    target = torch.zeros(1, 5, 32, 32)
    target[:, :2, 10:14, 4:28] = 1
    target[:, 3, 10:14, 4:28] = 1
    weight = torch.ones(1, 32, 32)
    best, _ = band_loss(target.clone(), target, weight)
    assert imitation_loss(target, target, weight) == pytest.approx(0, abs=1e-3)
    for channel in range(5):
        other = target.clone()
        other[:, channel] = 0.5
        assert band_loss(other, target, weight)[0] > best
        assert imitation_loss(other, target, weight) > 0.1


def test_seal_targets_peak_at_the_centres() -> None:
    maps = seal_targets(np.array([[40.0, 60, 200, 220], [300, 300, 340, 330]]), 512, 512)
    assert maps[0, 17, 15] == 1 and maps[0, 39, 40] == 1
    left, up = np.exp(maps[1:3, 17, 15]) * 32
    assert (left, up) == pytest.approx((124 - 40, 140 - 60), abs=0.1)


def test_samples_come_in_an_order_that_any_step_can_join() -> None:
    def take(first: int, count: int) -> list[int]:
        endless = iter(Endless(10, first, seed=3))
        return [next(endless) for _ in range(count)]

    assert take(0, 35)[17:] == take(17, 18)
    assert take(0, 10) == list(range(10))
    assert sorted(i % 10 for i in take(10, 10)) == list(range(10))


def test_the_calibration_finds_the_curve_that_made_the_judgements() -> None:
    rng = np.random.default_rng(5)
    scores = rng.uniform(0.05, 0.999, (4000, 3))
    odds = np.log(scores / (1 - scores))
    right = rng.random(4000) < 1 / (1 + np.exp(-(odds @ [1.0, 0.5, 0.8] - 1.0)))
    assert fit(odds, right) == pytest.approx([1.0, 0.5, 0.8, -1.0], abs=0.2)


def test_an_interrupted_run_goes_on_and_its_network_is_written(tmp_path: Path) -> None:
    try:
        synth.draw_crop(np.random.default_rng(0), 96)
    except InputError as missing:
        pytest.skip(str(missing))
    settings = CropSettings(side=96, count=4, batch=2, seed=5, workers=0, cache=tmp_path / "cache")

    def task() -> DetectorTask:
        return DetectorTask(starting_network("seal_text_detection", None, further=False), settings, drawn_data("crops", settings, 2))

    schedule = Schedule(steps=2, warmup=1, save_every=1, validate_every=1, threads=1, half=False, frozen=10)
    train(task(), schedule, tmp_path / "run")
    last = train(task(), replace(schedule, steps=3), tmp_path / "run")
    records = [json.loads(row) for row in (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [record["step"] for record in records] == [0, 1, 2, 3]
    assert last["step"] == 3 and "val_score" in last
    maps = run(onnx.load(str(tmp_path / "run" / "last.onnx")), np.zeros((1, 3, 96, 96), np.float32))
    assert maps.shape == (1, 5, 48, 48)
    assert (tmp_path / "run" / "curve.png").exists()


def test_a_teacher_is_imitated_and_only_text_has_one(tmp_path: Path) -> None:
    lines = (SampleLine("A", np.array([[8.0, 20], [88, 20]]), np.array([[8.0, 40], [88, 40]]), vertical=False),)
    crops = [LabelledImage(np.full((96, 96, 3), 255, np.uint8), lines, np.zeros((0, 4)))] * 2
    model = starting_network("seal_text_detection", None, further=False)
    task = DetectorTask(model, CropSettings(side=96, count=2, batch=2, workers=0), Data(crops, crops), model)
    batch = next(task.batches(0))
    alone, parts = DetectorTask(model, task.settings, task.data).loss(batch)
    loss, with_teacher = task.loss(batch)
    assert with_teacher == pytest.approx({**parts, "imitation": 0}, abs=1e-3)  # the network is its own teacher
    assert loss.item() == pytest.approx(alone.item(), abs=1e-3)
    with torch.no_grad():
        next(task.module.parameters()).mul_(0.5)
    assert task.loss(batch)[1]["imitation"] > 0.01
    image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    crops = [LabelledImage(image, lines, np.zeros((0, 4)))] * 2
    model = finished_network("text_recognition", "sealread-seal-rec")
    reading = RecogniserTask(model, task.settings, Data(crops, crops), model)
    assert reading.loss(next(reading.batches(0)))[1]["imitation"] == pytest.approx(0, abs=1e-3)
    with torch.no_grad():
        next(reading.module.parameters()).mul_(0.5)
    loss, parts = reading.loss(next(reading.batches(0)))
    loss.backward()
    assert parts["imitation"] > 0.01
    request = Request("layout_detection", tmp_path, teacher="sealread-layout", workers=0)
    with pytest.raises(InputError, match="leave --teacher out"):
        run_mode(request, CropSettings(side=64, count=2), Schedule(steps=1))
    request = Request("seal_text_detection", tmp_path, teacher=str(carried_network("PP-OCRv6_det_small.onnx")), workers=0)
    with pytest.raises(InputError, match="does not show the five maps"):
        run_mode(request, CropSettings(side=64, count=2), Schedule(steps=1))
    request = Request("text_recognition", tmp_path, teacher=str(carried_network("PP-OCRv6_rec_small.onnx")), workers=0)
    with pytest.raises(InputError, match="has another last layer"):
        run_mode(request, CropSettings(side=64, count=2), Schedule(steps=1))


def test_further_letters_are_learned_and_ideographs_stay(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    edges = np.array([[8.0, 20], [88, 20]]), np.array([[8.0, 40], [88, 40]])
    crops = [
        LabelledImage(rng.integers(0, 256, (96, 96, 3), dtype=np.uint8), (SampleLine(text, *edges, vertical=False),), np.zeros((0, 4)))
        for text in ("印章", "ДА")
    ]
    model = finished_network("text_recognition", "sealread-seal-rec")
    settings = CropSettings(side=96, count=2, batch=2, seed=4, workers=0)
    task = RecogniserTask(model, settings, Data(crops, crops), model, only_ideographs=True)
    batches = task.batches(0)
    while True:  # a line of either kind
        batch = next(batches)
        loss, parts = task.loss(batch)
        if parts.keys() == {"imitation", "ctc"}:
            break
    assert parts["imitation"] == pytest.approx(0, abs=1e-3)  # the network is its own teacher
    assert loss.item() == pytest.approx(parts["ctc"], abs=1e-2)
    loss.backward()
    characters = [*characters_of(model), " "]
    for name in last_layer(model):
        gradient = task.module.weight(name).grad
        assert not gradient[..., 0].any() and not gradient[..., 1 + characters.index("印")].any()
        assert gradient[..., 1 + characters.index("Д")].any()
    for request, message in (
        (Request("text_recognition", tmp_path, only_ideographs=True, workers=0), "name the --teacher"),
        (Request("seal_text_detection", tmp_path, teacher="sealread-seal-det", only_ideographs=True, workers=0), "only recognisers"),
    ):
        with pytest.raises(InputError, match=message):
            run_mode(request, CropSettings(side=64, count=2), Schedule(steps=1))


def test_a_drawn_sample_is_the_same_at_its_first_visit_and_later(tmp_path: Path) -> None:
    try:
        first, later = (drawn("crops", 3, 0, 96, tmp_path) for _ in range(2))
    except InputError as missing:
        pytest.skip(str(missing))
    assert np.array_equal(first.image, later.image)
    assert [line.text for line in first.lines] == [line.text for line in later.lines]


def test_pages_are_bent_anew_at_each_visit_and_their_grids_are_learned() -> None:
    sheet = np.random.default_rng(0).integers(0, 256, (90, 60, 3), dtype=np.uint8)
    sheets = [LabelledImage(sheet, (), np.zeros((0, 4)))] * 2
    model = grid_network(onnx.load(str(carried_network("PP-OCRv6_det_small.onnx"))))
    task = UnwarpingTask(model, CropSettings(count=2, batch=2, seed=3, workers=0), Data(sheets, sheets))
    batches = task.batches(0)
    images, grids = next(batches)
    assert images.shape == (2, 3, UNWARPING_SIDE, UNWARPING_SIDE)
    assert grids.shape == (2, 2, NODES, NODES)
    assert not torch.equal(grids, next(batches)[1])
    assert torch.equal(grids, next(task.batches(0))[1])
    assert float(grid_loss(grids, grids)[0]) == 0
    loss, _ = task.loss((images, grids))
    loss.backward()
    assert all(p.grad is not None for p in task.module.parameters())


def test_an_unwarping_network_is_trained_and_its_directory_flattens(tmp_path: Path) -> None:
    try:
        synth.draw_sheet(np.random.default_rng(0), 96)
    except InputError as missing:
        pytest.skip(str(missing))
    settings = CropSettings(side=96, count=2, batch=2, seed=5, workers=0)
    request = Request("image_unwarping", tmp_path, workers=0, threads=1, steps=1, half=False)
    with pytest.MonkeyPatch.context() as patch:
        few = replace(MODULES["image_unwarping"], drawn=("sheets", 12))
        patch.setitem(MODULES, "image_unwarping", few)
        assert run_mode(request, settings, Schedule(steps=1)) == 0
    network = network_from_directory(tmp_path / "inference", "sealread-unwarping", "image_unwarping")
    stage = Lazy(network, networks.unwarper, EngineSettings()).get()
    page = np.full((90, 60, 3), 255, np.uint8)
    places = stage.places(page)
    assert places.shape == (NODES, NODES, 2)
    assert np.isfinite(places).all()
    flat, frame = stage.flatten(page)
    corner = frame.to_source(np.zeros((1, 2)))
    assert np.allclose(corner, places[0, :1] if flat is not page else 0)
