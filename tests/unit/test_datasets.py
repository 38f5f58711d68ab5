"""Data sets of users: what is wrong is said with its place, what is right becomes samples, and nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from datasets import LINE, MAKERS, SEAL, coco_set, coco_table, orientation_set, realseals_set, textdet_set, textrec_set
from numpy.typing import NDArray

from sealread.errors import InputError
from sealread.metrics import polygon_iou
from sealread.training.datasets import DataSet, read_dataset
from sealread.training.datasets.bands import band_of

ALPHABET = frozenset("AB0123 ")
Points = NDArray[np.float64]


def read(folder: Path, task: str) -> DataSet:
    return read_dataset(folder, task, ALPHABET)


def said(dataset: DataSet) -> list[str]:
    return [str(problem) for problem in dataset.problems]


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("task", MAKERS)
def test_a_good_set_is_read_and_left_as_it_is(task: str, tmp_path: Path) -> None:
    folder = MAKERS[task](tmp_path / "set")
    before = content(folder)
    dataset = read(folder, task)
    training, validation = dataset.samples()
    images = [samples[i].image for samples in (training, validation) for i in range(len(samples))]
    assert said(dataset) == []
    assert dataset.usable
    assert (len(training), len(validation), len(images)) == (3, 1, 4)
    assert content(folder) == before


class TestSamples:
    def test_outlines_become_bands_and_ignored_places(self, tmp_path: Path) -> None:
        lines = read(textdet_set(tmp_path / "set"), "seal_text_detection").samples()[1][0].lines
        assert [(line.text, line.ignored, line.vertical) for line in lines] == [("AB12", False, False), ("", True, False)]
        assert lines[0].top[0].tolist() == LINE[0]
        assert lines[0].bottom[-1].tolist() == LINE[2]

    def test_strips_are_one_line_each(self, tmp_path: Path) -> None:
        sample = read(textrec_set(tmp_path / "set"), "text_recognition").samples()[1][0]
        assert sample.strip
        assert [line.text for line in sample.lines] == ["A3B"]

    def test_boxes_of_other_categories_are_left_aside(self, tmp_path: Path) -> None:
        dataset = read(coco_set(tmp_path / "set"), "layout_detection")
        x, y, width, height = SEAL
        assert dataset.samples()[1][0].boxes.tolist() == [[x, y, x + width, y + height]]
        assert dataset.left_aside == {"boxes of table": 4}

    def test_labels_are_quarter_turns(self, tmp_path: Path) -> None:
        sample = read(orientation_set(tmp_path / "set"), "doc_text_orientation").samples()[1][0]
        assert sample.turns == 3
        assert sample.image[-6, 6].tolist() == [30, 30, 30]  # the dark top left corner, turned clockwise by 270 degrees

    @pytest.mark.parametrize(
        ("task", "kind"),
        [
            ("seal_text_detection", "seal_crop"),
            ("text_recognition", "seal_crop"),
            ("text_recognition", "document"),
            ("layout_detection", "document"),
            ("doc_text_orientation", "document"),
        ],
    )
    def test_the_evaluation_sets_format_serves_every_network(self, task: str, kind: str, tmp_path: Path) -> None:
        dataset = read(realseals_set(tmp_path / "set", kind=kind), task)
        sample = dataset.samples()[1][0]
        assert (said(dataset), len(dataset.training)) == ([], 3)
        assert dataset.upright == (task == "doc_text_orientation")
        assert len(sample.boxes) == (task == "layout_detection")
        assert len(sample.lines) == (task in ("seal_text_detection", "text_recognition"))

    def test_without_a_split_every_tenth_image_is_for_validation(self, tmp_path: Path) -> None:
        folder = realseals_set(tmp_path / "set", count=12)
        labels = folder / "labels.jsonl"
        labels.write_text(
            labels.read_text(encoding="utf-8").replace(', "split": "train"', "").replace(', "split": "val"', ""), encoding="utf-8"
        )
        dataset = read(folder, "seal_text_detection")
        assert [record.file.stem for record in dataset.validation] == ["9"]

    def test_outlined_lines_serve_recognition_too(self, tmp_path: Path) -> None:
        dataset = read(textdet_set(tmp_path / "set"), "text_recognition")
        assert (dataset.form, said(dataset)) == ("textdet", [])

    def test_characters_that_the_network_lacks_are_listed(self, tmp_path: Path) -> None:
        dataset = read(textrec_set(tmp_path / "set", characters="AB0123鑫"), "text_recognition")
        assert dataset.new_characters == "鑫"
        assert dataset.summary()["attributes"]["new_characters"] == "鑫"


class TestBands:
    """The order of an outline's points tells where the text begins and where its tops are."""

    QUAD = np.array([[10.0, 10], [90, 14], [89, 34], [9, 30]])

    @pytest.mark.parametrize("first", [0, 2])
    def test_of_a_line_the_first_point_is_where_the_tops_begin(self, first: int) -> None:
        polygon = np.roll(self.QUAD, -first, axis=0)
        band = band_of(polygon, "ABCD")
        assert band is not None
        assert not band.vertical
        np.testing.assert_allclose([band.top[0], band.top[-1]], polygon[:2])

    def test_of_a_column_the_first_side_is_short(self) -> None:
        column = np.array([[10.0, 10], [30, 10], [30, 90], [10, 90]])
        band = band_of(column, "上海市印")
        assert band is not None
        assert band.vertical
        np.testing.assert_allclose([band.top[0], band.bottom[0]], column[[1, 0]])

    def test_a_lone_character_that_is_higher_than_wide_is_no_column(self) -> None:
        band = band_of(np.array([[10.0, 10], [24, 10], [24, 38], [10, 38]]), "印")
        assert band is not None
        assert not band.vertical
        np.testing.assert_allclose([band.top[0], band.top[-1]], [[10, 10], [24, 10]])

    @pytest.mark.parametrize("inwards", [False, True])
    @pytest.mark.parametrize("backwards", [False, True])
    def test_of_an_arc_the_tops_are_where_the_points_begin(self, inwards: bool, backwards: bool) -> None:
        angles = np.radians(np.linspace(-210, 30, 12)) if not inwards else np.radians(np.linspace(150, 30, 12))
        outer, inner = (np.stack([100 + r * np.cos(angles), 100 + r * np.sin(angles)], axis=1) for r in (90, 66))
        top, bottom = (inner, outer) if inwards else (outer, inner)
        polygon = np.concatenate([top, bottom[::-1]])
        if backwards:  # counter-clockwise from the same first point
            polygon = np.concatenate([polygon[:1], polygon[:0:-1]])
        band = band_of(polygon, "某某有限公司")
        assert band is not None
        assert np.hypot(*(band.top[0] - top[0])) < 8
        assert np.hypot(*(band.top[-1] - top[-1])) < 8
        assert polygon_iou(np.concatenate([band.top, band.bottom[::-1]]), polygon) > 0.9


