"""A line's strip from its exact band: what a perfect detector would hand to the recogniser."""

from __future__ import annotations

import numpy as np

from sealread.training.synth.truth import Image, LineTruth


def band_height(line: LineTruth) -> float:
    """The characters' mean height in pixels; of a column, their mean width."""
    return float(np.hypot(*(line.top - line.bottom).T).mean())


def strip_of(image: Image, line: LineTruth, height: int = 48) -> Image | None:
    """The line as a straight strip, cut as deployment cuts it; None for a band without area.

    Columns of upright characters are laid out side by side, so that every character of a strip stands upright.

    Args:
        image: (h, w, 3) BGR.
        line: a line on it.
        height: of the strip in pixels.
    """
    # Drawing alone must not load the stages.
    from sealread.stages.rectification import straighten
    from sealread.types import Ribbon

    strip = straighten(image, Ribbon(line.top, line.bottom, len(line.chars) if line.vertical else 0), height)
    return None if strip is None else strip.image
