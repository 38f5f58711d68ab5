"""Crops with one seal, as a seal detector would cut them.

Frame: everything is drawn flat on a scene somewhat larger than the image; one map takes the scene to the image, and the
same map takes the truth along.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sealread.training.synth import backgrounds, effects
from sealread.training.synth.angular_seals import lozenge_seal, rectangular_seal, square_seal, triangular_seal
from sealread.training.synth.figures import Plan
from sealread.training.synth.foreign_seals import alphabetic_box, firm_stamp, foreign_seal, wordmark
from sealread.training.synth.ink import impression, ink_colour, printed
from sealread.training.synth.lettering import Press
from sealread.training.synth.names import chance
from sealread.training.synth.round_seals import oval_seal, round_seal
from sealread.training.synth.truth import Image, Points, Sample, SealTruth, map_seal

Random = np.random.Generator


def seal_plan(rng: Random) -> Plan:
    """A seal of any kind, in the proportions of what one meets."""
    if chance(rng, 0.2):
        return foreign_seal(rng)
    language = "tw" if chance(rng, 0.1) else "zh"
    kind = rng.random()
    if kind < 0.62:
        return round_seal(rng, language)
    if kind < 0.82:
        return oval_seal(rng, language)
    if kind < 0.90:
        return square_seal(rng, language)
    if kind < 0.965:
        return rectangular_seal(rng, language)
    return triangular_seal(rng, language) if chance(rng, 0.6) else lozenge_seal(rng, language)


def ringless_plan(rng: Random) -> Plan:
    """A stamp of lines, framed or bare, or a firm's mark."""
    kind = rng.random()
    if kind < 0.2:
        return rectangular_seal(rng)
    if kind < 0.45:
        return alphabetic_box(rng, "latin")
    return firm_stamp(rng, "latin") if kind < 0.8 else wordmark(rng, "latin")


def seal_turn(rng: Random) -> float:
    """Degrees clockwise: half of all seals stand nearly upright, the others anyhow."""
    if chance(rng, 0.5):
        return float(np.clip(rng.normal(0, 9), -25, 25))
    return float(rng.uniform(-180, 180))


def seal_matrix(rng: Random, scale: float, turn: float) -> NDArray[np.float64]:
    """(2, 3), seal units to pixels around the origin: `scale` pixels per unit, `turn` degrees clockwise, slightly unequal axes."""
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    unequal = np.diag(np.exp(rng.normal(0, 0.025, 2)))
    matrix = np.zeros((2, 3))
    matrix[:, :2] = rotation @ unequal * scale
    return matrix


def stamped(
    rng: Random, scene: Image, plan: Plan, matrix: NDArray[np.float64], *, colour: str | None = None
) -> tuple[Image, SealTruth, NDArray[np.uint8]]:
    """Press a seal onto the scene; the new scene, the truth in its pixels, and the mask of the ink.

    Only the seal's own part of the scene is touched.
    """
    height, width = scene.shape[:2]
    outline = plan.outline @ matrix[:, :2].T + matrix[:, 2]
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    reach = 8 * scale + 4
    x1, y1 = np.maximum(np.floor(outline.min(axis=0) - reach), 0).astype(int)
    x2, y2 = np.minimum(np.ceil(outline.max(axis=0) + reach), (width, height)).astype(int)
    mask = np.zeros((height, width), np.uint8)
    name, ink = ink_colour(rng, colour)
    truth = _truth(plan, name, matrix, outline)
    if x2 <= x1 or y2 <= y1:
        return scene, truth, mask
    part = np.zeros((y2 - y1, x2 - x1), np.uint8)
    local = matrix.copy()
    local[:, 2] -= (x1, y1)
    press = Press(part, local)
    plan.press(press)
    worn = impression(rng, press.mask, 2.6 * scale)
    strength = 1.0 if chance(rng, 0.55) else float(rng.uniform(0.45, 1.0))
    scene = scene.copy()
    scene[y1:y2, x1:x2] = printed(np.ascontiguousarray(scene[y1:y2, x1:x2]), worn, ink, strength)
    mask[y1:y2, x1:x2] = worn
    shift = np.array([x1, y1], dtype=np.float64)
    lines = map_seal(
        SealTruth(plan.shape, name, (0, 0, 0, 0), outline - shift, truth.rotation, tuple(press.lines)), lambda points: points + shift
    ).lines
    return scene, SealTruth(plan.shape, name, truth.bbox, outline, truth.rotation, lines), mask


