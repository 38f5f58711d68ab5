"""From found lines to readings of seals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from figures import Band, straight

from sealread.corrections import Corrections
from sealread.frames import Identity
from sealread.reader import Found, read_seals
from sealread.stages.recognition import Recogniser
from sealread.text import alphabet_of
from sealread.types import DetectedLine, Image, Recognition, Region, Ribbon

ALPHABET = alphabet_of(sorted(set("研究专用章甲乙丙科技有限公司")))


@dataclass(frozen=True)
class Painted(Recogniser):
    """Reads blocks of grey, a level for each character of `texts`, instead of running a network."""

    texts: str = ""

    def read_together(self, pages: Sequence[Sequence[Image]]) -> list[list[Recognition]]:
        return [[self._one(strip) for strip in page] for page in pages]

    def _one(self, strip: Image) -> Recognition:
        levels = np.round(strip[strip.shape[0] // 2, :, 0] / 20).astype(int)
        runs = np.split(np.arange(len(levels)), np.flatnonzero(np.diff(levels)) + 1)
        blocks = [run for run in runs if 0 < levels[run[0]] <= len(self.texts) and len(run) > 0.5 * strip.shape[0]]
        text = "".join(self.texts[levels[run[0]] - 1] for run in blocks)
        places = tuple(float(run.mean() + 0.5) / len(levels) for run in blocks)
        return Recognition(text, 0.9, (0.9,) * len(text), places)


def page(text: str) -> Image:
    """One line of 40 x 40 pixel blocks across the middle of a page."""
    image = np.zeros((200, 400, 3), np.uint8)
    for i in range(len(text)):
        image[80:120, 60 + 50 * i : 100 + 50 * i] = 20 * (i + 1)
    return image


def texts_of(text: str, found: Band, corrections: Corrections | None) -> list[str]:
    line = DetectedLine(found.polygon, 0.9, Ribbon(found.top, found.bottom), 1.0)
    places = [(Region(16, "seal", 0.9, (10.0, 10.0, 390.0, 190.0)), [line])]
    recogniser = Painted(None, ALPHABET, corrections=corrections, texts=text)  # type: ignore[arg-type]
    image = page(text)
    (seals,) = read_seals([Found(image, places, Identity(), 0.0)], recogniser)
    return [line.text for seal in seals for line in seal.lines]


@pytest.fixture(scope="module")
def known() -> Corrections:
    return Corrections(ALPHABET)


def test_a_line_that_was_cut_off_within_a_word_is_read_with_more_room(known: Corrections) -> None:
    band = straight(145, 44).moved(180, 100)
    assert texts_of("研究专用", band, None) == ["究专用"]
    assert texts_of("研究专用", band, known) == ["研究专用"]


def test_more_room_is_not_taken_where_no_word_is_cut(known: Corrections) -> None:
    assert texts_of("甲乙丙", straight(95, 44).moved(155, 100), known) == ["乙丙"]


@dataclass(frozen=True)
class Scripted(Recogniser):
    """Gives these texts, all of their characters equally sure, in this order."""

    script: Sequence[tuple[str, float]] = ()
    asked: list[Image] = field(default_factory=list)

    def read_together(self, pages: Sequence[Sequence[Image]]) -> list[list[Recognition]]:
        return [[self._one(strip) for strip in page] for page in pages]

    def _one(self, strip: Image) -> Recognition:
        text, score = self.script[len(self.asked)]
        self.asked.append(strip)
        return Recognition(text, score, (score,) * len(text), tuple((i + 0.5) / len(text) for i in range(len(text))))


@pytest.mark.parametrize(
    ("cells", "script", "chosen"),
    [
        (0, [("甲乙丙", 0.97)], "甲乙丙"),
        (0, [("甲乙丙", 0.6), ("公司甲", 0.9)], "公司甲"),
        (0, [("甲乙丙", 0.9), ("公司甲", 0.6)], "甲乙丙"),
        (3, [("甲乙丙", 0.97)], "甲乙丙"),
        (3, [("甲乙", 0.97), ("甲乙", 0.98), ("甲乙丙公", 0.9)], "甲乙"),
        (3, [("甲乙丙", 0.7), ("甲", 0.9), ("甲乙丙公", 0.9)], "甲乙丙公"),
        (3, [("甲乙丙", 0.3)], "甲乙丙"),
    ],
)
def test_a_line_is_read_in_other_ways_where_the_likeliest_leaves_a_doubt(cells: int, script: list[tuple[str, float]], chosen: str) -> None:
    band = straight(120, 40).moved(200, 100)
    line = DetectedLine(band.polygon, 0.9, Ribbon(band.top, band.bottom, cells), 0.2)
    recogniser = Scripted(None, ALPHABET, script=script)  # type: ignore[arg-type]
    ((seal,),) = read_seals([Found(page(""), [(Region(16, "seal", 0.9, (10.0, 10.0, 390.0, 190.0)), [line])], Identity(), 0.0)], recogniser)
    assert [line.text for line in seal.lines] == [chosen]
    assert len(recogniser.asked) == len(script)
