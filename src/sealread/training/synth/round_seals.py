"""Plans of round and oval seals: companies, offices, dates, invoices, the tax authority, persons.

Seal units: the longer half axis is 100.
"""

from __future__ import annotations

import numpy as np

from sealread.training.synth import names
from sealread.training.synth.arrangement import Room, across, bottom_arc, bottom_code, fit, outer_arc, outline_of, rings
from sealread.training.synth.figures import Plan, Setting, emblem, rectangle, ring, star
from sealread.training.synth.fonts import choose_face
from sealread.training.synth.lettering import straight
from sealread.training.synth.names import chance, pick

Random = np.random.Generator


def company_seal(rng: Random, plan: Plan, a: float, b: float, language: str, text: str, purpose_text: str | None) -> None:
    """The common seal: name above, star in the middle, purpose below, perhaps a number at the bottom."""
    a, b = rings(rng, plan, a, b)
    # Purposes as large as the name stand close to both ends of its arc; that is where lines are mistaken for one.
    large = purpose_text is not None and len(purpose_text) <= 7 and chance(rng, 0.45)
    room = outer_arc(rng, plan, text, choose_face(rng, language, text), a, b, widest_sweep=float(rng.uniform(200, 265)) if large else 320.0)
    if chance(rng, 0.1 if large else 0.42):
        bottom_code(rng, plan, room)
    inside = min(room.a_inside, room.b_inside)
    size = float(np.clip(rng.normal(27, 4), 14, 38)) * b / 100
    size = min(size, inside * 0.85)
    lift = float(rng.uniform(0, 6)) if purpose_text else 0.0
    if chance(rng, 0.9):
        plan.fills.append((star(size, y=-lift),))
    elif chance(rng, 0.75):
        emblem(rng, plan, size, y=-lift)
    else:
        size = 0.0
    if not purpose_text:
        return
    if chance(rng, 0.1):
        bottom_arc(rng, plan, room, purpose_text, language)
        return
    for attempt in range(6):
        usual = plan.settings[0].letter.height * float(rng.uniform(0.75, 1.1)) if large else float(np.clip(rng.normal(22, 4.5), 10, 32))
        height = usual * (1 - 0.12 * attempt)
        low, high = size * 0.82 - lift + 2 + height / 2, room.floor - 2 - height / 2
        if high < low:
            continue
        y = float(rng.uniform(low, low + (1.0 if large else 0.6) * (high - low)))
        if across(rng, plan, room, purpose_text, y, height, language):
            break
    if chance(rng, 0.08):
        extra = names.purpose(rng)[:6]
        height *= 0.8
        if y + height * 2.2 < room.floor:
            across(rng, plan, room, extra, y + height * 1.9, height, language)


def lines_seal(rng: Random, plan: Plan, a: float, b: float, language: str, text: str, inner: list[str]) -> None:
    """Name above and one to three lines where others have their star; perhaps a bottom arc, a number, a box, small stars."""
    a, b = rings(rng, plan, a, b)
    room = outer_arc(rng, plan, text, choose_face(rng, language, text), a, b)
    kind = rng.random()
    if kind < 0.35:
        bottom_code(rng, plan, room)
    elif kind < 0.5 and room.sweep < 270:
        bottom_arc(rng, plan, room, names.purpose(rng), language)
    if chance(rng, 0.15):  # a ring around the middle
        plan.fills.append(ring(room.a_inside, room.b_inside, float(rng.uniform(0.6, 1.8))))
        room.sweep, room.a, room.b = 360.0, room.a_inside - 2, room.b_inside - 2
    reach = min(room.b_inside, 48.0) if len(inner) > 1 else 10.0
    height = float(rng.uniform(12, 20)) * b / 100
    if len(inner) > 1:
        height = min(height, 1.7 * reach / len(inner) / 1.25)
    step = height * float(rng.uniform(1.2, 1.5))
    y = -step * (len(inner) - 1) / 2 + float(rng.uniform(-2, 8))
    for words_ in inner:
        for shrink in (1.0, 0.8, 0.65):
            if across(rng, plan, room, words_, y, height * shrink, language):
                break
        y += step
    if len(inner) == 1 and chance(rng, 0.6):
        half = room.half_width(y - step - height, y - step + height)
        if chance(rng, 0.5):
            plan.strokes.append((rectangle(half * 1.02, height * 0.85, y=y - step), float(rng.uniform(0.8, 1.8)), True))
        else:
            for side in (-1, 1):
                plan.fills.append((star(float(rng.uniform(5, 9)), x=side * (half + 8), y=y - step),))


