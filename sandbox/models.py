"""The fal models that the sandbox has, and the arguments that each of them takes.

The vendor's models are pydantic models behind FastAPI, so these are too: the error bodies (``loc``, ``msg``,
``type``) then come out as the vendor's do, unknown arguments are ignored as there, and wrong values are refused.
Sources: the models' API pages at fal.ai (fields, bounds and defaults).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["image", "avatar", "video"]

Prompt = Annotated[str, Field(min_length=1, max_length=5000)]
OutputCount = Annotated[int, Field(ge=1, le=4)]


class Arguments(BaseModel):
    """What all models have in common."""

    model_config = ConfigDict(extra="ignore")

    prompt: Prompt
    seed: int | None = None


class Imagen4Arguments(Arguments):
    aspect_ratio: Literal["1:1", "16:9", "9:16", "4:3", "3:4"] = "1:1"
    num_images: OutputCount = 1
    resolution: Literal["1K", "2K"] = "1K"
    output_format: Literal["png", "jpeg", "webp"] = "png"
    safety_tolerance: Literal["1", "2", "3", "4", "5", "6"] = "4"
    sync_mode: bool = False


class ImageSize(BaseModel):
    """A size in pixels."""

    width: Annotated[int, Field(gt=0, le=14142)] = 512
    height: Annotated[int, Field(gt=0, le=14142)] = 512


SizeName = Literal["square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"]


class FluxArguments(Arguments):
    """What the Flux-based models have in common."""

    image_size: ImageSize | SizeName = "square_hd"
    num_images: OutputCount = 1
    num_inference_steps: Annotated[int, Field(ge=1, le=50)] = 28
    guidance_scale: Annotated[float, Field(ge=0, le=35)] = 3.5
    enable_safety_checker: bool = True
    output_format: Literal["jpeg", "png"] = "jpeg"
    sync_mode: bool = False


class InstantCharacterArguments(FluxArguments):
    image_url: Annotated[str, Field(min_length=1)]
    scale: Annotated[float, Field(ge=0, le=2)] = 1.0
    negative_prompt: str = ""


class LoraWeight(BaseModel):
    """A LoRA by url or name."""

    path: Annotated[str, Field(min_length=1)]
    scale: Annotated[float, Field(ge=0, le=4)] = 1.0


class FluxLoraArguments(FluxArguments):
    loras: list[LoraWeight] = []


class Veo31Arguments(Arguments):
    aspect_ratio: Literal["16:9", "9:16"] = "16:9"
    duration: Literal["4s", "6s", "8s"] = "8s"
    resolution: Literal["720p", "1080p"] = "720p"
    negative_prompt: str | None = None
    generate_audio: bool = True
    auto_fix: bool = True


@dataclass(frozen=True)
class Model:
    """A model at the vendor.

    Attributes:
        name: as in the url that is submitted to.
        kind: what it makes.
        arguments: what it takes.
        queue_seconds, run_seconds: a believable time at speed 1.
        has_flags: its output says for each picture whether the safety checker blanked it.
    """

    name: str
    kind: Kind
    arguments: type[Arguments]
    queue_seconds: float
    run_seconds: float
    has_flags: bool = False

    @property
    def app(self) -> str:
        """Owner and alias: job urls leave out the rest of the name."""
        return "/".join(self.name.split("/")[:2])


MODELS: Final[dict[str, Model]] = {
    model.name: model
    for model in (
        Model("fal-ai/imagen4/preview", "image", Imagen4Arguments, 1.2, 2.4),
        Model("fal-ai/instant-character", "avatar", InstantCharacterArguments, 1.2, 3.0, has_flags=True),
        Model("fal-ai/flux-lora", "avatar", FluxLoraArguments, 1.2, 3.0, has_flags=True),
        Model("fal-ai/veo3.1/fast", "video", Veo31Arguments, 1.5, 5.0),
    )
}

_PROPORTIONS: Final[dict[str, tuple[int, int]]] = {
    "1:1": (1, 1),
    "16:9": (16, 9),
    "9:16": (9, 16),
    "4:3": (4, 3),
    "3:4": (3, 4),
    "square_hd": (1, 1),
    "square": (1, 1),
    "portrait_4_3": (3, 4),
    "portrait_16_9": (9, 16),
    "landscape_4_3": (4, 3),
    "landscape_16_9": (16, 9),
}


MIN_SIDE: Final = 64


def pixel_size(arguments: Arguments, longer_side: int) -> tuple[int, int]:
    """(width, height) in the asked proportions, both even (video needs that), the longer being ``longer_side``.

    The shorter is at least ``MIN_SIDE``, whatever was asked."""
    asked: Any = getattr(arguments, "aspect_ratio", None) or getattr(arguments, "image_size", "1:1")
    width, height = (asked.width, asked.height) if isinstance(asked, ImageSize) else _PROPORTIONS[asked]
    scale = longer_side / max(width, height)
    return max(MIN_SIDE, round(width * scale / 2) * 2), max(MIN_SIDE, round(height * scale / 2) * 2)
