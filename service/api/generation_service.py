"""``GenerationService``: asking for generations, reading them, asking out of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from grpc.aio import ServicerContext
from triptych.v1 import generation_service_pb2 as pb
from triptych.v1.generation_pb2 import Generation
from triptych.v1.generation_service_pb2_grpc import GenerationServiceServicer

from service.api import checks, convert, page_tokens
from service.api.caller import CALLER
from service.api.dependencies import Core
from service.api.reading import catch_up, patience_seconds, until_stopping, wait_until
from service.application.execute import Outcome
from service.domain.errors import NotCancellable, NotFound
from service.domain.generation import state as domain
from service.domain.generation.events import AskedParameters
from service.domain.ids import check_external_id, check_generation_id
from service.ports.projections import ProjectionBehind, ReadModelsUnavailable
from service.ports.read_models import ENDED_STATES, GenerationRow

Call = ServicerContext[Any, Any]

MAX_SETTLE_SECONDS = 2.0
"""How long a command's answer waits for the read model before it tells what the log tells."""


class GenerationServicer(GenerationServiceServicer):
    def __init__(self, core: Core) -> None:
        self._core = core

    async def RequestGeneration(
        self, request: pb.RequestGenerationRequest, context: Call
    ) -> pb.RequestGenerationResponse:
        outcome = await self._core.generations.request(
            user_id=request.user_id,
            request_id=request.request_id,
            asked=asked_parameters(request),
            context=CALLER.get().context,
        )
        if outcome.changed:
            generation = convert.generation_state(outcome.state, outcome.position)
        else:
            generation = await self._settled(outcome, context)
        return pb.RequestGenerationResponse(generation=generation, position=outcome.position, created=outcome.changed)

    async def GetGeneration(self, request: pb.GetGenerationRequest, context: Call) -> pb.GetGenerationResponse:
        generation_id = check_generation_id(request.generation_id)
        await wait_until(self._core, "generations", request.at_least_position, context)
        row, position = await self._read(generation_id, request.user_id, context)
        return pb.GetGenerationResponse(generation=convert.generation(row), position=position)

    async def ListGenerations(self, request: pb.ListGenerationsRequest, context: Call) -> pb.ListGenerationsResponse:
        user_id = check_external_id("user_id", request.user_id)
        question = ("generations", user_id, request.unfinished_only)
        cursor = page_tokens.decode_cursor(request.page_token, question)
        limit = checks.page_size(request.page_size)
        await wait_until(self._core, "generations", request.at_least_position, context)
        page = await self._core.generation_queries.list_generations(
            user_id, unfinished_only=request.unfinished_only, cursor=cursor, limit=limit
        )
        return pb.ListGenerationsResponse(
            generations=[convert.generation(row) for row in page.generations],
            next_page_token=page_tokens.encode(page.older, question),
            previous_page_token=page_tokens.encode(page.newer, question),
            position=page.position,
        )

    async def WatchGeneration(
        self, request: pb.WatchGenerationRequest, context: Call
    ) -> AsyncIterator[pb.WatchGenerationResponse]:
        generation_id = check_generation_id(request.generation_id)
        await wait_until(self._core, "generations", request.at_least_position, context)
        told: Generation | None = None
        wakeups = self._core.feed.watch("generations", generation_id)
        async for _ in until_stopping(wakeups, self._core.stopping):
            # Read only now: whatever changed while the last message was on its way is in this one.
            row, position = await self._read(generation_id, request.user_id, context)
            generation = convert.generation(row)
            if generation != told:
                yield pb.WatchGenerationResponse(generation=generation, position=position)
                told = generation
            if row.state in ENDED_STATES:
                return

    async def CancelGeneration(
        self, request: pb.CancelGenerationRequest, context: Call
    ) -> pb.CancelGenerationResponse:
        core = self._core
        generation_id = check_generation_id(request.generation_id)
        user_id = request.user_id or (await core.generations.load(generation_id)).user_id
        outcome = await core.generations.cancel(
            user_id=user_id, generation_id=generation_id, context=CALLER.get().context
        )
        if outcome.state.ended:
            return pb.CancelGenerationResponse(
                generation=await self._settled(outcome, context), position=outcome.position
            )
        return await self._vendors_verdict(outcome, context)

    async def ListTypes(self, request: pb.ListTypesRequest, context: Call) -> pb.ListTypesResponse:
        catalog = self._core.catalog
        return pb.ListTypesResponse(
            types=[convert.generation_type(name, media_type) for name, media_type in catalog.types.items()],
            max_prompt_characters=catalog.max_prompt_characters,
        )

    async def _read(self, generation_id: str, user_id: str, context: Call) -> tuple[GenerationRow, int]:
        """The row; that of a request so new that the read model lacks it is waited for. Raises NotFound."""
        queries = self._core.generation_queries
        try:
            row, position = await queries.generation(generation_id)
        except NotFound:
            await self._core.generations.load(generation_id)
            await catch_up(self._core, "generations", context)
            row, position = await queries.generation(generation_id)
        if user_id and row.user_id != user_id:
            raise NotFound("generation", generation_id)
        return row, position

    async def _settled(self, outcome: Outcome[domain.Generation], context: Call) -> Generation:
        """The generation with its items and times, or as the log has it when the read model is late or away."""
        timeout_seconds = min(MAX_SETTLE_SECONDS, patience_seconds(self._core, context))
        try:
            await self._core.waiter.wait("generations", outcome.position, timeout_seconds=timeout_seconds)
            row, _ = await self._core.generation_queries.generation(outcome.state.generation_id)
        except (ProjectionBehind, ReadModelsUnavailable):
            return convert.generation_state(outcome.state, outcome.position)
        return convert.generation(row)

    async def _vendors_verdict(
        self, outcome: Outcome[domain.Generation], context: Call
    ) -> pb.CancelGenerationResponse:
        """Waits for what comes of the wish to cancel. Raises NotCancellable when the vendor would not."""
        generation_id = outcome.state.generation_id
        response = pb.CancelGenerationResponse(
            generation=convert.generation_state(outcome.state, outcome.position), position=outcome.position
        )
        wakeups = until_stopping(self._core.feed.watch("generations", generation_id), self._core.stopping)
        try:
            async with asyncio.timeout(patience_seconds(self._core, context)) as limit, aclosing(wakeups):
                async for _ in wakeups:
                    row, position = await self._read(generation_id, "", context)
                    if position >= outcome.position:
                        response = pb.CancelGenerationResponse(
                            generation=convert.generation(row), position=row.update_position
                        )
                        if is_decided(row):
                            break
        except TimeoutError:
            if not limit.expired():
                raise
        return response  # If time ran out, it says that it is still being cancelled.


def is_decided(row: GenerationRow) -> bool:
    """Whether a wish to cancel has come to its end. Raises NotCancellable when it came too late."""
    if row.state == "cancelling":
        return False
    if row.state == "cancelled":
        return True
    why = row.cancel_refused_why or f"It is too late to cancel: it has {row.state}."
    raise NotCancellable(row.generation_id, row.state, why)


def asked_parameters(request: pb.RequestGenerationRequest) -> AskedParameters:
    """What was asked, as the domain compares it. Raises InvalidField for what the domain would not see."""
    if request.reference_media_id:
        check_external_id("reference_media_id", request.reference_media_id)
    return AskedParameters(
        generation_type=request.type,
        prompt=checks.free_text("prompt", request.prompt),
        aspect_ratio=request.aspect_ratio,
        output_count=request.output_count if request.HasField("output_count") else 1,
        seed=request.seed if request.HasField("seed") else None,
        reference_media_id=request.reference_media_id,
        enhance_prompt=request.enhance_prompt if request.HasField("enhance_prompt") else True,
    )
