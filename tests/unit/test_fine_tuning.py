"""Fine-tuning on data sets of one's own: every mode of every module, from the files to a `model_dir` that the pipeline runs."""

from __future__ import annotations

import json
import logging
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from datasets import MAKERS, orientation_set, realseals_set, textdet_set, textrec_set
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="training needs the extra [train]")
onnx = pytest.importorskip("onnx", reason="training needs the extra [train]")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from sealread import create_pipeline, networks  # noqa: E402
from sealread.blocks import packaged_config  # noqa: E402
from sealread.cli import main  # noqa: E402
from sealread.engines import EngineSettings, open_engine  # noqa: E402
from sealread.errors import InputError, ModelError  # noqa: E402
from sealread.training.commands import RECIPES  # noqa: E402
from sealread.training.datasets import read_dataset  # noqa: E402
from sealread.training.export import characters_of, stage_of  # noqa: E402
from sealread.training.loop import Schedule, train  # noqa: E402
from sealread.training.modes import _planned, measured, run  # noqa: E402
from sealread.training.modules import MODULES, finished_network, starting_network  # noqa: E402
from sealread.training.request import MODEL_NAMES, Request  # noqa: E402
from sealread.training.samples import Data  # noqa: E402
from sealread.training.tasks import CropSettings  # noqa: E402
from sealread.zoo import network_from_directory  # noqa: E402

ALPHABET = "AB0123"
#: Networks that are trained with data sets of one's own, and of which one is embedded.
OWN_DATA = [module for module in MODULES if module != "image_unwarping"]
#: Side and step of the runs here.
SETTINGS = CropSettings(side=96, batch=2, seed=3, workers=0)
SCHEDULE = Schedule(steps=4, rate=3e-3, warmup=1, save_every=2, validate_every=2, threads=1, half=False)


