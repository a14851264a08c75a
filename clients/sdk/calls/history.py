"""Calls of ``HistoryService``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from triptych.v1 import history_service_pb2 as pb

from clients.sdk.calls.moments import aware
from clients.sdk.events import EventBatch, EventType, event_batch, event_type
from clients.sdk.rpc import Call, StreamCall, build
from clients.sdk.simulation import SimulationStep, simulation_step


class ReplayFilter(TypedDict, total=False):
    """Which events: everything that is given must hold.

    Positions: ``until_position`` is inclusive. Times have a zone: ``start_time`` is inclusive, ``end_time`` is not.
    ``types`` are names such as "GenerationFailed", ``categories`` are "account" and "generation".
    ``generation_type`` also finds the debits and refunds of such generations.
    """

    until_position: int | None
    start_time: datetime | None
    end_time: datetime | None
    types: Sequence[str]
    categories: Sequence[str]
    user_id: str | None
    generation_type: str | None


class WhatIf(TypedDict, total=False):
    """What is to be other than it was: the catalog (TOML), the refund rule.

    Rules are "undelivered", "failed", "incomplete" and "none". Both default to what the service has.
    ``until_position`` (inclusive) and ``end_time`` (exclusive, with a zone) end it earlier; ``user_count`` is how
    many users to tell of, 1 to 100, default 10.
    """

    catalog_toml: str | None
    refund_rule: str | None
    until_position: int | None
    end_time: datetime | None
    user_count: int | None


def get_head() -> Call[int]:
    return Call(
        method=lambda stubs: stubs.history.GetHead,
        request=pb.GetHeadRequest(),
        convert=lambda answer: int(answer.position),
    )


def replay_events(
    after_position: int, follow: bool, batch_size: int | None, where: ReplayFilter
) -> StreamCall[EventBatch]:
    def resume(request: pb.ReplayEventsRequest, answer: pb.ReplayEventsResponse) -> None:
        request.after_position = answer.position

    request = build(
        pb.ReplayEventsRequest,
        after_position=after_position,
        until_position=where.get("until_position"),
        start_time=aware("start_time", where.get("start_time")),
        end_time=aware("end_time", where.get("end_time")),
        types=tuple(where.get("types", ())),
        categories=tuple(where.get("categories", ())),
        user_id=where.get("user_id"),
        generation_type=where.get("generation_type"),
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


def list_event_types() -> Call[tuple[EventType, ...]]:
    return Call(
        method=lambda stubs: stubs.history.ListEventTypes,
        request=pb.ListEventTypesRequest(),
        convert=lambda answer: tuple(event_type(each) for each in answer.event_types),
    )


def simulate_history(what_if: WhatIf) -> StreamCall[SimulationStep]:
    def restart(request: pb.SimulateHistoryRequest, answer: pb.SimulateHistoryResponse) -> None:
        """The same request again is the same simulation, from the beginning."""

    request = build(
        pb.SimulateHistoryRequest,
        **(dict(what_if) | {"end_time": aware("end_time", what_if.get("end_time"))}),
    )
    return StreamCall(
        method=lambda stubs: stubs.history.SimulateHistory,
        request=request,
        convert=simulation_step,
        resume=restart,
    )
