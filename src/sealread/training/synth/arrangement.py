"""The parts that round and oval seals are put together from: rings, the name's arc, codes, lines across, and the room they leave.

Seal units: the longer half axis is 100. Angles: degrees clockwise from the top.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sealread.training.synth import names
from sealread.training.synth.figures import Plan, Setting, ellipse, ring, toothed_ring
from sealread.training.synth.fonts import Face, choose_face
from sealread.training.synth.lettering import Type, arc, ink_heights, natural_length, path_through, straight
from sealread.training.synth.names import chance

Random = np.random.Generator


#: Degrees that a line keeps away from the ends of an arc.
_ARC_GAP = 4.0


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
        """Half the width free for a line between heights y1 and y2; between the ends of the arc it may come close to them."""
        xs = np.linspace(0, self.a, 80)
        free = np.ones(len(xs), bool)
        for y in (y1, (y1 + y2) / 2, y2):
            inside = (xs / self.a) ** 2 + (y / self.b) ** 2 < 1
            under_arc = (xs / max(self.a_inside, 1e-6)) ** 2 + (y / max(self.b_inside, 1e-6)) ** 2 < 1
            from_top = np.rad2deg(np.arctan2(xs / self.a, -y / self.b))
            free &= inside & (under_arc | (from_top > self.sweep / 2 + _ARC_GAP))
        blocked = np.flatnonzero(~free)
        return float(xs[blocked[0]]) if len(blocked) else self.a


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


def _spread(letter: Type, text: str, length: float) -> Type:
    """The same letters, spaced so that the line fills a length: purposes mostly reach from one end of the arc to the other."""
    top, bottom = ink_heights(letter.face, text)
    em = letter.height / (bottom - top) * letter.aspect
    missing = length / em - natural_length(letter.face, text, letter.gap)
    return replace(letter, gap=letter.gap + float(np.clip(missing / (len(text) - 1), 0.0, 0.8)))


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
    if not text.isascii() and 2 < len(text) < 10 and chance(rng, 0.45):
        letter = _spread(letter, text, 2 * half * float(rng.uniform(0.75, 0.98)))
    if chance(rng, 0.06):  # slightly bent
        sag = float(rng.uniform(-0.12, 0.12)) * half
        xs = np.linspace(-half, half, 25)
        path = path_through(np.stack([xs, y + sag * (1 - (xs / half) ** 2)], axis=1))
        plan.settings.append(Setting(text, path, letter, role, True))
    else:
        plan.settings.append(Setting(text, straight(-half, y, half, y), letter, role, False))
    return True


def outline_of(a: float, b: float) -> Plan:
    """An empty plan within an ellipse."""
    return Plan("round" if abs(a - b) < 6 else "oval", ellipse(a, b, count=48))
