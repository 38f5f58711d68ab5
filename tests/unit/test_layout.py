"""Regions as the caller asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealread.errors import ModelError
from sealread.stages.layout import (
    CENTRE,
    DISTANCE_UNIT,
    SEAL_STRIDE,
    SIDES,
    BoxRows,
    LayoutSettings,
    SealFinder,
    decode_centres,
    filtered,
    iou,
)
from sealread.types import Image, Region, Tensor

WIDTH, HEIGHT = 800, 1000
SEAL, TEXT, TABLE, IMAGE, FORMULA = 16, 2, 8, 1, 7
NAMES = {SEAL: "seal", TEXT: "text", TABLE: "table", IMAGE: "image", FORMULA: "formula"}


def region(box: tuple[float, float, float, float], score: float = 0.9, cls_id: int = SEAL) -> Region:
    return Region(cls_id, NAMES[cls_id], score, box)


def kept(regions: Sequence[Region], **options: object) -> list[Region]:
    return filtered(regions, LayoutSettings(**options), WIDTH, HEIGHT)  # type: ignore[arg-type]


# ---------------------------------------------------------------- threshold


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.5, [0.9, 0.6]),
        (0, [0.9, 0.6, 0.4]),
        (1, []),
        ({SEAL: 0.7}, [0.9]),
        ({"seal": 0.3}, [0.9, 0.6, 0.4]),
        ({"text": 0.1}, [0.9, 0.6]),
        ({}, [0.9, 0.6]),
    ],
)
def test_the_threshold_may_be_a_number_or_go_by_class(threshold: object, expected: list[float]) -> None:
    regions = [region((200.0 * i, 0, 200.0 * i + 100, 100), score) for i, score in enumerate((0.9, 0.6, 0.4))]
    assert [r.score for r in kept(regions, threshold=threshold)] == expected


def test_no_regions_stay_no_regions_whatever_is_asked() -> None:
    assert kept([], threshold={SEAL: 0.1}, unclip_ratio={SEAL: (2.0, 2.0)}, merge_mode={SEAL: "small"}) == []


# ---------------------------------------------------------------- overlap


def test_overlap_of_boxes() -> None:
    assert iou((0, 0, 10, 10), (0, 0, 10, 10)) == 1
    assert iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert iou((0, 0, 10, 10), (10, 0, 20, 10)) == 0
    assert iou((3, 3, 3, 3), (3, 3, 3, 3)) == 0


def test_of_two_boxes_of_one_seal_the_better_is_kept() -> None:
    good, bad = region((100, 100, 300, 300)), region((110, 105, 310, 300), 0.8)
    assert kept([bad, good]) == [good]
    assert kept([bad, good], nms=False, merge_mode="union") == [bad, good]


@pytest.mark.parametrize("mode", ["large", "small"])
@pytest.mark.parametrize("nms", [True, False])
def test_near_identical_boxes_do_not_delete_each_other(mode: str, nms: bool) -> None:
    """Quirk 1: with the reference's rule two boxes that share 90 % both go."""
    seal, picture = region((100, 100, 300, 300)), region((101, 101, 301, 300), 0.8, IMAGE)
    assert seal in kept([seal, picture], nms=nms, merge_mode=mode)
    twins = [region((100, 100, 300, 300)), region((100, 100, 300, 300), 0.8)]
    assert kept(twins, nms=nms, merge_mode=mode)[0] == twins[0]
    assert len(kept([region((100, 100, 300, 300)), region((101, 100, 300, 300), 0.8)], nms=nms, merge_mode=mode)) == 1


@pytest.mark.parametrize("cls_id", [TEXT, TABLE, IMAGE])
def test_a_seal_on_something_larger_is_not_part_of_it(cls_id: int) -> None:
    seal, below = region((300, 300, 450, 450)), region((100, 100, 700, 700), 0.95, cls_id)
    assert seal in kept([below, seal], merge_mode="large")
    assert below in kept([below, seal], merge_mode="small")


