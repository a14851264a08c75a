"""Migrations against a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from service.adapters.postgres.migrations import MigrationEdited, migrate, migrations_of
from tests.support.postgres import PostgresServer


@pytest.fixture
def empty_database(postgres_server: PostgresServer) -> Iterator[str]:
    name = postgres_server.create_database()
    yield postgres_server.conninfo_for(name)
    postgres_server.drop_database(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "0001_a.sql").write_text("CREATE TABLE a (n int);\nINSERT INTO a VALUES (1);\n")
    (tmp_path / "events" / "0002_b.sql").write_text("CREATE TABLE b (n int);\n")
    return tmp_path


async def _query(conninfo: str, query: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(conninfo, connect_timeout=30) as connection:
        return await (await connection.execute(query.encode())).fetchall()


async def test_the_services_own_sets_apply_once(empty_database: str) -> None:
    assert await migrate(empty_database, "events") == [each.name for each in migrations_of("events")]
    assert await migrate(empty_database, "events") == []
    applied = await _query(empty_database, "SELECT name, sha256 FROM triptych.schema_migrations ORDER BY name")
    assert applied == [(each.name, each.sha256) for each in migrations_of("events")]


async def test_they_apply_in_order_and_new_ones_later(empty_database: str, folder: Path) -> None:
    assert await migrate(empty_database, "events", folder=folder) == ["events/0001_a.sql", "events/0002_b.sql"]
    (folder / "events" / "0003_c.sql").write_text("ALTER TABLE b ADD c text; SELECT 1;")
    assert await migrate(empty_database, "events", folder=folder) == ["events/0003_c.sql"]
    assert await _query(empty_database, "SELECT n FROM a") == [(1,)]


async def test_services_that_start_together_apply_each_once(empty_database: str, folder: Path) -> None:
    applied = await asyncio.gather(*(migrate(empty_database, "events", folder=folder) for _ in range(6)))
    assert sorted(name for each in applied for name in each) == ["events/0001_a.sql", "events/0002_b.sql"]
    assert await _query(empty_database, "SELECT n FROM a") == [(1,)]


async def test_an_edited_file_is_refused(empty_database: str, folder: Path) -> None:
    await migrate(empty_database, "events", folder=folder)
    (folder / "events" / "0001_a.sql").write_text("CREATE TABLE a (n bigint);")
    with pytest.raises(MigrationEdited, match=r"events/0001_a\.sql was edited .* put the change into a new one"):
        await migrate(empty_database, "events", folder=folder)


async def test_line_ends_do_not_count_as_an_edit(empty_database: str, folder: Path) -> None:
    await migrate(empty_database, "events", folder=folder)
    path = folder / "events" / "0001_a.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert await migrate(empty_database, "events", folder=folder) == []


async def test_a_file_that_fails_leaves_nothing_behind(empty_database: str, folder: Path) -> None:
    (folder / "events" / "0002_b.sql").write_text("CREATE TABLE b (n int); SELECT 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        await migrate(empty_database, "events", folder=folder)
    assert await _query(empty_database, "SELECT to_regclass('a') IS NULL, to_regclass('b') IS NULL") == [
        (False, True)
    ]
    (folder / "events" / "0002_b.sql").write_text("CREATE TABLE b (n int);")
    assert await migrate(empty_database, "events", folder=folder) == ["events/0002_b.sql"]


async def test_a_database_that_knows_more_is_left_alone(empty_database: str, folder: Path) -> None:
    await migrate(empty_database, "events", folder=folder)
    (folder / "events" / "0002_b.sql").unlink()
    assert await migrate(empty_database, "events", folder=folder) == []
