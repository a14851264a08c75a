"""The SDK's way to the past: positions and times, in both clients, and times without a zone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from clients.sdk import AsyncTriptych, InvalidArgument, Triptych
from tests.support.api import Api


async def test_past_is_asked_for_by_position_and_by_time(api: Api) -> None:
    user_id = await api.user_with(100)
    async with AsyncTriptych(api.address) as client:
        granted = [event async for event in client.replay_events(user_id=user_id)][-1]
        assert granted.record_time is not None
        await api.made(user_id)
        for moment in (granted.position, granted.record_time):
            assert (await client.get_account(user_id, as_of=moment)).balance == 100
            assert [entry.amount for entry in await client.list_ledger_entries(user_id, as_of=moment)] == [100]
            assert (await client.list_items(user_id, as_of=moment)).items == ()
            assert [item async for item in client.iter_items(user_id, as_of=moment)] == []
            assert {each.count for each in await client.count_items(user_id, as_of=moment)} == {0}
        assert (await client.get_account(user_id, as_of=granted.record_time - timedelta(days=1))).balance == 0
        assert len((await client.list_items(user_id, as_of=datetime.now(UTC))).items) == 1


async def test_replays_are_cut_out_by_position_time_and_owner(api: Api) -> None:
    user_id = await api.user_with(100)
    generation = await api.made(user_id)

    def with_the_synchronous_client() -> None:
        with Triptych(api.address) as client:
            own = list(client.replay_events(user_id=user_id))
            assert {(event.user_id, event.generation_id) for event in own[1:]} == {
                (user_id, generation.generation_id)
            }
            assert [event.generation_type for event in own] == ["", *["imagen4"] * (len(own) - 1)]
            assert (
                list(client.replay_events(own[0].position, until_position=own[2].position, user_id=user_id))
                == own[1:3]
            )
            since = own[1].record_time
            assert since is not None
            before = [event for event in own if event.record_time is not None and event.record_time < since]
            assert list(client.replay_events(end_time=since, user_id=user_id)) == before
            assert list(client.replay_events(start_time=since, user_id=user_id)) == own[len(before) :]
            debits = client.replay_events(user_id=user_id, categories=["account"], generation_type="imagen4")
            assert [event.type for event in debits] == ["CreditsDebited"]
            types = {each.name: each for each in client.list_event_types()}
            assert types["ImageProduced"].count >= 1
            assert "$defs" in types["ImageProduced"].json_schema

    await asyncio.to_thread(with_the_synchronous_client)


async def test_time_without_a_zone_is_refused_where_it_is_given(api: Api) -> None:
    nowhere = datetime(2026, 11, 25)
    async with AsyncTriptych(api.address) as client:
        with pytest.raises(InvalidArgument, match="as_of: has no time zone"):
            await client.get_account("ann", as_of=nowhere)
        with pytest.raises(InvalidArgument, match="start_time: has no time zone"):
            [event async for event in client.replay_events(start_time=nowhere)]
