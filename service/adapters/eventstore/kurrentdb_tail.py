"""Following ``$all``: one catch-up subscription, its messages gathered into batches.

The server delivers what is in the log, says that it has *caught up*, and goes on live. While it is catching up a
batch waits until it is full; afterwards it takes what is there. A slow reader fills a bounded queue, then the
client's, then the transport's window, and so slows only its own subscription on the server.

Only positions of events are ever given out. The checkpoints of a filtered subscription (and what it says when it has
caught up) may be any place in the log, and the client cannot resume at such a place without stepping over an event
that begins there. So the last event before a checkpoint is looked up; that is rare.

A position at which no record begins is refused by the server. It can only come from a caller who made it up (time
travel to position 4711): such a reading begins at a place that is known to lie before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import NamedTuple

import kurrentdbclient as kdb
import structlog
from kurrentdbclient.exceptions import InvalidCommitPositionError, KurrentDBClientError

from service.adapters.eventstore.kurrentdb_backwards import BackwardsReader
from service.adapters.eventstore.kurrentdb_client import KurrentClient, SubscriptionClients
from service.adapters.eventstore.kurrentdb_connection import CALL_TIMEOUT_SECONDS, told_as_unavailable
from service.adapters.eventstore.kurrentdb_moments import Moments
from service.adapters.eventstore.kurrentdb_records import is_ours
from service.ports.event_store import EventStoreUnavailable

_log = structlog.get_logger(__name__)

SEARCH_WINDOW = 1000
"""Events that the server looks through for one page of a filtered subscription."""
CHECKPOINT_INTERVAL = 10
"""In search windows: how far a subscription to rare types may get between two checkpoints."""
_MOST_QUEUED = 1000

_Message = kdb.RecordedEvent | Exception


class TailBatch(NamedTuple):
    records: Sequence[kdb.RecordedEvent]
    position: int
    """Of an event: everything up to here was delivered, or is not of the types asked for."""
    caught_up: bool
    """Whether the subscription has delivered all that was in the log when it began."""


TailBatches = AsyncGenerator[TailBatch, None]


class InvalidPosition(Exception):
    """No record begins there."""


class LogTail:
    def __init__(self, clients: SubscriptionClients, backwards: BackwardsReader, moments: Moments) -> None:
        self._clients = clients
        self._backwards = backwards
        self._moments = moments

    async def batches(self, after: int, pattern: str, batch_size: int) -> TailBatches:
        """For ever, from one subscription. Raises EventStoreUnavailable when it ends.

        ``pattern``: of the whole type of the events wanted (``kurrentdb_records``).
        """
        start = after
        while True:
            try:
                async with aclosing(self._subscription(start, after, pattern, batch_size)) as batches:
                    async for batch in batches:
                        yield batch
            except InvalidPosition:
                if start != after:
                    raise EventStoreUnavailable(f"KurrentDB has no event at position {start} any more") from None
                start = self._moments.known_place_before(after - 1)

    async def _subscription(self, start: int, after: int, pattern: str, batch_size: int) -> TailBatches:
        """Subscribes after ``start``, and leaves out what comes up to ``after``."""
        reached, live = after, False
        async with self._messages(start, pattern, min(batch_size, _MOST_QUEUED)) as messages:
            while True:
                records, last = await _gather(messages, batch_size, live=live)
                records = [each for each in records if each.commit_position > after]
                if records:
                    reached = max(reached, records[-1].commit_position)
                if isinstance(last, (kdb.Checkpoint, kdb.CaughtUp)):
                    live = live or isinstance(last, kdb.CaughtUp)
                    reached = max(reached, await self._backwards.last_before(last.commit_position))
                yield TailBatch(records, reached, live)
                if isinstance(last, Exception):
                    raise last

    @asynccontextmanager
    async def _messages(self, start: int, pattern: str, most_queued: int) -> AsyncIterator[asyncio.Queue[_Message]]:
        queue: asyncio.Queue[_Message] = asyncio.Queue(most_queued)
        pump = asyncio.create_task(self._pump(start, pattern, queue), name="kurrentdb-subscription")
        try:
            yield queue
        finally:
            pump.cancel()
            await asyncio.wait([pump])

    async def _pump(self, start: int, pattern: str, queue: asyncio.Queue[_Message]) -> None:
        """Moves the subscription's messages into the queue; the error that ends it is the last one."""
        try:
            with told_as_unavailable("KurrentDB's subscription was interrupted"):
                async with self._clients.lend() as client, _subscribed(client, start, pattern) as subscription:
                    async for message in subscription:
                        if isinstance(message, kdb.FellBehind):
                            # The server reads the log for us again and says when we have caught up; nothing is lost.
                            _log.info("subscription_fell_behind", after=start)
                        elif isinstance(message, (kdb.Checkpoint, kdb.CaughtUp)) or is_ours(message):
                            self._moments.note(message)
                            await queue.put(message)
            await queue.put(EventStoreUnavailable("KurrentDB has ended the subscription"))
        except Exception as error:  # noqa: BLE001 - whatever it is, it must reach the reader, who would wait for ever
            await queue.put(InvalidPosition(start) if _is_invalid_position(error.__cause__) else error)


@asynccontextmanager
async def _subscribed(
    client: KurrentClient, start: int, pattern: str
) -> AsyncIterator[AsyncIterator[kdb.RecordedEvent]]:
    async with asyncio.timeout(2 * CALL_TIMEOUT_SECONDS):
        subscription = await client.subscribe_to_all(
            commit_position=start or None,
            filter_include=(pattern,),
            include_checkpoints=True,
            include_caught_up=True,
            include_fell_behind=True,
            window_size=SEARCH_WINDOW,
            checkpoint_interval_multiplier=CHECKPOINT_INTERVAL,
        )
    try:
        yield subscription
    finally:
        await subscription.stop()


async def _gather(
    messages: asyncio.Queue[_Message], batch_size: int, *, live: bool
) -> tuple[list[kdb.RecordedEvent], _Message | None]:
    """Records up to ``batch_size``, and what cut them short, if something did."""
    records: list[kdb.RecordedEvent] = []
    while len(records) < batch_size:
        if records and live and messages.empty():
            break
        message = await messages.get()
        if isinstance(message, (Exception, kdb.Checkpoint, kdb.CaughtUp)):
            return records, message
        records.append(message)
    return records, None


def _is_invalid_position(error: BaseException | None) -> bool:
    # The client has a type for it in reads, but not in subscriptions, where the sentence is all there is.
    return isinstance(error, InvalidCommitPositionError) or (
        isinstance(error, KurrentDBClientError) and "from an invalid position" in str(error)
    )
