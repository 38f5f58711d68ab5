"""What cameras, scanners and copiers do: one geometric map, exact for points, and a chain of photometric effects.

Frames: a scene, on which everything is drawn flat, and the image, which is returned. Pixel centres at integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.training.synth.ink import gradient
from sealread.training.synth.names import chance
from sealread.training.synth.truth import Image, Points

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Bend:
    """Curled paper: a displacement of image points along one direction, a sine across another.

    A point p of the image shows what would be at p + shift * sin(2 pi (p . wave) + phase) on flat paper.
    """

    shift: NDArray[np.float64]
    wave: NDArray[np.float64]
    phase: float

    def flat(self, points: Points) -> Points:
        """Image points to points of the flat sheet."""
        return points + np.sin(2 * np.pi * (points @ self.wave) + self.phase)[:, None] * self.shift

    def bent(self, points: Points) -> Points:
        """Points of the flat sheet to image points, by fixed-point iteration (the displacement contracts)."""
        found = points.copy()
        for _ in range(12):
            found = points - np.sin(2 * np.pi * (found @ self.wave) + self.phase)[:, None] * self.shift
        return found


@dataclass(frozen=True, slots=True)
class View:
    """The map from scene to image.

    Attributes:
        homography: (3, 3), scene to image before bending.
        bend: curl of the paper, None when flat.
    """

    homography: NDArray[np.float64]
    bend: Bend | None

    def points(self, points: Points) -> Points:
        """Scene points (n, 2) to image points."""
        mapped = project(self.homography, points)
        return mapped if self.bend is None else self.bend.bent(mapped)

    def scene_points(self, points: Points) -> Points:
        """Image points (n, 2) to scene points."""
        flat = points if self.bend is None else self.bend.flat(points)
        return project(np.asarray(np.linalg.inv(self.homography), np.float64), flat)

    def image(self, scene: Image, width: int, height: int, *, border: tuple[int, int, int] | None = None) -> Image:
        """The scene as it appears; outside the scene its edge repeats, or the border colour shows."""
        mode = cv2.BORDER_REPLICATE if border is None else cv2.BORDER_CONSTANT
        value = (0, 0, 0) if border is None else border
        if self.bend is None:
            return np.asarray(
                cv2.warpPerspective(scene, self.homography, (width, height), flags=cv2.INTER_LINEAR, borderMode=mode, borderValue=value),
                np.uint8,
            )
        # The bend is computed on a coarse grid and enlarged: its wavelength is that of the paper, not of pixels.
        step = 4
        xs, ys = np.meshgrid(np.arange(0, width + 2 * step, step), np.arange(0, height + 2 * step, step))
        coarse = self.scene_points(np.stack([xs.ravel(), ys.ravel()], axis=1).astype(np.float64))
        grid = coarse.reshape(*xs.shape, 2).astype(np.float32)
        # Enlarge about pixel centres: output pixel x reads the grid at x / step exactly.
        scaling = np.array([[1 / step, 0, 0], [0, 1 / step, 0]])
        fine = cv2.warpAffine(
            grid, scaling, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
        )
        map_x, map_y = cv2.split(np.asarray(fine, np.float32))
        return np.asarray(cv2.remap(scene, map_x, map_y, cv2.INTER_LINEAR, borderMode=mode, borderValue=value), np.uint8)


def project(homography: NDArray[np.float64], points: Points) -> Points:
    """Points (n, 2) through a homography."""
    homogeneous = points @ homography[:, :2].T + homography[:, 2]
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:])


def tilt(rng: Random, reach: float, amount: float) -> NDArray[np.float64]:
    """A perspective around the origin that moves corners of a square of half side `reach` by up to `amount` of it."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float64) * reach
    moved = corners + rng.uniform(-amount, amount, (4, 2)) * reach
    return np.asarray(cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32)), np.float64)


def random_bend(rng: Random, side: float, amount: float) -> Bend:
    """A curl for an image of the side given, shifting points by up to `amount` of the side."""
    direction, across = rng.uniform(0, 2 * np.pi, 2)
    wave = np.array([np.cos(across), np.sin(across)]) / (side * float(rng.uniform(0.9, 2.2)))
    shift = np.array([np.cos(direction), np.sin(direction)]) * side * float(rng.uniform(0.3, 1.0)) * amount
    return Bend(shift, wave, float(rng.uniform(0, 2 * np.pi)))


