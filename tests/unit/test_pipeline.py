"""The pipeline over tiny networks: options, laziness, failures, coordinates; and odd images over the packaged ones."""

from __future__ import annotations

import inspect
import itertools
import json
import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_networks import DOUBTED, SEAL, layout_folder, recognition_folder, unwarping_folder

from sealread import InputError, SealPipeline, SealRecognitionResult, create_pipeline
from sealread.config import PredictOptions, override, packaged_config
from sealread.settings import PageSettings
from sealread.types import Region

Image = NDArray[np.uint8]
Draw = Callable[[int, int], Image]

#: The tutorial's table, its HTTP table and layout_det_res, in the reference's order.
PARAMETERS = [
    "input",
    "use_doc_orientation_classify",
    "use_doc_unwarping",
    "use_layout_detection",
    "layout_det_res",
    "layout_threshold",
    "layout_nms",
    "layout_unclip_ratio",
    "layout_merge_bboxes_mode",
    "seal_det_limit_side_len",
    "seal_det_limit_type",
    "seal_det_thresh",
    "seal_det_box_thresh",
    "seal_det_unclip_ratio",
    "seal_rec_score_thresh",
]


def first(pipeline: SealPipeline, page: Any, **options: Any) -> SealRecognitionResult:
    return next(iter(pipeline.predict(page, **options)))


def texts(result: SealRecognitionResult) -> list[list[str]]:
    return [seal["rec_texts"] for seal in result["seal_res_list"]]


def scored(result: SealRecognitionResult, label: str = "seal") -> list[float]:
    return [round(box["score"], 2) for box in result["layout_det_res"]["boxes"] if box["label"] == label]


