"""``eventsourcing`` as its users set it up: PostgreSQL, its default and lossless mode, which locks the events' table.

Its own mode for speed (``POSTGRES_ENABLE_DB_FUNCTIONS``) takes no lock; a live reader then loses events, so it is no
comparison. Pools are of its default size (5, and 10 more when they are needed): more connections only wait for the
same lock. The projection keeps a table of accounts as our ``credits`` projection does, in the way that its manual
shows: one transaction an event, with the row and the tracking record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from service.adapters.eventstore.codec import EncodedEvent


def environment(conninfo: str) -> dict[str, str]:
    """Its settings for a database."""
    parameters = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parameters["dbname"],
        "POSTGRES_HOST": parameters["host"],
        "POSTGRES_PORT": parameters["port"],
        "POSTGRES_USER": parameters["user"],
        "POSTGRES_PASSWORD": "",
        # A thread of 256 waits long for its turn.
        "POSTGRES_CONNECT_TIMEOUT": "120",
    }


def stored(event: EncodedEvent, originator_id: UUID, version: int) -> StoredEvent:
    """Our event as it keeps one: the same JSON. It keeps no metadata, no event id and no time of its own."""
    return StoredEvent(originator_id, version, f"benchmarks:{event.type}", event.data)


class Account(Aggregate):
    """Takes credits."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.balance = 0

    @event("Granted")
    def grant(self, credits: int, note: str) -> None:
        self.balance += credits


class Accounts(Application[UUID]):
    """The aggregates."""


class Balances(PostgresTrackingRecorder):
    """The table: a row an account."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.table = sql.Identifier(datastore.schema, "balances")
        self.sql_create_statements.append(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} (account_id uuid PRIMARY KEY, balance bigint NOT NULL,"
                " entry_count bigint NOT NULL, update_position bigint NOT NULL)"
            ).format(self.table)
        )
        self._upsert = sql.SQL(
            "INSERT INTO {} AS b VALUES (%s, %s, 1, %s) ON CONFLICT (account_id) DO UPDATE SET"
            " balance = b.balance + excluded.balance, entry_count = b.entry_count + 1,"
            " update_position = excluded.update_position"
        ).format(self.table)

    def add(self, account_id: UUID, credits: int, tracking: Tracking) -> None:
        """The row and the tracking record, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self._upsert, (account_id, credits, tracking.notification_id), prepare=True)


class BalancesProjection(Projection[Balances]):
    """Keeps the table."""

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        raise TypeError(f"no such event: {domain_event!r}")

    @process_event.register
    def _created(self, domain_event: Aggregate.Created, tracking: Tracking) -> None:
        self.view.add(domain_event.originator_id, 0, tracking)

    @process_event.register
    def _granted(self, domain_event: Account.Granted, tracking: Tracking) -> None:  # type: ignore[name-defined]
        self.view.add(domain_event.originator_id, domain_event.credits, tracking)


def runner(conninfo: str) -> ProjectionRunner[Accounts, Balances]:
    """The application with its projection; to be entered."""
    return ProjectionRunner(
        application_class=Accounts,
        projection_class=BalancesProjection,
        view_class=Balances,
        env=environment(conninfo),
    )


Runner = ProjectionRunner[Accounts, Balances]


@contextmanager
def background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs ``work`` in a thread as long as the block; its event tells it to return. Raises what it raised."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        working = threads.submit(work, stop)
        try:
            yield
        finally:
            stop.set()
        working.result()
