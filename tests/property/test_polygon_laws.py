"""Plane geometry: signs, ends, lengths and turning."""

from __future__ import annotations

import numpy as np
import pytest
from figures import arc, turned
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sealread import polygons

LAW = settings(deadline=None, max_examples=60)
coordinates = st.floats(-1000, 1000, width=32)


def points(least: int, most: int) -> st.SearchStrategy[np.ndarray]:
    return st.integers(least, most).flatmap(lambda n: arrays(np.float64, (n, 2), elements=coordinates))


@LAW
@given(points(3, 12))
def test_clockwise_is_idempotent_and_keeps_the_first_vertex(polygon: np.ndarray) -> None:
    once = polygons.clockwise(polygon)
    assert polygons.signed_area(once) >= 0 or polygons.signed_area(once) == pytest.approx(0, abs=1e-3)
    assert np.array_equal(once[0], polygon[0])
    assert np.array_equal(np.sort(once, axis=0), np.sort(polygon, axis=0))
    assert np.array_equal(polygons.clockwise(once), once)


@LAW
@given(points(3, 12), st.floats(-180, 180))
def test_area_changes_its_sign_with_the_winding_and_not_with_a_turn(polygon: np.ndarray, degrees: float) -> None:
    area = polygons.signed_area(polygon)
    assert polygons.signed_area(polygon[::-1]) == pytest.approx(-area, rel=1e-6, abs=1e-6)
    assert polygons.signed_area(turned(polygon, degrees)) == pytest.approx(area, rel=1e-6, abs=1e-3)


def test_a_square_that_runs_right_then_down_is_clockwise_on_screen() -> None:
    assert polygons.signed_area(np.array([[0.0, 0], [2, 0], [2, 3], [0, 3]])) == 6


@LAW
@given(points(2, 12), st.integers(2, 50))
def test_resampling_keeps_both_ends_and_stays_on_the_line(polyline: np.ndarray, count: int) -> None:
    even = polygons.resample(polyline, count)
    assert even.shape == (count, 2)
    assert np.allclose(even[[0, -1]], polyline[[0, -1]])
    assert polygons.lengths_along(even)[-1] <= polygons.lengths_along(polyline)[-1] * (1 + 1e-9) + 1e-9


@LAW
@given(st.floats(5, 300), st.floats(10, 350), st.integers(3, 60))
def test_resampled_points_of_an_arc_are_evenly_spaced(radius: float, span: float, count: int) -> None:
    steps = np.diff(polygons.lengths_along(polygons.resample(arc(radius, 1, 20, span).middle, count)))
    assert np.ptp(steps) < 0.05 * steps.mean()


@LAW
@given(points(2, 6), st.floats(0.1, 50))
def test_beyond_its_ends_a_polyline_goes_on_straight(polyline: np.ndarray, beyond: float) -> None:
    steps = np.hypot(*np.diff(polyline, axis=0).T)
    assume(steps[0] > 1e-3 and steps[-1] > 1e-3)
    length = steps.sum()
    before, after = polygons.at_lengths(polyline, np.array([-beyond, length + beyond]))
    assert np.allclose(before, polyline[0] - beyond * (polyline[1] - polyline[0]) / steps[0], atol=1e-6)
    assert np.allclose(after, polyline[-1] + beyond * (polyline[-1] - polyline[-2]) / steps[-1], atol=1e-6)


@LAW
@given(st.floats(5, 300), st.floats(0, 360), st.floats(5, 340), st.floats(0.5, 1), st.booleans())
def test_an_arc_turns_by_its_span(radius: float, start: float, span: float, ratio: float, inwards: bool) -> None:
    middle = arc(radius, 1, start, span, inwards=inwards).middle
    # Chords turn a little less than the arc: by one of 300 steps.
    assert polygons.total_turning(middle) == pytest.approx(span * (-1 if inwards else 1), rel=0.01)
    oval = arc(radius, 1, start, 340, ratio, inwards=inwards).middle
    assert polygons.total_turning(oval[::-1]) == pytest.approx(-polygons.total_turning(oval), abs=1e-6)


def test_tops_lie_to_the_left_of_the_direction_of_travel() -> None:
    assert np.array_equal(polygons.top_normals(np.array([[1.0, 0.0], [0.0, 1.0]])), [[0, -1], [1, 0]])


def test_directions_are_unit_vectors_or_nothing() -> None:
    directions = polygons.tangents(np.array([[0.0, 0], [3, 4], [3, 4], [3, 4]]))
    assert np.allclose(np.hypot(*directions.T), [1, 1, 0, 0])
    assert polygons.total_turning(np.array([[1.0, 1], [1, 1], [1, 1]])) == 0.0


def test_a_bounding_box_is_left_top_right_bottom() -> None:
    assert polygons.bounding_box(np.array([[3.0, 9], [-1, 5], [2, 7]])) == (-1, 5, 3, 9)
