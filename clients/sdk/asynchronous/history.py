"""The log of everything that happened."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from clients.sdk.asynchronous.transport import AsyncMethods
from clients.sdk.calls import history as calls
from clients.sdk.events import Event, EventBatch


class AsyncHistory(AsyncMethods):
    """The methods of ``HistoryService``."""

    async def get_head(self) -> int:
        """The position of the log's last event."""
        return await self._transport.call(calls.get_head())

    async def replay_events(
        self, after: int = 0, *, types: Sequence[str] = (), follow: bool = False, batch_size: int | None = None
    ) -> AsyncGenerator[Event, None]:
        """Events behind a position, in the log's order; with ``follow`` it then goes on live and never ends.

        ``types`` are names such as "GenerationFailed". Goes on after a lost connection; every event comes once.
        """
        batches = self.replay_batches(after, types=types, follow=follow, batch_size=batch_size)
        async with aclosing(batches):
            async for batch in batches:
                for event in batch.events:
                    yield event

    def replay_batches(
        self, after: int = 0, *, types: Sequence[str] = (), follow: bool = False, batch_size: int | None = None
    ) -> AsyncGenerator[EventBatch, None]:
        """The same in batches, which also tell how far the log has been read when no event matched."""
        return self._transport.stream(calls.replay_events(after, types, follow, batch_size))
