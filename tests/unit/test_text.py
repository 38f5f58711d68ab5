"""CTC decoding, alphabets and normal forms."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealread.text import BLANK, Steps, alphabet_of, ctc_aligned, ctc_greedy, ctc_log_likelihoods, every_step, half_width, in_reading_order
from sealread.types import Recognition

ALPHABET = alphabet_of(["甲", "乙", "㈠", "fi"])


def rows(*classes: int, score: float = 0.8) -> np.ndarray:
    """Probabilities whose best classes are these."""
    return np.where(np.arange(len(ALPHABET)) == np.array(classes)[:, None], score, (1 - score) / 5).astype(np.float32)


def steps(*classes: int) -> Steps:
    return every_step(rows(*classes))


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
    probabilities = np.concatenate([rows(1, score=0.9), rows(1, score=0.3), rows(0, score=0.99), rows(2, score=0.5)])
    reading = ctc_greedy(every_step(probabilities), ALPHABET)
    assert (reading.text, reading.char_scores) == ("甲乙", pytest.approx((0.9, 0.5)))
    assert reading.score == pytest.approx(0.7)


def test_positions_count_the_used_part_only_and_end_at_one() -> None:
    assert ctc_greedy(steps(1, 0, 0, 0), ALPHABET, 0.5).char_positions == pytest.approx((0.25,))
    assert ctc_greedy(steps(0, 0, 0, 1), ALPHABET, 0.5).char_positions == (1.0,)


def test_steps_of_which_nothing_is_said_are_blanks() -> None:
    said = Steps(rows(1, 1, 2), np.array([3, 0, 3, 1, 2, 3, 3, 3]))
    dense = rows(0, 1, 0, 1, 2, 0, 0, 0)
    dense[[0, 2, 5, 6, 7]] = np.eye(len(ALPHABET))[BLANK]
    reading = ctc_greedy(said, ALPHABET)
    assert reading == ctc_greedy(every_step(dense), ALPHABET)
    assert (reading.text, reading.char_positions) == ("甲甲乙", pytest.approx((1.5 / 8, 3.5 / 8, 4.5 / 8)))
    assert said.of([BLANK, 2]) == pytest.approx(dense[:, [BLANK, 2]], abs=1e-5)
    assert (said.of(2) > 0).all()
    nothing = Steps(np.zeros((0, len(ALPHABET)), np.float32), np.zeros(5, np.intp))
    assert ctc_greedy(nothing, ALPHABET).text == ""


@given(st.lists(st.integers(0, len(ALPHABET) - 1), max_size=30))
def test_what_is_read_is_as_long_as_its_scores_and_places(classes: list[int]) -> None:
    reading = ctc_greedy(steps(*classes) if classes else every_step(np.zeros((0, len(ALPHABET)), np.float32)), ALPHABET)
    assert len(reading.text) == len(reading.char_scores) == len(reading.char_positions) <= 2 * len(classes)
    assert list(reading.char_positions) == sorted(reading.char_positions)
    assert all(0 <= p <= 1 for p in reading.char_positions) and 0 <= reading.score <= 1


def test_wide_forms_become_half_wide_and_the_rest_stays() -> None:
    assert half_width("（１２３）Ａｂ某市") == "(123)Ab某市"


def random_steps(steps: int, classes: int, seed: int = 0) -> np.ndarray:
    raw = np.random.default_rng(seed).random((steps, classes)) ** 3
    return raw / raw.sum(axis=1, keepdims=True)


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(c for i, c in enumerate(path) if c != BLANK and (i == 0 or path[i - 1] != c))


def test_the_likelihood_of_a_text_is_the_sum_over_all_its_alignments() -> None:
    steps = random_steps(5, 3)
    sums: dict[tuple[int, ...], float] = {}
    for path in product(range(3), repeat=5):
        text = collapsed(path)
        sums[text] = sums.get(text, 0.0) + float(np.prod(steps[range(5), path]))
    texts = [text for text in sums if text]
    assert np.exp(ctc_log_likelihoods(every_step(steps), texts)) == pytest.approx([sums[text] for text in texts])


def test_a_text_that_needs_more_steps_than_there_are_is_impossible() -> None:
    assert ctc_log_likelihoods(every_step(random_steps(3, 3)), [(1, 1)])[0] > -np.inf
    assert ctc_log_likelihoods(every_step(random_steps(2, 3)), [(1, 1)])[0] == -np.inf


@given(st.integers(0, 1000))
def test_what_was_read_is_aligned_where_it_was_read(seed: int) -> None:
    alphabet = ("", "a", "b", "c")
    steps = every_step(random_steps(12, 4, seed))
    read = ctc_greedy(steps, alphabet)
    if read.text:
        aligned = ctc_aligned(steps, [alphabet.index(c) for c in read.text], alphabet)
        assert aligned.text == read.text
        assert all(score >= before - 1e-12 for score, before in zip(aligned.char_scores, read.char_scores, strict=True))
        assert list(aligned.char_positions) == sorted(aligned.char_positions)


def test_what_runs_from_right_to_left_is_turned_and_numbers_in_it_are_not() -> None:
    seen = Recognition("12 \u0645\u0644ab\u0633", 0.5, tuple(i / 10 for i in range(8)), tuple(i / 8 for i in range(8)))
    read = in_reading_order(seen)
    assert read.text == "\u0633ab\u0644\u064512 "
    assert read.char_scores == (0.7, 0.5, 0.6, 0.4, 0.3, 0.0, 0.1, 0.2)
    assert read.char_positions[0] == 7 / 8
    assert in_reading_order(Recognition("", 0.0)) == Recognition("", 0.0)
