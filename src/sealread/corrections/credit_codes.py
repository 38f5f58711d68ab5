"""Unified social credit codes: a code whose check characters contradict it is the likeliest one that they confirm.

The code has 18 places (GB 32100-2015): the last one checks the others modulo 31, and places 9 to 17 are an organisation code whose last
place checks it modulo 11 (GB 11714-1997). Of 341 wrong codes one passes both checks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sealread.text import Steps, places_of
from sealread.types import Recognition

_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES = {symbol: value for value, symbol in enumerate(_SYMBOLS)}
_LENGTH = 18
_WEIGHTS = [pow(3, place, 31) for place in range(_LENGTH - 1)]
_ORGANISATION, _ORGANISATION_WEIGHTS = slice(8, 17), (3, 7, 9, 10, 5, 8, 4, 2)
#: Letters that codes leave out because they look like these.
_NOT_USED = str.maketrans("OIZSV", "0125U")
#: A code may be less likely than what was read by at most this factor (natural logarithm), and must be likelier than the next one by this.
_MOST_UNLIKELY, _CLEARLY = 8.0, 1.0
#: Symbols tried at a place.
_TRIED = 4


def is_credit_code(text: str) -> bool:
    """Whether both check characters of an 18-place code confirm it."""
    if len(text) != _LENGTH or not set(text) <= set(_SYMBOLS):
        return False
    whole = sum(_VALUES[symbol] * weight for symbol, weight in zip(text, _WEIGHTS, strict=False))
    part = text[_ORGANISATION]
    inner = sum(int(symbol, 36) * weight for symbol, weight in zip(part, _ORGANISATION_WEIGHTS, strict=False))
    return _SYMBOLS[-whole % 31] == text[-1] and "0123456789X"[-inner % 11] == part[-1]


class CreditCodes:
    """Codes in the classes of one recogniser.

    Args:
        alphabet: one string per class, the blank first.
    """

    def __init__(self, alphabet: Sequence[str]) -> None:
        self._alphabet = alphabet

    @cached_property
    def _classes(self) -> NDArray[np.intp]:
        number = {symbol: i for i, symbol in enumerate(self._alphabet)}
        return np.array([number.get(symbol, -1) for symbol in _SYMBOLS], dtype=np.intp)

    def instead(self, reading: Recognition, steps: Steps, used: float) -> Recognition:
        """The code that the reading must have been, where it looks like one and its check characters contradict it."""
        text = reading.text.translate(_NOT_USED)
        if len(text) != _LENGTH or not set(text) <= set(_SYMBOLS) or (self._classes < 0).any():
            return reading
        if is_credit_code(text):
            return reading if text == reading.text else replace(reading, text=text)
        likely = np.log(np.maximum(steps.of(self._classes)[places_of(reading, len(steps), used)], 1e-6))
        best = likely[range(_LENGTH), [_VALUES[symbol] for symbol in text]]
        swaps = [
            (best[place] - likely[place, value], place, _SYMBOLS[value])
            for place in range(_LENGTH)
            for value in np.argsort(-likely[place])[:_TRIED]
            if _SYMBOLS[value] != text[place]
        ]
        confirmed = sorted(
            (sum(cost for cost, _, _ in chosen), code)
            for count in (1, 2)
            for chosen in combinations(swaps, count)
            if sum(cost for cost, _, _ in chosen) <= _MOST_UNLIKELY and is_credit_code(code := _swapped(text, chosen))
        )
        if not confirmed or (len(confirmed) > 1 and confirmed[1][0] - confirmed[0][0] < _CLEARLY):
            return reading
        code = confirmed[0][1]
        scores = tuple(float(np.exp(row[_VALUES[symbol]])) for row, symbol in zip(likely, code, strict=True))
        return replace(reading, text=code, score=float(np.mean(scores)), char_scores=scores)


def _swapped(text: str, chosen: Sequence[tuple[float, int, str]]) -> str:
    symbols = list(text)
    for _, place, symbol in chosen:
        symbols[place] = symbol
    return "".join(symbols)