def test_nested_boxes_of_one_class_follow_the_mode() -> None:
    outer, inner = region((100, 100, 500, 500), 0.8, TABLE), region((200, 200, 300, 300), 0.9, TABLE)
    both = [inner, outer]
    assert kept(both, merge_mode="large") == [outer]
    assert kept(both, merge_mode="small") == [inner]
    assert kept(both, merge_mode="union") == both
    assert kept(both, merge_mode={TABLE: "large"}) == [outer]
    assert kept(both, merge_mode={"table": "small"}) == [inner]
    assert kept(both, merge_mode={SEAL: "large"}) == both


def test_a_picture_as_large_as_the_page_goes_unless_it_is_all_there_is() -> None:
    page = region((0, 0, WIDTH, HEIGHT), 0.9, IMAGE)
    seal = region((300, 300, 450, 450))
    assert kept([page, seal]) == [seal]
    assert kept([page]) == [page]
    assert kept([region((0, 0, 400, HEIGHT), 0.95, IMAGE), seal])[1] == seal


# ---------------------------------------------------------------- growing


def test_boxes_grow_about_their_centre_and_stay_on_the_page() -> None:
    middle, corner = region((300, 400, 400, 500)), region((0, 0, 100, 100), 0.8)
    assert [r.box for r in kept([middle, corner], unclip_ratio=(1.5, 2.0))] == [(275, 350, 425, 550), (0, 0, 125, 150)]
    assert [r.box for r in kept([middle], unclip_ratio={SEAL: (2.0, 1.0)})] == [(250, 400, 450, 500)]
    assert [r.box for r in kept([middle], unclip_ratio={"text": (2.0, 1.0)})] == [middle.box]


def test_boxes_that_end_up_empty_are_dropped() -> None:
    assert kept([region((300, 400, 400, 500))], unclip_ratio=(0, 0)) == []
    assert kept([region((-90, 10, -20, 80)), region((810, 0, 900, 50))]) == []


boxes = st.tuples(st.floats(-50, 850), st.floats(-50, 1050), st.floats(1, 400), st.floats(1, 400))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(boxes, st.floats(0, 1), st.sampled_from(list(NAMES))), max_size=8),
    st.booleans(),
    st.sampled_from(["large", "small"]),
)
def test_what_is_kept_lies_on_the_page_and_no_class_vanishes(
    drawn: list[tuple[tuple[float, float, float, float], float, int]], nms: bool, mode: str
) -> None:
    regions = [region((x, y, x + w, y + h), score, cls_id) for (x, y, w, h), score, cls_id in drawn]
    answer = kept(regions, nms=nms, merge_mode=mode)
    for each in answer:
        x1, y1, x2, y2 = each.box
        assert 0 <= x1 < x2 <= WIDTH and 0 <= y1 < y2 <= HEIGHT and each.score > 0.5
    if nms:
        assert [r.score for r in answer] == sorted((r.score for r in answer), reverse=True)
    # A seal is never lost to something else: were there one on the page, there is one.
    if any(r.cls_id == SEAL and r.score > 0.5 and within_page(r) for r in regions) and all(within_page(r) for r in regions) and not nms:
        assert any(r.cls_id == SEAL for r in answer)


def within_page(r: Region) -> bool:
    return min(r.box) >= 0 and r.box[2] <= WIDTH and r.box[3] <= HEIGHT


# ---------------------------------------------------------------- networks


@dataclass
class Answers:
    """An engine that gives what it was made with, and keeps what it was given."""

    output: Tensor
    inputs: tuple[str, ...] = ("image",)
    plans: bool = False
    name: str = "answers"
    given: list[list[Tensor]] = field(default_factory=list)

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        self.given.append(list(inputs))
        return [self.output]


