"""A page is flattened by the network's own grid, and left alone where it is flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sealread.frames import Grid, Identity
from sealread.stages.unwarping import BENT_FROM, Unwarper, bend, regular
from sealread.training import synth
from sealread.training.flatness import unwarper_measures
from sealread.training.synth.paper import Look, bent_look, flat_look
from sealread.types import Image, Tensor


@dataclass
class Given:
    """A network that gives the same grid for every page."""

    grid: NDArray[np.float64]
    name: str = "given"
    inputs: tuple[str, ...] = ("x",)
    plans: bool = False

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        assert inputs[0].shape == (1, 3, 712, 488)
        return [self.grid.transpose(2, 0, 1)[None].astype(np.float32)]


def sagging(depth: float) -> NDArray[np.float64]:
    """A grid that shows, at each height, a place farther down by a bend of the width's middle."""
    grid = regular(45, 31)
    grid[..., 1] += depth * (1 - grid[..., 0] ** 2)
    return grid


def page(height: int, width: int) -> Image:
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "map_of",
    [[[1, 0, 0], [0, 1, 0]], [[0.9, 0, 0.05], [0, 0.8, -0.1]], [[0.99, -0.05, 0], [0.05, 0.99, 0]]],
    ids=["regular", "margins", "turned"],
)
@pytest.mark.parametrize("size", [(200, 140), (90, 300), (2, 2)])
def test_a_flat_page_comes_back_itself(size: tuple[int, int], map_of: list[list[float]]) -> None:
    places = np.array(map_of)
    original = page(*size)
    flat, frame = Unwarper(Given(regular(7, 5) @ places[:, :2].T + places[:, 2])).flatten(original)
    assert flat is original
    assert isinstance(frame, Identity)


def test_a_page_whose_grid_folds_over_is_left_alone() -> None:
    grid = regular(9, 9)
    grid[4, 4] = grid[8, 8]
    original = page(60, 80)
    assert Unwarper(Given(grid)).flatten(original)[0] is original


def test_a_bend_is_a_share_of_the_diagonal_whatever_the_resolution() -> None:
    grid = (sagging(0.1) + 1) / 2
    assert bend(grid * [300, 400]) == pytest.approx(bend(grid * [600, 800]))
    assert bend(grid * [300, 400]) > BENT_FROM > bend((sagging(0.01) + 1) / 2 * [300, 400])


def test_a_bent_line_becomes_straight_and_its_points_go_back_onto_the_bend() -> None:
    height, width = 400, 300
    bent = np.full((height, width, 3), 255, np.uint8)
    x = np.arange(width)
    place = (x + 0.5) / width * 2 - 1
    # The flat page shows at each height what lies farther down by 40 * (1 - x * x) on the upright page.
    rows = np.floor(150.5 + 0.2 * (1 - place**2) * height / 2).astype(int)
    for offset in (-1, 0, 1):
        bent[rows + offset, x] = 0
    flat, frame = Unwarper(Given(sagging(0.2))).flatten(bent)
    assert flat.shape[0] == height
    assert width < flat.shape[1] < 1.1 * width  # as long as the bent lines were
    assert flat[150, 5:-5].max() < 60
    back = frame.to_source(np.stack([(x + 0.5) * flat.shape[1] / width, np.full(width, 150.5)], axis=1))
    assert np.abs(back[:, 1] - (rows + 0.5)).max() < 1.2
    assert np.allclose(back[:, 0], x + 0.5, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), place=st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 0.9)))
@example(seed=10069, place=(0.125, 0.1015625))  # cut at the upper edge
def test_what_is_seen_on_the_flat_page_maps_back_to_where_it_was(seed: int, place: tuple[float, float]) -> None:
    """A spot on the upright page is found on the flat one; its centre there maps back onto it within a pixel."""
    rng = np.random.default_rng(seed)
    smooth = cv2.resize(rng.normal(0, 0.06, (4, 4, 2)), (13, 17), interpolation=cv2.INTER_LINEAR)
    upright = np.full((320, 240, 3), 255, np.uint8)
    spot = np.array(place) * [240, 320]
    cv2.circle(upright, (round((spot[0] - 0.5) * 16), round((spot[1] - 0.5) * 16)), 5 * 16, (0, 0, 0), -1, cv2.LINE_AA, 4)
    flat, frame = Unwarper(Given(regular(17, 13) * 0.95 + smooth)).flatten(upright)
    ink = 255.0 - flat[..., 0]
    edges = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    if not ink.any() or edges.any():
        return  # the grid leaves it out, or cuts it: then what is seen has another centre
    y, x = np.mgrid[: flat.shape[0], : flat.shape[1]]
    centre = np.array([[(ink * (x + 0.5)).sum(), (ink * (y + 0.5)).sum()]]) / ink.sum()
    assert np.hypot(*(frame.to_source(centre)[0] - spot)) < 1


