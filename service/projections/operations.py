"""What operators do with projections: look, skip, rebuild."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import structlog
from psycopg_pool import AsyncConnectionPool

from service.ports.projections import ProjectionStatus
from service.projections import builds
from service.projections.projection import Connection, Projection
from service.projections.registry import PROJECTIONS

log = structlog.get_logger(__name__)

Pool = AsyncConnectionPool[Connection]


async def statuses(pool: Pool, *, head: int) -> Sequence[ProjectionStatus]:
    """Every build that serves, is being built or has stopped. ``head`` is the position of the log's last event."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT name, version, position, state, build, live, error, error_position FROM read.projections"
            " WHERE state <> 'retired' ORDER BY name, build"
        )
        rows = await cursor.fetchall()
    return [
        ProjectionStatus(
            name=name,
            version=version,
            position=position,
            lag=max(head - position, 0),
            state=state,
            build=build,
            serving=live,
            error=error,
            error_position=error_position,
        )
        for name, version, position, state, build, live, error, error_position in rows
    ]


async def skip(pool: Pool, projection: str, position: int, *, actor: str, reason: str) -> None:
    """Lets a stopped projection go on after the event at which it stopped. Recorded for good, with who and why.

    What the event meant is then missing from that version of the projection, in rebuilds too. Raises NotStoppedThere.
    """
    async with pool.connection() as connection:
        skipped = await builds.record_skip(connection, projection, position, actor=actor, reason=reason)
    for each in skipped:
        log.warning(
            "projection_event_skipped",
            projection=projection,
            position=position,
            actor=actor,
            reason=reason,
            **each,
        )


async def rebuild(pool: Pool, name: str, projections: Sequence[Projection] = PROJECTIONS) -> int:
    """Asks for a new build beside the one that serves; its number. The projectors take it up within a second."""
    projection = find_projection(name, projections)
    async with pool.connection() as connection:
        return await builds.create_rebuild(connection, projection)


async def follow_build(
    pool: Pool, name: str, build: int, *, poll_seconds: float = 0.2
) -> AsyncIterator[builds.Build]:
    """How a build comes along, until it serves or stops. Raises BuildGone if another one overtook it."""
    while True:
        async with pool.connection() as connection:
            found = await builds.load_build(connection, name, build)
        yield found
        if found.live or found.state == "stopped":
            return
        await asyncio.sleep(poll_seconds)


def find_projection(name: str, projections: Sequence[Projection] = PROJECTIONS) -> Projection:
    """The projection of that name. Raises KeyError that names those there are."""
    found = next((each for each in projections if each.name == name), None)
    if found is None:
        raise KeyError(f"there is no projection {name!r}; there are: {', '.join(each.name for each in projections)}")
    return found
