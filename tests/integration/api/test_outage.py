"""What callers hear while a database is away: that it is, and when to come back. Never that something is broken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
import pytest
from triptych.v1 import credit_service_pb2, gallery_service_pb2, generation_service_pb2

from service.adapters.postgres.pool import make_pool
from service.projections.queries_credits import PostgresCreditQueries
from service.projections.queries_gallery import PostgresGalleryQueries
from service.projections.queries_generations import PostgresGenerationQueries
from tests.support.api import BOUND_SECONDS, Api, another_server
from tests.support.grpc_errors import refusal_of

NOBODY = "host=127.0.0.1 port=1 dbname=nothing connect_timeout=2"


@pytest.fixture
async def cut_off(api: Api) -> AsyncIterator[Api]:
    """The service with read models at an address where nobody answers."""
    pool = make_pool(NOBODY, application_name="cut off", wait_timeout_seconds=0.2)
    await pool.open(wait=False)
    core = replace(
        api.core,
        credit_queries=PostgresCreditQueries(pool),
        gallery_queries=PostgresGalleryQueries(pool),
        generation_queries=PostgresGenerationQueries(pool),
    )
    try:
        async with another_server(core) as server:
            yield server
    finally:
        await pool.close()


async def test_queries_say_that_the_read_models_are_away(cut_off: Api) -> None:
    calls: list[Any] = [
        cut_off.credits.GetAccount(credit_service_pb2.GetAccountRequest(user_id="u"), timeout=BOUND_SECONDS),
        cut_off.gallery.ListItems(gallery_service_pb2.ListItemsRequest(user_id="u"), timeout=BOUND_SECONDS),
        cut_off.gallery.StreamItems(gallery_service_pb2.StreamItemsRequest(user_id="u"), timeout=BOUND_SECONDS),
        cut_off.gallery.WatchItems(gallery_service_pb2.WatchItemsRequest(user_id="u"), timeout=BOUND_SECONDS),
        cut_off.generations.ListGenerations(
            generation_service_pb2.ListGenerationsRequest(user_id="u"), timeout=BOUND_SECONDS
        ),
    ]
    for call in calls:
        refusal = await refusal_of(call)
        assert refusal.code is grpc.StatusCode.UNAVAILABLE
        assert (refusal.reason, refusal.retry_after_seconds) == ("READ_MODELS_UNAVAILABLE", 1.0)
        assert "127.0.0.1" not in refusal.message


async def test_what_needs_no_read_model_goes_on(cut_off: Api) -> None:
    user_id = await cut_off.user_with(100)
    first = await cut_off.request(user_id, request_id="mine")
    assert first.created
    # A repeat would tell what came of it; without the read model it tells what the log has.
    again = await cut_off.request(user_id, request_id="mine")
    assert not again.created
    assert again.generation == first.generation
