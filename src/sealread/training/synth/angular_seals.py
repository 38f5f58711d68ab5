"""Plans of square, rectangular, triangular and lozenge seals.

Seal units: the longer half axis is 100. Square seals are read in columns, from right to left, each downwards.
"""

from __future__ import annotations

import numpy as np

from sealread.training.synth import names
from sealread.training.synth.arrangement import fit, weight_for
from sealread.training.synth.figures import Plan, Setting, rectangle, regular, star
from sealread.training.synth.fonts import choose_face
from sealread.training.synth.lettering import Type, ink_heights, straight
from sealread.training.synth.names import chance, pick

Random = np.random.Generator


def frame(rng: Random, plan: Plan, half_width: float, half_height: float) -> tuple[float, float]:
    """Add a frame, double sometimes, broken at the corners never; half sizes of what is free inside."""
    corner = float(rng.uniform(2, 16)) if chance(rng, 0.4) else 0.0
    thin = min(half_width, half_height)
    width = float(rng.uniform(0.02, 0.09)) * thin
    plan.fills.append(
        (rectangle(half_width, half_height, corner=corner), rectangle(half_width - width, half_height - width, corner=corner * 0.8))
    )
    inset = width
    if chance(rng, 0.18):
        gap, second = float(rng.uniform(0.03, 0.08)) * thin, float(rng.uniform(0.01, 0.03)) * thin
        inset += gap + second
        outer = rectangle(half_width - width - gap, half_height - width - gap)
        plan.fills.append((outer, rectangle(half_width - inset, half_height - inset)))
    return half_width - inset, half_height - inset


