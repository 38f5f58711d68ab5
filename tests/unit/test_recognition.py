"""Strips in, readings out: order, number, batches and widths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealread.stages.recognition import HEIGHT, MOST_WIDTH, Calibration, Recogniser
from sealread.types import Image, Tensor

ALPHABET = ("", "甲", "乙", "丙", " ")


@dataclass
class Columns:
    """A recogniser that reads the brightness of each step of eight pixels: 0 is blank, 80 甲, 160 乙, 240 丙."""

    name: str = "columns"
    inputs: tuple[str, ...] = ("x",)
    plans: bool = False
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        (batch,) = inputs
        self.shapes.append(batch.shape)
        steps = batch.mean(axis=(1, 2)).reshape(len(batch), -1, 8).mean(axis=2)
        # The padding's value is 0: between 甲 and 乙 on this scale, so it must be told apart.
        padded = (batch == 0).all(axis=(1, 2)).reshape(len(batch), -1, 8).all(axis=2)
        best = np.where(padded, 0, np.round((steps + 1) * 127.5 / 80)).astype(int)
        return [np.where(np.arange(5) == best[..., None], 0.9, 0.025).astype(np.float32)]


def strip(word: str, height: int = HEIGHT, step: int = 16) -> Image:
    """Each character `step` pixels wide with as much blank behind it."""
    levels = [level for c in word for level in (ALPHABET.index(c) * 80, 0)] if word else [0]
    return np.repeat(np.full((height, len(levels), 3), 0, np.uint8) + np.array(levels, np.uint8)[None, :, None], step, axis=1)


words = st.lists(st.text("甲乙丙", min_size=1, max_size=30), max_size=12)


@settings(deadline=None, max_examples=40)
@given(words, st.integers(1, 9))
def test_order_and_number_are_kept_and_batches_change_nothing(texts: list[str], batch_size: int) -> None:
    strips = [strip(text) for text in texts]
    together = Recogniser(Columns(), ALPHABET, batch_size).read(strips)
    assert [r.text for r in together] == texts
    alone = [Recogniser(Columns(), ALPHABET, 1).read([each])[0] for each in strips]
    for a, b in zip(together, alone, strict=True):
        assert (a.text, a.score, a.char_scores) == (b.text, b.score, b.char_scores)
        assert np.allclose(a.char_positions, b.char_positions)


def test_an_engine_that_plans_sees_batches_of_one_size() -> None:
    strips = [strip("甲乙丙"[: 1 + n % 3] * n, step=16) for n in range(1, 30)]
    usual, planning = Columns(), Columns(plans=True)
    assert Recogniser(planning, ALPHABET, 4).read(strips) == Recogniser(usual, ALPHABET, 4).read(strips)
    assert {shape[0] for shape in usual.shapes} > {4}
    assert planning.shapes == [(4, *shape[1:]) for shape in usual.shapes]


def test_a_page_reads_alike_in_any_company() -> None:
    """A network that sees the padding would answer otherwise if a page's strips were padded for those of another."""

    class Widths(Columns):
        def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
            (answer,) = super().run(inputs)
            return [answer * np.float32(1 - inputs[0].shape[3] / 10_000)]

    pages = [[strip("甲乙" * n, step=16) for n in lengths] for lengths in ((1, 9, 30), (2, 10, 31, 32), (), (5,))]
    recogniser = Recogniser(Widths(), ALPHABET, 4)
    assert recogniser.read_together(pages) == [recogniser.read(page) for page in pages]


def test_a_network_may_speak_of_the_steps_that_are_no_blanks_alone() -> None:
    class Sparse(Columns):
        def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
            (answer,) = super().run(inputs)
            asked = answer.argmax(axis=2) != 0
            return [answer[asked], asked]

    strips = [strip(text) for text in ("甲乙甲丙", "", "丙乙乙", "甲")]
    whole, sparse = (Recogniser(kind(), ALPHABET).read(strips) for kind in (Columns, Sparse))
    assert sparse == whole
    assert [reading.text for reading in sparse] == ["甲乙甲丙", "", "丙乙乙", "甲"]


