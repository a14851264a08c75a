"""Credits: what happened to an account, what is asked of it, and then which credits move, or why not."""

from __future__ import annotations

import pytest

from service.domain.account import MAX_GRANT_CREDITS, MAX_NOTE_LENGTH, debit, grant, refund, refund_by_hand
from service.domain.errors import (
    AlreadyExists,
    AlreadyRefunded,
    InsufficientCredits,
    InvalidField,
    NotFound,
    NothingToRefund,
)
from tests.support.given import given
from tests.support.samples import GENERATION_ID, NOW, USER, debited, granted, refunded, refunded_by_hand


def test_a_grant_gives_credits() -> None:
    given().when_account(
        lambda account: grant(account, user_id=USER, grant_id="grant-1", credits=100, note="", actor="billing")
    ).then(granted(100))
    assert given(granted(100)).account.balance == 100


def test_the_same_grant_again_gives_nothing() -> None:
    given(granted(100)).when_account(
        lambda account: grant(account, user_id=USER, grant_id="grant-1", credits=100, note="", actor="another")
    ).then_nothing()


def test_the_same_grant_id_with_another_amount_is_refused() -> None:
    given(granted(100)).when_account(
        lambda account: grant(account, user_id=USER, grant_id="grant-1", credits=99, note="", actor="")
    ).then_refused(AlreadyExists, field="grant_id", differing="credits")


@pytest.mark.parametrize("credits", [0, -1, MAX_GRANT_CREDITS + 1])
def test_a_grant_of_no_sensible_amount_is_refused(credits: int) -> None:
    given().when_account(
        lambda account: grant(account, user_id=USER, grant_id="g", credits=credits, note="", actor="")
    ).then_refused(InvalidField, field="credits")


def test_a_grant_with_a_long_note_is_refused() -> None:
    note = "x" * (MAX_NOTE_LENGTH + 1)
    given().when_account(
        lambda account: grant(account, user_id=USER, grant_id="g", credits=1, note=note, actor="")
    ).then_refused(InvalidField, field="note")


def test_the_last_credit_can_be_spent() -> None:
    given(granted(20)).when_account(
        lambda account: debit(account, user_id=USER, generation_id=GENERATION_ID, credits=20)
    ).then(debited(20))
    assert given(granted(20), debited(20)).account.balance == 0


def test_more_than_the_balance_is_refused_with_both_figures() -> None:
    error = (
        given(granted(19))
        .when_account(lambda account: debit(account, user_id=USER, generation_id=GENERATION_ID, credits=20))
        .then_refused(InsufficientCredits, balance=19, price=20)
    )
    assert "1 are missing" in error.message


def test_what_a_generation_did_not_deliver_comes_back() -> None:
    given(granted(20), debited(20)).when_account(
        lambda account: refund(account, user_id=USER, generation_id=GENERATION_ID, credits=10, cause="undelivered")
    ).then(refunded(10, "undelivered"))
    account = given(granted(20), debited(20), refunded(10)).account
    assert account.balance == 10
    assert (account.granted, account.debited, account.refunded) == (20, 20, 10)


def test_a_refund_of_nothing_says_nothing() -> None:
    given().when_account(
        lambda account: refund(account, user_id=USER, generation_id=GENERATION_ID, credits=0, cause="undelivered")
    ).then_nothing()


@pytest.mark.parametrize("credits", [21, -1])
def test_a_refund_beyond_the_debit_is_refused_not_trimmed(credits: int) -> None:
    given(granted(20), debited(20)).when_account(
        lambda account: refund(account, user_id=USER, generation_id=GENERATION_ID, credits=credits, cause="failed")
    ).then_refused(NothingToRefund, debited=20, refunded=0)


def test_a_second_refund_is_refused() -> None:
    given(granted(20), debited(20), refunded(20)).when_account(
        lambda account: refund(account, user_id=USER, generation_id=GENERATION_ID, credits=1, cause="failed")
    ).then_refused(NothingToRefund, debited=20, refunded=20)


def test_a_refund_without_a_debit_is_refused() -> None:
    given(granted(20)).when_account(
        lambda account: refund(account, user_id=USER, generation_id=GENERATION_ID, credits=5, cause="failed")
    ).then_refused(NotFound, name=GENERATION_ID)


def test_support_gives_back_what_is_left() -> None:
    given(granted(20), debited(20), refunded(10, "undelivered")).when_account(
        lambda account: refund_by_hand(
            account, user_id=USER, generation_id=GENERATION_ID, note="blurred", actor="ann", now=NOW
        )
    ).then(refunded_by_hand(10))


def test_a_second_refund_by_hand_says_who_did_the_first_when_and_why() -> None:
    error = (
        given(granted(20), debited(20), refunded_by_hand(20))
        .when_account(
            lambda account: refund_by_hand(
                account, user_id=USER, generation_id=GENERATION_ID, note="again", actor="bob", now=NOW
            )
        )
        .then_refused(AlreadyRefunded, actor="ann", note="blurred", refund_time=NOW.isoformat())
    )
    assert "ann" in error.message
    assert "blurred" in error.message


def test_a_refund_by_hand_of_what_has_all_come_back_is_refused() -> None:
    given(granted(20), debited(20), refunded(20)).when_account(
        lambda account: refund_by_hand(
            account, user_id=USER, generation_id=GENERATION_ID, note="x", actor="ann", now=NOW
        )
    ).then_refused(NothingToRefund, debited=20, refunded=20)


def test_a_refund_by_hand_of_what_was_never_paid_is_refused() -> None:
    given(granted(20)).when_account(
        lambda account: refund_by_hand(
            account, user_id=USER, generation_id=GENERATION_ID, note="x", actor="ann", now=NOW
        )
    ).then_refused(NotFound, name=GENERATION_ID)


@pytest.mark.parametrize(
    ("note", "actor", "field"),
    [("", "ann", "reason"), ("  ", "ann", "reason"), ("x" * 501, "ann", "reason"), ("blurred", " ", "actor")],
)
def test_a_refund_by_hand_wants_a_reason_and_a_name(note: str, actor: str, field: str) -> None:
    given(granted(20), debited(20)).when_account(
        lambda account: refund_by_hand(
            account, user_id=USER, generation_id=GENERATION_ID, note=note, actor=actor, now=NOW
        )
    ).then_refused(InvalidField, field=field)
