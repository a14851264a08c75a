"""The log of everything that happened."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Unpack

from clients.sdk.asynchronous.transport import AsyncMethods
from clients.sdk.calls import history as calls
from clients.sdk.calls.history import ReplayFilter, WhatIf
from clients.sdk.events import Event, EventBatch, EventType
from clients.sdk.simulation import SimulationStep


class AsyncHistory(AsyncMethods):
    """The methods of ``HistoryService``."""

    async def get_head(self) -> int:
        """The position of the log's last event."""
        return await self._transport.call(calls.get_head())

    async def replay_events(
        self, after: int = 0, *, follow: bool = False, batch_size: int | None = None, **where: Unpack[ReplayFilter]
    ) -> AsyncGenerator[Event, None]:
        """Events behind a position, in the log's order; with ``follow`` it then goes on live and never ends.

        Goes on after a lost connection; every event comes once.
        """
        batches = self.replay_batches(after, follow=follow, batch_size=batch_size, **where)
        async with aclosing(batches):
            async for batch in batches:
                for event in batch.events:
                    yield event

    def replay_batches(
        self, after: int = 0, *, follow: bool = False, batch_size: int | None = None, **where: Unpack[ReplayFilter]
    ) -> AsyncGenerator[EventBatch, None]:
        """The same in batches, which also tell how far the log has been read when no event matched."""
        return self._transport.stream(calls.replay_events(after, follow, batch_size, where))

    async def list_event_types(self) -> tuple[EventType, ...]:
        """What kinds of events there are, with their JSON Schema, and how many of each are in the log."""
        return await self._transport.call(calls.list_event_types())

    def simulate_history(self, **what_if: Unpack[WhatIf]) -> AsyncGenerator[SimulationStep, None]:
        """What another catalog or refund rule would have made of history; the last step has the comparison.

        Changes nothing. After a lost connection it begins again.
        """
        return self._transport.stream(calls.simulate_history(what_if))
