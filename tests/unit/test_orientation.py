"""Which way up the page is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from sealread.frames import Identity, QuarterTurn
from sealread.stages.orientation import OrientationClassifier, turned
from sealread.types import Image, Tensor


@dataclass
class Darkest:
    """A classifier that says which side of its input is dark: top 0, right 90, bottom 180, left 270."""

    sure: float = 0.9
    name: str = "darkest"
    inputs: tuple[str, ...] = ("x",)
    plans: bool = False

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        (batch,) = inputs
        assert batch.shape == (1, 3, 224, 224)
        grey = batch[0].mean(axis=0)
        sides = [grey[:40].mean(), grey[:, -40:].mean(), grey[-40:].mean(), grey[:, :40].mean()]
        answer = np.full((1, 4), (1 - self.sure) / 3, np.float32)
        answer[0, int(np.argmin(sides))] = self.sure
        return [answer]


def page(height: int = 300, width: int = 300) -> Image:
    """Dark at its top."""
    image = np.full((height, width, 3), 255, np.uint8)
    image[: height // 4] = 30
    return image


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_a_page_that_lies_on_its_side_is_set_upright(angle: int) -> None:
    # The content is turned clockwise, as a class says; turning counter-clockwise by it undoes that.
    lying = np.ascontiguousarray(np.rot90(page(), -angle // 90))
    found = OrientationClassifier(Darkest()).angle(lying)
    assert found == angle
    upright, frame = turned(lying, found)
    assert np.array_equal(upright, page())
    assert isinstance(frame, Identity if angle == 0 else QuarterTurn)


def test_doubt_leaves_the_page_alone() -> None:
    lying = np.ascontiguousarray(np.rot90(page()))
    assert OrientationClassifier(Darkest(sure=0.6)).angle(lying) == 0


@pytest.mark.parametrize("size", [(1, 1), (10, 2000), (2000, 10), (224, 224), (700, 500)])
def test_pages_of_any_shape_are_seen(size: tuple[int, int]) -> None:
    assert OrientationClassifier(Darkest()).angle(np.full((*size, 3), 255, np.uint8)) in (0, 90, 180, 270)


def test_a_turn_leaves_no_black_lines_and_no_blur() -> None:
    """Quirk 15: the reference turns through a cubic warp."""
    noise = np.random.default_rng(0).integers(1, 256, (33, 20, 3), dtype=np.uint8)
    for angle in (90, 180, 270):
        upright, _ = turned(noise, angle)
        assert sorted(map(tuple, upright.reshape(-1, 3).tolist())) == sorted(map(tuple, noise.reshape(-1, 3).tolist()))
