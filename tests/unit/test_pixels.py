"""Files and arrays become one kind of image; a damaged, huge or foreign one is refused in one sentence."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image as PillowImage

from sealread.errors import InputError
from sealread.frames import QuarterTurn
from sealread.pixels import MAX_PIXELS, Picture, as_image, check_size, decode, from_pillow, letterbox, normalise, quarter_turn, resize

small_images = hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))


def gradient(height: int = 12, width: int = 20) -> np.ndarray:
    """A BGR image without symmetry."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = np.arange(width) * 255 // width
    image[..., 1] = (np.arange(height) * 255 // height)[:, None]
    image[..., 2] = 77
    return image


def pillow(image: np.ndarray) -> PillowImage.Image:
    return PillowImage.fromarray(np.ascontiguousarray(image[..., ::-1]))


def encoded(image: PillowImage.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def sun_raster(image: np.ndarray) -> bytes:
    height, width = image.shape[:2]
    rows = b"".join(row.tobytes() + b"\0" * (width * 3 % 2) for row in image)
    return struct.pack(">8I", 0x59A66A95, width, height, 24, len(rows), 1, 0, 0) + rows


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


LOSSLESS = {
    "png": encoded(pillow(gradient()), "PNG"),
    "bmp": encoded(pillow(gradient()), "BMP"),
    "dib": encoded(pillow(gradient()), "DIB"),
    "tiff": encoded(pillow(gradient()), "TIFF"),
    "tiff deflated": encoded(pillow(gradient()), "TIFF", compression="tiff_adobe_deflate"),
    "webp": encoded(pillow(gradient()), "WEBP", lossless=True),
    "ppm": encoded(pillow(gradient()), "PPM"),
    "sun raster": sun_raster(gradient()),
}


@pytest.mark.parametrize("kind", LOSSLESS)
def test_every_lossless_kind_gives_its_pixels_in_bgr(kind: str) -> None:
    image = decode(LOSSLESS[kind])
    assert image.dtype == np.uint8 and image.flags.c_contiguous
    np.testing.assert_array_equal(image, gradient())


def test_jpeg_is_close_to_its_pixels() -> None:
    image = decode(encoded(pillow(gradient(64, 64)), "JPEG", quality=98, subsampling=0))
    assert np.abs(image.astype(int) - gradient(64, 64)).mean() < 2


@pytest.mark.parametrize("kind", ["PNG", "GIF", "PPM", "TIFF", "BMP"])
@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_and_black_and_white_become_bgr(kind: str, mode: str) -> None:
    grey = PillowImage.fromarray(np.tile(np.array([0, 255, 255], np.uint8), (3, 1))).convert(mode)
    np.testing.assert_array_equal(decode(encoded(grey, kind))[1], [[0] * 3, [255] * 3, [255] * 3])


def test_cmyk_jpeg_keeps_its_colours() -> None:
    red = PillowImage.new("RGB", (16, 16), (255, 0, 0)).convert("CMYK")
    blue, green, red_level = decode(encoded(red, "JPEG"))[8, 8].astype(int)
    assert red_level > 240 and blue < 15 and green < 15


def test_only_the_first_frame_of_an_animation_is_read() -> None:
    frames = [PillowImage.new("RGB", (5, 4), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert Picture(io.BytesIO(data)).count == 1
    np.testing.assert_array_equal(decode(data)[0, 0], [0, 0, 255])


def test_frames_of_a_tiff_in_any_order_and_twice() -> None:
    frames = [PillowImage.new("RGB", (5 + i, 4), (i, 0, 0)) for i in range(3)]
    picture = Picture(io.BytesIO(encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:], compression="tiff_lzw")))
    assert (picture.kind, picture.count) == ("TIFF", 3)
    for index in (2, 0, 1, 1):
        image = picture.image(index)
        assert image.shape == (4, 5 + index, 3) and image[0, 0, 2] == index


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "undo"),
    [
        (1, None),
        (2, PillowImage.Transpose.FLIP_LEFT_RIGHT),
        (3, PillowImage.Transpose.ROTATE_180),
        (4, PillowImage.Transpose.FLIP_TOP_BOTTOM),
        (5, PillowImage.Transpose.TRANSPOSE),
        (6, PillowImage.Transpose.ROTATE_90),
        (7, PillowImage.Transpose.TRANSVERSE),
        (8, PillowImage.Transpose.ROTATE_270),
    ],
)
def test_exif_orientation_is_applied(kind: str, orientation: int, undo: PillowImage.Transpose | None) -> None:
    shown = pillow(gradient(24, 40))
    stored = shown if undo is None else shown.transpose(undo)
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    image = decode(encoded(stored, kind, exif=exif, quality=100))
    assert image.shape == (24, 40, 3)
    assert np.abs(image.astype(int) - gradient(24, 40)).mean() < 3


