"""A snapshot gives back the very state, and of a long account only what is looked into is decoded."""

from __future__ import annotations

import msgspec
import pytest

from service.application import account_state
from service.application.account_state import decode_account, encode_account
from service.domain.account import ACCOUNT, Account, CreditsDebited, CreditsGranted, CreditsRefunded
from tests.support.samples import NOW

DEBITS = 3000


def long_account() -> Account:
    granted = CreditsGranted(user_id="ann", grant_id="welcome", credits=5 * DEBITS, note="gift")
    debits = [CreditsDebited(user_id="ann", generation_id=f"g-{n}", credits=5) for n in range(DEBITS)]
    by_hand = CreditsRefunded(
        user_id="ann", generation_id="g-7", credits=5, cause="manual", actor="eve", note="blurred", refunded_at=NOW
    )
    return ACCOUNT.fold(ACCOUNT.initial, [granted, *debits, by_hand])


def test_what_is_kept_comes_back() -> None:
    state = long_account()
    assert decode_account(encode_account(state)) == state
    assert decode_account(encode_account(Account())) == Account()


def test_a_state_that_came_back_goes_on_as_the_one_that_never_left() -> None:
    state = long_account()
    further = [
        CreditsDebited(user_id="ann", generation_id="new", credits=5),
        CreditsRefunded(user_id="ann", generation_id="g-8", credits=5, cause="failed"),
        CreditsGranted(user_id="ann", grant_id="more", credits=9),
    ]
    once = decode_account(encode_account(state))
    again = decode_account(encode_account(ACCOUNT.fold(once, further)))
    assert again == ACCOUNT.fold(state, further)
    assert len(again.charges) == DEBITS + 1


def test_a_command_decodes_what_it_looks_into_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    decode_charges = account_state._open_charges

    def counted(raw: msgspec.Raw) -> object:
        opened.append(raw)
        return decode_charges(raw)

    monkeypatch.setattr(account_state, "_open_charges", counted)
    state = decode_account(encode_account(long_account()))
    after = ACCOUNT.evolve(state, CreditsDebited(user_id="ann", generation_id="new", credits=5))
    assert state.charges["g-7"].manual_by == "eve"
    encode_account(after)
    assert len(opened) <= 2


@pytest.mark.parametrize(
    "document", [b"", b"{}", b'{"balance": "many"}', b'{"user_id": "ann", "balance": 1, "totals":']
)
def test_what_is_no_such_document_is_refused(document: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_account(document)


def test_maps_of_another_number_of_buckets_are_refused() -> None:
    document = msgspec.json.decode(encode_account(long_account()))
    document["charges"]["buckets"].pop()
    with pytest.raises(ValueError, match="512 buckets"):
        decode_account(msgspec.json.encode(document))
