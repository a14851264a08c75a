"""Answers those who ask at the same moment with one query.

A small query costs the process that asks more than the database that answers: a connection from the pool, encoding,
waiting, decoding. While one query is on its way, those who come meanwhile gather, and the next one asks for all of
them. Nobody waits for a timer, and who is alone asks at once. An answer was always read after it was asked for, so
reading one's own writes stays what it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MOST_AT_ONCE = 200


class Gathered(Generic[K, V]):
    def __init__(
        self, ask: Callable[[Sequence[K]], Awaitable[Sequence[V]]], *, most_at_once: int = MOST_AT_ONCE
    ) -> None:
        """``ask`` gives the answers for up to so many keys, in their order; what it raises all of them get."""
        self._ask = ask
        self._most = most_at_once
        self._waiting: list[tuple[K, asyncio.Future[V]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V:
        """The answer for one key."""
        answer: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._answer_all())
        return await answer

    async def _answer_all(self) -> None:
        batch: list[tuple[K, asyncio.Future[V]]] = []
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._answer(batch)
        finally:
            self._asking = None
            for _, answer in (*batch, *self._waiting):  # of those that are left when this is cancelled
                answer.cancel()

    async def _answer(self, batch: Sequence[tuple[K, asyncio.Future[V]]]) -> None:
        try:
            answers = await self._ask([key for key, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, those who asked get it
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), found in zip(batch, answers, strict=True):
            if not answer.done():  # else who asked has gone
                answer.set_result(found)