def settings_of(pipeline: SealPipeline, monkeypatch: pytest.MonkeyPatch, **options: Any) -> PageSettings:
    """What `predict` makes of its options."""
    seen: list[PageSettings] = []
    read = SealPipeline.read

    def spied(self: SealPipeline, page: Any, settings: PageSettings, *rest: Any) -> Any:
        seen.append(settings)
        return read(self, page, settings, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(SealPipeline, "read", spied)
        first(pipeline, np.full((64, 64, 3), 255, np.uint8), **options)
    return seen[0]


class TestPredict:
    def test_parameters_are_those_of_the_tutorial_in_its_order(self) -> None:
        parameters = list(inspect.signature(SealPipeline.predict).parameters.values())[1:]
        assert [p.name for p in parameters[: len(PARAMETERS)]] == PARAMETERS
        assert all(p.default is None for p in parameters[1 : len(PARAMETERS)])
        assert set(PredictOptions.model_fields) == set(PARAMETERS[1:])
        assert SealPipeline.__call__ is SealPipeline.predict

    def test_nothing_runs_before_the_first_result_is_asked_for(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        pulled: list[int] = []

        def pages() -> Iterator[Image]:
            for number in itertools.count():
                pulled.append(number)
                yield tiny_page(100, 80)

        results = tiny_pipeline.predict(pages())
        assert isinstance(results, Iterator)
        assert pulled == []
        for count in (1, 2, 3):
            next(results)
            assert pulled == list(range(count))
        results.close()  # type: ignore[attr-defined]
        assert len(pulled) == 3

    def test_a_missing_input_is_known_when_its_turn_comes(self, tiny_pipeline: SealPipeline) -> None:
        results = tiny_pipeline.predict("/nowhere/seal.png")
        with pytest.raises(InputError, match="does not exist"):
            next(results)

    @pytest.mark.parametrize(("name", "near"), [("use_layout_detect", "use_layout_detection"), ("seal_det_tresh", "seal_det_thresh")])
    def test_an_unknown_keyword_is_a_type_error_with_the_nearest_name(self, tiny_pipeline: SealPipeline, name: str, near: str) -> None:
        with pytest.raises(TypeError, match=f"{name}.*did you mean {near}"):
            tiny_pipeline.predict([], **{name: True})

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("use_doc_orientation_classify", "perhaps"),
            ("use_doc_unwarping", 2),
            ("use_layout_detection", []),
            ("layout_det_res", {"boxen": []}),
            ("layout_det_res", {"boxes": [{"cls_id": 1, "label": "seal", "score": 1, "coordinate": [1, 2, 3]}]}),
            ("layout_threshold", 1.5),
            ("layout_threshold", {16: -1}),
            ("layout_nms", "often"),
            ("layout_unclip_ratio", 0),
            ("layout_unclip_ratio", [1.2, 1.5, 2]),
            ("layout_merge_bboxes_mode", "huge"),
            ("seal_det_limit_side_len", 0),
            ("seal_det_limit_side_len", 1.5),
            ("seal_det_limit_type", "median"),
            ("seal_det_thresh", 2),
            ("seal_det_thresh", True),
            ("seal_det_box_thresh", float("nan")),
            ("seal_det_unclip_ratio", -0.1),
            ("seal_rec_score_thresh", "high"),
            ("errors", "ignore"),
        ],
    )
    def test_a_bad_value_is_refused_at_the_call_and_names_the_parameter(self, tiny_pipeline: SealPipeline, name: str, value: Any) -> None:
        with pytest.raises(InputError, match=name) as caught:
            tiny_pipeline.predict([], **{name: value})
        assert caught.value.parameter == name
        assert isinstance(caught.value, ValueError)

    def test_zero_and_false_are_values(self, tiny_pipeline: SealPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = settings_of(
            tiny_pipeline,
            monkeypatch,
            use_doc_orientation_classify=False,
            use_doc_unwarping=False,
            layout_nms=False,
            layout_threshold=0,
            seal_det_thresh=0,
            seal_det_box_thresh=0.0,
            seal_det_unclip_ratio=0,
            seal_rec_score_thresh=0,
        )
        assert not (settings.use_doc_orientation_classify or settings.use_doc_unwarping)
        assert settings.layout.nms is False
        assert settings.layout.threshold == 0
        assert (settings.detection.thresh, settings.detection.box_thresh, settings.detection.unclip_ratio) == (0, 0, 0)
        assert settings.rec_score_thresh == 0

    def test_none_means_as_configured(self, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        seal = tiny["SubPipelines"]["SealOCR"]["SubModules"]
        seal["TextDetection"].update(limit_side_len=64, limit_type="max", thresh=0, box_thresh=0.0, unclip_ratio=0, max_side_len=500)
        seal["TextRecognition"]["score_thresh"] = 0.5
        tiny["SubModules"]["LayoutDetection"].update(
            threshold=0, layout_nms=False, layout_unclip_ratio=[1.5, 2], layout_merge_bboxes_mode="union"
        )
        settings = settings_of(create_pipeline(config=tiny), monkeypatch)
        found = settings.detection
        assert (found.limit_side_len, found.limit_type, found.thresh, found.box_thresh, found.unclip_ratio) == (64, "max", 0, 0, 0)
        assert found.max_side_limit == 500
        assert settings.rec_score_thresh == 0.5
        assert (settings.layout.threshold, settings.layout.nms, settings.layout.merge_mode) == (0, False, "union")
        assert settings.layout.unclip_ratio == (1.5, 2)

    def test_explicit_values_win_and_are_reported(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        given = {
            "seal_det_limit_side_len": 64,
            "seal_det_limit_type": "max",
            "seal_det_thresh": 0.4,
            "seal_det_box_thresh": 0.7,
            "seal_det_unclip_ratio": 0.25,
        }
        [seal] = first(tiny_pipeline, tiny_page(200, 150), seal_rec_score_thresh=0.25, **given)["seal_res_list"]
        expected = {name.removeprefix("seal_det_"): value for name, value in given.items()}
        assert seal["text_det_params"] == {**expected, "max_side_limit": 4000}
        assert seal["text_rec_score_thresh"] == 0.25

    def test_texts_below_the_threshold_are_left_out_of_the_texts_only(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        result = first(tiny_pipeline, tiny_page(200, 150), seal_rec_score_thresh=1)
        [seal] = result["seal_res_list"]
        assert len(seal["dt_polys"]) == 1
        assert seal["rec_texts"] == seal["rec_scores"] == seal["rec_polys"] == []
        assert result["seals"][0]["lines"] == []

    def test_detection_options_reach_the_network(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        def width(**options: Any) -> int:
            [[polygon]] = [seal["dt_polys"] for seal in first(tiny_pipeline, tiny_page(400, 300), **options)["seal_res_list"]]
            return int(np.ptp(np.array(polygon)[:, 0]))

        assert 155 <= width(seal_det_unclip_ratio=0) < width() < width(seal_det_unclip_ratio=1.5)
        assert texts(first(tiny_pipeline, tiny_page(400, 300), seal_det_thresh=1)) == [[]]
        assert texts(first(tiny_pipeline, tiny_page(400, 300), seal_det_box_thresh=1)) == [[]]


class TestLayout:
    def test_thresholds_decide_what_counts_as_found(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        page = tiny_page(320, 320)
        assert scored(first(tiny_pipeline, page)) == [0.9]
        assert scored(first(tiny_pipeline, page, layout_threshold=0.3)) == [0.9, 0.4]
        assert scored(first(tiny_pipeline, page, layout_threshold={1: 0.3, 0: 0.99})) == [0.9, 0.4]
        assert scored(first(tiny_pipeline, page, layout_threshold={1: 0.3, 0: 0.99}), "text") == []
        assert scored(first(tiny_pipeline, page, layout_threshold={"seal": 0.95})) == []
        assert scored(first(tiny_pipeline, page, layout_threshold=1)) == []

    def test_a_threshold_below_all_doubt_is_honoured(self, tiny: dict[str, Any], tmp_path: Path) -> None:
        folder = layout_folder(tmp_path)
        model = (folder / "inference.onnx").read_bytes()
        faint = model.replace(np.float32(0.4).tobytes(), np.float32(0.1).tobytes())
        assert faint != model
        (folder / "inference.onnx").write_bytes(faint)
        tiny["SubModules"]["LayoutDetection"]["model_dir"] = str(folder)
        pipeline = create_pipeline(config=tiny)
        page = np.full((320, 320, 3), 255, np.uint8)
        assert scored(first(pipeline, page, layout_threshold=0)) == [0.9, 0.1]
        assert scored(first(pipeline, page, layout_threshold=0.15)) == [0.9]

    def test_regions_grow_as_asked(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        [box] = [b["coordinate"] for b in first(tiny_pipeline, tiny_page(640, 640))["layout_det_res"]["boxes"] if b["label"] == "seal"]
        np.testing.assert_allclose(box, SEAL, atol=0.1)
        result = first(tiny_pipeline, tiny_page(640, 640), layout_unclip_ratio=[1.5, 1.25])
        [grown] = [b["coordinate"] for b in result["layout_det_res"]["boxes"] if b["label"] == "seal"]
        np.testing.assert_allclose(grown, (80, 120, 560, 520), atol=0.1)

    def test_the_whole_input_is_one_seal_without_layout_detection(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        result = first(tiny_pipeline, tiny_page(200, 150), use_layout_detection=False)
        assert result["model_settings"]["use_layout_detection"] is False
        assert "layout_det_res" not in result
        assert texts(result) == [["甲乙"]]
        assert result["seals"][0]["bbox"] == [0, 0, 200, 150]

    def test_regions_found_elsewhere_are_used(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        page = tiny_page(200, 150)
        given = {"boxes": [{"cls_id": 7, "label": "seal", "score": 0.5, "coordinate": [50, 60, 150, 90]}]}
        for switch in (None, False):
            result = first(tiny_pipeline, page, layout_det_res=given, use_layout_detection=switch)
            assert result["layout_det_res"]["boxes"] == given["boxes"]
            assert result["model_settings"]["use_layout_detection"] is False
            assert result["seals"][0]["bbox"] == [50, 60, 150, 90]
            assert texts(result) == [["甲乙"]]

    def test_the_layout_of_an_earlier_result_can_be_given_again(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        pages = [tiny_page(200, 150), tiny_page(320, 320)]
        found = list(tiny_pipeline.predict(pages))
        layouts = [json.loads(json.dumps(result.json))["res"]["layout_det_res"] for result in found]
        again = list(tiny_pipeline.predict(pages, use_layout_detection=False, layout_det_res=layouts))
        for before, after in zip(found, again, strict=True):
            assert after["layout_det_res"] == before["layout_det_res"]
            assert after["seals"] == before["seals"]

    def test_a_page_without_regions_of_its_own_fails_alone(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        pages = [tiny_page(100, 80)] * 2
        results = list(tiny_pipeline.predict(pages, layout_det_res=[{"boxes": []}], errors="return"))
        assert [result.ok for result in results] == [True, False]
        assert results[0]["seal_res_list"] == []
        error = results[1].error
        assert isinstance(error, InputError)
        assert error.parameter == "layout_det_res"
        with pytest.raises(InputError, match="layout_det_res has results for 1 page"):
            list(tiny_pipeline.predict(pages, layout_det_res=[{"boxes": []}]))

    def test_regions_cannot_be_given_and_looked_for(self, tiny_pipeline: SealPipeline) -> None:
        with pytest.raises(InputError, match="exclude each other") as caught:
            tiny_pipeline.predict([], layout_det_res={"boxes": []}, use_layout_detection=True, errors="return")
        assert caught.value.parameter == "layout_det_res"

    @pytest.mark.parametrize("box", [(-50, -50, 5, 5), (90, 70, 500, 500), (20, 20, 20.4, 20.4), (50, 50, 50, 90), (90, 90, 10, 10)])
    def test_regions_may_reach_over_the_edge_or_be_tiny(self, tiny_pipeline: SealPipeline, tiny_page: Draw, box: Any) -> None:
        given = {"boxes": [{"cls_id": 1, "label": "seal", "score": 1, "coordinate": box}]}
        result = first(tiny_pipeline, tiny_page(100, 80), layout_det_res=given)
        assert len(result["seals"]) == len(result["seal_res_list"]) == len(result["layout_det_res"]["boxes"])
        for seal in result["seals"]:
            x1, y1, x2, y2 = seal["bbox"]
            assert 0 <= x1 < x2 <= 100
            assert 0 <= y1 < y2 <= 80


class TestSwitches:
    @pytest.mark.parametrize(
        ("turn", "flatten", "used"),
        [(None, None, (True, True)), (False, None, (False, True)), (None, False, (True, False)), (False, False, (False, False))],
    )
    def test_each_document_switch_is_its_own(
        self, tiny: dict[str, Any], tmp_path: Path, turn: bool | None, flatten: bool | None, used: tuple[bool, bool]
    ) -> None:
        module = {"module_name": "image_unwarping", "model_name": "tiny_flat", "model_dir": str(unwarping_folder(tmp_path))}
        tiny["SubPipelines"]["DocPreprocessor"]["SubModules"]["DocUnwarping"] = module
        page = np.full((80, 100, 3), 255, np.uint8)
        result = first(create_pipeline(config=tiny), page, use_doc_orientation_classify=turn, use_doc_unwarping=flatten)
        assert result["model_settings"]["use_doc_preprocessor"] is any(used)
        if any(used):
            inner = result["doc_preprocessor_res"]
            assert tuple(inner["model_settings"].values()) == used
            assert inner["angle"] == (0 if used[0] else -1)
        else:
            assert "doc_preprocessor_res" not in result
        assert ("preprocessed_img" in result.img) is any(used)

    def test_the_result_says_whether_pages_were_flattened(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        result = first(tiny_pipeline, tiny_page(100, 80), use_doc_unwarping=True)
        assert result["doc_preprocessor_res"]["model_settings"]["use_doc_unwarping"] is True
        only = first(tiny_pipeline, tiny_page(100, 80), use_doc_orientation_classify=False, use_doc_unwarping=False)
        assert only["model_settings"]["use_doc_preprocessor"] is False

    def test_a_preprocessor_that_is_off_can_be_asked_for(self, tiny: dict[str, Any], tiny_page: Draw) -> None:
        tiny["use_doc_preprocessor"] = False
        pipeline = create_pipeline(config=tiny)
        turned = np.ascontiguousarray(np.rot90(tiny_page(200, 150)))
        assert "doc_preprocessor_res" not in first(pipeline, turned)
        assert first(pipeline, turned, use_doc_orientation_classify=True)["doc_preprocessor_res"]["angle"] == 270

    def test_what_is_not_configured_cannot_be_asked_for(self, tiny: dict[str, Any]) -> None:
        tiny.update(use_layout_detection=False, use_doc_preprocessor=False)
        del tiny["SubModules"]["LayoutDetection"], tiny["SubPipelines"]["DocPreprocessor"]
        pipeline = create_pipeline(config=tiny)
        for parameter in ("use_layout_detection", "use_doc_orientation_classify", "use_doc_unwarping"):
            with pytest.raises(InputError, match=f"{parameter} is on, but") as caught:
                pipeline.predict([], **{parameter: True})
            assert caught.value.parameter == parameter
        assert first(pipeline, np.full((50, 50, 3), 255, np.uint8)).ok


class TestFailures:
    @pytest.fixture
    def ten(self, tmp_path: Path, tiny_page: Draw) -> list[str]:
        paths = [str(tmp_path / f"{number}.png") for number in range(10)]
        for number, path in enumerate(paths):
            cv2.imwrite(path, tiny_page(100 + number, 80))
        Path(paths[4]).write_text("this is text")
        return paths

    def test_of_ten_inputs_with_one_bad_nine_are_read_in_order(self, tiny_pipeline: SealPipeline, ten: list[str]) -> None:
        results = list(tiny_pipeline.predict(ten, errors="return"))
        assert [result["input_path"] for result in results] == ten
        assert [result.ok for result in results] == [number != 4 for number in range(10)]
        failed = results[4]
        assert isinstance(failed.error, InputError)
        assert failed.error.source == ten[4]
        assert failed["error"]["type"] == "InputError"
        assert failed.img == {}

    def test_the_bad_one_is_raised_after_those_before_it(self, tiny_pipeline: SealPipeline, ten: list[str]) -> None:
        results = tiny_pipeline.predict(ten)
        read = [next(results)["input_path"] for _ in range(4)]
        assert read == ten[:4]
        with pytest.raises(InputError) as caught:
            next(results)
        assert caught.value.source == ten[4]

    def test_a_network_that_fails_costs_its_page_only(
        self, tiny_pipeline: SealPipeline, tiny_page: Draw, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from sealread.errors import EngineError

        read = SealPipeline.read

        def sometimes(self: SealPipeline, page: Any, *rest: Any) -> Any:
            if page.image.shape[1] == 101:
                raise EngineError("out of memory")
            return read(self, page, *rest)

        monkeypatch.setattr(SealPipeline, "read", sometimes)
        pages = [tiny_page(width, 80) for width in (100, 101, 102)]
        results = list(tiny_pipeline.predict(pages, errors="return"))
        assert [result.ok for result in results] == [True, False, True]
        assert isinstance(results[1].error, EngineError)
        with pytest.raises(EngineError):
            list(tiny_pipeline.predict(pages))


class TestSharing:
    def test_generators_may_be_interleaved_with_options_of_their_own(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        pages = [tiny_page(200 + 10 * number, 150) for number in range(3)]
        plain = tiny_pipeline.predict(pages)
        whole = tiny_pipeline.predict(pages, use_layout_detection=False, seal_det_unclip_ratio=0)
        for page, (a, b) in zip(pages, zip(plain, whole, strict=True), strict=True):
            assert a["model_settings"]["use_layout_detection"] is True
            assert a["seal_res_list"][0]["text_det_params"]["unclip_ratio"] == 0.5
            assert b["seals"][0]["bbox"][2] == page.shape[1]
            assert b["seal_res_list"][0]["text_det_params"]["unclip_ratio"] == 0

    def test_threads_get_what_one_thread_gets(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        pages = [np.ascontiguousarray(np.rot90(tiny_page(150 + 7 * number, 120 + 3 * number), number)) for number in range(12)]
        alone = [result.to_dict() for result in tiny_pipeline.predict(pages)]
        with ThreadPoolExecutor(4) as pool:
            shared = list(pool.map(lambda page: first(tiny_pipeline, page).to_dict(), pages))
        assert shared == alone

    def test_a_closed_pipeline_starts_anew(self, tiny: dict[str, Any], tiny_page: Draw) -> None:
        with create_pipeline(config=tiny) as pipeline:
            before = first(pipeline, tiny_page(200, 150)).to_dict()
        assert first(pipeline, tiny_page(200, 150)).to_dict() == before


class TestCoordinates:
    """Everything in `seals` lies on the caller's own page."""

    @pytest.mark.parametrize("turns", range(4))
    @pytest.mark.parametrize("size", [(400, 300), (251, 333)])
    def test_pages_turned_by_quarters(self, tiny_pipeline: SealPipeline, tiny_page: Draw, turns: int, size: tuple[int, int]) -> None:
        page = np.ascontiguousarray(np.rot90(tiny_page(*size), -turns))  # clockwise
        result = first(tiny_pipeline, page)
        assert result["doc_preprocessor_res"]["angle"] == 90 * turns
        assert texts(result) == [["甲乙"]]
        [seal] = result["seals"]
        assert seal["rotation"] == pytest.approx([0, 90, 180, -90][turns], abs=2)
        height, width = page.shape[:2]
        np.testing.assert_allclose(seal["bbox"], [width / 4, height / 4, width * 3 / 4, height * 3 / 4], atol=0.6)
        [line] = seal["lines"]
        bar = (page[:, :, 1] == 0).astype(np.uint8)
        outline = np.zeros_like(bar)
        cv2.fillPoly(outline, [np.rint(line["polygon"]).astype(np.int32)], 1)
        assert cv2.countNonZero(bar & ~outline & 1) < 0.03 * cv2.countNonZero(bar)
        assert cv2.countNonZero(outline) < 1.7 * cv2.countNonZero(bar)
        colours = [tuple(page[int(char["point"][1]), int(char["point"][0])]) for char in line["chars"]]
        assert colours == [(0, 0, 0), (0, 0, 255)]

    def test_a_seal_on_a_page_that_was_flattened(self, tiny: dict[str, Any], tmp_path: Path) -> None:
        """The network moves everything right by a tenth: the bar is found there, and reported where it was."""
        module = {"module_name": "image_unwarping", "model_name": "tiny_flat", "model_dir": str(unwarping_folder(tmp_path, shift=0.1))}
        tiny["SubPipelines"]["DocPreprocessor"]["SubModules"]["DocUnwarping"] = module
        page = np.full((300, 400, 3), 255, np.uint8)
        page[140:170, 100:200] = 0
        result = first(create_pipeline(config=tiny), page, use_doc_orientation_classify=False)
        assert result["doc_preprocessor_res"]["model_settings"]["use_doc_unwarping"] is True
        [seal] = result["seals"]
        np.testing.assert_allclose(seal["bbox"], [100 - 40, 75, 300 - 40, 225], atol=0.5)
        polygon = np.array(seal["lines"][0]["polygon"])
        np.testing.assert_allclose([*polygon.min(axis=0), *polygon.max(axis=0)], [100, 140, 200, 170], atol=8)
        on_crop = np.array(result["seal_res_list"][0]["rec_polys"][0])
        np.testing.assert_allclose(on_crop[:, 0].min(), 100 + 40 - 100, atol=8)

    def test_seals_stand_beside_seal_res_list(self, tiny_pipeline: SealPipeline, tiny_page: Draw) -> None:
        page = tiny_page(640, 640)
        x1, y1, x2, _ = DOUBTED
        page[y1 + 40 : y1 + 80, x1 + 20 : x2 - 20] = (0, 0, 255)
        result = first(tiny_pipeline, page, layout_threshold=0.3)
        assert texts(result) == [["甲乙"], ["乙"]]
        assert [seal["region_id"] for seal in result["seals"]] == [1, 2]
        boxes = [box for box in result["layout_det_res"]["boxes"] if box["label"] == "seal"]
        for crop, seal, box in zip(result["seal_res_list"], result["seals"], boxes, strict=True):
            assert [line["text"] for line in seal["lines"]] == crop["rec_texts"]
            assert [line["score"] for line in seal["lines"]] == crop["rec_scores"]
            assert seal["detection_score"] == box["score"]
            np.testing.assert_allclose(seal["bbox"], box["coordinate"], atol=0.1)
            for line, polygon in zip(seal["lines"], crop["rec_polys"], strict=True):
                left, top = int(box["coordinate"][0]), int(box["coordinate"][1])
                np.testing.assert_allclose(np.array(line["polygon"]), np.array(polygon) + np.array([left, top]), atol=1.01)

    def test_a_place_without_legible_text_is_doubtful(
        self, tiny_pipeline: SealPipeline, tiny_page: Draw, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        box = (20.0, 30.0, 120.0, 90.0)
        place = Region(16, "seal", 0.7, box, legible_from=1.1)
        monkeypatch.setattr("sealread.pipeline.search", lambda *_: ([place], []))
        page = np.ascontiguousarray(np.rot90(tiny_page(400, 300), -1))
        result = first(tiny_pipeline, page)
        assert result["doc_preprocessor_res"]["angle"] == 90
        assert result["seals"] == result["seal_res_list"] == result["layout_det_res"]["boxes"] == []
        assert result["doubtful_places"] == [{"bbox": [300 - 90, 20, 300 - 30, 120], "detection_score": 0.7}]

    def test_a_turn_of_the_page_turns_the_answer(self, pipeline: SealPipeline) -> None:
        """The packaged networks: a drawn seal, upright and turned, is found in the same place of the page."""
        from sealread.selfcheck import DRAWN_TEXT, drawn_seal

        page = np.full((700, 500, 3), 255, np.uint8)
        page[300:620, 100:420] = drawn_seal()
        given = {"boxes": [{"cls_id": 16, "label": "seal", "score": 1.0, "coordinate": [100, 300, 420, 620]}]}
        result = first(pipeline, page, layout_det_res=given, use_doc_orientation_classify=False)
        [seal] = result["seals"]
        assert [line["text"] for line in seal["lines"]] == [DRAWN_TEXT]
        assert seal["rotation"] == pytest.approx(0, abs=5)
        polygon = np.array(seal["lines"][0]["polygon"])
        np.testing.assert_allclose(polygon.mean(axis=0), [260, 460], atol=12)


ODD = {
    "one pixel": np.zeros((1, 1, 3), np.uint8),
    "six pixels": np.zeros((2, 3, 3), np.uint8),
    "a line of pixels": np.full((1, 900, 3), 255, np.uint8),
    "a very long line of pixels": np.full((60_000, 1, 3), 255, np.uint8),
    "very wide": np.random.default_rng(0).integers(0, 256, (12, 6000, 3), dtype=np.uint8),
    "very tall": np.full((6000, 12, 3), 255, np.uint8),
    "grey": np.full((50, 60), 255, np.uint8),
    "one channel": np.full((50, 60, 1), 255, np.uint8),
    "four channels": np.full((50, 60, 4), 200, np.uint8),
    "sixteen bits": np.full((50, 60, 3), 60000, np.uint16),
    "float": np.full((50, 60, 3), 0.5, np.float32),
    "double": np.full((50, 60, 3), 255.0),
    "bool": np.ones((40, 40), bool),
    "all red": np.full((200, 200, 3), (0, 0, 255), np.uint8),
    "all black": np.zeros((200, 200, 3), np.uint8),
    "noise": np.random.default_rng(1).integers(0, 256, (300, 400, 3), dtype=np.uint8),
    "a view": np.full((100, 200, 3), 255, np.uint8)[::2, ::-2],
    "read only": np.broadcast_to(np.uint8(255), (60, 70, 3)),
}


@pytest.mark.parametrize("look", [True, False])
@pytest.mark.parametrize("image", ODD.values(), ids=ODD)
def test_odd_images_give_a_result_without_fuss(pipeline: SealPipeline, tiny_pipeline: SealPipeline, image: Any, look: bool) -> None:
    before = image.copy()
    for each in (pipeline, tiny_pipeline):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = first(each, image, use_layout_detection=look)
        assert len(result["seals"]) == len(result["seal_res_list"])
        assert json.loads(json.dumps(result.json, allow_nan=False)) == result.json
        height, width = image.shape[:2]
        for line in itertools.chain(*(seal["lines"] for seal in result["seals"])):
            points = np.array(line["polygon"])
            assert (points > -0.5 * max(width, height)).all()
            assert (points < 1.5 * max(width, height)).all()
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    "image",
    [
        np.full((5, 5, 3), np.nan),
        np.full((5, 5, 3), np.inf),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((1, 5, 5, 3), np.uint8),
        np.zeros((5, 5, 5), np.uint8),
        np.array(["text"]),
        None,
        5,
        {"image": 1},
    ],
)
def test_what_is_no_image_is_an_input_error(tiny_pipeline: SealPipeline, image: Any) -> None:
    with pytest.raises(InputError) as caught:
        list(tiny_pipeline.predict(image))
    assert "\n" not in str(caught.value)
    [result] = tiny_pipeline.predict(image, errors="return")
    assert not result.ok


def test_no_input_gives_no_result(tiny_pipeline: SealPipeline) -> None:
    assert list(tiny_pipeline.predict([])) == []
    assert list(tiny_pipeline.predict(iter(()))) == []


def test_an_interrupted_run_goes_on_where_it_stopped(tiny_pipeline: SealPipeline, tmp_path: Path) -> None:
    """Two files with one stem, and a file of three frames, of which the run had saved the first four pages but one."""
    files = [tmp_path / name for name in ("a/scan.png", "b/scan.png", "book.tif")]
    for file in files:
        file.parent.mkdir(exist_ok=True)
    frames = [np.full((40 + 10 * i, 60, 3), 255, np.uint8) for i in range(5)]
    cv2.imwrite(str(files[0]), frames[0])
    cv2.imwrite(str(files[1]), frames[1])
    cv2.imwritemulti(str(files[2]), frames[2:])
    out = tmp_path / "out"
    read = list(tiny_pipeline.predict([str(file) for file in files], use_layout_detection=False))
    for result in (*read[:2], read[3]):
        result.save_all(out)

    def left(inputs: list[Path] = files) -> list[tuple[Any, Any]]:
        results = tiny_pipeline.predict([str(file) for file in inputs], use_layout_detection=False, resume_from=out)
        return [(Path(result["input_path"]).name, result["page_index"]) for result in results]

    assert left() == [("book.tif", 0), ("book.tif", 2)]
    os.utime(files[0], (2e9, 2e9))  # changed since
    assert left() == [("scan.png", None), ("book.tif", 0), ("book.tif", 2)]
    (out / "scan_2_res.json").write_text("{", encoding="utf-8")
    assert left([*files[:2]]) == [("scan.png", None), ("scan.png", None)]
    assert left([files[1]]) == [("scan.png", None)]  # the name belongs to another file
    with pytest.raises(InputError, match="leave resume_from out"):
        tiny_pipeline.predict(str(files[0]), layout_det_res={"boxes": []}, resume_from=out)


def test_a_white_page_has_no_seal(pipeline: SealPipeline) -> None:
    result = first(pipeline, np.full((800, 600, 3), 255, np.uint8))
    assert result["layout_det_res"]["boxes"] == []
    assert result["seal_res_list"] == result["seals"] == []


def test_a_model_of_ones_own_replaces_one_module(tmp_path: Path) -> None:
    """The tutorial's 4.2: the local path of fine-tuned weights in the configuration, the rest as packaged."""
    config = packaged_config().to_mapping()
    recogniser = config["SubPipelines"]["SealOCR"]["SubModules"]["TextRecognition"]
    recogniser.update(model_name="tiny_rec", model_dir=str(recognition_folder(tmp_path)))
    rows = {row["task"]: row for row in create_pipeline(config=config).describe()}
    assert rows["text_recognition"]["source"] == f"model_dir {tmp_path}"
    assert rows["seal_text_detection"]["name"] == "sealread-seal-det"
    same = override(packaged_config(), {"text_recognition_model_name": "tiny_rec", "text_recognition_model_dir": str(tmp_path)})
    assert same.to_mapping() == config


def test_describe_says_of_each_network_what_it_is(pipeline: SealPipeline) -> None:
    rows = pipeline.describe()
    assert [row["task"] for row in rows] == [
        "doc_text_orientation",
        "image_unwarping",
        "layout_detection",
        "seal_text_detection",
        "text_recognition",
    ]
    for row in rows:
        assert row["name"]
        assert row["source"]
        assert row["licence"]
        assert (row["file"] is None) == (row["sha256"] is None) == (row["engine"] is None)
        if row["engine"] is not None:
            assert row["engine"].startswith(("openvino ", "onnxruntime "))