def light(rng: Random, image: Image, darkest: float) -> Image:
    """Uneven light, a shadow's edge sometimes."""
    height, width = image.shape[:2]
    field = gradient(rng, height, width, darkest, 1.0)
    if chance(rng, 0.3):
        cut = np.full((height, width), 255, np.uint8)
        angle = float(rng.uniform(0, 2 * np.pi))
        middle = np.array([width, height]) * rng.uniform(0.1, 0.9, 2)
        along = np.array([np.cos(angle), np.sin(angle)]) * 3 * max(width, height)
        side = np.array([-along[1], along[0]])
        corners = np.stack([middle - along, middle + along, middle + along + side, middle - along + side])
        cv2.fillPoly(cut, [np.rint(corners).astype(np.int32)], int(255 * rng.uniform(0.6, 0.92)))
        soft = max(1.0, float(rng.uniform(0.01, 0.1)) * max(width, height))
        small = cv2.resize(cut, (max(width // 4, 1), max(height // 4, 1)))
        cut = np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), soft / 4), (width, height)), np.uint8)
        field = np.asarray(cv2.multiply(field, cut, scale=1 / 255.0), np.uint8)
    return np.asarray(cv2.multiply(image, cv2.merge([field] * 3), scale=1 / 255.0), np.uint8)


def blur(rng: Random, image: Image, detail: float) -> Image:
    """Defocus or motion, bounded by `detail`, the size in pixels of what must remain legible."""
    if chance(rng, 0.75):
        return np.asarray(cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 1.0)) * max(0.5, 0.05 * detail)), np.uint8)
    length = max(2, round(float(rng.uniform(0.06, 0.2)) * detail))
    kernel = np.zeros((length, length), np.float32)
    angle = float(rng.uniform(0, np.pi))
    middle = (length - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    cv2.line(kernel, (round(middle - reach[0]), round(middle - reach[1])), (round(middle + reach[0]), round(middle + reach[1])), 1.0, 1)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def colour_cast(rng: Random, image: Image) -> Image:
    """White balance, contrast and gamma gone astray."""
    gains = np.clip(rng.normal(1.0, 0.05, 3), 0.78, 1.15)
    gamma = float(np.exp(rng.normal(0, 0.2)))
    bright = float(rng.uniform(0.55, 1.0)) if chance(rng, 0.3) else 1.0
    lift = float(rng.uniform(0, 45)) if chance(rng, 0.25) else 0.0
    values = (np.arange(256) / 255.0) ** gamma
    table = np.clip(lift + values[:, None] * gains[None] * bright * (255 - lift), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table[:, None]), np.uint8)


def grain(rng: Random, image: Image, strength: float) -> Image:
    """Sensor noise of the standard deviation given, in grey levels."""
    height, width = image.shape[:2]
    noise = np.empty((height, width, 3), np.int16)
    seed = int(rng.integers(1 << 30))
    cv2.setRNGSeed(seed)
    zero, deviation = cast(Any, (0, 0, 0)), cast(Any, (strength,) * 3)  # the stubs know no scalars here
    cv2.randn(noise, zero, deviation)
    return np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), np.uint8)


def coarse(rng: Random, image: Image, share: float) -> Image:
    """Scaled down to `share` of the resolution and up again."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (max(round(width * share), 8), max(round(height * share), 8)), interpolation=cv2.INTER_AREA)
    up = cv2.INTER_CUBIC if chance(rng, 0.5) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(small, (width, height), interpolation=up), np.uint8)


def jpeg(rng: Random, image: Image, worst: int) -> Image:
    """Compressed and decoded again."""
    quality = int(rng.integers(worst, 96))
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def black_and_white(rng: Random, image: Image) -> Image:
    """A grey scan, a photocopy, or two levels."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    kind = rng.random()
    if kind < 0.45:
        low, high = float(rng.uniform(0, 80)), float(rng.uniform(170, 255))
        table = np.clip((np.arange(256) - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        grey = cv2.LUT(grey, table)
    elif kind < 0.65:
        block = int(rng.integers(8, 30)) * 2 + 1
        grey = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, block, float(rng.uniform(6, 18)))
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)


def photographed(rng: Random, image: Image, detail: float, *, photo: bool) -> Image:
    """The chain of photometric effects, milder for scans than for photos.

    Args:
        rng: source of chance.
        image: what the lens or the scanner sees.
        detail: size in pixels of the characters that must remain legible.
        photo: whether a hand-held camera took it.
    """
    if photo and chance(rng, 0.8):
        image = light(rng, image, float(rng.uniform(0.5, 0.95)))
    if chance(rng, 0.75 if photo else 0.25):
        image = colour_cast(rng, image)
    if chance(rng, 0.55 if photo else 0.35):
        image = blur(rng, image, detail)
    if chance(rng, 0.06):
        image = black_and_white(rng, image)
    if chance(rng, 0.25) and detail > 12:
        image = coarse(rng, image, float(rng.uniform(max(0.35, 9.0 / detail), 0.95)))
    if chance(rng, 0.55 if photo else 0.2):
        image = grain(rng, image, float(rng.uniform(1.0, 3.2)) ** 2)
    if chance(rng, 0.6):
        image = jpeg(rng, image, 35 if detail > 14 else 55)
    return image
