"""HistoryService: the log in order, typed, resumable, live."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from triptych.v1 import history_service_pb2 as pb
from triptych.v1.events_pb2 import Event

from service.domain.events import EVENT_TYPES
from tests.support.api import BOUND_SECONDS, Api, bounded
from tests.support.grpc_errors import refusal_of


async def head(api: Api) -> int:
    return int((await api.history.GetHead(pb.GetHeadRequest(), timeout=BOUND_SECONDS)).position)


def replay(api: Api, **request: Any) -> Any:
    return api.history.ReplayEvents(pb.ReplayEventsRequest(**request), timeout=BOUND_SECONDS * 2)


async def events(api: Api, **request: Any) -> list[Event]:
    return [event async for batch in replay(api, **request) for event in batch.events]


async def test_replay_tells_what_happened_in_order(api: Api) -> None:
    before = await head(api)
    user_id = await api.user_with(100)
    generation = (await api.request(user_id, output_count=2)).generation
    await api.deliver(generation, 1)
    told = await events(api, after_position=before)
    types = [event.type for event in told]
    assert types == [
        "CreditsGranted",
        "CreditsDebited",
        "GenerationRequested",
        "CreditsRefunded",
        "ImageProduced",
        "GenerationSucceeded",
    ]
    assert [event.position for event in told] == sorted(event.position for event in told)
    requested = told[2]
    assert requested.generation_requested.asked.prompt == generation.prompt
    assert requested.stream == f"generation-{generation.generation_id}"
    assert (requested.version, requested.actor) == (1, "local")
    assert requested.correlation_id == generation.generation_id
    assert told[3].credits_refunded.credits == 5
    assert told[-1].actor == "worker"


async def test_replay_of_some_types_goes_to_the_end_of_the_log(api: Api) -> None:
    before = await head(api)
    user_id = await api.user_with(100)
    await api.fail((await api.request(user_id)).generation, "internal", "a detail")
    end = await head(api)
    batches = [batch async for batch in replay(api, after_position=before, types=["GenerationFailed"])]
    failed = [event.generation_failed.detail for batch in batches for event in batch.events]
    assert failed == ["a detail"]
    assert batches[-1].position >= end
    assert batches[-1].caught_up


async def test_events_say_whose_they_are(api: Api) -> None:
    before = await head(api)
    user_id = await api.user_with(100)
    await api.made(user_id)
    told = await events(api, after_position=before)
    assert {event.user_id for event in told} == {user_id}
    assert [event.generation_type for event in told] == ["", *["imagen4"] * (len(told) - 1)]


async def test_replay_of_a_stretch_of_one_user_and_type(api: Api) -> None:
    before = await head(api)
    user_id, other = await api.user_with(100), await api.user_with(100)
    generation = await api.made(user_id)
    await api.made(other)
    whole = await events(api, after_position=before)
    own = [event for event in whole if event.user_id == user_id]
    assert await events(api, user_id=user_id) == own
    assert await events(api, user_id=user_id, categories=["account"]) == own[:2]
    assert await events(api, user_id=user_id, generation_type="imagen4") == own[1:]
    assert await events(api, user_id=user_id, generation_type="video") == []
    middle = own[2]
    assert middle.generation_requested.generation_id == generation.generation_id
    earlier = [event for event in own if event.record_time.ToNanoseconds() < middle.record_time.ToNanoseconds()]
    assert await events(api, user_id=user_id, end_time=middle.record_time) == earlier
    assert await events(api, user_id=user_id, start_time=middle.record_time) == own[len(earlier) :]
    assert await events(api, user_id=user_id, until_position=middle.position) == own[:3]
    assert await events(api, after_position=before, until_position=whole[3].position) == whole[:4]


async def test_event_types_are_described_and_counted(api: Api) -> None:
    before = await head(api)
    await api.user_with(100)
    answer = await api.history.ListEventTypes(pb.ListEventTypesRequest(), timeout=BOUND_SECONDS)
    found = {each.name: each for each in answer.event_types}
    assert found.keys() == EVENT_TYPES.keys()
    granted = found["CreditsGranted"]
    assert granted.category == "account"
    assert granted.description.startswith("Credits were given to the user")
    assert list(granted.versions) == [1]
    assert "user_id" in json.loads(granted.json_schema)["$defs"]["CreditsGranted"]["properties"]
    recorded = await events(api, types=["CreditsGranted"])
    assert granted.count == len(recorded)
    assert recorded[-1].position > before
    assert (granted.first_time, granted.last_time) == (recorded[0].record_time, recorded[-1].record_time)


async def test_replay_resumes_without_a_gap_or_a_repeat(api: Api) -> None:
    before = await head(api)
    user_id = await api.user_with(100)
    for _ in range(3):
        await api.made(user_id)
    whole = [event.event_id for event in await events(api, after_position=before)]
    stream = aiter(replay(api, after_position=before, batch_size=2))
    first = await bounded(stream)
    rest = await events(api, after_position=first.position, batch_size=3)
    assert [event.event_id for event in first.events] + [event.event_id for event in rest] == whole


async def test_follower_gets_what_is_appended(api: Api) -> None:
    user_id = await api.user_with(100)
    stream = aiter(replay(api, after_position=await head(api), types=["GenerationFailed"], follow=True))
    for _ in range(2):
        generation = (await api.request(user_id)).generation
        await api.fail(generation, "internal")
        batch = await bounded(stream)
        while not batch.events:
            batch = await bounded(stream)
        assert [event.generation_failed.generation_id for event in batch.events] == [generation.generation_id]


async def test_slow_reader_slows_only_itself(api: Api) -> None:
    user_id = await api.user_with(1000)
    slow = aiter(replay(api, batch_size=1))
    first = await bounded(slow)
    for _ in range(3):
        await api.made(user_id)
    assert len(await events(api, user_id=user_id)) > 3
    end = await head(api)
    told = [*first.events, *[event async for batch in slow for event in batch.events]]
    assert [event.position for event in told] == [*range(1, told[-1].position + 1)]
    assert told[-1].position < end


@pytest.mark.parametrize(
    ("field", "request_fields"),
    [
        ("types", {"types": ["GenerationFailed", "NoSuchEvent"]}),
        ("after_position", {"after_position": -1}),
        ("after_position", {"after_position": 10**12}),
        ("batch_size", {"batch_size": 1001}),
        ("until_position", {"until_position": 10**12}),
        ("until_position", {"until_position": 1, "follow": True}),
        ("start_time", {"start_time": Timestamp(seconds=32503680000)}),
        ("end_time", {"end_time": Timestamp(seconds=10**15)}),
        ("end_time", {"start_time": Timestamp(seconds=2), "end_time": Timestamp(seconds=1)}),
        ("categories", {"categories": ["generations"]}),
        ("user_id", {"user_id": "a/b"}),
        ("generation_type", {"generation_type": "imagen5"}),
        ("batch_size", {"batch_size": -1}),
    ],
)
async def test_replay_that_cannot_be_right_names_the_field(
    api: Api, field: str, request_fields: dict[str, Any]
) -> None:
    refusal = await refusal_of(replay(api, **request_fields))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.fields) == [field]