def date_seal(rng: Random, plan: Plan, a: float, b: float, language: str, text: str) -> None:
    """A bank's or office's stamp: name above, the date in the middle between two rules or in a box, purpose below."""
    a, b = rings(rng, plan, a, b)
    room = outer_arc(rng, plan, text, choose_face(rng, language, text), a, b, widest_sweep=float(rng.uniform(170, 230)))
    day = names.date(rng)
    height = float(rng.uniform(11, 17)) * b / 100
    half = 0.9 * room.half_width(-height * 0.8, height * 0.8)
    face = choose_face(rng, "code" if day.isascii() else language, day)
    letter = fit(rng, day, face, height, 1.8 * half, gap=float(rng.uniform(0, 0.1)))
    plan.settings.append(Setting(day, straight(-half, 0, half, 0), letter, "horizontal", False))
    wide = min(half * 1.1, a * 0.97)
    if chance(rng, 0.5):
        plan.strokes.append((rectangle(wide, height * float(rng.uniform(0.75, 1.0))), float(rng.uniform(0.8, 1.6)), True))
    else:
        edge = height * float(rng.uniform(0.75, 1.0))
        chord = a * np.sqrt(max(1 - (edge / b) ** 2, 0))
        for y in (-edge, edge):
            plan.strokes.append((np.array([[-chord, y], [chord, y]]), float(rng.uniform(0.8, 1.6)), False))
    low = height * 1.15
    size = float(rng.uniform(12, 17)) * b / 100
    if chance(rng, 0.35):
        bottom_arc(rng, plan, room, names.purpose(rng), language)
    else:
        across(rng, plan, room, names.purpose(rng), low + size / 2 + 2, size, language)
        if chance(rng, 0.3):
            across(rng, plan, room, f"({int(rng.integers(1, 30)):02d})", low + size * 1.8 + 2, size * 0.8, language)
    if chance(rng, 0.3):
        for side in (-1, 1):
            plan.fills.append((star(float(rng.uniform(4, 8)), x=side * a * 0.82, y=0.0 if wide < a * 0.7 else -low * 1.2),))


def full_circle(rng: Random, plan: Plan, a: float, b: float, language: str, text: str) -> None:
    """A name all around, a star in the middle."""
    a, b = rings(rng, plan, a, b)
    while len(text) < 13:
        text += names.purpose(rng)
    room = outer_arc(rng, plan, text, choose_face(rng, language, text), a, b, height=float(rng.uniform(15, 24)) * b / 100, widest_sweep=340)
    size = float(rng.uniform(0.35, 0.8)) * min(room.a_inside, room.b_inside)
    if chance(rng, 0.7):
        plan.fills.append((star(size),))
    else:
        emblem(rng, plan, size)


def invoice_seal(rng: Random, plan: Plan, b: float, language: str, text: str) -> None:
    """The oval seal on invoices: name above, tax number, 发票专用章, a code at the bottom."""
    a, b = rings(rng, plan, 100.0, b)
    height = float(rng.uniform(17, 27)) * b / 75 * float(np.clip(1.2 - 0.02 * len(text), 0.7, 1))
    room = outer_arc(rng, plan, text, choose_face(rng, language, text), a, b, height=height, widest_sweep=float(rng.uniform(190, 250)))
    if chance(rng, 0.45):
        bottom_code(rng, plan, room)
    number = names.tax_code(rng)
    size = float(rng.uniform(9, 15))
    y = float(rng.uniform(-6, 4))
    if chance(rng, 0.88):
        across(rng, plan, room, number, y, size, "code" if chance(rng, 0.6) else "zh")
    bottom = float(rng.uniform(11, 17))
    low = y + size / 2 + 3 + bottom / 2
    text_below = "发票专用章" if chance(rng, 0.8) else names.purpose(rng)
    if names.traditional(text) == text and language == "tw":
        text_below = names.traditional(text_below)
    across(rng, plan, room, text_below, float(rng.uniform(low, max(low, room.floor - bottom / 2 - 5))), bottom, language)


