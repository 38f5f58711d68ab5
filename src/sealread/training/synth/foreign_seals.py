"""Plans of seals in Latin, Cyrillic, Vietnamese, Korean and Japanese writing, and bilingual ones.

Seal units: the longer half axis is 100.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sealread.training.synth import names
from sealread.training.synth import vocabulary_foreign as words
from sealread.training.synth.angular_seals import columns, frame, rows_of
from sealread.training.synth.arrangement import Room, across, fit, outline_of, rings, weight_for
from sealread.training.synth.figures import Plan, Setting, ellipse, emblem, rectangle, ring, star
from sealread.training.synth.fonts import choose_face
from sealread.training.synth.lettering import Type, arc, ink_heights, natural_length, path_through, straight
from sealread.training.synth.names import chance, pick
from sealread.training.synth.truth import Points

Random = np.random.Generator


def around(
    rng: Random,
    plan: Plan,
    text: str,
    language: str,
    a: float,
    b: float,
    height: float,
    middle: float,
    longest: float,
    *,
    inwards: bool,
    role: str,
) -> float:
    """Set alphabetic text on an arc, letters as wide as its sweep allows; the sweep used, in degrees."""
    face = choose_face(rng, language, text)
    top, bottom = ink_heights(face, text)
    em = height / (bottom - top)
    gap = float(rng.uniform(0.0, 0.22))
    length = natural_length(face, text, gap)
    mean = 0.5 * (a + b) - height / 2
    widest = np.deg2rad(longest) * mean
    aspect = float(np.clip(widest / (length * em), 0.4, float(rng.uniform(0.8, 1.15))))
    sweep = float(np.rad2deg(length * em * aspect / mean))
    path = arc(a - height / 2, b - height / 2, middle, sweep, inwards=inwards)
    plan.settings.append(Setting(text, path, Type(face, height, aspect, weight_for(rng, face), gap), role, True))
    return sweep


#: How words are made up: pieces put together, so that no network can know them by heart.
_LETTERS = {"cyrillic": "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЫЭЮЯАЕИОНТРСЛВ", "latin": "ABCDEFGHIJKLMNOPQRSTUVWXYZAEIOURSTLN"}
_STEMS = (
    "РОС СТРОЙ ТРАНС ТЕХ ПРОМ ЭНЕРГО АГРО МЕТАЛЛ НЕФТЕ ГАЗ ЛЕС СИБ УРАЛ ВОЛГА СЕВЕР ЮГ МЕД ФАРМ АВТО ЭКО ИНТЕР ЕВРО СПЕЦ ГЛАВ МОС"
).split()
_ENDINGS = "СЕРВИС ТОРГ МАШ КОМПЛЕКТ ИНВЕСТ ПРОЕКТ СНАБ МОНТАЖ ЭКСПОРТ ГРУПП ТЕСТ ЦЕНТР БАНК ХИМ ПЛАСТ ТРЕЙД СТАНДАРТ КОНТРОЛЬ".split()
_ONSETS = "B C CH D Đ G GI H K KH L M N NG NH PH QU R S T TH TR V X".split()
_RIMES = (
    "A Á À Ả Ã Ạ AI ÁI ÀI ẢI ẠI AN ÁN ÀN ẢN ẠN ANG ÁNG ÀNG ẢNG ẠNG ANH ÁNH ÀNH ẢNH ẠNH AO ÁO ÀO ẢO ẠO ẮC ẶC ẮN ẰN ẶN ĂNG ẮNG "
    "ẰNG ẲNG ẴNG ẶNG ÂN ẤN ẦN ẨN ẪN ẬN ÂU ẤU ẦU ẨU ẬU Ế Ề Ể Ễ Ệ ÊN ẾN ỀN IÊN IẾN IỀN IỂN IỆN IẾT IỆT Ì Í Ỉ Ĩ Ị INH ÍNH ÌNH "
    "ỊNH Ó Ò Ỏ Ọ ONG ÒNG ỌC Ố Ồ Ổ Ỗ Ộ ÔNG ỐNG ỒNG ỔNG ỘNG ỐC ỘC ƠN ỚN Ờ Ớ Ở Ỡ Ợ ỢP Ú Ù Ủ Ũ Ụ UNG ÙNG ÚC ỤC ƯNG ỨNG Ừ Ử Ữ Ự "
    "ƯƠNG ƯỜNG ƯỢNG ƯỚC ƯỞNG Y Ý Ỳ Ỷ Ỹ Ỵ UYÊN UYỀN UYỆN"
).split()


def made_up(rng: Random, language: str) -> str:
    """An abbreviation or a word that hardly exists; one syllable in Vietnamese."""
    if language == "viet":
        return pick(rng, _ONSETS) + pick(rng, _RIMES)
    if language == "cyrillic" and chance(rng, 0.55):
        word = pick(rng, _STEMS) + pick(rng, _ENDINGS)
        return word.capitalize() if chance(rng, 0.3) else word
    letters = _LETTERS.get(language, _LETTERS["latin"])
    word = "".join(pick(rng, letters) for _ in range(int(rng.choice([2, 3, 3, 4, 4, 5, 7]))))
    return word.capitalize() if chance(rng, 0.15) else word


def _filled(rng: Random, template: str, language: str) -> str:
    """The template with its signs replaced (`vocabulary_foreign` says which)."""
    table = words.TEXTS[language]
    text = template.replace("%", pick(rng, table.brands)).replace("@", pick(rng, table.places))
    while "~" in text:
        text = text.replace("~", made_up(rng, language), 1)
    if "#" in text:
        text = text.replace("#", names.digits(rng, int(rng.integers(6, 16))))
    return text.replace("$", names.date(rng).split("年")[0])


def _organisation(rng: Random, language: str) -> tuple[str, str, list[str]]:
    """The text above, the text below and the lines in the middle."""
    table = words.TEXTS[language]
    above, middle = (_filled(rng, pick(rng, texts), language) for texts in (table.forms, table.middle))
    below = _filled(rng, pick(rng, table.places if chance(rng, 0.5) else table.below), language)
    return above, below, middle.split("|")


def foreign_line(rng: Random, language: str) -> str:
    """A line of text as a form would have it, in capitals or not."""
    table = words.TEXTS[language]
    kind = int(rng.integers(4))
    if kind == 3:
        text = " ".join(made_up(rng, language) for _ in range(int(rng.integers(2, 5))))
    else:
        text = _filled(rng, pick(rng, (table.forms, table.places, table.stamps)[kind]), language)
    return text.capitalize() if chance(rng, 0.3) else text


def ring_of_texts(rng: Random, plan: Plan, texts: list[str], language: str, a: float, b: float, height: float, start: float) -> None:
    """Several texts one after the other around the whole ring, stars or free space between them.

    Args:
        start: where the first text begins, degrees clockwise from the top.
    """
    gap = float(rng.uniform(9, 24))
    lengths = [len(text) + 1.0 for text in texts]
    stars = chance(rng, 0.6)
    for text, length in zip(texts, lengths, strict=True):
        share = (360 - gap * len(texts)) * length / sum(lengths)
        used = around(rng, plan, text, language, a, b, height, start + share / 2, share, inwards=False, role="outer_arc")
        if stars:
            angle = np.deg2rad(start + share / 2 + (used + share) / 4 + gap / 2)
            plan.fills.append((star(height * 0.3, x=float((a - height / 2) * np.sin(angle)), y=float(-(b - height / 2) * np.cos(angle))),))
        start += share + gap


def concentric_round(rng: Random, language: str) -> Plan:
    """The usual seal of Russian firms: one or two rings of text all around, numbers among them, the firm's name in the middle."""
    table = words.TEXTS[language]
    plan = outline_of(100.0, 100.0)
    a, b = rings(rng, plan, 100.0, 100.0)
    height, margin = float(rng.uniform(9, 16)), float(rng.uniform(1.5, 5))
    form = pick(rng, table.forms)
    outer = [_filled(rng, pick(rng, (*table.places, *table.below)), language) for _ in range(int(rng.choice([1, 2, 2, 3])))]
    second = chance(rng, 0.65)
    if second:
        outer[0] = _filled(rng, pick(rng, table.places), language)
    else:
        outer.insert(int(rng.integers(len(outer) + 1)), _filled(rng, form, language))
    start = float(rng.uniform(170, 260)) if chance(rng, 0.7) else float(rng.uniform(0, 360))
    ring_of_texts(rng, plan, outer, language, a - margin, b - margin, height, start)
    step = margin + height + float(rng.uniform(1, 4))
    a, b = a - step, b - step
    if second:
        if chance(rng, 0.6):
            plan.fills.append(ring(a, b, float(rng.uniform(0.6, 1.6))))
            a, b = a - 3, b - 3
        inner = [_filled(rng, form, language)] + [_filled(rng, pick(rng, table.below), language) for _ in range(int(rng.choice([0, 0, 1])))]
        height *= float(rng.uniform(0.75, 1.0))
        ring_of_texts(rng, plan, inner, language, a - 1, b - 1, height, float(rng.uniform(170, 260)))
        step = height + float(rng.uniform(2, 4))
        a, b = a - step, b - step
    if chance(rng, 0.6):
        plan.fills.append(ring(a, b, float(rng.uniform(0.6, 2))))
        a, b = a - 3, b - 3
    _middle(rng, plan, Room(a, b, 0.0, a, b, b), _filled(rng, pick(rng, table.middle), language).split("|"), language)
    return plan


