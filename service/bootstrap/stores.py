"""The event store that is configured: PostgreSQL or KurrentDB, behind the one port.

KurrentDB's client is slow to load, so it is imported only where a connection string names it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from service.adapters.eventstore.postgres import PostgresEventStore
from service.adapters.eventstore.postgres_import import PostgresHistoryImport
from service.adapters.postgres.pool import connect
from service.bootstrap.checks import CannotStart
from service.config.conninfo import names_kurrentdb
from service.ports.event_store import EventStore
from service.ports.history_import import HistoryImport


@asynccontextmanager
async def open_event_store(events: str, *, max_readers: int = 2) -> AsyncIterator[EventStore]:
    """``events``: a connection string of either. ``max_readers`` bounds connections to PostgreSQL.

    Raises EventStoreUnavailable, EventLogMissing, CannotStart for a KurrentDB that is too old.
    """
    if not names_kurrentdb(events):
        async with PostgresEventStore.open(events, max_readers=max_readers) as store:
            yield store
        return
    from service.adapters.eventstore.kurrentdb import KurrentEventStore

    with _too_old_told():
        async with KurrentEventStore.open(events) as store:
            yield store


def has_gaps(events: str) -> bool:
    """Whether positions of this store are not all taken, so that one without an event tells nothing."""
    return names_kurrentdb(events)


@asynccontextmanager
async def open_history_import(events: str) -> AsyncIterator[HistoryImport]:
    """Takes a history into either store; complete when it is left without error. Raises what
    ``open_event_store`` does, HistoryRefused."""
    if not names_kurrentdb(events):
        async with PostgresHistoryImport.open(events) as importing:
            yield importing
        return
    from service.adapters.eventstore.kurrentdb_import import KurrentHistoryImport

    with _too_old_told():
        async with KurrentHistoryImport.open(events) as taking:
            yield taking


async def describe_event_store(events: str) -> str:
    """Such as ``KurrentDB 25.1.0``. Raises EventStoreUnavailable, CannotStart, psycopg.Error."""
    if not names_kurrentdb(events):
        async with await connect(events, application_name="triptych-doctor") as connection:
            row = await (await connection.execute("SHOW server_version")).fetchone()
            return f"PostgreSQL {row[0] if row else ''}"
    from service.adapters.eventstore.kurrentdb_connection import connected, read_features

    with _too_old_told():
        async with connected(events) as client:
            return f"KurrentDB {(await read_features(client)).version}"


@contextmanager
def _too_old_told() -> Iterator[None]:
    from service.adapters.eventstore.kurrentdb_connection import ServerTooOld

    try:
        yield
    except ServerTooOld as error:
        raise CannotStart(f"TRIPTYCH_EVENT_STORE: {error}") from error
