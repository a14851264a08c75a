"""``eventsourcing`` as its users set it up: PostgreSQL, its default and lossless mode, which locks the events' table.

Its own mode for speed (``POSTGRES_ENABLE_DB_FUNCTIONS``) takes no lock; a live reader then loses events, so it is no
comparison. Pools are of its default size (5, and 10 more when they are needed): more connections only wait for the
same lock.
"""

from __future__ import annotations

from uuid import UUID

from eventsourcing.persistence import StoredEvent
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
