"""Words that names on seals are made of, and doubtful characters that belong to one of them.

Names are made up, their parts are not: where 科友有限公司 was read and 技 was the second guess for 友, the name more likely ends in
科技有限公司. A reading is laid out anew as a row of known words and single characters, so that the logarithms of the characters'
probabilities, and what counts in favour of each known word, add up to the most (Viterbi; the noisy channel of Shannon 1948 with words as
its source). Characters are exchanged one for one; nothing is added or left out. The scores are those of the chosen characters, so what was
guessed stays visibly unsure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sealread.corrections import vocabulary
from sealread.types import Recognition

#: Readings all of whose characters are at least this probable are not doubted.
_SURE = 0.99
#: How much more often a known word is met than characters like it (natural logarithm), for each of its characters: so it does not matter
#: whether a long word is one or several. Measured on drawn crops (bench/corrections.py).
_FAMILIARITY = 1.5
#: A word is considered where at least this part of its characters was read.
_SHARED = 0.5
#: Steps of the recogniser to each side of a character's own in which another one may be at its likeliest.
_BESIDE = 1


def seal_words() -> tuple[str, ...]:
    """All of them: Simplified Chinese, two characters and more."""
    groups = (
        *(vocabulary.PROVINCES, vocabulary.CITIES, vocabulary.FORMER_CITIES, vocabulary.COUNTIES, vocabulary.COMMON, vocabulary.TRADES),
        *(vocabulary.SHOPS, vocabulary.BRANCHES, vocabulary.BANKS, vocabulary.BUREAUS, vocabulary.SCHOOLS, vocabulary.DEPARTMENTS),
        *(vocabulary.HOSPITALS, vocabulary.PARTY, vocabulary.PARTY_UNITS, vocabulary.SOCIETIES, vocabulary.PURPOSES),
        tuple(form for form, _ in vocabulary.COMPANY_FORMS),
    )
    return tuple(dict.fromkeys(word for group in groups for word in group if len(word) > 1))


class SealWords:
    """The words in the classes of one recogniser.

    Args:
        words: those that the alphabet cannot write are left out.
        whole: texts that are not taken apart.
        alphabet: one string per class, the blank first.
    """

    def __init__(self, words: Sequence[str], whole: Sequence[str], alphabet: Sequence[str]) -> None:
        self._alphabet = alphabet
        self._wanted = words
        self._whole = frozenset(whole)

    @cached_property
    def _number(self) -> dict[str, int]:
        return {symbol: i for i, symbol in enumerate(self._alphabet)}

    @cached_property
    def _holding(self) -> dict[str, list[tuple[str, int]]]:
        """For each character the words that hold it, and where."""
        holding: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for word in self._wanted:
            if all(character in self._number for character in word):
                for place, character in enumerate(word):
                    holding[character].append((word, place))
        return dict(holding)

    def instead(self, reading: Recognition, probabilities: NDArray[np.floating], used: float) -> Recognition:
        """The reading with known words in the places where they are likelier; else the reading itself.

        Args:
            reading: what was read from `probabilities`.
            probabilities: ``(steps, classes)`` of the recogniser.
            used: share of the steps that show the strip.
        """
        text = reading.text
        if len(text) < 2 or text in self._whole or min(reading.char_scores) >= _SURE:
            return reading
        steps = np.clip(np.round(np.array(reading.char_positions) * len(probabilities) * used - 0.5), 0, len(probabilities) - 1).astype(int)

        def score(place: int, character: str) -> float:
            if character == text[place]:
                return reading.char_scores[place]
            first = max(steps[place] - _BESIDE, 0)
            return float(probabilities[first : steps[place] + _BESIDE + 1, self._number[character]].max())

        # For each end the best row of words and characters so far: its value and where its last word begins.
        best: list[tuple[float, int, str]] = [(0.0, 0, "")]
        ending: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
        for start, word in self._near(text):
            ending[start + len(word)].append((start, word))
        for end in range(1, len(text) + 1):
            ways = [(best[end - 1][0] + _logarithm(reading.char_scores[end - 1]), end - 1, text[end - 1])]
            for start, word in ending[end]:
                likely = sum(_logarithm(score(start + i, character)) for i, character in enumerate(word))
                ways.append((best[start][0] + likely + _FAMILIARITY * len(word), start, word))
            best.append(max(ways))
        parts: list[str] = []
        end = len(text)
        while end:
            _, end, part = best[end]
            parts.append(part)
        chosen = "".join(reversed(parts))
        if chosen == text:
            return reading
        scores = tuple(score(place, character) for place, character in enumerate(chosen))
        raw = text if reading.raw_text is None else reading.raw_text
        return replace(reading, text=chosen, score=float(np.mean(scores)), char_scores=scores, raw_text=raw)

    def _near(self, text: str) -> Iterator[tuple[int, str]]:
        """Words that share enough characters with the text, and where they begin in it."""
        shared: Counter[tuple[int, str]] = Counter()
        for place, character in enumerate(text):
            for word, within in self._holding.get(character, ()):
                if within <= place and place - within + len(word) <= len(text):
                    shared[place - within, word] += 1
        return (where for where, count in shared.items() if count >= _SHARED * len(where[1]))


def _logarithm(probability: float) -> float:
    return float(np.log(max(probability, 1e-6)))
