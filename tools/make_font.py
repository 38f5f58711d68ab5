"""Make the fonts that sealread ships: subsets of Noto Sans CJK SC and Noto Sans, renamed, hints dropped.

    python tools/make_font.py [FOLDER]

FOLDER holds ``opentype/noto/NotoSansCJK-Regular.ttc`` and ``truetype/noto/NotoSans-Regular.ttf``; by default it is
``/usr/share/fonts``, where Debian and Ubuntu put them (``apt install fonts-noto-cjk fonts-noto-core``). Needs fontTools.
The outcome is the same byte for byte for the same versions. Kept: GB 2312, Big5 level 1, JIS X 0208, rare characters of
names and places, kana, Latin with Vietnamese, Greek, Cyrillic, and the signs of those sets. The second font fills in the
accented Latin letters that the first lacks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

TARGET = Path(__file__).resolve().parent.parent / "src" / "sealread" / "fonts"
SOURCE = Path("/usr/share/fonts")

LETTERS = (
    (0x0020, 0x007E),  # Latin
    (0x00A0, 0x024F),  # Latin-1, Latin Extended-A and -B
    (0x0300, 0x036F),  # combining marks
    (0x0370, 0x04FF),  # Greek, Cyrillic
    (0x1E00, 0x1EFF),  # Latin Extended Additional: Vietnamese
    (0x2000, 0x22FF),  # punctuation, superscripts, currency, letterlike, number forms, arrows, mathematical signs
)
SIGNS = (
    (0x2460, 0x24FF),  # enclosed digits and letters
    (0x2500, 0x27BF),  # box drawing, shapes, stars
    (0x3000, 0x312F),  # CJK punctuation, kana, bopomofo
    (0x3200, 0x33FF),  # enclosed and squared CJK
    (0xFE30, 0xFE4F),  # CJK compatibility forms
    (0xFF00, 0xFFEF),  # full and half width forms
    (0xFFFD, 0xFFFD),  # the sign for an unknown character
)
#: Characters of Chinese names and places that no set above has.
NAMES = (
    "喆堃玥珺翀祎昇镕甦燊暐珅玘玙玚珣琎琇琤瑀瑄瑨璟璠瓈湉溁濛焜燚犇猋砳禛竑翃翯芃荿訚贇赑轫迺釴鈜鋆鋐鑨钘锜锳镠闳闿雱靚韡頔颋飏骉骕骙骦髙鱻龑龢垚羴"
    "硚堽塆塝垾氹畈浬浰漷潏澥滘沄洺浉浐浥淏峣崀崟嵖嶓岞峃岽鄌鄠邘甪猇堌堨埇垟墎墘凼峧旸昺昕晅晞晗晧暟朏杉杪枞栟梽棨楠槿橦欻歆毐沕沚泂泃泠洸洢浟涢渼湜湲滠漴潆濂瀍灏炀炘烜烨"
    "煜煦熳燏爔牁玎玟玹珂珏珙珑珝珩珪琊琚琛琨琯瑗瑾璁璆璎璘璞瓒畋畯皞眭矻祐祜祾稷窣竦筜篁簃絜缊翙翚翾茳荃荇荪莜莳菉菀菁葳蒨蓁蓥蕤薏虓蛟衎袆諴譞跹踽轸逄邕郜郦鄞酆醴釐铉铎铠锴镡"
    "阊陟隗雒雯霁霏霭靓颀飐骁骅骎魁鲲鸢鸾麒黻鼐齮"
)


def han() -> set[int]:
    """The code points of the first font."""
    kept = _spans(LETTERS + SIGNS) | {ord(character) for character in NAMES}
    kept.update(_two_byte("gb2312", range(0xA1, 0xF8), range(0xA1, 0xFF)))
    kept.update(_two_byte("big5", range(0xA1, 0xC7), range(0x40, 0xFF)))
    kept.update(_two_byte("euc_jp", range(0xA1, 0xF5), range(0xA1, 0xFF)))
    return kept


def _spans(spans: tuple[tuple[int, int], ...]) -> set[int]:
    return {code for first, last in spans for code in range(first, last + 1)}


def _two_byte(encoding: str, leads: range, trails: range) -> Iterator[int]:
    for lead in leads:
        for trail in trails:
            decoded = bytes([lead, trail]).decode(encoding, errors="ignore")
            if len(decoded) == 1 and ord(decoded) > 0x7F:
                yield ord(decoded)


def make(font: TTFont, codes: set[int], family: str, target: Path) -> set[int]:
    """Write the subset of `font` that covers `codes` to `target`; gives the code points that it really has."""
    options = Options()
    options.hinting = False
    options.layout_features = []
    options.name_IDs = ["*"]
    options.name_languages = ["*"]
    options.notdef_outline = True
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    _rename(font, family)
    font.recalcTimestamp = False
    font.save(target)
    found = set(font.getBestCmap())
    print(f"{target.name}: {len(found)} characters, {target.stat().st_size / 1e6:.2f} MB")
    return found


def _rename(font: TTFont, family: str) -> None:
    names = font["name"]
    copyright_line, original, version, licence, licence_url = (names.getDebugName(key) for key in (0, 1, 5, 13, 14))
    postscript = family.replace(" ", "") + "-Regular"
    names.names = []
    for key, value in {
        0: f"{copyright_line} Subset and renamed by the sealread project.",
        1: family,
        2: "Regular",
        3: f"1.0;sealread;{postscript}",
        4: family,
        5: f"Version 1.0; subset of {original}, {version.split(';')[0]}",
        6: postscript,
        13: licence,
        14: licence_url,
    }.items():
        names.setName(value, key, 3, 1, 0x409)
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames = [postscript]
        top = cff.topDictIndex[0]
        top.FullName, top.FamilyName = family, family
        for member in top.FDArray:
            member.FontName = postscript


def main(source: Path) -> None:
    """Make both fonts from the fonts under `source`."""
    collection = TTCollection(str(source / "opentype/noto/NotoSansCJK-Regular.ttc"))
    chinese = next(font for font in collection.fonts if font["name"].getDebugName(1) == "Noto Sans CJK SC")
    found = make(chinese, han(), "Sealread Sans", TARGET / "SealreadSans-Regular.otf")
    latin = TTFont(source / "truetype/noto/NotoSans-Regular.ttf", recalcTimestamp=False)
    make(latin, _spans(LETTERS) - found, "Sealread Sans Latin", TARGET / "SealreadSansLatin-Regular.ttf")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE)
