"""Plans of round and oval seals: names on arcs, a star, lines across, codes at the bottom.

Seal units: the longer half axis is 100. Angles: degrees clockwise from the top.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sealread.training.synth import names
from sealread.training.synth.figures import Plan, Setting, ellipse, emblem, rectangle, ring, star, toothed_ring
from sealread.training.synth.fonts import Face, choose_face
from sealread.training.synth.lettering import Type, arc, ink_heights, natural_length, path_through, straight
from sealread.training.synth.names import chance, pick

Random = np.random.Generator


@dataclass(slots=True)
class Room:
    """The space still free inside a round or oval seal.

    Attributes:
        a: half width of the free ellipse.
        b: half height.
        sweep: degrees around the top that an arc of text covers, 0 for none.
        a_inside: half width inside that arc.
        b_inside: half height inside that arc.
        floor: half height that remains free downwards once a code or a bottom arc is set.
    """

    a: float
    b: float
    sweep: float = 0.0
    a_inside: float = 0.0
    b_inside: float = 0.0
    floor: float = 0.0

    def half_width(self, y1: float, y2: float) -> float:
        """Half the width free for a line between heights y1 and y2."""
        y = max(abs(y1), abs(y2))
        # Below the ends of the arc the whole seal is free, elsewhere only what the arc leaves.
        end = -self.b_inside * np.cos(np.deg2rad(self.sweep / 2)) if self.sweep else -self.b
        a, b = (self.a, self.b) if y1 > end + 2 else (self.a_inside, self.b_inside)
        return float(a * np.sqrt(max(1 - (y / max(b, 1e-6)) ** 2, 0.0)))


def rings(rng: Random, plan: Plan, a: float, b: float) -> tuple[float, float]:
    """Add the seal's rings; the half axes of what is free inside."""
    kind = rng.random()
    if kind < 0.03:
        return a, b
    if kind < 0.07:
        depth, width = float(rng.uniform(1.5, 4)), float(rng.uniform(1.5, 4))
        plan.fills.append(toothed_ring(a, b, width, int(rng.integers(40, 120)), depth))
        return a - depth - width, b - depth - width
    width = float(rng.uniform(0.8, 2.2) if chance(rng, 0.4) else rng.uniform(2.2, 5.5))
    plan.fills.append(ring(a, b, width))
    a, b = a - width, b - width
    if kind > 0.72:
        gap, second = float(rng.uniform(1.2, 5)), float(rng.uniform(0.6, 1.8))
        plan.fills.append(ring(a - gap, b - gap, second))
        a, b = a - gap - second, b - gap - second
    return a, b


def weight_for(rng: Random, face: Face) -> int:
    """A stroke change: engraved seals are mostly heavier than print."""
    return int(rng.choice([-1, 0, 0, 1, 1, 1, 2] if face.style in ("song", "fang", "serif") else [-1, 0, 0, 0, 1]))


def fit(rng: Random, text: str, face: Face, height: float, length: float, *, widest: float = 1.1, gap: float | None = None) -> Type:
    """The line's setting so that it is not longer than `length`; characters as wide as `widest` allows."""
    space = float(rng.uniform(-0.02, 0.12)) if gap is None else gap
    top, bottom = ink_heights(face, text)
    em = height / (bottom - top)
    aspect = min(length / max(natural_length(face, text, space) * em, 1e-6), widest)
    return Type(face, height, aspect, weight_for(rng, face), space)


def outer_arc(
    rng: Random, plan: Plan, text: str, face: Face, a: float, b: float, *, height: float | None = None, widest_sweep: float = 320.0
) -> Room:
    """Set the name along the top; the room that it leaves."""
    margin = float(rng.uniform(1.5, 7))
    count = natural_length(face, text)
    if height is None:
        height = float(np.clip(rng.normal(32, 6), 19, 45)) * b / 100
        height *= float(np.clip(1.3 - 0.022 * len(text), 0.65, 1.08))
    pitch = float(rng.uniform(17, 33)) if len(text) > 4 else float(rng.uniform(25, 42))
    low = min(widest_sweep, float(rng.uniform(120, 190)) if len(text) < 8 else float(rng.uniform(175, 230)))
    high = min(widest_sweep, float(rng.uniform(250, 325)))
    sweep = float(np.clip(count * pitch, min(low, high), high))
    sweep = min(sweep, count * 48.0)
    path = arc(a - margin - height / 2, b - margin - height / 2, 0.0, sweep)
    # Feet stand closer together than the middles; they must not run into each other.
    foot = arc(max(a - margin - height, 8), max(b - margin - height, 8), 0.0, sweep).total / path.total
    aspect_limit = float(np.clip(rng.normal(0.8, 0.18), 0.45, 1.15))
    top, bottom = ink_heights(face, text)
    em = height / (bottom - top)
    pitch_length = path.total / max(count, 1.0)
    across = min(em * aspect_limit, pitch_length * float(rng.uniform(0.92, 1.08)) * max(foot**0.8, 0.6))
    across = max(across, 0.3 * em)
    gap = (path.total / across - count) / max(len(text) - 1, 1) if len(text) > 1 else 0.0
    gap = min(gap, 2.2)
    letter = Type(face, height, across / em, weight_for(rng, face), gap)
    plan.settings.append(Setting(text, path, letter, "outer_arc", True))
    used = float(np.rad2deg((count + gap * (len(text) - 1)) * across / (0.5 * (a + b) - margin - height / 2)))
    inside = margin + height + 1.5
    return Room(a - 2, b - 2, min(max(used, 0), 350), max(a - inside, 5), max(b - inside, 5), b - 2)