def change(file: str, edit: Callable[[str], str]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / file
        path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")

    return apply


def first_row(row: str) -> Callable[[str], str]:
    return lambda text: "\n".join([row, *text.split("\n")[1:]])


def entry(**keys: Any) -> Callable[[Path], None]:
    label = {"transcription": "AB12", "points": LINE, **keys}
    return change("train.txt", first_row(f"images/0.png\t{json.dumps([label])}"))


def remove(file: str) -> Callable[[Path], None]:
    return lambda folder: (folder / file).unlink()


def overwrite(file: str, data: bytes) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / file).write_bytes(data)

    return apply


def cut_off(folder: Path) -> None:
    path = folder / "images/1.png"
    path.write_bytes(path.read_bytes()[:200])


DETECTION = "seal_text_detection"
FAULTS = [
    (DETECTION, remove("images/1.png"), "train.txt:2: the image 1.png does not exist"),
    (DETECTION, cut_off, "train.txt:2: 1.png"),
    (DETECTION, overwrite("images/1.png", b"no image"), "train.txt:2: 1.png"),
    (DETECTION, overwrite("images/1.png", b""), "train.txt:2: 1.png"),
    (DETECTION, change("train.txt", first_row("images/0.png [{}]")), "train.txt:1: has no tab between the image's path and its label"),
    (DETECTION, change("train.txt", first_row("images/0.png\t[{]")), "train.txt:1: what follows the tab is no JSON"),
    (DETECTION, change("train.txt", first_row('images/0.png\t{"a": 1}')), "train.txt:1: what follows the tab is no JSON list"),
    (DETECTION, change("train.txt", first_row('images/0.png\t[{"points": []}]')), "train.txt:1: line 1 of the image has no transcription"),
    (DETECTION, entry(points=LINE[:2]), "train.txt:1: line 1 (AB12) is an outline of fewer than three points"),
    (DETECTION, entry(points=[[0, 0], [9, "x"], [9, 9]]), "train.txt:1: line 1 (AB12) has a point that is not two numbers"),
    (DETECTION, entry(points=[LINE[0], LINE[2], LINE[1], LINE[3]]), "train.txt:1: line 1 (AB12) crosses itself near 48, 48"),
    (DETECTION, entry(points=[[5, 5], [60, 5], [60, 6]]), "train.txt:1: line 1 (AB12) is too thin for a line of text"),
    (DETECTION, entry(points=[[x + 60, y] for x, y in LINE]), "train.txt:1: line 1 (AB12) lies outside the image of 96 x 96 pixels"),
    (
        DETECTION,
        change("train.txt", lambda text: text + text.split("\n")[0]),
        "train.txt:4: names 0.png a second time; the first is train.txt:1",
    ),
    (
        DETECTION,
        change("val.txt", lambda text: text.replace("3.png", "0.png")),
        "val.txt:1: names 0.png a second time; the first is train.txt:1",
    ),
    (DETECTION, overwrite("train.txt", b"\xff\xfe\n"), "train.txt:1: is not UTF-8 text"),
    (DETECTION, remove("val.txt"), "val.txt: is missing"),
    (DETECTION, overwrite("val.txt", b""), "val.txt: is empty"),
    (
        "text_recognition",
        change("train.txt", first_row("images/0.png\tA9B")),
        "train.txt:1: the text 'A9B' has characters outside the alphabet: 9",
    ),
    ("text_recognition", change("train.txt", first_row("images/0.png\t ")), "train.txt:1: the text ' ' is empty"),
    ("text_recognition", change("train.txt", first_row(f"images/0.png\t{'AB' * 20}")), "is too long for a strip of 96 x 24 pixels"),
    ("text_recognition", change("dict.txt", first_row("AB")), "dict.txt:1: 'AB' is not one character"),
    ("text_recognition", remove("dict.txt"), "dict.txt: is missing"),
    ("doc_text_orientation", change("train.txt", first_row("images/0.png 5")), "train.txt:1: the label '5' is not in label.txt"),
    ("doc_text_orientation", change("label.txt", first_row("0 45")), "label.txt:1: the name '45' is none of 0, 90, 180 and 270"),
    ("doc_text_orientation", remove("label.txt"), "label.txt: is missing"),
]


