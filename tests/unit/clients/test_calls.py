"""What the clients send: positions, tokens, pages."""

from __future__ import annotations

from triptych.v1 import credit_service_pb2, gallery_service_pb2, generation_service_pb2, history_service_pb2

from tests.unit.clients.scripted import Caller, ScriptedServer


async def test_queries_wait_for_what_was_seen(server: ScriptedServer, caller: Caller) -> None:
    server.will(
        credit_service_pb2.GrantCreditsResponse(position=7),
        credit_service_pb2.GetAccountResponse(position=5),
        gallery_service_pb2.CountItemsResponse(position=9),
        generation_service_pb2.ListGenerationsResponse(position=9),
    )
    await caller.call("grant_credits", "anna", 1)
    await caller.call("get_account", "anna")
    await caller.call("count_items", "anna")
    await caller.call("list_generations", "anna")
    assert [request.at_least_position for request in server.requests[1:]] == [7, 7, 9]
    assert caller.client.position == 9


async def test_waiting_can_be_switched_off(server: ScriptedServer, caller: Caller) -> None:
    server.will(credit_service_pb2.GrantCreditsResponse(position=7), credit_service_pb2.GetAccountResponse())
    careless = Caller(caller.client.with_options(read_your_writes=False))
    await careless.call("grant_credits", "anna", 1)
    await careless.call("get_account", "anna")
    assert server.requests[1].at_least_position == 0
    assert caller.client.position == 7  # It is the same client.


async def test_the_token_goes_with_every_call(server: ScriptedServer, caller: Caller) -> None:
    server.will(
        history_service_pb2.GetHeadResponse(),
        [history_service_pb2.ReplayEventsResponse()],
        gallery_service_pb2.UploadMediaResponse(),
    )
    await caller.call("get_head")
    await caller.call("replay_events")
    await caller.call("upload_reference", "anna", b"picture")
    assert {metadata["authorization"] for metadata in server.metadata} == {"Bearer secret-of-the-tests"}


async def test_items_are_fetched_page_by_page(server: ScriptedServer, caller: Caller) -> None:
    server.will(
        gallery_service_pb2.ListItemsResponse(items=[{"item_id": "a"}, {"item_id": "b"}], next_page_token="more"),  # type: ignore[list-item]
        gallery_service_pb2.ListItemsResponse(items=[{"item_id": "c"}]),  # type: ignore[list-item]
    )
    items = await caller.call("iter_items", "anna", page_size=2, type="video", favorite_only=True, words="fox")
    assert [item.item_id for item in items] == ["a", "b", "c"]
    assert [request.page_token for request in server.requests] == ["", "more"]
    for request in server.requests:
        assert (request.type, request.favorite_only, request.words, request.page_size) == ("video", True, "fox", 2)


async def test_what_is_left_out_is_left_to_the_service(server: ScriptedServer, caller: Caller) -> None:
    server.will(
        generation_service_pb2.RequestGenerationResponse(), generation_service_pb2.RequestGenerationResponse()
    )
    await caller.call("request_generation", "anna", "imagen4", "a fox", seed=None)
    await caller.call("request_generation", "anna", "imagen4", "a fox", seed=0, output_count=2, enhance_prompt=False)
    left_out, given = server.requests
    for name in ("seed", "output_count", "enhance_prompt"):
        assert not left_out.HasField(name)
        assert given.HasField(name)
    assert (given.seed, given.output_count, given.enhance_prompt) == (0, 2, False)
