"""Documents with no seal, one, or several: what layout detectors, orientation networks and whole pipelines are trained with."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.training.synth import backgrounds, effects, elements, layouts, names
from sealread.training.synth.arrangement import outline_of
from sealread.training.synth.distractions import add_distractions
from sealread.training.synth.ink import texture
from sealread.training.synth.names import chance
from sealread.training.synth.round_seals import invoice_seal, supervision_seal
from sealread.training.synth.scenes import filtered, ringless_plan, seal_matrix, seal_plan, seal_turn, stamped
from sealread.training.synth.truth import Image, Sample, SealTruth, Spot, map_seal

Random = np.random.Generator


def draw_page(rng: Random, long_side: int = 640) -> Sample:
    """An upright document with up to four seals; a quarter of the pages has none but things that look like one.

    Args:
        rng: the only source of chance.
        long_side: longer side of the image in pixels.
    """
    sheet = draw_sheet(rng, long_side)
    page, seals, (height, width) = sheet.image, sheet.seals, sheet.image.shape[:2]
    photo = chance(rng, 0.45)
    view, width, height = _page_view(rng, width, height, long_side, photo)
    image = laid_out(rng, page, view, width, height)
    if not photo and chance(rng, 0.04):
        image = filtered(rng, image)
    image = effects.photographed(rng, image, max(9.0, 0.014 * long_side), photo=photo)
    return Sample(image, tuple(map_seal(seal, view.points) for seal in seals))


def draw_sheet(rng: Random, long_side: int = 640) -> Sample:
    """The flat sheet of such a document, before anybody has scanned or photographed it."""
    weights = np.array([weight for _, weight, _ in layouts.LAYOUTS])
    layout, _, (flattest, tallest) = layouts.LAYOUTS[int(rng.choice(len(weights), p=weights / weights.sum()))]
    ratio = float(rng.uniform(flattest, tallest))
    height, width = (long_side, round(long_side / ratio)) if ratio >= 1 else (round(long_side * ratio), long_side)
    page = backgrounds.paper(rng, height, width)
    if chance(rng, 0.12):  # the form's own tint
        page = backgrounds.inked(page, np.zeros((height, width), np.uint8), rng.uniform(200, 255, 3))
    spots = layout(rng, page)
    add_distractions(rng, page)
    count = 0 if chance(rng, 0.25) else int(rng.choice([1, 2, 3, 4], p=[0.5, 0.3, 0.12, 0.08]))
    page, seals = _sealed(rng, page, spots, count)
    return Sample(page, tuple(seals))


def _sealed(rng: Random, page: Image, spots: list[Spot], count: int) -> tuple[Image, list[SealTruth]]:
    """The page with `count` seals, the layout's own places first, the same seal again sometimes."""
    height, width = page.shape[:2]
    unit = max(height, width)
    seals: list[SealTruth] = []
    last = None
    colour = None
    order = rng.permutation(len(spots))
    if spots[0][2] == "supervision" and chance(rng, 0.8):  # such forms leave the printer with their seal on
        order = np.concatenate([[0], order[order != 0]])
    for i in range(count):
        if i < len(spots) and chance(rng, 0.85):
            x, y, kind = spots[int(order[i])]
            x, y = x + float(rng.normal(0, 0.03)), y + float(rng.normal(0, 0.02))
        else:
            x, y, kind = float(rng.uniform(0.08, 0.92)), float(rng.uniform(0.05, 0.95)), "any"
        share = float(np.exp(rng.uniform(np.log(0.055), np.log(0.35)))) * (1.0 if kind == "any" else 0.75)
        spread = 6.0
        if kind == "supervision":
            plan = outline_of(100.0, float(rng.uniform(60, 76)))
            supervision_seal(rng, plan, float(plan.outline[:, 1].max()))
        elif kind == "invoice":
            plan = outline_of(100.0, float(rng.uniform(62, 78)))
            invoice_seal(rng, plan, float(plan.outline[:, 1].max()), "zh", names.organisation(rng))
        elif chance(rng, 0.7 if kind == "firm" else 0.25):  # stamps without a ring: framed or bare lines, a firm's mark
            plan = ringless_plan(rng)
            spread = 9.0  # nobody takes care to press them straight
            colour = str(rng.choice(["blue", "black", "purple", "red"], p=[0.35, 0.3, 0.15, 0.2]))
        else:
            plan = last if last is not None and chance(rng, 0.2) else seal_plan(rng)
        last = plan
        if kind == "firm":
            share = float(rng.uniform(0.09, 0.26))
        share = max(0.05, min(share, 0.9 * min(width, height) / unit))
        turn = seal_turn(rng) if kind == "any" and chance(rng, 0.7) else float(np.clip(rng.normal(0, spread), -25, 25))
        matrix = seal_matrix(rng, share * unit / 200, turn)
        reach = np.abs(plan.outline @ matrix[:, :2].T).max(axis=0)
        # Mostly whole seals; a few reach over the edge.
        room = reach * (1.03 if chance(rng, 0.92) else 0.5)
        matrix[:, 2] = np.clip(
            np.array([x * width, y * height]),
            np.minimum(room, (width / 2, height / 2)),
            np.maximum((width, height) - room, (width / 2, height / 2)),
        )
        page, truth, _ = stamped(rng, page, plan, matrix, colour=colour if colour is not None and chance(rng, 0.7) else None)
        colour = truth.colour
        seals.append(truth)
        if chance(rng, 0.12):  # who signs beside a stamp often signs across it
            at = rng.uniform(truth.bbox[:2], truth.bbox[2:])
            pen = elements.pen(rng, 0.4)
            elements.signature(rng, page, at[0], at[1], unit * float(rng.uniform(0.015, 0.05)), pen)
    return page, seals


