"""What is known of the texts of seals, whatever a strip looks like.

Prescribed texts, the words of names, one script in a line, check characters of codes. A correction looks at a reading and at the
probabilities of the steps that it came from. Where it gives another text, the scores of its characters are those of that text, and
`Recognition.raw` keeps what was read.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sealread.corrections.credit_codes import CreditCodes
from sealread.corrections.scripts import OneScript
from sealread.corrections.seal_words import SealWords, seal_words
from sealread.corrections.standard_texts import StandardTexts, standard_texts
from sealread.text import Steps
from sealread.types import Recognition


class Correction(Protocol):
    """One thing that is known of texts."""

    def instead(self, reading: Recognition, steps: Steps, used: float) -> Recognition:
        """The reading, or a better one.

        Args:
            reading: what was read from `steps`.
            steps: what the recogniser says of the strip.
            used: share of the steps that show the strip; the rest is padding.
        """
        ...


class Corrections:
    """All of them, in their order, for a recogniser.

    Args:
        alphabet: one string per class, the blank first.

    Attributes:
        words: the words of names, which also tell where a text was cut off.
    """

    def __init__(self, alphabet: Sequence[str]) -> None:
        whole = standard_texts()
        self.words = SealWords(seal_words(), whole, alphabet)
        self._all: tuple[Correction, ...] = (OneScript(), StandardTexts(whole, alphabet), self.words, CreditCodes(alphabet))

    def instead(self, reading: Recognition, steps: Steps, used: float) -> Recognition:
        """The reading after all of them; arguments as in `Correction`."""
        better = reading
        for correction in self._all:
            better = correction.instead(better, steps, used)
        return better if better.text == reading.text else replace(better, raw=reading)
