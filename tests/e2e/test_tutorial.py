"""The tutorial, sections 2.2.1, 2.2.2 and 4.2: its snippets and command lines with the name changed.

Changed beside the name: the device (``cpu`` for ``gpu:0``), and the file, which is this project's own ``examples/seal.png``
under the tutorial's name.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from tiny_networks import recognition_folder

from sealread import SealPipeline
from sealread.cli import main

REPOSITORY = Path(__file__).parents[2]

PAGE_KEYS = ["input_path", "page_index", "model_settings", "layout_det_res", "seal_res_list", "seals", "doubtful_places"]
SEAL_KEYS = [
    "input_path",
    "page_index",
    "model_settings",
    "dt_polys",
    "text_det_params",
    "text_type",
    "textline_orientation_angles",
    "text_rec_score_thresh",
    "return_word_box",
    "rec_texts",
    "rec_scores",
    "rec_polys",
    "rec_boxes",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the tutorial's picture in it."""
    for name in ("seal_text_det.png", "seal.png"):
        shutil.copy(REPOSITORY / "examples" / "seal.png", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(words: Sequence[str], *, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command line as its own process; ``sealread`` is this checkout's."""
    assert words[0] == "sealread"
    paths = [str(REPOSITORY / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", "-m", *words]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=240, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


def objects(output: str) -> list[Any]:
    """The JSON objects that were printed one after the other; anything else is an error."""
    found, decoder, rest = [], json.JSONDecoder(), output.lstrip()
    while rest:
        value, end = decoder.raw_decode(rest)
        found.append(value)
        rest = rest[end:].lstrip()
    return found


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def check_page(page: dict[str, Any], source: str) -> None:
    """The members of the tutorial's printed result, in its order."""
    assert list(page) == PAGE_KEYS
    assert page["input_path"] == source
    assert page["model_settings"] == {"use_doc_preprocessor": False, "use_layout_detection": True}
    assert list(page["layout_det_res"]) == ["input_path", "page_index", "boxes"]
    [box] = page["layout_det_res"]["boxes"]
    assert list(box) == ["cls_id", "label", "score", "coordinate"]
    assert (box["cls_id"], box["label"]) == (16, "seal")
    [seal] = page["seal_res_list"]
    assert list(seal) == SEAL_KEYS
    assert list(seal["text_det_params"]) == ["limit_side_len", "limit_type", "thresh", "max_side_limit", "box_thresh", "unclip_ratio"]
    assert seal["model_settings"] == {"use_doc_preprocessor": False, "use_textline_orientation": False}
    assert seal["text_type"] == "seal"
    assert seal["textline_orientation_angles"] == [-1] * len(seal["dt_polys"])
    assert len(seal["rec_texts"]) == len(seal["rec_scores"]) == len(seal["rec_polys"]) > 0
    assert all(isinstance(v, int) for polygon in seal["dt_polys"] for point in polygon for v in point)
    assert [[line["text"] for line in each["lines"]] for each in page["seals"]] == [seal["rec_texts"]]


class TestCommandLine:
    """Section 2.2.1, and the last paragraph of 2.2.2."""

    def test_the_quick_start(self, folder: Path) -> None:
        done = run(
            "sealread --pipeline seal_recognition --input seal.png --use_doc_orientation_classify False "
            "--use_doc_unwarping False --device cpu --save_path ./output".split()
        )
        [printed] = objects(done.stdout)
        assert list(printed) == ["res"]
        check_page(printed["res"], "seal.png")
        assert "1 page read, 1 seal found" in done.stderr.splitlines()[-1]
        assert "\x1b" not in done.stderr
        assert written(folder / "output") == ["seal_layout_det_res.png", "seal_res.json", "seal_seal_res_region1.png"]
        assert json.loads((folder / "output" / "seal_res.json").read_text("utf-8")) == printed["res"]
        with Image.open(folder / "seal.png") as given, Image.open(folder / "output" / "seal_layout_det_res.png") as drawn:
            assert drawn.size == given.size

    def test_the_configuration_is_written_and_used(self, folder: Path) -> None:
        done = run("sealread --get_pipeline_config seal_recognition --save_path ./my_path".split())
        path = folder / "my_path" / "seal_recognition.yaml"
        assert Path(done.stdout.strip()) == Path("my_path/seal_recognition.yaml")
        assert path.is_file()
        again = run("sealread --get_pipeline_config seal_recognition --save_path ./my_path".split(), status=2)
        assert "exists" in again.stderr
        content = yaml.safe_load(path.read_text("utf-8"))
        content["use_layout_detection"] = False
        content["SubPipelines"]["DocPreprocessor"]["use_doc_orientation_classify"] = False
        content["SubPipelines"]["DocPreprocessor"]["use_doc_unwarping"] = False
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        done = run("sealread --pipeline ./my_path/seal_recognition.yaml --input seal.png seal_text_det.png".split())
        pages = [printed["res"] for printed in objects(done.stdout)]
        assert [page["input_path"] for page in pages] == ["seal.png", "seal_text_det.png"]
        assert all("layout_det_res" not in page and "doc_preprocessor_res" not in page for page in pages)
        assert pages[0]["seals"] == pages[1]["seals"]

    def test_the_short_form_reads_each_page_of_a_pdf(
        self, folder: Path, pipeline: SealPipeline, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shutil.copy(REPOSITORY / "examples" / "invoice.pdf", folder / "invoice.pdf")
        assert main("invoice.pdf seal.png --save_path out".split(), create=lambda **_: pipeline) == 0
        done = capsys.readouterr()
        *pages, seal = (printed["res"] for printed in objects(done.out))
        assert [page["page_index"] for page in pages] == list(range(len(pages)))
        assert seal["page_index"] is None
        assert sum(len(page["seals"]) for page in pages) > 0
        for index, page in enumerate(pages):
            stem = f"invoice_{index}"
            regions = [f"{stem}_seal_res_region{number}.png" for number in range(1, len(page["seals"]) + 1)]
            expected = [f"{stem}_layout_det_res.png", f"{stem}_preprocessed_img.png", f"{stem}_res.json", *regions]
            assert [name for name in written(folder / "out") if name.startswith(stem)] == sorted(expected)

    def test_version_help_and_check(self) -> None:
        assert run(["sealread", "--version"]).stdout.startswith("sealread ")
        helped = run(["sealread", "--help"]).stdout
        for flag in ("--input", "--save_path", "--pipeline", "--device", "--get_pipeline_config", "--seal_rec_score_thresh"):
            assert flag in helped
        assert max(map(len, helped.splitlines())) <= 120
        checked = run(["sealread", "check"]).stdout
        for word in ("openvino", "onnxruntime", "device", "text_recognition", "seal_text_detection", "licence", "drawn seal"):
            assert word in checked

    def test_no_words_give_help_and_an_unknown_pipeline_the_known_one(self) -> None:
        assert "usage" in run(["sealread"], status=2).stderr.lower()
        wrong = run("sealread --pipeline seal_recogniton --input x.png".split(), status=2)
        assert wrong.stderr.splitlines()[-1].endswith("did you mean seal_recognition?")
        assert wrong.stdout == ""


class TestPython:
    """Section 2.2.2."""

    def test_the_first_snippet(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        from sealread import create_pipeline

        pipeline = create_pipeline(pipeline="seal_recognition")

        output = pipeline.predict(
            "seal_text_det.png",
            use_doc_orientation_classify=False,
            use_doc_unwarping=False,
        )
        for res in output:
            res.print()
            res.save_to_img("./output/")
            res.save_to_json("./output/")

        [printed] = objects(capsys.readouterr().out)
        check_page(printed["res"], "seal_text_det.png")
        expected = ["seal_text_det_layout_det_res.png", "seal_text_det_res.json", "seal_text_det_seal_res_region1.png"]
        assert written(folder / "output") == expected
        assert res.json == printed
        assert list(res.img) == ["layout_det_res", "seal_res_region1"]
        assert all(isinstance(picture, Image.Image) for picture in res.img.values())

    def test_the_second_snippet(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        from sealread import create_pipeline
        from sealread.config import packaged_config_text

        (folder / "my_path").mkdir()
        (folder / "my_path" / "seal_recognition.yaml").write_text(packaged_config_text("seal_recognition"), encoding="utf-8")

        pipeline = create_pipeline(pipeline="./my_path/seal_recognition.yaml")
        output = pipeline.predict("seal_text_det.png")
        for res in output:
            res.print()  ## 打印预测的结构化输出
            res.save_to_img("./output/")  ## 保存可视化结果
            res.save_to_json("./output/")  ## 保存预测结果的json文件

        [printed] = objects(capsys.readouterr().out)
        assert list(printed["res"]) == [*PAGE_KEYS[:3], "doc_preprocessor_res", *PAGE_KEYS[3:]]
        preprocessing = printed["res"]["doc_preprocessor_res"]
        assert list(preprocessing) == ["input_path", "page_index", "model_settings", "angle"]
        assert preprocessing["angle"] in (0, 90, 180, 270)
        assert list(res.img)[:2] == ["layout_det_res", "preprocessed_img"]
        assert "seal_text_det_preprocessed_img.png" in written(folder / "output")

    def test_every_parameter_of_the_tables(self, folder: Path) -> None:
        from sealread import create_pipeline

        pipeline = create_pipeline(pipeline="seal_recognition", config=None, device="cpu", use_hpip=None, hpi_config=None)
        [res] = pipeline.predict(
            input=["seal_text_det.png"],
            use_doc_orientation_classify=False,
            use_doc_unwarping=None,
            use_layout_detection=True,
            layout_threshold={16: 0.25},
            layout_nms=True,
            layout_unclip_ratio=[1.0, 1.0],
            layout_merge_bboxes_mode="union",
            seal_det_limit_side_len=256,
            seal_det_limit_type="max",
            seal_det_thresh=0.3,
            seal_det_box_thresh=0.4,
            seal_det_unclip_ratio=0.5,
            seal_rec_score_thresh=0.0,
        )
        assert res["seal_res_list"][0]["text_det_params"] == {
            "limit_side_len": 256,
            "limit_type": "max",
            "thresh": 0.3,
            "max_side_limit": 4000,
            "box_thresh": 0.4,
            "unclip_ratio": 0.5,
        }


def test_section_4_2_weights_of_ones_own(folder: Path) -> None:
    """The local path of fine-tuned weights, put into the configuration file and used from the command line."""
    from sealread.config import packaged_config_text

    content = yaml.safe_load(packaged_config_text("seal_recognition"))
    weights = recognition_folder(folder / "weights")
    content["SubPipelines"]["SealOCR"]["SubModules"]["TextRecognition"].update(model_name="tiny_rec", model_dir=str(weights))
    (folder / "own.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    done = run("sealread --pipeline own.yaml --input seal.png --use_layout_detection False".split())
    [printed] = objects(done.stdout)
    assert set("".join(printed["res"]["seal_res_list"][0]["rec_texts"])) <= set("甲乙")
    missing = {**content, "SubModules": {"LayoutDetection": {"model_name": "PP-DocLayout-L", "model_dir": None}}}
    (folder / "theirs.yaml").write_text(yaml.safe_dump(missing), encoding="utf-8")
    refused = run("sealread --pipeline theirs.yaml --input seal.png".split(), status=3)
    assert refused.stdout == ""
    assert "the files of model PP-DocLayout-L are not on this machine" in refused.stderr
    assert "model_dir" in refused.stderr
