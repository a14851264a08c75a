"""An account's state as JSON, for snapshots: compact, because an account remembers every generation it paid for.

    {"user_id": "ann", "balance": 85, "totals": [100, 20, 5],
     "charges": {"<generation>": [20, 5]}, "grants": {"welcome": [100, "gift"]}}

The totals are what was granted, debited and refunded. A charge is ``[debited, refunded]``, and after a refund by hand
``[debited, refunded, by, note, at]``. This form may change whenever it likes: a snapshot of another version is not
read.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from service.domain.account import Account, Charge, Grant
from service.domain.persistent import PersistentMap


class _Charge(msgspec.Struct, frozen=True, array_like=True):
    debited: int
    refunded: int
    manual_by: str = ""
    manual_note: str = ""
    manual_at: datetime | None = None


class _Grant(msgspec.Struct, frozen=True, array_like=True):
    credits: int
    note: str


class _Account(msgspec.Struct, frozen=True):
    user_id: str
    balance: int
    totals: tuple[int, int, int]
    charges: dict[str, _Charge]
    grants: dict[str, _Grant]


_decode = msgspec.json.Decoder(_Account).decode


def encode_account(state: Account) -> bytes:
    return msgspec.json.encode(
        {
            "user_id": state.user_id,
            "balance": state.balance,
            "totals": (state.granted, state.debited, state.refunded),
            "charges": {name: _short(charge) for name, charge in state.charges.items()},
            "grants": {name: (grant.credits, grant.note) for name, grant in state.grants.items()},
        }
    )


def _short(charge: Charge) -> tuple[object, ...]:
    if charge.manual_at is None and not charge.manual_by and not charge.manual_note:
        return charge.debited, charge.refunded
    return charge.debited, charge.refunded, charge.manual_by, charge.manual_note, charge.manual_at


def decode_account(document: bytes) -> Account:
    """Raises msgspec.DecodeError for what is no such document."""
    found = _decode(document)
    granted, debited, refunded = found.totals
    return Account(
        user_id=found.user_id,
        balance=found.balance,
        charges=PersistentMap.of(
            (name, Charge(each.debited, each.refunded, each.manual_by, each.manual_note, each.manual_at))
            for name, each in found.charges.items()
        ),
        grants=PersistentMap.of((name, Grant(each.credits, each.note)) for name, each in found.grants.items()),
        granted=granted,
        debited=debited,
        refunded=refunded,
    )
