"""What fal's models want to be told, in their own words.

The models of a family name the same things alike, so a family is a prefix of the model's name and a ``Shape``. A
model of no known family gets the most common one; whatever else it needs comes from the catalog's ``arguments``.
Sources: the models' API pages at fal.ai.
"""

from __future__ import annotations

import base64
from typing import Any, Literal

import msgspec

from service.ports.media_provider import SubmitRequest


class Unsuitable(Exception):
    """The catalog's model cannot make what was asked; the message is for the operator."""


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How a family of models names what every request has. An empty name: it cannot be told."""

    size: Literal["aspect_ratio", "image_size"] = "aspect_ratio"
    count: str = "num_images"
    reference: str = ""
    lora: bool = False
    """Takes ``loras``; the catalog gives ``lora_path`` and ``lora_scale``, because its values are plain ones."""


FAMILIES: dict[str, Shape] = {
    "fal-ai/imagen4": Shape(),
    "fal-ai/instant-character": Shape(size="image_size", reference="image_url"),
    "fal-ai/flux-lora": Shape(size="image_size", lora=True),
    "fal-ai/veo": Shape(count=""),
}
DEFAULT_SHAPE = Shape(reference="image_url")

_SIZE_NAMES = {
    "1:1": "square_hd",
    "3:4": "portrait_4_3",
    "9:16": "portrait_16_9",
    "4:3": "landscape_4_3",
    "16:9": "landscape_16_9",
}
_PIXELS = 1024 * 1024
_STEP_PIXELS = 16


def shape_of(model: str) -> Shape:
    """The shape of the longest prefix that fits."""
    fitting = [prefix for prefix in FAMILIES if model.startswith(prefix)]
    return FAMILIES[max(fitting, key=len)] if fitting else DEFAULT_SHAPE


def arguments_for(request: SubmitRequest) -> dict[str, Any]:
    """The JSON body of a submit. Raises Unsuitable.

    The catalog's arguments come first, so that they cannot change what was asked and paid for.
    """
    shape = shape_of(request.model)
    arguments: dict[str, Any] = dict(request.arguments)
    if shape.lora:
        _fold_lora(arguments)
    arguments["prompt"] = request.prompt
    if shape.size == "image_size":
        arguments["image_size"] = image_size(request.aspect_ratio)
    else:
        arguments["aspect_ratio"] = request.aspect_ratio
    if shape.count:
        arguments[shape.count] = request.output_count
    elif request.output_count != 1:
        raise Unsuitable(
            f"{request.model} makes one output a request, not {request.output_count}: set max_outputs = 1"
        )
    if request.seed is not None:
        arguments["seed"] = request.seed
    if request.reference is not None:
        if not shape.reference:
            raise Unsuitable(f"{request.model} takes no reference picture: set needs_reference = false")
        arguments[shape.reference] = data_uri(request.reference, request.reference_content_type)
    return arguments


def _fold_lora(arguments: dict[str, Any]) -> None:
    path = arguments.pop("lora_path", None)
    scale = arguments.pop("lora_scale", None)
    if path is not None:
        arguments["loras"] = [{"path": path} | ({} if scale is None else {"scale": scale})]


def image_size(aspect_ratio: str) -> str | dict[str, int]:
    """fal's name of the size where there is one, else about a megapixel in that ratio."""
    if (name := _SIZE_NAMES.get(aspect_ratio)) is not None:
        return name
    across, down = (int(part) for part in aspect_ratio.split(":"))
    unit = (_PIXELS / (across * down)) ** 0.5
    return {"width": _stepped(across * unit), "height": _stepped(down * unit)}


def _stepped(pixels: float) -> int:
    return max(_STEP_PIXELS, round(pixels / _STEP_PIXELS) * _STEP_PIXELS)


def data_uri(content: bytes, content_type: str) -> str:
    """The file itself as a url (RFC 2397), so that no reference picture has to be reachable from outside."""
    return f"data:{content_type or 'application/octet-stream'};base64,{base64.b64encode(content).decode('ascii')}"