def tiny_network(module: str) -> Any:
    """A network of the module's inputs and outputs with few weights."""
    rng = np.random.default_rng(0)
    weights: dict[str, NDArray[Any]] = {}

    def weight(name: str, *shape: int) -> str:
        weights[name] = rng.normal(0, 0.1, shape).astype(np.float32)
        return name

    def convolution(outputs: int, stride: int, result: str) -> Any:
        attributes = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
        return helper.make_node("Conv", ["x", weight("w", outputs, 3, stride, stride), weight("b", outputs)], [result], **attributes)

    classes = len(ALPHABET) + 2
    if module in ("seal_text_detection", "layout_detection"):
        output, stride = ("maps", 2) if module == "seal_text_detection" else ("seals", 8)
        weights["half"] = np.full((1, 5, 1, 1), 0.5, np.float32)
        nodes = [convolution(5, stride, "c"), helper.make_node("Add", ["c", "half"], [output])]
        shape: list[Any] = ["n", 5, "h", "w"]
    elif module == "text_recognition":
        output, shape = "y", ["n", "t", classes]
        attributes = {"kernel_shape": [48, 8], "strides": [48, 8]}
        weights["axis"] = np.array([2], np.int64)
        nodes = [
            helper.make_node("Conv", ["x", weight("w", 4, 3, 48, 8), weight("b", 4)], ["c"], **attributes),
            helper.make_node("Squeeze", ["c", "axis"], ["s"]),
            helper.make_node("Transpose", ["s"], ["t"], perm=[0, 2, 1]),
            helper.make_node("MatMul", ["t", weight("m", 4, classes)], ["p"]),
            helper.make_node("Add", ["p", weight("o", classes)], ["a"]),
            helper.make_node("Softmax", ["a"], ["y"], axis=2),
        ]
    else:
        output, shape = "y", ["n", 4]
        nodes = [
            convolution(2, 56, "c"),
            helper.make_node("Flatten", ["c"], ["f"]),
            helper.make_node("MatMul", ["f", weight("m", 32, 4)], ["a"]),
            helper.make_node("Softmax", ["a"], ["y"], axis=1),
        ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", ["n", 3, "h", "w"]), (output, shape))]
    graph = helper.make_graph(nodes, "tiny", ends[:1], ends[1:], [numpy_helper.from_array(v, n) for n, v in weights.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    if module == "text_recognition":
        model.metadata_props.add(key="character", value="\n".join(ALPHABET))
    onnx.checker.check_model(model)
    return model


@pytest.fixture
def base(tmp_path: Path) -> Callable[[str], str]:
    def write(module: str) -> str:
        onnx.save(tiny_network(module), tmp_path / "base.onnx")
        return str(tmp_path / "base.onnx")

    return write


@pytest.fixture
def request_for(tmp_path: Path, base: Callable[[str], str]) -> Callable[..., Request]:
    def make(module: str, mode: str = "train", **more: Any) -> Request:
        dataset = tmp_path / "set"
        if not dataset.exists():
            MAKERS[module](dataset)
        given: dict[str, Any] = {"dataset": dataset, "base": base(module), "workers": 0, "threads": 1, "batch": 2, **more}
        return Request(module, tmp_path / "out", mode, **given)

    return make


def result(request: Request) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((request.output / f"{request.mode}_result.json").read_text(encoding="utf-8"))
    return loaded


def weights(path: Path) -> dict[str, NDArray[Any]]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(str(path)).graph.initializer}


RequestFor = Callable[..., Request]
Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("module", OWN_DATA)
def test_from_a_data_set_to_a_model_dir(module: str, request_for: RequestFor, capsys: Capture) -> None:
    asked = request_for(module, steps=4)
    assert run(replace(asked, mode="check_dataset"), SETTINGS, SCHEDULE) == 0
    checked = result(replace(asked, mode="check_dataset"))
    assert (checked["done_flag"], checked["check_pass"], checked["problems"]) == (True, True, [])
    assert (checked["attributes"]["train_samples"], checked["attributes"]["val_samples"]) == (3, 1)
    assert [path.name for path in sorted((asked.output / "check_dataset").iterdir())] == [f"train_{i}.png" for i in range(3)] + [
        "val_0.png"
    ]

    assert run(asked, SETTINGS, SCHEDULE) == 0
    log = [json.loads(row) for row in (asked.output / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["step"] for row in log if "val_score" in row] == [0, 2, 4]
    assert all(np.isfinite(row["loss"]) for row in log if "loss" in row)
    assert (asked.output / "curve.png").stat().st_size > 0
    assert result(asked)["model_dir"] == str(asked.output / "inference")
    before, after = (weights(path) for path in (Path(str(asked.base)), asked.output / "last.onnx"))
    assert any(np.abs(after[name] - before[name]).max() > 0 for name in before)

    # The directory runs at once, under the name that the default configuration has.
    folder = asked.output / "inference"
    network = network_from_directory(folder, MODEL_NAMES[module], module)
    assert network.file is not None
    stage = stage_of(network, open_engine(network.file, EngineSettings(engine="onnxruntime")))
    held_out = read_dataset(asked.dataset or Path(), module, frozenset(ALPHABET)).samples()[1]
    scores = measured(module, stage, held_out)
    capsys.readouterr()
    assert run(replace(asked, mode="evaluate"), SETTINGS, SCHEDULE) == 0
    assert json.loads(capsys.readouterr().out) == pytest.approx(scores)
    best = max(row["val_score"] for row in log if "val_score" in row)
    assert scores["score"] == pytest.approx(best)

    exported = (folder / "inference.onnx").read_bytes()
    (folder / "inference.yml").unlink()
    assert run(replace(asked, mode="export"), SETTINGS, SCHEDULE) == 0
    assert (folder / "inference.onnx").read_bytes() == exported
    assert network_from_directory(folder, MODEL_NAMES[module], module).settings == network.settings

    capsys.readouterr()
    picture = str(asked.dataset) + "/images/3.png"
    assert run(replace(asked, mode="predict", inputs=(picture,)), SETTINGS, SCHEDULE) == 0
    row = json.loads(capsys.readouterr().out)
    keys = {
        "seal_text_detection": {"dt_polys", "dt_scores"},
        "layout_detection": {"boxes"},
        "text_recognition": {"rec_text", "rec_score"},
        "doc_text_orientation": {"class_ids", "scores", "label_names"},
    }
    assert (row["input_path"], set(row) - {"input_path", "page_index"}) == (picture, keys[module])


def test_the_pipeline_runs_what_was_trained(request_for: RequestFor, tmp_path: Path) -> None:
    config = packaged_config().to_mapping()
    submodules = config["SubPipelines"]["SealOCR"]["SubModules"]
    modules = {
        "seal_text_detection": submodules["TextDetection"],
        "text_recognition": submodules["TextRecognition"],
        "layout_detection": config["SubModules"]["LayoutDetection"],
        "doc_text_orientation": config["SubPipelines"]["DocPreprocessor"]["SubModules"]["DocOrientationClassify"],
    }
    for module, block in modules.items():
        asked = request_for(module, mode="export", weight=request_for(module).base, dataset=None)
        asked = replace(asked, output=tmp_path / module)
        assert run(asked, SETTINGS, SCHEDULE) == 0
        block["model_dir"] = str(asked.output / "inference")
    pipeline = create_pipeline(config={**config, "engine": "onnxruntime"})
    page = next(iter(pipeline.predict(np.full((200, 160, 3), 255, np.uint8))))
    assert page["doc_preprocessor_res"]["angle"] in (0, 90, 180, 270)
    assert {row["source"] for row in pipeline.describe() if row["task"] in modules} == {
        f"model_dir {tmp_path / module / 'inference'}" for module in modules
    }


class StoppedError(Exception):
    """Stands in for a kill: nothing that comes after the step is done."""


@pytest.mark.parametrize("module", OWN_DATA)
def test_an_interrupted_run_ends_with_the_same_weights(module: str, request_for: RequestFor, tmp_path: Path) -> None:
    asked = request_for(module)
    training, validation = read_dataset(asked.dataset or Path(), module, frozenset(ALPHABET)).samples()

    def task() -> Any:
        return MODULES[module].task(tiny_network(module), SETTINGS, Data(training, validation))

    schedule = replace(SCHEDULE, steps=7, validate_every=3)
    train(task(), schedule, tmp_path / "whole")
    stopped = task()
    loss, calls = stopped.loss, []

    def until_the_sixth(batch: Any) -> Any:
        calls.append(1)
        if len(calls) == 6:
            raise StoppedError
        return loss(batch)

    stopped.loss = until_the_sixth
    with pytest.raises(StoppedError):
        train(stopped, schedule, tmp_path / "parts")
    train(task(), schedule, tmp_path / "parts")
    same_run(tmp_path / "whole", tmp_path / "parts")


def same_run(one: Path, other: Path) -> None:
    for file in ("best.onnx", "last.onnx"):
        assert (one / file).read_bytes() == (other / file).read_bytes()
    a, b = (torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (one, other))
    assert a["state"] == b["state"]
    assert all(torch.equal(a["module"][name], b["module"][name]) for name in a["module"])
    assert all(torch.equal(x, y) for x, y in zip(a["mean"], b["mean"], strict=True))
    logs = [[json.loads(row) for row in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()] for folder in (one, other)]
    for log in logs:
        for row in log:
            row.pop("seconds", None)
    assert logs[0] == logs[1]


#: Trains like the test below, and kills its own process in the sixth step.
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_fine_tuning import detector_run

task, schedule, train = detector_run(Path(sys.argv[2]))
loss, calls = task.loss, []

def until_the_sixth(batch):
    calls.append(1)
    if len(calls) == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return loss(batch)

task.loss = until_the_sixth
train(task, schedule, Path(sys.argv[3]))
"""


def detector_run(dataset: Path) -> tuple[Any, Schedule, Callable[..., Any]]:
    module = "seal_text_detection"
    data = Data(*read_dataset(dataset, module).samples())
    return MODULES[module].task(tiny_network(module), SETTINGS, data), replace(SCHEDULE, steps=7, validate_every=3), train


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a matter of POSIX systems")
def test_a_killed_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    dataset = textdet_set(tmp_path / "set")
    here = Path(__file__).parent
    words = [sys.executable, "-c", KILLED, str(here), str(dataset), str(tmp_path / "parts")]
    path = os.pathsep.join([str(here.parent), *sys.path])
    killed = subprocess.run(words, check=False, capture_output=True, env={**os.environ, "PYTHONPATH": path})
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    for folder in ("parts", "whole"):
        task, schedule, _ = detector_run(dataset)
        train(task, schedule, tmp_path / folder)
    same_run(tmp_path / "whole", tmp_path / "parts")


def test_training_brings_the_measure_up(request_for: RequestFor, tmp_path: Path) -> None:
    orientation_set(tmp_path / "set", count=13)
    asked = request_for("doc_text_orientation", steps=60)
    run(asked, SETTINGS, replace(SCHEDULE, rate=2e-2, validate_every=20, average=0.8))
    log = [json.loads(row) for row in (asked.output / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    losses = [row["loss"] for row in log if "loss" in row]
    assert losses[-1] < 0.8 * losses[0]


class TestDataSets:
    def test_broken_images_are_left_out_and_that_is_said(self, request_for: RequestFor, caplog: pytest.LogCaptureFixture) -> None:
        asked = request_for("seal_text_detection", steps=1)
        assert asked.dataset is not None
        (asked.dataset / "images/0.png").unlink()
        with caplog.at_level(logging.WARNING, logger="sealread"):
            assert run(asked, SETTINGS, SCHEDULE) == 0
        assert "1 problem in" in caplog.text
        assert "train.txt:1: the image 0.png does not exist" in caplog.text

    def test_a_useless_set_has_its_own_exit_status_and_result(self, request_for: RequestFor, capsys: Capture) -> None:
        asked = request_for("seal_text_detection", mode="check_dataset")
        assert asked.dataset is not None
        (asked.dataset / "val.txt").unlink()
        assert run(asked, SETTINGS, SCHEDULE) == InputError.exit_status
        assert "val.txt: is missing" in capsys.readouterr().out
        assert result(asked)["check_pass"] is False
        assert result(asked)["problems"] == [{"file": "val.txt", "line": None, "what": "is missing"}]
        with pytest.raises(InputError, match="has no usable image for validation"):
            run(replace(asked, mode="train"), SETTINGS, SCHEDULE)
        failed = result(replace(asked, mode="train"))
        assert (failed["done_flag"], failed["err_type"]) == (False, "InputError")

    def test_new_characters_get_classes_of_their_own(self, request_for: RequestFor, tmp_path: Path) -> None:
        textrec_set(tmp_path / "set", characters=f"{ALPHABET}鑫")
        asked = request_for("text_recognition", steps=1)
        before = characters_of(starting_network("text_recognition", asked.base, further=True))
        run(asked, SETTINGS, SCHEDULE)
        card = yaml.safe_load((asked.output / "inference/inference.yml").read_text(encoding="utf-8"))
        assert card["PostProcess"]["character_dict"] == [*before, "鑫"]
        network = network_from_directory(asked.output / "inference", None, "text_recognition")
        assert network.file is not None
        reader = networks.recogniser(1)(network, open_engine(network.file, EngineSettings(engine="onnxruntime")))
        assert "鑫" in reader.alphabet

    @pytest.mark.parametrize("make", [textdet_set, realseals_set])
    def test_the_recogniser_cuts_strips_from_outlines(self, make: Any, request_for: RequestFor, tmp_path: Path) -> None:
        make(tmp_path / "set")
        asked = request_for("text_recognition", steps=1)
        assert run(asked, SETTINGS, SCHEDULE) == 0
        assert "score" in result(asked)["last"]

    def test_upright_pages_are_turned_for_validation(self, request_for: RequestFor, tmp_path: Path) -> None:
        realseals_set(tmp_path / "set", kind="document")
        assert run(request_for("doc_text_orientation", steps=1), SETTINGS, SCHEDULE) == 0


class TestPlan:
    def plan(self, **asked: Any) -> Schedule:
        return _planned(Request("layout_detection", Path("out"), **asked), Schedule(steps=1000, rate=1e-3, validate_every=500), 10)

    def test_drawn_samples_follow_the_recipe(self) -> None:
        assert self.plan() == Schedule(steps=1000, rate=1e-3, warmup=100, validate_every=500)

    def test_a_set_of_ones_own_is_gone_over_twenty_times_at_a_lower_rate(self) -> None:
        plan = self.plan(dataset=Path("set"))
        assert (plan.steps, plan.validate_every, plan.warmup, plan.rate) == (200, 20, 20, pytest.approx(3e-4))

    def test_epochs_are_steps(self) -> None:
        plan = self.plan(dataset=Path("set"), epochs=3, validate_epochs=2, save_epochs=1, warmup=0)
        assert (plan.steps, plan.validate_every, plan.save_every, plan.warmup) == (30, 20, 10, 0)

    def test_steps_win(self) -> None:
        plan = self.plan(epochs=3, steps=7, validate_epochs=2, validate_every=5, rate=0.1)
        assert (plan.steps, plan.validate_every, plan.rate) == (7, 5, 0.1)


class TestNetworks:
    def test_a_file_that_is_no_network_is_named(self, request_for: RequestFor, tmp_path: Path) -> None:
        (tmp_path / "bad.onnx").write_bytes(b"nothing")
        with pytest.raises(ModelError, match="is no ONNX network"):
            run(request_for("layout_detection", base=str(tmp_path / "bad.onnx")), SETTINGS, SCHEDULE)

    def test_a_network_of_another_kind_is_refused_before_training(self, request_for: RequestFor, tmp_path: Path) -> None:
        other = tiny_network("layout_detection")
        other.graph.output[0].name = other.graph.node[-1].output[0] = "maps"
        del other.graph.node[-1]
        other.graph.node[0].output[0] = "maps"
        del other.graph.initializer[:]
        other.graph.initializer.extend(
            [
                numpy_helper.from_array(np.zeros((3, 3, 8, 8), np.float32), "w"),
                numpy_helper.from_array(np.zeros(3, np.float32), "b"),
            ]
        )
        onnx.save(other, tmp_path / "other.onnx")
        with pytest.raises(ModelError, match="does not fit seal_text_detection"):
            run(request_for("seal_text_detection", base=str(tmp_path / "other.onnx")), SETTINGS, SCHEDULE)

    def test_bent_pages_are_drawn_not_read(self, request_for: RequestFor) -> None:
        asked = replace(request_for("layout_detection"), module="image_unwarping", mode="check_dataset")
        with pytest.raises(InputError, match="trained on drawn ones only"):
            run(asked, SETTINGS, SCHEDULE)

    def test_without_training_there_is_nothing_to_evaluate(self, request_for: RequestFor) -> None:
        with pytest.raises(InputError, match="train into"):
            run(replace(request_for("layout_detection"), mode="evaluate"), SETTINGS, SCHEDULE)

    @pytest.mark.parametrize("module", OWN_DATA)
    def test_the_networks_of_the_zoo_can_be_taken_further(self, module: str) -> None:
        model = finished_network(module, MODEL_NAMES[module])
        assert len(MODULES[module].task(model, SETTINGS, Data((), ())).module.weights()) > 20  # type: ignore[arg-type]

    @pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
    def test_a_checkpoint_that_does_not_fit_is_refused(self, content: bytes | None, request_for: RequestFor, tmp_path: Path) -> None:
        asked = request_for("layout_detection", steps=1)
        resume = tmp_path / "other.pt"
        if content is None:
            torch.save({"module": {}}, resume)
        else:
            resume.write_bytes(content)
        with pytest.raises(InputError, match="damaged or of another network"):
            run(replace(asked, resume=resume), SETTINGS, SCHEDULE)


class TestCommand:
    def test_a_configuration_and_words_do_what_flags_do(self, request_for: RequestFor, tmp_path: Path, capsys: Capture) -> None:
        asked = request_for("layout_detection")
        (tmp_path / "config.yaml").write_text(f"Global: {{model: sealread-layout, dataset_dir: {asked.dataset}}}", encoding="utf-8")
        words = ["-c", str(tmp_path / "config.yaml"), "-o", "Global.mode=check_dataset", "-o", f"Global.output={tmp_path / 'one'}"]
        assert main(["train", *words]) == 0
        assert main(["train", "layout_detection", str(tmp_path / "two"), "--mode", "check_dataset", "--data", str(asked.dataset)]) == 0
        one, two = ((tmp_path / name / "check_dataset_result.json").read_text(encoding="utf-8") for name in ("one", "two"))
        assert one == two

    def test_it_is_a_program_of_its_own(self, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
        monkeypatch.setattr(sys, "argv", ["sealread.training", "-o", "Global.mode=train"])
        with pytest.raises(SystemExit) as stopped:
            runpy.run_module("sealread.training", run_name="__main__")
        assert stopped.value.code == 2
        assert "no network is named" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            ([], "name a MODULE and an OUTPUT folder"),
            (["layout_detection"], "name a MODULE and an OUTPUT folder"),
            (["layout_detection", "out", "-o", "Global.mode=train"], "module is given beside a configuration"),
            (["layout_detection", "out", "--mode", "check_dataset"], "no data set is named"),
            (["layout_detection", "out", "--mode", "predict"], "no input"),
            (["layout_detection", "out", "--data", "nothing"], "the data set nothing does not exist"),
            (["layout_detection", "out", "--mode", "evaluate", "--weight", "a/b", "--data", "SET"], "a/b does not exist"),
        ],
    )
    def test_what_is_missing_is_named(
        self, words: list[str], complaint: str, request_for: RequestFor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
    ) -> None:
        monkeypatch.chdir(tmp_path)
        dataset = str(request_for("layout_detection").dataset)
        assert main(["train", *(dataset if word == "SET" else word for word in words)]) == 2
        assert complaint in capsys.readouterr().err


def test_the_documented_recipes_are_the_recipes() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    rows = {
        cells[0].strip("`"): cells[2:]
        for line in page.splitlines()
        if line.startswith("| `") and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 7
    }
    for module, (settings, schedule) in RECIPES.items():
        count, batch, steps, rate, seed = rows[module]
        assert (int(count), int(batch), int(steps), float(rate), int(seed)) == (
            settings.count,
            settings.batch,
            schedule.steps,
            schedule.rate,
            settings.seed,
        )
