"""CreditService: grants, statements, refunds by hand."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from triptych.v1 import account_pb2, generation_pb2
from triptych.v1 import credit_service_pb2 as pb

from tests.support.api import BOUND_SECONDS, Api, fresh_name
from tests.support.grpc_errors import refusal_of


async def grant(api: Api, user_id: str, credits: int, grant_id: str, **changes: Any) -> pb.GrantCreditsResponse:
    request = pb.GrantCreditsRequest(user_id=user_id, grant_id=grant_id, credits=credits, **changes)
    response: pb.GrantCreditsResponse = await api.credits.GrantCredits(request, timeout=BOUND_SECONDS)
    return response


async def account(api: Api, user_id: str, position: int = 0) -> account_pb2.Account:
    request = pb.GetAccountRequest(user_id=user_id, at_least_position=position)
    response: pb.GetAccountResponse = await api.credits.GetAccount(request, timeout=BOUND_SECONDS)
    return response.account


async def entries(
    api: Api, user_id: str, position: int, token: str = "", page_size: int = 0
) -> pb.ListLedgerEntriesResponse:
    request = pb.ListLedgerEntriesRequest(
        user_id=user_id, page_size=page_size, page_token=token, at_least_position=position
    )
    response: pb.ListLedgerEntriesResponse = await api.credits.ListLedgerEntries(request, timeout=BOUND_SECONDS)
    return response


async def refund(api: Api, generation_id: str, **changes: Any) -> pb.RefundGenerationResponse:
    given = {"reason": "the picture is blurred", "actor": "ann"}
    request = pb.RefundGenerationRequest(generation_id=generation_id, **(given | changes))
    response: pb.RefundGenerationResponse = await api.credits.RefundGeneration(request, timeout=BOUND_SECONDS)
    return response


async def test_grant_counts_once(api: Api) -> None:
    user_id = fresh_name()
    first = await grant(api, user_id, 100, "payment-1", note="a purchase")
    again = await grant(api, user_id, 100, "payment-1")
    assert (first.created, again.created) == (True, False)
    assert first.account == again.account == await account(api, user_id, first.position)
    assert (first.account.balance, first.account.credits_granted) == (100, 100)


async def test_grant_id_with_another_amount_is_refused(api: Api) -> None:
    user_id = fresh_name()
    await grant(api, user_id, 100, "payment-1")
    refusal = await refusal_of(grant(api, user_id, 50, "payment-1"))
    assert refusal.code is grpc.StatusCode.ALREADY_EXISTS
    assert refusal.facts["differing"] == "credits"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("credits", {"credits": -5}),
        ("credits", {"credits": 0}),
        ("credits", {"credits": 1_000_001}),
        ("grant_id", {"grant_id": "a/b"}),
        ("grant_id", {"grant_id": ""}),
        ("user_id", {"user_id": "a/b"}),
        ("note", {"note": "x" * 501}),
        ("note", {"note": "a\0b"}),
    ],
)
async def test_grant_that_cannot_be_right_names_the_field(api: Api, field: str, changes: dict[str, Any]) -> None:
    given: dict[str, Any] = {"user_id": fresh_name(), "grant_id": "payment-1", "credits": 1}
    refusal = await refusal_of(grant(api, **(given | changes)))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.fields) == [field]


async def test_account_nobody_has_written_to_is_an_empty_one(api: Api) -> None:
    user_id = fresh_name()
    assert await account(api, user_id) == account_pb2.Account(user_id=user_id)
    assert not (await entries(api, user_id, 0)).entries


async def test_statement_tells_amounts_and_balances(api: Api) -> None:
    user_id = fresh_name()
    await grant(api, user_id, 100, "payment-1", note="a purchase")
    generation = (await api.request(user_id, output_count=4)).generation
    position = await api.deliver(generation, 2)
    undelivered, debit, granted = (await entries(api, user_id, position)).entries
    assert [(each.amount, each.balance_after) for each in (granted, debit, undelivered)] == [
        (100, 100),
        (-20, 80),
        (10, 90),
    ]
    assert (granted.kind, granted.grant_id, granted.note) == (1, "payment-1", "a purchase")
    assert granted.actor == "local"
    assert (debit.generation_id, debit.generation_type) == (generation.generation_id, "imagen4")
    assert undelivered.refund_cause == account_pb2.REFUND_CAUSE_UNDELIVERED
    assert [each.entry_number for each in (granted, debit, undelivered)] == [1, 2, 3]


async def test_refund_of_a_failure_says_why(api: Api) -> None:
    user_id = await api.user_with(100)
    generation = (await api.request(user_id)).generation
    position = await api.fail(generation, "timed_out")
    newest = (await entries(api, user_id, position)).entries[0]
    assert newest.kind == account_pb2.LEDGER_ENTRY_KIND_REFUND
    assert newest.refund_cause == account_pb2.REFUND_CAUSE_FAILED
    assert newest.failure_reason == generation_pb2.FAILURE_REASON_TIMED_OUT


@pytest.mark.parametrize("count", [1, 5, 6])
async def test_statement_goes_both_ways(api: Api, count: int) -> None:
    user_id = fresh_name()
    for number in range(1, count + 1):
        position = (await grant(api, user_id, number, f"payment-{number}")).position

    pages = [await entries(api, user_id, position, page_size=2)]
    while token := pages[-1].next_page_token:
        pages.append(await entries(api, user_id, position, token, page_size=2))
    told = [[each.amount for each in page.entries] for page in pages]
    assert [amount for page in told for amount in page] == list(range(count, 0, -1))
    assert pages[0].previous_page_token == ""

    back = [pages[-1]]
    while token := back[-1].previous_page_token:
        back.append(await entries(api, user_id, position, token, page_size=2))
    assert sorted(each.amount for page in back for each in page.entries) == list(range(1, count + 1))
    assert all(page.entries for page in back)


async def test_token_of_another_users_statement_is_refused(api: Api) -> None:
    user_id = fresh_name()
    for number in (1, 2):
        position = (await grant(api, user_id, 1, f"payment-{number}")).position
    token = (await entries(api, user_id, position, page_size=1)).next_page_token
    for wrong in (token[:-2] + "AA", "nonsense", token):
        refusal = await refusal_of(entries(api, fresh_name(), 0, wrong))
        assert list(refusal.fields) == ["page_token"]


async def test_support_gives_back_what_is_left_once(api: Api) -> None:
    user_id = await api.user_with(100)
    generation = (await api.request(user_id, output_count=4)).generation
    await api.deliver(generation, 3)
    answer = await refund(api, generation.generation_id)
    assert (answer.credits_refunded, answer.account.balance) == (15, 100)
    newest = (await entries(api, user_id, answer.position)).entries[0]
    assert newest.refund_cause == account_pb2.REFUND_CAUSE_MANUAL
    assert (newest.amount, newest.actor, newest.note) == (15, "ann", "the picture is blurred")

    refusal = await refusal_of(refund(api, generation.generation_id, actor="bob"))
    assert refusal.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refusal.reason == "ALREADY_REFUNDED"
    assert (refusal.facts["actor"], refusal.facts["note"]) == ("ann", "the picture is blurred")
    assert refusal.facts["refund_time"]


async def test_refund_by_hand_that_is_not_possible_says_why(api: Api) -> None:
    user_id = await api.user_with(100)
    running = (await api.request(user_id)).generation
    assert (await refusal_of(refund(api, running.generation_id))).reason == "NOT_ENDED"
    await api.fail(running, "internal")
    refusal = await refusal_of(refund(api, running.generation_id))
    assert (refusal.reason, refusal.facts["debited"], refusal.facts["refunded"]) == ("NOTHING_TO_REFUND", "5", "5")
    unknown = running.generation_id.replace("-5", "-4")
    assert (await refusal_of(refund(api, unknown))).code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("reason", {"reason": ""}),
        ("reason", {"reason": "x" * 501}),
        ("actor", {"actor": ""}),
        ("actor", {"actor": "x" * 129}),
        ("generation_id", {"generation_id": "a/b"}),
    ],
)
async def test_refund_that_cannot_be_right_names_the_field(api: Api, field: str, changes: dict[str, Any]) -> None:
    generation = await api.made(await api.user_with(100))
    refusal = await refusal_of(refund(api, **({"generation_id": generation.generation_id} | changes)))
    assert list(refusal.fields) == [field]