def _page_view(rng: Random, width: int, height: int, long_side: int, photo: bool) -> tuple[effects.View, int, int]:
    """How the page lies in the image: the view, and the image's width and height."""
    side = float(max(width, height))
    centre = np.array([width, height]) / 2
    back = np.array([[1, 0, -centre[0]], [0, 1, -centre[1]], [0, 0, 1.0]])
    turn = float(np.clip(rng.normal(0, 3 if photo else 0.7), -10, 10))
    rotation = np.eye(3)
    rotation[:2] = seal_matrix(np.random.default_rng(0), 1.0, 0.0)
    angle = np.deg2rad(turn)
    rotation[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    shape = effects.tilt(rng, side / 2, float(rng.uniform(0.01, 0.12))) if photo and chance(rng, 0.7) else np.eye(3)
    corners = effects.project(shape @ rotation @ back, np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64))
    low, high = corners.min(axis=0), corners.max(axis=0)
    if photo:  # the desk around it, or the page's margins lost
        before, after = (rng.uniform(-0.04, float(rng.choice([0.02, 0.1, 0.25])), 2) * (high - low) for _ in range(2))
    else:
        before, after = (rng.uniform(-0.005, 0.01, 2) * (high - low) for _ in range(2))
        if chance(rng, 0.06):  # a screenshot
            before, after = before + rng.uniform(0, 0.25, 2) * (high - low), after + rng.uniform(0, 0.25, 2) * (high - low)
    low, high = low - before, high + after
    zoom = long_side / float((high - low).max())
    fit = np.array([[zoom, 0, -low[0] * zoom], [0, zoom, -low[1] * zoom], [0, 0, 1]])
    bend = effects.random_bend(rng, float(long_side), 0.015) if photo and chance(rng, 0.5) else None
    out_width, out_height = (max(round(float(value)), 64) for value in (high - low) * zoom)
    return effects.View(fit @ shape @ rotation @ back, bend), out_width, out_height


class View(Protocol):
    """How a page lies in an image."""

    def image(self, scene: Image, width: int, height: int, *, border: tuple[int, int, int] | None = None) -> Image:
        """The page as it appears; outside it the border colour shows."""
        ...


def laid_out(rng: Random, page: Image, view: View, width: int, height: int) -> Image:
    """The page as it lies on its desk."""
    seen = np.asarray(view.image(page, width, height, border=(0, 0, 0)), np.uint8)
    cover = view.image(np.full((*page.shape[:2], 3), 255, np.uint8), width, height, border=(0, 0, 0))
    if cover.min() == 255:
        return seen
    desk = _desk(rng, height, width)
    if chance(rng, 0.4):  # the page throws a shadow
        shift = rng.integers(-8, 9, 2)
        shade = np.roll(cover[..., 0], tuple(int(value) for value in shift), (0, 1))
        shade = np.asarray(cv2.GaussianBlur(shade, (0, 0), 5), np.uint8)
        desk = backgrounds.inked(desk, 255 - shade, np.full(3, 90.0))
    outside = cv2.bitwise_not(cover)
    return np.asarray(cv2.add(seen, cv2.multiply(desk, outside, scale=1 / 255.0)), np.uint8)


def _desk(rng: Random, height: int, width: int) -> Image:
    """What lies around a page: dark or coloured, plain or with grain."""
    base: NDArray[np.float64] = np.full(3, float(rng.uniform(15, 235))) if chance(rng, 0.7) else rng.uniform(30, 200) + rng.normal(0, 35, 3)
    desk = np.empty((height, width, 3), np.uint8)
    desk[:] = np.clip(base, 0, 255).astype(np.uint8)
    if chance(rng, 0.75):
        noise = cv2.convertScaleAbs(texture(rng, height, width), alpha=float(rng.uniform(0.05, 0.4)), beta=150)
        desk = np.asarray(cv2.multiply(desk, cv2.merge([noise] * 3), scale=1 / 200.0), np.uint8)
    if chance(rng, 0.06):
        elements.picture(rng, desk, (0, 0, width, height))
    return desk
