"""Alphabets, CTC decoding and normal forms of text: pure functions."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sealread.types import Recognition

#: Index of the CTC blank.
BLANK = 0


def alphabet_of(lines: Sequence[str]) -> tuple[str, ...]:
    """The characters behind the classes of a CTC network: blank, the dictionary's lines, and a space at the end."""
    return ("", *lines, " ")


def ctc_greedy(probabilities: NDArray[np.floating], alphabet: Sequence[str], used: float = 1.0) -> Recognition:
    """The most probable character at each step, repeats joined, blanks dropped (Graves et al. 2006, best path).

    Args:
        probabilities: ``(steps, classes)``.
        alphabet: one string per class, the blank first.
        used: share of the steps that show the strip; the rest is padding.

    Returns:
        The text; its score is the mean of the kept steps' probabilities, 0 for an empty text.
    """
    best = probabilities.argmax(axis=1)
    kept = (best != BLANK) & np.concatenate([[True], best[1:] != best[:-1]])
    places = np.flatnonzero(kept)
    if len(places) == 0:
        return Recognition("", 0.0)
    scores = probabilities[places, best[places]].astype(np.float64)
    characters: list[str] = []
    char_scores: list[float] = []
    positions: list[float] = []
    total = max(len(best) * used, 1e-9)
    for place, score in zip(places, scores, strict=True):
        symbol = alphabet[best[place]]
        characters.append(symbol)
        # An entry of several code points (a ligature) shares its score and place.
        char_scores.extend([float(score)] * len(symbol))
        positions.extend([float(min((place + 0.5) / total, 1.0))] * len(symbol))
    return Recognition("".join(characters), float(scores.mean()), tuple(char_scores), tuple(positions))


def half_width(text: str) -> str:
    """Digits, Latin letters and brackets in their half-width form (NFKC); everything else is kept."""
    return unicodedata.normalize("NFKC", text)
