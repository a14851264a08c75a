"""What a projection is.

A projection has a name, a version, the event types it handles, the tables it keeps and ``apply``. It knows nothing
of checkpoints, builds or retries: the runner (``runner.py``) calls ``apply`` inside the transaction in which the
checkpoint moves, so each event counts exactly once, and every build of a projection has a PostgreSQL schema of its
own (``builds.py``) that the connection's search path points to, so tables are written by their bare names.

``apply`` gets many events at once and is expected to fold them in memory and write each touched row once. What it
cannot make sense of it raises: the runner finds the event and stops the projection there (a *poison* event).

Whoever changes what ``apply`` writes, or the tables, raises ``version``: the next program start builds the new
version beside the old one and switches readers over when it has caught up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg

from service.ports.event_store import RecordedEvent
from service.ports.projections import ProjectionName, ReadModelsUnavailable

Connection = psycopg.AsyncConnection[tuple[Any, ...]]

Connect = Callable[[str], Awaitable[Connection]]
"""Opens an autocommit connection under the given application name."""

Apply = Callable[[Sequence[RecordedEvent], Connection], Awaitable[set[str]]]
"""``(events in log order, connection) -> keys``: the ids of users and generations whose rows changed."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    name: ProjectionName
    version: int
    event_types: frozenset[str]
    schema_sql: str
    """Creates the tables and indexes of an empty build; bare names."""
    tables: tuple[str, ...]
    """Those that readers see, each through a view of the same name in the schema ``read``."""
    apply: Apply


class Announcer(Protocol):
    """Takes note, without waiting, that a serving projection has moved; tells watchers some time soon."""

    def announce(self, projection: str, position: int, keys: Collection[str] | None) -> None:
        """``keys`` are the ids whose rows changed; None means that any may have."""
        ...


class UnknownRow(LookupError):
    """An event speaks of a row that the projection never saw begin."""

    def __init__(self, projection: str, row: str, row_id: str) -> None:
        super().__init__(f"the {projection} projection knows no {row} {row_id!r}")
        self.row = row
        self.row_id = row_id


class BuildGone(Exception):
    """The build was retired or dropped: another one serves."""

    def __init__(self, projection: str, build: int) -> None:
        super().__init__(f"build {build} of the {projection} projection is retired")
        self.projection = projection
        self.build = build


class LostPlace(Exception):
    """The checkpoint was not where this runner had left it: another runner is at work. Nothing was written."""

    def __init__(self, projection: str, build: int, position: int) -> None:
        super().__init__(f"the checkpoint of {projection} (build {build}) is no longer at {position}")
        self.position = position


@contextmanager
def telling_outages() -> Iterator[None]:
    """Turns a database that does not answer into ReadModelsUnavailable; defects stay what they are."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise ReadModelsUnavailable(f"the database of the read models does not answer: {error}") from error


class NothingBuilt(ReadModelsUnavailable):
    """No build of the projection serves readers yet."""

    def __init__(self, projection: str) -> None:
        super().__init__(
            f"the {projection} projection has no build that serves yet; run `triptychd migrate` or start a projector"
        )
        self.projection = projection


class NotStoppedThere(Exception):
    """A skip names a position at which the projection has not stopped."""

    def __init__(self, projection: str, position: int, stopped_at: Sequence[int]) -> None:
        where = f"it stopped at {', '.join(map(str, stopped_at))}" if stopped_at else "it has not stopped"
        super().__init__(f"the {projection} projection did not stop at position {position}: {where}")
        self.projection = projection
        self.position = position
        self.stopped_at = tuple(stopped_at)
