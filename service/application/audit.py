"""What must hold of every log, checked from the events alone.

    granted - debited + refunded = balance >= 0              for every account, after every event
    debited - refunded = price x delivered                    for every ended generation, less what support gave back
    exactly one end, with its refund in the same append       for every generation
    one submission at a time, announced before it is made     for every generation
    listed for its user, once                                 for everything that was imported

One pass in the order of the log, holding one small record an account, a grant and a generation; the log itself may
be larger than memory. "In the same append" is read from the order of the log: stores write an append's events side
by side, the account's before the generation's.

``triptychd doctor`` runs it over the real log, the simulation after every run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from service.application.audit_generation import AuditedGeneration, see_generation
from service.domain import account as a
from service.domain.generation import events as e
from service.domain.ids import account_stream, generation_stream, imports_stream
from service.domain.imports import ImportListed
from service.ports.event_store import RecordedEvent

FindingKind = Literal[
    "position_order",
    "version_gap",
    "wrong_stream",
    "negative_balance",
    "grant_repeated",
    "debit_without_request",
    "request_without_debit",
    "refund_without_end",
    "end_without_refund",
    "refund_exceeds_debit",
    "refunded_twice_by_hand",
    "wrong_credits",
    "wrong_outputs",
    "not_requested",
    "imported_twice",
    "import_not_listed",
    "ended_twice",
    "event_after_end",
    "submitted_twice",
    "overdue",
]


class Finding(msgspec.Struct, frozen=True):
    """Something that does not hold. ``position`` is where it showed, 0 when only the whole log shows it."""

    kind: FindingKind
    stream: str
    position: int
    message: str


class AuditedAccount(msgspec.Struct):
    """An account's totals in credits, from the events alone."""

    granted: int = 0
    debited: int = 0
    refunded: int = 0
    grant_ids: set[str] = msgspec.field(default_factory=set)

    @property
    def balance(self) -> int:
        return self.granted - self.debited + self.refunded


