"""From a crop to the network's input, and from its answer back to pixels of the crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
import pytest

from sealread.bands import CORE, HEIGHT, HEIGHT_UNIT, REGION, RIGHT_X, STRIDE
from sealread.stages.detection import Detector, network_size
from sealread.types import DetectionSettings, Image, Tensor


@pytest.mark.parametrize(
    ("height", "width", "side", "limit", "most", "expected"),
    [
        (300, 300, 736, "min", 4000, (736, 736)),
        (400, 600, 736, "min", 4000, (736, 1088)),
        (800, 900, 736, "min", 4000, (800, 896)),
        (1000, 500, 736, "max", 4000, (736, 384)),
        (500, 300, 736, "max", 4000, (512, 288)),
        (500, 250, 736, "resize_long", 4000, (736, 384)),
        (1472, 736, 736, "resize_long", 4000, (736, 384)),
        (100, 1000, 736, "min", 4000, (384, 4000)),
        (10, 10, 16, "max", 4000, (32, 32)),
        (1, 1000, 64, "max", 4000, (32, 64)),
    ],
)
def test_sizes_follow_the_limit(height: int, width: int, side: int, limit: str, most: int, expected: tuple[int, int]) -> None:
    assert network_size(height, width, side, limit, most) == expected


def dark(batch: Tensor) -> np.ndarray:
    """Where the network's input is darker than grey, as a share of one."""
    return (batch.mean(axis=1) < -0.5).astype(np.float32)


@dataclass
class DarkIsText:
    """A detector that takes what is dark for text; as bands it knows horizontal lines only."""

    family: Literal["bands", "outlines"]
    name: str = "dark is text"
    inputs: tuple[str, ...] = ("x",)
    plans: bool = False
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        (batch,) = inputs
        self.shapes.append(batch.shape)
        if self.family == "outlines":
            return [dark(batch)[:, None]]
        return [np.stack([self._bands(mask) for mask in dark(batch)[:, ::STRIDE, ::STRIDE]])]

    @staticmethod
    def _bands(mask: np.ndarray) -> np.ndarray:
        maps = np.zeros((5, *mask.shape), np.float32)
        maps[REGION] = mask
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
        for x, y, w, h, _ in stats[1:]:
            # The core: 0.4 of the height, and 0.35 of it shorter at either end.
            trim, middle = 0.35 * h, y + h / 2
            maps[CORE, round(middle - 0.2 * h) : round(middle + 0.2 * h), round(x + trim) : round(x + w - trim)] = 1
            maps[HEIGHT, y : y + h, x : x + w] = np.log(h / 2 * STRIDE / HEIGHT_UNIT)
            maps[RIGHT_X, y : y + h, x : x + w] = 1
        return maps


def settings_of(limit: str, side: int, most: int = 4000) -> DetectionSettings:
    return DetectionSettings(side, limit, 0.3, most, 0.5, 0.5)


def detector(family: Literal["bands", "outlines"]) -> Detector:
    return Detector(DarkIsText(family), family)


