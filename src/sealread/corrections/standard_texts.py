"""Texts that stand on many seals word for word, and the doubtful readings that are one of them after all.

The seals of tax offices and the purposes of company seals are prescribed: where a worn line was read as 全国统业票监制章, the same
probabilities of the recogniser can be asked how likely 全国统一发票监制章 is. Both are compared by their likelihood over all
alignments (Graves et al. 2006, eq. 8); a standard text is expected far more often than a text that nobody knows, which counts in its
favour. A text that differs from a standard one in the marks of its letters alone (DANG KY for ĐĂNG KÝ) is that one. The scores of the
characters are those of the chosen text, so what was guessed stays visibly unsure.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sealread.corrections.vocabulary import CITIES, PRESCRIBED, PROVINCES
from sealread.text import Steps, ctc_aligned, ctc_log_likelihoods, likeliest_path
from sealread.types import Recognition

#: Forms of company and what stands beside them on Russian seals, as the law writes them.
_RUSSIAN = (
    *("ОБЩЕСТВО С ОГРАНИЧЕННОЙ ОТВЕТСТВЕННОСТЬЮ", "Общество с ограниченной ответственностью", "ЗАКРЫТОЕ АКЦИОНЕРНОЕ ОБЩЕСТВО"),
    *("Закрытое акционерное общество", "ОТКРЫТОЕ АКЦИОНЕРНОЕ ОБЩЕСТВО", "Открытое акционерное общество", "ПУБЛИЧНОЕ АКЦИОНЕРНОЕ ОБЩЕСТВО"),
    *("Публичное акционерное общество", "АКЦИОНЕРНОЕ ОБЩЕСТВО", "Акционерное общество", "ИНДИВИДУАЛЬНЫЙ ПРЕДПРИНИМАТЕЛЬ"),
    *("Индивидуальный предприниматель", "РОССИЙСКАЯ ФЕДЕРАЦИЯ", "Российская Федерация", "ДЛЯ ДОКУМЕНТОВ", "Для документов"),
    *("ДЛЯ СПРАВОК", "ДЛЯ ДОГОВОРОВ", "ДЛЯ НАКЛАДНЫХ", "ДЛЯ СЕРТИФИКАТОВ", "ДЛЯ ПАКЕТОВ", "ДЛЯ ПРОПУСКОВ", "ДЛЯ РЕЦЕПТОВ", "ДЛЯ СЧЕТОВ"),
    *("ДЛЯ КАДРОВЫХ ДОКУМЕНТОВ", "ДЛЯ БУХГАЛТЕРСКИХ ДОКУМЕНТОВ", "ДЛЯ КАССОВЫХ ДОКУМЕНТОВ", "ОТДЕЛ КАДРОВ", "БУХГАЛТЕРИЯ", "КАНЦЕЛЯРИЯ"),
    *("КОПИЯ ВЕРНА", "ОПЛАЧЕНО", "РОССИЯ", "МОСКВА"),
)
#: Forms of company and offices on Vietnamese seals.
_VIETNAMESE = tuple(
    (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM; CÔNG TY CỔ PHẦN; CÔNG TY TNHH; CÔNG TY TRÁCH NHIỆM HỮU HẠN; TRÁCH NHIỆM HỮU HẠN; "
        "MỘT THÀNH VIÊN; CHI NHÁNH; DOANH NGHIỆP TƯ NHÂN; HỢP TÁC XÃ; NGÂN HÀNG; PHÒNG ĐĂNG KÝ KINH DOANH; ĐĂNG KÝ KINH DOANH; "
        "ĐĂNG KÝ; KINH DOANH; PHÒNG; SỞ KẾ HOẠCH VÀ ĐẦU TƯ; ỦY BAN NHÂN DÂN; TÒA ÁN NHÂN DÂN; VIỆN KIỂM SÁT NHÂN DÂN; CÔNG AN; "
        "CỤC THUẾ; CHI CỤC THUẾ; BỘ TÀI CHÍNH; BỘ CÔNG THƯƠNG; BỘ Y TẾ; BỘ GIÁO DỤC VÀ ĐÀO TẠO; SỞ GIÁO DỤC VÀ ĐÀO TẠO; SỞ Y TẾ; "
        "SỞ TÀI CHÍNH; SỞ XÂY DỰNG; SỞ TƯ PHÁP; SỞ CÔNG THƯƠNG; SỞ NỘI VỤ; SỞ GIAO THÔNG VẬN TẢI; TRƯỜNG ĐẠI HỌC; "
        "TRƯỜNG TRUNG HỌC PHỔ THÔNG; BỆNH VIỆN; TRUNG TÂM; VĂN PHÒNG; VĂN PHÒNG CÔNG CHỨNG; ĐÃ THU TIỀN; ĐÃ THANH TOÁN; "
        "THÀNH PHỐ HỒ CHÍ MINH; THÀNH PHỐ HÀ NỘI; THÀNH PHỐ ĐÀ NẴNG; THÀNH PHỐ HẢI PHÒNG; THÀNH PHỐ CẦN THƠ"
    ).split("; ")
)
_VIETNAMESE_PROVINCES = tuple(
    (
        "AN GIANG; BÀ RỊA VŨNG TÀU; BẮC GIANG; BẮC KẠN; BẠC LIÊU; BẮC NINH; BẾN TRE; BÌNH ĐỊNH; BÌNH DƯƠNG; BÌNH PHƯỚC; BÌNH THUẬN; "
        "CÀ MAU; CAO BẰNG; ĐẮK LẮK; ĐẮK NÔNG; ĐIỆN BIÊN; ĐỒNG NAI; ĐỒNG THÁP; GIA LAI; HÀ GIANG; HÀ NAM; HÀ TĨNH; HẢI DƯƠNG; "
        "HẬU GIANG; HÒA BÌNH; HƯNG YÊN; KHÁNH HÒA; KIÊN GIANG; KON TUM; LAI CHÂU; LÂM ĐỒNG; LẠNG SƠN; LÀO CAI; LONG AN; NAM ĐỊNH; "
        "NGHỆ AN; NINH BÌNH; NINH THUẬN; PHÚ THỌ; PHÚ YÊN; QUẢNG BÌNH; QUẢNG NAM; QUẢNG NGÃI; QUẢNG NINH; QUẢNG TRỊ; SÓC TRĂNG; "
        "SƠN LA; TÂY NINH; THÁI BÌNH; THÁI NGUYÊN; THANH HÓA; THỪA THIÊN HUẾ; TIỀN GIANG; TRÀ VINH; TUYÊN QUANG; VĨNH LONG; "
        "VĨNH PHÚC; YÊN BÁI"
    ).split("; ")
)
#: Offices that stand behind the name of a province or city.
_OFFICES = ("税务局", "国家税务局", "地方税务局", "税务局监制", "国家税务局监制", "地方税务局监制")
#: A letter whose mark was put back is at most so probable.
_GUESSED = 0.5
#: Readings all of whose characters are at least this probable are not doubted.
_SURE = 0.95
#: How much more often a standard text is met than one like it (natural logarithm): so much for short ones, which have likenesses
#: (核算专用章 beside 结算专用章), and so much more for each further character. Measured on drawn crops (bench/corrections.py).
_FAMILIARITY, _PER_CHARACTER, _SHORT = 6.0, 4.0, 5
#: The alignments of a text together are hardly more likely than its best one: by this much at most (natural logarithm).
_WAYS = 6.0
#: A text is compared if it shares this part of its characters with the reading and is longer or shorter by at most so many.
_SHARED, _LONGER = 0.5, 3


def standard_texts() -> tuple[str, ...]:
    """All of them: Simplified Chinese, Russian and Vietnamese."""
    places = [*PROVINCES, *(f"{city}市" for city in CITIES)]
    offices = [place + office for place in places for office in _OFFICES]
    provinces = [f"TỈNH {province}" for province in _VIETNAMESE_PROVINCES]
    return tuple(dict.fromkeys([*PRESCRIBED, *_RUSSIAN, *_VIETNAMESE, *provinces, *PROVINCES, *offices]))


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

    @cached_property
    def _marked(self) -> dict[str, str]:
        """The texts with marks on their letters, by their plain letters."""
        return {_plain(text): text for text in self._classes if _plain(text) != text}

    @cached_property
    def _columns(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """All classes of the texts, and for each text the places of its characters among them, filled up with the place behind the last."""
        used = np.unique(np.concatenate([np.array(classes) for classes in self._classes.values()]))
        rows = np.full((len(self._classes), max(len(text) for text in self._classes)), len(used), np.intp)
        for row, classes in zip(rows, self._classes.values(), strict=True):
            row[: len(classes)] = np.searchsorted(used, classes)
        return used, rows

    def _near(self, text: str) -> NDArray[np.intp]:
        """Numbers of the texts of like length that share enough characters."""
        lengths, different, holding = self._index
        met = [holding[character] for character in set(text) if character in holding]
        if not met:
            return np.zeros(0, np.intp)
        shared = np.bincount(np.concatenate(met), minlength=len(lengths))
        return np.nonzero((np.abs(lengths - len(text)) <= _LONGER) & (shared >= _SHARED * different))[0]

    def _possible(self, near: NDArray[np.intp], steps: Steps, least: float, doubtful: bool) -> NDArray[np.intp]:
        """Those of the texts that may be likelier than `least`: each of their characters is somewhere likely enough."""
        used, rows = self._columns
        peaks = np.append(np.log(np.maximum(steps.of(used).max(axis=0), 1e-12)), 0.0)
        favour = _familiarity(self._index[0][near], doubtful)
        return np.asarray(near[peaks[rows[near]].sum(axis=1) + favour + _WAYS > least])

    def instead(self, reading: Recognition, steps: Steps, used: float) -> Recognition:
        """The standard text that a doubtful reading more likely is, with its own scores and places; else the reading itself.

        Args:
            reading: what was read from `steps` alone.
            steps: what the recogniser says of the strip.
            used: share of the steps that show the strip.
        """
        text = reading.text
        if len(text) < 3 or text in self._classes:
            return reading
        marked = self._marked.get(_plain(text))
        if marked is not None and len(marked) == len(text):  # the small marks of Vietnamese letters are the first to be lost
            scores = [score if a == b else min(score, _GUESSED) for a, b, score in zip(text, marked, reading.char_scores, strict=True)]
            return replace(reading, text=marked, score=float(np.mean(scores)), char_scores=tuple(scores))
        near, doubtful = self._near(text), min(reading.char_scores) < _SURE
        own = [self._number[c] for c in text if c in self._number]
        if len(near):
            path, likelihood = likeliest_path(steps)
            # Where an earlier correction has changed the text, the path says nothing of how likely it is.
            near = self._possible(near, steps, likelihood, doubtful) if own == path else near
        if not len(near):
            return reading
        known = list(self._classes.values())
        likely = ctc_log_likelihoods(steps, [own, *(known[i] for i in near)])
        best = int(np.argmax(likely[1:]))
        if likely[best + 1] + _familiarity(len(known[near[best]]), doubtful) <= likely[0]:
            return reading
        return ctc_aligned(steps, known[near[best]], self._alphabet, used)


def _plain(text: str) -> str:
    """The text without the marks of its letters."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)).replace("Đ", "D").replace("đ", "d")


def _familiarity(length: ArrayLike, doubtful: bool) -> NDArray[np.float64]:
    """What counts in favour of standard texts of so many characters; of short ones, nothing against a sure reading."""
    room = _PER_CHARACTER * np.maximum(np.asarray(length) - _SHORT, 0)
    return np.asarray(_FAMILIARITY + room if doubtful else np.minimum(_FAMILIARITY, room))
