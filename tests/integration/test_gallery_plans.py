"""A page of a gallery costs the same wherever it is: the index is walked from there, and nothing is sorted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pytest

from service.ports.read_models import Cursor, ItemFilter, ItemPage
from service.projections import queries_gallery
from service.projections.gallery import GALLERY
from service.projections.queries import Pool, ask_all
from tests.support.read_models import ReadModels, running_read_models

PAGE = 50
MOST_ROWS_READ = 4 * PAGE

FILL = """
INSERT INTO gallery_items
SELECT n || '.0', n::text, 'ann', (ARRAY['avatar', 'imagen4', 'video'])[1 + n % 3], 0, '', '', '', '', NULL, 0,
    file, file, n % 10 = 0, n % 20 = 1, timestamptz '2026-01-01' + (n * 7919 % 20000) * interval '1 minute',
    n, n, true, ''
FROM generate_series(1, 20000) n,
    CAST ('{"key": "k", "content_type": "image/png", "size_bytes": 1, "sha256": "", "width": 8, "height": 8}'
        AS jsonb) AS file
"""
"""In an order of times that is not that of positions, as after an import."""

FILTERS = [
    ItemFilter(user_id="ann"),
    ItemFilter(user_id="ann", generation_type="avatar"),
    ItemFilter(user_id="ann", favorite_only=True),
    ItemFilter(user_id="ann", trashed=True),
]


@pytest.fixture(scope="module")
def module_database(postgres_server: Any, postgres_template: str) -> Iterator[str]:
    name = postgres_server.create_database(template=postgres_template)
    yield postgres_server.conninfo_for(name)
    postgres_server.drop_database(name)


@pytest.fixture(scope="module")
async def filled(module_database: str) -> AsyncIterator[ReadModels]:
    async with running_read_models(module_database, projections=[GALLERY], with_host=False) as models:
        async with models.pool.connection() as connection, connection.transaction():
            await connection.execute("SET LOCAL search_path TO rm_gallery_1")
            await connection.execute(FILL)
            await connection.execute("ANALYZE gallery_items")
        yield models


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Plans of the queries that are asked, with what they really read."""
    seen: list[dict[str, Any]] = []

    async def explained(pool: Pool, name: str, query: bytes, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        async with pool.connection() as connection:
            cursor = await connection.execute(b"EXPLAIN (ANALYZE, FORMAT JSON) " + query, parameters)
            [[[plan]]] = await cursor.fetchall()
            seen.append(plan["Plan"])
        return await ask_all(pool, name, query, parameters)

    monkeypatch.setattr(queries_gallery, "ask_all", explained)
    return seen


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def rows_read(plan: dict[str, Any]) -> float:
    """By scans of the table and its indexes, those included that a filter took out again."""
    return sum(_read(each) for each in nodes(plan) if each["Node Type"].endswith("Scan"))


def _read(scan: dict[str, Any]) -> float:
    found: float = scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)
    return found * float(scan["Actual Loops"])


def check(plan: dict[str, Any]) -> None:
    told = json.dumps(plan, indent=1)
    assert not [each for each in nodes(plan) if each["Node Type"].endswith("Sort")], told
    assert rows_read(plan) <= MOST_ROWS_READ, told


async def page_at(models: ReadModels, where: ItemFilter, depth: int, direction: str) -> ItemPage:
    """The page that begins after ``depth`` items of the list, found without pages."""
    [(time, position)] = await models.fetch(
        "SELECT create_time, create_position FROM read.gallery_items WHERE user_id = %s AND trashed = %s"
        " AND (generation_type = %s OR %s = '') AND (favorite OR NOT %s)"
        " ORDER BY create_time DESC, create_position DESC OFFSET %s LIMIT 1",
        *(where.user_id, where.trashed, where.generation_type, where.generation_type, where.favorite_only, depth),
    )
    cursor = Cursor(time, position, direction)  # type: ignore[arg-type]
    return await models.gallery.list_items(where, cursor=cursor, limit=PAGE)


@pytest.mark.parametrize("where", FILTERS, ids=["all", "type", "favourites", "trash"])
async def test_first_and_last_pages_are_read_from_the_index(
    filled: ReadModels, plans: list[dict[str, Any]], where: ItemFilter
) -> None:
    first = await filled.gallery.list_items(where, cursor=None, limit=PAGE)
    [count] = (
        await filled.fetch(
            "SELECT count(*) FROM read.gallery_items WHERE trashed = %s AND (generation_type = %s OR %s = '')"
            " AND (favorite OR NOT %s)",
            *(where.trashed, where.generation_type, where.generation_type, where.favorite_only),
        )
    )[0]
    assert count > 10 * PAGE
    deep = await page_at(filled, where, count - 2 * PAGE, "older")
    back = await page_at(filled, where, count - 2 * PAGE, "newer")
    for page in (first, deep, back):
        places = [(each.create_time, each.create_position) for each in page.items]
        assert len(places) == PAGE
        assert places == sorted(places, reverse=True)
    assert len(plans) == 3
    for plan in plans:
        check(plan)
