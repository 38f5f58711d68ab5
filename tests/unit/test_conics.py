"""Rings on a map of ink: what is left out for speed's sake changes no answer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sealread import conics
from sealread.conics import STEPS, Ellipse


def test_a_part_of_the_rays_is_that_part() -> None:
    ellipse = Ellipse(31.5, 20.25, 14, 9, 0.4)
    for whole, part in zip(ellipse.rays(), ellipse.rays(10, 23), strict=True):
        assert whole.shape == (conics.RAYS, STEPS)
        assert np.array_equal(whole[:, 10:23], part)


def circle(x: float, y: float, radius: float, count: int) -> tuple[conics.Floats, conics.Floats]:
    """Outline points of a ring, and the directions to its centre."""
    turns = np.arange(count) * (2 * math.pi / count)
    outwards = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return (np.array([x, y]) + radius * outwards).astype(np.float32), (-outwards).astype(np.float32)


@pytest.mark.parametrize("radius", [16.0, 30.0, 70.0])
def test_a_ring_is_voted_for_by_as_few_outlines_as_its_support_asks(radius: float) -> None:
    least = 0.4
    enough = math.ceil(2 * math.pi * radius * 0.6)
    points, inward = circle(120, 110, radius, enough)
    _, best = conics.vote(points, inward, (220, 240), (14.0, 90.0), 16, least)[0]
    assert (best.x, best.y) == pytest.approx((120, 110), abs=0.12 * radius)
    assert best.a == pytest.approx(radius, rel=0.13)
    few = math.floor(2 * math.pi * 14.0 * least) - 1
    assert conics.vote(points[:few], inward[:few], (220, 240), (14.0, 90.0), 16, least) == []


def test_outlines_point_into_the_ink_and_do_not_depend_on_where_the_map_lies_in_memory() -> None:
    y, x = np.mgrid[:61, :83]
    ink = np.clip(255 * (20 - np.hypot(x - 41, y - 30)), 0, 255).astype(np.uint8)
    points, inward = conics.outlines(ink, 12)
    assert len(points) > 60
    assert ((np.array([41, 30]) - points) * inward).sum(axis=1).min() > 17
    room = np.zeros(ink.size + 8, np.uint8)
    for start in range(1, 8):
        moved = room[start : start + ink.size].reshape(ink.shape)
        moved[:] = ink
        assert all(np.array_equal(a, b) for a, b in zip(conics.outlines(moved, 12), (points, inward), strict=True))