def with_bar(height: int, width: int) -> tuple[Image, np.ndarray]:
    """A white crop with a dark bar, and the bar's corners left top, right bottom."""
    crop = np.full((height, width, 3), 255, np.uint8)
    thick = max(min(height, width) // 6, 8)
    x1, x2, y = round(0.25 * width), round(0.25 * width) + min(6 * thick, round(0.6 * width)), round(0.6 * height)
    crop[y : y + thick, x1:x2] = 0
    return crop, np.array([[x1, y], [x2, y + thick]], dtype=np.float64)


SIZES = [(300, 300), (200, 500), (600, 150), (90, 120), (1000, 900), (61, 60), (333, 257)]
LIMITS = [("min", 320), ("max", 320), ("max", 2000), ("resize_long", 320), ("min", 64), ("resize_long", 700)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("limit", "side"), LIMITS)
@pytest.mark.parametrize("family", ["bands", "outlines"])
def test_points_come_back_in_pixels_of_the_crop(family: Literal["bands", "outlines"], size: tuple[int, int], limit: str, side: int) -> None:
    crop, corners = with_bar(*size)
    (lines,) = detector(family).find([crop], settings_of(limit, side))
    (line,) = lines
    thick = corners[1, 1] - corners[0, 1]
    seen = thick * min(network_size(*size, side, limit, 4000)) / min(size)
    # An outline is widened by half of area over perimeter, about a fifth of the thickness; small inputs blur it.
    room = 0.25 * thick + 4 * thick / seen
    found = np.stack([line.polygon.min(axis=0), line.polygon.max(axis=0)])
    assert np.abs(found - corners).max() < room
    assert 0.5 <= line.score <= 1


@pytest.mark.parametrize("size", [(20, 30), (10, 40), (31, 31)])
def test_tiny_crops_keep_their_coordinates(size: tuple[int, int]) -> None:
    """Quirk 14: the reference maps points with the size before padding."""
    crop = np.full((*size, 3), 255, np.uint8)
    height, width = size
    crop[height // 4 : height // 4 + height // 2, width // 5 : width // 5 + width // 2] = 0
    ((line,),) = detector("outlines").find([crop], settings_of("min", 320))
    middle = (line.polygon.min(axis=0) + line.polygon.max(axis=0)) / 2
    assert np.allclose(middle, [width // 5 + width // 2 / 2, height // 4 + height // 2 / 2], atol=1)


@pytest.mark.parametrize("family", ["bands", "outlines"])
def test_crops_of_any_sizes_are_answered_in_order(family: Literal["bands", "outlines"]) -> None:
    made = [with_bar(*size) for size in SIZES]
    crops = [crop for crop, _ in made] + [np.full((50, 80, 3), 255, np.uint8)]
    finder = detector(family)
    together = finder.find(crops, settings_of("max", 320))
    assert [len(lines) for lines in together] == [1] * len(made) + [0]
    for crop, lines in zip(crops, together, strict=True):
        (alone,) = finder.find([crop], settings_of("max", 320))
        assert [each.polygon.tolist() for each in alone] == [each.polygon.tolist() for each in lines]
    assert finder.find([], settings_of("max", 320)) == []


def test_small_crops_share_runs_and_every_side_is_a_multiple_of_32() -> None:
    engine = DarkIsText("bands")
    Detector(engine, "bands").find(
        [with_bar(*size)[0] for size in ((300, 300), (200, 310), (300, 310), (640, 640), (310, 150))], settings_of("max", 320)
    )
    # Sides differ by multiples of 64.
    assert sorted(engine.shapes) == [(1, 3, 192, 320), (1, 3, 288, 288), (1, 3, 320, 192), (2, 3, 320, 320)]
    engine.shapes.clear()
    Detector(engine, "bands").find([with_bar(700, 1000)[0]], settings_of("min", 600))
    ((_, _, height, width),) = engine.shapes
    assert height % 32 == 0 and width % 32 == 0


def test_an_engine_that_plans_sees_batches_of_one_size() -> None:
    crops = [with_bar(*size)[0] for size in SIZES]
    usual, planning = DarkIsText("bands"), DarkIsText("bands", plans=True)
    expected, answers = (Detector(engine, "bands").find(crops, settings_of("max", 320)) for engine in (usual, planning))
    assert [[line.polygon.tolist() for line in lines] for lines in answers] == [
        [line.polygon.tolist() for line in lines] for lines in expected
    ]
    assert {shape[0] for shape in usual.shapes} != {4}
    assert {shape[0] for shape in planning.shapes} == {4}


@pytest.mark.parametrize("family", ["bands", "outlines"])
def test_no_side_becomes_longer_than_the_most(family: Literal["bands", "outlines"]) -> None:
    for limit in ("min", "resize_long"):
        engine = DarkIsText(family)
        Detector(engine, family).find([with_bar(100, 900)[0]], settings_of(limit, 2000, most=512))
        assert max(engine.shapes[0][2:]) <= 512
