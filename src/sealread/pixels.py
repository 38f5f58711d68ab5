"""Pixels: files and arrays of any kind become one kind of image, and images become what networks take; pure.

Takes:      encoded bytes, or an array as callers pass them.
Gives:      `Image`: ``(height, width, 3)`` uint8 BGR, contiguous, upright by EXIF, over white.
Method:     the content decides the kind, never the name; the header is checked before a pixel is decoded.
Nothing:    an image without pixels, above `MAX_PIXELS` or damaged is an `InputError`.
Invariants: a quarter turn loses nothing; an 8-bit BGR image passes unchanged; a grey, 16-bit or float copy of it gives
            the same pixels again.
"""

from __future__ import annotations

import codecs
import io
import re
import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    SunImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL import Image as PillowImage
from PIL.ImageFile import ImageFile

from sealread.errors import InputError
from sealread.types import Image

#: Fills what is missing to a network's input.
GREY = 127
#: Largest number of pixels of one image; the reference refuses PDF pages above the same number.
MAX_PIXELS = 178_956_970
#: Bytes at the start of a file that tell its kind.
HEAD_BYTES = 1024

# Pillow's file classes are called directly: `PIL.Image.open` tries dozens of rare formats on hostile bytes, and its own
# size check warns through process-wide state.
_KINDS: tuple[tuple[str, re.Pattern[bytes], type[ImageFile]], ...] = tuple(
    (kind, re.compile(magic, re.DOTALL), opener)
    for kind, magic, opener in (
        ("JPEG", rb"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
        ("PNG", rb"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
        ("TIFF", rb"II[*+]\0|MM\0[*+]", TiffImagePlugin.TiffImageFile),
        ("WebP", rb"RIFF....WEBP", WebPImagePlugin.WebPImageFile),
        ("GIF", rb"GIF8[79]a", GifImagePlugin.GifImageFile),
        ("BMP", rb"BM.{12}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", BmpImagePlugin.BmpImageFile),
        ("DIB", rb"[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\0\0\0", BmpImagePlugin.DibImageFile),
        ("PNM", rb"P[1-6]\s+[\d#]", PpmImagePlugin.PpmImageFile),
        ("Sun raster", rb"\x59\xa6\x6a\x95", SunImagePlugin.SunImageFile),
    )
)
KIND_NAMES = "PNG, JPEG, WebP, BMP, TIFF, GIF, PNM, Sun raster or PDF"

# What Pillow's decoders raise on damaged files; a warning where the caller turns warnings into errors.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    struct.error,
    zlib.error,
    PillowImage.DecompressionBombError,
    Warning,
)
_EXIF_ORIENTATION = 0x0112


class Picture:
    """An image file whose header was read and found fit; its pixels are decoded when asked for.

    Attributes:
        kind: what the content is: "PNG", "JPEG", ...
        count: number of frames that are pages: those of a TIFF; 1 for everything else, animations included.
    """

    def __init__(self, file: BinaryIO, *, source: str | None = None) -> None:
        """Read the header.

        Args:
            file: seekable, at its beginning; it stays open and the caller's.
            source: name for error messages.

        Raises:
            InputError: empty, of no known kind, damaged or above `MAX_PIXELS`.
        """
        head = file.read(HEAD_BYTES)
        file.seek(0)
        self._source = source
        self.kind, opener = _kind(head, source)
        if self.kind == "PNG" and len(head) >= 24:  # a lone header is enough to refuse a giant
            check_size(*struct.unpack(">II", head[16:24]), source=source)
        try:
            self._file = opener(file)
            self.count = getattr(self._file, "n_frames", 1) if self.kind == "TIFF" else 1
        except _DECODER_ERRORS as cause:
            raise _damaged(source, cause) from cause

    def image(self, index: int = 0, *, max_pixels: int = MAX_PIXELS) -> Image:
        """Decode one frame: BGR, upright by EXIF, alpha over white.

        Raises:
            InputError: the frame is damaged or above `max_pixels`, at most `MAX_PIXELS`.
        """
        try:
            self._file.seek(index)
        except _DECODER_ERRORS as cause:
            raise _damaged(self._source, cause) from cause
        check_size(self._file.width, self._file.height, source=self._source, limit=max_pixels)
        return from_pillow(self._file, source=self._source)


def decode(data: bytes, *, source: str | None = None) -> Image:
    """The image in `data`; of an animation or multi-frame file the first frame.

    Args:
        data: a whole image file of any listed kind.
        source: its name, for error messages.

    Returns:
        ``(height, width, 3)`` uint8 BGR, upright by EXIF, alpha composited over white, 16-bit reduced to the high byte.

    Raises:
        InputError: empty, not an image, cut off, or above `MAX_PIXELS` (known from the header, before decoding).
    """
    return Picture(io.BytesIO(data), source=source).image()


def from_pillow(picture: PillowImage.Image, *, source: str | None = None) -> Image:
    """The current frame of a Pillow image of any mode as BGR, upright by EXIF, alpha over white.

    Raises:
        InputError: without pixels, above `MAX_PIXELS`, or its data cannot be decoded.
    """
    check_size(picture.width, picture.height, source=source)
    try:
        picture.load()
        if picture.mode.startswith("I") or picture.mode == "F":
            pixels = np.asarray(picture)
        elif picture.has_transparency_data:
            pixels = cv2.cvtColor(np.asarray(picture.convert("RGBA")), cv2.COLOR_RGBA2BGRA)
        else:
            plain = picture if picture.mode == "RGB" else picture.convert("RGB")
            pixels = cv2.cvtColor(np.asarray(plain), cv2.COLOR_RGB2BGR)
    except _DECODER_ERRORS as cause:
        raise _damaged(source, cause) from cause
    return np.ascontiguousarray(_upright(as_image(pixels, source=source), _exif_orientation(picture)))


def as_image(array: NDArray[np.generic], *, source: str | None = None) -> Image:
    """The array as an image; a contiguous 8-bit BGR array is passed through without a copy.

    Args:
        array: ``(h, w)`` or ``(h, w, 1)`` grey, ``(h, w, 3)`` BGR or ``(h, w, 4)`` BGRA, which is composited over white.
            bool is black and white. Integers up to 255 are taken as they are, larger ones up to 65535 as 16-bit. Floats
            below 2 are 0..1 and others 0..255 (a picture whose brightest value is below 2 of 255 shows nothing);
            slight overshoot, as interpolation leaves it, is clipped.
        source: its name, for error messages.

    Raises:
        InputError: another shape or type, no pixels, above `MAX_PIXELS`, NaN, infinite or out of range.
    """
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        hint = ""
        if array.ndim == 4:
            hint = "; pass several images as a list"
        elif array.ndim == 3 and array.shape[0] in (1, 3, 4):
            hint = "; move the channels to the last axis"
        raise InputError(
            f"{_named(source)} has the shape {array.shape}; expected (height, width), or (height, width, channels) with 1 (grey), 3 (BGR) "
            f"or 4 (BGRA) channels{hint}.",
            source=source,
        )
    check_size(array.shape[1], array.shape[0], source=source)
    pixels = np.ascontiguousarray(_as_bytes(array, source))
    if pixels.shape[2] == 1:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    if pixels.shape[2] == 4:
        return _over_white(pixels)
    return pixels


def check_size(width: int, height: int, *, source: str | None = None, limit: int = MAX_PIXELS) -> None:
    """Refuse images without pixels or with more than `limit`.

    Raises:
        InputError: with the size, the limit and what to do.
    """
    if width < 1 or height < 1:
        raise InputError(f"{_named(source)} has no pixels: its size is {width} x {height}.", source=source)
    if width * height > limit:
        raise InputError(
            f"{_named(source)} is too large: {width} x {height} pixels are above the limit of {limit:,}; scale it down or cut it into "
            "several images.",
            source=source,
        )


def resize(image: Image, width: int, height: int) -> Image:
    """The image in the given size; each axis is averaged where it shrinks and linear where it grows.

    An image of more than twice that size is halved first, which OpenCV does ten times faster than it averages fractions of pixels. A last
    row or column without a partner is left out then: less than a pixel of the result.
    """
    while image.shape[0] >= 2 * height and image.shape[1] >= 2 * width:
        half = (image.shape[1] // 2, image.shape[0] // 2)
        image = np.asarray(cv2.resize(image[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    old_height, old_width = image.shape[:2]
    shrunk = (min(width, old_width), min(height, old_height))
    if shrunk != (old_width, old_height):
        image = np.asarray(cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    if shrunk != (width, height):
        image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    return image


def on_canvas(image: Image, size: tuple[int, int], room: tuple[int, int], *, border: int = GREY) -> Image:
    """The image resized to `size` at the top left of a canvas of `room`, both ``(width, height)``; the rest is `border`.

    Networks see proportions as in training this way: what is missing to their input is grey, not stretched.
    """
    canvas = np.full((room[1], room[0], 3), border, dtype=np.uint8)
    canvas[: size[1], : size[0]] = resize(image, *size)
    return canvas


def letterbox(image: Image, width: int, height: int, *, border: int = 0) -> tuple[Image, float]:
    """The image at the top left of a ``width x height`` canvas, as large as fits, the rest filled with `border`.

    Returns:
        The canvas, and the scale (new size over old size), which may be above 1.
    """
    old_height, old_width = image.shape[:2]
    scale = min(width / old_width, height / old_height)
    size = (min(width, max(1, round(old_width * scale))), min(height, max(1, round(old_height * scale))))
    return on_canvas(image, size, (width, height), border=border), scale


def normalise(
    images: Sequence[Image],
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    std: Sequence[float] = (1.0, 1.0, 1.0),
    scale: float = 1 / 255,
    order: Literal["bgr", "rgb"] = "bgr",
) -> NDArray[np.float32]:
    """A batch for a network: ``(pixel * scale - mean) / std``, channels first.

    Args:
        images: all of one size.
        mean, std: one number for each channel, in `order`, on the scaled pixels.
        scale: factor on the pixels before `mean` is subtracted.
        order: order of the network's channels; the images themselves are BGR.

    Returns:
        ``(n, 3, h, w)`` float32, contiguous; ``(0, 3, 0, 0)`` for no images.
    """
    height, width = images[0].shape[:2] if len(images) > 0 else (0, 0)
    batch = np.empty((len(images), 3, height, width), dtype=np.float32)
    for image, planes in zip(images, batch, strict=True):
        if image.shape != (height, width, 3):
            raise ValueError(f"A batch needs images of one size; got {image.shape} beside {(height, width, 3)}.")
        for channel, plane in enumerate(planes):
            plane[...] = image[..., 2 - channel if order == "rgb" else channel]
            plane *= np.float32(scale / std[channel])
            plane -= np.float32(mean[channel] / std[channel])
    return batch


def quarter_turn(image: Image, angle: int) -> Image:
    """The image turned counter-clockwise by 0, 90, 180 or 270 degrees, without loss; `QuarterTurn` is the way back."""
    if angle not in (0, 90, 180, 270):
        raise ValueError(f"A quarter turn is by 0, 90, 180 or 270 degrees, not {angle}.")
    return np.ascontiguousarray(np.rot90(image, angle // 90))


def _named(source: str | None) -> str:
    return "The image" if source is None else source


def _kind(head: bytes, source: str | None) -> tuple[str, type[ImageFile]]:
    if not head:
        raise InputError(f"{_named(source)} is empty: it holds 0 bytes.", source=source)
    for kind, magic, opener in _KINDS:
        if magic.match(head):
            return kind, opener
    if re.match(rb"....ftyp(hei|hev|mif|msf|avi)", head, re.DOTALL):
        what = "a HEIC or AVIF photo, which is not read; save it as JPEG or PNG"
    elif _is_text(head):
        what = f"text, not an image; give a file of the kind {KIND_NAMES}"
    else:
        what = f"no image of a known kind; give a file of the kind {KIND_NAMES}"
    raise InputError(f"{_named(source)} holds {what}.", source=source)


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)  # the last character may be cut in two
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


def _damaged(source: str | None, cause: Exception) -> InputError:
    reason = str(cause).rstrip(".")
    return InputError(
        f"{_named(source)} is a damaged or cut off image{f' ({reason})' if reason else ''}; copy or save it again.", source=source
    )


def _exif_orientation(picture: PillowImage.Image) -> int:
    """1..8 as EXIF counts; 1 (upright) where the tag is missing or unreadable."""
    try:
        orientation = picture.getexif().get(_EXIF_ORIENTATION, 1)
    except _DECODER_ERRORS:  # a damaged tag leaves a readable image
        return 1
    return orientation if isinstance(orientation, int) else 1


def _upright(image: Image, orientation: int) -> Image:
    """A view of the image as EXIF orientations 2..8 want it shown."""
    if orientation >= 5:
        image = image.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    return image


def _as_bytes(array: NDArray[np.generic], source: str | None) -> NDArray[np.uint8]:
    """Values of any real type as uint8; the shape stays."""
    if array.dtype == np.uint8:
        return np.asarray(array, dtype=np.uint8)
    if array.dtype.kind not in "buif":
        raise InputError(f"{_named(source)} has values of the type {array.dtype}; pass uint8, uint16, bool or float values.", source=source)
    if array.dtype.kind == "b":
        return np.where(array, np.uint8(255), np.uint8(0))
    low, high = float(np.min(array)), float(np.max(array))
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(f"{_named(source)} has NaN or infinite values; replace them before the call.", source=source)
    if array.dtype.kind == "f":
        scale, slack = (1.0, 0.25) if high < 2 else (255.0, high / 4)
        if low < -slack or high > 1.25 * scale:
            raise _out_of_range(low, high, source)
        levels = np.clip(array.astype(np.float32), 0, scale) * np.float32(255 / scale)
        return np.asarray(np.rint(levels), dtype=np.uint8)
    if low < 0 or high > 65535:
        raise _out_of_range(low, high, source)
    return (array.astype(np.uint16) >> np.uint16(8) if high > 255 else array).astype(np.uint8)


def _out_of_range(low: float, high: float, source: str | None) -> InputError:
    return InputError(f"{_named(source)} has values from {low:g} to {high:g}; pass 0..255, 0..65535 or 0..1 (float).", source=source)


def _over_white(bgra: NDArray[np.uint8]) -> Image:
    """BGRA composited over white, rounded."""
    alpha = bgra[:, :, 3]
    if alpha.min() == 255:
        return np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR), dtype=np.uint8)
    image = np.empty((*bgra.shape[:2], 3), dtype=np.uint8)
    for channel in range(3):  # channel by channel: one 16-bit plane at a time
        # 255 - (255 - colour) * alpha / 255
        ink = (255 - bgra[:, :, channel]).astype(np.uint16) * alpha
        image[:, :, channel] = 255 - (ink + 127) // 255
    return image
