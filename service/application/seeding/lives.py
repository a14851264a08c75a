"""The life of one generation, as a generator of how many seconds pass until it goes on.

Most go well. Prompts are refused, the vendor is away or answers with nothing, deadlines pass, users change their
minds: each with its own chance, and on the vendor's bad days much more often.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

from service.application.seeding.world import World
from service.domain.account import Account
from service.domain.catalog import MediaType
from service.domain.generation import events as e
from service.domain.generation import outcome, progress, request
from service.domain.generation.decided import Decided
from service.domain.generation.outcome import Delivered
from service.domain.generation.state import GENERATION

GRACE_SECONDS = 120.0
MOST_ATTEMPTS = 5
WORKERS = ("worker-1", "worker-2", "worker-3")
_FAILURES: tuple[e.FailureReason, ...] = (
    "content_policy",
    "no_output",
    "no_output",
    "vendor_unavailable",
    "internal",
)
_CATEGORIES = ("violence", "sexual", "self-harm", "hate")

Waits = Iterator[float]


class Life:
    def __init__(self, world: World, media_type: MediaType, facts: request.RequestFacts) -> None:
        self.world = world
        self.state = GENERATION.initial
        self._chance = world.chance
        self._media_type = media_type
        self._facts = facts
        self._worker = self._chance.choice(WORKERS)

    @property
    def account(self) -> Account:
        return self.world.account(self._facts.user_id)

    def record(self, decided: Decided, actor: str = "") -> None:
        """Appends what was decided, by the worker unless somebody else is named."""
        self.state = self.world.record(
            self._facts.user_id, self._facts.generation_id, self.state, decided, actor=actor or self._worker
        )

    def run(self) -> Waits:
        """From the request to the end."""
        self.record(request.request(self.account, self.state, self._facts), actor=self._chance.choice(("web", "bot")))
        yield from self._settle_prompt()
        if not self.state.ended:
            yield from self._submit()
        if not self.state.ended:
            yield from self._be_made()

    def _settle_prompt(self) -> Waits:
        chance, asked = self._chance, self._facts.asked
        yield chance.uniform(0.2, 1.5)
        if chance.random() < 0.02:
            categories = (chance.choice(_CATEGORIES),)
            self.record(outcome.refuse_prompt(self.account, self.state, categories=categories, model="moderation"))
            return
        skipped = chance.random() < 0.002
        self._step(progress.pass_prompt(self.state, model="" if skipped else "moderation", skipped=skipped))
        yield chance.uniform(0.5, 3.0)
        improved = asked.enhance_prompt and chance.random() < 0.97
        why: e.OwnWordsReason = "" if improved else "unavailable" if asked.enhance_prompt else "asked"
        self._step(
            progress.settle_prompt(
                self.state,
                prompt=self.world.crowd.improved(asked.prompt) if improved else asked.prompt,
                source="improved" if improved else "own_words",
                own_words_reason=why,
                model="prompt-writer" if improved else "",
            )
        )
        if chance.random() < 0.006:
            yield chance.uniform(0.1, 2.0)
            self.record(self._wish_out(), actor="web")

    def _submit(self) -> Waits:
        chance = self._chance
        trouble = 0.35 if self.world.in_trouble() else 0.008
        for attempt in range(1, MOST_ATTEMPTS + 1):
            yield chance.uniform(0.05, 0.3)
            now = self.world.now
            grace_until = now + timedelta(seconds=GRACE_SECONDS)
            self._step(progress.start_submission(self.state, now=now, grace_until=grace_until))
            yield chance.uniform(0.2, 1.2)
            if chance.random() < 0.002:
                yield from self._answer_lost()
                return
            if chance.random() >= trouble:
                self._submitted(learned_from_webhook=False)
                return
            pause_seconds = 4.0 * 2**attempt
            retry_at = self.world.now + timedelta(seconds=pause_seconds)
            self._step(
                progress.defer_submission(self.state, attempt=attempt, retry_at=retry_at, detail="HTTP 503 from fal")
            )
            yield pause_seconds
        self.record(
            outcome.end_failed(self.account, self.state, reason="vendor_unavailable", detail="HTTP 503 from fal")
        )

    def _answer_lost(self) -> Waits:
        if self._chance.random() < 0.6:
            yield self._chance.uniform(5, 60)
            self._submitted(learned_from_webhook=True)
            return
        yield GRACE_SECONDS
        self.record(
            outcome.end_failed(
                self.account, self.state, reason="vendor_unavailable", detail="no answer to the submit"
            )
        )

    def _submitted(self, *, learned_from_webhook: bool) -> None:
        name = f"{self._chance.getrandbits(128):032x}"
        self._step(
            progress.record_submitted(self.state, provider_request_id=name, learned_from_webhook=learned_from_webhook)
        )

    def _be_made(self) -> Waits:
        chance = self._chance
        trouble = self.world.in_trouble()
        seconds = (90.0 if self._media_type.kind == "video" else 11.0) * chance.lognormvariate(0, 0.45)
        seconds *= 4.0 if trouble and chance.random() < 0.5 else 1.0
        if chance.random() < 0.012:
            yield seconds * 0.2
            self.record(self._wish_out(), actor="web")
            yield chance.uniform(0.2, 2.0)
            if chance.random() < 0.5:
                self.record(outcome.end_cancelled(self.account, self.state, actor="web"))
                return
            self._step(progress.refuse_cancellation(self.state, why="It is being made already."))
        left_seconds = self._media_type.deadline_seconds - (self.world.now - self._facts.now).total_seconds()
        if seconds > left_seconds or chance.random() < (0.02 if trouble else 0.003):
            yield max(0.0, left_seconds)
            self.record(outcome.end_failed(self.account, self.state, reason="timed_out", detail="past its deadline"))
            yield chance.uniform(5, 900)
            job = self.state.provider_request_id
            self._step(progress.record_late_report(self.state, provider_request_id=job, vendor_status="OK"))
            return
        yield seconds
        if chance.random() < (0.25 if trouble else 0.025):
            reason = chance.choice(_FAILURES)
            self.record(outcome.end_failed(self.account, self.state, reason=reason, detail="the vendor said no"))
            return
        made = [output for output in self._outputs() if chance.random() < 0.985]
        undelivered = "" if len(made) == self.state.output_count else "left out by the vendor's safety check"
        self.record(outcome.end_delivered(self.account, self.state, delivered=made, undelivered_detail=undelivered))

    def _outputs(self) -> Iterator[Delivered]:
        video = self._media_type.kind == "video"
        for index in range(self.state.output_count):
            name = f"{self._facts.generation_id}/{index}"
            kind = "video/mp4" if video else "image/png"
            yield Delivered(
                index=index,
                kind=self._media_type.kind,
                media=_file(self._chance, f"outputs/{name}", kind, 1024, 1_400_000, 6.0 if video else 0.0),
                thumbnail=_file(self._chance, f"thumbnails/{name}", "image/webp", 320, 14_000),
                seed=self._chance.getrandbits(31),
            )

    def _wish_out(self) -> Decided:
        facts = self._facts
        return request.cancel(
            self.account, self.state, user_id=facts.user_id, generation_id=facts.generation_id, actor=facts.user_id
        )

    def _step(self, events: progress.Steps) -> None:
        self.record(Decided([], events))


def _file(
    chance: random.Random, key: str, content_type: str, side: int, usual_bytes: int, duration_seconds: float = 0.0
) -> e.StoredMedia:
    return e.StoredMedia(
        key=key,
        content_type=content_type,
        size_bytes=round(usual_bytes * chance.lognormvariate(0, 0.3)),
        sha256=f"{chance.getrandbits(256):064x}",
        width=side,
        height=side,
        duration_seconds=duration_seconds,
    )
