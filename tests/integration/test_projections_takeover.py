"""The lock of a projection's active runner: it lasts while the runner shows signs of life, and no longer.

That whole processes are killed and frozen is tested in ``tests/e2e/test_takeover.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from service.adapters.eventstore.memory import MemoryEventStore
from service.projections.registry import PROJECTIONS
from tests.support.history import History
from tests.support.read_models import QUICK, ReadModels, eventually, running_read_models

CREDITS = [each for each in PROJECTIONS if each.name == "credits"]


async def session(models: ReadModels) -> tuple[int, object] | None:
    """Of the active runner: its pid at the server, and when it last said something; None while there is none."""
    rows = await models.fetch(
        "SELECT pid, state_change FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
        " AND granted AND datname = current_database() AND application_name = 'triptych projection credits'"
    )
    return (rows[0][0], rows[0][1]) if rows else None


async def balances(models: ReadModels, history: History) -> dict[str, int]:
    return {user: (await models.credits.account(user))[0].balance for user in history.users}


def expected_balances(history: History) -> dict[str, int]:
    return {user: account.balance for user, account in history.accounts.items()}


async def test_a_runner_with_nothing_to_do_keeps_its_lock(database: str) -> None:
    options = replace(QUICK, heartbeat_seconds=0.1, lock_idle_seconds=60.0)
    async with running_read_models(database, MemoryEventStore(), projections=CREDITS, options=options) as models:
        seen: set[tuple[int, object]] = set()

        async def said_something_often() -> bool:
            if (found := await session(models)) is not None:
                seen.add(found)
            return len(seen) >= 5

        await eventually(said_something_often, "the idle runner has shown several signs of life")
    assert len({pid for pid, _ in seen}) == 1


async def test_a_session_without_signs_of_life_is_ended_and_the_runner_comes_back(database: str) -> None:
    """The server's side of a process that is frozen; the runner that was not frozen after all begins anew."""
    store = MemoryEventStore()
    history = History(seed=41)
    options = replace(QUICK, heartbeat_seconds=3.0, lock_idle_seconds=1.0)
    async with running_read_models(database, store, projections=CREDITS, options=options) as models:
        pids: set[int] = set()

        async def ended_twice() -> bool:
            if (found := await session(models)) is not None:
                pids.add(found[0])
            return len(pids) >= 3

        await history.append_to(store, appends=20)
        await eventually(ended_twice, "the server has ended two silent sessions")
        await history.append_to(store, appends=20)
        await models.caught_up(["credits"])
        assert await balances(models, history) == expected_balances(history)


class Line:
    """A way to the database over TCP on which, for a while, nothing gets through and nothing breaks."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.conninfo = ""

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[Line]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.conninfo = make_conninfo(self._database, host="127.0.0.1", port=port)
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def hang(self) -> None:
        self._open.clear()

    def go_on(self) -> None:
        self._open.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):
            theirs, ours = await self._connect()
            with closing(ours):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pump(reader, ours))
                    group.create_task(self._pump(theirs, writer))

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        where = conninfo_to_dict(self._database)
        host, port = str(where["host"]), int(where.get("port") or 5432)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(65_536):
                await self._open.wait()
                writer.write(chunk)
                await writer.drain()
        await self._open.wait()
        writer.close()


async def test_a_spare_takes_over_from_a_runner_whose_connection_hangs(database: str) -> None:
    """Nobody is told: the runner waits for an answer, and the server for its next word."""
    store = MemoryEventStore()
    history = History(seed=43)
    options = replace(QUICK, heartbeat_seconds=0.5, lock_idle_seconds=2.0)
    async with (
        Line(database).laid() as line,
        running_read_models(line.conninfo, store, projections=CREDITS, options=options) as first,
    ):
        await history.append_to(store, appends=20)
        await first.caught_up(["credits"])
        async with running_read_models(database, store, projections=CREDITS, options=options) as second:
            before = await session(second)
            line.hang()
            await history.append_to(store, appends=20)
            await second.caught_up(["credits"])
            after = await session(second)
            assert before is not None
            assert after is not None
            assert after[0] != before[0]
            assert await balances(second, history) == expected_balances(history)
            line.go_on()
        await history.append_to(store, appends=20)
        await first.caught_up(["credits"])
        assert await balances(first, history) == expected_balances(history)
