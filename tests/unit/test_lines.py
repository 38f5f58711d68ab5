"""Which bands are read, which reading is believed, what a line is on its seal."""

from __future__ import annotations

import numpy as np
import pytest
from figures import Band, arc, straight, turned
from hypothesis import given, settings
from hypothesis import strategies as st

from sealread import lines as rules
from sealread.lines import ReadLine
from sealread.polygons import Points
from sealread.stages.rectification import Strip, straighten
from sealread.types import DetectedLine, Image, Recognition, Ribbon, Role

LAW = settings(deadline=None, max_examples=40)


def detected(band: Band, score: float = 0.9, cells: int = 0, direction: float = 1.0) -> DetectedLine:
    return DetectedLine(band.polygon, score, Ribbon(band.top, band.bottom, cells), direction)


def read(band: Band, text: str = "某某公司", score: float = 0.9, cells: int = 0) -> ReadLine:
    strip = straighten(blank(), Ribbon(band.top, band.bottom, cells), 48)
    assert strip is not None
    positions = tuple((i + 0.5) / len(text) for i in range(len(text)))
    reading = Recognition(text, score, (score,) * len(text), positions)
    return ReadLine(band.polygon, 0.9, (strip.ribbon,), (strip,), reading)


def blank() -> Image:
    return np.full((320, 320, 3), 255, np.uint8)


# ---------------------------------------------------------------- what is read


def test_of_two_outlines_of_one_line_the_better_is_kept() -> None:
    worse, better = detected(straight(100, 20), 0.7), detected(straight(104, 22).moved(2, 1), 0.8)
    other = detected(straight(100, 20).moved(0, 60), 0.5)
    plans = rules.plan([worse, other, better])
    assert [p.score for p in plans] == [0.8, 0.5]
    assert np.array_equal(plans[0].polygon, better.polygon)


def test_a_line_inside_a_ring_is_another_line() -> None:
    ring, inner = detected(arc(100, 20, 120, 300)), detected(straight(110, 24))
    assert len(rules.plan([ring, inner])) == 2


def test_nothing_detected_is_nothing_to_read() -> None:
    assert rules.plan([]) == []


def test_a_doubtful_direction_is_read_both_ways() -> None:
    (sure,), (unsure,) = (rules.plan([detected(straight(100, 20), direction=d)]) for d in (0.9, 0.1))
    assert len(sure.choices) == 1 and len(unsure.choices) == 2


@LAW
@given(st.floats(-180, 180), st.permutations([0, 1, 2]))
def test_columns_become_one_line_from_the_right_to_the_left(degrees: float, order: list[int]) -> None:
    columns = [straight(120, 40, 90).moved(x, 0).turned(degrees) for x in (-50, 0, 50)]
    (joined,) = rules.plan([detected(columns[i], cells=3) for i in order])
    ((*ribbons,),) = joined.choices
    assert [float(np.hypot(*(r.top[0] - c.top[0]))) for r, c in zip(ribbons, columns[::-1], strict=True)] == [0, 0, 0]


def test_a_column_beside_a_horizontal_line_stays_its_own_line() -> None:
    plans = rules.plan([detected(straight(100, 30, 90), cells=3), detected(straight(100, 30).moved(100, 100))])
    assert sorted(p.choices[0][0].cells for p in plans) == [0, 3]


# ---------------------------------------------------------------- what is believed


def test_sure_characters_speak_for_a_reading_and_doubtful_ones_against_it() -> None:
    right = Recognition("某某公司", 0.95, (0.95, 0.9, 0.99, 0.96))
    upside_down = Recognition("回导丫丁一", 0.4, (0.4, 0.3, 0.5, 0.6, 0.2))
    shorter = Recognition("某", 0.99, (0.99,))
    assert rules.evidence(right) > rules.evidence(shorter) > 0 > rules.evidence(upside_down)
    assert rules.evidence(Recognition("", 0.0)) == 0


# ---------------------------------------------------------------- where its characters are


def test_characters_lie_along_the_line_in_reading_direction() -> None:
    line = read(arc(100, 24, 180, 180, centre=(160, 160)), "一二三四")
    around = np.degrees(np.arctan2(*(line.char_points() - 160).T[::-1])) % 360
    assert np.allclose(around, [202.5, 247.5, 292.5, 337.5], atol=1)
    assert np.allclose(np.hypot(*(line.char_points() - 160).T), 100, atol=0.5)


