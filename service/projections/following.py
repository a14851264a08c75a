"""One stretch of following the log, on a connection that nobody else writes the build with.

A build that does not serve yet takes over from the one that does as soon as it is at most a batch behind. Then the
serving one is held still for a moment, the rest is applied, and the views are switched, all in one transaction: two
runners that both keep up with a busy log would otherwise overtake each other for a long time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass

import psycopg
import structlog

from service.ports.event_store import (
    EventStore,
    EventStoreUnavailable,
    RecordedEvent,
    SubscriptionBatch,
    UnreadableEvent,
)
from service.projections import builds
from service.projections.builds import Build
from service.projections.projection import Announcer, BuildGone, Connection, LostPlace, Projection

TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, EventStoreUnavailable, OSError, LostPlace)
"""What passes by itself: the database or the store away, locks and deadlocks, another runner's turn."""

MOST_SWITCH_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class RunnerOptions:
    batch_size: int = 2000
    """Events a transaction at most."""
    retry_seconds: float = 1.0
    """How often spares try to take over, and a stopped build looks whether it was told to go on."""
    most_backoff_seconds: float = 10.0
    heartbeat_seconds: float = 2.0
    """How often a runner that has nothing to write shows the database that it is alive."""
    lock_idle_seconds: float = 10.0
    """After how long without a sign of life the database ends a runner's session, and with it the runner's lock."""
    rest_factor: float = 4.0
    """How much longer a runner rests than it has worked, after a batch that was not full."""
    most_rest_seconds: float = 0.01


class PoisonEvent(Exception):
    """An event that the projection cannot apply; everything before it is applied."""

    def __init__(self, position: int, event_type: str, why: str) -> None:
        super().__init__(f"{event_type} at position {position} cannot be applied: {why}")
        self.position = position
        self.event_type = event_type


