"""Draws the pictures of this folder again: `python examples/draw.py [FOLDER]`.

Towns, companies, persons and numbers are invented. The seals come from the generator that training uses; the fonts it needs are
named by its error message.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from sealread.training.synth.angular_seals import columns, frame, rows_of
from sealread.training.synth.arrangement import outline_of
from sealread.training.synth.figures import Plan, rectangle
from sealread.training.synth.fonts import choose_face
from sealread.training.synth.round_seals import company_seal, date_seal, invoice_seal, supervision_seal
from sealread.training.synth.scenes import seal_matrix, stamped
from sealread.training.synth.truth import Image

DPI = 150
#: A4 upright, in pixels.
WIDTH, HEIGHT = 1240, 1754
BLACK, BROWN = (35, 35, 40), (120, 60, 20)
BUYER, SELLER = "云岭市青禾农业科技有限公司", "海棠市星河贸易有限公司"

CLAUSES = (
    "根据《中华人民共和国民法典》及有关规定，甲乙双方本着平等自愿、诚实信用的原则，就农用传感设备的采购事宜协商一致，订立本合同，共同遵守。",
    "第一条　乙方向甲方供应土壤温湿度传感器四百套、无线网关十二台，型号、数量及单价见附件一，附件为本合同的组成部分。",
    "第二条　合同总价为人民币贰拾叁万陆仟元整（¥236,000.00），该价格包含税金、包装、运输及安装调试的全部费用。",
    "第三条　乙方应于合同生效之日起三十日内将货物送至甲方指定地点，并提供产品合格证、使用说明书及检验报告。",
    "第四条　甲方自收到货物之日起七个工作日内完成验收。验收合格后十五日内，甲方以转账方式支付合同总价的百分之九十五。",
    "第五条　余款百分之五作为质量保证金，质量保证期为一年，期满无质量问题的，甲方应在十日内无息退还。",
    "第六条　任何一方逾期履行义务的，每逾期一日，应按未履行部分价款的千分之一向对方支付违约金。",
    "第七条　因履行本合同发生的争议，由双方协商解决；协商不成的，提交甲方所在地人民法院诉讼解决。",
    "第八条　本合同一式四份，甲乙双方各执两份，自双方签字并盖章之日起生效，具有同等法律效力。",
)
GOODS = (
    ("土壤温湿度传感器", "QH-200", "套", "400", "480.00", "192,000.00"),
    ("无线网关", "XH-12", "台", "12", "3,000.00", "36,000.00"),
    ("安装调试", "", "次", "1", "8,000.00", "8,000.00"),
)


class Sheet:
    """A white A4 page to print on."""

    def __init__(self) -> None:
        self.picture = PillowImage.new("RGB", (WIDTH, HEIGHT), (248, 248, 248))
        self.pen = ImageDraw.Draw(self.picture)

    def text(
        self, x: float, y: float, text: str, size: int, *, style: str = "song", anchor: str = "ls", fill: tuple[int, ...] = BLACK
    ) -> None:
        """One line, its baseline at `y`."""
        self.pen.text((x, y), text, fill=fill, font=font(style, size), anchor=anchor)

    def paragraph(self, y: float, text: str, size: int, left: int, right: int) -> float:
        """Lines of full width, two characters in; gives where the next paragraph begins."""
        row = "　　"
        for char in text:
            if font("song", size).getlength(row + char) > right - left and char not in "，。、；：）":
                self.text(left, y, row, size)
                row, y = "", y + 1.75 * size
            row += char
        self.text(left, y, row, size)
        return y + 1.9 * size

    def grid(self, rows: list[float], columns_at: list[float], fill: tuple[int, int, int]) -> None:
        """Ruled lines at these heights and places."""
        for y in rows:
            self.pen.line([(columns_at[0], y), (columns_at[-1], y)], fill=fill, width=2)
        for x in columns_at:
            self.pen.line([(x, rows[0]), (x, rows[-1])], fill=fill, width=2)

    def image(self) -> Image:
        """The page, BGR."""
        return np.ascontiguousarray(np.asarray(self.picture)[:, :, ::-1])


def font(style: str, size: int) -> ImageFont.FreeTypeFont:
    """The same face of that style each time."""
    face = choose_face(np.random.default_rng(5), "zh", CLAUSES[0], (style,))
    return ImageFont.truetype(face.path, size, index=face.index)


def press(page: Image, plan: Plan, x: float, y: float, millimetres: float, turn: float, seed: int, colour: str = "red") -> Image:
    """The page with a seal of that width around (x, y), turned clockwise by `turn` degrees."""
    rng = np.random.default_rng(seed)
    matrix = seal_matrix(rng, millimetres / 25.4 * DPI / 200, turn)
    matrix[:, 2] = x, y
    return stamped(rng, page, plan, matrix, colour=colour)[0]


def company(seed: int, name: str, purpose: str | None) -> Plan:
    """A round seal: name, star, purpose."""
    plan = outline_of(100, 100)
    company_seal(np.random.default_rng(seed), plan, 100, 100, "zh", name, purpose)
    return plan


def personal(seed: int, name: str) -> Plan:
    """A square name seal in two columns."""
    plan = Plan("square", rectangle(100, 100))
    rng = np.random.default_rng(seed)
    columns(rng, plan, name, *frame(rng, plan, 100, 100), 2, "zh")
    return plan


def receipt(seed: int, lines: list[str]) -> Plan:
    """A framed rectangular stamp."""
    plan = Plan("rect", rectangle(100, 34))
    rng = np.random.default_rng(seed)
    rows_of(rng, plan, lines, *frame(rng, plan, 100, 34), "zh")
    return plan


def invoice_oval(seed: int, name: str) -> Plan:
    """The seller's oval on invoices."""
    plan = outline_of(100, 75)
    invoice_seal(np.random.default_rng(seed), plan, 75, "zh", name)
    return plan


