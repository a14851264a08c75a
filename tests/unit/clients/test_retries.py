"""Calls that are made again, streams that are taken up again, and those that must not be."""

from __future__ import annotations

import grpc
import pytest
from triptych.v1 import credit_service_pb2, gallery_service_pb2, generation_service_pb2, history_service_pb2
from triptych.v1.generation_pb2 import Generation

from clients import sdk
from tests.unit.clients.scripted import Bare, Caller, Hang, Line, ScriptedServer, client_of, refusal

AWAY = Bare(grpc.StatusCode.UNAVAILABLE, "Socket closed")
BUSY = Bare(grpc.StatusCode.RESOURCE_EXHAUSTED)
BEHIND = refusal(grpc.StatusCode.UNAVAILABLE, "PROJECTION_BEHIND", retry_after_seconds=0.01)
CONFLICT = refusal(grpc.StatusCode.ABORTED, "CONFLICT", retry_after_seconds=0.01)


@pytest.mark.parametrize("line", [AWAY, BUSY, BEHIND, CONFLICT], ids=["away", "busy", "behind", "conflict"])
async def test_a_request_is_sent_again_under_the_same_id(server: ScriptedServer, caller: Caller, line: Line) -> None:
    server.will([line], [line], generation_service_pb2.RequestGenerationResponse(created=True, position=7))
    requested = await caller.call("request_generation", "anna", "imagen4", "a fox")
    assert requested.created
    ids = [request.request_id for request in server.requests]
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert len(ids[0]) == 36


async def test_two_requests_have_two_ids(server: ScriptedServer, caller: Caller) -> None:
    answer = generation_service_pb2.RequestGenerationResponse()
    server.will(answer, answer)
    for _ in range(2):
        await caller.call("request_generation", "anna", "imagen4", "a fox")
    assert len({request.request_id for request in server.requests}) == 2


async def test_a_grant_is_sent_again_under_the_same_id(server: ScriptedServer, caller: Caller) -> None:
    server.will([AWAY], credit_service_pb2.GrantCreditsResponse(created=True))
    await caller.call("grant_credits", "anna", 100)
    first, second = server.requests
    assert first == second
    assert first.grant_id


async def test_ids_of_the_caller_are_kept(server: ScriptedServer, caller: Caller) -> None:
    server.will(
        generation_service_pb2.RequestGenerationResponse(), credit_service_pb2.GrantCreditsResponse(created=True)
    )
    await caller.call("request_generation", "anna", "imagen4", "a fox", request_id="order-1")
    await caller.call("grant_credits", "anna", 100, grant_id="payment-1")
    assert server.requests[0].request_id == "order-1"
    assert server.requests[1].grant_id == "payment-1"


async def test_attempts_are_bounded(server: ScriptedServer, caller: Caller) -> None:
    server.will(*[[AWAY]] * 10)
    with pytest.raises(sdk.Unavailable):
        await caller.call("get_account", "anna")
    assert len(server.requests) == 4


async def test_no_answer_is_not_asked_for_again(server: ScriptedServer, caller: Caller) -> None:
    server.will(Hang())
    impatient = Caller(caller.client.with_options(timeout_seconds=0.5))
    with pytest.raises(sdk.DeadlineExceeded):
        await impatient.call("get_account", "anna")
    assert len(server.requests) <= 1


async def test_a_pause_beyond_the_deadline_is_not_waited_for(server: ScriptedServer, caller: Caller) -> None:
    server.will([refusal(grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE", retry_after_seconds=3600)])
    with pytest.raises(sdk.Unavailable) as caught:
        await caller.call("get_account", "anna")
    assert caught.value.retry_after_seconds == 3600
    assert len(server.requests) == 1


async def test_a_refund_whose_answer_was_lost_tells_of_the_first_one(server: ScriptedServer, caller: Caller) -> None:
    done = refusal(grpc.StatusCode.FAILED_PRECONDITION, "ALREADY_REFUNDED", actor="me")
    server.will([AWAY], [done])
    with pytest.raises(sdk.AlreadyRefunded) as caught:
        await caller.call("refund_generation", "g", "six fingers", actor="me")
    assert caught.value.actor == "me"


def seen(state: Generation.State.ValueType, position: int) -> generation_service_pb2.WatchGenerationResponse:
    generation = Generation(generation_id="g", state=state)
    return generation_service_pb2.WatchGenerationResponse(generation=generation, position=position)


async def test_a_watch_goes_on_after_a_lost_connection(server: ScriptedServer, caller: Caller) -> None:
    queued, done = seen(Generation.STATE_QUEUED, 5), seen(Generation.STATE_SUCCEEDED, 9)
    server.will([queued, AWAY], [AWAY], [AWAY], [queued, AWAY], [AWAY], [AWAY], [done])
    states = await caller.call("watch_generation", "g")
    assert [each.state for each in states] == ["queued", "succeeded"]
    assert [request.at_least_position for request in server.requests] == [0, 5, 5, 5, 5, 5, 5]


async def test_a_watch_that_never_comes_back_ends(server: ScriptedServer, caller: Caller) -> None:
    server.will([seen(Generation.STATE_QUEUED, 5), AWAY], *[[AWAY]] * 10)
    with pytest.raises(sdk.Unavailable):
        await caller.call("wait_for_generation", "g")
    assert len(server.requests) == 4


async def test_a_gallery_is_watched_from_where_it_was(server: ScriptedServer, caller: Caller) -> None:
    first = gallery_service_pb2.WatchItemsResponse(position=4, removed_item_ids=["a"])
    second = gallery_service_pb2.WatchItemsResponse(position=8, caught_up=True)
    server.will([first, AWAY], [second])
    changes = await caller.call("watch_items", "anna", type="video", after_position=2)
    assert [each.position for each in changes] == [4, 8]
    assert [(request.after_position, request.type) for request in server.requests] == [(2, "video"), (4, "video")]


def events(*positions: int, until: int) -> history_service_pb2.ReplayEventsResponse:
    response = history_service_pb2.ReplayEventsResponse(position=until)
    for position in positions:
        response.events.add(position=position, type="GenerationFailed")
    return response


async def test_every_event_comes_once(server: ScriptedServer, caller: Caller) -> None:
    server.will([events(1, 2, until=3), events(until=6), AWAY], [events(7, until=7)])
    found = await caller.call("replay_events", types=["GenerationFailed"])
    assert [event.position for event in found] == [1, 2, 7]
    assert [request.after_position for request in server.requests] == [0, 6]


async def test_a_stream_that_cannot_be_taken_up_says_so(server: ScriptedServer, caller: Caller) -> None:
    page = gallery_service_pb2.StreamItemsResponse(items=[{"item_id": "a"}])  # type: ignore[list-item]
    server.will([AWAY], [page, AWAY])
    with pytest.raises(sdk.Unavailable):
        await caller.call("stream_items", "anna")
    assert len(server.requests) == 2


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_one_attempt_is_one_attempt(server: ScriptedServer, kind: str) -> None:
    server.will([AWAY], [AWAY])
    caller = client_of(kind, server.address, retry=sdk.RetryPolicy(max_attempts=1))
    with pytest.raises(sdk.Unavailable):
        await caller.call("get_head")
    await caller.close()
    assert len(server.requests) == 1
