"""What stands in front of the landscape: silhouettes, so that a picture of a cat has a cat in it.

Each shape is given in a unit square (x to the right, y downwards, standing on y = 1) and placed by the scene.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Final

from PIL import Image, ImageDraw

from sandbox.drawing.palette import Color, blend
from sandbox.drawing.scene import Scene

_DETAIL: Final = 3
"""Subjects are drawn at three times their size and reduced."""

Pen = ImageDraw.ImageDraw


def draw_subject(canvas: Image.Image, scene: Scene, time: float) -> None:
    """Puts the scene's subject, if it has one, onto the canvas."""
    if scene.subject not in _SHAPES:
        return
    shape, size_part, ground = _SHAPES[scene.subject]
    random = Random(scene.seed + 7)
    side = max(8, round(min(canvas.size) * size_part))
    stamp = Image.new("RGBA", (side * _DETAIL, side * _DETAIL), (0, 0, 0, 0))
    dark = blend(scene.palette.near, (0, 0, 0), 0.35)
    warm = blend(scene.palette.light, (240, 120, 60), random.uniform(0.2, 0.7))
    shape(ImageDraw.Draw(stamp), side * _DETAIL, dark, warm)
    stamp = stamp.resize((side, side), Image.Resampling.LANCZOS)
    x = random.uniform(0.12, 0.7) * canvas.width + time * 0.05 * canvas.width
    y = ground(scene) * canvas.height - side + math.sin(time * math.tau) * canvas.height * 0.006
    canvas.paste(stamp, (round(x), round(y)), stamp)


def _cat(pen: Pen, side: int, dark: Color, warm: Color) -> None:
    """Sitting, seen from behind, looking at the view."""
    pen.ellipse(_box(side, 0.28, 0.42, 0.72, 1.02), fill=dark)
    pen.ellipse(_box(side, 0.34, 0.32, 0.66, 0.72), fill=dark)
    pen.ellipse(_box(side, 0.34, 0.14, 0.66, 0.44), fill=dark)
    pen.polygon(_points(side, (0.35, 0.26), (0.36, 0.04), (0.50, 0.17)), fill=dark)
    pen.polygon(_points(side, (0.65, 0.26), (0.64, 0.04), (0.50, 0.17)), fill=dark)
    pen.arc(_box(side, 0.60, 0.55, 0.98, 0.99), start=-60, end=150, fill=dark, width=max(1, side // 15))


def _boat(pen: Pen, side: int, dark: Color, warm: Color) -> None:
    pen.polygon(_points(side, (0.10, 0.80), (0.92, 0.80), (0.78, 0.97), (0.24, 0.97)), fill=dark)
    pen.rectangle(_box(side, 0.49, 0.08, 0.515, 0.82), fill=dark)
    pen.polygon(_points(side, (0.53, 0.10), (0.53, 0.74), (0.88, 0.74)), fill=blend(warm, (255, 255, 255), 0.6))
    pen.polygon(_points(side, (0.47, 0.18), (0.47, 0.74), (0.20, 0.74)), fill=warm)


def _balloon(pen: Pen, side: int, dark: Color, warm: Color) -> None:
    pale = blend(warm, (255, 255, 255), 0.65)
    for number in range(5):
        inset = number * 0.08
        pen.ellipse(_box(side, 0.12 + inset, 0.02, 0.88 - inset, 0.74), fill=warm if number % 2 == 0 else pale)
    pen.polygon(_points(side, (0.30, 0.64), (0.70, 0.64), (0.57, 0.84), (0.43, 0.84)), fill=warm)
    pen.rectangle(_box(side, 0.43, 0.88, 0.57, 0.99), fill=dark)
    pen.line(_points(side, (0.43, 0.84), (0.44, 0.89)), fill=dark, width=max(1, side // 90))
    pen.line(_points(side, (0.57, 0.84), (0.56, 0.89)), fill=dark, width=max(1, side // 90))


def _house(pen: Pen, side: int, dark: Color, warm: Color) -> None:
    pen.rectangle(_box(side, 0.18, 0.52, 0.82, 1.0), fill=dark)
    pen.polygon(_points(side, (0.08, 0.55), (0.50, 0.18), (0.92, 0.55)), fill=blend(dark, warm, 0.25))
    pen.rectangle(_box(side, 0.66, 0.20, 0.75, 0.42), fill=dark)
    for left in (0.27, 0.58):
        pen.rectangle(_box(side, left, 0.64, left + 0.15, 0.80), fill=(255, 214, 130))
    pen.rectangle(_box(side, 0.46, 0.74, 0.55, 1.0), fill=blend(dark, warm, 0.35))


def _lighthouse(pen: Pen, side: int, dark: Color, warm: Color) -> None:
    pen.polygon(_points(side, (0.40, 1.0), (0.60, 1.0), (0.56, 0.34), (0.44, 0.34)), fill=(236, 232, 224))
    for number in range(3):
        top = 0.42 + number * 0.2
        pen.polygon(
            _points(side, (0.425, top), (0.575, top), (0.585, top + 0.1), (0.415, top + 0.1)), fill=(186, 58, 52)
        )
    pen.rectangle(_box(side, 0.40, 0.31, 0.60, 0.35), fill=dark)
    pen.rectangle(_box(side, 0.45, 0.20, 0.55, 0.31), fill=(255, 240, 190))
    pen.polygon(_points(side, (0.42, 0.21), (0.58, 0.21), (0.50, 0.11)), fill=dark)
    pen.polygon(_points(side, (0.10, 1.0), (0.30, 0.93), (0.70, 0.93), (0.92, 1.0)), fill=dark)


def _birds(pen: Pen, side: int, dark: Color, warm: Color) -> None:
    for x, y, span in ((0.2, 0.3, 0.16), (0.42, 0.18, 0.2), (0.66, 0.34, 0.15), (0.84, 0.22, 0.11), (0.5, 0.5, 0.12)):
        thick = max(1, side // 60)
        pen.arc(_box(side, x - span, y, x, y + span * 0.7), start=200, end=350, fill=dark, width=thick)
        pen.arc(_box(side, x, y, x + span, y + span * 0.7), start=190, end=340, fill=dark, width=thick)


def _on_ground(scene: Scene) -> float:
    return 0.95


def _on_water(scene: Scene) -> float:
    return scene.horizon + 0.16


def _in_the_air(scene: Scene) -> float:
    return scene.horizon * 0.72


def _at_horizon(scene: Scene) -> float:
    return scene.horizon + 0.08


_SHAPES: Final[dict[str, tuple[Callable[[Pen, int, Color, Color], None], float, Callable[[Scene], float]]]] = {
    "cat": (_cat, 0.34, _on_ground),
    "boat": (_boat, 0.26, _on_water),
    "balloon": (_balloon, 0.24, _in_the_air),
    "house": (_house, 0.22, _on_ground),
    "lighthouse": (_lighthouse, 0.42, _at_horizon),
    "birds": (_birds, 0.26, _in_the_air),
}


def _box(side: int, left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    return left * side, top * side, right * side, bottom * side


def _points(side: int, *points: tuple[float, float]) -> list[tuple[float, float]]:
    return [(x * side, y * side) for x, y in points]