def tax_oval(seed: int) -> Plan:
    """The tax authority's oval on invoices."""
    plan = outline_of(100, 68)
    supervision_seal(np.random.default_rng(seed), plan, 68)
    return plan


def bank(seed: int, name: str) -> Plan:
    """A round seal with a date."""
    plan = outline_of(100, 100)
    date_seal(np.random.default_rng(seed), plan, 100, 100, "zh", name)
    return plan


def contract() -> Image:
    """The last page of a contract with the buyer's seal, the seller's turned seal and a name seal."""
    sheet = Sheet()
    sheet.text(WIDTH / 2, 190, "设备采购合同", 52, style="hei", anchor="ms")
    sheet.text(WIDTH - 150, 262, "合同编号：QH-2024-0317", 24, anchor="rs")
    sheet.text(150, 322, f"甲方（采购方）：{BUYER}", 27)
    sheet.text(150, 372, f"乙方（供货方）：{SELLER}", 27)
    y = 442.0
    for clause in CLAUSES:
        y = sheet.paragraph(y, clause, 26, 150, WIDTH - 150)
    for x, side, name, person in ((150, "甲方", BUYER, "苏明远"), (660, "乙方", SELLER, "林晚舟")):
        sheet.text(x, 1440, f"{side}（盖章）：", 27)
        sheet.text(x, 1495, name, 27)
        sheet.text(x, 1550, f"法定代表人：{person}", 27)
        sheet.text(x, 1605, "日期：2024 年 3 月 17 日", 27)
    page = press(sheet.image(), company(16, BUYER, "合同专用章"), 365, 1452, 42, -4, 8)
    page = press(page, company(14, SELLER, None), 900, 1470, 40, 38, 14)
    return press(page, personal(3, "林晚舟印"), 1085, 1560, 18, 3, 3)