def test_characters_of_columns_lie_in_their_columns() -> None:
    columns = [straight(80, 40, 90).moved(x, 100) for x in (200, 100)]
    strips = []
    for column in columns:
        strip = straighten(blank(), Ribbon(column.top, column.bottom, 2), 48)
        assert strip is not None
        strips.append(strip)
    reading = Recognition("一二三四", 0.9, (0.9,) * 4, (0.125, 0.375, 0.625, 0.875))
    line = ReadLine(columns[0].polygon, 0.9, tuple(s.ribbon for s in strips), tuple(strips), reading)
    assert np.allclose(line.char_points(), [[200, 80], [200, 120], [100, 80], [100, 120]], atol=0.5)


def test_a_line_without_text_has_no_characters() -> None:
    band = straight(100, 20).moved(160, 160)
    strip = Strip(blank(), Ribbon(band.top, band.bottom))
    assert ReadLine(band.polygon, 0.9, (strip.ribbon,), (strip,), Recognition("", 0.0)).char_points().shape == (0, 2)


# ---------------------------------------------------------------- what it is


def seal(degrees: float = 0.0) -> dict[Role, ReadLine]:
    """A seal with an outer and an inner arc, two straight lines and a code along the bottom."""
    parts: dict[Role, tuple[Band, str]] = {
        "outer_arc": (arc(130, 30, 150, 240), "某某市某某有限公司"),
        "inner_arc": (arc(85, 16, 180, 180), "某某分公司"),
        "horizontal": (straight(90, 20).moved(0, 30), "合同专用章"),
        "code": (arc(130, 14, 120, 60, inwards=True), "3201150012345"),
    }
    return {role: read(band.turned(degrees).moved(160, 160), text) for role, (band, text) in parts.items()}


@LAW
@given(st.floats(-180, 180))
def test_lines_have_their_roles_however_the_seal_is_turned(degrees: float) -> None:
    lines = seal(degrees)
    assert rules.roles(list(lines.values())) == list(lines)


def test_a_short_number_on_a_line_is_no_code_and_columns_are_other() -> None:
    code = read(arc(130, 14, 120, 60, inwards=True).moved(160, 160), "(1)")
    column = read(straight(80, 40, 90).moved(160, 160), "之印", cells=2)
    assert rules.roles([code, column]) == ["inner_arc", "other"]
    assert rules.roles([]) == []


@LAW
@given(st.floats(-180, 180), st.permutations(range(5)))
def test_lines_are_read_from_outside_to_inside_and_from_the_top_down(degrees: float, order: list[int]) -> None:
    lines = seal(degrees)
    second = read(straight(60, 16).moved(0, 55).turned(degrees).moved(160, 160), "(2)")
    named = [*zip(lines, lines.values(), strict=True), ("second", second)]
    shuffled = [named[i] for i in order]
    kinds = rules.roles([line for _, line in shuffled])
    ranked = rules.reading_order([line for _, line in shuffled], kinds, degrees)
    assert [shuffled[i][0] for i in ranked] == ["outer_arc", "inner_arc", "horizontal", "second", "code"]


# ---------------------------------------------------------------- how it is turned


@LAW
@given(st.floats(-179.9, 180))
def test_a_seal_that_is_turned_says_by_how_much(degrees: float) -> None:
    lines = list(seal(degrees).values())
    rotation = rules.rotation_of([line.middle for line in lines], [False] * len(lines), [rules.weight(line) for line in lines])
    assert rotation is not None and -180 <= rotation <= 180
    assert np.cos(np.radians(rotation - degrees)) > np.cos(np.radians(1.5))


@LAW
@given(st.floats(-179.9, 180))
def test_columns_tell_the_rotation_too(degrees: float) -> None:
    column: Points = turned(straight(80, 40, 90).middle, degrees)
    rotation = rules.rotation_of([column], [True], [1.0])
    assert rotation is not None and np.cos(np.radians(rotation - degrees)) > 0.9999


def test_without_lines_or_with_opposite_ones_nothing_tells_the_rotation() -> None:
    right = straight(100, 20).middle
    assert rules.rotation_of([], [], []) is None
    assert rules.rotation_of([right, right[::-1]], [False, False], [1.0, 1.0]) is None


def test_long_and_sure_lines_weigh_more() -> None:
    long, short, doubtful = read(straight(120, 20)), read(straight(40, 20)), read(straight(120, 20), score=0.2)
    assert rules.weight(long) == pytest.approx(3 * rules.weight(short)) == pytest.approx(4.5 * rules.weight(doubtful))
