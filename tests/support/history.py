"""Long random histories that could have happened: every event comes out of the domain's own decisions.

    history = History(seed=7)
    await history.append_to(store, appends=500)

The same seed gives the same history, event ids included. Users grant, ask, cancel and curate; generations move on
through every state, in random interleaving, to every kind of end.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta

from service.domain import account as accounts
from service.domain.account import ACCOUNT, Account
from service.domain.decider import DomainEvent
from service.domain.generation import curation, outcome, progress, request
from service.domain.generation import events as e
from service.domain.generation.decided import Decided
from service.domain.generation.importing import OlderItem, bring_in
from service.domain.generation.outcome import Delivered
from service.domain.generation.state import GENERATION, Generation, Phase
from service.domain.ids import account_stream, generation_id_for, generation_stream, imports_stream
from service.ports.event_store import EventStore, NewEvent, StreamWrite
from tests.support.samples import CATALOG, NOW

WORDS = [
    "fox",
    "snow",
    "forest",
    "dawn",
    "light",
    "red",
    "neon",
    "rain",
    "ёлка",
    "лес",
    "кот",
    "котёнок",
    "свет",
    "море",
]
FAILURES: tuple[e.FailureReason, ...] = ("content_policy", "no_output", "vendor_unavailable", "timed_out", "internal")


class History:
    """What has happened so far, and what may happen next."""

    def __init__(self, seed: int, *, users: int = 5) -> None:
        self._random = random.Random(seed)
        self._now = NOW
        self._requests = 0
        self.users = [f"user-{number}" for number in range(users)]
        self.accounts: dict[str, Account] = dict.fromkeys(self.users, ACCOUNT.initial)
        self.generations: dict[str, Generation] = {}
        self._unfinished: list[str] = []
        self._ended: list[str] = []
        self._versions: dict[str, int] = {}

    async def append_to(self, store: EventStore, *, appends: int) -> int:
        """Writes that many more appends; the position of the last."""
        position = 0
        for _ in range(appends):
            position = await store.append(self.next_append())
        return position

    async def import_to(self, store: EventStore, *, items: int, seed: int) -> int:
        """Brings in items of an older gallery, by an order of chance that leaves everything else as it was; the
        position of the last. Several of them were made in the same moment."""
        chance, position = random.Random(seed), 0
        for number in range(items):
            item = OlderItem(
                import_id=f"{seed}-{number}",
                user_id=chance.choice(self.users),
                created_at=NOW - timedelta(days=chance.randint(-1, 20)),
                generation_type=chance.choice(["avatar", "imagen4", "video"]),
                prompt=" ".join(chance.choices(WORDS, k=chance.randint(0, 5))),
            )
            kind = "video" if item.generation_type == "video" else "image"
            file = self._delivered(item.generation_id, 0, kind)
            decided = bring_in(GENERATION.initial, item, media=file.media, thumbnail=file.thumbnail)
            self.generations[item.generation_id] = GENERATION.fold(GENERATION.initial, decided.generation)
            self._ended.append(item.generation_id)
            listed = self._write(imports_stream(item.user_id), decided.imports)
            came_in = self._write(generation_stream(item.generation_id), decided.generation)
            position = await store.append([listed, came_in])
        return position

    def next_append(self) -> list[StreamWrite]:
        """One more command's events."""
        while True:
            self._now += timedelta(milliseconds=self._random.randint(1, 2000))
            user, generation_id, decided = self._decide()
            if any(decided):
                return list(self._record(user, generation_id, decided))

    def _decide(self) -> tuple[str, str, Decided]:
        kind = self._random.random()
        user = self._random.choice(self.users)
        if self.accounts[user].balance < 200:
            return user, "", self._grant(user)
        if self._unfinished and kind < 0.70:
            return self._advance(self._random.choice(self._unfinished))
        if self._ended and kind < 0.82:
            return self._after_the_end(self._random.choice(self._ended))
        return self._request(user)

    def _grant(self, user: str) -> Decided:
        grant_id = f"grant-{self._random.getrandbits(32):08x}"
        credits = self._random.randint(200, 2000)
        granted = accounts.grant(
            self.accounts[user], user_id=user, grant_id=grant_id, credits=credits, note="top-up", actor="billing"
        )
        return Decided(granted, [])

    def _request(self, user: str) -> tuple[str, str, Decided]:
        self._requests += 1
        request_id = f"request-{self._requests}"
        generation_id = generation_id_for(user, request_id)
        kind = self._random.choice(["imagen4", "imagen4", "imagen4", "avatar", "video"])
        asked = e.AskedParameters(
            generation_type=kind,
            prompt=self._prompt(),
            aspect_ratio=self._random.choice(["", "1:1", "16:9"]),
            output_count=1 if kind == "video" else self._random.randint(1, 4),
            seed=self._random.choice([None, self._random.randint(0, 2**31 - 1)]),
            reference_media_id="picture" if kind == "avatar" else "",
            enhance_prompt=self._random.random() < 0.8,
        )
        facts = request.RequestFacts(
            generation_id=generation_id,
            user_id=user,
            request_id=request_id,
            asked=asked,
            catalog=CATALOG,
            reference_found=True,
            now=self._now,
        )
        return user, generation_id, request.request(self.accounts[user], GENERATION.initial, facts)

    def _advance(self, generation_id: str) -> tuple[str, str, Decided]:
        state = self.generations[generation_id]
        account = self.accounts[state.user_id]
        if self._random.random() < 0.05:
            wish = request.cancel(
                account, state, user_id=state.user_id, generation_id=generation_id, actor=state.user_id
            )
            return state.user_id, generation_id, wish
        if state.phase is Phase.REQUESTED:
            decided = self._before_submission(account, state)
        elif state.phase is Phase.SUBMITTING:
            decided = self._submission_answered(account, state)
        else:
            decided = self._at_the_vendor(account, state)
        return state.user_id, generation_id, decided

    def _before_submission(self, account: Account, state: Generation) -> Decided:
        if not state.moderated:
            if self._random.random() < 0.05:
                return outcome.refuse_prompt(account, state, categories=("violence",), model="moderator")
            return Decided([], [*progress.pass_prompt(state, model="moderator", skipped=False)])
        if not state.prompt:
            improved = self._random.random() < 0.7
            words = f"{state.asked.prompt if state.asked else ''}{', ' + self._prompt() if improved else ''}"
            source: e.PromptSource = "improved" if improved else "own_words"
            why: e.OwnWordsReason = "" if improved else "unavailable"
            return Decided([], [*progress.settle_prompt(state, prompt=words, source=source, own_words_reason=why)])
        grace_until = self._now + timedelta(seconds=120)
        return Decided([], [*progress.start_submission(state, now=self._now, grace_until=grace_until)])

    def _submission_answered(self, account: Account, state: Generation) -> Decided:
        luck = self._random.random()
        if luck < 0.1:
            return outcome.end_failed(account, state, reason="vendor_unavailable", detail="answer lost")
        if luck < 0.25:
            retry_at = self._now + timedelta(seconds=10)
            deferred = progress.defer_submission(
                state, attempt=state.attempts, retry_at=retry_at, detail="connection refused"
            )
            return Decided([], [*deferred])
        job = f"job-{self._random.getrandbits(32):08x}"
        return Decided(
            [], [*progress.record_submitted(state, provider_request_id=job, learned_from_webhook=luck < 0.3)]
        )

    def _at_the_vendor(self, account: Account, state: Generation) -> Decided:
        luck = self._random.random()
        if state.cancelling and luck < 0.5:
            if luck < 0.25:
                return outcome.end_cancelled(account, state, actor=state.cancelling_actor)
            return Decided([], [*progress.refuse_cancellation(state, why="It is being made already.")])
        if luck < 0.12:
            return outcome.end_failed(account, state, reason=self._random.choice(FAILURES), detail="vendor said no")
        count = self._random.randint(1 if luck > 0.3 else 0, state.output_count)
        kind = "video" if state.asked is not None and state.asked.generation_type == "video" else "image"
        delivered = [self._delivered(state.generation_id, index, kind) for index in range(count)]
        return outcome.end_delivered(account, state, delivered=delivered, undelivered_detail="flagged")

    def _after_the_end(self, generation_id: str) -> tuple[str, str, Decided]:
        state = self.generations[generation_id]
        user = state.user_id
        charge = self.accounts[user].charges.get(generation_id)
        if self._random.random() < 0.1 and charge is not None and charge.left and charge.manual_at is None:
            refunds = accounts.refund_by_hand(
                self.accounts[user],
                user_id=user,
                generation_id=generation_id,
                note="not what was asked for",
                actor="support",
                now=self._now,
            )
            return user, generation_id, Decided(refunds, [])
        if not state.items:
            late = progress.record_late_report(state, provider_request_id="job-late", vendor_status="OK")
            return user, generation_id, Decided([], [*late])
        item = self._random.choice(state.items)
        curate = self._random.choice([curation.favorite, curation.unfavorite, curation.trash, curation.restore])
        return user, generation_id, Decided([], curate(state, user, item.item_id))

    def _delivered(self, generation_id: str, index: int, kind: str) -> Delivered:
        suffix, content_type = ("mp4", "video/mp4") if kind == "video" else ("png", "image/png")
        media = e.StoredMedia(
            key=f"outputs/{generation_id}/{index}.{suffix}",
            content_type=content_type,
            size_bytes=self._random.randint(10_000, 2_000_000),
            sha256=f"{self._random.getrandbits(256):064x}",
            width=1024,
            height=1024,
            duration_seconds=8.0 if kind == "video" else 0.0,
        )
        thumbnail = e.StoredMedia(
            key=f"thumbnails/{generation_id}/{index}.webp",
            content_type="image/webp",
            size_bytes=self._random.randint(1000, 20_000),
            sha256=f"{self._random.getrandbits(256):064x}",
            width=320,
            height=320,
        )
        seed = self._random.randint(0, 2**31 - 1)
        return Delivered(index=index, kind=kind, media=media, thumbnail=thumbnail, seed=seed)

    def _prompt(self) -> str:
        return " ".join(self._random.choices(WORDS, k=self._random.randint(3, 8)))

    def _record(self, user: str, generation_id: str, decided: Decided) -> Iterator[StreamWrite]:
        events = [*decided.account, *decided.generation]
        self.accounts[user] = ACCOUNT.fold(self.accounts[user], events)
        if decided.account:
            yield self._write(account_stream(user), decided.account)
        if generation_id:
            before = self.generations.get(generation_id, GENERATION.initial)
            after = self.generations[generation_id] = GENERATION.fold(before, events)
            if before.phase is Phase.ABSENT:
                self._unfinished.append(generation_id)
            if after.ended and not before.ended:
                self._unfinished.remove(generation_id)
                self._ended.append(generation_id)
        if decided.generation:
            yield self._write(generation_stream(generation_id), decided.generation)

    def _write(self, stream: str, events: Sequence[DomainEvent]) -> StreamWrite:
        version = self._versions.get(stream, 0)
        self._versions[stream] = version + len(events)
        ids = [uuid.UUID(int=self._random.getrandbits(128), version=4) for _ in events]
        new = tuple(NewEvent(*each) for each in zip(ids, events, strict=True))  # type: ignore[arg-type]
        return StreamWrite(stream, version, new)