def seal_maps(height: int, width: int, *seals: tuple[float, tuple[float, float, float, float]]) -> np.ndarray:
    """Maps for an input of ``height x width`` that show seals ``(score, box)``."""
    maps = np.zeros((5, height // SEAL_STRIDE, width // SEAL_STRIDE), np.float32)
    for score, (x1, y1, x2, y2) in seals:
        column, row = int((x1 + x2) / 2 / SEAL_STRIDE), int((y1 + y2) / 2 / SEAL_STRIDE)
        x, y = (column + 0.5) * SEAL_STRIDE, (row + 0.5) * SEAL_STRIDE
        maps[CENTRE, row, column] = score
        maps[CENTRE, row, column + 1] = max(score - 0.2, 0)
        maps[list(SIDES), row, column] = np.log(np.array([x - x1, y - y1, x2 - x, y2 - y]) / DISTANCE_UNIT)
    return maps


def test_painted_seals_come_back_best_first() -> None:
    first, second = (40.0, 60.0, 200.0, 230.0), (300.0, 100.0, 380.0, 180.0)
    rows = decode_centres(seal_maps(320, 480, (0.6, second), (0.9, first), (0.2, (10, 10, 50, 50))), 0.3, 2.0)
    assert rows.shape == (2, 5)
    assert rows[:, 0] == pytest.approx([0.9, 0.6])
    assert rows[:, 1:] == pytest.approx(2 * np.array([first, second]), rel=1e-5)
    assert decode_centres(np.zeros((5, 4, 4), np.float32), 0.3, 1.0).shape == (0, 5)


@pytest.mark.parametrize(("height", "width"), [(1280, 960), (500, 2000), (300, 200), (40, 40)])
def test_the_finder_gives_boxes_in_pixels_of_the_page(height: int, width: int) -> None:
    scale = min(512 / max(height, width), 4)
    box = (0.25 * width, 0.3 * height, 0.6 * width, 0.7 * height)
    seen = tuple(v * scale for v in box)
    canvas = -(-round(height * scale) // 32) * 32, -(-round(width * scale) // 32) * 32
    engine = Answers(seal_maps(*canvas, (0.8, seen))[None])  # type: ignore[arg-type]
    (found,) = SealFinder(engine, 512).find(np.zeros((height, width, 3), np.uint8), 0.5)
    assert engine.given[0][0].shape == (1, 3, *canvas)
    assert (found.label, found.score) == ("seal", pytest.approx(0.8))
    assert found.box == pytest.approx(box, rel=1e-3)


def test_rows_of_an_official_network_are_sorted_named_and_checked() -> None:
    rows = np.array(
        [[0, 0.4, 1, 2, 3, 4], [1, 1.2, 5, 6, 7, 8], [1, 0.1, 0, 0, 1, 1], [9, 0.9, 0, 0, 1, 1], [-1, 0.9, 0, 0, 1, 1]], np.float32
    )
    engine = Answers(rows, ("im_shape", "image", "scale_factor"))
    page: Image = np.zeros((320, 160, 3), np.uint8)
    found = BoxRows(engine, ("text", "seal")).find(page, 0.3)
    assert [(r.cls_id, r.label, r.box) for r in found] == [(1, "seal", (5, 6, 7, 8)), (0, "text", (1, 2, 3, 4))]
    assert [r.score for r in found] == pytest.approx([1.0, 0.4])
    shape, image, factor = engine.given[0]
    assert shape.tolist() == [[640, 640]] and image.shape == (1, 3, 640, 640) and factor.tolist() == [[2, 4]]
    with pytest.raises(ModelError, match="mystery"):
        BoxRows(Answers(rows, ("image", "mystery")), ("text",)).find(page, 0.3)


def test_official_pages_are_stretched_and_filled_up_as_the_card_says() -> None:
    rows = np.zeros((0, 6), np.float32)
    engine = Answers(rows, ("image",))
    page: Image = np.zeros((2, 2, 3), np.uint8)
    page[0] = 255
    assert BoxRows(engine, ("seal",), (100, 60), interpolation=0, stride=32).find(page, 0.3) == []
    (image,) = engine.given[0]
    assert image.shape == (1, 3, 128, 64)
    assert set(np.unique(image).tolist()) == {0.0, 1.0}
    assert (image[:, :, 100:] == 0).all() and (image[..., 60:] == 0).all() and (image[:, :, :50, :60] == 1).all()
