"""Builds of projections, and which of them readers read.

A *build* is one construction of a projection from the beginning of the log, in a PostgreSQL schema of its own
(``rm_<name>_<build>``), with a row in ``read.projections`` that holds its checkpoint:

    building --caught up--> live --another build caught up--> retired --dropped--> (gone)
        `----poison----> stopped <----poison----'

At most one build of a projection is *live*: the views in the schema ``read`` point to its tables. They are pointed
to another build in the transaction that makes that one live, so readers never see a gap, nor less than before. The
first build of a projection is live from the start: there is nothing better to read.

Every change of a build's row is made in one statement or transaction here; the checkpoint moves by compare-and-set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from service.projections.projection import BuildGone, Connection, LostPlace, NotStoppedThere, Projection

# Two programs that start at the same moment must not both create the first build.
_BUILDS_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('triptych read builds', 0))"

SWITCH_LOCK_TIMEOUT = "200ms"
"""How long readers may queue behind a switch that waits for one of them. Shorter than PostgreSQL's
``deadlock_timeout``, so that in any tangle the switch gives way and tries again, and no reader gets an error."""


class Build(NamedTuple):
    name: str
    build: int
    version: int
    schema_name: str
    position: int
    live: bool
    state: str


_COLUMNS = "name, build, version, schema_name, position, live, state"


async def list_builds(connection: Connection, name: str) -> list[Build]:
    """All builds of a projection, oldest first, retired ones included."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM read.projections WHERE name = %s ORDER BY build",  # noqa: S608
        (name,),
    )
    return [Build(*row) for row in await cursor.fetchall()]


async def load_build(connection: Connection, name: str, build: int) -> Build:
    """One build as it is now. Raises BuildGone when it is retired or dropped."""
    found = next((each for each in await list_builds(connection, name) if each.build == build), None)
    if found is None or found.state == "retired":
        raise BuildGone(name, build)
    return found


async def ensure_build(connection: Connection, projection: Projection) -> None:
    """Sees to it that this program's version of the projection serves, or is being built.

    A newer version that serves already is left alone (this program is the older one in a rolling update); builds of
    versions that neither serve nor are this program's are given up.
    """
    async with connection.transaction():
        await connection.execute(_BUILDS_LOCK)
        builds = [each for each in await list_builds(connection, projection.name) if each.state != "retired"]
        live = next((each for each in builds if each.live), None)
        if live is None:
            await _create(connection, projection, live=True)
            return
        if live.version >= projection.version:
            return
        for each in builds:
            if not each.live and each.version < projection.version:
                await _retire(connection, each)
        if not any(each.version == projection.version for each in builds):
            await _create(connection, projection, live=False)


async def create_rebuild(connection: Connection, projection: Projection) -> int:
    """A new build beside the one that serves; its number. One that is being built by this program already is it."""
    async with connection.transaction():
        await connection.execute(_BUILDS_LOCK)
        builds = [each for each in await list_builds(connection, projection.name) if each.state != "retired"]
        for each in builds:
            if not each.live and each.version == projection.version:
                return each.build
        return await _create(connection, projection, live=not any(each.live for each in builds))


async def _create(connection: Connection, projection: Projection, *, live: bool) -> int:
    name = projection.name
    build = 1 + max((each.build for each in await list_builds(connection, name)), default=0)
    schema_name = f"rm_{name}_{build}"
    await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema_name)))
    await connection.execute("SELECT set_config('search_path', %s, true)", (schema_name,))
    await connection.execute(sql.SQL(projection.schema_sql))
    await connection.execute(
        "INSERT INTO read.projections (name, build, version, schema_name, live, state)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (name, build, projection.version, schema_name, live, "live" if live else "building"),
    )
    if live:
        await _publish(connection, projection, schema_name)
    return build


async def _publish(connection: Connection, projection: Projection, schema_name: str) -> None:
    """Points the views to a build's tables. Replacing a view keeps its grants and what was built upon it; only a
    new version whose columns differ has to drop it."""
    for table in projection.tables:
        view = sql.Identifier("read", table)
        select = sql.SQL("VIEW {} AS SELECT * FROM {}").format(view, sql.Identifier(schema_name, table))
        try:
            async with connection.transaction():
                await connection.execute(sql.SQL("CREATE OR REPLACE {}").format(select))
        except psycopg.errors.InvalidTableDefinition:
            await connection.execute(sql.SQL("DROP VIEW {}").format(view))
            await connection.execute(sql.SQL("CREATE {}").format(select))


