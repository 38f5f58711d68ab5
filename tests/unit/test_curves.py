"""Curves through clouds of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from figures import Band, arc, straight, widened

from sealread.curves import centreline, fit_circle, rounded
from sealread.polygons import Points, lengths_along, resample


def cloud(band: Band, count: int = 1500) -> tuple[Points, float]:
    """Points spread over a band, and its area."""
    rng = np.random.default_rng(3)
    places, shares = rng.integers(0, len(band.top), count), rng.random((count, 1))
    thick = float(np.hypot(*(band.top - band.bottom).T).mean())
    return band.top[places] * shares + band.bottom[places] * (1 - shares), thick * float(lengths_along(band.middle)[-1])


def gap(points: Points, line: Points) -> float:
    """Greatest distance of points from a polyline given by close vertices."""
    return float(np.hypot(*(points[:, None] - line[None]).transpose(2, 0, 1)).min(axis=1).max())


def frame_text(side: float, thickness: float) -> Band:
    """Text along three sides of a square frame."""
    corners = np.array([[0, side], [0, 0], [side, 0], [side, side]], dtype=np.float64)
    return widened(resample(corners, 300), thickness)


def wave(length: float, height: float, thickness: float) -> Band:
    x = np.linspace(0, 1, 300)
    return widened(np.stack([x * length, height * np.sin(2 * np.pi * x)], axis=1), thickness)


@pytest.mark.parametrize(
    ("band", "near"),
    [
        (straight(200, 20, 33), 1.5),
        (arc(500, 20, 200, 20), 1.5),
        (arc(120, 20, 200, 60), 2.5),
        (arc(120, 20, 200, 200), 1.5),
        (arc(120, 20, 10, 330), 1.5),
        (arc(120, 20, 10, 300, 0.65), 2.0),
        (wave(400, 60, 14), 6.0),
        (frame_text(200, 16), 12.0),
    ],
)
def test_the_curve_runs_through_the_middle_from_end_to_end(band: Band, near: float) -> None:
    pixels, area = cloud(band)
    line = centreline(pixels, 0.0, 2.0, area)
    thick = float(np.hypot(*(band.top[0] - band.bottom[0])))
    ends = int(thick / 2)
    assert gap(line.points[ends // 2 : -ends // 2], resample(band.middle, 1000)) < near
    assert gap(band.middle[ends:-ends], line.points) < near + 2
    assert gap(band.middle[[0, -1]], line.points[[0, -1]]) < 0.6 * thick
    assert line.residual < 0.6 * thick


def test_a_margin_goes_on_beyond_both_ends() -> None:
    for band in (straight(200, 20), arc(120, 20, 200, 150), wave(400, 60, 14)):
        pixels, area = cloud(band)
        short, long = (centreline(pixels, margin, 2.0, area).points for margin in (0.0, 15.0))
        assert lengths_along(long)[-1] - lengths_along(short)[-1] == pytest.approx(30, abs=2.5)


def test_an_arc_never_runs_into_its_own_start() -> None:
    pixels, area = cloud(arc(100, 10, 0, 352))
    line = centreline(pixels, 100.0, 1.0, area).points
    assert np.hypot(*(line[0] - line[-1])) > 0
    assert lengths_along(line)[-1] < 2 * np.pi * 100


@pytest.mark.parametrize("pixels", [np.zeros((3, 2)), np.array([[0.0, 0], [1, 0], [2, 0]]), np.ones((50, 2)) * 7.5])
def test_next_to_nothing_gives_a_finite_curve(pixels: Points) -> None:
    line = centreline(pixels, 2.0, 1.0, 3.0)
    assert np.isfinite(line.points).all() and len(line.points) >= 3


def test_a_circle_is_found_exactly_and_a_straight_row_has_none() -> None:
    assert fit_circle(arc(37, 1, 15, 100, centre=(5, -8)).middle) == pytest.approx((5, -8, 37), rel=1e-3)
    assert fit_circle(np.array([[0.0, 0], [1, 1], [2, 2], [3, 3]]))[2] == float("inf")


@pytest.mark.parametrize(("ratio", "near"), [(1.0, 0.05), (0.7, 2.0)])
def test_few_vertices_on_an_arc_are_rounded_off(ratio: float, near: float) -> None:
    middle = arc(100, 1, 30, 250, ratio).middle
    vertices = resample(middle, 7)
    assert gap(rounded(vertices, 60), middle) < near + 0.8
    assert gap(vertices, rounded(vertices, 500)) < 1.0
    assert np.allclose(rounded(vertices[::-1], 60), rounded(vertices, 60)[::-1])


def test_vertices_that_go_back_and_forth_are_joined_by_straight_lines() -> None:
    vertices = np.array([[0.0, 0], [10, 0], [5, 1], [20, 3]])
    assert np.array_equal(rounded(vertices, 9), resample(vertices, 9))
    row = np.array([[0.0, 0], [10, 0], [30, 0]])
    assert np.array_equal(rounded(row, 9), resample(row, 9))
