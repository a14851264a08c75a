"""Calls of ``HistoryService``."""

from __future__ import annotations

from collections.abc import Sequence

from triptych.v1 import history_service_pb2 as pb

from clients.sdk.events import EventBatch, event_batch
from clients.sdk.rpc import Call, StreamCall, build


def get_head() -> Call[int]:
    return Call(
        method=lambda stubs: stubs.history.GetHead,
        request=pb.GetHeadRequest(),
        convert=lambda answer: int(answer.position),
    )


def replay_events(
    after_position: int, types: Sequence[str], follow: bool, batch_size: int | None
) -> StreamCall[EventBatch]:
    def resume(request: pb.ReplayEventsRequest, answer: pb.ReplayEventsResponse) -> None:
        request.after_position = answer.position

    request = build(
        pb.ReplayEventsRequest,
        after_position=after_position,
        types=tuple(types),
        follow=follow,
        batch_size=batch_size,
    )
    return StreamCall(
        method=lambda stubs: stubs.history.ReplayEvents,
        request=request,
        convert=event_batch,
        resume=resume,
        endless=follow,
    )
