"""Time travel through the API: answers as they were, from the log itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from triptych.v1 import credit_service_pb2 as credits_pb
from triptych.v1 import gallery_service_pb2 as gallery_pb

from tests.support.api import BOUND_SECONDS, Api
from tests.support.grpc_errors import refusal_of


async def account(api: Api, user_id: str, **fields: Any) -> credits_pb.GetAccountResponse:
    answer: credits_pb.GetAccountResponse = await api.credits.GetAccount(
        credits_pb.GetAccountRequest(user_id=user_id, **fields), timeout=BOUND_SECONDS
    )
    return answer


async def ledger(api: Api, user_id: str, **fields: Any) -> credits_pb.ListLedgerEntriesResponse:
    answer: credits_pb.ListLedgerEntriesResponse = await api.credits.ListLedgerEntries(
        credits_pb.ListLedgerEntriesRequest(user_id=user_id, **fields), timeout=BOUND_SECONDS
    )
    return answer


async def items(api: Api, user_id: str, **fields: Any) -> gallery_pb.ListItemsResponse:
    answer: gallery_pb.ListItemsResponse = await api.gallery.ListItems(
        gallery_pb.ListItemsRequest(user_id=user_id, **fields), timeout=BOUND_SECONDS
    )
    return answer


async def counts(api: Api, user_id: str, **fields: Any) -> gallery_pb.CountItemsResponse:
    answer: gallery_pb.CountItemsResponse = await api.gallery.CountItems(
        gallery_pb.CountItemsRequest(user_id=user_id, **fields), timeout=BOUND_SECONDS
    )
    return answer


async def test_answers_are_what_they_were(api: Api) -> None:
    user_id = await api.user_with(100)
    first = await api.made(user_id)
    then = (
        await api.credits.GrantCredits(
            credits_pb.GrantCreditsRequest(user_id=user_id, grant_id="second", credits=7), timeout=BOUND_SECONDS
        )
    ).position
    wanted: list[Any] = [
        await account(api, user_id, at_least_position=then),
        await ledger(api, user_id, at_least_position=then),
        await items(api, user_id, at_least_position=then),
        await counts(api, user_id, at_least_position=then),
    ]
    assert (wanted[0].account.balance, len(wanted[2].items)) == (102, 1)
    await api.gallery.TrashItem(
        gallery_pb.TrashItemRequest(user_id=user_id, item_id=f"{first.generation_id}.0"), timeout=BOUND_SECONDS
    )
    await api.made(user_id, output_count=2)

    found: list[Any] = [
        await account(api, user_id, as_of_position=then),
        await ledger(api, user_id, as_of_position=then),
        await items(api, user_id, as_of_position=then),
        await counts(api, user_id, as_of_position=then),
    ]
    for before, now in zip(wanted, found, strict=True):
        assert now.position == then
        now.position = before.position  # The read model may have been further already, by other tests' events.
        assert now == before


async def test_time_means_everything_recorded_by_then(api: Api) -> None:
    user_id = await api.user_with(100)
    entry = (await ledger(api, user_id, as_of_time=datetime.now(UTC))).entries[0]
    await api.made(user_id)
    assert (await account(api, user_id, as_of_time=entry.create_time)).account.balance == 100
    earlier = entry.create_time.ToDatetime(tzinfo=UTC) - timedelta(microseconds=1)
    assert (await account(api, user_id, as_of_time=earlier)).account.balance == 0
    assert (await account(api, user_id, as_of_time=datetime(1, 1, 1, tzinfo=UTC))).position == 0


async def test_before_the_beginning_there_is_nothing(api: Api) -> None:
    user_id = await api.user_with(100)
    await api.made(user_id)
    assert (await account(api, user_id, as_of_position=0)).account.balance == 0
    assert list((await ledger(api, user_id, as_of_position=0)).entries) == []
    assert list((await items(api, user_id, as_of_position=0)).items) == []
    assert {each.count for each in (await counts(api, user_id, as_of_position=0)).counts} == {0}


async def test_past_is_paged_in_both_directions(api: Api) -> None:
    user_id = await api.user_with(100)
    for _ in range(2):
        await api.made(user_id, output_count=2)
    then = await api.made(user_id)
    position = (await account(api, user_id, as_of_time=datetime.now(UTC))).position
    await api.made(user_id)
    whole = [each.item_id for each in (await items(api, user_id, as_of_position=position)).items]
    assert (len(whole), whole[0]) == (5, f"{then.generation_id}.0")
    newest = await items(api, user_id, as_of_position=position, page_size=2)
    older = await items(api, user_id, as_of_position=position, page_size=2, page_token=newest.next_page_token)
    assert [each.item_id for each in [*newest.items, *older.items]] == whole[:4]
    back = await items(api, user_id, as_of_position=position, page_size=2, page_token=older.previous_page_token)
    assert back.items == newest.items

    entries = (await ledger(api, user_id, as_of_position=position)).entries
    first = await ledger(api, user_id, as_of_position=position, page_size=1)
    second = await ledger(api, user_id, as_of_position=position, page_size=1, page_token=first.next_page_token)
    assert [*first.entries, *second.entries] == list(entries[:2])
    again = await ledger(api, user_id, as_of_position=position, page_size=1, page_token=second.previous_page_token)
    assert again.entries == first.entries

    refusal = await refusal_of(items(api, user_id, page_token=newest.next_page_token))
    assert list(refusal.fields) == ["page_token"]


@pytest.mark.parametrize("ask", [account, ledger, items, counts])
@pytest.mark.parametrize(
    "moment",
    [
        {"as_of_position": 10**12},
        {"as_of_position": -1},
        {"as_of_time": Timestamp(seconds=32503680000)},
        {"as_of_time": Timestamp(seconds=10**15)},
    ],
    ids=str,
)
async def test_moment_that_has_not_come_is_refused(api: Api, ask: Any, moment: dict[str, Any]) -> None:
    refusal = await refusal_of(ask(api, "anna", **moment))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.fields) == [*moment]
