"""Frames: a point that is carried back shows the pixel that it came from."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sealread.frames import Chain, Crop, Frame, Grid, Identity, QuarterTurn
from sealread.pixels import quarter_turn
from sealread.stages.orientation import turned

LAW = settings(deadline=None, max_examples=40)
sizes = st.integers(1, 40)
turns = st.sampled_from([0, 90, 180, 270])
seeds = st.integers(0, 2**32 - 1)


def noise(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def centres(height: int, width: int) -> np.ndarray:
    """The centre of each pixel, row by row."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def regular(height: int, width: int, rows: int, columns: int) -> np.ndarray:
    """The grid that changes nothing."""
    return np.stack(np.meshgrid(np.linspace(0, width, columns), np.linspace(0, height, rows)), axis=-1)


@LAW
@given(sizes, sizes, turns, seeds)
def test_each_turned_pixel_comes_from_where_its_map_says(height: int, width: int, angle: int, seed: int) -> None:
    image = noise(height, width, seed)
    upright, frame = turned(image, angle)
    back = np.floor(frame.to_source(centres(*upright.shape[:2]))).astype(int)
    assert np.array_equal(image[back[:, 1], back[:, 0]], upright.reshape(-1, 3))


@LAW
@given(sizes, sizes, st.sampled_from([90, 270]), seeds)
def test_four_quarter_turns_are_none(height: int, width: int, angle: int, seed: int) -> None:
    image = noise(height, width, seed)
    page, steps = image, []
    for _ in range(4):
        page, frame = turned(page, angle)
        steps.append(frame)
    points = centres(height, width)
    assert np.array_equal(page, image)
    assert np.allclose(Chain(tuple(steps)).to_source(points), points)


@LAW
@given(sizes, sizes, turns, seeds)
def test_a_turn_and_its_opposite_are_none(height: int, width: int, angle: int, seed: int) -> None:
    image = noise(height, width, seed)
    there = quarter_turn(image, angle)
    assert np.array_equal(quarter_turn(there, (360 - angle) % 360), image)
    back = Chain((QuarterTurn(angle, width, height), QuarterTurn((360 - angle) % 360, there.shape[1], there.shape[0])))
    points = centres(height, width)
    assert np.allclose(back.to_source(points), points)


@LAW
@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(0.05, 20), seeds)
def test_a_crop_maps_its_corner_and_its_scale(left: float, top: float, scale: float, seed: int) -> None:
    points = np.random.default_rng(seed).normal(0, 50, (7, 2))
    back = Crop(left, top, scale).to_source(points)
    assert np.allclose((back - [left, top]) * scale, points)


@LAW
@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.2, 5)), max_size=4), seeds)
def test_a_chain_undoes_the_last_step_first(crops: list[tuple[float, float, float]], seed: int) -> None:
    points = np.random.default_rng(seed).normal(0, 50, (5, 2))
    steps = tuple(Crop(*crop) for crop in crops)
    expected = points
    for step in reversed(steps):
        expected = step.to_source(expected)
    assert np.array_equal(Chain(steps).to_source(points), expected)
    assert np.allclose(Chain((Chain(steps[:1]), *steps[1:])).to_source(points), expected)


@LAW
@given(st.integers(2, 60), st.integers(2, 60), st.integers(2, 9), st.integers(2, 9), seeds)
def test_a_regular_grid_changes_nothing(height: int, width: int, rows: int, columns: int, seed: int) -> None:
    image = noise(height, width, seed)
    grid = Grid(regular(height, width, rows, columns), width, height)
    assert np.array_equal(grid.sample(image), image)
    assert np.allclose(grid.to_source(centres(height, width)), centres(height, width))


@LAW
@given(st.integers(20, 80), st.integers(20, 80), st.integers(2, 6), st.integers(2, 6), st.booleans(), seeds)
def test_a_grid_shows_at_each_pixel_the_point_that_it_carries_back(
    height: int, width: int, rows: int, columns: int, grey: bool, seed: int
) -> None:
    # Grey rises by one pixel by pixel: what a pixel shows tells where it came from.
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    image = np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)
    nodes = regular(height, width, rows, columns) + np.random.default_rng(seed).uniform(-3, 3, (rows, columns, 2))
    grid = Grid(nodes, width, height)
    flat = grid.sample(image[..., 0]) if grey else grid.sample(image)[..., 0]
    came_from = grid.to_source(centres(height, width)).reshape(height, width, 2)
    inside = (came_from > 1).all(axis=-1) & (came_from < [width - 1, height - 1]).all(axis=-1)
    assert np.abs(flat[inside] - (came_from[inside][:, 0] - 0.5)).max(initial=0) < 0.6


def test_a_page_taller_than_opencv_can_sample_is_flattened() -> None:
    image = noise(2**15 + 1000, 8, 1)
    assert np.array_equal(Grid(regular(*image.shape[:2], 5, 3), 8, image.shape[0]).sample(image), image)


def test_no_points_stay_no_points() -> None:
    none = np.zeros((0, 2))
    frames: list[Frame] = [Identity(), Crop(1, 2, 3), QuarterTurn(90, 4, 5), Grid(regular(4, 4, 2, 2), 4, 4), Chain(())]
    for frame in frames:
        assert frame.to_source(none).shape == (0, 2)
