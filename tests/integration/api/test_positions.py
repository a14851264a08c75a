"""Every query waits for its own projection, and says which one is late."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

import grpc
import pytest
from triptych.v1 import credit_service_pb2, gallery_service_pb2, generation_service_pb2
from triptych.v1.history_service_pb2 import GetHeadRequest

from service.ports.projections import ProjectionBehind, ProjectionName
from tests.support.api import BOUND_SECONDS, Api, another_server
from tests.support.grpc_errors import refusal_of

ITEM = "1b4e28ba-2fa1-51d2-883f-0016d3cca427.0"
GENERATION = ITEM.removesuffix(".0")

# Services and their projections have the same names here.
QUERIES: list[tuple[str, str, Any, dict[str, str]]] = [
    ("generations", "GetGeneration", generation_service_pb2, {"generation_id": GENERATION}),
    ("generations", "ListGenerations", generation_service_pb2, {"user_id": "anna"}),
    ("generations", "WatchGeneration", generation_service_pb2, {"generation_id": GENERATION}),
    ("credits", "GetAccount", credit_service_pb2, {"user_id": "anna"}),
    ("credits", "ListLedgerEntries", credit_service_pb2, {"user_id": "anna"}),
    ("gallery", "ListItems", gallery_service_pb2, {"user_id": "anna"}),
    ("gallery", "StreamItems", gallery_service_pb2, {"user_id": "anna"}),
    ("gallery", "CountItems", gallery_service_pb2, {"user_id": "anna"}),
    ("gallery", "GetItem", gallery_service_pb2, {"user_id": "anna", "item_id": ITEM}),
    ("gallery", "DownloadMedia", gallery_service_pb2, {"user_id": "anna", "item_id": ITEM}),
]


class AlwaysBehind:
    """``service.ports.projections.PositionWaiter`` of projections that stand still."""

    async def wait(self, projection: ProjectionName, position: int, *, timeout_seconds: float) -> NoReturn:
        raise ProjectionBehind(projection, position, 0)


@pytest.mark.parametrize(("projection", "method", "messages", "fields"), QUERIES, ids=[each[1] for each in QUERIES])
async def test_query_waits_for_its_own_projection(
    api: Api, projection: str, method: str, messages: Any, fields: dict[str, str]
) -> None:
    await api.user_with(1)  # So that there is a position to wait for.
    position = (await api.history.GetHead(GetHeadRequest(), timeout=BOUND_SECONDS)).position
    request = getattr(messages, f"{method}Request")(at_least_position=position, **fields)
    async with another_server(replace(api.core, waiter=AlwaysBehind())) as late:
        refusal = await refusal_of(getattr(getattr(late, projection), method)(request, timeout=BOUND_SECONDS))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "PROJECTION_BEHIND")
    assert (refusal.facts["projection"], refusal.facts["wanted"]) == (projection, str(position))
