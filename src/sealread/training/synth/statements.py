"""Business papers in Latin script: letterhead, addresses side by side, items in rows, totals; the firm's stamp stands below them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.training.synth.backgrounds import print_colour
from sealread.training.synth.elements import BLACK, bars, line, logo, tuple_of
from sealread.training.synth.names import chance
from sealread.training.synth.truth import Image, Spot

Random = np.random.Generator
Ink = NDArray[np.float64]


def statement(rng: Random, page: Image) -> list[Spot]:
    """Draw one into a page, ``(h, w, 3)`` uint8 BGR, and give the places of stamps, as all of `layouts` do."""
    height, width = page.shape[:2]
    size = max(height, width) * float(rng.uniform(0.009, 0.014))
    left, right = width * float(rng.uniform(0.05, 0.1)), width * float(rng.uniform(0.9, 0.96))
    accent = BLACK if chance(rng, 0.65) else rng.uniform(20, 190, 3)
    paper = _Paper(rng, page, size, left, right, accent)
    end = paper.addresses(paper.letterhead(height * float(rng.uniform(0.02, 0.06))))
    end = paper.totals(paper.items(end + size * float(rng.uniform(0.5, 3))))
    under = min(end, height * 0.8)
    paper.foot(under + size)
    return paper.places_to_sign(under / height)


@dataclass(frozen=True, slots=True)
class _Paper:
    """A business paper as far as it is drawn. Each part begins at a height in pixels and gives the one where it ends.

    Attributes:
        size: of its letters, in pixels.
        left, right: where its columns begin and end.
        accent: ink of its headings and rules.
    """

    rng: Random
    page: Image
    size: float
    left: float
    right: float
    accent: Ink

    def letterhead(self, y: float) -> float:
        """The firm's mark and name, its address below, and a rule."""
        rng, (height, width) = self.rng, self.page.shape[:2]
        unit = max(height, width)
        if chance(rng, 0.5):
            logo(rng, self.page, self.left + unit * 0.05, y + unit * 0.03, unit * float(rng.uniform(0.02, 0.045)), print_colour(rng))
        self._line(width * float(rng.uniform(0.3, 0.6)), y, self.size * float(rng.uniform(1.6, 3.2)), self.accent)
        y = self._rows(width * 0.55, y + self.size * 3.5, int(rng.integers(1, 5))) + self.size
        if chance(rng, 0.6):
            self._rule(self.left, self.right, y, self.accent, int(rng.integers(1, 3)))
        return y

    def addresses(self, y: float) -> float:
        """Who writes and who is written to, side by side, some boxed."""
        rng, width = self.rng, self.page.shape[1]
        boxed = chance(rng, 0.5)
        below = y
        for x in (self.left, width * float(rng.uniform(0.48, 0.58))):
            end = self._rows(x + self.size, y + self.size, int(rng.integers(3, 9)), scale=float(rng.uniform(0.9, 1.3)))
            if boxed and chance(rng, 0.7):
                corners = (int(x), int(y + self.size * 0.4)), (int(x + width * 0.4), int(end))
                cv2.rectangle(self.page, *corners, tuple_of(self.accent), 1)
            below = max(below, end)
        return below

    def items(self, y: float) -> float:
        """A bar code at the top sometimes; rows of items in columns, some ruled."""
        rng, (height, width) = self.rng, self.page.shape[:2]
        if chance(rng, 0.4):
            bars(rng, self.page, self.right - width * 0.15, height * 0.03, width * 0.15, self.size * 2.5)
        others = rng.uniform(self.left + width * 0.25, self.right - width * 0.05, int(rng.integers(2, 6)))
        foot = height * float(rng.uniform(0.4, 0.68))
        while y < foot:
            for x in (self.left, *np.sort(others)):
                if chance(rng, 0.8):
                    self._line(x, y, self.size)
            y += self.size * float(rng.uniform(1.4, 2.2))
            if chance(rng, 0.25):
                self._rule(self.left, self.right, y, self.accent)
                y += self.size * 0.5
        return y

    def totals(self, y: float) -> float:
        """A few larger lines, some on a dark or a grey ground."""
        rng, width = self.rng, self.page.shape[1]
        for _ in range(int(rng.integers(1, 5))):
            x = width * float(rng.uniform(0.5, 0.65))
            if chance(rng, 0.25):
                ground = (40, 40, 40) if chance(rng, 0.3) else (205, 205, 205)
                corners = (int(x + width * 0.15), int(y)), (int(self.right), int(y + self.size * 1.8))
                cv2.rectangle(self.page, *corners, ground, -1)
            self._line(x, y, self.size * 1.3)
            y += self.size * 2
        return y

    def foot(self, y: float) -> None:
        """Notes below the totals, small print at the edge of the page, a bar code sometimes."""
        rng, (height, width) = self.rng, self.page.shape[:2]
        self._rows(self.left, y, int(rng.integers(0, 6)))
        for share in (0.94, 0.965):
            if chance(rng, 0.6):
                self._line(self.left if chance(rng, 0.5) else width / 2, height * share, self.size * 0.8)
        if chance(rng, 0.3):
            bars(rng, self.page, self.right - width * 0.3, height * 0.93, width * 0.3, self.size * 2)

    def places_to_sign(self, under: float) -> list[Spot]:
        """Two places of the firm's stamp below a share of the page's height, some with a line to sign on."""
        rng, (height, width) = self.rng, self.page.shape[:2]
        spots: list[Spot] = []
        for x in (float(rng.uniform(0.6, 0.8)), float(rng.uniform(0.2, 0.4))):
            at = float(rng.uniform(under, 0.9))
            if chance(rng, 0.35):
                self._rule(x * width - self.size * 8, x * width + self.size * 8, at * height, BLACK)
            spots.append((x, at - 0.02, "firm"))
        return spots

    def _rows(self, x: float, y: float, count: int, *, scale: float = 1.0) -> float:
        for _ in range(count):
            self._line(x, y, self.size * scale * float(self.rng.uniform(0.9, 1.15)))
            y += self.size * scale * float(self.rng.uniform(1.3, 1.7))
        return y

    def _line(self, x: float, y: float, size: float, ink: Ink = BLACK) -> None:
        line(self.rng, self.page, x, y, size, ink, language="latin")

    def _rule(self, start: float, end: float, y: float, ink: Ink, thickness: int = 1) -> None:
        cv2.line(self.page, (int(start), int(y)), (int(end), int(y)), tuple_of(ink), thickness)