def alphabetic_round(rng: Random, language: str) -> Plan:
    """A round or oval seal with text around and lines or a star inside."""
    b = 100.0 if chance(rng, 0.8) else float(rng.uniform(60, 80))
    plan = outline_of(100.0, b)
    a_free, b_free = rings(rng, plan, 100.0, b)
    above, below, middle = _organisation(rng, language)
    height = float(rng.uniform(9, 17)) * (0.6 + 0.4 * b / 100)
    margin = float(rng.uniform(1.5, 6))
    a, b = a_free - margin, b_free - margin
    used = around(rng, plan, above, language, a, b, height, 0.0, 330 if chance(rng, 0.3) else 230, inwards=False, role="outer_arc")
    free = 352 - used
    if free > 60 and chance(rng, 0.75):
        inwards = chance(rng, 0.6)
        around(rng, plan, below, language, a, b, height, 180.0, free * 0.85, inwards=inwards, role="inner_arc" if inwards else "outer_arc")
    elif free > 30:
        plan.fills.append((star(height * 0.4, y=b - height / 2),))
    inside = height + float(rng.uniform(2, 5))
    a, b = a - inside, b - inside
    if chance(rng, 0.55):
        plan.fills.append(ring(a, b, float(rng.uniform(0.7, 2))))
        a, b = a - 3, b - 3
        if chance(rng, 0.3) and b > 45:
            second = _filled(rng, pick(rng, words.TEXTS[language].below), language)
            around(rng, plan, second, language, a, b, height * 0.7, 0.0, 300, inwards=False, role="outer_arc")
            a, b = a - height, b - height
    _middle(rng, plan, Room(a, b, 0.0, a, b, b), middle, language)
    return plan


