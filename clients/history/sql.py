"""SQL over history, by DuckDB: over an export, or straight over a replay.

A replay is exported into a temporary folder first, so that memory stays flat however much there is; DuckDB, too,
spills to disk what does not fit. Days, and times without a zone, are in UTC.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clients.history import manifest as manifests
from clients.history.errors import QueryFailed
from clients.history.export import Asked, export
from clients.history.libraries import library
from clients.history.source import EVERYTHING, OnProgress, Selection, nobody_watches
from clients.history.views import GENERATIONS_SQL, events_sql
from clients.sdk import Triptych

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query answers: names of columns, and rows as they are asked for."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


class EventsDatabase:
    """An open DuckDB with the views ``events`` and ``generations``."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def query(self, sql: str) -> Answer:
        """Runs SQL; the last statement's answer counts. Raises QueryFailed."""
        try:
            cursor = self._connection.execute(sql)
        except library("duckdb").Error as error:
            raise _failed(error) from error
        if cursor is None or cursor.description is None:
            raise QueryFailed("There is no statement in it.")
        return Answer(tuple(each[0] for each in cursor.description), _rows(cursor))


def _rows(cursor: Any) -> Iterator[tuple[Any, ...]]:
    try:
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows
    except library("duckdb").Error as error:
        raise _failed(error) from error


def _failed(error: Exception) -> QueryFailed:
    said, _, place = str(error).partition("\n\nLINE ")
    line = f" (line {place.partition(':')[0]})" if place else ""
    return QueryFailed(" ".join(said.split()) + line)


@contextmanager
def over_export(folder: Path) -> Iterator[EventsDatabase]:
    """A database over a finished export. Raises ExportMissing, LibraryMissing."""
    manifest = manifests.read_finished(folder)
    duckdb = library("duckdb")
    with (
        tempfile.TemporaryDirectory(prefix="triptych-sql-") as spill,
        closing(duckdb.connect(config={"temp_directory": spill})) as connection,
    ):
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(events_sql(folder, manifest))
        connection.execute(GENERATIONS_SQL)
        yield EventsDatabase(connection)


@contextmanager
def over_replay(
    client: Triptych, selection: Selection = EVERYTHING, on_progress: OnProgress = nobody_watches
) -> Iterator[EventsDatabase]:
    """A database over a selection of the log as it is now. Raises TriptychError, LibraryMissing."""
    library("duckdb")
    with tempfile.TemporaryDirectory(prefix="triptych-replay-") as folder:
        exported = export(client, Path(folder), Asked(selection=selection), on_progress)
        if exported.manifest is None:
            manifests.save(manifests.nothing(), Path(folder))
        with over_export(Path(folder)) as database:
            yield database
