"""GenerationService: what is asked, what is charged, what watchers see."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import grpc
import pytest
from triptych.v1 import credit_service_pb2, generation_pb2, history_service_pb2
from triptych.v1 import generation_service_pb2 as pb
from triptych.v1.generation_pb2 import Generation

from tests.support.api import BOUND_SECONDS, Api, another_server, bounded, fresh_name
from tests.support.grpc_errors import refusal_of


async def balance(api: Api, user_id: str, position: int) -> int:
    request = credit_service_pb2.GetAccountRequest(user_id=user_id, at_least_position=position)
    response = await api.credits.GetAccount(request, timeout=BOUND_SECONDS)
    return int(response.account.balance)


async def head(api: Api) -> int:
    return int((await api.history.GetHead(history_service_pb2.GetHeadRequest(), timeout=BOUND_SECONDS)).position)


async def get(api: Api, generation_id: str, position: int = 0) -> Generation:
    request = pb.GetGenerationRequest(generation_id=generation_id, at_least_position=position)
    response: pb.GetGenerationResponse = await api.generations.GetGeneration(request, timeout=BOUND_SECONDS)
    return response.generation


async def test_request_takes_the_credits_and_queues(api: Api) -> None:
    user_id = await api.user_with(100)
    response = await api.request(user_id, output_count=4, seed=7, aspect_ratio="16:9", enhance_prompt=False)
    generation = response.generation
    assert response.created
    assert generation.state == Generation.STATE_QUEUED
    assert (generation.output_count, generation.credits_per_output, generation.credits_debited) == (4, 5, 20)
    assert (generation.seed, generation.aspect_ratio, generation.enhance_prompt) == (7, "16:9", False)
    assert await balance(api, user_id, response.position) == 80
    assert await get(api, generation.generation_id, response.position) == generation


async def test_defaults_are_filled_in(api: Api) -> None:
    generation = (await api.request(await api.user_with(100))).generation
    assert (generation.output_count, generation.aspect_ratio, generation.enhance_prompt) == (1, "1:1", True)
    assert not generation.HasField("seed")
    assert generation.deadline_time.ToDatetime() > generation.create_time.ToDatetime()


async def test_same_request_twice_is_one_generation_and_one_charge(api: Api) -> None:
    user_id = await api.user_with(100)
    first = await api.request(user_id, request_id="mine")
    again = await api.request(user_id, request_id="mine")
    assert (first.created, again.created) == (True, False)
    assert again.generation == first.generation
    assert await balance(api, user_id, again.position) == 95


async def test_same_request_after_the_end_is_answered_with_what_came_of_it(api: Api) -> None:
    user_id = await api.user_with(100)
    await api.made(user_id, request_id="mine")
    again = (await api.request(user_id, request_id="mine")).generation
    assert again.state == Generation.STATE_SUCCEEDED
    assert [item.index for item in again.items] == [0]


async def test_request_id_with_other_parameters_is_refused(api: Api) -> None:
    user_id = await api.user_with(100)
    await api.request(user_id, request_id="mine")
    before = await head(api)
    refusal = await refusal_of(api.request(user_id, request_id="mine", prompt="a cat", type="video"))
    assert refusal.code is grpc.StatusCode.ALREADY_EXISTS
    assert set(refusal.facts["differing"].split(",")) == {"type", "prompt"}
    assert await head(api) == before


async def test_request_beyond_the_balance_takes_nothing(api: Api) -> None:
    user_id = await api.user_with(12)
    before = await head(api)
    refusal = await refusal_of(api.request(user_id, output_count=3))
    assert refusal.code is grpc.StatusCode.FAILED_PRECONDITION
    assert (refusal.reason, refusal.facts) == ("INSUFFICIENT_CREDITS", {"balance": "12", "price": "15"})
    assert await head(api) == before


BAD_REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("prompt", {"prompt": ""}),
    ("prompt", {"prompt": " \n "}),
    ("prompt", {"prompt": "x" * 10_000}),
    ("prompt", {"prompt": "a\0b"}),
    ("type", {"type": "poster"}),
    ("type", {"type": ""}),
    ("output_count", {"output_count": 0}),
    ("output_count", {"output_count": 5}),
    ("output_count", {"output_count": -1}),
    ("aspect_ratio", {"aspect_ratio": "7:3"}),
    ("seed", {"seed": -1}),
    ("seed", {"seed": 2**32}),
    ("reference_media_id", {"type": "avatar"}),
    ("reference_media_id", {"type": "avatar", "reference_media_id": "no-such-upload"}),
    ("reference_media_id", {"type": "avatar", "reference_media_id": "../secrets"}),
    ("reference_media_id", {"reference_media_id": "not-used-here"}),
    ("request_id", {"request_id": ""}),
    ("request_id", {"request_id": "a/b"}),
    ("request_id", {"request_id": "x" * 129}),
]


@pytest.mark.parametrize(("field", "changes"), BAD_REQUESTS, ids=lambda value: str(value)[:60])
async def test_request_that_cannot_be_right_names_the_field(api: Api, field: str, changes: dict[str, Any]) -> None:
    user_id = await api.user_with(100)
    before = await head(api)
    refusal = await refusal_of(api.request(user_id, **changes))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.fields) == [field]
    assert await head(api) == before


@pytest.mark.parametrize("user_id", ["", "a/b", "a b", "x" * 129, "../etc", "a\nb"])
async def test_user_that_cannot_be_one_is_refused(api: Api, user_id: str) -> None:
    refusal = await refusal_of(api.request(user_id))
    assert list(refusal.fields) == ["user_id"]


async def test_watcher_sees_it_from_queued_to_done(api: Api) -> None:
    user_id = await api.user_with(100)
    response = await api.request(user_id, output_count=2)
    generation = response.generation
    stream = aiter(
        api.generations.WatchGeneration(
            pb.WatchGenerationRequest(generation_id=generation.generation_id), timeout=BOUND_SECONDS
        )
    )
    first = await bounded(stream)
    assert first.generation == generation

    position = await api.submit(generation, words="a red fox, dawn light on snow")
    while (seen := await bounded(stream)).position < position:
        pass
    assert seen.generation.state == Generation.STATE_SUBMITTED
    assert seen.generation.effective_prompt == "a red fox, dawn light on snow"
    assert seen.generation.prompt_source == generation_pb2.PROMPT_SOURCE_IMPROVED

    await api.deliver(generation, 1)
    states = [(told.generation.state, told.generation.delivered_count) async for told in stream]
    assert states[-1] == (Generation.STATE_SUCCEEDED, 1)
    done = await get(api, generation.generation_id)
    assert (done.credits_debited, done.credits_refunded) == (10, 5)
    assert [item.item_id for item in done.items] == [f"{generation.generation_id}.0"]
    assert done.HasField("end_time")


async def test_watch_of_an_ended_one_tells_its_end_and_ends(api: Api) -> None:
    generation = await api.made(await api.user_with(100))
    stream = api.generations.WatchGeneration(
        pb.WatchGenerationRequest(generation_id=generation.generation_id), timeout=BOUND_SECONDS
    )
    assert [told.generation.state async for told in stream][-1] == Generation.STATE_SUCCEEDED


async def test_failure_is_told_to_user_and_operator(api: Api) -> None:
    user_id = await api.user_with(100)
    response = await api.request(user_id, output_count=4)
    position = await api.fail(response.generation, "content_policy", "moderation: violence")
    failed = await get(api, response.generation.generation_id, position)
    assert failed.state == Generation.STATE_FAILED
    assert failed.failure.reason == generation_pb2.FAILURE_REASON_CONTENT_POLICY
    assert failed.failure.message.ru.endswith(".")
    assert failed.failure.message.en.endswith(".")
    assert failed.failure.operator_detail == "moderation: violence"
    assert failed.credits_refunded == failed.credits_debited == 20
    assert await balance(api, user_id, position) == 100


@pytest.mark.parametrize("method", ["GetGeneration", "WatchGeneration", "CancelGeneration"])
async def test_generation_that_is_not_there_or_not_theirs(api: Api, method: str) -> None:
    known = (await api.request(await api.user_with(100))).generation.generation_id
    make = getattr(pb, f"{method}Request")
    call = getattr(api.generations, method)
    unknown = await refusal_of(call(make(generation_id=known.replace("-5", "-4")), timeout=BOUND_SECONDS))
    assert unknown.code is grpc.StatusCode.NOT_FOUND
    others = await refusal_of(call(make(generation_id=known, user_id="somebody-else"), timeout=BOUND_SECONDS))
    assert others.code is grpc.StatusCode.NOT_FOUND
    for wrong in ("", "a/b", "12"):
        refusal = await refusal_of(call(make(generation_id=wrong), timeout=BOUND_SECONDS))
        assert list(refusal.fields) == ["generation_id"]


async def test_new_generation_is_found_without_a_position(api: Api) -> None:
    """A caller that forgets ``at_least_position`` is not told that its generation does not exist."""
    user_id = await api.user_with(100)
    for _ in range(5):
        generation = (await api.request(user_id)).generation
        assert await get(api, generation.generation_id) == generation


async def test_lists_go_both_ways(api: Api) -> None:
    user_id = await api.user_with(100)
    asked = [(await api.request(user_id)).generation.generation_id for _ in range(5)]
    position = await head(api)

    async def page(token: str = "", **changes: Any) -> pb.ListGenerationsResponse:
        request = pb.ListGenerationsRequest(
            user_id=user_id, page_size=2, page_token=token, at_least_position=position, **changes
        )
        response: pb.ListGenerationsResponse = await api.generations.ListGenerations(request, timeout=BOUND_SECONDS)
        return response

    def ids(response: pb.ListGenerationsResponse) -> list[str]:
        return [generation.generation_id for generation in response.generations]

    newest_first = asked[::-1]
    first = await page()
    second = await page(first.next_page_token)
    third = await page(second.next_page_token)
    assert ids(first) + ids(second) + ids(third) == newest_first
    assert (first.previous_page_token, third.next_page_token) == ("", "")
    assert ids(await page(third.previous_page_token)) == ids(second)

    refusal = await refusal_of(page(first.next_page_token, unfinished_only=True))
    assert list(refusal.fields) == ["page_token"]


async def test_list_of_what_is_being_made(api: Api) -> None:
    user_id = await api.user_with(100)
    running = (await api.request(user_id)).generation
    await api.made(user_id)
    request = pb.ListGenerationsRequest(user_id=user_id, unfinished_only=True, at_least_position=await head(api))
    response = await api.generations.ListGenerations(request, timeout=BOUND_SECONDS)
    assert [each.generation_id for each in response.generations] == [running.generation_id]


def cancel(api: Api, generation: Generation) -> Any:
    request = pb.CancelGenerationRequest(generation_id=generation.generation_id, user_id=generation.user_id)
    return api.generations.CancelGeneration(request, timeout=BOUND_SECONDS)


async def test_queued_one_is_cancelled_at_once_and_paid_back(api: Api) -> None:
    user_id = await api.user_with(100)
    generation = (await api.request(user_id)).generation
    first = await cancel(api, generation)
    again = await cancel(api, generation)
    assert first.generation.state == again.generation.state == Generation.STATE_CANCELLED
    assert first.generation.credits_refunded == 5
    assert await balance(api, user_id, first.position) == 100


async def test_cancellation_waits_for_the_vendors_yes(api: Api) -> None:
    user_id = await api.user_with(100)
    generation = (await api.request(user_id)).generation
    await api.submit(generation)
    call = asyncio.ensure_future(cancel(api, generation))
    await cancelling(api, generation)
    position = await api.cancel_at_vendor(generation)
    answer = await call
    assert answer.generation.state == Generation.STATE_CANCELLED
    assert await balance(api, user_id, position) == 100


async def test_cancellation_waits_for_the_vendors_no(api: Api) -> None:
    generation = (await api.request(await api.user_with(100))).generation
    await api.submit(generation)
    call = asyncio.ensure_future(refusal_of(cancel(api, generation)))
    await cancelling(api, generation)
    await api.refuse_cancellation(generation, "It is already being made.")
    refusal = await call
    assert (refusal.reason, refusal.message) == ("NOT_CANCELLABLE", "It is already being made.")
    assert (await get(api, generation.generation_id)).state == Generation.STATE_SUBMITTED


async def test_cancellation_that_is_not_decided_in_time_says_so(api: Api) -> None:
    generation = (await api.request(await api.user_with(100))).generation
    await api.submit(generation)
    async with another_server(replace(api.core, max_wait_seconds=0.5)) as impatient:
        answer = await cancel(impatient, generation)
    assert answer.generation.state == Generation.STATE_CANCELLING


async def test_ended_one_cannot_be_cancelled(api: Api) -> None:
    generation = await api.made(await api.user_with(100))
    refusal = await refusal_of(cancel(api, generation))
    assert refusal.code is grpc.StatusCode.FAILED_PRECONDITION
    assert (refusal.reason, refusal.facts["state"]) == ("NOT_CANCELLABLE", "succeeded")


async def cancelling(api: Api, generation: Generation) -> None:
    """Until the wish to cancel is recorded."""
    request = pb.WatchGenerationRequest(generation_id=generation.generation_id)
    async for told in api.generations.WatchGeneration(request, timeout=BOUND_SECONDS):
        if told.generation.state == Generation.STATE_CANCELLING:
            return


async def test_catalog_is_told(api: Api) -> None:
    response = await api.generations.ListTypes(pb.ListTypesRequest(), timeout=BOUND_SECONDS)
    types = {each.type: each for each in response.types}
    assert list(types) == ["avatar", "imagen4", "video"]
    assert types["imagen4"].credits_per_output == 5
    assert (types["avatar"].needs_reference, types["imagen4"].needs_reference) == (True, False)
    assert types["video"].title.ru
    assert response.max_prompt_characters == 2000


async def test_wait_for_a_position_that_cannot_come_is_refused(api: Api) -> None:
    generation_id = (await api.request(await api.user_with(100))).generation.generation_id
    for position in (-1, 10**12):
        request = pb.GetGenerationRequest(generation_id=generation_id, at_least_position=position)
        refusal = await refusal_of(api.generations.GetGeneration(request, timeout=BOUND_SECONDS))
        assert list(refusal.fields) == ["at_least_position"]


@pytest.mark.parametrize("page_size", [-1, 201])
async def test_page_size_out_of_bounds_is_refused(api: Api, page_size: int) -> None:
    request = pb.ListGenerationsRequest(user_id=fresh_name(), page_size=page_size)
    refusal = await refusal_of(api.generations.ListGenerations(request, timeout=BOUND_SECONDS))
    assert list(refusal.fields) == ["page_size"]
