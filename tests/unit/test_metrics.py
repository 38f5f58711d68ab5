"""The scoring rules, by cases worked out by hand and by laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealread import metrics
from sealread.metrics import Judged, Match, ReadLine, Share, TrueLine, score_seal


def truth(*texts: str) -> list[TrueLine]:
    return [TrueLine(text) for text in texts]


def read(**lines: float) -> list[ReadLine]:
    return [ReadLine(text, score) for text, score in lines.items()]


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("合同专用章（１）", "合同专用章(1)"),
        ("★ 财务 专用章☆", "财务专用章"),
        ("г. ОРЁЛ, РФ", "гОРЁЛРФ"),
        ("a·b.c,d:e;f-g—h_i*j\"k'l", "abcdefghijkl"),
        ("全角\u3000空格：；，", "全角空格"),
        ("«КМЗ»", "«КМЗ»"),
        ("ABC", "ABC"),
        ("abc", "abc"),
        ("…★", ""),
    ],
)
def test_normal_form_of_texts(text: str, normal: str) -> None:
    assert metrics.normalise_text(text) == normal


@pytest.mark.parametrize(
    ("a", "b", "distance"), [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("财务章", "财务专用章", 2), ("ab", "ba", 2)]
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert metrics.edit_distance(a, b) == distance


@given(st.text(alphabet="章印甲乙", max_size=8), st.text(alphabet="章印甲乙", max_size=8), st.text(alphabet="章印甲乙", max_size=8))
def test_edit_distance_is_a_metric(a: str, b: str, c: str) -> None:
    assert metrics.edit_distance(a, b) == metrics.edit_distance(b, a)
    assert (metrics.edit_distance(a, b) == 0) == (a == b)
    assert metrics.edit_distance(a, c) <= metrics.edit_distance(a, b) + metrics.edit_distance(b, c)
    assert abs(len(a) - len(b)) <= metrics.edit_distance(a, b) <= max(len(a), len(b))


def test_distance_is_normalised_by_the_longer_text() -> None:
    assert metrics.normalised_distance("财务章", "财务专用章") == pytest.approx(0.4)
    assert metrics.normalised_distance("财务专用章", "财务章") == pytest.approx(0.4)
    assert metrics.normalised_distance("财务章", "") == 1.0
    assert metrics.normalised_distance("★", "") == 0.0


# ---------------------------------------------------------------- pairing


def test_the_nearest_pair_goes_first_even_when_it_leaves_another_line_alone() -> None:
    # distances: abcd-abcx 1/4, abcd-abcd 0, efgh-abcd 1, efgh-abcx 1
    assert metrics.pair_lines(["abcd", "efgh"], ["abcx", "abcd"]) == (Match(0, 1, 0.0),)


def test_equal_distances_go_to_the_earlier_lines() -> None:
    assert metrics.pair_lines(["ab", "ab"], ["ab"]) == (Match(0, 0, 0.0),)
    assert metrics.pair_lines(["ab"], ["ax", "xb"]) == (Match(0, 0, 0.5),)
    # a tie of true lines for the first read line: the earlier true line takes it, the later one the rest
    assert metrics.pair_lines(["abc", "abd"], ["abe", "abf"]) == (Match(0, 0, 1 / 3), Match(1, 1, 1 / 3))


def test_lines_further_apart_than_four_fifths_are_not_paired() -> None:
    assert metrics.pair_lines(["abcde"], ["axxxx"]) == (Match(0, 0, 0.8),)
    assert metrics.pair_lines(["abcdef"], ["axxxxx"]) == ()
    assert metrics.pair_lines(["ab"], [""]) == ()
    assert metrics.pair_lines([], ["ab"]) == metrics.pair_lines(["ab"], []) == ()


@given(st.lists(st.text(alphabet="甲乙丙", max_size=5), max_size=5), st.lists(st.text(alphabet="甲乙丙", max_size=5), max_size=5))
def test_pairing_uses_each_line_once_and_leaves_no_near_lines_apart(true: list[str], found: list[str]) -> None:
    pairs = metrics.pair_lines(true, found)
    alone_true = set(range(len(true))) - {pair.true for pair in pairs}
    alone_read = set(range(len(found))) - {pair.read for pair in pairs}
    assert len(pairs) == len({pair.true for pair in pairs}) == len({pair.read for pair in pairs})
    assert all(metrics.normalised_distance(true[i], found[j]) > 0.8 for i in alone_true for j in alone_read)


# ---------------------------------------------------------------- lines of one seal


def test_a_seal_read_in_part() -> None:
    score = score_seal(
        [TrueLine("某市某某有限公司", "outer_arc"), TrueLine("财务专用章", "horizontal"), TrueLine("4301020304", "code")],
        [ReadLine("财务章", 0.95), ReadLine("某市 某某有限公司", 0.5), ReadLine("宋体", 0.92)],
    )
    assert [line.distance for line in score.lines] == [0.0, pytest.approx(0.4), 1.0]
    assert [line.exact for line in score.lines] == [True, False, False]
    assert [line.true.role for line in score.lines] == ["outer_arc", "horizontal", "code"]
    assert score.extra == (ReadLine("宋体", 0.92),)
    assert not score.whole
    assert metrics.exact_share(score.lines) == Share(1, 3)
    assert metrics.one_minus_ned(score.lines).value == pytest.approx((1.0 + 0.6 + 0.0) / 3)
    assert metrics.confident_wrong(score.judged) == Share(2, 2)


def test_extra_lines_do_not_spoil_a_whole_seal() -> None:
    assert score_seal(truth("甲", "乙"), read(乙=0.3, 丙=0.2, 甲=0.1)).whole
    assert not score_seal([], read(甲=0.3)).whole


def test_extra_output_is_no_mistake_where_lines_are_unread() -> None:
    lines = read(甲乙=0.95, 丙丁=0.97)
    assert score_seal(truth("甲乙"), lines, unread=False).judged == (Judged(0.95, True), Judged(0.97, False))
    assert score_seal(truth("甲乙"), lines, unread=True).judged == (Judged(0.95, True),)
    # a paired line counts although other lines are unread
    assert score_seal(truth("甲乙"), read(甲丙=0.95), unread=True).judged == (Judged(0.95, False),)


def test_confidence_begins_at_nine_tenths() -> None:
    judged = [Judged(0.9, False), Judged(0.8999, False), Judged(0.95, True), Judged(1.0, True)]
    assert metrics.confident_wrong(judged) == Share(1, 3)
    assert metrics.confident_wrong([Judged(0.5, False)]).value is None


def test_shares_of_nothing() -> None:
    assert metrics.exact_share([]).value is None
    assert metrics.one_minus_ned([]).value is None


# ---------------------------------------------------------------- calibration


def test_reliability_bins() -> None:
    table = metrics.reliability([Judged(0.0, False), Judged(0.95, True), Judged(0.99, False), Judged(1.0, True), Judged(0.5, True)])
    assert [row.count for row in table] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 3]
    assert (table[9].low, table[9].high) == (0.9, 1.0)
    assert table[9].mean_score == pytest.approx(0.98)
    assert table[9].exact == pytest.approx(2 / 3)
    assert table[1].mean_score is None and table[1].exact is None
    # gaps: 0 x1, 0.5 x1, (0.98 - 2/3) x3
    assert metrics.calibration_error(table) == pytest.approx((0.5 + 3 * (0.98 - 2 / 3)) / 5)
    assert metrics.calibration_error(metrics.reliability([])) is None


# ---------------------------------------------------------------- boxes and polygons


def test_box_overlap() -> None:
    assert metrics.box_iou((0, 0, 10, 10), (0, 0, 10, 10)) == 1.0
    assert metrics.box_iou((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert metrics.box_iou((0, 0, 10, 10), (10, 0, 20, 10)) == 0.0
    assert metrics.box_iou((0, 0, 0, 0), (0, 0, 0, 0)) == 0.0


def test_boxes_match_from_one_half_on_one_to_one() -> None:
    seal = (0.0, 0.0, 10.0, 10.0)
    assert metrics.match_boxes([seal], [(0, 0, 10, 5)]) == (Match(0, 0, 0.5),)
    assert metrics.match_boxes([seal], [(0, 0, 10, 4.9)]) == ()
    assert metrics.match_boxes([seal], [(0, 0, 10, 8), (0, 0, 10, 9)]) == (Match(0, 1, 0.9),)
    assert metrics.match_boxes([seal], [(0, 0, 10, 8), (0, 2, 10, 10)]) == (Match(0, 0, 0.8),)
    assert metrics.match_boxes([seal, seal], [seal]) == (Match(0, 0, 1.0),)
    assert metrics.match_boxes([], [seal]) == metrics.match_boxes([seal], []) == ()


def test_false_alarms_overlap_no_labelled_seal() -> None:
    seals = [(0.0, 0.0, 10.0, 10.0)]
    boxes = [(9.0, 9.0, 30.0, 30.0), (10.0, 0.0, 20.0, 10.0), (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 60.0, 60.0)]
    assert metrics.false_alarms(seals, boxes) == (1, 3)
    assert metrics.false_alarms([], boxes) == (0, 1, 2, 3)
    assert metrics.false_alarms(seals, []) == ()


def rectangle(x1: float, y1: float, x2: float, y2: float) -> np.ndarray:
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], dtype=np.float64)


def test_polygon_overlap() -> None:
    square = rectangle(0, 0, 10, 10)
    triangle = square[:3]
    assert metrics.polygon_iou(square, square) == pytest.approx(1.0)
    assert metrics.polygon_iou(square, square[::-1]) == pytest.approx(1.0)
    assert metrics.polygon_iou(square, triangle) == pytest.approx(0.5)
    assert metrics.polygon_iou(square, rectangle(20, 20, 30, 30)) == 0.0
    assert metrics.polygon_iou(square, square[:2]) == 0.0
    assert metrics.polygon_iou(square[:1].repeat(4, axis=0), square[:1].repeat(4, axis=0)) == 0.0


def test_a_polygon_that_crosses_itself_counts_with_the_area_it_encloses() -> None:
    bow = np.array([[0, 0], [10, 10], [10, 0], [0, 10]], dtype=np.float64)  # two triangles of 25 each
    assert metrics.polygon_iou(bow, rectangle(0, 0, 10, 10)) == pytest.approx(0.5)


def test_polygons_match_one_to_one() -> None:
    true = [rectangle(0, 0, 10, 10), rectangle(20, 0, 30, 10)]
    found = [rectangle(20, 0, 30, 6), rectangle(0, 0, 10, 4), rectangle(20, 0, 30, 9)]
    (match,) = metrics.match_polygons(true, found)
    assert (match.true, match.read) == (1, 2)
    assert match.value == pytest.approx(0.9)
