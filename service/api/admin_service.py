"""``AdminService``: what operators look at and put right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grpc.aio import ServicerContext
from triptych.v1 import admin_service_pb2 as pb
from triptych.v1.admin_service_pb2_grpc import AdminServiceServicer

from service.api import checks, convert
from service.api.caller import CALLER
from service.api.dependencies import Core
from service.domain.errors import InvalidField, NotFound
from service.ports.projections import ProjectionStatus

Call = ServicerContext[Any, Any]


class AdminServicer(AdminServiceServicer):
    def __init__(self, core: Core) -> None:
        self._core = core

    async def ListProjections(self, request: pb.ListProjectionsRequest, context: Call) -> pb.ListProjectionsResponse:
        statuses = await self._core.projections.statuses()
        return pb.ListProjectionsResponse(
            projections=[convert.projection(status) for status in statuses],
            head_position=await self._core.history.head(),
        )

    async def SkipEvent(self, request: pb.SkipEventRequest, context: Call) -> pb.SkipEventResponse:
        reason = checks.free_text("reason", request.reason, most=checks.MAX_NOTE_LENGTH)
        if not reason.strip():
            raise InvalidField("reason", "is missing; say in a few words why it is right to go on without the event")
        if request.position < 1:
            raise InvalidField(
                "position", f"must be the position of the event that stopped it, not {request.position}"
            )
        await self._builds(request.projection)
        await self._core.projections.skip(
            request.projection, request.position, actor=CALLER.get().context.actor, reason=reason
        )
        builds = await self._builds(request.projection)
        return pb.SkipEventResponse(projections=[convert.projection(status) for status in builds])

    async def _builds(self, projection: str) -> Sequence[ProjectionStatus]:
        builds = [status for status in await self._core.projections.statuses() if status.name == projection]
        if not builds:
            raise NotFound("projection", projection)
        return builds