class Following:
    """``build`` is where it is; ``run`` moves it on."""

    def __init__(
        self,
        projection: Projection,
        build: Build,
        *,
        skipped: frozenset[int],
        store: EventStore,
        connection: Connection,
        announcer: Announcer,
        options: RunnerOptions,
    ) -> None:
        self.build = build
        self._projection = projection
        self._skipped = skipped
        self._store = store
        self._connection = connection
        self._announcer = announcer
        self._options = options
        self._log = structlog.get_logger(__name__).bind(projection=build.name, build=build.build)

    async def run(self) -> None:
        """For ever; ends by raising PoisonEvent, BuildGone or something of TRANSIENT."""
        await self._switch_if_close()
        while True:
            try:
                await self._subscribe()
            except UnreadableEvent as error:
                await self._reach(error.position - 1)
                if error.position not in self._skipped:
                    raise PoisonEvent(error.position, "An event", str(error)) from error
                await self._advance([], error.position)
            else:
                raise EventStoreUnavailable("the event store has closed the subscription")

    async def _subscribe(self) -> None:
        subscription = self._store.subscribe(
            after=self.build.position, types=self._projection.event_types, batch_size=self._options.batch_size
        )
        async with aclosing(subscription) as batches:  # type: ignore[type-var]
            while (batch := await self._next_of(batches)) is not None:
                began = time.monotonic()
                await self._advance(batch.events, batch.position)
                await self._switch_if_close()
                if len(batch.events) < self._options.batch_size:
                    await self._rest(time.monotonic() - began)

    async def _rest(self, worked_seconds: float) -> None:
        """A batch costs about the same with one event as with a hundred. Where commands come without a pause, each
        commit would be projected by itself, and that would take most of the process from the commands."""
        await asyncio.sleep(min(self._options.rest_factor * worked_seconds, self._options.most_rest_seconds))

    async def _next_of(self, batches: AsyncIterator[SubscriptionBatch]) -> SubscriptionBatch | None:
        """The next batch, or None at the end. While there is none, the database hears from us: otherwise it ends our
        session (``RunnerOptions.lock_idle_seconds``)."""
        upcoming = asyncio.ensure_future(anext(batches, None))
        try:
            while not upcoming.done():
                await asyncio.wait([upcoming], timeout=self._options.heartbeat_seconds)
                if not upcoming.done():
                    # By then the session is ended anyway, whether or not its end has got through to us.
                    async with asyncio.timeout(self._options.lock_idle_seconds):
                        await self._connection.execute("SELECT")
            return upcoming.result()
        finally:
            if not upcoming.done():
                upcoming.cancel()
                await asyncio.wait([upcoming])

    async def _reach(self, position: int) -> None:
        """Applies what stands before an unreadable event, should the subscription not have delivered it."""
        async for batch in self._store.read_all(
            after=self.build.position,
            until=position,
            types=self._projection.event_types,
            batch_size=self._options.batch_size,
        ):
            await self._advance(batch, batch[-1].position)

    async def _advance(self, delivered: Sequence[RecordedEvent], position: int) -> None:
        if position <= self.build.position:
            return
        # A switch may have gone on ahead of the subscription.
        events = [each for each in delivered if each.position > self.build.position]
        try:
            await self._write(events, position)
        except (*TRANSIENT, BuildGone):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: found, told and raised one by one below
            self._log.warning("projection_batch_failed", events=len(events), error=repr(error))
            await self._advance_one_by_one(events, position)

    async def _advance_one_by_one(self, events: Sequence[RecordedEvent], position: int) -> None:
        for event in events:
            try:
                await self._write([event], event.position)
            except (*TRANSIENT, BuildGone):
                raise
            except Exception as error:
                raise PoisonEvent(event.position, event.type, f"{type(error).__name__}: {error}") from error
        if position > self.build.position:
            await self._write([], position)

    async def _write(self, events: Sequence[RecordedEvent], position: int) -> None:
        # Where only events of other types passed, the checkpoint's one statement needs no transaction around it.
        async with self._connection.transaction() if events else nullcontext():
            keys = await self._apply(self.build, events, position)
        self.build = self.build._replace(position=position)
        if self.build.live:
            self._announcer.announce(self.build.name, position, keys)

    async def _apply(self, build: Build, events: Sequence[RecordedEvent], position: int) -> set[str]:
        # The checkpoint first, so that a runner which has lost its place does no work in vain.
        await builds.move_checkpoint(self._connection, build, position)
        wanted = [each for each in events if each.position not in self._skipped]
        return await self._projection.apply(wanted, self._connection) if wanted else set()

    async def _switch_if_close(self) -> None:
        """Lets readers read this build, if it has seen nearly all that the one they read has."""
        attempts = 0
        while not self.build.live and await self._is_close():
            attempts += 1
            try:
                switched = await self._switch()
            except (*TRANSIENT, BuildGone):
                raise
            except Exception as error:  # noqa: BLE001 - the event that did it fails again in its turn, and stops us
                self._log.warning("projection_switch_failed", error=repr(error))
                return
            if switched:
                self._log.info("projection_switched", position=self.build.position)
                self._announcer.announce(self.build.name, self.build.position, None)
                await builds.drop_retired(self._connection, self.build.name)
                return
            # Readers who take long should not see others queue behind us again and again.
            pause_seconds = min(0.1 * 2 ** min(attempts, 10), MOST_SWITCH_PAUSE_SECONDS)
            self._log.warning("projection_switch_blocked", attempts=attempts, pause_seconds=pause_seconds)
            await asyncio.sleep(pause_seconds)

    async def _is_close(self) -> bool:
        everyone = await builds.list_builds(self._connection, self.build.name)
        live = next((each for each in everyone if each.live), None)
        return live is None or live.position - self.build.position <= self._options.batch_size

    async def _switch(self) -> bool:
        """False when readers were in the way."""
        reached = self.build
        try:
            async with self._connection.transaction():
                live = await builds.lock_for_switch(self._connection, self.build)
                if live.position > reached.position:
                    await self._apply_rest(live.position)
                    reached = reached._replace(position=live.position)
                await builds.make_live(self._connection, self._projection, reached, live)
        except psycopg.errors.LockNotAvailable:
            return False
        self.build = reached._replace(live=True)
        return True

    async def _apply_rest(self, until: int) -> None:
        events = [
            each
            async for batch in self._store.read_all(
                after=self.build.position, until=until, types=self._projection.event_types
            )
            for each in batch
        ]
        await self._apply(self.build, events, until)
