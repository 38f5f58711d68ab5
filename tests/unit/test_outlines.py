"""From the probability map of a DB network to outlines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from figures import arc, outline, overlap, straight

from sealread.bands import Limits
from sealread.outlines import outlines
from sealread.polygons import Points, signed_area

LIMITS = Limits(thresh=0.2, box_thresh=0.6, unclip_ratio=0.5)
SIZE = (200, 300)


def painted_map(*polygons: Points, value: float = 0.9) -> np.ndarray:
    probability = np.zeros(SIZE, np.float32)
    for polygon in polygons:
        cv2.fillPoly(probability, [np.round(polygon).astype(np.int32)], value)
    return probability


def rectangle(x: float, y: float, width: float, height: float) -> Points:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])


def test_an_outline_is_widened_by_area_over_perimeter() -> None:
    (line,) = outlines(painted_map(rectangle(50, 60, 100, 20)), (1.0, 1.0), LIMITS, SIZE)
    # 100 x 20 over a perimeter of 240, by half.
    assert line.score == pytest.approx(0.9)
    low, high = line.polygon.min(axis=0), line.polygon.max(axis=0)
    assert np.allclose(low, [50 - 4.17, 60 - 4.17], atol=1) and np.allclose(high, [150 + 4.17, 80 + 4.17], atol=1)
    assert signed_area(line.polygon) > 0


def test_a_ratio_of_nothing_leaves_the_outline() -> None:
    truth = rectangle(50, 60, 100, 20)
    (line,) = outlines(painted_map(truth), (1.0, 1.0), Limits(0.2, 0.6, 0.0), SIZE)
    assert overlap(line.polygon, truth) > 0.97


def test_points_are_pixels_of_the_crop_and_clipped_to_it() -> None:
    (line,) = outlines(painted_map(rectangle(0, 100, 200, 99)), (2.0, 0.5), Limits(0.2, 0.6, 1.5), (100, 600))
    low, high = line.polygon.min(axis=0), line.polygon.max(axis=0)
    assert low[0] == 0 and high[1] == 100
    assert 2 * 200 < high[0] <= 600 and low[1] < 50


def test_thresholds_drop_the_faint() -> None:
    faint = painted_map(rectangle(20, 20, 80, 20), value=0.5)
    both = np.maximum(faint, painted_map(rectangle(20, 100, 80, 20)))
    assert len(outlines(both, (1.0, 1.0), LIMITS, SIZE)) == 1
    assert len(outlines(both, (1.0, 1.0), Limits(0.2, 0.4, 0.5), SIZE)) == 2
    assert len(outlines(both, (1.0, 1.0), Limits(0.6, 0.0, 0.5), SIZE)) == 1
    assert len(outlines(both, (1.0, 1.0), Limits(0.2, 0.0, 0.5, max_candidates=1), SIZE)) == 1


def test_lines_are_sorted_by_their_topmost_point() -> None:
    shown = painted_map(rectangle(20, 120, 80, 20), rectangle(150, 20, 80, 20), rectangle(20, 60, 80, 20))
    tops = [line.polygon[:, 1].min() for line in outlines(shown, (1.0, 1.0), LIMITS, SIZE)]
    assert len(tops) == 3 and tops == sorted(tops)


def test_specks_and_emptiness_give_nothing() -> None:
    assert outlines(np.zeros(SIZE, np.float32), (1.0, 1.0), LIMITS, SIZE) == []
    assert outlines(painted_map(rectangle(50, 50, 2, 2)), (1.0, 1.0), LIMITS, SIZE) == []


def test_an_arc_keeps_its_shape() -> None:
    band = arc(70, 20, 100, 240, centre=(140, 100))
    (line,) = outlines(painted_map(band.polygon), (1.0, 1.0), Limits(0.2, 0.6, 0.0), SIZE)
    assert overlap(line.polygon, band.polygon) > 0.9


def test_an_outline_that_touches_itself_is_not_lost() -> None:
    band = outline(straight(150, 24).moved(150, 100), 30, np.random.default_rng(0))
    shown = painted_map(band)
    # A thread of one pixel that leads to a speck.
    shown[60:89, 100] = 0.9
    shown[58:61, 98:103] = 0.9
    lines = outlines(shown, (1.0, 1.0), Limits(0.2, 0.6, 0.05), SIZE)
    assert len(lines) == 1
    assert overlap(lines[0].polygon, band) > 0.8


def test_a_network_for_straight_text_gives_tightest_rectangles() -> None:
    bent = arc(60, 20, 200, 140, centre=(150, 100)).polygon
    (as_outline,) = outlines(painted_map(bent), (1.0, 1.0), LIMITS, SIZE)
    (as_quad,) = outlines(painted_map(bent), (1.0, 1.0), Limits(0.2, 0.0, 0.5), SIZE, quads=True)
    assert len(as_quad.polygon) == 4
    assert len(as_outline.polygon) > 8
    assert signed_area(as_quad.polygon) > signed_area(as_outline.polygon)
    speck = painted_map(rectangle(10, 10, 1, 30))
    assert outlines(speck, (1.0, 1.0), LIMITS, SIZE, quads=True) == []


def test_text_pixels_grow_by_one_where_that_is_asked_for() -> None:
    probability = painted_map(rectangle(50, 60, 100, 20))
    limits = Limits(0.2, 0.6, 0.0)
    sizes = [np.ptp(outlines(probability, (1.0, 1.0), limits, SIZE, dilate=dilate)[0].polygon, axis=0) for dilate in (False, True)]
    assert (sizes[1] - sizes[0]).tolist() == [1, 1]
