"""Colours by the time of day, turned a little by the seed so that no two pictures look the same."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from random import Random
from typing import Final

Color = tuple[int, int, int]

TIMES: Final = ("dawn", "day", "sunset", "night")


@dataclass(frozen=True)
class Palette:
    """Colours of one scene.

    Attributes:
        sky: from the top to the horizon.
        far, near: of the land, at the horizon and in front.
        light: of the sun or the moon.
        water: under the horizon, far and near.
    """

    sky: tuple[Color, ...]
    far: Color
    near: Color
    light: Color
    water: tuple[Color, Color]


_BASES: Final[dict[str, Palette]] = {
    "dawn": Palette(
        ((72, 88, 148), (176, 146, 186), (246, 190, 176), (255, 226, 190)),
        (186, 160, 186),
        (44, 40, 72),
        (255, 240, 214),
        ((236, 190, 184), (58, 66, 112)),
    ),
    "day": Palette(
        ((38, 110, 190), (98, 168, 224), (176, 216, 240), (232, 242, 244)),
        (150, 186, 206),
        (26, 74, 62),
        (255, 252, 232),
        ((140, 196, 220), (18, 78, 124)),
    ),
    "sunset": Palette(
        ((50, 34, 92), (150, 60, 120), (240, 112, 88), (255, 196, 104)),
        (214, 116, 104),
        (34, 18, 48),
        (255, 232, 160),
        ((250, 150, 96), (48, 26, 76)),
    ),
    "night": Palette(
        ((8, 12, 34), (18, 30, 70), (38, 62, 112), (78, 108, 150)),
        (58, 82, 124),
        (6, 12, 26),
        (240, 240, 220),
        ((70, 100, 146), (8, 16, 40)),
    ),
}


def palette_for(time_of_day: str, random: Random) -> Palette:
    """The base colours, with the hue turned by up to a twentieth of the circle."""
    base = _BASES[time_of_day]
    turn = random.uniform(-0.05, 0.05)
    strength = random.uniform(0.88, 1.15)

    def turned(color: Color) -> Color:
        return turn_hue(color, turn, strength)

    return Palette(
        tuple(turned(color) for color in base.sky),
        turned(base.far),
        turned(base.near),
        base.light,
        (turned(base.water[0]), turned(base.water[1])),
    )


def turn_hue(color: Color, turn: float, saturation: float = 1.0) -> Color:
    """``turn`` is a part of the colour circle, from -1 to 1."""
    hue, chroma, value = colorsys.rgb_to_hsv(*(part / 255 for part in color))
    red, green, blue = colorsys.hsv_to_rgb((hue + turn) % 1.0, min(1.0, chroma * saturation), value)
    return round(red * 255), round(green * 255), round(blue * 255)


def blend(start: Color, end: Color, part: float) -> Color:
    """``part`` 0 is ``start``, 1 is ``end``."""
    first, second, third = (round(a + (b - a) * part) for a, b in zip(start, end, strict=True))
    return first, second, third
