"""Synthetic seals and documents with seals, with exact truth.

Everything follows from the generator passed in; fonts come from Debian packages (`fonts.FONT_PACKAGES`).
"""

from __future__ import annotations

from sealread.training.synth.fonts import FONT_PACKAGES
from sealread.training.synth.pages import draw_page
from sealread.training.synth.scenes import draw_crop
from sealread.training.synth.truth import CharTruth, LineTruth, Sample, SealTruth

__all__ = ["FONT_PACKAGES", "CharTruth", "LineTruth", "Sample", "SealTruth", "draw_crop", "draw_page"]
