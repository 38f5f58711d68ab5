"""Doubtful readings that are standard texts after all."""

from __future__ import annotations

import numpy as np

from sealread.standard_texts import StandardTexts, standard_texts
from sealread.text import alphabet_of, ctc_greedy

ALPHABET = alphabet_of(sorted({c for text in standard_texts() for c in text} | set("业货贷甲乙丙")))


def steps_of(characters: list[dict[str, float]]) -> np.ndarray:
    """Two steps for each character and a blank after it; what the probabilities leave goes to the blank."""
    rows = []
    for choices in characters:
        row = np.full(len(ALPHABET), 1e-6)
        for symbol, probability in choices.items():
            row[ALPHABET.index(symbol)] = probability
        row[0] = 1 - row[1:].sum()
        rows += [row, row, np.eye(len(ALPHABET))[0]]
    return np.array(rows)


def read(characters: list[dict[str, float]]) -> str:
    steps = steps_of(characters)
    return StandardTexts(standard_texts(), ALPHABET).instead(ctc_greedy(steps, ALPHABET), steps, 1.0).text


def sure(text: str) -> list[dict[str, float]]:
    return [{c: 0.99} for c in text]


def test_a_doubtful_character_is_the_one_of_the_standard_text() -> None:
    assert read([*sure("全国统一"), {"货": 0.5, "发": 0.3}, *sure("票监制章")]) == "全国统一发票监制章"


def test_a_lost_character_is_found_again() -> None:
    assert read([*sure("全国统"), {"一": 0.3}, {"业": 0.5, "发": 0.3}, *sure("票监制章")]) == "全国统一发票监制章"


def test_what_is_sure_stays() -> None:
    assert read(sure("全国统一货票监制章")) == "全国统一货票监制章"


def test_what_the_strip_speaks_against_stays() -> None:
    assert read([*sure("全国统一"), {"货": 0.9}, *sure("票监制章")]) == "全国统一货票监制章"


def test_another_standard_text_stays_what_it_is() -> None:
    assert read([{"合": 0.6, "财": 0.3}, {"同": 0.6, "务": 0.3}, *sure("专用章")]) == "合同专用章"


def test_texts_like_no_standard_text_stay() -> None:
    assert read([{"甲": 0.5}, {"乙": 0.5}, {"丙": 0.5}]) == "甲乙丙"


def test_scores_are_those_of_the_chosen_text() -> None:
    steps = steps_of([*sure("全国统一"), {"货": 0.5, "发": 0.3}, *sure("票监制章")])
    reading = StandardTexts(standard_texts(), ALPHABET).instead(ctc_greedy(steps, ALPHABET), steps, 1.0)
    assert len(reading.char_scores) == len(reading.text)
    assert reading.char_scores[4] == np.float64(0.3)
    assert min(reading.char_scores) == reading.char_scores[4]
