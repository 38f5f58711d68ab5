"""Synthetic seals and documents with seals, with exact truth.

Everything follows from the generator passed in; fonts come from Debian packages (`fonts.FONT_PACKAGES`).
"""

from __future__ import annotations

from sealread.training.synth.bent_pages import BentPage, draw_bent_page
from sealread.training.synth.fonts import FONT_PACKAGES
from sealread.training.synth.pages import draw_page, draw_sheet
from sealread.training.synth.scenes import draw_crop
from sealread.training.synth.truth import CharTruth, LineTruth, Sample, SealTruth

__all__ = [
    "FONT_PACKAGES",
    "BentPage",
    "CharTruth",
    "LineTruth",
    "Sample",
    "SealTruth",
    "draw_bent_page",
    "draw_crop",
    "draw_page",
    "draw_sheet",
]