def _truth(plan: Plan, name: str, matrix: NDArray[np.float64], outline: Points) -> SealTruth:
    (x1, y1), (x2, y2) = outline.min(axis=0), outline.max(axis=0)
    rotation = float(np.rad2deg(np.arctan2(matrix[1, 0], matrix[0, 0])))
    return SealTruth(plan.shape, name, (float(x1), float(y1), float(x2), float(y2)), outline, rotation, ())


def draw_crop(rng: Random, size: int = 320) -> Sample:
    """A crop that one seal fills to 60 to 100 %.

    The first seal of the sample is the one the crop is about; a second one may reach into it.

    Args:
        rng: the only source of chance.
        size: typical longer side in pixels; sides mostly lie between 150 and 1.3 times this, those of a quarter between 85 and 150.
    """
    plan = seal_plan(rng)
    longest = float(rng.uniform(150, 1.3 * size)) if size > 150 else float(size)
    if size > 150 and chance(rng, 0.25):  # seals of pages that were scanned coarsely
        longest = float(rng.uniform(85, 150))
    finer = float(rng.uniform(1.15, 1.4)) if longest < 260 else float(rng.uniform(1.0, 1.25))
    photo = chance(rng, 0.5)
    matrix = seal_matrix(rng, 1.0, seal_turn(rng))
    outline = plan.outline @ matrix[:, :2].T
    tilting = effects.tilt(rng, 110.0, float(rng.uniform(0.02, 0.22))) if photo and chance(rng, 0.6) else np.eye(3)
    if photo and chance(rng, 0.3):  # seen from the side: one axis shrinks
        squeeze = np.eye(3)
        squeeze[0, 0] = float(rng.uniform(0.72, 1.0))
        spin = seal_matrix(np.random.default_rng(0), 1.0, float(rng.uniform(0, 180)))[:, :2]
        spin /= np.sqrt(abs(np.linalg.det(spin)))
        around = np.eye(3)
        around[:2, :2] = np.linalg.inv(spin) @ squeeze[:2, :2] @ spin
        tilting = tilting @ around
    view, width, height, zoom = _crop_view(rng, effects.project(tilting, outline), tilting, longest, photo)
    # The scene must reach wherever the image looks.
    border = np.array([[x, y] for x in np.linspace(0, width, 7) for y in np.linspace(0, height, 7)])
    seen = view.scene_points(border)
    low, high = seen.min(axis=0) - 2 / zoom, seen.max(axis=0) + 2 / zoom
    pixels = zoom * finer
    shift = -low * pixels
    to_scene = matrix * pixels
    to_scene[:, 2] = shift
    scene_width, scene_height = (int(np.ceil(value)) for value in (high - low) * pixels)
    scene = crop_background(rng, scene_height, scene_width, 200 * pixels)
    scene, truth, _ = stamped(rng, scene, plan, to_scene)
    seals = [truth]
    if chance(rng, 0.08):
        scene, second = _neighbour(rng, scene, pixels, shift)
        seals.append(second)
    homography = view.homography @ np.array([[1 / pixels, 0, low[0]], [0, 1 / pixels, low[1]], [0, 0, 1]])
    view = effects.View(homography, view.bend)
    image = view.image(scene, width, height)
    detail = 0.11 * longest
    if truth.colour == "red" and chance(rng, 0.06):
        image = filtered(rng, image)
    image = effects.photographed(rng, image, detail, photo=photo)
    return Sample(image, tuple(map_seal(seal, view.points) for seal in seals))


