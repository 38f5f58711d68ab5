"""What stands on a seal: names of companies, offices and people, purposes, codes and dates, composed from the word lists.

Every function draws from the generator passed in and nothing else. Texts are Simplified Chinese unless a language is named;
`traditional` rewrites them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from sealread.corrections import vocabulary as standard
from sealread.corrections.scripts import TRADITIONAL
from sealread.training.synth import vocabulary as words

Random = np.random.Generator


def pick(rng: Random, items: Sequence[str]) -> str:
    """One of the items, all equally likely."""
    return items[int(rng.integers(len(items)))]


def chance(rng: Random, probability: float) -> bool:
    """True with the probability given."""
    return bool(rng.random() < probability)


@cache
def common_characters() -> str:
    """The 3,755 characters of GB 2312 level 1, which hold the 3,500 in common use but for a few."""
    cells = (bytes([row, cell]) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    return "".join(cell.decode("gb2312", errors="ignore") for cell in cells)


@cache
def rarer_characters() -> str:
    """The 3,008 characters of GB 2312 level 2."""
    cells = (bytes([row, cell]) for row in range(0xD8, 0xF8) for cell in range(0xA1, 0xFF))
    return "".join(cell.decode("gb2312", errors="ignore") for cell in cells)


def traditional(text: str) -> str:
    """The text in Traditional characters, as far as the table of one-to-one pairs goes."""
    return "".join(TRADITIONAL.get(char, char) for char in text)


def place(rng: Random) -> str:
    """A province, city, county or district, mostly with its ending."""
    kind = rng.random()
    if kind < 0.5:
        return pick(rng, standard.CITIES) + ("市" if chance(rng, 0.6) else "")
    if kind < 0.6:
        return pick(rng, standard.PROVINCES)
    if kind < 0.75:
        province = pick(rng, standard.PROVINCES)
        return _short(province) if chance(rng, 0.6) else province
    if kind < 0.9:
        return pick(rng, standard.COUNTIES)
    return pick(rng, standard.CITIES) + "市" + pick(rng, standard.COUNTIES)


def _short(province: str) -> str:
    """The province's name without its ending."""
    for ending in ("壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "特别行政区", "省", "市"):
        if province.endswith(ending):
            return province.removesuffix(ending)
    return province


def brand(rng: Random) -> str:
    """Two to four characters, rare ones among them so that every common character occurs."""
    kind = rng.random()
    if kind < 0.2:
        return pick(rng, words.BRAND_WORDS)
    count = int(rng.choice([2, 2, 2, 2, 3, 3, 4]))
    table = common_characters()
    return "".join(
        pick(rng, words.BRAND_CHARACTERS) if chance(rng, 0.3) else pick(rng, rarer_characters() if chance(rng, 0.05) else table)
        for _ in range(count)
    )


def company_form(rng: Random) -> str:
    """有限公司 mostly."""
    weights = np.array([weight for _, weight in standard.COMPANY_FORMS], dtype=np.float64)
    form = standard.COMPANY_FORMS[int(rng.choice(len(weights), p=weights / weights.sum()))][0]
    return form.replace("(", "（").replace(")", "）") if chance(rng, 0.15) else form


def company(rng: Random) -> str:
    """Place, brand, trade and form; sometimes a branch."""
    where = place(rng) if chance(rng, 0.8) else ""
    trade = pick(rng, standard.TRADES) if chance(rng, 0.92) else ""
    form = company_form(rng)
    name = brand(rng)
    if where and chance(rng, 0.06):
        return f"{name}({where.rstrip('市')}){trade}{form}"
    text = where + name + trade + form
    if form.endswith("公司") and chance(rng, 0.08):
        text += (pick(rng, standard.CITIES) if chance(rng, 0.6) else "") + pick(rng, standard.BRANCHES)
    return text


def bank(rng: Random) -> str:
    """A bank, often with its branch."""
    text = pick(rng, standard.BANKS)
    if chance(rng, 0.6) and not text.startswith("中国人民"):
        text += "股份有限公司"
    if chance(rng, 0.6):
        text += place(rng)[:6] + pick(rng, ("分行", "支行", "支行营业部", "中心支行", "市分行"))
    return text


def bureau(rng: Random) -> str:
    """A government office, court or community."""
    where = place(rng)
    if chance(rng, 0.15):
        where += pick(rng, words.TOWNS) + pick(rng, ("镇", "乡", "街道", "社区", "村"))
    return where + pick(rng, standard.BUREAUS)


def school(rng: Random) -> str:
    """A school or university."""
    return place(rng).replace("市", "" if chance(rng, 0.5) else "市") + pick(rng, standard.SCHOOLS)


def hospital(rng: Random) -> str:
    """A hospital."""
    return place(rng) + pick(rng, standard.HOSPITALS)


def party(rng: Random) -> str:
    """A party body or a mass organisation."""
    return pick(rng, standard.PARTY) + (place(rng) + pick(rng, standard.PARTY_UNITS) if chance(rng, 0.8) else "")


def society(rng: Random) -> str:
    """An association."""
    return place(rng) + pick(rng, standard.TRADES) + pick(rng, standard.SOCIETIES)


def shop(rng: Random) -> str:
    """A one-person business."""
    return place(rng) + brand(rng) + pick(rng, standard.SHOPS)


def chaos(rng: Random) -> str:
    """Characters in no order at all: no network should lean on its language model alone."""
    count = int(rng.integers(4, 15))
    return "".join(pick(rng, common_characters()) for _ in range(count))


_KINDS: tuple[tuple[Callable[[Random], str], float], ...] = (
    (company, 0.56),
    (bureau, 0.13),
    (bank, 0.06),
    (school, 0.05),
    (hospital, 0.04),
    (party, 0.02),
    (society, 0.03),
    (shop, 0.03),
    (chaos, 0.08),
)


def organisation(rng: Random, longest: int = 26) -> str:
    """The name on the outer arc, four to `longest` characters."""
    weights = np.array([weight for _, weight in _KINDS])
    for _ in range(8):
        maker = _KINDS[int(rng.choice(len(weights), p=weights / weights.sum()))][0]
        text = maker(rng)
        # Very long names exist, but every second one is drawn anew: most seals carry ten to sixteen characters.
        if 4 <= len(text) <= longest and (len(text) <= 17 or chance(rng, 0.5)):
            return text
    return company(rng)[:longest]


def purpose(rng: Random) -> str:
    """What a seal is for, the horizontal line."""
    kind = rng.random()
    if kind < 0.78:
        text = pick(rng, standard.PURPOSES)
    elif kind < 0.88:
        text = pick(rng, standard.DEPARTMENTS)
    elif kind < 0.93:
        text = pick(rng, standard.BRANCHES)
    else:
        text = "".join(pick(rng, common_characters()) for _ in range(int(rng.integers(2, 7))))
    if chance(rng, 0.07):
        number = f"{int(rng.integers(1, 30)):02d}" if chance(rng, 0.6) else pick(rng, tuple("一二三四五六七八九十"))
        text += f"({number})" if chance(rng, 0.7) else f"（{number}）"
    return text


def digits(rng: Random, count: int) -> str:
    """`count` digits."""
    return "".join(str(int(digit)) for digit in rng.integers(0, 10, count))


def seal_code(rng: Random) -> str:
    """The registration number of a seal: 13 digits of which the first six are a place; sometimes shorter."""
    if chance(rng, 0.85):
        return str(int(rng.integers(11, 66))) + f"{int(rng.integers(1, 31)):02d}{int(rng.integers(1, 31)):02d}" + digits(rng, 7)
    if chance(rng, 0.3):
        return "No." + digits(rng, int(rng.integers(4, 8)))
    return digits(rng, int(rng.integers(6, 16)))


def tax_code(rng: Random) -> str:
    """A taxpayer's number: 15 digits or the 18 places of the unified social credit code."""
    if chance(rng, 0.35):
        return digits(rng, 15)
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    tail = "".join(pick(rng, letters if chance(rng, 0.55) else "0123456789") for _ in range(10))
    return pick(rng, ("91", "91", "91", "92", "12", "52")) + digits(rng, 6) + tail


def date(rng: Random) -> str:
    """A date in one of the ways of date stamps."""
    year, month, day = int(rng.integers(1995, 2027)), int(rng.integers(1, 13)), int(rng.integers(1, 29))
    form = int(rng.integers(6))
    if form == 0:
        return f"{year}年{month}月{day}日"
    if form == 1:
        return f"{year}年{month:02d}月{day:02d}日"
    if form == 2:
        return f"{year}-{month:02d}-{day:02d}"
    if form == 3:
        return f"{year}/{month:02d}/{day:02d}"
    return f"{year}.{month:02d}.{day:02d}" if chance(rng, 0.8) else f"{year}.{month}.{day}"


def person(rng: Random, surnames: str = words.SURNAMES) -> str:
    """Two or three characters, four with a double surname."""
    given = words.GIVEN if chance(rng, 0.5) else common_characters()
    count = 1 if chance(rng, 0.2) else 2
    return pick(rng, surnames) + "".join(pick(rng, given) for _ in range(count))


def tax_office(rng: Random) -> str:
    """The office at the bottom of the seals of the tax authority."""
    where = pick(rng, standard.PROVINCES) if chance(rng, 0.6) else pick(rng, standard.CITIES) + "市"
    where = where.replace("特别行政区", "")
    return where + pick(rng, ("税务局", "税务局", "税务局", "国家税务局", "地方税务局", "税务局监制"))
