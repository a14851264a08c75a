"""What the service refuses with, as the clients raise it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from clients import sdk
from tests.unit.clients.scripted import Bare, Caller, Line, ScriptedServer, refusal

FAILED_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE

REFUSALS: list[tuple[Line, type[sdk.TriptychError], dict[str, Any]]] = [
    (
        refusal(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", "is missing", field_name="prompt"),
        sdk.InvalidArgument,
        {"violations": (("prompt", "is missing"),), "reason": "INVALID_FIELD", "code": "INVALID_ARGUMENT"},
    ),
    (
        refusal(grpc.StatusCode.NOT_FOUND, "NOT_FOUND", resource="item", name="x"),
        sdk.NotFound,
        {"resource": "item", "name": "x"},
    ),
    (
        refusal(grpc.StatusCode.ALREADY_EXISTS, "ID_REUSED", field="request_id", differing="type,prompt"),
        sdk.AlreadyExists,
        {"field": "request_id", "differing": ("type", "prompt")},
    ),
    (
        refusal(FAILED_PRECONDITION, "INSUFFICIENT_CREDITS", balance="3", price="20"),
        sdk.InsufficientCredits,
        {"balance": 3, "price": 20},
    ),
    (
        refusal(
            FAILED_PRECONDITION,
            "ALREADY_REFUNDED",
            generation_id="g",
            actor="olga",
            note="six fingers",
            refund_time="2026-11-25T12:00:00+00:00",
        ),
        sdk.AlreadyRefunded,
        {
            "generation_id": "g",
            "actor": "olga",
            "note": "six fingers",
            "refund_time": datetime(2026, 11, 25, 12, tzinfo=UTC),
        },
    ),
    (
        refusal(FAILED_PRECONDITION, "NOTHING_TO_REFUND", generation_id="g", debited="5", refunded="5"),
        sdk.NothingToRefund,
        {"debited": 5, "refunded": 5},
    ),
    (refusal(FAILED_PRECONDITION, "NOT_ENDED", state="queued"), sdk.NotEnded, {"state": "queued"}),
    (refusal(FAILED_PRECONDITION, "NOT_CANCELLABLE", state="succeeded"), sdk.NotCancellable, {"state": "succeeded"}),
    (refusal(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED"), sdk.Unauthenticated, {}),
    (refusal(grpc.StatusCode.INTERNAL, "INTERNAL", error_id="abc"), sdk.InternalError, {"error_id": "abc"}),
    (refusal(FAILED_PRECONDITION, "NEWER_THAN_THIS", a="b"), sdk.FailedPrecondition, {"facts": {"a": "b"}}),
    (refusal(grpc.StatusCode.OUT_OF_RANGE, "ODD"), sdk.TriptychError, {"code": "OUT_OF_RANGE", "reason": "ODD"}),
    # Facts that are missing or no numbers do not hide the refusal.
    (refusal(FAILED_PRECONDITION, "INSUFFICIENT_CREDITS", price="?"), sdk.InsufficientCredits, {"price": 0}),
    (refusal(FAILED_PRECONDITION, "ALREADY_REFUNDED"), sdk.AlreadyRefunded, {"refund_time": None}),
    # Without the service's details
    (Bare(grpc.StatusCode.UNIMPLEMENTED), sdk.Unimplemented, {}),
    (Bare(grpc.StatusCode.NOT_FOUND, damaged=True), sdk.NotFound, {"resource": ""}),
    (Bare(grpc.StatusCode.INTERNAL, "RST_STREAM"), sdk.InternalError, {"facts": {"transport": "RST_STREAM"}}),
]


@pytest.mark.parametrize(("line", "kind", "attributes"), REFUSALS, ids=lambda value: getattr(value, "__name__", ""))
async def test_refusals_are_typed(
    server: ScriptedServer, caller: Caller, line: Line, kind: type[sdk.TriptychError], attributes: dict[str, Any]
) -> None:
    server.will([line])
    with pytest.raises(sdk.TriptychError) as caught:
        await caller.call("get_account", "anna")
    assert type(caught.value) is kind
    assert {name: getattr(caught.value, name) for name in attributes} == attributes
    assert isinstance(caught.value.__cause__, grpc.RpcError)
    assert len(server.requests) == 1


async def test_a_server_that_is_not_there_is_unreachable(caller: Caller, server: ScriptedServer) -> None:
    server.will(*[[Bare(UNAVAILABLE, "failed to connect; last error: Connection refused")]] * 4)
    with pytest.raises(sdk.Unreachable, match=r"Cannot reach 127.0.0.1:\d+ \(Connection refused\)"):
        await caller.call("get_head")


async def test_a_refusal_in_the_middle_of_a_stream_is_typed(server: ScriptedServer, caller: Caller) -> None:
    server.will([refusal(grpc.StatusCode.NOT_FOUND, "NOT_FOUND", resource="generation", name="g")])
    with pytest.raises(sdk.NotFound):
        await caller.call("watch_generation", "g")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"seed": 2**70}, "seed"),
        ({"output_count": "two"}, "output_count"),
        ({"aspect_ratio": "\ud800"}, "aspect_ratio"),
    ],
)
async def test_what_no_message_can_hold_is_refused_by_name(
    server: ScriptedServer, caller: Caller, options: dict[str, Any], field: str
) -> None:
    with pytest.raises(sdk.InvalidArgument) as caught:
        await caller.call("request_generation", "anna", "imagen4", "a fox", **options)
    assert [violation.field for violation in caught.value.violations] == [field]
    assert not server.requests
