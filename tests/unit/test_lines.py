"""Which bands are read, which reading is believed, what a line is on its seal."""

from __future__ import annotations

import numpy as np
import pytest
from figures import Band, arc, straight, turned
from hypothesis import given, settings
from hypothesis import strategies as st

from sealread import lines as rules
from sealread.lines import ReadLine
from sealread.polygons import Points, lengths_along
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


def test_a_column_is_tried_with_one_character_more_or_less() -> None:
    plans = rules.plan([detected(straight(100, 30, 90), cells=3), detected(straight(100, 30).moved(100, 100)), detected(dot(), cells=1)])
    assert sorted([ribbon.cells for (ribbon,) in p.choices] for p in plans) == [[0], [1, 2], [3, 2, 4]]


def dot() -> Band:
    return straight(30, 30, 90).moved(-100, -100)


# ---------------------------------------------------------------- broken lines


@LAW
@given(st.floats(-180, 180), st.floats(0.1, 1.0), st.booleans(), st.booleans())
def test_pieces_of_one_line_are_mended(degrees: float, gap: float, bent: bool, swapped: bool) -> None:
    whole = (arc(100, 20, 180, 160) if bent else straight(220, 20)).turned(degrees)
    cut, skip = 140, round(gap * 20 / lengths_along(whole.middle)[-1] * len(whole.top))
    if not bent:
        cut = 25
    pieces = [Band(whole.top[:cut], whole.bottom[:cut]), Band(whole.top[cut + skip :], whole.bottom[cut + skip :])]
    (mended,) = rules.plan([detected(piece) for piece in (pieces[::-1] if swapped else pieces)])
    ((ribbon,),) = mended.choices
    assert np.array_equal(ribbon.top[[0, -1]], whole.top[[0, -1]]) and np.array_equal(ribbon.bottom[[0, -1]], whole.bottom[[0, -1]])


@pytest.mark.parametrize(
    "other",
    [
        straight(100, 20).moved(0, 30),  # the next line down
        straight(100, 20).moved(160, 0),  # too far on
        straight(100, 20, 180).moved(110, 0),  # upside down
        straight(100, 20, 60).moved(85, 55),  # turns off
        straight(100, 40).moved(110, 0),  # twice as high
    ],
)
def test_other_lines_are_not_taken_for_pieces(other: Band) -> None:
    assert len(rules.plan([detected(straight(100, 20)), detected(other)])) == 2


def test_a_ring_does_not_go_on_in_itself() -> None:
    (only,) = rules.plan([detected(arc(60, 20, 0, 345))])
    assert only.polygon.shape == (600, 2)


# ---------------------------------------------------------------- what is believed


def test_sure_characters_speak_for_a_reading_and_doubtful_ones_against_it() -> None:
    right, short, wrong = (read(straight(100, 20), text, score) for text, score in (("某某公司", 0.9), ("某", 0.99), ("回导丫丁一", 0.4)))
    empty = read(straight(100, 20), "")
    assert rules.merit(right) > rules.merit(short) > rules.merit(empty) == 0 > rules.merit(wrong)


def test_a_column_gives_a_character_for_each_cell() -> None:
    band = straight(120, 40, 90).moved(160, 160)
    full, half, doubtful, empty = (
        read(band, text, score, cells=3) for text, score in (("之印章", 0.6), ("之印", 0.95), ("之印章", 0.5), ("", 0.0))
    )
    assert rules.merit(full) > rules.merit(doubtful) > rules.merit(half) > rules.merit(empty) == 0


# ---------------------------------------------------------------- where its characters are


def test_characters_lie_along_the_line_in_reading_direction() -> None:
    line = read(arc(100, 24, 180, 180, centre=(160, 160)), "一二三四")
    around = np.degrees(np.arctan2(*(line.char_points() - 160).T[::-1])) % 360
    assert np.allclose(around, [202.5, 247.5, 292.5, 337.5], atol=1)
    assert np.allclose(np.hypot(*(line.char_points() - 160).T), 100, atol=0.5)


@LAW
@given(st.floats(-180, 180), st.permutations([0, 1, 2]))
def test_columns_become_one_line_from_the_right_to_the_left(degrees: float, order: list[int]) -> None:
    columns = [straight(80, 40, 90).moved(x, 0).turned(degrees).moved(160, 160) for x in (50, 0, -50)]
    texts = ["甲乙", "丙丁", "戊己"]
    line = read(straight(100, 20).turned(degrees).moved(160, 260), "某某")
    joined, other = rules.joined_columns([*(read(columns[i], texts[i], cells=2) for i in order), line])
    assert other is line
    assert joined.recognition.text == "甲乙丙丁戊己"
    assert joined.recognition.score == pytest.approx(0.9) and len(joined.recognition.char_scores) == 6
    wanted = np.concatenate([turned(np.array([[x, -20.0], [x, 20.0]]), degrees) for x in (50, 0, -50)]) + 160
    assert np.allclose(joined.char_points(), wanted, atol=0.5)
    assert rules.roles([joined]) == ["other"]


def test_one_column_stays_as_it_is() -> None:
    lines = [read(straight(80, 40, 90).moved(160, 160), "之印", cells=2), read(straight(100, 20).moved(160, 260))]
    assert rules.joined_columns(lines) == lines
    assert rules.joined_columns([]) == []


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
