"""Clients as they are: they ask for all sorts of things, and try again under the same id until they are answered.

What they were told is kept in ``Notes``, because that is what must be true in the end.
"""

from __future__ import annotations

import asyncio
import io
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from PIL import Image

from clients.sdk import (
    AlreadyRefunded,
    AsyncTriptych,
    Conflict,
    DeadlineExceeded,
    InsufficientCredits,
    NotCancellable,
    NotEnded,
    NothingToRefund,
    Requested,
    ResourceExhausted,
    RetryPolicy,
    Unavailable,
)
from sandbox.control import SandboxControl

ANSWER_WITHIN_SECONDS: Final = 180.0
"""How long a client goes on asking, whatever is killed meanwhile."""
FIRST_GRANT: Final = 300
POOR_GRANT: Final = 3

T = TypeVar("T")


class Ask(NamedTuple):
    """A request as a client makes it, and makes it again."""

    user_id: str
    request_id: str
    type: str
    prompt: str
    output_count: int
    reference_media_id: str


class Wish(NamedTuple):
    """Something to ask for: how often, what, and what the sandbox is told to do to it."""

    weight: int
    name: str
    type: str = "imagen4"
    most_outputs: int = 4
    words: str = ""
    refusals: int = 0
    """How many submits the vendor turns away because it is too busy."""


WISHES: Final = (
    Wish(40, "plain"),
    Wish(8, "avatar", type="avatar", most_outputs=2),
    Wish(4, "video", type="video", most_outputs=1),
    Wish(8, "two of four", words="[sandbox:two-of-four]"),
    Wish(5, "refused by the moderation", words="forbidden"),
    Wish(5, "failed by the vendor", words="[sandbox:internal-server-error]"),
    Wish(5, "submit dropped after the POST", words="[sandbox:submit-drop-after]"),
    Wish(3, "the same, and no webhook", words="[sandbox:submit-drop-after] [sandbox:webhook-never]"),
    Wish(3, "submit dropped before", words="[sandbox:submit-drop]"),
    Wish(4, "vendor too busy at first", refusals=2),
    Wish(4, "picture gone", words="[sandbox:media-not-found]"),
    Wish(4, "webhook twice", words="[sandbox:webhook-twice]"),
    Wish(3, "webhook late", words="[sandbox:webhook-late]"),
    Wish(2, "never ready", words="[sandbox:stuck]"),
)


@dataclass
class Notes:
    """What all clients were told."""

    granted: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, Ask] = field(default_factory=dict)
    """By generation id."""
    wishes: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    contradictions: list[str] = field(default_factory=list)
    """Answers that cannot both be true."""

    @property
    def users(self) -> list[str]:
        return sorted(self.granted)