def _middle(rng: Random, plan: Plan, room: Room, lines: list[str], language: str) -> None:
    """Lines across the middle, or a star or emblem."""
    kind = rng.random()
    if kind < 0.3:
        size = float(rng.uniform(0.35, 0.8)) * min(room.a, room.b)
        if chance(rng, 0.5):
            plan.fills.append((star(size),))
        else:
            emblem(rng, plan, size)
        return
    height = min(float(rng.uniform(0.25, 0.42)) * room.b, 1.3 * room.b / len(lines) / 1.3)
    step = height * float(rng.uniform(1.25, 1.6))
    y = -step * (len(lines) - 1) / 2
    for text in lines:
        for shrink in (1.0, 0.75, 0.55):
            if across(rng, plan, room, text, y, height * shrink, language):
                break
        y += step


def alphabetic_box(rng: Random, language: str) -> Plan:
    """A rectangular stamp with one to six lines, an emblem beside them sometimes."""
    above, below, middle = _organisation(rng, language)
    lines = [above] if chance(rng, 0.3) else [_filled(rng, pick(rng, words.TEXTS[language].stamps), language)]
    if chance(rng, 0.4):
        lines = [above, *_address(rng, language), below][: int(rng.integers(3, 7))]
    elif chance(rng, 0.5):
        lines += [below] if chance(rng, 0.5) else middle[:1]
    longest = max(len(line) for line in lines)
    ratio = float(np.clip(len(lines) * 2.3 / longest * rng.uniform(0.8, 1.4), 0.15, 0.8))
    pictured = chance(rng, 0.4)
    if pictured:
        ratio /= 1 + ratio
    plan = Plan("rect", rectangle(100, 100 * ratio))
    half_width, half_height = frame(rng, plan, 100, 100 * ratio) if chance(rng, 0.75) else (100.0, 100 * ratio)
    shift = 0.0
    if pictured:
        radius = half_height * float(rng.uniform(0.6, 0.92))
        emblem(rng, plan, radius, radius * 1.05 - half_width)
        shift = radius * 1.1
    rows_of(rng, plan, lines, half_width - shift, half_height, language, x=shift)
    return plan


