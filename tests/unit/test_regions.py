"""Where seals are: the network's and the ink's answers joined, doubtful places confirmed by their text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sealread.regions import confirmed, search, with_legible
from sealread.stages.layout import LayoutSettings, SealFinder, calibrated, hugged, iou
from sealread.types import DetectedLine, Image, Region, Ribbon, SealReading, TextLine


def region(box: tuple[float, float, float, float], score: float = 0.5) -> Region:
    return Region(16, "seal", score, box)


def line(score: float, turn: float, size: float = 80.0) -> DetectedLine:
    """An arc of the given turn (degrees) around the middle of a box of 100 pixels."""
    angles = np.radians(np.linspace(180, 180 + max(turn, 1.0), 20))
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    ribbon = Ribbon(50 + around * size / 2, 50 + around * (size / 2 - 10))
    return DetectedLine(ribbon.polygon, score, ribbon, 1.0)


def seal(number: int, *scores: float) -> SealReading:
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    lines = tuple(TextLine("合同专用章", score, "horizontal", square, square, 0.9, (0.9,), square[:1]) for score in scores)
    return SealReading(number, (0, 0, 1, 1), np.zeros((1, 1, 3), np.uint8), (0, 0, 1, 1), 0.5, None, lines)


def test_what_both_ways_show_counts_once_with_the_ink_s_box() -> None:
    network, ink = [region((10, 10, 110, 110), 0.6), region((300, 10, 400, 110))], [region((12, 12, 108, 108)), region((0, 300, 90, 390))]
    both, alone = hugged(network, ink)
    assert (both.box, both.score) == (ink[0].box, 0.6)
    assert alone == network[1]


def test_the_calibrated_score_is_a_probability_and_keeps_the_order() -> None:
    levels = [0.3, 0.95, 0.05, 0.6]
    scores = [place.score for place in calibrated([region((10.0, 10.0, 110.0, 110.0), level) for level in levels])]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(levels) and all(0 < score < 1 for score in scores)


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ([line(0.9, 200)], True),
        ([line(0.5, 200)], False),  # too unsure
        ([line(0.9, 20)], False),  # straight print
        ([line(0.9, 200, size=20)], False),  # a small logo within the place
        ([], False),
    ],
)
def test_only_sure_bent_text_over_a_good_part_of_the_place_confirms(found: list[DetectedLine], kept: bool) -> None:
    assert bool(confirmed([region((0, 0, 100, 100))], [found])) is kept


def test_of_two_doubtful_places_that_show_the_same_the_first_stays() -> None:
    places = [region((0, 0, 100, 100)), region((5, 5, 100, 100)), region((300, 0, 400, 100))]
    kept = confirmed(places, [[line(0.9, 200)]] * 3)
    assert [place.box[0] for place, _ in kept] == [0, 300]


def test_places_need_a_line_as_likely_as_they_ask_and_seals_are_numbered_anew() -> None:
    places = [region((0, 0, 9, 9)), *(replace(region((0, 0, 9, 9)), legible_from=0.15) for _ in range(3))]
    kept, illegible, parts = with_legible(places, [seal(1, 0.0), seal(2, 0.01), seal(3, 0.0, 0.6), seal(4)])
    assert (illegible, parts) == ([places[1], places[3]], [])
    assert [reading.region_id for reading in kept] == [1, 2]
    assert [len(reading.lines) for reading in kept] == [1, 2]


@pytest.mark.parametrize(
    ("text", "score", "legible"), [("合同专用", 0.2, True), ("专用章", 0.2, False), ("专用章", 0.6, True), ("章", 0.9, False)]
)
def test_a_few_characters_are_believed_less(text: str, score: float, legible: bool) -> None:
    reading = seal(1, score)
    reading = replace(reading, lines=(replace(reading.lines[0], text=text),))
    kept, *_ = with_legible([replace(region((0, 0, 9, 9)), legible_from=0.15)], [reading])
    assert bool(kept) is legible


@pytest.mark.parametrize(("score", "whole", "kept"), [(0.85, 0.6, [2]), (0.95, 0.6, [1, 2]), (0.85, 0.01, [1])])
def test_a_part_of_a_legible_seal_is_no_seal_of_its_own_unless_the_layout_is_certain(score: float, whole: float, kept: list[int]) -> None:
    places = [region((10, 10, 40, 40), score), replace(region((0, 0, 100, 100)), legible_from=0.15)]
    readings, illegible, parts = with_legible(places, [seal(1, 0.6), replace(seal(2, whole), page_box=(0, 0, 100, 100))])
    assert [*parts, *illegible] == [place for number, place in enumerate(places, 1) if number not in kept]
    assert parts == ([places[0]] if kept == [2] else [])
    assert [reading.region_id for reading in readings] == list(range(1, len(kept) + 1))
    assert [reading.page_box[2] for reading in readings] == [{1: 1, 2: 100}[number] for number in kept]


def test_seals_that_the_layout_nests_stay() -> None:
    places = [region((10, 10, 40, 40), 0.6), region((0, 0, 100, 100), 0.95)]
    assert with_legible(places, [seal(1, 0.6), seal(2, 0.6)])[1:] == ([], [])


def test_a_part_that_is_confirmed_first_does_not_hide_the_whole() -> None:
    places = [region((30, 30, 70, 70)), region((0, 0, 100, 100))]
    assert len(confirmed(places, [[line(0.9, 200)]] * 2)) == 2


class Silent:
    """A layout network of the official kind that finds nothing and knows no seals."""

    labels = ("text",)

    def find(self, page: Image, least: float) -> list[Region]:
        return []


def test_a_ring_that_the_network_misses_is_a_doubtful_place(monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2

    monkeypatch.setattr("sealread.regions.BoxRows", Silent)
    page = np.full((1200, 900, 3), 255, np.uint8)
    cv2.circle(page, (600, 900), 120, (40, 40, 220), 6)
    for angle in np.arange(0, 360, 20):
        x, y = 600 + 95 * np.cos(np.radians(angle)), 900 + 95 * np.sin(np.radians(angle))
        cv2.rectangle(page, (int(x) - 8, int(y) - 8), (int(x) + 8, int(y) + 8), (40, 40, 220), 3)
    found, doubtful = search(Silent(), page, LayoutSettings())  # type: ignore[arg-type]
    assert found == []
    assert iou(doubtful[0].box, (477, 777, 723, 1023)) > 0.8


@pytest.mark.parametrize(("score", "asked"), [(0.99, [(400.0, 700.0, 800.0, 1100.0)]), (0.6, None), (None, None)])
def test_ink_is_asked_for_more_only_where_the_network_is_certain_of_no_seal(
    monkeypatch: pytest.MonkeyPatch, score: float | None, asked: list[tuple[float, ...]] | None
) -> None:
    shown = [] if score is None else [region((400.0, 700.0, 800.0, 1100.0), score), region((0.0, 0.0, 90.0, 90.0), 0.06)]
    monkeypatch.setattr("sealread.stages.layout.SealFinder.find", lambda *_: shown)
    near: list[object] = []
    monkeypatch.setattr("sealread.regions.InkFinder.find", lambda *arguments: near.append(arguments[3]) or [])
    found, _ = search(SealFinder(None, 640), np.full((1400, 1000, 3), 255, np.uint8), LayoutSettings())  # type: ignore[arg-type]
    assert near == [asked]
    assert [place.box for place in found] == ([] if score is None else [(400.0, 700.0, 800.0, 1100.0)])
