"""The images whose reading is timed: seal crops, and one A4 page that is the same on every machine."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

import sealread
from sealread.labels import read_labels

A4_200_DPI = (1654, 2339)
FONT = Path(sealread.__file__).parent / "fonts" / "SealreadSans-Regular.otf"
RED = (205, 30, 35)
TITLE = "设备采购合同"
SENTENCES = (
    "甲方向乙方采购检测设备一批，型号、数量及单价见附件一。",
    "合同总价为人民币壹拾贰万叁仟肆佰元整（¥123,400.00），含税。",
    "乙方应于本合同生效之日起三十日内交货，运费由乙方承担。",
    "甲方收到货物后七日内完成验收，逾期视为验收合格。",
    "质量保证期为十二个月，自验收合格之日起计算。",
    "双方因履行本合同发生争议，应友好协商解决。",
    "Delivery terms: DAP, Incoterms 2020. Contract No. 2024-0917-A.",
)


def crops_of(set_dir: Path, count: int) -> list[Image.Image]:
    """Real seal crops, spread evenly over the set."""
    files = [image.file for image in read_labels(set_dir) if image.kind == "seal_crop"]
    chosen = [files[round(i)] for i in np.linspace(0, len(files) - 1, min(count, len(files)))]
    return [ImageOps.exif_transpose(Image.open(set_dir / file)).convert("RGB") for file in chosen]


def drawn_crops(count: int) -> list[Image.Image]:
    """Crops of the project's own generator, where the real ones are absent; they depend on the fonts of the machine."""
    from sealread.training.synth import draw_crop

    sizes = np.linspace(180, 480, count).astype(int)
    return [Image.fromarray(draw_crop(np.random.default_rng([2024, i]), int(size)).image[..., ::-1]) for i, size in enumerate(sizes)]


def a4_page() -> Image.Image:
    """A white contract page at 200 dpi: forty lines of text and two red round seals over the last ones."""
    page = Image.new("RGB", A4_200_DPI, "white")
    draw = ImageDraw.Draw(page)
    draw.text((A4_200_DPI[0] / 2, 170), TITLE, fill="black", font=_font(64), anchor="mt")
    for row in range(40):
        text = f"{row + 1}. {SENTENCES[row % len(SENTENCES)]}"
        draw.text((170, 310 + 44 * row), text, fill="black", font=_font(30))
    draw.text((220, 2110), "甲方（盖章）：", fill="black", font=_font(34))
    draw.text((970, 2110), "乙方（盖章）：", fill="black", font=_font(34))
    seals = Image.new("RGB", page.size, "white")
    seals.paste(round_seal("华东示范科技有限公司", "合同专用章"), (330, 1930))
    seals.paste(
        round_seal("青山检测设备有限公司", "合同专用章").rotate(12, fillcolor="white", resample=Image.Resampling.BICUBIC), (1080, 1940)
    )
    return ImageChops.multiply(page, seals)


def round_seal(arc: str, purpose: str, side: int = 330) -> Image.Image:
    """A round company seal of 42 mm at 200 dpi: one ring, a star, an arc and a purpose line."""
    seal = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(seal)
    middle, radius = side / 2, side / 2 - 6
    draw.ellipse([middle - radius, middle - radius, middle + radius, middle + radius], outline=RED, width=8)
    star = [_polar(middle, (0.30 if i % 2 == 0 else 0.115) * radius, 36 * i) for i in range(10)]
    draw.polygon(star, fill=RED)
    draw.text((middle, middle + 0.52 * radius), purpose, fill=RED, font=_font(side // 9), anchor="mm")
    size = side // 8
    for angle, char in zip(np.linspace(-115, 115, len(arc)), arc, strict=True):
        tile = Image.new("RGB", (2 * size, 2 * size), "white")
        ImageDraw.Draw(tile).text((size, size), char, fill=RED, font=_font(size), anchor="mm")
        tile = tile.rotate(-angle, fillcolor="white", resample=Image.Resampling.BICUBIC)
        x, y = _polar(middle, 0.78 * radius, angle)
        place = Image.new("RGB", seal.size, "white")
        place.paste(tile, (round(x - size), round(y - size)))
        seal = ImageChops.multiply(seal, place)
    return seal


def _polar(middle: float, radius: float, angle: float) -> tuple[float, float]:
    """The point at `angle` degrees clockwise from up."""
    return middle + radius * math.sin(math.radians(angle)), middle - radius * math.cos(math.radians(angle))


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)
