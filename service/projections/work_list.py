"""The work list: a row for every generation that still needs a step.

Rows are shared with the workers, who lease them (``adapters/postgres/work_list.py``); this side never touches a
lease. When an event makes a row due, the event's position goes with it, and what the worker had already seen when
it gave the row back (``seen_position``: usually its own append) does not make it due again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from psycopg import sql

from service.application.due import DUE_EVENT_TYPES, Begun, Due, Ended, due_after
from service.ports.event_store import RecordedEvent
from service.projections.projection import Connection, Projection
from service.projections.rows import write

SCHEMA_SQL = """
CREATE TABLE work_list (
    generation_id text COLLATE "C" PRIMARY KEY,
    user_id text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    due_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    attempt integer NOT NULL DEFAULT 0,
    lease_owner text NOT NULL DEFAULT '',
    leased_until timestamptz,
    claim_position bigint NOT NULL DEFAULT 0,
    seen_position bigint NOT NULL DEFAULT 0,
    woken boolean NOT NULL DEFAULT false,
    -- When a worker may take it: due, and nobody's lease is on it.
    ready_at timestamptz NOT NULL GENERATED ALWAYS AS (GREATEST(due_at, leased_until)) STORED
) WITH (fillfactor = 50);
CREATE INDEX work_list_ready ON work_list (ready_at, position);
"""


class NewRow(msgspec.Struct):
    generation_id: str
    user_id: str
    position: int
    due_at: datetime
    deadline_at: datetime


class Change(msgspec.Struct):
    generation_id: str
    position: int
    due_at: datetime


_INSERT = sql.SQL("""
    INSERT INTO work_list (generation_id, user_id, position, due_at, deadline_at)
    SELECT generation_id, user_id, position, due_at, deadline_at
    FROM json_populate_recordset(NULL::work_list, %s::json)""").format()
# Workers renew several leases in one statement: both sides lock rows in the order of ids, so neither can block the
# other for good.
_LOCK = "SELECT 1 FROM work_list WHERE generation_id = ANY(%s) ORDER BY generation_id FOR UPDATE"
_UPDATE = sql.SQL("""
    UPDATE work_list AS work
    SET position = row.position,
        due_at = CASE WHEN row.position > work.seen_position THEN row.due_at ELSE work.due_at END,
        attempt = 0
    FROM json_populate_recordset(NULL::work_list, %s::json) AS row
    WHERE work.generation_id = row.generation_id""").format()


async def apply(events: Sequence[RecordedEvent], connection: Connection) -> set[str]:
    begun: dict[str, NewRow] = {}
    changes: dict[str, Change] = {}
    ended: list[str] = []
    for recorded in events:
        due = due_after(recorded)
        new = begun.get(due.generation_id)
        match due:
            case Begun():
                begun[due.generation_id] = NewRow(
                    due.generation_id, due.user_id, recorded.position, due.due_at, due.deadline_at
                )
            case Due() if new is not None:
                new.position, new.due_at = recorded.position, due.due_at
            case Due():
                changes[due.generation_id] = Change(due.generation_id, recorded.position, due.due_at)
            case Ended():
                changes.pop(due.generation_id, None)
                if begun.pop(due.generation_id, None) is None:
                    ended.append(due.generation_id)
    if shared := [*changes, *ended]:
        await connection.execute(_LOCK, (shared,))
    await write(connection, _INSERT, list(begun.values()))
    await write(connection, _UPDATE, list(changes.values()))
    if ended:
        await connection.execute("DELETE FROM work_list WHERE generation_id = ANY(%s)", (ended,))
    return {*begun, *changes, *ended}


WORK_LIST = Projection(
    name="work_list",
    version=1,
    event_types=DUE_EVENT_TYPES,
    schema_sql=SCHEMA_SQL,
    tables=("work_list",),
    apply=apply,
)
