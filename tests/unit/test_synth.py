"""Laws of the synthetic seals: equal seeds give equal images, and the truth is where the ink is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from sealread.errors import InputError
from sealread.training.synth import FONT_PACKAGES, Sample, SealTruth, draw_crop, draw_page
from sealread.training.synth.effects import Bend, View, tilt
from sealread.training.synth.fonts import faces
from sealread.training.synth.formats import FORMS, write_dataset
from sealread.training.synth.illustrations import drawing, gathering, plot
from sealread.training.synth.strips import strip_of


def _fonts_missing() -> str:
    try:
        for language in ("zh", "tw", "ko", "ja", "latin", "cyrillic", "viet", "code"):
            faces(language)
    except InputError as missing:
        return str(missing)
    return ""


pytestmark = pytest.mark.skipif(bool(_fonts_missing()), reason=_fonts_missing() or "fonts are installed")


def _crops(count: int = 24, seed: int = 3) -> list[Sample]:
    return [draw_crop(np.random.default_rng([seed, i]), 240) for i in range(count)]


@pytest.fixture(scope="module")
def crops() -> list[Sample]:
    return _crops()


@pytest.fixture(scope="module")
def pages() -> list[Sample]:
    return [draw_page(np.random.default_rng([4, i]), 480) for i in range(8)]


def _own_lines(samples: list[Sample]) -> list[tuple[Sample, SealTruth]]:
    return [(sample, sample.seals[0]) for sample in samples if sample.seals]


def test_equal_seeds_give_equal_samples_whatever_was_drawn_before(crops: list[Sample]) -> None:
    draw_page(np.random.default_rng(99), 320)
    again = _crops(6)
    for first, second in zip(crops, again, strict=False):
        assert np.array_equal(first.image, second.image)
        assert [seal.bbox for seal in first.seals] == [seal.bbox for seal in second.seals]
        assert [line.text for seal in first.seals for line in seal.lines] == [line.text for seal in second.seals for line in seal.lines]


def test_images_are_bgr_bytes_of_the_size_asked_for(crops: list[Sample], pages: list[Sample]) -> None:
    for sample in crops + pages:
        assert sample.image.dtype == np.uint8 and sample.image.ndim == 3 and sample.image.shape[2] == 3
    assert all(max(sample.image.shape[:2]) <= 240 * 1.3 + 1 for sample in crops)
    assert all(max(sample.image.shape[:2]) == 480 for sample in pages)


def test_every_character_but_spaces_is_listed(crops: list[Sample], pages: list[Sample]) -> None:
    lines = [line for sample in crops + pages for seal in sample.seals for line in seal.lines]
    assert len(lines) > 40
    for line in lines:
        assert "".join(char.text for char in line.chars) == line.text.replace(" ", "")
        assert line.top.shape == line.bottom.shape and 8 <= len(line.top) <= 40


def test_tops_lie_left_of_the_reading_direction(crops: list[Sample], pages: list[Sample]) -> None:
    for sample in crops + pages:
        for seal in sample.seals:
            for line in seal.lines:
                middle = (line.top + line.bottom) / 2
                direction = np.gradient(middle, axis=0)
                side = (line.top - line.bottom) / 2
                assert ((side * np.stack([direction[:, 1], -direction[:, 0]], axis=1)).sum(axis=1) > 0).all()


def test_characters_lie_in_their_band_in_reading_order(crops: list[Sample]) -> None:
    for _, seal in _own_lines(crops):
        for line in seal.lines:
            height = np.hypot(*(line.top - line.bottom).T).max()
            band = line.polygon.astype(np.float32)
            places = []
            for char in line.chars:
                centre = char.quad.mean(axis=0)
                assert cv2.pointPolygonTest(band, (float(centre[0]), float(centre[1])), True) > -0.1 * height
                places.append(int(np.argmin(np.hypot(*((line.top + line.bottom) / 2 - centre).T))))
            assert places == sorted(places)


def test_polygons_run_clockwise_from_the_top_left(crops: list[Sample]) -> None:
    for _, seal in _own_lines(crops):
        for line in seal.lines:
            area = cv2.contourArea(line.polygon.astype(np.float32), oriented=True)
            assert area > 0  # positive is clockwise where y points down
            first = line.chars[0].quad
            assert np.argmin(np.hypot(*(first - line.polygon[0]).T)) == 0


def test_the_seal_of_a_crop_is_mostly_inside(crops: list[Sample]) -> None:
    for sample, seal in _own_lines(crops):
        height, width = sample.image.shape[:2]
        x1, y1, x2, y2 = np.clip(seal.bbox, 0, (width, height, width, height))
        assert (x2 - x1) * (y2 - y1) > 0.75 * (seal.bbox[2] - seal.bbox[0]) * (seal.bbox[3] - seal.bbox[1])
        assert max(x2 - x1, y2 - y1) > 0.5 * max(width, height)


def test_the_rotation_tells_where_the_seal_s_right_is() -> None:
    for i in range(40):
        seal = draw_crop(np.random.default_rng([8, i])).seals[0]
        straight = [line for line in seal.lines if line.role == "horizontal" and not line.curved]
        for line in straight:
            run = (line.top[-1] + line.bottom[-1] - line.top[0] - line.bottom[0]) / 2
            angle = np.rad2deg(np.arctan2(run[1], run[0]))
            assert abs((angle - seal.rotation + 180) % 360 - 180) < 20


def test_bent_and_tilted_points_come_back() -> None:
    rng = np.random.default_rng(0)
    bend = Bend(np.array([4.0, 7.0]), np.array([0.002, 0.003]), 0.7)
    view = View(tilt(rng, 150.0, 0.15), bend)
    points = rng.uniform(-100, 100, (50, 2))
    assert np.abs(view.scene_points(view.points(points)) - points).max() < 1e-3


def test_the_image_goes_where_the_points_go() -> None:
    rng = np.random.default_rng(1)
    scene = np.zeros((300, 300, 3), np.uint8)
    cv2.circle(scene, (150, 120), 3, (255, 255, 255), -1)
    to_centre = np.array([[1, 0, -150], [0, 1, -150], [0, 0, 1.0]])
    homography = np.linalg.inv(to_centre) @ tilt(rng, 150.0, 0.1) @ to_centre
    view = View(homography, Bend(np.array([3.0, 5.0]), np.array([0.002, 0.001]), 0.3))
    bright = view.image(scene, 300, 300)[..., 0].astype(np.float64)
    ys, xs = np.mgrid[0:300, 0:300]
    found = np.array([(xs * bright).sum(), (ys * bright).sum()]) / bright.sum()
    assert np.abs(found - view.points(np.array([[150.0, 120.0]]))[0]).max() < 0.3


def test_strips_are_straight_and_of_one_height(crops: list[Sample]) -> None:
    for sample, seal in _own_lines(crops[:6]):
        for line in seal.lines:
            strip = strip_of(sample.image, line)
            assert strip is not None and strip.shape[0] == 48 and strip.shape[1] >= 4


@pytest.mark.parametrize("form", FORMS)
def test_datasets_parse(form: str, tmp_path: Path) -> None:
    kind = "pages" if form in ("coco", "orientation") else "crops"
    write_dataset(tmp_path, count=6, seed=5, kind=kind, form=form, size=240)
    if form == "realseals":
        rows = [json.loads(row) for row in (tmp_path / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
        assert len(rows) == 6
        assert all((tmp_path / row["file"]).is_file() and row["seals"][0]["texts"] for row in rows)
        return
    if form == "coco":
        for split in ("train", "val"):
            table = json.loads((tmp_path / "annotations" / f"instance_{split}.json").read_text(encoding="utf-8"))
            known = {image["id"] for image in table["images"]}
            assert known and all(box["image_id"] in known for box in table["annotations"])
            assert all((tmp_path / "images" / image["file_name"]).is_file() for image in table["images"])
        return
    rows_by_split = {split: (tmp_path / f"{split}.txt").read_text(encoding="utf-8").splitlines() for split in ("train", "val")}
    assert all(rows_by_split.values())
    known_characters = set((tmp_path / "dict.txt").read_text(encoding="utf-8").split("\n")) if form == "textrec" else set()
    for row in rows_by_split["train"] + rows_by_split["val"]:
        path, label = row.split(" " if form == "orientation" else "\t", maxsplit=1)
        assert (tmp_path / path).is_file()
        if form == "textdet":
            assert all(len(line["points"]) >= 4 for line in json.loads(label))
        elif form == "textrec":
            assert set(label) - {" "} <= known_characters
        else:
            assert label in "0123"


def test_an_unknown_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="realseals"):
        write_dataset(tmp_path, count=1, seed=0, kind="crops", form="yolo")


def test_as_much_as_is_asked_for_is_held_out(tmp_path: Path) -> None:
    for share, least, most in ((0.0, 0, 0), (0.5, 10, 30)):
        write_dataset(tmp_path, count=40, seed=5, kind="crops", form="textdet", size=96, validation=share)
        held_out = (tmp_path / "val.txt").read_text(encoding="utf-8").splitlines()
        assert least <= len(held_out) <= most
    with pytest.raises(InputError, match="below 1"):
        write_dataset(tmp_path, count=4, seed=5, kind="crops", form="textdet", validation=1.0)


@pytest.mark.parametrize("illustration", [drawing, gathering, plot])
def test_illustrations_stay_in_their_place(illustration: Callable[..., None]) -> None:
    for number in range(12):
        rng = np.random.default_rng([7, number])
        page = np.full((200, 300, 3), 255, np.uint8)
        x, y = rng.uniform(-60, 260, 2)
        illustration(rng, page, x, y, 60.0)
        rows, columns = np.nonzero((page != 255).any(axis=2))
        if x >= 0 and 0 <= y < 130:
            assert len(rows)
        if len(rows):
            # The caption of a plot stands below it and may be wider.
            assert illustration is plot or (columns.min() >= x - 1 and rows.min() >= y - 1 and rows.max() <= y + 61)


def test_packages_are_named_once() -> None:
    assert len(set(FONT_PACKAGES)) == len(FONT_PACKAGES)
