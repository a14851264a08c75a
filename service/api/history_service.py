"""``HistoryService``: the log, as analysts and other services read it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec
from grpc.aio import ServicerContext
from triptych.v1 import history_service_pb2 as pb
from triptych.v1.history_service_pb2_grpc import HistoryServiceServicer

from service.api import checks, convert_events, convert_simulation
from service.api.dependencies import Core
from service.api.reading import fitting, until_stopping
from service.application.event_types import EventTypeInfo
from service.application.history import HistoryBatch, Selection
from service.application.what_if import Progress
from service.domain.catalog import Catalog
from service.domain.errors import InvalidField
from service.domain.ids import check_external_id

Call = ServicerContext[Any, Any]

DEFAULT_BATCH_SIZE = 500
MAX_BATCH_SIZE = 1000
DEFAULT_USER_COUNT = 10
MAX_USER_COUNT = 100


class HistoryServicer(HistoryServiceServicer):
    def __init__(self, core: Core) -> None:
        self._core = core

    async def GetHead(self, request: pb.GetHeadRequest, context: Call) -> pb.GetHeadResponse:
        return pb.GetHeadResponse(position=await self._core.history.head())

    async def ReplayEvents(
        self, request: pb.ReplayEventsRequest, context: Call
    ) -> AsyncIterator[pb.ReplayEventsResponse]:
        batch_size = checks.page_size(
            request.batch_size, default=DEFAULT_BATCH_SIZE, most=MAX_BATCH_SIZE, field="batch_size"
        )
        selection = _selection(request, self._core.catalog)
        batches = self._core.history.replay(selection, follow=request.follow, batch_size=batch_size)
        async with aclosing(until_stopping(batches, self._core.stopping)) as source:
            async for batch in source:
                for response in _replay_responses(batch):
                    yield response

    async def ListEventTypes(self, request: pb.ListEventTypesRequest, context: Call) -> pb.ListEventTypesResponse:
        found = await self._core.history.event_types()
        return pb.ListEventTypesResponse(event_types=[_event_type(each) for each in found])

    async def SimulateHistory(
        self, request: pb.SimulateHistoryRequest, context: Call
    ) -> AsyncIterator[pb.SimulateHistoryResponse]:
        user_count = checks.page_size(
            request.user_count, default=DEFAULT_USER_COUNT, most=MAX_USER_COUNT, field="user_count"
        )
        simulating = self._core.what_if.simulate(
            catalog_toml=request.catalog_toml,
            refund_rule=request.refund_rule,
            until_position=request.until_position,
            end_time=checks.time("end_time", request.end_time) if request.HasField("end_time") else None,
        )
        async with aclosing(until_stopping(simulating, self._core.stopping)) as source:
            async for found in source:
                if isinstance(found, Progress):
                    yield pb.SimulateHistoryResponse(position=found.position, end_position=found.until)
                else:
                    position = found.comparison.position
                    simulation = convert_simulation.simulation(found, user_count=user_count)
                    yield pb.SimulateHistoryResponse(position=position, end_position=position, simulation=simulation)


def _replay_responses(batch: HistoryBatch) -> list[pb.ReplayEventsResponse]:
    """A batch in messages that fit, each with the position up to which all has been told."""
    responses = fitting(lambda events: pb.ReplayEventsResponse(events=events), convert_events.events(batch.events))
    for response in responses[:-1]:
        response.position = response.events[-1].position
    responses[-1].position = batch.position
    responses[-1].caught_up = batch.caught_up
    return responses


def _selection(request: pb.ReplayEventsRequest, catalog: Catalog) -> Selection:
    if request.generation_type and request.generation_type not in catalog.types:
        known = ", ".join(catalog.types)
        raise InvalidField("generation_type", f"{request.generation_type!r} is not a known type; there are: {known}")
    return Selection(
        after_position=request.after_position,
        until_position=request.until_position,
        start_time=checks.time("start_time", request.start_time) if request.HasField("start_time") else None,
        end_time=checks.time("end_time", request.end_time) if request.HasField("end_time") else None,
        types=frozenset(request.types),
        categories=frozenset(request.categories),
        user_id=check_external_id("user_id", request.user_id) if request.user_id else "",
        generation_type=request.generation_type,
    )


def _event_type(info: EventTypeInfo) -> pb.EventType:
    message = pb.EventType(
        name=info.name,
        category=info.category,
        description=info.description,
        versions=info.versions,
        json_schema=msgspec.json.encode(info.json_schema).decode(),
        count=info.count,
    )
    if info.first_at is not None and info.last_at is not None:
        message.first_time.FromDatetime(info.first_at)
        message.last_time.FromDatetime(info.last_at)
    return message