def firm_stamp(rng: Random, language: str) -> Plan:
    """A firm's address stamp: its name in larger letters over small lines, framed or bare, a round mark beside them sometimes."""
    lines = [_filled(rng, pick(rng, words.TEXTS[language].forms), language), *_address(rng, language)]
    lines += [f"{pick(rng, words.NUMBERS)} {names.digits(rng, int(rng.integers(6, 12)))}" for _ in range(int(rng.integers(0, 3)))]
    lines = lines[: int(rng.integers(2, 8))]
    heights = np.array([float(rng.uniform(1.2, 2.4)), *([1.0] * (len(lines) - 1))]) * float(rng.uniform(9, 17))
    pitch = float(rng.uniform(1.15, 1.6))
    mark = float(heights.sum()) * pitch * float(rng.uniform(0.35, 0.5)) if chance(rng, 0.35) else 0.0
    room = 96.0 - mark * 1.1
    face, other = (choose_face(rng, language, "".join(lines)) for _ in range(2))
    widest = float(rng.uniform(0.8, 1.2))
    letters = [
        fit(rng, text, face if i == 0 else other, height, 2 * room, widest=widest)
        for i, (text, height) in enumerate(zip(lines, heights, strict=True))
    ]
    half = max(_length(letter, text) for letter, text in zip(letters, lines, strict=True)) / 2
    plan = Plan("rect", rectangle(100, 100))
    y = -float(heights.sum()) * pitch / 2
    for text, letter in zip(lines, letters, strict=True):
        y += letter.height * pitch / 2
        plan.settings.append(Setting(text, straight(mark * 1.1 - half, y, mark * 1.1 + half, y), letter, "horizontal", False))
        y += letter.height * pitch / 2
    margin = float(rng.uniform(2, 8))
    half_width, half_height = half + mark * 1.1 + margin, max(y, mark) + margin
    if mark:
        _round_mark(rng, plan, mark, margin + mark - half_width, language)
    plan.outline = rectangle(half_width, half_height)
    if chance(rng, 0.6):
        frame(rng, plan, half_width + 4, half_height + 4)
        plan.outline = rectangle(half_width + 4, half_height + 4)
    return plan


def _length(letter: Type, text: str) -> float:
    """Length of the set text."""
    top, bottom = ink_heights(letter.face, text)
    return natural_length(letter.face, text, letter.gap) * letter.height / (bottom - top) * letter.aspect


