"""Typefaces from Debian packages, their coverage, and glyph bitmaps.

Nothing is downloaded and no font file lies in this package: files are found under `/usr/share/fonts`, the TeX tree and the
folders named in the environment variable `SEALREAD_FONTS` (separated like PATH). Which fonts are installed decides what is
drawn: equal seeds give equal images on machines with the same fonts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from sealread.errors import InputError
from sealread.training.synth.coverage import code_points

#: Debian packages whose fonts are used. The first group is enough to start; each further one adds faces.
FONT_PACKAGES = (
    "fonts-noto-cjk",
    "fonts-noto-core",
    "fonts-noto-cjk-extra",
    "fonts-arphic-ukai",
    "fonts-arphic-uming",
    "fonts-arphic-gbsn00lp",
    "fonts-arphic-gkai00mp",
    "fonts-arphic-bkai00mp",
    "fonts-arphic-bsmi00lp",
    "fonts-wqy-zenhei",
    "fonts-wqy-microhei",
    "fonts-cwtex-ming",
    "fonts-cwtex-kai",
    "fonts-cwtex-fs",
    "fonts-cwtex-heib",
    "fonts-cwtex-yen",
    "fonts-cns11643-kai",
    "fonts-cns11643-sung",
    "fonts-lxgw-wenkai",
    "texlive-lang-chinese",
    "fonts-nanum",
    "fonts-ipafont",
    "fonts-klee",
    "fonts-dejavu",
    "fonts-liberation",
    "fonts-freefont-ttf",
    "fonts-dkg-handwriting",
    "fonts-dancingscript",
)
_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/share/texlive/texmf-dist/fonts/opentype/public/fandol"))

#: file name, index in the collection, style, languages, weight in the choice among faces of one language.
_FACES: tuple[tuple[str, int, str, str, float], ...] = (
    ("FandolFang-Regular.otf", 0, "fang", "zh", 6),
    ("FandolSong-Regular.otf", 0, "song", "zh", 4),
    ("FandolSong-Bold.otf", 0, "song", "zh", 4),
    ("FandolKai-Regular.otf", 0, "kai", "zh", 2),
    ("FandolHei-Regular.otf", 0, "hei", "zh", 1),
    ("FandolHei-Bold.otf", 0, "hei", "zh", 1),
    ("gbsn00lp.ttf", 0, "song", "zh", 6),
    ("uming.ttc", 0, "song", "zh tw", 3),
    ("gkai00mp.ttf", 0, "kai", "zh", 2.5),
    ("ukai.ttc", 0, "kai", "zh tw", 2.5),
    ("wqy-zenhei.ttc", 0, "hei", "zh", 2),
    ("wqy-microhei.ttc", 0, "hei", "zh", 1.5),
    ("NotoSerifCJK-Light.ttc", 2, "song", "zh", 1.5),
    ("NotoSerifCJK-Regular.ttc", 2, "song", "zh", 3),
    ("NotoSerifCJK-Medium.ttc", 2, "song", "zh", 2),
    ("NotoSerifCJK-SemiBold.ttc", 2, "song", "zh", 2.5),
    ("NotoSerifCJK-Bold.ttc", 2, "song", "zh", 3),
    ("NotoSerifCJK-Black.ttc", 2, "song", "zh", 1.5),
    ("NotoSansCJK-Light.ttc", 2, "hei", "zh", 1),
    ("NotoSansCJK-Regular.ttc", 2, "hei", "zh", 1.5),
    ("NotoSansCJK-Medium.ttc", 2, "hei", "zh", 1),
    ("NotoSansCJK-Bold.ttc", 2, "hei", "zh", 2),
    ("NotoSansCJK-Black.ttc", 2, "hei", "zh", 1),
    ("LXGWWenKai-Regular.ttf", 0, "kai", "zh tw", 1),
    ("LXGWWenKai-Bold.ttf", 0, "kai", "zh tw", 1.5),
    ("lxgw-wenkai-regular.ttf", 0, "kai", "zh tw", 1),
    ("lxgw-wenkai-bold.ttf", 0, "kai", "zh tw", 1.5),
    ("TW-Kai-98_1.ttf", 0, "kai", "tw", 2),
    ("TW-Sung-98_1.ttf", 0, "song", "tw", 2),
    ("NotoSerifCJK-Bold.ttc", 3, "song", "tw", 2),
    ("NotoSansCJK-Bold.ttc", 3, "hei", "tw", 1.5),
    ("NotoSerifCJK-Regular.ttc", 3, "song", "tw", 1),
    ("bkai00mp.ttf", 0, "kai", "tw", 2),
    ("bsmi00lp.ttf", 0, "song", "tw", 2),
    ("cwfs.ttf", 0, "fang", "tw", 2),
    ("cwkai.ttf", 0, "kai", "tw", 1.5),
    ("cwming.ttf", 0, "song", "tw", 1),
    ("cwheib.ttf", 0, "hei", "tw", 1),
    ("cwyen.ttf", 0, "round", "tw", 1),
    ("NotoSansCJK-Bold.ttc", 1, "hei", "ko", 1),
    ("NotoSerifCJK-Bold.ttc", 1, "song", "ko", 1),
    ("NanumGothicBold.ttf", 0, "hei", "ko", 1),
    ("NanumMyeongjoBold.ttf", 0, "song", "ko", 1),
    ("NanumSquareB.ttf", 0, "hei", "ko", 1),
    ("NotoSansCJK-Bold.ttc", 0, "hei", "ja", 1),
    ("NotoSerifCJK-Bold.ttc", 0, "song", "ja", 1),
    ("ipam.ttf", 0, "song", "ja", 2),
    ("ipag.ttf", 0, "hei", "ja", 1),
    ("KleeOne-SemiBold.ttf", 0, "kai", "ja", 1),
    ("LiberationSans-Regular.ttf", 0, "sans", "latin cyrillic viet code", 2),
    ("LiberationSans-Bold.ttf", 0, "sans", "latin cyrillic viet code", 3),
    ("LiberationSansNarrow-Bold.ttf", 0, "sans", "latin cyrillic code", 2),
    ("LiberationSerif-Regular.ttf", 0, "serif", "latin cyrillic viet code", 1.5),
    ("LiberationSerif-Bold.ttf", 0, "serif", "latin cyrillic viet code", 2),
    ("LiberationMono-Bold.ttf", 0, "sans", "code", 1),
    ("DejaVuSans.ttf", 0, "sans", "latin cyrillic viet code", 1),
    ("DejaVuSans-Bold.ttf", 0, "sans", "latin cyrillic viet code", 1),
    ("DejaVuSansCondensed-Bold.ttf", 0, "sans", "latin cyrillic viet", 2),
    ("DejaVuSerif-Bold.ttf", 0, "serif", "latin cyrillic viet", 1),
    ("DejaVuSerifCondensed-Bold.ttf", 0, "serif", "latin cyrillic viet", 1),
    ("FreeSans.ttf", 0, "sans", "latin cyrillic code", 1),
    ("FreeSansBold.ttf", 0, "sans", "latin cyrillic viet", 1),
    ("FreeSerifBold.ttf", 0, "serif", "latin cyrillic viet", 1),
    ("NotoSans-Bold.ttf", 0, "sans", "latin cyrillic viet", 1),
    ("NotoSerif-Bold.ttf", 0, "serif", "latin cyrillic viet", 1),
    ("NotoSans-Regular.ttf", 0, "sans", "latin cyrillic viet code", 1),
    ("dkgBrush.ttf", 0, "hand", "hand", 1),
    ("DancingScript-Regular.otf", 0, "hand", "hand", 1),
    ("DancingScript-Bold.otf", 0, "hand", "hand", 1),
)


@dataclass(frozen=True, slots=True)
class Face:
    """One typeface: file, index in its collection, style (song, fang, kai, hei, round, sans, serif, hand)."""

    path: str
    index: int
    style: str


@dataclass(frozen=True, slots=True, eq=False)
class Glyph:
    """A character's ink.

    Attributes:
        ink: (h, w) uint8, 255 is full ink, with an empty border of one pixel.
        left: of the bitmap's left edge from the pen position, in em.
        top: of the bitmap's upper edge from the baseline, in em, y down, so mostly negative.
        scale: em per pixel of `ink`.
        advance: in em.
    """

    ink: NDArray[np.uint8]
    left: float
    top: float
    scale: float
    advance: float


def _folders() -> list[Path]:
    named = [Path(name) for name in os.environ.get("SEALREAD_FONTS", "").split(os.pathsep) if name]
    return [folder for folder in (*named, *_FOLDERS) if folder.is_dir()]


@cache
def _installed() -> dict[str, str]:
    """File name to path; a name found twice keeps its first place in sorted order."""
    found: dict[str, str] = {}
    for folder in _folders():
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in (".ttf", ".ttc", ".otf"):
                found.setdefault(path.name, str(path))
    return found


@cache
def faces(language: str) -> tuple[tuple[Face, ...], NDArray[np.float64]]:
    """The faces of a language (zh, tw, ko, ja, latin, cyrillic, viet, code, hand) and their probabilities.

    Raises:
        InputError: no face of the language is installed; the message names the packages to install.
    """
    installed = _installed()
    rows = [row for row in _FACES if language in row[3].split() and row[0] in installed]
    if not rows:
        raise InputError(
            f"No font for '{language}' is installed; drawing seals needs Debian's fonts: "
            f"apt-get install --no-install-recommends {' '.join(FONT_PACKAGES)}",
            parameter="SEALREAD_FONTS",
        )
    weights = np.array([row[4] for row in rows], dtype=np.float64)
    return tuple(Face(installed[row[0]], row[1], row[2]) for row in rows), weights / weights.sum()


def coverage(face: Face) -> NDArray[np.bool_]:
    """For each code point below 0x30000, whether the face has a glyph."""
    return code_points(face.path, face.index)


def covers(face: Face, text: str) -> bool:
    """Whether every character but the space has a glyph."""
    known = coverage(face)
    return all(known[ord(char)] for char in text if char != " ")


def choose_face(rng: np.random.Generator, language: str, text: str, styles: Iterable[str] = ()) -> Face:
    """A face of the language that has every character of `text`; of the styles named, if one of those has them.

    Where no face has all of them, the one that lacks fewest is taken; `names.drawable` removes such characters before.
    """
    known = faces(language)
    candidates: tuple[Face, ...] = known[0]
    weights = known[1]
    wanted = tuple(styles)
    if wanted:
        weights = weights * np.array([1.0 if face.style in wanted else 1e-3 for face in candidates])
    # Faces in random order (Efraimidis and Spirakis 2006): the first that fits is a fair draw among those that fit.
    keys = rng.random(len(candidates)) ** (1.0 / np.maximum(weights, 1e-9))
    order = np.argsort(-keys)
    for i in order.tolist():
        if covers(candidates[i], text):
            return candidates[int(i)]
    lacks = [sum(not coverage(candidates[i])[ord(char)] for char in text if char != " ") for i in order.tolist()]
    return candidates[int(order[int(np.argmin(lacks))])]


@lru_cache(maxsize=160)
def _font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(face.path, size, index=face.index, layout_engine=ImageFont.Layout.BASIC)


_SIZES = (16, 24, 32, 48, 64, 96, 128, 192)


def size_class(pixels: float) -> int:
    """The bitmap size (pixels per em) from which glyphs of this size are drawn: the next larger one kept in the cache."""
    for size in _SIZES:
        if pixels <= size * 1.05:
            return size
    return _SIZES[-1]


@lru_cache(maxsize=12_000)
def glyph(face: Face, char: str, size: int, weight: int = 0) -> Glyph:
    """The character's bitmap.

    Args:
        face: typeface.
        char: one character.
        size: pixels per em, one of the size classes.
        weight: stroke change: each step thickens (positive) or thins (negative) strokes by about 1/48 em.
    """
    font = _font(face, size)
    x1, y1, x2, y2 = font.getbbox(char, anchor="ls")
    width, height = max(int(x2 - x1), 1), max(int(y2 - y1), 1)
    mask = font.getmask(char, mode="L", anchor="ls")
    drawn: NDArray[np.uint8] = np.zeros((height, width), np.uint8)
    if mask.size[0] and mask.size[1]:
        bitmap = np.asarray(mask, dtype=np.uint8).reshape(mask.size[1], mask.size[0])
        drawn = bitmap if bitmap.shape == (height, width) else np.asarray(cv2.resize(bitmap, (width, height)), np.uint8)
    pad = 1 + max(weight, 0) * max(1, size // 48)
    ink = np.asarray(cv2.copyMakeBorder(drawn, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(0,)), np.uint8)
    if weight:
        ink = _thicken(ink, weight * size / 48.0)
    return Glyph(np.ascontiguousarray(ink, dtype=np.uint8), (x1 - pad) / size, (y1 - pad) / size, 1.0 / size, font.getlength(char) / size)


def _thicken(ink: NDArray[np.uint8], amount: float) -> NDArray[np.uint8]:
    """Strokes wider by `amount` pixels in all, or narrower where negative."""
    radius = max(1, round(abs(amount)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (radius // 2) + 1, 2 * (radius // 2) + 1))
    if radius == 1:
        kernel = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
    morphed = cv2.dilate(ink, kernel) if amount > 0 else cv2.erode(ink, kernel)
    # Less than a full pixel is reached by mixing with the unchanged glyph; thinning never wipes a stroke out entirely.
    share = min(abs(amount), 1.0) if amount > 0 else 0.7 * min(abs(amount), 1.0)
    return cv2.addWeighted(morphed, share, ink, 1.0 - share, 0).astype(np.uint8)


@lru_cache(maxsize=60_000)
def ink_box(face: Face, char: str) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the character's ink from its pen position, in em, y down; measured at 64 pixels."""
    x1, y1, x2, y2 = _font(face, 64).getbbox(char, anchor="ls")
    return x1 / 64, y1 / 64, x2 / 64, y2 / 64


@lru_cache(maxsize=60_000)
def advance(face: Face, char: str) -> float:
    """The character's advance in em."""
    return float(_font(face, 64).getlength(char)) / 64