async def lock_for_switch(connection: Connection, build: Build) -> Build:
    """The live build, kept from moving until the transaction ends. Raises LockNotAvailable, BuildGone."""
    await connection.execute("SELECT set_config('lock_timeout', %s, true)", (SWITCH_LOCK_TIMEOUT,))
    await connection.execute(
        "SELECT 1 FROM read.projections WHERE name = %s ORDER BY build FOR UPDATE", (build.name,)
    )
    await load_build(connection, build.name, build.build)
    return next(each for each in await list_builds(connection, build.name) if each.live)


async def make_live(connection: Connection, projection: Projection, build: Build, live: Build) -> None:
    """Lets readers read ``build`` instead of ``live``, both locked. Raises LockNotAvailable while they read."""
    await _retire(connection, live)
    await connection.execute(
        "UPDATE read.projections SET live = true, state = 'live' WHERE name = %s AND build = %s",
        (build.name, build.build),
    )
    await _publish(connection, projection, build.schema_name)


async def _retire(connection: Connection, build: Build) -> None:
    await connection.execute(
        "UPDATE read.projections SET live = false, state = 'retired' WHERE name = %s AND build = %s",
        (build.name, build.build),
    )


async def drop_retired(connection: Connection, name: str) -> None:
    """Removes builds that nobody reads any more."""
    for build in await list_builds(connection, name):
        if build.state != "retired":
            continue
        async with connection.transaction():
            await connection.execute(_BUILDS_LOCK)
            await connection.execute(
                sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(build.schema_name))
            )
            await connection.execute(
                "DELETE FROM read.projections WHERE name = %s AND build = %s", (name, build.build)
            )


async def move_checkpoint(connection: Connection, build: Build, position: int) -> None:
    """From where ``build`` says it is on to ``position``. Raises LostPlace when it was no longer there, BuildGone."""
    if position <= build.position:
        raise ValueError(f"the checkpoint of {build.name} is at {build.position} and cannot move back to {position}")
    cursor = await connection.execute(
        "UPDATE read.projections SET position = %s, update_time = now(),"
        " state = CASE WHEN live THEN 'live' ELSE 'building' END,"
        " error_position = 0, error_event_type = '', error = ''"
        " WHERE name = %s AND build = %s AND position = %s AND state <> 'retired'",
        (position, build.name, build.build, build.position),
    )
    if cursor.rowcount != 1:
        await load_build(connection, build.name, build.build)
        raise LostPlace(build.name, build.build, build.position)


async def mark_stopped(
    connection: Connection, build: Build, *, error_position: int, event_type: str, error: str
) -> None:
    """Records why a build cannot go on."""
    await connection.execute(
        "UPDATE read.projections SET state = 'stopped', error_position = %s, error_event_type = %s, error = %s,"
        " update_time = now() WHERE name = %s AND build = %s AND position = %s AND state <> 'retired'",
        (error_position, event_type, error, build.name, build.build, build.position),
    )


async def skipped_positions(connection: Connection, build: Build) -> frozenset[int]:
    """Events that an operator told this version of the projection to leave out."""
    cursor = await connection.execute(
        "SELECT position FROM read.projection_skips WHERE name = %s AND version = %s", (build.name, build.version)
    )
    return frozenset(row[0] for row in await cursor.fetchall())


async def record_skip(
    connection: Connection, name: str, position: int, *, actor: str, reason: str
) -> Sequence[dict[str, Any]]:
    """Moves the builds that stopped at ``position`` past it. Returns what was skipped. Raises NotStoppedThere."""
    async with connection.transaction():
        cursor = await connection.execute(
            "SELECT build, version, error_position, error_event_type, error FROM read.projections"
            " WHERE name = %s AND state = 'stopped' ORDER BY build FOR UPDATE",
            (name,),
        )
        stopped = await cursor.fetchall()
        there = [row for row in stopped if row[2] == position]
        if not there:
            raise NotStoppedThere(name, position, [row[2] for row in stopped])
        for build, version, _, event_type, error in there:
            await connection.execute(
                "INSERT INTO read.projection_skips (name, version, position, event_type, error, actor, reason)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (name, version, position, event_type, error, actor, reason),
            )
            await connection.execute(
                "UPDATE read.projections SET position = %s, state = CASE WHEN live THEN 'live' ELSE 'building' END,"
                " error_position = 0, error_event_type = '', error = '' WHERE name = %s AND build = %s",
                (position, name, build),
            )
    return [{"build": row[0], "version": row[1], "event_type": row[3], "error": row[4]} for row in there]
