"""Letters for the pictures: the shipped fonts first, then a font of the system, else the code point in a small frame.

Two subsets of Noto fonts lie beside this module (``tools/make_font.py`` makes them, ``OFL.txt`` is their licence), so
Chinese, Japanese and European texts are drawn offline. The environment variable ``SEALREAD_FONT`` names a font file that
is asked before them. A character that no font has is drawn as ``U+XXXX``, never left out.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageDraw, ImageFont

from sealread.errors import InputError

Colour = tuple[int, int, int]

#: Names a font file that goes before the shipped ones.
FONT_VARIABLE = "SEALREAD_FONT"
SHIPPED = tuple(Path(__file__).with_name(name) for name in ("SealreadSans-Regular.otf", "SealreadSansLatin-Regular.ttf"))

#: Height of a line of text, and of its baseline below the line's top, in font sizes.
LINE_HEIGHT = 1.3
_BASELINE = 1.02
#: Of the letters in a ``U+XXXX`` label, against the text around it.
_LABEL_SCALE = 0.5
_SPACES = {" ", "\u00a0", "\u3000"}
_WIDE_FONTS = re.compile(
    r"cjk|sourcehan|wqy|uming|ukai|fallback|msyh|simsun|simhei|mingliu|deng|pingfang|heiti|songti|hiragino|msgothic|yugoth|meiryo"
    r"|malgun|applesdgothic|arial ?uni|unifont|dejavusans|segoeui|notosans",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring characters that one font draws; without a font, one character that none has."""

    text: str
    font: Path | None


def text_width(text: str, size: int) -> float:
    """Width in pixels that `draw_text` takes for `text`; `size` is the height of an ideograph in pixels."""
    return sum(_run_width(run, size) for run in _runs(text))


def draw_text(draw: ImageDraw.ImageDraw, left: float, top: float, text: str, size: int, colour: Colour) -> float:
    """Draw one line of text whose line box starts at ``(left, top)`` and is ``LINE_HEIGHT * size`` high.

    Returns:
        The x coordinate where the next text goes on.

    Raises:
        InputError: ``SEALREAD_FONT`` names no readable font.
    """
    for run in _runs(text):
        if run.font is None:
            _draw_label(draw, left, top, run.text, size, colour)
        else:
            draw.text((left, top + _BASELINE * size), run.text, fill=colour, font=_load(run.font, size), anchor="ls")
        left += _run_width(run, size)
    return left


def shorten(text: str, size: int, width: float) -> str:
    """`text` if it is no wider than `width` pixels, else as much of its start as fits before an ellipsis."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…" if text else ""


def wrap(text: str, size: int, width: float) -> list[str]:
    """The pieces of `text`, each as wide as `width` allows, cut at a space where the piece has one; joined they are `text`.

    A piece has at least one character. An empty text gives no piece.
    """
    pieces: list[str] = []
    while text:
        end = 1
        while end < len(text) and text_width(text[: end + 1], size) <= width:
            end += 1
        space = text.rfind(" ", 0, end)
        if end < len(text) and space > 0:
            end = space + 1
        pieces.append(text[:end])
        text = text[end:]
    return pieces


def _runs(text: str) -> Iterator[_Run]:
    pending, font = "", None
    for character in unicodedata.normalize("NFC", text):
        chosen = _font_for(character, os.environ.get(FONT_VARIABLE))
        if pending and (chosen != font or chosen is None):
            yield _Run(pending, font)
            pending = ""
        pending, font = pending + character, chosen
    if pending:
        yield _Run(pending, font)


def _run_width(run: _Run, size: int) -> float:
    if run.font is not None:
        return float(_load(run.font, size).getlength(run.text))
    small = _label_size(size)
    return float(_load(SHIPPED[0], small).getlength(_label(run.text))) + small


def _draw_label(draw: ImageDraw.ImageDraw, left: float, top: float, character: str, size: int, colour: Colour) -> None:
    small = _label_size(size)
    font = _load(SHIPPED[0], small)
    middle = top + LINE_HEIGHT * size / 2
    width = float(font.getlength(_label(character)))
    frame = (left + 0.1 * small, middle - 0.75 * small, left + width + 0.9 * small, middle + 0.75 * small)
    draw.rounded_rectangle(frame, radius=0.3 * small, outline=colour, width=max(1, small // 8))
    draw.text((left + 0.5 * small, middle + 0.36 * small), _label(character), fill=colour, font=font, anchor="ls")


def _label(character: str) -> str:
    return f"U+{ord(character):04X}"


def _label_size(size: int) -> int:
    return max(7, round(_LABEL_SCALE * size))


@lru_cache(maxsize=256)
def _load(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=65536)
def _font_for(character: str, override: str | None) -> Path | None:
    """The first font that has the character; None if none has."""
    if override:
        path = Path(override)
        try:
            _load(path, 16)
        except OSError as cause:
            raise InputError(
                f"{FONT_VARIABLE} names {override!r}, which is no readable font; name a .ttf, .otf or .ttc file or unset it.",
                source=override,
                parameter=FONT_VARIABLE,
            ) from cause
        if _has(path, character):
            return path
    if character in _SPACES:
        return SHIPPED[0]
    return next((path for path in (*SHIPPED, *_system_fonts()) if _has(path, character)), None)


def _has(path: Path, character: str) -> bool:
    """Whether the font draws the character as something else than nothing or its sign for unknown characters."""
    try:
        drawn = _load(path, 16).getmask(character)
    except OSError:  # a damaged font of the system
        return False
    return drawn.getbbox() is not None and (drawn.size, bytes(drawn)) != _unknown(path)


@lru_cache(maxsize=64)
def _unknown(path: Path) -> tuple[tuple[int, int], bytes]:
    drawn = _load(path, 16).getmask("\U0010ffff")
    return drawn.size, bytes(drawn)


@lru_cache(maxsize=1)
def _system_fonts() -> tuple[Path, ...]:
    """Fonts of the system that hold many scripts, regular ones first."""
    found = {
        Path(folder, name)
        for root in _font_folders()
        for folder, _, names in os.walk(root)
        for name in names
        if name.lower().endswith((".ttf", ".otf", ".ttc")) and _WIDE_FONTS.search(name)
    }
    return tuple(sorted(found, key=lambda path: ("Regular" not in path.stem, path.name)))


def _font_folders() -> tuple[Path, ...]:
    if sys.platform == "win32":
        return (Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts",)
    if sys.platform == "darwin":
        return Path("/System/Library/Fonts"), Path("/Library/Fonts"), Path.home() / "Library/Fonts"
    return Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts", Path.home() / ".fonts"