def columns(rng: Random, plan: Plan, text: str, half_width: float, half_height: float, count: int, language: str) -> None:
    """Set the text in `count` columns, the first at the right."""
    rows = -(-len(text) // count)
    parts = [text[i * rows : (i + 1) * rows] for i in range(count)]
    parts = [part for part in parts if part]
    styles = ("kai", "song", "fang") if chance(rng, 0.8) else ()
    face = choose_face(rng, language, text, styles)
    weight = weight_for(rng, face)
    pad = float(rng.uniform(0.02, 0.09)) * half_width
    cell_width = 2 * (half_width - pad) / len(parts)
    stretch = chance(rng, 0.5)  # whether a short column is drawn out to full height
    rules = chance(rng, 0.12)
    fill = float(rng.uniform(0.82, 1.0))
    for i, part in enumerate(parts):
        x = half_width - pad - cell_width * (i + 0.5)
        places = len(part) if stretch or i < len(parts) - 1 else rows
        cell_height = 2 * (half_height - pad) / places
        y1 = -(half_height - pad)
        top, bottom = ink_heights(face, part)
        height = cell_height * fill * (bottom - top)
        aspect = cell_width * fill / (cell_height * fill)
        letter = Type(face, height, aspect, weight, (1 - fill) / fill)
        path = straight(x, y1, x, y1 + cell_height * len(part))
        plan.settings.append(Setting(part, path, letter, "other", False, vertical=True))
        if rules and i:
            edge = x + cell_width / 2
            plan.strokes.append((np.array([[edge, -half_height], [edge, half_height]]), 1.2, False))


def rows_of(
    rng: Random,
    plan: Plan,
    lines: list[str],
    half_width: float,
    half_height: float,
    language: str,
    role: str = "horizontal",
    x: float = 0.0,
) -> None:
    """Set lines one below the other, left to right, about `x`."""
    pitch = 2 * half_height / len(lines)
    rules = len(lines) > 1 and chance(rng, 0.3)
    share = float(rng.uniform(0.6, 0.86))
    face = choose_face(rng, language, "".join(lines))
    for i, text in enumerate(lines):
        y = -half_height + pitch * (i + 0.5)
        height = pitch * share * (float(rng.uniform(0.7, 1.0)) if chance(rng, 0.3) else 1.0)
        letter = fit(rng, text, face, height, 2 * half_width * float(rng.uniform(0.86, 0.96)), widest=float(rng.uniform(0.9, 1.25)))
        plan.settings.append(Setting(text, straight(x - half_width, y, x + half_width, y), letter, role, False))
        if rules and i:
            edge = y - pitch / 2
            plan.strokes.append((np.array([[x - half_width, edge], [x + half_width, edge]]), float(rng.uniform(0.8, 2)), False))


def person_text(rng: Random) -> str:
    """A name with the ending that makes it fill two columns."""
    text = names.person(rng)
    if len(text) == 2:
        return text + pick(rng, ("之印", "印章", "私印", "", ""))
    return text + pick(rng, ("印", "章", "印", ""))


def square_seal(rng: Random, language: str = "zh") -> Plan:
    """A personal name, or a company in three or four columns."""
    half_height = float(rng.uniform(88, 100)) if chance(rng, 0.3) else 100.0
    plan = Plan("square", rectangle(100, half_height))
    width, height = frame(rng, plan, 100, half_height)
    kind = rng.random()
    if kind < 0.5:
        text = person_text(rng) if chance(rng, 0.75) else names.chaos(rng)[:4]
        text = names.traditional(text) if language == "tw" else text
        if len(text) == 4 and chance(rng, 0.25):
            rows_of(rng, plan, [text[:2], text[2:]], width, height, language)
        elif len(text) == 3 and chance(rng, 0.5):
            # The surname alone at the right, the given name beside it.
            columns(rng, plan, text[0], width, height, 1, language) if chance(rng, 0.02) else columns(
                rng, plan, text, width, height, 2, language
            )
        else:
            columns(rng, plan, text, width, height, 2 if len(text) > 2 else pick_count(rng, (1, 2)), language)
    else:
        text = names.organisation(rng, 16)
        text = names.traditional(text) if language == "tw" else text
        text += pick(rng, ("", "", "章", "印", "之印", "财务专用章" if language == "zh" else ""))
        count = 2 if len(text) <= 6 else 3 if len(text) <= 12 else 4
        columns(rng, plan, text.replace("(", "").replace(")", "").replace("（", "").replace("）", ""), width, height, count, language)
    return plan


def pick_count(rng: Random, items: tuple[int, ...]) -> int:
    """One of the numbers."""
    return items[int(rng.integers(len(items)))]


def rectangular_seal(rng: Random, language: str = "zh") -> Plan:
    """One to three lines, framed or not: a person, a department, a date stamp, a remark."""
    kind = rng.random()
    if kind < 0.3:
        lines = [names.person(rng) if chance(rng, 0.5) else names.purpose(rng)]
    elif kind < 0.45:
        lines = [names.organisation(rng, 12), names.date(rng), names.purpose(rng)][: int(rng.integers(2, 4))]
    elif kind < 0.6:
        lines = [names.date(rng)] if chance(rng, 0.5) else [names.purpose(rng), names.date(rng)]
    elif kind < 0.75:
        text = names.organisation(rng, 18)
        half = -(-len(text) // 2)
        lines = [text[:half], text[half:]]
    elif kind < 0.9:
        lines = [names.school(rng)[:9], names.purpose(rng), names.purpose(rng)][: int(rng.integers(1, 4))]
    else:
        lines = [names.organisation(rng, 16)]
    if language == "tw":
        lines = [names.traditional(line) for line in lines]
    longest = max(len(line) for line in lines)
    ratio = float(np.clip(len(lines) * 1.3 / longest * rng.uniform(0.8, 1.5), 0.16, 0.85))
    plan = Plan("rect", rectangle(100, 100 * ratio))
    if chance(rng, 0.82):
        width, height = frame(rng, plan, 100, 100 * ratio)
    else:
        width, height = 100.0, 100 * ratio
    rows_of(rng, plan, lines, width, height, language)
    return plan


def triangular_seal(rng: Random, language: str = "zh") -> Plan:
    """A triangle: a purpose along its foot, a name above, a star."""
    corners = regular(3, 112, y=12)
    plan = Plan("other", corners)
    inner = corners * 1.0
    width = float(rng.uniform(0.03, 0.08))
    centre = corners.mean(axis=0)
    plan.fills.append((corners, centre + (inner - centre) * (1 - width)))
    if chance(rng, 0.3):
        plan.fills.append((centre + (corners - centre) * (0.97 - width), centre + (corners - centre) * (0.955 - width)))
    foot = names.purpose(rng)
    face = choose_face(rng, language, foot)
    height = float(rng.uniform(13, 20))
    y = 68 - 112 * width - height / 2 - float(rng.uniform(3, 7))
    half = (y - height / 2 + 100 - 112 * width * 2) * 0.577 * 0.82
    letter = fit(rng, foot, face, height, 2 * half)
    plan.settings.append(Setting(foot, straight(-half, y, half, y), letter, "horizontal", False))
    if chance(rng, 0.8):
        plan.fills.append((star(float(rng.uniform(14, 22)), y=y - height - 14),))
    name = names.organisation(rng, 14)
    sides = choose_face(rng, language, name)
    cut = len(name) // 2
    small = float(rng.uniform(11, 15))
    for text, sign in ((name[:cut], -1), (name[cut:], 1)):
        slope = np.array([0.5, -0.866]) if sign < 0 else np.array([0.5, 0.866])
        # The middle of the side, moved inwards by half the height and the frame.
        inward = np.array([0.866, 0.5]) if sign < 0 else np.array([-0.866, 0.5])
        middle = centre + np.array([sign * 0.866, -0.5]) * 56 + inward * (small / 2 + 112 * width * 0.5 + 5) + slope * (-sign) * 4
        reach = 50.0
        start, end = middle - slope * reach, middle + slope * reach
        setting = fit(rng, text, sides, small, 2 * reach * 0.95)
        plan.settings.append(Setting(text, straight(start[0], start[1], end[0], end[1]), setting, "other", False))
    return plan


def lozenge_seal(rng: Random, language: str = "zh") -> Plan:
    """A lozenge or hexagon with one or two lines across."""
    if chance(rng, 0.6):
        ratio = float(rng.uniform(0.5, 0.85))
        corners = np.array([[0, -100 * ratio], [100, 0], [0, 100 * ratio], [-100, 0]])
    else:
        corners = regular(6, 100, turn=30) * (1, float(rng.uniform(0.6, 1.0)))
    plan = Plan("other", corners)
    width = float(rng.uniform(0.02, 0.06))
    plan.fills.append((corners, corners * (1 - width)))
    tall = float(np.abs(corners[:, 1]).max())
    lines = [names.purpose(rng)] if chance(rng, 0.6) else [names.purpose(rng)[:6], names.date(rng)]
    if language == "tw":
        lines = [names.traditional(line) for line in lines]
    height = min(tall * float(rng.uniform(0.25, 0.4)), 30.0) / (1.0 if len(lines) == 1 else 1.3)
    for i, text in enumerate(lines):
        y = (i - (len(lines) - 1) / 2) * height * 1.35
        half = 100 * (1 - (abs(y) + height / 2) / tall) * 0.9
        face = choose_face(rng, language, text)
        letter = fit(rng, text, face, height, 2 * half)
        plan.settings.append(Setting(text, straight(-half, y, half, y), letter, "horizontal", False))
    return plan
