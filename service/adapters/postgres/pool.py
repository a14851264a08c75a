"""Connections to PostgreSQL, with every bound written out.

All connections are in autocommit mode: a plain SELECT must not leave its connection in a transaction. Where one
is wanted, it is said: ``async with connection.transaction()``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]

_DEFAULTS: dict[str, str | int] = {
    "connect_timeout": 5,
    # A peer that vanished is noticed in about 20 s, sending or not (TCP only; ignored on UNIX sockets).
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


def bounded_conninfo(
    conninfo: str,
    *,
    application_name: str,
    statement_timeout_seconds: float = 15,
    settings: Mapping[str, str] | None = None,
) -> str:
    """``conninfo`` with our bounds where it sets none itself, and further ``settings`` of the session.

    Statements and transactions that sit idle are ended by the server, so that a frozen client holds up nobody.
    """
    given = conninfo_to_dict(conninfo)
    milliseconds = round(statement_timeout_seconds * 1000)
    session = {
        "statement_timeout": milliseconds,
        "lock_timeout": milliseconds,
        "idle_in_transaction_session_timeout": milliseconds,
        # The append function relies on a new snapshot after it has waited for its lock.
        "default_transaction_isolation": r"read\ committed",
        "timezone": "UTC",
        **(settings or {}),
    }
    options = " ".join(f"-c {name}={value}" for name, value in session.items())
    merged: dict[str, Any] = {**_DEFAULTS, "application_name": application_name, **given}
    merged["options"] = f"{options} {given.get('options') or ''}".strip()
    return make_conninfo(**merged)


async def connect(conninfo: str, *, application_name: str, statement_timeout_seconds: float = 15) -> Connection:
    """One connection. Raises psycopg.OperationalError after at most ``connect_timeout`` a host."""
    bounded = bounded_conninfo(
        conninfo, application_name=application_name, statement_timeout_seconds=statement_timeout_seconds
    )
    return await psycopg.AsyncConnection.connect(bounded, autocommit=True)


class CancellablePool(AsyncConnectionPool[Connection]):
    """A pool whose callers can be cancelled at any moment.

    The library waits with ``asyncio.wait_for``, which before Python 3.12 drops a cancellation that comes together
    with the connection. The caller would go on as if nobody had cancelled it, and whoever waits for its end for ever.
    """

    async def getconn(self, timeout: float | None = None) -> Connection:
        task = asyncio.current_task()
        requests_before = task.cancelling() if task is not None else 0
        connection = await super().getconn(timeout)
        if task is not None and task.cancelling() > requests_before:
            await self.putconn(connection)
            raise asyncio.CancelledError
        return connection


def make_pool(
    conninfo: str,
    *,
    application_name: str,
    min_size: int = 1,
    max_size: int = 4,
    statement_timeout_seconds: float = 15,
    wait_timeout_seconds: float = 10,
    settings: Mapping[str, str] | None = None,
) -> Pool:
    """A pool, not yet open: ``async with make_pool(...) as pool``.

    At most ``max_size`` connections; a caller waits for one at most ``wait_timeout_seconds``
    (psycopg_pool.PoolTimeout), and at most 1,000 callers wait (psycopg_pool.TooManyRequests).
    """
    bounded = bounded_conninfo(
        conninfo,
        application_name=application_name,
        statement_timeout_seconds=statement_timeout_seconds,
        settings=settings,
    )
    return CancellablePool(
        bounded,
        connection_class=psycopg.AsyncConnection[tuple[Any, ...]],
        kwargs={"autocommit": True},
        min_size=min_size,
        max_size=max_size,
        timeout=wait_timeout_seconds,
        max_waiting=1000,
        max_idle=300,
        max_lifetime=3600,
        # Short, so that after an outage the pool tries anew soon instead of sleeping in a long backoff.
        reconnect_timeout=2,
        num_workers=2,
        name=application_name,
        open=False,
    )


def describe(error: BaseException) -> str:
    """An error in one line: PostgreSQL's messages have several, timeouts have none."""
    return " ".join(str(error).split()) or type(error).__name__