def test_alpha_is_composited_over_white() -> None:
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 0] = 200
    rgba[0, :, 3] = [0, 128, 255]
    image = decode(encoded(PillowImage.fromarray(rgba), "PNG"))
    np.testing.assert_array_equal(image, [[[255, 255, 255], [127, 127, 227], [0, 0, 200]]])


def test_a_transparent_palette_is_white_where_nothing_is() -> None:
    indexed = PillowImage.new("P", (4, 4), 0)
    indexed.putpalette([10, 20, 30, 0, 0, 0])
    np.testing.assert_array_equal(decode(encoded(indexed, "PNG", transparency=0)), np.full((4, 4, 3), 255))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_become_eight(kind: str) -> None:
    deep = PillowImage.fromarray(np.array([[0, 257, 65535, 40000]], np.uint16))
    np.testing.assert_array_equal(decode(encoded(deep, kind))[0, :, 1], [0, 1, 255, 40000 >> 8])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"this is no picture\n", "holds text"),
        ("印章\n".encode() * 300, "holds text"),
        (bytes(range(256)), "no image of a known kind"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC"),
        (LOSSLESS["png"][:-40], "damaged or cut off image"),
        (LOSSLESS["png"][:20], "damaged or cut off image"),
        (LOSSLESS["tiff"][:40], "damaged or cut off image"),
        (LOSSLESS["bmp"][:100], "damaged or cut off image"),
        (LOSSLESS["sun raster"][:60], "damaged or cut off image"),
        (encoded(pillow(gradient(64, 64)), "JPEG")[:-200], "damaged or cut off image"),
        (encoded(pillow(gradient(64, 64)), "WEBP")[:60], "damaged or cut off image"),
        (encoded(pillow(gradient(64, 64)), "GIF")[:40], "damaged or cut off image"),
        (encoded(pillow(gradient(64, 64)), "PPM")[:40], "damaged or cut off image"),
        (png_header(0, 5), "no pixels"),
    ],
)
def test_bad_content_is_refused_in_one_sentence(data: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        decode(data, source="seal.png")
    assert caught.value.source == "seal.png"
    assert str(caught.value).startswith("seal.png ") and "\n" not in str(caught.value)


@given(st.data())
def test_damage_anywhere_gives_an_image_or_an_input_error(data: st.DataObject) -> None:
    content = bytearray(LOSSLESS[data.draw(st.sampled_from(sorted(LOSSLESS)))])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sealread.pixels.MAX_PIXELS", 10_000)  # a flipped bit of the size would cost seconds
        with contextlib.suppress(InputError):
            assert decode(bytes(content)).ndim == 3


def test_a_giant_png_is_refused_by_its_header() -> None:
    for content in (png_header(60_000, 60_000), png_header(60_000, 60_000) + struct.pack(">I", 10) + b"IDAT" + b"\0" * 14):
        with pytest.raises(InputError, match=r"60000 x 60000 pixels are above the limit of 178,956,970; scale it down"):
            decode(content)


def test_a_giant_bmp_is_refused_by_its_header() -> None:
    header = struct.pack("<2sIHHI", b"BM", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0)
    with pytest.raises(InputError, match="60000 x 60000"):
        decode(header)


def test_the_limit_itself_is_allowed() -> None:
    check_size(MAX_PIXELS, 1)
    with pytest.raises(InputError):
        check_size(MAX_PIXELS + 1, 1)


# arrays


def test_a_bgr_array_is_passed_without_a_copy() -> None:
    array = gradient()
    assert np.shares_memory(as_image(array), array)


@given(small_images)
def test_other_types_of_the_same_picture_give_the_same_pixels(image: np.ndarray) -> None:
    image[0, 0] = 255  # the range must be seen
    for same in (
        image.astype(np.uint16) * 257,
        image.astype(np.int32) * 257,
        image.astype(np.int64),
        image.astype(np.float32),
        image.astype(np.float64),
        image.astype(np.float32) / 255,
        image.astype(np.float64) / 255,
        image.astype(np.float16),
        image.astype(">u2") * 257,
        np.dstack([image, np.full(image.shape[:2], 255, np.uint8)]),
        np.asfortranarray(image),
        np.repeat(image, 2, axis=1)[:, ::2],
        image[::-1, ::-1].copy()[::-1, ::-1],
    ):
        got = as_image(same)
        assert got.dtype == np.uint8 and got.flags.c_contiguous
        np.testing.assert_array_equal(got, image)


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_grey_fills_the_three_channels(grey: np.ndarray) -> None:
    expected = np.repeat(grey[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(as_image(grey), expected)
    np.testing.assert_array_equal(as_image(grey[:, :, None]), expected)


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(4))))
def test_bgra_is_the_rounded_blend_with_white(bgra: np.ndarray) -> None:
    alpha = bgra[..., 3:].astype(float) / 255
    exact = bgra[..., :3] * alpha + 255 * (1 - alpha)
    assert np.abs(as_image(bgra) - exact).max() <= 0.5 + 1e-9


