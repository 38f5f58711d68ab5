"""CTC decoding, alphabets and normal forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealread.text import alphabet_of, ctc_greedy, half_width

ALPHABET = alphabet_of(["甲", "乙", "㈠", "fi"])


def steps(*classes: int, score: float = 0.8) -> np.ndarray:
    """Probabilities whose best classes are these."""
    return np.where(np.arange(len(ALPHABET)) == np.array(classes)[:, None], score, (1 - score) / 5).astype(np.float32)


def test_an_alphabet_has_the_blank_first_and_a_space_last() -> None:
    assert ALPHABET == ("", "甲", "乙", "㈠", "fi", " ")


@pytest.mark.parametrize(
    ("classes", "text", "places"),
    [
        ((0, 0, 0, 0), "", ()),
        ((1, 1, 2, 2), "甲乙", (0.125, 0.625)),
        ((1, 0, 1, 0), "甲甲", (0.125, 0.625)),
        ((0, 1, 1, 1), "甲", (0.375,)),
        ((1, 5, 2, 2), "甲 乙", (0.125, 0.375, 0.625)),
        ((4, 0, 0, 1), "fi甲", (0.125, 0.125, 0.875)),
        ((2, 1, 2, 1), "乙甲乙甲", (0.125, 0.375, 0.625, 0.875)),
    ],
)
def test_repeats_are_joined_and_blanks_dropped(classes: tuple[int, ...], text: str, places: tuple[float, ...]) -> None:
    reading = ctc_greedy(steps(*classes), ALPHABET)
    assert reading.text == text
    assert reading.char_positions == pytest.approx(places)
    assert reading.score == pytest.approx(0.8 if text else 0)
    assert reading.char_scores == pytest.approx((0.8,) * len(text))


def test_the_score_is_the_mean_over_the_kept_steps() -> None:
    probabilities = np.concatenate([steps(1, score=0.9), steps(1, score=0.3), steps(0, score=0.99), steps(2, score=0.5)])
    reading = ctc_greedy(probabilities, ALPHABET)
    assert (reading.text, reading.char_scores) == ("甲乙", pytest.approx((0.9, 0.5)))
    assert reading.score == pytest.approx(0.7)


def test_positions_count_the_used_part_only_and_end_at_one() -> None:
    assert ctc_greedy(steps(1, 0, 0, 0), ALPHABET, 0.5).char_positions == pytest.approx((0.25,))
    assert ctc_greedy(steps(0, 0, 0, 1), ALPHABET, 0.5).char_positions == (1.0,)


@given(st.lists(st.integers(0, len(ALPHABET) - 1), max_size=30))
def test_what_is_read_is_as_long_as_its_scores_and_places(classes: list[int]) -> None:
    reading = ctc_greedy(steps(*classes) if classes else np.zeros((0, len(ALPHABET)), np.float32), ALPHABET)
    assert len(reading.text) == len(reading.char_scores) == len(reading.char_positions) <= 2 * len(classes)
    assert list(reading.char_positions) == sorted(reading.char_positions)
    assert all(0 <= p <= 1 for p in reading.char_positions) and 0 <= reading.score <= 1


def test_wide_forms_become_half_wide_and_the_rest_stays() -> None:
    assert half_width("（１２３）Ａｂ某市") == "(123)Ab某市"
