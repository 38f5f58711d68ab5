"""The second look: parts that stand upside down, lines that were cut off within a word, characters that two lines read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from figures import Band, arc, straight
from hypothesis import given, settings
from hypothesis import strategies as st

from sealread.corrections.seal_words import SealWords
from sealread.lines import ReadLine
from sealread.polygons import lengths_along, total_turning
from sealread.rereading import completes, doubted, parts, with_room, without_borrowed_ends
from sealread.stages.rectification import piece, straighten
from sealread.types import Recognition, Ribbon

LAW = settings(deadline=None, max_examples=40)


def read(band: Band, text: str, *scores: float) -> ReadLine:
    strip = straighten(np.full((320, 320, 3), 255, np.uint8), Ribbon(band.top, band.bottom), 48)
    assert strip is not None
    return ReadLine(band.polygon, 0.9, (strip.ribbon,), (strip,), reading(text, *scores))


def reading(text: str, *scores: float) -> Recognition:
    scores = scores or (0.9,) * len(text)
    return Recognition(text, float(np.mean(scores)), scores, tuple((i + 0.5) / len(text) for i in range(len(text))))


def test_a_reading_that_makes_a_word_whole_completes_the_line() -> None:
    assert completes(reading("研究专用"), reading("究专用"), ["研究专用"], [])
    assert completes(reading("科研专用"), reading("科研专"), [], ["科研专用"])


def test_a_reading_that_adds_something_else_or_doubtful_or_changes_the_rest_does_not() -> None:
    cut = reading("究专用")
    assert not completes(reading("人究专用"), cut, ["研究专用"], [])
    assert not completes(reading("研究专用", 0.5, 1, 1, 1), cut, ["研究专用"], [])
    assert not completes(reading("研究章印"), cut, ["研究章印"], [])
    assert not completes(reading("究专用"), cut, ["研究专用"], [])
    assert not completes(reading("研究专用"), cut, [], ["研究专用"])


@LAW
@given(st.floats(60, 130), st.floats(40, 200), st.floats(0, 360), st.booleans(), st.integers(0, 2), st.integers(0, 2))
def test_room_follows_the_arc(radius: float, span: float, tilt: float, inwards: bool, before: int, after: int) -> None:
    band = arc(radius, radius / 4, 0, span, inwards=inwards).turned(tilt).moved(160, 160)
    line = read(band, "某某某公司")
    longer = with_room(line, before, after)
    middle = (longer.top + longer.bottom) / 2
    assert np.allclose(np.hypot(*(middle - 160).T), radius, rtol=0.03)
    assert np.allclose(np.hypot(*(longer.top - longer.bottom).T), radius / 4, rtol=0.03)
    old = float(lengths_along(band.middle)[-1])
    height, pitch = radius / 4, old / 5
    gained = sum(count * max(pitch, height / 2) + 0.15 * height for count in (before, after) if count)
    assert lengths_along(middle)[-1] == pytest.approx(old + gained, rel=0.02)
    assert np.allclose(middle[0], band.middle[0]) or before
    assert np.allclose(middle[-1], band.middle[-1]) or after


def test_a_doubtful_end_that_another_line_reads_surely_is_given_back() -> None:
    across = read(straight(120, 30).moved(160, 160), "研究专用")
    arched = read(straight(120, 30, 90).moved(115, 205), "甲乙丙丁")
    doubtful = replace(arched, recognition=reading("甲乙丙丁", 0.2, 0.9, 0.9, 0.9))
    kept = without_borrowed_ends([across, doubtful], lambda text: (False, False))
    assert [line.recognition.text for line in kept] == ["研究专用", "乙丙丁"]
    assert kept[1].recognition.as_read.text == "甲乙丙丁" and len(kept[1].char_points()) == 3
    for lines, well in (([across, arched], (False, False)), ([across, doubtful], (True, True)), ([doubtful], (False, False))):
        kept = without_borrowed_ends(lines, lambda text, well=well: well)
        assert [line.recognition.text for line in kept] == [line.recognition.text for line in lines]


def test_a_word_that_lacks_a_character_is_not_believed() -> None:
    words = SealWords(["研究专用"], [], ["", *"研究专用章"])
    band = arc(100, 24, 200, 120)
    cut = doubted(read(band, "究专用"), words)
    assert cut.recognition.text == "究专用" and cut.recognition.char_scores == (0.5, 0.9, 0.9)
    assert cut.recognition.score == pytest.approx(2.3 / 3)
    for line in (read(band, "研究专用"), read(band, "究专用章"), read(band, "究专用", 0.2, 0.9, 0.9)):
        assert doubted(line, words) is line


# ---------------------------------------------------------------- upside down


def ring(span: float = 350.0) -> Band:
    """A line that runs clockwise from the right, tops outwards."""
    return arc(110, 24, 0, span).moved(160, 160)


def angle(point: np.ndarray) -> float:
    return float(np.degrees(np.arctan2(point[1] - 160, point[0] - 160)) % 360)


def test_the_lower_half_of_a_ring_is_turned_over() -> None:
    """The second and third quarter of the ring, 90 to 270 degrees, read well backwards only."""
    forwards = read(ring(), "甲" * 20, *[0.9] * 5, *[0.2] * 10, *[0.9] * 5)
    upright, turned = parts(forwards, reading("乙" * 20, *[0.2] * 5, *[0.9] * 10, *[0.2] * 5))
    first, last = ((turned.top[i] + turned.bottom[i]) / 2 for i in (0, -1))
    assert angle(first) == pytest.approx(262, abs=10) and angle(last) == pytest.approx(88, abs=10)
    assert total_turning((turned.top + turned.bottom) / 2) < -150
    # The rest goes on over the seam of the ring.
    first, last = ((upright.top[i] + upright.bottom[i]) / 2 for i in (0, -1))
    assert angle(first) == pytest.approx(262, abs=10) and angle(last) == pytest.approx(88, abs=10)
    assert total_turning((upright.top + upright.bottom) / 2) > 150


def test_a_part_over_the_seam_of_a_ring_is_turned_over() -> None:
    forwards = read(ring(), "甲" * 20, *[0.2] * 5, *[0.9] * 10, *[0.2] * 5)
    upright, turned = parts(forwards, reading("乙" * 20, *[0.9] * 5, *[0.2] * 10, *[0.9] * 5))
    for band, sign in ((upright, 1), (turned, -1)):
        assert 150 < sign * total_turning((band.top + band.bottom) / 2) < 200


def test_a_short_arc_is_turned_over_as_a_whole() -> None:
    forwards = read(ring(120), "甲乙丙丁戊己", *[0.2] * 6)
    (band,) = parts(forwards, reading("甲乙丙丁戊己", *[0.9] * 6))
    assert np.allclose(band.top, forwards.choice[0].bottom[::-1])


def test_of_an_open_arc_the_middle_may_be_turned_over() -> None:
    forwards = read(ring(300), "甲" * 15, *[0.9] * 5, *[0.1] * 5, *[0.9] * 5)
    bands = parts(forwards, reading("乙" * 15, *[0.1] * 5, *[0.95] * 5, *[0.1] * 5))
    assert len(bands) == 3
    assert sum(float(lengths_along((band.top + band.bottom) / 2)[-1]) for band in bands) == pytest.approx(110 * np.radians(300), rel=0.02)


@pytest.mark.parametrize("scores", [0.2, 0.5])
def test_what_reads_no_better_backwards_stays(scores: float) -> None:
    assert parts(read(ring(), "甲" * 20, *[0.5] * 20), reading("乙" * 20, *[scores] * 20)) == []
    assert parts(read(ring(120), "甲" * 6, *[0.5] * 6), Recognition("", 0.0)) == []


@LAW
@given(st.floats(0, 0.95), st.floats(0.02, 0.9))
def test_a_piece_of_a_ring_has_its_share_of_it(start: float, share: float) -> None:
    band = ring(359)
    part = piece(Ribbon(band.top, band.bottom), start, start + share)
    middle = (part.top + part.bottom) / 2
    seam = 110 * np.radians(1) if start + share > 1 else 0.0  # the ring lacks a degree, which is stepped over
    assert lengths_along(middle)[-1] == pytest.approx(share * lengths_along(band.middle)[-1] + seam, rel=0.03, abs=1)
    assert angle(middle[0]) == pytest.approx(359 * start, abs=1.5) or angle(middle[0]) == pytest.approx(359 * start + 360, abs=1.5)