def _round_mark(rng: Random, plan: Plan, radius: float, x: float, language: str) -> None:
    """A round mark centred at `x`: an emblem, text around it sometimes."""
    inside = radius
    if chance(rng, 0.5):
        height = radius * float(rng.uniform(0.22, 0.34))
        inside = radius - height * 1.15
        before = len(plan.settings)
        above, below, _ = _organisation(rng, language)
        around(rng, plan, above, language, radius, radius, height, 0.0, 200, inwards=False, role="outer_arc")
        if chance(rng, 0.6):
            around(rng, plan, below, language, radius, radius, height, 180.0, 120, inwards=True, role="inner_arc")
        plan.settings[before:] = [replace(s, path=path_through(s.path.points + np.array([x, 0.0]))) for s in plan.settings[before:]]
    emblem(rng, plan, inside * float(rng.uniform(0.8, 1.0)), x)


def business_line(rng: Random) -> str:
    """What a line of a business paper in Latin script says."""
    kind = rng.random()
    if kind < 0.3:
        return f"{pick(rng, words.LABELS)}: {names.digits(rng, int(rng.integers(3, 12)))}"
    if kind < 0.45:
        return f"{names.digits(rng, int(rng.integers(1, 5)))},{names.digits(rng, 2)}{pick(rng, ('', ' EUR', ' USD', ' €', ' CZK'))}"
    if kind < 0.6:
        return pick(rng, words.LABELS)
    return pick(rng, _address(rng, "latin")) if kind < 0.8 else foreign_line(rng, "latin")


def wordmark(rng: Random, language: str) -> Plan:
    """A firm's name in large letters without a frame, an emblem above or beside it, small lines below."""
    plan = Plan("other", rectangle(100, 100))
    half_width, y = float(rng.uniform(80, 100)), 0.0
    beside = chance(rng, 0.4)
    large = float(rng.uniform(18, 45))
    left = -half_width
    if chance(rng, 0.75):
        radius = large * float(rng.uniform(0.4, 0.9))
        emblem(rng, plan, radius, radius - half_width if beside else float(rng.uniform(-0.6, 0.6)) * half_width, 0.0 if beside else -radius)
        y = -large / 2 if beside else float(rng.uniform(-0.2, 0.3)) * large
        left += 2.1 * radius if beside else 0.0
    name = pick(rng, words.TEXTS[language].brands) if chance(rng, 0.5) else made_up(rng, language)
    for i, text in enumerate([name.upper(), *_address(rng, language)][: int(rng.integers(2, 5))]):
        face = choose_face(rng, language, text)
        height = large if i == 0 else large * float(rng.uniform(0.2, 0.45))
        letter = fit(rng, text, face, height, half_width - left, widest=float(rng.uniform(0.9, 1.3)))
        plan.settings.append(Setting(text, straight(left, y + height / 2, half_width, y + height / 2), letter, "horizontal", False))
        left, y = -half_width, y + height * float(rng.uniform(1.1, 1.5))
    top = min((float(points[:, 1].min()) for group in plan.fills for points in group), default=0.0)
    plan.outline = rectangle(half_width, (y - min(top, 0.0)) / 2, y=(y + min(top, 0.0)) / 2)
    return plan


def _address(rng: Random, language: str) -> list[str]:
    """Street, town and numbers of a firm."""
    table = words.TEXTS[language]
    street = f"{pick(rng, table.brands).title()} {int(rng.integers(1, 300))}"
    town = f"{names.digits(rng, 5)} {pick(rng, table.places)}"
    return [street, town, f"Tel. {names.digits(rng, 9)}", f"Nr. {names.digits(rng, 8)}"]


