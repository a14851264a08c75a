"""The log as analysts and other services read it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from service.domain.errors import InvalidField
from service.domain.events import EVENT_TYPES
from service.ports.event_store import EventStore, SubscriptionBatch


class History:
    def __init__(self, store: EventStore) -> None:
        self._store = store

    async def head(self) -> int:
        return await self._store.head()

    async def replay(
        self, *, after: int, types: Collection[str], follow: bool, batch_size: int
    ) -> AsyncIterator[SubscriptionBatch]:
        """Events after position ``after``, in batches; with ``follow`` it goes on live and never ends by itself.

        Raises InvalidField for a position beyond the log's end and for types that do not exist.
        """
        unknown = sorted(set(types) - EVENT_TYPES.keys())
        if unknown:
            known = ", ".join(sorted(EVENT_TYPES))
            raise InvalidField("types", f"{unknown[0]!r} is not an event type; there are: {known}")
        head = await self._store.head()
        if not 0 <= after <= head:
            raise InvalidField("after_position", f"must be 0 to {head}, where the log ends now, not {after}")
        if follow:
            async for batch in self._store.subscribe(after=after, types=types or None, batch_size=batch_size):
                yield batch
            return
        async for events in self._store.read_all(after=after, until=head, types=types or None, batch_size=batch_size):
            yield SubscriptionBatch(tuple(events), events[-1].position)
        yield SubscriptionBatch((), head)
