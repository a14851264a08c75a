"""Those who call the service: they buy, ask, ask again, cancel, complain, and lose their connection.

What they were told is kept and held against the log afterwards: an acknowledgement is a promise, a refusal a claim.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from service.application.execute import Context, Outcome
from service.domain.account import Account
from service.domain.errors import (
    AlreadyExists,
    AlreadyRefunded,
    Conflict,
    InsufficientCredits,
    NotCancellable,
    NotEnded,
    NotFound,
    NothingToRefund,
)
from service.domain.generation import curation
from service.domain.generation.events import AskedParameters
from service.domain.generation.state import Generation
from service.ports.event_store import EventStore, EventStoreUnavailable
from tests.simulation.fleet import Api, Fleet
from tests.simulation.lines import Surroundings, WorkListDown
from tests.simulation.process import ConnectionLost
from tests.simulation.tools import FORBIDDEN_WORD, REFERENCE_ID
from tests.simulation.weather import CHAOS_SECONDS

T = TypeVar("T")
ANSWER_WITHIN_SECONDS = 60.0
"""Of the command, or of the end of the chaos: when who keeps trying must have been answered."""
PASSING = (ConnectionLost, EventStoreUnavailable, Conflict, WorkListDown, TimeoutError)
"""What a caller answers by sending the same request again."""


class Refusal(NamedTuple):
    """Told that credits are missing, somewhere between two positions of the log."""

    user_id: str
    price: int
    after_position: int
    until_position: int


@dataclass
class Promises:
    """What callers were told."""

    requests: dict[tuple[str, str], str] = field(default_factory=dict)
    """``(user_id, request_id)`` -> generation id."""
    grants: dict[tuple[str, str], int] = field(default_factory=dict)
    refunds_by_hand: dict[str, int] = field(default_factory=dict)
    """Generation id -> how many were told that they did it."""
    refusals: list[Refusal] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Answers that can never be right."""


class Users:
    def __init__(self, world: Surroundings, store: EventStore, fleet: Fleet) -> None:
        self.promises = Promises()
        self._world = world
        self._store = store
        self._fleet = fleet
        self._source = world.source("users")

    async def live(self) -> None:
        """All users' lives, to the end."""
        names = [f"user-{number}" for number in range(self._source.randint(1, 3))]
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(User(self, name, self._world.source(name)).live())

    async def send(self, source: random.Random, make: Callable[[Api], Awaitable[T]], *, stubborn: bool) -> T | None:
        """Sends until it is answered. Who is not stubborn may lose interest: then nobody knows what came of it."""
        answer_by_seconds = max(self._world.loop.time(), CHAOS_SECONDS) + ANSWER_WITHIN_SECONDS
        while self._world.loop.time() < answer_by_seconds:
            try:
                api = self._fleet.api()
                async with asyncio.timeout(source.uniform(1, 15)):
                    return await api.process.call(lambda api=api: make(api))  # type: ignore[misc]
            except PASSING as error:
                self._world.trace.tell("retry", f"{type(error).__name__}: {error}")
                if not stubborn and source.random() < 0.2:
                    return None
                await asyncio.sleep(source.uniform(0.1, 4))
        self.promises.broken.append("a command was sent again and again and never answered")
        return None

    async def head(self) -> int:
        return await self._store.head()


