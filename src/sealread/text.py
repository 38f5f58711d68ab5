"""Alphabets, CTC decoding and normal forms of text: pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sealread.types import Recognition

#: Index of the CTC blank.
BLANK = 0
#: Probability of a character where a network says nothing but blank.
_BESIDE_BLANK = 1e-6
#: In a script that runs from right to left: what still runs from left to right, together; else single characters.
_RUNS = re.compile(r"[A-Za-z0-9 :*./%+-]+|.", re.DOTALL)


def alphabet_of(lines: Sequence[str]) -> tuple[str, ...]:
    """The characters behind the classes of a CTC network: blank, the dictionary's lines, and a space at the end."""
    return ("", *lines, " ")


@dataclass(frozen=True, slots=True)
class Steps:
    """What a CTC network says of the steps of a strip.

    Attributes:
        probabilities: ``(rows, classes)``.
        row: ``(steps,)``: the row of each step; behind the last one where nothing but blank is there.
    """

    probabilities: NDArray[np.floating]
    row: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.row)

    def best(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The most probable class of each step, and its probability."""
        best = self.probabilities.argmax(axis=1)
        peaks = self.probabilities[np.arange(len(best)), best].astype(np.float64)
        return np.append(best, BLANK)[self.row], np.append(peaks, 1.0)[self.row]

    def of(self, classes: ArrayLike) -> NDArray[np.float64]:
        """The probabilities of some classes at each step: ``(steps, *shape of the classes)``."""
        chosen = np.asarray(classes)
        blank = np.where(chosen == BLANK, 1.0, _BESIDE_BLANK)[None]
        return np.concatenate([self.probabilities[:, chosen].astype(np.float64), blank])[self.row]


def every_step(probabilities: NDArray[np.floating]) -> Steps:
    """The steps of a network that gives the probabilities ``(steps, classes)`` of all of them."""
    return Steps(probabilities, np.arange(len(probabilities)))


def ctc_greedy(steps: Steps, alphabet: Sequence[str], used: float = 1.0) -> Recognition:
    """The most probable character at each step, repeats joined, blanks dropped (Graves et al. 2006, best path).

    Args:
        steps: what the network says.
        alphabet: one string per class, the blank first.
        used: share of the steps that show the strip; the rest is padding.

    Returns:
        The text; its score is the mean of the kept steps' probabilities, 0 for an empty text.
    """
    best, peaks = steps.best()
    places = _characters(best)
    if len(places) == 0:
        return Recognition("", 0.0)
    scores = peaks[places]
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


def _characters(best: NDArray[np.intp]) -> NDArray[np.intp]:
    """The steps at which a character begins, where these are the classes of the steps."""
    return np.flatnonzero((best != BLANK) & np.concatenate([[True], best[1:] != best[:-1]]))


def places_of(reading: Recognition, count: int, used: float = 1.0) -> NDArray[np.intp]:
    """The step, of `count`, in which each character of a reading stands: from its place along the strip, as `ctc_greedy` gives it."""
    places = np.round(np.array(reading.char_positions) * count * used - 0.5)
    return np.clip(places, 0, count - 1).astype(np.intp)


def likeliest_path(steps: Steps) -> tuple[list[int], float]:
    """The classes of `ctc_greedy`'s text, and the logarithm of the probability of its path alone."""
    best, peaks = steps.best()
    return best[_characters(best)].tolist(), float(np.log(peaks).sum())


def _with_blanks(classes: Sequence[int]) -> NDArray[np.intp]:
    """The classes with a blank before, between and after them."""
    spread = np.full(2 * len(classes) + 1, BLANK, np.intp)
    spread[1::2] = classes
    return spread


def _may_skip(spread: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Where the blank before a place may be left out: before a character that does not repeat the last one."""
    skips = np.zeros(len(spread), bool)
    skips[2:] = (spread[2:] != BLANK) & (spread[2:] != spread[:-2])
    return skips


def ctc_log_likelihoods(steps: Steps, texts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Natural logarithm of the probability of each text, over all its alignments (Graves et al. 2006, equations 5 to 8).

    Args:
        steps: what the network says.
        texts: classes of each text, not empty.
    """
    longest = 2 * max(len(text) for text in texts) + 1
    spread = np.full((len(texts), longest), BLANK, np.intp)
    skips = np.zeros((len(texts), longest), bool)
    for row, skip, text in zip(spread, skips, texts, strict=True):
        row[: 2 * len(text) + 1] = _with_blanks(text)
        skip[:] = _may_skip(row)
    logarithms = np.log(np.maximum(steps.of(spread), 1e-12))
    # Two places in front that are never reached: so each place finds the one and the two before it.
    forward = np.full((len(texts), longest + 2), -np.inf)
    forward[:, 2:4] = logarithms[0][:, :2]
    closed = np.where(skips, 0.0, -np.inf)
    for step in logarithms[1:]:
        reached = np.logaddexp(np.logaddexp(forward[:, 2:], forward[:, 1:-1]), forward[:, :-2] + closed)
        forward[:, 2:] = reached + step
    forward = forward[:, 2:]
    ends = np.array([2 * len(text) for text in texts])
    rows = np.arange(len(texts))
    return np.asarray(np.logaddexp(forward[rows, ends], forward[rows, ends - 1]))


def ctc_aligned(steps: Steps, text: Sequence[int], alphabet: Sequence[str], used: float = 1.0) -> Recognition:
    """The text laid along the steps where it fits best (Viterbi); scores and places as `ctc_greedy` gives them.

    Args:
        steps: what the network says, at least as many as the text needs.
        text: its classes, not empty.
        alphabet: one string per class, the blank first.
        used: share of the steps that show the strip.
    """
    spread = _with_blanks(text)
    skips = _may_skip(spread)
    likely = steps.of(spread)
    logarithms = np.log(np.maximum(likely, 1e-12))
    best = np.full(len(spread), -np.inf)
    best[:2] = logarithms[0, :2]
    came = np.zeros(logarithms.shape, np.intp)
    for step in range(1, len(logarithms)):
        ways = np.full((3, len(spread)), -np.inf)
        ways[0], ways[1, 1:] = best, best[:-1]
        ways[2, 2:] = np.where(skips[2:], best[:-2], -np.inf)
        came[step] = ways.argmax(axis=0)
        best = ways.max(axis=0) + logarithms[step]
    place = len(spread) - 1 if best[-1] >= best[-2] else len(spread) - 2
    peaks = np.zeros(len(text))
    places = np.zeros(len(text))
    for step in range(len(logarithms) - 1, -1, -1):
        score = likely[step, place]
        if place % 2 and score >= peaks[place // 2]:
            peaks[place // 2], places[place // 2] = score, step
        place -= came[step, place]
    positions = np.minimum((places + 0.5) / max(len(logarithms) * used, 1e-9), 1.0)
    return Recognition("".join(alphabet[c] for c in text), float(peaks.mean()), tuple(peaks.tolist()), tuple(positions.tolist()))


def in_reading_order(reading: Recognition) -> Recognition:
    """A reading from left to right of a script that runs from right to left, first character first.

    Latin letters, digits and the signs between them keep their order.
    """
    runs = [range(*run.span()) for run in _RUNS.finditer(reading.text)]
    order = [i for run in reversed(runs) for i in run]
    return Recognition(
        "".join(reading.text[i] for i in order),
        reading.score,
        tuple(reading.char_scores[i] for i in order),
        tuple(reading.char_positions[i] for i in order),
    )


def half_width(text: str) -> str:
    """Digits, Latin letters and brackets in their half-width form (NFKC); everything else is kept."""
    return unicodedata.normalize("NFKC", text)
