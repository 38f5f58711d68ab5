"""Plain printed lines for the recogniser: what it could read before it must still be read afterwards."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sealread.stages.recognition import HEIGHT
from sealread.training.synth.backgrounds import sentence
from sealread.training.synth.effects import photographed
from sealread.training.synth.fonts import choose_face, covers
from sealread.training.synth.foreign_seals import foreign_line

_SIZE = 40


def plain_line(rng: np.random.Generator) -> tuple[NDArray[np.uint8], str]:
    """A line of print of up to 16 characters, as a strip of the network's height, and its text."""
    language = "zh" if rng.random() < 0.75 else str(rng.choice(["cyrillic", "viet"]))
    text = sentence(rng, int(rng.integers(3, 17))).strip() if language == "zh" else foreign_line(rng, language)
    face = choose_face(rng, language, text)
    text = text if covers(face, text) else "".join(c for c in text if c == " " or covers(face, c))
    font = ImageFont.truetype(face.path, _SIZE, index=face.index, layout_engine=ImageFont.Layout.BASIC)
    left, top, right, bottom = font.getbbox(text if text else " ")
    margins = rng.uniform(1, 9, 4)
    width, height = int(right - left + margins[0] + margins[1]), int(bottom - top + margins[2] + margins[3])
    paper, ink = rng.integers(180, 256, 3), rng.integers(0, 110, 3)
    sheet = Image.new("RGB", (max(width, 8), max(height, 8)), tuple(int(v) for v in paper))
    ImageDraw.Draw(sheet).text((margins[0] - left, margins[2] - top), text, font=font, fill=tuple(int(v) for v in ink))
    image = photographed(rng, np.asarray(sheet, dtype=np.uint8).copy(), 30.0, photo=bool(rng.random() < 0.4))
    size = (max(round(image.shape[1] * HEIGHT / image.shape[0] * float(rng.uniform(0.8, 1.2))), 8), HEIGHT)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), text