def _crop_view(
    rng: Random, outline: Points, tilting: NDArray[np.float64], longest: float, photo: bool
) -> tuple[effects.View, int, int, float]:
    """Where the detector cuts: the view from seal units (turned) to the image, its width and height, and pixels per unit."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    span = high - low
    # Detectors cut a little outside of the seal, at times inside of it; a few cut far too generously.
    loose = float(rng.choice([0.04, 0.1, 0.22], p=[0.45, 0.4, 0.15]))
    before, after = (rng.uniform(-0.02, loose, 2) * span.max() for _ in range(2))
    if chance(rng, 0.05):
        before -= rng.uniform(0, 0.05, 2) * span
    low, high = low - before, high + after
    span = high - low
    # Long narrow seals come with some paper around them.
    lack = np.maximum(span.max() * float(rng.uniform(0.45, 0.75)) - span, 0)
    low, high = low - lack / 2, high + lack / 2
    span = high - low
    zoom = longest / float(span.max())
    width, height = (max(round(float(value)), 48) for value in span * zoom)
    homography = np.array([[zoom, 0, -low[0] * zoom], [0, zoom, -low[1] * zoom], [0, 0, 1]]) @ tilting
    bend = effects.random_bend(rng, longest, 0.03) if photo and chance(rng, 0.4) else None
    return effects.View(homography, bend), width, height, zoom


def _neighbour(rng: Random, scene: Image, pixels: float, shift: Points) -> tuple[Image, SealTruth]:
    """Another seal that reaches into the crop."""
    plan = seal_plan(rng)
    angle = float(rng.uniform(0, 2 * np.pi))
    distance = float(rng.uniform(1.1, 2.0)) * 100 * pixels
    matrix = seal_matrix(rng, pixels * float(rng.uniform(0.7, 1.1)), seal_turn(rng))
    matrix[:, 2] = shift + distance * np.array([np.cos(angle), np.sin(angle)])
    scene, truth, _ = stamped(rng, scene, plan, matrix)
    return scene, truth


def crop_background(rng: Random, height: int, width: int, seal: float) -> Image:
    """What lies under a seal of the diameter given: paper, print, tables, signatures, a line right across."""
    scene = backgrounds.paper(rng, height, width)
    main = float(rng.normal(0, 3)) if chance(rng, 0.6) else float(rng.choice([90, -90, 180, rng.uniform(0, 360)]))
    if chance(rng, 0.42):
        scene = backgrounds.printed_matter(rng, scene, seal * float(rng.uniform(0.05, 0.15)), main)
    if chance(rng, 0.3):
        mask = np.zeros((height, width), np.uint8)
        for _ in range(int(rng.integers(1, 4))):
            size = seal * float(rng.uniform(0.06, 0.17))
            x, y = rng.uniform(0.2, 0.8, 2) * (width, height)
            backgrounds.stamp_strip(rng, mask, float(x), float(y), size, main + float(rng.normal(0, 1)))
        scene = backgrounds.inked(scene, 255 - mask, backgrounds.print_colour(rng))
    if chance(rng, 0.2):
        mask = np.zeros((height, width), np.uint8)
        x, y = rng.uniform(0.15, 0.85, 2) * (width, height)
        backgrounds.stamp_strip(
            rng, mask, float(x), float(y), seal * float(rng.uniform(0.2, 0.5)), main + float(rng.normal(0, 15)), hand=True
        )
        colour = (
            np.array([rng.uniform(60, 160), rng.uniform(20, 70), rng.uniform(10, 60)])
            if chance(rng, 0.4)
            else np.full(3, rng.uniform(0, 60))
        )
        scene = backgrounds.inked(scene, 255 - mask, colour)
    if chance(rng, 0.05):  # watermark
        mask = np.zeros((height, width), np.uint8)
        backgrounds.stamp_strip(rng, mask, width / 2, height / 2, seal * float(rng.uniform(0.2, 0.5)), float(rng.uniform(-50, 50)))
        scene = backgrounds.inked(scene, 255 - mask, np.full(3, rng.uniform(170, 235)))
    return scene


def filtered(rng: Random, image: Image) -> Image:
    """A scan of which only the red is kept: print vanishes, and where it crossed a stroke the stroke is white."""
    blue, green, red = (channel.astype(np.int16) for channel in np.moveaxis(image, 2, 0))
    redness = red - np.maximum(blue, green)
    # Such filters adapt to the ink: pale seals come out as full as dark ones.
    full = max(float(np.percentile(redness, 98)), 40.0)
    limit = float(rng.uniform(0.25, 0.5)) * full
    soft = np.clip((redness - limit) * (255 / (0.25 * full)), 0, 255).astype(np.uint8)
    shade = np.array([rng.uniform(0, 60), rng.uniform(0, 50), rng.uniform(200, 255)])
    sheet = np.full_like(image, 255)
    return backgrounds.inked(sheet, np.asarray(255 - soft, np.uint8), shade)
