"""The reliability diagram: for each bin of the score, the share of lines that are exact, beside what the score promises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

SIDE = 320  # of the square in which the bars stand
MARGIN = 70
BAR, SHORT, PROMISE, INK, GRID = "#2f6fb0", "#d9534f", "#d9a441", "#222222", "#dddddd"


def draw_reliability(tables: Mapping[str, Any], path: Path) -> None:
    """Draws one panel for each kind of image: bars up to the share exact, a tick at the mean score, the count under each bar.

    A bar that stays below its tick is red: there the scores promise too much.
    """
    width = MARGIN + len(tables) * (SIDE + MARGIN)
    picture = Image.new("RGB", (width, SIDE + 2 * MARGIN + 20), "white")
    draw = ImageDraw.Draw(picture)
    for index, (name, table) in enumerate(tables.items()):
        _panel(draw, MARGIN + index * (SIDE + MARGIN), MARGIN, name, table)
    picture.save(path)


def _panel(draw: ImageDraw.ImageDraw, left: int, top: int, name: str, table: Mapping[str, Any]) -> None:
    small, large = ImageFont.load_default(11), ImageFont.load_default(16)
    bottom = top + SIDE
    for tenth in range(0, 11, 2):
        y = bottom - SIDE * tenth / 10
        draw.line([(left, y), (left + SIDE, y)], fill=GRID)
        draw.text((left - 6, y), f"{tenth / 10:.1f}", fill=INK, font=small, anchor="rm")
        draw.text((left + SIDE * tenth / 10, bottom + 22), f"{tenth / 10:.1f}", fill=INK, font=small, anchor="mt")
    for row in table["bins"]:
        x1, x2 = left + SIDE * row["low"] + 2, left + SIDE * row["high"] - 2
        draw.text(((x1 + x2) / 2, bottom + 5), str(row["count"]), fill=INK, font=small, anchor="mt")
        if row["count"]:
            short = row["exact"] < row["mean_score"]
            draw.rectangle([x1, bottom - SIDE * row["exact"], x2, bottom], fill=SHORT if short else BAR)
            tick = bottom - SIDE * row["mean_score"]
            draw.line([(x1, tick), (x2, tick)], fill=PROMISE, width=3)
    draw.line([(left, bottom), (left + SIDE, top)], fill=PROMISE)
    draw.rectangle([left, top, left + SIDE, bottom], outline=INK)
    error = table["calibration_error"]
    draw.text((left, top - 38), name, fill=INK, font=large)
    draw.text((left, top - 16), "no lines" if error is None else f"expected calibration error {error:.3f}", fill=INK, font=small)
    draw.text((left + SIDE / 2, bottom + 40), "score (count of lines above); height: share exact", fill=INK, font=small, anchor="mt")
