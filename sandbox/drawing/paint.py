"""Puts a scene on a canvas: sky, sun, clouds, then the land from far to near, then the subject.

Everything soft is painted small and enlarged, everything with an edge is drawn at twice the size and reduced: both
are cheap in Pillow, whose loops run without the interpreter. ``time`` (0 to 1) moves clouds, sun and land, for film.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random
from typing import Final

from PIL import Image, ImageDraw, ImageFilter

from sandbox.drawing.palette import Color, blend
from sandbox.drawing.scene import Scene
from sandbox.drawing.subjects import draw_subject

SUPERSAMPLING: Final = 2
Point = tuple[float, float]


def paint(scene: Scene, width: int, height: int, time: float = 0.0) -> Image.Image:
    """The scene as an RGB picture of ``width`` x ``height`` pixels."""
    canvas = _gradient(scene.palette.sky, width, height)
    horizon = round(height * scene.horizon)
    if scene.time_of_day == "night":
        _stars(canvas, scene, horizon)
    _sun(canvas, scene, time)
    _clouds(canvas, scene, horizon, time)
    if scene.place == "sea":
        _ridge(canvas, scene, 0.15, horizon, time)
        _water(canvas, scene, horizon, time)
    else:
        for number in range(scene.ridges):
            _ridge(canvas, scene, (number + 0.4) / scene.ridges, horizon, time)
    draw_subject(canvas, scene, time)
    return _vignette(canvas)


def _gradient(colors: Sequence[Color], width: int, height: int) -> Image.Image:
    """Colours from top to bottom, evenly spaced, blended over a column that is stretched to the size."""
    steps = 256
    column = Image.new("RGB", (1, steps))
    for row in range(steps):
        place = row / (steps - 1) * (len(colors) - 1)
        first = min(int(place), len(colors) - 2)
        column.putpixel((0, row), blend(colors[first], colors[first + 1], place - first))
    return column.resize((width, height), Image.Resampling.BICUBIC)


def _stars(canvas: Image.Image, scene: Scene, horizon: int) -> None:
    random = Random(scene.seed + 1)
    draw = ImageDraw.Draw(canvas)
    for _ in range(140):
        x, y = random.random() * canvas.width, random.random() ** 1.5 * horizon
        radius = random.choice((0.5, 0.5, 1, 1.4)) * canvas.width / 1024
        tone = random.randint(150, 255)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(tone, tone, min(255, tone + 10)))


def _glow(size: int, strength: float) -> Image.Image:
    """A round mask that fades to its edge."""
    return (
        Image.radial_gradient("L")
        .point(lambda value: round(max(0, 255 - value * 1.42) * strength))
        .resize((max(2, size), max(2, size)), Image.Resampling.BICUBIC)
    )


def _sun(canvas: Image.Image, scene: Scene, time: float) -> None:
    x = scene.sun[0] * canvas.width
    y = (scene.sun[1] - 0.06 * time) * canvas.height
    reach = min(canvas.size)
    for size, strength in ((1.5, 0.32), (0.7, 0.5)):
        side = round(reach * size)
        canvas.paste(scene.palette.light, (round(x - side / 2), round(y - side / 2)), _glow(side, strength))
    radius = reach * scene.sun_size
    _filled(
        canvas,
        scene.palette.light,
        lambda draw: draw.ellipse(_scaled((x - radius, y - radius, x + radius, y + radius)), 255),
    )


def _clouds(canvas: Image.Image, scene: Scene, horizon: int, time: float) -> None:
    random = Random(scene.seed + 2)
    small = (max(8, canvas.width // 4), max(8, horizon // 4))
    mask = Image.new("L", small, 0)
    draw = ImageDraw.Draw(mask)
    for _ in range(random.randint(3, 6)):
        center_x = (random.uniform(-0.1, 1.1) + 0.08 * time) * small[0]
        center_y = random.uniform(0.15, 0.8) * small[1]
        for _ in range(9):
            x = center_x + random.gauss(0, 0.10) * small[0]
            y = center_y + random.gauss(0, 0.02) * small[1]
            half_width, half_height = random.uniform(0.03, 0.09) * small[0], random.uniform(0.015, 0.05) * small[1]
            draw.ellipse(
                (x - half_width, y - half_height, x + half_width, y + half_height), fill=random.randint(70, 150)
            )
    mask = mask.filter(ImageFilter.GaussianBlur(small[0] / 70)).resize(
        (canvas.width, horizon), Image.Resampling.BICUBIC
    )
    tone = blend(scene.palette.sky[-1], scene.palette.light, 0.5)
    if scene.time_of_day == "night":
        tone = blend(scene.palette.sky[2], tone, 0.15)
    canvas.paste(tone, (0, 0), mask)


def _ridge(canvas: Image.Image, scene: Scene, depth: float, horizon: int, time: float) -> None:
    """One line of hills, houses, firs or dunes; ``depth`` 0 is far and pale, 1 is near and dark."""
    random = Random(scene.seed * 31 + round(depth * 1000))
    base = horizon + (canvas.height - horizon) * depth**1.3 * 0.86
    shift = time * 0.12 * (0.2 + depth)
    color = blend(scene.palette.far, scene.palette.near, depth**0.8)
    outline = _OUTLINES.get(scene.place, _hills)(random, canvas.width, canvas.height, base, depth, shift)
    polygon = [*outline, (canvas.width + 2.0, canvas.height + 2.0), (-2.0, canvas.height + 2.0)]
    _filled(canvas, color, lambda draw: draw.polygon([_doubled(point) for point in polygon], fill=255))
    if scene.place == "city" and depth > 0.3:
        _windows(canvas, scene, random, outline, depth)


def _hills(random: Random, width: int, height: int, base: float, depth: float, shift: float) -> list[Point]:
    """Sums of sines: long waves for the shape, short ones for the rock."""
    waves = [(random.uniform(0.7, 1.6) * 2**octave, random.random() * math.tau, 0.56**octave) for octave in range(6)]
    rise = height * 0.16 * (1.15 - 0.7 * depth)
    points = []
    for step in range(-1, 161):
        part = step / 160
        sum_of_waves = sum(
            weight * (1 - 2 * abs(math.sin(math.pi * frequency * (part + shift) + phase)))
            for frequency, phase, weight in waves
        )
        points.append((part * width, base - rise * (0.35 + 0.5 * sum_of_waves)))
    return points


def _dunes(random: Random, width: int, height: int, base: float, depth: float, shift: float) -> list[Point]:
    first, second = random.random() * math.tau, random.random() * math.tau
    frequency, rise = random.uniform(0.6, 1.2), height * 0.09
    return [
        (
            part * width,
            base
            - rise * (math.sin(math.tau * frequency * (part + shift) + first) + 0.3 * math.sin(9 * part + second)),
        )
        for part in (step / 120 for step in range(-1, 122))
    ]


def _roofs(random: Random, width: int, height: int, base: float, depth: float, shift: float) -> list[Point]:
    points: list[Point] = []
    x = -0.12 * width - shift * width
    while x < width * 1.02:
        house_width = width * random.uniform(0.035, 0.085) * (0.7 + depth * 0.6)
        top = base - height * random.uniform(0.05, 0.34) * (1.05 - 0.45 * depth)
        points += [(x, top), (x + house_width, top)]
        if random.random() < 0.25:
            spire = x + house_width * 0.5
            points[-1:-1] = [(spire - 1, top), (spire, top - height * 0.05), (spire + 1, top)]
        x += house_width
    return points


def _firs(random: Random, width: int, height: int, base: float, depth: float, shift: float) -> list[Point]:
    hill = _hills(random, width, height, base, depth, shift)
    points: list[Point] = []
    x = -0.15 * width - shift * width
    while x < width * 1.02:
        half = width * random.uniform(0.008, 0.016) * (0.7 + depth)
        ground = hill[max(0, min(len(hill) - 1, round(x / width * 160) + 1))][1] + height * 0.02
        tall = half * random.uniform(4.0, 7.0)
        for layer in range(3):
            points.append((x + half * layer * 0.33 - half * 0.05, ground - tall * (layer * 0.3)))
            points.append((x + half * (0.12 + layer * 0.38), ground - tall * (layer * 0.3 + 0.22)))
        points.append((x + half, ground - tall))
        for layer in (2, 1, 0):
            points.append((x + half * (1.88 - layer * 0.38), ground - tall * (layer * 0.3 + 0.22)))
            points.append((x + half * (2.05 - layer * 0.33), ground - tall * (layer * 0.3)))
        x += half * random.uniform(1.2, 2.6)
    return points


_OUTLINES: Final[dict[str, Callable[[Random, int, int, float, float, float], list[Point]]]] = {
    "city": _roofs,
    "forest": _firs,
    "desert": _dunes,
}


def _windows(canvas: Image.Image, scene: Scene, random: Random, outline: list[Point], depth: float) -> None:
    lit = blend(scene.palette.light, (255, 190, 90), 0.5)
    draw = ImageDraw.Draw(canvas)
    size = canvas.width / 230 * (0.6 + depth * 0.5)
    for (left, top), (right, right_top) in pairwise(outline):
        if top != right_top or right - left < size * 4:
            continue
        for row in range(12):
            for column in range(int((right - left - size) / (size * 2))):
                if random.random() < 0.3:
                    x, y = left + size * (1.1 + 2 * column), top + size * (1.6 + 2.4 * row)
                    draw.rectangle((x, y, x + size * 0.8, y + size * 1.2), fill=lit)


def _water(canvas: Image.Image, scene: Scene, horizon: int, time: float) -> None:
    """A mirror of the sky that darkens towards us, with the sun's path in short strokes."""
    depth = canvas.height - horizon
    canvas.paste(_gradient(scene.palette.water, canvas.width, depth), (0, horizon))
    random = Random(scene.seed + 3)
    draw = ImageDraw.Draw(canvas)
    sun_x = scene.sun[0] * canvas.width
    for number in range(230):
        near = (number / 230) ** 1.6
        y = horizon + depth * near
        sway = math.sin(time * math.tau + number) * canvas.width * 0.012
        on_path = number % 2 == 0
        center = (
            random.gauss(sun_x, canvas.width * (0.02 + 0.07 * near)) if on_path else random.random() * canvas.width
        )
        half = canvas.width * random.uniform(0.008, 0.03) * (0.4 + near)
        light = scene.palette.light if on_path else scene.palette.water[0]
        under = blend(scene.palette.water[0], scene.palette.water[1], near)
        color = blend(under, light, random.uniform(0.35, 0.85) if on_path else random.uniform(0.1, 0.35))
        thick = max(1, round(canvas.height / 340 * (0.5 + near)))
        draw.line((center + sway - half, y, center + sway + half, y), fill=color, width=thick)


def _vignette(canvas: Image.Image) -> Image.Image:
    """Darker corners lead the eye inwards."""
    shade = Image.radial_gradient("L").point(lambda value: max(0, value - 96) // 2).resize(canvas.size)
    canvas.paste((8, 6, 20), (0, 0), shade)
    return canvas


def _filled(canvas: Image.Image, color: Color, shape: Callable[[ImageDraw.ImageDraw], None]) -> None:
    """Fills a shape, drawn at twice the size, with smooth edges."""
    mask = Image.new("L", (canvas.width * SUPERSAMPLING, canvas.height * SUPERSAMPLING), 0)
    shape(ImageDraw.Draw(mask))
    canvas.paste(color, (0, 0), mask.reduce(SUPERSAMPLING))


def _doubled(point: Point) -> Point:
    return point[0] * SUPERSAMPLING, point[1] * SUPERSAMPLING


def _scaled(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (edge * SUPERSAMPLING for edge in box)
    return left, top, right, bottom
