"""The JSON's members, order and types; file names; what is printed; failed pages."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from sealread.errors import EngineError, InputError
from sealread.frames import Crop
from sealread.outputs import OutputNames, picture_suffix
from sealread.results import SealRecognitionResult
from sealread.types import DetectionSettings, FailedPage, Page, PageReading, Region, SealReading, TextLine

SHIFT = np.array([100.0, 50.0])  # the crop's origin on the page


def text_line(text: str, polygon: list[list[float]], **changes: Any) -> TextLine:
    outline = np.array(polygon, dtype=np.float64)
    line = TextLine(
        text=text,
        score=0.875,
        role="outer_arc",
        polygon=outline,
        page_polygon=outline + SHIFT,
        detection_score=0.75,
        char_scores=(0.5,) * len(text),
        char_points=np.tile(outline.mean(axis=0) + SHIFT, (len(text), 1)),
    )
    return replace(line, **changes)


def reading(source: str | None = "in/page.png", index: int | None = None, **changes: Any) -> PageReading:
    image = np.full((200, 300, 3), 255, dtype=np.uint8)
    seal = SealReading(
        region_id=1,
        box=(100, 50, 180, 130),
        crop=image[50:130, 100:180],
        page_box=(100.0, 50.0, 180.04, 130.0),
        detection_score=0.96875,
        rotation=None,
        lines=(
            text_line("甲乙", [[-2.6, 3.4], [40.0, 1.5], [90.2, 3.5], [70.5, 20.0], [10.0, 20.4]]),
            text_line("?", [[10, 30], [20, 30], [20, 40], [10, 40]], score=0.25, kept=False, role="other"),
        ),
    )
    page = PageReading(
        page=Page(image, source, index),
        use_doc_preprocessor=False,
        use_doc_orientation_classify=False,
        use_doc_unwarping=False,
        use_layout_detection=True,
        angle=-1,
        upright=image,
        flat=image,
        regions=(Region(2, "text", 0.5, (1.5, 2.0, 3.0, 4.0)), Region(16, "seal", 0.96875, (100.2, 50.0, 180.0, 130.0))),
        seals=(seal,),
        detection=DetectionSettings(736, "min", 0.2, 4000, 0.6, 0.5),
        rec_score_thresh=0,
        doubtful=(Region(16, "seal", 0.75, (5.0, 6.0, 20.0, 25.0)),),
    )
    return replace(page, **changes)


def preprocessed(**changes: Any) -> PageReading:
    return reading(use_doc_preprocessor=True, use_doc_orientation_classify=True, angle=90, **changes)


def saved_names(result: SealRecognitionResult, folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in result.save_all(folder)]


EXPECTED = """{
    "res": {
        "input_path": "in/page.png",
        "page_index": null,
        "model_settings": {"use_doc_preprocessor": true, "use_layout_detection": true},
        "doc_preprocessor_res": {
            "input_path": null,
            "page_index": null,
            "model_settings": {"use_doc_orientation_classify": true, "use_doc_unwarping": false},
            "angle": 90
        },
        "layout_det_res": {
            "input_path": null,
            "page_index": null,
            "boxes": [
                {"cls_id": 2, "label": "text", "score": 0.5, "coordinate": [1.5, 2.0, 3.0, 4.0]},
                {"cls_id": 16, "label": "seal", "score": 0.96875, "coordinate": [100.2, 50.0, 180.0, 130.0]}
            ]
        },
        "seal_res_list": [
            {
                "input_path": null,
                "page_index": null,
                "model_settings": {"use_doc_preprocessor": false, "use_textline_orientation": false},
                "dt_polys": [[[0, 3], [40, 2], [80, 4], [70, 20], [10, 20]], [[10, 30], [20, 30], [20, 40], [10, 40]]],
                "text_det_params": {
                    "limit_side_len": 736,
                    "limit_type": "min",
                    "thresh": 0.2,
                    "max_side_limit": 4000,
                    "box_thresh": 0.6,
                    "unclip_ratio": 0.5
                },
                "text_type": "seal",
                "textline_orientation_angles": [-1, -1],
                "text_rec_score_thresh": 0,
                "return_word_box": false,
                "rec_texts": ["甲乙"],
                "rec_scores": [0.875],
                "rec_polys": [[[0, 3], [40, 2], [80, 4], [70, 20], [10, 20]]],
                "rec_boxes": []
            }
        ],
        "seals": [
            {
                "region_id": 1,
                "bbox": [100.0, 50.0, 180.0, 130.0],
                "detection_score": 0.96875,
                "rotation": null,
                "lines": [
                    {
                        "text": "甲乙",
                        "raw_text": null,
                        "score": 0.875,
                        "role": "outer_arc",
                        "polygon": [[97.4, 53.4], [140.0, 51.5], [190.2, 53.5], [170.5, 70.0], [110.0, 70.4]],
                        "detection_score": 0.75,
                        "chars": [
                            {"text": "甲", "score": 0.5, "point": [141.6, 59.8]},
                            {"text": "乙", "score": 0.5, "point": [141.6, 59.8]}
                        ]
                    }
                ]
            }
        ],
        "doubtful_places": [{"bbox": [5.0, 6.0, 20.0, 25.0], "detection_score": 0.75}]
    }
}"""


def test_json_has_exactly_these_members_in_this_order() -> None:
    members = SealRecognitionResult(preprocessed()).json
    assert json.dumps(members, indent=1) == json.dumps(json.loads(EXPECTED), indent=1)


def test_stages_that_did_not_run_have_no_member() -> None:
    members = SealRecognitionResult(reading(use_layout_detection=False, regions=None)).to_dict()
    assert list(members) == ["input_path", "page_index", "model_settings", "seal_res_list", "seals"]


def test_an_empty_page_has_empty_lists() -> None:
    members = SealRecognitionResult(reading(regions=(), seals=())).to_dict()
    assert members["layout_det_res"]["boxes"] == []
    assert members["seal_res_list"] == []
    assert members["seals"] == []


def test_a_seal_without_lines_still_reports_orientation_angles() -> None:
    empty = replace(reading().seals[0], lines=())
    entry = SealRecognitionResult(reading(seals=(empty,)))["seal_res_list"][0]
    assert (entry["dt_polys"], entry["textline_orientation_angles"], entry["rec_texts"]) == ([], [], [])


def test_numbers_are_plain_and_thresholds_stay_as_given() -> None:
    line = text_line("甲", [[0, 0], [9, 0], [9, 9]], score=np.float32(0.5), char_scores=(np.float32(0.25),))
    seal = replace(reading().seals[0], lines=(line,), rotation=np.float64(-12.5), detection_score=np.float64(0.5))
    result = SealRecognitionResult(reading(seals=(seal,), rec_score_thresh=0.0))

    def check(value: Any) -> None:
        assert type(value) in (dict, list, str, int, float, bool, type(None))
        for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            check(member)

    check(result.json)
    assert type(result["seal_res_list"][0]["text_rec_score_thresh"]) is float
    assert result["seals"][0]["rotation"] == -12.5


def test_mapping_reading_and_copies() -> None:
    page = reading()
    result = SealRecognitionResult(page)
    assert dict(result) == result.to_dict() == result.json["res"]
    assert result.reading is page
    assert result.ok
    assert result.error is None
    result.to_dict()["seals"].clear()
    assert len(result["seals"]) == 1
    with pytest.raises(KeyError):
        result["doc_preprocessor_res"]


@pytest.mark.parametrize("where", ["score", "polygon", "point", "rotation", "region"])
def test_numbers_that_are_not_finite_are_refused(where: str) -> None:
    page = reading()
    seal, nan = page.seals[0], float("nan")
    line = seal.lines[0]
    bad = {
        "score": replace(page, seals=(replace(seal, lines=(replace(line, score=nan),)),)),
        "polygon": replace(page, seals=(replace(seal, lines=(replace(line, polygon=line.polygon * np.inf),)),)),
        "point": replace(page, seals=(replace(seal, lines=(replace(line, char_points=line.char_points * nan),)),)),
        "rotation": replace(page, seals=(replace(seal, rotation=nan),)),
        "region": replace(page, regions=(Region(0, "seal", nan, (0.0, 0.0, 1.0, 1.0)),)),
    }[where]
    with pytest.raises(EngineError, match="not finite") as caught:
        SealRecognitionResult(bad)
    assert caught.value.source == "in/page.png"


@given(st.text(max_size=20), st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=3, max_size=8))
def test_json_round_trips_and_crop_polygons_stay_on_the_crop(text: str, points: list[tuple[float, float]]) -> None:
    line = text_line(text, [list(point) for point in points])
    result = SealRecognitionResult(reading(seals=(replace(reading().seals[0], lines=(line,)),)))
    assert json.loads(json.dumps(result.json, allow_nan=False)) == result.json
    polygon = np.array(result["seal_res_list"][0]["dt_polys"][0])
    assert polygon.min() >= 0
    assert polygon.max() <= 80


def test_print_gives_json_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    result = SealRecognitionResult(reading())
    result.print()
    printed = capsys.readouterr()
    assert json.loads(printed.out) == result.json
    assert "甲乙" in printed.out
    assert '\n    "res": {\n        "input_path"' in printed.out
    assert printed.err == ""
    result.print(indent=1, ensure_ascii=True)
    escaped = capsys.readouterr().out
    assert escaped.isascii()
    assert json.loads(escaped) == result.json


@pytest.mark.parametrize("arguments", [{"format_json": False}, {"json_format": False}, {"format_json": True, "json_format": False}])
def test_print_as_python_is_one_short_line(arguments: dict[str, bool], capsys: pytest.CaptureFixture[str]) -> None:
    SealRecognitionResult(reading()).print(**arguments)
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert printed.startswith("{'res': {'input_path': 'in/page.png', 'page_index': None, ")
    assert "'dt_polys': [[[0, 3], ..., [10, 20]], [[10, 30], [20, 30], [20, 40], [10, 40]]]" in printed


def test_nothing_global_is_touched(tmp_path: Path) -> None:
    before = random.getstate(), str(np.random.get_state()), np.get_printoptions()
    result = SealRecognitionResult(preprocessed(source=None))
    result.print()
    result.save_all(tmp_path)
    assert (random.getstate(), str(np.random.get_state()), np.get_printoptions()) == before


def test_file_names_of_an_image(tmp_path: Path) -> None:
    names = saved_names(SealRecognitionResult(preprocessed(source="in/a.b.JPG")), tmp_path / "new" / "out")
    assert names == [f"a.b{rest}" for rest in ("_res.json", "_layout_det_res.JPG", "_preprocessed_img.JPG", "_seal_res_region1.JPG")]
    with PillowImage.open(tmp_path / "new" / "out" / "a.b_layout_det_res.JPG") as picture:
        assert (picture.format, picture.size) == ("JPEG", (300, 200))


def test_file_names_of_a_pdf_page(tmp_path: Path) -> None:
    names = saved_names(SealRecognitionResult(reading(source="a.b.pdf", index=0)), tmp_path)
    assert names == ["a.b_0_res.json", "a.b_0_layout_det_res.png", "a.b_0_seal_res_region1.png"]


def test_saved_json_is_the_inner_object(tmp_path: Path) -> None:
    result = SealRecognitionResult(reading())
    (path,) = result.save_to_json(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == result.to_dict()
    assert "甲乙" in text
    (path,) = result.save_to_json(tmp_path / "x" / "mine.json", ensure_ascii=True)
    assert path == tmp_path / "x" / "mine.json"
    assert path.read_text(encoding="ascii").count("\\u7532\\u4e59") == 2


def test_arrays_get_different_names_in_the_same_second(tmp_path: Path) -> None:
    names = OutputNames()
    stems = {SealRecognitionResult(reading(source=None), names).save_to_json(tmp_path)[0].name for _ in range(8)}
    assert len(stems) == 8
    result = SealRecognitionResult(reading(source=None, index=3))
    stem = result.save_to_json(tmp_path)[0].name.removesuffix("_res.json")
    assert stem.endswith("_3")
    assert result.save_to_img(tmp_path)[0].name == f"{stem}_layout_det_res.png"


def test_different_inputs_never_share_a_name_and_a_new_run_repeats_it() -> None:
    inputs: list[tuple[str, int | None]] = [
        ("a/x.png", None),
        ("b/x.png", None),
        ("x.jpg", None),
        ("b/X.PNG", None),
        ("x_2.png", None),
        ("c/x_0.png", None),
        ("x.pdf", 0),
        ("x.pdf", 1),
        ("a/x.png", None),
        ("a/./x.png", None),
    ]
    expected = ["x", "x_2", "x_3", "X_4", "x_2_2", "x_0", "x_0_2", "x_1", "x", "x"]
    for _ in range(2):
        names = OutputNames()
        assert [names.stem(*entry) for entry in inputs] == expected


def test_a_second_run_overwrites_its_own_files(tmp_path: Path) -> None:
    for _ in range(2):
        names = OutputNames()
        for source in ("a/x.png", "b/x.png"):
            SealRecognitionResult(reading(source=source), names).save_all(tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["x_2_res.json", "x_res.json"]
    assert json.loads((tmp_path / "x_2_res.json").read_text(encoding="utf-8"))["input_path"] == "b/x.png"


def test_names_of_addresses_and_long_names() -> None:
    names = OutputNames()
    assert names.stem("https://example.org/a/%E7%AB%A0%3A1.png?size=2", None) == "章_1"
    assert names.stem("https://example.org/", None) == "example"
    assert names.stem("https://example.org/b/x.png?id=1", None) == "x"
    assert names.stem("https://example.org/b/x.png?id=2", None) == "x_2"
    long = names.stem("章" * 84 + ".png", None)
    assert long == "章" * 66
    assert picture_suffix("https://example.org/x.jpg?y=z.bmp") == ".jpg"


@pytest.mark.parametrize(
    ("source", "suffix"),
    [("x.tiff", ".tiff"), ("x.WebP", ".WebP"), ("x.ras", ".png"), ("x.sr", ".png"), ("x.dib", ".png"), ("x", ".png"), (None, ".png")],
)
def test_pictures_keep_a_suffix_that_can_be_written(source: str | None, suffix: str, tmp_path: Path) -> None:
    (first, _) = SealRecognitionResult(reading(source=source)).save_to_img(tmp_path)
    assert first.suffix == suffix
    with PillowImage.open(first) as picture:
        assert picture.size == (300, 200)


def test_a_picture_path_takes_the_first_picture(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    result = SealRecognitionResult(reading())
    assert result.save_to_img(tmp_path / "one.bmp") == [tmp_path / "one.bmp"]
    with PillowImage.open(tmp_path / "one.bmp") as picture:
        assert np.array_equal(np.asarray(picture), np.asarray(result.img["layout_det_res"]))
    assert "layout_det_res" in caplog.text


def test_a_folder_may_be_called_like_a_file(tmp_path: Path) -> None:
    for name in ("runs.png", "runs.json"):
        (tmp_path / name).mkdir()
        assert {path.parent for path in SealRecognitionResult(reading()).save_all(tmp_path / name)} == {tmp_path / name}


@pytest.mark.parametrize("name", ["x.json", "x.png"])
def test_save_all_wants_a_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="give a folder") as caught:
        SealRecognitionResult(reading()).save_all(tmp_path / name)
    assert caught.value.parameter == "save_path"


def test_a_path_that_cannot_be_written_is_the_callers_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here is no folder", encoding="utf-8")
    for save in (SealRecognitionResult(reading()).save_to_json, SealRecognitionResult(reading()).save_to_img):
        with pytest.raises(InputError, match="Cannot write") as caught:
            save(tmp_path / "file" / "out")
        assert (caught.value.source, caught.value.parameter) == ("in/page.png", "save_path")
    with pytest.raises(InputError, match=r"not written as \.svg"):
        SealRecognitionResult(reading()).save_to_img(tmp_path / "x.svg")


def test_a_failed_page_tells_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = InputError("The file is empty; give an image.", source="x.pdf")
    result = SealRecognitionResult.failed(FailedPage(error, "x.pdf", 2))
    expected = {"input_path": "x.pdf", "page_index": 2, "error": {"type": "InputError", "message": "The file is empty; give an image."}}
    assert (result.ok, result.error, result.to_dict(), result.img) == (False, error, expected, {})
    result.print()
    assert json.loads(capsys.readouterr().out) == {"res": expected}
    assert saved_names(result, tmp_path) == ["x_2_res.json"]
    assert result.save_to_img(tmp_path / "x.png") == []
    with pytest.raises(InputError, match="empty"):
        _ = result.reading


def test_pictures_are_drawn_once_and_in_order() -> None:
    result = SealRecognitionResult(preprocessed(frame=Crop(0.0, 0.0)))
    assert list(result.img) == ["layout_det_res", "preprocessed_img", "seal_res_region1"]
    assert result.img["seal_res_region1"] is result.img["seal_res_region1"]
    without = SealRecognitionResult(reading(use_layout_detection=False, regions=None))
    assert list(without.img) == ["seal_res_region1"]


def test_a_file_name_that_is_not_utf8_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = SealRecognitionResult(reading(source="in/\udcff.png"))
    result.print()
    assert json.loads(capsys.readouterr().out)["res"]["input_path"] == "in/\udcff.png"
    (path,) = result.save_to_json(tmp_path / "out.json")
    assert json.loads(path.read_text(encoding="utf-8"))["input_path"] == "in/\udcff.png"