def invoice() -> Image:
    """A printed invoice with the tax authority's seal above and the seller's below."""
    sheet = Sheet()
    sheet.text(WIDTH / 2, 210, "海棠增值税普通发票", 46, style="kai", anchor="ms", fill=BROWN)
    sheet.pen.line([(WIDTH / 2 - 240, 228), (WIDTH / 2 + 240, 228)], fill=BROWN, width=2)
    sheet.text(120, 300, "机器编号：661908224415", 22)
    sheet.text(WIDTH - 120, 300, "开票日期：2024 年 04 月 02 日", 22, anchor="rs")
    sheet.grid([330, 470, 525, 580, 635, 690, 745, 800, 930], [100, WIDTH - 100], BROWN)
    sheet.text(120, 375, f"购买方名称：{BUYER}", 24)
    sheet.text(120, 415, "纳税人识别号：91630000MA7Q2X4K1B", 24)
    sheet.text(120, 455, "地址、电话：云岭市东篱路 18 号　0000-6180226", 24)
    edges = [115, 430, 590, 680, 790, 960]
    for x, title in zip(edges, ("货物或应税劳务名称", "规格型号", "单位", "数量", "单价", "金额"), strict=True):
        sheet.text(x, 507, title, 22, fill=BROWN)
    for row, cells in enumerate(GOODS):
        for x, cell in zip(edges, cells, strict=True):
            sheet.text(x, 562 + 55 * row, cell, 22)
    sheet.text(115, 782, "价税合计（大写）　贰拾叁万陆仟元整　　　　（小写）¥236,000.00", 24)
    sheet.text(120, 845, f"销售方名称：{SELLER}", 24)
    sheet.text(120, 885, "纳税人识别号：91640000MA8R5T7W2D", 24)
    sheet.text(120, 980, "收款人：何知秋　　复核：周子衿　　开票人：白露　　　　销售方（章）：", 24)
    page = press(sheet.image(), tax_oval(20), WIDTH / 2, 190, 34, 0, 14)
    return press(page, invoice_oval(10, SELLER), 980, 920, 42, -6, 8)


def delivery() -> Image:
    """A delivery note with a blue round stamp, a rectangular stamp and a bank's stamp with a date."""
    sheet = Sheet()
    sheet.text(WIDTH / 2, 190, "送货单", 50, style="hei", anchor="ms")
    sheet.text(120, 270, f"收货单位：{BUYER}", 25)
    sheet.text(WIDTH - 120, 270, "No. 0004127", 25, anchor="rs", fill=(190, 30, 30))
    sheet.grid([300 + 62 * i for i in range(7)], [100, 420, 600, 700, 820, 980, WIDTH - 100], BLACK)
    edges = [115, 435, 615, 715, 835, 995]
    for x, title in zip(edges, ("品名", "规格", "单位", "数量", "单价", "金额"), strict=True):
        sheet.text(x, 342, title, 24)
    for row, cells in enumerate(GOODS[:2], 1):
        for x, cell in zip(edges, cells, strict=True):
            sheet.text(x, 342 + 62 * row, cell, 22)
    sheet.text(120, 740, "送货人：陆时雨　　　　　　收货人：沈清和", 25)
    y = sheet.paragraph(830, "收货单位请当面清点数量，如有短缺或破损，请在三日内通知供货方，逾期视为验收合格。", 24, 120, WIDTH - 120)
    sheet.text(120, y + 30, "收货单位（盖章）：　　　　　　　　　　　　付款银行（盖章）：", 25)
    page = press(sheet.image(), company(6, BUYER, "收货专用章"), 430, y + 130, 40, 12, 10, "blue")
    page = press(page, bank(20, "云岭银行东篱支行"), 930, y + 160, 38, -20, 25)
    return press(page, receipt(8, [SELLER, "货物已验收"]), 560, 560, 60, -8, 8)


def crop() -> Image:
    """One seal, turned far, on the foot of a letter."""
    sheet = Sheet()
    for row, text in enumerate(("", "以上款项已于本月收讫。", "经办人：顾南枝")):
        sheet.text(40, 90 + 110 * row, text, 26)
    page = press(sheet.image(), company(9, "白鹭洲市听松文化传播有限公司", "财务专用章"), 210, 195, 55, 142, 8)
    return page[20:370, 35:385]


def main() -> int:
    """Write contract.png, invoice.pdf and seal.png."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    cv2.imwrite(str(folder / "contract.png"), quantised(contract()), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    pages = [PillowImage.fromarray(np.ascontiguousarray(page[:, :, ::-1])) for page in (invoice(), delivery())]
    pages[0].save(folder / "invoice.pdf", save_all=True, append_images=pages[1:], resolution=float(DPI), quality=80)
    cv2.imwrite(str(folder / "seal.png"), quantised(crop()), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return 0


def quantised(image: Image) -> Image:
    """The image in steps of 8 levels: a PNG of a third of the size, no difference to the eye."""
    return np.asarray(np.minimum((image.astype(np.int16) + 4) // 8 * 8, 255), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