class Client:
    """One caller; several share a user, so that they meet at the account."""

    def __init__(
        self,
        name: str,
        user_id: str,
        *,
        address: str,
        sandbox: SandboxControl,
        notes: Notes,
        source: random.Random,
        most_pause_seconds: float,
    ) -> None:
        self._name = name
        self._user_id = user_id
        self._poor_user_id = f"poor-{name}"
        self._sandbox = sandbox
        self._notes = notes
        self._random = source
        self._most_pause_seconds = most_pause_seconds
        self._number = 0
        self._reference_media_id = ""
        self._asked: list[tuple[Ask, str]] = []
        # One try of the library's own: trying again is the part that is to be seen here.
        self._triptych = AsyncTriptych(address, timeout_seconds=20.0, retry=RetryPolicy(max_attempts=1))

    async def run(self, stop: asyncio.Event, *, most_requests: int) -> None:
        """Until ``stop``, or until that many requests. Raises TimeoutError when there is no answer for long."""
        async with self._triptych:
            await self._grant(self._user_id, FIRST_GRANT)
            await self._grant(self._poor_user_id, POOR_GRANT)
            reference = await self._surely(lambda: self._triptych.upload_reference(self._user_id, _portrait()))
            self._reference_media_id = reference.media_id
            while not stop.is_set() and self._number < most_requests:
                await self._act()
                await asyncio.sleep(self._random.uniform(0.05, self._most_pause_seconds))

    async def _act(self) -> None:
        chance = self._random.random()
        if chance < 0.06:
            await self._ask_beyond_the_balance()
        elif chance < 0.16 and self._asked:
            await self._ask_again()
        elif chance < 0.22 and self._asked:
            await self._refund_by_hand()
        else:
            generation_id = await self._ask_for(self._wish())
            if chance > 0.9:
                await asyncio.sleep(self._random.uniform(0.0, 0.5))
                await self._cancel(generation_id)

    def _wish(self) -> Wish:
        return self._random.choices(WISHES, [wish.weight for wish in WISHES])[0]

    async def _ask_for(self, wish: Wish) -> str:
        self._number += 1
        outputs = self._random.randint(1, wish.most_outputs)
        mark = f"no. {self._name}-{self._number}!"
        if wish.refusals:
            await self._sandbox.fail_next("submit", "http_429", count=wish.refusals, match=mark)
        ask = Ask(
            user_id=self._user_id,
            request_id=f"{self._name}-{self._number}",
            type=wish.type,
            prompt=f"sea, boat, night, {mark} {wish.words}".strip(),
            output_count=outputs,
            reference_media_id=self._reference_media_id if wish.type == "avatar" else "",
        )
        generation_id = await self._request(ask)
        self._notes.wishes[wish.name] += 1
        self._asked.append((ask, generation_id))
        return generation_id

    async def _request(self, ask: Ask) -> str:
        while True:
            try:
                requested = await self._surely(lambda: self._send(ask))
            except InsufficientCredits:
                await self._grant(ask.user_id, FIRST_GRANT)
                continue
            generation_id = requested.generation.generation_id
            self._notes.acknowledged[generation_id] = ask
            return generation_id

    def _send(self, ask: Ask) -> Awaitable[Requested]:
        return self._triptych.request_generation(
            ask.user_id,
            ask.type,
            ask.prompt,
            request_id=ask.request_id,
            output_count=ask.output_count,
            reference_media_id=ask.reference_media_id or None,
        )

    async def _ask_again(self) -> None:
        ask, generation_id = self._random.choice(self._asked)
        again = await self._surely(lambda: self._send(ask))
        self._notes.counts["sent again"] += 1
        if again.created or again.generation.generation_id != generation_id:
            self._notes.contradictions.append(
                f"{ask.request_id} was acknowledged as {generation_id}; sent again it became "
                f"{again.generation.generation_id} (created: {again.created})"
            )

    async def _ask_beyond_the_balance(self) -> None:
        self._number += 1
        ask = Ask(self._poor_user_id, f"{self._name}-{self._number}", "video", "a flight over a town", 1, "")
        try:
            await self._surely(lambda: self._send(ask))
        except InsufficientCredits as refusal:
            self._notes.counts["beyond the balance"] += 1
            if refusal.balance != POOR_GRANT:
                self._notes.contradictions.append(f"{ask.user_id} has {POOR_GRANT} credits and was told: {refusal}")
        else:
            self._notes.contradictions.append(f"{ask.user_id} got a video for {POOR_GRANT} credits")

    async def _refund_by_hand(self) -> None:
        _, generation_id = self._random.choice(self._asked)
        try:
            await self._surely(
                lambda: self._triptych.refund_generation(generation_id, "the user did not like it", actor="support")
            )
            self._notes.counts["refunded by hand"] += 1
        except (NotEnded, NothingToRefund, AlreadyRefunded):
            self._notes.counts["not refunded by hand"] += 1

    async def _cancel(self, generation_id: str) -> None:
        try:
            await self._surely(lambda: self._triptych.cancel_generation(generation_id, user_id=self._user_id))
            self._notes.counts["cancelled"] += 1
        except NotCancellable:
            self._notes.counts["too late to cancel"] += 1

    async def _grant(self, user_id: str, credits: int) -> None:
        self._number += 1
        grant_id = f"{self._name}-{self._number}"
        await self._surely(lambda: self._triptych.grant_credits(user_id, credits, grant_id=grant_id))
        self._notes.granted[user_id] += credits

    async def _surely(self, call: Callable[[], Awaitable[T]]) -> T:
        """Calls until there is an answer, which a refusal is, too."""
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
            while True:
                try:
                    return await call()
                except (Unavailable, DeadlineExceeded, ResourceExhausted, Conflict) as error:
                    self._notes.counts[f"tried again after {type(error).__name__}"] += 1
                    await asyncio.sleep(self._random.uniform(0.1, 0.5))


def _portrait() -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((256, 320)).convert("RGB").save(file, "PNG")
    return file.getvalue()
