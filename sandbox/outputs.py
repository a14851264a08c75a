"""From a job to its output: what is drawn, and the JSON that the model answers with.

Two shapes of picture are in circulation at the vendor: with file name and size (Imagen), or with width and height
(Flux). The sandbox keeps them apart as the vendor does.
"""

from __future__ import annotations

import base64
from typing import Any, Final, cast

from sandbox.drawing import DrawingSpec
from sandbox.drawing.render import CONTENT_TYPES, FileFormat
from sandbox.fal_errors import VendorRefusal, model_error
from sandbox.faults import without_words
from sandbox.jobs import Job
from sandbox.media import DrawnFile
from sandbox.models import Arguments, pixel_size

_SUFFIXES: Final = {"jpeg": "jpg"}


def specs_for(job: Job, arguments: Arguments, reference: str, longer_side: int) -> list[DrawingSpec]:
    """What is drawn, in order, with the job's planned fault taken into account.

    Raises:
        VendorRefusal: all outputs are flagged, and the model has no way to say so but an error.
    """
    width, height = pixel_size(arguments, longer_side)
    asked = int(getattr(arguments, "num_images", 1))
    file_format = "mp4" if job.model.kind == "video" else str(getattr(arguments, "output_format", "png"))
    plan = job.plan.kind if job.plan else ""
    flagged = {"flagged": set(range(asked)), "one_flagged": {0}}.get(plan, set())
    delivered = {"two_of_four": asked // 2, "no_outputs": 0}.get(plan, asked)
    if flagged and not job.model.has_flags:
        if len(flagged) == asked:
            raise VendorRefusal(model_error("no_media_generated", given=arguments.prompt))
        return _specs(job, arguments, reference, width, height, file_format, range(len(flagged), asked), set())
    return _specs(job, arguments, reference, width, height, file_format, range(delivered), flagged)


def _specs(
    job: Job,
    arguments: Arguments,
    reference: str,
    width: int,
    height: int,
    file_format: str,
    indexes: range,
    flagged: set[int],
) -> list[DrawingSpec]:
    return [
        DrawingSpec(
            kind=job.model.kind,
            prompt=without_words(arguments.prompt),
            seed=job.seed,
            index=index,
            width=width,
            height=height,
            file_format=cast(FileFormat, file_format),
            reference=reference,
            blank=index in flagged,
        )
        for index in indexes
    ]


def file_for(spec: DrawingSpec, drawn: bytes) -> DrawnFile:
    suffix = _SUFFIXES.get(spec.file_format, spec.file_format)
    return DrawnFile(f"output-{spec.index}.{suffix}", CONTENT_TYPES[spec.file_format], len(drawn), spec)


def payload_for(
    job: Job, arguments: Arguments, files: list[DrawnFile], drawn: list[bytes], base_url: str
) -> dict[str, Any]:
    """The model's answer. ``base_url`` is where the job's files are served."""
    if job.plan is not None and job.plan.kind == "wrong_shape":
        return {"output": "done", "version": 2}
    inline = bool(getattr(arguments, "sync_mode", False))
    urls = [
        _data_uri(file, content) if inline else f"{base_url}/{file.name}"
        for file, content in zip(files, drawn, strict=True)
    ]
    if job.model.kind == "video":
        return {"video": _with_name(files[0], urls[0]) if files else None}
    if not job.model.has_flags:
        return {"images": [_with_name(file, url) for file, url in zip(files, urls, strict=True)], "seed": job.seed}
    return {
        "images": [_with_size(file, url) for file, url in zip(files, urls, strict=True)],
        "timings": {"inference": round(job.run_seconds, 3)},
        "seed": job.seed,
        "has_nsfw_concepts": [file.spec.blank for file in files],
        "prompt": arguments.prompt,
    }


def _with_name(file: DrawnFile, url: str) -> dict[str, Any]:
    return {"url": url, "content_type": file.content_type, "file_name": file.name, "file_size": file.size_bytes}


def _with_size(file: DrawnFile, url: str) -> dict[str, Any]:
    return {"url": url, "width": file.spec.width, "height": file.spec.height, "content_type": file.content_type}


def _data_uri(file: DrawnFile, content: bytes) -> str:
    return f"data:{file.content_type};base64,{base64.b64encode(content).decode()}"