class Audit:
    """Takes a log event by event. ``findings`` grows as things show; ``finish`` adds what only the end can."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._accounts: dict[str, AuditedAccount] = {}
        self._generations: dict[str, AuditedGeneration] = {}
        self._versions: dict[str, int] = {}
        self._position = 0
        self._now: RecordedEvent | None = None
        self._awaited: a.CreditsDebited | a.CreditsRefunded | None = None
        """A movement of credits whose reason has to stand in the same append, right behind it."""

    @property
    def accounts(self) -> Mapping[str, AuditedAccount]:
        """By user id; what the read models are compared with."""
        return self._accounts

    @property
    def generations(self) -> Mapping[str, AuditedGeneration]:
        """By generation id."""
        return self._generations

    @property
    def position(self) -> int:
        """Of the last event that was seen."""
        return self._position

    def see(self, recorded: RecordedEvent) -> None:
        self._check_order(recorded)
        match recorded.event:
            case a.CreditsGranted() | a.CreditsDebited() | a.CreditsRefunded() as event:
                self._close_movement()
                self._now = recorded
                self._see_account(event)
            case ImportListed() as event:
                self._close_movement()
                self._now = recorded
                self._see_listed(event)
            case event:
                self._now = recorded
                self._see_generation(event)

    def finish(self, *, now: datetime | None = None, overdue_seconds: float = 300.0) -> list[Finding]:
        """All findings. With ``now`` also the generations that should have ended ``overdue_seconds`` ago."""
        self._close_movement()
        self._now = None
        for generation_id, generation in self._generations.items():
            self._settle(generation_id, generation)
            deadline_at = generation.deadline_at
            if now is None or deadline_at is None or generation.end:
                continue
            if now > deadline_at + timedelta(seconds=overdue_seconds):
                late_seconds = (now - deadline_at).total_seconds()
                self._find("overdue", f"has not ended {late_seconds:.0f} s after its deadline", generation_id)
        return self.findings

    def _find(self, kind: FindingKind, what: str, generation_id: str = "") -> None:
        recorded = self._now
        stream = generation_stream(generation_id) if recorded is None else recorded.stream
        position = 0 if recorded is None else recorded.position
        self.findings.append(Finding(kind, stream, position, f"{stream} {what}"))

    def _check_order(self, recorded: RecordedEvent) -> None:
        self._now = recorded
        if recorded.position <= self._position:
            self._find("position_order", f"stands at {recorded.position}, after {self._position}")
        self._position = recorded.position
        expected = self._versions.get(recorded.stream, 0) + 1
        if recorded.version != expected:
            self._find("version_gap", f"has version {recorded.version} where {expected} should be")
        self._versions[recorded.stream] = recorded.version
        owner = getattr(recorded.event, "generation_id", "")
        if isinstance(recorded.event, a.CreditsGranted | a.CreditsDebited | a.CreditsRefunded):
            right = account_stream(recorded.event.user_id)
        elif isinstance(recorded.event, ImportListed):
            right = imports_stream(recorded.event.user_id)
        else:
            right = generation_stream(owner)
        if recorded.stream != right:
            self._find("wrong_stream", f"holds a {recorded.type} that belongs to {right}")

    def _see_account(self, event: a.AccountEvent) -> None:
        account = self._accounts.setdefault(event.user_id, AuditedAccount())
        match event:
            case a.CreditsGranted():
                if event.grant_id in account.grant_ids:
                    self._find("grant_repeated", f"counts the grant {event.grant_id} twice")
                account.grant_ids.add(event.grant_id)
                account.granted += event.credits
            case a.CreditsDebited():
                account.debited += event.credits
                self._generation(event.generation_id).debited += event.credits
                self._awaited = event
            case a.CreditsRefunded():
                account.refunded += event.credits
                self._see_refund(event)
        if account.balance < 0:
            self._find("negative_balance", f"is down to {account.balance} credits")

    def _see_refund(self, event: a.CreditsRefunded) -> None:
        generation = self._generation(event.generation_id)
        if event.cause == "manual":
            if generation.refunded_by_hand:
                self._find("refunded_twice_by_hand", f"refunds {event.generation_id} by hand again")
            if not generation.end:
                self._find("refund_without_end", f"refunds {event.generation_id} by hand before its end")
            generation.refunded_by_hand += event.credits
        else:
            generation.refunded += event.credits
            self._awaited = event
        refunded = generation.refunded + generation.refunded_by_hand
        if event.credits <= 0 or refunded > generation.debited:
            self._find(
                "refund_exceeds_debit",
                f"refunds {event.credits}, in all {refunded}, of the {generation.debited} credits that "
                f"{event.generation_id} cost",
            )

    def _see_listed(self, event: ImportListed) -> None:
        generation = self._generation(event.generation_id)
        if generation.listed_for:
            self._find("imported_twice", f"lists {event.generation_id} again")
        generation.listed_for = event.user_id

    def _see_generation(self, event: msgspec.Struct) -> None:
        generation_id: str = getattr(event, "generation_id", "")
        awaited = self._awaited
        if awaited is not None and awaited.generation_id != generation_id:
            self._close_movement()
            awaited = None
        refund = awaited.credits if isinstance(awaited, a.CreditsRefunded) else 0
        match event:
            case e.GenerationRequested():
                if not isinstance(awaited, a.CreditsDebited):
                    self._find("request_without_debit", "is requested without its debit right before it")
                self._awaited = None
            case e.GenerationSucceeded() | e.GenerationFailed() | e.GenerationCancelled():
                if event.credits_refunded != refund:
                    self._find(
                        "end_without_refund",
                        f"ends with {event.credits_refunded} credits to refund, and {refund} stand before it",
                    )
                self._awaited = None
            case _ if isinstance(awaited, a.CreditsDebited):
                self._close_movement()
        for kind, what in see_generation(self._generation(generation_id), event):
            self._find(kind, what)

    def _close_movement(self) -> None:
        """No more of an append can come: a movement of credits that still waits has no reason."""
        awaited, self._awaited = self._awaited, None
        if awaited is None:
            return
        stream = account_stream(awaited.user_id)
        if isinstance(awaited, a.CreditsDebited):
            kind, what = "debit_without_request", "debits {} without the request right behind it"
        else:
            kind, what = "refund_without_end", "refunds {} without the end right behind it"
        message = f"{stream} {what.format(awaited.generation_id)}"
        self.findings.append(Finding(kind, stream, self._position, message))  # type: ignore[arg-type]

    def _settle(self, generation_id: str, generation: AuditedGeneration) -> None:
        if generation.imported_for != generation.listed_for:
            self._find(
                "import_not_listed",
                f"was imported for {generation.imported_for or 'nobody'!r} and is listed for "
                f"{generation.listed_for or 'nobody'!r}",
                generation_id,
            )
        price = generation.credits_per_output * generation.output_count
        if generation.debited != price:
            self._find("wrong_credits", f"cost {generation.debited} credits at a price of {price}", generation_id)
        if not generation.end:
            return
        kept = generation.debited - generation.refunded
        owed = generation.credits_per_output * generation.outputs
        if kept != owed:
            self._find(
                "wrong_credits",
                f"kept {kept} credits for {generation.outputs} outputs at {generation.credits_per_output}",
                generation_id,
            )

    def _generation(self, generation_id: str) -> AuditedGeneration:
        return self._generations.setdefault(generation_id, AuditedGeneration())


def audit(
    log: Iterable[RecordedEvent], *, now: datetime | None = None, overdue_seconds: float = 300.0
) -> list[Finding]:
    """All findings over a whole log, in order of position. Empty: everything holds."""
    checked = Audit()
    for recorded in log:
        checked.see(recorded)
    return checked.finish(now=now, overdue_seconds=overdue_seconds)
