"""What a training command asks for: the reference's keys, and the flags."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sealread.errors import InputError
from sealread.training.request import Request, read_request, request_of

#: A file of the reference, with the tutorial's values.
REFERENCE = """
Global:
  model: PP-OCRv4_server_seal_det
  mode: check_dataset # check_dataset/train/evaluate/predict
  dataset_dir: "./dataset/seal_set"
  device: gpu:0
  output: "output"

CheckDataset:
  convert:
    enable: False
    src_dataset_type: null
  split:
    enable: False
    train_percent: null
    val_percent: null

Train:
  epochs_iters: 100
  batch_size: 4
  learning_rate: 1e-3
  pretrain_weight_path: https://example.org/pretrained.pdparams
  resume_path: null
  log_interval: 20
  eval_interval: 1
  save_interval: 1
  dy2st: False
  amp: OFF

Evaluate:
  weight_path: "output/best_accuracy/best_accuracy.pdparams"
  log_interval: 1

Export:
  weight_path: https://example.org/pretrained.pdparams

Predict:
  batch_size: 1
  model_dir: "output/inference"
  input: "https://example.org/seal.png"
  kernel_option:
    run_mode: paddle
"""


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(REFERENCE, encoding="utf-8")
    return path


def test_a_configuration_of_the_reference_is_understood(reference: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="sealread"):
        request = read_request(reference, [])
    assert request == Request(
        module="seal_text_detection",
        output=Path("output"),
        mode="check_dataset",
        dataset=Path("dataset/seal_set"),
        inputs=("https://example.org/seal.png",),
        device="cuda:0",
        epochs=100,
        batch=4,
        rate=1e-3,
        validate_epochs=1,
        save_epochs=1,
        log_every=20,
        half=False,
    )
    assert "PP-OCRv4_server_seal_det itself is not trained here; sealread-seal-det is" in caplog.text
    assert "pretrained.pdparams is a file of Paddle, which is not loaded" in caplog.text
    assert "Predict.kernel_option.run_mode has no effect here" in caplog.text


def test_words_win_over_the_file(reference: Path) -> None:
    request = read_request(reference, ["Global.mode=train", "Train.learning_rate=0.5", "Global.device=cpu", "Train.steps=7"])
    assert (request.mode, request.rate, request.device, request.steps) == ("train", 0.5, "cpu", 7)


@pytest.mark.parametrize(
    ("mode", "key"), [("evaluate", "Evaluate.weight_path"), ("export", "Export.weight_path"), ("predict", "Predict.model_dir")]
)
def test_each_mode_has_a_key_for_its_network(mode: str, key: str) -> None:
    words = ["Global.model=sealread-layout", f"Global.mode={mode}", f"{key}=some/where"]
    assert read_request(None, words).weight == "some/where"
    assert read_request(None, [*words[:1], "Global.mode=train", words[2]]).weight is None


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("sealread-seal-rec", "text_recognition"),
        ("PP-OCRv5_server_rec", "text_recognition"),
        ("PP-DocLayout-L", "layout_detection"),
        ("PP-LCNet_x1_0_doc_ori", "doc_text_orientation"),
        ("doc_text_orientation", "doc_text_orientation"),
    ],
)
def test_a_models_name_means_its_module(name: str, module: str) -> None:
    assert read_request(None, [f"Global.model={name}"]).module == module


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "no network is named: give Global.model"),
        (["Global.model=RapidOCR"], "there is no network RapidOCR to train"),
        (["Global.model=sealread-seal-dte"], "did you mean sealread-seal-det"),
        (["Global.mode"], "-o Global.mode has no value: write KEY=VALUE"),
        (
            ["Global.model=sealread-layout", "Global.mode=tain"],
            "Global.mode must be one of check_dataset, train, evaluate, export, predict",
        ),
        (["Global.model=sealread-layout", "Train.batchsize=3"], "the key Train.batchsize is unknown; did you mean Train.batch_size?"),
        (["Global.model=sealread-layout", "Train.batch_size=0"], "Train.batch_size must be a whole number above 0, but is 0"),
        (["Global.model=sealread-layout", "Train.batch_size=two"], "Train.batch_size must be a whole number, but is 'two'"),
        (["Global.model=sealread-layout", "Train.learning_rate=-1"], "Train.learning_rate must be a number above 0, but is -1"),
        (["Global.model=sealread-layout", "Global.device=npu:0"], "Global.device must be cpu, or one GPU such as gpu:0"),
        (["Global.model=sealread-layout", "Global.device=gpu:0,1"], "Global.device must be cpu, or one GPU such as gpu:0"),
        (["Global.model=sealread-layout", "Train.amp=O9"], "Train.amp must be OFF, O1 or O2"),
        (["Global.model=sealread-layout", "CheckDataset.split.enable=True"], "CheckDataset.split.enable must be false, because data sets"),
        (["Global.model=[1"], "the value of -o Global.model=[1 cannot be read"),
    ],
)
def test_bad_words_are_named(words: list[str], complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        read_request(None, words)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"), [("Global: [", "line 1 is no YAML"), ("- a", "is not a mapping of keys"), (None, "cannot be read (No such file")]
)
def test_bad_files_are_named(text: str | None, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_request(path, [])
    assert complaint in str(caught.value)


def test_flags_that_are_not_given_leave_the_defaults() -> None:
    flags = {"module": "layout_detection", "output": Path("out"), "steps": None, "batch": 3, "config": None, "override": []}
    assert request_of(flags) == Request("layout_detection", Path("out"), batch=3)
