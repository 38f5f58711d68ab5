"""Photos of documents that do not lie flat, and of some that do, with the sampling grid that flattens them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sealread.frames import Grid
from sealread.training.synth import effects
from sealread.training.synth.names import chance
from sealread.training.synth.pages import laid_out
from sealread.training.synth.paper import Look, bent_look, flat_look
from sealread.training.synth.truth import Image, Points, Sample, SealTruth, map_seal

Random = np.random.Generator

#: Share of pages that lie flat; half of them are scans.
FLAT_SHARE = 0.35
#: The way back to the sheet is computed for a node every so many pixels, and at so many nodes at least.
_STEP, _LEAST_NODES = 8, 40


@dataclass(frozen=True, slots=True)
class BentPage:
    """A photo of a page.

    Attributes:
        image: (h, w, 3) uint8 BGR.
        seals: on the photo.
        look: how the sheet lies on it.
        bent: whether it is more than a flat sheet seen from above.
    """

    image: Image
    seals: tuple[SealTruth, ...]
    look: Look
    bent: bool


class _View:
    """The map from a sheet's pixels to a photo's, centres of pixels at integers."""

    def __init__(self, look: Look, sheet: tuple[int, int], photo: tuple[int, int]) -> None:
        self.look = look
        self.sheet, self.photo = np.array(sheet, dtype=np.float64), np.array(photo, dtype=np.float64)
        columns, rows = (max(side // _STEP, _LEAST_NODES) for side in photo)
        x, y = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
        places = look.on_sheet(np.stack([x.ravel(), y.ravel()], axis=1)) * self.sheet
        self._back = Grid(places.reshape(rows, columns, 2), *photo)

    def points(self, points: Points) -> Points:
        return self.look.on_photo((points + 0.5) / self.sheet) * self.photo - 0.5

    def image(self, scene: Image, width: int, height: int, *, border: tuple[int, int, int] | None = None) -> Image:
        """See `sealread.training.synth.pages.View`; the scene has a frame of one pixel in the border's colour."""
        framed = cv2.copyMakeBorder(scene, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=border or (0, 0, 0))
        return Grid(self._back.sampling + 1, width, height).sample(np.asarray(framed, np.uint8))


def draw_bent_page(rng: Random, sheet: Sample, long_side: int = 640) -> BentPage:
    """A photo or a scan of the sheet.

    Args:
        rng: the only source of chance.
        sheet: a document as `draw_sheet` gives it.
        long_side: longer side of the photo in pixels.
    """
    height, width = sheet.image.shape[:2]
    flat = chance(rng, FLAT_SHARE)
    photo = not flat or chance(rng, 0.5)
    look = flat_look(rng, height / width, photo=photo) if flat else bent_look(rng, height / width)
    size = (max(round(long_side / max(look.aspect, 1)), 32), max(round(long_side * min(look.aspect, 1)), 32))
    view = _View(look, (width, height), size)
    image = laid_out(rng, _shaded(sheet.image, look), view, *size)
    image = effects.photographed(rng, image, max(9.0, 0.014 * long_side), photo=photo)
    return BentPage(image, tuple(map_seal(seal, view.points) for seal in sheet.seals), look, not flat)


def _shaded(image: Image, look: Look) -> Image:
    """The sheet, darker where it turns away from the light."""
    field: NDArray[np.uint8] = np.clip(look.light(*image.shape[:2]) * 196, 0, 255).astype(np.uint8)
    return np.asarray(cv2.multiply(image, cv2.merge([field] * 3), scale=1 / 196.0), np.uint8)