# ---------------------------------------------------------------- how flat pages become


@dataclass
class Knowing:
    """An unwarper that is told the true grids, bent by `share` of what they should be."""

    grids: list[NDArray[np.float64]]
    share: float = 1.0

    def places(self, image: Image) -> NDArray[np.float64]:
        height, width = image.shape[:2]
        nothing = (regular(16, 16) + 1) / 2
        return (nothing + self.share * (self.grids.pop(0) - nothing)) * [width, height]


@pytest.mark.parametrize(("share", "lowest", "highest"), [(0.0, -1e-6, 1e-6), (1.0, 0.8, 1.0)])
def test_the_measure_tells_how_much_of_the_bulges_is_gone(share: float, lowest: float, highest: float) -> None:
    sheet = synth.Sample(np.full((120, 90, 3), 255, np.uint8), ())
    pages = [synth.draw_bent_page(np.random.default_rng(seed), sheet, 120) for seed in range(16)]
    unwarper: Any = Knowing([page.look.sampling(16, 16) for page in pages], share)
    measures = unwarper_measures(unwarper, pages)
    assert lowest <= measures["score"] <= highest
    # Those that bend too little to be touched keep their margins too.
    assert (1 - share) * measures["before"] <= measures["after"] + 1e-6 <= (1 - share) * measures["before"] + 2.0
    assert measures["flat_kept"] == 1


# ---------------------------------------------------------------- how bent pages are drawn


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("bent", [True, False])
def test_the_way_to_the_photo_and_back_is_one(seed: int, bent: bool) -> None:
    rng = np.random.default_rng(seed)
    look: Look = bent_look(rng, 1.4) if bent else flat_look(rng, 1.4, photo=True)
    sheet = rng.uniform(0.02, 0.98, (200, 2))
    photo = look.on_photo(sheet)
    assert np.abs(look.on_sheet(photo) - sheet).max() < 1e-3
    left, top, right, bottom = look.window()
    assert 0 <= left < right <= 1 and 0 <= top < bottom <= 1


def test_the_true_grid_gives_the_sheet_back() -> None:
    sheet = np.full((320, 240, 3), 255, np.uint8)
    spots = [(60, 60), (180, 60), (60, 260), (180, 260), (120, 160)]
    for x, y in spots:
        cv2.circle(sheet, (x, y), 9, (0, 0, 0), -1)
    seal = synth.SealTruth("round", "red", (0, 0, 1, 1), np.array(spots, dtype=np.float64), 0.0, ())
    for seed in range(5):
        photo = synth.draw_bent_page(np.random.default_rng(seed), synth.Sample(sheet, (seal,)), 400)
        height, width = photo.image.shape[:2]
        flat = Grid(photo.look.sampling(33, 25) * [width, height], 240, 320).sample(photo.image)
        left, top, right, bottom = photo.look.window()
        for place, (x, y) in zip(photo.seals[0].outline, spots, strict=True):
            around = photo.image[max(round(place[1]) - 3, 0) :, max(round(place[0]) - 3, 0) :][:6, :6]
            on_flat = np.array([(x / 240 - left) / (right - left) * 240, (y / 320 - top) / (bottom - top) * 320])
            if not (10 < on_flat[0] < 230 and 10 < on_flat[1] < 310):
                continue
            column, row = np.rint(on_flat).astype(int)
            assert around.mean() < 0.6 * np.median(photo.image)
            assert flat[row - 3 : row + 3, column - 3 : column + 3].mean() < 0.6 * np.median(photo.image)