def test_bool_is_black_and_white() -> None:
    np.testing.assert_array_equal(as_image(np.array([[True, False]]))[..., 0], [[255, 0]])


def test_overshoot_of_floats_is_clipped() -> None:
    np.testing.assert_array_equal(as_image(np.array([[-0.1, 1.1, 0.5]]))[0, :, 0], [0, 255, 128])
    np.testing.assert_array_equal(as_image(np.array([[-9.0, 270.0, 100.4]]))[0, :, 0], [0, 255, 100])


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.full((3, 3), np.nan, np.float32), "NaN or infinite"),
        (np.array([[0.0, np.inf]]), "NaN or infinite"),
        (np.array([[0.0, np.nan, 1.0]]), "NaN or infinite"),
        (np.zeros((0, 5, 3), np.uint8), "no pixels: its size is 5 x 0"),
        (np.zeros((5, 0), np.float32), "no pixels"),
        (np.zeros((2, 9, 9, 3), np.uint8), "pass several images as a list"),
        (np.zeros((3, 9, 9), np.uint8), "move the channels to the last axis"),
        (np.zeros((9, 9, 2), np.uint8), r"\(9, 9, 2\); expected \(height, width\)"),
        (np.zeros(7, np.uint8), r"\(7,\)"),
        (np.array(3.0), r"\(\)"),
        (np.array([[1 + 2j]]), "complex128"),
        (np.array([["a"]]), "type <U1"),
        (np.array([[None]]), "type object"),
        (np.array([[-1, 5]]), "-1 to 5"),
        (np.array([[0, 70000]]), "0 to 70000"),
        (np.array([[-2.1, 2.6]]), "-2.1 to 2.6"),
        (np.array([[0.0, 4000.0]]), "0 to 4000"),
        (np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (60_000, 60_000), (0, 0)), "60000 x 60000"),
    ],
)
def test_an_unfit_array_is_refused_with_what_is_expected(array: np.ndarray, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        as_image(array)
    assert str(caught.value).startswith("The image ")


def test_a_pillow_image_stays_as_it_was() -> None:
    given_image = pillow(gradient())
    given_image.getexif()[0x0112] = 6
    assert from_pillow(given_image).shape == (20, 12, 3)
    assert given_image.size == (20, 12)


# what networks need


@given(small_images, st.integers(1, 20), st.integers(1, 20))
def test_resizing_gives_the_size_and_stays_in_range(image: np.ndarray, width: int, height: int) -> None:
    resized = resize(image, width, height)
    assert resized.shape == (height, width, 3) and resized.dtype == np.uint8
    assert resized.min() >= image.min() and resized.max() <= image.max()


def test_shrinking_averages_even_where_the_other_axis_grows() -> None:
    stripes = np.zeros((4, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    np.testing.assert_array_equal(resize(stripes, 8, 16), np.full((16, 8, 3), 100))


def test_the_same_size_is_the_same_image() -> None:
    image = gradient()
    assert resize(image, 20, 12) is image


@given(small_images, st.integers(1, 30), st.integers(1, 30))
def test_a_letterbox_holds_the_whole_image_at_the_top_left(image: np.ndarray, width: int, height: int) -> None:
    image = np.maximum(image, 1)
    canvas, scale = letterbox(image, width, height, border=0)
    assert canvas.shape == (height, width, 3)
    new_width, new_height = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    assert new_width == width or new_height == height
    assert (canvas[:new_height, :new_width] > 0).all()
    assert not canvas[new_height:].any() and not canvas[:, new_width:].any()


def test_the_border_has_the_value_that_was_asked_for() -> None:
    canvas, scale = letterbox(gradient(10, 20), 40, 40, border=114)
    assert scale == 2.0
    np.testing.assert_array_equal(canvas[20:], np.full((20, 40, 3), 114))


@given(small_images, st.sampled_from(["bgr", "rgb"]))
def test_normalising_is_the_formula(image: np.ndarray, order: str) -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    batch = normalise([image, image[::-1]], mean, std, 1 / 255, order)  # type: ignore[arg-type]
    assert batch.dtype == np.float32 and batch.flags.c_contiguous and batch.shape == (2, 3, *image.shape[:2])
    channels = image[..., ::-1] if order == "rgb" else image
    expected = ((channels / 255 - mean) / std).transpose(2, 0, 1)
    np.testing.assert_allclose(batch[0], expected, atol=1e-5)
    np.testing.assert_allclose(batch[1], expected[:, ::-1], atol=1e-5)


def test_no_images_are_an_empty_batch_and_mixed_sizes_an_error() -> None:
    assert normalise([]).shape == (0, 3, 0, 0)
    with pytest.raises(ValueError, match="one size"):
        normalise([gradient(3, 4), gradient(4, 3)])


@given(small_images, st.sampled_from([0, 90, 180, 270]))
def test_a_turned_pixel_comes_from_where_its_map_says(image: np.ndarray, angle: int) -> None:
    turned = quarter_turn(image, angle)
    height, width = turned.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    centres = np.stack([columns.ravel() + 0.5, rows.ravel() + 0.5], axis=1)
    source = np.floor(QuarterTurn(angle, image.shape[1], image.shape[0]).to_source(centres)).astype(int)
    np.testing.assert_array_equal(turned.reshape(-1, 3), image[source[:, 1], source[:, 0]])


@given(small_images)
def test_four_quarter_turns_are_none(image: np.ndarray) -> None:
    turned = image
    for _ in range(4):
        turned = quarter_turn(turned, 90)
    np.testing.assert_array_equal(turned, image)


def test_other_angles_are_refused() -> None:
    with pytest.raises(ValueError, match="45"):
        quarter_turn(gradient(), 45)
