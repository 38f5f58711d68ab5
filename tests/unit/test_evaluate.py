"""The evaluation of a small set with a stand-in for the pipeline, and the format of labels."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sealread
from sealread.errors import InputError, ModelError
from sealread.evaluate import Selection, add_arguments, evaluate, run_cli
from sealread.labels import read_labels
from sealread.metrics import Share
from sealread.report import Report, Turn
from sealread.types import DetectionSettings, Page, PageReading, SealReading, TextLine

SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], dtype=np.float64)


def line(text: str, score: float, polygon: np.ndarray = SQUARE, kept: bool = True) -> TextLine:
    return TextLine(text, score, "horizontal", polygon, polygon, 1.0, (score,) * len(text), np.zeros((len(text), 2)), kept)


def seal(box: tuple[float, float, float, float], *lines: TextLine) -> SealReading:
    blank = np.zeros((1, 1, 3), dtype=np.uint8)
    return SealReading(1, (0, 0, 1, 1), blank, box, 1.0, None, lines)


@dataclass
class FakeResult:
    page_reading: PageReading | None = None
    error: Exception | None = None

    @property
    def reading(self) -> PageReading:
        assert self.page_reading is not None, "a failed result has no reading"
        return self.page_reading

    def save_to_img(self, save_path: str) -> None:
        Path(save_path, "saved.txt").write_text("saved", encoding="utf-8")


@dataclass
class FakePipeline:
    """Answers with prepared seals by file name, or with an error; remembers how it was asked."""

    seals: dict[str, list[SealReading] | Exception]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    wrong_turn: int | None = None

    def predict(self, input: Any, **parameters: Any) -> Iterator[FakeResult]:
        if isinstance(input, np.ndarray):  # a turned page: the page of these tests has one bright corner, its top left
            corners = [input[0, 0, 0], input[0, -1, 0], input[-1, -1, 0], input[-1, 0, 0]]
            angle = int(np.argmax(corners)) * 90  # clockwise place of the corner is the turn back, counter-clockwise
            yield FakeResult(reading([], 0 if angle == self.wrong_turn else angle))
            return
        name = Path(input).name
        self.asked.append((name, parameters))
        prepared = self.seals[name]
        yield FakeResult(error=prepared) if isinstance(prepared, Exception) else FakeResult(reading(prepared))


def reading(seals: list[SealReading], angle: int = 0) -> PageReading:
    image = np.zeros((4, 6, 3), dtype=np.uint8)
    image[0, 0] = 255
    settings = DetectionSettings(736, "min", 0.2, 4000, 0.6, 0.5)
    return PageReading(Page(image), True, True, False, True, angle, image, image, None, tuple(seals), settings, 0.0)


def label(file: str, kind: str, *seals: dict[str, Any], negative: bool = False) -> dict[str, Any]:
    return {"file": f"images/{file}", "kind": kind, "negative": negative, "language": "zh", "seals": list(seals), "notes": "drawn"}


def true_seal(bbox: list[int], *texts: str, shape: str = "round", **more: Any) -> dict[str, Any]:
    return {
        "shape": shape,
        "colour": "red",
        "bbox": bbox,
        "legible": True,
        "texts": [{"text": text, "role": "outer_arc" if i == 0 else "horizontal", "curved": i == 0} for i, text in enumerate(texts)],
        **more,
    }


@pytest.fixture
def small_set(tmp_path: Path) -> Path:
    crop = true_seal([0, 0, 100, 100], "甲乙丙丁", "合同专用章")
    crop["texts"][0]["polygon"] = SQUARE.tolist()
    labels = [
        label("crop.png", "seal_crop", crop),
        label("code.png", "seal_crop", true_seal([0, 0, 250, 240], "某某学校", shape="oval", unread=["code"])),
        label("broken.png", "seal_crop", true_seal([0, 0, 400, 400], "某某医院")),
        label(
            "page.png",
            "document",
            true_seal([0, 0, 100, 100], "甲方公司"),
            true_seal([200, 0, 300, 100], "乙方公司"),
            true_seal([400, 0, 500, 100], "有限公司", partial=True),
            true_seal([600, 0, 700, 100], legible=False),
        ),
        label("empty.png", "document", negative=True),
    ]
    (tmp_path / "labels.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in labels) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def pipeline() -> FakePipeline:
    return FakePipeline(
        {
            "crop.png": [seal((0, 0, 100, 100), line("合同专用章", 0.97), line("甲乙丙丙", 0.95), line("左侧", 0.2, kept=False))],
            "code.png": [seal((0, 0, 250, 240), line("某某学校", 0.99), line("4201", 0.99))],
            "broken.png": InputError("broken.png is truncated: send it again."),
            "page.png": [
                seal((0, 0, 100, 90), line("甲方公司", 0.8)),
                seal((600, 0, 700, 100), line("印", 0.3)),
                seal((250, 0, 350, 100), line("乙方公司", 0.9)),  # IoU 1/3 with the second seal: neither found nor alarm
                seal((800, 800, 900, 900)),
            ],
            "empty.png": [seal((10, 10, 20, 20)), seal((30, 30, 40, 40))],
        }
    )


def totals(report: Report) -> dict[str, Share]:
    return {measure.key: measure.share for measure in report.measures()}


def test_figures_of_a_small_set(small_set: Path, pipeline: FakePipeline) -> None:
    figures = totals(evaluate(small_set, pipeline))
    assert figures["crops_lines_exact"] == Share(2, 4)  # 合同专用章 and 某某学校; the unreadable file counts
    assert figures["crops_one_minus_ned"] == Share(2.75, 4)
    assert figures["crops_whole_seals"] == Share(1, 3)
    assert figures["crops_confident_wrong"] == Share(1, 3)  # 甲乙丙丙; 4201 stands on a seal with unread lines
    assert figures["documents_seals_found"] == Share(1, 2)  # the partial and the illegible one do not count
    assert figures["documents_false_alarms_on_negatives"] == Share(2, 1)
    assert figures["documents_false_alarms_elsewhere"] == Share(1, 1)
    assert figures["documents_lines_exact"] == Share(1, 1)
    assert figures["documents_all_lines_exact"] == Share(1, 2)
    assert figures["documents_turned_right"].value is None
    assert figures["outlines_recall"] == Share(1, 1)
    assert figures["outlines_precision"].value is None  # no seal here has all its lines outlined


def test_crops_are_read_as_one_seal_and_documents_with_defaults(small_set: Path, pipeline: FakePipeline) -> None:
    evaluate(small_set, pipeline)
    off = {"use_layout_detection": False, "use_doc_orientation_classify": False, "use_doc_unwarping": False}
    assert [name for name, _ in pipeline.asked] == ["crop.png", "code.png", "broken.png", "page.png", "empty.png"]
    assert [parameters for _, parameters in pipeline.asked] == [{"errors": "return"} | off] * 3 + [{"errors": "return"}] * 2


def test_slices(small_set: Path, pipeline: FakePipeline) -> None:
    slices = evaluate(small_set, pipeline).slices()
    assert {value: measures[0].share for value, measures in slices["crops"]["shape"].items()} == {"oval": Share(1, 1), "round": Share(1, 3)}
    assert set(slices["crops"]["size"]) == {"under 200 px", "200-300 px", "over 300 px"}
    assert {role: measures[0].share for role, measures in slices["crops"]["role"].items()} == {
        "horizontal": Share(1, 1),
        "outer_arc": Share(1, 3),
    }
    assert slices["documents"]["colour"]["red"][0].share == Share(1, 2)  # seals found


def test_turned_documents(small_set: Path, pipeline: FakePipeline) -> None:
    report = evaluate(small_set, pipeline, selection=Selection(kind="document"), turned=True)
    assert totals(report)["documents_turned_right"] == Share(6, 6)
    pipeline.wrong_turn = 180
    report = evaluate(small_set, pipeline, selection=Selection(kind="document"), turned=True)
    assert totals(report)["documents_turned_right"] == Share(4, 6)
    assert report.images[0].turns == (Turn(90, 270), Turn(180, 0), Turn(270, 90))
    assert not Turn(180, -1).right


def test_a_crop_with_several_labelled_seals_counts_as_one(tmp_path: Path) -> None:
    labels = label("two.png", "seal_crop", true_seal([0, 0, 90, 90], "甲公司"), true_seal([90, 0, 180, 90], "乙公司", unread=["code"]))
    (tmp_path / "labels.jsonl").write_text(json.dumps(labels), encoding="utf-8")
    figures = totals(evaluate(tmp_path, FakePipeline({"two.png": [seal((0, 0, 180, 90), line("乙公司", 0.9), line("99", 0.95))]})))
    assert figures["crops_lines_exact"] == Share(1, 2)
    assert figures["crops_whole_seals"] == Share(0, 1)
    assert figures["crops_confident_wrong"] == Share(0, 1)


def test_a_document_that_fails_loses_its_seals_and_its_turns(small_set: Path, pipeline: FakePipeline) -> None:
    pipeline.seals["page.png"] = InputError("page.png is empty: send it again.")
    figures = totals(evaluate(small_set, pipeline, selection=Selection(only="page.png"), turned=True))
    assert figures["documents_seals_found"] == Share(0, 2)
    assert figures["documents_all_lines_exact"] == Share(0, 2)
    assert figures["documents_turned_right"] == Share(0, 3)


def test_selection(small_set: Path, pipeline: FakePipeline) -> None:
    def files(selection: Selection) -> list[str]:
        return [image.label.file for image in evaluate(small_set, pipeline, selection=selection).images]

    assert files(Selection(kind="seal_crop", limit=2)) == ["images/crop.png", "images/code.png"]
    assert files(Selection(only="e*.png")) == files(Selection(only="images/e*")) == ["images/empty.png"]
    with pytest.raises(InputError, match="widen"):
        evaluate(small_set, pipeline, selection=Selection(only="nothing"))


def test_report_as_json_and_text(small_set: Path, pipeline: FakePipeline) -> None:
    report = evaluate(small_set, pipeline)
    whole = json.loads(json.dumps(report.to_dict()))
    assert whole["totals"]["crops_lines_exact"] == {"value": 0.5, "hits": 2, "count": 4}
    assert whole["failed"] == 1
    assert whole["detail"][2]["error"] == "broken.png is truncated: send it again."
    assert whole["detail"][0]["seals"][0]["lines"][0] == {
        "true": "甲乙丙丁",
        "read": "甲乙丙丙",
        "role": "outer_arc",
        "distance": 0.25,
        "exact": False,
        "score": 0.95,
    }
    assert [row["count"] for row in whole["reliability"]["crops"]["bins"]][-1] == 3
    assert "甲" not in json.dumps(report.to_dict(texts=False), ensure_ascii=False)
    assert "crops: lines exact" in report.table()
    assert "2 of 4" in report.table()


def test_worst_images_come_first_and_say_why(small_set: Path, pipeline: FakePipeline) -> None:
    report = evaluate(small_set, pipeline)
    # page: a missed seal and its line, a false alarm; empty: two false alarms; broken: a line; crop: a quarter of one
    assert [(image.label.file, image.loss) for image in report.worst(9)] == [
        ("images/page.png", 3.0),
        ("images/empty.png", 2.0),
        ("images/broken.png", 1.0),
        ("images/crop.png", 0.25),
    ]
    described = report.worst_table(4)
    assert "not found" in described and "甲乙丙丁 -> 甲乙丙丙" in described and "truncated" in described


def test_command_line(
    small_set: Path, pipeline: FakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[dict[str, Any]] = []

    def create_pipeline(**options: Any) -> FakePipeline:
        made.append(options)
        return pipeline

    monkeypatch.setattr(sealread, "create_pipeline", create_pipeline, raising=False)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    pipeline.seals["empty.png"] = ModelError("The layout network is missing: install it.")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    out = tmp_path / "figures.json"
    status = run_cli(parser.parse_args([str(small_set), "--json", str(out), "--worst", "1", "--save_pictures", str(pictures)]))
    printed = capsys.readouterr()
    assert status == 3  # the worst of InputError (2) and ModelError (3)
    assert made == [{"pipeline": "seal_recognition"}]
    assert json.loads(out.read_text(encoding="utf-8"))["images"] == 5
    assert "images/page.png: loss" in printed.out and "images/broken.png failed" in printed.err
    assert (pictures / "saved.txt").exists()
    for options in (["--limit", "0"], ["--worst", "-1"]):
        with pytest.raises(InputError, match=options[0]):
            run_cli(parser.parse_args([str(small_set), *options]))
    with pytest.raises(InputError, match="cannot be written"):
        run_cli(parser.parse_args([str(small_set), "--limit", "1", "--json", str(small_set / "labels.jsonl" / "x.json")]))


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ("{", "labels.jsonl:1"),
        (json.dumps({"file": "a.png", "kind": "photo"}), "kind"),
        (
            json.dumps({"file": "a.png", "kind": "document", "seals": [{"shape": "round", "colour": "red", "bbox": [1], "texts": []}]}),
            "seals.0.bbox",
        ),
    ],
)
def test_a_line_that_is_no_label(tmp_path: Path, row: str, part: str) -> None:
    (tmp_path / "labels.jsonl").write_text(row, encoding="utf-8")
    with pytest.raises(InputError, match="is no label") as caught:
        read_labels(tmp_path)
    assert part in str(caught.value)


def test_a_folder_without_labels(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"labels\.jsonl"):
        read_labels(tmp_path)


@pytest.mark.parametrize("turn", [0, 30, -90, 170])
def test_rotation_from_the_outline_of_the_outer_arc(tmp_path: Path, turn: float) -> None:
    angles = np.radians(np.linspace(-150, 150, 12) + turn)  # clockwise from up
    outer = np.stack([100 + 90 * np.sin(angles), 100 - 90 * np.cos(angles)], axis=1)
    inner = np.stack([100 + 60 * np.sin(angles), 100 - 60 * np.cos(angles)], axis=1)[::-1]
    crop = true_seal([0, 0, 200, 200], "某某公司")
    crop["texts"][0]["polygon"] = np.concatenate([outer, inner]).tolist()
    (tmp_path / "labels.jsonl").write_text(json.dumps(label("a.png", "seal_crop", crop)), encoding="utf-8")
    assert read_labels(tmp_path)[0].seals[0].rotation == pytest.approx(turn)


def test_the_real_labels_are_read(realseals: Path) -> None:
    images = read_labels(realseals)
    crops = [image for image in images if image.kind == "seal_crop"]
    assert len(images) == 91 and len(crops) == 45
    assert sum(len(each.texts) for image in crops for each in image.seals) == 93
    assert sum(image.negative for image in images) == 15
    assert all((realseals / image.file).is_file() for image in images)
