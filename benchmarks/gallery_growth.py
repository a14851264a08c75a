"""A page of a gallery, however many items it has: pages of 24 over gRPC, beside the same gallery with a thousand.

The first gallery is made of real events and projected. The larger ones are copies of its rows, written straight into
the projection's table with ids, times and positions of their own, in the order of time; its indexes are made anew
afterwards, as a rebuild of the projection would leave them. (A million events through the projector would take most
of the time that all benchmarks have; the rows and the indexes are the same.) Each gallery has a user of its own, and
all are in one table, so that also the small one is read from a large table.

The thousandth page is reached by its page token. A thousand items have 42 pages; there its last full page stands in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, LiteralString

import grpc
import psycopg
from psycopg import sql
from triptych.v1 import gallery_service_pb2 as pb
from triptych.v1.gallery_service_pb2_grpc import GalleryServiceStub

from benchmarks.bench import Bench
from benchmarks.case import Case, Figure, Kind, Round, Rounds, Row, in_turns
from benchmarks.galleries import fill
from benchmarks.grpc_callers import PAGE_SIZE, Callers, Order, calling
from benchmarks.serving import serving

SMALL = 1_000
LARGE = (100_000, 1_000_000)
PAGE = 1_000
"""Which one is measured beside the first."""
BIG_STEP = 200
REACH = 1.3
ITSELF = "itself with 1,000 items"
ROWS = [
    Row(
        f"gallery-growth/{size}/{page}",
        f"{'first' if page == 1 else f'{page:,}th'} page of 24, {size:,} items in the gallery",
        ITSELF,
        Kind.TIME,
        "ms",
        REACH,
        curve="first page" if page == 1 else f"page {page:,}",
        at=size,
    )
    for size in LARGE
    for page in (1, PAGE)
]
_COPIED: dict[str, LiteralString] = {
    "item_id": "md5(%(user)s || item.item_id || copy) || '.0'",
    "user_id": "%(user)s",
    "create_time": "item.create_time + make_interval(days => copy)",
    "create_position": "item.create_position + copy * 100000::bigint",
    "update_position": "item.update_position + copy * 100000::bigint",
}
"""Columns that differ from copy to copy."""


def user_of(size: int) -> str:
    return f"user-{size}"


async def measure(bench: Bench) -> AsyncIterator[Round]:
    conninfo, folder = await bench.database(), bench.folder / "gallery-growth"
    await fill(conninfo, {user_of(SMALL): SMALL}, folder)
    sizes = LARGE[: bench.size(full=2, quick=1)]
    for size in sizes:
        bench.tell(f"making a gallery of {size:,} items")
        await multiply(conninfo, size)
    async with AsyncExitStack() as stack:
        callers = await stack.enter_async_context(calling())
        address = stack.enter_context(serving("api", conninfo, folder)).ready["api"]
        small = {1: "", PAGE: await token_of_page(address, user_of(SMALL), SMALL // PAGE_SIZE)}
        for size in LARGE:
            # A quick run has no million; it shows the next smaller gallery in its place.
            shown = size if size in sizes else sizes[-1]
            user = user_of(shown)
            tokens = {1: "", PAGE: await token_of_page(address, user, PAGE)}
            for page, token in tokens.items():
                ours = partial(page_milliseconds, bench, callers, address, user, token, shown)
                theirs = partial(page_milliseconds, bench, callers, address, user_of(SMALL), small[page], SMALL)
                async for each in in_turns(bench, f"gallery-growth/{size}/{page}", ours, theirs):
                    yield each


async def page_milliseconds(
    bench: Bench, callers: Callers, address: str, user: str, token: str, items: int
) -> Figure:
    """The median of one caller who asks for the same page again and again."""
    order = Order(address, "ListItems", [user], 1, bench.size(full=1.0, quick=0.3), token)
    result = await callers.carry_out(order)
    return Figure(result.milliseconds(0.5), {"items": items, "p99, ms": result.milliseconds(0.99)})


async def token_of_page(address: str, user: str, page: int) -> str:
    """The token of a page of 24 (from 1), found in large steps: a token does not name the size of the page."""
    left = (page - 1) * PAGE_SIZE
    token = ""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = GalleryServiceStub(channel)
        while left:
            step = min(left, BIG_STEP)
            answer = await stub.ListItems(pb.ListItemsRequest(user_id=user, page_size=step, page_token=token))
            token, left = answer.next_page_token, left - step
            if not token:
                raise ValueError(f"the gallery of {user} has no page {page}")
    return token


async def multiply(conninfo: str, size: int) -> None:
    """A gallery of so many items, of copies of the small one's."""
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        cursor = await connection.execute("SELECT schema_name FROM read.projections WHERE name = 'gallery' AND live")
        schema = (await cursor.fetchall())[0][0]
        table = sql.Identifier(schema, "gallery_items")
        cursor = await connection.execute(
            "SELECT indexdef, indexname FROM pg_indexes WHERE schemaname = %s AND tablename = 'gallery_items'"
            " AND indexname NOT LIKE '%%pkey'",
            [schema],
        )
        indexes = await cursor.fetchall()
        for _, name in indexes:
            await connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(schema, name)))
        await connection.execute(
            await _copying(connection, table),
            {"user": user_of(size), "source": user_of(SMALL), "copies": size // SMALL},
        )
        for definition, _ in indexes:
            await connection.execute(definition)
        await connection.execute(sql.SQL("VACUUM ANALYZE {}").format(table))


async def _copying(connection: psycopg.AsyncConnection[Any], table: sql.Identifier) -> sql.Composed:
    """Inserts copies of the rows of one user, whatever columns the projection has today."""
    cursor = await connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(table))
    names = [column.name for column in cursor.description or ()]
    values = [sql.SQL(_COPIED[name]) if name in _COPIED else sql.Identifier("item", name) for name in names]
    return sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, %(copies)s) AS copy, {table} AS item"
        " WHERE item.user_id = %(source)s"
    ).format(table=table, names=sql.SQL(", ").join(map(sql.Identifier, names)), values=sql.SQL(", ").join(values))


CASE = Case("gallery-growth", ROWS, measure, axis="items in the gallery", rounds=Rounds(full=3, quick=2))
