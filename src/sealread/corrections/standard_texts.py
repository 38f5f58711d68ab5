"""Texts that stand on many seals word for word, and the doubtful readings that are one of them after all.

The seals of tax offices and the purposes of company seals are prescribed: where a worn line was read as 全国统业票监制章, the same
probabilities of the recogniser can be asked how likely 全国统一发票监制章 is. Both are compared by their likelihood over all
alignments (Graves et al. 2006, eq. 8); a standard text is expected far more often than a text that nobody knows, which counts in its
favour. The scores of the characters are those of the chosen text, so what was guessed stays visibly unsure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sealread.text import ctc_aligned, ctc_log_likelihoods
from sealread.types import Recognition


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PROVINCES = _words(
    "河北省 山西省 辽宁省 吉林省 黑龙江省 江苏省 浙江省 安徽省 福建省 江西省 山东省 河南省 湖北省 湖南省 广东省 海南省 四川省 "
    "贵州省 云南省 陕西省 甘肃省 青海省 台湾省 "
    "内蒙古自治区 广西壮族自治区 西藏自治区 宁夏回族自治区 新疆维吾尔自治区 北京市 天津市 上海市 重庆市 香港特别行政区 "
    "澳门特别行政区"
)

#: Cities without the ending 市; the ending is added or left out when a name is composed.
CITIES = _words(
    "北京 上海 天津 重庆 石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水 太原 大同 阳泉 长治 晋城 朔州 晋中 运城 "
    "忻州 临汾 吕梁 呼和浩特 包头 乌海 赤峰 通辽 "
    "鄂尔多斯 呼伦贝尔 巴彦淖尔 乌兰察布 沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口 阜新 辽阳 盘锦 铁岭 朝阳 葫芦岛 长春 吉林 四平 "
    "辽源 通化 白山 松原 白城 哈尔滨 齐齐哈尔 "
    "鸡西 鹤岗 双鸭山 大庆 伊春 佳木斯 七台河 牡丹江 黑河 绥化 南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 "
    "宿迁 杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 "
    "舟山 台州 丽水 合肥 芜湖 蚌埠 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城 福州 厦门 莆田 三明 泉州 "
    "漳州 南平 龙岩 宁德 南昌 景德镇 萍乡 九江 新余 "
    "鹰潭 赣州 吉安 宜春 抚州 上饶 济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 泰安 威海 日照 临沂 德州 聊城 滨州 菏泽 郑州 开封 "
    "洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 "
    "三门峡 南阳 商丘 信阳 周口 驻马店 济源 武汉 黄石 十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈 咸宁 随州 恩施 仙桃 潜江 天门 长沙 "
    "株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 "
    "永州 怀化 娄底 广州 韶关 深圳 珠海 汕头 佛山 江门 湛江 茂名 肇庆 惠州 梅州 汕尾 河源 阳江 清远 东莞 中山 潮州 揭阳 云浮 "
    "南宁 柳州 桂林 梧州 北海 防城港 钦州 贵港 玉林 百色 "
    "贺州 河池 来宾 崇左 海口 三亚 三沙 儋州 成都 自贡 攀枝花 泸州 德阳 绵阳 广元 遂宁 内江 乐山 南充 眉山 宜宾 广安 达州 雅安 "
    "巴中 资阳 贵阳 六盘水 遵义 安顺 毕节 铜仁 昆明 曲靖 "
    "玉溪 保山 昭通 丽江 普洱 临沧 大理 拉萨 日喀则 昌都 林芝 山南 那曲 西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 安康 商洛 兰州 "
    "嘉峪关 金昌 白银 天水 武威 张掖 平凉 酒泉 庆阳 定西 "
    "陇南 西宁 海东 银川 石嘴山 吴忠 固原 中卫 乌鲁木齐 克拉玛依 吐鲁番 哈密 阿克苏 喀什 和田 昌吉 石河子 香港 台北 高雄 台中 "
    "台南 新竹 嘉义 基隆 义乌 昆山 江阴 张家港 常熟 慈溪 "
    "余姚 诸暨 晋江 石狮 南安 福清 滕州 寿光 龙口 胜利 章丘 巩义 新郑 禹州 枝江 宜都 老河口 醴陵 浏阳 耒阳 从化 增城 普宁 廉江 "
    "岑溪 都江堰 峨眉山 阆中 清镇 赤水 安宁 华阴 韩城 敦煌"
)

#: What seals are for, and what the seals of tax offices say besides the office.
_FIXED = _words(
    "全国统一发票监制章 国家税务总局 国家税务总局监制 国家税务局监制 地方税务局监制 财政部监制 国家税务局 地方税务局 税务局监制 "
    "发票专用章 合同专用章 财务专用章 业务专用章 人事专用章 质检专用章 检验专用章 检测专用章 报关专用章 销售专用章 采购专用章 收货专用章 "
    "发货专用章 仓库专用章 项目专用章 工程专用章 技术专用章 资料专用章 投标专用章 结算专用章 审核专用章 备案专用章 档案专用章 "
    "行政专用章 现金专用章 转账专用章 票据专用章 业务公章 收费专用章 收款专用章 证明专用章 物流专用章 提货专用章 账户管理专用章 "
    "代开发票专用章 电子合同专用章 质量证明书专用章 出厂检验专用章 行政审批专用章 现金收讫 现金付讫 银行收讫 居民委员会 村民委员会"
)
#: Forms of company and what stands beside them on Russian seals, as the law writes them.
_RUSSIAN = (
    *("ОБЩЕСТВО С ОГРАНИЧЕННОЙ ОТВЕТСТВЕННОСТЬЮ", "Общество с ограниченной ответственностью", "ЗАКРЫТОЕ АКЦИОНЕРНОЕ ОБЩЕСТВО"),
    *("Закрытое акционерное общество", "ОТКРЫТОЕ АКЦИОНЕРНОЕ ОБЩЕСТВО", "Открытое акционерное общество", "ПУБЛИЧНОЕ АКЦИОНЕРНОЕ ОБЩЕСТВО"),
    *("Публичное акционерное общество", "АКЦИОНЕРНОЕ ОБЩЕСТВО", "Акционерное общество", "ИНДИВИДУАЛЬНЫЙ ПРЕДПРИНИМАТЕЛЬ"),
    *("Индивидуальный предприниматель", "РОССИЙСКАЯ ФЕДЕРАЦИЯ", "Российская Федерация", "ДЛЯ ДОКУМЕНТОВ", "Для документов"),
    *("ДЛЯ СПРАВОК", "ДЛЯ ДОГОВОРОВ", "ДЛЯ НАКЛАДНЫХ", "РОССИЯ", "МОСКВА"),
)
#: Offices that stand behind the name of a province or city.
_OFFICES = ("税务局", "国家税务局", "地方税务局", "税务局监制", "国家税务局监制", "地方税务局监制")
#: Readings all of whose characters are at least this probable are not doubted.
_SURE = 0.95
#: How much more often a standard text is met than one like it (natural logarithm): so much for short ones, which have likenesses
#: (核算专用章 beside 结算专用章), and so much more for each further character. Measured on drawn crops (bench/corrections.py).
_FAMILIARITY, _PER_CHARACTER, _SHORT = 6.0, 4.0, 5
#: A text is compared if it shares this part of its characters with the reading and is longer or shorter by at most so many.
_SHARED, _LONGER = 0.5, 3


def standard_texts() -> tuple[str, ...]:
    """All of them: Simplified Chinese and Russian."""
    places = [*PROVINCES, *(f"{city}市" for city in CITIES)]
    return tuple(dict.fromkeys([*_FIXED, *_RUSSIAN, *PROVINCES, *(place + office for place in places for office in _OFFICES)]))


class StandardTexts:
    """The standard texts in the classes of one recogniser.

    Args:
        texts: those that the alphabet cannot write are left out.
        alphabet: one string per class, the blank first.
    """

    def __init__(self, texts: Sequence[str], alphabet: Sequence[str]) -> None:
        self._alphabet = alphabet
        self._wanted = texts

    @cached_property
    def _number(self) -> dict[str, int]:
        return {symbol: i for i, symbol in enumerate(self._alphabet)}

    @cached_property
    def _classes(self) -> dict[str, list[int]]:
        return {text: [self._number[c] for c in text] for text in self._wanted if all(c in self._number for c in text)}

    @cached_property
    def _index(self) -> tuple[NDArray[np.intp], NDArray[np.intp], dict[str, NDArray[np.intp]]]:
        """Of the texts in their order: lengths, numbers of different characters, and for each character the texts that hold it."""
        holding: defaultdict[str, list[int]] = defaultdict(list)
        for i, text in enumerate(self._classes):
            for character in set(text):
                holding[character].append(i)
        lengths = np.array([len(text) for text in self._classes], np.intp)
        different = np.array([len(set(text)) for text in self._classes], np.intp)
        return lengths, different, {character: np.array(texts, np.intp) for character, texts in holding.items()}

    def _near(self, text: str) -> list[str]:
        """The texts of like length that share enough characters."""
        lengths, different, holding = self._index
        met = [holding[character] for character in set(text) if character in holding]
        if not met:
            return []
        shared = np.bincount(np.concatenate(met), minlength=len(lengths))
        near = (np.abs(lengths - len(text)) <= _LONGER) & (shared >= _SHARED * different)
        known = list(self._classes)
        return [known[i] for i in np.nonzero(near)[0].tolist()]

    def instead(self, reading: Recognition, probabilities: NDArray[np.floating], used: float) -> Recognition:
        """The standard text that a doubtful reading more likely is, with its own scores and places; else the reading itself.

        Args:
            reading: what was read from `probabilities` alone.
            probabilities: ``(steps, classes)`` of the recogniser.
            used: share of the steps that show the strip.
        """
        text = reading.text
        if len(text) < 3 or text in self._classes:
            return reading
        near = self._near(text)
        if not near:
            return reading
        own = [self._number[c] for c in text if c in self._number]
        likely = ctc_log_likelihoods(probabilities, [own, *(self._classes[known] for known in near)])
        best = int(np.argmax(likely[1:]))
        if likely[best + 1] + _familiarity(near[best], min(reading.char_scores) < _SURE) <= likely[0]:
            return reading
        return replace(ctc_aligned(probabilities, self._classes[near[best]], self._alphabet, used), raw_text=text)


def _familiarity(text: str, doubtful: bool) -> float:
    """What counts in favour of a standard text; of short ones, nothing against a sure reading."""
    room = _PER_CHARACTER * max(len(text) - _SHORT, 0)
    return _FAMILIARITY + room if doubtful else min(_FAMILIARITY, room)
