"""From a description of one output to the bytes of its file."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image

from sandbox.drawing.film import film
from sandbox.drawing.paint import paint
from sandbox.drawing.portrait import paint_portrait
from sandbox.drawing.scene import scene_for

FileFormat = Literal["png", "jpeg", "webp", "mp4"]

CONTENT_TYPES: Final[dict[str, str]] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "mp4": "video/mp4",
}


@dataclass(frozen=True)
class DrawingSpec:
    """Everything that decides one output's bytes.

    Attributes:
        kind: image, avatar or video.
        prompt: without the sandbox's own words.
        seed: the job's seed.
        index: which of the job's outputs, from 0.
        width, height: pixels.
        file_format: png, jpeg, webp or mp4.
        reference: SHA-256 (hex) of the reference picture, empty if there is none.
        blank: all black, as a safety checker leaves a picture.
    """

    kind: Literal["image", "avatar", "video"]
    prompt: str
    seed: int
    index: int
    width: int
    height: int
    file_format: FileFormat
    reference: str = ""
    blank: bool = False


def render(spec: DrawingSpec, reference: bytes | None = None) -> bytes:
    """The file's bytes. ``reference`` are the bytes of the picture that ``spec.reference`` names."""
    if spec.blank:
        return _encoded(Image.new("RGB", (spec.width, spec.height)), spec.file_format)
    scene = scene_for(spec.prompt, _scene_seed(spec))
    if spec.kind == "video":
        return film(scene, spec.width, spec.height)
    if spec.kind == "avatar":
        return _encoded(paint_portrait(scene, spec.width, spec.height, reference), spec.file_format)
    return _encoded(paint(scene, spec.width, spec.height), spec.file_format)


def _scene_seed(spec: DrawingSpec) -> int:
    text = f"{spec.prompt}\n{spec.seed}\n{spec.index}\n{spec.width}x{spec.height}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def _encoded(picture: Image.Image, file_format: FileFormat) -> bytes:
    """Quick rather than small: the sandbox draws far more than it stores."""
    target = io.BytesIO()
    if file_format == "png":
        picture.save(target, "PNG", compress_level=1)
    elif file_format == "jpeg":
        picture.save(target, "JPEG", quality=88)
    else:
        picture.save(target, "WEBP", quality=80, method=0)
    return target.getvalue()
