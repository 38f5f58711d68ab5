"""A page is flattened by the network's own grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from sealread.stages.unwarping import Unwarper
from sealread.types import Image, Tensor


@dataclass
class Bend:
    """A network whose grid shows, at each height, a place farther down by a bend of the width's middle."""

    depth: float
    name: str = "bend"
    inputs: tuple[str, ...] = ("x",)

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        assert inputs[0].shape == (1, 3, 712, 488)
        x, y = np.meshgrid(np.linspace(-1, 1, 31), np.linspace(-1, 1, 45))
        return [np.stack([x, y + self.depth * (1 - x * x)])[None].astype(np.float32)]


def page(height: int, width: int) -> Image:
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(200, 140), (90, 300), (2, 2)])
def test_a_regular_grid_changes_nothing(size: tuple[int, int]) -> None:
    flat, _ = Unwarper(Bend(0.0)).flatten(page(*size))
    assert flat.shape == (*size, 3)
    assert np.abs(flat.astype(int) - page(*size)).max() <= 1


def test_a_bent_line_becomes_straight_and_its_points_go_back_onto_the_bend() -> None:
    height, width = 400, 300
    bent = np.full((height, width, 3), 255, np.uint8)
    x = np.arange(width)
    place = (x + 0.5) / width * 2 - 1
    # The flat page's row 150 shows the upright page's row 150 + 40 * (1 - x * x).
    rows = np.floor(150.5 + 0.2 * (1 - place**2) * height / 2).astype(int)
    for offset in (-1, 0, 1):
        bent[rows + offset, x] = 0
    flat, frame = Unwarper(Bend(0.2)).flatten(bent)
    assert flat[150, 5:-5].max() < 60
    back = frame.to_source(np.stack([x + 0.5, np.full(width, 150.5)], axis=1))
    assert np.abs(back[:, 1] - (rows + 0.5)).max() < 1.2
    assert np.allclose(back[:, 0], x + 0.5, atol=1e-3)