def badge_plan(rng: Random) -> tuple[Points, Plan]:
    """A printed badge, which is no seal: the disc, and what is left white on it."""
    plan = outline_of(100.0, 100.0)
    text, below, _ = _organisation(rng, "latin")
    height = float(rng.uniform(12, 20))
    b = 100.0 if chance(rng, 0.6) else float(rng.uniform(55, 90))
    if chance(rng, 0.6):
        around(rng, plan, text, "latin", 94, b - 6, height, 0.0, 230, inwards=False, role="outer_arc")
        if chance(rng, 0.5):
            around(rng, plan, below, "latin", 94, b - 6, height, 180.0, 90, inwards=True, role="inner_arc")
    if chance(rng, 0.5):
        emblem(rng, plan, b - 12 - height - float(rng.uniform(0, 25)))
    else:  # large letters, as accreditation marks have them
        across(
            rng,
            plan,
            Room(80, b * 0.8, 0.0, 80, b * 0.8, b * 0.8),
            made_up(rng, "latin")[:5],
            0.0,
            float(rng.uniform(28, 60)) * b / 100,
            "latin",
        )
    return ellipse(100, b), plan


def asian_square(rng: Random, language: str) -> Plan:
    """A Korean or Japanese name seal, square or round, in columns."""
    table = words.TEXTS[language]
    text = pick(rng, table.people)
    if chance(rng, 0.45):
        text = (pick(rng, table.brands) + pick(rng, table.stamps)).replace(" ", "")[:9]
    count = 1 if len(text) <= 2 else 2 if len(text) <= 4 else 3
    if chance(rng, 0.5):
        plan = Plan("square", rectangle(100, 100))
        half_width, half_height = frame(rng, plan, 100, 100)
    else:
        plan = Plan("round", ellipse(100, 100, count=48))
        width = float(rng.uniform(2, 7))
        plan.fills.append(ring(100, 100, width))
        half_width = half_height = (100 - width) * 0.72
        if count == 1:
            half_width, half_height = half_width * 0.65, half_height * 1.2
    columns(rng, plan, text, half_width, half_height, count, language)
    return plan


def bilingual(rng: Random) -> Plan:
    """Chinese above and Latin below, or Latin around and Chinese across."""
    b = 100.0 if chance(rng, 0.6) else float(rng.uniform(62, 80))
    plan = outline_of(100.0, b)
    a_free, b_free = rings(rng, plan, 100.0, b)
    english, _, _ = _organisation(rng, "latin")
    chinese = names.company(rng)[:18]
    if chance(rng, 0.5):
        chinese = names.traditional(chinese)
    language = "tw" if names.traditional(chinese) == chinese else "zh"
    margin = float(rng.uniform(2, 6))
    a, b = a_free - margin, b_free - margin
    small, large = float(rng.uniform(8, 13)), float(rng.uniform(13, 22)) * b / 100
    if chance(rng, 0.6):
        first, second = (chinese, language, large), (english, "latin", small)
        if chance(rng, 0.4):
            first, second = second, first
        used = around(rng, plan, first[0], first[1], a, b, first[2], 0.0, 190, inwards=False, role="outer_arc")
        around(rng, plan, second[0], second[1], a, b, second[2], 180.0, 330 - used, inwards=True, role="inner_arc")
        inner = max(small, large)
        size = 0.4 * (b - inner)
        plan.fills.append((star(size),))
        return plan
    around(rng, plan, english, "latin", a, b, small, 0.0, 330, inwards=False, role="outer_arc")
    inside = small + 3
    plan.fills.append(ring(a - inside, b - inside, 1.2))
    room = Room(a - inside - 3, b - inside - 3, 0.0, a - inside - 3, b - inside - 3, b)
    half = -(-len(chinese) // 2)
    _middle(rng, plan, room, [chinese[:half], chinese[half:]] if len(chinese) > 6 else [chinese], language)
    return plan


def foreign_seal(rng: Random) -> Plan:
    """A seal in one of the rarer writings."""
    kind = rng.random()
    if kind < 0.2:
        return bilingual(rng)
    language = str(rng.choice(["latin", "cyrillic", "viet", "ko", "ja"], p=[0.24, 0.36, 0.24, 0.08, 0.08]))
    if language in ("ko", "ja") and chance(rng, 0.6):
        return asian_square(rng, language)
    if chance(rng, 0.28 if language != "cyrillic" else 0.1):
        return alphabetic_box(rng, language)
    if language == "cyrillic" and chance(rng, 0.6):
        return concentric_round(rng, language)
    return alphabetic_round(rng, language)
