"""What the made-up lives share: the time, chance, accounts, and the log that they write."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from datetime import datetime

from service.application.seeding.calendar import in_trouble
from service.application.seeding.crowd import Crowd
from service.domain import account as accounts
from service.domain.account import ACCOUNT, Account
from service.domain.catalog import Catalog
from service.domain.decider import DomainEvent
from service.domain.generation.decided import Decided
from service.domain.generation.state import GENERATION, Generation
from service.domain.ids import account_stream, generation_stream
from service.ports.event_store import Metadata, NewEvent
from service.ports.history_import import DatedEvent

WELCOME_CREDITS = 30
PACKAGES = (100, 100, 100, 300, 300, 1000)
"""What is bought, in credits; small ones more often."""


class World:
    def __init__(self, catalog: Catalog, *, seed: int, events: int, start: datetime, end: datetime) -> None:
        self.catalog = catalog
        self.chance = random.Random(seed)  # noqa: S311 - a story, not a secret
        self.crowd = Crowd(self.chance, seed, events)
        self.start, self.end, self.now = start, end, start
        self.written: list[DatedEvent] = []
        self._accounts: dict[str, Account] = {}
        self._versions: dict[str, int] = {}
        self._grants = 0

    def account(self, user_id: str) -> Account:
        return self._accounts.get(user_id, ACCOUNT.initial)

    def in_trouble(self) -> bool:
        """Whether the vendor has a bad day."""
        return in_trouble(self.now, self.start, self.end)

    def can_pay(self, user_id: str, credits: int) -> bool:
        """Whether the user has so many credits, got as a newcomer or bought right now."""
        if not self.account(user_id).user_id:
            self._grant(user_id, WELCOME_CREDITS, note="welcome", actor="web")
        while self.account(user_id).balance < credits:
            if self.chance.random() < 0.15:
                return False
            self._grant(user_id, self.chance.choice(PACKAGES), note="card payment", actor="billing")
        return True

    def _grant(self, user_id: str, credits: int, *, note: str, actor: str) -> None:
        self._grants += 1
        granted = accounts.grant(
            self.account(user_id),
            user_id=user_id,
            grant_id=f"{note.replace(' ', '-')}-{self._grants}",
            credits=credits,
            note=note,
            actor=actor,
        )
        self.record(user_id, "", GENERATION.initial, Decided(granted, []), actor=actor)

    def record(
        self, user_id: str, generation_id: str, generation: Generation, decided: Decided, *, actor: str
    ) -> Generation:
        """Appends what was decided, at the present moment; the generation after it."""
        metadata = Metadata(actor=actor, correlation_id=generation_id)
        if decided.account:
            self._accounts[user_id] = ACCOUNT.fold(self.account(user_id), decided.account)
            self._append(account_stream(user_id), decided.account, metadata)
        if decided.generation:
            self._append(generation_stream(generation_id), decided.generation, metadata)
        return GENERATION.fold(generation, decided.generation)

    def forget(self, generation_id: str) -> None:
        """Nothing more will happen to it."""
        self._versions.pop(generation_stream(generation_id), None)

    def _append(self, stream: str, events: Sequence[DomainEvent], metadata: Metadata) -> None:
        version = self._versions.get(stream, 0)
        for event in events:
            version += 1
            event_id = uuid.UUID(int=self.chance.getrandbits(128), version=4)
            self.written.append(DatedEvent(stream, version, NewEvent(event_id, event, metadata), self.now))  # type: ignore[arg-type]
        self._versions[stream] = version
