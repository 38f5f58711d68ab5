"""Corrections of readings by what is known of texts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealread.corrections import Corrections
from sealread.corrections.credit_codes import CreditCodes, is_credit_code
from sealread.corrections.scripts import one_script
from sealread.corrections.seal_words import SealWords, seal_words
from sealread.corrections.standard_texts import StandardTexts, standard_texts
from sealread.text import Steps, alphabet_of, ctc_greedy, every_step

ALPHABET = alphabet_of(
    sorted({c for text in (*standard_texts(), *seal_words()) for c in text} | set("业货贷甲乙丙ABCDEFGHIKLMNOPQRSTUVXY"))
)


def steps_of(characters: list[dict[str, float]]) -> Steps:
    """Two steps for each character and a blank after it; what the probabilities leave goes to the blank."""
    rows = []
    for choices in characters:
        row = np.full(len(ALPHABET), 1e-6)
        for symbol, probability in choices.items():
            row[ALPHABET.index(symbol)] = probability
        row[0] = 1 - row[1:].sum()
        rows += [row, row, np.eye(len(ALPHABET))[0]]
    return every_step(np.array(rows))


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
    assert read([{"甲": 0.9}, {"同": 0.9}, *sure("专用章")]) == "甲同专用章"
    assert read([{"甲": 0.5, "合": 0.3}, {"同": 0.9}, *sure("专用章")]) == "合同专用章"


def test_another_standard_text_stays_what_it_is() -> None:
    assert read([{"合": 0.6, "财": 0.3}, {"同": 0.6, "务": 0.3}, *sure("专用章")]) == "合同专用章"


@pytest.mark.parametrize(("plain", "marked"), [("ĐANG KY", "ĐĂNG KÝ"), ("SO KE HOACH VA DAU TU", "SỞ KẾ HOẠCH VÀ ĐẦU TƯ")])
def test_marks_that_were_lost_are_put_back(plain: str, marked: str) -> None:
    assert read(sure(plain)) == marked


def test_texts_like_no_standard_text_stay() -> None:
    assert read([{"甲": 0.5}, {"乙": 0.5}, {"丙": 0.5}]) == "甲乙丙"


def test_scores_are_those_of_the_chosen_text() -> None:
    steps = steps_of([*sure("全国统一"), {"货": 0.5, "发": 0.3}, *sure("票监制章")])
    reading = StandardTexts(standard_texts(), ALPHABET).instead(ctc_greedy(steps, ALPHABET), steps, 1.0)
    assert len(reading.char_scores) == len(reading.text)
    assert reading.char_scores[4] == np.float64(0.3)
    assert min(reading.char_scores) == reading.char_scores[4]


@pytest.mark.parametrize(
    ("read", "text"),
    [
        ("91340200MA2NTВJD7W", "91340200MA2NTBJD7W"),  # a Cyrillic В
        ("OБЩECTBO C OГРАНИЧЕННОЙ", "ОБЩЕСТВО С ОГРАНИЧЕННОЙ"),
        ("襄阳市自然资源和規划局", "襄阳市自然资源和规划局"),
        ("精準投资有限公司營業部", "精準投資有限公司營業部"),
        ("PHÒNG ĐĂNG KÝ", "PHÒNG ĐĂNG KÝ"),
        ("ТОМСК", "ТОМСК"),
        ("TOMCK", "TOMCK"),
        ("", ""),
    ],
)
def test_a_line_is_in_one_script(read: str, text: str) -> None:
    assert one_script(read) == text


@given(st.text(alphabet="АВСБabcDЖ規规发發甲1 ", max_size=12))
def test_one_script_keeps_length_and_stays_when_applied_again(text: str) -> None:
    once = one_script(text)
    assert len(once) == len(text)
    assert one_script(once) == once


#: Made up; both check characters are right.
CODE = "91350100M000100Y43"
DIGITS = alphabet_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def code_steps(code: str, doubts: dict[int, tuple[str, float]]) -> Steps:
    rows = []
    for place, symbol in enumerate(code):
        row = np.full(len(DIGITS), 1e-6)
        other, probability = doubts.get(place, ("", 0.0))
        row[DIGITS.index(symbol)] = 0.98 - probability
        if other:
            row[DIGITS.index(other)] = probability
        row[0] = 1 - row[1:].sum()
        rows += [row, np.eye(len(DIGITS))[0]]
    return every_step(np.array(rows))


def corrected(code: str, doubts: dict[int, tuple[str, float]]) -> str:
    steps = code_steps(code, doubts)
    return CreditCodes(DIGITS).instead(ctc_greedy(steps, DIGITS), steps, 1.0).text


def test_check_characters_confirm_a_code() -> None:
    assert is_credit_code(CODE)
    assert not any(is_credit_code(CODE[:i] + other + CODE[i + 1 :]) for i in range(18) for other in "0123456789ABXY" if other != CODE[i])
    assert not is_credit_code(CODE[:-1])


def test_a_code_that_is_contradicted_becomes_the_one_that_is_confirmed() -> None:
    wrong = CODE[:5] + "7" + CODE[6:]
    assert corrected(wrong, {5: (CODE[5], 0.2), 2: ("8", 0.1)}) == CODE


def test_letters_that_codes_leave_out_are_the_digits_that_look_like_them() -> None:
    assert corrected(CODE.replace("0", "O"), {}) == CODE


def test_a_code_that_cannot_be_confirmed_stays() -> None:
    wrong = CODE[:5] + "7" + CODE[6:]
    assert corrected(wrong, {}) == wrong


def test_other_numbers_stay() -> None:
    steps = code_steps("3501020256971", {})
    assert CreditCodes(DIGITS).instead(ctc_greedy(steps, DIGITS), steps, 1.0).text == "3501020256971"


WORDS = SealWords(seal_words(), standard_texts(), ALPHABET)


def in_words(characters: list[dict[str, float]]) -> str:
    steps = steps_of(characters)
    return WORDS.instead(ctc_greedy(steps, ALPHABET), steps, 1.0).text


def test_a_doubtful_character_is_that_of_a_known_word() -> None:
    assert in_words([*sure("甲乙科"), {"货": 0.5, "技": 0.2}, *sure("有限公司")]) == "甲乙科技有限公司"
    assert in_words([*sure("甲乙科技有"), {"货": 0.5, "限": 0.03}, *sure("公司")]) == "甲乙科技有限公司"


def test_a_character_that_the_strip_hardly_shows_is_not_put_in() -> None:
    assert in_words([*sure("甲乙科"), {"货": 0.9, "技": 0.02}, *sure("有限公司")]) == "甲乙科货有限公司"


def test_no_word_takes_the_place_of_another_that_is_likelier() -> None:
    assert in_words([{"检": 0.9}, {"验": 0.5, "测": 0.4}, *sure("专用章")]) == "检验专用章"


def test_made_up_names_stay() -> None:
    doubtful = [{c: 0.55} for c in "丙货乙甲"]
    assert in_words([*doubtful, *sure("有限公司")]) == "丙货乙甲有限公司"


def test_a_text_that_was_recognised_as_a_whole_is_not_taken_apart() -> None:
    steps = steps_of([*sure("全国统一发票"), {"专": 0.5, "监": 0.1}, {"用": 0.5, "制": 0.1}, *sure("章")])
    whole = StandardTexts(standard_texts(), ALPHABET).instead(ctc_greedy(steps, ALPHABET), steps, 1.0)
    assert whole.text == "全国统一发票监制章"
    assert WORDS.instead(whole, steps, 1.0) is whole


def test_exchanged_characters_have_their_own_scores() -> None:
    steps = steps_of([*sure("甲乙科"), {"货": 0.5, "技": 0.2}, *sure("有限公司")])
    reading = WORDS.instead(ctc_greedy(steps, ALPHABET), steps, 1.0)
    assert reading.char_scores == pytest.approx([0.99, 0.99, 0.99, 0.2, 0.99, 0.99, 0.99, 0.99])
    assert reading.score == pytest.approx(np.mean(reading.char_scores))


def test_words_of_another_alphabet_are_left_alone() -> None:
    alphabet = alphabet_of(list("ABC"))
    steps = every_step(np.eye(len(alphabet))[[1, 0, 2]] * 0.6 + 0.08)
    reading = ctc_greedy(steps, alphabet)
    assert SealWords(seal_words(), standard_texts(), alphabet).instead(reading, steps, 1.0) is reading


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ALPHABET[1:]), st.floats(0.55, 0.99)), min_size=1, max_size=12))
def test_words_keep_the_length_and_stay_when_applied_again(characters: list[tuple[str, float]]) -> None:
    steps = steps_of([{symbol: probability} for symbol, probability in characters])
    first = WORDS.instead(ctc_greedy(steps, ALPHABET), steps, 1.0)
    assert len(first.text) == len(characters)
    assert WORDS.instead(first, steps, 1.0).text == first.text


def missing(text: str) -> tuple[set[str], set[str]]:
    before, after = WORDS.cut_short(text)
    return {word for word, _ in before}, {word for word, _ in after}


def test_a_text_that_begins_or_ends_within_a_word_names_the_word() -> None:
    before, after = missing("究专用")
    assert "研究专用" in before and not after
    assert ("中国共产主义青年团", 1) in WORDS.cut_short("国共产主义青年团")[0]
    assert "科研专用" in missing("科研专")[1]
    assert "河南" in missing("南城建学院")[0]


def test_whole_texts_and_unknown_ones_are_not_cut_short() -> None:
    for text in ("国家税务总局", "合同专用章", "甲乙丙", "", "О", "丙货科技有限公司"):
        assert missing(text) == (set(), set())


def test_what_begins_with_a_word_is_cut_short_only_as_a_whole() -> None:
    assert "合同专用章" in missing("专用章")[0]
    assert not missing("专用章丙")[0]


@pytest.mark.parametrize(
    ("text", "beside"),
    [
        ("辽宁税务局", (1, 2)),
        ("全国统一票监制章", (3, 4)),
        ("究专用", (0,)),
        ("科研专", (-1,)),
        ("国共产主义青年团", (0,)),
        ("国统一发票监制", (0, -1)),
        ("研究专用", ()),
        ("国家税务总局", ()),
        ("国家税务局监制", ()),
        ("ĐĂNGKÝ", ()),
        ("专用", ()),
        ("甲乙丙", ()),
        ("", ()),
    ],
)
def test_a_known_text_but_for_a_character_has_a_gap(text: str, beside: tuple[int, ...]) -> None:
    assert WORDS.beside_gaps(text) == beside


def test_what_was_read_is_kept_through_all_corrections() -> None:
    steps = steps_of([*sure("甲乙科"), {"货": 0.5, "技": 0.2}, *sure("有限公司")])
    reading = ctc_greedy(steps, ALPHABET)
    better = Corrections(ALPHABET).instead(reading, steps, 1.0)
    assert (better.text, better.as_read) == ("甲乙科技有限公司", reading)
    certain = steps_of(sure("甲乙科技"))
    assert Corrections(ALPHABET).instead(ctc_greedy(certain, ALPHABET), certain, 1.0).raw is None


def test_words_of_alphabets_stand_alone() -> None:
    assert in_words([*sure("РОССИ"), {"О": 0.6, "Я": 0.3}]) == "РОССИЯ"
    assert in_words([*sure("РОССИ"), {"О": 0.6, "Я": 0.3}, *sure("НКА")]) == "РОССИОНКА"


def test_a_sure_character_stays_in_the_longest_word() -> None:
    office = [*sure("人力资源"), {"货": 0.98}, *sure("社会保障"), {"局": 0.6, "甲": 0.2}]
    assert in_words(office) == "人力资源货社会保障局"
    assert in_words([*office[:4], {"货": 0.9, "和": 0.05}, *office[5:]]) == "人力资源和社会保障局"
