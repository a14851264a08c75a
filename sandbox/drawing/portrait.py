"""The avatar: the reference picture, painted over, in front of a scene.

The reference stays recognisable (that is the point of an avatar) and takes on the scene's light: it is cropped to an
oval, softened like brushwork, tinted with the palette and rimmed with the scene's light. Without a reference
(``fal-ai/flux-lora`` needs none) the oval holds a plain head and shoulders.
"""

from __future__ import annotations

import io

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from sandbox.drawing.paint import paint
from sandbox.drawing.palette import blend
from sandbox.drawing.scene import Scene


def paint_portrait(scene: Scene, width: int, height: int, reference: bytes | None) -> Image.Image:
    """An RGB picture of ``width`` x ``height`` pixels with the reference in its middle."""
    # Out of focus, so it can be painted at half the size.
    half = paint(scene, width // 2, height // 2).filter(ImageFilter.GaussianBlur(min(width, height) / 180))
    backdrop = half.resize((width, height), Image.Resampling.BICUBIC)
    side = max(16, round(min(width, height) * 0.74))
    face_size = (side * 5 // 6, side)
    face = _from_reference(reference, face_size, scene) if reference else _plain_head(face_size, scene)
    mask = Image.new("L", (face_size[0] * 2, face_size[1] * 2), 0)
    ImageDraw.Draw(mask).ellipse((2, 2, face_size[0] * 2 - 3, face_size[1] * 2 - 3), fill=255)
    mask = mask.reduce(2)
    corner = ((width - face_size[0]) // 2, (height - face_size[1]) // 2)
    _halo(backdrop, scene, corner, face_size)
    backdrop.paste(face, corner, mask)
    return backdrop


def _from_reference(reference: bytes, size: tuple[int, int], scene: Scene) -> Image.Image:
    with Image.open(io.BytesIO(reference)) as opened:
        cropped = ImageOps.fit(opened.convert("RGB"), size, Image.Resampling.LANCZOS, centering=(0.5, 0.4))
    half = cropped.reduce(2).filter(ImageFilter.MedianFilter(3))
    painted = Image.blend(cropped, half.resize(size, Image.Resampling.BICUBIC), 0.7)
    tones = ImageOps.colorize(
        ImageOps.grayscale(painted), black=scene.palette.near, mid=scene.palette.sky[1], white=scene.palette.light
    )
    toned = Image.blend(painted, tones, 0.28)
    return ImageEnhance.Contrast(toned).enhance(1.12)


def _plain_head(size: tuple[int, int], scene: Scene) -> Image.Image:
    width, height = size
    face = Image.new("RGB", size, scene.palette.sky[1])
    draw = ImageDraw.Draw(face)
    skin = blend(scene.palette.light, scene.palette.far, 0.35)
    cloth = blend(scene.palette.near, scene.palette.sky[0], 0.4)
    draw.ellipse((width * 0.08, height * 0.68, width * 0.92, height * 1.35), fill=cloth)
    draw.rectangle((width * 0.42, height * 0.52, width * 0.58, height * 0.74), fill=blend(skin, cloth, 0.25))
    draw.ellipse(
        (width * 0.26, height * 0.14, width * 0.74, height * 0.56), fill=blend(scene.palette.near, (0, 0, 0), 0.2)
    )
    draw.ellipse((width * 0.30, height * 0.22, width * 0.70, height * 0.64), fill=skin)
    return face.filter(ImageFilter.GaussianBlur(width / 220))


def _halo(backdrop: Image.Image, scene: Scene, corner: tuple[int, int], size: tuple[int, int]) -> None:
    """A rim of light around the oval."""
    margin = size[0] // 7
    box = (size[0] + 2 * margin, size[1] + 2 * margin)
    small = Image.new("L", (box[0] // 4 + 1, box[1] // 4 + 1), 0)
    inset = margin / 4 * 0.75
    ImageDraw.Draw(small).ellipse((inset, inset, small.width - inset, small.height - inset), fill=210)
    glow = small.filter(ImageFilter.GaussianBlur(max(1.0, inset / 3))).resize(box, Image.Resampling.BICUBIC)
    light = Image.new("RGB", box, scene.palette.light)
    left, top = corner[0] - margin, corner[1] - margin
    under = backdrop.crop((left, top, left + box[0], top + box[1]))
    backdrop.paste(Image.composite(ImageChops.screen(under, light), under, glow), (left, top))
