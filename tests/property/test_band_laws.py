"""From ideal maps back to the lines that they were painted from: place, direction, columns, whatever the turn of the seal."""

from __future__ import annotations

import numpy as np
import pytest
from figures import Band, arc, judged, overlap, painted, straight
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sealread.bands import CORE, HEIGHT, REGION, RIGHT_X, RIGHT_Y, STRIDE, Limits, bands
from sealread.lines import ReadLine, joined_columns, plan, rotation_of
from sealread.polygons import lengths_along
from sealread.stages.rectification import readings, straighten
from sealread.training.targets import TargetLine, target_maps
from sealread.types import DetectedLine, Recognition, Ribbon

LAW = settings(deadline=None, max_examples=40)
LIMITS = Limits(thresh=0.3, box_thresh=0.5, unclip_ratio=0.5)
SIDE = 320
MIDDLE = (160.0, 160.0)
angles = st.floats(0, 360)


def found(*lines: Band, vertical: bool = False, scale: tuple[float, float] = (2.0, 2.0), limits: Limits = LIMITS) -> list[DetectedLine]:
    """What the ideal maps of a network's input of 320 x 320 pixels show."""
    maps = target_maps([TargetLine(band.top, band.bottom, vertical) for band in lines], SIDE, SIDE).maps
    return bands(maps, scale, limits)


def same_line(line: DetectedLine, band: Band, least: float = 0.85) -> None:
    """The overlap is at least so much; of small bands, what half a pixel of the maps all around leaves."""
    thick, long = float(np.hypot(*(band.top[0] - band.bottom[0]))), float(lengths_along(band.middle)[-1])
    assert overlap(line.polygon, band.polygon) >= min(least, 1 - (STRIDE / 2) * 2 * (thick + long) / (thick * long))
    assert line.ribbon is not None
    assert np.array_equal(line.ribbon.polygon, line.polygon)
    assert 0 <= line.score <= 1 and line.direction > 0.8
    first, last = ((line.ribbon.top[i] + line.ribbon.bottom[i]) / 2 for i in (0, -1))
    assert np.hypot(*(first - band.middle[0])) < 0.7 * thick and np.hypot(*(last - band.middle[-1])) < 0.7 * thick
    # Tops lie on the side of the true tops.
    assert np.hypot(*(line.ribbon.top[0] - band.top[0])) < np.hypot(*(line.ribbon.top[0] - band.bottom[0]))


@LAW
@given(st.floats(45, 130), st.floats(0.12, 0.4), st.floats(40, 320), st.one_of(st.just(1.0), st.floats(0.65, 1)), st.booleans(), angles)
def test_an_arc_comes_back_with_its_direction(radius: float, share: float, span: float, ratio: float, inwards: bool, tilt: float) -> None:
    band = arc(radius, radius * ratio * min(share, 0.3 if inwards else 0.4), 90, span, ratio, inwards=inwards).turned(tilt).moved(*MIDDLE)
    thick = float(np.hypot(*(band.top[0] - band.bottom[0])))
    assume(thick > 12 and lengths_along(band.middle)[-1] > 2.5 * thick)
    (line,) = found(band)
    same_line(line, band)


@LAW
@given(st.floats(60, 260), st.floats(14, 60), angles)
def test_a_straight_line_comes_back_with_its_direction(length: float, thick: float, degrees: float) -> None:
    assume(length > 2.2 * thick)
    band = straight(length, thick, degrees).moved(*MIDDLE)
    (line,) = found(band)
    same_line(line, band, 0.87)
    assert line.ribbon is not None and line.ribbon.cells == 0
    assert line.upright is not None and np.cos(np.radians(line.upright - degrees)) > 0.99


@LAW
@given(st.integers(2, 6), st.floats(20, 44), angles)
def test_a_column_comes_back_with_the_number_of_its_characters(cells: int, size: float, degrees: float) -> None:
    assume(cells * size < 230)
    # A column runs down: a line that is read downwards, turned with the seal.
    band = straight(cells * size, size, 90 + degrees).moved(*MIDDLE)
    (line,) = found(band, vertical=True)
    same_line(line, band)
    assert line.ribbon is not None and line.ribbon.cells == cells
    assert line.upright is not None and np.cos(np.radians(line.upright - degrees)) > 0.99


@LAW
@given(angles)
def test_columns_are_read_from_right_to_left_however_the_seal_is_turned(degrees: float) -> None:
    columns = [straight(138, 46, 90).moved(x, 0).turned(degrees).moved(*MIDDLE) for x in (-60, 0, 60)]
    read = []
    for planned in plan(found(*columns, vertical=True)):
        (ribbon,), *_ = planned.choices
        strip = straighten(np.zeros((SIDE, SIDE, 3), np.uint8), ribbon, 48)
        assert strip is not None and ribbon.cells == 3
        read.append(ReadLine(planned.polygon, planned.score, (ribbon,), (strip,), Recognition("之印章", 0.9)))
    (joined,) = joined_columns(read)
    centres = [ribbon.polygon.mean(axis=0) for ribbon in joined.choice]
    wanted = [column.polygon.mean(axis=0) for column in columns[::-1]]
    assert np.abs(np.array(centres) - np.array(wanted)).max() < 5


