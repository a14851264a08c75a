"""Calls of ``GenerationService``."""

from __future__ import annotations

import uuid
from typing import Any, TypedDict

from triptych.v1 import generation_service_pb2 as pb

from clients.sdk import convert, models, results
from clients.sdk.rpc import Call, StreamCall, build


class GenerationOptions(TypedDict, total=False):
    """What a request may say besides user, type and prompt. What is left out or None is the service's choice."""

    request_id: str | None
    aspect_ratio: str | None
    output_count: int | None
    seed: int | None
    reference_media_id: str | None
    enhance_prompt: bool | None


def request_generation(
    user_id: str, type_name: str, prompt: str, options: GenerationOptions
) -> Call[results.Requested]:
    fields: dict[str, Any] = {**options, "request_id": options.get("request_id") or str(uuid.uuid4())}
    request = build(pb.RequestGenerationRequest, user_id=user_id, type=type_name, prompt=prompt, **fields)
    return Call(method=lambda stubs: stubs.generations.RequestGeneration, request=request, convert=convert.requested)


def get_generation(generation_id: str, user_id: str | None) -> Call[models.Generation]:
    return Call(
        method=lambda stubs: stubs.generations.GetGeneration,
        request=build(pb.GetGenerationRequest, generation_id=generation_id, user_id=user_id),
        convert=lambda answer: convert.generation(answer.generation),
    )


def list_generations(user_id: str, **fields: Any) -> Call[results.Page[models.Generation]]:
    return Call(
        method=lambda stubs: stubs.generations.ListGenerations,
        request=build(pb.ListGenerationsRequest, user_id=user_id, **fields),
        convert=convert.generation_page,
    )


def cancel_generation(generation_id: str, user_id: str | None) -> Call[models.Generation]:
    return Call(
        method=lambda stubs: stubs.generations.CancelGeneration,
        request=build(pb.CancelGenerationRequest, generation_id=generation_id, user_id=user_id),
        convert=lambda answer: convert.generation(answer.generation),
    )


def watch_generation(generation_id: str, user_id: str | None) -> StreamCall[models.Generation]:
    def resume(request: pb.WatchGenerationRequest, answer: pb.WatchGenerationResponse) -> None:
        # Another server may be behind the one that broke off; what was told once must not be taken back.
        request.at_least_position = answer.position

    return StreamCall(
        method=lambda stubs: stubs.generations.WatchGeneration,
        request=build(pb.WatchGenerationRequest, generation_id=generation_id, user_id=user_id),
        convert=lambda answer: convert.generation(answer.generation),
        resume=resume,
        endless=True,
    )


def list_types() -> Call[models.Catalog]:
    return Call(
        method=lambda stubs: stubs.generations.ListTypes,
        request=pb.ListTypesRequest(),
        convert=convert.catalog,
    )
