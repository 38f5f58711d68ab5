"""The pictures: sizes, what they show and where; the fonts: what they cover and what happens to the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageDraw

from sealread import fonts
from sealread.drawing import DOUBT_COLOURS, DROPPED_COLOUR, ROLE_COLOURS, SEAL_COLOUR, draw_page, draw_preprocessing, draw_seal
from sealread.errors import InputError
from sealread.fonts import SHIPPED, draw_text, shorten, text_width, wrap
from sealread.frames import Grid, Identity, QuarterTurn
from sealread.painting import Box, draw_caption, overlap
from sealread.types import DetectionSettings, Page, PageReading, Region, SealReading, TextLine

BLACK = (0, 0, 0)


def band(radius: float, thickness: float, centre: float, count: int = 12) -> Any:
    angles = np.radians(np.linspace(160, 380, count))
    ray = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.concatenate([centre + ray * radius, (centre + ray * (radius - thickness))[::-1]])


def seal_with(texts: tuple[str, ...], *, score: float = 0.9, kept: bool = True, side: int = 100, **changes: Any) -> SealReading:
    roles = list(ROLE_COLOURS)
    lines = []
    for number, text in enumerate(texts):
        polygon = band(0.45 * side - 2 * number, 0.12 * side, side / 2)
        middle = (polygon[: len(polygon) // 2] + polygon[: len(polygon) // 2 - 1 : -1]) / 2
        at = np.linspace(0, len(middle) - 1, len(text))
        points = np.stack([np.interp(at, range(len(middle)), middle[:, axis]) for axis in (0, 1)], axis=1)
        role = roles[number % len(roles)]
        lines.append(TextLine(text, score, role, polygon, polygon, 0.9, (score,) * len(text), points, kept))
    crop = np.full((side, side, 3), 255, dtype=np.uint8)
    seal = SealReading(1, (0, 0, side, side), crop, (0.0, 0.0, float(side), float(side)), 0.97, None, tuple(lines))
    return replace(seal, **changes)


def page_with(seals: tuple[SealReading, ...], regions: tuple[Region, ...] | None, size: tuple[int, int] = (400, 600)) -> PageReading:
    image = np.full((*size, 3), 255, dtype=np.uint8)
    settings = DetectionSettings(736, "min", 0.2, 4000, 0.6, 0.5)
    return PageReading(Page(image), True, True, False, True, 0, image, image, regions, seals, settings, 0.0)


def has_colour(picture: PillowImage.Image, colour: tuple[int, int, int], tolerance: int = 0) -> bool:
    return bool((np.abs(np.asarray(picture).astype(int) - colour).max(axis=2) <= tolerance).any())


def near(colour: tuple[int, int, int], opacity: float) -> tuple[int, int, int]:
    red, green, blue = (round(255 + (value - 255) * opacity) for value in colour)
    return red, green, blue


# Fonts


def test_the_shipped_fonts_cover_gb2312_big5_and_european_letters() -> None:
    def double(encoding: str, leads: range) -> set[str]:
        decoded = (bytes([lead, trail]).decode(encoding, errors="ignore") for lead in leads for trail in range(0xA1, 0xFF))
        return {text for text in decoded if len(text) == 1}

    hanzi = double("gb2312", range(0xB0, 0xF8))
    assert len(hanzi) == 6763
    wanted = hanzi | double("big5", range(0xA4, 0xC7)) | set("ČŁőğßÑđạếổЖЯΩαあアー①★☆《》·—…№℃喆堃玥昇")
    assert [character for character in sorted(wanted) if not any(fonts._has(path, character) for path in SHIPPED)] == []


def test_the_licence_lies_beside_the_fonts() -> None:
    licence = SHIPPED[0].with_name("OFL.txt").read_text(encoding="utf-8")
    for path in SHIPPED:
        assert path.name in licence
    assert "SIL OPEN FONT LICENSE" in licence
    assert "Adobe" in licence


def test_a_character_that_no_font_has_is_drawn_as_its_code_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_system_fonts", lambda: ())
    missing = "\U0001fbff"
    fonts._font_for.cache_clear()
    assert fonts._font_for(missing, None) is None
    assert text_width(missing, 40) > text_width("U+", 20)
    pictures = []
    for text in (missing, "\U0001fbfe"):
        pictures.append(PillowImage.new("RGB", (200, 60), "white"))
        end = draw_text(ImageDraw.Draw(pictures[-1]), 0, 0, text, 40, BLACK)
        assert end == text_width(text, 40)
        assert has_colour(pictures[-1], BLACK, 60)
    assert pictures[0].tobytes() != pictures[1].tobytes()
    fonts._font_for.cache_clear()


def test_the_environment_names_a_font_that_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = tmp_path / "mine.ttf"
    mine.write_bytes(SHIPPED[1].read_bytes())
    monkeypatch.setenv(fonts.FONT_VARIABLE, str(mine))
    assert [run.font for run in fonts._runs("Č章")] == [mine, SHIPPED[0]]
    monkeypatch.setenv(fonts.FONT_VARIABLE, str(tmp_path / "none.ttf"))
    with pytest.raises(InputError, match="no readable font") as caught:
        text_width("章", 20)
    assert caught.value.parameter == fonts.FONT_VARIABLE


def test_letters_stay_inside_their_line() -> None:
    picture = PillowImage.new("RGB", (400, 100), "white")
    text = "ÅŢgjy章《)|"
    draw_text(ImageDraw.Draw(picture), 10, 20, text, 40, BLACK)
    rows, columns = np.nonzero(np.asarray(picture).min(axis=2) < 128)
    assert rows.min() >= 20
    assert rows.max() <= 20 + fonts.LINE_HEIGHT * 40
    assert columns.min() >= 10
    assert columns.max() <= 10 + text_width(text, 40)


@given(st.text("甲乙丙ab 1", max_size=30), st.floats(1, 300))
def test_wrapped_pieces_fit_and_join_to_the_text(text: str, width: float) -> None:
    pieces = wrap(text, 20, width)
    assert "".join(pieces) == text
    assert all(len(piece) == 1 or text_width(piece, 20) <= width for piece in pieces)
    assert text_width(shorten(text, 20, width), 20) <= width


# The page


def test_the_page_picture_has_the_size_of_the_flat_page_and_shows_everything() -> None:
    seal = replace(seal_with(("天津君和缘商贸有限公司",)), box=(200, 150, 300, 250))
    regions = (Region(2, "text", 0.5, (20.0, 20.0, 180.0, 100.0)), Region(16, "seal", 0.97, (200.0, 150.0, 300.0, 250.0)))
    page = page_with((seal,), regions)
    picture = draw_page(page)
    assert (picture.mode, picture.size) == ("RGB", (600, 400))
    assert picture.getpixel((200, 200)) == SEAL_COLOUR
    assert picture.getpixel((100, 20)) not in ((255, 255, 255), SEAL_COLOUR)
    assert picture.getpixel((250, 161)) == near(ROLE_COLOURS["outer_arc"], 41 / 255)  # the inside of the line
    edge = np.asarray(picture.crop((245, 151, 255, 159))).min(axis=0)
    assert (edge <= near(ROLE_COLOURS["outer_arc"], 0.6)).all()
    assert has_colour(picture.crop((200, 120, 300, 148)), SEAL_COLOUR, 30)  # the caption, above the seal
    assert (page.flat == 255).all()


def test_the_caption_carries_the_text() -> None:
    region = Region(16, "seal", 0.97, (200.0, 150.0, 300.0, 250.0))
    pictures = [
        draw_page(page_with((replace(seal_with(texts), box=(200, 150, 300, 250)),), (region,))).crop((0, 0, 600, 148))
        for texts in (("天津君和缘商贸有限公司",), ("天津君和缘商贸有限分司",))
    ]
    assert pictures[0].tobytes() != pictures[1].tobytes()


@given(
    st.tuples(st.integers(20, 400), st.integers(20, 400)),
    st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=1, max_size=4),
    st.text("甲乙丙", max_size=30),
)
def test_captions_never_leave_the_picture(size: tuple[int, int], shares: list[tuple[float, ...]], text: str) -> None:
    picture = PillowImage.new("RGB", size, "white")
    taken: list[Box] = []
    for a, b, c, d in shares:
        box = (min(a, b) * size[0], min(c, d) * size[1], max(a, b) * size[0], max(c, d) * size[1])
        taken.append(box)
        place = draw_caption(picture, text, 12, box, taken, SEAL_COLOUR)
        taken.append(place)
        assert 0 <= place[0] <= place[2] <= size[0] + 1e-9
        assert 0 <= place[1] <= place[3] <= size[1] + 1e-9


def test_a_caption_does_not_cover_the_seal_where_there_is_room() -> None:
    picture = PillowImage.new("RGB", (600, 400), "white")
    for box in ((200.0, 0.0, 300.0, 100.0), (0.0, 300.0, 100.0, 400.0), (500.0, 150.0, 600.0, 250.0), (100.0, 0.0, 200.0, 400.0)):
        place = draw_caption(picture, "seal 0.97 · 甲乙丙丁", 14, box, [box], SEAL_COLOUR)
        assert overlap(place, box) == 0


def test_a_page_without_regions_is_drawn_as_it_is() -> None:
    page = page_with((), ())
    assert np.array_equal(np.asarray(draw_page(page)), page.flat)


def test_colours_are_taken_as_blue_green_red() -> None:
    page = page_with((), ())
    page.flat[:] = (10, 20, 30)
    assert draw_page(page).getpixel((5, 5)) == (30, 20, 10)


def test_tiny_and_degenerate_input_is_drawn() -> None:
    seal = replace(seal_with(("甲",), side=3), box=(0, 0, 3, 3))
    page = page_with((seal,), (Region(16, "seal", 0.5, (0.0, 0.0, 3.0, 3.0)), Region(1, "text", 0.5, (2.0, 2.0, 2.0, 2.0))), (4, 4))
    assert draw_page(page).size == (4, 4)
    assert draw_seal(seal, Identity()).height >= 480
    assert draw_preprocessing(page).width > 12


# Preprocessing


def test_preprocessing_shows_three_panels_side_by_side() -> None:
    page = page_with((), None)
    turned = np.zeros((600, 400, 3), dtype=np.uint8)
    picture = draw_preprocessing(replace(page, upright=turned, flat=turned, angle=90))
    assert picture.width >= 600 + 400 + 400
    assert picture.height >= 600
    assert int((np.asarray(picture)[300] == 0).all(axis=1).sum()) == 800
    assert picture.tobytes() != draw_preprocessing(replace(page, upright=turned, flat=turned, angle=270)).tobytes()
    large = np.zeros((5000, 4000, 3), dtype=np.uint8)
    assert draw_preprocessing(replace(page, page=Page(large), upright=large, flat=large)).width < 3000


# Seals


@pytest.mark.parametrize(("shape", "least"), [((100, 100), 480), ((30, 900), 480), ((2000, 2000), 1200), ((600, 500), 600)])
def test_the_seal_is_enlarged_to_a_readable_size(shape: tuple[int, int], least: int) -> None:
    seal = seal_with((), crop=np.zeros((*shape, 3), dtype=np.uint8), box=(0, 0, shape[1], shape[0]))
    picture = draw_seal(seal, Identity())
    assert picture.height == least
    assert picture.width < 1600 + 1300
    if shape == (100, 100):
        assert picture.getpixel((479, 479)) == BLACK


def test_text_role_and_doubt_are_shown() -> None:
    texts = ("天津君和缘商贸有限公司", "发票专用章")
    sure, empty = (draw_seal(seal_with(content), Identity()) for content in (texts, ()))
    assert sure.tobytes() != draw_seal(seal_with(("天津君和缘商贸有限分司", "发票专用章")), Identity()).tobytes()
    for role in ("outer_arc", "inner_arc"):
        assert has_colour(sure.crop((480, 0, *sure.size)), ROLE_COLOURS[role])
        assert has_colour(sure.crop((0, 0, 480, 480)), ROLE_COLOURS[role])
        assert not has_colour(empty, ROLE_COLOURS[role])
    for score, colour in ((0.3, DOUBT_COLOURS[0][1]), (0.7, DOUBT_COLOURS[1][1])):
        doubtful = draw_seal(seal_with(texts, score=score), Identity())
        assert has_colour(doubtful.crop((480, 0, *doubtful.size)), colour)
        assert has_colour(doubtful.crop((0, 0, 480, 480)), colour, 2)
        assert not has_colour(sure, colour)


def test_doubtful_places_are_outlined_on_the_page() -> None:
    page = page_with((), ())
    assert not has_colour(draw_page(page), DROPPED_COLOUR)
    picture = draw_page(replace(page, doubtful=(Region(16, "seal", 0.7, (100.0, 200.0, 180.0, 260.0)),)))
    assert picture.getpixel((100, 200)) == picture.getpixel((179, 259)) == DROPPED_COLOUR


def test_dropped_lines_are_outlined_but_not_listed() -> None:
    dropped = draw_seal(seal_with(("甲乙",), kept=False), Identity())
    empty = draw_seal(seal_with(()), Identity())
    assert has_colour(dropped.crop((0, 0, 480, 480)), near(DROPPED_COLOUR, 0.9), 3)
    assert dropped.crop((480, 0, *dropped.size)).tobytes() == empty.crop((480, 0, *empty.size)).tobytes()


def test_long_lists_make_the_picture_higher() -> None:
    seal = seal_with(("中华人民共和国国家税务总局监制" * 6, *["发票专用章"] * 12))
    assert draw_seal(seal, Identity()).height > 900


def test_rotation_is_told() -> None:
    pictures = {draw_seal(seal_with(("甲",), rotation=turn), Identity()).tobytes() for turn in (None, 0.0, 12.0, -12.0)}
    assert len(pictures) == 4


def test_marks_of_doubtful_characters_follow_the_frame() -> None:
    """The same seal on a page that lies on its side: its marks are at the same place of the crop."""
    plain = seal_with(("甲乙丙丁",), score=0.3)
    turn = QuarterTurn(90, 400, 600)
    turned = replace(plain, lines=tuple(replace(line, char_points=turn.to_source(line.char_points)) for line in plain.lines))
    assert np.array_equal(np.asarray(draw_seal(turned, turn)), np.asarray(draw_seal(plain, Identity())))
    collapsed = Grid(np.zeros((2, 2, 2)), 400, 600)
    assert draw_seal(plain, collapsed).size == draw_seal(plain, Identity()).size
