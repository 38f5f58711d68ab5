"""Which code points a TrueType or OpenType file has glyphs for, read straight from its `cmap` table.

Formats 4 and 12 are read, which every font of the last twenty years has (OpenType specification, "cmap").
"""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Code points are looked at up to here: the planes with living scripts.
_END = 0x30000

Bitmap = NDArray[np.bool_]


@cache
def code_points(path: str, index: int) -> Bitmap:
    """Which code points one face of a file has, (0x30000,); none where it has no table of a known format.

    Args:
        path: a .ttf, .otf or .ttc file.
        index: the face within a collection.
    """
    with Path(path).open("rb") as file:
        head = file.read(12)
        start = 0
        if head[:4] == b"ttcf":
            file.seek(12 + 4 * index)
            (start,) = struct.unpack(">I", file.read(4))
        file.seek(start + 4)
        (count,) = struct.unpack(">H", file.read(2))
        file.seek(start + 12)
        for _ in range(count):
            tag, _, offset, length = struct.unpack(">4sIII", file.read(16))
            if tag == b"cmap":
                file.seek(offset)
                return _read(file.read(length))
    return np.zeros(_END, np.bool_)


def _read(table: bytes) -> Bitmap:
    (count,) = struct.unpack_from(">H", table, 2)
    found = np.zeros(_END, np.bool_)
    for i in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", table, 4 + 8 * i)
        if platform not in (0, 3) or (platform == 3 and encoding not in (1, 10)):
            continue
        (form,) = struct.unpack_from(">H", table, offset)
        if form == 12:
            _format_12(table, offset, found)
        elif form == 4:
            _format_4(table, offset, found)
    return found


def _format_12(table: bytes, offset: int, found: Bitmap) -> None:
    (groups,) = struct.unpack_from(">I", table, offset + 12)
    rows = np.frombuffer(table, ">u4", groups * 3, offset + 16).reshape(-1, 3).astype(np.int64)
    for first, last, glyph in rows.tolist():
        found[first + (glyph == 0) : last + 1] = True


def _format_4(table: bytes, offset: int, found: Bitmap) -> None:
    (length,) = struct.unpack_from(">H", table, offset + 2)
    (doubled,) = struct.unpack_from(">H", table, offset + 6)
    segments = doubled // 2
    words = np.frombuffer(table, ">u2", (min(length, len(table) - offset) - 14) // 2, offset + 14).astype(np.int64)
    ends, starts = words[:segments], words[segments + 1 : 2 * segments + 1]
    deltas, ranges = words[2 * segments + 1 : 3 * segments + 1], words[3 * segments + 1 : 4 * segments + 1]
    for i in range(segments):
        codes = np.arange(starts[i], min(ends[i], 0xFFFE) + 1)
        if ranges[i]:
            places = 3 * segments + 1 + i + ranges[i] // 2 + (codes - starts[i])
            inside = places < len(words)
            codes, glyphs = codes[inside], words[places[inside]]
        else:
            glyphs = (codes + deltas[i]) & 0xFFFF
        found[codes[glyphs != 0]] = True