def test_no_strips_no_run() -> None:
    engine = Columns()
    assert Recogniser(engine, ALPHABET).read([]) == []
    assert engine.shapes == []


def test_widths_come_in_few_steps_and_batches_hold_strips_of_like_width() -> None:
    engine = Columns()
    Recogniser(engine, ALPHABET, batch_size=4).read([np.zeros((48, width, 3), np.uint8) for width in (*range(20, 500, 7), 1500)])
    assert all(shape[1:3] == (3, HEIGHT) and shape[3] % 16 == 0 and shape[3] >= 96 for shape in engine.shapes)
    assert max(shape[0] for shape in engine.shapes) == 4
    assert engine.shapes[-1] == (1, 3, 48, 1504)


def test_wide_strips_are_squeezed() -> None:
    engine = Columns()
    (reading,) = Recogniser(engine, ALPHABET).read([strip("甲乙" * 100, step=32)])
    assert engine.shapes == [(1, 3, HEIGHT, MOST_WIDTH)]
    assert len(reading.text) == 200


@pytest.mark.parametrize("height", [12, 24, 96, 480])
def test_strips_of_any_height_are_brought_to_the_network_s(height: int) -> None:
    (reading,) = Recogniser(Columns(), ALPHABET).read([strip("甲丙乙", height, 16 * height // HEIGHT)])
    assert reading.text == "甲丙乙"


def test_positions_are_shares_of_the_strip_not_of_its_padding() -> None:
    (reading,) = Recogniser(Columns(), ALPHABET).read([strip("甲乙")])
    # Each character's first step of eight pixels, of 64.
    assert reading.char_positions == pytest.approx([4 / 64, 36 / 64])


def test_one_pixel_is_read_as_nothing() -> None:
    (reading,) = Recogniser(Columns(), ALPHABET).read([np.zeros((1, 1, 3), np.uint8)])
    assert (reading.text, reading.score, reading.char_scores) == ("", 0.0, ())


def test_calibration_gives_a_probability_that_rises_with_the_evidence_and_keeps_nothing() -> None:
    curve = Calibration(mean=1.2, least=0.5, detection=1.0, offset=-0.4)
    assert curve((), 1.0) == 0.0
    scores = [curve((p, p), d) for p, d in ((0.2, 0.5), (0.6, 0.5), (0.6, 0.9), (1.0, 1.0))]
    assert scores == sorted(scores)
    assert all(0 < score < 1 for score in scores)
    assert Calibration(3.0, 2.0, 1.0, 0.0)((0.5, 0.5), 0.5) == pytest.approx(0.5)
    assert Calibration(1.0, 0.0, 0.0, 0.0)((0.2, 0.4), 0.9) == pytest.approx(0.3)
    assert Calibration(0.0, 0.0, 1.0, 0.0)((0.2, 0.4), 0.9) == pytest.approx(0.9)


def test_a_network_sees_what_its_card_says() -> None:
    engine = Columns()
    red: Image = np.zeros((HEIGHT, 32, 3), np.uint8)
    red[..., 2] = 255
    seen: list[Tensor] = []
    engine.run = lambda inputs: (seen.append(inputs[0]), Columns().run(inputs))[1]  # type: ignore[method-assign]
    Recogniser(engine, ALPHABET, least_width=320, rgb=True).read([red])
    assert seen[0].shape == (1, 3, HEIGHT, 320)
    assert (seen[0][0, 0, :, :32] == 1).all() and (seen[0][0, 2, :, :32] == -1).all()


def test_scripts_that_run_from_right_to_left_are_given_in_reading_order() -> None:
    (reading,) = Recogniser(Columns(), ALPHABET, right_to_left=True).read([strip("甲乙丙")])
    assert reading.text == "丙乙甲"
    assert reading.char_positions[0] > reading.char_positions[2]