@pytest.mark.parametrize(("task", "break_it", "complaint"), FAULTS, ids=[fault[2] for fault in FAULTS])
def test_what_is_wrong_is_named_with_its_place(task: str, break_it: Callable[[Path], None], complaint: str, tmp_path: Path) -> None:
    folder = MAKERS[task](tmp_path / "set")
    break_it(folder)
    before = content(folder)
    dataset = read(folder, task)
    assert any(complaint in problem for problem in said(dataset)), said(dataset)
    assert content(folder) == before


def test_only_the_broken_images_are_left_out(tmp_path: Path) -> None:
    folder = textdet_set(tmp_path / "set")
    entry(points=LINE[:2])(folder)
    dataset = read(folder, DETECTION)
    assert [record.file.name for record in dataset.training] == ["1.png", "2.png"]
    assert dataset.usable


def test_an_empty_split_makes_a_set_unusable(tmp_path: Path) -> None:
    folder = textdet_set(tmp_path / "set")
    (folder / "images/3.png").unlink()
    dataset = read(folder, DETECTION)
    assert not dataset.usable
    assert dataset.summary()["check_pass"] is False


TABLE = coco_table(["0.png", "1.png", "2.png"])
COCO_FAULTS: list[tuple[dict[str, Any] | str, str]] = [
    ("{", "annotations/instance_train.json:1: is no JSON"),
    ({**TABLE, "categories": [{"id": 7, "name": "stamp"}]}, "has no category seal"),
    ({key: TABLE[key] for key in ("images", "categories")}, "has no list of annotations"),
    ({**TABLE, "images": [{"id": 1}]}, "images[0] has no id and file_name"),
    ({**TABLE, "annotations": [{"id": 5}]}, "annotations[0] has no image_id, category_id and bbox"),
    ({**TABLE, "annotations": [{"id": 5, "image_id": 99, "category_id": 7, "bbox": SEAL}]}, "annotation 5 belongs to the image 99"),
    ({**TABLE, "annotations": [{"id": 5, "image_id": 1, "category_id": 9, "bbox": SEAL}]}, "annotation 5 has the category 9, which is not"),
    (
        {**TABLE, "annotations": [{"id": 5, "image_id": 1, "category_id": 7, "bbox": [1, 2]}]},
        "annotation 5 of 0.png has a bbox that is not",
    ),
    (
        {**TABLE, "annotations": [{"id": 5, "image_id": 1, "category_id": 7, "bbox": [9, 9, 0, 5]}]},
        "annotation 5 of 0.png is a box without area",
    ),
    (
        {**TABLE, "annotations": [{"id": 5, "image_id": 1, "category_id": 7, "bbox": [50, 9, 60, 5]}]},
        "annotation 5 of 0.png is a box that reaches beyond the image of 96 x 96 pixels",
    ),
    (
        {**TABLE, "images": [{"id": 1, "file_name": "0.png", "width": 50, "height": 96}]},
        "0.png is said to have 50 x 96 pixels, but has 96 x 96",
    ),
]


