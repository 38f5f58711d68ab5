"""Seals drawn on pages are found where they were drawn; print, lines and empty paper are not seals."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealread.stages.candidates import LIKELY, MOST_OVERLAP, Box, Candidate, find_candidates
from sealread.types import Image

RED, BLUE, BLACK, PURPLE = (60, 50, 215), (190, 80, 50), (40, 40, 40), (170, 50, 130)


def paper(height: int = 1400, width: int = 1000, colour: tuple[int, int, int] = (246, 248, 250)) -> Image:
    return np.full((height, width, 3), colour, np.uint8)


def print_text(page: Image, step: int = 34) -> None:
    for i, y in enumerate(range(80, page.shape[0] - 40, step)):
        cv2.putText(page, "The parties agree on terms " * 2 + str(i), (60, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, BLACK, 2, cv2.LINE_AA)


def stamp(
    page: Image,
    centre: tuple[int, int],
    axes: tuple[int, int],
    colour: tuple[int, int, int] = RED,
    angle: float = 0.0,
    strength: float = 1.0,
) -> Box:
    """Draw a round or oval seal with a legend; the ink multiplies with what is below. Gives its box."""
    ink = np.full_like(page, 255)
    line = max(2, axes[0] // 25)
    cv2.ellipse(ink, centre, axes, angle, 0, 360, colour, line, cv2.LINE_AA)
    turn = math.radians(angle)
    for k in range(14):
        t = math.radians(150 + k * 240 / 13)
        u, v = 0.76 * axes[0] * math.cos(t), 0.76 * axes[1] * math.sin(t)
        x, y = centre[0] + u * math.cos(turn) - v * math.sin(turn), centre[1] + u * math.sin(turn) + v * math.cos(turn)
        size = axes[1] / 110
        cv2.putText(ink, "WMEX"[k % 4], (round(x - 9 * size), round(y + 9 * size)), 0, size, colour, max(1, line // 2), cv2.LINE_AA)
    cv2.circle(ink, centre, axes[1] // 5, colour, -1, cv2.LINE_AA)
    page[:] = page * (1 - strength * (1 - ink / 255.0))
    w = math.hypot(axes[0] * math.cos(turn), axes[1] * math.sin(turn)) + line / 2
    h = math.hypot(axes[0] * math.sin(turn), axes[1] * math.cos(turn)) + line / 2
    return centre[0] - w, centre[1] - h, centre[0] + w, centre[1] + h


def overlap(a: Box, b: Box) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0.0) * max(h, 0.0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def sure(page: Image) -> list[Candidate]:
    return [c for c in find_candidates(page) if c.score >= LIKELY]


@pytest.mark.parametrize("over_text", [False, True])
@pytest.mark.parametrize(("colour", "name"), [(RED, "red"), (BLUE, "blue"), (PURPLE, "purple"), (BLACK, "black")])
@pytest.mark.parametrize("radius", [60, 120, 200])
def test_a_round_seal_is_found_and_hugged(radius: int, colour: tuple[int, int, int], name: str, over_text: bool) -> None:
    page = paper()
    if over_text:
        print_text(page)
    box = stamp(page, (600, 900), (radius, radius), colour)
    found = sure(page)
    assert len(found) == 1
    assert overlap(found[0].box, box) > 0.9
    assert (found[0].shape, found[0].colour) == ("round", name)


@settings(max_examples=25, deadline=None)
@given(
    squash=st.floats(0.6, 1.0),
    angle=st.floats(0, 180),
    radius=st.integers(60, 230),
    x=st.integers(300, 700),
    y=st.integers(300, 1100),
    strength=st.floats(0.3, 1.0),
)
def test_any_oval_anywhere_at_any_angle_and_strength(squash: float, angle: float, radius: int, x: int, y: int, strength: float) -> None:
    page = paper()
    box = stamp(page, (x, y), (radius, round(radius * squash)), angle=angle, strength=strength)
    found = sure(page)
    assert len(found) == 1
    assert overlap(found[0].box, box) > 0.85


@pytest.mark.parametrize("scale", [0.3, 0.5, 1.0, 2.5])
def test_the_box_follows_the_scale_of_the_page(scale: float) -> None:
    page = paper()
    box = stamp(page, (500, 700), (150, 100))
    scaled = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    best = find_candidates(np.asarray(scaled, dtype=np.uint8))[0]
    assert overlap(best.box, tuple(v * scale for v in box)) > 0.9  # type: ignore[arg-type]
    assert best.shape == "oval"


@pytest.mark.parametrize("colour", [(150, 190, 220), (200, 170, 120), (90, 80, 75)])
def test_tinted_and_dark_paper(colour: tuple[int, int, int]) -> None:
    page = paper(colour=colour)
    print_text(page)
    box = stamp(page, (400, 600), (130, 130))
    assert overlap(find_candidates(page)[0].box, box) > 0.9


def test_a_shadow_across_the_page() -> None:
    page = paper()
    box = stamp(page, (500, 700), (140, 140), strength=0.6)
    page[:] = page * np.linspace(0.35, 1.0, page.shape[1])[None, :, None]
    assert overlap(find_candidates(page)[0].box, box) > 0.9


def test_double_and_toothed_rings_are_boxed_at_the_outermost() -> None:
    page = paper()
    stamp(page, (500, 700), (130, 130))
    cv2.circle(page, (500, 700), 146, RED, 3, cv2.LINE_AA)
    for tooth in range(0, 360, 4):
        cv2.ellipse(page, (500, 700), (153, 153), 0, tooth, tooth + 2, RED, 6)
    best = find_candidates(page)[0]
    assert overlap(best.box, (344, 544, 656, 856)) > 0.85


def test_a_seal_that_runs_off_the_page() -> None:
    page = paper()
    stamp(page, (930, 700), (140, 140))
    best = find_candidates(page)[0]
    assert overlap(best.box, (787, 557, 1000, 843)) > 0.8
    assert best.score >= LIKELY


@pytest.mark.parametrize("angle", [0, 12, -30])
@pytest.mark.parametrize(("sides", "shape"), [((130, 130), "square"), ((300, 110), "rect")])
def test_framed_stamps(sides: tuple[int, int], shape: str, angle: float) -> None:
    page = paper()
    print_text(page)
    layer = np.full_like(page, 255)
    x, y = 500 - sides[0] // 2, 700 - sides[1] // 2
    cv2.rectangle(layer, (x, y), (x + sides[0], y + sides[1]), RED, 6)
    for row in (0, 1):
        cv2.putText(layer, "WEXMWEXM"[: sides[0] // 33], (x + 14, y + 48 + row * 48), 0, 1.3, RED, 4, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((500, 700), angle, 1.0)
    page = np.minimum(page, np.asarray(cv2.warpAffine(layer, turn, (1000, 1400), borderValue=(255, 255, 255)), dtype=np.uint8))
    corners = cv2.boxPoints(((500, 700), (sides[0] + 6, sides[1] + 6), -angle))
    best = find_candidates(page)[0]
    (x1, y1), (x2, y2) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    assert overlap(best.box, (x1, y1, x2, y2)) > 0.85
    assert (best.shape, best.colour) == (shape, "red")
    # Black print that runs along one side of the frame hides part of it.
    assert best.score >= 0.6


def test_five_seals_on_a_page_are_five() -> None:
    page = paper()
    print_text(page)
    boxes = [
        stamp(page, c, (120, a), colour)
        for c, a, colour in [
            ((200, 200), 120, RED),
            ((600, 250), 85, RED),
            ((250, 700), 120, BLUE),
            ((700, 800), 120, RED),
            ((500, 1200), 85, BLUE),
        ]
    ]
    found = sure(page)
    assert len(found) == 5
    assert all(max(overlap(c.box, box) for c in found) > 0.85 for box in boxes)


@pytest.mark.parametrize("what", ["blank", "text", "red title", "form", "blocks", "noise"])
def test_other_things_are_no_seals(what: str) -> None:
    page = paper()
    if what in ("text", "red title", "form"):
        print_text(page)
    if what == "red title":
        cv2.rectangle(page, (0, 0), (1000, 160), (250, 250, 250), -1)
        cv2.putText(page, "OFFICIAL NOTICE No 100", (90, 100), cv2.FONT_HERSHEY_DUPLEX, 1.9, RED, 5, cv2.LINE_AA)
        cv2.line(page, (60, 140), (940, 140), RED, 5)
    if what == "form":
        for y in range(200, 1300, 110):
            cv2.line(page, (60, y), (940, y), RED, 2)
        for x in range(60, 950, 176):
            cv2.line(page, (x, 200), (x, 1300), RED, 2)
    if what == "blocks":
        cv2.rectangle(page, (100, 100), (300, 250), BLUE, -1)
        cv2.circle(page, (600, 300), 90, RED, -1)
        cv2.circle(page, (600, 700), 90, BLUE, 4)
    if what == "noise":
        page[:] = np.random.default_rng(0).integers(0, 256, page.shape)
    assert sure(page) == []


@pytest.mark.parametrize("shift", [-40, 0, 40])
def test_near_a_box_only_what_is_there_is_found_and_hugged(shift: int) -> None:
    page = paper()
    print_text(page)
    box = stamp(page, (600, 900), (120, 120))
    stamp(page, (250, 300), (120, 120), BLUE)
    rough = (box[0] + shift, box[1], box[2] + shift, box[3])
    [only] = [c for c in find_candidates(page, [rough]) if c.score >= LIKELY]
    assert overlap(only.box, box) > 0.9
    assert find_candidates(page, []) == []


@pytest.mark.parametrize("size", [(0, 0), (0, 50), (1, 1), (5, 2000), (23, 23), (24, 24), (24, 6000)])
def test_tiny_pages_hold_no_seal(size: tuple[int, int]) -> None:
    assert find_candidates(paper(*size)) == []


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(0, 6))
def test_order_frame_and_overlap(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    page = paper(700, 900)
    print_text(page)
    for _ in range(count):
        stamp(page, (int(rng.integers(0, 900)), int(rng.integers(0, 700))), (int(rng.integers(30, 200)), int(rng.integers(30, 130))))
    found = find_candidates(page)
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
    for i, c in enumerate(found):
        assert 0 <= c.score <= 1
        assert 0 <= c.box[0] < c.box[2] <= 900
        assert 0 <= c.box[1] < c.box[3] <= 700
        assert all(overlap(c.box, other.box) <= MOST_OVERLAP + 0.02 for other in found[:i])


def test_real_documents(realseals: Path) -> None:
    must, found, alarms = 0, 0, 0
    for line in (realseals / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        if label["kind"] != "document":
            continue
        page = cv2.imread(str(realseals / label["file"]), cv2.IMREAD_COLOR)
        candidates = [c for c in find_candidates(np.asarray(page, dtype=np.uint8)) if c.score >= LIKELY]
        wanted = [s for s in label["seals"] if s["legible"] and not s.get("partial", False)]
        must += len(wanted)
        found += sum(any(overlap(c.box, s["bbox"]) >= 0.5 for c in candidates) for s in wanted)
        alarms += len(candidates) if label["negative"] else 0
    assert found >= 0.8 * must, f"{found} of {must} seals found"
    assert alarms <= 3, f"{alarms} false alarms"