class User:
    def __init__(self, users: Users, user_id: str, source: random.Random) -> None:
        self._users = users
        self._promises = users.promises
        self._id = user_id
        self._source = source
        self._context = Context(actor=user_id)
        self._grants = 0

    async def live(self) -> None:
        await self._buy(self._source.choice((20, 50, 200)))
        async with asyncio.TaskGroup() as group:
            for number in range(self._source.randint(1, 5)):
                group.create_task(self._want(f"request-{number}"))
            for _ in range(self._source.choice((0, 1, 2))):
                group.create_task(self._buy_later())

    async def _buy_later(self) -> None:
        await asyncio.sleep(self._source.uniform(0, CHAOS_SECONDS / 2))
        await self._buy(self._source.choice((5, 10, 100)))

    async def _buy(self, credits: int) -> None:
        self._grants += 1
        grant_id = f"grant-{self._grants}"
        send = lambda: self._send(  # noqa: E731
            lambda api: api.credits.grant(
                user_id=self._id, grant_id=grant_id, credits=credits, note="", context=self._context
            )
        )
        answers = await self._perhaps_twice(send)
        if any(answer is not None for answer in answers):
            self._promises.grants[(self._id, grant_id)] = credits

    async def _perhaps_twice(self, send: Callable[[], Awaitable[T | None]]) -> list[T | None]:
        """Some callers are impatient: the same command twice, at the same time, wherever it lands."""
        if self._source.random() < 0.8:
            return [await send()]
        return list(await asyncio.gather(send(), send()))

    async def _send(self, make: Callable[[Api], Awaitable[T]]) -> T | None:
        return await self._users.send(self._source, make, stubborn=self._source.random() < 0.8)

    async def _want(self, request_id: str) -> None:
        await asyncio.sleep(self._source.uniform(0, CHAOS_SECONDS / 2))
        asked = self._draw_asked()
        answers = await self._perhaps_twice(lambda: self._request(request_id, asked))
        for answer in answers:
            if isinstance(answer, Generation):
                self._promise(request_id, answer)
        generation_id = self._promises.requests.get((self._id, request_id))
        if generation_id is None:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._perhaps(0.3, 40, lambda: self._cancel(generation_id)))
            group.create_task(self._perhaps(0.3, 90, lambda: self._request_again(request_id, asked)))
            group.create_task(self._perhaps(0.3, 120, lambda: self._complain(generation_id)))
            group.create_task(self._perhaps(0.2, 120, lambda: self._keep(generation_id)))

    async def _perhaps(self, chance: float, within_seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        if self._source.random() < chance:
            await asyncio.sleep(self._source.random() ** 2 * within_seconds)
            await act()

    def _draw_asked(self) -> AskedParameters:
        kind = self._source.choice(("imagen4", "imagen4", "avatar", "video"))
        most = {"imagen4": 4, "avatar": 2, "video": 1}[kind]
        words = FORBIDDEN_WORD if self._source.random() < 0.1 else "a fox"
        return AskedParameters(
            generation_type=kind,
            prompt=words,
            output_count=self._source.randint(1, most),
            reference_media_id=REFERENCE_ID if kind == "avatar" else "",
            enhance_prompt=self._source.random() < 0.7,
        )

    async def _request(self, request_id: str, asked: AskedParameters) -> Generation | Refusal | None:
        price = {"imagen4": 5, "avatar": 10, "video": 50}[asked.generation_type] * asked.output_count
        before = await self._users.head()
        try:
            answer = await self._send(
                lambda api: api.generations.request(
                    user_id=self._id, request_id=request_id, asked=asked, context=self._context
                )
            )
        except InsufficientCredits:
            refusal = Refusal(self._id, price, before, await self._users.head())
            self._promises.refusals.append(refusal)
            return refusal
        except AlreadyExists as error:
            self._promises.broken.append(f"a repeat was taken for another request: {error}")
            return None
        return answer.state if answer is not None else None

    async def _request_again(self, request_id: str, asked: AskedParameters) -> None:
        answer = await self._request(request_id, asked)
        if isinstance(answer, Generation):
            self._promise(request_id, answer)
        elif isinstance(answer, Refusal):
            self._promises.broken.append(f"{self._id}/{request_id} was acknowledged, then refused")

    def _promise(self, request_id: str, generation: Generation) -> None:
        before = self._promises.requests.setdefault((self._id, request_id), generation.generation_id)
        if before != generation.generation_id:
            self._promises.broken.append(f"{self._id}/{request_id} is {before} and {generation.generation_id}")

    async def _cancel(self, generation_id: str) -> None:
        try:
            await self._send(
                lambda api: api.generations.cancel(
                    user_id=self._id, generation_id=generation_id, context=self._context
                )
            )
        except NotCancellable:
            return
        except NotFound as error:
            self._promises.broken.append(f"acknowledged and not to be found: {error}")

    async def _complain(self, generation_id: str) -> None:
        for actor in self._source.choice((("ann",), ("ann", "bob"))):
            answer = await self._refund_by_hand(generation_id, actor)
            if answer is not None and answer.changed:
                done = self._promises.refunds_by_hand
                done[generation_id] = done.get(generation_id, 0) + 1

    async def _refund_by_hand(self, generation_id: str, actor: str) -> Outcome[Account] | None:
        try:
            return await self._send(
                lambda api: api.credits.refund_generation(
                    generation_id=generation_id, reason="blurred", actor=actor, context=self._context
                )
            )
        except (NotEnded, AlreadyRefunded, NothingToRefund):
            return None
        except NotFound as error:
            self._promises.broken.append(f"acknowledged and not to be found: {error}")
            return None

    async def _keep(self, generation_id: str) -> None:
        decision = self._source.choice((curation.favorite, curation.trash))
        try:
            await self._send(
                lambda api: api.curation.apply(
                    decision, user_id=self._id, item_id=f"{generation_id}.0", context=self._context
                )
            )
        except NotFound:
            return  # nothing was delivered, or not yet
