"""An account's state as JSON, for snapshots: compact, because an account remembers every generation it paid for.

    {"user_id": "ann", "balance": 85, "totals": [100, 20, 5],
     "charges": {"length": 1, "buckets": [{"<generation>": [20, 5]}, {}, ...]},
     "grants": {"length": 1, "buckets": [{}, {"welcome": [100, "gift"]}, ...]}}

The totals are what was granted, debited and refunded. A charge is ``[debited, refunded]``, and after a refund by hand
``[debited, refunded, by, note, at]``. The buckets are those of the state's maps, and each is decoded when a command
first looks into it: a command looks into two or three of a thousand, and encoding the state again leaves the others
as they are. This form may change whenever it likes: a snapshot of another version is not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from service.domain.account import Account, Charge, Grant
from service.domain.persistent import PersistentMap

V = TypeVar("V")


class _Charge(msgspec.Struct, frozen=True, array_like=True):
    debited: int
    refunded: int
    manual_by: str = ""
    manual_note: str = ""
    manual_at: datetime | None = None


class _Grant(msgspec.Struct, frozen=True, array_like=True):
    credits: int
    note: str


class _Map(msgspec.Struct, frozen=True):
    length: int
    buckets: list[msgspec.Raw]


class _Account(msgspec.Struct, frozen=True):
    user_id: str
    balance: int
    totals: tuple[int, int, int]
    charges: _Map
    grants: _Map


_decode = msgspec.json.Decoder(_Account).decode
_decode_charges = msgspec.json.Decoder(dict[str, _Charge]).decode
_decode_grants = msgspec.json.Decoder(dict[str, _Grant]).decode


class _Sealed(Mapping[str, V], Generic[V]):
    """A bucket that is decoded when it is first looked into. What is not as it should be then is a defect, and no
    damage: a damaged document is refused as a whole by PostgreSQL, and its outline by the decoder."""

    __slots__ = ("_open", "_opened", "raw")

    def __init__(self, raw: msgspec.Raw, open_bucket: Callable[[msgspec.Raw], dict[str, V]]) -> None:
        self.raw = raw
        self._open = open_bucket
        self._opened: dict[str, V] | None = None

    def _entries(self) -> dict[str, V]:
        if self._opened is None:
            self._opened = self._open(self.raw)
        return self._opened

    def __getitem__(self, key: str) -> V:
        return self._entries()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries())

    def __len__(self) -> int:
        return len(self._entries())


def encode_account(state: Account) -> bytes:
    return msgspec.json.encode(
        {
            "user_id": state.user_id,
            "balance": state.balance,
            "totals": (state.granted, state.debited, state.refunded),
            "charges": _map(state.charges, _short),
            "grants": _map(state.grants, lambda grant: (grant.credits, grant.note)),
        }
    )


def _map(entries: PersistentMap[V], short: Callable[[V], object]) -> dict[str, object]:
    buckets = [
        bucket.raw if isinstance(bucket, _Sealed) else {name: short(value) for name, value in bucket.items()}
        for bucket in entries.buckets
    ]
    return {"length": len(entries), "buckets": buckets}


def _short(charge: Charge) -> tuple[object, ...]:
    if charge.manual_at is None and not charge.manual_by and not charge.manual_note:
        return charge.debited, charge.refunded
    return charge.debited, charge.refunded, charge.manual_by, charge.manual_note, charge.manual_at


def decode_account(document: bytes) -> Account:
    """Raises msgspec.DecodeError, ValueError for what is no such document."""
    found = _decode(document)
    granted, debited, refunded = found.totals
    return Account(
        user_id=found.user_id,
        balance=found.balance,
        charges=_sealed(found.charges, _open_charges),
        grants=_sealed(found.grants, _open_grants),
        granted=granted,
        debited=debited,
        refunded=refunded,
    )


def _sealed(found: _Map, open_bucket: Callable[[msgspec.Raw], dict[str, V]]) -> PersistentMap[V]:
    return PersistentMap.of_buckets([_Sealed(raw, open_bucket) for raw in found.buckets], found.length)


def _open_charges(raw: msgspec.Raw) -> dict[str, Charge]:
    return {
        name: Charge(each.debited, each.refunded, each.manual_by, each.manual_note, each.manual_at)
        for name, each in _decode_charges(raw).items()
    }


def _open_grants(raw: msgspec.Raw) -> dict[str, Grant]:
    return {name: Grant(each.credits, each.note) for name, each in _decode_grants(raw).items()}
