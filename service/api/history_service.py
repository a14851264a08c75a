"""``HistoryService``: the log, as analysts and other services read it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from grpc.aio import ServicerContext
from triptych.v1 import history_service_pb2 as pb
from triptych.v1.history_service_pb2_grpc import HistoryServiceServicer

from service.api import checks, convert_events
from service.api.dependencies import Core
from service.api.reading import split_by_bytes, until_stopping

Call = ServicerContext[Any, Any]

DEFAULT_BATCH_SIZE = 500
MAX_BATCH_SIZE = 1000


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
        head = await self._core.history.head()
        batches = self._core.history.replay(
            after=request.after_position, types=request.types, follow=request.follow, batch_size=batch_size
        )
        async with aclosing(until_stopping(batches, self._core.stopping)) as source:
            async for batch in source:
                parts = list(split_by_bytes(convert_events.event(each) for each in batch.events)) or [[]]
                for events in parts[:-1]:
                    yield pb.ReplayEventsResponse(events=events, position=events[-1].position)
                yield pb.ReplayEventsResponse(
                    events=parts[-1], position=batch.position, caught_up=batch.position >= head
                )