def supervision_seal(rng: Random, plan: Plan, b: float) -> None:
    """The tax authority's oval: 全国统一发票监制章 above, one or two lines across, the office below, facing inwards."""
    a, b = rings(rng, plan, 100.0, b)
    height = float(rng.uniform(16, 26)) * b / 70
    text = "全国统一发票监制章" if chance(rng, 0.9) else names.organisation(rng, 12)
    room = outer_arc(rng, plan, text, choose_face(rng, "zh", text), a, b, height=height, widest_sweep=float(rng.uniform(175, 235)))
    below = names.tax_office(rng) if chance(rng, 0.8) else pick(rng, ("国家税务局监制", "地方税务局监制", "财政部监制", "国家税务总局监制"))
    if chance(rng, 0.93):
        bottom_arc(rng, plan, room, below, height=height * float(rng.uniform(0.75, 1.05)))
    middle = ["国家税务总局"] if chance(rng, 0.65) else [names.place(rng)[:8]]
    if chance(rng, 0.12):
        middle.append(names.place(rng)[:6])
    size = float(rng.uniform(11, 20)) * b / 70 / (1.0 if len(middle) == 1 else 1.25)
    y = -size * 0.65 * (len(middle) - 1) + float(rng.uniform(-3, 4))
    for line in middle:
        across(rng, plan, room, line, y, size)
        y += size * 1.3


def personal_round(rng: Random, plan: Plan, a: float, b: float) -> None:
    """A small round seal with a person's or department's name across."""
    a, b = rings(rng, plan, a, b)
    text = names.person(rng) if chance(rng, 0.6) else names.purpose(rng)
    room = Room(a - 3, b - 3, 0.0, a - 3, b - 3, b - 3)
    across(rng, plan, room, text, 0.0, float(rng.uniform(30, 60)) * 3 / max(len(text), 3) * b / 100)


def round_seal(rng: Random, language: str = "zh") -> Plan:
    """A Chinese round seal."""
    b = 100.0 if chance(rng, 0.85) else float(rng.uniform(94.5, 100))
    plan = outline_of(100.0, b)
    text = names.organisation(rng)
    purpose = names.purpose(rng) if chance(rng, 0.68) else None
    if language == "tw":
        text, purpose = names.traditional(text), names.traditional(purpose) if purpose else None
    kind = rng.random()
    if kind < 0.77:
        company_seal(rng, plan, 100.0, b, language, text, purpose)
    elif kind < 0.86:
        inner = [names.purpose(rng) for _ in range(int(rng.choice([1, 2, 2, 3])))]
        lines_seal(rng, plan, 100.0, b, language, text, [names.traditional(line) if language == "tw" else line for line in inner])
    elif kind < 0.92:
        date_seal(rng, plan, 100.0, b, "zh", names.organisation(rng, 14))
    elif kind < 0.97:
        full_circle(rng, plan, 100.0, b, language, text)
    else:
        personal_round(rng, plan, 100.0, b)
    return plan


def oval_seal(rng: Random, language: str = "zh") -> Plan:
    """A Chinese oval seal."""
    b = float(rng.uniform(60, 78))
    plan = outline_of(100.0, b)
    text = names.organisation(rng)
    if language == "tw":
        text = names.traditional(text)
    kind = rng.random()
    if kind < 0.42:
        invoice_seal(rng, plan, b, language, text)
    elif kind < 0.8:
        supervision_seal(rng, plan, b)
    elif kind < 0.9:
        lines_seal(rng, plan, 100.0, b, language, text, [names.purpose(rng) for _ in range(int(rng.integers(1, 3)))])
    else:
        company_seal(rng, plan, 100.0, b, language, text, names.purpose(rng))
    return plan
