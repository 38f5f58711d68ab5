"""Words that names on seals are made of, and doubtful characters that belong to one of them.

Names are made up, their parts are not: where 科友有限公司 was read and 技 was the second guess for 友, the name more likely ends in
科技有限公司. A reading is laid out anew as a row of known words and single characters, so that the logarithms of the characters'
probabilities, and what counts in favour of each known word, add up to the most (Viterbi; the noisy channel of Shannon 1948 with words as
its source). Characters are exchanged one for one; nothing is added or left out. The scores are those of the chosen characters, so what was
guessed stays visibly unsure.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from sealread.corrections import vocabulary
from sealread.text import Steps, places_of
from sealread.types import Recognition

#: Readings all of whose characters are at least this probable are not doubted.
_SURE = 0.99
#: How much more often a known word is met than characters like it (natural logarithm), for each of its characters: so it does not matter
#: whether a long word is one or several. Measured on drawn crops (bench/corrections.py).
_FAMILIARITY = 1.5
#: No character gives way to one that is less likely by more than this (natural logarithm), however long the word.
_MOST_UNLIKELY = 5.0
#: Characters from here on are written without spaces between words.
_IDEOGRAPHS = "\u2e80"
#: A word is considered where at least this part of its characters was read.
_SHARED = 0.5
#: Characters that a cut-off word may lack, and those that are left of it; one is enough of the places that names begin with.
_MOST_MISSING, _LEAST_LEFT = 2, 2
_PLACES = frozenset((*vocabulary.SHORT_PROVINCES, *vocabulary.CITIES, *vocabulary.FORMER_CITIES))
#: A text of fewer characters is not known for a part of a word.
_LEAST_PART = 3
#: Whole texts of at most so many characters have likenesses that lack one of theirs.
_MOST_ALIKE = 5
#: Steps of the recogniser to each side of a character's own in which another one may be at its likeliest.
_BESIDE = 1


def seal_words() -> tuple[str, ...]:
    """All of them: Simplified Chinese, two characters and more, and Russian, in capitals and in small letters."""
    russian = [form for word in vocabulary.RUSSIAN for form in (word, word.capitalize(), word.lower())]
    groups = (
        *(sorted(_PLACES), vocabulary.PROVINCES, vocabulary.COUNTIES, vocabulary.COMMON, vocabulary.TRADES),
        *(vocabulary.SHOPS, vocabulary.BRANCHES, vocabulary.BANKS, vocabulary.BUREAUS, vocabulary.SCHOOLS, vocabulary.DEPARTMENTS),
        *(vocabulary.HOSPITALS, vocabulary.PARTY, vocabulary.PARTY_UNITS, vocabulary.SOCIETIES, vocabulary.PURPOSES),
        *(vocabulary.PRESCRIBED, russian),
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

    def is_whole(self, text: str) -> bool:
        """Whether the text is one of those that stand as they are."""
        return text in self._whole

    def ends_well(self, text: str) -> tuple[bool, bool]:
        """Whether a text begins with a known word, and whether it ends with one."""
        if text in self._whole:
            return True, True
        first, last = self._holding.get(text[:1], ()), self._holding.get(text[-1:], ())
        return (
            any(place == 0 and text.startswith(word) for word, place in first),
            any(place == len(word) - 1 and text.endswith(word) for word, place in last),
        )

    def cut_short(self, text: str) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
        """Words of which only the last part stands at the start of the text, and words of which only the first part stands at its end.

        Where the text begins (ends) with a known word, only words that hold all of it count. With each word goes the number of its
        characters that are missing.
        """
        if text in self._whole:
            return [], []
        begins, ends = self.ends_well(text)
        first, last = self._holding.get(text[:1], ()), self._holding.get(text[-1:], ())
        before = [(w, place) for w, place in first if text.startswith(w[place:]) and _may_be_cut(w, place, text, begins)]
        after = [(w, len(w) - place - 1) for w, place in last if text.endswith(w[: place + 1])]
        return before, [(w, n) for w, n in after if w not in _PLACES and _may_be_cut(w, n, text, ends)]

    @cached_property
    def _gaps(self) -> dict[str, int]:
        """The whole texts without one of their inner characters, and the place where it was; no words among them."""
        long, words = (text for text in self._whole if len(text) > _MOST_ALIKE), frozenset(self._wanted)
        gaps = ((text[:place] + text[place + 1 :], place) for text in long for place in range(1, len(text) - 1) if text[place] != " ")
        return {left: place for left, place in gaps if left not in words}

    def beside_gaps(self, text: str) -> tuple[int, ...]:
        """The characters beside which a text lacks one of a known text; none where it is a known text itself.

        Both beside a gap in a whole text; the first (0), the last (-1) or both where a word is cut.
        """
        if text in self._whole or len(text) < _LEAST_PART:
            return ()
        if text in self._gaps:
            return self._gaps[text] - 1, self._gaps[text]
        words = {(place, len(word) - place - len(text)) for word, place in self._holding.get(text[0], ()) if word.startswith(text, place)}
        for lacking, ends in (((0, 0), ()), ((1, 0), (0,)), ((0, 1), (-1,)), ((1, 1), (0, -1))):
            if lacking in words:
                return ends
        return ()

    def instead(self, reading: Recognition, steps: Steps, used: float) -> Recognition:
        """The reading with known words in the places where they are likelier; else the reading itself.

        Args:
            reading: what was read from `steps`.
            steps: what the recogniser says of the strip.
            used: share of the steps that show the strip.
        """
        text = reading.text
        if len(text) < 2 or text in self._whole or min(reading.char_scores) >= _SURE:
            return reading
        near = list(self._near(text))
        if not near:
            return reading
        column = {character: i for i, character in enumerate({character for _, word in near for character in word})}
        told, places = steps.of([self._number[character] for character in column]), places_of(reading, len(steps), used)
        beside = np.clip(places[:, None] + np.arange(-_BESIDE, _BESIDE + 1), 0, len(steps) - 1)
        likely_at = told[beside].max(axis=1).tolist()

        def score(place: int, character: str) -> float:
            return reading.char_scores[place] if character == text[place] else float(likely_at[place][column[character]])

        # For each end the best row of words and characters so far: its value and where its last word begins.
        best: list[tuple[float, int, str]] = [(0.0, 0, "")]
        ending: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
        for start, word in near:
            ending[start + len(word)].append((start, word))
        for end in range(1, len(text) + 1):
            ways = [(best[end - 1][0] + _logarithm(reading.char_scores[end - 1]), end - 1, text[end - 1])]
            for start, word in ending[end]:
                likely = [_logarithm(score(start + i, character)) for i, character in enumerate(word)]
                if all(_logarithm(reading.char_scores[start + i]) - each <= _MOST_UNLIKELY for i, each in enumerate(likely)):
                    ways.append((best[start][0] + sum(likely) + _FAMILIARITY * len(word), start, word))
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
        return replace(reading, text=chosen, score=float(np.mean(scores)), char_scores=scores)

    def _near(self, text: str) -> Iterator[tuple[int, str]]:
        """Words that share enough characters with the text, and where they begin in it."""
        shared: Counter[tuple[int, str]] = Counter()
        for place, character in enumerate(text):
            for word, within in self._holding.get(character, ()):
                start = place - within
                end = start + len(word)
                if start >= 0 and end <= len(text) and (word[0] >= _IDEOGRAPHS or _stands_alone(text, start, end)):
                    shared[start, word] += 1
        return (where for where, count in shared.items() if count >= _SHARED * len(where[1]))


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a part of the text has no letters beside it: words of alphabets are not found within others."""
    return not (text[:start][-1:].isalpha() or text[end:][:1].isalpha())


def _may_be_cut(word: str, missing: int, text: str, whole: bool) -> bool:
    """Whether a word may have lost so many characters at an end of a text that otherwise ends with a whole one, or does not."""
    left = len(word) - missing
    enough = left >= (1 if word in _PLACES else _LEAST_LEFT)
    return 1 <= missing <= _MOST_MISSING and enough and (not whole or left == len(text))


def _logarithm(probability: float) -> float:
    return math.log(max(probability, 1e-6))