def bottom_code(rng: Random, plan: Plan, room: Room, code: str | None = None) -> None:
    """Set a number along the bottom, facing inwards, where the arc leaves space."""
    free = 360 - room.sweep - 16
    if free < 38:
        return
    text = names.seal_code(rng) if code is None else code
    face = choose_face(rng, "code" if chance(rng, 0.65) else "zh", text)
    height = float(rng.uniform(4.5, 9.5)) * (0.85 if room.b < 80 else 1.0)
    margin = float(rng.uniform(0.5, 5))
    inwards = chance(rng, 0.93)
    a, b = room.a - margin - height / 2, room.b - margin - height / 2
    sweep = min(free * 0.92, float(rng.uniform(55, 120)) * len(text) / 13 + 8)
    path = arc(a, b, 180.0, sweep, inwards=inwards)
    letter = fit(rng, text, face, height, path.total, widest=1.2, gap=0.0)
    em = letter.height / (ink_heights(face, text)[1] - ink_heights(face, text)[0])
    spare = path.total / (em * letter.aspect) - natural_length(face, text)
    letter = Type(face, height, letter.aspect, weight_for(rng, face), min(max(spare / max(len(text) - 1, 1), 0.0), 1.2))
    plan.settings.append(Setting(text, path, letter, "code", True))
    room.floor = b - height / 2 - 1.5


def bottom_arc(rng: Random, plan: Plan, room: Room, text: str, language: str = "zh", height: float | None = None) -> None:
    """Set words along the bottom, mostly facing inwards."""
    free = 360 - room.sweep - 14
    face = choose_face(rng, language, text)
    if height is None:
        height = float(rng.uniform(12, 22)) * room.b / 100
    margin = float(rng.uniform(1, 5))
    inwards = chance(rng, 0.93)
    a, b = room.a - margin - height / 2, room.b - margin - height / 2
    sweep = min(free * 0.95, natural_length(face, text) * float(rng.uniform(13, 24)))
    path = arc(a, b, 180.0, sweep, inwards=inwards)
    letter = fit(rng, text, face, height, path.total * 0.98, widest=float(rng.uniform(0.75, 1.1)), gap=0.0)
    em = height / (ink_heights(face, text)[1] - ink_heights(face, text)[0])
    spare = path.total / (em * letter.aspect) - natural_length(face, text)
    letter = Type(face, height, letter.aspect, letter.weight, float(np.clip(spare / max(len(text) - 1, 1), -0.02, 0.6)))
    plan.settings.append(Setting(text, path, letter, "inner_arc", True))
    room.floor = b - height / 2 - 2


def across(
    rng: Random,
    plan: Plan,
    room: Room,
    text: str,
    y: float,
    height: float,
    language: str = "zh",
    role: str = "horizontal",
    face: Face | None = None,
) -> bool:
    """Set a line across with its middle at height `y`; False where it would become illegibly narrow."""
    half = room.half_width(y - height / 2, y + height / 2) * 0.96
    chosen = choose_face(rng, language, text) if face is None else face
    gap = float(rng.uniform(0.15, 0.6)) if len(text) < 6 and not text.isascii() and chance(rng, 0.25) else None
    letter = fit(rng, text, chosen, height, 2 * half, widest=float(rng.uniform(0.7, 1.15)), gap=gap)
    if letter.aspect < 0.36 or half < 6:
        return False
    if chance(rng, 0.06):  # slightly bent
        sag = float(rng.uniform(-0.12, 0.12)) * half
        xs = np.linspace(-half, half, 25)
        path = path_through(np.stack([xs, y + sag * (1 - (xs / half) ** 2)], axis=1))
        plan.settings.append(Setting(text, path, letter, role, True))
    else:
        plan.settings.append(Setting(text, straight(-half, y, half, y), letter, role, False))
    return True


def company_seal(rng: Random, plan: Plan, a: float, b: float, language: str, text: str, purpose_text: str | None) -> None:
    """The common seal: name above, star in the middle, purpose below, perhaps a number at the bottom."""
    a, b = rings(rng, plan, a, b)
    room = outer_arc(rng, plan, text, choose_face(rng, language, text), a, b)
    if chance(rng, 0.42):
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
        height = float(np.clip(rng.normal(19, 4), 10, 30)) * (1 - 0.12 * attempt)
        low, high = size * 0.82 - lift + 2 + height / 2, room.floor - 2 - height / 2
        if high < low:
            continue
        y = float(rng.uniform(low, low + 0.6 * (high - low)))
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


def outline_of(a: float, b: float) -> Plan:
    """An empty plan within an ellipse."""
    return Plan("round" if abs(a - b) < 6 else "oval", ellipse(a, b, count=48))


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