@LAW
@given(angles, st.floats(200, 290))
def test_a_whole_seal_comes_back_with_its_rotation(degrees: float, span: float) -> None:
    seal = [
        arc(122, 36, -90 - span / 2, span),
        arc(122, 16, 90 + 25, 50, inwards=True),
        straight(110, 26).moved(0, 40),
    ]
    lines = [line.turned(degrees).moved(*MIDDLE) for line in seal]
    answers = found(*lines)
    assert len(answers) == 3
    for band in lines:
        same_line(max(answers, key=lambda line: overlap(line.polygon, band.polygon)), band)
    ribbons = [line.ribbon for line in answers if line.ribbon is not None]
    middles = [(ribbon.top + ribbon.bottom) / 2 for ribbon in ribbons]
    rotation = rotation_of(middles, [False] * 3, [1.0] * 3)
    assert rotation is not None and np.cos(np.radians(rotation - degrees)) > np.cos(np.radians(4))


@LAW
@given(st.floats(60, 120), st.floats(0.15, 0.3), st.floats(80, 310), st.booleans(), angles)
def test_the_strip_of_a_found_line_shows_the_text_undistorted(radius: float, share: float, span: float, inwards: bool, tilt: float) -> None:
    band = arc(radius, radius * share, 90, span, inwards=inwards).turned(tilt).moved(*MIDDLE)
    (line,) = found(band)
    (ribbon,) = readings(line)
    strip = straighten(painted(band, SIDE, SIDE), ribbon, 48)
    assert strip is not None and judged(strip.image).good


@LAW
@given(st.floats(0.4, 4), st.floats(0.4, 4))
def test_a_stretched_input_gives_points_of_the_crop(across: float, down: float) -> None:
    assume(0.6 < across / down < 1.7)
    stretch = np.array([across, down])
    # What is a straight line for the network is one on the crop.
    band = straight(180, 40, 0).moved(*MIDDLE)
    truth = Band(band.top * stretch, band.bottom * stretch)
    maps = target_maps([TargetLine(band.top, band.bottom)], SIDE, SIDE).maps
    maps[HEIGHT] += np.float32(0.5 * np.log(down / across))
    (line,) = bands(maps, (2 * across, 2 * down), LIMITS)
    same_line(line, truth, 0.8)


def test_a_higher_unclip_ratio_widens_a_band_and_the_neutral_one_leaves_it() -> None:
    band = straight(200, 40).moved(*MIDDLE)
    heights = []
    for ratio in (0.0, 0.5, 2.0):
        (line,) = found(band, limits=Limits(0.3, 0.5, ratio))
        assert line.ribbon is not None
        heights.append(float(np.hypot(*(line.ribbon.top - line.ribbon.bottom).T).mean()))
    assert heights == pytest.approx([40 / 1.5, 40, 80], rel=0.03)


def test_doubt_about_the_direction_is_told() -> None:
    band = straight(200, 40).moved(*MIDDLE)
    maps = target_maps([TargetLine(band.top, band.bottom)], SIDE, SIDE).maps
    maps[[RIGHT_X, RIGHT_Y]] *= 0.2
    (line,) = bands(maps, (2.0, 2.0), LIMITS)
    assert line.direction == pytest.approx(0.2, abs=0.02)
    assert len(readings(line)) == 2


def test_thresholds_are_honoured() -> None:
    weak, strong = straight(120, 30).moved(160, 80), straight(160, 30).moved(160, 220)
    maps = target_maps([TargetLine(b.top, b.bottom) for b in (weak, strong)], SIDE, SIDE).maps
    maps[CORE, :80] *= 0.45
    maps[CORE, 80:] *= 0.9
    assert len(bands(maps, (2.0, 2.0), Limits(0.3, 0.4, 0.5))) == 2
    (only,) = bands(maps, (2.0, 2.0), Limits(0.3, 0.6, 0.5))
    assert only.score == pytest.approx(0.9) and only.polygon[:, 1].min() > 180
    (only,) = bands(maps, (2.0, 2.0), Limits(0.5, 0.0, 0.5))
    (largest,) = bands(maps, (2.0, 2.0), Limits(0.3, 0.0, 0.5, max_candidates=1))
    assert largest.polygon[:, 1].min() > 180
    above, below = bands(maps, (2.0, 2.0), Limits(0.3, 0.0, 0.5))
    assert above.polygon[:, 1].min() < below.polygon[:, 1].min()


@pytest.mark.parametrize("height", [32, 96])
def test_empty_maps_show_nothing(height: int) -> None:
    assert bands(np.zeros((5, height // 2, 40), np.float32), (2.0, 2.0), LIMITS) == []
    assert found() == []


@LAW
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.6))
def test_noise_never_raises(seed: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    maps = rng.normal(0, 1, (5, 40, 40)).astype(np.float32)
    maps[[CORE, REGION]] = rng.random((2, 40, 40)) < density
    for line in bands(maps, (2.0, 3.0), Limits(0.3, 0.0, 0.5)):
        assert isinstance(line.ribbon, Ribbon) and np.isfinite(line.polygon).all()