@pytest.mark.parametrize(("table", "complaint"), COCO_FAULTS, ids=[fault[1] for fault in COCO_FAULTS])
def test_what_is_wrong_with_boxes_is_named(table: dict[str, Any] | str, complaint: str, tmp_path: Path) -> None:
    folder = coco_set(tmp_path / "set")
    text = table if isinstance(table, str) else json.dumps(table)
    (folder / "annotations" / "instance_train.json").write_text(text, encoding="utf-8")
    dataset = read(folder, "layout_detection")
    assert any(problem.startswith("annotations/instance_train.json") and complaint in problem for problem in said(dataset)), said(dataset)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("{", "labels.jsonl:1: is no JSON"),
        ('{"file": "images/0.png"}', "labels.jsonl:1: kind: Field required"),
        ('{"file": "images/9.png", "kind": "document"}', "labels.jsonl:1: the image 9.png does not exist"),
        (
            '{"file": "images/0.png", "kind": "document", "seals": '
            '[{"shape": "round", "colour": "red", "bbox": [0, 0, 500, 5], "texts": []}]}',
            "labels.jsonl:1: bbox [0.0, 0.0, 500.0, 5.0] is a box that reaches beyond the image",
        ),
    ],
)
def test_what_is_wrong_with_labels_is_named(row: str, complaint: str, tmp_path: Path) -> None:
    folder = realseals_set(tmp_path / "set", kind="document")
    change("labels.jsonl", first_row(row))(folder)
    assert [problem[: len(complaint)] for problem in said(read(folder, "layout_detection"))] == [complaint]


def test_images_are_taken_upright_by_exif(tmp_path: Path) -> None:
    from PIL import Image

    folder = textdet_set(tmp_path / "set")
    tag = Image.Exif()
    tag[0x0112] = 6
    wide = cv2.resize(cv2.imread(str(folder / "images/0.png")), (120, 60))
    Image.fromarray(wide).save(folder / "images/0.png", exif=tag)
    dataset = read(folder, DETECTION)
    assert said(dataset) == ["train.txt:1: line 1 (AB12) lies outside the image of 60 x 120 pixels"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "nothing", DETECTION)
