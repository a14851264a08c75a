"""Questions about a past moment: which one is meant, and who answers.

Nothing is waited for there: what was, is in the log.
"""

from __future__ import annotations

from typing import Any

from grpc.aio import ServicerContext
from triptych.v1 import credit_service_pb2, gallery_service_pb2

from service.api import checks
from service.api.dependencies import Core
from service.api.page_tokens import Question
from service.api.reading import wait_until
from service.ports.read_models import CreditQueries, GalleryQueries

Call = ServicerContext[Any, Any]
AboutGallery = gallery_service_pb2.ListItemsRequest | gallery_service_pb2.CountItemsRequest
AboutCredits = credit_service_pb2.GetAccountRequest | credit_service_pb2.ListLedgerEntriesRequest


def moment_of(request: AboutGallery | AboutCredits) -> Question:
    """What page tokens have to know of the moment; nothing for the present."""
    match request.WhichOneof("as_of"):
        case "as_of_position":
            return ("as of position", request.as_of_position)
        case "as_of_time":
            return ("as of time", request.as_of_time.seconds, request.as_of_time.nanos)
    return ()


async def gallery_then(core: Core, request: AboutGallery, context: Call) -> GalleryQueries:
    """Who answers about galleries. Raises InvalidField for a moment that has not come; ProjectionBehind."""
    position = await _position(core, request)
    if position is not None:
        return core.past.gallery(position)
    await wait_until(core, "gallery", request.at_least_position, context)
    return core.gallery_queries


async def credits_then(core: Core, request: AboutCredits, context: Call) -> CreditQueries:
    """Who answers about credits. Raises InvalidField for a moment that has not come; ProjectionBehind."""
    position = await _position(core, request)
    if position is not None:
        return core.past.credits(position)
    await wait_until(core, "credits", request.at_least_position, context)
    return core.credit_queries


async def _position(core: Core, request: AboutGallery | AboutCredits) -> int | None:
    match request.WhichOneof("as_of"):
        case "as_of_position":
            return await core.history.as_of(request.as_of_position)
        case "as_of_time":
            return await core.history.as_of(checks.time("as_of_time", request.as_of_time))
    return None
